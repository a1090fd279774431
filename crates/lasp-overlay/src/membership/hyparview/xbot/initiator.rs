//! The initiator's part in an exchange: measuring passive peers, asking the best, and what becomes of that.
//!
//! What the two peers that ask have in common is here, too: the disconnected peer is to `old` as the initiator is to the
//! candidate.

use super::super::message::{LinkId, Message};
use super::super::neighbor::Purpose;
use super::super::{HyParView, Out, Priority};
use super::oracle::Echoed;
use super::swap::Role;
use crate::peer::{Contact, PeerId};
use crate::time::Time;

impl HyParView {
    /// Measures a few passive peers.
    pub(super) fn scan(&mut self, now: Time, out: &mut Out) {
        let Some(count) = self.xbot.as_ref().map(|xbot| xbot.config.scan) else {
            return;
        };
        let unasked = self.view.passive().filter(|contact| !self.pending.contains_key(&contact.id));
        let pool: Vec<Contact> = unasked.cloned().collect();
        let candidates = self.rng.sample(&pool, count);
        if candidates.is_empty() {
            return;
        }
        for candidate in &candidates {
            self.measure(now, candidate, out);
        }
        self.enter_role(Role::Scanning { waiting: candidates.len(), found: Vec::new() }, out);
    }

    pub(super) fn measure(&mut self, now: Time, stranger: &Contact, out: &mut Out) {
        if let Some(xbot) = &mut self.xbot {
            let probe = xbot.oracle.begin(now, stranger.id, false, &mut self.rng);
            self.links.send(now, stranger, probe, out);
        }
    }

    pub(in crate::membership::hyparview) fn on_echo(&mut self, now: Time, sender: Contact, nonce: u32, out: &mut Out) {
        let Some(xbot) = &mut self.xbot else {
            return;
        };
        match xbot.oracle.echoed(now, sender.id, nonce, &mut self.rng) {
            Echoed::Stale => {}
            Echoed::Again(probe) => out.send(sender.id, probe),
            Echoed::Done(rtt) if self.view.is_active(sender.id) => {
                xbot.oracle.observe(sender.id, rtt);
                self.update_link_cost();
            }
            Echoed::Done(rtt) => self.measured(now, sender, rtt, out),
        }
    }

    /// A peer that is no neighbour has been measured: for this peer's own exchange, or for another's.
    fn measured(&mut self, now: Time, peer: Contact, cost: u32, out: &mut Out) {
        match self.xbot.as_mut().and_then(|xbot| xbot.role.as_mut()) {
            Some(Role::Scanning { waiting, found }) => {
                found.push((peer, cost));
                *waiting = waiting.saturating_sub(1);
                if *waiting == 0 {
                    self.choose(now, out);
                }
            }
            Some(Role::Disconnected { candidate, old, .. }) if old.id == peer.id => {
                let candidate = *candidate;
                self.switch_if_better(now, candidate, &peer, cost, out);
            }
            _ => {}
        }
    }

    /// Asks the cheapest peer found to take part, if that is worth it.
    pub(super) fn choose(&mut self, now: Time, out: &mut Out) {
        let Some(Role::Scanning { found, .. }) = self.take_role() else {
            return;
        };
        let strangers = found.into_iter().filter(|(contact, _)| !self.view.is_active(contact.id));
        let cheapest = strangers.min_by_key(|(contact, cost)| (*cost, contact.id));
        let (Some((candidate, cost)), Some((old, dear))) = (cheapest, self.costliest(&[])) else {
            return;
        };
        let Some(old) = self.view.contact_of(old).cloned() else {
            return;
        };
        if !self.is_better(cost, dear) || self.pending.contains_key(&candidate.id) {
            return;
        }
        self.begin_exchange(Role::Initiator { candidate: candidate.id, old }, candidate.id, cost);
        self.metrics.swaps_begun += 1;
        self.request(now, &candidate, Purpose::Optimise, out);
    }

    fn begin_exchange(&mut self, role: Role, newcomer: PeerId, cost: u32) {
        if let Some(xbot) = &mut self.xbot {
            xbot.oracle.set(newcomer, cost);
            xbot.role = Some(role);
        }
    }

    pub(super) fn is_better(&self, cost: u32, than: u32) -> bool {
        let threshold = self.xbot.as_ref().map_or(1.0, |xbot| xbot.config.threshold);
        f64::from(cost) < f64::from(than) * (1.0 - threshold)
    }

    /// What the peer asked in an exchange is asked.
    pub(in crate::membership::hyparview) fn swap_question(&self, link: LinkId) -> Message {
        match self.role() {
            Some(Role::Initiator { old, .. }) => Message::Optimise { link, old: old.clone() },
            Some(Role::Disconnected { initiator, .. }) => Message::Switch { link, initiator: *initiator },
            _ => Message::Request { link, priority: Priority::Low },
        }
    }

    /// A peer asked in an exchange has accepted: it takes the place of the one to go.
    pub(in crate::membership::hyparview) fn finish_swap(
        &mut self,
        now: Time,
        newcomer: Contact,
        link: LinkId,
        out: &mut Out,
    ) {
        let role = self.take_role();
        if let (Some(Role::Initiator { .. }), Some(xbot)) = (&role, &mut self.xbot) {
            self.metrics.swaps_done += 1;
            xbot.barren = 0;
        }
        let going = role.as_ref().and_then(Role::exchanges).map(|(_, going)| going);
        let going = going.filter(|going| self.view.is_active(*going));
        if self.view.degree() < self.places_for(newcomer.id) {
            self.activate(now, newcomer, link, out);
            going.into_iter().for_each(|going| self.part_with(going, out));
        } else if let Some(going) = going {
            self.part_with(going, out);
            self.activate(now, newcomer, link, out);
        } else {
            out.send(newcomer.id, Message::Disconnect { link, alive: true });
            self.view.learn(&newcomer, &[], &mut self.rng);
        }
        self.update_link_cost();
        self.refill(now, out);
    }

    /// The peer asked in an exchange did not become a neighbour: says so, or takes back the old neighbour.
    pub(in crate::membership::hyparview) fn swap_failed(&mut self, now: Time, out: &mut Out) {
        match self.role() {
            Some(Role::Disconnected { .. }) => self.keep(now, out),
            Some(Role::Initiator { old, .. }) => {
                let old = old.clone();
                self.take_role();
                self.metrics.swaps_rolled_back += 1;
                if !self.view.is_active(old.id) {
                    self.request(now, &old, Purpose::Refill(Priority::Low), out);
                    self.replace(now, Some(old.id), out);
                }
            }
            _ => {}
        }
    }
}
