//! ICMPv6 messages: neighbour discovery (RFC 4861), dynamic home agent address discovery (RFC 6275 6.5, 6.6),
//! and others that the caller composes.

use crate::wire::checksum::pseudo_header;
use crate::wire::packet_builder::{Packet, DEFAULT_HOP_LIMIT};
use crate::wire::{protocol, Ipv6Address};

const ROUTER_SOLICITATION: u8 = 133;
const ROUTER_ADVERTISEMENT: u8 = 134;
const NEIGHBOR_ADVERTISEMENT: u8 = 136;
const HOME_AGENT_DISCOVERY_REQUEST: u8 = 144;
const HOME_AGENT_DISCOVERY_REPLY: u8 = 145;
/// Hop limit of neighbour discovery, which shows that no router has forwarded the packet (RFC 4861 6.1).
const UNFORWARDED_HOP_LIMIT: u8 = 255;
const HOME_AGENT_FLAG: u8 = 0x20;
const OVERRIDE_FLAG: u8 = 0x20;
/// Source link-layer address option (RFC 4861 4.6.1): type, and length in units of 8 bytes.
const SOURCE_LINK_LAYER_ADDRESS: [u8; 2] = [1, 1];
/// Target link-layer address option (RFC 4861 4.6.1): type, and length in units of 8 bytes.
const TARGET_LINK_LAYER_ADDRESS: [u8; 2] = [2, 1];
/// Prefix information option (RFC 4861 4.6.2): type, and length in units of 8 bytes.
const PREFIX_INFORMATION: [u8; 2] = [3, 4];
const PREFIX_BITS: u8 = 64;
/// On-link, autonomous, and router address: the option carries the router's whole address (RFC 6275 7.2).
const PREFIX_FLAGS: u8 = 0xE0;
/// AdvValidLifetime and AdvPreferredLifetime (RFC 4861 6.2.1).
const VALID_LIFETIME_S: u32 = 2_592_000;
const PREFERRED_LIFETIME_S: u32 = 604_800;

/// Build an ICMPv6 packet from a message whose checksum is still 0.
pub fn build_icmpv6(
    source: Ipv6Address,
    destination: Ipv6Address,
    hop_limit: u8,
    mut message: Vec<u8>,
) -> Packet {
    let sum = pseudo_header(&source, &destination, protocol::ICMPV6, message.len() as u32).add(&message);
    message[2..4].copy_from_slice(&sum.finish().to_be_bytes());
    let mut packet = Packet::from_bytes(&message);
    packet.prepend_ip(&source, &destination, protocol::ICMPV6, hop_limit, 0);
    packet
}

/// Build a router solicitation (RFC 4861 4.1) from the link-layer address `link`.
pub fn router_solicitation(source: Ipv6Address, destination: Ipv6Address, link: [u8; 6]) -> Packet {
    let mut message = vec![ROUTER_SOLICITATION, 0, 0, 0, 0, 0, 0, 0];
    message.extend(SOURCE_LINK_LAYER_ADDRESS);
    message.extend(link);
    build_icmpv6(source, destination, UNFORWARDED_HOP_LIMIT, message)
}

/// Build a neighbour advertisement for `target` with the O bit, as a proxy sends it (RFC 4861 4.4, RFC 6275 10.4.1).
pub fn neighbor_advertisement(
    source: Ipv6Address,
    destination: Ipv6Address,
    target: Ipv6Address,
    link: [u8; 6],
) -> Packet {
    let mut message = vec![NEIGHBOR_ADVERTISEMENT, 0, 0, 0, OVERRIDE_FLAG, 0, 0, 0];
    message.extend(target);
    message.extend(TARGET_LINK_LAYER_ADDRESS);
    message.extend(link);
    build_icmpv6(source, destination, UNFORWARDED_HOP_LIMIT, message)
}

/// Build a router advertisement (RFC 4861 4.2) of one prefix of 64 bits; `home_agent` is its H bit (RFC 6275 7.1).
pub fn router_advertisement(
    source: Ipv6Address,
    destination: Ipv6Address,
    link: [u8; 6],
    lifetime_s: u16,
    home_agent: bool,
    router: Ipv6Address,
) -> Packet {
    let flags = if home_agent { HOME_AGENT_FLAG } else { 0 };
    let mut message = vec![ROUTER_ADVERTISEMENT, 0, 0, 0, DEFAULT_HOP_LIMIT, flags];
    message.extend(lifetime_s.to_be_bytes());
    message.extend([0; 8]); // reachable time and retransmission timer: unspecified
    message.extend(SOURCE_LINK_LAYER_ADDRESS);
    message.extend(link);
    message.extend(PREFIX_INFORMATION);
    message.extend([PREFIX_BITS, PREFIX_FLAGS]);
    message.extend(VALID_LIFETIME_S.to_be_bytes());
    message.extend(PREFERRED_LIFETIME_S.to_be_bytes());
    message.extend([0; 4]);
    message.extend(router);
    build_icmpv6(source, destination, UNFORWARDED_HOP_LIMIT, message)
}

/// Build a home agent address discovery request or, with the agent's address, its reply.
pub fn home_agent_discovery(
    source: Ipv6Address,
    destination: Ipv6Address,
    identifier: u16,
    agent: Option<Ipv6Address>,
) -> Packet {
    let kind = if agent.is_some() { HOME_AGENT_DISCOVERY_REPLY } else { HOME_AGENT_DISCOVERY_REQUEST };
    let mut message = vec![kind, 0, 0, 0];
    message.extend(identifier.to_be_bytes());
    message.extend([0; 2]);
    message.extend(agent.iter().flatten());
    build_icmpv6(source, destination, DEFAULT_HOP_LIMIT, message)
}
