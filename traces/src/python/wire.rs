//! Functions that build the packets of control messages from their fields (documented in `handoff_traces.wire`).

#![allow(clippy::too_many_arguments)] // one argument for each field of a message

use crate::wire::mipv6::{Authorization, Esp, HomeAddress, MobileNodeId, ProxyBinding};
use crate::wire::packet_builder::Packet;
use crate::wire::tunnel::Tunnel;
use crate::wire::{icmpv6, mipv4, mipv6, sctp, Ipv4Address, Ipv6Address};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::convert::Infallible;

/// Longest packet that can be encapsulated.
const MAX_PACKET: usize = 65_535;

impl<'py> IntoPyObject<'py> for Packet {
    type Target = PyBytes;
    type Output = Bound<'py, PyBytes>;
    type Error = Infallible;

    fn into_pyobject(self, py: Python<'py>) -> Result<Bound<'py, PyBytes>, Infallible> {
        Ok(PyBytes::new(py, self.captured(self.wire_length())))
    }
}

impl<'py> FromPyObject<'_, 'py> for Authorization {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Authorization> {
        Ok(Authorization {
            key: object.getattr("key")?.extract()?,
            nonces: object.getattr("nonces")?.extract()?,
            care_of: object.getattr("care_of")?.extract()?,
            correspondent: object.getattr("correspondent")?.extract()?,
        })
    }
}

impl<'py> FromPyObject<'_, 'py> for ProxyBinding {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<ProxyBinding> {
        Ok(ProxyBinding {
            name: MobileNodeId::new(object.getattr("name")?.extract()?).map_err(PyValueError::new_err)?,
            prefix: object.getattr("prefix")?.extract()?,
        })
    }
}

impl<'py> FromPyObject<'_, 'py> for Esp {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Esp> {
        Ok(Esp {
            spi: object.getattr("spi")?.extract()?,
            sequence: object.getattr("sequence")?.extract()?,
            key: object.getattr("key")?.extract()?,
        })
    }
}

/// Encapsulate a packet in one more tunnel.
#[pyfunction]
#[pyo3(signature = (packet, kind, source, destination, endpoint=0))]
pub fn encapsulate(
    packet: &[u8],
    kind: i32,
    source: Vec<u8>,
    destination: Vec<u8>,
    endpoint: u32,
) -> PyResult<Packet> {
    let valid_addresses = matches!(source.len(), 4 | 16) && source.len() == destination.len();
    let encapsulated = (valid_addresses && packet.len() <= MAX_PACKET).then(|| {
        let mut outer = Packet::from_bytes(packet);
        Tunnel::from_number(kind)?.encapsulate(&mut outer, &source, &destination, endpoint)?;
        Some(outer)
    });
    encapsulated.flatten().ok_or_else(|| {
        PyValueError::new_err(format!(
            "a tunnel of kind {kind} cannot carry this packet of {} bytes",
            packet.len()
        ))
    })
}

#[pyfunction]
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
    mipv4::registration_request(
        source,
        destination,
        kind,
        flags,
        lifetime_s,
        home,
        agent,
        care_of,
        identification,
        key,
    )
}

#[pyfunction]
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
    mipv4::registration_reply(source, destination, kind, code, lifetime_s, home, agent, identification, key)
}

#[pyfunction]
pub fn optimization_acknowledgement(
    source: Ipv4Address,
    destination: Ipv4Address,
    kind: u8,
    negative: bool,
    home: Ipv4Address,
    identification: u64,
    key: &[u8],
) -> Packet {
    mipv4::optimization_acknowledgement(source, destination, kind, negative, home, identification, key)
}

#[pyfunction]
pub fn agent_solicitation(source: Ipv4Address, destination: Ipv4Address) -> Packet {
    mipv4::agent_solicitation(source, destination)
}

#[pyfunction]
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
    mipv4::agent_advertisement(
        source,
        destination,
        lifetime_s,
        sequence,
        registration_lifetime_s,
        flags,
        router,
        care_of,
    )
}

#[pyfunction]
#[pyo3(signature = (
    source, destination, home, sequence, flags, lifetime, alternate=None, authorization=None, proxy=None, esp=None
))]
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
    mipv6::binding_update(
        source,
        destination,
        home,
        sequence,
        flags,
        lifetime,
        alternate,
        authorization,
        proxy,
        esp,
    )
}

#[pyfunction]
#[pyo3(signature = (
    source, destination, home, status, flags, sequence, lifetime, authorization=None, proxy=None, esp=None
))]
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
    mipv6::binding_acknowledgement(
        source,
        destination,
        home,
        status,
        flags,
        sequence,
        lifetime,
        authorization,
        proxy,
        esp,
    )
}

#[pyfunction]
pub fn test_init(source: Ipv6Address, destination: Ipv6Address, of_home: bool, cookie: u64) -> Packet {
    mipv6::test_init(source, destination, of_home, cookie)
}

#[pyfunction]
pub fn test(
    source: Ipv6Address,
    destination: Ipv6Address,
    of_home: bool,
    nonce: u16,
    cookie: u64,
    token: u64,
) -> Packet {
    mipv6::test(source, destination, of_home, nonce, cookie, token)
}

#[pyfunction]
#[pyo3(signature = (home, care_of=None))]
pub fn management_key(py: Python<'_>, home: u64, care_of: Option<u64>) -> Bound<'_, PyBytes> {
    PyBytes::new(py, &mipv6::management_key(home, care_of))
}

#[pyfunction]
pub fn router_solicitation(source: Ipv6Address, destination: Ipv6Address, link: [u8; 6]) -> Packet {
    icmpv6::router_solicitation(source, destination, link)
}

#[pyfunction]
pub fn neighbor_advertisement(
    source: Ipv6Address,
    destination: Ipv6Address,
    target: Ipv6Address,
    link: [u8; 6],
) -> Packet {
    icmpv6::neighbor_advertisement(source, destination, target, link)
}

#[pyfunction]
pub fn router_advertisement(
    source: Ipv6Address,
    destination: Ipv6Address,
    link: [u8; 6],
    lifetime_s: u16,
    home_agent: bool,
    router: Ipv6Address,
) -> Packet {
    icmpv6::router_advertisement(source, destination, link, lifetime_s, home_agent, router)
}

#[pyfunction]
#[pyo3(signature = (source, destination, identifier, agent=None))]
pub fn home_agent_discovery(
    source: Ipv6Address,
    destination: Ipv6Address,
    identifier: u16,
    agent: Option<Ipv6Address>,
) -> Packet {
    icmpv6::home_agent_discovery(source, destination, identifier, agent)
}

fn check_addresses(source: &[u8], destination: &[u8]) -> PyResult<()> {
    if matches!(source.len(), 4 | 16) && source.len() == destination.len() {
        return Ok(());
    }
    Err(PyValueError::new_err("addresses must have 4 or 16 bytes, and both the same number"))
}

fn too_long() -> PyErr {
    PyValueError::new_err("the message is too long for one packet")
}

#[pyfunction]
pub fn udp_packet(
    source: Vec<u8>,
    destination: Vec<u8>,
    ports: (u16, u16),
    payload: &[u8],
) -> PyResult<Packet> {
    check_addresses(&source, &destination)?;
    let mut packet = Packet::from_payload(payload).ok_or_else(too_long)?;
    packet.prepend_udp(&source, &destination, ports);
    Ok(packet)
}

#[pyfunction]
pub fn sctp_packet(
    source: Vec<u8>,
    destination: Vec<u8>,
    port: u16,
    verification_tag: u32,
    chunks: &[u8],
) -> PyResult<Packet> {
    check_addresses(&source, &destination)?;
    sctp::sctp_packet(&source, &destination, port, verification_tag, chunks).ok_or_else(too_long)
}

#[pyfunction]
#[pyo3(signature = (source, destination, message, home=None, routed_home=None))]
pub fn mobility_packet(
    source: Ipv6Address,
    destination: Ipv6Address,
    message: Vec<u8>,
    home: Option<Ipv6Address>,
    routed_home: Option<Ipv6Address>,
) -> PyResult<Packet> {
    let position = match (home, routed_home) {
        (None, None) => HomeAddress::Absent,
        (Some(address), None) => HomeAddress::Option(address),
        (None, Some(address)) => HomeAddress::Routing(address),
        _ => return Err(PyValueError::new_err("one home address, in an option or in a routing header")),
    };
    if !(8..=2048).contains(&message.len()) {
        return Err(PyValueError::new_err("a Mobility Header has from 8 to 2048 bytes"));
    }
    Ok(mipv6::build_packet(source, destination, position, message, None))
}

#[pyfunction]
pub fn icmpv6_packet(
    source: Ipv6Address,
    destination: Ipv6Address,
    hop_limit: u8,
    message: Vec<u8>,
) -> PyResult<Packet> {
    if !(4..=2048).contains(&message.len()) {
        return Err(PyValueError::new_err("an ICMPv6 message has from 4 to 2048 bytes here"));
    }
    Ok(icmpv6::build_icmpv6(source, destination, hop_limit, message))
}
