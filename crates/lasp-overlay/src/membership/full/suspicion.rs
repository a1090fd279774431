//! Suspicions: a member that answers neither directly nor through others is given time to refute that it has failed.
//!
//! A suspicion is a statement like any other and spreads as one; who comes to it by its own probes says so, and the
//! more do, the sooner it runs out (see [`super::health`]). When it has run out the member counts as unreachable. It
//! stays a member: only an operator's word, or the policy of [`Config::evict_after`](super::Config), removes it.

use super::health::suspicion_time;
use super::member::{Member, Merged, Status, Version};
use super::message::Message;
use super::{FullMesh, Out};
use crate::peer::PeerId;
use crate::protocol::Output;
use crate::time::Time;

/// What this peer knows of a suspicion.
#[derive(Clone, Debug)]
pub(super) struct Suspicion {
    /// The statement.
    version: Version,
    since: Time,
    /// Who has come to it by its own probes; one more than the confirmations that count, at most.
    by: Vec<PeerId>,
    /// When it ran out.
    expired: Option<Time>,
}

impl FullMesh {
    /// This peer's own probes have found a member silent.
    pub(super) fn suspect(&mut self, now: Time, peer: PeerId, out: &mut Out) {
        let Some(member) = self.members.get(peer) else { return };
        let Status::In { refutation, .. } = member.status else { return };
        let version = member.with(Status::In { refutation, suspect: true }).version();
        self.on_suspect(now, None, peer, version, self.me.contact.id, out);
    }

    /// Somebody suspects a member; it was heard from `from`, if not found here.
    pub(super) fn on_suspect(
        &mut self,
        now: Time,
        from: Option<PeerId>,
        peer: PeerId,
        version: Version,
        by: PeerId,
        out: &mut Out,
    ) {
        if peer == self.me.contact.id {
            // Also where this was refuted long ago: the answer is what the sender waits for.
            return self.refute(now, version, from, out);
        }
        let (Some(member), Status::In { suspect: true, .. }) = (self.members.get(peer), version.status) else { return };
        let of_this_stay = (member.contact.incarnation, member.stay) == (version.incarnation, version.stay);
        if !of_this_stay || member.version() > version {
            return; // refuted, departed, or not known here yet
        }
        let suspected = member.with(version.status);
        self.members.merge(&suspected);
        let most = self.config.suspicion_confirmations + 1;
        let suspicion = self.note_suspicion(now, &suspected);
        if suspicion.by.len() >= most || suspicion.by.contains(&by) {
            return;
        }
        suspicion.by.push(by);
        let message = Message::Suspect { peer, version, by };
        // The suspect first: it is the one that can refute it.
        if self.active.contains_key(&peer) {
            out.send(peer, message.clone());
        }
        self.spread(&message, Some(peer), out);
    }

    /// The suspicion of a member, begun if it is new.
    pub(super) fn note_suspicion(&mut self, now: Time, member: &Member) -> &mut Suspicion {
        let version = member.version();
        let fresh = || Suspicion { version, since: now, by: Vec::new(), expired: None };
        let suspicion = self.suspicions.entry(member.contact.id).or_insert_with(|| {
            self.metrics.suspicions += 1;
            fresh()
        });
        if suspicion.version != version {
            self.metrics.suspicions += 1;
            *suspicion = fresh();
        }
        suspicion
    }

    /// Whether the suspicion of a member has run out.
    pub(super) fn is_lost(&self, peer: PeerId) -> bool {
        self.suspicions.get(&peer).is_some_and(|suspicion| suspicion.expired.is_some())
    }

    /// Tells a linked peer that it is suspected, so that it can refute that.
    pub(super) fn confront(&self, peer: PeerId, out: &mut Out) {
        if let Some(member) = self.members.get(peer).filter(|member| member.is_suspect()) {
            out.send(peer, Message::Suspect { peer, version: member.version(), by: self.me.contact.id });
        }
    }

    /// Suspicions that have run out: links to those members are given up. O(suspicions).
    pub(super) fn expire_suspicions(&mut self, now: Time, out: &mut Out) {
        if self.suspicions.is_empty() {
            return;
        }
        let count = self.members.present_count();
        let config = &self.config;
        let over = |suspicion: &Suspicion| {
            let confirmations = suspicion.by.len().saturating_sub(1);
            now - suspicion.since >= suspicion_time(config, count, confirmations)
        };
        let waiting = |s: &Suspicion| s.expired.is_none();
        let due: Vec<PeerId> =
            self.suspicions.iter().filter(|(_, s)| waiting(s) && over(s)).map(|(id, _)| *id).collect();
        for peer in due {
            self.expire(now, peer, out);
        }
        self.evict_by_policy(now, out);
    }

    fn expire(&mut self, now: Time, peer: PeerId, out: &mut Out) {
        let heard = self.active.get(&peer).map(|neighbor| neighbor.heard);
        let Some(suspicion) = self.suspicions.get_mut(&peer) else { return };
        if heard.is_some_and(|heard| heard > suspicion.since) {
            // It speaks here, but does not refute: it may not have heard.
            suspicion.since = now;
            return self.confront(peer, out);
        }
        suspicion.expired = Some(now);
        self.metrics.lost += 1;
        if heard.is_some() {
            out.push(Output::Close(peer));
            self.on_link_down(now, peer, out);
        }
    }

    /// Evicts members that were lost long ago, if that is the policy and most members are not. Who doubts itself evicts nobody: a
    /// peer that hears nothing loses the others one by one, and would evict the first of them while it has most.
    fn evict_by_policy(&mut self, now: Time, out: &mut Out) {
        let Some(after) = self.config.evict_after.filter(|_| self.health.score() == 0) else { return };
        let lost = self.suspicions.values().filter(|suspicion| suspicion.expired.is_some()).count();
        if 2 * lost >= self.members.present_count() {
            return; // the smaller side of a partition removes nobody
        }
        let over = |s: &Suspicion| s.expired.is_some_and(|expired| now - expired >= after);
        let due: Vec<PeerId> = self.suspicions.iter().filter(|(_, s)| over(s)).map(|(id, _)| *id).collect();
        for peer in due {
            self.evict(now, peer, out);
        }
    }

    /// Others say something of this peer that it has taken back, or that is not so: overrules it. An eviction it obeys.
    /// `from` hears of it first, if somebody in particular said so, also where it is merely behind.
    pub(super) fn refute(&mut self, now: Time, claim: Version, from: Option<PeerId>, out: &mut Out) {
        if claim.incarnation > self.me.contact.incarnation {
            // Somebody else lives under this identity; the transport decides who yields.
            self.metrics.conflicts += 1;
        }
        let of_this_life = claim.incarnation == self.me.contact.incarnation;
        if !of_this_life || !self.me.is_in() {
            return;
        }
        if claim <= self.me.version() {
            if let (Some(from), true) = (from, claim.status != self.me.status) {
                out.send(from, Message::news([self.rumour(now, &self.me)]));
            }
            return;
        }
        if claim.status == Status::Evicted {
            return self.be_evicted(now, claim.stay, out);
        }
        let Some((stay, status)) = above(claim) else { return };
        self.health.worse(1, &self.config);
        self.metrics.refutations += 1;
        self.say_of_self(stay, status);
        let rumours = vec![self.rumour(now, &self.me)];
        if let Some(from) = from {
            out.send(from, Message::news(rumours.clone()));
        }
        self.tell(now, rumours, from, out);
    }

    /// Says something newer of this peer.
    pub(super) fn say_of_self(&mut self, stay: u64, status: Status) {
        self.me.stay = stay;
        self.me.status = status;
        let merged = self.members.merge(&self.me);
        debug_assert_eq!(merged, Merged::News, "what a peer says of itself is newest");
    }
}

/// The least statement above a claim by which a peer says that it is in, unless a hostile claim has used them up.
fn above(claim: Version) -> Option<(u64, Status)> {
    if let Status::In { refutation, .. } = claim.status
        && let Some(refutation) = refutation.checked_add(1)
    {
        return Some((claim.stay, Status::In { refutation, suspect: false }));
    }
    Some((claim.stay.checked_add(1)?, Status::IN))
}
