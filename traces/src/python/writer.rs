//! Writer of captures from columns: the tables of addresses and flows once, then columns of packets.

use crate::pcapng_writer::PcapngWriter;
use crate::wire::data_packet::{build_data_packet, FlowFields, SequenceNumbers};
use crate::wire::packet_builder::Packet;
use crate::wire::tunnel::Tunnel;
use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArray3, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::fs::File;
use std::os::fd::{BorrowedFd, RawFd};

/// Numbers of a packet in the column of tunnels: up to four tunnels of four numbers each.
const TUNNEL_NUMBERS: usize = 16;
const ADDRESS_BYTES: usize = 16;

type Column<'py, T> = PyReadonlyArray1<'py, T>;

/// A flow: the rows of its addresses, and the other fields of its headers.
struct FlowEnds {
    source: u32,
    destination: u32,
    fields: FlowFields,
}

/// The columns of one call; each row is a packet.
struct PacketColumns<'a> {
    time_ns: &'a [i64],
    interface: &'a [u32],
    /// Row of the flow table, or −1 − i for message i.
    flow: &'a [i64],
    length: &'a [u32],
    number: &'a [u32],
    sequence: &'a [u32],
    acknowledgement: &'a [u32],
    /// For each packet four tunnels, innermost first: kind, rows of source, destination's prefix and destination's host;
    /// in IPv4, in place of the last one, the tunnel endpoint identifier of GTP-U.
    tunnels: &'a [i32],
    messages: &'a [Vec<u8>],
}

#[pyclass(module = "handoff_traces._native")]
pub struct PacketWriter {
    writer: PcapngWriter,
    packet: Packet,
    /// Used bytes of each address: 4 or 16.
    address_bytes: usize,
    interfaces: usize,
    addresses: Vec<[u8; ADDRESS_BYTES]>,
    flows: Vec<FlowEnds>,
}

impl PacketWriter {
    fn address(&self, row: impl TryInto<usize>) -> Option<&[u8; ADDRESS_BYTES]> {
        self.addresses.get(row.try_into().ok()?)
    }

    /// Build packet `i` and write it; return None if its row is invalid.
    #[inline(always)]
    fn write_row(&mut self, columns: &PacketColumns, i: usize) -> Option<std::io::Result<()>> {
        let address_bytes = self.address_bytes;
        match usize::try_from(columns.flow[i]) {
            Ok(row) => {
                let ends = self.flows.get(row)?;
                let (source, destination) = (
                    self.addresses.get(ends.source as usize)?,
                    self.addresses.get(ends.destination as usize)?,
                );
                let numbers = SequenceNumbers {
                    number: columns.number[i],
                    sequence: columns.sequence[i],
                    acknowledgement: columns.acknowledgement[i],
                };
                build_data_packet(
                    &mut self.packet,
                    &ends.fields,
                    &source[..address_bytes],
                    &destination[..address_bytes],
                    columns.length[i] as usize,
                    numbers,
                    self.writer.snap_length,
                )?;
            }
            Err(_) => {
                let message = columns.messages.get(usize::try_from(-1 - columns.flow[i]).ok()?)?;
                if message.len() != columns.length[i] as usize {
                    return None;
                }
                self.packet.set_bytes(message);
            }
        }
        for tunnel in columns.tunnels[TUNNEL_NUMBERS * i..TUNNEL_NUMBERS * (i + 1)].chunks_exact(4) {
            if tunnel[0] == 0 {
                break;
            }
            let source = *self.address(tunnel[1])?;
            let mut destination = *self.address(tunnel[2])?;
            if address_bytes == ADDRESS_BYTES {
                destination[8..].copy_from_slice(&self.address(tunnel[3])?[8..]);
            }
            Tunnel::from_number(tunnel[0])?.encapsulate(
                &mut self.packet,
                &source[..address_bytes],
                &destination[..address_bytes],
                tunnel[3] as u32,
            )?;
        }
        if columns.interface[i] as usize >= self.interfaces {
            return None;
        }
        let captured = self.packet.captured(self.writer.snap_length);
        Some(self.writer.write_packet(
            columns.interface[i],
            columns.time_ns[i],
            self.packet.wire_length(),
            captured,
        ))
    }

    fn write_rows(&mut self, columns: &PacketColumns) -> PyResult<()> {
        for i in 0..columns.time_ns.len() {
            match self.write_row(columns, i) {
                Some(result) => result?,
                None => {
                    return Err(PyValueError::new_err(format!(
                        "packet {i} of this call cannot be written: interface {}, flow {}, {} bytes, tunnels {:?}",
                        columns.interface[i],
                        columns.flow[i],
                        columns.length[i],
                        &columns.tunnels[TUNNEL_NUMBERS * i..TUNNEL_NUMBERS * (i + 1)]
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
        descriptor: RawFd,
        version: u8,
        snap_length: usize,
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
        resume_at: Option<u64>,
    ) -> PyResult<PacketWriter> {
        let flows = source.len();
        let columns = [destination.len(), protocol.len(), source_port.len(), destination_port.len()];
        if addresses.shape()[1] != ADDRESS_BYTES || columns.iter().any(|&n| n != flows) {
            return Err(PyValueError::new_err(
                "addresses must have 16 columns, and all columns of the flow table the same length",
            ));
        }
        if descriptor < 0 {
            return Err(PyValueError::new_err("the file has no descriptor"));
        }
        // SAFETY: the caller's file is open during this call, and its duplicate is owned by this writer
        let file = File::from(unsafe { BorrowedFd::borrow_raw(descriptor) }.try_clone_to_owned()?);
        let present = file.metadata()?.len();
        let mut writer = PcapngWriter::new(file, snap_length);
        if let Some(length) = resume_at {
            if present < length {
                return Err(PyValueError::new_err(format!(
                    "it has {present} bytes of the {length} that were written"
                )));
            }
            writer.resume(length)?;
        } else {
            writer.write_section(comment, application);
            for name in &interfaces {
                writer.write_interface(name);
            }
            writer.write_names(&names)?;
        }
        let rows = addresses.as_array();
        let addresses = rows.rows().into_iter();
        let source = source.as_array();
        let flows = (0..flows).map(|i| FlowEnds {
            source: source[i],
            destination: destination.as_array()[i],
            fields: FlowFields {
                protocol: protocol.as_array()[i],
                ports: (source_port.as_array()[i], destination_port.as_array()[i]),
            },
        });
        Ok(PacketWriter {
            writer,
            packet: Packet::new(),
            address_bytes: if version == 4 { 4 } else { 16 },
            interfaces: interfaces.len(),
            addresses: addresses.map(|row| std::array::from_fn(|i| row[i])).collect(),
            flows: flows.collect(),
        })
    }

    /// Write packets in the order of the rows, without the GIL.
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
        let columns = PacketColumns {
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
                "the columns must have the same length n, and tunnels the shape (n, 4, 4)",
            ));
        }
        py.detach(|| self.write_rows(&columns))
    }

    /// Write all packets so far to the disk and return the length of the file.
    fn sync(&mut self, py: Python<'_>) -> PyResult<u64> {
        Ok(py.detach(|| self.writer.sync())?)
    }
}
