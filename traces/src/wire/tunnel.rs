//! Tunnels around a packet, and the type 2 routing header.

use crate::wire::checksum::Checksum;
use crate::wire::packet_builder::{write_ipv4_checksum, Packet, DEFAULT_HOP_LIMIT};
use crate::wire::{protocol, IPV4_HEADER, IPV6_HEADER};

/// Longest packet that can still get another header of up to 60 bytes.
const MAX_LENGTH: usize = 65_535 - 60;
const GRE_HEADER: usize = 4;
const MINIMAL_FORWARDING_HEADER: usize = 12;
pub const ROUTING_HEADER: usize = 24;
const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86DD;
const UDP_HEADER: usize = 8;
const GTP_HEADER: usize = 8;
const GTP_PORT: u16 = 2152;
/// Version 1, protocol type GTP, and the flag that an extension header follows (3GPP TS 29.281 5.1).
const GTP_FLAGS: u8 = 0x30;
const GTP_EXTENSION_FLAG: u8 = 0x04;
const GTP_DATA: u8 = 255;
/// The QoS flow of all packets.
const QOS_FLOW: u8 = 9;
/// PDCP numbers have 12 bits by default.
const MAX_PDCP_NUMBER: u16 = 0x0FFF;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tunnel {
    /// IP in IP: RFC 2003, or RFC 2473 in IPv6.
    IpInIp,
    /// Minimal encapsulation with the original source address (RFC 2004).
    Minimal,
    /// GRE without checksum (RFC 2784).
    Gre,
    /// In place of a tunnel, a type 2 routing header (RFC 6275 6.4) with the care-of address as the destination.
    RoutingHeader,
    /// GTP-U (3GPP TS 29.281) over UDP without a checksum.
    GtpU(GtpExtensions),
}

/// Extension headers of a GTP-U packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GtpExtensions {
    /// PDU Session Container (3GPP TS 38.415 5.5.2) with a QoS flow identifier.
    session_container: bool,
    /// PDCP number (TS 29.281 5.2.2.2): the packet's number in its flow.
    pdcp_number: bool,
    /// The container's PDU type: on the way to the core network.
    uplink: bool,
}

impl GtpExtensions {
    /// Length in units of 4 bytes, and contents, of the PDU Session Containers of both directions, with their next header 0.
    const SESSION_CONTAINERS: [[u8; 4]; 2] = [[1, 0x00, QOS_FLOW, 0], [1, 0x10, QOS_FLOW, 0]];
    const SESSION_CONTAINER_TYPE: u8 = 0x85;
    const PDCP_NUMBER_TYPE: u8 = 0xC0;

    fn from_bits(bits: i32) -> GtpExtensions {
        GtpExtensions { session_container: bits & 1 != 0, pdcp_number: bits & 2 != 0, uplink: bits & 4 != 0 }
    }

    /// Append the extension headers to the optional fields, whose last byte is the type of the first one.
    fn append(self, header: &mut Vec<u8>, number: u16) {
        if self.pdcp_number {
            let [high, low] = (number & MAX_PDCP_NUMBER).to_be_bytes();
            *header.last_mut().expect("the optional fields") = GtpExtensions::PDCP_NUMBER_TYPE;
            header.extend([1, high, low, 0]);
        }
        if self.session_container {
            *header.last_mut().expect("the optional fields") = GtpExtensions::SESSION_CONTAINER_TYPE;
            header.extend(GtpExtensions::SESSION_CONTAINERS[usize::from(self.uplink)]);
        }
    }
}

impl Tunnel {
    /// Return the tunnel with this number in Python, where 0 is no tunnel.
    pub fn from_number(number: i32) -> Option<Tunnel> {
        Some(match number {
            1 => Tunnel::IpInIp,
            2 => Tunnel::Minimal,
            3 => Tunnel::Gre,
            4 => Tunnel::RoutingHeader,
            16..=23 => Tunnel::GtpU(GtpExtensions::from_bits(number - 16)),
            _ => return None,
        })
    }

    /// Encapsulate a packet; return None if this tunnel cannot carry it. `endpoint` is the tunnel endpoint identifier of GTP-U.
    #[inline(always)]
    pub fn encapsulate(
        self,
        packet: &mut Packet,
        source: &[u8],
        destination: &[u8],
        endpoint: u32,
    ) -> Option<()> {
        if packet.wire_length() > MAX_LENGTH {
            return None;
        }
        let (version, header) = packet.ip_header()?;
        let identification = if version == 4 { u16::from_be_bytes([header[4], header[5]]) } else { 0 };
        let (inner_protocol, ethertype) =
            if version == 4 { (protocol::IPV4, ETHERTYPE_IPV4) } else { (protocol::IPV6, ETHERTYPE_IPV6) };
        match self {
            Tunnel::IpInIp => {
                packet.prepend_ip(source, destination, inner_protocol, DEFAULT_HOP_LIMIT, identification);
            }
            Tunnel::Gre => {
                packet.prepend(GRE_HEADER)[2..4].copy_from_slice(&ethertype.to_be_bytes());
                packet.prepend_ip(source, destination, protocol::GRE, DEFAULT_HOP_LIMIT, identification);
            }
            Tunnel::Minimal if version == 4 && source.len() == 4 => {
                insert_minimal_header(packet, source, destination);
            }
            Tunnel::RoutingHeader if version == 6 && source.len() == 16 => {
                insert_routing_header(packet, destination);
            }
            Tunnel::GtpU(extensions) if source.len() == 4 => {
                prepend_gtp(packet, extensions, endpoint, identification);
                packet.prepend_ip(source, destination, protocol::UDP, DEFAULT_HOP_LIMIT, identification);
            }
            _ => return None,
        }
        Some(())
    }
}

/// Prepend a UDP header and a GTP-U header with its extension headers.
fn prepend_gtp(packet: &mut Packet, extensions: GtpExtensions, endpoint: u32, number: u16) {
    let mut optional = Vec::new();
    if extensions.session_container || extensions.pdcp_number {
        optional.extend([0; 4]);
        extensions.append(&mut optional, number);
    }
    let length = (packet.wire_length() + optional.len()) as u16;
    let header = packet.prepend(UDP_HEADER + GTP_HEADER + optional.len());
    header[..2].copy_from_slice(&GTP_PORT.to_be_bytes());
    header[2..4].copy_from_slice(&GTP_PORT.to_be_bytes());
    header[4..6].copy_from_slice(&(length + (UDP_HEADER + GTP_HEADER) as u16).to_be_bytes());
    header[8] = if optional.is_empty() { GTP_FLAGS } else { GTP_FLAGS | GTP_EXTENSION_FLAG };
    header[9] = GTP_DATA;
    header[10..12].copy_from_slice(&length.to_be_bytes());
    header[12..16].copy_from_slice(&endpoint.to_be_bytes());
    header[16..].copy_from_slice(&optional);
}

/// Insert a minimal forwarding header (RFC 2004 3.1), which takes over the addresses and the protocol of the IP header.
fn insert_minimal_header(packet: &mut Packet, source: &[u8], destination: &[u8]) {
    const ORIGINAL_SOURCE_PRESENT: u8 = 0x80;
    let length = (packet.wire_length() + MINIMAL_FORWARDING_HEADER) as u16;
    let (ip, forwarding) = packet.insert(IPV4_HEADER, MINIMAL_FORWARDING_HEADER);
    forwarding[0] = ip[9];
    forwarding[1] = ORIGINAL_SOURCE_PRESENT;
    forwarding[4..8].copy_from_slice(&ip[16..20]);
    forwarding[8..12].copy_from_slice(&ip[12..16]);
    let sum = Checksum::default().add(forwarding).finish();
    forwarding[2..4].copy_from_slice(&sum.to_be_bytes());
    ip[9] = protocol::MINIMAL;
    ip[2..4].copy_from_slice(&length.to_be_bytes());
    ip[12..16].copy_from_slice(source);
    ip[16..20].copy_from_slice(destination);
    write_ipv4_checksum(ip);
}

fn insert_routing_header(packet: &mut Packet, care_of: &[u8]) {
    let payload = (packet.wire_length() - IPV6_HEADER + ROUTING_HEADER) as u16;
    let (ip, header) = packet.insert(IPV6_HEADER, ROUTING_HEADER);
    write_routing_header(header, ip[6], &ip[24..40]);
    ip[4..6].copy_from_slice(&payload.to_be_bytes());
    ip[6] = protocol::ROUTING;
    ip[24..40].copy_from_slice(care_of);
}

/// Write a type 2 routing header with a home address into `ROUTING_HEADER` zero bytes.
pub fn write_routing_header(header: &mut [u8], next_header: u8, home: &[u8]) {
    const LENGTH: u8 = 2;
    const TYPE_2: u8 = 2;
    const SEGMENTS_LEFT: u8 = 1;
    header[..4].copy_from_slice(&[next_header, LENGTH, TYPE_2, SEGMENTS_LEFT]);
    header[8..24].copy_from_slice(home);
}
