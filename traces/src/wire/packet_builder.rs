//! A packet that is built from the inside out: each header is prepended to the bytes so far.

use crate::wire::checksum::{pseudo_header, Checksum};
use crate::wire::{ip_header_length, protocol, IPV4_HEADER, IPV6_HEADER};

/// Space for the headers: four tunnels of at most 60 bytes, and one more IP header.
const HEADROOM: usize = 320;
const MAX_BODY: usize = 65_536;
const UDP_HEADER: usize = 8;
/// Hop limit, or time to live, of all packets but those of neighbour discovery.
pub const DEFAULT_HOP_LIMIT: u8 = 64;

/// The captured first bytes of a packet, and its full length.
pub struct Packet {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Length of the whole packet; `buffer` has only its first bytes.
    wire_length: usize,
}

impl Packet {
    pub fn new() -> Packet {
        Packet { buffer: vec![0; HEADROOM + MAX_BODY], start: HEADROOM, end: HEADROOM, wire_length: 0 }
    }

    pub fn from_bytes(bytes: &[u8]) -> Packet {
        let mut packet = Packet::new();
        packet.set_bytes(bytes);
        packet
    }

    /// Return a packet of these bytes, or None if a UDP and an IP header in front of them would make it too long.
    pub fn from_payload(bytes: &[u8]) -> Option<Packet> {
        (bytes.len() + UDP_HEADER + IPV6_HEADER < MAX_BODY).then(|| Packet::from_bytes(bytes))
    }

    /// Replace the packet by these bytes.
    pub fn set_bytes(&mut self, bytes: &[u8]) {
        self.start_body(bytes.len(), bytes.len()).copy_from_slice(bytes);
    }

    /// Replace the packet by `length` zero bytes, of which the first `captured` are present, and return these.
    #[inline(always)]
    pub fn start_body(&mut self, captured: usize, length: usize) -> &mut [u8] {
        self.start = HEADROOM;
        self.end = HEADROOM + captured.min(length).min(MAX_BODY);
        self.wire_length = length;
        let body = &mut self.buffer[HEADROOM..self.end];
        body.fill(0);
        body
    }

    /// Prepend a header of `size` zero bytes and return it.
    #[inline(always)]
    pub fn prepend(&mut self, size: usize) -> &mut [u8] {
        self.end = self.end.max(self.start);
        self.start -= size;
        self.wire_length += size;
        let header = &mut self.buffer[self.start..self.start + size];
        header.fill(0);
        header
    }

    /// Insert `size` zero bytes behind the first `behind` bytes and return both.
    pub fn insert(&mut self, behind: usize, size: usize) -> (&mut [u8], &mut [u8]) {
        self.buffer.copy_within(self.start..self.start + behind, self.start - size);
        self.start -= size;
        self.wire_length += size;
        let (front, rest) = self.buffer[self.start..].split_at_mut(behind);
        rest[..size].fill(0);
        (front, &mut rest[..size])
    }

    /// Return the full length.
    pub fn wire_length(&self) -> usize {
        self.wire_length
    }

    /// Return at most `snap_length` of the captured bytes.
    #[inline(always)]
    pub fn captured(&self, snap_length: usize) -> &[u8] {
        &self.buffer[self.start..self.end.min(self.start + snap_length)]
    }

    /// Prepend an IP header: IPv6 for addresses of 16 bytes, else IPv4 with `identification`.
    #[inline(always)]
    pub fn prepend_ip(
        &mut self,
        source: &[u8],
        destination: &[u8],
        protocol: u8,
        hop_limit: u8,
        identification: u16,
    ) {
        const VERSION_4_WITHOUT_OPTIONS: u8 = 0x45;
        const VERSION_6: u8 = 0x60;
        let payload = self.wire_length;
        if source.len() == 4 {
            let header = self.prepend(IPV4_HEADER);
            header[0] = VERSION_4_WITHOUT_OPTIONS;
            header[2..4].copy_from_slice(&((payload + IPV4_HEADER) as u16).to_be_bytes());
            header[4..6].copy_from_slice(&identification.to_be_bytes());
            header[8] = hop_limit;
            header[9] = protocol;
            header[12..16].copy_from_slice(source);
            header[16..20].copy_from_slice(destination);
            write_ipv4_checksum(header);
        } else {
            let header = self.prepend(IPV6_HEADER);
            header[0] = VERSION_6;
            header[4..6].copy_from_slice(&(payload as u16).to_be_bytes());
            header[6] = protocol;
            header[7] = hop_limit;
            header[8..24].copy_from_slice(source);
            header[24..40].copy_from_slice(destination);
        }
    }

    /// Prepend a UDP header and an IP header to a payload that is present in full.
    pub fn prepend_udp(&mut self, source: &[u8], destination: &[u8], ports: (u16, u16)) {
        let length = self.wire_length + UDP_HEADER;
        let header = self.prepend(UDP_HEADER);
        header[..2].copy_from_slice(&ports.0.to_be_bytes());
        header[2..4].copy_from_slice(&ports.1.to_be_bytes());
        header[4..6].copy_from_slice(&(length as u16).to_be_bytes());
        let sum = pseudo_header(source, destination, protocol::UDP, length as u32);
        let sum = nonzero_checksum(sum.add(self.captured(length)).finish());
        self.buffer[self.start + 6..self.start + 8].copy_from_slice(&sum.to_be_bytes());
        self.prepend_ip(source, destination, protocol::UDP, DEFAULT_HOP_LIMIT, 0);
    }

    /// Return IP version and header; None if the packet does not begin with a complete IP header.
    pub fn ip_header(&mut self) -> Option<(u8, &mut [u8])> {
        let version = self.buffer[self.start] >> 4;
        let size = ip_header_length(version);
        (matches!(version, 4 | 6) && self.end >= self.start + size)
            .then(|| (version, &mut self.buffer[self.start..self.start + size]))
    }
}

/// Write the checksum of an IPv4 header into it.
#[inline(always)]
pub fn write_ipv4_checksum(header: &mut [u8]) {
    header[10..12].fill(0);
    let sum = Checksum::default().add(header).finish();
    header[10..12].copy_from_slice(&sum.to_be_bytes());
}

/// Replace 0, which would mean that a UDP packet has no checksum (RFC 768).
#[inline(always)]
pub fn nonzero_checksum(checksum: u16) -> u16 {
    if checksum == 0 {
        0xFFFF
    } else {
        checksum
    }
}
