//! The IP header of a packet: its length and the key of its flow.

use crate::bytes::net16;
use crate::flows::Key;

const HOP_BY_HOP: u8 = 0;
const TCP: u8 = 6;
const UDP: u8 = 17;
const DCCP: u8 = 33;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION_OPTIONS: u8 = 60;
const SCTP: u8 = 132;
const UDP_LITE: u8 = 136;

/// What a packet's IP header says.
pub struct Packet {
    pub key: Key,
    /// IP total length in bytes.
    pub length: u32,
}

/// Read the header that begins `bytes`, the captured part of a packet of `wire` bytes from there on.
///
/// None if the bytes are no complete header of this version.
#[inline(always)]
pub fn read(bytes: &[u8], version: u8, wire: u32) -> Option<Packet> {
    if bytes.first()? >> 4 != version {
        return None;
    }
    if version == 4 {
        ipv4(bytes, wire)
    } else {
        ipv6(bytes, wire)
    }
}

#[inline(always)]
fn ipv4(bytes: &[u8], wire: u32) -> Option<Packet> {
    let fixed: &[u8; 20] = bytes.get(..20)?.try_into().ok()?;
    let header = usize::from(fixed[0] & 15) * 4;
    let stated = u32::from(u16::from_be_bytes([fixed[2], fixed[3]]));
    // 0 is what a segment above 65,535 bytes carries before the network card splits it
    let length = if stated == 0 { wire } else { stated };
    if header < 20 || (length as usize) < header {
        return None;
    }
    let protocol = fixed[9];
    let later_fragment = u16::from_be_bytes([fixed[6], fixed[7]]) & 0x1FFF != 0;
    let ports = if later_fragment { (0, 0) } else { ports(bytes, header, length, protocol) };
    let mut source = [0; 16];
    let mut destination = [0; 16];
    source[..4].copy_from_slice(&fixed[12..16]);
    destination[..4].copy_from_slice(&fixed[16..20]);
    Some(Packet { key: Key { version: 4, protocol, source, destination, ports }, length })
}

fn ipv6(bytes: &[u8], wire: u32) -> Option<Packet> {
    let fixed: &[u8; 40] = bytes.get(..40)?.try_into().ok()?;
    let stated = u32::from(u16::from_be_bytes([fixed[4], fixed[5]]));
    // payload length 0 with hop-by-hop options is a jumbogram (RFC 2675)
    let jumbo = stated == 0 && fixed[6] == HOP_BY_HOP;
    let length = if jumbo { wire.max(40) } else { stated + 40 };
    let (protocol, at) = upper_layer(bytes, fixed[6], length);
    let ports = at.map_or((0, 0), |at| ports(bytes, at, length, protocol));
    let source = fixed[8..24].try_into().ok()?;
    let destination = fixed[24..40].try_into().ok()?;
    Some(Packet { key: Key { version: 6, protocol, source, destination, ports }, length })
}

/// Protocol behind the extension headers and where it begins; no place where that is cut or another fragment's.
fn upper_layer(bytes: &[u8], first: u8, length: u32) -> (u8, Option<usize>) {
    let inside = &bytes[..bytes.len().min(length as usize)];
    let mut protocol = first;
    let mut at = 40usize;
    loop {
        let Some(&[next, size]) = inside.get(at..at + 2) else { return (protocol, None) };
        let header = match protocol {
            HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS => (usize::from(size) + 1) * 8,
            AUTHENTICATION => (usize::from(size) + 2) * 4,
            FRAGMENT => match net16(inside, at + 2) {
                Some(field) if field & 0xFFF8 == 0 => 8,
                Some(_) => return (next, None),
                None => return (protocol, None),
            },
            _ => return (protocol, Some(at)),
        };
        protocol = next;
        at += header;
    }
}

#[inline(always)]
fn ports(bytes: &[u8], at: usize, length: u32, protocol: u8) -> (u16, u16) {
    if !matches!(protocol, TCP | UDP | DCCP | SCTP | UDP_LITE) || at + 4 > length as usize {
        return (0, 0);
    }
    match bytes.get(at..at + 4) {
        Some(&[a, b, c, d]) => (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])),
        _ => (0, 0),
    }
}
