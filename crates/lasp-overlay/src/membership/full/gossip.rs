//! Spreading the map of members: rumours on change, digests now and then.
//!
//! Who hears something new tells a few others. A digest that differs is answered by the smaller map as a summary (who,
//! which version) and that by exactly the members in question, so that agreement costs the size of a digest and
//! disagreement the smaller map and the difference. After Demers et al., *Epidemic algorithms for replicated database
//! maintenance*, PODC 1987: rumour mongering, backed by anti-entropy. Who says of a departed peer that it is in is
//! corrected at once.

use super::member::{Member, Merged, Status, Version};
use super::message::{MAX_ENTRIES, MAX_RUMOURS, Message, Rumour};
use super::{FullMesh, Out, Timer};
use crate::membership::Event;
use crate::peer::PeerId;
use crate::rng::Rng;
use crate::time::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// News that has come in faster than it is told.
///
/// A single change is told at once. What comes within [`Config::spread_interval`](super::Config) of that waits for its end,
/// so that a storm of changes costs each peer a few full messages per interval instead of a few per change.
#[derive(Clone, Debug, Default)]
pub(super) struct Telling {
    /// When something was last told.
    told: Option<Time>,
    /// Of whom there is news; as many as there are members, at most.
    waiting: BTreeSet<PeerId>,
}

/// A uniform sample of at most `count` of `ids`, which ascend, without `except`.
pub(super) fn sample(rng: &mut Rng, ids: &[PeerId], except: Option<PeerId>, count: usize) -> Vec<PeerId> {
    let left_out = except.is_some_and(|id| ids.binary_search(&id).is_ok());
    let mut drawn = rng.sample(ids, count + usize::from(left_out));
    drawn.retain(|id| Some(*id) != except);
    drawn.truncate(count);
    drawn
}

impl FullMesh {
    pub(super) fn set_gossip(&mut self, out: &mut Out) {
        let (term, interval) = (self.term, self.config.gossip_interval);
        out.set_timer(self.rng.jitter(interval, 0.2), Timer::Gossip { term });
    }

    /// Sends a digest to a few peers.
    pub(super) fn gossip(&mut self, now: Time, out: &mut Out) {
        self.set_gossip(out);
        self.forget_departed(now);
        for peer in self.some_peers(None, 0) {
            self.send_digest(peer, out);
        }
    }

    /// Compares maps with a member that is linked anew. One of many that come up together suffices: while everybody joins,
    /// all maps differ, and each comparison would list them.
    pub(super) fn compare(&mut self, now: Time, with: PeerId, out: &mut Out) {
        if self.compared.is_none_or(|at| now - at >= self.config.answer_interval) {
            self.compared = Some(now);
            self.send_digest(with, out);
        }
    }

    pub(super) fn send_digest(&mut self, to: PeerId, out: &mut Out) {
        self.metrics.exchanges += 1;
        let (fingerprint, count) = (self.members.fingerprint(), self.members.count());
        out.send(to, Message::Digest { fingerprint, count });
    }

    /// `ln n` random linked peers, and so many more.
    fn some_peers(&mut self, except: Option<PeerId>, more: usize) -> Vec<PeerId> {
        let others = self.linked.len() - usize::from(except.is_some_and(|id| self.active.contains_key(&id)));
        let ln = ((others + 1) as f64).ln().ceil() as usize;
        sample(&mut self.rng, &self.linked, except, ln + more)
    }

    /// Sends something to a few.
    pub(super) fn spread(&mut self, message: &Message, except: Option<PeerId>, out: &mut Out) {
        for peer in self.some_peers(except, self.config.fanout_extra) {
            out.send(peer, message.clone());
        }
    }

    /// Spreads news as rumours: at once, or together with what else comes in soon after other news.
    pub(super) fn tell(&mut self, now: Time, rumours: Vec<Rumour>, except: Option<PeerId>, out: &mut Out) {
        if rumours.is_empty() || self.linked.iter().all(|peer| Some(*peer) == except) {
            return;
        }
        let interval = self.config.spread_interval;
        let pause = self.telling.told.map_or(Duration::ZERO, |told| interval.saturating_sub(now - told));
        if pause.is_zero() && self.telling.waiting.is_empty() {
            self.telling.told = Some(now);
            return self.spread(&Message::news(rumours), except, out);
        }
        if self.telling.waiting.is_empty() {
            out.set_timer(pause, Timer::Tell { term: self.term });
        }
        self.telling.waiting.extend(rumours.iter().map(|rumour| rumour.member.contact.id));
    }

    /// Spreads the news that has gathered, as it stands by now.
    pub(super) fn tell_waiting(&mut self, now: Time, out: &mut Out) {
        let waiting = std::mem::take(&mut self.telling.waiting);
        self.telling.told = Some(now);
        let known = waiting.into_iter().filter_map(|id| self.members.get(id));
        let rumours: Vec<Rumour> = known.map(|member| self.rumour(now, member)).collect();
        for page in rumours.chunks(MAX_RUMOURS) {
            self.spread(&Message::news(page), None, out);
        }
    }

    pub(super) fn on_digest(&mut self, now: Time, from: PeerId, theirs: u64, count: u64, out: &mut Out) {
        if theirs == self.members.fingerprint() {
            return self.agrees(now, from);
        }
        if !self.may_answer(now, from) {
            return;
        }
        if self.members.count() <= count {
            self.send_summary(from, out);
        } else {
            out.send(from, Message::Ask);
        }
    }

    pub(super) fn on_ask(&mut self, now: Time, from: PeerId, out: &mut Out) {
        if self.may_answer(now, from) {
            self.send_summary(from, out);
        }
    }

    /// Whether the peer is due an answer that costs the whole map; what it asks beyond that is left to the next digest.
    fn may_answer(&mut self, now: Time, peer: PeerId) -> bool {
        let Some(neighbor) = self.active.get_mut(&peer) else { return false };
        if neighbor.answered.is_some_and(|at| now - at < self.config.answer_interval) {
            self.metrics.refused += 1;
            return false;
        }
        neighbor.answered = Some(now);
        true
    }

    /// Lists the map, range by range.
    fn send_summary(&self, to: PeerId, out: &mut Out) {
        let counts = |member: &&Member| !self.members.is_aside(member.contact.id);
        let all: Vec<(PeerId, Version)> =
            self.members.iter().filter(counts).map(|member| (member.contact.id, member.version())).collect();
        let mut first = PeerId(0);
        let mut pages = all.chunks(MAX_ENTRIES).peekable();
        while let Some(page) = pages.next() {
            let next = pages.peek().map(|next| next[0].0);
            let last = PeerId(next.map_or(u64::MAX, |next| next.0 - 1));
            out.send(to, Message::Summary { first, last, entries: page.to_vec() });
            first = next.unwrap_or_default();
        }
    }

    /// Answers a summary with what would be news to its sender, and asks for what is news here.
    pub(super) fn on_summary(
        &self,
        now: Time,
        from: PeerId,
        range: (PeerId, PeerId),
        entries: &[(PeerId, Version)],
        out: &mut Out,
    ) {
        let within = |id: PeerId| (range.0..=range.1).contains(&id);
        let theirs: BTreeMap<PeerId, Version> = entries.iter().copied().filter(|(id, _)| within(*id)).collect();
        let news = |member: &&Member| {
            let id = member.contact.id;
            let known = theirs.get(&id);
            within(id) && known < Some(&member.version()) && (known.is_some() || !self.members.is_aside(id))
        };
        let rumours = self.members.iter().filter(news).map(|member| self.rumour(now, member)).collect();
        let lacking = |(id, version): &(&PeerId, &Version)| self.members.version(**id) < Some(**version);
        let want = theirs.iter().filter(lacking).map(|(id, _)| *id).collect();
        send_pages(from, rumours, want, out);
    }

    pub(super) fn on_news(&mut self, now: Time, from: PeerId, rumours: &[Rumour], want: &[PeerId], out: &mut Out) {
        let wanted = want.iter().filter_map(|id| self.members.get(*id));
        send_pages(from, wanted.map(|member| self.rumour(now, member)).collect(), Vec::new(), out);
        let mut fresh = Vec::new();
        for rumour in rumours {
            if self.learn(now, rumour, Some(from), out) {
                fresh.push(rumour.clone());
            }
        }
        self.tell(now, fresh, Some(from), out);
    }

    /// Takes in one statement; `true` if it was news. `from` is corrected if it is behind.
    pub(super) fn learn(&mut self, now: Time, rumour: &Rumour, from: Option<PeerId>, out: &mut Out) -> bool {
        let member = &rumour.member;
        let id = member.contact.id;
        if id == self.me.contact.id {
            self.refute(now, member.version(), from, out);
            return false;
        }
        let known = self.members.get(id);
        if known.is_none() && !member.is_in() && self.is_outdated(rumour.age) {
            return false; // forgotten here
        }
        if let (Some(known), Some(from), true) = (known, from, member.is_in())
            && !known.is_in()
            && known.version() > member.version()
        {
            out.send(from, Message::news([self.rumour(now, known)]));
        }
        let leaves = member.status == Status::Left && known.is_some_and(Member::is_in);
        match self.members.merge(member) {
            Merged::News => {
                if leaves {
                    out.emit(Event::Left(id));
                }
                self.member_changed(now, rumour, out);
                true
            }
            Merged::Refused => {
                self.metrics.refused += 1;
                false
            }
            Merged::Old => false,
        }
    }
}

/// Sends statements and wishes in as many messages as they need.
fn send_pages(to: PeerId, mut rumours: Vec<Rumour>, mut want: Vec<PeerId>, out: &mut Out) {
    while !rumours.is_empty() || !want.is_empty() {
        let rest = rumours.split_off(rumours.len().min(MAX_RUMOURS));
        let wished = want.split_off(want.len().min(MAX_RUMOURS));
        out.send(to, Message::News { rumours: rumours.into(), want });
        (rumours, want) = (rest, wished);
    }
}
