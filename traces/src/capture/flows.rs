//! Flows: packets of both directions between two ends, numbered in order of appearance.

use hashbrown::HashMap;

/// The flow of a packet that is not IP.
pub const NO_FLOW: u32 = u32::MAX;
/// The time of a packet that carries none; numpy's NaT.
pub const NO_TIME: i64 = i64::MIN;
/// Keys remembered beside the map; conversations overlap, so one alone would miss too often.
const RECENT: usize = 256;

/// Ends of a packet as it was sent; an IPv4 address fills the first four bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Key {
    pub version: u8,
    pub protocol: u8,
    pub ports: (u16, u16),
    pub source: [u8; 16],
    pub destination: [u8; 16],
}

impl Key {
    fn reversed(&self) -> Key {
        Key {
            ports: (self.ports.1, self.ports.0),
            source: self.destination,
            destination: self.source,
            ..*self
        }
    }

    /// Cheap and weak: it only chooses the place in the table of recent keys.
    #[inline(always)]
    fn slot(&self) -> usize {
        let word = |b: &[u8; 16], at: usize| u64::from_le_bytes(std::array::from_fn(|i| b[at + i]));
        let ends = word(&self.source, 0)
            ^ word(&self.source, 8).rotate_left(13)
            ^ word(&self.destination, 0).rotate_left(29)
            ^ word(&self.destination, 8).rotate_left(43);
        let ports = u64::from(self.ports.0) | u64::from(self.ports.1) << 16 | u64::from(self.protocol) << 32;
        ((ends ^ ports).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as usize % RECENT
    }
}

/// Table of flows, one entry of each column a flow.
pub struct Flows {
    /// As the first packet of each flow was sent.
    pub keys: Vec<Key>,
    pub packets: Vec<u64>,
    pub bytes: Vec<u64>,
    pub first_time_ns: Vec<i64>,
    number: HashMap<Key, u32>,
    recent: Box<[(Key, u32, u8); RECENT]>,
}

impl Default for Flows {
    fn default() -> Flows {
        Flows {
            keys: Vec::new(),
            packets: Vec::new(),
            bytes: Vec::new(),
            first_time_ns: Vec::new(),
            number: HashMap::new(),
            // no packet has version 0, so these match none
            recent: Box::new([(Key::default(), NO_FLOW, 0); RECENT]),
        }
    }
}

impl Flows {
    /// Count a packet; give its flow and its direction: 0 as the flow's first packet, 1 against it.
    #[inline(always)]
    pub fn add(&mut self, key: &Key, time_ns: i64, length: u32) -> (u32, u8) {
        let slot = key.slot();
        let (known, mut flow, mut direction) = self.recent[slot];
        if known != *key {
            (flow, direction) = self.find(key, time_ns);
            self.recent[slot] = (*key, flow, direction);
        }
        self.packets[flow as usize] += 1;
        self.bytes[flow as usize] += u64::from(length);
        (flow, direction)
    }

    #[inline(never)]
    fn find(&mut self, key: &Key, time_ns: i64) -> (u32, u8) {
        if let Some(&flow) = self.number.get(key) {
            return (flow, 0);
        }
        if let Some(&flow) = self.number.get(&key.reversed()) {
            return (flow, 1);
        }
        let flow = self.keys.len() as u32;
        self.number.insert(*key, flow);
        self.keys.push(*key);
        self.packets.push(0);
        self.bytes.push(0);
        self.first_time_ns.push(time_ns);
        (flow, 0)
    }
}
