//! The pcapng format (draft-ietf-opsawg-pcapng): sections, interfaces and the three kinds of packet blocks.

use crate::bytes::Order;
use crate::capture::{check_lengths, check_link, Capture, Interface};
use crate::fault::{at_byte, Checked};
use crate::flows::NO_TIME;
use crate::link::Link;

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

pub fn read(file: &[u8]) -> Checked<Capture> {
    let mut capture = Capture::new("pcapng");
    let mut sources: Vec<Source> = Vec::new();
    let mut order = Order::Little;
    let mut at = 0;
    while at < file.len() {
        if file[at..].starts_with(&SECTION.to_le_bytes()) {
            match section_order(file, at)? {
                Some(found) => order = found,
                None if at == 0 => return Err(header_cut(file.len())),
                None => {
                    capture.cut("block", at, 28, file.len());
                    break;
                }
            }
        }
        let (Some(kind), Some(total)) = (order.u32(file, at), order.u32(file, at + 4)) else {
            capture.cut("block", at, FRAME, file.len());
            break;
        };
        let total = total as usize;
        if !(FRAME..=MAX_BLOCK).contains(&total) || total % 4 != 0 {
            return Err(at_byte(
                at + 4,
                format!("block length {total}"),
                format!("a multiple of 4 from {FRAME} to {MAX_BLOCK}"),
            ));
        }
        let Some(bytes) = file.get(at..at + total) else {
            if at == 0 {
                return Err(header_cut(file.len()));
            }
            capture.cut("block", at, total, file.len());
            break;
        };
        let again = order.u32(bytes, total - 4).map(|length| length as usize);
        if again != Some(total) {
            return Err(at_byte(
                at + total - 4,
                format!("block length {} at the end of a block", again.unwrap_or(0)),
                format!("{total}, as at its beginning"),
            ));
        }
        let block = Block { order, start: at, kind, body: &bytes[8..total - 4] };
        match kind {
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
                sources.clear();
            }
            INTERFACE => sources.push(interface(&block, &mut capture)?),
            ENHANCED_PACKET => {
                let (id, ticks) = (block.u32(0)?, stamp(&block, 4)?);
                packet(&block, &sources, id, Some(ticks), 12, &mut capture)?;
            }
            PACKET => {
                let (id, ticks) = (u32::from(block.u16(0)?), stamp(&block, 4)?);
                packet(&block, &sources, id, Some(ticks), 12, &mut capture)?;
            }
            SIMPLE_PACKET => packet(&block, &sources, 0, None, 0, &mut capture)?,
            // names, statistics, secrets and what others add: no packets
            _ => {}
        }
        at += total;
    }
    Ok(capture)
}

fn header_cut(end: usize) -> crate::fault::Fault {
    at_byte(
        end,
        format!("the file ends after {end} bytes"),
        "a section header block at its beginning, complete",
    )
}

/// Byte order of the section that begins at `at`; None if the file ends before it is known.
fn section_order(file: &[u8], at: usize) -> Checked<Option<Order>> {
    let Some(magic) = Order::Little.u32(file, at + 8) else { return Ok(None) };
    match magic {
        MAGIC => Ok(Some(Order::Little)),
        _ if magic.swap_bytes() == MAGIC => Ok(Some(Order::Big)),
        _ => Err(at_byte(at + 8, format!("byte-order magic {magic:08x}"), "1a2b3c4d in either byte order")),
    }
}

fn stamp(block: &Block, at: usize) -> Checked<u64> {
    Ok(u64::from(block.u32(at)?) << 32 | u64::from(block.u32(at + 4)?))
}

fn interface(block: &Block, capture: &mut Capture) -> Checked<Source> {
    let link_type = u32::from(block.u16(0)?);
    let snap_length = block.u32(4)?;
    let mut source = Source {
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
            OPTION_NAME => name = String::from_utf8_lossy(value).into_owned(),
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
    capture.interfaces.push(Interface { name, link_type, snap_length });
    Ok(source)
}

/// Add the packet whose lengths (captured and on the wire; a simple packet has only the latter) begin at `at`.
#[inline(always)]
fn packet(
    block: &Block,
    sources: &[Source],
    id: u32,
    ticks: Option<u64>,
    at: usize,
    capture: &mut Capture,
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
    capture.push(link, time_ns, wire, frame);
    Ok(())
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
