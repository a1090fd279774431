//! The lexicographic counter: one number per replica that goes both ways, under a version that counts the ways down.
//!
//! Source: Almeida et al., "Delta State Replicated Data Types" (JPDC'18), the lexicographic pair, whose example is the
//! counters of Cassandra. Each replica has a pair *(left, right)*, of which the greater left wins, and of one left the
//! greater right. An increment raises right; a decrement lowers it under a greater left. That takes one pair where a
//! [`PnCounter`](super::PnCounter) may take two numbers in two lists, each with its replica id, and the pair's number is
//! small where much goes up and down.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::dot::ReplicaId;
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};
use std::collections::BTreeMap;

/// A counter with increments and decrements, one pair per replica.
///
/// Each replica id has one writer: of two increments under one id, the greater counts; of an increment and a decrement,
/// the decrement.
///
/// A replica's number stops at the ends of `i64`: what would go beyond is lost. After 2⁶⁴−1 decrements a replica can make
/// no more; they change nothing.
///
/// ```
/// use lasp_crdt::{Lattice, LexCounter, ReplicaId};
///
/// let mut stock = LexCounter::new();
/// stock.merge(stock.increment(ReplicaId(1), 2));
/// stock.merge(stock.decrement(ReplicaId(2), 5));
/// stock.merge(stock.increment(ReplicaId(2), 1));
/// assert_eq!(stock.value(), -2);
/// ```
#[derive(Clone, Debug, Default)]
pub struct LexCounter {
    /// No pair is the least one, (0, 0), or below it.
    pairs: BTreeMap<ReplicaId, Lex>,
    /// The sum of what is right.
    total: i128,
    fingerprint: u64,
}

/// The order of the fields is the order of the pairs. The least that is reached is (0, 0).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Lex {
    /// How many decrements.
    left: u64,
    /// Increments less decrements.
    right: i64,
}

impl LexCounter {
    /// The counter at 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// The sum over all replicas, kept within `i64`. Cost: O(1).
    pub fn value(&self) -> i64 {
        clamped(self.total)
    }

    /// What `replica` has added less what it has subtracted. Cost: O(log r) for r replicas.
    pub fn count(&self, replica: ReplicaId) -> i64 {
        self.pair(replica).right
    }

    /// The delta that adds `n` on behalf of `replica`: its new pair.
    pub fn increment(&self, replica: ReplicaId, n: u64) -> Self {
        let Lex { left, right } = self.pair(replica);
        self.to(replica, Lex { left, right: clamped(i128::from(right) + i128::from(n)) })
    }

    /// The delta that subtracts `n` on behalf of `replica`: its new pair, under the next version.
    pub fn decrement(&self, replica: ReplicaId, n: u64) -> Self {
        let Lex { left, right } = self.pair(replica);
        let lower = clamped(i128::from(right) - i128::from(n));
        match left.checked_add(1) {
            Some(left) if lower < right => self.to(replica, Lex { left, right: lower }),
            _ => Self::new(),
        }
    }

    /// The delta that raises a replica's pair to `pair`; bottom if it is there already.
    fn to(&self, replica: ReplicaId, pair: Lex) -> Self {
        let mut delta = Self::new();
        if pair > self.pair(replica) {
            delta.raise(replica, pair);
        }
        delta
    }

    fn pair(&self, replica: ReplicaId) -> Lex {
        self.pairs.get(&replica).copied().unwrap_or_default()
    }

    /// Raises one replica's pair; `true` if it was lower.
    fn raise(&mut self, replica: ReplicaId, pair: Lex) -> bool {
        let before = self.pair(replica);
        if pair <= before {
            return false;
        }
        self.pairs.insert(replica, pair);
        self.fingerprint = self.fingerprint.wrapping_sub(share(replica, before)).wrapping_add(share(replica, pair));
        self.total += i128::from(pair.right) - i128::from(before.right);
        true
    }

    /// The pairs that are greater than in `known`.
    fn above(&self, known: &Self) -> Self {
        let mut part = Self::new();
        for (&replica, &pair) in self.pairs.iter().filter(|&(&replica, &pair)| pair > known.pair(replica)) {
            part.raise(replica, pair);
        }
        part
    }
}

/// The share of a replica in the fingerprint; none for the least pair.
fn share(replica: ReplicaId, pair: Lex) -> u64 {
    if pair == Lex::default() { 0 } else { fingerprint::mix(fingerprint::mix(replica.0, pair.left), pair.right as u64) }
}

fn clamped(n: i128) -> i64 {
    i64::try_from(n).unwrap_or(if n < 0 { i64::MIN } else { i64::MAX })
}

impl PartialEq for LexCounter {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint && self.pairs == other.pairs
    }
}

impl Eq for LexCounter {}

impl Lattice for LexCounter {
    fn merge(&mut self, other: Self) -> bool {
        if self.is_bottom() {
            *self = other;
            return !self.is_bottom();
        }
        other.pairs.into_iter().fold(false, |grew, (replica, pair)| self.raise(replica, pair) | grew)
    }

    fn leq(&self, other: &Self) -> bool {
        self.pairs.iter().all(|(&replica, &pair)| pair <= other.pair(replica))
    }

    fn is_bottom(&self) -> bool {
        self.pairs.is_empty()
    }
}

impl Decompose for LexCounter {
    /// One part per replica: the pairs of one replica are all comparable.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        self.pairs.iter().map(|(&replica, &pair)| {
            let mut part = Self::new();
            part.raise(replica, pair);
            part
        })
    }
}

impl Delta for LexCounter {
    type Digest = Self;

    fn digest(&self) -> Self {
        self.clone()
    }

    fn delta(&self, since: &Self) -> Self {
        self.above(since)
    }

    fn difference(&self, known: &Self) -> Self {
        self.above(known)
    }
}

impl Fingerprint for LexCounter {
    fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

/// The number of replicas, then each with left and right, ascending.
impl Encode for LexCounter {
    fn encode(&self, w: &mut Writer<'_>) {
        w.len(self.pairs.len());
        for (&replica, pair) in &self.pairs {
            w.replica(replica);
            w.varint(pair.left);
            w.signed(pair.right);
        }
    }
}

impl Decode for LexCounter {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut counter = Self::new();
        for _ in 0..r.len("pairs")? {
            let bad = r.not_canonical("pairs");
            let replica = r.replica()?;
            let pair = Lex { left: r.varint("left")?, right: r.signed("right")? };
            let is_ascending = counter.pairs.last_key_value().is_none_or(|(&last, _)| last < replica);
            if !is_ascending || !counter.raise(replica, pair) {
                return Err(bad);
            }
        }
        Ok(counter)
    }
}
