//! Captures.

use super::{make_skipped, run_without_gil, set_arrays};
use crate::capture::columns::Columns;
use crate::capture::compile::Compiler;
use crate::capture::flow_table::{FlowCounts, FlowKey, FlowTable};
use crate::capture::fragments::FragmentTable;
use crate::capture::signalling::{Message, Signalling};
use crate::capture::tunnel_table::{TunnelCounts, TunnelKey, TunnelTable};
use crate::capture::{self, CaptureState, Limits, Sink, TunnelLayer};
use crate::error::{error_at_byte, OnBadRecord, ReadError, Result};
use crate::io::decompress::ExpansionLimit;
use crate::io::file::{open_regular, FileState, HashingReader};
use numpy::{IntoPyArray, PyArray2, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict, PyList};
use std::io::Read;
use std::path::{Path, PathBuf};

/// If true, flows are those inside tunnels; then the limits: ratio and bytes of decompression, packets; then the treatment of a
/// bad record.
type ReadOptions = (bool, (u64, u64, u64), OnBadRecord);

type ShouldStop<'a> = &'a dyn Fn() -> bool;

/// Set one column for each named field of the rows as a numpy array in a dictionary, under the name of the field.
macro_rules! set_columns {
    ($dict:expr, $rows:expr, $($field:ident),+ $(,)?) => {
        $($dict.set_item(
            stringify!($field),
            $rows.iter().map(|row| row.$field).collect::<Vec<_>>().into_pyarray($dict.py()),
        )?;)+
    };
}

fn read_path<S: Sink>(
    path: &Path,
    options: ReadOptions,
    make_sink: impl Fn() -> S,
    should_stop: ShouldStop,
) -> Result<CaptureState<S>> {
    let (file, size) = open_regular(path)?;
    let mut state = read(file, size, options, make_sink(), FragmentTable::default(), should_stop)?;
    match state.tables.fragments.take_early() {
        Some(early) => {
            let (file, size) = open_regular(path)?;
            read(file, size, options, make_sink(), FragmentTable::with_known(early), should_stop)
        }
        None => Ok(state),
    }
}

fn read<S: Sink>(
    file: impl Read,
    size: u64,
    options: ReadOptions,
    sink: S,
    fragments: FragmentTable,
    should_stop: ShouldStop,
) -> Result<CaptureState<S>> {
    let (inner, (ratio, bytes, packets), on_bad_record) = options;
    let mut state = CaptureState::new(if inner { TunnelLayer::Inner } else { TunnelLayer::Outer }, sink);
    state.limits = Limits { expansion: ExpansionLimit { ratio, bytes }, packets };
    state.tables.left_out.policy = on_bad_record;
    state.tables.fragments = fragments;
    capture::read(file, size, &mut state, should_stop)?;
    Ok(state)
}

/// Read all packets of a capture into columns in memory.
#[pyfunction]
pub fn read_capture(py: Python<'_>, path: PathBuf, options: ReadOptions) -> PyResult<Bound<'_, PyDict>> {
    let state =
        run_without_gil(py, &path, |should_stop| read_path(&path, options, Columns::default, should_stop))?;
    let result = make_facts(py, &state)?;
    set_arrays!(result, state.sink, time_ns, wire_length, captured_length, ip_length, flow, direction);
    result.set_item("flows", make_flow_columns(py, &state.flows)?)?;
    Ok(result)
}

/// Write the columns of a capture as array files into a folder, using about `memory_bytes` of memory beside the flow table.
#[pyfunction]
pub fn compile_capture(
    py: Python<'_>,
    path: PathBuf,
    folder: PathBuf,
    memory_bytes: usize,
    options: ReadOptions,
) -> PyResult<Bound<'_, PyDict>> {
    let (state, index, file_state, content) = run_without_gil(py, &path, |should_stop| {
        let (file, _) = open_regular(&path)?;
        let file_state = FileState::read(&file).map_err(|error| read_failure(&error))?;
        let mut file = HashingReader::new(file);
        let compiler = Compiler::new(&folder, memory_bytes);
        let mut state =
            read(&mut file, file_state.size, options, compiler, FragmentTable::default(), should_stop)?;
        if let Some(early) = state.tables.fragments.take_early() {
            let compiler = state.sink.restart().map_err(|error| read_failure(&error))?;
            let (again, size) = open_regular(&path)?;
            state = read(again, size, options, compiler, FragmentTable::with_known(early), should_stop)?;
        }
        let (file, content) = file.finish().map_err(|error| read_failure(&error))?;
        if FileState::read(&file).map_err(|error| read_failure(&error))? != file_state {
            let expected = "a file that no other program writes to meanwhile";
            return Err(error_at_byte(0, "changed while it was read", expected));
        }
        let compiler = std::mem::replace(&mut state.sink, Compiler::new(&folder, 0));
        let index = compiler.finish(state.flows.len())?;
        Ok((state, index, file_state, content))
    })?;
    let result = make_facts(py, &state)?;
    result.set_item("content", content)?;
    result.set_item("size", file_state.size)?;
    result.set_item("mtime_ns", file_state.mtime_ns)?;
    let flows = make_flow_columns(py, &state.flows)?;
    set_arrays!(flows, index, offset, count, along);
    result.set_item("flows", flows)?;
    Ok(result)
}

/// Return the BLAKE3 hash of a file's content in hexadecimal.
#[pyfunction]
pub fn content_hash(py: Python<'_>, path: PathBuf) -> PyResult<String> {
    run_without_gil(py, &path, |_| {
        let (file, _) = open_regular(&path)?;
        HashingReader::new(file).finish().map(|(_, content)| content).map_err(|error| read_failure(&error))
    })
}

fn read_failure(error: &std::io::Error) -> ReadError {
    error_at_byte(0, format!("cannot be read: {error}"), "an undamaged file")
}

/// Read the signalling messages, pings and flows of a capture, but not its packets.
#[pyfunction]
pub fn read_signalling(
    py: Python<'_>,
    path: PathBuf,
    options: ReadOptions,
    max_messages: usize,
) -> PyResult<Bound<'_, PyDict>> {
    let state = run_without_gil(py, &path, |should_stop| {
        read_path(&path, options, || Signalling::new(max_messages), should_stop)
    })?;
    let result = make_facts(py, &state)?;
    result.set_item("flows", make_flow_columns(py, &state.flows)?)?;
    let Signalling { messages, counts, damaged, pings, .. } = state.sink;
    result.set_item("messages", make_message_columns(py, &messages)?)?;
    result.set_item("counts", counts.to_vec().into_pyarray(py))?;
    result.set_item("damaged", damaged)?;
    result.set_item("unfollowed", pings.untracked)?;
    let echoes = pings.pings.into_iter().map(|(pair, ping)| {
        (
            (pair.version, pair.requester, pair.responder, pair.identifier),
            (ping.requests, ping.replies, ping.unanswered()),
        )
    });
    result.set_item("echoes", PyList::new(py, echoes.collect::<Vec<_>>())?)?;
    Ok(result)
}

fn make_facts<'py, S: Sink>(py: Python<'py>, state: &CaptureState<S>) -> PyResult<Bound<'py, PyDict>> {
    let facts = PyDict::new(py);
    let counts = &state.counts;
    facts.set_item("format", state.format)?;
    facts.set_item("compression", state.compression)?;
    facts.set_item("packets", counts.packets)?;
    facts.set_item("bytes", counts.bytes)?;
    facts.set_item("untimed", counts.untimed)?;
    facts.set_item("cut", counts.cut)?;
    facts.set_item("out_of_order", counts.out_of_order)?;
    facts.set_item("tunnelled", counts.tunnelled)?;
    let times_ns = (state.earliest_ns <= state.latest_ns).then_some((state.earliest_ns, state.latest_ns));
    facts.set_item("times_ns", times_ns)?;
    facts.set_item("truncated", &state.truncated)?;
    let interfaces = state.interfaces.iter().map(|i| (&i.name, i.link_type, i.snap_length, i.packets));
    facts.set_item("interfaces", PyList::new(py, interfaces.collect::<Vec<_>>())?)?;
    facts.set_item("tunnels", make_tunnel_columns(py, &state.tables.tunnels)?)?;
    facts.set_item("skipped", make_skipped(py, &state.tables.left_out.skipped)?)?;
    facts.set_item("opaque", state.tables.left_out.opaque().into_py_dict(py)?)?;
    Ok(facts)
}

fn make_flow_columns<'py>(py: Python<'py>, table: &FlowTable) -> PyResult<Bound<'py, PyDict>> {
    let (keys, counts): (Vec<&FlowKey>, Vec<&FlowCounts>) = table.rows().unzip();
    let flows = PyDict::new(py);
    set_columns!(flows, keys, version, protocol);
    flows.set_item("src", make_address_array(py, keys.iter().map(|key| &key.source))?)?;
    flows.set_item("dst", make_address_array(py, keys.iter().map(|key| &key.destination))?)?;
    flows.set_item("sport", keys.iter().map(|key| key.ports.0).collect::<Vec<_>>().into_pyarray(py))?;
    flows.set_item("dport", keys.iter().map(|key| key.ports.1).collect::<Vec<_>>().into_pyarray(py))?;
    set_columns!(flows, counts, packets, bytes, first_time_ns);
    Ok(flows)
}

fn make_tunnel_columns<'py>(py: Python<'py>, table: &TunnelTable) -> PyResult<Bound<'py, PyDict>> {
    let (keys, counts): (Vec<&TunnelKey>, Vec<&TunnelCounts>) = table.rows().unzip();
    let tunnels = PyDict::new(py);
    set_columns!(tunnels, keys, version, protocol, port);
    tunnels.set_item("src", make_address_array(py, keys.iter().map(|key| &key.source))?)?;
    tunnels.set_item("dst", make_address_array(py, keys.iter().map(|key| &key.destination))?)?;
    set_columns!(tunnels, counts, packets, bytes);
    Ok(tunnels)
}

fn make_message_columns<'py>(py: Python<'py>, messages: &[Message]) -> PyResult<Bound<'py, PyDict>> {
    let columns = PyDict::new(py);
    set_columns!(columns, messages, packet, time_ns, kind, version, lifetime_s, code, identification, flags);
    columns.set_item("source", make_address_array(py, messages.iter().map(|m| &m.source))?)?;
    columns.set_item("destination", make_address_array(py, messages.iter().map(|m| &m.destination))?)?;
    columns.set_item("home", make_address_array(py, messages.iter().map(|m| &m.home))?)?;
    columns.set_item("agent", make_address_array(py, messages.iter().map(|m| &m.agent))?)?;
    columns.set_item("care_of", make_address_array(py, messages.iter().map(|m| &m.care_of))?)?;
    Ok(columns)
}

/// Return addresses as an array of shape (n, 16).
fn make_address_array<'py, 'a>(
    py: Python<'py>,
    addresses: impl ExactSizeIterator<Item = &'a [u8; 16]>,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let rows = addresses.len();
    addresses.flatten().copied().collect::<Vec<u8>>().into_pyarray(py).reshape([rows, 16])
}
