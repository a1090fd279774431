//! Hosts a run in virtual time: the simulator for the nodes, a host for each node's program.
//!
//! Everything follows from the seed: nodes are served in the order of their identities, and only those to whom something
//! has happened; clocks are virtual; nothing else draws random numbers. The same configuration gives the same trace hash and
//! the same figures.
//!
//! `watched`: a run with a page.

mod watched;

pub use watched::run_watched;

use crate::config::Config;
use crate::journal::{Clock, Journal, Logs};
use crate::progress::{Observer, Progress, Stop, divergence_percent};
use crate::record::{NodeRecord, Probe, Sample};
use crate::replay::{MOST_NODES, Replay, Seen};
use crate::run::Evidence;
use crate::scenario::{self, Member, cast};
use crate::summary::{Memory, Outside};
use crate::usage::usage;
use crate::watch::{self, Look, Moment};
use lasp::host::{Host, HostConfig};
use lasp::{Lasp, Stop as Ended};
use lasp_crdt::fingerprint::mix;
use lasp_node::{Command, Node};
use lasp_overlay::membership::MembershipConfig;
use lasp_overlay::membership::client_server::Role;
use lasp_overlay::{Addr, Contact, PeerId, Rng, Time};
use lasp_sim::{Route, Simulator, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Nodes start one after the other, so long apart at most, and all of them within [`ALL_STARTED`].
const START_SPACING: Duration = Duration::from_millis(50);

/// By when the last node has started.
const ALL_STARTED: Duration = Duration::from_secs(1);

/// How long a crashed client stays away.
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// How long a node that leaves keeps its links, for what is under way.
const LEAVE_WITHIN: Duration = Duration::from_millis(500);

/// How often crashes are drawn.
const CHURN_EVERY: Duration = Duration::from_millis(100);

/// Runs a configuration in virtual time.
pub fn run(config: &Config, stop: &Stop, observer: &mut dyn Observer) -> Evidence {
    measured(config, || {
        let mut world = World::new(config);
        let deadline = world.deadline();
        let problems = world.run_until(deadline, stop, observer).unwrap_or_default();
        world.evidence(problems)
    })
}

/// Notes what a run costs beside what it came to.
fn measured(config: &Config, run: impl FnOnce() -> Evidence) -> Evidence {
    let wall = Instant::now();
    let before = usage();
    let mut evidence = run();
    evidence.outside.wall_seconds = wall.elapsed().as_secs_f64();
    if let (Some(before), Some(after)) = (before, usage()) {
        let each = after.rss_bytes as f64 / config.nodes as f64;
        evidence.outside.rss_bytes = Some(Memory { mean: each, max: each });
        evidence.outside.cpu_seconds = Some((after.cpu_ms - before.cpu_ms) as f64 / 1000.0);
    }
    evidence
}

/// One life of one node.
struct Life {
    index: usize,
    incarnation: u64,
    host: Host,
    journal: Journal,
}

/// Something that the hosting does at a time of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Errand {
    Start { index: usize, incarnation: u64 },
    Remove(PeerId),
    Sample,
    Churn,
}

struct World {
    config: Arc<Config>,
    simulator: Simulator<Node>,
    lives: BTreeMap<PeerId, Life>,
    past: Vec<NodeRecord>,
    errands: BTreeSet<(Time, Errand)>,
    touched: BTreeSet<PeerId>,
    samples: Vec<Sample>,
    moments: Vec<Moment>,
    replay: Replay,
    /// How often nodes were sampled.
    ticks: u64,
    done: usize,
    rng: Rng,
    progress: Progress,
}

/// Records are taken from the journals; nothing needs to be pushed anywhere.
#[derive(Debug)]
struct Kept;

impl Logs for Kept {
    fn push(&self, _: &NodeRecord) {}
}

impl World {
    fn new(config: &Config) -> Self {
        let mut network = lasp_sim::Config::seeded(config.seed);
        network.loss = config.loss;
        let mut simulator = Simulator::new(network);
        if config.partition_probability > 0.0 {
            simulator.add_rule(partitions(config.seed, config.partition_probability));
        }
        let spacing = START_SPACING.min(ALL_STARTED / config.nodes as u32);
        let start = |index: usize| (Time::ZERO + spacing * index as u32, Errand::Start { index, incarnation: 1 });
        let mut errands: BTreeSet<_> = (0..config.nodes).map(start).collect();
        errands.insert((Time::ZERO + config.sample_interval.duration(), Errand::Sample));
        if config.churn > 0.0 {
            errands.insert((Time::ZERO + CHURN_EVERY, Errand::Churn));
        }
        Self {
            config: Arc::new(config.clone()),
            simulator,
            lives: BTreeMap::new(),
            past: Vec::new(),
            errands,
            touched: BTreeSet::new(),
            samples: Vec::new(),
            moments: Vec::new(),
            replay: Replay::default(),
            ticks: 0,
            done: 0,
            rng: Rng::new(mix(config.seed, 0x6c69_7665)),
            progress: Progress { nodes: config.nodes, ..Progress::default() },
        }
    }

    /// When the run is given up.
    fn deadline(&self) -> Time {
        Time::ZERO + self.config.duration.duration()
    }

    /// Lets time pass up to `limit`; if the run ends by then, what stands against the outcome.
    fn run_until(&mut self, limit: Time, stop: &Stop, observer: &mut dyn Observer) -> Option<Vec<String>> {
        let deadline = self.deadline();
        while self.done < self.config.nodes {
            let next = self.errands.first().map_or(deadline, |(time, _)| *time).min(deadline);
            if self.advance(next.min(limit)) {
                continue;
            }
            if next > limit {
                return None;
            }
            if next >= deadline {
                return Some(vec![format!("given up after {}", self.config.duration)]);
            }
            if stop.is_set() {
                return Some(vec!["interrupted".to_owned()]);
            }
            if let Some((_, errand)) = self.errands.pop_first() {
                self.run_errand(errand, observer);
            }
        }
        self.sample();
        Some(Vec::new())
    }

    /// What the run came to.
    fn evidence(&mut self, problems: Vec<String>) -> Evidence {
        let outside = Outside {
            trace_hash: Some(self.simulator.trace_hash()),
            problems,
            moments: std::mem::take(&mut self.moments),
            ..Outside::default()
        };
        let (samples, replay) = (std::mem::take(&mut self.samples), std::mem::take(&mut self.replay));
        Evidence { records: self.records(), samples, outside, replay }
    }

    /// Processes the next event up to and including `until`, and serves whom it concerns; `false` if there is none.
    fn advance(&mut self, until: Time) -> bool {
        let mut fresh = true;
        let happened = self.simulator.run_while(until, |_| std::mem::take(&mut fresh));
        self.serve();
        happened
    }

    /// Hands out what nodes emitted, and serves the programs until none has anything to do.
    fn serve(&mut self) {
        self.hand_out();
        while let Some(peer) = self.touched.pop_first() {
            self.serve_one(peer);
        }
    }

    fn hand_out(&mut self) {
        for (_, peer, event) in self.simulator.drain_events() {
            if let Some(life) = self.lives.get_mut(&peer) {
                life.host.event(event);
                self.touched.insert(peer);
            }
        }
    }

    fn serve_one(&mut self, peer: PeerId) {
        let mut commands = Vec::new();
        loop {
            let now = self.simulator.now();
            let Some(life) = self.lives.get_mut(&peer) else { return };
            let Some(node) = self.simulator.peer(peer) else { return };
            life.host.set_now(now);
            let ran = life.host.run_tasks();
            let asked = life.host.commands(node, &mut commands);
            let stopping = life.host.is_stopping();
            for command in commands.drain(..) {
                self.simulator.command(peer, command);
            }
            self.hand_out();
            if stopping {
                self.errands.insert((now + LEAVE_WITHIN, Errand::Remove(peer)));
                self.retire(peer);
                return;
            }
            if !ran && !asked {
                return;
            }
        }
    }

    fn run_errand(&mut self, errand: Errand, observer: &mut dyn Observer) {
        match errand {
            Errand::Start { index, incarnation } => drop(self.start(index, incarnation)),
            Errand::Remove(peer) => {
                self.simulator.crash(peer);
            }
            Errand::Sample => {
                self.sample();
                self.errands.insert((self.simulator.now() + self.config.sample_interval.duration(), Errand::Sample));
                observer.progress(&self.progress);
            }
            Errand::Churn => {
                self.churn();
                self.errands.insert((self.simulator.now() + CHURN_EVERY, Errand::Churn));
            }
        }
        self.serve();
    }

    /// Begins a life: a node, a host, a program. The node runs until its program and whoever keeps the handle are done.
    fn start(&mut self, index: usize, incarnation: u64) -> Lasp {
        let peer = PeerId(index as u64 + 1);
        let contact = Contact { id: peer, incarnation, addr: address(index) };
        let seed = mix(self.config.seed, mix(index as u64, incarnation));
        self.simulator.spawn(contact.clone(), Node::new(node_config(&self.config, index), contact, seed));
        let (host, lasp) = Host::new(HostConfig::default());
        let (name, role) = cast(index);
        let clock: Clock = {
            let lasp = lasp.clone();
            Arc::new(move || lasp.now().as_micros())
        };
        host.set_now(self.simulator.now());
        let journal = Journal::new(&name, role, clock, Arc::new(Kept));
        let member = Member {
            lasp: lasp.clone(),
            journal: journal.clone(),
            config: Arc::clone(&self.config),
            index,
            incarnation,
        };
        lasp.spawn(member.perform());
        self.lives.insert(peer, Life { index, incarnation, host, journal });
        if index > 0 {
            self.simulator.command(peer, Command::Join(vec![address(0)]));
        }
        self.touched.insert(peer);
        lasp
    }

    /// So many crashes are to be expected per client and minute from now on.
    fn set_churn(&mut self, churn: f64) {
        self.config = Arc::new(Config { churn, ..(*self.config).clone() });
    }

    /// Ends a life that has come to its own end.
    fn retire(&mut self, peer: PeerId) {
        let Some(life) = self.lives.remove(&peer) else { return };
        let mut record = life.journal.snapshot();
        if !record.completed
            && let Some(node) = self.simulator.peer(peer)
        {
            record.probe = Probe::of(node);
        }
        self.past.push(record);
        self.done += 1;
        life.host.stop(Ended::Shutdown);
    }

    /// Crashes each client that still has work with the configured chance.
    fn churn(&mut self) {
        let chance = self.config.churn * CHURN_EVERY.as_secs_f64() / 60.0;
        let working = |life: &Life| life.index > 0 && life.journal.with(|record| record.saw_end_us.is_none());
        let working: Vec<PeerId> = self.lives.iter().filter(|(_, life)| working(life)).map(|(peer, _)| *peer).collect();
        for peer in working {
            if self.rng.chance(chance) {
                self.crash(peer);
            }
        }
    }

    fn crash(&mut self, peer: PeerId) {
        let Some(node) = self.simulator.crash(peer) else { return };
        let Some(life) = self.lives.remove(&peer) else { return };
        let mut record = life.journal.snapshot();
        record.probe = Probe::of(&node);
        self.past.push(record);
        let again = Errand::Start { index: life.index, incarnation: life.incarnation + 1 };
        self.errands.insert((self.simulator.now() + RESTART_AFTER, again));
    }

    /// Looks at every node.
    fn sample(&mut self) {
        let now = self.simulator.now().as_micros();
        for (peer, life) in &self.lives {
            let Some(node) = self.simulator.peer(*peer) else { continue };
            self.samples.push(life.journal.with(|record| Sample::of(record, now, &Probe::of(node), None)));
        }
        self.ticks += 1;
        if watch::takes(self.ticks) {
            let up = self.lives.keys().filter_map(|peer| self.simulator.peer(*peer));
            self.moments.push(Moment::of(now, &up.map(Look::of).collect::<Vec<_>>()));
            if self.config.nodes <= MOST_NODES {
                let seen = self.simulator.peers().map(|(_, node)| Seen::of(node));
                self.replay.look(now / 1000, seen);
            }
        }
        self.note_progress();
    }

    fn note_progress(&mut self) {
        let (what, expected) = scenario::expectation(&self.config);
        let numbers = |life: &Life| life.journal.with(|record| (record.own(), record.observed() as f64));
        let (own, observed): (Vec<u64>, Vec<f64>) = self.lives.values().map(numbers).unzip();
        let counted = own.iter().sum::<u64>() + self.past.iter().map(NodeRecord::own).sum::<u64>();
        self.progress = Progress {
            seconds: self.simulator.now().as_secs_f64(),
            up: self.lives.len(),
            what,
            counted,
            expected,
            divergence_percent: divergence_percent(counted, &observed),
            bytes: self.simulator.stats().bytes_sent,
            ..self.progress.clone()
        };
    }

    /// Every life's record.
    fn records(&self) -> Vec<NodeRecord> {
        let alive = self.lives.iter().map(|(peer, life)| {
            let mut record = life.journal.snapshot();
            if let Some(node) = self.simulator.peer(*peer)
                && record.ended_us.is_none()
            {
                record.probe = Probe::of(node);
            }
            record
        });
        let mut records: Vec<NodeRecord> = self.past.iter().cloned().chain(alive).collect();
        records.sort_by_key(|record| (record.probe.peer, record.probe.incarnation));
        records
    }
}

/// Where node `index` listens.
fn address(index: usize) -> Addr {
    Addr::new(&format!("node-{index}")).expect("a short text is an address")
}

/// The settings of node `index`, which is a server if it is the first.
fn node_config(config: &Config, index: usize) -> lasp_node::Config {
    let mut membership = MembershipConfig::named(config.membership.name()).unwrap_or_default();
    if let MembershipConfig::ClientServer(ours) = &mut membership {
        ours.role = if index == 0 { Role::Server } else { Role::Client };
    }
    let mut node = lasp_node::Config { membership, ..lasp_node::Config::default() };
    config.tune(&mut node);
    node
}

/// In each second, each pair of nodes is cut off from each other with one probability, both ways.
fn partitions(seed: u64, probability: f64) -> impl FnMut(Time, Route, &mut Rng) -> Verdict + Send {
    move |now, route, _| {
        let (low, high) = (route.from.min(route.to), route.from.max(route.to));
        let draw = mix(mix(seed, now.as_micros() / 1_000_000), mix(low.0, high.0));
        let cut = Rng::new(draw).unit() < probability;
        if cut { Verdict::Drop } else { Verdict::Pass }
    }
}
