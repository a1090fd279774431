//! The grow-only counter: one number per replica, merged by maximum; its value is their sum.
//!
//! Source: Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data Types" (2011), §3.1.2.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::dot::ReplicaId;
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};
use smallvec::{SmallVec, smallvec};

/// A grow-only counter.
///
/// ```
/// use lasp_crdt::{GCounter, Lattice, ReplicaId};
///
/// let (a, b) = (ReplicaId(1), ReplicaId(2));
/// let mut left = GCounter::new();
/// left.merge(left.increment(a, 2));
/// let mut right = GCounter::new();
/// right.merge(right.increment(b, 3));
/// left.merge(right);
/// assert_eq!(left.value(), 5);
/// ```
#[derive(Clone, Debug, Default)]
pub struct GCounter {
    /// Ascending by replica; no zeroes.
    counts: SmallVec<[(ReplicaId, u64); 1]>,
    total: u128,
    fingerprint: u64,
}

impl GCounter {
    /// The counter at 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// The sum over all replicas, at most `u64::MAX`. Cost: O(1).
    pub fn value(&self) -> u64 {
        u64::try_from(self.total).unwrap_or(u64::MAX)
    }

    /// How much `replica` has counted.
    pub fn count(&self, replica: ReplicaId) -> u64 {
        self.find(replica).map_or(0, |at| self.counts[at].1)
    }

    /// How much each replica has counted, ascending by replica.
    pub fn counts(&self) -> impl ExactSizeIterator<Item = (ReplicaId, u64)> {
        self.counts.iter().copied()
    }

    /// The delta that adds `n` on behalf of `replica`: its new count. A replica's count stops at `u64::MAX`.
    pub fn increment(&self, replica: ReplicaId, n: u64) -> Self {
        let before = self.count(replica);
        let after = before.saturating_add(n);
        if after == before { Self::new() } else { Self::single(replica, after) }
    }

    fn single(replica: ReplicaId, count: u64) -> Self {
        Self {
            counts: smallvec![(replica, count)],
            total: count.into(),
            fingerprint: fingerprint::mix(replica.0, count),
        }
    }

    fn find(&self, replica: ReplicaId) -> Result<usize, usize> {
        match self.counts.last() {
            // Deltas and decoding append.
            Some(&(last, _)) if last < replica => Err(self.counts.len()),
            _ => self.counts.binary_search_by_key(&replica, |&(replica, _)| replica),
        }
    }

    /// Raises one replica's count; `true` if it was lower.
    fn raise(&mut self, replica: ReplicaId, count: u64) -> bool {
        let before = match self.find(replica) {
            Ok(at) if self.counts[at].1 >= count => return false,
            Ok(at) => std::mem::replace(&mut self.counts[at].1, count),
            Err(at) => {
                self.counts.insert(at, (replica, count));
                0
            }
        };
        if before > 0 {
            self.fingerprint = self.fingerprint.wrapping_sub(fingerprint::mix(replica.0, before));
        }
        self.fingerprint = self.fingerprint.wrapping_add(fingerprint::mix(replica.0, count));
        self.total += u128::from(count - before);
        true
    }

    /// The counts that are higher than in `known`.
    fn above(&self, known: &Self) -> Self {
        let mut part = Self::new();
        for &(replica, count) in self.counts.iter().filter(|&&(replica, count)| count > known.count(replica)) {
            part.raise(replica, count);
        }
        part
    }
}

impl PartialEq for GCounter {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint && self.counts == other.counts
    }
}

impl Eq for GCounter {}

impl Lattice for GCounter {
    fn merge(&mut self, other: Self) -> bool {
        if self.is_bottom() {
            *self = other;
            return !self.is_bottom();
        }
        other.counts.into_iter().fold(false, |grew, (replica, count)| self.raise(replica, count) | grew)
    }

    fn leq(&self, other: &Self) -> bool {
        self.counts.iter().all(|&(replica, count)| count <= other.count(replica))
    }

    fn is_bottom(&self) -> bool {
        self.counts.is_empty()
    }
}

impl Decompose for GCounter {
    /// One part per replica.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        self.counts.iter().map(|&(replica, count)| Self::single(replica, count))
    }
}

impl Delta for GCounter {
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

impl Fingerprint for GCounter {
    fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

/// The number of replicas, then each with its count, ascending.
impl Encode for GCounter {
    fn encode(&self, w: &mut Writer<'_>) {
        w.len(self.counts.len());
        for &(replica, count) in &self.counts {
            w.replica(replica);
            w.varint(count);
        }
    }
}

impl Decode for GCounter {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut counter = Self::new();
        let mut last = None;
        for _ in 0..r.len("counts")? {
            let bad = r.not_canonical("counts");
            let replica = r.replica()?;
            let count = r.varint("count")?;
            if count == 0 || last.is_some_and(|last| last >= replica) {
                return Err(bad);
            }
            last = Some(replica);
            counter.raise(replica, count);
        }
        Ok(counter)
    }
}
