//! One packet being made, from the inside out: headers are put in front of what is there.

use crate::wire::checksum::Sum;
use crate::wire::{header_length, protocol};

/// Room in front of a packet for headers: four tunnels of at most 60 bytes, and an IP header again.
const HEADROOM: usize = 320;
const MOST: usize = 65_536;
/// Hop limit, or time to live, of everything but neighbour discovery.
pub const HOPS: u8 = 64;

/// The first bytes of a packet, as many as are kept, and its whole length.
pub struct Packet {
    room: Vec<u8>,
    start: usize,
    end: usize,
    length: usize,
}

impl Packet {
    pub fn new() -> Packet {
        Packet { room: vec![0; HEADROOM + MOST], start: HEADROOM, end: HEADROOM, length: 0 }
    }

    /// Begin anew with the first `kept` of `length` bytes, all zero, and give them.
    #[inline(always)]
    pub fn begin(&mut self, kept: usize, length: usize) -> &mut [u8] {
        self.start = HEADROOM;
        self.end = HEADROOM + kept.min(length).min(MOST);
        self.length = length;
        let body = &mut self.room[HEADROOM..self.end];
        body.fill(0);
        body
    }

    /// Put a header of `size` zero bytes in front, and give it.
    #[inline(always)]
    pub fn prepend(&mut self, size: usize) -> &mut [u8] {
        self.end = self.end.max(self.start);
        self.start -= size;
        self.length += size;
        let header = &mut self.room[self.start..self.start + size];
        header.fill(0);
        header
    }

    /// Make room of `size` zero bytes behind the first `behind` bytes, and give both.
    pub fn insert(&mut self, behind: usize, size: usize) -> (&mut [u8], &mut [u8]) {
        self.room.copy_within(self.start..self.start + behind, self.start - size);
        self.start -= size;
        self.length += size;
        let (front, rest) = self.room[self.start..].split_at_mut(behind);
        rest[..size].fill(0);
        (front, &mut rest[..size])
    }

    /// The whole length.
    pub fn length(&self) -> usize {
        self.length
    }

    /// At most `snap` of the bytes that are kept.
    #[inline(always)]
    pub fn kept(&self, snap: usize) -> &[u8] {
        &self.room[self.start..self.end.min(self.start + snap)]
    }

    /// Put an IP header in front: of version 4 with `identification`, of version 6 if the addresses have 16 bytes.
    #[inline(always)]
    pub fn ip(&mut self, source: &[u8], destination: &[u8], next: u8, hops: u8, identification: u16) {
        let payload = self.length;
        if source.len() == 4 {
            let header = self.prepend(20);
            header[0] = 0x45;
            header[2..4].copy_from_slice(&((payload + 20) as u16).to_be_bytes());
            header[4..6].copy_from_slice(&identification.to_be_bytes());
            header[8] = hops;
            header[9] = next;
            header[12..16].copy_from_slice(source);
            header[16..20].copy_from_slice(destination);
            check_ipv4(header);
        } else {
            let header = self.prepend(40);
            header[0] = 0x60;
            header[4..6].copy_from_slice(&(payload as u16).to_be_bytes());
            header[6] = next;
            header[7] = hops;
            header[8..24].copy_from_slice(source);
            header[24..40].copy_from_slice(destination);
        }
    }

    /// Put a UDP header and an IP header in front; the payload is all there.
    pub fn udp(&mut self, source: &[u8], destination: &[u8], ports: (u16, u16)) {
        let length = self.length + 8;
        let header = self.prepend(8);
        header[..2].copy_from_slice(&ports.0.to_be_bytes());
        header[2..4].copy_from_slice(&ports.1.to_be_bytes());
        header[4..6].copy_from_slice(&(length as u16).to_be_bytes());
        let sum = crate::wire::checksum::pseudo_header(source, destination, protocol::UDP, length as u32);
        let sum = non_zero(sum.bytes(self.kept(length)).done());
        self.room[self.start + 6..self.start + 8].copy_from_slice(&sum.to_be_bytes());
        self.ip(source, destination, protocol::UDP, HOPS, 0);
    }

    /// A whole packet that is given.
    pub fn whole(&mut self, bytes: &[u8]) {
        self.begin(bytes.len(), bytes.len()).copy_from_slice(bytes);
    }

    /// Its version and header, if it is IP.
    pub fn header(&mut self) -> Option<(u8, &mut [u8])> {
        let version = self.room[self.start] >> 4;
        let size = header_length(version);
        (matches!(version, 4 | 6) && self.end >= self.start + size)
            .then(|| (version, &mut self.room[self.start..self.start + size]))
    }
}

/// Write the checksum of an IPv4 header.
#[inline(always)]
pub fn check_ipv4(header: &mut [u8]) {
    header[10..12].fill(0);
    let sum = Sum::default().bytes(header).done();
    header[10..12].copy_from_slice(&sum.to_be_bytes());
}

/// A UDP checksum of 0 would say that there is none (RFC 768).
#[inline(always)]
pub fn non_zero(checksum: u16) -> u16 {
    if checksum == 0 {
        0xFFFF
    } else {
        checksum
    }
}
