//! Messages of Mobile IPv4 on UDP port 434, and agent discovery.

use crate::wire::checksum::Sum;
use crate::wire::packet::Packet;
use crate::wire::protocol;
use crate::wire::python::{made, Made};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use pyo3::prelude::*;

const PORT: u16 = 434;
/// Mobile-Home Authentication Extension (RFC 5944 3.5.2).
const MOBILE_HOME: u8 = 32;
/// The first index that is not reserved (RFC 5944 5.1); all associations are the first of their mobile node.
pub const SPI: u32 = 256;

pub type Address = [u8; 4];

/// A message whose fixed part is these fields: with the authentication extension over it, in UDP and IP.
fn sent<'py>(
    py: Python<'py>,
    source: Address,
    destination: Address,
    fields: &[&[u8]],
    key: &[u8],
) -> Made<'py> {
    let mut message = fields.concat();
    message.extend([MOBILE_HOME, 20]);
    message.extend(SPI.to_be_bytes());
    let mut mac = Hmac::<Md5>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(&message);
    message.extend(mac.finalize().into_bytes());
    let mut packet = Packet::new();
    packet.whole(&message);
    packet.udp(&source, &destination, (PORT, PORT));
    made(py, &packet)
}

/// Registration request (RFC 5944 3.3) or, with type 18, regional registration request (RFC 4857 9.1); without an agent the
/// binding update of route optimization, which has the same fields otherwise (draft-ietf-mobileip-optim).
#[pyfunction]
pub fn registration_request<'py>(
    py: Python<'py>,
    source: Address,
    destination: Address,
    kind: u8,
    flags: u8,
    lifetime_s: u16,
    home: Address,
    agent: Option<Address>,
    care_of: Address,
    identification: u64,
    key: &[u8],
) -> Made<'py> {
    let agent = agent.as_ref().map_or(&[][..], |address| address);
    let (lifetime, number) = (lifetime_s.to_be_bytes(), identification.to_be_bytes());
    let fields: [&[u8]; 6] = [&[kind, flags], &lifetime, &home, agent, &care_of, &number];
    sent(py, source, destination, &fields, key)
}

/// Registration reply (RFC 5944 3.4) or, with type 19, regional registration reply (RFC 4857 9.2).
#[pyfunction]
pub fn registration_reply<'py>(
    py: Python<'py>,
    source: Address,
    destination: Address,
    kind: u8,
    code: u8,
    lifetime_s: u16,
    home: Address,
    agent: Address,
    identification: u64,
    key: &[u8],
) -> Made<'py> {
    let fields: [&[u8]; 5] =
        [&[kind, code], &lifetime_s.to_be_bytes(), &home, &agent, &identification.to_be_bytes()];
    sent(py, source, destination, &fields, key)
}

/// Binding acknowledgement of route optimization; N says that the update was refused.
#[pyfunction]
pub fn optimization_acknowledgement<'py>(
    py: Python<'py>,
    source: Address,
    destination: Address,
    kind: u8,
    negative: bool,
    home: Address,
    identification: u64,
    key: &[u8],
) -> Made<'py> {
    let fields: [&[u8]; 3] = [&[kind, u8::from(negative) << 7, 0, 0], &home, &identification.to_be_bytes()];
    sent(py, source, destination, &fields, key)
}

/// ICMP over the bytes given, whose checksum is still 0; sent with a time to live of 1 (RFC 1256).
fn icmp<'py>(py: Python<'py>, source: Address, destination: Address, mut message: Vec<u8>) -> Made<'py> {
    let sum = Sum::default().bytes(&message).done();
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let mut packet = Packet::new();
    packet.whole(&message);
    packet.ip(&source, &destination, protocol::ICMP, 1, 0);
    made(py, &packet)
}

/// Router solicitation (RFC 1256 3).
#[pyfunction]
pub fn agent_solicitation<'py>(py: Python<'py>, source: Address, destination: Address) -> Made<'py> {
    icmp(py, source, destination, vec![10, 0, 0, 0, 0, 0, 0, 0])
}

/// Router advertisement with one address, and the mobility agent advertisement extension with one care-of address
/// (RFC 5944 2.1).
#[pyfunction]
pub fn agent_advertisement<'py>(
    py: Python<'py>,
    source: Address,
    destination: Address,
    lifetime_s: u16,
    sequence: u16,
    registration_lifetime_s: u16,
    flags: u16,
    router: Address,
    care_of: Address,
) -> Made<'py> {
    let fields: [&[u8]; 9] = [
        &[9, 0, 0, 0, 1, 2],
        &lifetime_s.to_be_bytes(),
        &router,
        &[0; 4], // preference
        &[16, 10],
        &sequence.to_be_bytes(),
        &registration_lifetime_s.to_be_bytes(),
        &flags.to_be_bytes(),
        &care_of,
    ];
    icmp(py, source, destination, fields.concat())
}
