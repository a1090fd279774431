//! Spreading the map of members: rumours on change, digests now and then.
//!
//! Who hears something new tells a few others. A digest that differs is answered by the smaller map as a summary (who,
//! which version) and that by exactly the members in question, so that agreement costs the size of a digest and
//! disagreement the smaller map and the difference.

use super::member::{Member, Version};
use super::message::Message;
use super::{FullMesh, Out, Timer};
use crate::peer::PeerId;
use crate::time::Time;
use std::collections::BTreeMap;

impl FullMesh {
    pub(super) fn set_gossip(&mut self, out: &mut Out) {
        let (term, interval) = (self.term, self.config.gossip_interval);
        out.set_timer(self.rng.jitter(interval, 0.2), Timer::Gossip { term });
    }

    /// Sends a digest to a few peers.
    pub(super) fn gossip(&mut self, out: &mut Out) {
        self.set_gossip(out);
        for peer in self.some_peers(None) {
            self.send_digest(peer, out);
        }
    }

    pub(super) fn send_digest(&mut self, to: PeerId, out: &mut Out) {
        self.metrics.exchanges += 1;
        let (fingerprint, count) = (self.members.fingerprint(), self.members.count());
        out.send(to, Message::Digest { fingerprint, count });
    }

    /// A random few of the linked peers.
    fn some_peers(&mut self, except: Option<PeerId>) -> Vec<PeerId> {
        let others = self.active.keys().filter(|id| Some(**id) != except);
        let pool: Vec<PeerId> = others.copied().collect();
        self.rng.sample(&pool, self.config.fanout)
    }

    pub(super) fn on_digest(&mut self, from: PeerId, theirs: u64, count: u64, out: &mut Out) {
        if theirs == self.members.fingerprint() {
            return;
        }
        if self.members.count() <= count {
            self.on_ask(from, out);
        } else {
            out.send(from, Message::Ask);
        }
    }

    pub(super) fn on_ask(&self, from: PeerId, out: &mut Out) {
        let entry = |member: &Member| (member.contact.id, member.version());
        out.send(from, Message::Summary(self.members.iter().map(entry).collect()));
    }

    /// Answers a summary with what would be news to its sender, and asks for what is news here.
    pub(super) fn on_summary(&self, from: PeerId, entries: &[(PeerId, Version)], out: &mut Out) {
        let theirs: BTreeMap<PeerId, Version> = entries.iter().copied().collect();
        let news = |member: &&Member| theirs.get(&member.contact.id) < Some(&member.version());
        let members: Vec<Member> = self.members.iter().filter(news).cloned().collect();
        let lacking = |(id, version): &(&PeerId, &Version)| self.members.version(**id) < Some(**version);
        let want: Vec<PeerId> = theirs.iter().filter(lacking).map(|(id, _)| *id).collect();
        if !members.is_empty() || !want.is_empty() {
            out.send(from, Message::News { members, want });
        }
    }

    pub(super) fn on_news(&mut self, now: Time, from: PeerId, members: &[Member], want: &[PeerId], out: &mut Out) {
        let wanted: Vec<Member> = want.iter().filter_map(|id| self.members.get(*id)).cloned().collect();
        if !wanted.is_empty() {
            let want = Vec::new();
            out.send(from, Message::News { members: wanted, want });
        }
        let mut fresh = Vec::new();
        for member in members {
            if self.learn(now, member, out) {
                fresh.push(member.clone());
            }
        }
        self.tell(fresh, Some(from), out);
    }

    /// Takes in one statement; `true` if it was news.
    pub(super) fn learn(&mut self, now: Time, member: &Member, out: &mut Out) -> bool {
        if member.contact.id == self.me.contact.id {
            self.refute(member, out);
            return false;
        }
        let news = self.members.merge(member);
        if news {
            self.member_changed(now, member, out);
        }
        news
    }

    /// Spreads news as a rumour.
    pub(super) fn tell(&mut self, members: Vec<Member>, except: Option<PeerId>, out: &mut Out) {
        if members.is_empty() {
            return;
        }
        for peer in self.some_peers(except) {
            let members = members.clone();
            let want = Vec::new();
            out.send(peer, Message::News { members, want });
        }
    }

    /// Others have heard of a departure that this peer has taken back, or never made: overrules it.
    fn refute(&mut self, claim: &Member, out: &mut Out) {
        let of_this_life = claim.contact.incarnation == self.me.contact.incarnation;
        if !of_this_life || claim.change <= self.me.change || self.me.has_left() {
            return;
        }
        // The next even number, unless a hostile claim has used them up.
        let Some(above) = claim.change.checked_add(2) else {
            return;
        };
        self.raise_own_version(above & !1);
        self.tell(vec![self.me.clone()], None, out);
    }

    pub(super) fn raise_own_version(&mut self, change: u64) {
        self.me.change = change;
        self.members.merge(&self.me);
    }

    pub(super) fn news_of_self(&self) -> Message {
        Message::News { members: vec![self.me.clone()], want: Vec::new() }
    }
}
