//! Results with what they were computed from.

use super::{known_ops, said};
use crate::world::{Logged, Sequential, Subject};
use lasp_crdt::{BaseId, Basis, Count, Dot, Extent, ReplicaId, Summary};
use proptest::prelude::*;
use std::collections::BTreeSet;

pub(crate) struct Summed;

/// A result, and what it is said to come from: of an add-wins set how many events of two writers were seen, and how many
/// died and which; how many elements of a set that only grows, and which; what was derived. Few of each, so that every
/// relation between two comes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SumOp {
    seen: [u64; 2],
    dead: (u128, u64),
    elements: (u128, u64),
    derived: (u128, u64),
    value: u64,
}

fn count() -> impl Strategy<Value = (u128, u64)> {
    (0..3u128, 0..2u64).prop_map(|(n, hash)| (n, if n > 0 { hash } else { 0 }))
}

fn as_count((n, hash): (u128, u64)) -> Count {
    Count { n, hash }
}

/// The order of counts, spelt out.
fn comes_to(low: (u128, u64), high: (u128, u64)) -> bool {
    low.0 < high.0 || low == high
}

impl SumOp {
    fn basis(&self) -> Basis {
        let writers = [ReplicaId(70), ReplicaId(71)];
        let dots = writers.iter().zip(self.seen).flat_map(|(&by, seen)| (1..=seen).map(move |n| Dot::new(by, n)));
        let mut basis = Basis::new();
        basis.know(BaseId(1), Extent { seen: dots.collect(), count: as_count(self.dead) });
        basis.know(BaseId(2), Extent { count: as_count(self.elements), ..Extent::default() });
        basis.derive(as_count(self.derived));
        basis
    }

    fn inputs(&self) -> ([u64; 2], (u128, u64), (u128, u64)) {
        (self.seen, self.dead, self.elements)
    }

    /// Whether `other` takes its place.
    fn gives_way_to(&self, other: &Self) -> bool {
        if self.inputs() != other.inputs() {
            return self.seen[0] <= other.seen[0]
                && self.seen[1] <= other.seen[1]
                && comes_to(self.dead, other.dead)
                && comes_to(self.elements, other.elements);
        }
        match self.derived == other.derived {
            true => self.value <= other.value,
            false => comes_to(self.derived, other.derived),
        }
    }
}

/// The values of those that give way to no other.
fn widest(results: &BTreeSet<SumOp>) -> BTreeSet<u64> {
    let stays = |result: &&SumOp| !results.iter().any(|other| other != *result && result.gives_way_to(other));
    results.iter().filter(stays).map(|result| result.value).collect()
}

impl Subject for Summed {
    type State = Summary<u64>;
    type Op = SumOp;
    type Value = BTreeSet<u64>;

    fn op() -> BoxedStrategy<SumOp> {
        let all = ([0..3u64, 0..3u64], count(), count(), count(), 0..4u64);
        all.prop_map(|(seen, dead, elements, derived, value)| SumOp { seen, dead, elements, derived, value }).boxed()
    }

    fn mutate(state: &Summary<u64>, _: ReplicaId, op: &SumOp) -> Summary<u64> {
        state.write(op.basis(), op.value)
    }

    fn value(state: &Summary<u64>) -> BTreeSet<u64> {
        state.values().into_iter().copied().collect()
    }

    fn denotation(log: &[Logged<SumOp>], known: &BTreeSet<usize>) -> BTreeSet<u64> {
        // A result of what was known to be less says nothing.
        let said = said(log, |observed: &[Option<SumOp>], logged| {
            let is_known = observed.iter().flatten().any(|other| logged.op.gives_way_to(other));
            (!is_known).then_some(logged.op)
        });
        widest(&known_ops(log, known).filter_map(|(at, _)| said[at]).collect())
    }
}

impl Sequential for Summed {
    type Model = BTreeSet<SumOp>;

    fn step(model: &mut BTreeSet<SumOp>, op: &SumOp) {
        model.insert(*op);
    }

    fn read(model: &BTreeSet<SumOp>) -> BTreeSet<u64> {
        widest(model)
    }
}
