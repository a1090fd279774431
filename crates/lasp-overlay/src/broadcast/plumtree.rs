//! Plumtree: an epidemic broadcast tree (Leitão, Pereira, Rodrigues, "Epidemic Broadcast Trees", SRDS 2007).
//!
//! Links to neighbours are *eager* (payloads are pushed at once) or *lazy* (ids are announced in batches). All start
//! eager; a duplicate makes its link lazy; an announced payload that does not come makes a link eager again. So the
//! eager links become a spanning tree, and the lazy ones mend it.
//!
//! Where this differs from the paper, measured redundancy was the reason: only duplicates of one message at a time prune
//! (see `shape`), a link just pruned is left alone for a while, and what the network duplicated prunes nothing. Measured depth
//! was the reason for waves (see `wave`).
//!
//! The invariant that the rules work towards: both ends of a link hold it in the same mode. Where they do not, because a
//! message was lost or crossed another, the next payload over the link shows it and one end gives in.

use super::announce::Announcements;
use super::cache::{Cache, Limits};
use super::config::Config;
use super::message::{Ids, Message};
use super::missing::Missing;
use super::recent::Recent;
use super::seen::Seen;
use super::shape::Shape;
use super::wave::{UNKNOWN, Waves};
use super::{Command, Event, Payload};
use crate::peer::PeerId;
use crate::peer_map::PeerMap;
use crate::protocol::{Input, Outbox, Protocol};
use crate::rng::Rng;
use crate::time::Time;
use lasp_crdt::{Dot, DotSet, ReplicaId};
use std::sync::Arc;

/// The broadcast layer of one peer.
#[derive(Clone, Debug)]
pub struct Plumtree<P> {
    pub(super) config: Arc<Config>,
    /// Under which this peer's own messages run.
    pub(super) origin: ReplicaId,
    /// How many messages it has broadcast.
    pub(super) minted: u64,
    pub(super) rng: Rng,
    pub(super) neighbors: PeerMap<Neighbor>,
    pub(super) seen: Seen,
    pub(super) cache: Cache<P>,
    pub(super) recent: Recent,
    pub(super) shape: Shape,
    pub(super) waves: Waves,
    pub(super) announcements: Announcements,
    pub(super) missing: Missing,
    /// When the timers that count run out; others are stale.
    pub(super) announce_at: Option<Time>,
    missing_at: Option<Time>,
    /// Links that have become eager since they were last asked about.
    turned: Vec<PeerId>,
    pub(super) metrics: Metrics,
}

/// A link to a neighbour, as this end holds it.
#[derive(Clone, Debug)]
pub(super) struct Neighbor {
    pub(super) mode: Mode,
    /// It asked for the link to be eager since the last wave.
    pub(super) kept: bool,
    /// It was told of the wave by this peer.
    pub(super) told: bool,
    /// Hops from the root to it, as it said in the last wave.
    pub(super) depth: u16,
    /// Until when what comes over the link says nothing about its mode at the other end.
    pub(super) settles_at: Time,
    /// How many batches it is still to hear after the link became eager: what arrived before that was not pushed.
    owed: u8,
    /// Of the ids to be announced, those that it has already; kept while it hears announcements.
    pub(super) has: DotSet,
}

/// Whether payloads or announcements travel over a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    #[default]
    Eager,
    Lazy,
}

/// What the layer sent, received and decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Payloads sent.
    pub gossip_sent: u64,
    /// Payloads received.
    pub gossip_received: u64,
    /// Of those, how many were known already.
    pub duplicates: u64,
    /// Announcements sent.
    pub ihaves_sent: u64,
    /// Announcements received.
    pub ihaves_received: u64,
    /// Requests sent to make a link eager.
    pub grafts_sent: u64,
    /// Requests received to make a link eager.
    pub grafts_received: u64,
    /// Requests sent to make a link lazy.
    pub prunes_sent: u64,
    /// Requests received to make a link lazy.
    pub prunes_received: u64,
    /// Missing payloads left to anti-entropy.
    pub given_up: u64,
    /// Requests sent to make a link eager for the sake of the tree's shape: nothing was missing.
    pub adoptions: u64,
    /// Waves sent, link by link.
    pub waves_sent: u64,
    /// Waves received.
    pub waves_received: u64,
}

/// What runs out; each names its moment, so that an outdated one is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The next batch of announcements is due.
    Announce(Time),
    /// A missing payload is due.
    Missing(Time),
    /// A message that shapes the tree has been everywhere.
    Shape,
    /// A wave has been everywhere, or those it chose are asked.
    Wave(Time),
}

impl<P: Payload> Protocol for Plumtree<P> {
    type Command = Command<P>;
    type Message = Message<P>;
    type Timer = Timer;
    type Event = Event<P>;

    fn handle(&mut self, now: Time, input: Input<Self>, out: &mut Outbox<Self>) {
        match input {
            Input::Command(Command::Broadcast(payload)) => self.broadcast(now, payload, out),
            Input::Command(Command::NeighborUp(peer)) => self.neighbor_up(now, peer, out),
            Input::Command(Command::NeighborDown(peer)) => self.neighbor_down(now, peer, out),
            Input::Received { from, message } => self.receive(now, from, message, out),
            Input::Expired(Timer::Announce(at)) if self.announce_at == Some(at) => self.announce(now, out),
            Input::Expired(Timer::Missing(at)) if self.missing_at == Some(at) => {
                self.missing_at = None;
                self.graft_missing(now, out);
            }
            Input::Expired(Timer::Shape) => self.prune_superfluous(now, out),
            Input::Expired(Timer::Wave(at)) => self.wave_settles(now, at, out),
            // Stale timers; and links, which are the business of membership.
            Input::Expired(_)
            | Input::Start
            | Input::LinkUp { .. }
            | Input::DialFailed(_)
            | Input::LinkDown(_)
            | Input::Drained { .. } => {}
        }
    }
}

impl<P: Payload> Plumtree<P> {
    /// The layer of a peer whose messages run under `origin`, which no earlier life of it may have used.
    /// Peers can share their settings.
    pub fn new(config: impl Into<Arc<Config>>, origin: ReplicaId, rng: Rng) -> Self {
        let config = config.into();
        Self {
            seen: Seen::new(config.seen_origins, config.seen_ranges),
            cache: Cache::new(Limits {
                records: config.cache_entries,
                ranges: config.cache_ranges,
                weight: config.cache_weight,
            }),
            config,
            origin,
            minted: 0,
            rng,
            neighbors: PeerMap::new(),
            recent: Recent::default(),
            shape: Shape::default(),
            waves: Waves::default(),
            announcements: Announcements::default(),
            missing: Missing::default(),
            announce_at: None,
            missing_at: None,
            turned: Vec::new(),
            metrics: Metrics::default(),
        }
    }

    /// The neighbours to which payloads are pushed, ascending.
    pub fn eager(&self) -> impl Iterator<Item = PeerId> {
        self.in_mode(Mode::Eager)
    }

    /// The neighbours to which ids are announced, ascending.
    pub fn lazy(&self) -> impl Iterator<Item = PeerId> {
        self.in_mode(Mode::Lazy)
    }

    /// The wave that the tree goes by, as far as this peer knows. It reaches everybody to whom links lead.
    pub const fn wave(&self) -> Option<Dot> {
        self.waves.current()
    }

    /// The last message that shaped the tree, as far as this peer knows.
    pub const fn shaped_by(&self) -> Option<Dot> {
        self.shape.current()
    }

    /// Whether the next message broadcast here shapes the tree.
    pub fn shapes_next(&self, now: Time) -> bool {
        !self.config.floods && self.shape.is_due(now)
    }

    /// How many payloads are announced and not here.
    pub fn missing(&self) -> usize {
        self.missing.len()
    }

    /// How many payloads are remembered.
    pub fn cached(&self) -> usize {
        self.cache.len()
    }

    /// Whether all of these have been here. Cost: the number of ranges.
    pub fn has_seen(&self, ids: &Ids) -> bool {
        self.seen.unseen(ids.ranges()).is_empty()
    }

    /// How many ranges of ids are remembered as seen.
    pub fn seen_ranges(&self) -> usize {
        self.seen.range_count()
    }

    /// Counters.
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Whether nothing is missing and nothing waits to be announced.
    pub fn is_quiescent(&self) -> bool {
        self.missing.len() == 0 && self.announcements.is_empty()
    }

    fn in_mode(&self, mode: Mode) -> impl Iterator<Item = PeerId> {
        self.neighbors.iter().filter(move |(_, neighbor)| neighbor.mode == mode).map(|(peer, _)| *peer)
    }

    fn receive(&mut self, now: Time, from: PeerId, message: Message<P>, out: &mut Outbox<Self>) {
        match message {
            Message::Gossip { ids, round, payload } => self.on_gossip(now, from, &ids, round, payload, out),
            Message::IHave(announced) => self.on_ihave(now, from, &announced, out),
            Message::Graft(ids) => self.on_graft(from, &ids, out),
            Message::Prune => self.on_prune(now, from),
            Message::Wave { id, depth, lazy } => self.on_wave(now, from, id, depth, lazy, out),
        }
    }

    /// A new neighbour starts eager, as in the paper, unless this peer has its place in the tree; the modes of the others
    /// stay. It is told what arrived lately.
    fn neighbor_up(&mut self, now: Time, peer: PeerId, out: &mut Outbox<Self>) {
        self.neighbors.insert(peer, Neighbor::new());
        self.place_new_link(now, peer, out);
        if self.is_eager(peer) {
            self.turned(peer);
        }
        let ids = self.recent.within(now, self.config.remind_for);
        if !ids.is_empty() {
            self.metrics.ihaves_sent += 1;
            out.send(peer, Message::IHave(ids));
        }
    }

    /// Payloads are pushed over a link from now on.
    pub(super) fn turn_eager(&mut self, peer: PeerId) {
        let Some(neighbor) = self.neighbors.get_mut(&peer) else { return };
        if neighbor.make_eager() {
            self.turned(peer);
        }
    }

    fn turned(&mut self, peer: PeerId) {
        if !self.turned.contains(&peer) {
            self.turned.push(peer);
        }
    }

    /// The links that have become eager since the last call: what was pushed before without an id did not go over them.
    pub fn take_turned(&mut self) -> Vec<PeerId> {
        std::mem::take(&mut self.turned)
    }

    fn neighbor_down(&mut self, now: Time, peer: PeerId, out: &mut Outbox<Self>) {
        let Some(neighbor) = self.neighbors.remove(&peer) else { return };
        self.turned.retain(|turned| *turned != peer);
        self.mend_tree(peer, out);
        self.missing.neighbor_gone(now, peer, neighbor.mode == Mode::Eager);
        self.graft_missing(now, out);
    }

    /// Asks for what is missing and due, and sets the timer for what is due next.
    fn graft_missing(&mut self, now: Time, out: &mut Outbox<Self>) {
        let requests = self.missing.take_due(now, &self.config);
        self.metrics.given_up += requests.given_up;
        for (peer, ids) in requests.grafts {
            self.graft(peer, ids, out);
        }
        self.await_missing(now, out);
    }

    /// Makes a link eager at both ends and asks for payloads.
    fn graft(&mut self, peer: PeerId, ids: DotSet, out: &mut Outbox<Self>) {
        if !self.neighbors.contains_key(&peer) {
            return;
        }
        self.metrics.grafts_sent += 1;
        self.ask_to_push(peer, ids, out);
    }

    /// A link is to be eager at both ends, and these payloads are to be sent over it.
    pub(super) fn ask_to_push(&mut self, peer: PeerId, ids: DotSet, out: &mut Outbox<Self>) {
        self.turn_eager(peer);
        self.shape.keep(peer);
        out.send(peer, Message::Graft(ids));
    }

    /// Whether payloads are pushed to a neighbour.
    pub(super) fn is_eager(&self, peer: PeerId) -> bool {
        self.neighbors.get(&peer).is_some_and(|neighbor| neighbor.mode == Mode::Eager)
    }

    fn await_missing(&mut self, now: Time, out: &mut Outbox<Self>) {
        let Some(due) = self.missing.next_due() else { return };
        if self.missing_at.is_none_or(|at| due < at) {
            self.missing_at = Some(due);
            out.set_timer(due.since(now), Timer::Missing(due));
        }
    }

    /// Sends the batch of announcements to the lazy neighbours that do not have all of it.
    fn announce(&mut self, now: Time, out: &mut Outbox<Self>) {
        self.announce_at = None;
        let batch = self.announcements.batch();
        for (&peer, neighbor) in self.neighbors.iter_mut().filter(|(_, neighbor)| neighbor.hears_announcements()) {
            neighbor.owed = neighbor.owed.saturating_sub(1);
            let ids = if neighbor.has.is_empty() { batch.clone() } else { batch.difference(&neighbor.has) };
            if !ids.is_empty() {
                self.metrics.ihaves_sent += 1;
                out.send(peer, Message::IHave(ids));
            }
        }
        self.announcements.rotate();
        for neighbor in self.neighbors.values_mut().filter(|neighbor| !neighbor.has.is_empty()) {
            neighbor.has = self.announcements.among(&neighbor.has);
        }
        self.await_announcement(now, out);
    }

    /// Sets the timer for the next batch, if there is something to announce and somebody to hear it.
    pub(super) fn await_announcement(&mut self, now: Time, out: &mut Outbox<Self>) {
        if self.announce_at.is_some() || self.announcements.is_empty() {
            return;
        }
        if !self.neighbors.values().any(Neighbor::hears_announcements) {
            return self.announcements.clear();
        }
        let Config { announce_after, announce_after_most, .. } = *self.config;
        let wait = self.rng.jitter(self.announcements.wait(announce_after, announce_after_most), 0.2);
        let at = now + wait;
        self.announce_at = Some(at);
        out.set_timer(wait, Timer::Announce(at));
    }

    fn on_ihave(&mut self, now: Time, from: PeerId, announced: &DotSet, out: &mut Outbox<Self>) {
        self.metrics.ihaves_received += 1;
        let Some(neighbor) = self.neighbors.get_mut(&from) else { return };
        if neighbor.hears_announcements() {
            neighbor.has.union_with(&self.announcements.among(announced));
        }
        let unseen = self.seen.unseen(announced.ranges());
        self.missing.announced(now, from, &unseen, &self.config);
        self.await_missing(now, out);
    }
}

impl Neighbor {
    /// An eager link, of which nothing is known.
    fn new() -> Self {
        Self {
            mode: Mode::Eager,
            kept: false,
            told: false,
            depth: UNKNOWN,
            settles_at: Time::ZERO,
            owed: 0,
            has: DotSet::new(),
        }
    }

    /// Whether it hears of what arrives by announcements.
    pub(super) fn hears_announcements(&self) -> bool {
        self.mode == Mode::Lazy || self.owed > 0
    }

    /// `true` if it was not.
    fn make_eager(&mut self) -> bool {
        let was_lazy = std::mem::replace(&mut self.mode, Mode::Eager) == Mode::Lazy;
        if was_lazy {
            // Each id is announced in two batches.
            self.owed = 2;
        }
        was_lazy
    }

    pub(super) fn make_lazy(&mut self, settles_at: Time) {
        self.mode = Mode::Lazy;
        self.settles_at = settles_at;
    }
}
