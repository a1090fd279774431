//! Subscribing anew: once in a lease, when this peer is in too few views, and in case there are islands.
//!
//! Once in a lease a peer subscribes anew, mostly through its view, now and then through a contact, or another of whom it has heard
//! and who is no neighbour, in case its island has lost the others; so that views do not keep the shape that the order of arrivals gave them. The paper lets the old
//! arcs end with their lease and the spreader's view say how many new ones there are: that keeps the number of arcs only in
//! the mean, and each lease adds what overlaps (views of 9 had 45 after ten leases). Here as many copies are made as there
//! are old arcs, each new arc ends an old one, and the lease of an arc that is left begins anew with every heartbeat.
//!
//! A peer that is in too few views for a while, because many peers failed, subscribes for as many as it lacks. How many there
//! should be follows from what is left: as views of v entries belong to n = exp(v / (c + 1)) peers, a peer that was in v views
//! and is in w has seen a share w / v of the peers survive, for whom views of v - (c + 1) ln(v / w) are enough.

use super::message::Message;
use super::{Out, Scamp};
use crate::time::Time;

/// How often a subscription is renewed through a join contact instead of the view. A quarter: guess.
const THROUGH_CONTACT: f64 = 0.25;

/// How often a stranger is asked after joining, and after a neighbour was lost. 4: guess; whoever is cut off for longer is found when
/// subscriptions are renewed.
const MENDS: u8 = 4;

/// When to subscribe anew.
#[derive(Clone, Debug, Default)]
pub(super) struct Renewal {
    /// When the lease is renewed.
    due: Time,
    /// When this peer was last in enough views.
    full: Time,
    /// In how many views it was when nothing was missing.
    usual: usize,
    /// Subscriptions in a row that did not change that.
    fruitless: u32,
    /// When a contact may be asked next.
    mend: Time,
    /// How often that is still to be done.
    mends: u8,
}

impl Renewal {
    /// A contact has been asked in case there are islands.
    pub(super) const fn tried_contact(&mut self) {
        self.mends = self.mends.saturating_sub(1);
    }
}

impl Scamp {
    /// This peer is in somebody's view: its subscription has arrived.
    pub(super) fn in_a_view(&mut self, now: Time) {
        if self.joining.has_asked() {
            self.joined();
        }
        let degree = self.peers.in_degree();
        self.renewal.usual = self.renewal.usual.max(degree);
        if degree >= self.enough() {
            self.renewal.full = now;
            self.renewal.fruitless = 0;
        }
    }

    /// A lease begins now.
    pub(super) fn set_renewal(&mut self, now: Time) {
        let pause = self.rng.jitter(self.config.lease, 0.25);
        let usual = self.wanted();
        self.renewal = Renewal { due: now + pause, full: now, usual, fruitless: 0, ..self.renewal };
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
            self.peers.mark_incoming(false);
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
                match self.strangers() {
                    strangers if strangers.is_empty() => self.try_contacts(out),
                    strangers => self.try_these(strangers, out),
                }
            }
        }
    }

    /// From now on arcs to here give way to new ones: how many copies are to be made, as for a newcomer where there are none.
    fn begin_renewal(&mut self) -> u8 {
        self.peers.mark_incoming(true);
        if self.peers.in_degree() == 0 { 0 } else { u8::try_from(self.wanted()).unwrap_or(u8::MAX) }
    }

    /// In how many views a peer must be: with fewer, what rewires views might cut a small overlay in two. 2 (c + 1): guess.
    const fn floor(&self) -> usize {
        2 * (self.config.copies + 1)
    }

    /// In how many views this peer should be, as far as it can tell from how many are left.
    pub(super) fn wanted(&self) -> usize {
        let degree = self.peers.in_degree();
        let lost = self.renewal.usual.max(1) as f64 / degree.max(1) as f64;
        let fewer = (self.config.copies + 1) as f64 * lost.max(1.0).ln();
        let due = self.renewal.usual.saturating_sub(fewer.round() as usize);
        due.max(degree)
    }

    /// With how many views less than that it is content. Three quarters: guess; views vary by themselves.
    const fn enough(&self) -> usize {
        let most = self.renewal.usual * 3 / 4;
        if most > self.floor() { most } else { self.floor() }
    }

    /// How many copies a peer in too few views subscribes for: as a newcomer if it is in none.
    fn missing(&mut self) -> u8 {
        let degree = self.peers.in_degree();
        // What it was in before has been accounted for.
        self.renewal.usual = self.wanted();
        let lacks = self.renewal.usual.max(self.floor()).saturating_sub(degree).max(1);
        if degree == 0 { 0 } else { u8::try_from(lacks).unwrap_or(u8::MAX) }
    }

    /// An arc of a renewed subscription has come: one of those before is given up for it.
    pub(super) fn give_up_old_arc(&mut self, out: &mut Out) {
        if self.peers.in_degree() <= self.renewal.usual.max(self.floor()) {
            return;
        }
        let old = self.peers.ids(|peer| peer.incoming.as_ref().is_some_and(|arc| arc.old));
        let Some(id) = self.rng.choose(&old).copied() else {
            return;
        };
        self.peers.change(id, |peer| peer.incoming = None);
        out.send(id, Message::Refuse);
        self.settle(id, out);
    }

    /// A neighbour was lost, or this peer has just been started: there may be another island.
    pub(super) const fn expect_islands(&mut self) {
        self.renewal.mends = MENDS;
    }

    /// Subscribes anew through somebody who is no neighbour, if it is time: it may be on another island. The fewer
    /// neighbours this peer has, the smaller its island may be.
    pub(super) fn mend_if_due(&mut self, now: Time, out: &mut Out) {
        if now < self.renewal.mend || self.renewal.mends == 0 {
            return;
        }
        self.renewal.mend = now + self.rng.jitter(self.config.mend_interval, 0.25);
        let asks = self.joining.is_idle() && self.rng.chance(1.0 / (1.0 + self.peers.degree() as f64));
        let strangers = if asks { self.strangers() } else { Vec::new() };
        if !strangers.is_empty() {
            let enough = u8::try_from(self.config.copies + 1).unwrap_or(u8::MAX);
            self.joining.copies = self.begin_renewal().min(enough);
            self.try_these(strangers, out);
        }
    }
}
