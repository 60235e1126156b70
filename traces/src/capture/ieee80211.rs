//! IP headers in IEEE 802.11 data frames behind a radiotap header (radiotap.org).

use super::ethertype::find_behind_llc;
use super::opaque::{IpPosition, Opaque};
use crate::io::byte_order::{read_net_u16, ByteOrder};

const PRESENT_TSFT: u32 = 1;
const PRESENT_FLAGS: u32 = 2;
const PRESENT_MORE: u32 = 1 << 31;
const FLAG_DATA_PADDING: u8 = 0x20;
const FLAG_BAD_CHECKSUM: u8 = 0x40;
const TYPE_DATA: u16 = 2;
const SUBTYPE_NULL: u16 = 4;
const SUBTYPE_QOS: u16 = 8;
const TO_AND_FROM_DISTRIBUTION: u16 = 0x0300;
const PROTECTED: u16 = 0x4000;
const HT_CONTROL: u16 = 0x8000;
const AGGREGATE: u8 = 0x80;
const HEADER: usize = 24;
const ADDRESS: usize = 6;
/// Bytes of a subframe of an aggregate before its payload: two addresses and the length.
const SUBFRAME_HEADER: usize = 14;

/// The body of a data frame.
struct DataBody {
    start: usize,
    is_aggregate: bool,
}

/// Find the IP header of the first packet in a frame.
#[inline(never)]
pub fn find_behind_radiotap(frame: &[u8]) -> IpPosition {
    let body = find_data(frame)?;
    find_behind_llc(frame, if body.is_aggregate { body.start + SUBFRAME_HEADER } else { body.start })
}

/// Return whether a frame is an aggregate of several packets, of which only the first is read.
#[inline(never)]
pub fn has_further_packets(frame: &[u8]) -> bool {
    match find_data(frame) {
        Ok(DataBody { start, is_aggregate: true }) => {
            let length = read_net_u16(frame, start + SUBFRAME_HEADER - 2).map_or(0, usize::from);
            start + (SUBFRAME_HEADER + length).next_multiple_of(4) + SUBFRAME_HEADER < frame.len()
        }
        _ => false,
    }
}

fn find_data(frame: &[u8]) -> std::result::Result<DataBody, Opaque> {
    let (start, flags) = read_radiotap(frame).ok_or(Opaque::WifiDamaged)?;
    if flags & FLAG_BAD_CHECKSUM != 0 {
        return Err(Opaque::WifiDamaged);
    }
    let control = ByteOrder::Little.read_u16(frame, start).ok_or(Opaque::NotIp)?;
    let subtype = control >> 4 & 15;
    if control >> 2 & 3 != TYPE_DATA || control & 3 != 0 || subtype & SUBTYPE_NULL != 0 {
        return Err(Opaque::NotIp);
    }
    let mut size = HEADER;
    if control & TO_AND_FROM_DISTRIBUTION == TO_AND_FROM_DISTRIBUTION {
        size += ADDRESS;
    }
    let mut is_aggregate = false;
    if subtype & SUBTYPE_QOS != 0 {
        is_aggregate = frame.get(start + size).ok_or(Opaque::NotIp)? & AGGREGATE != 0;
        size += if control & HT_CONTROL != 0 { 6 } else { 2 };
    }
    if control & PROTECTED != 0 {
        return Err(Opaque::WifiEncrypted);
    }
    if frame.get(start + 22).ok_or(Opaque::NotIp)? & 15 != 0 {
        return Err(Opaque::WifiFragment);
    }
    if flags & FLAG_DATA_PADDING != 0 {
        size = size.next_multiple_of(4);
    }
    Ok(DataBody { start: start + size, is_aggregate })
}

/// Return the size of a radiotap header and its flags field, 0 if it has none; None if the header is damaged.
fn read_radiotap(frame: &[u8]) -> Option<(usize, u8)> {
    let size = usize::from(ByteOrder::Little.read_u16(frame, 2)?);
    let header = frame.get(..size).filter(|header| header.len() >= 8 && header[0] == 0)?;
    let present = ByteOrder::Little.read_u32(header, 4)?;
    let mut at = 8;
    let mut word = present;
    while word & PRESENT_MORE != 0 {
        word = ByteOrder::Little.read_u32(header, at)?;
        at += 4;
    }
    if present & PRESENT_TSFT != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    Some((size, if present & PRESENT_FLAGS != 0 { *header.get(at)? } else { 0 }))
}
