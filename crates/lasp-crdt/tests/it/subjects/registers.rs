//! The registers.

use super::known_ops;
use crate::world::{Logged, Sequential, Subject, replica};
use lasp_crdt::{Boolean, IVar, LwwRegister, MaxRegister, Reading, ReplicaId, Stamp};
use proptest::prelude::*;
use std::collections::BTreeSet;

pub(crate) struct Maximum;

impl Subject for Maximum {
    type State = MaxRegister<i64>;
    type Op = i64;
    type Value = i64;

    fn op() -> BoxedStrategy<i64> {
        (-5..20i64).boxed()
    }

    fn mutate(state: &MaxRegister<i64>, _: ReplicaId, op: &i64) -> MaxRegister<i64> {
        state.write(*op)
    }

    fn value(state: &MaxRegister<i64>) -> i64 {
        *state.value()
    }

    fn denotation(log: &[Logged<i64>], known: &BTreeSet<usize>) -> i64 {
        // A write below what was known says nothing.
        let says = |at: usize, n: i64| n > Self::denotation(&log[..at], &log[at].observed);
        known_ops(log, known).filter(|(at, l)| says(*at, l.op)).map(|(_, l)| l.op).fold(0, i64::max)
    }
}

impl Sequential for Maximum {
    type Model = i64;

    fn step(model: &mut i64, op: &i64) {
        *model = (*model).max(*op);
    }

    fn read(model: &i64) -> i64 {
        *model
    }
}

pub(crate) struct Flag;

impl Subject for Flag {
    type State = Boolean;
    type Op = ();
    type Value = bool;

    fn op() -> BoxedStrategy<()> {
        Just(()).boxed()
    }

    fn mutate(state: &Boolean, _: ReplicaId, (): &()) -> Boolean {
        state.enable()
    }

    fn value(state: &Boolean) -> bool {
        state.value()
    }

    fn denotation(log: &[Logged<()>], known: &BTreeSet<usize>) -> bool {
        known_ops(log, known).any(|(at, l)| !Self::denotation(&log[..at], &l.observed))
    }
}

impl Sequential for Flag {
    type Model = bool;

    fn step(model: &mut bool, (): &()) {
        *model = true;
    }

    fn read(model: &bool) -> bool {
        *model
    }
}

pub(crate) struct Once;

impl Subject for Once {
    type State = IVar<u64>;
    type Op = u64;
    /// The least and the greatest value set.
    type Value = Option<(u64, u64)>;

    fn op() -> BoxedStrategy<u64> {
        (0..4u64).boxed()
    }

    fn mutate(state: &IVar<u64>, _: ReplicaId, op: &u64) -> IVar<u64> {
        // An error changes nothing.
        state.set(*op).unwrap_or_default()
    }

    fn value(state: &IVar<u64>) -> Option<(u64, u64)> {
        match state.get() {
            Reading::Unset => None,
            Reading::Set(&value) => Some((value, value)),
            Reading::Conflict(&low, &high) => Some((low, high)),
        }
    }

    fn denotation(log: &[Logged<u64>], known: &BTreeSet<usize>) -> Option<(u64, u64)> {
        let accepted = known_ops(log, known).filter(|(at, l)| Self::denotation(&log[..*at], &l.observed).is_none());
        let values: BTreeSet<u64> = accepted.map(|(_, l)| l.op).collect();
        Some((*values.first()?, *values.last()?))
    }
}

impl Sequential for Once {
    type Model = Option<u64>;

    fn step(model: &mut Option<u64>, op: &u64) {
        model.get_or_insert(*op);
    }

    fn read(model: &Option<u64>) -> Option<(u64, u64)> {
        model.map(|value| (value, value))
    }
}

/// A correct writer: no two of its writes have one stamp and different values.
pub(crate) struct LastWrite;

impl LastWrite {
    fn written(replica: ReplicaId, time: u64) -> u64 {
        (replica.0 % 7) * 10 + 9 - time
    }
}

impl Subject for LastWrite {
    type State = LwwRegister<u64>;
    /// The time of a write.
    type Op = u64;
    type Value = Option<u64>;

    fn op() -> BoxedStrategy<u64> {
        (0..6u64).boxed()
    }

    fn mutate(state: &LwwRegister<u64>, replica: ReplicaId, &time: &u64) -> LwwRegister<u64> {
        state.write(Stamp { time, replica }, Self::written(replica, time))
    }

    fn value(state: &LwwRegister<u64>) -> Option<u64> {
        state.value().copied()
    }

    fn denotation(log: &[Logged<u64>], known: &BTreeSet<usize>) -> Option<u64> {
        fn last(log: &[Logged<u64>], known: &BTreeSet<usize>) -> Option<(u64, ReplicaId)> {
            let key = |l: &Logged<u64>| (l.op, l.replica);
            // A write before what was known says nothing.
            let says = |at: usize, l: &Logged<_>| Some(key(l)) > last(&log[..at], &l.observed);
            known_ops(log, known).filter(|(at, l)| says(*at, l)).map(|(_, l)| key(l)).max()
        }
        last(log, known).map(|(time, replica)| Self::written(replica, time))
    }
}

/// Of writes by one replica, the last is the one at the latest time.
impl Sequential for LastWrite {
    type Model = Option<u64>;

    fn step(model: &mut Option<u64>, time: &u64) {
        *model = (*model).max(Some(*time));
    }

    fn read(model: &Option<u64>) -> Option<u64> {
        model.map(|time| Self::written(replica(0), time))
    }
}
