//! The sets.

use super::{element, elements, known_ops};
use crate::world::{Logged, Sequential, Subject};
use lasp_crdt::{AwSet, GSet, ReplicaId};
use proptest::prelude::*;
use std::collections::BTreeSet;

pub(crate) struct GrowOnlySet;

impl Subject for GrowOnlySet {
    type State = GSet<u64>;
    type Op = Vec<u64>;
    type Value = BTreeSet<u64>;

    fn op() -> BoxedStrategy<Vec<u64>> {
        prop_oneof![element().prop_map(|e| vec![e]), elements()].boxed()
    }

    fn mutate(state: &GSet<u64>, _: ReplicaId, op: &Vec<u64>) -> GSet<u64> {
        match op[..] {
            [one] => state.add(one),
            _ => state.add_all(op.iter().copied()),
        }
    }

    fn value(state: &GSet<u64>) -> BTreeSet<u64> {
        state.iter().copied().collect()
    }

    fn denotation(log: &[Logged<Vec<u64>>], known: &BTreeSet<usize>) -> BTreeSet<u64> {
        // An addition of what was there says nothing: it is known through the operations observed.
        let adds = |at: usize| {
            let seen: BTreeSet<u64> = Self::denotation(&log[..at], &log[at].observed);
            log[at].op.iter().copied().filter(move |e| !seen.contains(e)).collect::<Vec<_>>()
        };
        known.iter().flat_map(|&at| adds(at)).collect()
    }
}

impl Sequential for GrowOnlySet {
    type Model = BTreeSet<u64>;

    fn step(model: &mut BTreeSet<u64>, op: &Vec<u64>) {
        model.extend(op);
    }

    fn read(model: &BTreeSet<u64>) -> BTreeSet<u64> {
        model.clone()
    }
}

pub(crate) struct AddWinsSet;

#[derive(Clone, Debug)]
pub(crate) enum SetOp {
    Add(u64),
    AddAll(Vec<u64>),
    Remove(u64),
    RemoveAll(Vec<u64>),
}

impl SetOp {
    fn touches(&self, element: u64) -> bool {
        match self {
            Self::Add(one) | Self::Remove(one) => *one == element,
            Self::AddAll(many) | Self::RemoveAll(many) => many.contains(&element),
        }
    }

    fn adds(&self) -> bool {
        matches!(self, Self::Add(_) | Self::AddAll(_))
    }
}

impl AddWinsSet {
    /// Whether the addition at `add` keeps `element` in, for one who knows `known`: no known operation undid it, which
    /// takes that it was there to be undone.
    fn keeps(log: &[Logged<SetOp>], known: &BTreeSet<usize>, add: usize, element: u64) -> bool {
        let undoes = |later: usize| {
            log[later].op.touches(element)
                && log[later].observed.contains(&add)
                && Self::keeps(log, &log[later].observed, add, element)
        };
        !known.range(add + 1..).any(|&later| undoes(later))
    }
}

impl Subject for AddWinsSet {
    type State = AwSet<u64>;
    type Op = SetOp;
    type Value = BTreeSet<u64>;

    fn op() -> BoxedStrategy<SetOp> {
        prop_oneof![
            4 => element().prop_map(SetOp::Add),
            1 => elements().prop_map(SetOp::AddAll),
            3 => element().prop_map(SetOp::Remove),
            1 => elements().prop_map(SetOp::RemoveAll),
        ]
        .boxed()
    }

    fn mutate(state: &AwSet<u64>, replica: ReplicaId, op: &SetOp) -> AwSet<u64> {
        match op {
            SetOp::Add(element) => state.add(replica, *element),
            SetOp::AddAll(elements) => state.add_all(replica, elements.iter().copied()),
            SetOp::Remove(element) => state.remove(element),
            SetOp::RemoveAll(elements) => state.remove_all(elements),
        }
    }

    fn value(state: &AwSet<u64>) -> BTreeSet<u64> {
        state.iter().copied().collect()
    }

    fn denotation(log: &[Logged<SetOp>], known: &BTreeSet<usize>) -> BTreeSet<u64> {
        let keeps = |element: u64| {
            known_ops(log, known)
                .filter(|(_, logged)| logged.op.adds() && logged.op.touches(element))
                .any(|(at, _)| Self::keeps(log, known, at, element))
        };
        (0..24).filter(|&element| keeps(element)).collect()
    }
}

impl Sequential for AddWinsSet {
    type Model = BTreeSet<u64>;

    fn step(model: &mut BTreeSet<u64>, op: &SetOp) {
        match op {
            SetOp::Add(element) => drop(model.insert(*element)),
            SetOp::AddAll(elements) => model.extend(elements),
            SetOp::Remove(element) => drop(model.remove(element)),
            SetOp::RemoveAll(elements) => model.retain(|element| !elements.contains(element)),
        }
    }

    fn read(model: &BTreeSet<u64>) -> BTreeSet<u64> {
        model.clone()
    }
}
