//! The simulated cluster: its nodes, and how its time passes.
//!
//! The first node has a host, so that pages read and write its variables as those of any node. All others are bare machines.
//! `served`: the cluster behind a page. `acts`: what is done to it.

mod acts;
mod served;
#[cfg(test)]
mod tests;

pub(super) use served::start;

use lasp::host::Host;
use lasp::http::WorldState;
use lasp_dataflow::{Name, Op, Type};
use lasp_node::{Command, Event, Label, Node, Reply, Request, RequestId};
use lasp_overlay::{Addr, Contact, PeerId, Rng, Time};
use lasp_sim::Simulator;
use std::collections::BTreeSet;
use std::time::Duration;

/// Nodes start one after the other, all of them within this virtual time.
const ALL_STARTED: Duration = Duration::from_secs(5);

/// The node that serves the page: it is never taken down.
const FIRST: PeerId = PeerId(1);

/// What updates are made to.
const PULSE: &str = "pulse";

/// Requests of the world's own; hosts count theirs from 0.
const OWN: RequestId = RequestId(u64::MAX);

/// The cluster.
pub(super) struct Inner {
    simulator: Simulator<Node>,
    host: Host,
    rng: Rng,
    /// The number of the next new node.
    next: u64,
    /// Nodes to be started, and when.
    births: Vec<(Time, u64)>,
    /// Who crashed and may come back, with the life that is next.
    crashed: BTreeSet<(PeerId, u64)>,
    state: WorldState,
    /// What churn and updates have come to beyond what was done.
    owed: (f64, f64),
}

fn contact(number: u64, incarnation: u64) -> Contact {
    let addr = Addr::new(&format!("node-{number}:1")).expect("a short address");
    Contact { id: PeerId(number), incarnation, addr }
}

/// When nodes are born: the first at once, the others evenly, the last first in the list.
fn births(nodes: u64, from: Time) -> Vec<(Time, u64)> {
    let each = (ALL_STARTED / u32::try_from(nodes).unwrap_or(u32::MAX)).min(Duration::from_millis(50));
    (1..=nodes).rev().map(|number| (from + each * (number as u32 - 1), number)).collect()
}

impl Inner {
    fn new(host: Host, nodes: u64, seed: u64, speed: f64) -> Self {
        let state = WorldState {
            running: true,
            speed,
            reached: 0.0,
            time_ms: 0,
            seed,
            nodes,
            up: 0,
            cut: false,
            churn: 0.0,
            updates: 2.0, // enough for a broadcast tree to grow
        };
        Self {
            simulator: Simulator::new(lasp_sim::Config::seeded(seed)),
            host,
            rng: Rng::new(seed ^ 0x0077_6f72_6c64),
            next: nodes + 1,
            births: births(nodes, Time::ZERO),
            crashed: BTreeSet::new(),
            state,
            owed: (0.0, 0.0),
        }
    }

    fn step(&mut self, until: Time) {
        let stretch = until.since(self.simulator.now());
        while self.births.last().is_some_and(|(at, _)| *at <= until) {
            if let Some((_, number)) = self.births.pop() {
                self.bear(number, 1);
            }
        }
        self.simulator.run_until(until);
        self.owed.0 += self.state.churn / 100.0 * self.simulator.len() as f64 * stretch.as_secs_f64() / 60.0;
        self.owed.1 += self.state.updates * stretch.as_secs_f64();
        while self.owed.0 >= 1.0 {
            self.owed.0 -= 1.0;
            self.replace_one();
        }
        while self.owed.1 >= 1.0 {
            self.owed.1 -= 1.0;
            self.update_one();
        }
        self.hand_out(None);
    }

    /// Starts a life of a node, joined through a random one.
    fn bear(&mut self, number: u64, incarnation: u64) {
        let contact = contact(number, incarnation);
        let label = Label { name: format!("n{number}"), role: String::new() };
        let config = lasp_node::Config { label, ..lasp_node::Config::default() };
        let seed = self.state.seed ^ number.rotate_left(20) ^ incarnation.rotate_left(50);
        let others = self.others();
        self.simulator.spawn(contact.clone(), Node::new(config, contact, seed));
        let through = self.rng.choose(&others).copied().unwrap_or(FIRST);
        if number != FIRST.0
            && let Some(through) = self.simulator.contact(through).map(|contact| contact.addr.clone())
        {
            self.simulator.command(PeerId(number), Command::Join(vec![through]));
        }
    }

    /// All that are up but the first.
    fn others(&self) -> Vec<PeerId> {
        self.simulator.peers().map(|(peer, _)| peer).filter(|peer| *peer != FIRST).collect()
    }

    fn crash(&mut self, peer: PeerId) {
        let incarnation = self.simulator.contact(peer).map_or(1, |contact| contact.incarnation);
        if self.simulator.crash(peer).is_some() {
            self.crashed.insert((peer, incarnation + 1));
        }
    }

    fn replace_one(&mut self) {
        let others = self.others();
        if let Some(&peer) = self.rng.choose(&others) {
            self.simulator.crash(peer);
            let number = self.next;
            self.next += 1;
            self.bear(number, 1);
        }
    }

    fn update_one(&mut self) {
        let peers: Vec<PeerId> = self.simulator.peers().map(|(peer, _)| peer).collect();
        let Some(&peer) = self.rng.choose(&peers) else { return };
        let name = Name::new(PULSE).ok();
        let declared = self.ask(peer, Request::Declare { name, ty: Type::GCounter, local: false });
        if let Some(Reply::Var(var)) = declared {
            self.ask(peer, Request::Update { var, op: Op::Increment(1) });
        }
    }

    /// Asks a node what is answered at once.
    fn ask(&mut self, peer: PeerId, request: Request) -> Option<Reply> {
        self.hand_out(None);
        self.simulator.command(peer, Command::Request { id: OWN, request });
        self.hand_out(Some(peer))
    }

    /// Gives the first node's host what it emitted; the answer to a request of the world's own, if one is awaited.
    fn hand_out(&mut self, awaited: Option<PeerId>) -> Option<Reply> {
        let mut answer = None;
        for (_, peer, event) in self.simulator.drain_events() {
            match event {
                Event::Reply { id: OWN, result } => answer = result.ok().filter(|_| awaited == Some(peer)).or(answer),
                event if peer == FIRST => self.host.event(event),
                _ => {}
            }
        }
        answer
    }

    /// Serves whoever asks the first node something, until nobody does.
    fn serve(&mut self) {
        let mut commands = Vec::new();
        loop {
            self.hand_out(None);
            self.host.set_now(self.simulator.now());
            let ran = self.host.run_tasks();
            let Some(node) = self.simulator.peer(FIRST) else { return };
            let asked = self.host.commands(node, &mut commands);
            for command in commands.drain(..) {
                self.simulator.command(FIRST, command);
            }
            if !ran && !asked {
                return;
            }
        }
    }
}
