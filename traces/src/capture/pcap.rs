//! The pcap format (draft-ietf-opsawg-pcap): microseconds or nanoseconds, either byte order.

use super::link::Link;
use super::{check_lengths, check_link, Format, From, Interface, Piece, Reading, Sink};
use crate::bytes::Order;
use crate::fault::{at_byte, Checked};

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
const MICROSECONDS: u32 = 0xA1B2_C3D4;
const NANOSECONDS: u32 = 0xA1B2_3C4D;
/// Of the link type field, the rest says how long a frame check sequence is.
const LINK_TYPE_BITS: u32 = 0x03FF_FFFF;

/// Byte order and nanoseconds per unit of the fraction.
fn kind(file: &[u8]) -> Option<(Order, u32)> {
    [Order::Little, Order::Big].into_iter().find_map(|order| match order.u32(file, 0)? {
        MICROSECONDS => Some((order, 1000)),
        NANOSECONDS => Some((order, 1)),
        _ => None,
    })
}

pub struct Reader {
    big: bool,
    unit_ns: u32,
    link: Link,
    interface: Option<Interface>,
}

impl Reader {
    /// From the first bytes of a file.
    pub fn new(file: &[u8]) -> Checked<Reader> {
        let Some((order, unit_ns)) = kind(file) else {
            return Err(at_byte(
                0,
                format!("the file begins with {:02x?}", &file[..file.len().min(4)]),
                "a capture begins with a1b2c3d4 (pcap, microseconds) or a1b23c4d (pcap, nanoseconds) in either byte \
                 order, or 0a0d0d0a (pcapng)",
            ));
        };
        let (Some(major), Some(minor), Some(snap_length), Some(link_type)) =
            (order.u16(file, 4), order.u16(file, 6), order.u32(file, 16), order.u32(file, 20))
        else {
            return Err(at_byte(
                file.len(),
                format!("the file ends after {} bytes", file.len()),
                format!("the header of a pcap file has {FILE_HEADER}"),
            ));
        };
        if (major, minor) != (2, 4) {
            return Err(at_byte(4, format!("pcap version {major}.{minor}"), "version 2.4 can be read"));
        }
        let link_type = link_type & LINK_TYPE_BITS;
        let link = check_link(20, link_type)?;
        let interface = Some(Interface { name: String::new(), link_type, snap_length, packets: 0 });
        Ok(Reader { big: order == Order::Big, unit_ns, link, interface })
    }

    fn records<const BIG: bool, S: Sink>(&self, piece: Piece, reading: &mut Reading<S>) -> Checked<usize> {
        let word = |raw: &[u8; RECORD_HEADER], at: usize| {
            let raw = [raw[at], raw[at + 1], raw[at + 2], raw[at + 3]];
            if BIG {
                u32::from_be_bytes(raw)
            } else {
                u32::from_le_bytes(raw)
            }
        };
        let Piece { bytes, at: base, last } = piece;
        let units = 1_000_000_000 / self.unit_ns;
        let mut at = if base == 0 { FILE_HEADER } else { 0 };
        let end = base + bytes.len();
        while at < bytes.len() {
            let rest = &bytes[at..];
            let Some(header) = rest.first_chunk::<RECORD_HEADER>() else {
                if last {
                    reading.cut("record header", base + at, RECORD_HEADER, end);
                }
                break;
            };
            let (seconds, fraction) = (word(header, 0), word(header, 4));
            let (captured, wire) = (word(header, 8), word(header, 12));
            if fraction >= units {
                return Err(at_byte(
                    base + at + 4,
                    format!("fraction of a second {fraction}"),
                    format!("below {units}, the units of a second in this file"),
                ));
            }
            check_lengths(base + at + 8, captured, wire)?;
            let Some(frame) = rest.get(RECORD_HEADER..RECORD_HEADER + captured as usize) else {
                if last {
                    reading.cut("record", base + at, RECORD_HEADER + captured as usize, end);
                }
                break;
            };
            let time_ns = i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * i64::from(self.unit_ns);
            reading.push(base + at, From { interface: 0, link: self.link }, time_ns, wire, frame)?;
            at += RECORD_HEADER + captured as usize;
        }
        Ok(at)
    }
}

impl Format for Reader {
    fn advance<S: Sink>(&mut self, piece: Piece, reading: &mut Reading<S>) -> Checked<usize> {
        reading.interfaces.extend(self.interface.take());
        if self.big {
            self.records::<true, S>(piece, reading)
        } else {
            self.records::<false, S>(piece, reading)
        }
    }
}
