//! Mobile IP signalling in a capture: agent advertisements, registrations, Mobility Headers, home agent discovery.

use super::icmp_echo::{PingPair, PingTracker};
use super::ip;
use super::ip_header::IpHeader;
use super::state::{Packet, Sink};
use crate::error::Result;
use crate::io::byte_order::{read_net_u16, read_net_u64};

const ICMP: u8 = 1;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;
const MOBILITY: u8 = 135;
/// Protocol number of the Mobility Header in drafts before RFC 3775.
const DRAFT_MOBILITY: u8 = 62;
const REGISTRATION_PORT: u16 = 434;
/// Types of registration messages: RFC 5944 3.3 and 3.4, RFC 3543 3.3 and 3.4, RFC 4857 9.
const REQUEST: u8 = 1;
const REPLY: u8 = 3;
const REVOCATION: u8 = 7;
const REVOCATION_ACKNOWLEDGEMENT: u8 = 15;
const REGIONAL_REQUEST: u8 = 18;
const REGIONAL_REPLY: u8 = 19;
const ECHO_REPLY: u8 = 0;
const ECHO_REQUEST: u8 = 8;
const ECHO_REQUEST_V6: u8 = 128;
const ECHO_REPLY_V6: u8 = 129;
const MAX_LAYERS: usize = 8;
const LINK_LOCAL_TTL: u8 = 1;

/// Kinds of messages, the keys of `KINDS` in Python.
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
    /// Plus the type of the Mobility Header.
    pub const MOBILITY_HEADER: u8 = 32;
}

/// One message. A field that the message does not have is 0, or -1 where 0 has a meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Position of its packet in the file, from 0.
    pub packet: u64,
    pub time_ns: i64,
    pub kind: u8,
    pub version: u8,
    pub source: [u8; 16],
    pub destination: [u8; 16],
    pub home: [u8; 16],
    pub agent: [u8; 16],
    pub care_of: [u8; 16],
    /// -1 if the message states none.
    pub lifetime_s: i64,
    /// Code of a reply or status of an acknowledgement; -1 if the message has none.
    pub code: i16,
    /// Identification (RFC 5944 3.3), sequence number (RFC 6275 6.1.7) or cookie (RFC 6275 6.1.3).
    pub identification: u64,
    pub flags: u16,
}

/// Result of parsing a payload: None if it is not Mobile IP, Some(None) if it is a damaged message of Mobile IP.
type ParsedMessage = Option<Option<Message>>;

/// Consumer of packets that lists and counts signalling messages and tracks pings.
pub struct Signalling {
    /// The first messages of the capture.
    pub messages: Vec<Message>,
    max_messages: usize,
    /// Messages of each kind, whether they are listed or not.
    pub counts: [u64; 256],
    /// Messages that are cut off or malformed.
    pub damaged: u64,
    pub pings: PingTracker,
}

impl Signalling {
    /// List at most `max_messages` messages; count all.
    pub fn new(max_messages: usize) -> Signalling {
        Signalling {
            messages: Vec::new(),
            max_messages,
            counts: [0; 256],
            damaged: 0,
            pings: PingTracker::default(),
        }
    }
}

impl Sink for Signalling {
    fn add_packet(&mut self, packet: &Packet) -> Result<()> {
        let Some((start, version)) = packet.network else { return Ok(()) };
        let mut bytes = packet.frame.get(start..).unwrap_or_default();
        let mut layer = ip::parse_header(bytes, version, packet.wire_length.saturating_sub(start as u32));
        for _ in 0..MAX_LAYERS {
            let Some(header) = layer else { break };
            if let Some(payload) =
                header.payload.and_then(|at| bytes.get(at..bytes.len().min(header.length as usize)))
            {
                self.add_payload(packet, &header, payload);
            }
            if !ip::may_be_tunnel(bytes, &header) {
                break;
            }
            let Ok((at, inner)) = ip::parse_inner_header(bytes, &header) else { break };
            bytes = &bytes[at..];
            layer = Some(inner);
        }
        Ok(())
    }
}

impl Signalling {
    fn add_payload(&mut self, packet: &Packet, header: &IpHeader, payload: &[u8]) {
        let parsed = match (header.version, header.protocol, payload.first()) {
            (4, ICMP, Some(&(ECHO_REQUEST | ECHO_REPLY))) => {
                return self.add_echo(packet.time_ns, header, payload, ECHO_REQUEST)
            }
            (6, ICMPV6, Some(&(ECHO_REQUEST_V6 | ECHO_REPLY_V6))) => {
                return self.add_echo(packet.time_ns, header, payload, ECHO_REQUEST_V6)
            }
            (4, UDP, _) => parse_udp(payload),
            // advertisements and solicitations of agents must have a TTL of 1 (RFC 5944 2.1, 2.2)
            (4, ICMP, _) if header.hop_limit == LINK_LOCAL_TTL => parse_icmp(payload),
            (6, ICMPV6, _) => parse_icmpv6(payload),
            (6, MOBILITY, _) => Some(parse_mobility_header(header, payload)),
            // another protocol has this number today (CFTP), so what is no valid message is none
            (6, DRAFT_MOBILITY, _) => parse_mobility_header(header, payload).map(Some),
            _ => None,
        };
        let Some(parsed) = parsed else { return };
        let Some(mut message) = parsed else {
            self.damaged += 1;
            return;
        };
        self.counts[usize::from(message.kind)] += 1;
        if self.messages.len() == self.max_messages {
            return;
        }
        message.packet = packet.number;
        message.time_ns = packet.time_ns;
        message.version = header.version;
        message.source = header.source;
        message.destination = header.destination;
        self.messages.push(message);
    }

    fn add_echo(&mut self, time_ns: i64, header: &IpHeader, payload: &[u8], request_type: u8) {
        let (Some(identifier), Some(sequence)) = (read_net_u16(payload, 4), read_net_u16(payload, 6)) else {
            return;
        };
        let (version, source, destination) = (header.version, header.source, header.destination);
        if payload[0] == request_type {
            let pair = PingPair { version, requester: source, responder: destination, identifier };
            self.pings.add_request(pair, sequence, time_ns);
        } else {
            let pair = PingPair { version, requester: destination, responder: source, identifier };
            self.pings.add_reply(pair, sequence);
        }
    }
}

/// Read an IPv4 address into the first four bytes.
fn read_address(bytes: &[u8], at: usize) -> Option<[u8; 16]> {
    let mut address = [0; 16];
    address[..4].copy_from_slice(bytes.get(at..at + 4)?);
    Some(address)
}

/// A message without any field.
const EMPTY: Message = Message {
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

/// Parse UDP to port 434, or a reply from there: RFC 5944 3.3 and 3.4, RFC 4857 9, RFC 3543 3.
///
/// Requests go to port 434. Replies go to the port of the request, which may be any: a packet from port 434 to another port is a
/// message only if it is a valid reply, and else the conversation of another program that chose this port.
fn parse_udp(udp: &[u8]) -> ParsedMessage {
    /// Type of the data packets of RFC 3519's tunnels, which are no messages.
    const TUNNEL_DATA: u8 = 4;
    let to_agent = read_net_u16(udp, 2)? == REGISTRATION_PORT;
    if !to_agent && read_net_u16(udp, 0)? != REGISTRATION_PORT {
        return None;
    }
    let udp_length = usize::from(read_net_u16(udp, 4)?);
    let body = udp.get(8..udp.len().min(udp_length))?;
    let message_type = *body.first()?;
    if message_type == TUNNEL_DATA {
        return None;
    }
    let is_complete = udp.len() >= udp_length;
    let message =
        parse_registration(message_type, body).filter(|_| !is_complete || has_extensions(message_type, body));
    if to_agent {
        return Some(message);
    }
    message.filter(|message| is_reply(message, body)).map(Some)
}

/// Return the bytes of a message before its extensions; None for a type whose length is not known.
fn fixed_length(message_type: u8) -> Option<usize> {
    match message_type {
        REQUEST | REGIONAL_REQUEST => Some(24),
        REPLY | REGIONAL_REPLY => Some(20),
        _ => None,
    }
}

/// Return whether the extensions of a message fill the rest of it (RFC 5944 1.8, 1.9, 1.10).
fn has_extensions(message_type: u8, body: &[u8]) -> bool {
    const ONE_BYTE_PADDING: u8 = 0;
    /// Extensions in the long format, with two bytes of length behind a sub-type (RFC 5944 1.9).
    const LONG: [u8; 2] = [36, 41];
    let Some(mut at) = fixed_length(message_type) else { return true };
    while at < body.len() {
        at += match (body[at], body.get(at + 1)) {
            (ONE_BYTE_PADDING, _) => 1,
            (kind, _) if LONG.contains(&kind) => match read_net_u16(body, at + 2) {
                Some(length) => 4 + usize::from(length),
                None => return false,
            },
            (_, Some(&length)) => 2 + usize::from(length),
            (_, None) => return false,
        };
    }
    at == body.len()
}

/// Return whether a message is a reply with both addresses and a code that exists (RFC 5944 3.4).
fn is_reply(message: &Message, body: &[u8]) -> bool {
    let has_addresses = message.home != [0; 16] && message.agent != [0; 16];
    matches!(body[0], REPLY | REGIONAL_REPLY) && has_addresses && matches!(message.code, 0 | 1 | 64..=255)
}

fn parse_registration(message_type: u8, body: &[u8]) -> Option<Message> {
    let parse_request = |kind| {
        Some(Message {
            kind,
            flags: u16::from(*body.get(1)?),
            lifetime_s: i64::from(read_net_u16(body, 2)?),
            home: read_address(body, 4)?,
            agent: read_address(body, 8)?,
            care_of: read_address(body, 12)?,
            identification: read_net_u64(body, 16)?,
            ..EMPTY
        })
    };
    let parse_reply = |kind| {
        Some(Message {
            kind,
            code: i16::from(*body.get(1)?),
            lifetime_s: i64::from(read_net_u16(body, 2)?),
            home: read_address(body, 4)?,
            agent: read_address(body, 8)?,
            identification: read_net_u64(body, 12)?,
            ..EMPTY
        })
    };
    let parse_revocation = |kind| Some(Message { kind, home: read_address(body, 4)?, ..EMPTY });
    match message_type {
        REQUEST => parse_request(kind::REGISTRATION_REQUEST),
        REPLY => parse_reply(kind::REGISTRATION_REPLY),
        REVOCATION => parse_revocation(kind::REVOCATION),
        REVOCATION_ACKNOWLEDGEMENT => parse_revocation(kind::REVOCATION_ACKNOWLEDGEMENT),
        REGIONAL_REQUEST => parse_request(kind::REGIONAL_REQUEST),
        REGIONAL_REPLY => parse_reply(kind::REGIONAL_REPLY),
        other => Some(Message { kind: kind::OTHER_REGISTRATION, flags: u16::from(other), ..EMPTY }),
    }
}

/// Parse router discovery: advertisements with the mobility agent extension (RFC 5944 2.1), and solicitations.
fn parse_icmp(bytes: &[u8]) -> ParsedMessage {
    const ADVERTISEMENT: u8 = 9;
    const SOLICITATION: u8 = 10;
    const ONE_BYTE_PADDING: u8 = 0;
    const MOBILITY_AGENT: u8 = 16;
    match *bytes.first()? {
        // a shorter message is no solicitation (RFC 1256 3)
        SOLICITATION if bytes.len() >= 8 => Some(Some(Message { kind: kind::AGENT_SOLICITATION, ..EMPTY })),
        ADVERTISEMENT => {
            let addresses = usize::from(*bytes.get(4)?);
            let mut at = 8 + addresses * usize::from(*bytes.get(5)?) * 4;
            let agent = if addresses > 0 { read_address(bytes, 8)? } else { [0; 16] };
            loop {
                let kind = *bytes.get(at)?;
                if kind == ONE_BYTE_PADDING {
                    at += 1;
                    continue;
                }
                let Some(size) = bytes.get(at + 1).map(|&size| usize::from(size)) else { return Some(None) };
                let Some(value) = bytes.get(at + 2..at + 2 + size) else { return Some(None) };
                if kind == MOBILITY_AGENT {
                    return Some(parse_agent_advertisement(agent, value));
                }
                at += 2 + size;
            }
        }
        _ => None,
    }
}

/// Parse the mobility agent advertisement extension (RFC 5944 2.1.1).
fn parse_agent_advertisement(agent: [u8; 16], value: &[u8]) -> Option<Message> {
    Some(Message {
        kind: kind::AGENT_ADVERTISEMENT,
        identification: u64::from(read_net_u16(value, 0)?),
        lifetime_s: i64::from(read_net_u16(value, 2)?),
        flags: read_net_u16(value, 4)?,
        care_of: read_address(value, 6).unwrap_or_default(),
        agent,
        ..EMPTY
    })
}

/// Parse home agent address discovery and mobile prefix messages (RFC 6275 6.5 to 6.8), and proxy router discovery (RFC 5568 6.1).
fn parse_icmpv6(bytes: &[u8]) -> ParsedMessage {
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
    Some(parse_discovery(kind, bytes))
}

fn parse_discovery(kind: u8, bytes: &[u8]) -> Option<Message> {
    let (first, second) = (read_net_u16(bytes, 4)?, read_net_u16(bytes, 6)?);
    let message = Message { kind, ..EMPTY };
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

/// Parse a Mobility Header (RFC 6275 6.1; types 8, 9, 14 and 15: RFC 5568 6.2).
fn parse_mobility_header(header: &IpHeader, payload: &[u8]) -> Option<Message> {
    const LIFETIME_UNIT_S: i64 = 4;
    /// Nothing may follow a Mobility Header (RFC 6275 6.1.1).
    const NO_NEXT_HEADER: u8 = 59;
    const HOME_REGISTRATION: u16 = 0x4000;
    let bytes = payload.get(..(usize::from(*payload.get(1)?) + 1) * 8)?;
    let header_type = bytes[2];
    if bytes[0] != NO_NEXT_HEADER || bytes.len() < min_mobility_header(header_type) {
        return None;
    }
    let message = Message { kind: kind::MOBILITY_HEADER.saturating_add(header_type), ..EMPTY };
    Some(match header_type {
        1 | 2 => Message { identification: read_net_u64(bytes, 8)?, ..message },
        3 | 4 => {
            Message { identification: read_net_u64(bytes, 8)?, flags: read_net_u16(bytes, 6)?, ..message }
        }
        5 | 8 => Message {
            identification: u64::from(read_net_u16(bytes, 6)?),
            flags: read_net_u16(bytes, 8)?,
            lifetime_s: LIFETIME_UNIT_S * i64::from(read_net_u16(bytes, 10)?),
            // without a home address option the mobile node is at home (RFC 6275 9.5.1)
            home: header.home.unwrap_or(header.source),
            agent: if read_net_u16(bytes, 8)? & HOME_REGISTRATION != 0 {
                header.destination
            } else {
                [0; 16]
            },
            care_of: find_alternate_care_of(bytes)?.unwrap_or(header.source),
            ..message
        },
        6 | 9 => Message {
            code: i16::from(bytes[6]),
            flags: u16::from(bytes[7]),
            identification: u64::from(read_net_u16(bytes, 8)?),
            lifetime_s: LIFETIME_UNIT_S * i64::from(read_net_u16(bytes, 10)?),
            home: header.home.unwrap_or(header.destination),
            care_of: header.destination,
            ..message
        },
        7 => Message { code: i16::from(bytes[6]), home: bytes.get(8..24)?.try_into().ok()?, ..message },
        14 | 15 => Message {
            identification: u64::from(read_net_u16(bytes, 6)?),
            flags: u16::from(*bytes.get(8)?),
            code: i16::from(*bytes.get(9)?),
            ..message
        },
        _ => message,
    })
}

/// Return the least length of a Mobility Header of a type (RFC 6275 6.1.2 to 6.1.9, RFC 5568 6.2).
fn min_mobility_header(header_type: u8) -> usize {
    match header_type {
        3 | 4 | 7 => 24,
        1 | 2 | 5 | 6 | 8 | 9 | 14 | 15 => 16,
        _ => 8,
    }
}

/// Return the alternate care-of address of a binding update (RFC 6275 6.2.5); the outer None if an option is malformed.
fn find_alternate_care_of(bytes: &[u8]) -> Option<Option<[u8; 16]>> {
    const PAD1: u8 = 0;
    const ALTERNATE_CARE_OF: u8 = 3;
    let mut at = 12;
    while let Some(&kind) = bytes.get(at) {
        if kind == PAD1 {
            at += 1;
            continue;
        }
        let size = usize::from(*bytes.get(at + 1)?);
        let value = bytes.get(at + 2..at + 2 + size)?;
        if kind == ALTERNATE_CARE_OF {
            return Some(Some(value.try_into().ok()?));
        }
        at += 2 + size;
    }
    Some(None)
}
