//! The pcap format (draft-ietf-opsawg-pcap): microseconds or nanoseconds, either byte order.

use crate::bytes::Order;
use crate::capture::{check_lengths, check_link, Capture, Interface};
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

pub fn read(file: &[u8]) -> Checked<Capture> {
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
    let mut capture = Capture::new("pcap");
    capture.interfaces.push(Interface { name: String::new(), link_type, snap_length });
    let read_records = match order {
        Order::Little => records::<false>,
        Order::Big => records::<true>,
    };
    read_records(file, unit_ns, link, &mut capture)?;
    Ok(capture)
}

fn records<const BIG: bool>(
    file: &[u8],
    unit_ns: u32,
    link: crate::link::Link,
    capture: &mut Capture,
) -> Checked<()> {
    let word = |raw: &[u8; RECORD_HEADER], at: usize| {
        let raw = [raw[at], raw[at + 1], raw[at + 2], raw[at + 3]];
        if BIG {
            u32::from_be_bytes(raw)
        } else {
            u32::from_le_bytes(raw)
        }
    };
    let units = 1_000_000_000 / unit_ns;
    let mut at = FILE_HEADER;
    while at < file.len() {
        let rest = &file[at..];
        let Some(header) = rest.first_chunk::<RECORD_HEADER>() else {
            capture.cut("record header", at, RECORD_HEADER, file.len());
            break;
        };
        let (seconds, fraction) = (word(header, 0), word(header, 4));
        let (captured, wire) = (word(header, 8), word(header, 12));
        if fraction >= units {
            return Err(at_byte(
                at + 4,
                format!("fraction of a second {fraction}"),
                format!("below {units}, the units of a second in this file"),
            ));
        }
        check_lengths(at + 8, captured, wire)?;
        let Some(frame) = rest.get(RECORD_HEADER..RECORD_HEADER + captured as usize) else {
            capture.cut("record", at, RECORD_HEADER + captured as usize, file.len());
            break;
        };
        let time_ns = i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * i64::from(unit_ns);
        capture.push(link, time_ns, wire, frame);
        at += RECORD_HEADER + captured as usize;
    }
    Ok(())
}
