//! How many operations a second the types do, alone: no network, no encoding except where it says so.
//!
//! `cargo run --release -p lasp-crdt --example throughput`

use lasp_crdt::{AwSet, BaseId, Delta, Derived, GCounter, Lattice, ReplicaId, SetChange, Support, codec};
use std::hint::black_box;

const HERE: ReplicaId = ReplicaId(0x1234_5678_9abc_def0);
const THERE: ReplicaId = ReplicaId(0x0fed_cba9_8765_4321);
/// Elements in the set that operations meet.
const SIZE: u64 = 10_000;

fn main() {
    let set = filled(SIZE);
    add_wins_set(&set);
    wire(&set);
    counter();
    derived();
}

/// A set of the elements `0..size`.
fn filled(size: u64) -> AwSet<u64> {
    let mut set = AwSet::new();
    set.merge(set.add_all(HERE, 0..size));
    set
}

fn add_wins_set(set: &AwSet<u64>) {
    let mut here = set.clone();
    measure("awset: add a new element, remove it again (10k elements), per operation", 2, |n| {
        here.merge(here.add(HERE, SIZE + n));
        here.merge(here.remove(&(SIZE + n)));
    });
    let mut here = set.clone();
    measure("awset: add an element that is there (10k elements)", 1, |n| {
        here.merge(here.add(HERE, n % SIZE));
    });
    let mut here = AwSet::new();
    measure("awset: add a new element (from empty, growing)", 1, |n| {
        here.merge(here.add(HERE, n));
    });
    let (mut here, mut there) = (set.clone(), set.clone());
    measure("awset: add, clone the delta, merge it on a second replica", 1, |n| {
        let delta = there.add(THERE, n % SIZE);
        there.merge(delta.clone());
        here.merge(delta);
    });
    let here = set.clone();
    measure("awset: what of a delta is news (nothing)", 1, |n| {
        let delta = AwSet::from_parts([(n % SIZE, here.dots(&(n % SIZE))[0])], Default::default());
        black_box(delta.difference(&here));
    });
    let mut changes = 0u64;
    let mut here = set.clone();
    measure("awset: add with a report of changes", 1, |n| {
        here.merge_with(here.add(HERE, n % SIZE), |change| changes += u64::from(matches!(change, SetChange::Live(..))));
    });
    black_box(changes);
    measure_few("awset: digest and delta between two equal sets of 10k", || {
        black_box(set.delta(&set.digest()));
    });
    measure_few("awset: read 10k elements in order", || {
        black_box(set.iter().count());
    });
}

fn wire(set: &AwSet<u64>) {
    let mut buffer = Vec::new();
    measure("awset: encode and decode the delta of one addition", 1, |n| {
        buffer.clear();
        use lasp_crdt::{Decode, Encode};
        let mut plain = codec::Plain;
        set.add(HERE, n).encode(&mut codec::Writer::new(&mut buffer, &mut plain));
        let delta = AwSet::<u64>::decode(&mut codec::Reader::new(&buffer, &mut plain));
        black_box(delta.is_ok());
    });
    let bytes = codec::to_bytes(set);
    println!(
        "awset: {} bytes encode 10k integers, {} the delta of one",
        bytes.len(),
        codec::to_bytes(&set.add(HERE, SIZE)).len()
    );
    measure_few("awset: decode 10k elements", || {
        black_box(codec::from_bytes::<AwSet<u64>>(&bytes).is_ok());
    });
}

fn counter() {
    let mut here = GCounter::new();
    for replica in 0..100 {
        here.merge(here.increment(ReplicaId(replica), 1));
    }
    let mut there = here.clone();
    measure("gcounter: increment, among 100 replicas", 1, |n| {
        here.merge(here.increment(ReplicaId(n % 100), 1));
    });
    measure("gcounter: increment, clone the delta, merge it on a second replica", 1, |n| {
        let delta = there.increment(ReplicaId(n % 100), 1);
        there.merge(delta.clone());
        here.merge(delta);
    });
    black_box(here.value());
}

fn derived() {
    let base = BaseId::of("base");
    let mut set = Derived::new();
    let mut source = AwSet::new();
    measure("derived: image of an addition, image of its removal, per operation", 2, |n| {
        let delta = source.add(HERE, n);
        let mut image = Derived::new();
        for (&element, dots) in delta.entries() {
            image.see_live(base, dots[0]);
            image.add_support(element * 2, Support::event(base, dots[0]));
        }
        source.merge(delta);
        set.merge(image);
        let removal = source.remove(&n);
        let mut image = Derived::new();
        image.see_all(base, removal.context(), &removal.live());
        source.merge(removal);
        set.merge(image);
    });
}

/// Repeats `run` a million times.
fn measure(what: &str, operations: u64, mut run: impl FnMut(u64)) {
    const TIMES: u64 = 1_000_000;
    let seconds = time(|| (0..TIMES).for_each(&mut run));
    let rate = (TIMES * operations) as f64 / seconds;
    println!("{what}: {:.2} M/s, {:.0} ns", rate / 1e6, 1e9 / rate);
}

/// Repeats `run` a hundred times.
fn measure_few(what: &str, mut run: impl FnMut()) {
    const TIMES: u32 = 100;
    let seconds = time(|| (0..TIMES).for_each(|_| run()));
    println!("{what}: {:.0} us", seconds / f64::from(TIMES) * 1e6);
}

#[expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a measurement reads the clock; the crate does not"
)]
fn time(run: impl FnOnce()) -> f64 {
    let start = std::time::Instant::now();
    run();
    start.elapsed().as_secs_f64()
}
