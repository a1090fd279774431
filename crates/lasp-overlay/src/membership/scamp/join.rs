//! The contacts through which a peer subscribes: dialled one after the other, round after round with growing pauses, until
//! its subscription has arrived, which it has when somebody keeps this peer. Who is alone turns to those heard of lately, too.

use super::{Out, Scamp, Timer};
use crate::membership::backoff::backoff;
use crate::peer::{Addr, Contact};
use crate::protocol::Output;
use crate::time::Time;
use std::collections::BTreeSet;

/// The join contacts, and how far the attempt to subscribe through one of them has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Joining {
    pub(super) contacts: Vec<Addr>,
    /// What to subscribe for: see [`Message::Subscribe`].
    pub(super) copies: u8,
    stage: Stage,
    /// Who is still to be tried in this round; the next comes last.
    round: Vec<Addr>,
    /// Rounds in a row without success.
    rounds: u32,
    /// Whether the owner asked for this and no contact has been joined since.
    commanded: bool,
    /// Grows with every change of stage, so that stale timers are recognised.
    step: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

    /// Whether no contact is being tried.
    pub(super) fn is_idle(&self) -> bool {
        self.stage == Stage::Idle
    }

    /// Whether a contact has the subscription.
    pub(super) fn has_asked(&self) -> bool {
        self.stage == Stage::Asked
    }

    /// Whether the owner asked for it.
    pub(super) const fn is_commanded(&self) -> bool {
        self.commanded
    }

    /// Forgets the contacts.
    pub(super) fn clear(&mut self) {
        *self = Self { step: self.step.wrapping_add(1), ..Self::default() };
    }
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

    /// Begins to try the contacts, unless that is under way; and who has been heard of, if there are no neighbours.
    pub(super) fn try_contacts(&mut self, out: &mut Out) {
        let alone = self.peers.degree() == 0;
        let heard = self.heard.newest_first().filter(|addr| alone && !self.joining.contacts.contains(addr));
        let all = self.joining.contacts.iter().chain(heard).cloned().collect();
        self.try_these(all, out);
    }

    /// Tries some addresses one after the other, unless others are being tried.
    pub(super) fn try_these(&mut self, mut addrs: Vec<Addr>, out: &mut Out) {
        if self.joining.stage == Stage::Idle && !addrs.is_empty() {
            addrs.reverse();
            self.joining.round = addrs;
            self.try_next_contact(out);
        }
    }

    /// Who may be on another island: contacts, and whoever was heard of, that are no neighbours; in random order.
    pub(super) fn strangers(&mut self) -> Vec<Addr> {
        let neighbors = self.peers.neighbors().iter().filter_map(|id| self.peers.get(*id));
        let near: BTreeSet<&Addr> = neighbors.map(|peer| &peer.contact.addr).collect();
        let all: BTreeSet<&Addr> = self.joining.contacts.iter().chain(self.heard.newest_first()).collect();
        let mut strangers: Vec<Addr> = all.difference(&near).copied().cloned().collect();
        self.rng.shuffle(&mut strangers);
        strangers
    }

    pub(super) fn try_next_contact(&mut self, out: &mut Out) {
        let Some(addr) = self.joining.round.pop() else {
            return self.rest(out);
        };
        out.push(Output::Dial(addr.clone()));
        self.joining.enter(Stage::Dialing(addr));
        self.set_join_timer(out);
    }

    fn set_join_timer(&self, out: &mut Out) {
        out.set_timer(self.config.join_timeout, Timer::Join { step: self.joining.step });
    }

    fn rest(&mut self, out: &mut Out) {
        if self.peers.degree() > 0 && !self.joining.commanded {
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
            self.renewal.tried_contact();
        }
        self.joining.enter(Stage::Asked);
        self.set_join_timer(out);
        self.subscribe_at(now, peer, self.joining.copies, out);
    }

    /// A subscription through a contact has arrived.
    pub(super) fn joined(&mut self) {
        self.joining.rounds = 0;
        self.joining.commanded = false;
        self.joining.enter(Stage::Idle);
    }
}

#[cfg(test)]
impl Scamp {
    /// The step that the timer of joining names.
    pub(super) const fn joining_step(&self) -> u32 {
        self.joining.step
    }
}
