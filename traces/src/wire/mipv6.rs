//! Mobility Headers of RFC 6275 with what RFC 5213, 5380 and 3776 put in them or around them.

use crate::wire::checksum::pseudo_header;
use crate::wire::neighbour::Address;
use crate::wire::packet::{Packet, HOPS};
use crate::wire::protocol;
use crate::wire::python::{made, Made};
use crate::wire::tunnel::routing_header;
use hmac::{Hmac, KeyInit, Mac};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sha1::{Digest, Sha1};

const HOME_TEST_INIT: u8 = 1;
const CARE_OF_TEST_INIT: u8 = 2;
const HOME_TEST: u8 = 3;
const CARE_OF_TEST: u8 = 4;
const BINDING_UPDATE: u8 = 5;
const BINDING_ACKNOWLEDGEMENT: u8 = 6;
/// Of the authenticator of both, and of the integrity check value of ESP (RFC 2404): HMAC-SHA1-96.
const AUTHENTICATOR: usize = 12;

/// Where the home address travels outside the Mobility Header.
#[derive(Clone, Copy)]
pub enum Home {
    Nowhere,
    /// In a home address destination option (6.3): it is the real source.
    Option(Address),
    /// In a type 2 routing header (6.4): it is the real destination.
    Routing(Address),
}

/// The binding authorization data option (6.2.7), and the nonce indices (6.2.6) if there are any.
#[derive(FromPyObject)]
pub struct Authorization {
    pub key: Vec<u8>,
    pub nonces: Option<(u16, u16)>,
    pub care_of: Address,
    pub correspondent: Address,
}

/// What a proxy binding update is about (RFC 5213 8.1): the mobile node's name and its home network prefix.
#[derive(FromPyObject)]
pub struct Proxy {
    pub name: Name,
    pub prefix: Address,
}

/// ESP in transport mode with NULL encryption (RFC 3776, RFC 2410).
#[derive(FromPyObject)]
pub struct Security {
    pub index: u32,
    pub sequence: u32,
    pub key: Vec<u8>,
}

/// A network access identifier that fits into an option.
pub struct Name(String);

impl<'py> FromPyObject<'_, 'py> for Name {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Name> {
        let name: String = object.extract()?;
        match name.len() {
            1..=253 => Ok(Name(name)),
            n => Err(PyValueError::new_err(format!("an identifier of {n} bytes: it has 1 to 253"))),
        }
    }
}

/// Kbm = SHA1(home keygen token | care-of keygen token), without the latter for a deregistration (5.2.5).
#[pyfunction]
#[pyo3(signature = (home, care_of=None))]
pub fn management_key(py: Python<'_>, home: u64, care_of: Option<u64>) -> Made<'_> {
    let mut hash = Sha1::new();
    hash.update(home.to_be_bytes());
    if let Some(token) = care_of {
        hash.update(token.to_be_bytes());
    }
    PyBytes::new(py, &hash.finalize())
}

fn authenticator(key: &[u8], parts: &[&[u8]]) -> [u8; AUTHENTICATOR] {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    std::array::from_fn(|i| mac.clone().finalize().into_bytes()[i])
}

/// Pad1 or PadN (6.2.2, 6.2.3) until the length is `rest` modulo 8.
fn pad(message: &mut Vec<u8>, rest: usize) {
    match (8 + rest - message.len() % 8) % 8 {
        0 => {}
        1 => message.push(0),
        n => {
            message.extend([1, n as u8 - 2]);
            message.resize(message.len() + n - 2, 0);
        }
    }
}

/// A message of a type (6.1.1), its checksum and length still 0.
fn begin(kind: u8, data: &[&[u8]]) -> Vec<u8> {
    let mut message = vec![protocol::NONE, 0, kind, 0, 0, 0];
    data.iter().for_each(|bytes| message.extend_from_slice(bytes));
    message
}

/// Of a proxy update or acknowledgement.
fn add_proxy(message: &mut Vec<u8>, proxy: &Proxy) {
    pad(message, 4);
    message.extend([22, 18, 0, 64]); // home network prefix (RFC 5213 8.3)
    message.extend(proxy.prefix);
    message.extend([23, 2, 0, 4]); // handoff indicator: state unknown (8.4)
    message.extend([24, 2, 0, 4]); // access technology: IEEE 802.11 (8.5)
    message.extend([8, proxy.name.0.len() as u8 + 1, 1]); // mobile node identifier: a NAI (RFC 4283)
    message.extend(proxy.name.0.as_bytes());
}

/// The end of a message: the authenticator over all before it, if there is one, and padding.
fn finish(message: &mut Vec<u8>, authorization: Option<Authorization>) {
    let Some(a) = authorization else {
        pad(message, 0);
        message[1] = (message.len() / 8 - 1) as u8;
        return;
    };
    if let Some((home, care_of)) = a.nonces {
        message.extend([4, 4]);
        message.extend(home.to_be_bytes());
        message.extend(care_of.to_be_bytes());
    }
    pad(message, 2);
    message.extend([5, AUTHENTICATOR as u8]);
    message[1] = ((message.len() + AUTHENTICATOR) / 8 - 1) as u8;
    let value = authenticator(&a.key, &[&a.care_of, &a.correspondent, message]);
    message.extend(value);
}

/// Checksum, ESP, home address, IPv6.
fn sent<'py>(
    py: Python<'py>,
    source: Address,
    destination: Address,
    home: Home,
    mut message: Vec<u8>,
    security: Option<Security>,
) -> Made<'py> {
    let (from, to) = match home {
        Home::Nowhere => (source, destination),
        Home::Option(address) => (address, destination),
        Home::Routing(address) => (source, address),
    };
    let sum = pseudo_header(&from, &to, protocol::MOBILITY, message.len() as u32).bytes(&message).done();
    message[4..6].copy_from_slice(&sum.to_be_bytes());
    let mut next = protocol::MOBILITY;
    if let Some(security) = &security {
        message = encapsulated(&message, security);
        next = protocol::ESP;
    }
    let mut packet = Packet::new();
    packet.whole(&message);
    match home {
        Home::Nowhere => {}
        Home::Option(address) => {
            let header = packet.prepend(24);
            // padded to 8n + 6
            header[..8].copy_from_slice(&[next, 2, 1, 2, 0, 0, 0xC9, 16]);
            header[8..24].copy_from_slice(&address);
            next = protocol::DESTINATION_OPTIONS;
        }
        Home::Routing(address) => {
            routing_header(packet.prepend(24), next, &address);
            next = protocol::ROUTING;
        }
    }
    packet.ip(&source, &destination, next, HOPS, 0);
    made(py, &packet)
}

/// RFC 4303, 2.
fn encapsulated(message: &[u8], security: &Security) -> Vec<u8> {
    let mut esp = security.index.to_be_bytes().to_vec();
    esp.extend(security.sequence.to_be_bytes());
    esp.extend_from_slice(message);
    let padding = (4 - (message.len() + 2) % 4) % 4;
    esp.extend(1..=padding as u8);
    esp.extend([padding as u8, protocol::MOBILITY]);
    let value = authenticator(&security.key, &[&esp]);
    esp.extend(value);
    esp
}

/// Binding update (6.1.7); lifetime in units of 4 s.
#[pyfunction]
#[pyo3(signature = (
    source, destination, home, sequence, flags, lifetime, alternate=None, authorization=None, proxy=None, esp=None
))]
pub fn binding_update<'py>(
    py: Python<'py>,
    source: Address,
    destination: Address,
    home: Option<Address>,
    sequence: u16,
    flags: u16,
    lifetime: u16,
    alternate: Option<Address>,
    authorization: Option<Authorization>,
    proxy: Option<Proxy>,
    esp: Option<Security>,
) -> Made<'py> {
    let fixed = [sequence.to_be_bytes(), flags.to_be_bytes(), lifetime.to_be_bytes()];
    let mut message = begin(BINDING_UPDATE, &[&fixed.concat()]);
    if let Some(address) = alternate {
        pad(&mut message, 6);
        message.extend([3, 16]);
        message.extend(address);
    }
    if let Some(proxy) = proxy {
        add_proxy(&mut message, &proxy);
    }
    finish(&mut message, authorization);
    sent(py, source, destination, home.map_or(Home::Nowhere, Home::Option), message, esp)
}

/// Binding acknowledgement (6.1.8).
#[pyfunction]
#[pyo3(signature = (
    source, destination, home, status, flags, sequence, lifetime, authorization=None, proxy=None, esp=None
))]
pub fn binding_acknowledgement<'py>(
    py: Python<'py>,
    source: Address,
    destination: Address,
    home: Option<Address>,
    status: u8,
    flags: u8,
    sequence: u16,
    lifetime: u16,
    authorization: Option<Authorization>,
    proxy: Option<Proxy>,
    esp: Option<Security>,
) -> Made<'py> {
    let fixed: [&[u8]; 3] = [&[status, flags], &sequence.to_be_bytes(), &lifetime.to_be_bytes()];
    let mut message = begin(BINDING_ACKNOWLEDGEMENT, &fixed);
    if let Some(proxy) = proxy {
        add_proxy(&mut message, &proxy);
    }
    finish(&mut message, authorization);
    sent(py, source, destination, home.map_or(Home::Nowhere, Home::Routing), message, esp)
}

/// Home or care-of test init (6.1.3, 6.1.4).
#[pyfunction]
pub fn test_init(
    py: Python<'_>,
    source: Address,
    destination: Address,
    of_home: bool,
    cookie: u64,
) -> Made<'_> {
    let kind = if of_home { HOME_TEST_INIT } else { CARE_OF_TEST_INIT };
    let mut message = begin(kind, &[&[0, 0], &cookie.to_be_bytes()]);
    finish(&mut message, None);
    sent(py, source, destination, Home::Nowhere, message, None)
}

/// Home or care-of test (6.1.5, 6.1.6).
#[pyfunction]
pub fn test(
    py: Python<'_>,
    source: Address,
    destination: Address,
    of_home: bool,
    nonce: u16,
    cookie: u64,
    token: u64,
) -> Made<'_> {
    let kind = if of_home { HOME_TEST } else { CARE_OF_TEST };
    let mut message = begin(kind, &[&nonce.to_be_bytes(), &cookie.to_be_bytes(), &token.to_be_bytes()]);
    finish(&mut message, None);
    sent(py, source, destination, Home::Nowhere, message, None)
}
