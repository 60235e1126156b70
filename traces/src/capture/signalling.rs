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
    pub const PREFIX_SOLICITATION: u8 = 11;
    pub const PREFIX_ADVERTISEMENT: u8 = 12;
    pub const PROXY_SOLICITATION: u8 = 13;
    pub const PROXY_ADVERTISEMENT: u8 = 14;
    /// And the type of the Mobility Header.
    pub const MOBILITY_HEADER: u8 = 32;
}

/// One message; what it does not say is 0, or -1 where 0 would mean something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Number of its packet in the file, from 0.
    pub packet: u64,
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

/// What a packet turns out to be: None if it is none of Mobile IP, Some(None) if it says that it is one and then does not
/// have what belongs to it.
type Found = Option<Option<Message>>;

pub struct Signalling {
    /// The first ones.
    pub messages: Vec<Message>,
    most: usize,
    /// Of each kind, those that are not listed too.
    pub counts: [u64; 256],
    /// Messages that are cut, or wrong inside.
    pub damaged: u64,
    pub echoes: Echoes,
}

impl Signalling {
    /// List so many messages at the most.
    pub fn new(most: usize) -> Signalling {
        Signalling { messages: Vec::new(), most, counts: [0; 256], damaged: 0, echoes: Echoes::default() }
    }
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
                self.look(packet, &header, payload);
            }
            let Some((at, inner)) = ip::within(bytes, &header) else { break };
            bytes = &bytes[at..];
            layer = Some(inner);
        }
        Ok(())
    }
}

impl Signalling {
    fn look(&mut self, packet: &Packet, header: &Header, payload: &[u8]) {
        let found = match (header.version, header.protocol) {
            (4, UDP) => registration(payload),
            (4, ICMP) => match payload.first() {
                Some(0 | 8) => return self.echo(packet.time_ns, header, payload, 8),
                _ => icmp(payload),
            },
            (6, ICMPV6) => match payload.first() {
                Some(128 | 129) => return self.echo(packet.time_ns, header, payload, 128),
                _ => icmpv6(payload),
            },
            (6, MOBILITY | MOBILITY_OF_DRAFTS) => Some(mobility(header, payload)),
            _ => None,
        };
        let Some(found) = found else { return };
        let Some(mut message) = found else {
            self.damaged += 1;
            return;
        };
        self.counts[usize::from(message.kind)] += 1;
        if self.messages.len() == self.most {
            return;
        }
        message.packet = packet.number;
        message.time_ns = packet.time_ns;
        message.version = header.version;
        message.source = header.source;
        message.destination = header.destination;
        self.messages.push(message);
    }

    fn echo(&mut self, time_ns: i64, header: &Header, payload: &[u8], request: u8) {
        let (Some(identifier), Some(sequence)) = (net16(payload, 4), net16(payload, 6)) else { return };
        let reply = payload[0] != request;
        let (mut asking, mut asked) = (header.source, header.destination);
        if reply {
            std::mem::swap(&mut asking, &mut asked);
        }
        let pair = Pair { version: header.version, asking, asked, identifier };
        if reply {
            self.echoes.reply(pair, sequence);
        } else {
            self.echoes.request(pair, sequence, time_ns);
        }
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
    packet: 0,
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
fn registration(udp: &[u8]) -> Found {
    /// The data of RFC 3519's tunnels, which is no message.
    const TUNNEL_DATA: u8 = 4;
    if net16(udp, 0)? != REGISTRATION_PORT && net16(udp, 2)? != REGISTRATION_PORT {
        return None;
    }
    let stated = usize::from(net16(udp, 4)?);
    let body = udp.get(8..udp.len().min(stated))?;
    let kind = *body.first()?;
    (kind != TUNNEL_DATA).then(|| message(kind, body))
}

fn message(kind: u8, body: &[u8]) -> Option<Message> {
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
    match kind {
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
fn icmp(bytes: &[u8]) -> Found {
    const ADVERTISEMENT: u8 = 9;
    const SOLICITATION: u8 = 10;
    const MOBILITY_AGENT: u8 = 16;
    match *bytes.first()? {
        // 8 bytes (RFC 1256 3); less is no solicitation
        SOLICITATION if bytes.len() >= 8 => Some(Some(Message { kind: kind::AGENT_SOLICITATION, ..NOTHING })),
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
                let Some(size) = bytes.get(at + 1).map(|&size| usize::from(size)) else { return Some(None) };
                let Some(value) = bytes.get(at + 2..at + 2 + size) else { return Some(None) };
                if kind == MOBILITY_AGENT {
                    return Some(advertisement(agent, value));
                }
                at += 2 + size;
            }
        }
        _ => None,
    }
}

/// What the mobility agent extension says (RFC 5944 2.1.1).
fn advertisement(agent: [u8; 16], value: &[u8]) -> Option<Message> {
    Some(Message {
        kind: kind::AGENT_ADVERTISEMENT,
        identification: u64::from(net16(value, 0)?),
        lifetime_s: i64::from(net16(value, 2)?),
        flags: net16(value, 4)?,
        care_of: address(value, 6).unwrap_or_default(),
        agent,
        ..NOTHING
    })
}

/// Dynamic home agent address discovery and mobile prefixes (RFC 6275 6.5 to 6.8), router discovery by proxy (RFC 5568 6.1).
fn icmpv6(bytes: &[u8]) -> Found {
    const EXPERIMENTAL_MOBILITY: u8 = 154;
    let kind = match (*bytes.first()?, bytes.get(4)) {
        (144, _) => kind::AGENT_DISCOVERY_REQUEST,
        (145, _) => kind::AGENT_DISCOVERY_REPLY,
        (146, _) => kind::PREFIX_SOLICITATION,
        (147, _) => kind::PREFIX_ADVERTISEMENT,
        (EXPERIMENTAL_MOBILITY, Some(2)) => kind::PROXY_SOLICITATION,
        (EXPERIMENTAL_MOBILITY, Some(3)) => kind::PROXY_ADVERTISEMENT,
        _ => return None,
    };
    Some(discovery(kind, bytes))
}

fn discovery(kind: u8, bytes: &[u8]) -> Option<Message> {
    let (first, second) = (net16(bytes, 4)?, net16(bytes, 6)?);
    let message = Message { kind, ..NOTHING };
    Some(match kind {
        kind::PROXY_SOLICITATION | kind::PROXY_ADVERTISEMENT => {
            Message { code: i16::from(bytes[1]), identification: u64::from(second), ..message }
        }
        kind::AGENT_DISCOVERY_REPLY => {
            let agent = bytes.get(8..24).and_then(|raw| raw.try_into().ok()).unwrap_or_default();
            Message { identification: u64::from(first), flags: second, agent, ..message }
        }
        _ => Message { identification: u64::from(first), flags: second, ..message },
    })
}

/// The Mobility Header (RFC 6275 6.1; 8, 9, 14 and 15 are those of RFC 5568 6.2).
fn mobility(header: &Header, payload: &[u8]) -> Option<Message> {
    const UNIT_S: i64 = 4;
    const HOME_REGISTRATION: u16 = 0x4000;
    let bytes = payload.get(..(usize::from(*payload.get(1)?) + 1) * 8)?;
    let found = bytes[2];
    let message = Message { kind: kind::MOBILITY_HEADER.saturating_add(found), ..NOTHING };
    Some(match found {
        1 | 2 => Message { identification: net64(bytes, 8)?, ..message },
        3 | 4 => Message { identification: net64(bytes, 8)?, flags: net16(bytes, 6)?, ..message },
        5 | 8 => Message {
            identification: u64::from(net16(bytes, 6)?),
            flags: net16(bytes, 8)?,
            lifetime_s: UNIT_S * i64::from(net16(bytes, 10)?),
            // without the option the mobile node is at home (RFC 6275 9.5.1)
            home: header.home.unwrap_or(header.source),
            agent: if net16(bytes, 8)? & HOME_REGISTRATION != 0 { header.destination } else { [0; 16] },
            care_of: alternate(bytes)?.unwrap_or(header.source),
            ..message
        },
        6 | 9 => Message {
            code: i16::from(bytes[6]),
            flags: u16::from(bytes[7]),
            identification: u64::from(net16(bytes, 8)?),
            lifetime_s: UNIT_S * i64::from(net16(bytes, 10)?),
            home: header.home.unwrap_or(header.destination),
            care_of: header.destination,
            ..message
        },
        7 => Message { code: i16::from(bytes[6]), home: bytes.get(8..24)?.try_into().ok()?, ..message },
        14 | 15 => Message {
            identification: u64::from(net16(bytes, 6)?),
            flags: u16::from(*bytes.get(8)?),
            code: i16::from(*bytes.get(9)?),
            ..message
        },
        _ => message,
    })
}

/// Alternate care-of address option of a binding update (RFC 6275 6.2.5); the outer None if an option is wrong.
fn alternate(bytes: &[u8]) -> Option<Option<[u8; 16]>> {
    const ALTERNATE: u8 = 3;
    let mut at = 12;
    while let Some(&kind) = bytes.get(at) {
        if kind == 0 {
            at += 1; // Pad1
            continue;
        }
        let size = usize::from(*bytes.get(at + 1)?);
        let value = bytes.get(at + 2..at + 2 + size)?;
        if kind == ALTERNATE {
            return Some(Some(value.try_into().ok()?));
        }
        at += 2 + size;
    }
    Some(None)
}
