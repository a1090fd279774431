//! Payloads: pushed on eager links, delivered once, pruned or sent again.

use super::message::{Ids, Message};
use super::plumtree::{Mode, Plumtree, Timer};
use super::{Event, Payload};
use crate::broadcast::cache::Record;
use crate::peer::PeerId;
use crate::protocol::Outbox;
use crate::time::Time;
use lasp_crdt::{Dot, DotSet};

impl<P: Payload> Plumtree<P> {
    /// Spreads a payload of this peer.
    pub(super) fn broadcast(&mut self, now: Time, payload: P, out: &mut Outbox<Self>) {
        self.minted += 1;
        let id = Dot::new(self.origin, self.minted);
        let ids = if self.shapes_next(now) { Ids::shaping(id) } else { Ids::from(id) };
        self.heed(now, &ids);
        self.seen.insert(&ids);
        self.spread(now, Record { ids, from: None, round: 0, payload: Some(payload) }, out);
        self.count_towards_wave(now, true, out);
    }

    pub(super) fn on_gossip(
        &mut self,
        now: Time,
        from: PeerId,
        ids: &Ids,
        round: u16,
        payload: P,
        out: &mut Outbox<Self>,
    ) {
        self.metrics.gossip_received += 1;
        self.heed(now, ids);
        let Some(fresh) = self.seen.insert(ids) else { return self.on_duplicate(now, from, ids, out) };
        self.settle_missing(&fresh);
        self.welcome(now, from);
        out.emit(Event::Deliver { from, round, payload: payload.clone() });
        self.spread(now, Record { ids: fresh.clone(), from: Some(from), round, payload: Some(payload) }, out);
        self.note_has(from, &fresh);
        self.count_towards_wave(now, false, out);
    }

    /// Pushes a payload on, announces it, and remembers it.
    fn spread(&mut self, now: Time, record: Record<P>, out: &mut Outbox<Self>) {
        for (&peer, neighbor) in self.neighbors.iter() {
            if neighbor.mode == Mode::Eager && record.from != Some(peer) {
                self.metrics.gossip_sent += record.send_to(peer, out);
            }
        }
        self.announcements.note(&record.ids);
        self.recent.note(now, &record.ids, self.config.remind_for, self.config.remind_limit);
        self.await_announcement(now, out);
        self.cache.insert(Record { payload: record.payload.and_then(P::packed), ..record });
    }

    /// Those who had announced what arrived need not hear of it.
    fn settle_missing(&mut self, fresh: &Ids) {
        let neighbors = &mut self.neighbors;
        self.missing.arrived(fresh, |dot, peer| {
            if let Some(neighbor) = neighbors.get_mut(&peer).filter(|neighbor| neighbor.hears_announcements()) {
                neighbor.has.insert(dot);
            }
        });
    }

    /// A neighbour that pushed something new holds its link as eager: so does this end, unless that was decided before
    /// the other end could know.
    fn welcome(&mut self, now: Time, from: PeerId) {
        if self.neighbors.get(&from).is_some_and(|neighbor| now >= neighbor.settles_at) {
            self.turn_eager(from);
        }
    }

    /// Whoever sent a payload has it.
    fn note_has(&mut self, from: PeerId, ids: &Ids) {
        let Some(neighbor) = self.neighbors.get_mut(&from).filter(|neighbor| neighbor.hears_announcements()) else {
            return;
        };
        neighbor.has.extend(ids.single().filter(|dot| self.announcements.contains(*dot)));
        if ids.single().is_none() {
            neighbor.has.union_with(&self.announcements.among(&ids.to_set()));
        }
    }

    /// A message may shape the tree.
    fn heed(&mut self, now: Time, ids: &Ids) {
        if let Some(id) = ids.shapes().filter(|_| !self.config.floods) {
            self.shape.heard(now, id, &self.config, &mut self.rng);
        }
    }

    /// A payload that was here already. Over a lazy link: the other end still holds it as eager, and must hear otherwise.
    /// Over an eager one: the link is one too many, if the message shapes the tree.
    fn on_duplicate(&mut self, now: Time, from: PeerId, ids: &Ids, out: &mut Outbox<Self>) {
        self.metrics.duplicates += 1;
        let Some(neighbor) = self.neighbors.get(&from) else { return };
        match neighbor.mode {
            Mode::Lazy if now >= neighbor.settles_at => self.prune(now, from, out),
            Mode::Lazy => {}
            Mode::Eager => self.suspect(now, from, ids, out),
        }
        self.note_has(from, ids);
    }

    /// Notes that a link closes a cycle. What the network duplicated shows nothing, nor does what came so long ago that
    /// nobody remembers who delivered it.
    fn suspect(&mut self, now: Time, from: PeerId, ids: &Ids, out: &mut Outbox<Self>) {
        let Some((id, first)) = ids.shapes().and_then(|id| Some((id, self.cache.get(id)?))) else { return };
        if first.from == Some(from) {
            return;
        }
        if let Some(at) = self.shape.duplicated(now, id, from) {
            out.set_timer(at.since(now), Timer::Shape);
        }
    }

    /// Prunes the links that brought the shaping message again.
    pub(super) fn prune_superfluous(&mut self, now: Time, out: &mut Outbox<Self>) {
        for peer in self.shape.settle(now) {
            if self.is_eager(peer) {
                self.prune(now, peer, out);
            }
        }
    }

    /// Makes a link lazy at both ends.
    pub(super) fn prune(&mut self, now: Time, peer: PeerId, out: &mut Outbox<Self>) {
        let Some(neighbor) = self.neighbors.get_mut(&peer) else { return };
        neighbor.make_lazy(now + self.config.settle);
        self.metrics.prunes_sent += 1;
        out.send(peer, Message::Prune);
    }

    pub(super) fn on_prune(&mut self, now: Time, from: PeerId) {
        self.metrics.prunes_received += 1;
        let Some(neighbor) = self.neighbors.get_mut(&from) else { return };
        neighbor.make_lazy(now + self.config.settle);
    }

    /// The other end wants payloads pushed from now on, and these that it missed. What is no longer remembered, it will
    /// learn by anti-entropy.
    pub(super) fn on_graft(&mut self, from: PeerId, ids: &DotSet, out: &mut Outbox<Self>) {
        self.metrics.grafts_received += 1;
        self.turn_eager(from);
        if let Some(neighbor) = self.neighbors.get_mut(&from) {
            neighbor.settles_at = Time::ZERO;
            neighbor.kept = true;
        }
        self.shape.keep(from);
        self.wanted_by(from, out);
        for record in self.cache.covering(ids) {
            self.metrics.gossip_sent += record.send_to(from, out);
        }
    }
}

impl<P: Payload> Record<P> {
    /// Sends the payload, if it is still there; returns how many messages that made.
    fn send_to(&self, peer: PeerId, out: &mut Outbox<Plumtree<P>>) -> u64 {
        let Some(payload) = self.payload.clone() else { return 0 };
        out.send(peer, Message::Gossip { ids: self.ids.clone(), round: self.round.saturating_add(1), payload });
        1
    }
}
