//! The two-phase set.

use super::{SetOp, element, elements, of_known, said};
use crate::world::{Logged, Sequential, Subject};
use lasp_crdt::{ReplicaId, TwoPSet};
use proptest::prelude::*;
use std::collections::BTreeSet;

pub(crate) struct TwoPhaseSet;

/// What was ever added, and what was ever removed: the state of the paper.
#[derive(Clone, Debug, Default)]
pub(crate) struct Phases {
    added: BTreeSet<u64>,
    removed: BTreeSet<u64>,
}

impl Phases {
    fn of_all(all: &[Self]) -> Self {
        let mut sum = Self::default();
        for phases in all {
            sum.added.extend(&phases.added);
            sum.removed.extend(&phases.removed);
        }
        sum
    }

    fn said(&self, op: &SetOp) -> Self {
        let (adds, elements) = match op {
            SetOp::Add(element) => (true, vec![*element]),
            SetOp::AddAll(elements) => (true, elements.clone()),
            SetOp::Remove(element) => (false, vec![*element]),
            SetOp::RemoveAll(elements) => (false, elements.clone()),
        };
        let elements = elements.into_iter().filter(|e| !self.removed.contains(e));
        if adds {
            let added = elements.filter(|e| !self.added.contains(e)).collect();
            return Self { added, removed: BTreeSet::new() };
        }
        Self { added: BTreeSet::new(), removed: elements.collect() }
    }

    fn value(&self) -> BTreeSet<u64> {
        self.added.difference(&self.removed).copied().collect()
    }
}

impl Subject for TwoPhaseSet {
    type State = TwoPSet<u64>;
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

    fn mutate(state: &TwoPSet<u64>, _: ReplicaId, op: &SetOp) -> TwoPSet<u64> {
        match op {
            SetOp::Add(element) => state.add(*element),
            SetOp::AddAll(elements) => state.add_all(elements.iter().copied()),
            SetOp::Remove(element) => state.remove(element),
            SetOp::RemoveAll(elements) => state.remove_all(elements),
        }
    }

    fn value(state: &TwoPSet<u64>) -> BTreeSet<u64> {
        assert_eq!(state.len(), state.iter().count());
        assert!(state.iter().all(|e| state.contains(e)) && state.removed().all(|e| state.is_removed(e)));
        state.iter().copied().collect()
    }

    fn denotation(log: &[Logged<SetOp>], known: &BTreeSet<usize>) -> BTreeSet<u64> {
        let said = said(log, |observed, logged| Phases::of_all(observed).said(&logged.op));
        Phases::of_all(&of_known(&said, known)).value()
    }
}

impl Sequential for TwoPhaseSet {
    /// What is in, and what is out for good.
    type Model = (BTreeSet<u64>, BTreeSet<u64>);

    fn step((inside, out): &mut Self::Model, op: &SetOp) {
        let mut add = |element: &u64| {
            if !out.contains(element) {
                inside.insert(*element);
            }
        };
        match op {
            SetOp::Add(element) => add(element),
            SetOp::AddAll(elements) => elements.iter().for_each(add),
            SetOp::Remove(element) => {
                inside.remove(element);
                out.insert(*element);
            }
            SetOp::RemoveAll(elements) => {
                inside.retain(|element| !elements.contains(element));
                out.extend(elements);
            }
        }
    }

    fn read((inside, _): &Self::Model) -> BTreeSet<u64> {
        inside.clone()
    }
}
