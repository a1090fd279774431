//! Does the cost of a change follow the size of the state? Times of one update at a thousand keys and at a million: its
//! delta is made, encoded for the peers, and merged here.
//!
//! Keys come in random order, so that at a million each update waits for main memory at least once. `reading` shows
//! what that alone costs: one word, at random, of as much memory as such a map takes.
//!
//! `cargo run --release -p lasp-crdt --example scaling`

use lasp_crdt::fingerprint::mix;
use lasp_crdt::{Encode, GMap, GSet, Lattice, MaxRegister, Writer, codec};
use std::hint::black_box;

const SMALL: u64 = 1_000;
const LARGE: u64 = 1_000_000;
/// Updates that are timed together.
const UPDATES: u64 = 200_000;

fn main() {
    compare("reading", reading);
    compare("gmap: raise one of n registers", registers);
    compare("gmap: raise one of n registers, keys of 16 characters", named_registers);
    compare("gmap of gmaps of gsets: add to one of n sets", nested);
}

/// The time of a random read in 48 bytes for each of `size` keys, each after the one before.
fn reading(size: u64) -> f64 {
    let words: Vec<u64> = (0..size * 6).map(|n| random(n) & 1).collect();
    let mut last = 0;
    let time = per_update(|n| last = words[(random(n ^ last) % (size * 6)) as usize]);
    black_box(last);
    time
}

/// The time of an update of a random key of `size`, each key updated about equally often.
fn registers(size: u64) -> f64 {
    let mut map: GMap<u64, MaxRegister<u64>> = (0..size).map(|key| (key, MaxRegister::new().write(1))).collect();
    per_update(|n| {
        let delta = map.apply(random(n) % size, |register| register.write(n + 2));
        send(&delta);
        map.merge(delta);
    })
}

fn named_registers(size: u64) -> f64 {
    let name = |key: u64| format!("{key:016x}");
    let mut map: GMap<String, MaxRegister<u64>> =
        (0..size).map(|key| (name(key), MaxRegister::new().write(1))).collect();
    let mut keys: Vec<String> = (0..UPDATES).map(|n| name(random(n) % size)).collect();
    per_update(|n| {
        let key = std::mem::take(&mut keys[n as usize]);
        let delta = map.apply(key, |register| register.write(n + 2));
        send(&delta);
        map.merge(delta);
    })
}

/// The outer map has as many keys as each inner one.
fn nested(size: u64) -> f64 {
    let side = (size as f64).sqrt() as u64;
    let row = |outer: u64| (0..side).map(|inner| (inner, GSet::new().add(outer))).collect();
    let mut map: GMap<u64, GMap<u64, GSet<u64>>> = (0..side).map(|outer| (outer, row(outer))).collect();
    per_update(|n| {
        let (outer, inner) = (random(n) % side, random(n + UPDATES) % side);
        let delta = map.apply(outer, |row| row.apply(inner, |set| set.add(n)));
        send(&delta);
        map.merge(delta);
    })
}

/// What goes to the peers.
fn send(delta: &impl Encode) {
    let mut buffer = Vec::with_capacity(64);
    delta.encode(&mut Writer::new(&mut buffer, &mut codec::Plain));
    black_box(buffer);
}

fn random(n: u64) -> u64 {
    mix(0x5eed, n)
}

fn compare(what: &str, run: impl Fn(u64) -> f64) {
    let median = |size: u64| {
        let mut times: Vec<f64> = (0..5).map(|_| run(size)).collect();
        times.sort_by(f64::total_cmp);
        times[2]
    };
    let (small, large) = (median(SMALL), median(LARGE));
    println!("{what}: {small:.0} ns at 10^3, {large:.0} ns at 10^6, ratio {:.1}", large / small);
}

#[expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a measurement reads the clock; the crate does not"
)]
fn per_update(run: impl FnMut(u64)) -> f64 {
    let start = std::time::Instant::now();
    (0..UPDATES).for_each(run);
    start.elapsed().as_secs_f64() / UPDATES as f64 * 1e9
}
