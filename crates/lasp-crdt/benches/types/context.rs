//! Sets of dots.

use divan::{Bencher, black_box};
use lasp_crdt::{DotSet, Lattice, ReplicaId, codec};

/// How many replicas, each of which has made a thousand events, one in a hundred a few more.
const REPLICAS: [u64; 2] = [100, 10_000];

/// Every hundredth replica from `ahead` on has made more.
fn mostly_in_step(replicas: u64, ahead: u64) -> DotSet {
    let mut context = DotSet::new();
    for replica in 0..replicas {
        let more = if replica % 100 == ahead { 1 + replica % 9 } else { 0 };
        context.insert_range(ReplicaId(replica), 1, 1_000 + more);
    }
    context
}

#[divan::bench(args = REPLICAS)]
fn insert_next(bencher: Bencher<'_, '_>, replicas: u64) {
    let (mut context, mut next) = (mostly_in_step(replicas, 7), crate::numbers(0));
    bencher.bench_local(|| {
        let dot = context.next(ReplicaId(next() % replicas));
        context.insert(dot)
    });
}

#[divan::bench(args = REPLICAS)]
fn merge(bencher: Bencher<'_, '_>, replicas: u64) {
    let (here, there) = (mostly_in_step(replicas, 7), mostly_in_step(replicas, 42));
    bencher.with_inputs(|| (here.clone(), there.clone())).bench_local_values(|(mut here, there)| {
        here.merge(there);
        here
    });
}

#[divan::bench(args = REPLICAS)]
fn difference(bencher: Bencher<'_, '_>, replicas: u64) {
    let (here, there) = (mostly_in_step(replicas, 7), mostly_in_step(replicas, 42));
    bencher.bench_local(|| black_box(&here).difference(&there));
}

#[divan::bench(args = REPLICAS)]
fn encode_and_decode(bencher: Bencher<'_, '_>, replicas: u64) {
    let context = mostly_in_step(replicas, 7);
    bencher.bench_local(|| codec::from_bytes::<DotSet>(&codec::to_bytes(black_box(&context))).is_ok());
}
