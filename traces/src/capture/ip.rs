//! IP headers of a packet and of the tunnels around it: its length and the key of its flow.

use super::bad_record::LeftOut;
use super::flow_table::FlowKey;
use super::fragments::{FragmentTable, PacketStamp};
use super::ip_header::{Fragment, IpHeader};
use super::opaque::Opaque;
use super::tunnel_table::{TunnelKey, TunnelTable};
use super::udp_tunnel::{self, find_tunnel_port};
use crate::io::byte_order::{read_net_u16, ByteOrder};

const HOP_BY_HOP: u8 = 0;
const IPV4: u8 = 4;
const TCP: u8 = 6;
const UDP: u8 = 17;
const DCCP: u8 = 33;
const IPV6: u8 = 41;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const GRE: u8 = 47;
const ESP: u8 = 50;
const AUTHENTICATION: u8 = 51;
const MINIMAL: u8 = 55;
const DESTINATION_OPTIONS: u8 = 60;
const ETHER_IP: u8 = 97;
const L2TP: u8 = 115;
const SCTP: u8 = 132;
const UDP_LITE: u8 = 136;
/// Bits of the fragment offset in a fragment header.
const FRAGMENT_OFFSET_MASK: u16 = 0xFFF8;
const MORE_FRAGMENTS_V6: u16 = 1;
const FRAGMENT_OFFSET_MASK_V4: u16 = 0x1FFF;
const MORE_FRAGMENTS_V4: u16 = 0x2000;

/// Nested tunnels that are parsed; the engine's limit is 4.
const MAX_TUNNELS: u8 = 8;

/// The layer of a tunnelled packet that determines its flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TunnelLayer {
    Inner,
    Outer,
}

/// Flow and length of an IP packet.
pub struct FlowPacket {
    pub flow_key: FlowKey,
    /// IP total length in bytes.
    pub length: u32,
    /// Number of tunnels around it.
    pub tunnels: u8,
}

/// The tables of a capture that parsing a packet updates.
#[derive(Default)]
pub struct PacketTables {
    pub tunnels: TunnelTable,
    pub fragments: FragmentTable,
    pub left_out: LeftOut,
}

/// The offset and the header of a packet in a tunnel, or the reason why it is not looked into.
pub type InnerHeader = std::result::Result<(usize, IpHeader), Opaque>;

/// Parse the packet at the beginning of `bytes`, which had `wire_length` bytes when it was sent; count the tunnels around it.
///
/// With `Inner`, return the innermost packet whose header is complete. Return None if the bytes are no complete header of this
/// version.
#[inline(always)]
pub fn parse_packet(
    bytes: &[u8],
    version: u8,
    wire_length: u32,
    layer: TunnelLayer,
    stamp: PacketStamp,
    tables: &mut PacketTables,
) -> Option<FlowPacket> {
    let header = parse_header(bytes, version, wire_length)?;
    if header.fragment == Fragment::Whole && !may_be_tunnel(bytes, &header) {
        return Some(describe_packet(&header, find_ports(bytes, &header), 0));
    }
    parse_tunnel_or_fragment(bytes, version, wire_length, layer, stamp, tables)
}

/// Return whether a packet has to be searched for another packet in it. Nearly all packets show at once that they have none.
#[inline(always)]
pub fn may_be_tunnel(bytes: &[u8], header: &IpHeader) -> bool {
    match header.protocol {
        TCP => false,
        UDP => find_tunnel_port(bytes, header).is_some(),
        IPV4 | IPV6 | GRE | MINIMAL | ESP | ETHER_IP | L2TP => true,
        _ => false,
    }
}

/// Parse a packet that needs the tables.
///
/// Its header is parsed again, because an argument would keep the headers of all packets in memory instead of registers.
#[inline(never)]
fn parse_tunnel_or_fragment(
    bytes: &[u8],
    version: u8,
    wire_length: u32,
    layer: TunnelLayer,
    stamp: PacketStamp,
    tables: &mut PacketTables,
) -> Option<FlowPacket> {
    let outer = parse_header(bytes, version, wire_length)?;
    let (at, inner, tunnels) = parse_innermost(bytes, outer, stamp, tables);
    Some(match layer {
        TunnelLayer::Inner => describe_fragment(&bytes[at..], inner, tunnels, stamp, &mut tables.fragments),
        TunnelLayer::Outer => describe_fragment(bytes, outer, 0, stamp, &mut tables.fragments),
    })
}

/// Return the offset and the header of the innermost packet that can be read, and the number of tunnels around it.
fn parse_innermost(
    bytes: &[u8],
    outer: IpHeader,
    stamp: PacketStamp,
    tables: &mut PacketTables,
) -> (usize, IpHeader, u8) {
    let (mut start, mut header, mut tunnels) = (0, outer, 0);
    loop {
        let inner = match parse_inner_header(&bytes[start..], &header) {
            Ok(_) if tunnels == MAX_TUNNELS => Err(Opaque::TooDeep),
            inner => inner,
        };
        match inner {
            Ok((at, inner)) => {
                let IpHeader { version, protocol, source, destination, length, .. } = header;
                let port = find_tunnel_port(&bytes[start..], &header).unwrap_or(0);
                tables
                    .tunnels
                    .count_packet(TunnelKey { version, protocol, port, source, destination }, length);
                if header.fragment != Fragment::Whole {
                    // the later fragments of the tunnel belong to the outer packet
                    describe_fragment(&bytes[start..], header, tunnels, stamp, &mut tables.fragments);
                }
                start += at;
                header = inner;
                tunnels += 1;
            }
            Err(opaque) => {
                if opaque != Opaque::NotIp {
                    tables.left_out.count_opaque(opaque);
                }
                return (start, header, tunnels);
            }
        }
    }
}

/// Describe a packet that may be a fragment, whose ports may be in another one.
fn describe_fragment(
    bytes: &[u8],
    header: IpHeader,
    tunnels: u8,
    stamp: PacketStamp,
    fragments: &mut FragmentTable,
) -> FlowPacket {
    let ports = fragments.find_ports(&header, find_ports(bytes, &header), stamp);
    describe_packet(&header, ports, tunnels)
}

#[inline(always)]
fn describe_packet(header: &IpHeader, ports: (u16, u16), tunnels: u8) -> FlowPacket {
    let IpHeader { version, protocol, source, destination, length, .. } = *header;
    FlowPacket { flow_key: FlowKey { version, protocol, source, destination, ports }, length, tunnels }
}

/// Parse the header at the beginning of `bytes`; None if it is incomplete or of another version.
#[inline(always)]
pub fn parse_header(bytes: &[u8], version: u8, wire_length: u32) -> Option<IpHeader> {
    if bytes.first()? >> 4 != version {
        return None;
    }
    if version == 4 {
        parse_ipv4(bytes, wire_length)
    } else {
        parse_ipv6(bytes, wire_length)
    }
}

/// Return the header of the packet in a tunnel and its offset in `bytes`.
///
/// The tunnel is IP in IP (RFC 2003, RFC 2473, RFC 4213), GRE (RFC 2784, RFC 2890), minimal encapsulation (RFC 2004) or one in
/// UDP. Minimal encapsulation carries no inner IP header: the returned one is restored from the outer header and the minimal
/// forwarding header.
pub fn parse_inner_header(bytes: &[u8], outer: &IpHeader) -> InnerHeader {
    let at = outer.payload.ok_or(Opaque::NotIp)?;
    let (start, version) = match outer.protocol {
        IPV4 => (at, 4),
        IPV6 => (at, 6),
        GRE => {
            let (size, version) = parse_gre(bytes.get(at..).unwrap_or_default())?;
            (at + size, version)
        }
        MINIMAL => return parse_minimal(bytes, outer, at).ok_or(Opaque::CutTunnel),
        UDP => udp_tunnel::find_inner_packet(bytes, outer, at)?,
        ESP => return Err(Opaque::Esp),
        ETHER_IP => return Err(Opaque::EtherIp),
        L2TP => return Err(Opaque::L2tp),
        _ => return Err(Opaque::NotIp),
    };
    let rest = bytes.get(start..).ok_or(Opaque::CutTunnel)?;
    let inner_length = u32::try_from(start).ok().and_then(|start| outer.length.checked_sub(start));
    let inner_length = inner_length.ok_or(Opaque::NotIp)?;
    let needs = if version == 4 { 20 } else { 40 };
    let problem = if rest.len() < needs { Opaque::CutTunnel } else { Opaque::NotIp };
    parse_header(rest, version, inner_length).map(|header| (start, header)).ok_or(problem)
}

/// Return the size of a GRE header and the IP version behind it.
fn parse_gre(bytes: &[u8]) -> std::result::Result<(usize, u8), Opaque> {
    const CHECKSUM: u16 = 0x8000;
    const KEY: u16 = 0x2000;
    const SEQUENCE: u16 = 0x1000;
    let flags = read_net_u16(bytes, 0).ok_or(Opaque::CutTunnel)?;
    if flags & !(CHECKSUM | KEY | SEQUENCE) != 0 {
        return Err(Opaque::GreOther); // source routing (RFC 1701) or version 1 (PPTP)
    }
    let options = [CHECKSUM, KEY, SEQUENCE].iter().filter(|&&flag| flags & flag != 0).count();
    let version = match read_net_u16(bytes, 2).ok_or(Opaque::CutTunnel)? {
        0x0800 => 4,
        0x86DD => 6,
        _ => return Err(Opaque::GreOther),
    };
    Ok((4 + 4 * options, version))
}

/// Restore the inner header from a minimal forwarding header (RFC 2004), which holds the fields that encapsulation overwrote.
fn parse_minimal(bytes: &[u8], outer: &IpHeader, at: usize) -> Option<(usize, IpHeader)> {
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
    // relative to the returned offset, at which the inner packet would begin if it had an IP header of its own
    inner.payload = Some(at);
    Some((size, inner))
}

#[inline(always)]
fn parse_ipv4(bytes: &[u8], wire_length: u32) -> Option<IpHeader> {
    let fixed: &[u8; 20] = bytes.get(..20)?.try_into().ok()?;
    let header_length = usize::from(fixed[0] & 15) * 4;
    let stated = u32::from(u16::from_be_bytes([fixed[2], fixed[3]]));
    // segmentation offload: a segment above 65,535 bytes states 0 before the network card splits it
    let length = if stated == 0 { wire_length } else { stated };
    if header_length < 20 || (length as usize) < header_length {
        return None;
    }
    let flags = u16::from_be_bytes([fixed[6], fixed[7]]);
    let identification = u32::from(u16::from_be_bytes([fixed[4], fixed[5]]));
    let fragment = if flags & FRAGMENT_OFFSET_MASK_V4 != 0 {
        Fragment::Later(identification)
    } else if flags & MORE_FRAGMENTS_V4 != 0 {
        Fragment::First(identification)
    } else {
        Fragment::Whole
    };
    let mut source = [0; 16];
    let mut destination = [0; 16];
    source[..4].copy_from_slice(&fixed[12..16]);
    destination[..4].copy_from_slice(&fixed[16..20]);
    let payload = (!matches!(fragment, Fragment::Later(_))).then_some(header_length);
    let (protocol, hop_limit) = (fixed[9], fixed[8]);
    Some(IpHeader {
        version: 4,
        protocol,
        hop_limit,
        source,
        destination,
        length,
        fragment,
        payload,
        home: None,
    })
}

#[inline(always)]
fn parse_ipv6(bytes: &[u8], wire_length: u32) -> Option<IpHeader> {
    let fixed: &[u8; 40] = bytes.get(..40)?.try_into().ok()?;
    let stated = u32::from(u16::from_be_bytes([fixed[4], fixed[5]]));
    // payload length 0 with hop-by-hop options is a jumbogram (RFC 2675)
    let is_jumbogram = stated == 0 && fixed[6] == HOP_BY_HOP;
    let length = if is_jumbogram { wire_length.max(40) } else { stated + 40 };
    let source = fixed[8..24].try_into().ok()?;
    let destination = fixed[24..40].try_into().ok()?;
    let (protocol, hop_limit, fragment) = (fixed[6], fixed[7], Fragment::Whole);
    let mut header = IpHeader {
        version: 6,
        protocol,
        hop_limit,
        source,
        destination,
        length,
        fragment,
        payload: None,
        home: None,
    };
    skip_extension_headers(bytes, &mut header);
    Some(header)
}

/// Set protocol, payload and home address of a header; the payload stays None if it is cut off or begins in another fragment.
#[inline(always)]
fn skip_extension_headers(bytes: &[u8], header: &mut IpHeader) {
    let packet = &bytes[..bytes.len().min(header.length as usize)];
    let mut at = 40usize;
    loop {
        let Some(&[next, length]) = packet.get(at..at + 2) else { return };
        let size = match header.protocol {
            HOP_BY_HOP => (usize::from(length) + 1) * 8,
            ROUTING | DESTINATION_OPTIONS => {
                let size = (usize::from(length) + 1) * 8;
                let body = packet.get(at + 2..at + size).unwrap_or_default();
                header.home = find_home_address(header.protocol, body).or(header.home);
                size
            }
            AUTHENTICATION => (usize::from(length) + 2) * 4,
            FRAGMENT => match (read_net_u16(packet, at + 2), ByteOrder::Big.read_u32(packet, at + 4)) {
                (Some(field), Some(identification)) => {
                    if field & FRAGMENT_OFFSET_MASK != 0 {
                        header.protocol = next;
                        header.fragment = Fragment::Later(identification);
                        return;
                    }
                    if field & MORE_FRAGMENTS_V6 != 0 {
                        header.fragment = Fragment::First(identification);
                    }
                    8
                }
                _ => return,
            },
            _ => {
                header.payload = Some(at);
                return;
            }
        };
        header.protocol = next;
        at += size;
    }
}

/// Return the home address in the body of a type 2 routing header or of destination options.
#[cold]
fn find_home_address(protocol: u8, body: &[u8]) -> Option<[u8; 16]> {
    const TYPE_2: u8 = 2;
    const PAD1: u8 = 0;
    const HOME_ADDRESS: u8 = 0xC9;
    if protocol == ROUTING {
        return if body.first() == Some(&TYPE_2) { body.get(6..22)?.try_into().ok() } else { None };
    }
    let mut at = 0;
    while let Some(&kind) = body.get(at) {
        if kind == PAD1 {
            at += 1;
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

/// Return the ports of a packet; 0 if it has none.
#[inline(always)]
fn find_ports(bytes: &[u8], header: &IpHeader) -> (u16, u16) {
    let Some(at) = header.payload else { return (0, 0) };
    if !matches!(header.protocol, TCP | UDP | DCCP | SCTP | UDP_LITE) || at + 4 > header.length as usize {
        return (0, 0);
    }
    match bytes.get(at..at + 4) {
        Some(&[a, b, c, d]) => (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])),
        _ => (0, 0),
    }
}
