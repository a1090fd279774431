//! The lattice of each type, by dispatch to the one inside.

use super::{State, StateDigest, lattices, with_lattice, zip_lattices};
use lasp_crdt::fingerprint::mix;
use lasp_crdt::{Decompose, Delta, Fingerprint, Lattice};

impl State {
    /// Merges `other` in; `true` if and only if this grew. A state of another type changes nothing.
    pub fn merge(&mut self, other: Self) -> bool {
        zip_lattices!(State(self), State(other), (x, y, _) => x.merge(y), (x, y) => x.0.merge(y.0) | x.1.merge(y.1), else false)
    }

    /// The lattice order. States of different types are not ordered.
    pub fn leq(&self, other: &Self) -> bool {
        zip_lattices!(State(self), State(other), (x, y, _) => x.leq(y), (x, y) => x.0.leq(&y.0) && x.1.leq(&y.1), else false)
    }

    /// Whether nothing has happened to this state.
    pub fn is_bottom(&self) -> bool {
        with_lattice!(State(self), (x, _ = State) => x.is_bottom(), pair => pair.0.is_bottom() && pair.1.is_bottom())
    }

    /// 64 bits that are equal for equal states on every node; 0 for bottom. O(1).
    pub fn fingerprint(&self) -> u64 {
        with_lattice!(State(self), (x, _ = State) => x.fingerprint(), pair => {
            match (pair.0.fingerprint(), pair.1.fingerprint()) {
                (0, 0) => 0,
                (first, second) => mix(first, second),
            }
        })
    }

    /// The irredundant parts that merge to this state. Cost: the size of the state.
    pub fn decompose(&self) -> Vec<Self> {
        with_lattice!(State(self), (x, wrap = State) => x.decompose().map(wrap).collect(), pair => {
            let first = pair.0.decompose().into_iter().map(|part| (part, pair.1.bottom_alike()));
            let second = pair.1.decompose().into_iter().map(|part| (pair.0.bottom_alike(), part));
            first.chain(second).map(|pair| Self::Pair(Box::new(pair))).collect()
        })
    }

    /// The [fingerprints](Self::fingerprint) of the parts of [`decompose`](Self::decompose): of equal states the same. Cost:
    /// the size of the state; the parts are not kept.
    pub fn part_fingerprints(&self) -> Vec<u64> {
        with_lattice!(State(self), (x, _ = State) => x.decompose().map(|part| part.fingerprint()).collect(), pair => {
            let first = pair.0.part_fingerprints().into_iter().map(|part| mix(part, 0));
            first.chain(pair.1.part_fingerprints().into_iter().map(|part| mix(0, part))).collect()
        })
    }

    /// Those of the parts whose fingerprint is wanted, merged. Cost: the size of the state.
    pub fn parts(&self, mut wanted: impl FnMut(u64) -> bool) -> Self {
        self.parts_of(&mut wanted)
    }

    fn parts_of(&self, wanted: &mut dyn FnMut(u64) -> bool) -> Self {
        with_lattice!(State(self), (x, wrap = State) => {
            let mut some = self.bottom_alike();
            x.decompose().filter(|part| wanted(part.fingerprint())).for_each(|part| _ = some.merge(wrap(part)));
            some
        }, pair => {
            let first = pair.0.parts_of(&mut |part| wanted(mix(part, 0)));
            Self::Pair(Box::new((first, pair.1.parts_of(&mut |part| wanted(mix(0, part))))))
        })
    }

    /// What to tell another replica about this state, so that it can say what is missing here.
    pub fn digest(&self) -> StateDigest {
        with_lattice!(State(self), (x, wrap = StateDigest) => wrap(x.digest()), pair => {
            StateDigest::Pair(Box::new((pair.0.digest(), pair.1.digest())))
        })
    }

    /// What a replica with this digest lacks of this state. All of it where the digest is of another type.
    pub fn delta(&self, since: &StateDigest) -> Self {
        zip_lattices!(State(self), StateDigest(since), (x, y, wrap) => wrap(x.delta(y)), (x, y) => {
            Self::Pair(Box::new((x.0.delta(&y.0), x.1.delta(&y.1))))
        }, else self.clone())
    }

    /// What `known` lacks of this state; at the cost of this state, which typically is a delta. All of it where `known`
    /// is of another type.
    pub fn difference(&self, known: &Self) -> Self {
        zip_lattices!(State(self), State(known), (x, y, wrap) => wrap(x.difference(y)), (x, y) => {
            Self::Pair(Box::new((x.0.difference(&y.0), x.1.difference(&y.1))))
        }, else self.clone())
    }
}
