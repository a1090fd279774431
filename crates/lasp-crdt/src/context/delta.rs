//! Sets of dots as replicated states of their own: their parts, and what one lacks of another.

use super::DotSet;
use crate::lattice::{Decompose, Delta, Lattice};

/// What merging did to a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grown {
    /// Whether any dot is new.
    pub(crate) grew: bool,
    /// Whether a replica is retired now that neither side had retired: each had a part of its dots.
    pub(crate) folded: bool,
}

impl DotSet {
    /// Merges `other` in. Cost: as [`union_with`](Self::union_with), and the stretches of retired replicas.
    pub(crate) fn merge_folding(&mut self, other: Self) -> Grown {
        let told = match (&self.retired, &other.retired) {
            (None, None) => 0,
            (Some(ids), None) | (None, Some(ids)) => ids.total(),
            (Some(mine), Some(theirs)) => mine.total().saturating_add(theirs.minus(mine).total()),
        };
        let grew = self.merge(other);
        Grown { grew, folded: self.retired.as_ref().is_some_and(|ids| ids.total() > told) }
    }
}

impl Decompose for DotSet {
    /// One part per dot, and one per retired replica. Cost: the number of dots; the iterator is lazy.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        self.atoms()
    }
}

impl Delta for DotSet {
    type Digest = Self;

    fn digest(&self) -> Self {
        self.clone()
    }

    fn delta(&self, since: &Self) -> Self {
        Self::difference(self, since)
    }

    fn difference(&self, known: &Self) -> Self {
        Self::difference(self, known)
    }
}
