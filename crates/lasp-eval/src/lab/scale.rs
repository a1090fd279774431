//! Very large overlays of HyParView and Plumtree: do they come about, do they survive the loss of half, what do they cost?
//!
//! Nodes join in waves, each through a random node that is there already, so that no single contact has to answer a
//! million. After a while a share of them fails at once, and a while later one survivor broadcasts.

use super::options::OverlayScale;
use super::run::blank;
use super::threads::Threads;
use super::tree::{Arrival, Command, News, Settings, Tree};
use crate::config::Config;
use crate::overlay;
use crate::plot::{Bar, Chart, Corner, Kind};
use crate::progress::{Observer, Progress};
use crate::run::Context;
use crate::summary::{Memory, Summary};
use crate::usage::usage;
use lasp_overlay::membership::{self, Membership as _};
use lasp_overlay::{Addr, Contact, PeerId};
use lasp_sim::Simulator;
use std::time::{Duration, Instant};

/// Between two waves of joins.
const WAVE_EVERY: Duration = Duration::from_millis(100);

/// How long the overlay is left alone after the last join, after the failure, and after the broadcast.
const SETTLE: Duration = Duration::from_secs(10);

/// How long, beyond that, survivors that are alone may take to find each other.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much virtual time passes between two looks at the clock and at the wish to stop.
const STEP: Duration = Duration::from_millis(500);

/// Into how many shards the world is divided: enough to share them out evenly among the processors of most machines. Part of
/// what the trace hash follows from.
const SHARDS: usize = 16;

struct World<'a> {
    config: &'a Config,
    options: &'a OverlayScale,
    settings: Settings,
    simulator: Simulator<Tree>,
    context: &'a Context<'a>,
    observer: &'a mut dyn Observer,
    started: Instant,
    peak: u64,
}

/// Runs it.
pub(super) fn evaluate(
    config: &Config,
    options: &OverlayScale,
    context: &Context<'_>,
    observer: &mut dyn Observer,
) -> (Summary, Vec<Chart>) {
    let simulator = Simulator::new(lasp_sim::Config { shards: SHARDS, ..lasp_sim::Config::seeded(config.seed) });
    let (settings, started) = (Settings::default(), Instant::now());
    World { config, options, settings, simulator, context, observer, started, peak: 0 }.run()
}

fn address(node: usize) -> Addr {
    Addr::new(&format!("n{node}")).unwrap_or_else(|| unreachable!("it is short"))
}

impl World<'_> {
    fn run(mut self) -> (Summary, Vec<Chart>) {
        let mut summary = blank(self.config);
        let timed = Instant::now();
        self.bootstrap();
        self.note(&mut summary, "bootstrap", timed);
        let degrees = self.shape(&mut summary, "bootstrap");
        let timed = Instant::now();
        self.fail();
        self.note(&mut summary, "failure", timed);
        self.shape(&mut summary, "failure");
        let timed = Instant::now();
        self.heal(&mut summary);
        self.note(&mut summary, "healing", timed);
        let timed = Instant::now();
        self.broadcast(&mut summary);
        self.note(&mut summary, "broadcast", timed);
        self.close(&mut summary);
        (summary, vec![chart(&degrees)])
    }

    fn bootstrap(&mut self) {
        let mut node = 0;
        while node < self.config.nodes && !self.context.stop.is_set() {
            let wave = if node == 0 { 1 } else { self.options.wave.min(node).min(self.config.nodes - node) };
            for node in node..node + wave {
                self.join(node, node.min(self.simulator.len()));
            }
            node += wave;
            self.pass(WAVE_EVERY);
        }
        self.pass(SETTLE);
    }

    fn join(&mut self, node: usize, there: usize) {
        let contact = Contact { id: PeerId(node as u64), incarnation: 1, addr: address(node) };
        let rng = self.simulator.rng().fork();
        let tree = Tree::new(&self.settings, contact.clone(), rng);
        self.simulator.spawn(contact, tree);
        if there > 0 {
            let through = vec![address(self.simulator.rng().index(there))];
            self.simulator.command(PeerId(node as u64), Command::Membership(membership::Command::Join(through)));
        }
    }

    fn fail(&mut self) {
        let mut nodes: Vec<PeerId> = self.simulator.peers().map(|(id, _)| id).collect();
        self.simulator.rng().shuffle(&mut nodes);
        nodes.truncate(nodes.len() * self.options.failed as usize / 100);
        for node in nodes {
            self.simulator.crash(node);
        }
        self.pass(SETTLE);
    }

    /// Waits until nobody is alone and all hang together, boundedly.
    fn heal(&mut self, summary: &mut Summary) {
        let mut waited = Duration::ZERO;
        while (summary.isolated_nodes > 0 || summary.components > 1) && waited < PATIENCE && !self.context.stop.is_set()
        {
            self.pass(SETTLE / 2);
            waited += SETTLE / 2;
            self.shape(summary, "healing");
        }
        summary.results.insert("healed_after_seconds".to_owned(), (SETTLE + waited).as_secs_f64().into());
    }

    fn broadcast(&mut self, summary: &mut Summary) {
        let Some(from) = self.simulator.peers().map(|(id, _)| id).next() else { return };
        self.simulator.drain_events();
        let begun = self.simulator.now();
        self.simulator.command(from, Command::Broadcast(News(1)));
        self.pass(SETTLE);
        let (mut reached, mut hops, mut last) = (1, 0, begun);
        for (at, _, Arrival { hops: made, .. }) in self.simulator.drain_events() {
            (reached, hops, last) = (reached + 1, hops.max(made), last.max(at));
        }
        let survivors = self.simulator.len();
        let mut put = |name: &str, value: f64| summary.results.insert(name.to_owned(), value.into());
        put("survivors", survivors as f64);
        put("reached", f64::from(reached));
        put("broadcast_hops", f64::from(hops));
        put("broadcast_virtual_ms", last.since(begun).as_secs_f64() * 1000.0);
        if reached as usize != survivors {
            summary.problems.push(format!("the broadcast reached {reached} of {survivors} survivors"));
        }
    }

    /// Lets virtual time pass.
    fn pass(&mut self, mut left: Duration) {
        while !left.is_zero() && !self.context.stop.is_set() {
            let step = left.min(STEP);
            self.simulator.run_until_on(self.simulator.now() + step, &Threads::all());
            left -= step;
            self.peak = usage().map_or(0, |usage| usage.rss_bytes).max(self.peak);
            self.observer.progress(&Progress {
                runs: 1,
                seconds: self.simulator.now().as_secs_f64(),
                nodes: self.config.nodes,
                up: self.simulator.len(),
                what: "events",
                counted: self.simulator.stats().events,
                expected: self.simulator.stats().events,
                bytes: self.simulator.stats().bytes_sent,
                ..Progress::default()
            });
        }
    }

    fn note(&self, summary: &mut Summary, step: &str, timed: Instant) {
        let mut put = |name: String, value: f64| summary.results.insert(name, value.into());
        put(format!("{step}_wall_seconds"), timed.elapsed().as_secs_f64());
        put(format!("{step}_cpu_seconds"), cpu_seconds());
        put(format!("{step}_virtual_seconds"), self.simulator.now().as_secs_f64());
        put(format!("{step}_rss_bytes"), usage().map_or(0, |usage| usage.rss_bytes) as f64);
        put(format!("{step}_events"), self.simulator.stats().events as f64);
    }

    /// Examines the overlay; returns everybody's degree.
    fn shape(&self, summary: &mut Summary, step: &str) -> Vec<usize> {
        let view = |(id, tree): (PeerId, &Tree)| {
            let mut neighbors = Vec::new();
            tree.membership().each_active(&mut |peer| neighbors.push(peer.0));
            (id.0, neighbors)
        };
        let views: Vec<(u64, Vec<u64>)> = self.simulator.peers().map(view).collect();
        let shape = overlay::examine(&views);
        let mut put = |name: String, value: f64| summary.results.insert(name, value.into());
        put(format!("{step}_isolated"), shape.isolated_nodes as f64);
        put(format!("{step}_components"), shape.components as f64);
        put(format!("{step}_asymmetric"), shape.asymmetric_links as f64);
        let mean = shape.degrees.iter().sum::<usize>() as f64 / shape.degrees.len().max(1) as f64;
        put(format!("{step}_degree_mean"), mean);
        (summary.isolated_nodes, summary.components) = (shape.isolated_nodes, shape.components);
        (summary.asymmetric_links, summary.dangling_links) = (shape.asymmetric_links, shape.dangling_links);
        shape.degrees
    }

    fn close(&self, summary: &mut Summary) {
        let each = self.peak as f64 / self.config.nodes as f64;
        let events = self.simulator.stats().events as f64;
        let mut put = |name: &str, value: f64| summary.results.insert(name.to_owned(), value.into());
        put("peak_rss_bytes", self.peak as f64);
        put("peak_rss_bytes_per_node", each);
        put("events", events);
        put("events_per_wall_second", events / self.started.elapsed().as_secs_f64());
        put("events_per_cpu_second", events / cpu_seconds().max(0.01));
        summary.rss_bytes = Memory { mean: each, max: each };
        summary.run_seconds = self.simulator.now().as_secs_f64();
        summary.bytes.total = self.simulator.stats().bytes_sent;
        summary.trace_hash = Some(format!("{:016x}", self.simulator.trace_hash()));
        if self.context.stop.is_set() {
            summary.problems.push("stopped before the end".to_owned());
        }
    }
}

/// Seconds of processors that this process has used so far.
fn cpu_seconds() -> f64 {
    usage().map_or(0.0, |usage| usage.cpu_ms as f64 / 1000.0)
}

fn chart(degrees: &[usize]) -> Chart {
    let most = degrees.iter().max().copied().unwrap_or(0);
    let share = |degree: usize| {
        100.0 * degrees.iter().filter(|other| **other == degree).count() as f64 / degrees.len().max(1) as f64
    };
    let bar = |degree: usize| Bar { label: degree.to_string(), value: share(degree), error: (0.0, 0.0) };
    Chart {
        id: "degree",
        title: "Node degree",
        caption: "How many neighbours nodes have after all have joined.".to_owned(),
        x_label: "neighbours".to_owned(),
        y_label: "nodes (%)".to_owned(),
        legend: Corner::BottomRight,
        kind: Kind::Bars((0..=most).map(bar).collect()),
    }
}
