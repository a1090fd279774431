//! Full membership: everybody knows every member and links to it.
//!
//! The members are a map from peer to newest statement, a lattice, spread as rumours when it changes and compared by
//! fingerprint now and then. SWIM's probes find who does not answer; such a member is suspected, has time to refute
//! that, and then counts as unreachable. It stays a member and is dialled again and again: only itself (it leaves), an
//! operator (evicts it), or a policy that an operator has set removes a member.
//!
//! This file holds the state, the dispatch, and the only two places where the active view changes. The mechanisms:
//! `gossip` (spreading the map), `probe` (SWIM), `suspicion` (what comes of probes), `health` (Lifeguard), `departure`
//! (leaving, evicting, forgetting), `mesh` (links), `joining`. What they work on: `member`, `message`, `config`. Knows
//! nothing of what travels over the links.

mod config;
mod departure;
mod gossip;
mod health;
mod joining;
mod member;
mod mesh;
mod message;
mod probe;
mod suspicion;

pub use config::Config;
pub use member::{Member, Members, Merged, Status, Version};
pub use message::{MAX_ENTRIES, MAX_RUMOURS, Message, Rumour};

use super::{Command, Event, Membership, Metrics, Standing};
use crate::peer::{Addr, Contact, PeerId};
use crate::protocol::{Input, Outbox, Protocol};
use crate::rng::Rng;
use crate::time::Time;
use departure::Departure;
use gossip::Telling;
use health::Health;
use joining::Joining;
use mesh::{Absent, Neighbor};
use probe::Probing;
use std::collections::BTreeMap;
use std::time::Duration;
use suspicion::Suspicion;

type Out = Outbox<FullMesh>;

/// How often the periodic upkeep runs; give or take a quarter.
const TICK: Duration = Duration::from_secs(1);

/// The full membership at one peer.
#[derive(Clone, Debug)]
pub struct FullMesh {
    me: Member,
    config: Config,
    rng: Rng,
    /// Grows with every start and departure, so that periodic timers of before are recognised.
    term: u32,
    members: Members,
    /// Members that are linked.
    active: BTreeMap<PeerId, Neighbor>,
    /// The same by id alone, ascending: to draw samples from.
    linked: Vec<PeerId>,
    /// Members that are not.
    absent: BTreeMap<PeerId, Absent>,
    /// Whom dials under way are for, by address.
    dialed: BTreeMap<Addr, Vec<PeerId>>,
    /// News that waits to be told.
    telling: Telling,
    /// When maps were last compared because of a new link.
    compared: Option<Time>,
    /// Links to peers that are no members, and until when they stay.
    lingering: BTreeMap<PeerId, Time>,
    joining: Joining,
    probing: Probing,
    health: Health,
    suspicions: BTreeMap<PeerId, Suspicion>,
    departures: BTreeMap<PeerId, Departure>,
    /// When the map of a member was last found equal.
    agreed: BTreeMap<PeerId, Time>,
    metrics: Metrics,
}

/// What the timers of [`FullMesh`] carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Periodic upkeep: dials, suspicions.
    Tick {
        /// Since which start or departure.
        term: u32,
    },
    /// Time to compare maps.
    Gossip {
        /// Since which start or departure.
        term: u32,
    },
    /// Time to tell the news that has gathered.
    Tell {
        /// Since which start or departure.
        term: u32,
    },
    /// Time to probe the next member.
    Period {
        /// Since which start or departure.
        term: u32,
    },
    /// A direct probe should have been answered.
    Direct {
        /// Which probe.
        seq: u64,
    },
    /// A probe on behalf of another should have been answered.
    Relay {
        /// Which probe.
        seq: u64,
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
        let mut members = Members::new(config.capacity);
        members.merge(&me);
        Self {
            me,
            config,
            rng,
            term: 0,
            members,
            active: BTreeMap::new(),
            linked: Vec::new(),
            absent: BTreeMap::new(),
            dialed: BTreeMap::new(),
            telling: Telling::default(),
            compared: None,
            lingering: BTreeMap::new(),
            joining: Joining::default(),
            probing: Probing::default(),
            health: Health::default(),
            suspicions: BTreeMap::new(),
            departures: BTreeMap::new(),
            agreed: BTreeMap::new(),
            metrics: Metrics::default(),
        }
    }

    /// What is known of every peer, those that departed included.
    pub const fn map(&self) -> &Members {
        &self.members
    }

    /// How many members are linked.
    pub const fn degree(&self) -> usize {
        self.linked.len()
    }

    /// Who is suspected, ascending by id, and whether that has run out: then it counts as unreachable until it is heard of.
    pub fn suspicions(&self) -> impl Iterator<Item = (PeerId, bool)> {
        self.suspicions.keys().map(|peer| (*peer, self.is_lost(*peer)))
    }

    /// How far this peer distrusts its own judgement: Lifeguard's local health, 0 at best.
    pub const fn health(&self) -> u32 {
        self.health.score()
    }

    /// Begins a term: sets the periodic timers.
    fn start(&mut self, out: &mut Out) {
        self.term += 1;
        self.set_tick(out);
        self.set_gossip(out);
        self.set_period(out);
    }

    fn set_tick(&mut self, out: &mut Out) {
        let term = self.term;
        out.set_timer(self.rng.jitter(TICK, 0.25), Timer::Tick { term });
    }

    fn on_tick(&mut self, now: Time, out: &mut Out) {
        self.set_tick(out);
        self.dial_absent(now, out);
        self.close_lingering(now, out);
        self.expire_suspicions(now, out);
    }

    /// The only way into the active view.
    fn activate(&mut self, now: Time, contact: Contact, out: &mut Out) {
        self.absent.remove(&contact.id);
        if let Err(at) = self.linked.binary_search(&contact.id) {
            self.linked.insert(at, contact.id);
        }
        self.active.insert(contact.id, Neighbor { contact: contact.clone(), heard: now, answered: None });
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
        self.linked.retain(|linked| *linked != peer);
        self.metrics.downs += 1;
        out.emit(Event::Down(peer));
        if self.active.is_empty() && self.me.is_in() {
            self.metrics.isolations += 1;
            out.emit(Event::Isolated);
        }
        true
    }

    fn on_message(&mut self, now: Time, from: PeerId, message: Message, out: &mut Out) {
        self.heard(now, from);
        if !self.me.is_in() {
            // Whoever asks something has not heard that this peer is out. News is not answered: two that are out
            // would go on for ever.
            if !matches!(message, Message::News { .. }) {
                out.send(from, self.goodbye(now));
            }
            return;
        }
        if let Some(departed) = self.members.get(from).filter(|member| !member.is_in())
            && !matches!(message, Message::News { .. })
        {
            // It does not know that it is out, or is back and has not said so.
            return out.send(from, Message::news([self.rumour(now, departed)]));
        }
        match message {
            Message::Digest { fingerprint, count } => self.on_digest(now, from, fingerprint, count, out),
            Message::Ask => self.on_ask(now, from, out),
            Message::Summary { first, last, entries } => self.on_summary(now, from, (first, last), &entries, out),
            Message::News { rumours, want } => self.on_news(now, from, &rumours, &want, out),
            Message::Ping { seq, suspected } => self.on_ping(now, from, seq, suspected, out),
            Message::Pong { seq } => self.on_pong(from, seq, out),
            Message::Probe { seq, target } => self.on_probe(now, from, seq, target, out),
            Message::Nack { seq } => self.on_nack(from, seq),
            Message::Suspect { peer, version, by } => self.on_suspect(now, Some(from), peer, version, by, out),
        }
    }

    fn on_timer(&mut self, now: Time, timer: &Timer, out: &mut Out) {
        match timer {
            Timer::Tick { term } | Timer::Gossip { term } | Timer::Tell { term } | Timer::Period { term }
                if *term != self.term || !self.me.is_in() => {}
            Timer::Tick { .. } => self.on_tick(now, out),
            Timer::Gossip { .. } => self.gossip(now, out),
            Timer::Tell { .. } => self.tell_waiting(now, out),
            Timer::Period { .. } => self.on_period(now, out),
            Timer::Direct { seq } => self.on_direct(*seq, out),
            Timer::Relay { seq } => self.on_relay_timer(*seq, out),
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
            Input::Command(Command::Leave) => self.leave(now, out),
            Input::Command(Command::Evict(peer)) => self.evict(now, peer, out),
            Input::Command(Command::Connect(_) | Command::Disconnect(_) | Command::Mark(_)) => {}
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

    fn members(&self) -> Vec<(Contact, Standing)> {
        let others = self.members.present().filter(|member| member.contact.id != self.me.contact.id);
        others.map(|member| (member.contact.clone(), member.standing())).collect()
    }

    fn reachable(&self) -> Vec<Contact> {
        let me = self.me.contact.id;
        let can_be = |id: PeerId| id != me && (self.active.contains_key(&id) || !self.is_lost(id));
        let members = self.members.present().filter(|member| can_be(member.contact.id));
        members.map(|member| member.contact.clone()).collect()
    }

    fn contact_of(&self, peer: PeerId) -> Option<&Contact> {
        let active = self.active.get(&peer).map(|neighbor| &neighbor.contact);
        active.or_else(|| {
            let member = self.members.get(peer)?;
            (member.is_in() && peer != self.me.contact.id).then_some(&member.contact)
        })
    }

    fn is_active(&self, peer: PeerId) -> bool {
        self.active.contains_key(&peer)
    }

    fn heard(&mut self, now: Time, from: PeerId) {
        if let Some(neighbor) = self.active.get_mut(&from) {
            neighbor.heard = now;
        }
    }

    fn accepts(&self, command: &Command) -> bool {
        !matches!(command, Command::Connect(_) | Command::Disconnect(_))
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

#[cfg(test)]
mod tests;
