//! SCAMP: membership by subscriptions, with views that find their size by themselves.
//!
//! Version 1: Ganesh, Kermarrec, Massoulié, *SCAMP: peer-to-peer lightweight membership service for large-scale group
//! communication*, NGC 2001. Version 2: the same, *Peer-to-peer membership management for gossip-based protocols*, IEEE
//! Transactions on Computers 52(2), 2003.
//!
//! Views are directed: an *arc* leads from a peer to one in its *partial view*. The links of this crate are duplex, and
//! everything above needs neighbours that are neighbours of each other; so the active view is the partial view together
//! with the peers in whose partial view this peer is (the paper's InView), and about twice as large. A peer in the partial
//! view that cannot be linked stays there until its lease ends, as in the paper, and is passive meanwhile.
//!
//! This file holds the state, the dispatch, and the only place where the active view changes. `peers`: what is known of
//! each peer; `arcs`: how an arc comes about and ends; `subscribe`: subscriptions, `join` and `renew`: when
//! they are made; `heard`: whom a peer turns to that is alone; `leave`: unsubscriptions; `message`,
//! `config`. Knows nothing of what travels over the links.

mod arcs;
mod config;
mod heard;
mod join;
mod leave;
mod message;
mod peers;
mod renew;
mod subscribe;
mod twice;

pub use config::{Config, Version};
pub use message::{MAX_DEGREE, Message};

use super::{Command, Event, Membership, Metrics, Standing};
use crate::peer::{Addr, Contact, PeerId};
use crate::protocol::{Input, Outbox, Output, Protocol};
use crate::rng::Rng;
use crate::time::Time;
use heard::Heard;
use join::Joining;
use leave::Departed;
use peers::{Link, Peer, Peers};
use renew::Renewal;
use std::time::Duration;
use twice::Walks;

type Out = Outbox<Scamp>;

/// How often the periodic upkeep runs; give or take a quarter.
const TICK: Duration = Duration::from_secs(1);

/// SCAMP at one peer.
#[derive(Clone, Debug)]
pub struct Scamp {
    me: Contact,
    config: Config,
    rng: Rng,
    /// Grows with every start and leave, so that periodic timers of before are recognised.
    term: u32,
    left: bool,
    peers: Peers,
    joining: Joining,
    heard: Heard,
    renewal: Renewal,
    departed: Departed,
    walks: Walks,
    metrics: Metrics,
}

/// What the timers of [`Scamp`] carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Periodic upkeep: heartbeats, dials, leases, closing of idle links.
    Tick {
        /// Since which start or leave.
        term: u32,
    },
    /// Time to try the next contact.
    Join {
        /// Which step of joining this is about.
        step: u32,
    },
}

impl Scamp {
    /// The protocol of the peer `contact`, not yet in any cluster.
    pub fn new(config: Config, contact: Contact, rng: Rng) -> Self {
        Self {
            me: contact,
            config,
            rng,
            term: 0,
            left: false,
            peers: Peers::default(),
            joining: Joining::default(),
            heard: Heard::default(),
            renewal: Renewal::default(),
            departed: Departed::default(),
            walks: Walks::default(),
            metrics: Metrics::default(),
        }
    }

    /// The partial view, ascending by id: whom this peer chose, linked or not.
    pub fn partial_view(&self) -> Vec<Contact> {
        self.peers.iter().filter(|peer| peer.outgoing.is_some()).map(|peer| peer.contact.clone()).collect()
    }

    /// Those in whose partial view this peer is, as far as it hears, ascending by id.
    pub fn in_view(&self) -> Vec<Contact> {
        self.peers.iter().filter(|peer| peer.incoming.is_some()).map(|peer| peer.contact.clone()).collect()
    }

    /// Begins a term: sets the periodic timer.
    fn start(&mut self, now: Time, out: &mut Out) {
        self.term += 1;
        self.left = false;
        self.set_renewal(now);
        self.set_tick(out);
    }

    fn set_tick(&mut self, out: &mut Out) {
        let term = self.term;
        out.set_timer(self.rng.jitter(TICK, 0.25), Timer::Tick { term });
    }

    fn on_tick(&mut self, now: Time, out: &mut Out) {
        self.set_tick(out);
        self.tend_arcs(now, out);
        self.renew_if_due(now, out);
        self.mend_if_due(now, out);
        self.sweep(now, out);
    }

    /// The only place where the active view changes: brings what the owner was told about a peer in line with what is.
    fn settle(&mut self, peer: PeerId, out: &mut Out) {
        let turn = |entry: &mut Peer| {
            let is = entry.is_active();
            let was = std::mem::replace(&mut entry.up, is);
            let newcomer = (is && !was).then(|| entry.contact.clone());
            (newcomer, was && !is)
        };
        let Some((newcomer, lost)) = self.peers.change(peer, turn) else {
            return;
        };
        if let Some(contact) = newcomer {
            self.metrics.ups += 1;
            out.emit(Event::Up(contact));
            if self.peers.degree() == 1 {
                out.emit(Event::Joined);
            }
        } else if lost {
            self.metrics.downs += 1;
            out.emit(Event::Down(peer));
            if self.peers.degree() == 0 && !self.left {
                self.metrics.isolations += 1;
                out.emit(Event::Isolated);
            }
        }
        self.peers.tidy(peer);
    }

    fn on_message(&mut self, now: Time, from: PeerId, message: Message, out: &mut Out) {
        // Without a link there is nobody to answer: it was closed while this was on its way.
        let used = self.peers.change(from, |peer| peer.link.as_mut().map(|link| link.used = now)).flatten();
        if used.is_none() {
            return;
        }
        if self.left {
            return Self::answer_as_departed(from, &message, out);
        }
        match message {
            Message::Subscribe { copies } => self.on_subscribe(now, from, copies, out),
            Message::Indirect { copies, steps, walk, peer } => {
                if self.walks.arrives(now, &peer, walk, steps) {
                    self.hear_of(&peer);
                    self.on_indirect(now, copies, (steps, walk), peer, out);
                }
            }
            Message::Forward { hops, walk, peer } => {
                if self.walks.arrives(now, &peer, walk, hops) {
                    self.hear_of(&peer);
                    self.on_forward(now, (hops, walk), peer, out);
                }
            }
            Message::Arc { degree } => self.on_arc(now, from, degree, out),
            Message::Known { degree } => self.on_known(now, from, degree, out),
            Message::End => self.on_end(from, out),
            Message::Refuse => self.on_refuse(from, out),
            Message::Leave => self.on_leave(now, from, None, out),
            Message::Replace { by } => self.on_leave(now, from, Some(&by), out),
        }
    }

    fn hear_of(&mut self, peer: &Contact) {
        if peer.addr != self.me.addr {
            self.heard.note(&peer.addr);
        }
    }

    fn on_link_up(&mut self, now: Time, peer: &Contact, dialed: Option<Addr>, out: &mut Out) {
        if peer.id == self.me.id {
            out.push(Output::Close(peer.id));
            return dialed.map_or((), |addr| self.contact_failed(&addr, out));
        }
        let known = self.peers.get(peer.id).map(|known| known.contact.incarnation);
        if known.is_some_and(|life| life > peer.incarnation) {
            return;
        }
        if known.is_some_and(|life| life < peer.incarnation) {
            // It has been restarted: what was agreed upon died with its former life.
            self.link_lost(peer.id, out);
        }
        self.peers.change_or_add(peer, |entry| {
            entry.contact = peer.clone();
            entry.link = Some(Link { dialed: dialed.is_some() || entry.outgoing.is_some(), used: now });
        });
        self.hear_of(peer);
        self.offer_over_new_link(now, peer.id, out);
        self.contact_reached(now, peer, dialed.as_ref(), out);
    }
}

impl Protocol for Scamp {
    type Command = Command;
    type Message = Message;
    type Timer = Timer;
    type Event = Event;

    fn handle(&mut self, now: Time, input: Input<Self>, out: &mut Out) {
        match input {
            Input::Start => self.start(now, out),
            Input::Command(Command::Join(contacts)) => self.join(now, &contacts, out),
            Input::Command(Command::Leave) => self.leave(out),
            Input::Command(Command::Evict(_) | Command::Connect(_) | Command::Disconnect(_) | Command::Mark(_)) => {}
            Input::Received { from, message } => self.on_message(now, from, message, out),
            Input::Expired(Timer::Tick { term }) if term == self.term && !self.left => self.on_tick(now, out),
            Input::Expired(Timer::Tick { .. }) | Input::Drained { .. } => {}
            Input::Expired(Timer::Join { step }) => self.on_join_timer(step, out),
            Input::LinkUp { peer, dialed } => self.on_link_up(now, &peer, dialed, out),
            Input::DialFailed(addr) => {
                self.heard.forget(&addr);
                self.contact_failed(&addr, out);
            }
            Input::LinkDown(peer) => self.link_lost(peer, out),
        }
    }
}

impl Membership for Scamp {
    fn contact(&self) -> &Contact {
        &self.me
    }

    fn active(&self) -> Vec<Contact> {
        let neighbors = self.peers.neighbors().iter().filter_map(|id| self.peers.get(*id));
        neighbors.map(|peer| peer.contact.clone()).collect()
    }

    fn each_active(&self, each: &mut dyn FnMut(PeerId)) {
        self.peers.neighbors().iter().copied().for_each(each);
    }

    fn passive(&self) -> Vec<Contact> {
        let passive = self.peers.iter().filter(|peer| peer.outgoing.is_some() && !peer.up);
        passive.map(|peer| peer.contact.clone()).collect()
    }

    /// The neighbours: a peer in the view that cannot be linked is not to be told from one that has left unheard.
    fn members(&self) -> Vec<(Contact, Standing)> {
        self.active().into_iter().map(|contact| (contact, Standing::Alive)).collect()
    }

    fn contact_of(&self, peer: PeerId) -> Option<&Contact> {
        let known = self.peers.get(peer).filter(|peer| peer.outgoing.is_some() || peer.up);
        known.map(|peer| &peer.contact)
    }

    fn is_active(&self, peer: PeerId) -> bool {
        self.peers.get(peer).is_some_and(|peer| peer.up)
    }

    fn heard(&mut self, _: Time, from: PeerId) {
        self.peers.change(from, |peer| {
            if let Some(arc) = peer.outgoing.as_mut().filter(|arc| arc.known) {
                arc.failures = 0;
            }
        });
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

#[cfg(test)]
mod tests;
