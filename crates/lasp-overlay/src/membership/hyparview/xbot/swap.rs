//! The exchange of two links for two cheaper ones among four peers.
//!
//! ```text
//!   before: initiator - old, candidate - disconnected      initiator ── Optimise ──► candidate ── Replace ──► disconnected
//!   after:  initiator - candidate, disconnected - old                                   disconnected ── Switch ──► old
//! ```
//!
//! The question travels to the old neighbour, and the change travels back: `old` takes the disconnected peer for the
//! initiator, the disconnected peer takes `old` for the candidate, the candidate takes the initiator for the disconnected
//! peer, the initiator takes the candidate for `old`. Each does so in one step, after which it has as many neighbours as
//! before. The new relations are made by the handshake of every other relation (`Optimise` and `Switch` are requests), the
//! old ones end by `Disconnect`: what holds of those, about loss, stale messages and one-sided views, holds here.
//!
//! Each waits longer than the next in line: whoever learns nothing in time says so backwards and has changed nothing, or
//! finds its place free. Then the initiator asks the old neighbour again, if that was given up already. A peer takes part
//! in one exchange at a time.

use super::super::message::{LinkId, Message};
use super::super::neighbor::Purpose;
use super::super::{HyParView, Out, Timer};
use crate::peer::{Contact, PeerId};
use crate::time::Time;

/// A peer's part in an exchange, beyond `old`, whose part is a single step.
#[derive(Clone, Debug)]
pub(in crate::membership::hyparview) enum Role {
    /// Measures passive peers; takes part in nothing yet.
    Scanning {
        /// How many have not answered.
        waiting: usize,
        /// Who has, with the cost.
        found: Vec<(Contact, u32)>,
    },
    /// Wants `candidate` for `old`, and has asked it.
    Initiator { candidate: PeerId, old: Contact },
    /// Has been asked by `initiator`, under the link id `link`, and asked `disconnected` to go.
    Candidate { initiator: Contact, link: LinkId, disconnected: PeerId, old: Contact, attempts: u32 },
    /// Has been asked by `candidate`, over the relation `link`, to take `old` instead; measures it, or has asked it.
    Disconnected { candidate: PeerId, link: LinkId, old: Contact, initiator: PeerId },
}

impl Role {
    /// The peer asked to become a neighbour, if it has got so far, and the one to go.
    pub(super) const fn exchanges(&self) -> Option<(PeerId, PeerId)> {
        match self {
            Self::Initiator { candidate, old } => Some((*candidate, old.id)),
            Self::Disconnected { candidate, old, .. } => Some((old.id, *candidate)),
            Self::Scanning { .. } | Self::Candidate { .. } => None,
        }
    }
}

impl HyParView {
    pub(super) fn role(&self) -> Option<&Role> {
        self.xbot.as_ref()?.role.as_ref()
    }

    pub(super) fn take_role(&mut self) -> Option<Role> {
        self.xbot.as_mut()?.role.take()
    }

    /// Takes a part, and sets the timer by which something must have happened.
    pub(super) fn enter_role(&mut self, role: Role, out: &mut Out) {
        if let Some(xbot) = &mut self.xbot {
            xbot.role = Some(role);
            xbot.step = xbot.step.wrapping_add(1);
            out.set_timer(self.config.reply_timeout, Timer::Swap { step: xbot.step });
        }
    }

    /// Whether this peer optimises and has no part in an exchange.
    pub(in crate::membership::hyparview) fn is_idle(&self) -> bool {
        self.xbot.is_some() && matches!(self.role(), None | Some(Role::Scanning { .. }))
    }

    /// Whether the request of an exchange is for a place that is free by now.
    pub(in crate::membership::hyparview) fn swap_fills_place(&self) -> bool {
        let going = self.role().and_then(Role::exchanges).map(|(_, going)| going);
        going.is_none_or(|going| !self.view.is_active(going))
    }

    // ---- candidate ----

    pub(in crate::membership::hyparview) fn on_optimise(
        &mut self,
        now: Time,
        sender: Contact,
        link: LinkId,
        old: Contact,
        out: &mut Out,
    ) {
        self.clock.observe(link);
        if self.view.is_active(sender.id) {
            return self.renew(now, sender.id, link, Vec::new(), out);
        }
        if let Some(Role::Candidate { initiator, link: known, .. }) = self.role()
            && (initiator.id, *known) == (sender.id, link)
        {
            return; // asked again, and still under way
        }
        if self.view.degree() < self.places_for(sender.id) {
            return self.accept(now, sender, link, Vec::new(), out);
        }
        let disconnected = if self.is_idle() { self.costliest(&[sender.id, old.id]) } else { None };
        let Some((disconnected, _)) = disconnected else {
            return self.reject(&sender, link, out);
        };
        let role = Role::Candidate { initiator: sender, link, disconnected, old, attempts: 0 };
        self.enter_role(role, out);
        self.ask_to_go(out);
    }

    /// Asks the disconnected peer, for the first time or again; `false` if that has been done often enough.
    fn ask_to_go(&mut self, out: &mut Out) -> bool {
        let most = self.config.request_attempts + 2;
        let Some(Role::Candidate { initiator, disconnected, old, attempts, .. }) =
            self.xbot.as_mut().and_then(|xbot| xbot.role.as_mut())
        else {
            return false;
        };
        let Some(neighbor) = self.view.neighbor(*disconnected).filter(|_| *attempts < most) else {
            return false;
        };
        *attempts += 1;
        let (link, old, initiator) = (neighbor.link, old.clone(), initiator.id);
        out.send(*disconnected, Message::Replace { link, old, initiator });
        true
    }

    /// A neighbour is gone. If that is what a candidate waits for, whoever asked takes its place.
    pub(in crate::membership::hyparview) fn complete_swap(&mut self, now: Time, gone: PeerId, out: &mut Out) {
        let waited = matches!(self.role(), Some(Role::Candidate { disconnected, .. }) if *disconnected == gone);
        let Some(Role::Candidate { initiator, link, .. }) = waited.then(|| self.take_role()).flatten() else {
            return;
        };
        let linked = self.links.contact(initiator.id).is_some() && !self.view.is_active(initiator.id);
        if linked && self.view.degree() < self.places_for(initiator.id) {
            self.accept(now, initiator, link, Vec::new(), out);
        } else if linked {
            out.send(initiator.id, Message::Reject { link });
        }
    }

    /// The exchange does not come about: tells the initiator.
    fn decline(&mut self, now: Time, out: &mut Out) {
        if let Some(Role::Candidate { initiator, link, .. }) = self.take_role() {
            self.links.send(now, &initiator, Message::Reject { link }, out);
        }
    }

    pub(in crate::membership::hyparview) fn on_keep(&mut self, now: Time, from: PeerId, link: LinkId, out: &mut Out) {
        let current = self.view.neighbor(from).map(|neighbor| neighbor.link);
        let waited = matches!(self.role(), Some(Role::Candidate { disconnected, .. }) if *disconnected == from);
        if waited && current == Some(link) {
            self.decline(now, out);
        }
    }

    // ---- disconnected ----

    pub(in crate::membership::hyparview) fn on_replace(
        &mut self,
        now: Time,
        candidate: PeerId,
        link: LinkId,
        old: Contact,
        initiator: PeerId,
        out: &mut Out,
    ) {
        self.clock.observe(link);
        let Some(current) = self.view.neighbor(candidate).map(|neighbor| neighbor.link) else {
            // It is no neighbour any more: the answer was lost.
            return out.send(candidate, Message::Disconnect { link, alive: true });
        };
        if matches!(self.role(), Some(Role::Disconnected { candidate: known, .. }) if *known == candidate) {
            return; // asked again, and still under way
        }
        let stranger = old.id != self.me.id && !self.view.is_active(old.id) && !self.pending.contains_key(&old.id);
        let free = self.is_idle() && current == link && !self.holds_place(candidate);
        if !stranger || !free {
            return out.send(candidate, Message::Keep { link });
        }
        self.measure(now, &old, out);
        self.enter_role(Role::Disconnected { candidate, link, old, initiator }, out);
    }

    /// Asks the old neighbour of the initiator, if that is better than the candidate.
    pub(super) fn switch_if_better(&mut self, now: Time, candidate: PeerId, old: &Contact, cost: u32, out: &mut Out) {
        let xbot = self.xbot.as_mut();
        let dear = xbot.and_then(|xbot| {
            let dear = xbot.oracle.cost(candidate)?;
            xbot.oracle.set(old.id, cost);
            Some(dear)
        });
        if dear.is_some_and(|dear| self.is_better(cost, dear)) && !self.pending.contains_key(&old.id) {
            self.request(now, old, Purpose::Switch, out);
        } else {
            self.keep(now, out);
        }
    }

    /// The exchange does not come about: tells the candidate.
    pub(super) fn keep(&mut self, now: Time, out: &mut Out) {
        if let Some(Role::Disconnected { candidate, link, .. }) = self.take_role()
            && let Some(neighbor) = self.view.neighbor(candidate)
        {
            let contact = neighbor.contact.clone();
            self.links.send(now, &contact, Message::Keep { link }, out);
        }
    }

    // ---- old ----

    pub(in crate::membership::hyparview) fn on_switch(
        &mut self,
        now: Time,
        sender: Contact,
        link: LinkId,
        initiator: PeerId,
        out: &mut Out,
    ) {
        self.clock.observe(link);
        if self.view.is_active(sender.id) {
            return self.renew(now, sender.id, link, Vec::new(), out);
        }
        let room = self.view.degree() < self.places_for(sender.id);
        let may_go = self.view.is_active(initiator) && !self.holds_place(initiator);
        let exchanges = may_go && self.is_idle();
        if !room && !exchanges {
            return self.reject(&sender, link, out);
        }
        if !room {
            self.part_with(initiator, out);
        }
        self.accept(now, sender, link, Vec::new(), out);
    }

    // ---- time ----

    /// Something should have happened by now.
    pub(in crate::membership::hyparview) fn on_swap_timer(&mut self, now: Time, step: u32, out: &mut Out) {
        if self.xbot.as_ref().is_none_or(|xbot| xbot.step != step) {
            return;
        }
        match self.role() {
            Some(Role::Scanning { .. }) => self.choose(now, out),
            Some(Role::Candidate { .. }) => {
                if self.ask_to_go(out) {
                    out.set_timer(self.config.reply_timeout, Timer::Swap { step });
                } else {
                    self.decline(now, out);
                }
            }
            // It has not been measured; once it is asked, the request has a timer of its own.
            Some(Role::Disconnected { old, .. }) if !self.pending.contains_key(&old.id) => self.keep(now, out),
            Some(Role::Disconnected { .. } | Role::Initiator { .. }) | None => {}
        }
    }
}
