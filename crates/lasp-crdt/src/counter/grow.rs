//! The grow-only counter: one number per replica, merged by maximum; its value is their sum.
//!
//! Source: Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data Types" (2011), §3.1.2.
//! What replicas counted that will never count again folds into one number of a *steward* (see
//! [`GCounter::retire`]), after the handoff of Almeida and Baquero, "Scalable Eventually Consistent Counters over
//! Unreliable Networks" (2013), without its tokens: the steward has seen the last count.

mod folds;
mod wire;

use crate::dot::ReplicaId;
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};
use crate::sorted::{At, Keyed, Sorted};
use folds::{Fold, Folds};

/// What one replica has counted; not 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Count {
    replica: ReplicaId,
    n: u64,
}

impl Keyed for Count {
    fn key(&self) -> u64 {
        self.replica.0
    }
}

impl Count {
    /// The share of one count in the fingerprint.
    fn part(self) -> u64 {
        fingerprint::mix(self.replica.0, self.n)
    }
}

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
    counts: Sorted<Count>,
    /// What was folded; none of it has a count.
    folds: Folds,
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

    /// How much `replica` has counted; 0 also if that was folded. Cost: O(log n).
    pub fn count(&self, replica: ReplicaId) -> u64 {
        self.counts.by_key(replica.0).map_or(0, |count| count.n)
    }

    /// How much each replica has counted, ascending by replica; without what was folded.
    pub fn counts(&self) -> impl DoubleEndedIterator<Item = (ReplicaId, u64)> {
        self.counts.iter().map(|count| (count.replica, count.n))
    }

    /// What these replicas, which must ascend, have counted: a delta, without what was folded. Cost: that of finding each.
    pub fn counts_of(&self, replicas: impl IntoIterator<Item = ReplicaId>) -> Self {
        let (mut part, mut at) = (Self::new(), At::FIRST);
        for replica in replicas {
            let found = self.counts.seek(at, replica.0);
            if let Some(&count) = found.ok().and_then(|found| self.counts.get(found)) {
                part.append(count);
            }
            at = found.map_or_else(|gap| gap, |found| self.counts.after(found));
        }
        part
    }

    /// Whether anything was folded.
    pub fn is_folded(&self) -> bool {
        !self.folds.is_empty()
    }

    /// How many replicas have counted; without those that were folded. O(1) up to some hundreds of them, then the number of
    /// chunks that they are kept in.
    pub fn replicas(&self) -> usize {
        self.counts.len()
    }

    /// Whether what `replica` counted was folded: it can count no more.
    pub fn is_retired(&self, replica: ReplicaId) -> bool {
        self.folds.cover(replica)
    }

    /// The delta that adds `n` on behalf of `replica`: its new count. A replica's count stops at `u64::MAX`, and that of a
    /// retired replica stays what it is.
    pub fn increment(&self, replica: ReplicaId, n: u64) -> Self {
        let before = self.count(replica);
        let after = before.saturating_add(n);
        if after == before || self.is_retired(replica) { Self::new() } else { Self::single(replica, after) }
    }

    /// The delta by which `steward` takes over what `replicas` have counted, so that they need no entry any more; bottom
    /// for those that were taken over before. What they say later counts nowhere.
    ///
    /// The caller sees to three things. The replicas will never count again. Their last counts are in this state. And all
    /// calls for one replica name the same steward, which makes them in sequence: the server that handed out their
    /// ids is a good one. Ids that follow one another cost one range together. Cost: the ranges taken over so far.
    pub fn retire(&self, steward: ReplicaId, replicas: impl IntoIterator<Item = ReplicaId>) -> Self {
        let mut fold = self.folds.of(steward).cloned().unwrap_or_default();
        let mut grew = false;
        for replica in replicas {
            if !self.is_retired(replica) && fold.take(replica, self.count(replica)) {
                grew = true;
            }
        }
        let mut delta = Self::new();
        if grew {
            delta.raise_fold(steward, fold);
        }
        delta
    }

    fn single(replica: ReplicaId, n: u64) -> Self {
        let count = Count { replica, n };
        Self { counts: Sorted::one(count), folds: Folds::default(), total: n.into(), fingerprint: count.part() }
    }

    /// Adds a count of a replica above all others.
    fn append(&mut self, count: Count) {
        self.counts.push(count);
        self.total += u128::from(count.n);
        self.gain(count.part());
    }

    fn gain(&mut self, gain: u64) {
        self.fingerprint = self.fingerprint.wrapping_add(gain);
    }

    /// Raises the count at a position; `true` if it was lower.
    fn raise(&mut self, at: At, n: u64) -> bool {
        let Some(count) = self.counts.get_mut(at).filter(|count| count.n < n) else { return false };
        let before = std::mem::replace(&mut count.n, n);
        let gain = count.part().wrapping_sub(Count { n: before, ..*count }.part());
        self.total += u128::from(n - before);
        self.gain(gain);
        true
    }

    /// Merges counts, ascending by replica.
    fn merge_counts(&mut self, counts: &Sorted<Count>) -> bool {
        let (mut grew, mut at) = (false, At::FIRST);
        let mut unknown = Vec::new();
        for count in counts.iter() {
            match self.counts.seek(at, count.key()) {
                Ok(found) => {
                    grew |= self.raise(found, count.n);
                    at = self.counts.after(found);
                }
                Err(gap) => {
                    at = gap;
                    if !self.is_retired(count.replica) {
                        unknown.push(*count);
                    }
                }
            }
        }
        grew |= !unknown.is_empty();
        for count in &unknown {
            self.total += u128::from(count.n);
            self.gain(count.part());
        }
        self.counts.insert_all(unknown);
        grew
    }

    /// Takes a steward's word over a lesser one; `true` if it was news.
    fn raise_fold(&mut self, steward: ReplicaId, fold: Fold) -> bool {
        if !self.folds.of(steward).is_none_or(|known| *known < fold) {
            return false;
        }
        for range in fold.replicas.iter() {
            loop {
                let at = self.counts.partition_point(|count| count.key() < range.start);
                let Some(count) = self.counts.get(at).copied().filter(|count| count.key() <= range.end) else { break };
                let (Ok(at) | Err(at)) = self.counts.find(count.key());
                self.counts.remove(at);
                self.total -= u128::from(count.n);
                self.gain(count.part().wrapping_neg());
            }
        }
        self.gain(fold.part(steward));
        self.total += u128::from(fold.total);
        if let Some(before) = self.folds.insert(steward, fold) {
            self.gain(before.part(steward).wrapping_neg());
            self.total -= u128::from(before.total);
        }
        true
    }

    /// The counts and folds that are higher than in `known`.
    fn above(&self, known: &Self) -> Self {
        let mut part = Self::new();
        let mut at = At::FIRST;
        let news = self.counts.iter().filter(|count| match known.counts.seek(at, count.key()) {
            Ok(found) => {
                at = known.counts.after(found);
                known.counts.get(found).is_some_and(|theirs| theirs.n < count.n)
            }
            Err(gap) => {
                at = gap;
                !known.is_retired(count.replica)
            }
        });
        news.for_each(|&count| part.append(count));
        for (steward, fold) in self.folds.iter() {
            if known.folds.of(steward).is_none_or(|theirs| theirs < fold) {
                part.raise_fold(steward, fold.clone());
            }
        }
        part
    }
}

impl PartialEq for GCounter {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint && self.counts == other.counts && self.folds == other.folds
    }
}

impl Eq for GCounter {}

impl Lattice for GCounter {
    fn merge(&mut self, other: Self) -> bool {
        if self.is_bottom() {
            *self = other;
            return !self.is_bottom();
        }
        let mut grew = false;
        for (steward, fold) in other.folds {
            grew |= self.raise_fold(steward, fold);
        }
        self.merge_counts(&other.counts) || grew
    }

    fn leq(&self, other: &Self) -> bool {
        let counts = self.counts.iter().all(|c| c.n <= other.count(c.replica) || other.is_retired(c.replica));
        counts && self.folds.iter().all(|(steward, fold)| other.folds.of(steward).is_some_and(|theirs| fold <= theirs))
    }

    fn is_bottom(&self) -> bool {
        self.counts.is_empty() && self.folds.is_empty()
    }
}

impl Decompose for GCounter {
    /// One part per replica that counts, and one per steward.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        let counts = self.counts.iter().map(|count| Self::single(count.replica, count.n));
        counts.chain(self.folds.iter().map(|(steward, fold)| {
            let mut part = Self::new();
            part.raise_fold(steward, fold.clone());
            part
        }))
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
