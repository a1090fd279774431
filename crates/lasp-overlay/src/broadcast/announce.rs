//! What lazy links carry: batches of the ids that arrived since the last batch, and once more those of the batch before.
//!
//! Ids go as ranges per origin, so saying those of the last batch again costs next to nothing under load, and covers a
//! lost announcement; two in a row are left to anti-entropy. What a neighbour is known to have is not announced to
//! it: of the two ends of a lazy link, mostly one speaks.

use super::message::Ids;
use lasp_crdt::{Dot, DotSet};
use std::time::Duration;

/// The ids to announce.
#[derive(Clone, Debug, Default)]
pub(super) struct Announcements {
    fresh: DotSet,
    previous: DotSet,
    /// How many batches in a row had news.
    streak: u32,
}

impl Announcements {
    /// These arrived.
    pub(super) fn note(&mut self, ids: &Ids) {
        for (origin, range) in ids.ranges() {
            self.fresh.insert_range(origin, range.start, range.end);
        }
    }

    /// Whether there is nothing to announce.
    pub(super) fn is_empty(&self) -> bool {
        self.fresh.is_empty() && self.previous.is_empty()
    }

    /// Whether `dot` will be announced.
    pub(super) fn contains(&self, dot: Dot) -> bool {
        self.fresh.contains(dot) || self.previous.contains(dot)
    }

    /// Those of `ids` that will be announced.
    pub(super) fn among(&self, ids: &DotSet) -> DotSet {
        let mut both = ids.intersection(&self.fresh);
        both.union_with(&ids.intersection(&self.previous));
        both
    }

    /// How long to wait before the next batch: twice as long after each one that had news.
    pub(super) fn wait(&self, first: Duration, most: Duration) -> Duration {
        first.saturating_mul(1 << self.streak.min(16)).min(most).max(first)
    }

    /// The batch to announce now.
    pub(super) fn batch(&self) -> DotSet {
        let mut batch = self.previous.clone();
        batch.union_with(&self.fresh);
        batch
    }

    /// The batch has been announced: what was fresh in it will be announced once more.
    pub(super) fn rotate(&mut self) {
        self.streak = if self.fresh.is_empty() { 0 } else { self.streak.saturating_add(1) };
        self.previous = std::mem::take(&mut self.fresh);
    }

    /// There is nobody to announce to.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
