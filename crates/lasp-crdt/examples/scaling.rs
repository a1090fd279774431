//! Does the cost of a change follow the size of the state? Times of one update at a thousand keys and at a million: its
//! delta is made, encoded for the peers, and merged here.
//!
//! Keys come in random order, so that at a million each update waits for main memory once or twice. `reading` shows
//! what that alone costs: one word, at random, of as much memory as such a map takes.
//!
//! `cargo run --release -p lasp-crdt --example scaling`

use lasp_crdt::fingerprint::mix;
use lasp_crdt::{Encode, GGraph, GMap, GSet, Graph, Lattice, MaxRegister, TwoPGraph, TwoPSet, Writer, codec};
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
    compare("twopset: add, remove the one before", two_phase_set);
    compare("ggraph of n vertices and edges: add an edge", edges);
    compare("ggraph of n vertices and edges: successors", successors);
    compare("twopgraph of n vertices and edges: add an edge, remove it, per operation", edges_and_back);
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

fn two_phase_set(size: u64) -> f64 {
    let mut set: TwoPSet<u64> = TwoPSet::new();
    set.merge(set.add_all(0..size));
    per_update(|n| {
        let delta = if n % 2 == 0 { set.add(size + n) } else { set.remove(&(size + n - 1)) };
        send(&delta);
        set.merge(delta);
    })
}

/// A graph of `size` vertices and as many random edges.
fn graph(size: u64) -> GGraph<u64> {
    let mut graph = GGraph::new();
    graph.merge(graph.add_vertices(0..size));
    graph.merge(graph.add_edges((0..size).map(|n| edge(n, size))));
    graph
}

fn edge(n: u64, size: u64) -> (u64, u64) {
    (random(2 * n) % size, random(2 * n + 1) % size)
}

fn edges(size: u64) -> f64 {
    let mut graph = graph(size);
    per_update(|n| {
        let (from, to) = edge(size + n, size);
        let delta = graph.add_edge(from, to);
        send(&delta);
        graph.merge(delta);
    })
}

fn successors(size: u64) -> f64 {
    let graph = graph(size);
    per_update(|n| drop(black_box(graph.successors(&(random(n) % size)))))
}

fn edges_and_back(size: u64) -> f64 {
    let mut graph = TwoPGraph::new();
    graph.merge(graph.add_vertices(0..size));
    let add = |graph: &mut TwoPGraph<u64>, n| {
        let (from, to) = edge(n, size);
        let delta = graph.add_edge(from, to).unwrap_or_default();
        send(&delta);
        graph.merge(delta);
    };
    (0..size).for_each(|n| add(&mut graph, n));
    per_update(|n| {
        let n = size + n / 2 * 2;
        let (from, to) = edge(n, size);
        if !graph.contains_edge(&from, &to) {
            return add(&mut graph, n);
        }
        let delta = graph.remove_edge(&from, &to);
        send(&delta);
        graph.merge(delta);
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
