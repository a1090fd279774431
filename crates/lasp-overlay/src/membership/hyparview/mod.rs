//! HyParView: a membership protocol for reliable gossip-based broadcast (Leitão, Pereira, Rodrigues, DSN 2007).
//!
//! Each peer keeps a small *active view* of neighbours, symmetric and linked, and a larger *passive view* of others to
//! replace them from. Beyond the paper: a neighbour relation comes about by a handshake and has a [`LinkId`], so that
//! no stale message harms a newer relation; every handshake is retried; probes find half-open links and one-sided
//! relations; a peer that is alone tries for ever; islands left by a partition find each other again.
//!
//! This file holds the state, the dispatch, and the only two places where the active view changes. The mechanisms:
//! `join` (entering and leaving), `neighbor` (the handshake), `promote` (replacing lost neighbours), `shuffle` (refreshing
//! the passive view), `probe` (failures and symmetry), `mend` (islands), `tag` (places that are kept), `xbot`
//! (cheaper links). What they work on: `view`, `links`, `message`,
//! `config`. Knows nothing of what travels over the links.

mod config;
mod join;
mod links;
mod mend;
mod message;
mod neighbor;
mod probe;
mod promote;
mod shuffle;
mod tag;
mod view;
pub mod xbot;

pub use config::Config;
pub use message::{LinkId, MAX_PEERS, Message, Priority};
pub use tag::{MAX_TAG_LEN, Tag};

use super::{Command, Event, Membership, Metrics};
use crate::peer::{Addr, Contact, PeerId};
use crate::peer_map::PeerMap;
use crate::protocol::{Input, Outbox, Output, Protocol};
use crate::rng::Rng;
use crate::time::Time;
use join::Joining;
use links::Links;
use mend::Mending;
use neighbor::{LinkClock, Pending};
use promote::Promotion;
use shuffle::Shuffling;
use std::sync::Arc;
use std::time::Duration;
use tag::Tags;
use view::{Neighbor, View};
use xbot::Xbot;

type Out = Outbox<HyParView>;

/// How often the periodic upkeep runs; give or take a quarter.
const TICK: Duration = Duration::from_secs(1);

/// HyParView at one peer.
#[derive(Clone, Debug)]
pub struct HyParView {
    me: Contact,
    config: Arc<Config>,
    rng: Rng,
    /// Grows with every start and leave, so that periodic timers of before are recognised.
    term: u32,
    left: bool,
    view: View,
    links: Links,
    clock: LinkClock,
    /// Peers asked to become neighbours.
    pending: PeerMap<Pending>,
    joining: Joining,
    promotion: Promotion,
    shuffling: Shuffling,
    mending: Mending,
    tags: Tags,
    xbot: Option<Box<Xbot>>,
    metrics: Metrics,
}

/// What the timers of [`HyParView`] carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Periodic upkeep: probes, replacement, mending, closing of idle links.
    Tick {
        /// Since which start or leave.
        term: u32,
    },
    /// Time to exchange samples.
    Shuffle {
        /// Which timer: the last one set alone counts.
        plan: u32,
    },
    /// Time to look for cheaper links.
    Optimise {
        /// Since which start or leave.
        term: u32,
    },
    /// An exchange of links should have come further.
    Swap {
        /// Which step of which exchange.
        step: u32,
    },
    /// Time to try the next contact.
    Join {
        /// Which step of joining this is about.
        step: u32,
    },
    /// An answer to a neighbour request is due.
    Reply {
        /// Whose answer.
        peer: PeerId,
        /// The relation asked for.
        link: LinkId,
    },
}

impl HyParView {
    /// The protocol of the peer `contact`, not yet in any cluster. Peers can share their settings.
    pub fn new(config: impl Into<Arc<Config>>, contact: Contact, mut rng: Rng) -> Self {
        let config = config.into();
        Self {
            view: View::new(contact.id, config.passive_capacity),
            clock: LinkClock::new(&mut rng),
            me: contact,
            rng,
            term: 0,
            left: false,
            links: Links::default(),
            pending: PeerMap::new(),
            joining: Joining::default(),
            promotion: Promotion::default(),
            shuffling: Shuffling::default(),
            mending: Mending::default(),
            tags: Tags::default(),
            xbot: config.optimise.clone().map(|optimise| Box::new(Xbot::new(optimise))),
            metrics: Metrics::default(),
            config,
        }
    }

    /// Every peer that this one has a link to, ascending: neighbours, and others while there is something to say.
    pub fn linked(&self) -> impl Iterator<Item = PeerId> {
        self.links.peers()
    }

    /// Begins a term: sets the periodic timers.
    fn start(&mut self, now: Time, out: &mut Out) {
        self.term += 1;
        self.left = false;
        self.promotion.pause(now + self.config.refill_urgent);
        self.mending.pause(now + self.rng.jitter(self.config.mend_interval, 0.25));
        self.set_tick(out);
        self.set_shuffle(out);
        self.set_optimise(out);
    }

    fn set_tick(&mut self, out: &mut Out) {
        let term = self.term;
        out.set_timer(self.rng.jitter(TICK, 0.25), Timer::Tick { term });
    }

    fn on_tick(&mut self, now: Time, out: &mut Out) {
        self.set_tick(out);
        self.hasten_shuffles(out);
        for contact in self.links.overdue(now, self.config.dial_timeout) {
            self.candidate_failed(now, contact.id, out);
        }
        self.probe(now, out);
        self.mend(now, out);
        self.seek(now, out);
        self.refill_if_due(now, out);
        let (view, pending) = (&self.view, &self.pending);
        let in_use = |peer| view.is_active(peer) || pending.contains_key(&peer);
        for contact in self.links.sweep(now, self.config.link_linger, self.config.spare_links, in_use, out) {
            self.view.keep(contact);
        }
    }

    /// The only way into the active view; the caller has made room.
    fn activate(&mut self, now: Time, contact: Contact, link: LinkId, out: &mut Out) {
        let overtaken = self.pending.remove(&contact.id).is_some_and(|pending| pending.purpose.is_swap());
        self.promotion.succeeded();
        self.shuffling.learned();
        self.mending.recovered(contact.id);
        self.joining.reached(&contact);
        self.view.activate(now, contact.clone(), link);
        self.metrics.ups += 1;
        out.emit(Event::Up(contact));
        if self.view.degree() == 1 {
            out.emit(Event::Joined);
        }
        if overtaken {
            self.swap_failed(now, out);
        }
    }

    /// The only way out of the active view.
    fn deactivate(&mut self, peer: PeerId, out: &mut Out) -> Option<Neighbor> {
        let neighbor = self.view.deactivate(peer)?;
        self.metrics.downs += 1;
        self.shuffling.disturbed();
        out.emit(Event::Down(peer));
        if self.view.degree() == 0 && !self.left {
            self.metrics.isolations += 1;
            self.promotion.insist();
            out.emit(Event::Isolated);
        }
        Some(neighbor)
    }

    fn on_message(&mut self, now: Time, from: PeerId, message: Message, out: &mut Out) {
        // Without a link there is nobody to answer: it was closed while this was on its way.
        let Some(sender) = self.links.contact(from).cloned() else {
            return;
        };
        self.links.touch(now, from);
        self.heard(now, from);
        if self.left {
            return self.answer_as_departed(now, &sender, &message, out);
        }
        match message {
            Message::Join { link } => self.on_join(now, sender, link, out),
            Message::ForwardJoin { ttl, peer } => self.on_forward_join(now, from, ttl, peer, out),
            Message::Request { link, priority } => {
                self.on_request(now, sender, link, priority, out);
            }
            Message::Accept { link, peers } => self.on_accept(now, sender, link, &peers, out),
            Message::Reject { link } => self.on_reject(now, from, link, out),
            Message::Disconnect { link, alive } => {
                self.on_disconnect(now, &sender, link, alive, out);
            }
            Message::Shuffle { ttl, origin } => self.on_shuffle(now, from, ttl, origin, out),
            Message::Exchange { peers, answer } => {
                self.on_exchange(now, &sender, &peers, answer, out);
            }
            Message::Ping { link } => self.on_ping(now, sender, link, out),
            Message::Pong { link, known } => self.on_pong(now, &sender, link, known, out),
            Message::Tag { tag } => self.on_tag(from, tag),
            Message::Seek { ttl, tag, origin } => self.on_seek(now, from, ttl, tag, origin, out),
            Message::Optimise { link, old } => self.on_optimise(now, sender, link, old, out),
            Message::Replace { link, old, initiator } => self.on_replace(now, from, link, old, initiator, out),
            Message::Keep { link } => self.on_keep(now, from, link, out),
            Message::Switch { link, initiator } => self.on_switch(now, sender, link, initiator, out),
            Message::Probe { nonce } => out.send(from, Message::Echo { nonce }),
            Message::Echo { nonce } => self.on_echo(now, sender, nonce, out),
            Message::Visit { link, mark } => self.on_visit(now, sender, link, mark, out),
        }
    }

    fn on_timer(&mut self, now: Time, timer: Timer, out: &mut Out) {
        match timer {
            Timer::Tick { term } if term == self.term && !self.left => self.on_tick(now, out),
            Timer::Shuffle { plan } if plan == self.shuffling.plan() && !self.left => self.shuffle(out),
            Timer::Optimise { term } if term == self.term && !self.left => self.optimise(now, out),
            Timer::Tick { .. } | Timer::Shuffle { .. } | Timer::Optimise { .. } => {}
            Timer::Swap { step } => self.on_swap_timer(now, step, out),
            Timer::Join { step } => self.on_join_timer(step, out),
            Timer::Reply { peer, link } => self.on_reply_overdue(now, peer, link, out),
        }
    }

    fn on_link_up(&mut self, now: Time, peer: &Contact, dialed: Option<Addr>, out: &mut Out) {
        if peer.id == self.me.id {
            out.push(Output::Close(peer.id));
            return dialed.map_or((), |addr| self.on_dial_failed(now, &addr, out));
        }
        let linked = self.links.contact(peer.id);
        if linked.is_some_and(|linked| linked.incarnation > peer.incarnation) {
            return;
        }
        let neighbor = self.view.neighbor(peer.id).map(|n| n.contact.incarnation);
        self.view.refresh(peer);
        self.links.came_up(now, peer, dialed.is_some(), out);
        match neighbor {
            Some(life) if life < peer.incarnation => self.forget_former_life(now, peer, out),
            Some(_) => self.ping(now, peer.id, out),
            None => {}
        }
        self.contact_reached(now, peer, dialed.as_ref(), out);
        self.resort_to(now, peer, dialed.is_some(), out);
    }

    /// A neighbour has been restarted: the relation died with its former life.
    fn forget_former_life(&mut self, now: Time, peer: &Contact, out: &mut Out) {
        self.deactivate(peer.id, out);
        self.tags.forget(peer.id);
        self.view.learn(peer, &[], &mut self.rng);
        self.complete_swap(now, peer.id, out);
        self.replace(now, None, out);
    }

    fn on_link_down(&mut self, now: Time, peer: PeerId, out: &mut Out) {
        self.links.went_down(peer);
        if self.view.is_active(peer) {
            self.neighbor_failed(now, peer, out);
        }
        self.repeat_request(now, peer, out);
    }

    fn on_dial_failed(&mut self, now: Time, addr: &Addr, out: &mut Out) {
        for contact in self.links.failed(addr) {
            self.candidate_failed(now, contact.id, out);
        }
        self.contact_failed(addr, out);
    }
}

impl Protocol for HyParView {
    type Command = Command;
    type Message = Message;
    type Timer = Timer;
    type Event = Event;

    fn handle(&mut self, now: Time, input: Input<Self>, out: &mut Out) {
        match input {
            Input::Start => self.start(now, out),
            Input::Command(Command::Join(contacts)) => self.join(now, &contacts, out),
            Input::Command(Command::Leave) => self.leave(out),
            Input::Command(Command::Mark(mark)) => self.mending.mark(now, mark),
            Input::Command(Command::Evict(_) | Command::Connect(_) | Command::Disconnect(_)) => {}
            Input::Received { from, message } => self.on_message(now, from, message, out),
            Input::Expired(timer) => self.on_timer(now, timer, out),
            Input::LinkUp { peer, dialed } => self.on_link_up(now, &peer, dialed, out),
            Input::DialFailed(addr) => self.on_dial_failed(now, &addr, out),
            Input::LinkDown(peer) => self.on_link_down(now, peer, out),
            Input::Drained { .. } => {}
        }
    }

    fn look_ahead(&self) -> u64 {
        self.links.look_ahead() ^ self.view.look_ahead()
    }
}

impl Membership for HyParView {
    fn contact(&self) -> &Contact {
        &self.me
    }

    fn active(&self) -> Vec<Contact> {
        let contacts = self.view.neighbors().map(|neighbor| &neighbor.contact);
        contacts.cloned().collect()
    }

    fn each_active(&self, each: &mut dyn FnMut(PeerId)) {
        self.view.neighbors().for_each(|neighbor| each(neighbor.contact.id));
    }

    fn passive(&self) -> Vec<Contact> {
        self.view.passive().cloned().collect()
    }

    fn contact_of(&self, peer: PeerId) -> Option<&Contact> {
        self.view.contact_of(peer)
    }

    fn is_active(&self, peer: PeerId) -> bool {
        self.view.is_active(peer)
    }

    fn heard(&mut self, now: Time, from: PeerId) {
        if let Some(neighbor) = self.view.neighbor_mut(from) {
            neighbor.heard = now;
            neighbor.unanswered = 0;
        }
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

#[cfg(test)]
mod tests;
