//! Which ids have been seen, in bounded memory.
//!
//! Ids are dots, so the ids of one origin are mostly one range. Two bounds keep the rest in check: an origin with too
//! many gaps has its oldest one closed (what was in there is left to anti-entropy), and origins silent for long are
//! forgotten (should an old payload of theirs turn up again, it is delivered again). The latter works by two
//! generations: an origin that is heard moves into the young one; when that is full it becomes the old one, and the old
//! one is dropped.

use super::message::Ids;
use lasp_crdt::context::Range;
use lasp_crdt::{Dot, DotSet, ReplicaId};

/// A bounded set of ids.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    young: DotSet,
    young_origins: usize,
    old: DotSet,
    origins_limit: usize,
    ranges_limit: usize,
}

impl Seen {
    pub(super) fn new(origins_limit: usize, ranges_limit: usize) -> Self {
        let (origins_limit, ranges_limit) = (origins_limit.max(1), ranges_limit.max(1));
        Self { young: DotSet::new(), young_origins: 0, old: DotSet::new(), origins_limit, ranges_limit }
    }

    /// Adds ids and returns those that are new.
    pub(super) fn insert(&mut self, ids: &Ids) -> Option<Ids> {
        if let Some(dot) = ids.single() {
            let range = Range { start: dot.counter, end: dot.counter };
            if self.contains(dot) {
                return None;
            }
            self.insert_range(dot.replica, range);
            return Some(ids.clone());
        }
        let fresh = self.unseen(ids.ranges());
        for (origin, range) in fresh.ranges() {
            self.insert_range(origin, range);
        }
        Ids::from_set(fresh)
    }

    fn contains(&self, dot: Dot) -> bool {
        self.generation(dot.replica).contains(dot)
    }

    /// The ids among `ranges` that have not been seen.
    pub(super) fn unseen(&self, ranges: impl Iterator<Item = (ReplicaId, Range)>) -> DotSet {
        let mut fresh = DotSet::new();
        for (origin, range) in ranges {
            let mut ids = DotSet::new();
            ids.insert_range(origin, range.start, range.end);
            fresh.union_with(&ids.difference(self.generation(origin)));
        }
        fresh
    }

    /// The generation that speaks for an origin.
    fn generation(&self, origin: ReplicaId) -> &DotSet {
        if self.young.max(origin) > 0 { &self.young } else { &self.old }
    }

    fn insert_range(&mut self, origin: ReplicaId, range: Range) {
        if self.young.max(origin) == 0 {
            self.rejuvenate(origin);
        }
        self.young.insert_range(origin, range.start, range.end);
        while self.young.ranges_of(origin).count() > self.ranges_limit {
            let mut ranges = self.young.ranges_of(origin);
            let (Some(first), Some(second)) = (ranges.next(), ranges.next()) else { return };
            drop(ranges);
            self.young.insert_range(origin, first.end, second.start);
        }
    }

    /// Moves what is known of an origin into the young generation.
    fn rejuvenate(&mut self, origin: ReplicaId) {
        let known: Vec<Range> = self.old.ranges_of(origin).collect();
        if self.young_origins == self.origins_limit {
            self.old = std::mem::take(&mut self.young);
            self.young_origins = 0;
        }
        self.young_origins += 1;
        for range in known {
            self.young.insert_range(origin, range.start, range.end);
        }
    }

    /// How many ranges it keeps.
    pub(super) fn range_count(&self) -> usize {
        self.young.range_count() + self.old.range_count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use std::collections::BTreeSet;

    fn one(origin: u64, counter: u64) -> Ids {
        Dot::new(ReplicaId(origin), counter).into()
    }

    #[test]
    fn agrees_with_a_plain_set_while_within_bounds() {
        let mut rng = Rng::new(1);
        let mut seen = Seen::new(8, 1_000);
        let mut model = BTreeSet::new();
        for _ in 0..5_000 {
            let (origin, start) = (rng.below(8), 1 + rng.below(500));
            let mut set = DotSet::new();
            set.insert_range(ReplicaId(origin), start, start + rng.below(4));
            let fresh: DotSet = set.dots().filter(|dot| model.insert(*dot)).collect();
            let ids = Ids::from_set(set).expect("not empty");
            assert_eq!(seen.insert(&ids), Ids::from_set(fresh));
        }
    }

    #[test]
    fn too_many_gaps_of_an_origin_close_from_the_oldest() {
        let mut seen = Seen::new(8, 3);
        for counter in [10, 20, 30, 40] {
            seen.insert(&one(1, counter));
        }
        assert_eq!(seen.range_count(), 3);
        assert_eq!(seen.insert(&one(1, 15)), None);
        assert_eq!(seen.insert(&one(1, 25)), Some(one(1, 25)));
        assert_eq!(seen.insert(&one(1, 9)), Some(one(1, 9)));
    }

    #[test]
    fn origins_silent_for_long_are_forgotten_and_active_ones_are_not() {
        let mut seen = Seen::new(10, 3);
        for other in 100..200 {
            seen.insert(&one(1, other));
            seen.insert(&one(other, 1));
        }
        assert!(seen.range_count() <= 20);
        assert_eq!(seen.insert(&one(1, 100)), None);
        assert_eq!(seen.insert(&one(100, 1)), Some(one(100, 1)));
    }
}
