//! Full mesh: every member links to every other. For small clusters.
//!
//! The members are a map from peer to newest version, a lattice, spread as rumours when it changes and compared by
//! fingerprint now and then. A member that cannot be reached stays a member, is dialled again and again, and is no
//! neighbour meanwhile; only who says so itself has left.
//!
//! This file holds the state, the dispatch, and the only two places where the active view changes. The mechanisms:
//! `gossip` (spreading the map), `mesh` (links to all of it, joining, probing). What they work on: `member`, `message`,
//! `config`. Knows nothing of what travels over the links.

mod config;
mod gossip;
mod member;
mod mesh;
mod message;

pub use config::Config;
pub use member::{Member, Members, Version};
pub use message::Message;

use super::{Command, Event, Membership, Metrics};
use crate::peer::{Contact, PeerId};
use crate::protocol::{Input, Outbox, Output, Protocol};
use crate::rng::Rng;
use crate::time::Time;
use mesh::{Absent, Joining, Neighbor};
use std::collections::BTreeMap;
use std::time::Duration;

type Out = Outbox<FullMesh>;

/// How often the periodic upkeep runs; give or take a quarter.
const TICK: Duration = Duration::from_secs(1);

/// The full mesh at one peer.
#[derive(Debug)]
pub struct FullMesh {
    me: Member,
    config: Config,
    rng: Rng,
    /// Grows with every start and leave, so that periodic timers of before are recognised.
    term: u32,
    members: Members,
    /// Members that are linked.
    active: BTreeMap<PeerId, Neighbor>,
    /// Members that are not.
    absent: BTreeMap<PeerId, Absent>,
    joining: Joining,
    metrics: Metrics,
}

/// What the timers of [`FullMesh`] carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Periodic upkeep: dials, probes.
    Tick {
        /// Since which start or leave.
        term: u32,
    },
    /// Time to compare maps.
    Gossip {
        /// Since which start or leave.
        term: u32,
    },
    /// Time to try the next contact.
    Join {
        /// Which step of joining this is about.
        step: u32,
    },
}

impl FullMesh {
    /// The protocol of the peer `contact`, not yet in any cluster.
    pub fn new(config: Config, contact: Contact, rng: Rng) -> Self {
        let me = Member::new(contact);
        let mut members = Members::new(config.left_capacity);
        members.merge(&me);
        Self {
            me,
            config,
            rng,
            term: 0,
            members,
            active: BTreeMap::new(),
            absent: BTreeMap::new(),
            joining: Joining::default(),
            metrics: Metrics::default(),
        }
    }

    /// What is known of every peer, those that left included.
    pub const fn members(&self) -> &Members {
        &self.members
    }

    /// Begins a term: sets the periodic timers.
    fn start(&mut self, out: &mut Out) {
        self.term += 1;
        self.set_tick(out);
        self.set_gossip(out);
    }

    fn set_tick(&mut self, out: &mut Out) {
        let term = self.term;
        out.set_timer(self.rng.jitter(TICK, 0.25), Timer::Tick { term });
    }

    fn on_tick(&mut self, now: Time, out: &mut Out) {
        self.set_tick(out);
        self.dial_absent(now, out);
        self.probe(now, out);
    }

    /// The only way into the active view.
    fn activate(&mut self, now: Time, contact: Contact, out: &mut Out) {
        self.absent.remove(&contact.id);
        self.active.insert(contact.id, Neighbor::new(now, contact.clone()));
        self.metrics.ups += 1;
        out.emit(Event::Up(contact));
        if self.active.len() == 1 {
            out.emit(Event::Joined);
        }
    }

    /// The only way out of the active view. `false` if the peer was not there.
    fn deactivate(&mut self, peer: PeerId, out: &mut Out) -> bool {
        if self.active.remove(&peer).is_none() {
            return false;
        }
        self.metrics.downs += 1;
        out.emit(Event::Down(peer));
        if self.active.is_empty() && !self.me.has_left() {
            self.metrics.isolations += 1;
            out.emit(Event::Isolated);
        }
        true
    }

    /// Leaves: tells everybody linked and closes every link.
    fn leave(&mut self, out: &mut Out) {
        if self.me.has_left() {
            return;
        }
        self.term += 1;
        self.raise_own_version(self.me.change + 1);
        self.absent.clear();
        self.joining.stop();
        let peers: Vec<PeerId> = self.active.keys().copied().collect();
        for peer in peers {
            out.send(peer, self.news_of_self());
            out.push(Output::Close(peer));
            self.deactivate(peer, out);
        }
    }

    /// Comes back after a `leave` in the same life.
    fn come_back(&mut self, out: &mut Out) {
        self.raise_own_version(self.me.change + 1);
        self.start(out);
    }

    fn on_message(&mut self, now: Time, from: PeerId, message: Message, out: &mut Out) {
        self.heard(now, from);
        if self.me.has_left() {
            // Whoever still talks to this peer has not heard that it left.
            return out.send(from, self.news_of_self());
        }
        match message {
            Message::Digest { fingerprint, count } => self.on_digest(from, fingerprint, count, out),
            Message::Ask => self.on_ask(from, out),
            Message::Summary(entries) => self.on_summary(from, &entries, out),
            Message::News { members, want } => self.on_news(now, from, &members, &want, out),
            Message::Ping => out.send(from, Message::Pong),
            Message::Pong => {} // it was heard
        }
    }

    fn on_timer(&mut self, now: Time, timer: &Timer, out: &mut Out) {
        match timer {
            Timer::Tick { term } if *term == self.term && !self.me.has_left() => {
                self.on_tick(now, out);
            }
            Timer::Gossip { term } if *term == self.term && !self.me.has_left() => {
                self.gossip(out);
            }
            Timer::Tick { .. } | Timer::Gossip { .. } => {}
            Timer::Join { step } => self.on_join_timer(*step, out),
        }
    }
}

impl Protocol for FullMesh {
    type Command = Command;
    type Message = Message;
    type Timer = Timer;
    type Event = Event;

    fn handle(&mut self, now: Time, input: Input<Self>, out: &mut Out) {
        match input {
            Input::Start => self.start(out),
            Input::Command(Command::Join(contacts)) => self.join(&contacts, out),
            Input::Command(Command::Leave) => self.leave(out),
            Input::Received { from, message } => self.on_message(now, from, message, out),
            Input::Expired(timer) => self.on_timer(now, &timer, out),
            Input::LinkUp { peer, dialed } => self.on_link_up(now, &peer, dialed.as_ref(), out),
            Input::DialFailed(addr) => self.on_dial_failed(now, &addr, out),
            Input::LinkDown(peer) => self.on_link_down(now, peer, out),
            Input::Drained { .. } => {}
        }
    }
}

impl Membership for FullMesh {
    fn contact(&self) -> &Contact {
        &self.me.contact
    }

    fn active(&self) -> Vec<Contact> {
        let contacts = self.active.values().map(|neighbor| &neighbor.contact);
        contacts.cloned().collect()
    }

    fn passive(&self) -> Vec<Contact> {
        let known = |id| self.members.get(id).map(|member| member.contact.clone());
        self.absent.keys().filter_map(|id| known(*id)).collect()
    }

    fn contact_of(&self, peer: PeerId) -> Option<&Contact> {
        let active = self.active.get(&peer).map(|neighbor| &neighbor.contact);
        active.or_else(|| {
            let member = self.members.get(peer)?;
            (!member.has_left() && peer != self.me.contact.id).then_some(&member.contact)
        })
    }

    fn is_active(&self, peer: PeerId) -> bool {
        self.active.contains_key(&peer)
    }

    fn heard(&mut self, now: Time, from: PeerId) {
        if let Some(neighbor) = self.active.get_mut(&from) {
            neighbor.heard(now);
        }
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

#[cfg(test)]
mod tests;
