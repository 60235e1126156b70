//! Messages of Mobile IPv4: registration on UDP port 434, and agent discovery.

use crate::wire::checksum::Checksum;
use crate::wire::packet_builder::Packet;
use crate::wire::{protocol, Ipv4Address};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;

const REGISTRATION_PORT: u16 = 434;
/// Mobile-Home Authentication Extension (RFC 5944 3.5.2): type, and length of the SPI and an HMAC-MD5.
const MOBILE_HOME_AUTHENTICATION: [u8; 2] = [32, 20];
/// The first security parameters index that is not reserved (RFC 5944 5.1); every mobile node uses its first association.
const SPI: u32 = 256;
const ROUTER_ADVERTISEMENT: u8 = 9;
const ROUTER_SOLICITATION: u8 = 10;
/// Mobility agent advertisement extension with one care-of address (RFC 5944 2.1.1): type and length.
const MOBILITY_AGENT_ADVERTISEMENT: [u8; 2] = [16, 10];
/// Time to live of router discovery (RFC 1256).
const LINK_LOCAL_TTL: u8 = 1;

/// Build a registration message from the fields of its fixed part, with the authentication extension.
fn build_registration(source: Ipv4Address, destination: Ipv4Address, fields: &[&[u8]], key: &[u8]) -> Packet {
    let mut message = fields.concat();
    message.extend(MOBILE_HOME_AUTHENTICATION);
    message.extend(SPI.to_be_bytes());
    let mut mac = Hmac::<Md5>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(&message);
    message.extend(mac.finalize().into_bytes());
    let mut packet = Packet::from_bytes(&message);
    packet.prepend_udp(&source, &destination, (REGISTRATION_PORT, REGISTRATION_PORT));
    packet
}

/// Build a registration request (RFC 5944 3.3).
///
/// With type 18 it is a regional registration request (RFC 4857 9.1). Without an agent it is the binding update of route
/// optimization, whose other fields are the same (draft-ietf-mobileip-optim).
pub fn registration_request(
    source: Ipv4Address,
    destination: Ipv4Address,
    kind: u8,
    flags: u8,
    lifetime_s: u16,
    home: Ipv4Address,
    agent: Option<Ipv4Address>,
    care_of: Ipv4Address,
    identification: u64,
    key: &[u8],
) -> Packet {
    let agent = agent.as_ref().map_or(&[][..], |address| address);
    let (lifetime, identification) = (lifetime_s.to_be_bytes(), identification.to_be_bytes());
    let fields: [&[u8]; 6] = [&[kind, flags], &lifetime, &home, agent, &care_of, &identification];
    build_registration(source, destination, &fields, key)
}

/// Build a registration reply (RFC 5944 3.4) or, with type 19, a regional registration reply (RFC 4857 9.2).
pub fn registration_reply(
    source: Ipv4Address,
    destination: Ipv4Address,
    kind: u8,
    code: u8,
    lifetime_s: u16,
    home: Ipv4Address,
    agent: Ipv4Address,
    identification: u64,
    key: &[u8],
) -> Packet {
    let fields: [&[u8]; 5] =
        [&[kind, code], &lifetime_s.to_be_bytes(), &home, &agent, &identification.to_be_bytes()];
    build_registration(source, destination, &fields, key)
}

/// Build a binding acknowledgement of route optimization (draft-ietf-mobileip-optim). If `negative` is true, its N bit states
/// that the update was refused.
pub fn optimization_acknowledgement(
    source: Ipv4Address,
    destination: Ipv4Address,
    kind: u8,
    negative: bool,
    home: Ipv4Address,
    identification: u64,
    key: &[u8],
) -> Packet {
    let fields: [&[u8]; 3] = [&[kind, u8::from(negative) << 7, 0, 0], &home, &identification.to_be_bytes()];
    build_registration(source, destination, &fields, key)
}

/// Build an ICMP packet from a message whose checksum is still 0.
fn build_icmp(source: Ipv4Address, destination: Ipv4Address, mut message: Vec<u8>) -> Packet {
    let sum = Checksum::default().add(&message).finish();
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let mut packet = Packet::from_bytes(&message);
    packet.prepend_ip(&source, &destination, protocol::ICMP, LINK_LOCAL_TTL, 0);
    packet
}

/// Build a router solicitation (RFC 1256 3).
pub fn agent_solicitation(source: Ipv4Address, destination: Ipv4Address) -> Packet {
    build_icmp(source, destination, vec![ROUTER_SOLICITATION, 0, 0, 0, 0, 0, 0, 0])
}

/// Build a router advertisement of one address with the mobility agent advertisement extension of one care-of address
/// (RFC 5944 2.1).
pub fn agent_advertisement(
    source: Ipv4Address,
    destination: Ipv4Address,
    lifetime_s: u16,
    sequence: u16,
    registration_lifetime_s: u16,
    flags: u16,
    router: Ipv4Address,
    care_of: Ipv4Address,
) -> Packet {
    const ADDRESSES: u8 = 1;
    const WORDS_PER_ADDRESS: u8 = 2;
    let fields: [&[u8]; 9] = [
        &[ROUTER_ADVERTISEMENT, 0, 0, 0, ADDRESSES, WORDS_PER_ADDRESS],
        &lifetime_s.to_be_bytes(),
        &router,
        &[0; 4], // preference
        &MOBILITY_AGENT_ADVERTISEMENT,
        &sequence.to_be_bytes(),
        &registration_lifetime_s.to_be_bytes(),
        &flags.to_be_bytes(),
        &care_of,
    ];
    build_icmp(source, destination, fields.concat())
}
