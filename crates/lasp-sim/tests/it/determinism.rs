//! The same seed gives the same run, another seed another one.

use crate::toy::{Ask, Told, World, ring};
use lasp_overlay::{PeerId, Time};
use lasp_sim::{Config, Latency};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A run with every kind of fault.
fn turbulent(seed: u64) -> World {
    let millis = Duration::from_millis;
    let config = Config {
        latency: Latency::LongTail { low: millis(1), high: millis(4), most: millis(200) },
        loss: 0.1,
        duplicate: 0.1,
        reorder: 0.2,
        ..Config::seeded(seed)
    };
    let mut sim = ring(config, 20);
    for number in 0..20 {
        sim.command(PeerId(number), Ask::Flood(number));
        sim.run_for(millis(3));
    }
    sim.crash(PeerId(3));
    sim.partition(&[(10..20).map(PeerId).collect()]);
    sim.run_for(millis(5000));
    sim.heal();
    sim.command(PeerId(0), Ask::Flood(100));
    sim.run_for(millis(1000));
    sim
}

#[test]
fn the_same_seed_gives_the_same_trace_and_the_same_counters() {
    let (a, b) = (turbulent(7), turbulent(7));
    assert_eq!(a.trace_hash(), b.trace_hash());
    assert_eq!(a.stats(), b.stats());
}

#[test]
fn another_seed_gives_another_trace() {
    let hashes: std::collections::BTreeSet<u64> = (0..20).map(|seed| turbulent(seed).trace_hash()).collect();
    assert_eq!(hashes.len(), 20);
}

#[test]
fn listening_to_the_trace_does_not_change_it() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let mut sim = ring(Config::seeded(1), 4);
    let mut silent = ring(Config::seeded(1), 4);
    let sink = Arc::clone(&heard);
    sim.on_trace(move |now, occurrence| sink.lock().expect("one thread").push(format!("{now} {occurrence}")));
    for sim in [&mut sim, &mut silent] {
        sim.command(PeerId(0), Ask::Flood(5));
        sim.run_for(Duration::from_secs(1));
    }
    assert_eq!(sim.trace_hash(), silent.trace_hash());
    let heard = heard.lock().expect("one thread");
    assert_eq!(heard[0], "1.000000s 0 commanded");
    assert!(heard.iter().any(|line| line.contains("-> 2 8 bytes")), "{heard:?}");
}

#[test]
fn a_flood_over_a_ring_reaches_everyone_once_each() {
    let mut sim = ring(Config::seeded(1), 100);
    sim.command(PeerId(0), Ask::Flood(5));
    let done = sim.run_while(Time::from_millis(5_000), |sim| sim.peers().any(|(_, toy)| toy.seen.is_empty()));
    assert!(done && sim.now() < Time::from_millis(2_000));
    sim.run_for(Duration::from_secs(1));
    let events = sim.drain_events();
    assert!(events.is_sorted_by_key(|(time, ..)| *time));
    let heard = events.iter().filter(|(_, _, event)| matches!(event, Told::Heard(..))).count() as u64;
    assert_eq!((heard, sim.stats().lost_total()), (sim.stats().delivered, 0));
}

#[test]
fn time_stands_where_it_was_asked_to_and_ties_go_first_come_first_served() {
    let mut sim = ring(Config::seeded(1), 4);
    let start = sim.now();
    for number in 0..5 {
        sim.command(PeerId(0), Ask::Wake(Duration::from_millis(10), number));
    }
    sim.run_for(Duration::from_micros(9_999));
    assert_eq!((sim.drain_events(), sim.now() - start), (vec![], Duration::from_micros(9_999)));
    sim.run_for(Duration::from_micros(1));
    let expected = (0..5).map(|number| (start + Duration::from_millis(10), PeerId(0), Told::Woke(number)));
    assert_eq!(sim.drain_events(), expected.collect::<Vec<_>>());
    assert!(!sim.step());
}
