//! The way in: contacts are dialled round after round until there is a member behind each, and again once that has
//! departed.
//!
//! Each, and not one, for peers that were all started anew may know each other by nothing else. Again, for contacts that
//! leave one after the other and come back know nobody but themselves: whoever stayed is the one that can find them.

use super::{FullMesh, Out, Timer};
use crate::membership::backoff::backoff;
use crate::peer::{Addr, Contact, PeerId};
use crate::protocol::Output;
use std::collections::BTreeMap;

/// Most contacts kept; further ones are left out. A guess.
const MAX_CONTACTS: usize = 1024;

/// The contacts through which to enter.
#[derive(Clone, Debug, Default)]
pub(super) struct Joining {
    /// Those behind which there is no member.
    contacts: Vec<Addr>,
    /// The others, by the member that is there.
    met: BTreeMap<PeerId, Vec<Addr>>,
    /// Those to be dialled in this round, last one first.
    round: Vec<Addr>,
    /// The contact being dialled.
    dialing: Option<Addr>,
    rounds: u32,
    /// Grows with every change, so that stale timers are recognised.
    pub(super) step: u32,
}

impl Joining {
    /// There are no contacts any more.
    pub(super) fn stop(&mut self) {
        self.met.clear();
        self.rest();
    }

    /// There is nobody to dial.
    fn rest(&mut self) {
        let step = self.step.wrapping_add(1);
        *self = Self { step, met: std::mem::take(&mut self.met), ..Self::default() };
    }

    fn begin_round(&mut self) {
        self.round = self.contacts.iter().rev().cloned().collect();
    }
}

impl FullMesh {
    /// Joins through `contacts`; this peer's own address among them is left out.
    pub(super) fn join(&mut self, contacts: &[Addr], out: &mut Out) {
        if !self.me.is_in() {
            self.come_back(out);
        }
        self.joining.stop();
        let others = contacts.iter().filter(|addr| **addr != self.me.contact.addr);
        self.joining.contacts = others.take(MAX_CONTACTS).cloned().collect();
        if !self.joining.contacts.is_empty() {
            self.joining.begin_round();
            self.try_next_contact(out);
        }
    }

    fn try_next_contact(&mut self, out: &mut Out) {
        self.joining.step = self.joining.step.wrapping_add(1);
        let step = self.joining.step;
        self.joining.dialing = self.joining.round.pop();
        if let Some(addr) = &self.joining.dialing {
            out.push(Output::Dial(addr.clone()));
            return out.set_timer(self.config.dial_timeout, Timer::Join { step });
        }
        self.pause_joining(out);
    }

    /// Sets the time of the next round.
    fn pause_joining(&mut self, out: &mut Out) {
        self.joining.begin_round();
        self.joining.rounds = self.joining.rounds.saturating_add(1);
        let (base, max) = (self.config.dial_backoff, self.config.dial_backoff_max);
        let pause = backoff(&mut self.rng, base, max, self.joining.rounds);
        out.set_timer(pause, Timer::Join { step: self.joining.step });
    }

    /// The contact did not answer in time, or it is time for the next round.
    pub(super) fn on_join_timer(&mut self, step: u32, out: &mut Out) {
        if step == self.joining.step {
            self.try_next_contact(out);
        }
    }

    /// A member is linked: contacts at whose address it is have been found.
    pub(super) fn contact_reached(&mut self, peer: &Contact, dialed: Option<&Addr>, out: &mut Out) {
        let reached = |addr: &Addr| *addr == peer.addr || dialed == Some(addr);
        let found: Vec<Addr> = self.joining.contacts.extract_if(.., |addr| reached(addr)).collect();
        if found.is_empty() {
            return;
        }
        self.joining.met.entry(peer.id).or_default().extend(found);
        self.joining.round.retain(|addr| !reached(addr));
        if self.joining.contacts.is_empty() {
            self.joining.rest();
        } else if self.joining.dialing.as_ref().is_some_and(reached) {
            self.try_next_contact(out);
        }
    }

    /// A member has departed: whoever comes back to where it was may know nobody.
    pub(super) fn contact_departed(&mut self, peer: PeerId, out: &mut Out) {
        let Some(addrs) = self.joining.met.remove(&peer) else { return };
        let at_rest = self.joining.contacts.is_empty();
        self.joining.contacts.extend(addrs);
        if at_rest {
            self.pause_joining(out);
        }
    }

    /// Nobody answered at an address, or nobody who is a member.
    pub(super) fn contact_failed(&mut self, addr: &Addr, out: &mut Out) {
        if self.joining.dialing.as_ref() == Some(addr) {
            self.try_next_contact(out);
        }
    }
}
