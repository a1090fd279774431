//! Refreshing the passive view: two random peers exchange samples of what they know.
//!
//! A walk carries the origin; where it ends, a sample is offered to the origin over a link of its own, and answered.
//! Both sides give up what they have offered before anything else. Exchanges become rarer while they bring nothing new, as in a
//! cluster no larger than a view; and while no neighbour is lost, once the views are well mixed: samples of an overlay that
//! does not change are as good as those known. A lost neighbour makes them frequent again, at once. The first follow upon each
//! other quickly, until the view is full: a newcomer knows few others, and should half of all nodes fail in its first seconds,
//! those few may all be among them.

use super::message::Message;
use super::{HyParView, Out, Timer};
use crate::peer::{Contact, PeerId};
use crate::time::Time;

/// How many links may be opening before exchanges are let go: requests are more urgent.
const BUSY: usize = 16;

/// How many exchanges in a row, without a neighbour lost, are as frequent as ever. 16: guess; each replaces up to eight of
/// thirty entries, at either end.
const MIXED: u32 = 16;

/// How many exchanges of a newcomer come sooner: the first after an eighth of the interval, then a quarter, a half. 3: guess; with
/// them some thirty entries are known after one interval.
const EARLY: u32 = 3;

/// Whether exchanges are worth their bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Shuffling {
    news: bool,
    /// Intervals in a row without news.
    barren: u32,
    /// Intervals in a row without a neighbour lost.
    calm: u32,
    /// A neighbour was lost since the last look.
    disturbed: bool,
    /// How many of the early exchanges have begun.
    begun: u32,
    /// Grows with every timer set, so that those of before are recognised.
    plan: u32,
}

impl Shuffling {
    /// A peer became known, or a neighbour.
    pub(super) const fn learned(&mut self) {
        self.news = true;
    }

    /// A neighbour was lost.
    pub(super) const fn disturbed(&mut self) {
        self.disturbed = true;
    }

    /// The last timer set: it alone counts.
    pub(super) const fn plan(&self) -> u32 {
        self.plan
    }

    /// How often the interval is doubled.
    fn doublings(&self) -> u32 {
        self.barren.max(self.calm.saturating_sub(MIXED)).min(8)
    }

    /// How often the interval is halved, as long as there is room for more peers.
    const fn halvings(&self) -> u32 {
        EARLY - self.begun
    }

    /// An exchange has begun, or the view is full.
    fn begin(&mut self, full: bool) {
        self.begun = if full { EARLY } else { EARLY.min(self.begun + 1) };
    }

    /// Whether the last exchanges brought nobody new.
    pub(super) const fn is_barren(&self) -> bool {
        self.barren >= 2
    }

    fn next_interval(&mut self) {
        self.barren = if self.news { 0 } else { self.barren.saturating_add(1) };
        self.news = false;
        self.calm = self.calm.saturating_add(1);
    }
}

impl HyParView {
    pub(super) fn set_shuffle(&mut self, out: &mut Out) {
        let (base, max) = (self.config.shuffle_interval, self.config.shuffle_interval_max);
        let interval = base.saturating_mul(1 << self.shuffling.doublings()).min(max) / (1 << self.shuffling.halvings());
        self.shuffling.plan = self.shuffling.plan.wrapping_add(1);
        let plan = self.shuffling.plan;
        out.set_timer(self.rng.jitter(interval, 0.2), Timer::Shuffle { plan });
    }

    /// A neighbour was lost lately: exchanges are as frequent as ever from now on.
    pub(super) fn hasten_shuffles(&mut self, out: &mut Out) {
        if !std::mem::take(&mut self.shuffling.disturbed) {
            return;
        }
        let before = self.shuffling.doublings();
        self.shuffling.calm = 0;
        if self.shuffling.doublings() < before {
            self.set_shuffle(out);
        }
    }

    /// Sends a walk for a peer to exchange samples with.
    pub(super) fn shuffle(&mut self, out: &mut Out) {
        self.shuffling.next_interval();
        let next = self.view.random_neighbor(&[], &mut self.rng);
        if next.is_some() {
            let full = self.view.passive().count() >= self.config.passive_capacity;
            self.shuffling.begin(full);
        }
        self.set_shuffle(out);
        if let Some(next) = next {
            self.metrics.exchanges += 1;
            let ttl = self.config.active_walk;
            let origin = self.me.clone();
            out.send(next.id, Message::Shuffle { ttl, origin });
        }
    }

    pub(super) fn on_shuffle(&mut self, now: Time, from: PeerId, ttl: u8, origin: Contact, out: &mut Out) {
        let ttl = ttl.min(self.config.active_walk);
        let next = match ttl {
            0 => None,
            _ => self.view.random_neighbor(&[from, origin.id], &mut self.rng),
        };
        match next {
            Some(next) => out.send(next.id, Message::Shuffle { ttl: ttl - 1, origin }),
            None if origin.id == self.me.id || self.links.opening() >= BUSY => {}
            None => self.offer(now, &origin, true, out),
        }
    }

    fn offer(&mut self, now: Time, to: &Contact, answer: bool, out: &mut Out) {
        let (active, passive) = (self.config.shuffle_active, self.config.shuffle_passive);
        let mut peers = self.view.sample(active, passive, to.id, self.links.contacts(), &mut self.rng);
        peers.push(self.me.clone());
        let message = Message::Exchange { peers: peers.clone(), answer };
        self.links.send(now, to, message, out);
        self.links.offered(to.id, &peers);
    }

    pub(super) fn on_exchange(&mut self, now: Time, sender: &Contact, peers: &[Contact], answer: bool, out: &mut Out) {
        if answer {
            self.offer(now, sender, false, out);
        }
        let sacrifice = self.links.take_offered(sender.id);
        for peer in peers {
            // Who is linked is known by its link.
            if self.links.contact(peer.id).is_some_and(|linked| linked.incarnation >= peer.incarnation) {
                continue;
            }
            if self.view.learn(peer, &sacrifice, &mut self.rng) {
                self.shuffling.learned();
            }
        }
    }
}
