//! Link-layer headers in front of the IP header (link types of tcpdump.org/linktypes.html).

use super::ethertype::{find_behind_ethertype, find_by_version};
use super::ieee80211::find_behind_radiotap;
use super::opaque::{IpPosition, Opaque};
use super::ppp::{find_behind_ppp, find_behind_pppoe};
use crate::io::byte_order::ByteOrder;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkLayer {
    Null,
    Ethernet,
    Loop,
    Ppp,
    PppHdlc,
    PppEthernet,
    Radiotap,
    Raw,
    RawIpv4,
    RawIpv6,
    LinuxCooked,
    LinuxCooked2,
}

/// The link types that `from_link_type` accepts, for the message that refuses another one.
pub const SUPPORTED: &str =
    "one of 0 (null), 1 (Ethernet), 9, 50 and 51 (PPP), 12, 14 and 101 (raw IP), 108 (loop), \
    113 and 276 (Linux cooked), 127 (IEEE 802.11 with radiotap), 228 (raw IPv4), 229 (raw IPv6)";

impl LinkLayer {
    pub fn from_link_type(link_type: u32) -> Option<LinkLayer> {
        Some(match link_type {
            0 => LinkLayer::Null,
            1 => LinkLayer::Ethernet,
            9 => LinkLayer::Ppp,
            50 => LinkLayer::PppHdlc,
            51 => LinkLayer::PppEthernet,
            // some systems write DLT_RAW as 12 or 14
            12 | 14 | 101 => LinkLayer::Raw,
            108 => LinkLayer::Loop,
            113 => LinkLayer::LinuxCooked,
            127 => LinkLayer::Radiotap,
            228 => LinkLayer::RawIpv4,
            229 => LinkLayer::RawIpv6,
            276 => LinkLayer::LinuxCooked2,
            _ => return None,
        })
    }

    /// Return the position of the IP header, or what the frame has in its place.
    #[inline(always)]
    pub fn find_ip_header(self, frame: &[u8]) -> IpPosition {
        match self {
            LinkLayer::Ethernet => find_behind_ethertype(frame, 12, 14),
            LinkLayer::LinuxCooked => find_behind_ethertype(frame, 14, 16),
            LinkLayer::LinuxCooked2 => find_behind_ethertype(frame, 0, 20),
            LinkLayer::Raw => find_by_version(frame, 0),
            LinkLayer::RawIpv4 => Ok((0, 4)),
            LinkLayer::RawIpv6 => Ok((0, 6)),
            LinkLayer::Ppp => find_behind_ppp(frame, 0),
            LinkLayer::PppHdlc => find_behind_hdlc(frame),
            LinkLayer::PppEthernet => find_behind_pppoe(frame, 0),
            LinkLayer::Radiotap => find_behind_radiotap(frame),
            LinkLayer::Loop => find_behind_family(ByteOrder::Big.read_u32(frame, 0)),
            // the byte order is that of the recording host, which need not be that of the file
            LinkLayer::Null => find_behind_family(ByteOrder::Little.read_u32(frame, 0))
                .or_else(|_| find_behind_family(ByteOrder::Big.read_u32(frame, 0))),
        }
    }

    /// Return whether a frame has further packets behind the one that is read.
    #[inline(always)]
    pub fn has_further_packets(self, frame: &[u8]) -> bool {
        self == LinkLayer::Radiotap && super::ieee80211::has_further_packets(frame)
    }
}

/// Find the IP header behind the four bytes of an address family.
///
/// AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on macOS.
fn find_behind_family(family: Option<u32>) -> IpPosition {
    match family {
        Some(2) => Ok((4, 4)),
        Some(10 | 24 | 28 | 30) => Ok((4, 6)),
        _ => Err(Opaque::NotIp),
    }
}

/// Find the IP header in an HDLC frame: of PPP, or of Cisco, which states an Ethernet type (RFC 1547 4.3.1).
#[inline(never)]
fn find_behind_hdlc(frame: &[u8]) -> IpPosition {
    match frame {
        [0x0F | 0x8F, ..] => find_behind_ethertype(frame, 2, 4),
        _ => find_behind_ppp(frame, 0),
    }
}
