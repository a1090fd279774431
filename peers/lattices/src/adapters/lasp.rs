//! Ours.

use super::{AddWins, Count, Grow, WireCount};
use harness::inputs::Element;
use lasp_crdt::{AwSet, Decode, Encode, GCounter, Lattice, PnCounter, ReplicaId, codec};
use std::hash::Hash;

/// One replica of an add-wins set.
pub(crate) struct Set<E> {
    pub(crate) replica: ReplicaId,
    pub(crate) state: AwSet<E>,
}

impl<E: Element + Ord + Hash + Encode + Decode> Grow for Set<E> {
    type Element = E;

    fn new(replica: u64) -> Self {
        Self { replica: ReplicaId(replica), state: AwSet::new() }
    }

    fn add(&mut self, element: E) {
        let delta = self.state.add(self.replica, element);
        self.state.merge(delta);
    }

    fn merge(&mut self, other: Self) {
        self.state.merge(other.state);
    }

    fn fork(&mut self, replica: u64) -> Self {
        Self { replica: ReplicaId(replica), state: self.state.clone() }
    }

    fn len(&self) -> usize {
        self.state.len()
    }
}

impl<E: Element + Ord + Hash + Encode + Decode> AddWins for Set<E> {
    type Update = AwSet<E>;

    fn tell(&mut self, element: E) -> AwSet<E> {
        let delta = self.state.add(self.replica, element);
        self.state.merge(delta.clone());
        delta
    }

    fn apply(&mut self, update: AwSet<E>) {
        self.state.merge(update);
    }

    fn update_bytes(update: &AwSet<E>) -> usize {
        codec::to_bytes(update).len()
    }

    fn remove(&mut self, element: &E) {
        let delta = self.state.remove(element);
        self.state.merge(delta);
    }

    fn encode(&mut self) -> Vec<u8> {
        codec::to_bytes(&self.state)
    }

    fn decode(replica: u64, bytes: &[u8]) -> Self {
        Self { replica: ReplicaId(replica), state: codec::from_bytes(bytes).expect("a state that was encoded here") }
    }
}

impl Count for GCounter {
    fn increment(&mut self, replica: u64, n: u64) {
        let delta = Self::increment(self, ReplicaId(replica), n);
        Lattice::merge(self, delta);
    }

    fn merge(&mut self, other: Self) {
        Lattice::merge(self, other);
    }

    fn value(&self) -> i64 {
        Self::value(self).cast_signed()
    }
}

impl WireCount for GCounter {
    fn state_bytes(&self) -> usize {
        codec::to_bytes(self).len()
    }

    fn increment_bytes(&self, replica: u64) -> usize {
        codec::to_bytes(&Self::increment(self, ReplicaId(replica), 1)).len()
    }
}

impl Count for PnCounter {
    fn increment(&mut self, replica: u64, n: u64) {
        let delta = Self::increment(self, ReplicaId(replica), n);
        Lattice::merge(self, delta);
    }

    fn decrement(&mut self, replica: u64, n: u64) {
        let delta = Self::decrement(self, ReplicaId(replica), n);
        Lattice::merge(self, delta);
    }

    fn merge(&mut self, other: Self) {
        Lattice::merge(self, other);
    }

    fn value(&self) -> i64 {
        Self::value(self)
    }
}

impl WireCount for PnCounter {
    fn state_bytes(&self) -> usize {
        codec::to_bytes(self).len()
    }

    fn increment_bytes(&self, replica: u64) -> usize {
        codec::to_bytes(&Self::increment(self, ReplicaId(replica), 1)).len()
    }
}
