//! Tunnels in UDP: GTP-U, VXLAN, Geneve, Teredo and Mobile IP's own; and ports of content that is not looked into.

use super::ethertype::{find_behind_ethertype, IPV4, IPV6};
use super::ip_header::IpHeader;
use super::opaque::{IpPosition, Opaque};
use crate::io::byte_order::{read_net_u16, ByteOrder};

const UDP: u8 = 17;
const UDP_HEADER: usize = 8;
/// 3GPP TS 29.281 4.4.2.
const GTP_U: u16 = 2152;
/// RFC 7348, and the port that Linux used before.
const VXLAN: u16 = 4789;
const VXLAN_LINUX: u16 = 8472;
/// RFC 8926.
const GENEVE: u16 = 6081;
/// RFC 4380.
const TEREDO: u16 = 3544;
/// RFC 3519: the port of registrations also carries data.
const MOBILE_IP: u16 = 434;
const ESP_IN_UDP: u16 = 4500;
const WIREGUARD: u16 = 51_820;
const L2TP: u16 = 1701;

const PORTS: [u16; 9] = [GTP_U, VXLAN, VXLAN_LINUX, GENEVE, TEREDO, MOBILE_IP, ESP_IN_UDP, WIREGUARD, L2TP];
/// A bit for the low six bits of each port. Nearly all packets have neither port, and two shifts show it.
const PORT_BITS: u64 = {
    let (mut bits, mut i) = (0, 0);
    while i < PORTS.len() {
        bits |= 1 << (PORTS[i] & 63);
        i += 1;
    }
    bits
};

/// Return the port that says that a UDP packet may be a tunnel.
#[inline(always)]
pub fn find_tunnel_port(bytes: &[u8], header: &IpHeader) -> Option<u16> {
    if header.protocol != UDP {
        return None;
    }
    let at = header.payload?;
    let &[a, b, c, d] = bytes.get(at..at + 4)? else { return None };
    let (source, destination) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    if (PORT_BITS >> (source & 63) | PORT_BITS >> (destination & 63)) & 1 == 0 {
        return None;
    }
    match_tunnel_port(source, destination)
}

#[inline(never)]
fn match_tunnel_port(source: u16, destination: u16) -> Option<u16> {
    match (source, destination) {
        (_, GTP_U | VXLAN | VXLAN_LINUX | GENEVE | MOBILE_IP) => Some(destination),
        (_, TEREDO | ESP_IN_UDP | WIREGUARD | L2TP) => Some(destination),
        // the other direction of a conversation with such a port; agents tunnel to the port of the mobile node (RFC 3519 4.2)
        (TEREDO | ESP_IN_UDP | WIREGUARD | L2TP | MOBILE_IP, _) => Some(source),
        _ => None,
    }
}

/// Return the offset in `bytes` and the version of the IP packet in a UDP packet whose UDP header is at `at`.
pub fn find_inner_packet(bytes: &[u8], header: &IpHeader, at: usize) -> IpPosition {
    let port = find_tunnel_port(bytes, header).ok_or(Opaque::NotIp)?;
    let end = bytes.len().min(header.length as usize);
    let start = at + UDP_HEADER;
    let payload = bytes.get(start..end).ok_or(Opaque::CutTunnel)?;
    let (offset, version) = match port {
        GTP_U => find_in_gtp(payload, udp_payload_length(bytes, at))?,
        VXLAN | VXLAN_LINUX => find_in_vxlan(payload)?,
        GENEVE => find_in_geneve(payload)?,
        TEREDO => find_in_teredo(payload)?,
        MOBILE_IP => find_in_mobile_ip(payload)?,
        _ => return Err(classify_opaque(port, payload)),
    };
    Ok((start + offset, version))
}

fn udp_payload_length(bytes: &[u8], at: usize) -> usize {
    read_net_u16(bytes, at + 4).map_or(0, usize::from).saturating_sub(UDP_HEADER)
}

/// Find the IP packet of a GTP-U data packet, behind the optional fields and the extension headers (3GPP TS 29.281 5).
fn find_in_gtp(payload: &[u8], udp_length: usize) -> IpPosition {
    const VERSION_1: u8 = 0x30;
    const VERSION_MASK: u8 = 0xF0;
    const OPTIONAL_FIELDS: u8 = 0x07;
    const EXTENSION: u8 = 0x04;
    const DATA: u8 = 255;
    const FIXED: usize = 8;
    const LENGTH_UNIT: usize = 4;
    let (flags, kind) = match payload {
        [flags, kind, ..] => (*flags, *kind),
        _ => return Err(Opaque::CutTunnel),
    };
    if flags & VERSION_MASK != VERSION_1 || kind != DATA {
        return Err(Opaque::NotIp);
    }
    let length = usize::from(read_net_u16(payload, 2).ok_or(Opaque::CutTunnel)?);
    if FIXED + length > udp_length {
        return Err(Opaque::NotIp);
    }
    let mut at = FIXED;
    if flags & OPTIONAL_FIELDS != 0 {
        at += 4;
        // without its flag the type of the next extension header has no meaning
        let mut next = *payload.get(at - 1).ok_or(Opaque::CutTunnel)?;
        while flags & EXTENSION != 0 && next != 0 {
            let size = usize::from(*payload.get(at).ok_or(Opaque::CutTunnel)?) * LENGTH_UNIT;
            if size == 0 {
                return Err(Opaque::GtpOther);
            }
            at += size;
            next = *payload.get(at - 1).ok_or(Opaque::CutTunnel)?;
        }
    }
    if at >= FIXED + length {
        return Err(Opaque::NotIp); // without a packet, as an end marker
    }
    find_version(payload, at, Opaque::GtpOther)
}

/// Find the IP packet in the Ethernet frame behind a VXLAN header (RFC 7348 5).
fn find_in_vxlan(payload: &[u8]) -> IpPosition {
    const HEADER: usize = 8;
    const HAS_IDENTIFIER: u8 = 0x08;
    match payload.first() {
        Some(flags) if flags & HAS_IDENTIFIER != 0 => find_in_ethernet(payload, HEADER),
        Some(_) => Err(Opaque::NotIp),
        None => Err(Opaque::CutTunnel),
    }
}

/// Find the IP packet behind a Geneve header and its options (RFC 8926 3.4): in an Ethernet frame or alone.
fn find_in_geneve(payload: &[u8]) -> IpPosition {
    const HEADER: usize = 8;
    const ETHERNET: u16 = 0x6558;
    const OPTIONS_MASK: u8 = 0x3F;
    let first = *payload.first().ok_or(Opaque::CutTunnel)?;
    if first >> 6 != 0 {
        return Err(Opaque::NotIp);
    }
    let start = HEADER + usize::from(first & OPTIONS_MASK) * 4;
    match read_net_u16(payload, 2).ok_or(Opaque::CutTunnel)? {
        IPV4 => Ok((start, 4)),
        IPV6 => Ok((start, 6)),
        ETHERNET => find_in_ethernet(payload, start),
        _ => Err(Opaque::GeneveOther),
    }
}

/// Find the IP packet in an Ethernet frame at `start`. A frame of another protocol, as ARP, is no IP packet.
fn find_in_ethernet(payload: &[u8], start: usize) -> IpPosition {
    const TYPE: usize = 12;
    const HEADER: usize = 14;
    if payload.len() < start + HEADER {
        return Err(Opaque::CutTunnel);
    }
    find_behind_ethertype(payload, start + TYPE, start + HEADER)
}

/// Find the IPv6 packet behind the authentication and origin indications of Teredo (RFC 4380 5.1.1).
fn find_in_teredo(payload: &[u8]) -> IpPosition {
    const ORIGIN: [u8; 2] = [0, 0];
    const AUTHENTICATION: [u8; 2] = [0, 1];
    const ORIGIN_BYTES: usize = 8;
    /// Bytes of an authentication indication without its identifier and value, whose lengths are in its third and fourth byte.
    const AUTHENTICATION_BYTES: usize = 13;
    let mut at = 0;
    if payload.starts_with(&AUTHENTICATION) {
        let &[identifier, value] = payload.get(2..4).ok_or(Opaque::CutTunnel)? else {
            return Err(Opaque::NotIp);
        };
        at = AUTHENTICATION_BYTES + usize::from(identifier) + usize::from(value);
    }
    if payload.get(at..).is_some_and(|rest| rest.starts_with(&ORIGIN)) {
        at += ORIGIN_BYTES;
    }
    match find_version(payload, at, Opaque::NotIp)? {
        (at, 6) => Ok((at, 6)),
        _ => Err(Opaque::NotIp),
    }
}

/// Find the IP packet in a Mobile IP tunnel data message with IP in IP (RFC 3519 3.3).
fn find_in_mobile_ip(payload: &[u8]) -> IpPosition {
    const TUNNEL_DATA: u8 = 4;
    const IP_IN_IP: u8 = 4;
    const HEADER: usize = 4;
    match payload {
        [TUNNEL_DATA, IP_IN_IP, 0, 0, ..] => find_version(payload, HEADER, Opaque::NotIp),
        _ => Err(Opaque::NotIp),
    }
}

fn find_version(payload: &[u8], at: usize, other: Opaque) -> IpPosition {
    match payload.get(at).ok_or(Opaque::CutTunnel)? >> 4 {
        version @ (4 | 6) => Ok((at, version)),
        _ => Err(other),
    }
}

/// Return what a UDP packet with one of these ports carries.
fn classify_opaque(port: u16, payload: &[u8]) -> Opaque {
    /// Message type 4 of WireGuard, transport data, and three zero bytes.
    const WIREGUARD_DATA: u32 = 0x0400_0000;
    /// Bit of an L2TP header that says that it is a control message (RFC 2661 3.1).
    const L2TP_CONTROL: u8 = 0x80;
    let word = ByteOrder::Big.read_u32(payload, 0);
    match (port, word) {
        // a zero word begins a message of IKE, and a single byte keeps the translation alive (RFC 3948 2)
        (ESP_IN_UDP, Some(word)) if word != 0 => Opaque::EspInUdp,
        (WIREGUARD, Some(WIREGUARD_DATA)) => Opaque::WireGuard,
        (L2TP, Some(_)) if payload[0] & L2TP_CONTROL == 0 => Opaque::L2tp,
        _ => Opaque::NotIp,
    }
}
