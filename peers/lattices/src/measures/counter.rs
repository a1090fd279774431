//! Counters that 1,000 replicas have incremented.
//!
//! Replicas are numbered from 1, except where it says otherwise; each has counted between 128 and 16,383, which is two
//! bytes on the wire with all libraries.

use crate::adapters::{Count, WireCount, lattices};
use ::crdts::{GCounter as CrdtsCounter, PNCounter as CrdtsPnCounter};
use harness::heap;
use harness::inputs::scrambled;
use harness::measure::{Measure, Probe, Scale, Unit, seconds, seconds_on_fresh};
use lasp_crdt::{GCounter, PnCounter};

type Crdts = CrdtsCounter<u64>;
type CrdtsPn = CrdtsPnCounter<u64>;

pub(crate) fn measures() -> Vec<Measure> {
    vec![
        Measure::new("counter/increments", "counter of 1,000 replicas: increments", Unit::Rate, increments::<GCounter>)
            .beside("crdts", increments::<Crdts>)
            .beside("lattices", increments::<lattices::Counter>),
        Measure::new("counter/merge", "counter of 1,000 replicas: merged", Unit::Time, merge::<GCounter>)
            .target(10e-6)
            .beside("crdts", merge::<Crdts>)
            .beside("lattices", merge::<lattices::Counter>),
        Measure::new(
            "counter/update-bytes",
            "counter of 1,000 replicas: one increment on the wire",
            Unit::Bytes,
            update_bytes::<GCounter>,
        )
        .target(6.0)
        .beside("crdts", update_bytes::<Crdts>),
        Measure::new(
            "counter/state-bytes",
            "counter of 1,000 replicas: encoded",
            Unit::Bytes,
            state_bytes::<GCounter>(numbered),
        )
        .target(3_000.0)
        .beside("crdts", state_bytes::<Crdts>(numbered)),
        Measure::new(
            "counter/state-bytes/random-ids",
            "the same with random 64-bit replica ids",
            Unit::Bytes,
            state_bytes::<GCounter>(scrambled),
        )
        .beside("crdts", state_bytes::<Crdts>(scrambled)),
        Measure::new("counter/heap", "counter of 1,000 replicas: heap", Unit::Bytes, heap_bytes::<GCounter>)
            .beside("crdts", heap_bytes::<Crdts>)
            .beside("lattices", heap_bytes::<lattices::Counter>),
        Measure::new(
            "pn-counter/merge",
            "counter of 1,000 replicas, up and down: merged",
            Unit::Time,
            merge::<PnCounter>,
        )
        .beside("crdts", merge::<CrdtsPn>),
        Measure::new(
            "pn-counter/state-bytes",
            "counter of 1,000 replicas, up and down: encoded",
            Unit::Bytes,
            state_bytes::<PnCounter>(numbered),
        )
        .beside("crdts", state_bytes::<CrdtsPn>(numbered)),
    ]
}

const REPLICAS: u64 = 1_000;

fn numbered(n: u64) -> u64 {
    n
}

/// A counter that all replicas have incremented and, where it can, decremented, those chosen by `is_ahead` once more.
fn counted<C: Count>(id: fn(u64) -> u64, is_ahead: impl Fn(u64) -> bool) -> C {
    let mut counter = C::default();
    for n in 1..=REPLICAS {
        let some = |salt| 128 + scrambled(n + salt) % 16_000;
        counter.increment(id(n), some(0));
        counter.decrement(id(n), some(REPLICAS));
        if is_ahead(n) {
            counter.increment(id(n), 1);
            counter.decrement(id(n), 1);
        }
    }
    counter
}

fn increments<C: Count + 'static>(_: &Scale) -> Probe {
    const INCREMENTS: u64 = 100_000;
    let base: C = counted(numbered, |_| false);
    let order: Vec<u64> = (0..INCREMENTS).map(|n| 1 + scrambled(n) % REPLICAS).collect();
    Box::new(move || {
        let mut counter = base.clone();
        let taken = seconds(|| order.iter().for_each(|&replica| counter.increment(replica, 1)));
        assert_eq!(counter.value(), base.value() + INCREMENTS as i64);
        INCREMENTS as f64 / taken
    })
}

/// Each side is ahead in half of the replicas.
fn merge<C: Count + 'static>(_: &Scale) -> Probe {
    const MERGES: usize = 100;
    let here: C = counted(numbered, |n| n.is_multiple_of(2));
    let there: C = counted(numbered, |n| !n.is_multiple_of(2));
    let mut both = here.clone();
    both.merge(there.clone());
    assert_eq!(both.value(), counted::<C>(numbered, |_| true).value());
    Box::new(move || {
        let pairs = (0..MERGES).map(|_| (here.clone(), there.clone()));
        seconds_on_fresh(pairs, |(mut here, there)| {
            here.merge(there);
            here
        })
    })
}

fn update_bytes<C: WireCount + 'static>(_: &Scale) -> Probe {
    let counter: C = counted(numbered, |_| false);
    Box::new(move || counter.increment_bytes(REPLICAS) as f64)
}

fn state_bytes<C: WireCount + 'static>(id: fn(u64) -> u64) -> impl Fn(&Scale) -> Probe {
    move |_| {
        let counter: C = counted(id, |_| false);
        Box::new(move || counter.state_bytes() as f64)
    }
}

fn heap_bytes<C: Count + 'static>(_: &Scale) -> Probe {
    Box::new(|| heap::live_bytes(|| counted::<C>(numbered, |_| false)).1)
}
