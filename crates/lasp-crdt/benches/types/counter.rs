//! Counters.

use divan::{Bencher, black_box};
use lasp_crdt::{GCounter, Lattice, PnCounter, ReplicaId, codec};

/// How many replicas have counted.
const REPLICAS: [u64; 2] = [100, 1_000];

fn counted(replicas: u64) -> GCounter {
    let mut counter = GCounter::new();
    for replica in 0..replicas {
        counter.merge(counter.increment(ReplicaId(replica), 128 + replica));
    }
    counter
}

#[divan::bench(args = REPLICAS)]
fn increment(bencher: Bencher<'_, '_>, replicas: u64) {
    let (mut counter, mut next) = (counted(replicas), crate::numbers(0));
    bencher.bench_local(|| counter.merge(counter.increment(ReplicaId(next() % replicas), 1)));
}

#[divan::bench(args = REPLICAS)]
fn increment_at_two_replicas(bencher: Bencher<'_, '_>, replicas: u64) {
    let (mut here, mut there, mut next) = (counted(replicas), counted(replicas), crate::numbers(0));
    bencher.bench_local(|| {
        let delta = there.increment(ReplicaId(next() % replicas), 1);
        there.merge(delta.clone());
        here.merge(delta);
    });
}

#[divan::bench(args = REPLICAS)]
fn merge(bencher: Bencher<'_, '_>, replicas: u64) {
    let (here, mut there) = (counted(replicas), counted(replicas));
    for replica in (0..replicas).step_by(2) {
        there.merge(there.increment(ReplicaId(replica), 1));
    }
    bencher.with_inputs(|| (here.clone(), there.clone())).bench_local_values(|(mut here, there)| {
        here.merge(there);
        here
    });
}

#[divan::bench(args = REPLICAS)]
fn encode_and_decode(bencher: Bencher<'_, '_>, replicas: u64) {
    let counter = counted(replicas);
    bencher.bench_local(|| codec::from_bytes::<GCounter>(&codec::to_bytes(black_box(&counter))).is_ok());
}

#[divan::bench(args = REPLICAS)]
fn up_and_down(bencher: Bencher<'_, '_>, replicas: u64) {
    let (mut counter, mut next) = (PnCounter::new(), crate::numbers(0));
    bencher.bench_local(|| {
        let replica = ReplicaId(next() % replicas);
        counter.merge(counter.increment(replica, 2));
        counter.merge(counter.decrement(replica, 1));
    });
}
