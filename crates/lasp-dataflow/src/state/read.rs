//! What a state says to those who read it.

use super::State;
use crate::output::Output;
use crate::threshold::Level;
use crate::types::Type;
use crate::value::Value;
use lasp_crdt::Reading;
use std::cmp::Reverse;

impl State {
    /// The value. Cost: the size of the state.
    pub fn read(&self) -> Output {
        match self {
            Self::GSet(_) | Self::AwSet(_) => Output::Set(self.elements()),
            Self::GCounter(counter) => Output::Value(counter.value().into()),
            Self::PnCounter(counter) => Output::Value(counter.value().into()),
            Self::Max(register) => value_or_unset(register.value().as_ref()),
            Self::Min(register) => value_or_unset(register.value().as_ref().map(|Reverse(value)| value)),
            Self::Boolean(flag) => Output::Value(flag.value().into()),
            Self::IVar(register) => match register.get() {
                Reading::Unset => Output::Unset,
                Reading::Set(value) => Output::Value(value.clone()),
                Reading::Conflict(least, greatest) => Output::Many(vec![least.clone(), greatest.clone()]),
            },
            Self::LwwRegister(register) => value_or_unset(register.value()),
            Self::GMap(map) => {
                let states = map.iter().filter_map(|(key, slot)| Some((key.clone(), slot.get()?.read())));
                Output::Map(states.collect())
            }
            Self::Pair(pair) => Output::Pair(Box::new(pair.0.read()), Box::new(pair.1.read())),
        }
    }

    /// A set's elements, ascending; of other types none.
    pub fn elements(&self) -> Vec<Value> {
        match self {
            Self::GSet(set) => set.iter().cloned().collect(),
            Self::AwSet(set) => set.elements(),
            _ => Vec::new(),
        }
    }

    /// Whether a set holds `element`, or a map has this key; of other types `false`.
    pub fn contains(&self, element: &Value) -> bool {
        match self {
            Self::GSet(set) => set.contains(element),
            Self::AwSet(set) => set.contains(element),
            Self::GMap(map) => map.get(element).is_some(),
            _ => false,
        }
    }

    /// How many elements or keys a collection has. O(1).
    pub fn cardinality(&self) -> Option<usize> {
        match self {
            Self::GSet(set) => Some(set.len()),
            Self::AwSet(set) => Some(set.len()),
            Self::GMap(map) => Some(map.len()),
            _ => None,
        }
    }

    /// The number that numeric thresholds measure: a counter's or register's value, a collection's cardinality. O(1).
    pub(crate) fn level(&self) -> Option<Level> {
        match self {
            Self::GCounter(counter) => Some(Level::exactly(i64::try_from(counter.value()).unwrap_or(i64::MAX))),
            Self::PnCounter(counter) => Some(Level::exactly(counter.value())),
            Self::Max(register) => register.value().as_ref().and_then(Level::of),
            Self::LwwRegister(register) => register.value().and_then(Level::of),
            collection => Some(Level::exactly(i64::try_from(collection.cardinality()?).unwrap_or(i64::MAX))),
        }
    }

    /// Whether merging `other` would leave a single-assignment register with two values. Cost: the size of `other`.
    pub(crate) fn clashes_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::IVar(held), Self::IVar(other)) => match other.get() {
                Reading::Set(value) => held.set(value.clone()).is_err(),
                Reading::Unset | Reading::Conflict(..) => false,
            },
            (Self::GMap(map), Self::GMap(other)) => other.iter().any(|(key, slot)| {
                let held = map.get(key).and_then(|slot| slot.get());
                held.zip(slot.get()).is_some_and(|(held, other)| held.clashes_with(other))
            }),
            (Self::Pair(pair), Self::Pair(other)) => pair.0.clashes_with(&other.0) || pair.1.clashes_with(&other.1),
            _ => false,
        }
    }
}

impl Type {
    /// What a variable of this type answers before anything happened to it.
    pub fn initial_output(&self) -> Output {
        State::bottom(self).read()
    }
}

fn value_or_unset(value: Option<&Value>) -> Output {
    value.map_or(Output::Unset, |value| Output::Value(value.clone()))
}
