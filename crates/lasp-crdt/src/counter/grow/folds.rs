//! What stewards have taken over from replicas that will never count again.

use crate::context::{Range, Ranges};
use crate::dot::ReplicaId;
use crate::fingerprint::mix3;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What one steward has taken over so far. A steward's folds form a chain: each covers the replicas of those before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fold {
    pub(super) replicas: Ranges,
    /// The sum of their last counts, at most `u64::MAX`.
    pub(super) total: u64,
}

/// The place of folds in fingerprints.
const FOLD: u64 = 0x7374_6577_6172_6421;

impl Fold {
    /// Takes over what a replica counted; `true` unless that was done before.
    pub(super) fn take(&mut self, replica: ReplicaId, count: u64) -> bool {
        let is_new = self.replicas.insert(FOLD, Range { start: replica.0, end: replica.0 }).is_some();
        if is_new {
            self.total = self.total.saturating_add(count);
        }
        is_new
    }

    /// The share in the fingerprint.
    pub(super) fn part(&self, steward: ReplicaId) -> u64 {
        mix3(steward.0, self.replicas.fingerprint(FOLD), self.total)
    }

    /// Correct stewards are ordered by the number of replicas; the rest makes the order total all the same.
    fn rank(&self) -> (u64, u64, u64) {
        (self.replicas.total(), self.total, self.replicas.fingerprint(FOLD))
    }
}

impl PartialOrd for Fold {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.rank().cmp(&other.rank()))
    }
}

/// The folds of all stewards. None covers nothing; no two are of one steward.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::box_collection, reason = "nearly every counter has none: eight bytes for it, not twenty-four")]
pub(super) struct Folds(Option<Box<BTreeMap<ReplicaId, Fold>>>);

impl Folds {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |folds| folds.len())
    }

    pub(super) fn of(&self, steward: ReplicaId) -> Option<&Fold> {
        self.0.as_ref()?.get(&steward)
    }

    /// Whether any steward has taken over from `replica`. Cost: the number of stewards.
    pub(super) fn cover(&self, replica: ReplicaId) -> bool {
        self.0.as_ref().is_some_and(|folds| folds.values().any(|fold| fold.replicas.contains(replica.0)))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ReplicaId, &Fold)> {
        self.0.iter().flat_map(|folds| folds.iter().map(|(&steward, fold)| (steward, fold)))
    }

    pub(super) fn insert(&mut self, steward: ReplicaId, fold: Fold) -> Option<Fold> {
        self.0.get_or_insert_default().insert(steward, fold)
    }
}

impl IntoIterator for Folds {
    type Item = (ReplicaId, Fold);
    type IntoIter = std::collections::btree_map::IntoIter<ReplicaId, Fold>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.map(|folds| *folds).unwrap_or_default().into_iter()
    }
}
