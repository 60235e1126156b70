//! Captures: the readers of the formats, and what they do with each packet.

pub mod columns;
pub mod compile;
mod echo;
mod feed;
pub mod flows;
mod ip;
mod link;
mod pcap;
mod pcapng;
pub mod signalling;
pub mod through;

use crate::decompress::Growth;
use crate::fault::{at_byte, Checked, Fault};
use flows::{Flows, NO_FLOW, NO_TIME};
use link::Link;
use through::Through;

pub use feed::read;
pub use ip::Tunnels;

/// libpcap refuses records above this too.
pub const MAX_CAPTURED: u32 = 262_144;
/// More than any machine has.
const MOST_INTERFACES: usize = 1 << 16;
/// Bytes kept of an interface's name.
const MOST_NAME: usize = 256;

pub struct Interface {
    pub name: String,
    pub link_type: u32,
    pub snap_length: u32,
    pub packets: u64,
}

/// One packet as it was captured, with what its headers say.
pub struct Packet<'a> {
    /// In the order of the file, from 0.
    pub number: u64,
    /// ``NO_TIME`` if the file has none.
    pub time_ns: i64,
    /// Of the frame.
    pub wire: u32,
    pub frame: &'a [u8],
    /// Where the first IP header begins in the frame, and its version.
    pub network: Option<(usize, u8)>,
    /// IP total length, of the packet that its flow is about; 0 if it is not IP.
    pub length: u32,
    /// ``NO_FLOW`` if it is not IP.
    pub flow: u32,
    /// 0 as the first packet of its flow, 1 against it.
    pub direction: u8,
}

/// Where a packet was captured.
#[derive(Clone, Copy)]
struct From {
    /// Number among all interfaces of the file.
    interface: usize,
    link: Link,
}

/// What becomes of the packets.
pub trait Sink {
    fn packet(&mut self, packet: &Packet) -> Checked<()>;
}

/// How much a capture may be, so that a small file cannot become a large harm.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub growth: Growth,
    pub packets: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { growth: Growth::default(), packets: 1 << 32 }
    }
}

/// A capture as it is read.
pub struct Reading<S> {
    pub format: &'static str,
    /// "gzip", "zstd", or "" for none.
    pub compression: &'static str,
    pub limits: Limits,
    pub interfaces: Vec<Interface>,
    pub flows: Flows,
    pub through: Through,
    pub counts: Counts,
    /// Where the file ends inside a packet.
    pub truncated: Option<String>,
    pub sink: S,
    tunnels: Tunnels,
    /// Earliest and latest time; the earliest is past the latest if no packet has one.
    pub earliest: i64,
    pub latest: i64,
}

/// Of all packets of a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub packets: u64,
    /// Frames as sent.
    pub bytes: u64,
    pub untimed: u64,
    /// Of which less was captured than sent.
    pub cut: u64,
    /// With a time before that of a packet that stands before them.
    pub out_of_order: u64,
    /// In an IP tunnel.
    pub tunnelled: u64,
}

impl<S: Sink> Reading<S> {
    pub fn new(tunnels: Tunnels, sink: S) -> Reading<S> {
        Reading {
            format: "",
            compression: "",
            limits: Limits::default(),
            interfaces: Vec::new(),
            flows: Flows::default(),
            through: Through::default(),
            counts: Counts::default(),
            truncated: None,
            sink,
            tunnels,
            earliest: i64::MAX,
            latest: NO_TIME,
        }
    }

    /// A packet of `wire` bytes, of which `frame` was captured; its record begins at `offset`.
    #[inline(always)]
    fn push(&mut self, offset: usize, from: From, time_ns: i64, wire: u32, frame: &[u8]) -> Checked<()> {
        if self.counts.packets == self.limits.packets {
            return Err(too_many(
                offset,
                "packet",
                format!("{}, unless that limit is raised", self.limits.packets),
            ));
        }
        let network = from.link.ip_header(frame);
        let found = network.and_then(|(start, version)| {
            ip::read(
                frame.get(start..)?,
                version,
                wire.saturating_sub(start as u32),
                self.tunnels,
                &mut self.through,
            )
        });
        let (length, flow, direction) = match &found {
            Some(packet) => {
                let (flow, direction) = self.flows.add(&packet.key, time_ns, packet.length);
                self.counts.tunnelled += u64::from(packet.tunnels > 0);
                (packet.length, flow, direction)
            }
            None => (0, NO_FLOW, 0),
        };
        self.interfaces[from.interface].packets += 1;
        let counts = &mut self.counts;
        counts.packets += 1;
        counts.bytes += u64::from(wire);
        counts.cut += u64::from((frame.len() as u32) < wire);
        if time_ns == NO_TIME {
            counts.untimed += 1;
        } else {
            counts.out_of_order += u64::from(time_ns < self.latest);
            self.earliest = self.earliest.min(time_ns);
            self.latest = self.latest.max(time_ns);
        }
        let number = counts.packets - 1;
        self.sink.packet(&Packet { number, time_ns, wire, frame, network, length, flow, direction })
    }

    /// An interface whose block begins at `offset`.
    fn interface(&mut self, offset: usize, interface: Interface) -> Checked<()> {
        if self.interfaces.len() == MOST_INTERFACES {
            return Err(too_many(offset, "interface", MOST_INTERFACES.to_string()));
        }
        self.interfaces.push(interface);
        Ok(())
    }

    /// Note that the file ends inside the record or block that begins at `start` and needs `needs` bytes.
    fn cut(&mut self, what: &str, start: usize, needs: usize, end: usize) {
        self.truncated = Some(format!(
            "the file ends at byte {end}, inside the {what} that begins at byte {start} and needs {needs} bytes; \
             the {} packets before it were read",
            self.counts.packets
        ));
    }
}

/// A piece of the file: what is there of it from byte `at` on.
#[derive(Clone, Copy)]
struct Piece<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether the file ends with it.
    last: bool,
}

/// A format's reader: it is given the file piece by piece.
trait Format {
    /// Read what is complete in a piece; give how many bytes were used. Of the last one nothing is left.
    fn advance<S: Sink>(&mut self, piece: Piece, reading: &mut Reading<S>) -> Checked<usize>;
}

#[cold]
fn too_many(offset: usize, what: &str, most: String) -> Fault {
    at_byte(offset, format!("one more {what}"), format!("at most {most}"))
}

/// The lengths of a packet at `offset` must be plausible.
#[inline(always)]
fn check_lengths(offset: usize, captured: u32, wire: u32) -> Checked<()> {
    if captured > MAX_CAPTURED {
        return Err(at_byte(
            offset,
            format!("captured length {captured}"),
            format!("at most {MAX_CAPTURED} bytes are captured of a packet"),
        ));
    }
    if captured > wire {
        return Err(at_byte(
            offset,
            format!("{captured} bytes captured of a packet of {wire}"),
            "no more is captured than was sent",
        ));
    }
    Ok(())
}

/// The link type at `offset` as one that can be read.
fn check_link(offset: usize, link_type: u32) -> Checked<Link> {
    Link::of_type(link_type).ok_or_else(|| {
        at_byte(offset, format!("link type {link_type}"), format!("expected {}", link::SUPPORTED))
    })
}

/// What an error of the file system means.
fn failed(what: &str, error: &std::io::Error) -> Fault {
    at_byte(0, format!("{what}: {error}"), "room and leave to write beside it")
}
