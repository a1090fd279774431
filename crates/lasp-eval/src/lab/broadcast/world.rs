//! A cluster of HyParView and Plumtree in virtual time, and what one broadcast does to it.

use super::options::Broadcast;
use crate::lab::graph::Graph;
use crate::lab::metered::{KINDS, Kinds, Metered, Sent, address, contact};
use crate::lab::tree::{Arrival, Command, Message, News, Settings, Tree};
use lasp_crdt::fingerprint::mix;
use lasp_overlay::broadcast::Message as Spread;
use lasp_overlay::membership::{self, Membership as _};
use lasp_overlay::{PeerId, Rng, Time};
use lasp_sim::Simulator;
use lasp_sim::rule::{Route, Verdict};
use std::time::Duration;

/// Kinds of messages, by their places.
pub const PAYLOADS: usize = 1;
/// Announcements of ids.
pub const ANNOUNCEMENTS: usize = 2;
/// Requests to make a link eager.
pub const GRAFTS: usize = 3;
/// Requests to make it lazy.
pub const PRUNES: usize = 4;
/// What keeps the tree shallow.
pub const WAVES: usize = 5;

/// Between two waves of joins.
const WAVE_EVERY: Duration = Duration::from_millis(100);

/// How many join at a time, each through a random one of those there.
const WAVE: usize = 100;

impl Kinds for Tree {
    const NAMES: &'static [&'static str] = &["membership", "payloads", "announcements", "grafts", "prunes", "waves"];

    fn kind(message: &Message) -> usize {
        match message {
            Message::Membership(_) => 0,
            Message::Broadcast(Spread::Gossip { .. }) => PAYLOADS,
            Message::Broadcast(Spread::IHave(_)) => ANNOUNCEMENTS,
            Message::Broadcast(Spread::Graft(_)) => GRAFTS,
            Message::Broadcast(Spread::Prune) => PRUNES,
            Message::Broadcast(Spread::Wave { .. }) => WAVES,
        }
    }
}

/// What one broadcast came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reached {
    /// Nodes that are there, the sender among them.
    pub nodes: usize,
    /// Nodes that have it.
    pub reached: usize,
    /// Nodes that had it within a second.
    pub in_a_second: usize,
    /// Hops of the delivery that made most.
    pub hops: u16,
    /// When the last one had it, in milliseconds.
    pub last_ms: f64,
    /// What all of them sent meanwhile, by kind.
    pub sent: [Sent; KINDS],
}

impl Reached {
    /// Relative message redundancy: payloads sent per receiver, less one.
    pub fn redundancy(&self) -> f64 {
        let receivers = self.reached.saturating_sub(1);
        if receivers == 0 { 0.0 } else { self.sent[PAYLOADS].messages as f64 / receivers as f64 - 1.0 }
    }

    /// Percent of the nodes that have it.
    pub fn reliability(&self) -> f64 {
        100.0 * self.reached as f64 / self.nodes.max(1) as f64
    }
}

/// The cluster.
pub struct World {
    simulator: Simulator<Metered<Tree>>,
    number: u64,
}

impl World {
    /// Joins all nodes.
    pub fn grow(nodes: usize, options: &Broadcast, view: usize, seed: u64) -> Self {
        let mut simulator = Simulator::new(lasp_sim::Config::seeded(seed));
        simulator.add_rule(links(seed, options));
        let settings = Settings::of_view(view);
        let mut node = 0;
        while node < nodes {
            for node in node..nodes.min(node + WAVE.min(node.max(1))) {
                let rng = simulator.rng().fork();
                simulator.spawn(contact(node), Metered::new(Tree::new(&settings, contact(node), rng)));
                if node > 0 {
                    let there = address(simulator.rng().index(node));
                    let join = membership::Command::Join(vec![there]);
                    simulator.command(PeerId(node as u64), Command::Membership(join));
                }
            }
            node = simulator.len();
            simulator.run_for(WAVE_EVERY);
        }
        Self { simulator, number: 0 }
    }

    /// The same cluster once more.
    pub fn fork(&self, options: &Broadcast, seed: u64) -> Self {
        let mut simulator = self.simulator.fork();
        simulator.add_rule(links(seed, options));
        Self { simulator, number: self.number }
    }

    /// Lets time pass.
    pub fn pass(&mut self, time: Duration) {
        self.simulator.run_for(time);
        self.simulator.drain_events();
    }

    /// A random node.
    pub fn anyone(&mut self) -> PeerId {
        let nodes: Vec<PeerId> = self.simulator.peers().map(|(id, _)| id).collect();
        nodes[self.simulator.rng().index(nodes.len())]
    }

    /// A random share of the nodes fails, in percent. Their connections are reset, of which their neighbours hear in a moment.
    pub fn fail(&mut self, percent: u32) {
        let mut nodes: Vec<PeerId> = self.simulator.peers().map(|(id, _)| id).collect();
        self.simulator.rng().shuffle(&mut nodes);
        for node in nodes.iter().take(nodes.len() * percent as usize / 100) {
            self.simulator.crash(*node);
        }
    }

    /// One broadcast, and the time after it.
    pub fn broadcast(&mut self, from: PeerId, given: Duration) -> Reached {
        self.number += 1;
        let (before, begun) = (self.sent(), self.simulator.now());
        self.simulator.drain_events();
        self.simulator.command(from, Command::Broadcast(News(self.number)));
        self.simulator.run_for(given);
        let mut reached = Reached { nodes: self.simulator.len(), reached: 1, in_a_second: 1, ..Reached::default() };
        for (at, _, Arrival { news, hops }) in self.simulator.drain_events() {
            if news == News(self.number) {
                reached.count(at, begun, hops);
            }
        }
        for (slot, (now, before)) in reached.sent.iter_mut().zip(self.sent().iter().zip(before)) {
            *slot = now.since(before);
        }
        reached
    }

    fn sent(&self) -> [Sent; KINDS] {
        let mut all = [Sent::default(); KINDS];
        for (_, peer) in self.simulator.peers() {
            all.iter_mut().zip(peer.sent()).for_each(|(all, sent)| *all = all.and(*sent));
        }
        all
    }

    /// Everybody's neighbours.
    pub fn neighbors(&self) -> Graph {
        let mut graph = vec![Vec::new(); self.simulator.len()];
        for (id, peer) in self.simulator.peers() {
            peer.inner().membership().each_active(&mut |other| graph[id.0 as usize].push(other.0 as u32));
        }
        graph
    }

    /// Hash of all that happened.
    pub fn trace_hash(&self) -> u64 {
        self.simulator.trace_hash()
    }
}

impl Reached {
    fn count(&mut self, at: Time, begun: Time, hops: u16) {
        let took = at.since(begun);
        self.reached += 1;
        self.in_a_second += usize::from(took <= Duration::from_secs(1));
        self.hops = self.hops.max(hops);
        self.last_ms = self.last_ms.max(took.as_secs_f64() * 1000.0);
    }
}

/// Each link takes as long each time, and the same both ways.
fn links(seed: u64, options: &Broadcast) -> impl FnMut(Time, Route, &mut Rng) -> Verdict + Send + use<> {
    let (least, most) =
        (options.latency.duration().as_micros() as u64, options.latency_most.duration().as_micros() as u64);
    move |_, route, _| {
        let (a, b) = (route.from.0.min(route.to.0), route.from.0.max(route.to.0));
        Verdict::Travel(Duration::from_micros(least + mix(seed, mix(a, b)) % (most - least + 1)))
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("simulator", &self.simulator).finish_non_exhaustive()
    }
}
