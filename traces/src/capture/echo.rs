//! Echo requests (RFC 792, RFC 4443) that nobody answered: what a ping lost.

use hashbrown::HashMap;
use std::collections::BTreeSet;

/// Conversations that are followed at the most.
const MOST: usize = 1 << 16;

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
    pub requests: u64,
    pub replies: u64,
    /// Sequence numbers without a reply.
    pub unanswered: BTreeSet<u16>,
}

#[derive(Default)]
pub struct Echoes {
    number: HashMap<Pair, usize>,
    /// In order of appearance.
    pub pairs: Vec<(Pair, Asked)>,
}

impl Echoes {
    /// A request, or what answers it.
    pub fn add(&mut self, pair: Pair, sequence: u16, reply: bool) {
        let next = self.pairs.len();
        let at = match self.number.get(&pair) {
            Some(&at) => at,
            None if reply || next == MOST => return, // an answer to something from before the capture
            None => {
                self.number.insert(pair, next);
                self.pairs.push((pair, Asked::default()));
                next
            }
        };
        let asked = &mut self.pairs[at].1;
        if reply {
            asked.replies += u64::from(asked.unanswered.remove(&sequence));
        } else {
            // the same request is seen twice where it enters a tunnel
            asked.requests += u64::from(asked.unanswered.insert(sequence));
        }
    }
}
