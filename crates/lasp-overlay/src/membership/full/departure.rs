//! How members go: leaving, being evicted, coming back, and when a departure may be forgotten.
//!
//! A departure is forgotten here once (1) it is older than `departed_ttl`, counted from where it became known first, far
//! longer than any message can be under way; and (2) every member has, since this peer knows of the departure, shown
//! by an equal digest that it knew of it too. So nobody is left who could bring the leaver back: not a member
//! that is cut off (it has not agreed, and is never removed by itself), not a newcomer (it knows what the members do), and
//! not one that was away (who comes back begins with an empty map). Old departures do not count in digests and are
//! not told to peers that never knew the leaver, so that who has forgotten one does not learn it again.

use super::gossip::Telling;
use super::member::{Member, Members, Status};
use super::message::{Message, Rumour};
use super::{FullMesh, Out};
use crate::membership::Event;
use crate::peer::PeerId;
use crate::protocol::Output;
use crate::time::Time;

/// A departure as it became known here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Departure {
    learned: Time,
    /// How old it was then, in seconds.
    age: u64,
}

impl Departure {
    pub(super) const fn new(learned: Time, age: u64) -> Self {
        Self { learned, age }
    }

    const fn age(self, now: Time) -> u64 {
        self.age.saturating_add(now.since(self.learned).as_secs())
    }
}

impl FullMesh {
    /// A statement as others are told it.
    pub(super) fn rumour(&self, now: Time, member: &Member) -> Rumour {
        let departure = self.departures.get(&member.contact.id).filter(|_| !member.is_in());
        Rumour { member: member.clone(), age: departure.map_or(0, |departure| departure.age(now)) }
    }

    /// Whether a departure is old enough to be forgotten.
    pub(super) const fn is_outdated(&self, age: u64) -> bool {
        age >= self.config.departed_ttl.as_secs()
    }

    /// Leaves: tells everybody linked and closes every link.
    pub(super) fn leave(&mut self, now: Time, out: &mut Out) {
        if self.me.is_in() {
            self.say_of_self(self.me.stay, Status::Left);
            self.go(now, out);
        }
    }

    /// An operator has removed this peer. It stays out until it is told to join.
    pub(super) fn be_evicted(&mut self, now: Time, stay: u64, out: &mut Out) {
        self.say_of_self(stay, Status::Evicted);
        self.go(now, out);
        out.emit(Event::Evicted);
    }

    fn go(&mut self, now: Time, out: &mut Out) {
        self.term += 1;
        self.absent.clear();
        self.dialed.clear();
        self.telling = Telling::default();
        self.lingering.clear();
        self.suspicions.clear();
        self.probing.stop();
        self.joining.stop();
        let peers: Vec<PeerId> = self.active.keys().copied().collect();
        for peer in peers {
            out.send(peer, self.goodbye(now));
            out.push(Output::Close(peer));
            self.deactivate(peer, out);
        }
        // What is known of the others grows old while this peer is away.
        self.members = Members::new(self.config.capacity);
        self.members.merge(&self.me);
        self.departures.clear();
        self.agreed.clear();
    }

    /// What a peer that is out says to whoever takes it for a member.
    pub(in crate::membership) fn goodbye(&self, now: Time) -> Message {
        Message::news([self.rumour(now, &self.me)])
    }

    /// Comes back after a departure in the same life.
    pub(super) fn come_back(&mut self, out: &mut Out) {
        if let Some(stay) = self.me.stay.checked_add(1) {
            self.say_of_self(stay, Status::IN);
            self.start(out);
        }
    }

    /// Removes a member for good, in its present life. Somebody who is not a member cannot be removed.
    pub(super) fn evict(&mut self, now: Time, peer: PeerId, out: &mut Out) {
        let Some(member) = self.members.get(peer).filter(|member| member.is_in()) else {
            self.metrics.refused += 1;
            return;
        };
        let stay = member.stay;
        if peer == self.me.contact.id {
            return self.be_evicted(now, stay, out);
        }
        self.metrics.evicted += 1;
        let rumour = Rumour { member: member.with(Status::Evicted), age: 0 };
        if self.active.contains_key(&peer) {
            out.send(peer, Message::news([rumour.clone()]));
        }
        if self.learn(now, &rumour, None, out) {
            self.tell(now, vec![rumour], Some(peer), out);
        }
    }

    /// A member's map has proved equal to the one here.
    pub(super) fn agrees(&mut self, now: Time, peer: PeerId) {
        self.agreed.insert(peer, now);
    }

    /// Sets old departures aside, and forgets those that everybody knows of. O(members + departures), nothing without any.
    pub(super) fn forget_departed(&mut self, now: Time) {
        if self.departures.is_empty() {
            return;
        }
        let me = self.me.contact.id;
        self.agreed.retain(|peer, _| self.members.get(*peer).is_some_and(Member::is_in));
        let others = self.members.present().map(|member| member.contact.id).filter(|id| *id != me);
        let agreed: Option<Time> = others.map(|id| self.agreed.get(&id).copied()).min().unwrap_or(Some(now));
        let old: Vec<(PeerId, Time)> = self
            .departures
            .iter()
            .filter(|(_, departure)| self.is_outdated(departure.age(now)))
            .map(|(id, departure)| (*id, departure.learned))
            .collect();
        for (peer, learned) in old {
            self.members.set_aside(peer);
            if agreed.is_some_and(|agreed| agreed > learned) {
                self.members.forget(peer);
                self.departures.remove(&peer);
                self.metrics.forgotten += 1;
            }
        }
    }
}
