//! Data packets: the headers of a flow and a payload of zeros.

use crate::wire::checksum::{pseudo_header, Checksum};
use crate::wire::packet_builder::{nonzero_checksum, Packet, DEFAULT_HOP_LIMIT};
use crate::wire::{ip_header_length, protocol};

const TCP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;
const ICMP_HEADER: usize = 8;
/// Shortest payload of the UDP ports whose protocol has one. A packet recorded in IPv4 has 20 bytes less of it in IPv6.
const UDP_MESSAGES: [(u16, usize); 13] = [
    // DNS, NetBIOS names, multicast DNS and LLMNR: RFC 1035 4.1.1, 1002 4.2.1, 6762 18, 4795 2.1.1
    (53, 12),
    (137, 12),
    (5353, 12),
    (5355, 12),
    // BOOTP and DHCP: RFC 951 3
    (67, 300),
    (68, 300),
    // TFTP: RFC 1350 5; NTP: RFC 5905 7.3; DHCPv6: RFC 8415 8
    (69, 4),
    (123, 48),
    (546, 4),
    (547, 4),
    // ESP: RFC 3948 2.1; VXLAN with an Ethernet header: RFC 7348 5; Geneve: RFC 8926 3.4
    (4500, 4),
    (4789, 22),
    (6081, 8),
];
const TCP_HEADER_LENGTH: u8 = 0x50;
const TCP_ACK: u8 = 0x10;
const TCP_PUSH_ACK: u8 = 0x18;
const TCP_WINDOW: [u8; 2] = [0xFF, 0xFF];

/// The header fields that all packets of a flow share.
#[derive(Clone, Copy)]
pub struct FlowFields {
    pub protocol: u8,
    /// For ICMP, the identifier and the type.
    pub ports: (u16, u16),
}

/// The header fields that number the packets of a flow.
#[derive(Clone, Copy)]
pub struct SequenceNumbers {
    /// Position of the packet in its flow.
    pub number: u32,
    pub sequence: u32,
    pub acknowledgement: u32,
}

fn transport_header_length(protocol: u8) -> usize {
    match protocol {
        protocol::TCP => TCP_HEADER,
        protocol::UDP => UDP_HEADER,
        protocol::ICMP | protocol::ICMPV6 => ICMP_HEADER,
        _ => 0,
    }
}

/// The shortest payload of an IP packet of a flow that dissectors accept.
fn shortest_payload(flow: &FlowFields) -> usize {
    let (source, destination) = flow.ports;
    let matches = |port: u16| flow.protocol == protocol::UDP && (port == source || port == destination);
    let message = UDP_MESSAGES.iter().filter(|(port, _)| matches(*port)).map(|(_, bytes)| *bytes).max();
    transport_header_length(flow.protocol) + message.unwrap_or(0)
}

/// Build a packet of `length` bytes, of which at least `captured` are present; return None if it is shorter than its IP header.
///
/// A packet too short for its transport header or the message of its port, or of another protocol, gets protocol 253 (for
/// experiments) and no such header.
#[inline(always)]
pub fn build_data_packet(
    packet: &mut Packet,
    flow: &FlowFields,
    source: &[u8],
    destination: &[u8],
    length: usize,
    numbers: SequenceNumbers,
    captured: usize,
) -> Option<()> {
    let version = if source.len() == 4 { 4 } else { 6 };
    let payload = length.checked_sub(ip_header_length(version))?;
    let is_known = matches!(
        (flow.protocol, version),
        (protocol::TCP | protocol::UDP, _) | (protocol::ICMP, 4) | (protocol::ICMPV6, 6)
    );
    let kind =
        if is_known && payload >= shortest_payload(flow) { flow.protocol } else { protocol::EXPERIMENT };
    let body = packet.start_body(captured.max(transport_header_length(kind)), payload);
    let size = (payload as u16).to_be_bytes();
    let (first, second) = (flow.ports.0.to_be_bytes(), flow.ports.1.to_be_bytes());
    let number = (numbers.number as u16).to_be_bytes();
    // the payload is zero, so the sum over the header equals the sum over the whole packet
    match kind {
        protocol::UDP => {
            body[..2].copy_from_slice(&first);
            body[2..4].copy_from_slice(&second);
            body[4..6].copy_from_slice(&size);
            let sum = pseudo_header(source, destination, kind, payload as u32).add(&body[..UDP_HEADER]);
            body[6..8].copy_from_slice(&nonzero_checksum(sum.finish()).to_be_bytes());
        }
        protocol::TCP => {
            body[..2].copy_from_slice(&first);
            body[2..4].copy_from_slice(&second);
            body[4..8].copy_from_slice(&numbers.sequence.to_be_bytes());
            body[8..12].copy_from_slice(&numbers.acknowledgement.to_be_bytes());
            body[12] = TCP_HEADER_LENGTH;
            body[13] = if payload > TCP_HEADER { TCP_PUSH_ACK } else { TCP_ACK };
            body[14..16].copy_from_slice(&TCP_WINDOW);
            let sum = pseudo_header(source, destination, kind, payload as u32).add(&body[..TCP_HEADER]);
            body[16..18].copy_from_slice(&sum.finish().to_be_bytes());
        }
        protocol::ICMP | protocol::ICMPV6 => {
            body[0] = flow.ports.1 as u8;
            body[4..6].copy_from_slice(&first);
            body[6..8].copy_from_slice(&number);
            let sum = match kind {
                protocol::ICMP => Checksum::default(),
                _ => pseudo_header(source, destination, kind, payload as u32),
            };
            let sum = sum.add(&body[..ICMP_HEADER]).finish();
            body[2..4].copy_from_slice(&sum.to_be_bytes());
        }
        _ => {}
    }
    packet.prepend_ip(source, destination, kind, DEFAULT_HOP_LIMIT, numbers.number as u16);
    Some(())
}
