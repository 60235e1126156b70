//! ICMPv6: router discovery (RFC 4861) and dynamic home agent address discovery (RFC 6275 6.5, 6.6).

use crate::wire::checksum::pseudo_header;
use crate::wire::packet::{Packet, HOPS};
use crate::wire::protocol;
use crate::wire::python::{made, Made};
use pyo3::prelude::*;

pub type Address = [u8; 16];
/// What neighbour discovery wants (RFC 4861 6.1).
const UNTOUCHED: u8 = 255;

fn icmp<'py>(
    py: Python<'py>,
    source: Address,
    destination: Address,
    hops: u8,
    mut message: Vec<u8>,
) -> Made<'py> {
    let over = pseudo_header(&source, &destination, protocol::ICMPV6, message.len() as u32);
    let sum = over.bytes(&message).done();
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let mut packet = Packet::new();
    packet.whole(&message);
    packet.ip(&source, &destination, protocol::ICMPV6, hops, 0);
    made(py, &packet)
}

/// Source link-layer address option (4.6.1).
fn link_layer(address: [u8; 6]) -> impl Iterator<Item = u8> {
    [1, 1].into_iter().chain(address)
}

/// Router solicitation (4.1).
#[pyfunction]
pub fn router_solicitation<'py>(
    py: Python<'py>,
    source: Address,
    destination: Address,
    link: [u8; 6],
) -> Made<'py> {
    let mut message = vec![133, 0, 0, 0, 0, 0, 0, 0];
    message.extend(link_layer(link));
    icmp(py, source, destination, UNTOUCHED, message)
}

/// Router advertisement (4.2) with one prefix of 64 bits; `home_agent` is the H bit (RFC 6275 7.1).
#[pyfunction]
pub fn router_advertisement<'py>(
    py: Python<'py>,
    source: Address,
    destination: Address,
    link: [u8; 6],
    lifetime_s: u16,
    home_agent: bool,
    router: Address,
) -> Made<'py> {
    let mut message = vec![134, 0, 0, 0, HOPS, if home_agent { 0x20 } else { 0 }];
    message.extend(lifetime_s.to_be_bytes());
    message.extend([0; 8]); // reachable and retransmission time: not said
    message.extend(link_layer(link));
    // on link, autonomous, and the whole address of the router (RFC 6275 7.2)
    message.extend([3, 4, 64, 0xE0]);
    message.extend(2_592_000u32.to_be_bytes()); // AdvValidLifetime (6.2.1)
    message.extend(604_800u32.to_be_bytes()); // AdvPreferredLifetime
    message.extend([0; 4]);
    message.extend(router);
    icmp(py, source, destination, UNTOUCHED, message)
}

/// Home agent address discovery request or, with the agent's address, its reply.
#[pyfunction]
#[pyo3(signature = (source, destination, identifier, agent=None))]
pub fn home_agent_discovery<'py>(
    py: Python<'py>,
    source: Address,
    destination: Address,
    identifier: u16,
    agent: Option<Address>,
) -> Made<'py> {
    let mut message = vec![if agent.is_some() { 145 } else { 144 }, 0, 0, 0];
    message.extend(identifier.to_be_bytes());
    message.extend([0; 2]);
    message.extend(agent.iter().flatten());
    icmp(py, source, destination, HOPS, message)
}
