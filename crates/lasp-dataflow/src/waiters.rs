//! Who waits for one variable, indexed so that a change touches those it satisfies.
//!
//! Numeric thresholds are ordered by their number; a change pops satisfied ones from the low end. The others are compared
//! with the new state one by one, for this variable only.

use crate::threshold::{Level, Threshold};
use std::collections::{BTreeMap, BTreeSet};

/// A reader that waits, as its owner calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WaiterId(pub u64);

/// Someone who is told of each change of a variable, as its owner calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatcherId(pub u64);

/// Where a waiter stands in the index.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    AtLeast(i64),
    MoreThan(i64),
    Other,
    /// Not among those who wait for the variable, but among those who wait for somebody to want it.
    Demand,
}

/// The waiters of one variable.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiters {
    at_least: BTreeSet<(i64, WaiterId)>,
    more_than: BTreeSet<(i64, WaiterId)>,
    other: BTreeMap<WaiterId, Threshold>,
}

impl Waiters {
    pub(crate) fn is_empty(&self) -> bool {
        self.at_least.is_empty() && self.more_than.is_empty() && self.other.is_empty()
    }

    /// Adds a waiter; [`remove`](Self::remove) wants the place back.
    pub(crate) fn insert(&mut self, waiter: WaiterId, threshold: Threshold) -> Place {
        match threshold {
            Threshold::AtLeast(n) => {
                self.at_least.insert((n, waiter));
                Place::AtLeast(n)
            }
            Threshold::MoreThan(n) => {
                self.more_than.insert((n, waiter));
                Place::MoreThan(n)
            }
            other => {
                self.other.insert(waiter, other);
                Place::Other
            }
        }
    }

    pub(crate) fn remove(&mut self, waiter: WaiterId, place: Place) {
        match place {
            Place::AtLeast(n) => _ = self.at_least.remove(&(n, waiter)),
            Place::MoreThan(n) => _ = self.more_than.remove(&(n, waiter)),
            Place::Other => _ = self.other.remove(&waiter),
            Place::Demand => {}
        }
    }

    /// Takes out the waiters whose threshold is met, given the variable's number, if it has one, and a test. Cost: those,
    /// and the waiters without a number.
    pub(crate) fn take_met(&mut self, level: Option<Level>, is_met: impl Fn(&Threshold) -> bool) -> Vec<WaiterId> {
        let mut met = Vec::new();
        if let Some(level) = level {
            pop_while(&mut self.at_least, |n| level.is_at_least(n), &mut met);
            pop_while(&mut self.more_than, |n| level.is_more_than(n), &mut met);
        }
        let reached = self.other.extract_if(.., |_, threshold| is_met(threshold));
        met.extend(reached.map(|(waiter, _)| waiter));
        met
    }

    /// Whether somebody waits for at least as much as `wanted`.
    pub(crate) fn demands(&self, wanted: &Threshold) -> bool {
        let greatest = |queue: &BTreeSet<(i64, WaiterId)>| queue.last().map(|(n, _)| *n);
        greatest(&self.at_least).is_some_and(|n| Threshold::AtLeast(n).implies(wanted))
            || greatest(&self.more_than).is_some_and(|n| Threshold::MoreThan(n).implies(wanted))
            || self.other.values().any(|threshold| threshold.implies(wanted))
    }
}

fn pop_while(queue: &mut BTreeSet<(i64, WaiterId)>, is_met: impl Fn(i64) -> bool, met: &mut Vec<WaiterId>) {
    while queue.first().is_some_and(|(n, _)| is_met(*n)) {
        met.extend(queue.pop_first().map(|(_, waiter)| waiter));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::State;
    use crate::types::Type;
    use crate::value::Value;

    fn at(n: i64) -> State {
        State::from_value(&Type::Max, &Value::Int(n)).expect("a number")
    }

    fn met(waiters: &mut Waiters, n: i64) -> Vec<WaiterId> {
        let state = at(n);
        waiters.take_met(state.level(), |threshold| threshold.is_met(&state))
    }

    #[test]
    fn only_met_waiters_leave_in_order_of_their_number() {
        let mut waiters = Waiters::default();
        for (id, n) in [(1, 10), (2, 3), (3, 5)] {
            waiters.insert(WaiterId(id), Threshold::AtLeast(n));
        }
        waiters.insert(WaiterId(4), Threshold::MoreThan(5));
        waiters.insert(WaiterId(5), Threshold::Strict(at(4)));
        assert_eq!(met(&mut waiters, 5), [WaiterId(2), WaiterId(3), WaiterId(5)]);
        assert_eq!(met(&mut waiters, 5), []);
        assert_eq!(met(&mut waiters, 6), [WaiterId(4)]);
        assert!(!waiters.is_empty());
    }

    #[test]
    fn a_cancelled_waiter_is_gone() {
        let mut waiters = Waiters::default();
        let places = [Threshold::AtLeast(1), Threshold::MoreThan(1), Threshold::Bound].map(|threshold| {
            let id = WaiterId(7);
            waiters.insert(id, threshold)
        });
        for place in places {
            waiters.remove(WaiterId(7), place);
        }
        assert!(waiters.is_empty());
    }
}
