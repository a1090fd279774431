//! Who waits for one variable, indexed so that a change looks only at those it may satisfy.
//!
//! Numeric thresholds are ordered by their number; a change pops satisfied ones from the low end. Who waits for elements is found
//! by one element that is still missing, as clauses by a watched literal (Moskewicz et al., "Chaff", DAC'01): until that one
//! comes, nothing else can satisfy the waiter. Who waits for a register to hold a value is found by the value. What
//! remains (states of pairs and maps) is compared with the new state one by one, for this variable only.

use crate::threshold::{Level, Threshold};
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A reader that waits, as its owner calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WaiterId(pub u64);

/// Someone who is told of each change of a variable, as its owner calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatcherId(pub u64);

/// Where a waiter stands in the index.
#[derive(Clone, Debug)]
enum Place {
    AtLeast(i64),
    MoreThan(i64),
    /// Under an element that is missing.
    Missing(Value),
    /// Under the value that a register is to hold.
    Value(Value),
    Other,
}

/// The waiters of one variable.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiters {
    held: BTreeMap<WaiterId, (Threshold, Place)>,
    at_least: BTreeSet<(i64, WaiterId)>,
    more_than: BTreeSet<(i64, WaiterId)>,
    by_missing: BTreeSet<(Value, WaiterId)>,
    by_value: BTreeSet<(Value, WaiterId)>,
    other: BTreeSet<WaiterId>,
}

/// A variable as it is now, to those who wait for it.
pub(crate) struct Now<'a> {
    /// Its number, if it has one.
    pub(crate) level: Option<Level>,
    /// The one value of a scalar.
    pub(crate) value: Option<Value>,
    /// The elements or keys that came since the last time; `None` where nobody noted them.
    pub(crate) came: Option<&'a [Value]>,
    pub(crate) contains: &'a dyn Fn(&Value) -> bool,
    pub(crate) is_met: &'a dyn Fn(&Threshold) -> bool,
}

impl Waiters {
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether somebody waits for elements.
    pub(crate) fn awaits_members(&self) -> bool {
        !self.by_missing.is_empty()
    }

    /// Adds a waiter whose threshold is not met.
    pub(crate) fn insert(&mut self, waiter: WaiterId, threshold: Threshold, contains: &dyn Fn(&Value) -> bool) {
        let place = match &threshold {
            Threshold::AtLeast(n) => Place::AtLeast(*n),
            Threshold::MoreThan(n) => Place::MoreThan(*n),
            Threshold::Contains { elements, .. } => match elements.iter().find(|element| !contains(element)) {
                Some(missing) => Place::Missing(missing.clone()),
                // They are there, but no other one.
                None => Place::MoreThan(i64::try_from(elements.len()).unwrap_or(i64::MAX)),
            },
            Threshold::Holds(value) => Place::Value(value.clone()),
            _ => Place::Other,
        };
        match place.clone() {
            Place::AtLeast(n) => _ = self.at_least.insert((n, waiter)),
            Place::MoreThan(n) => _ = self.more_than.insert((n, waiter)),
            Place::Missing(element) => _ = self.by_missing.insert((element, waiter)),
            Place::Value(value) => _ = self.by_value.insert((value, waiter)),
            Place::Other => _ = self.other.insert(waiter),
        }
        self.held.insert(waiter, (threshold, place));
    }

    /// Takes a waiter out; its threshold, if it waited.
    pub(crate) fn remove(&mut self, waiter: WaiterId) -> Option<Threshold> {
        let (threshold, place) = self.held.remove(&waiter)?;
        match place {
            Place::AtLeast(n) => _ = self.at_least.remove(&(n, waiter)),
            Place::MoreThan(n) => _ = self.more_than.remove(&(n, waiter)),
            Place::Missing(element) => _ = self.by_missing.remove(&(element, waiter)),
            Place::Value(value) => _ = self.by_value.remove(&(value, waiter)),
            Place::Other => _ = self.other.remove(&waiter),
        }
        Some(threshold)
    }

    /// Takes out the waiters whose threshold is met. Cost: those, and those that might have been: who waits for an element
    /// that came, and who waits for what has no index.
    pub(crate) fn take_met(&mut self, now: &Now<'_>) -> Vec<WaiterId> {
        let mut met = Vec::new();
        for waiter in self.candidates(now) {
            let Some(threshold) = self.remove(waiter) else { continue };
            if (now.is_met)(&threshold) {
                met.push(waiter);
            } else {
                self.insert(waiter, threshold, now.contains);
            }
        }
        met
    }

    /// Who may be satisfied now, by number first.
    fn candidates(&self, now: &Now<'_>) -> Vec<WaiterId> {
        let mut found = Vec::new();
        if let Some(level) = now.level {
            found.extend(self.at_least.iter().take_while(|(n, _)| level.is_at_least(*n)).map(|(_, waiter)| *waiter));
            found.extend(self.more_than.iter().take_while(|(n, _)| level.is_more_than(*n)).map(|(_, waiter)| *waiter));
        }
        match now.came {
            Some(came) => came.iter().for_each(|element| found.extend(under(&self.by_missing, element))),
            None => found.extend(self.by_missing.iter().map(|(_, waiter)| *waiter)),
        }
        if let Some(value) = &now.value {
            found.extend(under(&self.by_value, value));
        }
        found.extend(&self.other);
        found
    }

    /// Whether somebody waits for at least as much as `wanted`.
    pub(crate) fn demands(&self, wanted: &Threshold) -> bool {
        let greatest = |queue: &BTreeSet<(i64, WaiterId)>| queue.last().map(|(n, _)| *n);
        greatest(&self.at_least).is_some_and(|n| Threshold::AtLeast(n).implies(wanted))
            || greatest(&self.more_than).is_some_and(|n| Threshold::MoreThan(n).implies(wanted))
            || self.without_number().any(|waiter| self.held[&waiter].0.implies(wanted))
    }

    /// Those whose threshold says more than a number; some of them are found by one.
    fn without_number(&self) -> impl Iterator<Item = WaiterId> {
        let indexed = self.by_missing.iter().chain(&self.by_value).map(|(_, waiter)| *waiter);
        let one_more = self.more_than.iter().map(|(_, waiter)| *waiter);
        let one_more = one_more.filter(|waiter| matches!(self.held[waiter].0, Threshold::Contains { .. }));
        indexed.chain(one_more).chain(self.other.iter().copied())
    }
}

/// The waiters in an index under this value.
fn under(index: &BTreeSet<(Value, WaiterId)>, value: &Value) -> impl Iterator<Item = WaiterId> {
    let from = (value.clone(), WaiterId(0));
    index.range(from..).take_while(move |(held, _)| held == value).map(|(_, waiter)| *waiter)
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
        let now = Now {
            level: state.level(),
            value: None,
            came: None,
            contains: &|_| false,
            is_met: &|threshold| threshold.is_met(&state),
        };
        waiters.take_met(&now)
    }

    #[test]
    fn only_met_waiters_leave_in_order_of_their_number() {
        let mut waiters = Waiters::default();
        for (id, n) in [(1, 10), (2, 3), (3, 5)] {
            waiters.insert(WaiterId(id), Threshold::AtLeast(n), &|_| false);
        }
        waiters.insert(WaiterId(4), Threshold::MoreThan(5), &|_| false);
        waiters.insert(WaiterId(5), Threshold::Strict(at(4)), &|_| false);
        assert_eq!(met(&mut waiters, 5), [WaiterId(2), WaiterId(3), WaiterId(5)]);
        assert_eq!(met(&mut waiters, 5), []);
        assert_eq!(met(&mut waiters, 6), [WaiterId(4)]);
        assert!(!waiters.is_empty());
    }

    #[test]
    fn who_waits_for_one_more_than_is_there_demands_all_of_it() {
        let mut waiters = Waiters::default();
        let one_more = Threshold::Contains { elements: [Value::Int(1)].into(), more: true };
        waiters.insert(WaiterId(1), one_more.clone(), &|_| true);
        assert!(waiters.demands(&one_more) && waiters.demands(&Threshold::AtLeast(2)));
        assert!(!waiters.demands(&Threshold::AtLeast(3)));
    }

    #[test]
    fn a_cancelled_waiter_is_gone() {
        let mut waiters = Waiters::default();
        let set = |elements: &[i64]| Threshold::Contains {
            elements: elements.iter().copied().map(Value::Int).collect(),
            more: false,
        };
        let thresholds = [
            Threshold::AtLeast(1),
            Threshold::MoreThan(1),
            Threshold::Bound,
            Threshold::Holds(Value::Int(1)),
            set(&[1, 2]),
        ];
        for (id, threshold) in (0..).zip(thresholds.clone()) {
            waiters.insert(WaiterId(id), threshold, &|_| false);
        }
        for (id, threshold) in (0..).zip(thresholds) {
            assert_eq!(waiters.remove(WaiterId(id)), Some(threshold));
        }
        assert!(waiters.is_empty() && waiters.candidates(&everything()).is_empty());
    }

    fn everything() -> Now<'static> {
        let level = Some(Level::exactly(i64::MAX));
        Now { level, value: Some(Value::Int(1)), came: None, contains: &|_| true, is_met: &|_| true }
    }

    #[test]
    fn who_waits_for_elements_is_looked_at_when_the_one_he_is_found_by_comes() {
        let mut waiters = Waiters::default();
        let mut held: Vec<Value> = Vec::new();
        for n in 0..100 {
            let elements = vec![Value::Int(n), Value::Int(1000)];
            waiters.insert(WaiterId(n as u64), Threshold::Contains { elements, more: false }, &|_| false);
        }
        let looked = std::cell::Cell::new(0);
        let mut come = |element: i64, waiters: &mut Waiters| {
            let element = Value::Int(element);
            held.push(element.clone());
            let is_met = |threshold: &Threshold| {
                looked.set(looked.get() + 1);
                matches!(threshold, Threshold::Contains { elements, .. } if elements.iter().all(|x| held.contains(x)))
            };
            let contains = |element: &Value| held.contains(element);
            let came = [element];
            let now = Now { level: None, value: None, came: Some(&came), contains: &contains, is_met: &is_met };
            waiters.take_met(&now)
        };
        assert_eq!(come(7, &mut waiters), []);
        assert_eq!(looked.get(), 1);
        // Now number 7 alone waits for the other element.
        assert_eq!(come(1000, &mut waiters), [WaiterId(7)]);
        assert_eq!(looked.get(), 2);
        assert_eq!(come(8, &mut waiters), [WaiterId(8)]);
        assert_eq!(looked.get(), 3);
    }
}
