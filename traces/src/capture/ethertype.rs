//! IP headers behind an Ethernet type: VLAN tags, MPLS labels, PPPoE, and LLC frames with and without SNAP.

use super::opaque::{IpPosition, Opaque};
use super::ppp::find_behind_pppoe;
use crate::io::byte_order::read_net_u16;

pub const IPV4: u16 = 0x0800;
pub const IPV6: u16 = 0x86DD;
/// 802.1Q, 802.1ad and the older double tag.
const VLAN: [u16; 3] = [0x8100, 0x88A8, 0x9100];
/// Unicast and multicast (RFC 3032, RFC 5332).
const MPLS_UNICAST: u16 = 0x8847;
const MPLS_MULTICAST: u16 = 0x8848;
const PPPOE_SESSION: u16 = 0x8864;
const MACSEC: u16 = 0x88E5;
const PROVIDER_BACKBONE: u16 = 0x88E7;
const TRILL: u16 = 0x22F3;
const SERVICE_HEADER: u16 = 0x894F;
/// Up to this value the field is the length of an IEEE 802.3 frame with an LLC header.
const MAX_LENGTH: u16 = 1500;
/// SNAP headers of an LLC frame: RFC 1042, and IEEE 802.1H for bridges.
const SNAP: [[u8; 6]; 2] = [[0xAA, 0xAA, 3, 0, 0, 0], [0xAA, 0xAA, 3, 0, 0, 0xF8]];
/// LLC header of IP with a service access point of its own.
const LLC_IP: [u8; 3] = [6, 6, 3];
const SNAP_BYTES: usize = 8;

/// Find the IP header behind the Ethernet type at `type_at`, whose payload begins at `payload`.
#[inline(always)]
pub fn find_behind_ethertype(frame: &[u8], type_at: usize, payload: usize) -> IpPosition {
    let mut ethertype = read_net_u16(frame, type_at).ok_or(Opaque::NotIp)?;
    let mut start = payload;
    while VLAN.contains(&ethertype) {
        ethertype = read_net_u16(frame, start + 2).ok_or(Opaque::NotIp)?;
        start += 4;
    }
    match ethertype {
        IPV4 => Ok((start, 4)),
        IPV6 => Ok((start, 6)),
        _ => find_behind_other_type(frame, ethertype, start),
    }
}

#[inline(never)]
fn find_behind_other_type(frame: &[u8], ethertype: u16, start: usize) -> IpPosition {
    match ethertype {
        0..=MAX_LENGTH => find_behind_llc(frame, start),
        PPPOE_SESSION => find_behind_pppoe(frame, start),
        MPLS_UNICAST | MPLS_MULTICAST => find_behind_mpls_labels(frame, start),
        MACSEC => Err(Opaque::Macsec),
        PROVIDER_BACKBONE => Err(Opaque::ProviderBackbone),
        TRILL => Err(Opaque::Trill),
        SERVICE_HEADER => Err(Opaque::ServiceHeader),
        _ => Err(Opaque::NotIp),
    }
}

/// Find the IP header behind an LLC header, with SNAP (RFC 1042) or without (service access point 6).
#[inline(never)]
pub fn find_behind_llc(frame: &[u8], start: usize) -> IpPosition {
    let header = frame.get(start..).unwrap_or_default();
    if SNAP.iter().any(|snap| header.starts_with(snap)) {
        return match read_net_u16(frame, start + 6) {
            // a length is no type, and a frame may not nest without end
            Some(0..=MAX_LENGTH) | None => Err(Opaque::NotIp),
            Some(_) => find_behind_ethertype(frame, start + 6, start + SNAP_BYTES),
        };
    }
    if header.starts_with(&LLC_IP) {
        return find_by_version(frame, start + LLC_IP.len());
    }
    // spanning tree, NetBIOS, IS-IS, and SNAP of a vendor
    Err(Opaque::NotIp)
}

/// Find the IP header behind an MPLS label stack.
///
/// The stack does not state its payload. IP is recognised by its version (RFC 4928); a pseudowire's control word begins with 0.
/// A pseudowire without a control word begins with an Ethernet address, which may look like an IP version: so the header
/// checksum of IPv4 must be right too, or absent as from a sender that leaves it to its network card.
fn find_behind_mpls_labels(frame: &[u8], mut start: usize) -> IpPosition {
    const BOTTOM_OF_STACK: u8 = 1;
    while frame.get(start + 2).ok_or(Opaque::NotIp)? & BOTTOM_OF_STACK == 0 {
        start += 4;
    }
    start += 4;
    let payload = frame.get(start..).filter(|rest| !rest.is_empty()).ok_or(Opaque::NotIp)?;
    let (position, version) = find_by_version(frame, start).map_err(|_| Opaque::Pseudowire)?;
    if version == 4 && !has_ipv4_checksum(payload) {
        return Err(Opaque::Pseudowire);
    }
    Ok((position, version))
}

/// Return whether the checksum of an IPv4 header is right or absent; true if the header is cut off.
fn has_ipv4_checksum(packet: &[u8]) -> bool {
    let Some(header) = packet.get(..usize::from(packet[0] & 15) * 4) else { return true };
    let sum: u32 = header.chunks_exact(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]]))).sum();
    let folded = (sum & 0xFFFF) + (sum >> 16);
    header.len() >= 20 && (folded == 0xFFFF || header[10..12] == [0, 0])
}

#[inline(always)]
pub fn find_by_version(frame: &[u8], start: usize) -> IpPosition {
    match frame.get(start).ok_or(Opaque::NotIp)? >> 4 {
        version @ (4 | 6) => Ok((start, version)),
        _ => Err(Opaque::NotIp),
    }
}
