//! Deltas of the last moments, by variable: for as long as broadcasts are under way.
//!
//! A broadcast that merged with others is passed on without what this node has passed on before. Its store tells what
//! that is, with exceptions, and this remembers them:
//!
//! - What it learnt by comparing it has *not* passed on: those behind it in the tree still wait for it.
//! - What it does not keep it may well have passed on.

use crate::key::Key;
use crate::payload::shared;
use lasp_dataflow::State;
use lasp_overlay::Time;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a delta is remembered, at least, where links hold nothing back; up to twice as long. A guess: above what a
/// broadcast takes through a large cluster.
const WINDOW: Duration = Duration::from_secs(1);

/// How many links that hold a broadcast back it may have to cross. A guess: the deepest tree of some thousand nodes.
const HOPS: u32 = 20;

/// Most deltas that are remembered in one window. A guess: a frame holds a few dozen.
const LIMIT: usize = 1024;

/// Deltas by variable, in two generations.
#[derive(Debug)]
pub(crate) struct Recent {
    window: Duration,
    young: BTreeMap<Key, State>,
    old: BTreeMap<Key, State>,
    taken: usize,
    since: Time,
    /// Something was forgotten that never came along the tree.
    left: bool,
}

impl Recent {
    /// Remembers nothing yet; each link may hold a broadcast back for `pace`.
    pub(crate) fn new(pace: Duration) -> Self {
        let (young, old) = (BTreeMap::new(), BTreeMap::new());
        Self { window: WINDOW + pace * HOPS, young, old, taken: 0, since: Time::ZERO, left: false }
    }

    /// Remembers a delta; `false` if there is no room for it.
    pub(crate) fn remember(&mut self, now: Time, key: &Key, delta: State) -> bool {
        self.forget(now);
        if self.taken == LIMIT {
            return false;
        }
        self.taken += 1;
        match self.young.get_mut(key) {
            Some(known) => _ = known.merge(delta),
            None => _ = self.young.insert(key.clone(), delta),
        }
        true
    }

    fn forget(&mut self, now: Time) {
        if now < self.since + self.window {
            return;
        }
        let stale = now >= self.since + self.window * 2;
        let some = |deltas: &BTreeMap<Key, State>| deltas.values().any(|delta| !delta.is_bottom());
        self.left |= some(&self.old) || (stale && some(&self.young));
        self.old = if stale { BTreeMap::new() } else { std::mem::take(&mut self.young) };
        self.young.clear();
        (self.taken, self.since) = (0, now);
    }

    /// Whether, since the last call, something was forgotten that never came along the tree.
    pub(crate) fn leftovers(&mut self, now: Time) -> bool {
        self.forget(now);
        std::mem::take(&mut self.left)
    }

    /// What of `delta` is not remembered. Cost: that of the delta.
    pub(crate) fn beyond(&mut self, now: Time, key: &Key, delta: &State) -> State {
        self.forget(now);
        let known = [&self.young, &self.old].into_iter().filter_map(|generation| generation.get(key));
        known.fold(delta.clone(), |rest, known| rest.difference(known))
    }

    /// What of `delta` is remembered; that is forgotten, and what `delta` is beyond. Cost: that of the delta, nothing where nothing is remembered.
    pub(crate) fn take(&mut self, now: Time, key: &Key, delta: &State) -> State {
        self.forget(now);
        let mut taken = State::bottom(key.ty());
        for known in [&mut self.young, &mut self.old].into_iter().filter_map(|generation| generation.get_mut(key)) {
            taken.merge(shared(key, delta, known));
            *known = known.difference(delta);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_crdt::{GCounter, ReplicaId};
    use lasp_dataflow::{Name, Type};

    fn key() -> Key {
        Key::new(Name::new("views").unwrap(), Type::GCounter)
    }

    fn views(counts: &[(u64, u64)]) -> State {
        let mut state = State::bottom(&Type::GCounter);
        for &(replica, count) in counts {
            state.merge(State::GCounter(GCounter::default().increment(ReplicaId(replica), count)));
        }
        state
    }

    fn at(millis: u64) -> Time {
        Time::from_millis(millis)
    }

    #[test]
    fn what_is_remembered_is_taken_once() {
        let mut recent = Recent::new(Duration::ZERO);
        recent.remember(at(0), &key(), views(&[(1, 5), (2, 7)]));
        let delta = views(&[(2, 7), (3, 1)]);
        assert_eq!(recent.take(at(10), &key(), &delta), views(&[(2, 7)]));
        assert!(recent.take(at(20), &key(), &delta).is_bottom());
        assert_eq!(recent.take(at(20), &key(), &views(&[(1, 4)])), views(&[(1, 4)]));
    }

    #[test]
    fn it_is_forgotten_after_two_windows_at_most() {
        let mut recent = Recent::new(Duration::ZERO);
        for (came, asked, remembered) in [(5_000, 5_990, true), (20_000, 21_500, true), (30_000, 32_001, false)] {
            recent.remember(at(came), &key(), views(&[(1, 5)]));
            assert_eq!(!recent.take(at(asked), &key(), &views(&[(1, 5)])).is_bottom(), remembered, "{came}");
        }
    }

    #[test]
    fn what_never_comes_along_the_tree_is_left_over_and_what_was_overtaken_is_not() {
        let mut recent = Recent::new(Duration::ZERO);
        recent.remember(at(0), &key(), views(&[(1, 5), (2, 7), (3, 3)]));
        recent.take(at(10), &key(), &views(&[(1, 5), (2, 9)]));
        assert!(!recent.leftovers(at(500)), "it may yet come");
        assert!(recent.leftovers(at(5_000)) && !recent.leftovers(at(5_001)));
        recent.remember(at(6_000), &key(), views(&[(1, 5), (2, 7)]));
        recent.take(at(6_010), &key(), &views(&[(1, 5), (2, 9)]));
        assert!(!recent.leftovers(at(20_000)), "what came was newer");
    }

    #[test]
    fn what_is_beyond_the_remembered_stays() {
        let mut recent = Recent::new(Duration::ZERO);
        recent.remember(at(0), &key(), views(&[(1, 5)]));
        recent.remember(at(1_100), &key(), views(&[(2, 5)]));
        let delta = views(&[(1, 5), (2, 6), (3, 1)]);
        assert_eq!(recent.beyond(at(1_200), &key(), &delta), views(&[(2, 6), (3, 1)]));
        assert_eq!(recent.beyond(at(2_200), &key(), &delta), views(&[(1, 5), (2, 6), (3, 1)]));
    }

    #[test]
    fn no_flood_makes_it_remember_more_than_the_limit() {
        let mut recent = Recent::new(Duration::ZERO);
        for replica in 0..2 * LIMIT as u64 {
            recent.remember(at(0), &key(), views(&[(replica + 1, 1)]));
        }
        let everything: Vec<(u64, u64)> = (0..2 * LIMIT as u64).map(|replica| (replica + 1, 1)).collect();
        assert_eq!(recent.take(at(1), &key(), &views(&everything)), views(&everything[..LIMIT]));
    }
}
