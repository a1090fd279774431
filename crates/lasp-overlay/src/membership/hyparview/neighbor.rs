//! The handshake by which two peers become neighbours, and its end.
//!
//! The side that asks mints a [`LinkId`] and repeats `Request` (or `Join`) until an answer comes. The other side makes
//! room or rejects; if it accepts, it has a neighbour from then on. The asker has one from the `Accept` on; if it has
//! changed its mind it says `Disconnect`. Whoever turns down a peer in need, or gives one up for another, names it its own
//! neighbours: they live, and one of them may have room. Both sides may ask at once: each accepts, and the greater link wins. What
//! message loss leaves one-sided, the probes find.

use super::message::{LinkId, MAX_PEERS, Message, Priority};
use super::{HyParView, Out, Timer};
use crate::membership::Event;
use crate::peer::{Contact, PeerId};
use crate::rng::Rng;
use crate::time::Time;
use lasp_crdt::Dot;

/// How far one message may push the clock, so that no peer can exhaust it.
const MAX_LEAP: u64 = 1 << 20;

/// How many requests may be under way. Beyond it, walks that end here are let go.
const PENDING: usize = 32;

/// Mints link ids: a Lamport clock from a random start.
#[derive(Clone, Debug)]
pub(super) struct LinkClock(u64);

impl LinkClock {
    pub(super) fn new(rng: &mut Rng) -> Self {
        Self(rng.below(1 << 16))
    }

    fn mint(&mut self, rng: &mut Rng) -> LinkId {
        self.0 += 1 + rng.below(16);
        LinkId(self.0)
    }

    pub(super) fn observe(&mut self, link: LinkId) {
        self.0 = self.0.max(link.0.min(self.0 + MAX_LEAP));
    }
}

/// Why a peer is asked to become a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To enter the overlay through it.
    Join,
    /// It has joined and its random walk ended here.
    Walk,
    /// To replace a lost neighbour.
    Refill(Priority),
    /// In case it is on another island.
    Mend,
    /// The same, where nothing speaks for it: only if it has not heard what everybody on this one has.
    Visit,
    /// To exchange a neighbour for it.
    Optimise,
    /// To exchange a neighbour for it, as another peer's exchange demands.
    Switch,
}

impl Purpose {
    const fn message(self, link: LinkId) -> Message {
        let priority = match self {
            Self::Join => return Message::Join { link },
            Self::Walk | Self::Optimise | Self::Switch => Priority::Low,
            Self::Refill(priority) => priority,
            Self::Mend | Self::Visit => Priority::Mend,
        };
        Message::Request { link, priority }
    }

    /// How often it is sent. An exchange waits for others' requests.
    const fn attempts(self, usual: u32) -> u32 {
        match self {
            Self::Optimise => usual + 3,
            _ => usual,
        }
    }

    pub(super) const fn is_swap(self) -> bool {
        matches!(self, Self::Optimise | Self::Switch)
    }

    /// Whether an accepted request is worth another neighbour's place.
    const fn evicts(self) -> bool {
        !matches!(self, Self::Refill(Priority::Low))
    }
}

/// A request under way.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    contact: Contact,
    link: LinkId,
    pub(super) purpose: Purpose,
    attempts: u32,
}

impl HyParView {
    /// Asks a peer to become a neighbour, unless it is one or has been asked.
    pub(super) fn request(&mut self, now: Time, contact: &Contact, purpose: Purpose, out: &mut Out) {
        let peer = contact.id;
        if peer == self.me.id || self.view.is_active(peer) || self.pending.contains_key(&peer) {
            return;
        }
        if purpose == Purpose::Walk && self.pending.len() >= PENDING {
            return;
        }
        let link = self.clock.mint(&mut self.rng);
        let pending = Pending { contact: contact.clone(), link, purpose, attempts: 0 };
        self.pending.insert(peer, pending);
        self.ask(now, peer, out);
        out.set_timer(self.config.reply_timeout, Timer::Reply { peer, link });
    }

    /// Sends a pending request, for the first time or again.
    fn ask(&mut self, now: Time, peer: PeerId, out: &mut Out) {
        let Some(pending) = self.pending.get_mut(&peer) else {
            return;
        };
        pending.attempts += 1;
        let (contact, purpose, link) = (pending.contact.clone(), pending.purpose, pending.link);
        let mark = self.mending.shown(now).filter(|_| purpose == Purpose::Visit);
        let message = match mark {
            Some(mark) => Message::Visit { link, mark },
            None if purpose.is_swap() => self.swap_question(link),
            None => purpose.message(link),
        };
        for message in self.own_tag().into_iter().chain([message]) {
            self.links.send(now, &contact, message, out);
        }
    }

    /// Whom this peer has asked over a link that is up, and for which relation; ascending.
    pub(super) fn asked(&self) -> Vec<(PeerId, LinkId)> {
        let told = self.pending.values().filter(|pending| self.links.contact(pending.contact.id).is_some());
        told.map(|pending| (pending.contact.id, pending.link)).collect()
    }

    fn may_ask_again(&self, peer: PeerId) -> bool {
        let usual = self.config.request_attempts;
        self.pending.get(&peer).is_some_and(|pending| pending.attempts < pending.purpose.attempts(usual))
    }

    /// No answer yet: asks again, or gives the peer up.
    pub(super) fn on_reply_overdue(&mut self, now: Time, peer: PeerId, link: LinkId, out: &mut Out) {
        if self.pending.get(&peer).is_none_or(|p| p.link != link) {
            return;
        }
        if self.may_ask_again(peer) {
            self.ask(now, peer, out);
            return out.set_timer(self.config.reply_timeout, Timer::Reply { peer, link });
        }
        if self.links.contact(peer).is_some() {
            out.send(peer, Message::Disconnect { link, alive: true });
        }
        self.candidate_failed(now, peer, out);
    }

    /// The link is gone. The other side may have closed it as idle just before it would have read the request.
    pub(super) fn repeat_request(&mut self, now: Time, peer: PeerId, out: &mut Out) {
        if self.may_ask_again(peer) {
            self.ask(now, peer, out);
        } else if self.pending.contains_key(&peer) {
            self.candidate_failed(now, peer, out);
        }
    }

    /// A peer that is not a neighbour could not be reached or does not answer.
    pub(super) fn candidate_failed(&mut self, now: Time, peer: PeerId, out: &mut Out) {
        self.view.forget(peer);
        self.request_failed(now, peer, out);
        self.doubt(now, out);
    }

    /// Drops a pending request and does what is next.
    fn request_failed(&mut self, now: Time, peer: PeerId, out: &mut Out) {
        let Some(pending) = self.pending.remove(&peer) else {
            return;
        };
        if pending.purpose.is_swap() {
            self.swap_failed(now, out);
        }
        self.contact_refused(peer, out);
        self.refill(now, out);
    }

    /// Whether to accept a request, evicting a neighbour if need be.
    fn grants(&mut self, now: Time, peer: PeerId, priority: Priority) -> bool {
        let full = self.view.degree() >= self.places_for(peer);
        match priority {
            _ if !full => true,
            Priority::High => true,
            Priority::Low => false,
            Priority::Mend => self.mending.grants(now, peer, self.config.mend_pause),
        }
    }

    pub(super) fn on_request(&mut self, now: Time, sender: Contact, link: LinkId, priority: Priority, out: &mut Out) {
        self.clock.observe(link);
        if self.view.is_active(sender.id) {
            return self.renew(now, sender.id, link, Vec::new(), out);
        }
        if self.grants(now, sender.id, priority) {
            self.accept(now, sender, link, Vec::new(), out);
        } else {
            if priority == Priority::Mend {
                self.commend_neighbors(sender.id, None, out);
            }
            self.reject(&sender, link, out);
        }
        self.check_silent(now, out);
    }

    /// A stranger asks, in case it is on another island.
    pub(super) fn on_visit(&mut self, now: Time, sender: Contact, link: LinkId, mark: Dot, out: &mut Out) {
        if self.mending.has_heard(now, mark) && !self.view.is_active(sender.id) {
            self.clock.observe(link);
            return self.reject(&sender, link, out);
        }
        self.on_request(now, sender, link, Priority::Mend, out);
    }

    /// Turns a request down; who asked is remembered.
    pub(super) fn reject(&mut self, sender: &Contact, link: LinkId, out: &mut Out) {
        self.metrics.refused += 1;
        out.send(sender.id, Message::Reject { link });
        self.view.learn(sender, &[], &mut self.rng);
    }

    /// Makes a peer that asked for it a neighbour.
    pub(super) fn accept(&mut self, now: Time, sender: Contact, link: LinkId, peers: Vec<Contact>, out: &mut Out) {
        self.make_room(&sender, out);
        self.say_accepted(sender.id, link, peers, out);
        self.activate(now, sender, link, out);
        self.refill(now, out);
    }

    /// A neighbour asks to become one: it has not heard the answer, or has lost this peer meanwhile. A lesser link
    /// is stale.
    pub(super) fn renew(&mut self, now: Time, peer: PeerId, link: LinkId, peers: Vec<Contact>, out: &mut Out) {
        let Some(neighbor) = self.view.neighbor_mut(peer) else {
            return;
        };
        if link < neighbor.link {
            return;
        }
        neighbor.link = link;
        neighbor.confirmed = now;
        self.say_accepted(peer, link, peers, out);
    }

    fn say_accepted(&self, peer: PeerId, link: LinkId, peers: Vec<Contact>, out: &mut Out) {
        for message in self.own_tag().into_iter().chain([Message::Accept { link, peers }]) {
            out.send(peer, message);
        }
    }

    pub(super) fn on_accept(&mut self, now: Time, sender: Contact, link: LinkId, peers: &[Contact], out: &mut Out) {
        self.clock.observe(link);
        if let Some(neighbor) = self.view.neighbor_mut(sender.id) {
            neighbor.link = neighbor.link.max(link);
            neighbor.confirmed = now;
            return;
        }
        match self.pending.get(&sender.id) {
            Some(pending) if pending.link == link => {
                self.on_accepted(now, sender, link, peers, out);
            }
            // Given up meanwhile, or asked anew: this relation does not come about.
            _ => out.send(sender.id, Message::Disconnect { link, alive: true }),
        }
    }

    fn on_accepted(&mut self, now: Time, sender: Contact, link: LinkId, peers: &[Contact], out: &mut Out) {
        let pending = self.pending.remove(&sender.id);
        if pending.as_ref().is_some_and(|pending| pending.purpose.is_swap()) {
            return self.finish_swap(now, sender, link, out);
        }
        let evicts = pending.is_some_and(|pending| pending.purpose.evicts());
        for peer in peers {
            self.view.learn(peer, &[], &mut self.rng);
        }
        if self.view.degree() >= self.places_for(sender.id) && !evicts {
            out.send(sender.id, Message::Disconnect { link, alive: true });
            self.view.learn(&sender, &[], &mut self.rng);
        } else {
            self.make_room(&sender, out);
            self.activate(now, sender, link, out);
        }
        self.refill(now, out);
    }

    pub(super) fn on_reject(&mut self, now: Time, from: PeerId, link: LinkId, out: &mut Out) {
        if self.pending.get(&from).is_some_and(|p| p.link == link) {
            self.promotion.refused_by(from);
            self.request_failed(now, from, out);
        }
    }

    /// Evicts a random neighbour, but none that holds a place kept for its tag, if there is no free place for `newcomer`.
    fn make_room(&mut self, newcomer: &Contact, out: &mut Out) {
        if self.view.degree() < self.places_for(newcomer.id) {
            return;
        }
        let neighbors = self.view.neighbors().map(|neighbor| neighbor.contact.id);
        let holders: Vec<PeerId> = neighbors.filter(|id| self.holds_place(*id)).collect();
        let victim = self.view.random_neighbor(&holders, &mut self.rng);
        let Some(victim) = victim.or_else(|| self.view.random_neighbor(&[], &mut self.rng)) else {
            return;
        };
        self.commend_neighbors(victim.id, Some(newcomer), out);
        self.part_with(victim.id, out);
        self.metrics.evictions += 1;
    }

    /// Names a peer whom it may turn to instead: the neighbours here, and `another`.
    fn commend_neighbors(&self, to: PeerId, another: Option<&Contact>, out: &mut Out) {
        let neighbors = self.view.neighbors().map(|neighbor| &neighbor.contact);
        let others = another.into_iter().chain(neighbors).filter(|contact| contact.id != to);
        let peers = others.take(MAX_PEERS).cloned().collect();
        out.send(to, Message::Exchange { peers, answer: false });
    }

    /// Ends the relation with a neighbour, which is kept as passive peer.
    pub(super) fn part_with(&mut self, peer: PeerId, out: &mut Out) {
        let Some(neighbor) = self.view.neighbor(peer) else {
            return;
        };
        let (contact, link) = (neighbor.contact.clone(), neighbor.link);
        out.send(peer, Message::Disconnect { link, alive: true });
        self.deactivate(peer, out);
        self.view.learn(&contact, &[], &mut self.rng);
    }

    pub(super) fn on_disconnect(&mut self, now: Time, sender: &Contact, link: LinkId, alive: bool, out: &mut Out) {
        self.clock.observe(link);
        let current = self.view.neighbor(sender.id).map(|neighbor| neighbor.link);
        if current.is_some_and(|current| link < current) {
            return; // about an earlier relation
        }
        if !alive && !self.view.has_departed(sender) {
            out.emit(Event::Left(sender.id));
        }
        self.deactivate(sender.id, out);
        if alive {
            self.view.learn(sender, &[], &mut self.rng);
        } else {
            self.view.depart(sender);
            self.mending.forget(sender.id);
        }
        let refused = self.pending.get(&sender.id).is_some_and(|p| p.link == link);
        if refused || !alive {
            self.request_failed(now, sender.id, out);
        }
        if current.is_some() {
            self.replace(now, Some(sender.id), out);
        }
    }
}
