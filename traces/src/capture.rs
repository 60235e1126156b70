//! Columns of a capture, and the choice of the reader by the file's first bytes.

use crate::fault::{at_byte, Checked};
use crate::flows::{Flows, NO_FLOW, NO_TIME};
use crate::ip;
use crate::link::Link;
use crate::{pcap, pcapng};

/// libpcap refuses records above this too.
pub const MAX_CAPTURED: u32 = 262_144;

pub struct Interface {
    pub name: String,
    pub link_type: u32,
    pub snap_length: u32,
}

pub struct Capture {
    pub format: &'static str,
    pub time_ns: Vec<i64>,
    pub wire_length: Vec<u32>,
    pub captured_length: Vec<u32>,
    pub ip_length: Vec<u32>,
    pub flow: Vec<u32>,
    pub direction: Vec<u8>,
    pub flows: Flows,
    pub interfaces: Vec<Interface>,
    pub untimed: u64,
    pub truncated: Option<String>,
}

impl Capture {
    pub fn new(format: &'static str) -> Capture {
        Capture {
            format,
            time_ns: Vec::new(),
            wire_length: Vec::new(),
            captured_length: Vec::new(),
            ip_length: Vec::new(),
            flow: Vec::new(),
            direction: Vec::new(),
            flows: Flows::new(),
            interfaces: Vec::new(),
            untimed: 0,
            truncated: None,
        }
    }

    /// Append a packet of `wire` bytes, of which `frame` was captured.
    #[inline(always)]
    pub fn push(&mut self, link: Link, time_ns: i64, wire: u32, frame: &[u8]) {
        let packet = link.ip_header(frame).and_then(|(start, version)| {
            ip::read(frame.get(start..)?, version, wire.saturating_sub(start as u32))
        });
        let (length, flow, direction) = match packet {
            Some(packet) => {
                let (flow, direction) = self.flows.add(&packet.key, time_ns, packet.length);
                (packet.length, flow, direction)
            }
            None => (0, NO_FLOW, 0),
        };
        self.untimed += u64::from(time_ns == NO_TIME);
        self.time_ns.push(time_ns);
        self.wire_length.push(wire);
        self.captured_length.push(frame.len() as u32);
        self.ip_length.push(length);
        self.flow.push(flow);
        self.direction.push(direction);
    }

    /// Note that the file ends inside the record or block that begins at `start` and needs `needs` bytes.
    pub fn cut(&mut self, what: &str, start: usize, needs: usize, end: usize) {
        self.truncated = Some(format!(
            "the file ends at byte {end}, inside the {what} that begins at byte {start} and needs {needs} bytes; \
             the {} packets before it were read",
            self.time_ns.len()
        ));
    }
}

/// The lengths of a packet at `offset` must be plausible.
#[inline(always)]
pub fn check_lengths(offset: usize, captured: u32, wire: u32) -> Checked<()> {
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
pub fn check_link(offset: usize, link_type: u32) -> Checked<Link> {
    Link::of_type(link_type).ok_or_else(|| {
        at_byte(offset, format!("link type {link_type}"), format!("expected {}", crate::link::SUPPORTED))
    })
}

pub fn read(file: &[u8]) -> Checked<Capture> {
    let Some(&magic) = file.first_chunk::<4>() else {
        return Err(at_byte(
            0,
            format!("the file has {} bytes", file.len()),
            "a pcap or pcapng capture begins with a header of 24 or more",
        ));
    };
    match magic {
        [0x0A, 0x0D, 0x0D, 0x0A] => pcapng::read(file),
        [0x1F, 0x8B, ..] => Err(compressed("gzip", "gunzip")),
        [0x28, 0xB5, 0x2F, 0xFD] => Err(compressed("Zstandard", "unzstd")),
        [0xFD, b'7', b'z', b'X'] => Err(compressed("xz", "unxz")),
        _ => pcap::read(file),
    }
}

fn compressed(format: &str, tool: &str) -> crate::fault::Fault {
    at_byte(0, format!("the file is compressed ({format})"), format!("decompress it first: {tool} FILE"))
}
