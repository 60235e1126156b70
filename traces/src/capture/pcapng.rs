//! Reader of the pcapng format (draft-ietf-opsawg-pcapng): sections, interfaces and the three kinds of packet blocks.

use super::bad_record::{bad_record, Reason, RecordError, RecordResult};
use super::flow_table::NO_TIME;
use super::format_reader::{check_captured, check_sent, require_link_layer, Chunk, FormatReader};
use super::link_layer::LinkLayer;
use super::state::{CaptureState, CapturingInterface, Interface, Sink};
use crate::error::{error_at_byte, ReadError, Result};
use crate::io::byte_order::ByteOrder;

const SECTION_HEADER_BLOCK: u32 = 0x0A0D_0D0A;
const INTERFACE_BLOCK: u32 = 1;
const OBSOLETE_PACKET_BLOCK: u32 = 2;
const SIMPLE_PACKET_BLOCK: u32 = 3;
const ENHANCED_PACKET_BLOCK: u32 = 6;
const BYTE_ORDER_MAGIC: u32 = 0x1A2B_3C4D;
/// Bytes of the shortest section header block.
const SECTION_HEADER_BYTES: usize = 28;
/// Bytes of a block around its body: type, length, and the length again at the end.
const BLOCK_FRAMING: usize = 12;
/// Wireshark refuses longer blocks too.
const MAX_BLOCK: usize = 16 << 20;
const OPTION_END: u16 = 0;
const OPTION_NAME: u16 = 2;
const OPTION_RESOLUTION: u16 = 9;
const OPTION_OFFSET: u16 = 14;
/// Bytes of an interface's name that are kept.
const MAX_NAME: usize = 256;
const NS_PER_S: i64 = 1_000_000_000;

/// An interface of the current section.
#[derive(Clone, Copy)]
struct SectionInterface {
    /// Index among all interfaces of the file.
    index: usize,
    /// None for an unsupported link type, which is refused once a packet has it.
    link_layer: Option<LinkLayer>,
    link_type: u32,
    /// If true, its description was left out, and its packets are left out too.
    is_damaged: bool,
    snap_length: u32,
    ticks_per_s: u128,
    offset_s: i64,
}

/// One block without its framing.
struct Block<'a> {
    order: ByteOrder,
    /// Position in the file.
    start: usize,
    kind: u32,
    body: &'a [u8],
}

impl Block<'_> {
    /// Return the offset in the file of a byte of the body.
    fn file_offset(&self, at: usize) -> usize {
        self.start + 8 + at
    }

    fn read_u16(&self, at: usize) -> RecordResult<u16> {
        self.order.read_u16(self.body, at).ok_or_else(|| self.too_short(at + 2))
    }

    fn read_u32(&self, at: usize) -> RecordResult<u32> {
        self.order.read_u32(self.body, at).ok_or_else(|| self.too_short(at + 4))
    }

    /// Read the ticks of a packet's time, high half first.
    fn read_ticks(&self, at: usize) -> RecordResult<u64> {
        Ok(u64::from(self.read_u32(at)?) << 32 | u64::from(self.read_u32(at + 4)?))
    }

    fn too_short(&self, needs: usize) -> Box<RecordError> {
        let message = format!("block of type {} with a body of {} bytes", self.kind, self.body.len());
        let error = error_at_byte(self.start + 4, message, format!("its fields need {needs}"));
        bad_record(Reason::DamagedBlock, error)
    }
}

pub struct PcapngReader {
    order: ByteOrder,
    interfaces: Vec<SectionInterface>,
}

impl PcapngReader {
    pub fn new() -> PcapngReader {
        PcapngReader { order: ByteOrder::Little, interfaces: Vec::new() }
    }

    fn read_block<S: Sink>(&mut self, block: &Block, state: &mut CaptureState<S>) -> RecordResult<()> {
        match block.kind {
            SECTION_HEADER_BLOCK => {
                let (major, minor) = (block.read_u16(4)?, block.read_u16(6)?);
                block.order.read_u64(block.body, 8).ok_or_else(|| block.too_short(16))?;
                // some programs wrote 1.2 by mistake; it is the same as 1.0
                if major != 1 || !matches!(minor, 0 | 2) {
                    return Err(RecordError::fatal(error_at_byte(
                        block.file_offset(4),
                        format!("pcapng version {major}.{minor}"),
                        "version 1.0, the only one that is supported",
                    )));
                }
                // every section numbers its interfaces from 0
                self.interfaces.clear();
            }
            INTERFACE_BLOCK => {
                let (interface, problem) = match read_interface(block, state) {
                    Ok(interface) => (interface, None),
                    Err(error) => (SectionInterface::damaged(state.interfaces.len()), Some(error)),
                };
                // the interfaces behind a damaged description keep their numbers
                self.interfaces.push(interface);
                if let Some(error) = problem {
                    state.add_interface(block.start, Interface::default())?;
                    return Err(error);
                }
            }
            ENHANCED_PACKET_BLOCK => {
                let (interface, ticks) = (block.read_u32(0)?, block.read_ticks(4)?);
                read_packet(block, &self.interfaces, interface, Some(ticks), 12, state)?;
            }
            OBSOLETE_PACKET_BLOCK => {
                let (interface, ticks) = (u32::from(block.read_u16(0)?), block.read_ticks(4)?);
                read_packet(block, &self.interfaces, interface, Some(ticks), 12, state)?;
            }
            SIMPLE_PACKET_BLOCK => read_packet(block, &self.interfaces, 0, None, 0, state)?,
            // name resolution, statistics, secrets and private blocks carry no packets
            _ => {}
        }
        Ok(())
    }
}

impl FormatReader for PcapngReader {
    fn read_chunk<S: Sink>(&mut self, chunk: Chunk, state: &mut CaptureState<S>) -> Result<usize> {
        let Chunk { bytes, offset: base, is_last } = chunk;
        let end = base + bytes.len();
        let mut at = 0;
        while at < bytes.len() {
            let start = base + at;
            let mark_truncated = |needs: usize, state: &mut CaptureState<S>| {
                if start == 0 {
                    return Err(truncated_header(end));
                }
                state.mark_truncated("block", start, needs, end);
                Ok(())
            };
            if bytes[at..].starts_with(&SECTION_HEADER_BLOCK.to_le_bytes()) {
                match detect_byte_order(bytes, at, start)? {
                    Some(order) => self.order = order,
                    None if is_last => mark_truncated(SECTION_HEADER_BYTES, state)?,
                    None => {}
                }
                if ByteOrder::Little.read_u32(bytes, at + 8).is_none() {
                    break;
                }
            }
            let (Some(kind), Some(total)) =
                (self.order.read_u32(bytes, at), self.order.read_u32(bytes, at + 4))
            else {
                if is_last {
                    mark_truncated(BLOCK_FRAMING, state)?;
                }
                break;
            };
            let total = total as usize;
            if !(BLOCK_FRAMING..=MAX_BLOCK).contains(&total) || total % 4 != 0 {
                let expected = format!("a multiple of 4 from {BLOCK_FRAMING} to {MAX_BLOCK}");
                let error = error_at_byte(start + 4, format!("block length {total}"), expected);
                state.leave_out_rest(start, *bad_record(Reason::ImpossibleLength, error))?;
                break;
            }
            let Some(raw) = bytes.get(at..at + total) else {
                if is_last {
                    mark_truncated(total, state)?;
                }
                break;
            };
            let trailer = self.order.read_u32(raw, total - 4).map(|length| length as usize);
            let outcome = if trailer == Some(total) {
                self.read_block(&Block { order: self.order, start, kind, body: &raw[8..total - 4] }, state)
            } else {
                let message = format!("block length {} at the end of a block", trailer.unwrap_or(0));
                let error =
                    error_at_byte(start + total - 4, message, format!("{total}, as at its beginning"));
                Err(bad_record(Reason::DamagedBlock, error))
            };
            if let Err(error) = outcome {
                if state.leave_out(start, *error)? {
                    break;
                }
            }
            at += total;
        }
        Ok(at)
    }
}

fn truncated_header(end: usize) -> ReadError {
    error_at_byte(
        end,
        format!("the file ends after {end} bytes"),
        "a section header block at its beginning, complete",
    )
}

/// Return the byte order of the section that begins at `at` of the chunk and `start` of the file; None if the chunk ends
/// before its magic number.
fn detect_byte_order(chunk: &[u8], at: usize, start: usize) -> Result<Option<ByteOrder>> {
    let Some(magic) = ByteOrder::Little.read_u32(chunk, at + 8) else { return Ok(None) };
    match magic {
        BYTE_ORDER_MAGIC => Ok(Some(ByteOrder::Little)),
        _ if magic.swap_bytes() == BYTE_ORDER_MAGIC => Ok(Some(ByteOrder::Big)),
        _ => Err(error_at_byte(
            start + 8,
            format!("byte-order magic {magic:08x}"),
            "1a2b3c4d in either byte order",
        )),
    }
}

impl SectionInterface {
    /// Return the interface in place of one whose description is damaged.
    fn damaged(index: usize) -> SectionInterface {
        SectionInterface {
            index,
            link_layer: None,
            link_type: 0,
            is_damaged: true,
            snap_length: 0,
            ticks_per_s: 1,
            offset_s: 0,
        }
    }
}

fn read_interface<S: Sink>(block: &Block, state: &mut CaptureState<S>) -> RecordResult<SectionInterface> {
    let link_type = u32::from(block.read_u16(0)?);
    let snap_length = block.read_u32(4)?;
    let mut interface = SectionInterface {
        index: state.interfaces.len(),
        link_layer: LinkLayer::from_link_type(link_type),
        link_type,
        is_damaged: false,
        snap_length,
        ticks_per_s: 1_000_000,
        offset_s: 0,
    };
    let mut name = String::new();
    let mut at = 8;
    while at < block.body.len() {
        let (code, size) = (block.read_u16(at)?, usize::from(block.read_u16(at + 2)?));
        if code == OPTION_END {
            break;
        }
        let value = block.body.get(at + 4..at + 4 + size).ok_or_else(|| {
            let message = format!("option {code} of {size} bytes");
            let expected =
                format!("at most the {} left in its block", block.body.len().saturating_sub(at + 4));
            bad_record(Reason::DamagedInterface, error_at_byte(block.file_offset(at + 2), message, expected))
        })?;
        let value_error = |expected: &str| {
            let message = format!("option {code} with {value:02x?}");
            bad_record(Reason::DamagedInterface, error_at_byte(block.file_offset(at), message, expected))
        };
        match code {
            OPTION_NAME => name = String::from_utf8_lossy(&value[..size.min(MAX_NAME)]).into_owned(),
            OPTION_RESOLUTION => {
                interface.ticks_per_s = match *value {
                    [power] if power <= 18 => 10u128.pow(u32::from(power)),
                    [power] if power >= 0x80 && power & 0x7F <= 63 => 1u128 << (power & 0x7F),
                    _ => {
                        return Err(value_error(
                            "one byte: n for 10^-n s up to 18, or 128 + n for 2^-n s up to 63",
                        ))
                    }
                }
            }
            OPTION_OFFSET => match block.order.read_u64(value, 0) {
                Some(seconds) if size == 8 => interface.offset_s = seconds as i64,
                _ => return Err(value_error("eight bytes: seconds to add to every time")),
            },
            _ => {}
        }
        at += 4 + size.next_multiple_of(4);
    }
    state.add_interface(block.start, Interface { name, link_type, snap_length, packets: 0 })?;
    Ok(interface)
}

/// Add the packet of a block. Its lengths begin at `at`: captured and sent, or sent alone in a simple packet, which has no time.
#[inline(always)]
fn read_packet<S: Sink>(
    block: &Block,
    interfaces: &[SectionInterface],
    interface_number: u32,
    ticks: Option<u64>,
    at: usize,
    state: &mut CaptureState<S>,
) -> RecordResult<()> {
    let Some(interface) = interfaces.get(interface_number as usize) else {
        let message = format!("packet of interface {interface_number}");
        let expected = format!("one of the {} described before it in its section", interfaces.len());
        let error = error_at_byte(block.file_offset(0), message, expected);
        return Err(bad_record(Reason::NoInterface, error));
    };
    if interface.is_damaged {
        let message = format!("packet of interface {interface_number}, whose description is damaged");
        let error = error_at_byte(block.file_offset(0), message, "an interface that is described");
        return Err(bad_record(Reason::DamagedInterface, error));
    }
    let link_layer = require_link_layer(block.file_offset(0), interface.link_layer, interface.link_type)?;
    let (captured, wire_length, data) = match ticks {
        Some(_) => (block.read_u32(at)?, block.read_u32(at + 4)?, at + 8),
        None => {
            let wire_length = block.read_u32(at)?;
            let max = if interface.snap_length == 0 { u32::MAX } else { interface.snap_length };
            (wire_length.min(max), wire_length, at + 4)
        }
    };
    check_captured(block.file_offset(at), captured)?;
    check_sent(block.file_offset(at), captured, wire_length)?;
    let Some(frame) = block.body.get(data..data + captured as usize) else {
        let expected =
            format!("at most the {} bytes left in its block", block.body.len().saturating_sub(data));
        let error = error_at_byte(block.file_offset(at), format!("captured length {captured}"), expected);
        return Err(bad_record(Reason::ImpossibleLength, error));
    };
    let time_ns = match ticks {
        Some(ticks) => unix_nanoseconds(interface, ticks).ok_or_else(|| {
            let seconds = format!("1/{} s + {} s", interface.ticks_per_s, interface.offset_s);
            let error = error_at_byte(
                block.file_offset(4),
                format!("time of {ticks} ticks of {seconds}"),
                "within 292 years of 1970",
            );
            bad_record(Reason::Time, error)
        })?,
        None => NO_TIME,
    };
    let origin = CapturingInterface { interface: interface.index, link_layer };
    state.add_packet(block.start, origin, time_ns, wire_length, frame)?;
    Ok(())
}

/// Convert ticks to nanoseconds since 1970, rounded down where ticks are finer.
#[inline(always)]
fn unix_nanoseconds(interface: &SectionInterface, ticks: u64) -> Option<i64> {
    let offset_ns = interface.offset_s.checked_mul(NS_PER_S)?;
    let ticks_ns = match interface.ticks_per_s {
        1_000_000_000 => i64::try_from(ticks).ok()?,
        1_000_000 => i64::try_from(ticks).ok()?.checked_mul(1000)?,
        per_s => i64::try_from(u128::from(ticks) * NS_PER_S as u128 / per_s).ok()?,
    };
    ticks_ns.checked_add(offset_ns).filter(|&time_ns| time_ns != NO_TIME)
}
