//! Link-layer headers in front of the IP header (link types of tcpdump.org/linktypes.html).

use crate::io::byte_order::{read_net_u16, ByteOrder};

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86DD;
/// 802.1Q, 802.1ad and the older double tag.
const ETHERTYPES_VLAN: [u16; 3] = [0x8100, 0x88A8, 0x9100];
/// Unicast and multicast (RFC 3032, RFC 5332).
const ETHERTYPES_MPLS: [u16; 2] = [0x8847, 0x8848];
const ETHERTYPE_PPPOE_SESSION: u16 = 0x8864;
const PPP_IPV4: u16 = 0x0021;
const PPP_IPV6: u16 = 0x0057;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkLayer {
    Null,
    Ethernet,
    Loop,
    Raw,
    RawIpv4,
    RawIpv6,
    LinuxCooked,
    LinuxCooked2,
}

/// The link types that `from_link_type` accepts, for the message that refuses another one.
pub const SUPPORTED: &str = "one of 0 (null), 1 (Ethernet), 12, 14 and 101 (raw IP), 108 (loop), \
    113 and 276 (Linux cooked), 228 (raw IPv4), 229 (raw IPv6)";

impl LinkLayer {
    pub fn from_link_type(link_type: u32) -> Option<LinkLayer> {
        Some(match link_type {
            0 => LinkLayer::Null,
            1 => LinkLayer::Ethernet,
            // some systems write DLT_RAW as 12 or 14
            12 | 14 | 101 => LinkLayer::Raw,
            108 => LinkLayer::Loop,
            113 => LinkLayer::LinuxCooked,
            228 => LinkLayer::RawIpv4,
            229 => LinkLayer::RawIpv6,
            276 => LinkLayer::LinuxCooked2,
            _ => return None,
        })
    }

    /// Return offset and version (4 or 6) of the IP header; None if the frame is not IP or is cut before it.
    #[inline(always)]
    pub fn find_ip_header(self, frame: &[u8]) -> Option<(usize, u8)> {
        match self {
            LinkLayer::Ethernet => find_behind_ethertype(frame, 12, 14),
            LinkLayer::LinuxCooked => find_behind_ethertype(frame, 14, 16),
            LinkLayer::LinuxCooked2 => find_behind_ethertype(frame, 0, 20),
            LinkLayer::Raw => find_by_version(frame, 0),
            LinkLayer::RawIpv4 => Some((0, 4)),
            LinkLayer::RawIpv6 => Some((0, 6)),
            LinkLayer::Loop => find_behind_family(ByteOrder::Big.read_u32(frame, 0)?),
            // the byte order is that of the recording host, which need not be that of the file
            LinkLayer::Null => find_behind_family(ByteOrder::Little.read_u32(frame, 0)?)
                .or_else(|| find_behind_family(ByteOrder::Big.read_u32(frame, 0)?)),
        }
    }
}

/// Find the IP header behind the Ethernet type at `type_at`, whose payload begins at `payload`; skip VLAN tags, MPLS labels and
/// PPPoE.
#[inline(always)]
fn find_behind_ethertype(frame: &[u8], type_at: usize, payload: usize) -> Option<(usize, u8)> {
    let mut ethertype = read_net_u16(frame, type_at)?;
    let mut start = payload;
    while ETHERTYPES_VLAN.contains(&ethertype) {
        ethertype = read_net_u16(frame, start + 2)?;
        start += 4;
    }
    match ethertype {
        ETHERTYPE_IPV4 => Some((start, 4)),
        ETHERTYPE_IPV6 => Some((start, 6)),
        ETHERTYPE_PPPOE_SESSION => match read_net_u16(frame, start + 6)? {
            PPP_IPV4 => Some((start + 8, 4)),
            PPP_IPV6 => Some((start + 8, 6)),
            _ => None,
        },
        ethertype if ETHERTYPES_MPLS.contains(&ethertype) => find_behind_mpls_labels(frame, start),
        _ => None,
    }
}

/// Find the IP header behind an MPLS label stack.
///
/// The stack does not state its payload. IP is recognised by its version (RFC 4928); a pseudowire's control word begins with 0.
fn find_behind_mpls_labels(frame: &[u8], mut start: usize) -> Option<(usize, u8)> {
    const BOTTOM_OF_STACK: u8 = 1;
    while frame.get(start + 2)? & BOTTOM_OF_STACK == 0 {
        start += 4;
    }
    find_by_version(frame, start + 4)
}

#[inline(always)]
fn find_by_version(frame: &[u8], start: usize) -> Option<(usize, u8)> {
    match frame.get(start)? >> 4 {
        version @ (4 | 6) => Some((start, version)),
        _ => None,
    }
}

/// Find the IP header behind the four bytes of an address family.
///
/// AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on macOS.
fn find_behind_family(family: u32) -> Option<(usize, u8)> {
    match family {
        2 => Some((4, 4)),
        10 | 24 | 28 | 30 => Some((4, 6)),
        _ => None,
    }
}
