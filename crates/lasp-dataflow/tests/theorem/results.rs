//! What folds came to that travel, each with all that it was computed from: whoever knew more had the later word, and what
//! came of things unknown to each other stands side by side.
//!
//! The engine measures; here everything is kept and compared whole. That of two who have seen the same and lost different
//! things the one who lost more had the later word is the engine's promise, and so it is here.

use crate::oracle::output_of;
use crate::provenance::Event;
use lasp_dataflow::{Output, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What was known of one input.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Extent {
    /// The additions that were seen.
    pub(crate) seen: BTreeSet<Event>,
    /// Those of them that were gone; of what only grows, its elements.
    pub(crate) gone: BTreeSet<Value>,
}

impl Extent {
    fn leq(&self, other: &Self) -> bool {
        self.seen.is_subset(&other.seen) && (self.gone.len() < other.gone.len() || self.gone == other.gone)
    }
}

/// What was known of each input, by variable.
pub(crate) type Basis = BTreeMap<usize, Extent>;

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    basis: Basis,
    value: Value,
}

impl Entry {
    fn leq(&self, other: &Self) -> bool {
        if self.basis == other.basis {
            return self.value <= other.value;
        }
        self.basis.iter().all(|(input, extent)| other.basis.get(input).is_some_and(|theirs| extent.leq(theirs)))
    }
}

/// The results that no other is later than.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Results(Vec<Entry>);

impl Results {
    pub(crate) fn of(basis: Basis, value: Value) -> Self {
        Self(vec![Entry { basis, value }])
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes in what `other` has; gives what of it is news.
    pub(crate) fn join(&mut self, other: &Self) -> Self {
        let mut news = Self::default();
        for entry in &other.0 {
            if !self.0.iter().any(|held| entry.leq(held)) {
                self.0.retain(|held| !held.leq(entry));
                self.0.push(entry.clone());
                news.0.push(entry.clone());
            }
        }
        news
    }

    /// What a reader sees.
    pub(crate) fn shown(&self) -> Output {
        let values: BTreeSet<&Value> = self.0.iter().map(|entry| &entry.value).collect();
        match values.iter().collect::<Vec<_>>().as_slice() {
            [] => Output::Unset,
            [one] => output_of((**one).clone()),
            several => Output::Many(several.iter().map(|value| (***value).clone()).collect()),
        }
    }
}
