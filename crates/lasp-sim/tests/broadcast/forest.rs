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

/// What each peer heard, how often.
pub(crate) fn heard(events: &[(Time, PeerId, Arrival)]) -> BTreeMap<(PeerId, News), usize> {
    let mut heard = BTreeMap::new();
    for (_, peer, (news, _)) in events {
        *heard.entry((*peer, *news)).or_insert(0) += 1;
    }
    heard
}

/// The sum of everyone's counters.
pub(crate) fn total(sim: &Forest, of: impl Fn(&Metrics) -> u64) -> u64 {
    sim.peers().map(|(_, tree)| of(tree.plumtree.metrics())).sum()
}
