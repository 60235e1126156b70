//! Packets as bytes: IP headers and their payloads, tunnels, and messages of Mobile IP, and the SCTP of mobile cores.

#![allow(clippy::too_many_arguments)] // one argument for each field of a message

pub mod checksum;
pub mod data_packet;
pub mod icmpv6;
pub mod mipv4;
pub mod mipv6;
pub mod packet_builder;
pub mod sctp;
pub mod tunnel;

pub type Ipv4Address = [u8; 4];
pub type Ipv6Address = [u8; 16];

/// Protocol numbers (iana.org/assignments/protocol-numbers).
pub mod protocol {
    pub const ICMP: u8 = 1;
    pub const IPV4: u8 = 4;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const IPV6: u8 = 41;
    pub const ROUTING: u8 = 43;
    pub const GRE: u8 = 47;
    pub const ESP: u8 = 50;
    pub const MINIMAL: u8 = 55;
    pub const ICMPV6: u8 = 58;
    pub const NO_NEXT_HEADER: u8 = 59;
    pub const DESTINATION_OPTIONS: u8 = 60;
    pub const SCTP: u8 = 132;
    pub const MOBILITY: u8 = 135;
    /// Reserved for experiments (RFC 3692).
    pub const EXPERIMENT: u8 = 253;
}

pub const IPV4_HEADER: usize = 20;
pub const IPV6_HEADER: usize = 40;

/// Return the bytes of an IP header without options.
pub fn ip_header_length(version: u8) -> usize {
    if version == 4 {
        IPV4_HEADER
    } else {
        IPV6_HEADER
    }
}
