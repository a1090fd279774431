//! A peer of two layers, as a node has them, and nothing else: HyParView, and Plumtree over its neighbours.

use lasp_crdt::{Decode, DecodeError, Encode, Reader, ReplicaId, Writer, codec::to_bytes};
use lasp_overlay::broadcast::{self, Payload, Plumtree};
use lasp_overlay::membership::hyparview::{self, HyParView};
use lasp_overlay::membership::{self, Membership};
use lasp_overlay::wire::measure_encoding;
use lasp_overlay::{Contact, Input, Outbox, PeerId, Protocol, Rng, Time, Wire};
use std::sync::Arc;

/// What is broadcast: a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News(pub u64);

impl Payload for News {
    fn weight(&self) -> usize {
        size_of::<Self>()
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

/// The settings of both layers.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    membership: Arc<hyparview::Config>,
    broadcast: Arc<broadcast::Config>,
}

impl Settings {
    /// Those of a node, with so many neighbours.
    pub fn of_view(active: usize) -> Self {
        let membership = hyparview::Config { active_capacity: active, ..hyparview::Config::default() };
        Self { membership: Arc::new(membership), ..Self::default() }
    }
}

/// The peer.
#[derive(Clone, Debug)]
pub struct Tree {
    membership: HyParView,
    broadcast: Plumtree<News>,
}

/// What is asked of it.
#[derive(Debug)]
pub enum Command {
    /// Of its membership strategy.
    Membership(membership::Command),
    /// To broadcast.
    Broadcast(News),
}

/// What peers say to each other.
#[derive(Clone, Debug)]
pub enum Message {
    /// About membership.
    Membership(hyparview::Message),
    /// Along the tree.
    Broadcast(broadcast::Message<News>),
}

/// A timer of either layer.
#[derive(Clone, Debug)]
pub enum Timer {
    /// Of the membership strategy.
    Membership(hyparview::Timer),
    /// Of the tree.
    Broadcast(broadcast::Timer),
}

/// Something arrived for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// What.
    pub news: News,
    /// How many hops it made.
    pub hops: u16,
}

impl Tree {
    /// A peer that is in no cluster yet. All of a world share their settings.
    pub fn new(settings: &Settings, contact: Contact, mut rng: Rng) -> Self {
        let origin = ReplicaId(contact.id.0 + 1);
        let broadcast = Plumtree::new(Arc::clone(&settings.broadcast), origin, rng.fork());
        Self { membership: HyParView::new(Arc::clone(&settings.membership), contact, rng), broadcast }
    }

    /// Its membership strategy.
    pub const fn membership(&self) -> &HyParView {
        &self.membership
    }

    fn below(&mut self, now: Time, input: Input<HyParView>, out: &mut Outbox<Self>) {
        let mut effects = Outbox::new();
        self.membership.handle(now, input, &mut effects);
        for effect in effects.drain() {
            match effect.lift(Message::Membership, Timer::Membership) {
                Ok(output) => out.push(output),
                Err(membership::Event::Up(peer)) => self.neighbor(now, broadcast::Command::NeighborUp(peer.id), out),
                Err(membership::Event::Down(peer)) => self.neighbor(now, broadcast::Command::NeighborDown(peer), out),
                Err(_) => {}
            }
        }
    }

    fn neighbor(&mut self, now: Time, change: broadcast::Command<News>, out: &mut Outbox<Self>) {
        self.above(now, Input::Command(change), out);
    }

    fn above(&mut self, now: Time, input: Input<Plumtree<News>>, out: &mut Outbox<Self>) {
        let mut effects = Outbox::new();
        self.broadcast.handle(now, input, &mut effects);
        for effect in effects.drain() {
            match effect.lift(Message::Broadcast, Timer::Broadcast) {
                Ok(output) => out.push(output),
                Err(broadcast::Event::Deliver { round, payload, .. }) => {
                    out.emit(Arrival { news: payload, hops: round })
                }
            }
        }
    }

    /// Whether a peer is its neighbour.
    pub fn is_neighbor(&self, peer: PeerId) -> bool {
        self.membership.is_active(peer)
    }
}

impl Protocol for Tree {
    type Command = Command;
    type Message = Message;
    type Timer = Timer;
    type Event = Arrival;

    fn handle(&mut self, now: Time, input: Input<Self>, out: &mut Outbox<Self>) {
        match input {
            Input::Received { from, message: Message::Broadcast(message) } => {
                self.membership.heard(now, from);
                self.above(now, Input::Received { from, message }, out);
            }
            Input::Received { from, message: Message::Membership(message) } => {
                self.below(now, Input::Received { from, message }, out);
            }
            Input::Expired(Timer::Membership(timer)) => self.below(now, Input::Expired(timer), out),
            Input::Expired(Timer::Broadcast(timer)) => self.above(now, Input::Expired(timer), out),
            Input::Command(Command::Membership(command)) => self.below(now, Input::Command(command), out),
            Input::Command(Command::Broadcast(news)) => {
                self.above(now, Input::Command(broadcast::Command::Broadcast(news)), out);
            }
            Input::Start => self.below(now, Input::Start, out),
            Input::LinkUp { peer, dialed } => self.below(now, Input::LinkUp { peer, dialed }, out),
            Input::LinkDown(peer) => self.below(now, Input::LinkDown(peer), out),
            Input::DialFailed(addr) => self.below(now, Input::DialFailed(addr), out),
            Input::Drained { .. } => {}
        }
    }

    fn look_ahead(&self) -> u64 {
        self.membership.look_ahead()
    }
}

impl Wire for Message {
    fn size(&self) -> usize {
        match self {
            Self::Membership(message) => message.size(),
            Self::Broadcast(message) => to_bytes(message).len(),
        }
    }

    fn digest(&self) -> u64 {
        match self {
            Self::Membership(message) => message.digest(),
            Self::Broadcast(message) => to_bytes(message).as_slice().digest(),
        }
    }

    fn measure_in(&self, buffer: &mut Vec<u8>) -> (usize, u64) {
        match self {
            Self::Membership(message) => message.measure_in(buffer),
            Self::Broadcast(message) => measure_encoding(message, buffer),
        }
    }
}
