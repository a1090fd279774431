//! Whole nodes in virtual time whose network an experiment cuts and mends.

use lasp_dataflow::{Name, Op, Type, VarId};
use lasp_node::{Class, Command, Interests, Metrics, Node, Request, RequestId};
use lasp_overlay::membership::MembershipConfig;
use lasp_overlay::{PeerId, Rng, Time};
use lasp_sim::{Latency, Simulator};
use std::time::Duration;

use crate::lab::metered::{address, contact};

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
    /// Of these, views, probes and joins.
    pub membership: u64,
    /// Frames.
    pub frames: u64,
    /// Comparisons begun.
    pub comparisons: u64,
}

impl Sent {
    fn and(self, metrics: &Metrics) -> Self {
        Self {
            bytes: self.bytes + metrics.total_sent(),
            state: self.state + metrics.sent(Class::State),
            sync: self.sync + metrics.sent(Class::Sync),
            membership: self.membership + metrics.sent(Class::Membership),
            frames: self.frames + metrics.frames_sent,
            comparisons: self.comparisons + metrics.syncs,
        }
    }

    /// What has come since.
    #[must_use]
    pub const fn since(self, before: Self) -> Self {
        Self {
            bytes: self.bytes - before.bytes,
            state: self.state - before.state,
            sync: self.sync - before.sync,
            membership: self.membership - before.membership,
            frames: self.frames - before.frames,
            comparisons: self.comparisons - before.comparisons,
        }
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
    pub fn spawn(&mut self, node: usize, membership: MembershipConfig, interests: Interests, rng: &mut Rng) {
        let config =
            lasp_node::Config { membership, interests, wall_epoch_ms: WALL_MS, ..lasp_node::Config::default() };
        self.simulator.spawn(contact(node), Node::new(config, contact(node), rng.next_u64()));
    }

    /// Has each node of an overlay start at a moment of its own and join by way of one that is there.
    pub fn join_all(&mut self, nodes: usize, spacing: Duration, rng: &mut Rng, interests: impl Fn(usize) -> Interests) {
        for node in 0..nodes {
            self.spawn(node, MembershipConfig::HyParView(Default::default()), interests(node), rng);
            if node > 0 {
                let seed = address(rng.below(node as u64) as usize);
                self.simulator.command(PeerId(node as u64), Command::Join(vec![seed]));
            }
            self.simulator.run_for(spacing);
        }
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
    pub fn var(&mut self, node: usize, name: &str, ty: &Type) -> Option<VarId> {
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
            self.request(node, Request::Update { var, op });
        }
    }

    /// What all nodes together have sent so far.
    pub fn sent(&self) -> Sent {
        self.simulator.peers().fold(Sent::default(), |sum, (_, node)| sum.and(node.metrics()))
    }

    /// How many nodes hold what node 0 holds.
    pub fn agreeing(&self) -> usize {
        let first = self.node(0).fingerprint();
        self.simulator.peers().filter(|(_, node)| node.fingerprint() == first).count()
    }
}
