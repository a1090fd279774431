//! The registers.

use super::known_ops;
use crate::world::{Logged, Sequential, Subject, replica};
use lasp_crdt::{Boolean, IVar, LwwRegister, MaxRegister, MinRegister, Reading, ReplicaId, Stamp, Timestamp};
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

pub(crate) struct Minimum;

impl Subject for Minimum {
    type State = MinRegister<i64>;
    type Op = i64;
    type Value = Option<i64>;

    fn op() -> BoxedStrategy<i64> {
        (-5..20i64).boxed()
    }

    fn mutate(state: &MinRegister<i64>, _: ReplicaId, op: &i64) -> MinRegister<i64> {
        state.write(*op)
    }

    fn value(state: &MinRegister<i64>) -> Option<i64> {
        state.value().copied()
    }

    fn denotation(log: &[Logged<i64>], known: &BTreeSet<usize>) -> Option<i64> {
        // A write above what was known says nothing.
        let says = |at: usize, n: i64| Self::denotation(&log[..at], &log[at].observed).is_none_or(|least| n < least);
        known_ops(log, known).filter(|(at, l)| says(*at, l.op)).map(|(_, l)| l.op).min()
    }
}

impl Sequential for Minimum {
    type Model = Option<i64>;

    fn step(model: &mut Option<i64>, op: &i64) {
        *model = Some(model.map_or(*op, |least| least.min(*op)));
    }

    fn read(model: &Option<i64>) -> Option<i64> {
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

pub(crate) struct LastWrite;

#[derive(Clone, Copy, Debug)]
pub(crate) enum WriteOp {
    /// At this time, which may be before what is held.
    Stamped(u64, u64),
    /// When the clock shows this time, above what is held.
    Now(u64, u64),
}

impl LastWrite {
    /// When each write happened.
    fn times(log: &[Logged<WriteOp>]) -> Vec<u64> {
        let mut times = Vec::new();
        for logged in log {
            let held = || Self::latest(log, &logged.observed, &times).map_or(0, |(time, ..)| time + 1);
            times.push(match logged.op {
                WriteOp::Stamped(time, _) => time,
                WriteOp::Now(time, _) => time.max(held()),
            });
        }
        times
    }

    /// The greatest of the writes known.
    fn latest(log: &[Logged<WriteOp>], known: &BTreeSet<usize>, times: &[u64]) -> Option<(u64, u64, ReplicaId)> {
        let key = |at: usize| match log[at].op {
            WriteOp::Stamped(_, value) | WriteOp::Now(_, value) => (times[at], value, log[at].replica),
        };
        // A write before what was known says nothing.
        let says = |at: usize| Some(key(at)) > Self::latest(&log[..at], &log[at].observed, times);
        known.iter().copied().filter(|&at| says(at)).map(key).max()
    }
}

impl Subject for LastWrite {
    type State = LwwRegister<u64>;
    type Op = WriteOp;
    /// Time, value, writer.
    type Value = Option<(u64, u64, ReplicaId)>;

    fn op() -> BoxedStrategy<WriteOp> {
        prop_oneof![
            (0..6u64, 0..4u64).prop_map(|(time, value)| WriteOp::Stamped(time, value)),
            (0..6u64, 0..4u64).prop_map(|(time, value)| WriteOp::Now(time, value)),
        ]
        .boxed()
    }

    fn mutate(state: &LwwRegister<u64>, replica: ReplicaId, op: &WriteOp) -> LwwRegister<u64> {
        match *op {
            WriteOp::Stamped(time, value) => state.write(Stamp { time: Timestamp(time), replica }, value),
            WriteOp::Now(time, value) => state.write_at(Timestamp(time), replica, value),
        }
    }

    fn value(state: &LwwRegister<u64>) -> Self::Value {
        let stamp = state.stamp()?;
        Some((stamp.time.0, *state.value()?, stamp.replica))
    }

    fn denotation(log: &[Logged<WriteOp>], known: &BTreeSet<usize>) -> Self::Value {
        Self::latest(log, known, &Self::times(log))
    }
}

/// Of writes by one replica, the last is the one at the latest time, and that of the greater value in a tie.
impl Sequential for LastWrite {
    type Model = Option<(u64, u64)>;

    fn step(model: &mut Option<(u64, u64)>, op: &WriteOp) {
        *model = match *op {
            WriteOp::Stamped(time, value) => (*model).max(Some((time, value))),
            WriteOp::Now(time, value) => Some((model.map_or(time, |(held, _)| time.max(held + 1)), value)),
        };
    }

    fn read(model: &Option<(u64, u64)>) -> Self::Value {
        model.map(|(time, value)| (time, value, replica(0)))
    }
}
