//! Seeded schedules of faults over whole nodes: after the faults stop, every node holds what the program denotes, nothing
//! is lost, the overlay is whole and nothing waits anywhere.
//!
//! Each schedule follows from its seed alone: size, loss (to 30 %), duplication, reordering, partitions that heal,
//! crashes with restart under a new incarnation, sometimes at another address. Successive seeds go through all combinations of
//! membership, dissemination and synchronisation. A failure prints its seed:
//!
//! ```text
//! LASP_SEED=17 cargo test -p lasp-sim --test schedules -- --nocapture
//! ```
//!
//! `LASP_SCHEDULES=5000` runs that many (`cargo xtask campaign`).

mod cluster;
mod random;
mod record;
mod ways;

// The programs of the theorem harness, and what they denote: the same text.
#[path = "../../../lasp-dataflow/tests/theorem/functions.rs"]
#[expect(dead_code, reason = "some of it is for counterexamples")]
mod functions;
#[path = "../../../lasp-dataflow/tests/theorem/generate.rs"]
#[expect(dead_code, reason = "schedules are made here")]
mod generate;
#[path = "../../../lasp-dataflow/tests/theorem/oracle.rs"]
#[expect(dead_code, reason = "some of it is for thresholds")]
mod oracle;
#[path = "../../../lasp-dataflow/tests/theorem/program.rs"]
#[expect(dead_code, reason = "some of it is for schedules")]
mod program;
#[path = "../../../lasp-dataflow/tests/theorem/rng.rs"]
mod rng;
#[path = "../../../lasp-dataflow/tests/theorem/schedule.rs"]
mod schedule;
#[path = "../../../lasp-dataflow/tests/theorem/values.rs"]
mod values;

use cluster::Cluster;
use lasp_overlay::{PeerId, Rng};
use oracle::Mistake;
use program::Shape;
use random::Random;
use record::Record;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use ways::{COMBINATIONS, Ways};

/// How many schedules the gate runs.
const SCHEDULES: u64 = 6 * COMBINATIONS;

/// How long after the last fault a cluster may take, in virtual time.
const PATIENCE: Duration = Duration::from_secs(180);

#[test]
#[expect(clippy::disallowed_methods, reason = "a failing seed is replayed by naming it in the environment")]
fn every_schedule_converges_to_what_the_program_denotes() {
    let setting = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = setting("LASP_SEED") {
        return run(seed).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    let count = setting("LASP_SCHEDULES").unwrap_or(SCHEDULES);
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let failures: Vec<(u64, String)> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers)
            .map(|worker| {
                scope.spawn(move || {
                    let seeds = (1..=count).filter(|seed| seed % workers == worker);
                    seeds.filter_map(|seed| run(seed).err().map(|error| (seed, error))).collect::<Vec<_>>()
                })
            })
            .collect();
        handles.into_iter().flat_map(|handle| handle.join().expect("no schedule panics")).collect()
    });
    for (seed, error) in &failures {
        eprintln!(
            "seed {seed}: {error}\n  replay: LASP_SEED={seed} cargo test -p lasp-sim --test schedules -- --nocapture"
        );
    }
    assert!(failures.is_empty(), "{} of {count} schedules failed", failures.len());
}

#[test]
fn a_schedule_has_one_trace() {
    assert_eq!(trace_of(3), trace_of(3));
    assert_ne!(trace_of(3), trace_of(4));
}

#[test]
fn the_schedules_of_the_gate_have_every_operator_and_every_type() {
    let (mut operators, mut types) = (BTreeSet::new(), BTreeSet::new());
    for seed in 1..=SCHEDULES {
        let random = Random::new(seed);
        operators.extend(random.program().derivations.iter().map(|made| format!("{:?}", Shape::of(&made.spec))));
        types.extend(random.program().vars.iter().filter_map(|var| Some(var.ty()?.name())));
    }
    assert_eq!((operators.len(), types.len()), (13, 24), "{operators:?} {types:?}");
}

/// How many schedules a mistake may go unnoticed.
const NOTICED_WITHIN: u64 = 60;

#[test]
fn what_a_wrong_oracle_says_is_noticed() {
    let mut unnoticed = vec![Mistake::FiltersAreOpen, Mistake::IntersectionsAreUnions, Mistake::CountsAreOff];
    for seed in 1..=NOTICED_WITHIN {
        let mut schedule = Schedule::new(seed);
        schedule.disturb();
        schedule.calm();
        schedule.settle().expect("all is well so far");
        unnoticed.retain(|&mistake| {
            schedule.random.mistake(mistake);
            schedule.check().is_ok()
        });
        if unnoticed.is_empty() {
            return;
        }
    }
    panic!("not noticed: {unnoticed:?}");
}

fn trace_of(seed: u64) -> u64 {
    let mut schedule = Schedule::new(seed);
    schedule.disturb();
    schedule.cluster.sim.trace_hash()
}

fn run(seed: u64) -> Result<(), String> {
    let mut schedule = Schedule::new(seed);
    schedule.disturb();
    schedule.calm();
    schedule.settle().map_err(|error| format!("{:?}: {error}\n{}", Ways::of(seed), schedule.random.program()))
}

/// Most nodes whose derivations go into the replicated set.
const PUBLISHERS: usize = 2;

struct Schedule {
    cluster: Cluster,
    record: Record,
    random: Random,
    rng: Rng,
    /// Whether nodes crash.
    crashes: bool,
}

impl Schedule {
    /// A cluster of 5 to 40 nodes with its network, all started.
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let nodes = 5 + rng.index(36);
        let network = lasp_sim::Config {
            loss: rng.unit() * 0.3,
            duplicate: rng.unit() * 0.2,
            reorder: rng.unit() * 0.2,
            ..lasp_sim::Config::seeded(seed)
        };
        let cluster = Cluster::new(network, Ways::of(seed));
        let crashes = rng.chance(0.7);
        let mut schedule = Self { cluster, record: Record::default(), random: Random::new(seed), rng, crashes };
        for _ in 0..nodes {
            let node = schedule.cluster.start();
            schedule.install(node);
            let pause = schedule.rng.duration(Duration::ZERO, Duration::from_millis(100));
            schedule.cluster.run(pause);
        }
        schedule
    }

    fn install(&mut self, node: usize) {
        record::install(&mut self.cluster, node, node < PUBLISHERS);
        self.random.install(&mut self.cluster, node, &record::VARIABLES);
    }

    /// Updates and faults, interleaved, for some twenty seconds.
    fn disturb(&mut self) {
        for _ in 0..40 + self.rng.index(40) {
            match self.rng.below(20) {
                0 => self.partition(),
                1 => self.cluster.sim.heal(),
                2 => self.crash(),
                3 => self.restart(),
                _ => {
                    let up = self.cluster.up();
                    let node = up[self.rng.index(up.len())];
                    self.record.act(&mut self.cluster, node, &mut self.rng);
                    self.random.act(&mut self.cluster, up[self.rng.index(up.len())]);
                }
            }
            let pause = self.rng.duration(Duration::ZERO, Duration::from_millis(600));
            self.cluster.run(pause);
            self.check_digests();
        }
    }

    /// Nodes whose fingerprints are equal hold the same. Two stores that are not made for each other have the same one by
    /// a chance of 2^-64.
    fn check_digests(&self) {
        let mut known: BTreeMap<u64, usize> = BTreeMap::new();
        for node in self.cluster.up() {
            match known.entry(self.cluster.node(node).fingerprint()) {
                Entry::Vacant(entry) => _ = entry.insert(node),
                Entry::Occupied(entry) => {
                    let (here, there) = (self.cluster.replicated(node), self.cluster.replicated(*entry.get()));
                    assert!(here == there, "nodes {node} and {} differ and do not know", entry.get());
                }
            }
        }
    }

    fn partition(&mut self) {
        let mut ids: Vec<PeerId> = self.cluster.up().iter().map(|&i| self.cluster.lives[i].contact.id).collect();
        self.rng.shuffle(&mut ids);
        let cut = 1 + self.rng.index(ids.len() - 1);
        let other = ids.split_off(cut);
        self.cluster.sim.partition(&[ids, other]);
    }

    /// Never below three nodes.
    fn crash(&mut self) {
        let up = self.cluster.up();
        if up.len() <= 3 || !self.crashes {
            return;
        }
        let node = up[self.rng.index(up.len())];
        self.random.loses();
        self.record.witness(&self.cluster, node);
        self.cluster.crash(node);
    }

    fn restart(&mut self) {
        let down: Vec<usize> = (0..self.cluster.lives.len()).filter(|&i| !self.cluster.lives[i].up).collect();
        let Some(&node) = self.rng.choose(&down) else { return };
        let up = self.cluster.up();
        let through = up[self.rng.index(up.len())];
        let moved = self.rng.chance(0.5);
        self.cluster.restart(node, moved, through);
        self.install(node);
    }

    /// The faults stop: partitions heal, the network is sound, everybody is up.
    fn calm(&mut self) {
        self.cluster.sim.heal();
        while self.cluster.up().len() < self.cluster.lives.len() {
            self.restart();
        }
        let network = self.cluster.sim.config_mut();
        (network.loss, network.duplicate, network.reorder) = (0.0, 0.0, 0.0);
        for node in self.cluster.up() {
            self.random.read_all(&mut self.cluster, node);
        }
    }

    /// Waits for everything to hold at once, and says what does not if it never does.
    fn settle(&mut self) -> Result<(), String> {
        let deadline = self.cluster.sim.now() + PATIENCE;
        loop {
            self.cluster.run(Duration::from_millis(500));
            match self.check() {
                Ok(()) => return Ok(()),
                Err(error) if self.cluster.sim.now() >= deadline => return Err(error),
                Err(_) => {}
            }
        }
    }

    fn check(&self) -> Result<(), String> {
        let up = self.cluster.up();
        self.check_overlay()?;
        for input in record::INPUTS {
            let first = self.cluster.state(up[0], input);
            if let Some(node) = up.iter().find(|&&node| self.cluster.state(node, input) != first) {
                return Err(format!("{input} differs between nodes {} and {node}", up[0]));
            }
        }
        self.check_fingerprints(&up)?;
        for &node in &up {
            self.record.check_nothing_lost(&self.cluster, node)?;
            record::check_denotation(&self.cluster, &self.record, node)?;
            if !self.cluster.ways.rests(node) {
                continue;
            }
            if !self.cluster.node(node).is_quiescent() || self.cluster.node(node).waiting() > 0 {
                return Err(format!("node {node} still holds something back"));
            }
        }
        self.random.check(&self.cluster, &up)
    }

    /// Nodes that hear everything agree by one number.
    fn check_fingerprints(&self, up: &[usize]) -> Result<(), String> {
        let fingerprint = |node: usize| self.cluster.node(node).fingerprint();
        let mut hearing = up.iter().filter(|&&node| self.random.hears_everything(node));
        let Some(first) = hearing.next() else { return Ok(()) };
        match hearing.find(|&&node| fingerprint(node) != fingerprint(*first)) {
            Some(node) => Err(format!("nodes {first} and {node} have unequal fingerprints over equal inputs")),
            None => Ok(()),
        }
    }

    /// One component, every link known at both ends, nobody alone.
    fn check_overlay(&self) -> Result<(), String> {
        let overlay = self.cluster.overlay();
        for (node, neighbours) in &overlay {
            if neighbours.is_empty() {
                return Err(format!("node {node} is isolated"));
            }
            if let Some(other) = neighbours.iter().find(|&other| !overlay[other].contains(node)) {
                return Err(format!("the link from {node} to {other} has one end only"));
            }
        }
        let mut reached = BTreeSet::new();
        let mut frontier: Vec<usize> = overlay.keys().copied().take(1).collect();
        while let Some(node) = frontier.pop() {
            if reached.insert(node) {
                frontier.extend(&overlay[&node]);
            }
        }
        if reached.len() < overlay.len() {
            return Err(format!("{} of {} nodes are cut off", overlay.len() - reached.len(), overlay.len()));
        }
        Ok(())
    }
}
