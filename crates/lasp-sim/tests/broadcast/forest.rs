//! A peer of two layers for tests: neighbours below, fixed or chosen by a membership strategy, and Plumtree above.
//! Messages travel as encoded bytes.

use lasp_crdt::codec::{from_bytes, to_bytes};
use lasp_crdt::{Decode, DecodeError, Encode, Reader, ReplicaId, Writer};
use lasp_overlay::broadcast::{self, Command, Config, Event, Metrics, Payload, Plumtree};
use lasp_overlay::membership::{self, AnyMembership, AnyMessage, AnyTimer, Membership, MembershipConfig};
use lasp_overlay::{Addr, Contact, Input, Outbox, Output, PeerId, Protocol, Rng, Time};
use lasp_sim::Simulator;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// A payload: a number, and padding that only the cache notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct News(pub(crate) u64);

impl Payload for News {
    fn weight(&self) -> usize {
        100
    }
}

impl Encode for News {
    fn encode(&self, w: &mut Writer<'_>) {
        w.varint(self.0);
    }
}

impl Decode for News {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.varint("news").map(Self)
    }
}

/// Who chooses the neighbours.
#[derive(Debug)]
enum Below {
    /// Whoever is linked; these are dialled.
    Fixed(Vec<Contact>),
    /// A membership strategy, which joins through these.
    Chosen(Box<AnyMembership>, Vec<Addr>),
}

/// A peer.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) plumtree: Plumtree<News>,
    below: Below,
}

/// A timer of either layer.
#[derive(Debug)]
pub(crate) enum Timer {
    Broadcast(broadcast::Timer),
    Membership(AnyTimer),
}

/// What arrived: the news and the number of hops.
pub(crate) type Arrival = (News, u16);

/// The layer of a message is its first byte.
const BROADCAST: u8 = 0;
const MEMBERSHIP: u8 = 1;

fn frame(layer: u8, message: &impl Encode) -> Arc<[u8]> {
    let mut bytes = vec![layer];
    bytes.extend(to_bytes(message));
    bytes.into()
}

impl Protocol for Tree {
    type Command = News;
    type Message = Arc<[u8]>;
    type Timer = Timer;
    type Event = Arrival;

    fn handle(&mut self, now: Time, input: Input<Self>, out: &mut Outbox<Self>) {
        match input {
            Input::Command(news) => self.above(now, Input::Command(Command::Broadcast(news)), out),
            Input::Expired(Timer::Broadcast(timer)) => self.above(now, Input::Expired(timer), out),
            Input::Expired(Timer::Membership(timer)) => self.below(now, Input::Expired(timer), out),
            Input::Received { from, message } => self.receive(now, from, &message, out),
            Input::Start => self.below(now, Input::Start, out),
            Input::LinkUp { peer, dialed } => self.below(now, Input::LinkUp { peer, dialed }, out),
            Input::LinkDown(peer) => self.below(now, Input::LinkDown(peer), out),
            Input::DialFailed(addr) => self.below(now, Input::DialFailed(addr), out),
            Input::Drained { .. } => {}
        }
    }
}

impl Tree {
    fn receive(&mut self, now: Time, from: PeerId, bytes: &[u8], out: &mut Outbox<Self>) {
        if let Below::Chosen(membership, _) = &mut self.below {
            membership.heard(now, from);
        }
        match bytes {
            [BROADCAST, bytes @ ..] => {
                let message = from_bytes(bytes).expect("what the other end encoded");
                self.above(now, Input::Received { from, message }, out);
            }
            [MEMBERSHIP, bytes @ ..] => {
                let message: AnyMessage = from_bytes(bytes).expect("what the other end encoded");
                self.below(now, Input::Received { from, message }, out);
            }
            _ => unreachable!("no such layer"),
        }
    }

    fn above(&mut self, now: Time, input: Input<Plumtree<News>>, out: &mut Outbox<Self>) {
        let mut inner = Outbox::new();
        self.plumtree.handle(now, input, &mut inner);
        for output in inner.drain() {
            match output.lift(|message| frame(BROADCAST, &message), Timer::Broadcast) {
                Ok(output) => out.push(output),
                Err(Event::Deliver { round, payload, .. }) => out.emit((payload, round)),
            }
        }
    }

    fn below(&mut self, now: Time, input: Input<AnyMembership>, out: &mut Outbox<Self>) {
        match &mut self.below {
            Below::Fixed(dialled) => {
                dialled.drain(..).for_each(|contact| out.push(Output::Link(contact)));
                match input {
                    Input::LinkUp { peer, .. } => self.neighbor(now, Command::NeighborUp(peer.id), out),
                    Input::LinkDown(peer) => self.neighbor(now, Command::NeighborDown(peer), out),
                    _ => {}
                }
            }
            Below::Chosen(membership, seeds) => {
                let mut inner = Outbox::new();
                membership.handle(now, input, &mut inner);
                let seeds = std::mem::take(seeds);
                if !seeds.is_empty() {
                    membership.handle(now, Input::Command(membership::Command::Join(seeds)), &mut inner);
                }
                self.apply_membership(now, inner, out);
            }
        }
    }

    fn apply_membership(&mut self, now: Time, mut inner: Outbox<AnyMembership>, out: &mut Outbox<Self>) {
        for output in inner.drain() {
            match output.lift(|message| frame(MEMBERSHIP, &message), Timer::Membership) {
                Ok(output) => out.push(output),
                Err(membership::Event::Up(peer)) => self.neighbor(now, Command::NeighborUp(peer.id), out),
                Err(membership::Event::Down(peer)) => self.neighbor(now, Command::NeighborDown(peer), out),
                Err(_) => {}
            }
        }
    }

    fn neighbor(&mut self, now: Time, change: Command<News>, out: &mut Outbox<Self>) {
        self.above(now, Input::Command(change), out);
    }

    /// The neighbours, as the membership strategy has them.
    pub(crate) fn active(&self) -> BTreeSet<PeerId> {
        match &self.below {
            Below::Fixed(_) => self.plumtree.eager().chain(self.plumtree.lazy()).collect(),
            Below::Chosen(membership, _) => membership.active().into_iter().map(|contact| contact.id).collect(),
        }
    }
}

pub(crate) type Forest = Simulator<Tree>;

fn contact(n: u64) -> Contact {
    Contact { id: PeerId(n), incarnation: 1, addr: Addr::new(&n.to_string()).expect("short") }
}

/// A connected random graph: a ring through all, and as many random edges as make the mean degree `degree`.
pub(crate) fn random_graph(rng: &mut Rng, count: u64, degree: u64) -> BTreeSet<(u64, u64)> {
    let mut order: Vec<u64> = (0..count).collect();
    rng.shuffle(&mut order);
    let edge = |a: u64, b: u64| (a.min(b), a.max(b));
    let mut edges: BTreeSet<_> = (0..order.len()).map(|i| edge(order[i], order[(i + 1) % order.len()])).collect();
    let wanted = (count * degree / 2).min(count * (count - 1) / 2) as usize;
    while edges.len() < wanted {
        let (a, b) = (rng.below(count), rng.below(count));
        if a != b {
            edges.insert(edge(a, b));
        }
    }
    edges
}

/// Peers on a graph, their links up.
pub(crate) fn forest(config: lasp_sim::Config, plumtree: &Config, count: u64, edges: &BTreeSet<(u64, u64)>) -> Forest {
    let mut sim = Simulator::new(config);
    // Whoever comes later dials.
    let mut earlier: BTreeMap<u64, Vec<Contact>> = BTreeMap::new();
    for &(a, b) in edges {
        earlier.entry(b).or_default().push(contact(a));
    }
    for n in 0..count {
        let rng = sim.rng().fork();
        let plumtree = Plumtree::new(plumtree.clone(), origin(n), rng);
        let neighbors = earlier.remove(&n).unwrap_or_default();
        sim.spawn(contact(n), Tree { plumtree, below: Below::Fixed(neighbors) });
    }
    sim.run_for(Duration::from_secs(1));
    sim
}

/// Peers whose membership strategy joined through the first one, one after the other; the strategy has had some time.
pub(crate) fn overlay(config: lasp_sim::Config, membership: &MembershipConfig, count: u64) -> Forest {
    let mut sim = Simulator::new(config);
    for n in 0..count {
        let membership = AnyMembership::new(membership.clone(), contact(n), sim.rng().fork());
        let seeds = if n == 0 { Vec::new() } else { vec![contact(0).addr] };
        let rng = sim.rng().fork();
        let plumtree = Plumtree::new(Config::default(), origin(n), rng);
        sim.spawn(contact(n), Tree { plumtree, below: Below::Chosen(Box::new(membership), seeds) });
        sim.run_for(Duration::from_millis(10));
    }
    sim.run_for(Duration::from_secs(60));
    sim
}

/// Origins are in another order than the peers.
fn origin(n: u64) -> ReplicaId {
    ReplicaId(lasp_crdt::fingerprint::mix(n, 1))
}

/// What a stretch of broadcasting came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Outcome {
    /// Deliveries to peers other than the sender, per message and other peer: 1 if everything reached everyone.
    pub(crate) reliability: f64,
    /// Payload messages received per message and other peer, less 1: the paper's relative message redundancy.
    pub(crate) rmr: f64,
    /// The most hops that any delivery took.
    pub(crate) ldh: u16,
}

/// Has `senders` broadcast, each `pause` after the last, waits for `rest`, and measures. Nothing may arrive twice.
pub(crate) fn broadcast(sim: &mut Forest, senders: &[u64], pause: Duration, rest: Duration) -> Outcome {
    let received = |sim: &Forest| total(sim, |metrics| metrics.gossip_received);
    let before = received(sim);
    for &sender in senders {
        let news = News(sim.rng().next_u64());
        assert!(sim.command(PeerId(sender), news), "peer {sender} is alive");
        sim.run_for(pause);
    }
    sim.run_for(rest);
    let deliveries: Vec<_> = sim.drain_events();
    let distinct: BTreeSet<_> = deliveries.iter().map(|(_, peer, (news, _))| (*peer, *news)).collect();
    assert_eq!(distinct.len(), deliveries.len(), "nothing is delivered twice");
    let due = ((sim.len() - 1) * senders.len()) as f64;
    Outcome {
        reliability: deliveries.len() as f64 / due,
        rmr: (received(sim) - before) as f64 / due - 1.0,
        ldh: deliveries.iter().map(|(.., (_, hops))| *hops).max().unwrap_or(0),
    }
}

/// The sum of everyone's counters.
pub(crate) fn total(sim: &Forest, of: impl Fn(&Metrics) -> u64) -> u64 {
    sim.peers().map(|(_, tree)| of(tree.plumtree.metrics())).sum()
}

/// Insists that the eager links are a spanning tree, held as such by both ends.
pub(crate) fn assert_spanning_tree(sim: &Forest) {
    let eager: BTreeMap<PeerId, BTreeSet<PeerId>> =
        sim.peers().map(|(id, tree)| (id, tree.plumtree.eager().collect())).collect();
    for (id, others) in &eager {
        for other in others {
            assert!(eager[other].contains(id), "{id} -> {other} is eager at one end only");
        }
    }
    let links: usize = eager.values().map(BTreeSet::len).sum();
    let mut reached = BTreeSet::new();
    let mut todo: Vec<PeerId> = eager.keys().next().copied().into_iter().collect();
    while let Some(id) = todo.pop() {
        if reached.insert(id) {
            todo.extend(&eager[&id]);
        }
    }
    assert_eq!((reached.len(), links / 2), (sim.len(), sim.len() - 1), "connected, and without a cycle");
}

/// Insists that nothing is missing and nothing waits to be announced.
pub(crate) fn assert_quiescent(sim: &Forest) {
    for (id, tree) in sim.peers() {
        assert!(tree.plumtree.is_quiescent(), "{id} has {} missing", tree.plumtree.missing());
    }
}
