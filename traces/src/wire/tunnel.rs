//! Tunnels around a packet, and the type 2 routing header.

use crate::wire::checksum::Sum;
use crate::wire::packet::{check_ipv4, Packet, HOPS};
use crate::wire::protocol;

/// Of a packet that still may get a header.
const LONGEST: usize = 65_535 - 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tunnel {
    /// IP in IP: RFC 2003, or RFC 2473 in IPv6.
    IpInIp,
    /// Minimal encapsulation with the source's address (RFC 2004).
    Minimal,
    /// RFC 2784 without checksum.
    Gre,
    /// Not a tunnel: a type 2 routing header (RFC 6275 6.4), and the care-of address as destination.
    RoutingHeader,
}

impl Tunnel {
    /// By its number in Python; 0 is none.
    pub fn of(number: i32) -> Option<Tunnel> {
        Some(match number {
            1 => Tunnel::IpInIp,
            2 => Tunnel::Minimal,
            3 => Tunnel::Gre,
            4 => Tunnel::RoutingHeader,
            _ => return None,
        })
    }

    /// Put it around the packet; None if it does not go around this one.
    #[inline(always)]
    pub fn around(self, packet: &mut Packet, source: &[u8], destination: &[u8]) -> Option<()> {
        if packet.length() > LONGEST {
            return None;
        }
        let (version, header) = packet.header()?;
        let identification = if version == 4 { u16::from_be_bytes([header[4], header[5]]) } else { 0 };
        let inner = if version == 4 { protocol::IPV4 } else { protocol::IPV6 };
        match self {
            Tunnel::IpInIp => packet.ip(source, destination, inner, HOPS, identification),
            Tunnel::Gre => {
                packet.prepend(4)[2..4]
                    .copy_from_slice(&(if version == 4 { 0x0800u16 } else { 0x86DD }).to_be_bytes());
                packet.ip(source, destination, protocol::GRE, HOPS, identification);
            }
            Tunnel::Minimal if version == 4 && source.len() == 4 => minimal(packet, source, destination),
            Tunnel::RoutingHeader if version == 6 && source.len() == 16 => routing(packet, destination),
            _ => return None,
        }
        Some(())
    }
}

/// RFC 2004, 3.1: the addresses and the protocol move into a header of 12 bytes behind the IP header.
fn minimal(packet: &mut Packet, source: &[u8], destination: &[u8]) {
    let length = (packet.length() + 12) as u16;
    let (ip, forwarding) = packet.insert(20, 12);
    forwarding[0] = ip[9];
    forwarding[1] = 0x80; // S: the original source address is there
    forwarding[4..8].copy_from_slice(&ip[16..20]);
    forwarding[8..12].copy_from_slice(&ip[12..16]);
    let sum = Sum::default().bytes(forwarding).done();
    forwarding[2..4].copy_from_slice(&sum.to_be_bytes());
    ip[9] = protocol::MINIMAL;
    ip[2..4].copy_from_slice(&length.to_be_bytes());
    ip[12..16].copy_from_slice(source);
    ip[16..20].copy_from_slice(destination);
    check_ipv4(ip);
}

fn routing(packet: &mut Packet, care_of: &[u8]) {
    let payload = (packet.length() - 40 + 24) as u16;
    let (ip, header) = packet.insert(40, 24);
    routing_header(header, ip[6], &ip[24..40]);
    ip[4..6].copy_from_slice(&payload.to_be_bytes());
    ip[6] = protocol::ROUTING;
    ip[24..40].copy_from_slice(care_of);
}

/// A type 2 routing header with a home address, in 24 zero bytes.
pub fn routing_header(header: &mut [u8], next: u8, home: &[u8]) {
    header[..4].copy_from_slice(&[next, 2, 2, 1]);
    header[8..24].copy_from_slice(home);
}
