//! Maps.

use crate::{HERE, SIZES, numbers};
use divan::Bencher;
use lasp_crdt::{AwSet, GCounter, GMap, Lattice};

#[divan::bench(args = SIZES)]
fn update_an_entry(bencher: Bencher<'_, '_>, size: u64) {
    let counts = (0..size).map(|key| (key, GCounter::new().increment(HERE, 1)));
    let (mut map, mut next) = (counts.collect::<GMap<u64, GCounter>>(), numbers(0));
    bencher.bench_local(|| map.merge(map.apply(next() % size, |count| count.increment(HERE, 1))));
}

#[divan::bench(args = SIZES)]
fn add_to_a_set_in_a_map_in_a_map(bencher: Bencher<'_, '_>, size: u64) {
    const INNER: u64 = 100;
    let inner = || (0..INNER).map(|key| (key, AwSet::new().add(HERE, key)));
    let outer = (0..size / INNER).map(|key| (key, inner().collect()));
    let (mut map, mut next) = (outer.collect::<GMap<u64, GMap<u64, AwSet<u64>>>>(), numbers(0));
    bencher.bench_local(|| {
        let entry = next() % size;
        map.merge(map.apply(entry / INNER, |inner| inner.apply(entry % INNER, |set| set.add(HERE, 0))));
    });
}
