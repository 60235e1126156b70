//! Echo requests (RFC 792, RFC 4443) that nobody answered: what a ping lost.

use hashbrown::HashMap;
use std::collections::BTreeMap;

/// The same request again within this time is a copy of it: on the next link, in a tunnel.
const COPY_NS: i64 = 60_000_000_000;
/// Conversations that are followed at the most.
const MOST: usize = 1 << 16;
/// Requests of all conversations that wait for their replies.
const MOST_WAITING: usize = 1 << 20;
/// Unanswered sequence numbers that are named of a conversation.
const MOST_NAMED: usize = 1000;

/// Who asks whom, under which identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    pub version: u8,
    pub asking: [u8; 16],
    pub asked: [u8; 16],
    pub identifier: u16,
}

#[derive(Default)]
pub struct Asked {
    /// Each counted once.
    pub requests: u64,
    pub replies: u64,
    /// Sequence numbers that came anew before they were answered.
    given_up: Vec<u16>,
    /// When each that has no reply was last seen.
    waiting: BTreeMap<u16, i64>,
}

impl Asked {
    /// Sequence numbers without a reply; the first of many.
    pub fn unanswered(&self) -> Vec<u16> {
        self.given_up.iter().chain(self.waiting.keys()).copied().take(MOST_NAMED).collect()
    }
}

#[derive(Default)]
pub struct Echoes {
    number: HashMap<Pair, usize>,
    /// In order of appearance.
    pub pairs: Vec<(Pair, Asked)>,
    waiting: usize,
    /// Requests that were not followed, because too many were.
    pub unfollowed: u64,
}

impl Echoes {
    pub fn request(&mut self, pair: Pair, sequence: u16, time_ns: i64) {
        let next = self.pairs.len();
        let known = self.number.get(&pair).copied();
        if self.waiting == MOST_WAITING || (known.is_none() && next == MOST) {
            self.unfollowed += 1;
            return;
        }
        let at = known.unwrap_or_else(|| {
            self.number.insert(pair, next);
            self.pairs.push((pair, Asked::default()));
            next
        });
        let asked = &mut self.pairs[at].1;
        match asked.waiting.insert(sequence, time_ns) {
            Some(before) if time_ns.saturating_sub(before) <= COPY_NS => return,
            Some(_) if asked.given_up.len() < MOST_NAMED => asked.given_up.push(sequence),
            Some(_) => {}
            None => self.waiting += 1,
        }
        asked.requests += 1;
    }

    pub fn reply(&mut self, pair: Pair, sequence: u16) {
        // of none: an answer to something from before the capture
        let Some(&at) = self.number.get(&pair) else { return };
        let asked = &mut self.pairs[at].1;
        if asked.waiting.remove(&sequence).is_some() {
            asked.replies += 1;
            self.waiting -= 1;
        }
    }
}
