//! What each type's operations denote, without any lattice: one file per family, and what they share.

mod causal;
mod compose;
mod counters;
mod derived;
mod graphs;
mod maps;
mod registers;
mod sets;
mod summary;
mod two_phase;

pub(crate) use causal::*;
pub(crate) use compose::*;
pub(crate) use counters::*;
pub(crate) use derived::*;
pub(crate) use graphs::*;
pub(crate) use maps::*;
pub(crate) use registers::*;
pub(crate) use sets::*;
pub(crate) use summary::*;
pub(crate) use two_phase::*;

use crate::world::Logged;
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
