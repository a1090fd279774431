//! `lattices`: hash tables that merge. Its set only grows: what little a set could cost.

use super::{Count, Grow};
use ::lattices::map_union::{MapUnionHashMap, MapUnionSingletonMap};
use ::lattices::set_union::{SetUnionHashSet, SetUnionSingletonSet};
use ::lattices::{Max, Merge};
use harness::inputs::Element;
use std::hash::Hash;

/// A grow-only set.
pub(crate) struct Set<E>(SetUnionHashSet<E>);

impl<E: Element + Hash + Eq> Grow for Set<E> {
    type Element = E;

    fn new(_: u64) -> Self {
        Self(SetUnionHashSet::default())
    }

    fn add(&mut self, element: E) {
        self.0.merge(SetUnionSingletonSet::new_from(element));
    }

    fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
    }

    fn fork(&mut self, _: u64) -> Self {
        Self(self.0.clone())
    }

    fn len(&self) -> usize {
        self.0.as_reveal_ref().len()
    }
}

/// A map from replicas to their counts.
#[derive(Clone, Default)]
pub(crate) struct Counter(MapUnionHashMap<u64, Max<u64>>);

impl Count for Counter {
    fn increment(&mut self, replica: u64, n: u64) {
        let count = self.0.as_reveal_ref().get(&replica).map_or(0, |count| *count.as_reveal_ref());
        self.0.merge(MapUnionSingletonMap::new_from((replica, Max::new(count + n))));
    }

    fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
    }

    fn value(&self) -> i64 {
        self.0.as_reveal_ref().values().map(|count| count.as_reveal_ref().cast_signed()).sum()
    }
}
