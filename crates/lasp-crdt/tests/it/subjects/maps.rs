//! The grow-only map, and the pair.

use super::{AddWinsSet, SetOp, known_ops, total};
use crate::world::{Logged, Sequential, Subject};
use lasp_crdt::{AwSet, Boolean, GCounter, GMap, Pair, ReplicaId};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) struct Map;

impl Subject for Map {
    type State = GMap<u64, Pair<Boolean, GCounter>>;
    /// Key, and how much to count; enables the flag if none.
    type Op = (u64, Option<u64>);
    type Value = BTreeMap<u64, (bool, u64)>;

    fn op() -> BoxedStrategy<Self::Op> {
        (0..4u64, prop::option::of(0..9u64)).boxed()
    }

    fn mutate(state: &Self::State, replica: ReplicaId, &(key, n): &Self::Op) -> Self::State {
        state.apply(key, |pair| match n {
            None => pair.fst(|flag| flag.enable()),
            Some(n) => pair.snd(|counter| counter.increment(replica, n)),
        })
    }

    fn value(state: &Self::State) -> Self::Value {
        state.iter().map(|(&key, pair)| (key, (pair.first.value(), pair.second.value()))).collect()
    }

    fn denotation(log: &[Logged<Self::Op>], known: &BTreeSet<usize>) -> Self::Value {
        let enables = |at: usize, l: &Logged<Self::Op>, key| {
            l.op == (key, None) && !Self::denotation(&log[..at], &l.observed).get(&key).is_some_and(|v| v.0)
        };
        let of = |key| {
            let flag = known_ops(log, known).any(|(at, l)| enables(at, l, key));
            (flag, total(log, known, |op| op.1.filter(|_| op.0 == key)))
        };
        (0..4).map(|key| (key, of(key))).filter(|&(_, value)| value != (false, 0)).collect()
    }
}

impl Sequential for Map {
    type Model = BTreeMap<u64, (bool, u64)>;

    fn step(model: &mut Self::Model, &(key, n): &Self::Op) {
        // Counting nothing says nothing, and leaves no key.
        if n != Some(0) {
            let (flag, count) = model.entry(key).or_default();
            *flag |= n.is_none();
            *count += n.unwrap_or(0);
        }
    }

    fn read(model: &Self::Model) -> Self::Value {
        model.clone()
    }
}

pub(crate) struct Both;

impl Subject for Both {
    type State = Pair<GCounter, AwSet<u64>>;
    type Op = (u64, Option<SetOp>);
    type Value = (u64, BTreeSet<u64>);

    fn op() -> BoxedStrategy<Self::Op> {
        prop_oneof![(0..9u64).prop_map(|n| (n, None)), AddWinsSet::op().prop_map(|op| (0, Some(op)))].boxed()
    }

    fn mutate(state: &Self::State, replica: ReplicaId, op: &Self::Op) -> Self::State {
        match op {
            (n, None) => state.fst(|counter| counter.increment(replica, *n)),
            (_, Some(op)) => state.snd(|set| AddWinsSet::mutate(set, replica, op)),
        }
    }

    fn value(state: &Self::State) -> Self::Value {
        (state.first.value(), AddWinsSet::value(&state.second))
    }

    fn denotation(log: &[Logged<Self::Op>], known: &BTreeSet<usize>) -> Self::Value {
        let nothing = SetOp::RemoveAll(Vec::new());
        let set_log: Vec<Logged<SetOp>> = log
            .iter()
            .map(|l| Logged {
                op: l.op.1.clone().unwrap_or_else(|| nothing.clone()),
                replica: l.replica,
                observed: l.observed.clone(),
            })
            .collect();
        (total(log, known, |op| Some(op.0)), AddWinsSet::denotation(&set_log, known))
    }
}

impl Sequential for Both {
    type Model = (u64, BTreeSet<u64>);

    fn step((count, set): &mut Self::Model, (n, op): &Self::Op) {
        *count += n;
        if let Some(op) = op {
            AddWinsSet::step(set, op);
        }
    }

    fn read(model: &Self::Model) -> Self::Value {
        model.clone()
    }
}
