//! Unanswered ICMP echo requests (RFC 792, RFC 4443): the losses of a ping.

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;
use std::collections::BTreeMap;

/// A request seen again within this time is a copy, captured on the next link or in a tunnel.
const COPY_INTERVAL_NS: i64 = 60_000_000_000;
/// Pings tracked at most.
const MAX_PINGS: usize = 1 << 16;
/// Requests of all pings that may wait for their replies at the same time.
const MAX_WAITING: usize = 1 << 20;
/// Unanswered sequence numbers listed for each ping.
const MAX_LISTED: usize = 1000;

/// A ping: who sends requests to whom, under which identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PingPair {
    pub version: u8,
    pub requester: [u8; 16],
    pub responder: [u8; 16],
    pub identifier: u16,
}

#[derive(Default)]
pub struct PingStats {
    /// Requests, without copies.
    pub requests: u64,
    pub replies: u64,
    /// Sequence numbers that were used again before they were answered.
    abandoned: Vec<u16>,
    /// Time of the latest request for each sequence number without a reply.
    waiting: BTreeMap<u16, i64>,
}

impl PingStats {
    /// Return the sequence numbers without a reply, at most `MAX_LISTED`.
    pub fn unanswered(&self) -> Vec<u16> {
        self.abandoned.iter().chain(self.waiting.keys()).copied().take(MAX_LISTED).collect()
    }
}

/// All pings of a capture.
#[derive(Default)]
pub struct PingTracker {
    /// In order of appearance.
    pub pings: IndexMap<PingPair, PingStats, DefaultHashBuilder>,
    waiting: usize,
    /// Requests not tracked because a limit was reached.
    pub untracked: u64,
}

impl PingTracker {
    pub fn add_request(&mut self, pair: PingPair, sequence: u16, time_ns: i64) {
        let table_full = self.pings.len() == MAX_PINGS && !self.pings.contains_key(&pair);
        if self.waiting == MAX_WAITING || table_full {
            self.untracked += 1;
            return;
        }
        let ping = self.pings.entry(pair).or_default();
        match ping.waiting.insert(sequence, time_ns) {
            Some(before) if time_ns.saturating_sub(before) <= COPY_INTERVAL_NS => return,
            Some(_) if ping.abandoned.len() < MAX_LISTED => ping.abandoned.push(sequence),
            Some(_) => {}
            None => self.waiting += 1,
        }
        ping.requests += 1;
    }

    /// Count a reply; one to a request from before the capture is ignored.
    pub fn add_reply(&mut self, pair: PingPair, sequence: u16) {
        let Some(ping) = self.pings.get_mut(&pair) else { return };
        if ping.waiting.remove(&sequence).is_some() {
            ping.replies += 1;
            self.waiting -= 1;
        }
    }
}
