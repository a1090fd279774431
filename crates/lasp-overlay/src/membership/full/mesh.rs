//! A link to every member: joining, dialling, dialling again, probing.
//!
//! Of two members the one with the lesser id dials; the other does too if that takes too long. A peer that is linked
//! is a member: nobody needs to be told to accept one that joins.

use super::member::Member;
use super::message::Message;
use super::{FullMesh, Out, Timer};
use crate::membership::backoff::backoff;
use crate::peer::{Addr, Contact, PeerId};
use crate::protocol::Output;
use crate::time::Time;

/// How many members are dialled in one go. The others' turn comes with the next tick.
const DIALS: usize = 64;

/// A member with a link.
#[derive(Debug)]
pub(super) struct Neighbor {
    pub(super) contact: Contact,
    heard: Time,
    probed: Time,
    unanswered: u32,
}

impl Neighbor {
    pub(super) const fn new(now: Time, contact: Contact) -> Self {
        Self { contact, heard: now, probed: now, unanswered: 0 }
    }

    pub(super) const fn heard(&mut self, now: Time) {
        self.heard = now;
        self.unanswered = 0;
    }
}

/// A member without a link.
#[derive(Debug)]
pub(super) struct Absent {
    /// When to dial it, or to give up the dial under way.
    due: Time,
    dialing: bool,
    failures: u32,
}

/// The contacts through which to enter. Each is dialled until it has been linked once, for peers that were all
/// started anew may know each other by nothing else.
#[derive(Debug, Default)]
pub(super) struct Joining {
    /// Those not linked so far.
    contacts: Vec<Addr>,
    /// Those to be dialled in this round, last one first.
    round: Vec<Addr>,
    /// The contact being dialled.
    dialing: Option<Addr>,
    rounds: u32,
    /// Grows with every change, so that stale timers are recognised.
    pub(super) step: u32,
}

impl Joining {
    /// There is no need any more.
    pub(super) fn stop(&mut self) {
        let step = self.step.wrapping_add(1);
        *self = Self { step, ..Self::default() };
    }

    fn begin_round(&mut self) {
        self.round = self.contacts.iter().rev().cloned().collect();
    }
}

impl FullMesh {
    /// Joins through `contacts`.
    pub(super) fn join(&mut self, contacts: &[Addr], out: &mut Out) {
        if self.me.has_left() {
            self.come_back(out);
        }
        self.joining.stop();
        let others = contacts.iter().filter(|addr| **addr != self.me.contact.addr);
        self.joining.contacts = others.cloned().collect();
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
        self.joining.begin_round();
        self.joining.rounds = self.joining.rounds.saturating_add(1);
        let (base, max) = (self.config.dial_backoff, self.config.dial_backoff_max);
        let pause = backoff(&mut self.rng, base, max, self.joining.rounds);
        out.set_timer(pause, Timer::Join { step });
    }

    /// The contact did not answer in time, or it is time for the next round.
    pub(super) fn on_join_timer(&mut self, step: u32, out: &mut Out) {
        if step == self.joining.step {
            self.try_next_contact(out);
        }
    }

    fn contact_reached(&mut self, peer: &Contact, dialed: Option<&Addr>, out: &mut Out) {
        let reached = |addr: &Addr| *addr == peer.addr || dialed == Some(addr);
        self.joining.contacts.retain(|addr| !reached(addr));
        self.joining.round.retain(|addr| !reached(addr));
        if self.joining.contacts.is_empty() {
            self.joining.stop();
        } else if self.joining.dialing.as_ref().is_some_and(reached) {
            self.try_next_contact(out);
        }
    }

    fn contact_failed(&mut self, addr: &Addr, out: &mut Out) {
        if self.joining.dialing.as_ref() == Some(addr) {
            self.try_next_contact(out);
        }
    }

    pub(super) fn on_link_up(&mut self, now: Time, peer: &Contact, dialed: Option<&Addr>, out: &mut Out) {
        if peer.id == self.me.contact.id {
            out.push(Output::Close(peer.id));
            return dialed.map_or((), |addr| self.contact_failed(addr, out));
        }
        if self.me.has_left() {
            return out.send(peer.id, self.news_of_self());
        }
        self.contact_reached(peer, dialed, out);
        let linked = self.active.get(&peer.id).map(|n| n.contact.incarnation);
        if linked.is_some_and(|life| life > peer.incarnation) {
            return;
        }
        if linked.is_some_and(|life| life < peer.incarnation) {
            self.deactivate(peer.id, out);
        }
        let member = Member::new(peer.clone());
        let news = self.members.merge(&member);
        let has_left = self.members.get(peer.id).is_some_and(Member::has_left);
        if !has_left && !self.active.contains_key(&peer.id) {
            self.activate(now, peer.clone(), out);
        }
        if dialed.is_some() {
            self.send_digest(peer.id, out);
        }
        if news {
            self.tell(vec![member], Some(peer.id), out);
        }
    }

    pub(super) fn on_link_down(&mut self, now: Time, peer: PeerId, out: &mut Out) {
        if self.deactivate(peer, out) {
            self.metrics.failures += 1;
            self.expect_link(now, peer, 1);
        }
    }

    pub(super) fn on_dial_failed(&mut self, now: Time, addr: &Addr, out: &mut Out) {
        let at_addr = |id: &PeerId| self.members.get(*id).is_some_and(|m| m.contact.addr == *addr);
        let failed: Vec<(PeerId, u32)> = self
            .absent
            .iter()
            .filter(|(id, absent)| absent.dialing && at_addr(id))
            .map(|(id, absent)| (*id, absent.failures + 1))
            .collect();
        for (peer, failures) in failed {
            self.expect_link(now, peer, failures);
        }
        self.contact_failed(addr, out);
    }

    /// A member has no link: it is dialled after a pause that grows with `failures`, at once without.
    fn expect_link(&mut self, now: Time, peer: PeerId, failures: u32) {
        let (base, max) = (self.config.dial_backoff, self.config.dial_backoff_max);
        let due = match failures {
            0 if self.me.contact.id < peer => now,
            0 => now + self.config.dial_deference,
            _ => now + backoff(&mut self.rng, base, max, failures),
        };
        let absent = Absent { due, dialing: false, failures };
        self.absent.insert(peer, absent);
    }

    /// News of a member: links to it, or stops doing so.
    pub(super) fn member_changed(&mut self, now: Time, member: &Member, out: &mut Out) {
        let peer = member.contact.id;
        if !member.has_left() {
            if !self.active.contains_key(&peer) {
                self.expect_link(now, peer, 0);
                self.dial_absent(now, out);
            }
            return;
        }
        self.absent.remove(&peer);
        let newer_life = |n: &Neighbor| n.contact.incarnation > member.contact.incarnation;
        if self.active.get(&peer).is_some_and(newer_life) {
            return;
        }
        if self.deactivate(peer, out) {
            out.push(Output::Close(peer));
        }
    }

    /// Dials absent members that are due, the longest due first, and gives up dials without an answer.
    pub(super) fn dial_absent(&mut self, now: Time, out: &mut Out) {
        let mut due: Vec<(Time, PeerId)> =
            self.absent.iter().filter(|(_, absent)| absent.due <= now).map(|(id, absent)| (absent.due, *id)).collect();
        due.sort_unstable();
        for (_, peer) in due.into_iter().take(DIALS) {
            let (Some(absent), Some(member)) = (self.absent.get_mut(&peer), self.members.get(peer)) else {
                continue;
            };
            if absent.dialing {
                let failures = absent.failures + 1;
                self.expect_link(now, peer, failures);
            } else {
                absent.dialing = true;
                absent.due = now + self.config.dial_timeout;
                out.push(match absent.failures {
                    0 => Output::Link(member.contact.clone()),
                    // Whoever is there now, perhaps a new life of it.
                    _ => Output::Dial(member.contact.addr.clone()),
                });
            }
        }
    }

    /// Asks members that have been silent whether they are there, and gives up those that stay silent.
    pub(super) fn probe(&mut self, now: Time, out: &mut Out) {
        let mut dead = Vec::new();
        for (peer, neighbor) in &mut self.active {
            let silent = now - neighbor.heard >= self.config.probe_interval;
            if !silent || now - neighbor.probed < self.config.probe_timeout {
                continue;
            }
            if neighbor.unanswered >= self.config.probe_attempts {
                dead.push(*peer);
                continue;
            }
            neighbor.probed = now;
            neighbor.unanswered += 1;
            self.metrics.probes += 1;
            out.send(*peer, Message::Ping);
        }
        for peer in dead {
            out.push(Output::Close(peer));
            self.on_link_down(now, peer, out);
        }
    }
}
