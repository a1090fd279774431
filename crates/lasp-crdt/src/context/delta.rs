//! Sets of dots as replicated states of their own: their parts, and what one lacks of another.

use super::DotSet;
use crate::lattice::{Decompose, Delta};

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
