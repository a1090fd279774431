//! Shards: whoever runs them, and in whatever order, the run is the same.

use crate::toy::{Ask, Told, Toy, World, addr, contact, links_survive_a_schedule, ring};
use lasp_overlay::{Contact, PeerId, Rng, Time};
use lasp_sim::{Config, Executor, Latency, Lost, Route, Stats, Verdict};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// So many threads; none: the caller's alone, which goes through the shards backwards.
struct Threads(usize);

impl Executor for Threads {
    fn each(&self, count: usize, work: &(dyn Fn(usize) + Sync)) {
        if self.0 == 0 {
            return (0..count).rev().for_each(work);
        }
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..self.0 {
                scope.spawn(|| {
                    while let Some(number) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|n| *n < count) {
                        work(number);
                    }
                });
            }
        });
    }
}

fn config(shards: usize, seed: u64) -> Config {
    let millis = Duration::from_millis;
    let latency = Latency::Uniform(millis(2), millis(9));
    Config { latency, loss: 0.05, duplicate: 0.1, reorder: 0.1, shards, ..Config::seeded(seed) }
}

/// Everything that shows of a run.
type Outcome = (u64, Stats, Vec<(Time, PeerId, Told)>, Vec<Vec<PeerId>>);

fn pass(sim: &mut World, stretch: Duration, threads: Option<usize>) {
    match threads {
        Some(threads) => sim.run_until_on(sim.now() + stretch, &Threads(threads)),
        None => sim.run_for(stretch),
    }
}

/// A busy world with every kind of fault.
fn turbulent(config: Config, threads: Option<usize>) -> Outcome {
    const PEERS: u64 = 300;
    let mut sim = ring(config, PEERS);
    let mut lives = 1;
    for round in 0..12 {
        for number in 0..40 {
            sim.command(PeerId((number * 7) % PEERS), Ask::Flood(round * 40 + number));
        }
        let (a, b) = (sim.rng().below(PEERS), sim.rng().below(PEERS));
        pass(&mut sim, Duration::from_millis(25), threads);
        match round {
            1 => drop(sim.crash(PeerId(a))),
            2 => drop(sim.crash_silently(PeerId(a))),
            3 => sim.partition(&[(0..PEERS / 3).map(PeerId).collect()]),
            4 => sim.block(PeerId(a), PeerId(b)),
            5 => sim.heal(),
            6 => sim.slow_down(PeerId(b), Duration::from_millis(1)),
            7 => sim.drift(PeerId(b), 1_000),
            _ => {
                sim.command(PeerId(a), Ask::Dial(addr(b)));
                sim.command(PeerId(b), Ask::Dial(addr(a)));
                sim.command(PeerId(a), Ask::Close(PeerId((a + 1) % PEERS)));
            }
        }
        if sim.peer(PeerId(b)).is_none() {
            lives += 1;
            sim.spawn(Contact { incarnation: lives, ..contact(b) }, Toy::default());
        }
        pass(&mut sim, Duration::from_millis(700), threads);
    }
    let links = (0..PEERS).map(|id| sim.links(PeerId(id))).collect();
    (sim.trace_hash(), sim.stats().clone(), sim.drain_events(), links)
}

#[test]
fn the_number_of_threads_and_the_order_of_shards_do_not_matter() {
    let alone = turbulent(config(8, 1), None);
    assert!(alone.1.events > 100_000 && alone.1.lost(Lost::Partition) > 0, "{:?}", alone.1);
    assert!(alone.2.is_sorted_by_key(|(time, ..)| *time));
    for threads in 0..=3 {
        assert!(turbulent(config(8, 1), Some(threads)) == alone, "{threads} threads");
    }
    assert_ne!(turbulent(config(8, 2), Some(2)).0, alone.0, "another seed");
    assert_ne!(turbulent(config(4, 1), Some(2)).0, alone.0, "another number of shards");
}

#[test]
fn a_latency_of_zero_and_impatient_rules_cross_shards_a_little_later_but_always_alike() {
    let run = |threads| {
        let zero = Config { latency: Latency::Constant(Duration::ZERO), ..config(4, 3) };
        let mut sim = ring(zero, 50);
        let mut odd = false;
        sim.add_rule(move |_: Time, _: Route, _: &mut Rng| {
            odd = !odd;
            if odd { Verdict::Deliver(Duration::ZERO) } else { Verdict::Pass }
        });
        sim.command(PeerId(0), Ask::Flood(1));
        pass(&mut sim, SECOND, threads);
        assert!(sim.peers().all(|(_, toy)| toy.seen.contains(&1)));
        (sim.trace_hash(), sim.drain_events())
    };
    assert_eq!(run(None), run(Some(2)));
}

#[test]
fn links_and_messages_work_across_shards_as_within_one() {
    for seed in 0..50 {
        links_survive_a_schedule(Config { shards: 4, ..Config::seeded(seed) });
    }
}

#[test]
fn steps_conditions_and_forks_work_in_shards() {
    let mut sim = ring(config(4, 5), 40);
    sim.command(PeerId(0), Ask::Flood(7));
    let mut fork = sim.fork();
    let everyone = |sim: &World| sim.peers().all(|(_, toy)| toy.seen.contains(&7));
    let deadline = sim.now() + SECOND;
    assert!(sim.run_while(deadline, |sim| !everyone(sim)) && sim.now() < deadline);
    let left = deadline - sim.now();
    sim.run_for(left);
    fork.run_until_on(deadline, &Threads(2));
    assert_eq!((sim.trace_hash(), sim.drain_events()), (fork.trace_hash(), fork.drain_events()));
    sim.command(PeerId(1), Ask::Flood(8));
    let (mut last, mut steps) = (sim.now(), 0);
    while sim.step() {
        assert!(sim.now() >= last);
        (last, steps) = (sim.now(), steps + 1);
    }
    assert!(steps > 40 && sim.peers().all(|(_, toy)| toy.seen.contains(&8)));
}
