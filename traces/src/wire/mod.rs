//! Packets as bytes: IP and what it carries, tunnels, and the messages of Mobile IPv4 and Mobile IPv6.

#![allow(clippy::too_many_arguments)] // a message has as many as it has fields

pub mod checksum;
pub mod datagram;
pub mod mobile4;
pub mod mobile6;
pub mod neighbour;
pub mod packet;
pub mod python;
pub mod tunnel;

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
    pub const NONE: u8 = 59;
    pub const DESTINATION_OPTIONS: u8 = 60;
    pub const MOBILITY: u8 = 135;
    /// For experiments (RFC 3692).
    pub const EXPERIMENT: u8 = 253;
}

/// Bytes of a header of IP without options.
pub fn header_length(version: u8) -> usize {
    if version == 4 {
        20
    } else {
        40
    }
}
