//! How much went through each tunnel.

use super::ip::Header;
use hashbrown::HashMap;

/// The outer header of a tunnel, one direction of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub version: u8,
    pub protocol: u8,
    pub source: [u8; 16],
    pub destination: [u8; 16],
}

/// Table of tunnels in order of appearance, one entry of each column a tunnel.
#[derive(Default)]
pub struct Through {
    pub keys: Vec<Key>,
    pub packets: Vec<u64>,
    /// With the outer header.
    pub bytes: Vec<u64>,
    number: HashMap<Key, usize>,
}

impl Through {
    /// Count a packet by its outer header.
    pub fn add(&mut self, outer: &Header) {
        let Header { version, protocol, source, destination, length, .. } = *outer;
        let key = Key { version, protocol, source, destination };
        let next = self.keys.len();
        let at = *self.number.entry(key).or_insert(next);
        if at == next {
            self.keys.push(key);
            self.packets.push(0);
            self.bytes.push(0);
        }
        self.packets[at] += 1;
        self.bytes[at] += u64::from(length);
    }
}
