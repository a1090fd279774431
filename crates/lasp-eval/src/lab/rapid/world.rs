//! A cluster under full membership in virtual time, and how it looks from all of its nodes at once.

use crate::lab::metered::{KINDS, Kinds, Metered, Sent, contact};
use lasp_overlay::membership::Command;
use lasp_overlay::membership::full::{Config, FullMesh, Message, Status};
use lasp_overlay::{PeerId, Rng, Time};
use lasp_sim::Simulator;
use std::collections::BTreeSet;
use std::time::Duration;

/// How often everything is looked at.
pub const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Kinds for FullMesh {
    const NAMES: &'static [&'static str] = &["probes", "digests", "summaries", "news", "suspicions"];

    fn kind(message: &Message) -> usize {
        match message {
            Message::Ping { .. } | Message::Pong { .. } | Message::Probe { .. } | Message::Nack { .. } => 0,
            Message::Digest { .. } | Message::Ask => 1,
            Message::Summary { .. } => 2,
            Message::News { .. } => 3,
            Message::Suspect { .. } => 4,
        }
    }
}

type Peer = Metered<FullMesh>;

/// The cluster.
pub struct World {
    pub(super) simulator: Simulator<Peer>,
    nodes: usize,
}

/// How nodes take each other at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// Pairs of an observer and somebody whom it suspects.
    pub suspecting: usize,
    /// Pairs of an observer and somebody who counts as unreachable, or as evicted, there.
    pub removing: usize,
    /// Whom some observer suspects.
    pub suspected: BTreeSet<PeerId>,
    /// Who counts as unreachable, or as evicted, at some observer.
    pub removed: BTreeSet<PeerId>,
    /// Members that count as reachable: least, mean over observers, itself included.
    pub reachable: (usize, f64),
}

impl World {
    /// One node, and ten seconds.
    pub fn seed(nodes: usize, seed: u64, config: &Config) -> Self {
        let network = lasp_sim::Config { partition_detection: None, ..lasp_sim::Config::seeded(seed) };
        let mut world = Self { simulator: Simulator::new(network), nodes };
        world.spawn(0, config);
        world.simulator.run_for(Duration::from_secs(10));
        world
    }

    fn spawn(&mut self, node: usize, config: &Config) {
        let contact = contact(node);
        let rng: Rng = self.simulator.rng().fork();
        self.simulator.spawn(contact.clone(), Metered::new(FullMesh::new(config.clone(), contact, rng)));
    }

    /// All the others, at once, told of the first alone.
    pub fn join_all(&mut self, config: &Config) {
        for node in 1..self.nodes {
            self.spawn(node, config);
            self.simulator.command(PeerId(node as u64), Command::Join(vec![contact(0).addr]));
        }
    }

    /// The same cluster once more; faults made by rules stay behind.
    pub fn fork(&self) -> Self {
        Self { simulator: self.simulator.fork(), nodes: self.nodes }
    }

    /// Lets time pass until the next look.
    pub fn pass(&mut self) {
        self.pass_for(LOOK_EVERY);
    }

    /// Lets time pass.
    pub fn pass_for(&mut self, time: Duration) {
        self.simulator.run_for(time);
        self.simulator.drain_events();
    }

    /// The time.
    pub fn now(&self) -> Time {
        self.simulator.now()
    }

    /// The nodes' strategies.
    pub fn peers(&self) -> impl Iterator<Item = (PeerId, &FullMesh)> {
        self.simulator.peers().map(|(id, peer)| (id, peer.inner()))
    }

    /// So many random nodes, never the first.
    pub fn choose(&mut self, count: usize) -> BTreeSet<PeerId> {
        let mut nodes: Vec<PeerId> = (1..self.nodes as u64).map(PeerId).collect();
        self.simulator.rng().shuffle(&mut nodes);
        nodes.into_iter().take(count).collect()
    }

    /// How many members each node knows, itself included.
    pub fn sizes(&self) -> impl Iterator<Item = usize> {
        self.peers().map(|(_, peer)| peer.map().present_count())
    }

    /// Whether all nodes have the same map of all of them.
    pub fn agrees(&self) -> bool {
        let mut maps = self.peers().map(|(_, peer)| (peer.map().fingerprint(), peer.map().present_count()));
        let first = maps.next();
        first.is_some_and(|(_, size)| size == self.nodes) && maps.all(|map| Some(map) == first)
    }

    /// Whether everybody is linked to everybody.
    pub fn is_linked(&self) -> bool {
        self.peers().all(|(_, peer)| peer.degree() == self.nodes - 1)
    }

    /// How all nodes but `blind` see those in `of`; or, with `None`, everybody.
    pub fn look(&self, blind: &BTreeSet<PeerId>, of: Option<&BTreeSet<PeerId>>) -> Look {
        let mut look = Look { reachable: (usize::MAX, 0.0), ..Look::default() };
        let mut observers = 0;
        for (_, peer) in self.peers().filter(|(id, _)| !blind.contains(id)) {
            observers += 1;
            let before = look.removing;
            self.look_through(peer, of, &mut look);
            let reachable = self.nodes - (look.removing - before);
            look.reachable = (look.reachable.0.min(reachable), look.reachable.1 + reachable as f64);
        }
        look.reachable.1 /= f64::from(observers.max(1));
        look
    }

    fn look_through(&self, peer: &FullMesh, of: Option<&BTreeSet<PeerId>>, look: &mut Look) {
        let counts = |id: &PeerId| of.is_none_or(|of| of.contains(id));
        for (id, expired) in peer.suspicions().filter(|(id, _)| counts(id)) {
            look.suspecting += 1;
            look.suspected.insert(id);
            if expired {
                look.removing += 1;
                look.removed.insert(id);
            }
        }
        if peer.map().present_count() < self.nodes {
            for member in peer.map().iter().filter(|member| member.status == Status::Evicted) {
                look.removing += usize::from(counts(&member.contact.id));
                look.removed.extend(Some(member.contact.id).filter(counts));
            }
        }
    }

    /// What each node but some has sent so far.
    pub fn sent(&self, but: &BTreeSet<PeerId>) -> Vec<[Sent; KINDS]> {
        self.simulator.peers().filter(|(id, _)| !but.contains(id)).map(|(_, peer)| *peer.sent()).collect()
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("simulator", &self.simulator).finish_non_exhaustive()
    }
}
