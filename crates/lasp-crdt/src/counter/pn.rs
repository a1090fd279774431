//! The counter that goes both ways: what was added and what was subtracted, each a grow-only counter.
//!
//! Source: Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data Types" (2011), §3.1.3.

use super::GCounter;
use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::dot::ReplicaId;
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};

/// A counter with increments and decrements.
///
/// ```
/// use lasp_crdt::{Lattice, PnCounter, ReplicaId};
///
/// let mut stock = PnCounter::new();
/// stock.merge(stock.increment(ReplicaId(1), 2));
/// stock.merge(stock.decrement(ReplicaId(2), 5));
/// assert_eq!(stock.value(), -3);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PnCounter {
    added: GCounter,
    subtracted: GCounter,
}

impl PnCounter {
    /// The counter at 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was added less what was subtracted, kept within `i64`. Cost: O(1).
    pub fn value(&self) -> i64 {
        let value = i128::from(self.added.value()) - i128::from(self.subtracted.value());
        i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
    }

    /// The delta that adds `n` on behalf of `replica`.
    pub fn increment(&self, replica: ReplicaId, n: u64) -> Self {
        Self { added: self.added.increment(replica, n), subtracted: GCounter::new() }
    }

    /// The delta that subtracts `n` on behalf of `replica`.
    pub fn decrement(&self, replica: ReplicaId, n: u64) -> Self {
        Self { added: GCounter::new(), subtracted: self.subtracted.increment(replica, n) }
    }

    /// Whether what `replica` counted was folded: it can count no more.
    pub fn is_retired(&self, replica: ReplicaId) -> bool {
        self.added.is_retired(replica)
    }

    /// The delta by which `steward` takes over what `replicas` have added and subtracted, so that they need no entries any
    /// more; the caller sees to what [`GCounter::retire`] asks for. Cost: the ranges taken over so far.
    pub fn retire(&self, steward: ReplicaId, replicas: impl IntoIterator<Item = ReplicaId, IntoIter: Clone>) -> Self {
        let replicas = replicas.into_iter();
        Self {
            added: self.added.retire(steward, replicas.clone()),
            subtracted: self.subtracted.retire(steward, replicas),
        }
    }
}

impl Lattice for PnCounter {
    fn merge(&mut self, other: Self) -> bool {
        let added = self.added.merge(other.added);
        let subtracted = self.subtracted.merge(other.subtracted);
        added || subtracted
    }

    fn leq(&self, other: &Self) -> bool {
        self.added.leq(&other.added) && self.subtracted.leq(&other.subtracted)
    }

    fn is_bottom(&self) -> bool {
        self.added.is_bottom() && self.subtracted.is_bottom()
    }
}

impl Decompose for PnCounter {
    /// Up to two parts per replica.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        let added = self.added.decompose().map(|added| Self { added, ..Self::default() });
        let subtracted = self.subtracted.decompose().map(|subtracted| Self { subtracted, ..Self::default() });
        added.chain(subtracted)
    }
}

impl Delta for PnCounter {
    type Digest = Self;

    fn digest(&self) -> Self {
        self.clone()
    }

    fn delta(&self, since: &Self) -> Self {
        Self { added: self.added.difference(&since.added), subtracted: self.subtracted.difference(&since.subtracted) }
    }

    fn difference(&self, known: &Self) -> Self {
        self.delta(known)
    }
}

impl Fingerprint for PnCounter {
    fn fingerprint(&self) -> u64 {
        if self.is_bottom() { 0 } else { fingerprint::mix(self.added.fingerprint(), self.subtracted.fingerprint()) }
    }
}

/// What was added, then what was subtracted.
impl Encode for PnCounter {
    fn encode(&self, w: &mut Writer<'_>) {
        self.added.encode(w);
        self.subtracted.encode(w);
    }
}

impl Decode for PnCounter {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { added: GCounter::decode(r)?, subtracted: GCounter::decode(r)? })
    }
}
