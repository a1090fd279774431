//! Replacing lost neighbours from the passive view.
//!
//! In a round every passive peer is asked at most once, in random order, a few at a time, until no place is free. A
//! peer without neighbours asks with high priority, others with low; one that stays below the minimum although it has
//! asked everybody insists, in another round at once. Whoever loses its last neighbour asks everybody anew: what was
//! refused before is granted now. Rounds that leave places free are repeated, ever more rarely; an isolated peer also
//! turns to its join contacts.
//!
//! Failures seldom come alone. For each that shows, a few passive peers are checked: somebody may be known here alone who has
//! lost everybody else.

use super::message::Priority;
use super::neighbor::Purpose;
use super::{HyParView, Out};
use crate::membership::backoff::backoff;
use crate::peer::{Contact, PeerId};
use crate::time::Time;
use std::collections::BTreeSet;

/// How many passive peers are checked for each peer that turns out to be gone. 2: while more than half of them are gone, too,
/// each check brings another on average until all have been checked; where few are, that ends by itself.
const CHECKS: usize = 2;

/// The round under way, or the pause before the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Promotion {
    running: bool,
    tried: BTreeSet<PeerId>,
    /// Of those, who had no room for this peer's need.
    refused: Vec<PeerId>,
    /// When the next round begins, if places are free then.
    due: Time,
    /// Rounds in a row that brought nobody.
    failures: u32,
    /// How many passive peers are to be checked.
    doubts: usize,
}

impl Promotion {
    /// Ends the round; the next begins at `due`.
    pub(super) fn pause(&mut self, due: Time) {
        self.running = false;
        self.due = due;
    }

    /// A place has been filled.
    pub(super) const fn succeeded(&mut self) {
        self.failures = 0;
    }

    fn begin(&mut self) {
        if !self.running {
            self.running = true;
            self.tried.clear();
            self.refused.clear();
        }
    }

    /// A peer had no room.
    pub(super) fn refused_by(&mut self, peer: PeerId) {
        self.refused.push(peer);
    }

    /// The need has grown: who refused may be asked again. `false` if nobody did.
    pub(super) fn insist(&mut self) -> bool {
        for peer in &self.refused {
            self.tried.remove(peer);
        }
        !std::mem::take(&mut self.refused).is_empty()
    }
}

impl HyParView {
    /// A place has become free: begins a round, in which `lost` is not asked.
    pub(super) fn replace(&mut self, now: Time, lost: Option<PeerId>, out: &mut Out) {
        if let Some(lost) = lost {
            self.complete_swap(now, lost, out);
        }
        self.promotion.begin();
        self.promotion.tried.extend(lost);
        self.refill(now, out);
    }

    /// Continues the round, or begins one that is due.
    pub(super) fn refill_if_due(&mut self, now: Time, out: &mut Out) {
        let free = self.view.degree() < self.places();
        if free && now >= self.promotion.due {
            self.promotion.begin();
        }
        self.refill(now, out);
    }

    /// Continues the round: asks the next candidates, or ends it when there are none.
    pub(super) fn refill(&mut self, now: Time, out: &mut Out) {
        if !self.promotion.running {
            return;
        }
        while self.wants_candidate()
            && let Some(candidate) = self.candidate()
        {
            self.promotion.tried.insert(candidate.id);
            let purpose = Purpose::Refill(self.priority());
            self.request(now, &candidate, purpose, out);
        }
        if self.requests_under_way() == 0 {
            self.end_round(now, out);
            self.take_stock(now, out);
        }
    }

    /// Requests that may fill a place which is free now.
    fn requests_under_way(&self) -> usize {
        let swap_fills = self.swap_fills_place();
        let fills = |purpose| match purpose {
            Purpose::Mend | Purpose::Visit => false,
            Purpose::Optimise | Purpose::Switch => swap_fills,
            Purpose::Join | Purpose::Walk | Purpose::Refill(_) => true,
        };
        self.pending.values().filter(|p| fills(p.purpose)).count()
    }

    fn wants_candidate(&self) -> bool {
        let (under_way, degree) = (self.requests_under_way(), self.view.degree());
        let urgent = degree < self.config.active_min;
        (urgent || under_way < self.config.parallel_requests) && degree + under_way < self.places()
    }

    /// Somebody not yet asked in this round: a peer that is linked, since it lives, else a passive one.
    fn candidate(&mut self) -> Option<Contact> {
        let untried =
            |contact: &&Contact| !self.promotion.tried.contains(&contact.id) && !self.pending.contains_key(&contact.id);
        let spare = |contact: &&Contact| !self.view.is_active(contact.id) && !self.view.has_departed(contact);
        let mut pool: Vec<&Contact> = self.links.contacts().filter(spare).filter(untried).collect();
        if pool.is_empty() {
            pool.extend(self.view.passive().filter(untried));
        }
        self.rng.choose(&pool).map(|contact| (*contact).clone())
    }

    /// A neighbour has failed: after the round some passive peers are dialled, and all of them if few neighbours are left. Those
    /// that failed, too, are forgotten, and those that nobody else may know of are found.
    pub(super) fn alarm(&mut self) {
        let few = self.view.degree() < self.config.active_min;
        let doubts = if few { usize::MAX } else { CHECKS };
        self.promotion.doubts = self.promotion.doubts.saturating_add(doubts);
    }

    /// A peer that is no neighbour is gone.
    pub(super) fn doubt(&mut self, now: Time, out: &mut Out) {
        self.promotion.doubts = self.promotion.doubts.saturating_add(CHECKS);
        if !self.promotion.running {
            self.take_stock(now, out);
        }
    }

    /// Dials as many passive peers as are to be checked. Who is linked is there.
    fn take_stock(&mut self, now: Time, out: &mut Out) {
        let doubts = std::mem::take(&mut self.promotion.doubts);
        if doubts == 0 {
            return;
        }
        let (view, links) = (&self.view, &mut self.links);
        let unchecked: Vec<&Contact> = view.passive().filter(|contact| !links.leads_to(contact.id)).collect();
        let chosen = if doubts < unchecked.len() { self.rng.sample(&unchecked, doubts) } else { unchecked };
        for contact in chosen {
            links.open(now, contact, out);
        }
    }

    /// Somebody is linked to this peer: if it has lost most of its neighbours, it asks for more, and evicts nobody unless it has
    /// none: many come up at a time after a heavy loss. If a stranger has dialled, it may have lost some that failed here, too.
    pub(super) fn resort_to(&mut self, now: Time, peer: &Contact, dialed: bool, out: &mut Out) {
        if self.left {
            return;
        }
        let degree = self.view.degree();
        let starves = degree < self.config.active_min && self.metrics.downs > 0;
        if starves && (degree == 0 || self.wants_candidate()) {
            let priority = if degree == 0 { Priority::High } else { Priority::Low };
            self.request(now, peer, Purpose::Refill(priority), out);
        }
        if !dialed && !self.view.is_active(peer.id) {
            self.check_silent(now, out);
        }
    }

    fn priority(&self) -> Priority {
        match self.view.degree() {
            0 => Priority::High,
            degree if degree < self.config.active_min && self.promotion.failures > 0 => Priority::Mend,
            _ => Priority::Low,
        }
    }

    fn end_round(&mut self, now: Time, out: &mut Out) {
        let degree = self.view.degree();
        if degree < self.places() {
            self.promotion.failures = self.promotion.failures.saturating_add(1);
        }
        if degree < self.config.active_min && self.promotion.failures == 1 && self.promotion.insist() {
            return self.refill(now, out);
        }
        let (base, max) = if degree < self.config.active_min {
            let max = self.config.refill_backoff_max / 4;
            (self.config.refill_urgent, max)
        } else {
            (self.config.refill_relaxed, self.config.refill_backoff_max)
        };
        let pause = backoff(&mut self.rng, base, max, self.promotion.failures);
        self.promotion.pause(now + pause);
        if degree == 0 {
            self.try_contacts(out);
        }
    }
}
