//! IP headers of a packet, tunnels included: the length and the key of its flow.

use super::flows::Key;
use super::through::Through;
use crate::bytes::net16;

const HOP_BY_HOP: u8 = 0;
const IPV4: u8 = 4;
const TCP: u8 = 6;
const UDP: u8 = 17;
const DCCP: u8 = 33;
const IPV6: u8 = 41;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const GRE: u8 = 47;
const AUTHENTICATION: u8 = 51;
const MINIMAL: u8 = 55;
const DESTINATION_OPTIONS: u8 = 60;
const SCTP: u8 = 132;
const UDP_LITE: u8 = 136;

/// Tunnels within tunnels that are looked into; the engine's limit is 4.
const MOST_TUNNELS: u8 = 8;

/// Which packet a flow is about where there is a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tunnels {
    Inner,
    Outer,
}

/// What the IP headers of a packet say.
pub struct Packet {
    pub key: Key,
    /// IP total length in bytes.
    pub length: u32,
    /// Tunnels around it.
    pub tunnels: u8,
}

/// One IP header and what it carries.
#[derive(Clone, Copy)]
pub struct Header {
    pub version: u8,
    /// Behind the extension headers.
    pub protocol: u8,
    pub source: [u8; 16],
    pub destination: [u8; 16],
    /// IP total length.
    pub length: u32,
    /// Where the payload begins; None if that is cut, or another fragment has its beginning.
    pub payload: Option<usize>,
    /// Type 2 routing header's or home address option's address (RFC 6275 6.3, 6.4).
    pub home: Option<[u8; 16]>,
}

/// Read the header that begins `bytes`, the captured part of a packet of `wire` bytes from there on; with ``Inner`` that of
/// the innermost packet which is whole enough to be read.
///
/// None if the bytes are no complete header of this version.
#[inline(always)]
pub fn read(bytes: &[u8], version: u8, wire: u32, tunnels: Tunnels, through: &mut Through) -> Option<Packet> {
    let outer = header(bytes, version, wire)?;
    if matches!(outer.protocol, IPV4 | IPV6 | GRE | MINIMAL) {
        let inner = innermost(bytes, outer, through);
        if tunnels == Tunnels::Inner {
            return Some(inner);
        }
    }
    Some(packet(bytes, &outer, 0))
}

#[inline(never)]
fn innermost(mut bytes: &[u8], mut around: Header, through: &mut Through) -> Packet {
    let mut tunnels = 0;
    while tunnels < MOST_TUNNELS {
        let Some((start, inner)) = within(bytes, &around) else { break };
        through.add(&around);
        bytes = &bytes[start..];
        around = inner;
        tunnels += 1;
    }
    packet(bytes, &around, tunnels)
}

#[inline(always)]
fn packet(bytes: &[u8], header: &Header, tunnels: u8) -> Packet {
    let Header { version, protocol, source, destination, length, payload, .. } = *header;
    let ports = payload.map_or((0, 0), |at| ports(bytes, at, length, protocol));
    Packet { key: Key { version, protocol, source, destination, ports }, length, tunnels }
}

/// The header that begins `bytes`.
#[inline(always)]
pub fn header(bytes: &[u8], version: u8, wire: u32) -> Option<Header> {
    if bytes.first()? >> 4 != version {
        return None;
    }
    if version == 4 {
        ipv4(bytes, wire)
    } else {
        ipv6(bytes, wire)
    }
}

/// The packet in a tunnel, and where in `bytes` it begins: IP in IP (RFC 2003, 2473, 4213), GRE (2784, 2890) or minimal
/// encapsulation (2004), whose packet begins behind a header of its own and takes the rest of what it says from the outer one.
pub fn within(bytes: &[u8], outer: &Header) -> Option<(usize, Header)> {
    let at = outer.payload?;
    let left = outer.length.checked_sub(u32::try_from(at).ok()?)?;
    match outer.protocol {
        IPV4 => Some((at, header(bytes.get(at..)?, 4, left)?)),
        IPV6 => Some((at, header(bytes.get(at..)?, 6, left)?)),
        GRE => {
            let (size, version) = gre(bytes.get(at..)?)?;
            Some((at + size, header(bytes.get(at + size..)?, version, left.checked_sub(size as u32)?)?))
        }
        MINIMAL => minimal(bytes, outer, at),
        _ => None,
    }
}

/// Size of a GRE header and the IP version behind it.
fn gre(bytes: &[u8]) -> Option<(usize, u8)> {
    const CHECKSUM: u16 = 0x8000;
    const KEY: u16 = 0x2000;
    const SEQUENCE: u16 = 0x1000;
    let flags = net16(bytes, 0)?;
    if flags & !(CHECKSUM | KEY | SEQUENCE) != 0 {
        return None; // source routes (RFC 1701) or another version (PPTP)
    }
    let options = [CHECKSUM, KEY, SEQUENCE].iter().filter(|&&flag| flags & flag != 0).count();
    let version = match net16(bytes, 2)? {
        0x0800 => 4,
        0x86DD => 6,
        _ => return None,
    };
    Some((4 + 4 * options, version))
}

/// RFC 2004: the first header is kept, changed; what was changed stands between it and the payload.
fn minimal(bytes: &[u8], outer: &Header, at: usize) -> Option<(usize, Header)> {
    const SOURCE_PRESENT: u8 = 0x80;
    let fixed: &[u8; 8] = bytes.get(at..at + 8)?.try_into().ok()?;
    let mut inner = *outer;
    let size = if fixed[1] & SOURCE_PRESENT != 0 { 12 } else { 8 };
    inner.protocol = fixed[0];
    inner.destination[..4].copy_from_slice(&fixed[4..8]);
    if size == 12 {
        inner.source[..4].copy_from_slice(bytes.get(at + 8..at + 12)?);
    }
    inner.length = outer.length.checked_sub(size as u32)?;
    // from where the inner packet would begin, so that its payload is where it is
    inner.payload = Some(at);
    Some((size, inner))
}

#[inline(always)]
fn ipv4(bytes: &[u8], wire: u32) -> Option<Header> {
    let fixed: &[u8; 20] = bytes.get(..20)?.try_into().ok()?;
    let header = usize::from(fixed[0] & 15) * 4;
    let stated = u32::from(u16::from_be_bytes([fixed[2], fixed[3]]));
    // 0 is what a segment above 65,535 bytes carries before the network card splits it
    let length = if stated == 0 { wire } else { stated };
    if header < 20 || (length as usize) < header {
        return None;
    }
    let later_fragment = u16::from_be_bytes([fixed[6], fixed[7]]) & 0x1FFF != 0;
    let mut source = [0; 16];
    let mut destination = [0; 16];
    source[..4].copy_from_slice(&fixed[12..16]);
    destination[..4].copy_from_slice(&fixed[16..20]);
    let payload = (!later_fragment).then_some(header);
    Some(Header { version: 4, protocol: fixed[9], source, destination, length, payload, home: None })
}

#[inline(always)]
fn ipv6(bytes: &[u8], wire: u32) -> Option<Header> {
    let fixed: &[u8; 40] = bytes.get(..40)?.try_into().ok()?;
    let stated = u32::from(u16::from_be_bytes([fixed[4], fixed[5]]));
    // payload length 0 with hop-by-hop options is a jumbogram (RFC 2675)
    let jumbo = stated == 0 && fixed[6] == HOP_BY_HOP;
    let length = if jumbo { wire.max(40) } else { stated + 40 };
    let source = fixed[8..24].try_into().ok()?;
    let destination = fixed[24..40].try_into().ok()?;
    let mut found =
        Header { version: 6, protocol: fixed[6], source, destination, length, payload: None, home: None };
    upper_layer(bytes, &mut found);
    Some(found)
}

/// Step over the extension headers; the payload has no place where that is cut or another fragment's.
#[inline(always)]
fn upper_layer(bytes: &[u8], found: &mut Header) {
    let inside = &bytes[..bytes.len().min(found.length as usize)];
    let mut at = 40usize;
    loop {
        let Some(&[next, size]) = inside.get(at..at + 2) else { return };
        let header = match found.protocol {
            HOP_BY_HOP => (usize::from(size) + 1) * 8,
            ROUTING | DESTINATION_OPTIONS => {
                let header = (usize::from(size) + 1) * 8;
                let body = inside.get(at + 2..at + header).unwrap_or_default();
                found.home = home_address(found.protocol, body).or(found.home);
                header
            }
            AUTHENTICATION => (usize::from(size) + 2) * 4,
            FRAGMENT => match net16(inside, at + 2) {
                Some(field) if field & 0xFFF8 == 0 => 8,
                Some(_) => {
                    found.protocol = next;
                    return;
                }
                None => return,
            },
            _ => {
                found.payload = Some(at);
                return;
            }
        };
        found.protocol = next;
        at += header;
    }
}

/// Of a type 2 routing header or of destination options, behind their first two bytes.
#[cold]
fn home_address(protocol: u8, body: &[u8]) -> Option<[u8; 16]> {
    const TYPE_2: u8 = 2;
    const HOME_ADDRESS: u8 = 0xC9;
    if protocol == ROUTING {
        return if body.first() == Some(&TYPE_2) { body.get(6..22)?.try_into().ok() } else { None };
    }
    let mut at = 0;
    while let Some(&kind) = body.get(at) {
        if kind == 0 {
            at += 1; // Pad1
            continue;
        }
        let size = usize::from(*body.get(at + 1)?);
        if kind == HOME_ADDRESS && size == 16 {
            return body.get(at + 2..at + 18)?.try_into().ok();
        }
        at += 2 + size;
    }
    None
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
