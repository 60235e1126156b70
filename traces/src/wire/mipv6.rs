//! Mobility Headers of RFC 6275, with the options of RFC 5213 in them and the ESP of RFC 3776 around them.

use crate::wire::checksum::pseudo_header;
use crate::wire::packet_builder::{Packet, DEFAULT_HOP_LIMIT};
use crate::wire::tunnel::{write_routing_header, ROUTING_HEADER};
use crate::wire::{protocol, Ipv6Address};
use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};

const HOME_TEST_INIT: u8 = 1;
const CARE_OF_TEST_INIT: u8 = 2;
const HOME_TEST: u8 = 3;
const CARE_OF_TEST: u8 = 4;
const BINDING_UPDATE: u8 = 5;
const BINDING_ACKNOWLEDGEMENT: u8 = 6;
const PAD1: u8 = 0;
const PAD_N: u8 = 1;
/// Mobility options with a fixed length: type and length.
const ALTERNATE_CARE_OF_ADDRESS: [u8; 2] = [3, 16];
const NONCE_INDICES: [u8; 2] = [4, 4];
const BINDING_AUTHORIZATION_DATA: [u8; 2] = [5, AUTHENTICATOR_BYTES as u8];
/// Home network prefix of 64 bits (RFC 5213 8.3).
const HOME_NETWORK_PREFIX: [u8; 4] = [22, 18, 0, 64];
/// Handoff indicator: state unknown (RFC 5213 8.4).
const HANDOFF_INDICATOR: [u8; 4] = [23, 2, 0, 4];
/// Access technology: IEEE 802.11 (RFC 5213 8.5).
const ACCESS_TECHNOLOGY: [u8; 4] = [24, 2, 0, 4];
/// Mobile node identifier option (RFC 4283) and its subtype for a network access identifier.
const MOBILE_NODE_IDENTIFIER: u8 = 8;
const NETWORK_ACCESS_IDENTIFIER: u8 = 1;
/// Bytes of an HMAC-SHA1-96: the binding authorization data, and the integrity check value of ESP (RFC 2404).
const AUTHENTICATOR_BYTES: usize = 12;
/// A destination options header whose only option is a home address, behind its next header field: length, padding, option.
const HOME_ADDRESS_OPTION: [u8; 7] = [2, PAD_N, 2, 0, 0, 0xC9, 16];
const HOME_ADDRESS_OPTIONS_HEADER: usize = 24;

/// Position of the home address outside the Mobility Header.
#[derive(Clone, Copy)]
pub enum HomeAddress {
    Absent,
    /// In a home address destination option (RFC 6275 6.3), in place of the source address.
    Option(Ipv6Address),
    /// In a type 2 routing header (RFC 6275 6.4), in place of the destination address.
    Routing(Ipv6Address),
}

/// Key and inputs of the binding authorization data option (RFC 6275 6.2.7), with nonce indices (6.2.6) if there are any.
pub struct Authorization {
    pub key: Vec<u8>,
    pub nonces: Option<(u16, u16)>,
    pub care_of: Ipv6Address,
    pub correspondent: Ipv6Address,
}

/// Mobile node identifier and home network prefix of a proxy binding update (RFC 5213 8.1).
pub struct ProxyBinding {
    pub name: MobileNodeId,
    pub prefix: Ipv6Address,
}

/// ESP in transport mode with NULL encryption (RFC 3776, RFC 2410).
pub struct Esp {
    pub spi: u32,
    pub sequence: u32,
    pub key: Vec<u8>,
}

/// A network access identifier that fits into an option.
pub struct MobileNodeId(String);

impl MobileNodeId {
    const MAX_BYTES: usize = 253;

    /// Return the identifier, or the reason why it is invalid.
    pub fn new(name: String) -> Result<MobileNodeId, String> {
        match name.len() {
            1..=MobileNodeId::MAX_BYTES => Ok(MobileNodeId(name)),
            n => Err(format!("an identifier of {n} bytes; from 1 to {}", MobileNodeId::MAX_BYTES)),
        }
    }
}

/// Return Kbm = SHA1(home keygen token | care-of keygen token), without the latter for a deregistration (RFC 6275 5.2.5).
pub fn management_key(home: u64, care_of: Option<u64>) -> [u8; 20] {
    let mut hash = Sha1::new();
    hash.update(home.to_be_bytes());
    if let Some(token) = care_of {
        hash.update(token.to_be_bytes());
    }
    hash.finalize().into()
}

fn compute_authenticator(key: &[u8], parts: &[&[u8]]) -> [u8; AUTHENTICATOR_BYTES] {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    let full = mac.finalize().into_bytes();
    std::array::from_fn(|i| full[i])
}

/// Append Pad1 or PadN (RFC 6275 6.2.2, 6.2.3) until the length is `remainder` modulo 8.
fn pad(message: &mut Vec<u8>, remainder: usize) {
    match (8 + remainder - message.len() % 8) % 8 {
        0 => {}
        1 => message.push(PAD1),
        n => {
            message.extend([PAD_N, n as u8 - 2]);
            message.resize(message.len() + n - 2, 0);
        }
    }
}

/// Start a Mobility Header (RFC 6275 6.1.1) whose length and checksum are still 0.
fn start_message(kind: u8, data: &[&[u8]]) -> Vec<u8> {
    let mut message = vec![protocol::NO_NEXT_HEADER, 0, kind, 0, 0, 0];
    data.iter().for_each(|bytes| message.extend_from_slice(bytes));
    message
}

fn append_proxy_options(message: &mut Vec<u8>, proxy: &ProxyBinding) {
    let name = proxy.name.0.as_bytes();
    pad(message, 4);
    message.extend(HOME_NETWORK_PREFIX);
    message.extend(proxy.prefix);
    message.extend(HANDOFF_INDICATOR);
    message.extend(ACCESS_TECHNOLOGY);
    message.extend([MOBILE_NODE_IDENTIFIER, name.len() as u8 + 1, NETWORK_ACCESS_IDENTIFIER]);
    message.extend(name);
}

/// Set the length of a message after appending the authenticator over all its bytes, if there is one, and padding.
fn finish_message(message: &mut Vec<u8>, authorization: Option<Authorization>) {
    let Some(authorization) = authorization else {
        pad(message, 0);
        message[1] = header_length_field(message.len());
        return;
    };
    let Authorization { key, nonces, care_of, correspondent } = authorization;
    if let Some((home_nonce, care_of_nonce)) = nonces {
        message.extend(NONCE_INDICES);
        message.extend(home_nonce.to_be_bytes());
        message.extend(care_of_nonce.to_be_bytes());
    }
    pad(message, 2);
    message.extend(BINDING_AUTHORIZATION_DATA);
    message[1] = header_length_field(message.len() + AUTHENTICATOR_BYTES);
    let authenticator = compute_authenticator(&key, &[&care_of, &correspondent, message]);
    message.extend(authenticator);
}

/// Return the length field of a header: units of 8 bytes beyond the first.
fn header_length_field(bytes: usize) -> u8 {
    (bytes / 8 - 1) as u8
}

/// Build the packet of a finished message: checksum, ESP, home address, IPv6 header.
pub fn build_packet(
    source: Ipv6Address,
    destination: Ipv6Address,
    home: HomeAddress,
    mut message: Vec<u8>,
    esp: Option<Esp>,
) -> Packet {
    let (from, to) = match home {
        HomeAddress::Absent => (source, destination),
        HomeAddress::Option(address) => (address, destination),
        HomeAddress::Routing(address) => (source, address),
    };
    let sum = pseudo_header(&from, &to, protocol::MOBILITY, message.len() as u32).add(&message).finish();
    message[4..6].copy_from_slice(&sum.to_be_bytes());
    let mut next_header = protocol::MOBILITY;
    if let Some(esp) = &esp {
        message = wrap_in_esp(&message, esp);
        next_header = protocol::ESP;
    }
    let mut packet = Packet::from_bytes(&message);
    match home {
        HomeAddress::Absent => {}
        HomeAddress::Option(address) => {
            let header = packet.prepend(HOME_ADDRESS_OPTIONS_HEADER);
            header[0] = next_header;
            header[1..8].copy_from_slice(&HOME_ADDRESS_OPTION);
            header[8..24].copy_from_slice(&address);
            next_header = protocol::DESTINATION_OPTIONS;
        }
        HomeAddress::Routing(address) => {
            write_routing_header(packet.prepend(ROUTING_HEADER), next_header, &address);
            next_header = protocol::ROUTING;
        }
    }
    packet.prepend_ip(&source, &destination, next_header, DEFAULT_HOP_LIMIT, 0);
    packet
}

/// Wrap a message in ESP (RFC 4303 2) with padding 1, 2, 3, … and an integrity check value.
fn wrap_in_esp(message: &[u8], security: &Esp) -> Vec<u8> {
    let mut esp = security.spi.to_be_bytes().to_vec();
    esp.extend(security.sequence.to_be_bytes());
    esp.extend_from_slice(message);
    let padding = (4 - (message.len() + 2) % 4) % 4;
    esp.extend(1..=padding as u8);
    esp.extend([padding as u8, protocol::MOBILITY]);
    let integrity_check_value = compute_authenticator(&security.key, &[&esp]);
    esp.extend(integrity_check_value);
    esp
}

/// Build a binding update (RFC 6275 6.1.7). The lifetime is in units of 4 s.
pub fn binding_update(
    source: Ipv6Address,
    destination: Ipv6Address,
    home: Option<Ipv6Address>,
    sequence: u16,
    flags: u16,
    lifetime: u16,
    alternate: Option<Ipv6Address>,
    authorization: Option<Authorization>,
    proxy: Option<ProxyBinding>,
    esp: Option<Esp>,
) -> Packet {
    let fields = [sequence.to_be_bytes(), flags.to_be_bytes(), lifetime.to_be_bytes()];
    let mut message = start_message(BINDING_UPDATE, &[&fields.concat()]);
    if let Some(address) = alternate {
        pad(&mut message, 6);
        message.extend(ALTERNATE_CARE_OF_ADDRESS);
        message.extend(address);
    }
    if let Some(proxy) = proxy {
        append_proxy_options(&mut message, &proxy);
    }
    finish_message(&mut message, authorization);
    build_packet(source, destination, home.map_or(HomeAddress::Absent, HomeAddress::Option), message, esp)
}

/// Build a binding acknowledgement (RFC 6275 6.1.8). The lifetime is in units of 4 s.
pub fn binding_acknowledgement(
    source: Ipv6Address,
    destination: Ipv6Address,
    home: Option<Ipv6Address>,
    status: u8,
    flags: u8,
    sequence: u16,
    lifetime: u16,
    authorization: Option<Authorization>,
    proxy: Option<ProxyBinding>,
    esp: Option<Esp>,
) -> Packet {
    let fields: [&[u8]; 3] = [&[status, flags], &sequence.to_be_bytes(), &lifetime.to_be_bytes()];
    let mut message = start_message(BINDING_ACKNOWLEDGEMENT, &fields);
    if let Some(proxy) = proxy {
        append_proxy_options(&mut message, &proxy);
    }
    finish_message(&mut message, authorization);
    build_packet(source, destination, home.map_or(HomeAddress::Absent, HomeAddress::Routing), message, esp)
}

/// Build a home or care-of test init (RFC 6275 6.1.3, 6.1.4).
pub fn test_init(source: Ipv6Address, destination: Ipv6Address, of_home: bool, cookie: u64) -> Packet {
    let kind = if of_home { HOME_TEST_INIT } else { CARE_OF_TEST_INIT };
    let mut message = start_message(kind, &[&[0, 0], &cookie.to_be_bytes()]);
    finish_message(&mut message, None);
    build_packet(source, destination, HomeAddress::Absent, message, None)
}

/// Build a home or care-of test (RFC 6275 6.1.5, 6.1.6).
pub fn test(
    source: Ipv6Address,
    destination: Ipv6Address,
    of_home: bool,
    nonce: u16,
    cookie: u64,
    token: u64,
) -> Packet {
    let kind = if of_home { HOME_TEST } else { CARE_OF_TEST };
    let fields: [&[u8]; 3] = [&nonce.to_be_bytes(), &cookie.to_be_bytes(), &token.to_be_bytes()];
    let mut message = start_message(kind, &fields);
    finish_message(&mut message, None);
    build_packet(source, destination, HomeAddress::Absent, message, None)
}
