//! Data packets: the headers of a flow, and as many zeros as the packet has payload.

use crate::wire::checksum::pseudo_header;
use crate::wire::packet::{non_zero, Packet, HOPS};
use crate::wire::{header_length, protocol};

/// What the headers of a flow say; ICMP has an identifier and a type in the place of ports.
#[derive(Clone, Copy)]
pub struct Flow {
    pub protocol: u8,
    pub ports: (u16, u16),
}

/// What those of one packet say.
#[derive(Clone, Copy)]
pub struct Numbers {
    /// Of the packet in its flow.
    pub number: u32,
    pub sequence: u32,
    pub acknowledgement: u32,
}

/// Bytes of the header behind IP.
fn transport_length(protocol: u8) -> usize {
    match protocol {
        protocol::TCP => 20,
        protocol::UDP | protocol::ICMP | protocol::ICMPV6 => 8,
        _ => 0,
    }
}

/// A packet of `length` bytes, of which `kept` are wanted; None if it is shorter than its IP header.
///
/// One that is too short for the header behind IP gets protocol 253, which is for experiments, and no such header.
#[inline(always)]
pub fn make(
    packet: &mut Packet,
    flow: &Flow,
    source: &[u8],
    destination: &[u8],
    length: usize,
    numbers: Numbers,
    kept: usize,
) -> Option<()> {
    let version = if source.len() == 4 { 4 } else { 6 };
    let payload = length.checked_sub(header_length(version))?;
    let known = matches!(
        (flow.protocol, version),
        (protocol::TCP | protocol::UDP, _) | (protocol::ICMP, 4) | (protocol::ICMPV6, 6)
    );
    let kind = if known && payload >= transport_length(flow.protocol) {
        flow.protocol
    } else {
        protocol::EXPERIMENT
    };
    let body = packet.begin(kept.max(transport_length(kind)), payload);
    let size = (payload as u16).to_be_bytes();
    let (first, second) = (flow.ports.0.to_be_bytes(), flow.ports.1.to_be_bytes());
    let number = (numbers.number as u16).to_be_bytes();
    // the payload is zero: the sum over the header is that over all of it
    match kind {
        protocol::UDP => {
            body[..2].copy_from_slice(&first);
            body[2..4].copy_from_slice(&second);
            body[4..6].copy_from_slice(&size);
            let sum = pseudo_header(source, destination, kind, payload as u32).bytes(&body[..8]).done();
            body[6..8].copy_from_slice(&non_zero(sum).to_be_bytes());
        }
        protocol::TCP => {
            body[..2].copy_from_slice(&first);
            body[2..4].copy_from_slice(&second);
            body[4..8].copy_from_slice(&numbers.sequence.to_be_bytes());
            body[8..12].copy_from_slice(&numbers.acknowledgement.to_be_bytes());
            body[12] = 0x50;
            body[13] = if payload > 20 { 0x18 } else { 0x10 }; // push and acknowledge, or acknowledge
            body[14..16].copy_from_slice(&[0xFF, 0xFF]);
            let sum = pseudo_header(source, destination, kind, payload as u32).bytes(&body[..20]).done();
            body[16..18].copy_from_slice(&sum.to_be_bytes());
        }
        protocol::ICMP | protocol::ICMPV6 => {
            body[0] = flow.ports.1 as u8;
            body[4..6].copy_from_slice(&first);
            body[6..8].copy_from_slice(&number);
            let over = match kind {
                protocol::ICMP => Default::default(),
                _ => pseudo_header(source, destination, kind, payload as u32),
            };
            let sum = over.bytes(&body[..8]).done();
            body[2..4].copy_from_slice(&sum.to_be_bytes());
        }
        _ => {}
    }
    packet.ip(source, destination, kind, HOPS, numbers.number as u16);
    Some(())
}
