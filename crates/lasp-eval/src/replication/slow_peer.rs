//! One node reads very slowly while the others write very much: what its neighbours keep for it, and whether it has everything
//! in the end. And what a large transfer over one link does to small things behind it.
//!
//! Whole nodes in virtual time. Each link towards the slow node takes a fifth of what it reads, for it has five neighbours; the
//! network is otherwise unlimited, so everything that waits, waits for the slow one. It is slow from the start.

pub mod figures;
pub mod options;
mod transfer;

use super::bench::Bench;
use crate::config::Config;
use crate::lab::metered::{address, contact};
use crate::lab::seeds::{Pace, concluded, each, seeds};
use crate::ledger::{Account, Accounts, Ledger};
use crate::plot::Chart;
use crate::progress::Observer;
use crate::run::Context;
use crate::summary::Summary;
use lasp_dataflow::{Op, Type};
use lasp_node::Command;
use lasp_overlay::{PeerId, Rng, Time};
use lasp_sim::Latency;
use options::SlowPeer;
use std::time::Duration;
use transfer::Transfer;

/// One way of every message. A guess: one data centre.
const LATENCY: Duration = Duration::from_millis(1);

/// Between two nodes that join, and after the last one.
const JOINING: Duration = Duration::from_millis(100);
const SETTLE: Duration = Duration::from_secs(30);

/// Links of a node, about.
const LINKS: u64 = 5;

/// Between two looks at what waits.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long the slow node may take after the load, in seconds for each that it would need to read everything once.
const PATIENCE: f64 = 20.0;

/// At least.
const LEAST_PATIENCE: Duration = Duration::from_secs(3600);

/// What may wait for the slow node beyond one state, in bytes: as demanded.
const MARGIN: f64 = 1024.0 * 1024.0;

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Bytes of all variables in the end.
    pub state: usize,
    /// Most that waited at any one neighbour for the slow node, in bytes, with what was under way to it.
    pub waiting: usize,
    /// Most entries that any node but the slow one kept beside its variables.
    pub entries: usize,
    /// Links of the slow node when the load began.
    pub links: usize,
    /// From the end of the load, until all others had everything, and the slow one too; in seconds.
    pub others_seconds: f64,
    /// See above; none if it did not come to that.
    pub slow_seconds: Option<f64>,
    /// Updates made.
    pub updates: u64,
    /// What waited, in bytes, and the state by then, again and again: seconds since the load began.
    pub course: Vec<(f64, usize, usize)>,
    /// The large transfer.
    pub transfer: Transfer,
    /// Sent by all for the load, by class and over time.
    pub account: Option<Account>,
    /// Hash of all that happened.
    pub trace_hash: u64,
}

/// A seed and what its run came to.
pub type Run = (u64, Outcome);

/// Runs all of it.
pub(crate) fn evaluate(
    config: &Config,
    options: &SlowPeer,
    context: &Context<'_>,
    observer: &mut dyn Observer,
) -> (Summary, Vec<Chart>) {
    let jobs: Vec<u64> = seeds(config).collect();
    let outcomes = each(&jobs, jobs.len() as u64, 2, config, context, observer, |seed, pace| {
        (*seed, run(*seed, config.nodes, options, pace))
    });
    let hashes = outcomes.iter().map(|(_, outcome)| outcome.trace_hash);
    let found = (figures::results(&outcomes), figures::problems(&outcomes));
    let mut summary = concluded(config, found, [outcomes.len(), jobs.len()], hashes);
    let mut charts = figures::charts(&outcomes);
    let accounts = outcomes.iter().map(|(_, outcome)| (String::new(), &outcome.account));
    charts.extend(Accounts::of(accounts).tell_all(&mut summary));
    (summary, charts)
}

/// The cluster: the last node is the slow one.
struct Cluster {
    bench: Bench,
    rng: Rng,
    nodes: usize,
}

impl Cluster {
    fn start(seed: u64, nodes: usize, reads: u64) -> Self {
        let mut cluster = Self { bench: Bench::new(Latency::Constant(LATENCY), seed), rng: Rng::new(seed), nodes };
        cluster.bench.simulator.throttle(cluster.slow(), (reads / LINKS).max(1));
        for node in 0..nodes {
            cluster.bench.spawn(node, lasp_node::Config::default(), &mut cluster.rng);
            if node > 0 {
                let through = address(cluster.rng.index(node));
                cluster.bench.simulator.command(contact(node).id, Command::Join(vec![through]));
            }
            cluster.bench.simulator.run_for(JOINING);
        }
        cluster.bench.simulator.run_for(SETTLE);
        cluster.bench.simulator.drain_events();
        cluster
    }

    fn slow(&self) -> PeerId {
        PeerId(self.nodes as u64 - 1)
    }

    /// Looks at what waits for the slow node, and notes the most.
    fn look(&mut self, outcome: &mut Outcome, ledger: &mut Ledger, start: Time) {
        self.bench.note(ledger);
        let slow = self.slow();
        let others = || self.bench.simulator.peers().filter(|(id, _)| *id != slow).map(|(_, node)| node);
        let waiting = others().map(|node| node.buffered_bytes(slow)).max().unwrap_or(0);
        outcome.waiting = outcome.waiting.max(waiting);
        outcome.entries = outcome.entries.max(others().map(lasp_node::Node::buffered_entries).max().unwrap_or(0));
        outcome.state = self.bench.node(0).state_bytes();
        let at = (self.bench.now() - start).as_secs_f64();
        outcome.course.push((at, waiting, outcome.state));
        self.bench.simulator.drain_events();
    }

    /// How many nodes hold what the first one holds.
    fn agreeing(&self, slow: bool) -> bool {
        let first = self.bench.node(0).fingerprint();
        let skipped = if slow { None } else { Some(self.slow()) };
        self.bench.simulator.peers().all(|(id, node)| Some(id) == skipped || node.fingerprint() == first)
    }
}

fn run(seed: u64, nodes: usize, options: &SlowPeer, pace: &Pace<'_>) -> Outcome {
    let mut outcome = Outcome { transfer: transfer::run(seed, options.transfer), ..Outcome::default() };
    let mut cluster = Cluster::start(seed, nodes, options.reads);
    let slow = cluster.slow();
    outcome.links = cluster.bench.simulator.links(slow).len();
    let start = cluster.bench.now();
    let mut ledger = cluster.bench.open(LOOK_EVERY);
    let end = start + options.load.duration();
    let mut look = start;
    let mut made = 0;
    while cluster.bench.now() < end && pace.goes_on() {
        // Evenly, to the microsecond.
        let due = start + Duration::from_micros(made * 1_000_000 / options.rate);
        cluster.bench.simulator.run_until(due.min(end));
        if due >= end {
            break;
        }
        let (node, var) = (cluster.rng.index(nodes - 1), cluster.rng.index(options.variables));
        cluster.bench.update(node, &format!("count/{var}"), &Type::GCounter, Op::Increment(1));
        made += 1;
        if cluster.bench.now() >= look {
            look = cluster.bench.now() + LOOK_EVERY;
            cluster.look(&mut outcome, &mut ledger, start);
        }
    }
    outcome.updates = made;
    cluster.look(&mut outcome, &mut ledger, start);
    let needed = PATIENCE * outcome.state as f64 / options.reads as f64;
    let patience = Duration::from_secs_f64(needed).max(LEAST_PATIENCE);
    let mut others = None;
    while outcome.slow_seconds.is_none() && cluster.bench.now() < end + patience && pace.goes_on() {
        let since = (cluster.bench.now() - end).as_secs_f64();
        if others.is_none() && cluster.agreeing(false) {
            others = Some(since);
        }
        if others.is_some() && cluster.agreeing(true) {
            outcome.slow_seconds = Some(since);
        }
        cluster.bench.simulator.run_for(LOOK_EVERY);
        cluster.look(&mut outcome, &mut ledger, start);
    }
    outcome.account = Some(cluster.bench.close(ledger, made));
    outcome.others_seconds = others.unwrap_or(patience.as_secs_f64());
    outcome.trace_hash = cluster.bench.simulator.trace_hash();
    pace.step();
    outcome
}
