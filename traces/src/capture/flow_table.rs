//! Flows: the packets of both directions between two ends, numbered in order of appearance.

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;

/// The flow of a packet that is not IP.
pub const NO_FLOW: u32 = u32::MAX;
/// The time of a packet without one; numpy's NaT.
pub const NO_TIME: i64 = i64::MIN;
/// Entries of the cache in front of the table. Conversations overlap, so a single entry would miss too often.
const CACHE_SLOTS: usize = 256;

/// The ends of a packet as it was sent. An IPv4 address fills the first four bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FlowKey {
    pub version: u8,
    pub protocol: u8,
    pub ports: (u16, u16),
    pub source: [u8; 16],
    pub destination: [u8; 16],
}

impl FlowKey {
    fn reversed(&self) -> FlowKey {
        FlowKey {
            ports: (self.ports.1, self.ports.0),
            source: self.destination,
            destination: self.source,
            ..*self
        }
    }

    /// Return the cache slot of the key. The hash is weak because it only has to be fast: every hit is compared in full.
    #[inline(always)]
    fn cache_slot(&self) -> usize {
        let word = |b: &[u8; 16], at: usize| u64::from_le_bytes(std::array::from_fn(|i| b[at + i]));
        let ends = word(&self.source, 0)
            ^ word(&self.source, 8).rotate_left(13)
            ^ word(&self.destination, 0).rotate_left(29)
            ^ word(&self.destination, 8).rotate_left(43);
        let ports = u64::from(self.ports.0) | u64::from(self.ports.1) << 16 | u64::from(self.protocol) << 32;
        ((ends ^ ports).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as usize % CACHE_SLOTS
    }
}

/// Sums over both directions of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowCounts {
    pub packets: u64,
    pub bytes: u64,
    /// Time of the first packet in the file.
    pub first_time_ns: i64,
}

/// Table of flows. A key is that of its flow's first packet.
pub struct FlowTable {
    flows: IndexMap<FlowKey, FlowCounts, DefaultHashBuilder>,
    /// Recent keys with their flow and direction.
    cache: Box<[(FlowKey, u32, u8); CACHE_SLOTS]>,
}

impl Default for FlowTable {
    fn default() -> FlowTable {
        // no packet has IP version 0, so no packet matches the initial keys
        let cache = Box::new([(FlowKey::default(), NO_FLOW, 0); CACHE_SLOTS]);
        FlowTable { flows: IndexMap::default(), cache }
    }
}

impl FlowTable {
    /// Count a packet; return its flow and its direction: 0 as the flow's first packet, 1 against it.
    #[inline(always)]
    pub fn count_packet(&mut self, key: &FlowKey, time_ns: i64, length: u32) -> (u32, u8) {
        let slot = key.cache_slot();
        let (cached_key, mut flow, mut direction) = self.cache[slot];
        if cached_key != *key {
            (flow, direction) = self.find_or_insert(key, time_ns);
            self.cache[slot] = (*key, flow, direction);
        }
        let counts = &mut self.flows[flow as usize];
        counts.packets += 1;
        counts.bytes += u64::from(length);
        (flow, direction)
    }

    #[inline(never)]
    fn find_or_insert(&mut self, key: &FlowKey, time_ns: i64) -> (u32, u8) {
        if let Some(flow) = self.flows.get_index_of(key) {
            return (flow as u32, 0);
        }
        if let Some(flow) = self.flows.get_index_of(&key.reversed()) {
            return (flow as u32, 1);
        }
        let counts = FlowCounts { packets: 0, bytes: 0, first_time_ns: time_ns };
        (self.flows.insert_full(*key, counts).0 as u32, 0)
    }

    pub fn len(&self) -> usize {
        self.flows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    pub fn rows(&self) -> impl ExactSizeIterator<Item = (&FlowKey, &FlowCounts)> {
        self.flows.iter()
    }
}
