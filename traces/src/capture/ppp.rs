//! IP headers in PPP (RFC 1661), also in HDLC-like framing (RFC 1662) and over Ethernet (RFC 2516).

use super::opaque::{IpPosition, Opaque};
use crate::io::byte_order::read_net_u16;

const IPV4: u16 = 0x0021;
const IPV6: u16 = 0x0057;
/// Multilink, and compressed or encrypted packets, of all links or of one (RFC 1990, RFC 1962, RFC 1968).
const TRANSFORMED: [u16; 6] = [0x003D, 0x0053, 0x0055, 0x00FB, 0x00FD, 0x00FF];
/// Van Jacobson and robust header compression (RFC 1332, RFC 3241).
const COMPRESSED_HEADERS: [u16; 4] = [0x002D, 0x002F, 0x0003, 0x0005];
const PPPOE_HEADER: usize = 6;

/// Find the IP header behind a PPP header at `start`, with or without the address and control bytes of HDLC.
#[inline(never)]
pub fn find_behind_ppp(frame: &[u8], mut start: usize) -> IpPosition {
    if frame.get(start..start + 2) == Some(&[0xFF, 0x03]) {
        start += 2;
    }
    let first = *frame.get(start).ok_or(Opaque::NotIp)?;
    // the upper byte of a protocol number may be left out if it is 0; only the last byte is odd (RFC 1661 6.5)
    let (protocol, size) = if first & 1 == 1 {
        (u16::from(first), 1)
    } else {
        (read_net_u16(frame, start).ok_or(Opaque::NotIp)?, 2)
    };
    match protocol {
        IPV4 => Ok((start + size, 4)),
        IPV6 => Ok((start + size, 6)),
        other if TRANSFORMED.contains(&other) || COMPRESSED_HEADERS.contains(&other) => {
            Err(Opaque::PppTransformed)
        }
        _ => Err(Opaque::NotIp),
    }
}

/// Find the IP header behind a PPPoE header at `start`; other codes than 0 belong to the discovery stage.
#[inline(never)]
pub fn find_behind_pppoe(frame: &[u8], start: usize) -> IpPosition {
    match frame.get(start + 1) {
        Some(0) => find_behind_ppp(frame, start + PPPOE_HEADER),
        _ => Err(Opaque::NotIp),
    }
}
