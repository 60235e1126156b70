//! Where the IP header begins behind each link-layer header (link types of tcpdump.org/linktypes.html).

use crate::bytes::{net16, Order};

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86DD;
/// 802.1Q, 802.1ad and the older double tag.
const VLAN: [u16; 3] = [0x8100, 0x88A8, 0x9100];
/// Unicast and multicast (RFC 3032, 5332).
const MPLS: [u16; 2] = [0x8847, 0x8848];
const PPPOE_SESSION: u16 = 0x8864;
const PPP_IPV4: u16 = 0x0021;
const PPP_IPV6: u16 = 0x0057;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Null,
    Ethernet,
    Loop,
    Raw,
    RawIpv4,
    RawIpv6,
    LinuxCooked,
    LinuxCooked2,
}

/// What `of_type` accepts, for the message that refuses another.
pub const SUPPORTED: &str = "one of 0 (null), 1 (Ethernet), 12, 14 and 101 (raw IP), 108 (loop), \
    113 and 276 (Linux cooked), 228 (raw IPv4), 229 (raw IPv6)";

impl Link {
    pub fn of_type(link_type: u32) -> Option<Link> {
        Some(match link_type {
            0 => Link::Null,
            1 => Link::Ethernet,
            // 12 and 14 are what some systems write for DLT_RAW
            12 | 14 | 101 => Link::Raw,
            108 => Link::Loop,
            113 => Link::LinuxCooked,
            228 => Link::RawIpv4,
            229 => Link::RawIpv6,
            276 => Link::LinuxCooked2,
            _ => return None,
        })
    }

    /// Offset of the IP header and its version (4 or 6); None if the frame is not IP or cut before it.
    #[inline(always)]
    pub fn ip_header(self, frame: &[u8]) -> Option<(usize, u8)> {
        match self {
            Link::Ethernet => behind_ethertype(frame, 12, 14),
            Link::LinuxCooked => behind_ethertype(frame, 14, 16),
            Link::LinuxCooked2 => behind_ethertype(frame, 0, 20),
            Link::Raw => match frame.first()? >> 4 {
                version @ (4 | 6) => Some((0, version)),
                _ => None,
            },
            Link::RawIpv4 => Some((0, 4)),
            Link::RawIpv6 => Some((0, 6)),
            Link::Loop => family(Order::Big.u32(frame, 0)?),
            // the writer's byte order, which need not be that of the file
            Link::Null => family(Order::Little.u32(frame, 0)?).or_else(|| family(Order::Big.u32(frame, 0)?)),
        }
    }
}

/// `type_at` holds the Ethernet type, `payload` is where it leads; VLAN tags, MPLS labels and PPPoE are stepped over.
#[inline(always)]
fn behind_ethertype(frame: &[u8], type_at: usize, payload: usize) -> Option<(usize, u8)> {
    let mut ethertype = net16(frame, type_at)?;
    let mut start = payload;
    while VLAN.contains(&ethertype) {
        ethertype = net16(frame, start + 2)?;
        start += 4;
    }
    match ethertype {
        ETHERTYPE_IPV4 => Some((start, 4)),
        ETHERTYPE_IPV6 => Some((start, 6)),
        PPPOE_SESSION => match net16(frame, start + 6)? {
            PPP_IPV4 => Some((start + 8, 4)),
            PPP_IPV6 => Some((start + 8, 6)),
            _ => None,
        },
        label if MPLS.contains(&label) => behind_labels(frame, start),
        _ => None,
    }
}

/// What is below an MPLS label stack is not named: IP shows in its version (RFC 4928); a control word begins with 0.
fn behind_labels(frame: &[u8], mut start: usize) -> Option<(usize, u8)> {
    const BOTTOM: u8 = 1;
    while frame.get(start + 2)? & BOTTOM == 0 {
        start += 4;
    }
    start += 4;
    match frame.get(start)? >> 4 {
        version @ (4 | 6) => Some((start, version)),
        _ => None,
    }
}

/// AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on macOS.
fn family(value: u32) -> Option<(usize, u8)> {
    match value {
        2 => Some((4, 4)),
        10 | 24 | 28 | 30 => Some((4, 6)),
        _ => None,
    }
}
