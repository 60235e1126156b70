//! Packets and bytes of each tunnel.

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;

/// The outer header of a tunnel in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TunnelKey {
    pub version: u8,
    pub protocol: u8,
    /// UDP port that names the kind of a tunnel in UDP, else 0.
    pub port: u16,
    pub source: [u8; 16],
    pub destination: [u8; 16],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TunnelCounts {
    pub packets: u64,
    /// IP total lengths, the outer header included.
    pub bytes: u64,
}

/// Tunnels in order of appearance.
#[derive(Default)]
pub struct TunnelTable(IndexMap<TunnelKey, TunnelCounts, DefaultHashBuilder>);

impl TunnelTable {
    /// Count a packet whose outer header states the key and `length` bytes.
    pub fn count_packet(&mut self, key: TunnelKey, length: u32) {
        let counts = self.0.entry(key).or_default();
        counts.packets += 1;
        counts.bytes += u64::from(length);
    }

    pub fn rows(&self) -> impl ExactSizeIterator<Item = (&TunnelKey, &TunnelCounts)> {
        self.0.iter()
    }
}
