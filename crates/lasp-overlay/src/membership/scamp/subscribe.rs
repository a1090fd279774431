//! Subscriptions: made, spread, kept.
//!
//! A newcomer subscribes at its contact. Whoever spreads the subscription sends a copy to everybody
//! in its view and a few more at random. Who gets a copy keeps it with probability 1 / (1 + size of its view), or passes it
//! on at random; so views settle at (c + 1) ln n. In version 2 the contact does not spread it itself, for then its own view
//! decides, but sends it on a walk that ends anywhere with the same probability. The paper reaches that by weights on arcs
//! which heartbeats balance; they take minutes to settle, and until then the walks end at newcomers, whose views are small:
//! 1,000 peers that joined within 100 s had 7 entries in the mean instead of 14. As links are duplex here, a walk over
//! neighbours that goes to those with more neighbours more rarely (Metropolis and Hastings) is fair at once.
//!
//! A view that is empty takes the first peer that keeps this one; in version 1 it has the contact already. The paper has
//! it take the peer that spreads; a keeper is as random, and linked anyway.
//!
//! Once in a lease a peer subscribes anew, mostly through its view, now and then through a join contact in case its island
//! has lost the others; so that views do not keep the shape that the order of arrivals gave them. The paper lets the old
//! arcs end with their lease and the spreader's view say how many new ones there are: that keeps the number of arcs only in
//! the mean, and each lease adds what overlaps (views of 9 had 45 after ten leases). Here as many copies are made as there
//! are old arcs, each new arc ends an old one, and the lease of an arc that is left begins anew with every heartbeat. A peer
//! that is in fewer than 2 (c + 1) views for a while subscribes for as many as it lacks.

use super::config::Version;
use super::message::Message;
use super::{Out, Scamp, Timer};
use crate::membership::backoff::backoff;
use crate::peer::{Addr, Contact, PeerId};
use crate::protocol::Output;
use crate::time::Time;

/// How often a subscription is renewed through a join contact instead of the view. A quarter: guess.
const THROUGH_CONTACT: f64 = 0.25;

/// How often a contact is asked after joining, and after a neighbour was lost. 4: guess; whoever is cut off for longer is found when
/// subscriptions are renewed.
const MENDS: u8 = 4;

/// The join contacts, and how far the attempt to subscribe through one of them has come.
#[derive(Debug, Default)]
pub(super) struct Joining {
    contacts: Vec<Addr>,
    /// What to subscribe for: see [`Message::Subscribe`].
    copies: u8,
    stage: Stage,
    /// The next contact of this round.
    next: usize,
    /// Rounds in a row without success.
    rounds: u32,
    /// Whether the owner asked for this and no contact has been joined since.
    commanded: bool,
    /// Grows with every change of stage, so that stale timers are recognised.
    step: u32,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Stage {
    /// There is no need.
    #[default]
    Idle,
    /// A link to this contact is being dialled.
    Dialing(Addr),
    /// A contact has the subscription.
    Asked,
    /// Until the next round.
    Resting,
}

impl Joining {
    fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.step = self.step.wrapping_add(1);
    }

    /// Forgets the contacts.
    pub(super) fn clear(&mut self) {
        *self = Self { step: self.step.wrapping_add(1), ..Self::default() };
    }
}

/// When to subscribe anew.
#[derive(Debug, Default)]
pub(super) struct Renewal {
    /// When the lease is renewed.
    due: Time,
    /// When this peer was last in enough views.
    full: Time,
    /// Subscriptions in a row that did not change that.
    fruitless: u32,
    /// When a contact may be asked next.
    mend: Time,
    /// How often that is still to be done.
    mends: u8,
}

impl Scamp {
    /// Joins through any of `contacts`, which are remembered.
    pub(super) fn join(&mut self, now: Time, contacts: &[Addr], out: &mut Out) {
        if self.left {
            self.start(now, out);
        }
        self.joining.clear();
        for addr in contacts {
            if *addr != self.me.addr && !self.joining.contacts.contains(addr) {
                self.joining.contacts.push(addr.clone());
            }
        }
        self.joining.commanded = true;
        self.expect_islands();
        self.try_contacts(out);
    }

    /// Begins to try the contacts, unless that is under way.
    fn try_contacts(&mut self, out: &mut Out) {
        if self.joining.stage == Stage::Idle && !self.joining.contacts.is_empty() {
            self.joining.next = 0;
            self.try_next_contact(out);
        }
    }

    fn try_next_contact(&mut self, out: &mut Out) {
        let Some(addr) = self.joining.contacts.get(self.joining.next).cloned() else {
            return self.rest(out);
        };
        self.joining.next += 1;
        out.push(Output::Dial(addr.clone()));
        self.joining.enter(Stage::Dialing(addr));
        self.set_join_timer(out);
    }

    fn set_join_timer(&self, out: &mut Out) {
        out.set_timer(self.config.join_timeout, Timer::Join { step: self.joining.step });
    }

    fn rest(&mut self, out: &mut Out) {
        if self.degree > 0 && !self.joining.commanded {
            return self.joining.enter(Stage::Idle); // it was for a renewal, which can wait
        }
        self.joining.rounds = self.joining.rounds.saturating_add(1);
        self.joining.enter(Stage::Resting);
        let (base, max) = (self.config.join_backoff, self.config.join_backoff_max);
        let pause = backoff(&mut self.rng, base, max, self.joining.rounds);
        out.set_timer(pause, Timer::Join { step: self.joining.step });
    }

    /// A contact did not answer in time, or it is time for the next round.
    pub(super) fn on_join_timer(&mut self, step: u32, out: &mut Out) {
        if step != self.joining.step || self.left {
            return;
        }
        if self.joining.stage == Stage::Asked && self.peers.in_degree() > 0 {
            return self.joined();
        }
        if self.joining.stage == Stage::Resting {
            self.joining.enter(Stage::Idle);
            return self.try_contacts(out);
        }
        self.try_next_contact(out);
    }

    /// No link could be had to an address.
    pub(super) fn contact_failed(&mut self, failed: &Addr, out: &mut Out) {
        if matches!(&self.joining.stage, Stage::Dialing(addr) if addr == failed) {
            self.try_next_contact(out);
        }
    }

    /// A link is up: if it leads to the contact dialled, subscribes there.
    pub(super) fn contact_reached(&mut self, now: Time, peer: &Contact, dialed: Option<&Addr>, out: &mut Out) {
        let Stage::Dialing(addr) = &self.joining.stage else {
            return;
        };
        if dialed != Some(addr) && *addr != peer.addr {
            return;
        }
        if !self.joining.commanded {
            self.renewal.mends = self.renewal.mends.saturating_sub(1);
        }
        self.joining.enter(Stage::Asked);
        self.set_join_timer(out);
        self.subscribe_at(now, peer, self.joining.copies, out);
    }

    fn subscribe_at(&mut self, now: Time, contact: &Contact, copies: u8, out: &mut Out) {
        self.metrics.exchanges += 1;
        out.send(contact.id, Message::Subscribe { copies });
        let enters = self.joining.commanded || self.peers.out_degree() == 0;
        if self.config.version == Version::V1 && enters && self.may_keep(now, contact) {
            self.keep(now, contact, 0, out);
        }
    }

    /// This peer is in somebody's view: its subscription has arrived.
    pub(super) fn in_a_view(&mut self, now: Time) {
        if self.joining.stage == Stage::Asked {
            self.joined();
        }
        if self.peers.in_degree() >= self.floor() {
            self.renewal.full = now;
            self.renewal.fruitless = 0;
        }
    }

    /// A subscription through a contact has arrived.
    fn joined(&mut self) {
        self.joining.rounds = 0;
        self.joining.commanded = false;
        self.joining.enter(Stage::Idle);
    }

    /// A neighbour was lost, or this peer has just been started: there may be another island.
    pub(super) const fn expect_islands(&mut self) {
        self.renewal.mends = MENDS;
    }

    /// Subscribes anew through a contact that is no neighbour, if it is time: it may be on another island. The fewer
    /// neighbours this peer has, the smaller its island may be.
    pub(super) fn mend_if_due(&mut self, now: Time, out: &mut Out) {
        if now < self.renewal.mend || self.renewal.mends == 0 {
            return;
        }
        self.renewal.mend = now + self.rng.jitter(self.config.mend_interval, 0.25);
        let is_neighbor = |addr: &Addr| self.peers.iter().any(|peer| peer.up && peer.contact.addr == *addr);
        let contacts = self.joining.contacts.iter().enumerate();
        let distant: Vec<usize> = contacts.filter(|(_, addr)| !is_neighbor(addr)).map(|(at, _)| at).collect();
        let asks = self.joining.stage == Stage::Idle && self.rng.chance(1.0 / (1.0 + self.degree as f64));
        if let Some(at) = self.rng.choose(&distant).copied().filter(|_| asks) {
            let enough = u8::try_from(self.config.copies + 1).unwrap_or(u8::MAX);
            self.joining.copies = self.begin_renewal().min(enough);
            self.joining.next = at;
            self.try_next_contact(out);
        }
    }

    /// From now on arcs to here give way to new ones: as many copies are to be made.
    fn begin_renewal(&mut self) -> u8 {
        self.peers.incoming_mut().for_each(|arc| arc.old = true);
        u8::try_from(self.peers.in_degree()).unwrap_or(u8::MAX)
    }

    /// A lease begins now.
    pub(super) fn set_renewal(&mut self, now: Time) {
        let pause = self.rng.jitter(self.config.lease, 0.25);
        self.renewal = Renewal { due: now + pause, full: now, fruitless: 0, ..self.renewal };
    }

    /// Subscribes anew if the lease ends, or if this peer has long been in too few views.
    pub(super) fn renew_if_due(&mut self, now: Time, out: &mut Out) {
        let patience = self.config.isolation_timeout.saturating_mul(1 << self.renewal.fruitless.min(16));
        let lonely = now - self.renewal.full >= patience.min(self.config.lease);
        if !lonely && now < self.renewal.due {
            return;
        }
        let copies = if lonely {
            self.renewal.full = now;
            self.renewal.fruitless = self.renewal.fruitless.saturating_add(1);
            self.peers.incoming_mut().for_each(|arc| arc.old = false);
            self.missing()
        } else {
            self.set_renewal(now);
            self.begin_renewal()
        };
        let around =
            if self.rng.chance(THROUGH_CONTACT) { None } else { self.peers.any_step(self.me.id, &mut self.rng) };
        match around.and_then(|id| self.peers.get(id)).map(|peer| peer.contact.clone()) {
            Some(contact) => self.subscribe_at(now, &contact, copies, out),
            None => {
                self.joining.copies = copies;
                self.try_contacts(out);
            }
        }
    }

    /// In how many views a peer must be: with fewer, what rewires views might cut a small overlay in two. 2 (c + 1): guess.
    const fn floor(&self) -> usize {
        2 * (self.config.copies + 1)
    }

    /// How many copies a peer in too few views subscribes for: as a newcomer if it is in none.
    fn missing(&self) -> u8 {
        match self.peers.in_degree() {
            0 => 0,
            degree => u8::try_from(self.floor().saturating_sub(degree).max(1)).unwrap_or(u8::MAX),
        }
    }

    /// An arc of a renewed subscription has come: one of those before is given up for it.
    pub(super) fn give_up_old_arc(&mut self, out: &mut Out) {
        if self.peers.in_degree() <= self.floor() {
            return;
        }
        let old = self.peers.ids(|peer| peer.incoming.as_ref().is_some_and(|arc| arc.old));
        let Some(id) = self.rng.choose(&old).copied() else {
            return;
        };
        if let Some(peer) = self.peers.get_mut(id) {
            peer.incoming = None;
        }
        out.send(id, Message::Refuse);
        self.settle(id, out);
    }

    pub(super) fn on_subscribe(&mut self, now: Time, from: PeerId, copies: u8, out: &mut Out) {
        let pause = self.config.subscribe_pause;
        let Some(peer) = self.peers.get_mut(from) else {
            return;
        };
        if peer.subscribed.is_some_and(|last| now - last < pause) {
            self.metrics.refused += 1;
            return;
        }
        peer.subscribed = Some(now);
        let contact = peer.contact.clone();
        self.departed.forget(from);
        let steps = match self.config.version {
            Version::V1 => 0,
            Version::V2 => self.config.steps,
        };
        self.on_indirect(now, copies, steps, contact, out);
    }

    pub(super) fn on_indirect(&mut self, now: Time, copies: u8, steps: u8, peer: Contact, out: &mut Out) {
        let most = steps.min(self.config.steps);
        for left in (0..most).rev() {
            if let Some(next) = self.peers.fair_step(peer.id, self.degree, &mut self.rng) {
                return out.send(next, Message::Indirect { copies, steps: left, peer });
            }
        }
        self.spread(now, copies, &peer, out);
    }

    /// Sends a copy of a subscription to everybody in the view, and a few more.
    fn spread(&mut self, now: Time, copies: u8, peer: &Contact, out: &mut Out) {
        let view = self.peers.ids(|other| other.leads_on() && other.contact.id != peer.id);
        if view.is_empty() {
            if self.may_keep(now, peer) {
                self.keep(now, peer, self.config.hops, out);
            }
            return;
        }
        let usual = view.len() + self.config.copies;
        let copies = if copies == 0 { usual } else { usize::from(copies).min(2 * usual) };
        let extra = (view.len()..copies).filter_map(|_| self.rng.choose(&view).copied()).collect::<Vec<PeerId>>();
        let mut receivers = self.rng.sample(&view, copies);
        receivers.extend(extra);
        for receiver in receivers {
            out.send(receiver, Message::Forward { hops: self.config.hops, peer: peer.clone() });
        }
    }

    pub(super) fn on_forward(&mut self, now: Time, hops: u8, peer: Contact, out: &mut Out) {
        let hops = hops.min(self.config.hops);
        let keeps = self.rng.chance(1.0 / (1.0 + self.peers.out_degree() as f64));
        if keeps && self.may_keep(now, &peer) {
            return self.keep(now, &peer, hops, out);
        }
        self.pass_on(now, peer, hops, out);
    }

    /// Passes a copy of a subscription on; where it can go no further it is kept, if there is room.
    pub(super) fn pass_on(&mut self, now: Time, peer: Contact, hops: u8, out: &mut Out) {
        let next = if hops == 0 { None } else { self.peers.any_step(peer.id, &mut self.rng) };
        match next {
            Some(next) => out.send(next, Message::Forward { hops: hops - 1, peer }),
            None if self.may_keep(now, &peer) => self.keep(now, &peer, 0, out),
            None => self.metrics.refused += 1,
        }
    }
}

#[cfg(test)]
impl Scamp {
    /// The step that the timer of joining names.
    pub(super) const fn joining_step(&self) -> u32 {
        self.joining.step
    }
}
