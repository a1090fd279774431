//! A toy protocol: links to whom it is told, floods numbers, writes down everything that happens to it.

use lasp_overlay::{Addr, Contact, Input, Outbox, Output, PeerId, Protocol, Time};
use lasp_sim::{Config, Simulator};
use std::collections::BTreeSet;
use std::time::Duration;

#[derive(Clone, Debug, Default)]
pub(crate) struct Toy {
    pub seen: BTreeSet<u64>,
    pub linked: BTreeSet<PeerId>,
}

#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Dial(Addr),
    Link(Contact),
    Close(PeerId),
    /// Sends a number over one link.
    Say(PeerId, u64),
    /// Floods a number over all links.
    Flood(u64),
    /// Sets a timer.
    Wake(Duration, u64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Up(PeerId, Option<Addr>),
    Down(PeerId),
    Failed(Addr),
    Heard(PeerId, u64),
    Woke(u64),
    Drained(PeerId, usize),
}

impl Protocol for Toy {
    type Command = Ask;
    type Message = u64;
    type Timer = u64;
    type Event = Told;

    fn handle(&mut self, _: Time, input: Input<Self>, out: &mut Outbox<Self>) {
        match input {
            Input::Start => {}
            Input::Command(Ask::Dial(addr)) => out.push(Output::Dial(addr)),
            Input::Command(Ask::Link(contact)) => out.push(Output::Link(contact)),
            Input::Command(Ask::Close(peer)) => {
                self.linked.remove(&peer);
                out.push(Output::Close(peer));
            }
            Input::Command(Ask::Say(to, number)) => out.send(to, number),
            Input::Command(Ask::Flood(number)) => self.flood(None, number, out),
            Input::Command(Ask::Wake(after, number)) => out.set_timer(after, number),
            Input::Received { from, message } => {
                out.emit(Told::Heard(from, message));
                // Numbers below 1,000 are news; others are said to one peer only.
                if message < 1_000 {
                    self.flood(Some(from), message, out);
                }
            }
            Input::Expired(number) => out.emit(Told::Woke(number)),
            Input::LinkUp { peer, dialed } => {
                self.linked.insert(peer.id);
                out.emit(Told::Up(peer.id, dialed));
            }
            Input::DialFailed(addr) => out.emit(Told::Failed(addr)),
            Input::LinkDown(peer) => {
                self.linked.remove(&peer);
                out.emit(Told::Down(peer));
            }
            Input::Drained { peer, bytes } => out.emit(Told::Drained(peer, bytes)),
        }
    }
}

impl Toy {
    fn flood(&mut self, except: Option<PeerId>, number: u64, out: &mut Outbox<Self>) {
        if !self.seen.insert(number) {
            return;
        }
        for &peer in self.linked.iter().filter(|peer| Some(**peer) != except) {
            out.send(peer, number);
        }
    }
}

pub(crate) type World = Simulator<Toy>;

pub(crate) fn contact(n: u64) -> Contact {
    Contact { id: PeerId(n), incarnation: 1, addr: addr(n) }
}

pub(crate) fn addr(n: u64) -> Addr {
    Addr::new(&format!("peer-{n}")).expect("short")
}

/// Peers 0..count, unlinked.
pub(crate) fn world(config: Config, count: u64) -> World {
    let mut sim = Simulator::new(config);
    for n in 0..count {
        sim.spawn(contact(n), Toy::default());
    }
    sim
}

/// Peers 0..count in a ring with a chord across, links up and their events drained.
pub(crate) fn ring(config: Config, count: u64) -> World {
    let mut sim = world(config, count);
    for n in 0..count {
        sim.command(PeerId(n), Ask::Link(contact((n + 1) % count)));
        sim.command(PeerId(n), Ask::Link(contact((n + count / 2) % count)));
    }
    sim.run_for(Duration::from_secs(1));
    sim.drain_events();
    sim
}

/// Peers 0 and 1 with a link, its events drained.
pub(crate) fn pair(config: Config) -> World {
    let mut sim = world(config, 2);
    sim.command(PeerId(0), Ask::Dial(addr(1)));
    sim.run_for(Duration::from_secs(1));
    sim.drain_events();
    sim
}

/// What one peer was told since the last call, without the drain reports.
pub(crate) fn told(sim: &mut World, id: u64) -> Vec<Told> {
    let all = sim.drain_events();
    all.into_iter().filter(|(_, at, e)| at.0 == id && !matches!(e, Told::Drained(..))).map(|(_, _, e)| e).collect()
}

/// Crashes, restarts, partitions, blocks, dials and closes at random among eight peers, then calm: both ends of every link
/// believe in it, and nothing is pending.
pub(crate) fn links_survive_a_schedule(config: Config) {
    let seed = config.seed;
    let mut sim = ring(config, 8);
    let mut lives = [1; 8];
    for _ in 0..200 {
        let (a, b) = (sim.rng().below(8), sim.rng().below(8));
        match sim.rng().below(12) {
            0 if sim.crash(PeerId(a)).is_some() => {}
            0 | 1 if sim.peer(PeerId(a)).is_none() => {
                lives[a as usize] += 1;
                sim.spawn(Contact { incarnation: lives[a as usize], ..contact(a) }, Toy::default());
            }
            2 => sim.partition(&[(0..4).map(PeerId).collect()]),
            3 => sim.block(PeerId(a), PeerId(b)),
            4 => sim.heal(),
            5 | 6 => drop(sim.command(PeerId(a), Ask::Close(PeerId(b)))),
            7 => drop(sim.command(PeerId(a), Ask::Say(PeerId(b), 1_000))),
            8 => {
                sim.command(PeerId(b), Ask::Dial(addr(a)));
                sim.command(PeerId(a), Ask::Dial(addr(b)));
            }
            _ => drop(sim.command(PeerId(a), Ask::Dial(addr(b)))),
        }
        let pause = sim.rng().below(400);
        sim.run_for(Duration::from_millis(pause));
    }
    sim.heal();
    sim.run_for(Duration::from_secs(10));
    for (id, toy) in sim.peers() {
        let links = sim.links(id);
        assert!(toy.linked.iter().eq(&links), "seed {seed}: {id} thinks {:?}, has {links:?}", toy.linked);
        for other in links {
            assert!(sim.links(other).contains(&id), "seed {seed}: {id} -> {other} is one-sided");
        }
    }
    assert_eq!(sim.pending(), 0);
}
