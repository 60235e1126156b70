//! The state of a capture while it is read: interfaces, flows, tunnels and counters, which every packet updates.

use super::bad_record::RecordError;
use super::flow_table::{FlowTable, NO_FLOW, NO_TIME};
use super::fragments::PacketStamp;
use super::ip::{self, FlowPacket, PacketTables, TunnelLayer};
use super::link_layer::LinkLayer;
use super::opaque::Opaque;
use crate::error::{error_at_byte, OnBadRecord, ReadError, Result};
use crate::io::decompress::ExpansionLimit;

/// Far more interfaces than any machine has.
const MAX_INTERFACES: usize = 1 << 16;

#[derive(Default)]
pub struct Interface {
    pub name: String,
    pub link_type: u32,
    pub snap_length: u32,
    pub packets: u64,
}

/// One captured packet and the facts that its headers state.
pub struct Packet<'a> {
    /// Position in the file, from 0; records that are left out count.
    pub number: u64,
    /// `NO_TIME` if the file states none.
    pub time_ns: i64,
    /// Bytes of the frame as sent.
    pub wire_length: u32,
    /// The captured bytes.
    pub frame: &'a [u8],
    /// Offset of the first IP header in the frame, and its version.
    pub network: Option<(usize, u8)>,
    /// IP total length of the packet that is assigned to the flow; 0 if the frame is not IP.
    pub ip_length: u32,
    /// `NO_FLOW` if the frame is not IP.
    pub flow: u32,
    /// 0 in the direction of the flow's first packet, 1 against it.
    pub direction: u8,
}

/// The interface that captured a packet.
#[derive(Clone, Copy)]
pub struct CapturingInterface {
    /// Index among all interfaces of the file.
    pub interface: usize,
    pub link_layer: LinkLayer,
}

/// A consumer of packets.
pub trait Sink {
    fn add_packet(&mut self, packet: &Packet) -> Result<()>;
}

/// Upper limits of a capture, so that a small file cannot exhaust memory or disk.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub expansion: ExpansionLimit,
    pub packets: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { expansion: ExpansionLimit::default(), packets: 1 << 32 }
    }
}

/// A capture while it is read, and afterwards.
pub struct CaptureState<S> {
    pub format: &'static str,
    /// "gzip", "zstd", or "" for none.
    pub compression: &'static str,
    pub limits: Limits,
    pub interfaces: Vec<Interface>,
    pub flows: FlowTable,
    pub tables: PacketTables,
    pub counts: Counts,
    /// A description of the place where the file ends inside a packet.
    pub truncated: Option<String>,
    /// If true, a bad record ended the reading.
    pub stopped: bool,
    pub sink: S,
    tunnel_layer: TunnelLayer,
    /// Number of records left out so far.
    skipped_records: u64,
    /// Earliest and latest time; the earliest exceeds the latest if no packet has a time.
    pub earliest_ns: i64,
    pub latest_ns: i64,
}

/// Counters over all packets of a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub packets: u64,
    /// Bytes of the frames as sent.
    pub bytes: u64,
    /// Packets without a time.
    pub untimed: u64,
    /// Packets captured only in part.
    pub cut: u64,
    /// Packets with a time before that of an earlier packet in the file.
    pub out_of_order: u64,
    /// Packets in an IP tunnel.
    pub tunnelled: u64,
}

impl<S: Sink> CaptureState<S> {
    pub fn new(tunnel_layer: TunnelLayer, sink: S) -> CaptureState<S> {
        CaptureState {
            format: "",
            compression: "",
            limits: Limits::default(),
            interfaces: Vec::new(),
            flows: FlowTable::default(),
            tables: PacketTables::default(),
            counts: Counts::default(),
            truncated: None,
            stopped: false,
            sink,
            tunnel_layer,
            skipped_records: 0,
            earliest_ns: i64::MAX,
            latest_ns: NO_TIME,
        }
    }

    /// Add a packet of `wire_length` bytes, of which `frame` was captured; its record begins at `offset` of the file.
    #[inline(always)]
    pub fn add_packet(
        &mut self,
        offset: usize,
        origin: CapturingInterface,
        time_ns: i64,
        wire_length: u32,
        frame: &[u8],
    ) -> Result<()> {
        if self.counts.packets == self.limits.packets {
            let max = format!("{}, unless that limit is raised", self.limits.packets);
            return Err(limit_error(offset, "packet", max));
        }
        let number = self.counts.packets + self.skipped_records;
        let network = match origin.link_layer.find_ip_header(frame) {
            Ok(position) => Some(position),
            Err(opaque) => {
                self.count_opaque(opaque);
                None
            }
        };
        if origin.link_layer.has_further_packets(frame) {
            self.count_opaque(Opaque::WifiAggregate);
        }
        let ip_packet = self.parse_ip_packet(network, frame, wire_length, PacketStamp { number, time_ns });
        let (ip_length, flow, direction) = match &ip_packet {
            Some(packet) => {
                let (flow, direction) = self.flows.count_packet(&packet.flow_key, time_ns, packet.length);
                self.counts.tunnelled += u64::from(packet.tunnels > 0);
                (packet.length, flow, direction)
            }
            None => (0, NO_FLOW, 0),
        };
        self.interfaces[origin.interface].packets += 1;
        let counts = &mut self.counts;
        counts.packets += 1;
        counts.bytes += u64::from(wire_length);
        counts.cut += u64::from((frame.len() as u32) < wire_length);
        if time_ns == NO_TIME {
            counts.untimed += 1;
        } else {
            counts.out_of_order += u64::from(time_ns < self.latest_ns);
            self.earliest_ns = self.earliest_ns.min(time_ns);
            self.latest_ns = self.latest_ns.max(time_ns);
        }
        self.sink.add_packet(&Packet {
            number,
            time_ns,
            wire_length,
            frame,
            network,
            ip_length,
            flow,
            direction,
        })
    }

    /// Parse the IP packet of a frame. A closure would pass its variables through memory.
    #[inline(always)]
    fn parse_ip_packet(
        &mut self,
        network: Option<(usize, u8)>,
        frame: &[u8],
        wire_length: u32,
        stamp: PacketStamp,
    ) -> Option<FlowPacket> {
        let (start, version) = network?;
        let wire_length = wire_length.saturating_sub(start as u32);
        ip::parse_packet(
            frame.get(start..)?,
            version,
            wire_length,
            self.tunnel_layer,
            stamp,
            &mut self.tables,
        )
    }

    #[inline(always)]
    fn count_opaque(&mut self, opaque: Opaque) {
        if opaque != Opaque::NotIp {
            self.tables.left_out.count_opaque(opaque);
        }
    }

    /// Leave out a record that cannot be read, or refuse the file; return true if the reader must read no further.
    #[cold]
    pub fn leave_out(&mut self, offset: usize, error: RecordError) -> Result<bool> {
        self.tables.left_out.handle(error)?;
        self.skipped_records += 1;
        if self.tables.left_out.policy == OnBadRecord::KeepFirst {
            self.stop(offset, "the first bad record");
        }
        Ok(self.stopped)
    }

    /// Leave out the rest of the file, because nothing says where the record after the one at `offset` begins.
    #[cold]
    pub fn leave_out_rest(&mut self, offset: usize, error: RecordError) -> Result<()> {
        self.leave_out(offset, error)?;
        self.stop(offset, "a record of unknown length");
        Ok(())
    }

    fn stop(&mut self, offset: usize, cause: &str) {
        let packets = self.counts.packets;
        self.stopped = true;
        self.truncated = Some(format!(
            "reading ended at byte {offset}, at {cause}; the {packets} packets before it were read"
        ));
    }

    /// Add an interface whose block begins at `offset` of the file.
    pub fn add_interface(&mut self, offset: usize, interface: Interface) -> Result<()> {
        if self.interfaces.len() == MAX_INTERFACES {
            return Err(limit_error(offset, "interface", MAX_INTERFACES.to_string()));
        }
        self.interfaces.push(interface);
        Ok(())
    }

    /// Record that the file ends at byte `end`, inside the record or block that begins at `start` and needs `needs` bytes.
    pub fn mark_truncated(&mut self, unit: &str, start: usize, needs: usize, end: usize) {
        self.truncated = Some(format!(
            "the file ends at byte {end}, inside the {unit} that begins at byte {start} and needs {needs} bytes; \
             the {} packets before it were read",
            self.counts.packets
        ));
    }
}

#[cold]
fn limit_error(offset: usize, unit: &str, max: String) -> ReadError {
    error_at_byte(offset, format!("one more {unit}"), format!("at most {max}"))
}
