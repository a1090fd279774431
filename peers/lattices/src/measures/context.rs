//! Causal contexts of 10,000 replicas, numbered from 1, that are mostly in step: each has made 1,000 events, and one
//! in a hundred a few more.

use crate::adapters::crdts::bytes;
use crdts::{CmRDT, CvRDT, VClock};
use harness::inputs::scrambled;
use harness::measure::{Measure, Probe, Scale, Unit, seconds_each, seconds_on_fresh};
use lasp_crdt::{DotSet, Lattice, ReplicaId, codec};

pub(crate) fn measures() -> Vec<Measure> {
    vec![
        Measure::new("context/merge", "context of 10,000 replicas: merged", Unit::Time, merge::<DotSet>)
            .target(100e-6)
            .beside("crdts", merge::<VClock<u64>>),
        Measure::new("context/insert", "context of 10,000 replicas: the next event", Unit::Time, insert::<DotSet>)
            .beside("crdts", insert::<VClock<u64>>),
        Measure::new(
            "context/state-bytes",
            "context of 10,000 replicas: encoded, per replica",
            Unit::Bytes,
            state_bytes::<DotSet>,
        )
        .target(3.0)
        .beside("crdts", state_bytes::<VClock<u64>>),
    ]
}

const REPLICAS: u64 = 10_000;
const EVENTS: u64 = 1_000;

/// Which events of each replica are known.
trait Context: Clone + Default + PartialEq {
    /// Learns of the events `1..=last`.
    fn see(&mut self, replica: u64, last: u64);
    fn see_next(&mut self, replica: u64);
    fn merge(&mut self, other: Self);
    fn bytes(&self) -> usize;
}

impl Context for DotSet {
    fn see(&mut self, replica: u64, last: u64) {
        self.insert_range(ReplicaId(replica), 1, last);
    }

    fn see_next(&mut self, replica: u64) {
        let dot = self.next(ReplicaId(replica));
        self.insert(dot);
    }

    fn merge(&mut self, other: Self) {
        Lattice::merge(self, other);
    }

    fn bytes(&self) -> usize {
        codec::to_bytes(self).len()
    }
}

impl Context for VClock<u64> {
    fn see(&mut self, replica: u64, last: u64) {
        self.apply(crdts::Dot::new(replica, last));
    }

    fn see_next(&mut self, replica: u64) {
        self.apply(self.inc(replica));
    }

    fn merge(&mut self, other: Self) {
        CvRDT::merge(self, other);
    }

    fn bytes(&self) -> usize {
        bytes(self).len()
    }
}

/// All replicas in step, except every hundredth from `first` on.
fn in_step<C: Context>(first: &[u64]) -> C {
    let mut context = C::default();
    for replica in 1..=REPLICAS {
        let ahead = if first.contains(&(replica % 100)) { 1 + scrambled(replica) % 9 } else { 0 };
        context.see(replica, EVENTS + ahead);
    }
    context
}

/// Each side knows more of a hundred replicas.
fn merge<C: Context + 'static>(_: &Scale) -> Probe {
    const MERGES: usize = 20;
    let (here, there): (C, C) = (in_step(&[7]), in_step(&[42]));
    let mut both = here.clone();
    both.merge(there.clone());
    assert!(both == in_step(&[7, 42]));
    Box::new(move || {
        let pairs = (0..MERGES).map(|_| (here.clone(), there.clone()));
        seconds_on_fresh(pairs, |(mut here, there)| {
            here.merge(there);
            here
        })
    })
}

fn insert<C: Context + 'static>(_: &Scale) -> Probe {
    let mut context: C = in_step(&[7]);
    Box::new(move || seconds_each(20_000, |n| context.see_next(1 + scrambled(n) % REPLICAS)))
}

fn state_bytes<C: Context + 'static>(_: &Scale) -> Probe {
    let context: C = in_step(&[7]);
    Box::new(move || context.bytes() as f64 / REPLICAS as f64)
}
