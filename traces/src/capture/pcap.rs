//! Reader of the pcap format (draft-ietf-opsawg-pcap): microseconds or nanoseconds, either byte order.

use super::bad_record::{bad_record, LeftOut, Reason, RecordResult};
use super::format_reader::{check_captured, check_sent, require_link_layer, Chunk, FormatReader};
use super::link_layer::LinkLayer;
use super::state::{CaptureState, CapturingInterface, Interface, Sink};
use crate::error::{error_at_byte, OnBadRecord, ReadError, Result};
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

/// First bytes of other capture formats, with their names and a program that converts them.
const OTHER_CAPTURES: [(&[u8], &str); 6] = [
    (b"\xA1\xB2\xCD\x34", "a modified pcap of Alexey Kuznetzov (big-endian)"),
    (b"\x34\xCD\xB2\xA1", "a modified pcap of Alexey Kuznetzov (little-endian)"),
    (b"snoop\0\0\0", "a snoop capture (RFC 1761)"),
    (b"RTSS", "a Network Monitor 1 capture"),
    (b"GMBU", "a Network Monitor 2 capture"),
    (b"TRSN", "a Sniffer capture"),
];

/// Build the error for a file that is no pcap: with the capture format that begins like it, if one does.
fn describe_foreign_file(file: &[u8]) -> ReadError {
    if let Some((_, name)) = OTHER_CAPTURES.iter().find(|(magic, _)| file.starts_with(magic)) {
        let expected = "convert it first: editcap -F pcapng FILE OUT";
        return error_at_byte(0, format!("the file begins like {name}"), expected);
    }
    error_at_byte(
        0,
        format!("the file begins with {:02x?}", &file[..file.len().min(4)]),
        "a capture begins with a1b2c3d4 (pcap, microseconds) or a1b23c4d (pcap, nanoseconds) in either byte order, or \
         0a0d0d0a (pcapng)",
    )
}

/// Order of the two lengths of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LengthOrder {
    CapturedFirst,
    SentFirst,
    /// Written by programs of either order, so that the smaller one is the captured length.
    Unknown,
}

/// Return the order of the lengths in a version of the format, as libpcap does; None for a version that is not supported.
///
/// Versions before 2.3 have the length of the packet first. Some programs write 2.3 and the order of 2.4.
fn find_length_order(major: u16, minor: u16) -> Option<LengthOrder> {
    match (major, minor) {
        (2, 0..=2) => Some(LengthOrder::SentFirst),
        (2, 3) => Some(LengthOrder::Unknown),
        (2, 4) => Some(LengthOrder::CapturedFirst),
        _ => None,
    }
}

pub struct PcapReader {
    big_endian: bool,
    /// Nanoseconds per unit of a record's fraction of a second.
    unit_ns: u32,
    units_per_s: u32,
    length_order: LengthOrder,
    link_type: u32,
    /// None for an unsupported link type.
    link_layer: Option<LinkLayer>,
    /// The only interface, until it is added to the capture.
    interface: Option<Interface>,
}

impl PcapReader {
    /// Read the file header from the first bytes of a file. With `Refuse`, an unsupported link type is refused at once.
    pub fn new(file: &[u8], policy: OnBadRecord) -> Result<PcapReader> {
        let Some((order, unit_ns)) = detect_variant(file) else { return Err(describe_foreign_file(file)) };
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
        let Some(length_order) = find_length_order(major, minor) else {
            let message = format!("pcap version {major}.{minor}");
            return Err(error_at_byte(4, message, "a version from 2.0 to 2.4"));
        };
        let link_type = link_type & LINK_TYPE_MASK;
        let link_layer = LinkLayer::from_link_type(link_type);
        if policy == OnBadRecord::Refuse && link_layer.is_none() {
            if let Err(error) = require_link_layer(20, None, link_type) {
                LeftOut::default().handle(*error)?;
            }
        }
        let interface = Some(Interface { name: String::new(), link_type, snap_length, packets: 0 });
        let big_endian = order == ByteOrder::Big;
        let units_per_s = NS_PER_S / unit_ns;
        Ok(PcapReader { big_endian, unit_ns, units_per_s, length_order, link_type, link_layer, interface })
    }

    /// Return the captured length and the length of the packet.
    #[inline(always)]
    fn order_lengths(&self, first: u32, second: u32) -> (u32, u32) {
        match self.length_order {
            LengthOrder::SentFirst => (second, first),
            LengthOrder::Unknown if first > second => (second, first),
            _ => (first, second),
        }
    }

    /// Return what is wrong with the fraction of a second of a record that begins at `offset` of the file.
    #[cold]
    fn check_fraction(&self, offset: usize, fraction: u32) -> RecordResult<()> {
        if fraction >= self.units_per_s {
            let units_per_s = self.units_per_s;
            let expected = format!("below {units_per_s}, the units of a second in this file");
            let error = error_at_byte(offset + 4, format!("fraction of a second {fraction}"), expected);
            return Err(bad_record(Reason::Fraction, error));
        }
        Ok(())
    }

    /// Return the first problem of a record with these fields that begins at `offset` of the file.
    #[cold]
    fn check_record(
        &self,
        offset: usize,
        fraction: u32,
        captured: u32,
        wire_length: u32,
    ) -> RecordResult<()> {
        self.check_fraction(offset, fraction)?;
        check_sent(offset + 8, captured, wire_length)?;
        require_link_layer(offset, self.link_layer, self.link_type).map(|_| ())
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
            let (captured, wire_length) = self.order_lengths(word(header, 8), word(header, 12));
            if let Err(error) = check_captured(base + at + 8, captured) {
                let error = self.check_fraction(base + at, fraction).err().unwrap_or(error);
                state.leave_out_rest(base + at, *error)?;
                break;
            }
            let Some(frame) = rest.get(RECORD_HEADER..RECORD_HEADER + captured as usize) else {
                if is_last {
                    state.mark_truncated("record", base + at, RECORD_HEADER + captured as usize, end);
                }
                break;
            };
            match self.link_layer {
                Some(link_layer) if fraction < self.units_per_s && captured <= wire_length => {
                    let time_ns = i64::from(seconds) * i64::from(NS_PER_S)
                        + i64::from(fraction) * i64::from(self.unit_ns);
                    let origin = CapturingInterface { interface: 0, link_layer };
                    state.add_packet(base + at, origin, time_ns, wire_length, frame)?;
                }
                _ => {
                    if let Err(error) = self.check_record(base + at, fraction, captured, wire_length) {
                        if state.leave_out(base + at, *error)? {
                            break;
                        }
                    }
                }
            }
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
