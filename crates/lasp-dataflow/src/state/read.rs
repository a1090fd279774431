//! What a state says to those who read it.

use super::{Look, Slot, State};
use crate::output::Output;
use crate::threshold::Level;
use crate::types::Type;
use crate::value::Value;
use lasp_crdt::Reading;

impl State {
    /// The value. Cost: the size of the state.
    pub fn read(&self) -> Output {
        self.look().read()
    }

    /// The value of a register or flag that goes both ways, which may be waited for; none of other types. O(1).
    pub(crate) fn held(&self) -> Option<Value> {
        match self.look() {
            Look::Register(value) => value.cloned(),
            Look::Flag(flag) => Some(Value::Bool(flag)),
            _ => None,
        }
    }

    /// A set's elements, ascending; of other types none.
    pub fn elements(&self) -> Vec<Value> {
        self.look().elements()
    }

    /// Whether a set holds `element`, a map has this key, a graph this vertex, a multi-value register this value; of other
    /// types `false`.
    pub fn contains(&self, element: &Value) -> bool {
        self.look().contains(element)
    }

    /// How many elements, keys, vertices or concurrent values a collection has. O(1), or the concurrent values.
    pub fn cardinality(&self) -> Option<usize> {
        self.look().cardinality()
    }

    /// How many entries there are, as the literature on synchronisation counts them: elements, keys, vertices, replicas of a
    /// counter that only grows; 1 for anything else above bottom. O(1), or the concurrent values, or the chunks that the replicas of a
    /// counter are kept in.
    pub fn entries(&self) -> usize {
        let counted = match self {
            Self::GCounter(counter) => Some(counter.replicas()),
            other => other.cardinality(),
        };
        counted.unwrap_or(0).max(usize::from(!self.is_bottom()))
    }

    /// The number that numeric thresholds measure: a counter's or register's value, a collection's cardinality. O(1).
    pub(crate) fn level(&self) -> Option<Level> {
        self.look().level()
    }

    /// Whether merging `other` would leave a single-assignment register with two values. Cost: the size of `other`.
    pub(crate) fn clashes_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::IVar(held), Self::IVar(other)) => match other.get() {
                Reading::Set(value) => held.set(value.clone()).is_err(),
                Reading::Unset | Reading::Conflict(..) => false,
            },
            (Self::GMap(map), Self::GMap(other)) => other.unordered().any(|(key, slot)| {
                let held = map.get(key).and_then(Slot::get);
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
