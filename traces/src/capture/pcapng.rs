//! The pcapng format (draft-ietf-opsawg-pcapng): sections, interfaces and the three kinds of packet blocks.

use super::flows::NO_TIME;
use super::link::Link;
use super::{check_lengths, check_link, Format, From, Interface, Piece, Reading, Sink, MOST_NAME};
use crate::bytes::Order;
use crate::fault::{at_byte, Checked};

const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const MAGIC: u32 = 0x1A2B_3C4D;
/// Of type, length and the length again at the end.
const FRAME: usize = 12;
/// Wireshark refuses longer blocks too.
const MAX_BLOCK: usize = 16 << 20;
const OPTION_END: u16 = 0;
const OPTION_NAME: u16 = 2;
const OPTION_RESOLUTION: u16 = 9;
const OPTION_OFFSET: u16 = 14;

/// What the packets of an interface need.
#[derive(Clone, Copy)]
struct Source {
    /// Among all interfaces of the file.
    number: usize,
    /// None: a link type that cannot be read, refused once a packet needs it.
    link: Option<Link>,
    link_type: u32,
    snap_length: u32,
    ticks_per_s: u128,
    offset_s: i64,
}

/// One block, without the framing.
struct Block<'a> {
    order: Order,
    start: usize,
    kind: u32,
    body: &'a [u8],
}

impl Block<'_> {
    /// Offset in the file of a byte of the body.
    fn offset(&self, at: usize) -> usize {
        self.start + 8 + at
    }

    fn u16(&self, at: usize) -> Checked<u16> {
        self.order.u16(self.body, at).ok_or_else(|| self.short(at + 2))
    }

    fn u32(&self, at: usize) -> Checked<u32> {
        self.order.u32(self.body, at).ok_or_else(|| self.short(at + 4))
    }

    fn short(&self, needs: usize) -> crate::fault::Fault {
        at_byte(
            self.start + 4,
            format!("block of type {} with a body of {} bytes", self.kind, self.body.len()),
            format!("its fields need {needs}"),
        )
    }
}

pub struct Reader {
    order: Order,
    sources: Vec<Source>,
}

impl Reader {
    pub fn new() -> Reader {
        Reader { order: Order::Little, sources: Vec::new() }
    }

    /// What one block says.
    fn block<S: Sink>(&mut self, block: &Block, reading: &mut Reading<S>) -> Checked<()> {
        match block.kind {
            SECTION => {
                let (major, minor) = (block.u16(4)?, block.u16(6)?);
                block.order.u64(block.body, 8).ok_or_else(|| block.short(16))?;
                // 1.2 was written by mistake for 1.0 and is the same
                if major != 1 || !matches!(minor, 0 | 2) {
                    return Err(at_byte(
                        block.offset(4),
                        format!("pcapng version {major}.{minor}"),
                        "version 1.0 can be read",
                    ));
                }
                // interfaces are numbered anew in every section
                self.sources.clear();
            }
            INTERFACE => self.sources.push(interface(block, reading)?),
            ENHANCED_PACKET => {
                let (id, ticks) = (block.u32(0)?, stamp(block, 4)?);
                packet(block, &self.sources, id, Some(ticks), 12, reading)?;
            }
            PACKET => {
                let (id, ticks) = (u32::from(block.u16(0)?), stamp(block, 4)?);
                packet(block, &self.sources, id, Some(ticks), 12, reading)?;
            }
            SIMPLE_PACKET => packet(block, &self.sources, 0, None, 0, reading)?,
            // names, statistics, secrets and what others add: no packets
            _ => {}
        }
        Ok(())
    }
}

impl Format for Reader {
    fn advance<S: Sink>(&mut self, piece: Piece, reading: &mut Reading<S>) -> Checked<usize> {
        let Piece { bytes, at: base, last } = piece;
        let end = base + bytes.len();
        let mut at = 0;
        while at < bytes.len() {
            let start = base + at;
            let cut = |needs: usize, reading: &mut Reading<S>| {
                if start == 0 {
                    return Err(header_cut(end));
                }
                reading.cut("block", start, needs, end);
                Ok(())
            };
            if bytes[at..].starts_with(&SECTION.to_le_bytes()) {
                match section_order(bytes, at, start)? {
                    Some(found) => self.order = found,
                    None if last => cut(28, reading)?,
                    None => {}
                }
                if Order::Little.u32(bytes, at + 8).is_none() {
                    break;
                }
            }
            let (Some(kind), Some(total)) = (self.order.u32(bytes, at), self.order.u32(bytes, at + 4)) else {
                if last {
                    cut(FRAME, reading)?;
                }
                break;
            };
            let total = total as usize;
            if !(FRAME..=MAX_BLOCK).contains(&total) || total % 4 != 0 {
                return Err(at_byte(
                    start + 4,
                    format!("block length {total}"),
                    format!("a multiple of 4 from {FRAME} to {MAX_BLOCK}"),
                ));
            }
            let Some(whole) = bytes.get(at..at + total) else {
                if last {
                    cut(total, reading)?;
                }
                break;
            };
            let again = self.order.u32(whole, total - 4).map(|length| length as usize);
            if again != Some(total) {
                return Err(at_byte(
                    start + total - 4,
                    format!("block length {} at the end of a block", again.unwrap_or(0)),
                    format!("{total}, as at its beginning"),
                ));
            }
            self.block(&Block { order: self.order, start, kind, body: &whole[8..total - 4] }, reading)?;
            at += total;
        }
        Ok(at)
    }
}

fn header_cut(end: usize) -> crate::fault::Fault {
    at_byte(
        end,
        format!("the file ends after {end} bytes"),
        "a section header block at its beginning, complete",
    )
}

/// Byte order of the section that begins at `at` of the piece, `start` of the file; None if the piece ends before it is known.
fn section_order(piece: &[u8], at: usize, start: usize) -> Checked<Option<Order>> {
    let Some(magic) = Order::Little.u32(piece, at + 8) else { return Ok(None) };
    match magic {
        MAGIC => Ok(Some(Order::Little)),
        _ if magic.swap_bytes() == MAGIC => Ok(Some(Order::Big)),
        _ => {
            Err(at_byte(start + 8, format!("byte-order magic {magic:08x}"), "1a2b3c4d in either byte order"))
        }
    }
}

fn stamp(block: &Block, at: usize) -> Checked<u64> {
    Ok(u64::from(block.u32(at)?) << 32 | u64::from(block.u32(at + 4)?))
}

fn interface<S: Sink>(block: &Block, reading: &mut Reading<S>) -> Checked<Source> {
    let link_type = u32::from(block.u16(0)?);
    let snap_length = block.u32(4)?;
    let mut source = Source {
        number: reading.interfaces.len(),
        link: Link::of_type(link_type),
        link_type,
        snap_length,
        ticks_per_s: 1_000_000,
        offset_s: 0,
    };
    let mut name = String::new();
    let mut at = 8;
    while at < block.body.len() {
        let (code, size) = (block.u16(at)?, usize::from(block.u16(at + 2)?));
        if code == OPTION_END {
            break;
        }
        let value = block.body.get(at + 4..at + 4 + size).ok_or_else(|| {
            at_byte(
                block.offset(at + 2),
                format!("option {code} of {size} bytes"),
                format!("at most the {} left in its block", block.body.len().saturating_sub(at + 4)),
            )
        })?;
        let wrong =
            |right: &str| at_byte(block.offset(at), format!("option {code} with {value:02x?}"), right);
        match code {
            OPTION_NAME => name = String::from_utf8_lossy(&value[..size.min(MOST_NAME)]).into_owned(),
            OPTION_RESOLUTION => {
                source.ticks_per_s = match *value {
                    [power] if power <= 18 => 10u128.pow(u32::from(power)),
                    [power] if power >= 0x80 && power & 0x7F <= 63 => 1u128 << (power & 0x7F),
                    _ => {
                        return Err(wrong("one byte: n for 10^-n s up to 18, or 128 + n for 2^-n s up to 63"))
                    }
                }
            }
            OPTION_OFFSET => match block.order.u64(value, 0) {
                Some(seconds) if size == 8 => source.offset_s = seconds as i64,
                _ => return Err(wrong("eight bytes: seconds to add to every time")),
            },
            _ => {}
        }
        at += 4 + size.next_multiple_of(4);
    }
    reading.interface(block.start, Interface { name, link_type, snap_length, packets: 0 })?;
    Ok(source)
}

/// Add the packet whose lengths (captured and on the wire; a simple packet has only the latter) begin at `at`.
#[inline(always)]
fn packet<S: Sink>(
    block: &Block,
    sources: &[Source],
    id: u32,
    ticks: Option<u64>,
    at: usize,
    reading: &mut Reading<S>,
) -> Checked<()> {
    let Some(source) = sources.get(id as usize) else {
        return Err(at_byte(
            block.offset(0),
            format!("packet of interface {id}"),
            format!("one of the {} described before it in its section", sources.len()),
        ));
    };
    let link = match source.link {
        Some(link) => link,
        None => check_link(block.offset(0), source.link_type)?,
    };
    let (captured, wire, data) = match ticks {
        Some(_) => (block.u32(at)?, block.u32(at + 4)?, at + 8),
        None => {
            let wire = block.u32(at)?;
            let most = if source.snap_length == 0 { u32::MAX } else { source.snap_length };
            (wire.min(most), wire, at + 4)
        }
    };
    check_lengths(block.offset(at), captured, wire)?;
    let Some(frame) = block.body.get(data..data + captured as usize) else {
        return Err(at_byte(
            block.offset(at),
            format!("captured length {captured}"),
            format!("at most the {} bytes left in its block", block.body.len().saturating_sub(data)),
        ));
    };
    let time_ns = match ticks {
        Some(ticks) => nanoseconds(source, ticks).ok_or_else(|| {
            at_byte(
                block.offset(4),
                format!("time of {ticks} ticks of 1/{} s + {} s", source.ticks_per_s, source.offset_s),
                "within 292 years of 1970",
            )
        })?,
        None => NO_TIME,
    };
    let from = From { interface: source.number, link };
    reading.push(block.start, from, time_ns, wire, frame)
}

/// Nanoseconds since 1970, rounded down where ticks are finer.
#[inline(always)]
fn nanoseconds(source: &Source, ticks: u64) -> Option<i64> {
    let offset_ns = source.offset_s.checked_mul(1_000_000_000)?;
    let since = match source.ticks_per_s {
        1_000_000_000 => i64::try_from(ticks).ok()?,
        1_000_000 => i64::try_from(ticks).ok()?.checked_mul(1000)?,
        per_s => i64::try_from(u128::from(ticks) * 1_000_000_000 / per_s).ok()?,
    };
    since.checked_add(offset_ns).filter(|&time_ns| time_ns != NO_TIME)
}
