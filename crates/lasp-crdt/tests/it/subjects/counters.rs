//! The counters.

use super::total;
use crate::world::{Logged, Sequential, Subject};
use lasp_crdt::{GCounter, PnCounter, ReplicaId};
use proptest::prelude::*;
use std::collections::BTreeSet;

pub(crate) struct GrowOnlyCounter;

impl Subject for GrowOnlyCounter {
    type State = GCounter;
    type Op = u64;
    type Value = u64;

    fn op() -> BoxedStrategy<u64> {
        prop_oneof![2 => 0..4u64, 1 => 0..300u64].boxed()
    }

    fn mutate(state: &GCounter, replica: ReplicaId, op: &u64) -> GCounter {
        state.increment(replica, *op)
    }

    fn value(state: &GCounter) -> u64 {
        state.value()
    }

    fn denotation(log: &[Logged<u64>], known: &BTreeSet<usize>) -> u64 {
        total(log, known, |&n| Some(n))
    }
}

impl Sequential for GrowOnlyCounter {
    type Model = u64;

    fn step(model: &mut u64, op: &u64) {
        *model += op;
    }

    fn read(model: &u64) -> u64 {
        *model
    }
}

pub(crate) struct UpDownCounter;

impl Subject for UpDownCounter {
    type State = PnCounter;
    type Op = i64;
    type Value = i64;

    fn op() -> BoxedStrategy<i64> {
        prop_oneof![2 => -3..4i64, 1 => -300..300i64].boxed()
    }

    fn mutate(state: &PnCounter, replica: ReplicaId, op: &i64) -> PnCounter {
        let n = op.unsigned_abs();
        if *op < 0 { state.decrement(replica, n) } else { state.increment(replica, n) }
    }

    fn value(state: &PnCounter) -> i64 {
        state.value()
    }

    fn denotation(log: &[Logged<i64>], known: &BTreeSet<usize>) -> i64 {
        let up = total(log, known, |&n| (n > 0).then_some(n.unsigned_abs()));
        let down = total(log, known, |&n| (n < 0).then_some(n.unsigned_abs()));
        up as i64 - down as i64
    }
}

impl Sequential for UpDownCounter {
    type Model = i64;

    fn step(model: &mut i64, op: &i64) {
        *model += op;
    }

    fn read(model: &i64) -> i64 {
        *model
    }
}
