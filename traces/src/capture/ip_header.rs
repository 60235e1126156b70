//! The fields of an IP header.

/// Place of a packet in its datagram, with the identification that it shares with the other fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragment {
    Whole,
    First(u32),
    Later(u32),
}

/// One IP header and the position of its payload.
#[derive(Clone, Copy)]
pub struct IpHeader {
    pub version: u8,
    /// Protocol behind the extension headers.
    pub protocol: u8,
    /// Time to live, or hop limit.
    pub hop_limit: u8,
    pub source: [u8; 16],
    pub destination: [u8; 16],
    /// IP total length.
    pub length: u32,
    pub fragment: Fragment,
    /// Offset of the payload; None if it is cut off, or begins in another fragment.
    pub payload: Option<usize>,
    /// Address of a home address option or type 2 routing header (RFC 6275 6.3, 6.4).
    pub home: Option<[u8; 16]>,
}
