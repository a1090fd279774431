//! A cluster is cut in two, both halves write, and the network is mended: how long until all hold everything, and what that
//! costs for how much differed.
//!
//! Whole nodes over HyParView, in virtual time. Every other node is on the other side, so half of each node's links are cut.
//! Rounds are intervals of comparisons from the moment on at which some link between the halves is up again: when the overlay
//! meets is for membership to say.

pub mod figures;
pub mod options;

use super::bench::{Bench, Sent};
use crate::config::Config;
use crate::lab::metered::{address, contact};
use crate::lab::seeds::{Pace, concluded, each, seeds};
use crate::ledger::{Account, Accounts};
use crate::plot::Chart;
use crate::progress::Observer;
use crate::run::Context;
use crate::summary::Summary;
use lasp_dataflow::{Op, Type, Value};
use lasp_node::{Command, SyncConfig};
use lasp_overlay::{PeerId, Rng};
use lasp_sim::Latency;
use options::Heal;
use std::time::Duration;

/// One way of every message: uniform. A guess: one region.
const LATENCY: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(10)];

/// Nodes that join at a time, and the time between.
const WAVE: usize = 20;
const JOINING: Duration = Duration::from_millis(100);

/// How long the cluster is left alone before it is filled, and before it is cut.
const SETTLE: Duration = Duration::from_secs(60);

/// Elements of one update before the cut.
const BATCH: usize = 20;

/// Between two looks after the network was mended.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long it may take, in intervals of comparisons.
const PATIENCE: u32 = 30;

/// For how long what is sent afterwards is counted, to be taken off: it would be sent anyway.
const REST: Duration = Duration::from_secs(30);

/// Letters of an element.
const ELEMENT: usize = 20;

/// One run: how many updates, from which seed.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// Updates while apart.
    pub writes: usize,
    /// From which all random choices follow.
    pub seed: u64,
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// From the mending until the halves were linked, in seconds; none: they were not.
    pub met: Option<f64>,
    /// From the mending until all held everything, in seconds; none: they did not.
    pub converged: Option<f64>,
    /// Sent by all from the mending until then.
    pub sent: Sent,
    /// What all send in as long a time with nothing to do.
    pub rest: Sent,
    /// Bytes of the elements that nodes lacked, over all nodes.
    pub least: u64,
    /// Elements that are missing at some node in the end.
    pub lost: usize,
    /// Nodes that hold what the first one holds, and seconds since the mending.
    pub course: Vec<(f64, usize)>,
    /// Sent by all from the mending until then, by class and over time.
    pub account: Option<Account>,
    /// Hash of all that happened.
    pub trace_hash: u64,
}

impl Outcome {
    /// Intervals of comparisons from the meeting until all held everything.
    pub fn rounds(&self) -> Option<f64> {
        Some((self.converged? - self.met?) / SyncConfig::default().interval.as_secs_f64())
    }
}

/// A job and what it came to.
pub type Run = (Job, Outcome);

/// Runs all of it.
pub(crate) fn evaluate(
    config: &Config,
    options: &Heal,
    context: &Context<'_>,
    observer: &mut dyn Observer,
) -> (Summary, Vec<Chart>) {
    let jobs: Vec<Job> =
        options.writes.iter().flat_map(|&writes| seeds(config).map(move |seed| Job { writes, seed })).collect();
    let outcomes = each(&jobs, jobs.len() as u64, 2, config, context, observer, |job, pace| {
        (*job, run(*job, config.nodes, options, pace))
    });
    let hashes = outcomes.iter().map(|(_, outcome)| outcome.trace_hash);
    let found = (figures::results(&outcomes), figures::problems(&outcomes));
    let mut summary = concluded(config, found, [outcomes.len(), jobs.len()], hashes);
    summary.lost_updates = outcomes.iter().map(|(_, outcome)| outcome.lost as u64).sum();
    let mut charts = figures::charts(&summary, &outcomes);
    let accounts = outcomes.iter().map(|(job, outcome)| (job.writes.to_string(), &outcome.account));
    let most = options.writes.iter().max().map_or_else(String::new, usize::to_string);
    charts.extend(Accounts::of(accounts).tell(&most, &mut summary));
    (summary, charts)
}

/// The nodes, and what was written.
struct Cluster {
    bench: Bench,
    rng: Rng,
    variables: usize,
    written: usize,
}

impl Cluster {
    fn start(job: Job, nodes: usize, options: &Heal) -> Self {
        let bench = Bench::new(Latency::Uniform(LATENCY[0], LATENCY[1]), job.seed);
        let mut cluster = Self { bench, rng: Rng::new(job.seed), variables: options.variables, written: 0 };
        for node in 0..nodes {
            cluster.bench.spawn(node, lasp_node::Config::default(), &mut cluster.rng);
            if node > 0 {
                let through = address(cluster.rng.index(node.min(1 + node / WAVE * WAVE)));
                cluster.bench.simulator.command(contact(node).id, Command::Join(vec![through]));
            }
            if node % WAVE == 0 {
                cluster.rest(JOINING);
            }
        }
        cluster.rest(SETTLE);
        let mut left = options.elements;
        while left > 0 {
            let some = left.min(BATCH);
            let node = cluster.rng.index(nodes);
            cluster.write(node, some);
            cluster.rest(Duration::from_millis(5));
            left -= some;
        }
        cluster.rest(SETTLE);
        cluster
    }

    fn rest(&mut self, time: Duration) {
        self.bench.simulator.run_for(time);
        self.bench.simulator.drain_events();
    }

    /// A node adds so many new elements to some set.
    fn write(&mut self, node: usize, elements: usize) {
        let name = format!("set/{}", self.rng.index(self.variables));
        let all = self.written..self.written + elements;
        self.written += elements;
        let texts = all.map(|n| Value::from(format!("{n:0>ELEMENT$}"))).collect();
        self.bench.update(node, &name, &Type::AwSet, Op::AddAll(texts));
    }

    /// Elements that a node has.
    fn held(&self, node: usize) -> usize {
        let graph = self.bench.node(node).graph();
        let sets = (0..self.variables).filter_map(|n| graph.lookup(&format!("set/{n}")));
        sets.filter_map(|var| graph.state(var)?.cardinality()).sum()
    }

    /// Whether some node is linked with one of the other half.
    fn is_met(&self) -> bool {
        let other_half = |id: PeerId, peer: PeerId| (id.0 ^ peer.0) & 1 == 1;
        let mut peers = self.bench.simulator.peers();
        peers.any(|(id, node)| node.active_view().iter().any(|peer| other_half(id, peer.id)))
    }
}

fn run(job: Job, nodes: usize, options: &Heal, pace: &Pace<'_>) -> Outcome {
    let mut cluster = Cluster::start(job, nodes, options);
    let side = |odd: u64| (0..nodes as u64).filter(|id| id % 2 == odd).map(PeerId).collect::<Vec<_>>();
    cluster.bench.simulator.partition(&[side(0), side(1)]);
    let before = cluster.written;
    // Evenly, on both sides in turn; the last ones have spread when the network is mended.
    let every = options.apart.duration() / (job.writes as u32 + 1);
    for write in 0..job.writes {
        cluster.rest(every);
        let node = cluster.rng.index(nodes / 2) * 2 + write % 2;
        cluster.write(node, 1);
        if !pace.goes_on() {
            return Outcome::default();
        }
    }
    cluster.rest(every);
    let mut outcome = Outcome {
        // Each node lacks what the other half has written.
        least: ((cluster.written - before) * ELEMENT * nodes / 2) as u64,
        ..Outcome::default()
    };
    let (start, sent) = (cluster.bench.now(), cluster.bench.sent());
    let mut ledger = cluster.bench.open(LOOK_EVERY);
    cluster.bench.simulator.heal();
    let patience = SyncConfig::default().interval * PATIENCE;
    while outcome.converged.is_none() && cluster.bench.now() < start + patience && pace.goes_on() {
        cluster.rest(LOOK_EVERY);
        cluster.bench.note(&mut ledger);
        let since = (cluster.bench.now() - start).as_secs_f64();
        if outcome.met.is_none() && cluster.is_met() {
            outcome.met = Some(since);
        }
        let agreeing = cluster.bench.agreeing();
        outcome.course.push((since, agreeing));
        if agreeing == nodes && outcome.met.is_some() {
            outcome.converged = Some(since);
        }
    }
    outcome.sent = cluster.bench.sent().since(sent);
    outcome.account = Some(cluster.bench.close(ledger, job.writes as u64));
    outcome.lost = (0..nodes).map(|node| cluster.written - cluster.held(node)).max().unwrap_or(0);
    cluster.rest(SETTLE);
    let settled = cluster.bench.sent();
    cluster.rest(REST);
    outcome.rest = cluster.bench.sent().since(settled);
    outcome.trace_hash = cluster.bench.simulator.trace_hash();
    pace.step();
    outcome
}
