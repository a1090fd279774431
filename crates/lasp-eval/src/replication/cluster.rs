//! Whole nodes on a fixed topology, in virtual time, under a steady load; and what they spend on it.
//!
//! Each node begins at a random moment of the first interval and makes one event per interval from another on, so that
//! nothing happens in lockstep; nothing else is random. What follows is counted from the first event until everybody has
//! everything, which is asked every two seconds, as the published runs did.

use super::bench::Bench;
use super::outcome::Outcome;
use super::topology::Topology;
use super::way::Way;
use crate::lab::metered::address;
use crate::lab::seeds::Pace;
use crate::ledger::Ledger;
use crate::usage::thread_cpu;
use lasp_crdt::fingerprint;
use lasp_dataflow::{Op, State, Type, VarId};
use lasp_node::{Node, Request};
use lasp_overlay::membership::{MembershipConfig, list};
use lasp_overlay::{Rng, Time};
use lasp_sim::Latency;
use std::time::Duration;

/// One way of every message: constant, since nothing here is about the network. A guess: one data centre.
const LATENCY: Duration = Duration::from_millis(1);

/// How long links get to come up, after the last node has begun.
const LINKING: Duration = Duration::from_secs(2);

/// Between two looks whether all has arrived, as in the published runs.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// After how many looks a run is given up.
const LOOKS: u32 = 60;

/// The variable that is written once, before the load, so that a tree forms.
const WARM_UP: &str = "warm-up";

/// How a cluster is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// How many nodes.
    pub nodes: usize,
    /// Over which links.
    pub topology: Topology,
    /// How state travels.
    pub way: Way,
    /// Between two exchanges with a neighbour, and two events of a node.
    pub interval: Duration,
    /// How many events each node makes.
    pub events: usize,
    /// How long a tree has to form before the load, where there is one; at none, it forms under the load.
    pub warm_up: Duration,
    /// From which all random choices follow.
    pub seed: u64,
}

/// The nodes.
#[derive(Debug)]
pub struct Cluster {
    bench: Bench,
    setup: Setup,
    updates: u64,
}

impl Cluster {
    /// Starts the nodes, links them, and lets a tree form.
    fn start(setup: Setup, rng: &mut Rng) -> Self {
        let mut bench = Bench::new(Latency::Constant(LATENCY), setup.seed);
        let links = setup.topology.links(setup.nodes);
        let mut order: Vec<(Duration, usize)> =
            (0..setup.nodes).map(|node| (rng.duration(Duration::ZERO, setup.interval), node)).collect();
        order.sort_unstable();
        for (at, node) in order {
            bench.simulator.run_until(Time::ZERO + at);
            let peers = links.iter().filter(|(from, _)| *from == node).map(|(_, to)| address(*to)).collect();
            let mut config = lasp_node::Config {
                membership: MembershipConfig::Static(list::Config { peers, ..list::Config::default() }),
                ..lasp_node::Config::default()
            };
            setup.way.tune(setup.interval, &mut config);
            bench.spawn(node, config, rng);
        }
        bench.simulator.run_for(LINKING);
        let mut cluster = Self { bench, setup, updates: 0 };
        if cluster.setup.way.has_tree() && !cluster.setup.warm_up.is_zero() {
            cluster.update(0, WARM_UP, &Type::GCounter, Op::Increment(1));
            cluster.bench.simulator.run_for(cluster.setup.warm_up);
        }
        cluster.bench.simulator.drain_events();
        cluster.updates = 0;
        cluster
    }

    /// The time.
    pub fn now(&self) -> Time {
        self.bench.simulator.now()
    }

    /// Has a node apply an operation to a variable, now.
    pub fn update(&mut self, node: usize, name: &str, ty: &Type, op: Op) {
        self.updates += u64::from(self.bench.update(node, name, ty, op));
    }

    /// Has a node read a variable, now.
    pub fn read(&mut self, node: usize, name: &str) {
        if let Some(var) = self.bench.node(node).graph().lookup(name) {
            self.bench.request(node, Request::Query(var));
        }
    }

    /// What a variable holds at a node.
    pub fn state(&self, node: usize, name: &str) -> Option<&State> {
        let graph = self.bench.node(node).graph();
        graph.state(graph.lookup(name)?)
    }

    /// Entries that a node keeps, mean over nodes.
    fn memory(&self) -> f64 {
        let kept = |node: &Node| {
            let graph = node.graph();
            let states = graph.vars().filter(|(_, info)| info.name.as_str() != WARM_UP);
            let held: usize = states.filter_map(|(var, _)| graph.state(var)).map(State::entries).sum();
            held + node.buffered_entries()
        };
        self.bench.simulator.peers().map(|(_, node)| kept(node) as f64).sum::<f64>() / self.setup.nodes as f64
    }

    /// Whether all nodes hold the same.
    fn agrees(&self) -> bool {
        self.bench.agreeing() == self.setup.nodes
    }

    /// What the variables hold, as one number that does not tell when it was written.
    fn value(&self) -> u64 {
        let graph = self.bench.node(0).graph();
        let of = |(var, info): (VarId, &lasp_dataflow::VarInfo)| {
            (info.name.as_str() != WARM_UP).then(|| {
                let text = format!("{} {:?}", info.name.as_str(), graph.peek(var));
                fingerprint::hash(text.as_bytes())
            })
        };
        graph.vars().filter_map(of).fold(0, u64::wrapping_add)
    }
}

/// What is seen of the nodes, and what seeing it took: that is no part of what they spend.
struct Looks {
    ledger: Ledger,
    cpu: Duration,
}

impl Looks {
    fn look(&mut self, bench: &Bench) {
        let before = thread_cpu();
        bench.note(&mut self.ledger);
        self.cpu += before.zip(thread_cpu()).map_or(Duration::ZERO, |(before, after)| after - before);
    }
}

/// Runs a load: `act` makes event number `event` of a node.
pub fn run(setup: &Setup, pace: &Pace<'_>, mut act: impl FnMut(&mut Cluster, usize, usize)) -> Outcome {
    let Setup { nodes, interval, events, .. } = *setup;
    let mut rng = Rng::new(setup.seed);
    let mut cluster = Cluster::start(setup.clone(), &mut rng);
    let mut phases: Vec<(Duration, usize)> =
        (0..nodes).map(|node| (rng.duration(Duration::ZERO, interval), node)).collect();
    phases.sort_unstable();
    let mut looks = Looks { ledger: cluster.bench.open(interval), cpu: Duration::ZERO };
    let (before, start, cpu) = (cluster.bench.sent(), cluster.now(), thread_cpu());
    let (mut series, mut memory, mut last) = (Vec::new(), Vec::new(), before);
    let mut round_over = |cluster: &mut Cluster| {
        looks.look(&cluster.bench);
        let counted = cluster.bench.sent();
        series.push((counted.bytes - last.bytes) as f64);
        last = counted;
        cluster.bench.simulator.drain_events();
    };
    for event in 0..events {
        let round = start + interval * event as u32;
        for &(phase, node) in &phases {
            cluster.bench.simulator.run_until(round + phase);
            act(&mut cluster, node, event);
        }
        cluster.bench.simulator.run_until(round + interval);
        round_over(&mut cluster);
        // A look costs what is kept; ten are enough for a mean.
        if (event + 1) % events.div_ceil(10) == 0 {
            memory.push(cluster.memory());
        }
        if !pace.step() {
            return Outcome::default();
        }
    }
    let mut looked = 0;
    while looked < LOOKS && (looked == 0 || !cluster.agrees()) {
        cluster.bench.simulator.run_for(LOOK_EVERY);
        round_over(&mut cluster);
        looked += 1;
    }
    let sent = cluster.bench.sent().since(before);
    let cpu = cpu.zip(thread_cpu()).map(|(before, after)| (after - before).saturating_sub(looks.cpu));
    let account = cluster.bench.close(looks.ledger, cluster.updates);
    Outcome {
        entries: sent.entries,
        bytes: sent.bytes,
        protocol_bytes: sent.bytes - sent.state,
        frames: sent.frames,
        memory: memory.iter().sum::<f64>() / memory.len().max(1) as f64,
        before: (before.entries, before.bytes),
        cpu_ms: cpu.map_or(0.0, |cpu| cpu.as_secs_f64() * 1000.0),
        seconds: (cluster.now() - start).as_secs_f64(),
        updates: cluster.updates,
        converged: cluster.agrees(),
        value: cluster.value(),
        series,
        account: Some(if setup.way.has_tree() { account } else { account.without_tree() }),
        trace_hash: cluster.bench.simulator.trace_hash(),
    }
}
