//! What Python calls to write a capture: tables once, then columns of packets.

use crate::wire::datagram::{self, Flow, Numbers};
use crate::wire::packet::Packet;
use crate::wire::tunnel::Tunnel;
use crate::write::Writer;
use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArray3, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::fs::OpenOptions;
use std::path::PathBuf;

type Column<'py, T> = PyReadonlyArray1<'py, T>;

/// One flow: rows of its addresses, and what its headers say.
struct Ends {
    source: u32,
    destination: u32,
    flow: Flow,
}

/// The columns of one call; a packet is a row.
struct Columns<'a> {
    time_ns: &'a [i64],
    interface: &'a [u32],
    /// Row of the flow table; −1 − i is message i.
    flow: &'a [i64],
    length: &'a [u32],
    number: &'a [u32],
    sequence: &'a [u32],
    acknowledgement: &'a [u32],
    /// Four of each packet, innermost first: kind, source, destination's prefix, destination's host.
    tunnels: &'a [i32],
    messages: &'a [Vec<u8>],
}

#[pyclass(module = "traces._native")]
pub struct PacketWriter {
    writer: Writer,
    packet: Packet,
    /// 4 or 16 bytes of each address are used.
    width: usize,
    interfaces: usize,
    addresses: Vec<[u8; 16]>,
    flows: Vec<Ends>,
}

impl PacketWriter {
    fn address(&self, row: impl TryInto<usize>) -> Option<&[u8; 16]> {
        self.addresses.get(row.try_into().ok()?)
    }

    /// Make packet `i` and write it; None if a column of it is wrong.
    #[inline(always)]
    fn write_one(&mut self, columns: &Columns, i: usize) -> Option<std::io::Result<()>> {
        let width = self.width;
        match usize::try_from(columns.flow[i]) {
            Ok(row) => {
                let ends = self.flows.get(row)?;
                let (source, destination) = (
                    self.addresses.get(ends.source as usize)?,
                    self.addresses.get(ends.destination as usize)?,
                );
                let numbers = Numbers {
                    number: columns.number[i],
                    sequence: columns.sequence[i],
                    acknowledgement: columns.acknowledgement[i],
                };
                datagram::make(
                    &mut self.packet,
                    &ends.flow,
                    &source[..width],
                    &destination[..width],
                    columns.length[i] as usize,
                    numbers,
                    self.writer.snap,
                )?;
            }
            Err(_) => {
                let message = columns.messages.get(usize::try_from(-1 - columns.flow[i]).ok()?)?;
                if message.len() != columns.length[i] as usize {
                    return None;
                }
                self.packet.whole(message);
            }
        }
        for tunnel in columns.tunnels[16 * i..16 * i + 16].chunks_exact(4) {
            if tunnel[0] == 0 {
                break;
            }
            let source = *self.address(tunnel[1])?;
            let mut destination = *self.address(tunnel[2])?;
            if width == 16 {
                destination[8..].copy_from_slice(&self.address(tunnel[3])?[8..]);
            }
            Tunnel::of(tunnel[0])?.around(&mut self.packet, &source[..width], &destination[..width])?;
        }
        if columns.interface[i] as usize >= self.interfaces {
            return None;
        }
        let kept = self.packet.kept(self.writer.snap);
        Some(self.writer.packet(columns.interface[i], columns.time_ns[i], self.packet.length(), kept))
    }

    fn write_all(&mut self, columns: &Columns) -> PyResult<()> {
        for i in 0..columns.time_ns.len() {
            match self.write_one(columns, i) {
                Some(written) => written?,
                None => {
                    return Err(PyValueError::new_err(format!(
                        "packet {i} of this call cannot be written: interface {}, flow {}, {} bytes, tunnels {:?}",
                        columns.interface[i],
                        columns.flow[i],
                        columns.length[i],
                        &columns.tunnels[16 * i..16 * i + 16]
                    )))
                }
            }
        }
        Ok(())
    }
}

#[pymethods]
impl PacketWriter {
    #[new]
    #[allow(clippy::too_many_arguments)]
    fn new(
        path: PathBuf,
        version: u8,
        snap: usize,
        comment: &str,
        application: &str,
        interfaces: Vec<String>,
        names: Vec<(Vec<u8>, String)>,
        addresses: PyReadonlyArray2<u8>,
        source: Column<u32>,
        destination: Column<u32>,
        protocol: Column<u8>,
        source_port: Column<u16>,
        destination_port: Column<u16>,
        kept: Option<u64>,
    ) -> PyResult<PacketWriter> {
        let flows = source.len();
        let columns = [destination.len(), protocol.len(), source_port.len(), destination_port.len()];
        if addresses.shape()[1] != 16 || columns.iter().any(|&n| n != flows) {
            return Err(PyValueError::new_err(
                "addresses have 16 columns, and the columns of the flow table one length",
            ));
        }
        let file = OpenOptions::new().write(true).create_new(kept.is_none()).open(path)?;
        let present = file.metadata()?.len();
        let mut writer = Writer::new(file, snap);
        if let Some(length) = kept {
            if present < length {
                return Err(PyValueError::new_err(format!(
                    "it has {present} bytes of the {length} that were written"
                )));
            }
            writer.resume(length)?;
        } else {
            writer.section(comment, application);
            for name in &interfaces {
                writer.interface(name);
            }
            writer.names(&names)?;
        }
        let rows = addresses.as_array();
        let addresses = rows.rows().into_iter();
        let ends = source.as_array();
        let flows = (0..flows).map(|i| Ends {
            source: ends[i],
            destination: destination.as_array()[i],
            flow: Flow {
                protocol: protocol.as_array()[i],
                ports: (source_port.as_array()[i], destination_port.as_array()[i]),
            },
        });
        Ok(PacketWriter {
            writer,
            packet: Packet::new(),
            width: if version == 4 { 4 } else { 16 },
            interfaces: interfaces.len(),
            addresses: addresses.map(|row| std::array::from_fn(|i| row[i])).collect(),
            flows: flows.collect(),
        })
    }

    /// Write packets in the order of the rows; the interpreter's lock is free meanwhile.
    #[allow(clippy::too_many_arguments)]
    fn write(
        &mut self,
        py: Python<'_>,
        time_ns: Column<i64>,
        interface: Column<u32>,
        flow: Column<i64>,
        length: Column<u32>,
        number: Column<u32>,
        sequence: Column<u32>,
        acknowledgement: Column<u32>,
        tunnels: PyReadonlyArray3<i32>,
        messages: Vec<Vec<u8>>,
    ) -> PyResult<()> {
        let columns = Columns {
            time_ns: time_ns.as_slice()?,
            interface: interface.as_slice()?,
            flow: flow.as_slice()?,
            length: length.as_slice()?,
            number: number.as_slice()?,
            sequence: sequence.as_slice()?,
            acknowledgement: acknowledgement.as_slice()?,
            tunnels: tunnels.as_slice()?,
            messages: &messages,
        };
        let n = columns.time_ns.len();
        let others = [
            columns.interface.len(),
            columns.flow.len(),
            columns.length.len(),
            columns.number.len(),
            columns.sequence.len(),
            columns.acknowledgement.len(),
        ];
        if tunnels.shape() != [n, 4, 4] || others.iter().any(|&m| m != n) {
            return Err(PyValueError::new_err(
                "the columns have one length, and tunnels the shape (n, 4, 4)",
            ));
        }
        py.detach(|| self.write_all(&columns))
    }

    fn sync(&mut self, py: Python<'_>) -> PyResult<u64> {
        Ok(py.detach(|| self.writer.sync())?)
    }
}
