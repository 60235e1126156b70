//! Reader of the pcap format (draft-ietf-opsawg-pcap): microseconds or nanoseconds, either byte order.

use super::format_reader::{check_lengths, require_link_layer, Chunk, FormatReader};
use super::link_layer::LinkLayer;
use super::state::{CaptureState, CapturingInterface, Interface, Sink};
use crate::error::{error_at_byte, Result};
use crate::io::byte_order::ByteOrder;

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
const MAGIC_MICROSECONDS: u32 = 0xA1B2_C3D4;
const MAGIC_NANOSECONDS: u32 = 0xA1B2_3C4D;
/// Bits of the link type in its field; the others state the length of a frame check sequence.
const LINK_TYPE_MASK: u32 = 0x03FF_FFFF;
const NS_PER_S: u32 = 1_000_000_000;

/// Return the byte order and the nanoseconds per unit of the fraction, from the magic number.
fn detect_variant(file: &[u8]) -> Option<(ByteOrder, u32)> {
    [ByteOrder::Little, ByteOrder::Big].into_iter().find_map(|order| match order.read_u32(file, 0)? {
        MAGIC_MICROSECONDS => Some((order, 1000)),
        MAGIC_NANOSECONDS => Some((order, 1)),
        _ => None,
    })
}

pub struct PcapReader {
    big_endian: bool,
    /// Nanoseconds per unit of a record's fraction of a second.
    unit_ns: u32,
    link_layer: LinkLayer,
    /// The only interface, until it is added to the capture.
    interface: Option<Interface>,
}

impl PcapReader {
    /// Read the file header from the first bytes of a file.
    pub fn new(file: &[u8]) -> Result<PcapReader> {
        let Some((order, unit_ns)) = detect_variant(file) else {
            return Err(error_at_byte(
                0,
                format!("the file begins with {:02x?}", &file[..file.len().min(4)]),
                "a capture begins with a1b2c3d4 (pcap, microseconds) or a1b23c4d (pcap, nanoseconds) in either byte \
                 order, or 0a0d0d0a (pcapng)",
            ));
        };
        let (Some(major), Some(minor), Some(snap_length), Some(link_type)) = (
            order.read_u16(file, 4),
            order.read_u16(file, 6),
            order.read_u32(file, 16),
            order.read_u32(file, 20),
        ) else {
            return Err(error_at_byte(
                file.len(),
                format!("the file ends after {} bytes", file.len()),
                format!("the header of a pcap file has {FILE_HEADER}"),
            ));
        };
        if (major, minor) != (2, 4) {
            return Err(error_at_byte(
                4,
                format!("pcap version {major}.{minor}"),
                "version 2.4, the only one that is supported",
            ));
        }
        let link_type = link_type & LINK_TYPE_MASK;
        let link_layer = require_link_layer(20, link_type)?;
        let interface = Some(Interface { name: String::new(), link_type, snap_length, packets: 0 });
        Ok(PcapReader { big_endian: order == ByteOrder::Big, unit_ns, link_layer, interface })
    }

    /// Read the complete records of a chunk. The byte order is a constant parameter because this is the reader's inner loop.
    fn read_records<const BIG_ENDIAN: bool, S: Sink>(
        &self,
        chunk: Chunk,
        state: &mut CaptureState<S>,
    ) -> Result<usize> {
        let word = |raw: &[u8; RECORD_HEADER], at: usize| {
            let raw = [raw[at], raw[at + 1], raw[at + 2], raw[at + 3]];
            if BIG_ENDIAN {
                u32::from_be_bytes(raw)
            } else {
                u32::from_le_bytes(raw)
            }
        };
        let Chunk { bytes, offset: base, is_last } = chunk;
        let units_per_s = NS_PER_S / self.unit_ns;
        let mut at = if base == 0 { FILE_HEADER } else { 0 };
        let end = base + bytes.len();
        while at < bytes.len() {
            let rest = &bytes[at..];
            let Some(header) = rest.first_chunk::<RECORD_HEADER>() else {
                if is_last {
                    state.mark_truncated("record header", base + at, RECORD_HEADER, end);
                }
                break;
            };
            let (seconds, fraction) = (word(header, 0), word(header, 4));
            let (captured, wire_length) = (word(header, 8), word(header, 12));
            if fraction >= units_per_s {
                return Err(error_at_byte(
                    base + at + 4,
                    format!("fraction of a second {fraction}"),
                    format!("below {units_per_s}, the units of a second in this file"),
                ));
            }
            check_lengths(base + at + 8, captured, wire_length)?;
            let Some(frame) = rest.get(RECORD_HEADER..RECORD_HEADER + captured as usize) else {
                if is_last {
                    state.mark_truncated("record", base + at, RECORD_HEADER + captured as usize, end);
                }
                break;
            };
            let time_ns =
                i64::from(seconds) * i64::from(NS_PER_S) + i64::from(fraction) * i64::from(self.unit_ns);
            let origin = CapturingInterface { interface: 0, link_layer: self.link_layer };
            state.add_packet(base + at, origin, time_ns, wire_length, frame)?;
            at += RECORD_HEADER + captured as usize;
        }
        Ok(at)
    }
}

impl FormatReader for PcapReader {
    fn read_chunk<S: Sink>(&mut self, chunk: Chunk, state: &mut CaptureState<S>) -> Result<usize> {
        state.interfaces.extend(self.interface.take());
        if self.big_endian {
            self.read_records::<true, S>(chunk, state)
        } else {
            self.read_records::<false, S>(chunk, state)
        }
    }
}
