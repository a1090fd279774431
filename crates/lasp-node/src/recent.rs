//! Deltas of the last moments, by variable: for as long as broadcasts are under way.
//!
//! A broadcast that merged with others is passed on without what this node has passed on before. Its store tells what
//! that is, with exceptions, and this remembers them:
//!
//! - What it learnt by comparing it has *not* passed on: those behind it in the tree still wait for it.
//! - What it does not keep it may well have passed on.
//!
//! What was learnt by comparing while much is under way is expected along the tree. If it does not come within the window,
//! the tree lost it, for all those behind this node too: it is left over, to be passed on from here.

use crate::generations::Generations;
use crate::key::Key;
use crate::payload::{Batch, shared};
use lasp_dataflow::State;
use lasp_overlay::Time;
use std::time::Duration;

/// What is remembered of a variable.
#[derive(Debug)]
struct Delta {
    state: State,
    /// It is expected along the tree.
    expected: bool,
}

/// Deltas by variable, in two generations.
#[derive(Debug)]
pub(crate) struct Recent {
    deltas: Generations<Delta>,
    /// What was forgotten that was expected and never came.
    left: Batch,
    /// There was more in a window than could be remembered.
    overflow: bool,
}

impl Recent {
    /// Remembers nothing yet; each link may hold a broadcast back for `pace`.
    pub(crate) fn new(pace: Duration) -> Self {
        Self { deltas: Generations::new(pace), left: Batch::default(), overflow: false }
    }

    /// Remembers a delta, `expected` if it is to come along the tree yet; `false` if there is no room for it.
    pub(crate) fn remember(&mut self, now: Time, key: &Key, delta: State, expected: bool) -> bool {
        self.forget(now);
        if !self.deltas.takes(delta.entries()) {
            return false;
        }
        match self.deltas.young.get_mut(key) {
            Some(known) => {
                known.state.merge(delta);
                known.expected |= expected;
            }
            None => _ = self.deltas.young.insert(key.clone(), Delta { state: delta, expected }),
        }
        true
    }

    fn forget(&mut self, now: Time) {
        let Some(gone) = self.deltas.turn(now) else { return };
        self.overflow |= gone.overflown;
        for (key, delta) in gone.deltas.into_iter().filter(|(_, delta)| delta.expected && !delta.state.is_bottom()) {
            self.left.absorb(&key, &delta.state);
        }
    }

    /// How many entries of deltas are remembered. Cost: the number of deltas.
    pub(crate) fn entries(&self) -> usize {
        self.deltas.young.values().chain(self.deltas.old.values()).map(|delta| delta.state.entries()).sum()
    }

    /// What was forgotten since the last call though it was expected along the tree.
    pub(crate) fn leftovers(&mut self, now: Time) -> Batch {
        self.forget(now);
        std::mem::take(&mut self.left)
    }

    /// Whether, since the last call, a window had more than could be remembered.
    pub(crate) fn overflown(&mut self, now: Time) -> bool {
        self.forget(now);
        std::mem::take(&mut self.overflow)
    }

    /// What of `delta` is not remembered. Cost: that of the delta.
    pub(crate) fn beyond(&mut self, now: Time, key: &Key, delta: &State) -> State {
        self.forget(now);
        let known = [&self.deltas.young, &self.deltas.old].into_iter().filter_map(|generation| generation.get(key));
        known.fold(delta.clone(), |rest, known| rest.difference(&known.state))
    }

    /// What of `delta` is remembered; that is forgotten, and what `delta` is beyond. Cost: that of the delta, nothing where nothing is remembered.
    pub(crate) fn take(&mut self, now: Time, key: &Key, delta: &State) -> State {
        self.forget(now);
        let mut taken = State::bottom(key.ty());
        for known in
            [&mut self.deltas.young, &mut self.deltas.old].into_iter().filter_map(|generation| generation.get_mut(key))
        {
            taken.merge(shared(key, delta, &known.state));
            known.state = known.state.difference(delta);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generations::LIMIT;
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
        recent.remember(at(0), &key(), views(&[(1, 5), (2, 7)]), true);
        let delta = views(&[(2, 7), (3, 1)]);
        assert_eq!(recent.take(at(10), &key(), &delta), views(&[(2, 7)]));
        assert!(recent.take(at(20), &key(), &delta).is_bottom());
        assert_eq!(recent.take(at(20), &key(), &views(&[(1, 4)])), views(&[(1, 4)]));
    }

    #[test]
    fn it_is_forgotten_after_two_windows_at_most() {
        let mut recent = Recent::new(Duration::ZERO);
        for (came, asked, remembered) in [(5_000, 5_990, true), (20_000, 21_500, true), (30_000, 32_001, false)] {
            recent.remember(at(came), &key(), views(&[(1, 5)]), true);
            assert_eq!(!recent.take(at(asked), &key(), &views(&[(1, 5)])).is_bottom(), remembered, "{came}");
        }
    }

    #[test]
    fn what_is_expected_and_never_comes_is_left_over_and_what_was_overtaken_is_not() {
        let left = |views| Batch::single(key(), views);
        let mut recent = Recent::new(Duration::ZERO);
        recent.remember(at(0), &key(), views(&[(1, 5), (2, 7), (3, 3)]), true);
        recent.take(at(10), &key(), &views(&[(1, 5), (2, 9)]));
        assert_eq!(recent.leftovers(at(500)), Batch::default(), "it may yet come");
        assert_eq!(recent.leftovers(at(5_000)), left(views(&[(3, 3)])));
        assert_eq!(recent.leftovers(at(5_001)), Batch::default(), "it is told once");
        recent.remember(at(6_000), &key(), views(&[(1, 5), (2, 7)]), true);
        recent.take(at(6_010), &key(), &views(&[(1, 5), (2, 9)]));
        assert_eq!(recent.leftovers(at(20_000)), Batch::default(), "what came was newer");
        recent.remember(at(21_000), &key(), views(&[(4, 1)]), false);
        assert_eq!(recent.leftovers(at(30_000)), Batch::default(), "nobody expected it");
    }

    #[test]
    fn what_is_beyond_the_remembered_stays() {
        let mut recent = Recent::new(Duration::ZERO);
        recent.remember(at(0), &key(), views(&[(1, 5)]), false);
        recent.remember(at(1_100), &key(), views(&[(2, 5)]), false);
        let delta = views(&[(1, 5), (2, 6), (3, 1)]);
        assert_eq!(recent.beyond(at(1_200), &key(), &delta), views(&[(2, 6), (3, 1)]));
        assert_eq!(recent.beyond(at(2_200), &key(), &delta), views(&[(1, 5), (2, 6), (3, 1)]));
    }

    #[test]
    fn no_flood_makes_it_remember_more_than_the_limit() {
        let mut recent = Recent::new(Duration::ZERO);
        for replica in 0..2 * LIMIT as u64 {
            recent.remember(at(0), &key(), views(&[(replica + 1, 1)]), false);
        }
        let everything: Vec<(u64, u64)> = (0..2 * LIMIT as u64).map(|replica| (replica + 1, 1)).collect();
        assert_eq!(recent.take(at(1), &key(), &views(&everything)), views(&everything[..LIMIT]));
        assert!(!recent.overflown(at(2)) && recent.overflown(at(5_000)) && !recent.overflown(at(10_000)));
    }
}
