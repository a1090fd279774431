//! Overlays of the real state machines, in virtual time: messages travel, links break, timers run.

use super::flood::{Command, Entrance, Flood, Heard, Paced};
use super::graph::Graph;
use super::options::Crash;
use super::plane::Plane;
use super::strategy::{Overlay, Spread};
use lasp_overlay::membership::Command as MembershipCommand;
use lasp_overlay::{Addr, Contact, PeerId, Rng, Wire};
use lasp_sim::{Config, Latency, Simulator};
use std::time::Duration;

/// Every message takes as long as every other, so that a first delivery took the shortest way, as in the paper's rounds.
const LATENCY: Duration = Duration::from_millis(1);

/// How long a broadcast is given while nothing else goes on: beyond every overlay's diameter, and every reaction on the
/// way.
const BROADCAST: Duration = Duration::from_secs(1);

/// The same between cycles, of which it is a part.
const BROADCAST_BETWEEN: Duration = Duration::from_millis(100);

/// A strategy's overlay.
pub struct Simulated<M: Paced>
where
    M::Message: Wire + Clone,
{
    simulator: Simulator<Flood<M>>,
    nodes: usize,
    number: u32,
    held: bool,
    /// How much of the next cycle broadcasts have taken.
    spent: Duration,
    known: fn(&M) -> Vec<PeerId>,
    crash: Crash,
    plane: Option<Plane>,
}

impl<M> Simulated<M>
where
    M: Paced,
    M::Message: Wire + Clone,
{
    /// Joins nodes one by one, through whom the strategy wants it, with nothing periodic in between, as the paper does. `make`
    /// makes each one's strategy, `known` names everybody that it could turn to.
    pub fn grow(
        nodes: usize,
        seed: u64,
        known: fn(&M) -> Vec<PeerId>,
        mut make: impl FnMut(Contact, Rng) -> M,
    ) -> Self {
        let config = Config { latency: Latency::Constant(LATENCY), ..Config::seeded(seed) };
        let mut simulator = Simulator::new(config);
        for node in 0..nodes {
            let contact = contact(node);
            let id = contact.id;
            let rng = simulator.rng().fork();
            simulator.spawn(contact.clone(), Flood::new(make(contact, rng)));
            simulator.command(id, Command::Hold);
            if node > 0 {
                let through = match M::ENTRANCE {
                    Entrance::First => 0,
                    Entrance::Any => simulator.rng().index(node),
                };
                let join = MembershipCommand::Join(vec![address(through)]);
                simulator.command(id, Command::Membership(join));
            }
            simulator.run_for(M::JOINING);
        }
        for node in 0..nodes {
            simulator.command(PeerId(node as u64), Command::Resume);
        }
        let (crash, plane) = (Crash::Reset, None);
        Self { simulator, nodes, number: 0, held: false, spent: Duration::ZERO, known, crash, plane }
    }

    /// The same, whose nodes fail like this.
    #[must_use]
    pub fn crashing(self, crash: Crash) -> Self {
        Self { crash, ..self }
    }

    /// The same, whose nodes are scattered from now on: messages travel as far as it is. In copies they do not, so that first
    /// deliveries there have taken the shortest ways in hops.
    #[must_use]
    pub fn scattered(mut self, plane: Plane) -> Self {
        self.simulator.add_rule(plane);
        Self { plane: Some(plane), ..self }
    }

    fn graph(&self, of: impl Fn(&M, &mut dyn FnMut(PeerId))) -> Graph {
        let mut graph = vec![Vec::new(); self.nodes];
        for (id, peer) in self.simulator.peers() {
            of(peer.membership(), &mut |other| {
                if self.simulator.peer(other).is_some() {
                    graph[id.0 as usize].push(other.0 as u32);
                }
            });
        }
        graph
    }
}

/// Where node `node` is.
fn address(node: usize) -> Addr {
    Addr::new(&format!("node-{node}")).unwrap_or_else(|| unreachable!("it is short"))
}

/// Who and where node `node` is.
fn contact(node: usize) -> Contact {
    Contact { id: PeerId(node as u64), incarnation: 1, addr: address(node) }
}

impl<M> Overlay for Simulated<M>
where
    M: Paced + Clone,
    M::Message: Wire + Clone,
    M::Timer: Clone,
{
    fn cycle(&mut self) {
        self.simulator.run_for(M::CYCLE - std::mem::take(&mut self.spent).min(M::CYCLE));
        self.simulator.drain_events();
    }

    fn hold(&mut self) {
        self.held = true;
        for node in self.alive() {
            self.simulator.command(PeerId(node as u64), Command::Hold);
        }
    }

    fn fork(&self) -> Self {
        Self { simulator: self.simulator.fork(), ..*self }
    }

    /// Where their connections are reset, TCP tells the neighbours within some milliseconds; a broadcast at this moment comes
    /// first.
    fn fail(&mut self, nodes: &[usize]) {
        for &node in nodes {
            let id = PeerId(node as u64);
            match self.crash {
                Crash::Reset => self.simulator.crash(id),
                Crash::Silent => self.simulator.crash_silently(id),
            };
        }
    }

    fn broadcast(&mut self, from: usize) -> Spread {
        self.number += 1;
        self.simulator.command(PeerId(from as u64), Command::Broadcast(self.number));
        let given = if self.held { BROADCAST } else { BROADCAST_BETWEEN };
        self.simulator.run_for(given);
        self.spent += given;
        let mut spread = Spread::default();
        for (_, _, Heard { number, hops }) in self.simulator.drain_events() {
            if number == self.number {
                spread.reached += 1;
                spread.hops = spread.hops.max(hops);
            }
        }
        spread
    }

    fn alive(&self) -> Vec<usize> {
        self.simulator.peers().map(|(id, _)| id.0 as usize).collect()
    }

    fn neighbors(&self) -> Graph {
        self.graph(|membership, each| membership.each_active(each))
    }

    fn known(&self) -> Graph {
        self.graph(|membership, each| (self.known)(membership).into_iter().for_each(each))
    }

    fn links(&self) -> f64 {
        let open: usize = self.simulator.peers().map(|(id, _)| self.simulator.links(id).len()).sum();
        open as f64 / self.simulator.len().max(1) as f64
    }

    fn round_trip(&self) -> Option<f64> {
        let plane = self.plane?;
        let (mut sum, mut links) = (0.0, 0);
        for (id, peer) in self.simulator.peers() {
            peer.membership().each_active(&mut |other| {
                sum += 2.0 * plane.distance(id, other);
                links += 1;
            });
        }
        Some(sum / f64::from(links.max(1)))
    }

    fn trace_hash(&self) -> Option<u64> {
        Some(self.simulator.trace_hash())
    }
}

impl<M: Paced> std::fmt::Debug for Simulated<M>
where
    M::Message: Wire + Clone,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulated").field("simulator", &self.simulator).finish_non_exhaustive()
    }
}
