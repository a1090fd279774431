//! The counters.

use super::total;
use crate::world::{Logged, REPLICAS, Sequential, Subject, replica};
use lasp_crdt::{BoundedCounter, GCounter, LexCounter, PnCounter, ReplicaId};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

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

pub(crate) struct Lexicographic;

impl Subject for Lexicographic {
    type State = LexCounter;
    type Op = i64;
    type Value = i64;

    fn op() -> BoxedStrategy<i64> {
        (-300..300i64).boxed()
    }

    fn mutate(state: &LexCounter, replica: ReplicaId, op: &i64) -> LexCounter {
        let n = op.unsigned_abs();
        if *op < 0 { state.decrement(replica, n) } else { state.increment(replica, n) }
    }

    fn value(state: &LexCounter) -> i64 {
        state.value()
    }

    /// Whoever knows a change knows what the same replica changed before, whichever way.
    fn denotation(log: &[Logged<i64>], known: &BTreeSet<usize>) -> i64 {
        let mut last = BTreeMap::new();
        for &at in known.iter().filter(|&&at| log[at].op != 0) {
            last.insert(log[at].replica, at);
        }
        let covered = log.iter().enumerate().filter(|(at, l)| last.get(&l.replica).is_some_and(|last| at <= last));
        covered.map(|(_, l)| l.op).sum()
    }
}

impl Sequential for Lexicographic {
    type Model = i64;

    fn step(model: &mut i64, op: &i64) {
        *model += op;
    }

    fn read(model: &i64) -> i64 {
        *model
    }
}

pub(crate) struct Escrow;

#[derive(Clone, Copy, Debug)]
pub(crate) enum EscrowOp {
    Increment(u64),
    Decrement(u64),
    /// To the replica at an index.
    Transfer(usize, u64),
}

/// The rights of each replica if these operations, all accepted, are all there is.
fn rights<'a>(accepted: impl Iterator<Item = (ReplicaId, &'a EscrowOp)>) -> BTreeMap<ReplicaId, i64> {
    let mut rights = BTreeMap::new();
    for (by, op) in accepted {
        let (gain, to) = match *op {
            EscrowOp::Increment(n) => (n as i64, None),
            EscrowOp::Decrement(n) => (-(n as i64), None),
            EscrowOp::Transfer(to, n) => (-(n as i64), Some((replica(to), n as i64))),
        };
        *rights.entry(by).or_default() += gain;
        if let Some((to, n)) = to {
            *rights.entry(to).or_default() += n;
        }
    }
    rights
}

impl Escrow {
    /// Which operations were accepted, that is, had the rights they asked for where they were made.
    pub(crate) fn accepted(log: &[Logged<EscrowOp>]) -> Vec<bool> {
        let mut accepted = Vec::new();
        for logged in log {
            let seen = rights(Self::covered(log, &logged.observed, &accepted));
            let own = seen.get(&logged.replica).copied().unwrap_or(0);
            accepted.push(match logged.op {
                EscrowOp::Increment(_) => true,
                EscrowOp::Decrement(n) | EscrowOp::Transfer(_, n) => n as i64 <= own.max(0),
            });
        }
        accepted
    }

    /// What those operations say that are known or covered: whoever knows what a replica has used, created or given to
    /// somebody by now, knows what it did so before.
    fn covered<'a>(
        log: &'a [Logged<EscrowOp>],
        known: &BTreeSet<usize>,
        accepted: &'a [bool],
    ) -> impl Iterator<Item = (ReplicaId, &'a EscrowOp)> {
        let cell = |l: &Logged<EscrowOp>| match l.op {
            EscrowOp::Increment(n) => (l.replica, 0, 0, n),
            EscrowOp::Decrement(n) => (l.replica, 1, 0, n),
            EscrowOp::Transfer(to, n) => (l.replica, 2, to, if replica(to) == l.replica { 0 } else { n }),
        };
        let mut last = BTreeMap::new();
        for &at in known.iter().filter(|&&at| accepted[at]) {
            let (by, what, to, n) = cell(&log[at]);
            if n > 0 {
                last.insert((by, what, to), at);
            }
        }
        let is_covered = move |at: usize| {
            let (by, what, to, _) = cell(&log[at]);
            accepted[at] && last.get(&(by, what, to)).is_some_and(|&last| at <= last)
        };
        (0..accepted.len()).filter(move |&at| is_covered(at)).map(|at| (log[at].replica, &log[at].op))
    }
}

impl Subject for Escrow {
    type State = BoundedCounter;
    type Op = EscrowOp;
    /// The value, and the rights of each replica.
    type Value = (u64, [u64; REPLICAS]);

    fn op() -> BoxedStrategy<EscrowOp> {
        prop_oneof![
            2 => (0..9u64).prop_map(EscrowOp::Increment),
            3 => (0..9u64).prop_map(EscrowOp::Decrement),
            2 => (0..REPLICAS, 0..9u64).prop_map(|(to, n)| EscrowOp::Transfer(to, n)),
        ]
        .boxed()
    }

    fn mutate(state: &BoundedCounter, by: ReplicaId, op: &EscrowOp) -> BoundedCounter {
        // A refusal changes nothing.
        match *op {
            EscrowOp::Increment(n) => state.increment(by, n),
            EscrowOp::Decrement(n) => state.decrement(by, n).unwrap_or_default(),
            EscrowOp::Transfer(to, n) => state.transfer(by, replica(to), n).unwrap_or_default(),
        }
    }

    fn value(state: &BoundedCounter) -> Self::Value {
        (state.value(), std::array::from_fn(|at| state.rights(replica(at))))
    }

    fn denotation(log: &[Logged<EscrowOp>], known: &BTreeSet<usize>) -> Self::Value {
        let rights = rights(Self::covered(log, known, &Self::accepted(log)));
        let of = |at| rights.get(&replica(at)).map_or(0, |&rights| rights.max(0) as u64);
        (rights.values().sum::<i64>().max(0) as u64, std::array::from_fn(of))
    }
}

impl Sequential for Escrow {
    /// The rights of each; the first is the one at work.
    type Model = [u64; REPLICAS];

    fn step(model: &mut [u64; REPLICAS], op: &EscrowOp) {
        match *op {
            EscrowOp::Increment(n) => model[0] += n,
            EscrowOp::Decrement(n) => model[0] = model[0].checked_sub(n).unwrap_or(model[0]),
            EscrowOp::Transfer(to, n) if n <= model[0] => {
                model[0] -= n;
                model[to] += n;
            }
            EscrowOp::Transfer(..) => {}
        }
    }

    fn read(model: &[u64; REPLICAS]) -> Self::Value {
        (model.iter().sum(), *model)
    }
}
