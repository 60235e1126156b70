//! SCTP packets (RFC 9260) of chunks that the caller composes.

use crate::wire::packet_builder::{Packet, DEFAULT_HOP_LIMIT};
use crate::wire::protocol;

const COMMON_HEADER: usize = 12;
/// CRC32c of RFC 9260 appendix A, reflected.
const POLYNOMIAL: u32 = 0x82F6_3B78;
const CRC_TABLE: [u32; 256] = {
    let (mut table, mut byte) = ([0; 256], 0);
    while byte < 256 {
        let (mut rest, mut bit) = (byte as u32, 0);
        while bit < 8 {
            rest = (rest >> 1) ^ (POLYNOMIAL * (rest & 1));
            bit += 1;
        }
        table[byte] = rest;
        byte += 1;
    }
    table
};

fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| (crc >> 8) ^ CRC_TABLE[usize::from(crc as u8 ^ byte)])
}

/// Build a packet of chunks, with one port at both ends; return None if it is too long.
pub fn sctp_packet(
    source: &[u8],
    destination: &[u8],
    port: u16,
    verification_tag: u32,
    chunks: &[u8],
) -> Option<Packet> {
    let mut bytes = [port.to_be_bytes(); 2].concat();
    bytes.extend(verification_tag.to_be_bytes());
    bytes.extend([0; COMMON_HEADER - 8]);
    bytes.extend(chunks);
    let checksum = crc32c(&bytes);
    bytes[8..COMMON_HEADER].copy_from_slice(&checksum.to_le_bytes());
    Packet::from_payload(&bytes).map(|mut packet| {
        packet.prepend_ip(source, destination, protocol::SCTP, DEFAULT_HOP_LIMIT, 0);
        packet
    })
}
