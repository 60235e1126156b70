//! Captures.

use super::guarded;
use crate::capture::columns::Columns;
use crate::capture::compile::Compiler;
use crate::capture::flows::{Flows, Key};
use crate::capture::signalling::{Message, Signalling};
use crate::capture::through::{self, Through};
use crate::capture::{self, Limits, Reading, Tunnels};
use crate::decompress::Growth;
use crate::fault::{at_byte, Checked, Fault};
use crate::open::{self, Hashed, State};
use numpy::{IntoPyArray, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Flows inside tunnels; ratio, bytes and packets that are too many.
type Choices = (bool, (u64, u64, u64));

type Stop<'a> = &'a dyn Fn() -> bool;

fn whole<S: capture::Sink>(path: &Path, choices: Choices, sink: S, stop: Stop) -> Checked<Reading<S>> {
    let (file, size) = open::regular(path)?;
    read(file, size, choices, sink, stop)
}

fn read<S: capture::Sink>(
    file: impl Read,
    size: u64,
    choices: Choices,
    sink: S,
    stop: Stop,
) -> Checked<Reading<S>> {
    let (inner, (ratio, bytes, packets)) = choices;
    let mut reading = Reading::new(if inner { Tunnels::Inner } else { Tunnels::Outer }, sink);
    reading.limits = Limits { growth: Growth { ratio, bytes }, packets };
    capture::read(file, size, &mut reading, stop)?;
    Ok(reading)
}

/// All columns in memory.
#[pyfunction]
pub fn read_capture(py: Python<'_>, path: PathBuf, choices: Choices) -> PyResult<Bound<'_, PyDict>> {
    let reading = guarded(py, &path, |stop| whole(&path, choices, Columns::default(), stop))?;
    let found = facts(py, &reading)?;
    let columns = reading.sink;
    found.set_item("time_ns", columns.time_ns.into_pyarray(py))?;
    found.set_item("wire_length", columns.wire_length.into_pyarray(py))?;
    found.set_item("captured_length", columns.captured_length.into_pyarray(py))?;
    found.set_item("ip_length", columns.ip_length.into_pyarray(py))?;
    found.set_item("flow", columns.flow.into_pyarray(py))?;
    found.set_item("direction", columns.direction.into_pyarray(py))?;
    found.set_item("flows", flow_columns(py, reading.flows)?)?;
    Ok(found)
}

/// Columns as array files in a folder; about ``memory`` bytes are used beside the flow table.
#[pyfunction]
pub fn compile_capture(
    py: Python<'_>,
    path: PathBuf,
    folder: PathBuf,
    memory: usize,
    choices: Choices,
) -> PyResult<Bound<'_, PyDict>> {
    let (mut reading, places, state, content) = guarded(py, &path, |stop| {
        let (file, _) = open::regular(&path)?;
        let state = State::of(&file).map_err(|error| unread(&error))?;
        let mut file = Hashed::new(file);
        let mut reading = read(&mut file, state.size, choices, Compiler::new(&folder, memory), stop)?;
        let (file, content) = file.finish().map_err(|error| unread(&error))?;
        if State::of(&file).map_err(|error| unread(&error))? != state {
            return Err(at_byte(0, "changed while it was read", "a file that nobody writes to meanwhile"));
        }
        let spare = std::mem::replace(&mut reading.sink, Compiler::new(&folder, 0));
        let places = spare.finish(reading.flows.keys.len())?;
        Ok((reading, places, state, content))
    })?;
    let found = facts(py, &reading)?;
    found.set_item("content", content)?;
    found.set_item("size", state.size)?;
    found.set_item("mtime_ns", state.mtime_ns)?;
    let flows = flow_columns(py, std::mem::take(&mut reading.flows))?;
    flows.set_item("offset", places.offset.into_pyarray(py))?;
    flows.set_item("count", places.count.into_pyarray(py))?;
    flows.set_item("along", places.along.into_pyarray(py))?;
    found.set_item("flows", flows)?;
    Ok(found)
}

/// BLAKE3 hash of what is in a file.
#[pyfunction]
pub fn content_hash(py: Python<'_>, path: PathBuf) -> PyResult<String> {
    guarded(py, &path, |_| {
        let (file, _) = open::regular(&path)?;
        Hashed::new(file).finish().map(|(_, content)| content).map_err(|error| unread(&error))
    })
}

fn unread(error: &std::io::Error) -> Fault {
    at_byte(0, format!("cannot be read: {error}"), "a sound file")
}

/// What a capture holds without its packets, its signalling listed.
#[pyfunction]
pub fn read_signalling(
    py: Python<'_>,
    path: PathBuf,
    choices: Choices,
    most_messages: usize,
) -> PyResult<Bound<'_, PyDict>> {
    let reading = guarded(py, &path, |stop| whole(&path, choices, Signalling::new(most_messages), stop))?;
    let found = facts(py, &reading)?;
    let Signalling { messages, counts, damaged, echoes, .. } = reading.sink;
    found.set_item("messages", message_columns(py, &messages)?)?;
    found.set_item("counts", counts.to_vec().into_pyarray(py))?;
    found.set_item("damaged", damaged)?;
    found.set_item("unfollowed", echoes.unfollowed)?;
    let pairs = echoes.pairs.into_iter().map(|(pair, asked)| {
        (
            (pair.version, pair.asking, pair.asked, pair.identifier),
            (asked.requests, asked.replies, asked.unanswered()),
        )
    });
    found.set_item("echoes", PyList::new(py, pairs.collect::<Vec<_>>())?)?;
    found.set_item("flows", flow_columns(py, reading.flows)?)?;
    Ok(found)
}

fn facts<'py, S: capture::Sink>(py: Python<'py>, reading: &Reading<S>) -> PyResult<Bound<'py, PyDict>> {
    let found = PyDict::new(py);
    let counts = &reading.counts;
    found.set_item("format", reading.format)?;
    found.set_item("compression", reading.compression)?;
    found.set_item("packets", counts.packets)?;
    found.set_item("bytes", counts.bytes)?;
    found.set_item("untimed", counts.untimed)?;
    found.set_item("cut", counts.cut)?;
    found.set_item("out_of_order", counts.out_of_order)?;
    found.set_item("tunnelled", counts.tunnelled)?;
    let times = (reading.earliest <= reading.latest).then_some((reading.earliest, reading.latest));
    found.set_item("times_ns", times)?;
    found.set_item("truncated", &reading.truncated)?;
    let interfaces = reading.interfaces.iter().map(|i| (&i.name, i.link_type, i.snap_length, i.packets));
    found.set_item("interfaces", PyList::new(py, interfaces.collect::<Vec<_>>())?)?;
    found.set_item("tunnels", tunnel_columns(py, &reading.through)?)?;
    Ok(found)
}

fn flow_columns(py: Python<'_>, table: Flows) -> PyResult<Bound<'_, PyDict>> {
    let keys = &table.keys;
    let column = |value: fn(&Key) -> u8| keys.iter().map(value).collect::<Vec<u8>>();
    let addresses = |value: fn(&Key) -> [u8; 16]| {
        keys.iter().flat_map(value).collect::<Vec<u8>>().into_pyarray(py).reshape([keys.len(), 16])
    };
    let ports = |value: fn(&Key) -> u16| keys.iter().map(value).collect::<Vec<u16>>();
    let flows = PyDict::new(py);
    flows.set_item("version", column(|k| k.version).into_pyarray(py))?;
    flows.set_item("protocol", column(|k| k.protocol).into_pyarray(py))?;
    flows.set_item("src", addresses(|k| k.source)?)?;
    flows.set_item("dst", addresses(|k| k.destination)?)?;
    flows.set_item("sport", ports(|k| k.ports.0).into_pyarray(py))?;
    flows.set_item("dport", ports(|k| k.ports.1).into_pyarray(py))?;
    flows.set_item("packets", table.packets.into_pyarray(py))?;
    flows.set_item("bytes", table.bytes.into_pyarray(py))?;
    flows.set_item("first_time_ns", table.first_time_ns.into_pyarray(py))?;
    Ok(flows)
}

fn tunnel_columns<'py>(py: Python<'py>, table: &Through) -> PyResult<Bound<'py, PyDict>> {
    let keys = &table.keys;
    let addresses = |value: fn(&through::Key) -> [u8; 16]| {
        keys.iter().flat_map(value).collect::<Vec<u8>>().into_pyarray(py).reshape([keys.len(), 16])
    };
    let tunnels = PyDict::new(py);
    tunnels.set_item("version", keys.iter().map(|k| k.version).collect::<Vec<_>>().into_pyarray(py))?;
    tunnels.set_item("protocol", keys.iter().map(|k| k.protocol).collect::<Vec<_>>().into_pyarray(py))?;
    tunnels.set_item("src", addresses(|k| k.source)?)?;
    tunnels.set_item("dst", addresses(|k| k.destination)?)?;
    tunnels.set_item("packets", table.packets.clone().into_pyarray(py))?;
    tunnels.set_item("bytes", table.bytes.clone().into_pyarray(py))?;
    Ok(tunnels)
}

fn message_columns<'py>(py: Python<'py>, messages: &[Message]) -> PyResult<Bound<'py, PyDict>> {
    let addresses = |value: fn(&Message) -> [u8; 16]| {
        let raw = messages.iter().flat_map(value).collect::<Vec<u8>>();
        raw.into_pyarray(py).reshape([messages.len(), 16])
    };
    let columns = PyDict::new(py);
    columns.set_item("packet", messages.iter().map(|m| m.packet).collect::<Vec<_>>().into_pyarray(py))?;
    columns.set_item("time_ns", messages.iter().map(|m| m.time_ns).collect::<Vec<_>>().into_pyarray(py))?;
    columns.set_item("kind", messages.iter().map(|m| m.kind).collect::<Vec<_>>().into_pyarray(py))?;
    columns.set_item("version", messages.iter().map(|m| m.version).collect::<Vec<_>>().into_pyarray(py))?;
    columns.set_item("source", addresses(|m| m.source)?)?;
    columns.set_item("destination", addresses(|m| m.destination)?)?;
    columns.set_item("home", addresses(|m| m.home)?)?;
    columns.set_item("agent", addresses(|m| m.agent)?)?;
    columns.set_item("care_of", addresses(|m| m.care_of)?)?;
    columns
        .set_item("lifetime_s", messages.iter().map(|m| m.lifetime_s).collect::<Vec<_>>().into_pyarray(py))?;
    columns.set_item("code", messages.iter().map(|m| m.code).collect::<Vec<_>>().into_pyarray(py))?;
    let identification = messages.iter().map(|m| m.identification).collect::<Vec<_>>();
    columns.set_item("identification", identification.into_pyarray(py))?;
    columns.set_item("flags", messages.iter().map(|m| m.flags).collect::<Vec<_>>().into_pyarray(py))?;
    Ok(columns)
}
