//! What each type's operations denote, without any lattice.

mod compose;
mod graphs;
mod two_phase;

pub(crate) use compose::*;
pub(crate) use graphs::*;
pub(crate) use two_phase::*;

use crate::world::{Logged, Subject};
use lasp_crdt::{
    AwSet, Boolean, GCounter, GMap, GSet, IVar, LwwRegister, MaxRegister, Pair, PnCounter, Reading, ReplicaId, Stamp,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The operations at the indices `known`.
fn known_ops<'a, Op>(
    log: &'a [Logged<Op>],
    known: &'a BTreeSet<usize>,
) -> impl DoubleEndedIterator<Item = (usize, &'a Logged<Op>)> {
    known.iter().map(|&at| (at, &log[at]))
}

/// What each operation said: something that its delta-mutator derives from what those observed had said. `says` gets the
/// latter. In time linear in what was observed, where asking each operation anew is exponential.
fn said<Op, Said: Clone>(log: &[Logged<Op>], says: impl Fn(&[Said], &Logged<Op>) -> Said) -> Vec<Said> {
    let mut said: Vec<Said> = Vec::new();
    for logged in log {
        let observed: Vec<Said> = logged.observed.iter().map(|&at| said[at].clone()).collect();
        said.push(says(&observed, logged));
    }
    said
}

/// What the operations at the indices `known` said.
fn of_known<Said: Clone>(said: &[Said], known: &BTreeSet<usize>) -> Vec<Said> {
    known.iter().map(|&at| said[at].clone()).collect()
}

/// Elements: few, so that operations meet; enough for more than a scanned handful.
fn element() -> BoxedStrategy<u64> {
    prop_oneof![3 => 0..4u64, 1 => 0..24u64].boxed()
}

fn elements() -> BoxedStrategy<Vec<u64>> {
    prop::collection::vec(0..24u64, 0..16).boxed()
}

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

/// The sum of what each replica counted: whoever knows one of its increments knows the earlier ones too.
fn total<Op>(log: &[Logged<Op>], known: &BTreeSet<usize>, amount: impl Fn(&Op) -> Option<u64>) -> u64 {
    let mut last = BTreeMap::new();
    for (at, logged) in known_ops(log, known).filter(|(_, logged)| amount(&logged.op).is_some_and(|n| n > 0)) {
        last.insert(logged.replica, at);
    }
    let counted = |(at, logged): (usize, &Logged<Op>)| {
        let is_covered = last.get(&logged.replica).is_some_and(|&last| at <= last);
        if is_covered { amount(&logged.op).unwrap_or(0) } else { 0 }
    };
    log.iter().enumerate().map(counted).sum()
}

pub(crate) struct GrowOnlyCounter;

impl Subject for GrowOnlyCounter {
    type State = GCounter;
    type Op = u64;
    type Value = u64;

    fn op() -> BoxedStrategy<u64> {
        (0..300u64).boxed()
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

pub(crate) struct UpDownCounter;

impl Subject for UpDownCounter {
    type State = PnCounter;
    type Op = i64;
    type Value = i64;

    fn op() -> BoxedStrategy<i64> {
        (-300..300i64).boxed()
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
