//! Whole nodes on a fixed topology, in virtual time, under a steady load; and what they spend on it.
//!
//! Each node begins at a random moment of the first interval and makes one event per interval from another on, so that
//! nothing happens in lockstep; nothing else is random. What follows is counted from the first event until everybody has
//! everything, which is asked every two seconds, as the published runs did.

use super::outcome::Outcome;
use super::topology::Topology;
use super::way::Way;
use crate::lab::metered::{address, contact};
use crate::lab::seeds::Pace;
use crate::usage::thread_cpu;
use lasp_crdt::fingerprint;
use lasp_dataflow::{Name, Op, State, Type, VarId};
use lasp_node::{Class, Command, Node, Request, RequestId};
use lasp_overlay::membership::{MembershipConfig, list};
use lasp_overlay::{PeerId, Rng, Time};
use lasp_sim::{Latency, Simulator};
use std::time::Duration;

/// One way of every message: constant, since nothing here is about the network. A guess: one data centre.
const LATENCY: Duration = Duration::from_millis(1);

/// How long links get to come up, after the last node has begun.
const LINKING: Duration = Duration::from_secs(2);

/// Between two looks whether all has arrived, as in the published runs.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// After how many looks a run is given up.
const LOOKS: u32 = 60;

/// The wall clock at the start, which stamps of registers are as long as: November 2026.
const WALL_MS: u64 = 1_790_000_000_000;

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

/// What has been counted so far, all nodes together.
#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    entries: u64,
    bytes: u64,
    state: u64,
    frames: u64,
}

/// The nodes.
#[derive(Debug)]
pub struct Cluster {
    simulator: Simulator<Node>,
    setup: Setup,
    requests: u64,
    updates: u64,
}

impl Cluster {
    /// Starts the nodes, links them, and lets a tree form.
    fn start(setup: Setup, rng: &mut Rng) -> Self {
        let mut simulator = Simulator::new(lasp_sim::Config {
            latency: Latency::Constant(LATENCY),
            ..lasp_sim::Config::seeded(setup.seed)
        });
        let links = setup.topology.links(setup.nodes);
        let mut order: Vec<(Duration, usize)> =
            (0..setup.nodes).map(|node| (rng.duration(Duration::ZERO, setup.interval), node)).collect();
        order.sort_unstable();
        for (at, node) in order {
            simulator.run_until(Time::ZERO + at);
            let peers = links.iter().filter(|(from, _)| *from == node).map(|(_, to)| address(*to)).collect();
            let mut config = lasp_node::Config {
                membership: MembershipConfig::Static(list::Config { peers, ..list::Config::default() }),
                wall_epoch_ms: WALL_MS,
                ..lasp_node::Config::default()
            };
            setup.way.tune(setup.interval, &mut config);
            simulator.spawn(contact(node), Node::new(config, contact(node), rng.next_u64()));
        }
        simulator.run_for(LINKING);
        let mut cluster = Self { simulator, setup, requests: 0, updates: 0 };
        if cluster.setup.way.has_tree() && !cluster.setup.warm_up.is_zero() {
            cluster.update(0, WARM_UP, &Type::GCounter, Op::Increment(1));
            cluster.simulator.run_for(cluster.setup.warm_up);
        }
        cluster.simulator.drain_events();
        cluster.updates = 0;
        cluster
    }

    /// The time.
    pub fn now(&self) -> Time {
        self.simulator.now()
    }

    /// Has a node ask itself something, now.
    fn request(&mut self, node: usize, request: Request) {
        self.requests += 1;
        let id = RequestId(self.requests);
        self.simulator.command(PeerId(node as u64), Command::Request { id, request });
    }

    /// The variable of this name at a node, which is declared there if need be.
    fn var(&mut self, node: usize, name: &str, ty: &Type) -> Option<VarId> {
        if let Some(var) = self.node(node).graph().lookup(name) {
            return Some(var);
        }
        let name = Name::new(name.to_owned()).ok()?;
        self.request(node, Request::Declare { name: Some(name.clone()), ty: ty.clone(), local: false });
        self.node(node).graph().lookup(name.as_str())
    }

    /// Has a node apply an operation to a variable, now.
    pub fn update(&mut self, node: usize, name: &str, ty: &Type, op: Op) {
        if let Some(var) = self.var(node, name, ty) {
            self.updates += 1;
            self.request(node, Request::Update { var, op });
        }
    }

    /// Has a node read a variable, now.
    pub fn read(&mut self, node: usize, name: &str) {
        if let Some(var) = self.node(node).graph().lookup(name) {
            self.request(node, Request::Query(var));
        }
    }

    /// What a variable holds at a node.
    pub fn state(&self, node: usize, name: &str) -> Option<&State> {
        let graph = self.node(node).graph();
        graph.state(graph.lookup(name)?)
    }

    fn node(&self, node: usize) -> &Node {
        self.simulator.peer(PeerId(node as u64)).expect("nodes of a cluster do not stop")
    }

    fn counted(&self) -> Counters {
        self.simulator.peers().fold(Counters::default(), |sum, (_, node)| {
            let metrics = node.metrics();
            Counters {
                entries: sum.entries + metrics.entries_sent,
                bytes: sum.bytes + metrics.total_sent(),
                state: sum.state + metrics.sent(Class::State),
                frames: sum.frames + metrics.frames_sent,
            }
        })
    }

    /// Entries that a node keeps, mean over nodes.
    fn memory(&self) -> f64 {
        let kept = |node: &Node| {
            let graph = node.graph();
            let states = graph.vars().filter(|(_, info)| info.name.as_str() != WARM_UP);
            let held: usize = states.filter_map(|(var, _)| graph.state(var)).map(State::entries).sum();
            held + node.buffered_entries()
        };
        self.simulator.peers().map(|(_, node)| kept(node) as f64).sum::<f64>() / self.setup.nodes as f64
    }

    /// Whether all nodes hold the same.
    fn agrees(&self) -> bool {
        let first = self.node(0).fingerprint();
        self.simulator.peers().all(|(_, node)| node.fingerprint() == first)
    }

    /// What the variables hold, as one number that does not tell when it was written.
    fn value(&self) -> u64 {
        let graph = self.node(0).graph();
        let of = |(var, info): (VarId, &lasp_dataflow::VarInfo)| {
            (info.name.as_str() != WARM_UP).then(|| {
                let text = format!("{} {:?}", info.name.as_str(), graph.peek(var));
                fingerprint::hash(text.as_bytes())
            })
        };
        graph.vars().filter_map(of).fold(0, u64::wrapping_add)
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
    let (before, start, cpu) = (cluster.counted(), cluster.now(), thread_cpu());
    let (mut series, mut memory, mut last) = (Vec::new(), Vec::new(), before);
    let mut round_over = |cluster: &mut Cluster| {
        let counted = cluster.counted();
        series.push((counted.bytes - last.bytes) as f64);
        last = counted;
        cluster.simulator.drain_events();
    };
    for event in 0..events {
        let round = start + interval * event as u32;
        for &(phase, node) in &phases {
            cluster.simulator.run_until(round + phase);
            act(&mut cluster, node, event);
        }
        cluster.simulator.run_until(round + interval);
        round_over(&mut cluster);
        // A look costs what is kept; ten are enough for a mean.
        if (event + 1) % events.div_ceil(10) == 0 {
            memory.push(cluster.memory());
        }
        if !pace.step() {
            return Outcome::default();
        }
    }
    let mut looks = 0;
    while looks < LOOKS && (looks == 0 || !cluster.agrees()) {
        cluster.simulator.run_for(LOOK_EVERY);
        round_over(&mut cluster);
        looks += 1;
    }
    let after = cluster.counted();
    Outcome {
        entries: after.entries - before.entries,
        bytes: after.bytes - before.bytes,
        protocol_bytes: (after.bytes - before.bytes) - (after.state - before.state),
        frames: after.frames - before.frames,
        memory: memory.iter().sum::<f64>() / memory.len().max(1) as f64,
        before: (before.entries, before.bytes),
        cpu_ms: cpu.zip(thread_cpu()).map_or(0.0, |(before, after)| (after - before).as_secs_f64() * 1000.0),
        seconds: (cluster.now() - start).as_secs_f64(),
        updates: cluster.updates,
        converged: cluster.agrees(),
        value: cluster.value(),
        series,
        trace_hash: cluster.simulator.trace_hash(),
    }
}
