//! The state machine that brings messages to single peers, for those it sends and those it passes on.

use super::config::Config;
use super::message::{Answer, Message, Search, Stamp, Walk};
use super::once::{Arrival, Arrivals, Searches};
use super::outgoing::{Outbound, Outgoing};
use super::routes::Routes;
use super::{Command, Event, Failure, Payload};
use crate::peer::PeerId;
use crate::protocol::{Input, Outbox, Protocol};
use crate::quota::Quota;
use crate::time::Time;
use std::collections::BTreeMap;

/// Messages to single peers, at one peer.
#[derive(Debug)]
pub struct Unicast<P> {
    config: Config,
    me: PeerId,
    life: u64,
    /// What this peer has said in this life.
    said: u64,
    neighbors: BTreeMap<PeerId, Quota>,
    routes: Routes,
    searches: Searches,
    arrivals: Arrivals,
    outgoing: Outbound<P>,
    metrics: Metrics,
}

/// What was sent, passed on and given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Own messages that were acknowledged.
    pub delivered: u64,
    /// Own messages that were given up or refused.
    pub failed: u64,
    /// Messages that arrived here.
    pub arrived: u64,
    /// Of those, ones that had arrived before.
    pub repeated: u64,
    /// Messages of others passed on.
    pub carried: u64,
    /// Messages of others for which there was no way on.
    pub lost: u64,
    /// Own searches.
    pub searches: u64,
    /// Searches of others passed on.
    pub searches_passed: u64,
    /// Searches of others that were not passed on because their sender asks for too many.
    pub searches_refused: u64,
}

/// An attempt to deliver a message has taken long enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    serial: u64,
    attempt: u8,
}

type Out<P> = Outbox<Unicast<P>>;

impl<P: Payload> Protocol for Unicast<P> {
    type Command = Command<P>;
    type Message = Message<P>;
    type Timer = Timer;
    type Event = Event<P>;

    fn handle(&mut self, now: Time, input: Input<Self>, out: &mut Out<P>) {
        match input {
            Input::Command(Command::Send { token, to, payload }) => self.send(now, token, to, payload, out),
            Input::Command(Command::Forget(token)) => self.outgoing.forget(token),
            Input::Command(Command::NeighborUp(peer)) => self.neighbor_up(now, peer, out),
            Input::Command(Command::NeighborDown(peer)) => self.neighbor_down(peer, out),
            Input::Received { from, message } => self.receive(now, from, message, out),
            Input::Expired(timer) => self.expired(timer, out),
            // Links are the business of membership.
            Input::Start | Input::LinkUp { .. } | Input::DialFailed(_) | Input::LinkDown(_) | Input::Drained { .. } => {
            }
        }
    }
}

impl<P: Payload> Unicast<P> {
    /// Messages of the peer `me` in its life `life`, above those of its earlier lives.
    pub fn new(config: Config, me: PeerId, life: u64) -> Self {
        Self {
            me,
            life,
            said: 0,
            neighbors: BTreeMap::new(),
            routes: Routes::new(config.routes),
            searches: Searches::new(config.searches),
            arrivals: Arrivals::new(config.senders, config.outgoing_limit),
            outgoing: Outbound::new(),
            metrics: Metrics::default(),
            config,
        }
    }

    /// Counters.
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// How many own messages are not yet acknowledged.
    pub fn waiting(&self) -> usize {
        self.outgoing.len()
    }

    /// How many routes are remembered.
    pub fn routes(&self) -> usize {
        self.routes.len()
    }

    const fn stamp(&mut self) -> Stamp {
        self.said += 1;
        Stamp { life: self.life, serial: self.said }
    }

    // ---- this peer's own messages ----

    fn send(&mut self, now: Time, token: u64, to: PeerId, payload: P, out: &mut Out<P>) {
        let message =
            Outgoing { token, to, payload, asked_at: now, attempt: 0, searched: false, sent: false, over: None };
        if to == self.me {
            if message.payload.weight() > self.config.max_payload {
                return self.fail(token, Failure::TooLarge, out);
            }
            self.metrics.arrived += 1;
            self.metrics.delivered += 1;
            out.emit(Event::Arrived { from: to, payload: message.payload });
            return out.emit(Event::Delivered { token, hops: 0, after: now.since(now) });
        }
        let Stamp { serial, .. } = self.stamp();
        match self.outgoing.add(serial, message, &self.config) {
            Ok(()) => self.attempt(serial, out),
            Err(reason) => self.fail(token, reason, out),
        }
    }

    /// Sends a message over the route there is, or searches for one; and sets the time for an answer.
    fn attempt(&mut self, serial: u64, out: &mut Out<P>) {
        let Some(message) = self.outgoing.get_mut(serial) else { return };
        let (to, attempt) = (message.to, message.attempt);
        out.set_timer(self.config.patience * (1 << attempt.min(8)), Timer { serial, attempt });
        if !self.dispatch(serial, out) {
            let wide =
                self.outgoing.get_mut(serial).is_some_and(|message| std::mem::replace(&mut message.searched, true));
            self.search(to, wide, out);
        }
    }

    /// Sends a message over the route there is; `false` if there is none.
    fn dispatch(&mut self, serial: u64, out: &mut Out<P>) -> bool {
        let Some(message) = self.outgoing.get_mut(serial) else { return true };
        let Some(over) = next_hop(&self.neighbors, &mut self.routes, message.to) else { return false };
        message.over = Some(over);
        message.sent = true;
        let walk = Walk { origin: self.me, stamp: Stamp { life: self.life, serial }, target: message.to, hops: 1 };
        let payload = message.payload.clone();
        let oldest = self.outgoing.oldest_to(walk.target).unwrap_or(serial);
        let Stamp { serial: count, .. } = self.stamp();
        out.send(over, Message::Carry { walk, oldest, count, payload });
        true
    }

    fn search(&mut self, target: PeerId, wide: bool, out: &mut Out<P>) {
        self.metrics.searches += 1;
        let search = Search { origin: self.me, stamp: self.stamp(), target, hops: 1, wide };
        out.emit(Event::Spread { search, except: None });
    }

    /// Sends what waits for a route to a peer.
    fn route_found(&mut self, to: PeerId, out: &mut Out<P>) {
        for serial in self.outgoing.to(to) {
            if self.outgoing.get_mut(serial).is_some_and(|message| message.over.is_none()) {
                self.dispatch(serial, out);
            }
        }
    }

    fn neighbor_up(&mut self, now: Time, peer: PeerId, out: &mut Out<P>) {
        self.neighbors.insert(peer, Quota::new(now, self.config.searches_per_second));
        self.route_found(peer, out);
    }

    /// What was sent over a link that is gone may not have left: it is tried again at once.
    fn neighbor_down(&mut self, peer: PeerId, out: &mut Out<P>) {
        self.neighbors.remove(&peer);
        self.routes.neighbor_gone(peer);
        for serial in self.outgoing.over(peer) {
            self.next_attempt(serial, out);
        }
    }

    fn expired(&mut self, timer: Timer, out: &mut Out<P>) {
        let Some(message) = self.outgoing.get_mut(timer.serial) else { return };
        if message.attempt == timer.attempt {
            let to = message.to;
            self.routes.spoil(to);
            self.next_attempt(timer.serial, out);
        }
    }

    fn next_attempt(&mut self, serial: u64, out: &mut Out<P>) {
        let Some(message) = self.outgoing.get_mut(serial) else { return };
        if message.attempt + 1 < self.config.attempts {
            message.attempt += 1;
            message.over = None;
            return self.attempt(serial, out);
        }
        let reason = if message.sent { Failure::NotAcknowledged } else { Failure::NoRoute };
        if let Some(message) = self.outgoing.remove(serial) {
            self.fail(message.token, reason, out);
        }
    }

    fn fail(&mut self, token: u64, reason: Failure, out: &mut Out<P>) {
        self.metrics.failed += 1;
        out.emit(Event::Failed { token, reason });
    }

    // ---- what comes over links ----

    fn receive(&mut self, now: Time, from: PeerId, message: Message<P>, out: &mut Out<P>) {
        if !self.neighbors.contains_key(&from) {
            return;
        }
        match message {
            Message::Search(search) => self.on_search(now, from, search, out),
            Message::Found(answer) => self.on_found(from, answer, out),
            Message::Carry { walk, oldest, count, payload } => self.on_carry(from, walk, (oldest, count), payload, out),
            Message::Taken(answer) => self.on_taken(now, from, answer, out),
            Message::Lost(walk) => self.on_lost(from, walk, out),
        }
    }

    fn on_search(&mut self, now: Time, from: PeerId, search: Search, out: &mut Out<P>) {
        if search.origin == self.me || !self.searches.first(search.origin, search.stamp) {
            return;
        }
        let Search { origin, stamp, target, hops, wide } = search;
        self.routes.learn(origin, from, stamp, hops);
        if target == self.me {
            let walk = Walk { origin, stamp, target, hops: 1 };
            let at = self.stamp();
            return out.send(from, Message::Found(Answer { walk, at }));
        }
        let per_second = self.config.searches_per_second;
        if !self.neighbors.get_mut(&from).is_some_and(|quota| quota.take(now, per_second)) {
            self.metrics.searches_refused += 1;
            return;
        }
        if hops < self.config.max_hops {
            self.metrics.searches_passed += 1;
            let search = Search { origin, stamp, target, hops: hops + 1, wide };
            if self.neighbors.contains_key(&target) {
                out.send(target, Message::Search(search));
            } else {
                out.emit(Event::Spread { search, except: Some(from) });
            }
        }
    }

    fn on_found(&mut self, from: PeerId, answer: Answer, out: &mut Out<P>) {
        let Answer { walk, at } = answer;
        if walk.target == self.me {
            return;
        }
        self.routes.learn(walk.target, from, at, walk.hops);
        if walk.origin == self.me {
            self.route_found(walk.target, out);
        } else if let Some((back, walk)) = self.way_back(from, walk) {
            out.send(back, Message::Found(Answer { walk, at }));
        }
    }

    fn on_carry(&mut self, from: PeerId, walk: Walk, counts: (u64, u64), payload: P, out: &mut Out<P>) {
        let (oldest, count) = counts;
        if walk.origin == self.me || payload.weight() > self.config.max_payload {
            return;
        }
        self.routes.learn(walk.origin, from, Stamp { serial: count, ..walk.stamp }, walk.hops);
        if walk.target == self.me {
            match self.arrivals.take(walk.origin, walk.stamp, oldest) {
                Arrival::New => {
                    self.metrics.arrived += 1;
                    out.emit(Event::Arrived { from: walk.origin, payload });
                }
                Arrival::Known => self.metrics.repeated += 1,
                Arrival::Ignored => return,
            }
            let at = self.stamp();
            return out.send(from, Message::Taken(Answer { walk: Walk { hops: 1, ..walk }, at }));
        }
        let over = next_hop(&self.neighbors, &mut self.routes, walk.target);
        match over.filter(|&over| over != from && walk.hops < self.config.max_hops) {
            Some(over) => {
                self.metrics.carried += 1;
                out.send(over, Message::Carry { walk: Walk { hops: walk.hops + 1, ..walk }, oldest, count, payload });
            }
            None => {
                self.metrics.lost += 1;
                self.routes.spoil(walk.target);
                out.send(from, Message::Lost(Walk { hops: 1, ..walk }));
            }
        }
    }

    fn on_taken(&mut self, now: Time, from: PeerId, answer: Answer, out: &mut Out<P>) {
        let Answer { walk, at } = answer;
        if walk.target == self.me {
            return;
        }
        self.routes.learn(walk.target, from, at, walk.hops);
        if walk.origin != self.me {
            if let Some((back, walk)) = self.way_back(from, walk) {
                out.send(back, Message::Taken(Answer { walk, at }));
            }
        } else if self.is_waiting_for(walk)
            && let Some(message) = self.outgoing.remove(walk.stamp.serial)
        {
            self.metrics.delivered += 1;
            let after = now.since(message.asked_at);
            out.emit(Event::Delivered { token: message.token, hops: walk.hops, after });
        }
    }

    /// A message found no way on. The route is spoilt, here and at every hop back; its sender tries again at once.
    fn on_lost(&mut self, from: PeerId, walk: Walk, out: &mut Out<P>) {
        self.routes.spoil_over(walk.target, from);
        if walk.origin != self.me {
            if let Some((back, walk)) = self.way_back(from, walk) {
                out.send(back, Message::Lost(walk));
            }
        } else if self.is_waiting_for(walk) {
            self.next_attempt(walk.stamp.serial, out);
        }
    }

    fn is_waiting_for(&mut self, walk: Walk) -> bool {
        let Stamp { life, serial } = walk.stamp;
        life == self.life && self.outgoing.get_mut(serial).is_some_and(|message| message.to == walk.target)
    }

    /// The neighbour towards the origin of a walk, and the walk as it goes there; unless it came from there or is too long.
    fn way_back(&mut self, from: PeerId, walk: Walk) -> Option<(PeerId, Walk)> {
        let back = next_hop(&self.neighbors, &mut self.routes, walk.origin)?;
        (back != from && walk.hops < self.config.max_hops).then(|| (back, Walk { hops: walk.hops + 1, ..walk }))
    }
}

/// The neighbour over which a peer is reached: itself, if it is one.
fn next_hop(neighbors: &BTreeMap<PeerId, Quota>, routes: &mut Routes, to: PeerId) -> Option<PeerId> {
    if neighbors.contains_key(&to) { Some(to) } else { routes.find(to) }
}
