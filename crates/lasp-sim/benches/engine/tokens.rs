//! Tokens that wander: as many as there are peers, each passed on to a random neighbour as soon as it arrives.

use crate::measure::{pass, report};
use lasp_overlay::{Addr, Contact, Input, Outbox, Output, PeerId, Protocol, Rng, Time};
use lasp_sim::{Config, Simulator};
use std::time::Duration;

/// Links that each peer asks for.
const LINKS: u64 = 3;

/// How often tokens are passed on in all, about.
const HOPS: u64 = 3_000_000;

/// A peer that passes tokens on.
#[derive(Debug)]
struct Walker {
    links: Vec<PeerId>,
    rng: Rng,
}

#[derive(Debug)]
enum Ask {
    Link(Contact),
    Start,
}

impl Protocol for Walker {
    type Command = Ask;
    type Message = u64;
    type Timer = ();
    type Event = ();

    fn handle(&mut self, _: Time, input: Input<Self>, out: &mut Outbox<Self>) {
        match input {
            Input::Command(Ask::Link(contact)) => out.push(Output::Link(contact)),
            Input::Command(Ask::Start) => self.pass(0, out),
            Input::Received { message, .. } => self.pass(message + 1, out),
            Input::LinkUp { peer, .. } if !self.links.contains(&peer.id) => self.links.push(peer.id),
            _ => {}
        }
    }
}

impl Walker {
    fn pass(&mut self, token: u64, out: &mut Outbox<Self>) {
        if let Some(&to) = self.rng.choose(&self.links) {
            out.send(to, token);
        }
    }
}

fn contact(n: u64) -> Contact {
    Contact { id: PeerId(n), incarnation: 1, addr: Addr::new(&n.to_string()).expect("short") }
}

pub(crate) fn measure(peers: u64, shards: usize) {
    let mut sim = Simulator::new(Config { shards, ..Config::seeded(1) });
    for n in 0..peers {
        let rng = sim.rng().fork();
        sim.spawn(contact(n), Walker { links: Vec::new(), rng });
    }
    for n in 0..peers {
        for _ in 0..LINKS {
            let to = sim.rng().below(peers);
            sim.command(PeerId(n), Ask::Link(contact(to)));
        }
    }
    pass(&mut sim, Duration::from_secs(1));
    for n in 0..peers {
        sim.command(PeerId(n), Ask::Start);
    }
    // A hop takes 3 ms on average.
    let millis = (3 * HOPS / peers).max(30);
    report(("tokens", shards), &mut sim, |sim| pass(sim, Duration::from_millis(millis)));
}
