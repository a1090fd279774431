//! Sets: add-wins and grow-only.

use crate::{HERE, SIZES, THERE, numbers};
use divan::{Bencher, black_box};
use lasp_crdt::{AwSet, Delta, GSet, Lattice, SetChange, codec};

/// The elements `0..size`.
fn filled(size: u64) -> AwSet<u64> {
    AwSet::new().add_all(HERE, 0..size)
}

#[divan::bench(args = SIZES)]
fn add_new_and_remove(bencher: Bencher<'_, '_>, size: u64) {
    let (mut set, mut next) = (filled(size), numbers(size));
    bencher.bench_local(|| {
        let element = next();
        set.merge(set.add(HERE, element));
        set.merge(set.remove(&element));
    });
}

#[divan::bench(args = SIZES)]
fn add_present(bencher: Bencher<'_, '_>, size: u64) {
    let (mut set, mut next) = (filled(size), numbers(0));
    bencher.bench_local(|| set.merge(set.add(HERE, next() % size)));
}

#[divan::bench]
fn add_new_growing(bencher: Bencher<'_, '_>) {
    let (mut set, mut next) = (AwSet::new(), numbers(0));
    bencher.bench_local(|| set.merge(set.add(HERE, next())));
}

#[divan::bench(args = SIZES)]
fn add_with_a_report_of_changes(bencher: Bencher<'_, '_>, size: u64) {
    let (mut set, mut next, mut born) = (filled(size), numbers(0), 0);
    bencher.bench_local(|| {
        let delta = set.add(HERE, next() % size);
        set.merge_with(delta, |change| born += u64::from(matches!(change, SetChange::Live(..))));
    });
    black_box(born);
}

/// The delta is merged where it was made, and a clone of it elsewhere.
#[divan::bench(args = SIZES)]
fn add_at_two_replicas(bencher: Bencher<'_, '_>, size: u64) {
    let (mut here, mut there, mut next) = (filled(size), filled(size), numbers(0));
    bencher.bench_local(|| {
        let delta = there.add(THERE, next() % size);
        there.merge(delta.clone());
        here.merge(delta);
    });
}

/// Of a delta that has arrived before.
#[divan::bench(args = SIZES)]
fn difference_of_a_known_delta(bencher: Bencher<'_, '_>, size: u64) {
    let mut set = filled(size);
    let delta = set.add(THERE, 0);
    set.merge(delta.clone());
    bencher.bench_local(|| black_box(&delta).difference(&set));
}

#[divan::bench(args = SIZES)]
fn digest_and_delta_of_equal_states(bencher: Bencher<'_, '_>, size: u64) {
    let set = filled(size);
    bencher.bench_local(|| set.delta(&black_box(&set).digest()));
}

#[divan::bench(args = SIZES)]
fn read_in_order(bencher: Bencher<'_, '_>, size: u64) {
    let set = filled(size);
    bencher.bench_local(|| black_box(&set).iter().sum::<u64>());
}

#[divan::bench(args = SIZES)]
fn merge_disjoint(bencher: Bencher<'_, '_>, size: u64) {
    let (here, there) = (filled(size), AwSet::new().add_all(THERE, size..2 * size));
    bencher.with_inputs(|| (here.clone(), there.clone())).bench_local_values(|(mut here, there)| {
        here.merge(there);
        here
    });
}

#[divan::bench(args = SIZES)]
fn compare_equal_states(bencher: Bencher<'_, '_>, size: u64) {
    let (here, there) = (filled(size), filled(size));
    bencher.bench_local(|| black_box(&here) == black_box(&there));
}

#[divan::bench]
fn encode_and_decode_a_delta(bencher: Bencher<'_, '_>) {
    let (set, mut next) = (filled(1_000), numbers(0));
    bencher.bench_local(|| codec::from_bytes::<AwSet<u64>>(&codec::to_bytes(&set.add(HERE, next()))).is_ok());
}

#[divan::bench(args = SIZES)]
fn encode(bencher: Bencher<'_, '_>, size: u64) {
    let set = filled(size);
    bencher.bench_local(|| codec::to_bytes(black_box(&set)));
}

#[divan::bench(args = SIZES)]
fn decode(bencher: Bencher<'_, '_>, size: u64) {
    let bytes = codec::to_bytes(&filled(size));
    bencher.bench_local(|| codec::from_bytes::<AwSet<u64>>(black_box(&bytes)));
}

#[divan::bench]
fn grow_only_add_growing(bencher: Bencher<'_, '_>) {
    let (mut set, mut next) = (GSet::new(), numbers(0));
    bencher.bench_local(|| set.merge(set.add(next())));
}
