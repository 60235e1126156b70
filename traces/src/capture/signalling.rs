//! Mobile IP signalling in a capture: agent advertisements, registrations, Mobility Headers, home agent discovery.

use super::echo::{Echoes, Pair};
use super::ip::{self, Header};
use super::{Packet, Sink};
use crate::bytes::{net16, Order};
use crate::fault::Checked;

const ICMP: u8 = 1;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;
const MOBILITY: u8 = 135;
/// What drafts before RFC 3775 used.
const MOBILITY_OF_DRAFTS: u8 = 62;
const REGISTRATION_PORT: u16 = 434;
/// Messages that are listed; the others are only counted.
const MOST: usize = 1 << 20;
const MOST_LAYERS: usize = 8;

/// Numbers of the kinds, as Python names them.
pub mod kind {
    pub const AGENT_ADVERTISEMENT: u8 = 0;
    pub const AGENT_SOLICITATION: u8 = 1;
    pub const REGISTRATION_REQUEST: u8 = 2;
    pub const REGISTRATION_REPLY: u8 = 3;
    pub const REGIONAL_REQUEST: u8 = 4;
    pub const REGIONAL_REPLY: u8 = 5;
    pub const REVOCATION: u8 = 6;
    pub const REVOCATION_ACKNOWLEDGEMENT: u8 = 7;
    pub const OTHER_REGISTRATION: u8 = 8;
    pub const AGENT_DISCOVERY_REQUEST: u8 = 9;
    pub const AGENT_DISCOVERY_REPLY: u8 = 10;
    /// And the type of the Mobility Header.
    pub const MOBILITY_HEADER: u8 = 32;
}

/// One message; what it does not say is 0, or -1 where 0 would mean something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub time_ns: i64,
    pub kind: u8,
    pub version: u8,
    pub source: [u8; 16],
    pub destination: [u8; 16],
    pub home: [u8; 16],
    pub agent: [u8; 16],
    pub care_of: [u8; 16],
    /// -1: none.
    pub lifetime_s: i64,
    /// Code of a reply or status of an acknowledgement, -1: none.
    pub code: i16,
    /// Identification (RFC 5944), sequence number (6275 6.1.7) or cookie (6.1.3).
    pub identification: u64,
    pub flags: u16,
}

#[derive(Default)]
pub struct Signalling {
    pub messages: Vec<Message>,
    pub unlisted: u64,
    pub echoes: Echoes,
}

impl Sink for Signalling {
    fn packet(&mut self, packet: &Packet) -> Checked<()> {
        let Some((start, version)) = packet.network else { return Ok(()) };
        let mut bytes = packet.frame.get(start..).unwrap_or_default();
        let mut layer = ip::header(bytes, version, packet.wire.saturating_sub(start as u32));
        for _ in 0..MOST_LAYERS {
            let Some(header) = layer else { break };
            if let Some(payload) =
                header.payload.and_then(|at| bytes.get(at..bytes.len().min(header.length as usize)))
            {
                self.look(packet.time_ns, &header, payload);
            }
            let Some((at, inner)) = ip::within(bytes, &header) else { break };
            bytes = &bytes[at..];
            layer = Some(inner);
        }
        Ok(())
    }
}

impl Signalling {
    fn look(&mut self, time_ns: i64, header: &Header, payload: &[u8]) {
        let found = match (header.version, header.protocol) {
            (4, UDP) => registration(payload),
            (4, ICMP) => match payload.first() {
                Some(0 | 8) => return self.echo(header, payload, 8),
                _ => icmp(payload),
            },
            (6, ICMPV6) => match payload.first() {
                Some(128 | 129) => return self.echo(header, payload, 128),
                _ => icmpv6(payload),
            },
            (6, MOBILITY | MOBILITY_OF_DRAFTS) => mobility(header, payload),
            _ => None,
        };
        let Some(mut message) = found else { return };
        message.time_ns = time_ns;
        message.version = header.version;
        message.source = header.source;
        message.destination = header.destination;
        if self.messages.len() < MOST {
            self.messages.push(message);
        } else {
            self.unlisted += 1;
        }
    }

    fn echo(&mut self, header: &Header, payload: &[u8], request: u8) {
        let (Some(identifier), Some(sequence)) = (net16(payload, 4), net16(payload, 6)) else { return };
        let reply = payload[0] != request;
        let (mut asking, mut asked) = (header.source, header.destination);
        if reply {
            std::mem::swap(&mut asking, &mut asked);
        }
        self.echoes.add(Pair { version: header.version, asking, asked, identifier }, sequence, reply);
    }
}

fn address(bytes: &[u8], at: usize) -> Option<[u8; 16]> {
    let mut found = [0; 16];
    found[..4].copy_from_slice(bytes.get(at..at + 4)?);
    Some(found)
}

fn net64(bytes: &[u8], at: usize) -> Option<u64> {
    Order::Big.u64(bytes, at)
}

const NOTHING: Message = Message {
    time_ns: 0,
    kind: 0,
    version: 0,
    source: [0; 16],
    destination: [0; 16],
    home: [0; 16],
    agent: [0; 16],
    care_of: [0; 16],
    lifetime_s: -1,
    code: -1,
    identification: 0,
    flags: 0,
};

/// UDP to or from port 434: RFC 5944 3.3 and 3.4, RFC 4857 9, RFC 3543 3.
fn registration(udp: &[u8]) -> Option<Message> {
    if net16(udp, 0)? != REGISTRATION_PORT && net16(udp, 2)? != REGISTRATION_PORT {
        return None;
    }
    let body = udp.get(8..)?;
    let asks = |kind| {
        Some(Message {
            kind,
            flags: u16::from(*body.get(1)?),
            lifetime_s: i64::from(net16(body, 2)?),
            home: address(body, 4)?,
            agent: address(body, 8)?,
            care_of: address(body, 12)?,
            identification: net64(body, 16)?,
            ..NOTHING
        })
    };
    let answers = |kind| {
        Some(Message {
            kind,
            code: i16::from(*body.get(1)?),
            lifetime_s: i64::from(net16(body, 2)?),
            home: address(body, 4)?,
            agent: address(body, 8)?,
            identification: net64(body, 12)?,
            ..NOTHING
        })
    };
    let revokes = |kind| Some(Message { kind, home: address(body, 4)?, ..NOTHING });
    match *body.first()? {
        1 => asks(kind::REGISTRATION_REQUEST),
        3 => answers(kind::REGISTRATION_REPLY),
        7 => revokes(kind::REVOCATION),
        15 => revokes(kind::REVOCATION_ACKNOWLEDGEMENT),
        18 => asks(kind::REGIONAL_REQUEST),
        19 => answers(kind::REGIONAL_REPLY),
        other => Some(Message { kind: kind::OTHER_REGISTRATION, flags: u16::from(other), ..NOTHING }),
    }
}

/// Router discovery with the mobility agent extension (RFC 5944 2.1), and solicitations.
fn icmp(bytes: &[u8]) -> Option<Message> {
    const ADVERTISEMENT: u8 = 9;
    const SOLICITATION: u8 = 10;
    const MOBILITY_AGENT: u8 = 16;
    match *bytes.first()? {
        // 8 bytes (RFC 1256 3); less is no solicitation
        SOLICITATION if bytes.len() >= 8 => Some(Message { kind: kind::AGENT_SOLICITATION, ..NOTHING }),
        ADVERTISEMENT => {
            let addresses = usize::from(*bytes.get(4)?);
            let mut at = 8 + addresses * usize::from(*bytes.get(5)?) * 4;
            let agent = if addresses > 0 { address(bytes, 8)? } else { [0; 16] };
            loop {
                let kind = *bytes.get(at)?;
                if kind == 0 {
                    at += 1; // one-byte padding
                    continue;
                }
                let size = usize::from(*bytes.get(at + 1)?);
                if kind == MOBILITY_AGENT {
                    return Some(Message {
                        kind: kind::AGENT_ADVERTISEMENT,
                        identification: u64::from(net16(bytes, at + 2)?),
                        lifetime_s: i64::from(net16(bytes, at + 4)?),
                        flags: net16(bytes, at + 6)?,
                        care_of: if size >= 10 { address(bytes, at + 8)? } else { [0; 16] },
                        agent,
                        ..NOTHING
                    });
                }
                at += 2 + size;
            }
        }
        _ => None,
    }
}

/// Dynamic home agent address discovery (RFC 6275 6.5, 6.6).
fn icmpv6(bytes: &[u8]) -> Option<Message> {
    let kind = match *bytes.first()? {
        144 => kind::AGENT_DISCOVERY_REQUEST,
        145 => kind::AGENT_DISCOVERY_REPLY,
        _ => return None,
    };
    let agent = if bytes[0] == 145 { bytes.get(8..24).and_then(|raw| raw.try_into().ok()) } else { None };
    Some(Message {
        kind,
        identification: u64::from(net16(bytes, 4)?),
        agent: agent.unwrap_or_default(),
        ..NOTHING
    })
}

/// The Mobility Header (RFC 6275 6.1).
fn mobility(header: &Header, bytes: &[u8]) -> Option<Message> {
    const UNIT_S: i64 = 4;
    let found = *bytes.get(2)?;
    let home = header.home.unwrap_or_default();
    let message = Message { kind: kind::MOBILITY_HEADER.saturating_add(found), home, ..NOTHING };
    Some(match found {
        1 | 2 => Message { identification: net64(bytes, 8)?, ..message },
        3 | 4 => Message { identification: net64(bytes, 8)?, flags: net16(bytes, 6)?, ..message },
        5 => Message {
            identification: u64::from(net16(bytes, 6)?),
            flags: net16(bytes, 8)?,
            lifetime_s: UNIT_S * i64::from(net16(bytes, 10)?),
            care_of: alternate(bytes).unwrap_or(header.source),
            ..message
        },
        6 => Message {
            code: i16::from(*bytes.get(6)?),
            flags: u16::from(*bytes.get(7)?),
            identification: u64::from(net16(bytes, 8)?),
            lifetime_s: UNIT_S * i64::from(net16(bytes, 10)?),
            care_of: header.destination,
            ..message
        },
        7 => Message { code: i16::from(*bytes.get(6)?), home: bytes.get(8..24)?.try_into().ok()?, ..message },
        _ => message,
    })
}

/// Alternate care-of address option of a binding update (RFC 6275 6.2.5).
fn alternate(bytes: &[u8]) -> Option<[u8; 16]> {
    const ALTERNATE: u8 = 3;
    let end = bytes.len().min((usize::from(bytes[1]) + 1) * 8);
    let mut at = 12;
    while at < end {
        let kind = bytes[at];
        if kind == 0 {
            at += 1; // Pad1
            continue;
        }
        let size = usize::from(*bytes.get(at + 1)?);
        if kind == ALTERNATE && size == 16 {
            return bytes.get(at + 2..at + 18)?.try_into().ok();
        }
        at += 2 + size;
    }
    None
}
