//! Bringing islands together again.
//!
//! A partition looks like the failure of many neighbours, and each side heals by itself: nothing would ever lead across
//! once the network is whole again. So a neighbour that failed is tried again for a while; if it answers in the same
//! life it was not dead but cut off, and the two become neighbours again even if both are full by now. Where that memory
//! does not reach, because a partition lasts long or everybody was restarted, join contacts are asked now and then.
//!
//! To become the neighbour of a contact, two full peers each give up another. Where that happened for nothing, links, and the
//! broadcast trees over them, would not come to rest: in a large cluster some peer asks every few seconds. So who asks shows
//! what reached everybody on its island lately, and is turned down where that was heard, too.

use super::config::LEAST_ACTIVE;
use super::neighbor::Purpose;
use super::{HyParView, Out};
use crate::membership::backoff::backoff;
use crate::peer::{Contact, PeerId};
use crate::rng::Rng;
use crate::time::Time;
use lasp_crdt::Dot;
use std::time::Duration;

/// How many lost neighbours are remembered. Beyond it the first lost is forgotten.
const LOST: usize = 16;

/// How often a contact is asked of which nothing speaks for its being on another island. Asking rewires the overlay, so
/// rarely: a guess that keeps it below one neighbour in 15 minutes in a cluster of ten.
const UNLIKELY: f64 = 1.0 / 256.0;

/// The same in a small cluster in which a neighbour has failed lately, and where views are as small as they may be: there full islands
/// come about that know of each other and need nobody. A guess: half a minute for ten peers.
const LIKELIER: f64 = 1.0 / 16.0;

/// How long lately is. A guess: ten peers that ask so often find the others by then.
const LATELY: Duration = Duration::from_secs(180);

/// How long it speaks for one island that both peers heard of something. A guess: less than a partition lasts that nothing else
/// has mended.
const FRESH: Duration = Duration::from_secs(60);

/// How many marks are remembered: one may be on its way still, and the one before it is shown.
const MARKS: usize = 2;

/// Neighbours that were lost without a farewell, and when to ask a contact.
#[derive(Clone, Debug, Default)]
pub(super) struct Mending {
    lost: Vec<Lost>,
    /// When a contact is asked next.
    due: Time,
    /// When room was last made for a stranger that asked to mend.
    granted: Option<Time>,
    /// When a neighbour last failed.
    failed: Option<Time>,
    /// What reached everybody here, and when, the newest last.
    marks: Vec<(Dot, Time)>,
}

#[derive(Clone, Debug)]
struct Lost {
    contact: Contact,
    attempts: u32,
    due: Time,
}

impl Mending {
    /// No contact is asked before `due`.
    pub(super) const fn pause(&mut self, due: Time) {
        self.due = due;
    }

    /// A peer is a neighbour again.
    pub(super) fn recovered(&mut self, peer: PeerId) {
        self.forget(peer);
    }

    /// Something came that reaches everybody on this island.
    pub(super) fn mark(&mut self, now: Time, mark: Dot) {
        self.marks.retain(|(other, _)| *other != mark);
        if self.marks.len() == MARKS {
            self.marks.remove(0);
        }
        self.marks.push((mark, now));
    }

    /// What has reached everybody here lately, and surely.
    pub(super) fn shown(&self, now: Time) -> Option<Dot> {
        self.fresh(now).next()
    }

    /// Whether it has reached this peer lately.
    pub(super) fn has_heard(&self, now: Time, mark: Dot) -> bool {
        self.fresh(now).any(|other| other == mark)
    }

    fn fresh(&self, now: Time) -> impl Iterator<Item = Dot> {
        self.marks.iter().filter(move |(_, heard)| now - *heard < FRESH).map(|(mark, _)| *mark)
    }

    /// Stops looking for a peer.
    pub(super) fn forget(&mut self, peer: PeerId) {
        self.lost.retain(|lost| lost.contact.id != peer);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.lost.clear();
    }

    /// Whether to make room for a peer that asks to mend: always for one that was lost here, too; for another once per
    /// `pause`.
    pub(super) fn grants(&mut self, now: Time, peer: PeerId, pause: Duration) -> bool {
        if self.lost.iter().any(|lost| lost.contact.id == peer) {
            return true;
        }
        let granted = self.granted.is_none_or(|last| now - last >= pause);
        if granted {
            self.granted = Some(now);
        }
        granted
    }

    fn remember(&mut self, contact: Contact, due: Time) {
        self.forget(contact.id);
        if self.lost.len() == LOST {
            self.lost.remove(0);
        }
        self.lost.push(Lost { contact, attempts: 0, due });
    }

    /// A lost peer that is due, with its next attempt put off.
    fn next(&mut self, now: Time, base: Duration, max: Duration, rng: &mut Rng) -> Option<Contact> {
        let lost = self.lost.iter_mut().find(|lost| lost.due <= now)?;
        lost.attempts += 1;
        lost.due = now + backoff(rng, base, max, lost.attempts + 1);
        Some(lost.contact.clone())
    }
}

impl HyParView {
    pub(super) fn remember_lost(&mut self, now: Time, contact: Contact) {
        let pause = backoff(&mut self.rng, self.config.mend_backoff, self.config.mend_backoff_max, 1);
        self.mending.remember(contact, now + pause);
        self.mending.failed = Some(now);
    }

    /// Tries a lost neighbour again if one is due, and a contact if it is time.
    pub(super) fn mend(&mut self, now: Time, out: &mut Out) {
        self.forget_hopeless();
        let (base, max) = (self.config.mend_backoff, self.config.mend_backoff_max);
        if let Some(lost) = self.mending.next(now, base, max, &mut self.rng) {
            // A contact may have been restarted without contacts of its own: then only its address leads to it.
            if !self.approach(&lost.addr, Purpose::Mend, out) {
                self.request(now, &lost, Purpose::Mend, out);
            }
        }
        if now >= self.mending.due {
            let pause = self.rng.jitter(self.config.mend_interval, 0.25);
            self.mending.pause(now + pause);
            self.look_for_contact(now, out);
        }
    }

    /// Turns to a contact that may be on another island. If this peer knows its whole island and the contact is not
    /// among them, it joins again; else it asks now and then, for all the evidence there is.
    fn look_for_contact(&mut self, now: Time, out: &mut Out) {
        let Some(addr) = self.distant_contact() else {
            return;
        };
        let known = self.view.passive().chain(self.links.contacts()).any(|contact| contact.addr == addr);
        if self.knows_everybody() && !known {
            self.approach(&addr, Purpose::Join, out);
        } else {
            let (purpose, likelihood) =
                if self.is_shaken(now) { (Purpose::Mend, LIKELIER) } else { (Purpose::Visit, UNLIKELY) };
            if self.rng.chance(likelihood) {
                self.approach(&addr, purpose, out);
            }
        }
    }

    /// Whether islands are likelier than usual. In a large cluster everybody would ask the same few.
    fn is_shaken(&self, now: Time) -> bool {
        let small = self.view.passive().count() < self.config.passive_capacity;
        let shaken = self.mending.failed.is_some_and(|last| now - last < LATELY);
        self.config.active_capacity <= LEAST_ACTIVE || (small && shaken)
    }

    /// Whether the views hold the whole island: there is room for more, but exchanges bring nobody.
    fn knows_everybody(&self) -> bool {
        self.shuffling.is_barren() && self.view.passive().count() < self.config.passive_capacity
    }

    /// Forgets those that were tried often enough or are known to have been restarted: they join by themselves.
    fn forget_hopeless(&mut self) {
        let (view, attempts) = (&self.view, self.config.mend_attempts);
        self.mending.lost.retain(|lost| {
            let known = view.contact_of(lost.contact.id);
            let restarted = known.is_some_and(|c| c.incarnation > lost.contact.incarnation);
            lost.attempts < attempts && !restarted
        });
    }
}
