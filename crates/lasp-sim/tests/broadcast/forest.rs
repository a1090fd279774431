//! A peer of two layers for tests: fixed neighbours below, Plumtree above. Messages travel as encoded bytes.

use lasp_crdt::codec::{from_bytes, to_bytes};
use lasp_crdt::{Decode, DecodeError, Encode, Reader, ReplicaId, Writer};
use lasp_overlay::broadcast::{Command, Config, Event, Message, Metrics, Payload, Plumtree, Timer};
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

/// A peer with fixed neighbours.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) plumtree: Plumtree<News>,
    neighbors: Vec<Contact>,
    inner: Outbox<Plumtree<News>>,
}

/// What arrived: the news and the number of hops.
pub(crate) type Arrival = (News, u16);

impl Protocol for Tree {
    type Command = News;
    type Message = Arc<[u8]>;
    type Timer = Timer;
    type Event = Arrival;

    fn handle(&mut self, now: Time, input: Input<Self>, out: &mut Outbox<Self>) {
        let input = match input {
            Input::Start => {
                self.neighbors.drain(..).for_each(|contact| out.push(Output::Link(contact)));
                Input::Start
            }
            Input::Command(news) => Input::Command(Command::Broadcast(news)),
            Input::Received { from, message } => {
                let message: Message<News> = from_bytes(&message).expect("what the other end encoded");
                Input::Received { from, message }
            }
            Input::Expired(timer) => Input::Expired(timer),
            Input::LinkUp { peer, .. } => Input::Command(Command::NeighborUp(peer.id)),
            Input::LinkDown(peer) => Input::Command(Command::NeighborDown(peer)),
            Input::DialFailed(_) | Input::Drained { .. } => return,
        };
        self.plumtree.handle(now, input, &mut self.inner);
        for output in self.inner.drain() {
            match output.lift(|message| to_bytes(&message).into(), |timer| timer) {
                Ok(output) => out.push(output),
                Err(Event::Deliver { round, payload, .. }) => out.emit((payload, round)),
            }
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
        // Origins in another order than the peers.
        let origin = ReplicaId(lasp_crdt::fingerprint::mix(n, 1));
        let plumtree = Plumtree::new(plumtree.clone(), origin, rng);
        let neighbors = earlier.remove(&n).unwrap_or_default();
        sim.spawn(contact(n), Tree { plumtree, neighbors, inner: Outbox::new() });
    }
    sim.run_for(Duration::from_secs(1));
    sim
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
