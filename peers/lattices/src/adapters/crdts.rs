//! `crdts`: states and operations, ported from Riak's; on the wire by `postcard`, as compact as serde formats get.

use super::{AddWins, Count, Grow, WireCount};
use ::crdts::{CmRDT, CvRDT, GCounter, Orswot, PNCounter, orswot::Op};
use harness::inputs::Element;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;
use std::hash::Hash;

/// One replica of an observed-remove set without tombstones.
pub(crate) struct Set<E: Hash + Eq> {
    replica: u64,
    state: Orswot<E, u64>,
}

impl<E: Element + Hash + Eq + Debug> Set<E> {
    fn op(&self, element: E) -> Op<E, u64> {
        self.state.add(element, self.state.read_ctx().derive_add_ctx(self.replica))
    }
}

impl<E: Element + Hash + Eq + Debug> Grow for Set<E> {
    type Element = E;

    fn new(replica: u64) -> Self {
        Self { replica, state: Orswot::new() }
    }

    fn add(&mut self, element: E) {
        let op = self.op(element);
        self.state.apply(op);
    }

    fn merge(&mut self, other: Self) {
        self.state.merge(other.state);
    }

    fn fork(&mut self, replica: u64) -> Self {
        Self { replica, state: self.state.clone() }
    }

    fn len(&self) -> usize {
        self.state.iter().count()
    }
}

impl<E: Element + Hash + Eq + Debug + Serialize + DeserializeOwned> AddWins for Set<E> {
    type Update = Op<E, u64>;

    fn tell(&mut self, element: E) -> Op<E, u64> {
        let op = self.op(element);
        self.state.apply(op.clone());
        op
    }

    fn apply(&mut self, update: Op<E, u64>) {
        self.state.apply(update);
    }

    fn update_bytes(update: &Op<E, u64>) -> usize {
        bytes(update).len()
    }

    fn remove(&mut self, element: &E) {
        let context = self.state.contains(element).derive_rm_ctx();
        let op = self.state.rm(element.clone(), context);
        self.state.apply(op);
    }

    fn encode(&mut self) -> Vec<u8> {
        bytes(&self.state)
    }

    fn decode(replica: u64, bytes: &[u8]) -> Self {
        Self { replica, state: postcard::from_bytes(bytes).expect("a state that was encoded here") }
    }
}

impl Count for GCounter<u64> {
    fn increment(&mut self, replica: u64, n: u64) {
        let op = self.inc_many(replica, n);
        self.apply(op);
    }

    fn merge(&mut self, other: Self) {
        CvRDT::merge(self, other);
    }

    fn value(&self) -> i64 {
        self.read().try_into().expect("a small number")
    }
}

impl WireCount for GCounter<u64> {
    fn state_bytes(&self) -> usize {
        bytes(self).len()
    }

    fn increment_bytes(&self, replica: u64) -> usize {
        bytes(&self.inc(replica)).len()
    }
}

impl Count for PNCounter<u64> {
    fn increment(&mut self, replica: u64, n: u64) {
        let op = self.inc_many(replica, n);
        self.apply(op);
    }

    fn decrement(&mut self, replica: u64, n: u64) {
        let op = self.dec_many(replica, n);
        self.apply(op);
    }

    fn merge(&mut self, other: Self) {
        CvRDT::merge(self, other);
    }

    fn value(&self) -> i64 {
        self.read().try_into().expect("a small number")
    }
}

impl WireCount for PNCounter<u64> {
    fn state_bytes(&self) -> usize {
        bytes(self).len()
    }

    fn increment_bytes(&self, replica: u64) -> usize {
        bytes(&self.inc(replica)).len()
    }
}

/// The encoding that stands for serde's best.
pub(crate) fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("a value of numbers, strings and collections")
}
