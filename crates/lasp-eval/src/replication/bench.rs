//! Whole nodes in virtual time: what an experiment asks of them, and what they send.

use crate::flow::share;
use crate::lab::metered::contact;
use crate::ledger::{Account, Ledger, Seen};
use crate::span::Span;
use lasp_dataflow::{Name, Op, Type, VarId};
use lasp_node::{Class, Command, Metrics, Node, Request, RequestId};
use lasp_overlay::{PeerId, Rng, Time};
use lasp_sim::{Latency, Simulator};
use std::time::Duration;

/// The wall clock at the start, which stamps of registers are as long as: November 2026.
const WALL_MS: u64 = 1_790_000_000_000;

/// What all nodes together have sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Bytes, frame headers and length prefixes included.
    pub bytes: u64,
    /// Of these, deltas and states.
    pub state: u64,
    /// Of these, digests, sketches and requests of comparisons.
    pub sync: u64,
    /// Frames.
    pub frames: u64,
    /// Comparisons begun.
    pub comparisons: u64,
    /// Entries of deltas and states.
    pub entries: u64,
    /// Bytes of deltas and states received.
    pub received: u64,
    /// Of these, those that were new where they came.
    pub needed: u64,
    /// Digests received.
    pub digests: u64,
    /// Of these, those that were equal to the receiver's.
    pub equal: u64,
}

impl Sent {
    fn and(self, metrics: &Metrics) -> Self {
        Self {
            bytes: self.bytes + metrics.total_sent(),
            state: self.state + metrics.sent(Class::State),
            sync: self.sync + metrics.sent(Class::Sync),
            frames: self.frames + metrics.frames_sent,
            comparisons: self.comparisons + metrics.syncs,
            entries: self.entries + metrics.entries_sent,
            received: self.received + metrics.state_received,
            needed: self.needed + metrics.state_needed,
            digests: self.digests + metrics.digests_received,
            equal: self.equal + metrics.digests_equal,
        }
    }

    /// What has come since.
    #[must_use]
    pub const fn since(self, before: Self) -> Self {
        Self {
            bytes: self.bytes - before.bytes,
            state: self.state - before.state,
            sync: self.sync - before.sync,
            frames: self.frames - before.frames,
            comparisons: self.comparisons - before.comparisons,
            entries: self.entries - before.entries,
            received: self.received - before.received,
            needed: self.needed - before.needed,
            digests: self.digests - before.digests,
            equal: self.equal - before.equal,
        }
    }

    /// Bytes of deltas and states received, over those that were new; 0 where none were.
    pub fn redundancy(&self) -> f64 {
        share(self.received, self.needed)
    }

    /// Percent of digests that were equal.
    pub fn digest_hit_percent(&self) -> f64 {
        100.0 * share(self.equal, self.digests)
    }
}

/// The nodes.
#[derive(Debug)]
pub struct Bench {
    /// Their network.
    pub simulator: Simulator<Node>,
    requests: u64,
}

impl Bench {
    /// No node yet; every message takes as long as `latency` says.
    pub fn new(latency: Latency, seed: u64) -> Self {
        let config = lasp_sim::Config { latency, ..lasp_sim::Config::seeded(seed) };
        Self { simulator: Simulator::new(config), requests: 0 }
    }

    /// Starts node number `node`.
    pub fn spawn(&mut self, node: usize, config: lasp_node::Config, rng: &mut Rng) {
        let config = lasp_node::Config { wall_epoch_ms: WALL_MS, ..config };
        self.simulator.spawn(contact(node), Node::new(config, contact(node), rng.next_u64()));
    }

    /// Cuts the network in two: nodes below `first` hear nothing of the others.
    pub fn cut(&mut self, first: usize, nodes: usize) {
        let ids = |range: std::ops::Range<usize>| range.map(|node| PeerId(node as u64)).collect::<Vec<_>>();
        self.simulator.partition(&[ids(0..first), ids(first..nodes)]);
    }

    /// The time.
    pub fn now(&self) -> Time {
        self.simulator.now()
    }

    /// A node.
    pub fn node(&self, node: usize) -> &Node {
        self.simulator.peer(PeerId(node as u64)).expect("nodes of a bench do not stop")
    }

    /// Has a node ask itself something, now.
    pub fn request(&mut self, node: usize, request: Request) {
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

    /// Has a node apply an operation to a variable, now; `false` if that has no name.
    pub fn update(&mut self, node: usize, name: &str, ty: &Type, op: Op) -> bool {
        let var = self.var(node, name, ty);
        if let Some(var) = var {
            self.request(node, Request::Update { var, op });
        }
        var.is_some()
    }

    /// The same, but the node does not hear the variable for that.
    pub fn update_unheard(&mut self, node: usize, name: &str, ty: &Type, op: Op) -> bool {
        if let (None, Ok(name)) = (self.node(node).graph().lookup(name), Name::new(name.to_owned())) {
            self.request(node, Request::DeclareUnheard { name, ty: ty.clone() });
        }
        self.update(node, name, ty, op)
    }

    /// What all nodes together have sent so far.
    pub fn sent(&self) -> Sent {
        self.simulator.peers().fold(Sent::default(), |sum, (_, node)| sum.and(node.metrics()))
    }

    /// Begins to keep a ledger of all nodes, with looks some `step` apart.
    pub fn open(&self, step: Duration) -> Ledger {
        Ledger::open(self.now().as_micros(), Span::from_millis(step.as_millis() as u64), &self.seen(true))
    }

    /// Looks at all nodes.
    pub fn note(&self, ledger: &mut Ledger) {
        ledger.look(self.now().as_micros(), &self.seen(ledger.is_whole()));
    }

    /// Ends it; what was sent was for so many updates.
    pub fn close(&self, ledger: Ledger, updates: u64) -> Account {
        ledger.close(self.now().as_micros(), &self.seen(true), updates)
    }

    fn seen(&self, whole: bool) -> Vec<Seen> {
        self.simulator.peers().map(|(_, node)| Seen::of(node, whole)).collect()
    }

    /// How many nodes hold what node 0 holds.
    pub fn agreeing(&self) -> usize {
        let first = self.node(0).fingerprint();
        self.simulator.peers().filter(|(_, node)| node.fingerprint() == first).count()
    }
}
