//! A link to every member: dialling, dialling again, and what a link says about its peer.
//!
//! Of two members the one with the lesser id dials; the other does too if that takes too long. A peer that is linked
//! is a member, unless it is known to have departed: nobody needs to be told to accept one that joins.

use super::member::{Member, Merged};
use super::message::{Message, Rumour};
use super::{FullMesh, Out};
use crate::membership::backoff::backoff;
use crate::peer::{Addr, Contact, PeerId};
use crate::protocol::Output;
use crate::time::Time;
use std::time::Duration;

/// How many members are dialled in one go. The others' turn comes with the next tick.
const DIALS: usize = 64;

/// How long a link to a peer that is no member stays open, so that either side can say what the other does not know.
/// A guess.
const LINGER: Duration = Duration::from_secs(5);

/// Most such links. A guess.
const LINGERING: usize = 256;

/// A member with a link.
#[derive(Clone, Debug)]
pub(super) struct Neighbor {
    pub(super) contact: Contact,
    /// When something last came from it; when it was linked, if nothing has.
    pub(super) heard: Time,
    /// When it was last given an answer that costs the whole map.
    pub(super) answered: Option<Time>,
}

/// A member without a link.
#[derive(Clone, Debug)]
pub(super) struct Absent {
    /// When to dial it, or to give up the dial under way.
    due: Time,
    dialing: bool,
    failures: u32,
}

impl FullMesh {
    pub(super) fn on_link_up(&mut self, now: Time, peer: &Contact, dialed: Option<&Addr>, out: &mut Out) {
        if peer.id == self.me.contact.id {
            // The same identity, elsewhere or here: nobody to keep a link with.
            self.metrics.conflicts += u64::from(peer.addr != self.me.contact.addr);
            out.push(Output::Close(peer.id));
            return dialed.map_or((), |addr| self.on_dial_failed(now, addr, out));
        }
        if !self.me.is_in() {
            out.send(peer.id, self.goodbye(now));
            return out.push(Output::Close(peer.id));
        }
        if let Some(addr) = dialed {
            self.somebody_else_answered(now, peer, addr);
        }
        if self.replaces_an_older_life(peer, out) {
            self.admit(now, peer, dialed.is_some(), out);
        }
        if self.members.get(peer.id).is_some_and(Member::is_in) {
            self.contact_reached(peer, dialed, out);
        } else if let Some(addr) = dialed {
            self.contact_failed(addr, out);
        }
    }

    /// Members that were dialled at an address where another now listens were not reached.
    fn somebody_else_answered(&mut self, now: Time, peer: &Contact, addr: &Addr) {
        for (id, failures) in self.dialed_at(addr) {
            if id != peer.id {
                self.expect_link(now, id, failures + 1);
            }
        }
    }

    /// A life older than one that is linked is not let in; a newer one takes its place.
    fn replaces_an_older_life(&mut self, peer: &Contact, out: &mut Out) -> bool {
        let linked = self.active.get(&peer.id).map(|n| n.contact.incarnation);
        if linked.is_some_and(|life| life < peer.incarnation) {
            self.deactivate(peer.id, out);
        }
        linked.is_none_or(|life| life <= peer.incarnation)
    }

    /// A peer is linked: it is a member now, if nothing newer says otherwise.
    fn admit(&mut self, now: Time, peer: &Contact, compare: bool, out: &mut Out) {
        let rumour = Rumour { member: Member::new(peer.clone()), age: 0 };
        let merged = self.members.merge(&rumour.member);
        if merged == Merged::News {
            self.departures.remove(&peer.id);
            self.suspicions.remove(&peer.id);
        }
        match self.members.get(peer.id) {
            Some(member) if member.is_in() && member.contact.incarnation <= peer.incarnation => {}
            known => {
                self.metrics.refused += u64::from(merged == Merged::Refused);
                if let Some(member) = known {
                    out.send(peer.id, Message::news([self.rumour(now, member)]));
                }
                return self.linger(now, peer.id, out);
            }
        }
        if !self.active.contains_key(&peer.id) {
            self.activate(now, peer.clone(), out);
        }
        self.confront(peer.id, out);
        if compare {
            self.compare(now, peer.id, out);
        }
        if merged == Merged::News {
            self.tell(now, vec![rumour], Some(peer.id), out);
        }
    }

    /// Keeps a link to a peer that is no member for a while.
    fn linger(&mut self, now: Time, peer: PeerId, out: &mut Out) {
        if self.lingering.len() >= LINGERING {
            return out.push(Output::Close(peer));
        }
        self.lingering.insert(peer, now + LINGER);
    }

    /// Closes links that have lingered long enough.
    pub(super) fn close_lingering(&mut self, now: Time, out: &mut Out) {
        let over: Vec<PeerId> = self.lingering.iter().filter(|(_, until)| **until <= now).map(|(id, _)| *id).collect();
        for peer in over {
            self.lingering.remove(&peer);
            out.push(Output::Close(peer));
        }
    }

    pub(super) fn on_link_down(&mut self, now: Time, peer: PeerId, out: &mut Out) {
        self.lingering.remove(&peer);
        if self.deactivate(peer, out) {
            self.metrics.failures += 1;
            self.expect_link(now, peer, 1);
            // It may have failed: the others find out together with this peer.
            self.probing.hasten(peer);
        }
    }

    pub(super) fn on_dial_failed(&mut self, now: Time, addr: &Addr, out: &mut Out) {
        for (peer, failures) in self.dialed_at(addr) {
            self.expect_link(now, peer, failures + 1);
        }
        self.contact_failed(addr, out);
    }

    /// Members that were being dialled at an address, which has answered now or will not; and how often that failed before.
    fn dialed_at(&mut self, addr: &Addr) -> Vec<(PeerId, u32)> {
        let dialed = self.dialed.remove(addr).unwrap_or_default();
        let failures = |id: PeerId| Some((id, self.absent.get(&id).filter(|absent| absent.dialing)?.failures));
        dialed.into_iter().filter_map(failures).collect()
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
    pub(super) fn member_changed(&mut self, now: Time, rumour: &Rumour, out: &mut Out) {
        let member = &rumour.member;
        let peer = member.contact.id;
        if member.is_suspect() {
            self.note_suspicion(now, member);
            self.confront(peer, out);
        } else {
            self.suspicions.remove(&peer);
        }
        if member.is_in() {
            self.departures.remove(&peer);
            if self.lingering.remove(&peer).is_some() || !self.active.contains_key(&peer) {
                self.expect_link(now, peer, 0);
                if self.me.contact.id < peer {
                    self.dial(now, peer, out);
                }
            }
            return;
        }
        self.departures.insert(peer, super::departure::Departure::new(now, rumour.age));
        self.contact_departed(peer, out);
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
            self.dial(now, peer, out);
        }
    }

    /// Dials an absent member, or gives up the dial under way.
    fn dial(&mut self, now: Time, peer: PeerId, out: &mut Out) {
        let (Some(absent), Some(member)) = (self.absent.get_mut(&peer), self.members.get(peer)) else {
            return;
        };
        if absent.dialing {
            let failures = absent.failures + 1;
            return self.expect_link(now, peer, failures);
        }
        absent.dialing = true;
        absent.due = now + self.config.dial_timeout;
        let dialed = self.dialed.entry(member.contact.addr.clone()).or_default();
        if !dialed.contains(&peer) {
            dialed.push(peer);
        }
        out.push(match absent.failures {
            0 => Output::Link(member.contact.clone()),
            // Whoever is there now, perhaps a new life of it.
            _ => Output::Dial(member.contact.addr.clone()),
        });
    }
}
