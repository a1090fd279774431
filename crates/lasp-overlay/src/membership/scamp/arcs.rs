//! Arcs: offered, confirmed by heartbeats, leased, and taken back.
//!
//! The peer where an arc begins owns it. It says `Arc` until it hears `Known`, and then with every beat: both sides know
//! the arc, or will, and the lease begins anew. An arc whose heartbeat is not heard any more is forgotten where it ends. Where a link breaks the
//! arc stays, for the view is a list of peers and not of links: the peer is dialled again until the lease ends, which is
//! what leads islands together after a partition.

use super::message::{MAX_DEGREE, Message};
use super::peers::{Incoming, Outgoing, Peer};
use super::{Out, Scamp};
use crate::membership::backoff::backoff;
use crate::peer::{Contact, PeerId};
use crate::protocol::Output;
use crate::time::Time;

/// How many peers are dialled in one go. The others' turn comes with the next tick.
const DIALS: usize = 16;

/// How many newcomers may be in the view unconfirmed. Beyond it copies of subscriptions go on.
const UNPROVEN: usize = 32;

impl Scamp {
    /// Whether a subscription may be kept here.
    pub(super) fn may_keep(&self, now: Time, contact: &Contact) -> bool {
        let known = self.peers.get(contact.id).is_some_and(|peer| peer.outgoing.is_some());
        let room = self.peers.out_degree() < self.config.out_capacity && self.peers.unproven() < UNPROVEN;
        contact.id != self.me.id && !known && room && !self.departed.holds(now, contact)
    }

    /// Takes a peer into the partial view.
    pub(super) fn keep(&mut self, now: Time, contact: &Contact, hops: u8, out: &mut Out) {
        let expires = now + self.config.lease;
        let arc = Outgoing { known: false, proven: false, expires, due: now, failures: 0, hops };
        self.peers.change_or_add(contact, |peer| peer.outgoing = Some(arc));
        self.offer(now, contact.id, out);
    }

    /// Says that a peer is in the view, or asks for a link to say it over.
    fn offer(&mut self, now: Time, peer: PeerId, out: &mut Out) {
        let Some(Peer { contact, link, outgoing: Some(arc), .. }) = self.peers.get(peer) else {
            return;
        };
        let failures = arc.failures.saturating_add(1);
        let due = if link.is_some() {
            self.metrics.probes += 1;
            out.send(peer, Message::Arc { degree: self.own_degree() });
            now + self.config.reply_timeout
        } else {
            out.push(Output::Link(contact.clone()));
            let (base, max) = (self.config.dial_backoff, self.config.dial_backoff_max);
            now + backoff(&mut self.rng, base, max, failures)
        };
        self.change_arc(peer, |arc| (arc.due, arc.failures) = (due, failures));
    }

    /// Changes an arc to a peer, if there is one.
    fn change_arc<R>(&mut self, peer: PeerId, change: impl FnOnce(&mut Outgoing) -> R) -> Option<R> {
        self.peers.change(peer, |peer| peer.outgoing.as_mut().map(change)).flatten()
    }

    fn own_degree(&self) -> u32 {
        u32::try_from(self.peers.degree()).unwrap_or(MAX_DEGREE).min(MAX_DEGREE)
    }

    /// A link is up: says what there is to say over it.
    pub(super) fn offer_over_new_link(&mut self, now: Time, peer: PeerId, out: &mut Out) {
        if self.change_arc(peer, |arc| arc.failures = 0).is_some() {
            self.offer(now, peer, out);
        }
    }

    /// Takes a peer out of the partial view.
    pub(super) fn drop_arc(&mut self, peer: PeerId, out: &mut Out) {
        let is_linked = |entry: &Peer| entry.link.is_some();
        let dropped = self.peers.change(peer, |entry| entry.outgoing.take().is_some() && is_linked(entry));
        if dropped == Some(true) {
            out.send(peer, Message::End);
        }
        self.settle(peer, out);
    }

    pub(super) fn on_arc(&mut self, now: Time, from: PeerId, degree: u32, out: &mut Out) {
        let room = self.peers.in_degree() < self.config.in_capacity;
        let Some(known) = self.peers.get(from).map(|peer| peer.incoming.as_ref()) else {
            return;
        };
        if known.is_none() && !room {
            self.metrics.refused += 1;
            return out.send(from, Message::Refuse);
        }
        let (is_new, old) = (known.is_none(), known.is_some_and(|arc| arc.old));
        let arc = Incoming { heard: now, old };
        self.peers.change(from, |peer| (peer.incoming, peer.degree) = (Some(arc), degree.max(1)));
        self.departed.forget(from);
        out.send(from, Message::Known { degree: self.own_degree() });
        self.settle(from, out);
        if is_new {
            self.give_up_old_arc(out);
        }
        self.in_a_view(now);
        if self.peers.out_degree() == 0
            && let Some(contact) = self.peers.get(from).map(|peer| peer.contact.clone())
            && self.may_keep(now, &contact)
        {
            self.keep(now, &contact, 0, out);
        }
    }

    pub(super) fn on_known(&mut self, now: Time, from: PeerId, degree: u32, out: &mut Out) {
        let pause = self.rng.jitter(self.config.beat_interval, 0.1);
        let (expires, due) = (now + self.config.lease, now + pause);
        let confirm = |peer: &mut Peer| {
            let arc = peer.outgoing.as_mut()?;
            *arc = Outgoing { known: true, proven: true, failures: 0, expires, due, ..*arc };
            peer.degree = degree.max(1);
            Some(())
        };
        match self.peers.change(from, confirm) {
            Some(Some(())) => self.settle(from, out),
            Some(None) => out.send(from, Message::End),
            None => {}
        }
    }

    pub(super) fn on_end(&mut self, from: PeerId, out: &mut Out) {
        self.peers.change(from, |peer| peer.incoming = None);
        self.settle(from, out);
    }

    /// A peer does not want to be kept. If that is because it is in enough views, its subscription goes on to end.
    pub(super) fn on_refuse(&mut self, from: PeerId, out: &mut Out) {
        let Some((contact, arc)) = self.peers.change(from, |peer| (peer.contact.clone(), peer.outgoing.take())) else {
            return;
        };
        self.settle(from, out);
        let hops = arc.filter(|arc| !arc.proven).map_or(0, |arc| arc.hops);
        let next = if hops == 0 { None } else { self.peers.any_step(from, &mut self.rng) };
        if let Some(next) = next {
            let walk = self.begin_walk();
            out.send(next, Message::Forward { hops: hops - 1, walk, peer: contact });
        }
    }

    /// Beats, dials, and lets go of what has expired.
    pub(super) fn tend_arcs(&mut self, now: Time, out: &mut Out) {
        let stale = self.config.beat_interval * 4;
        let mut dials = 0;
        let wants = |peer: &Peer| {
            let stale = peer.incoming.as_ref().is_some_and(|arc| now - arc.heard >= stale);
            stale || peer.outgoing.as_ref().is_some_and(|arc| arc.due <= now || arc.expires <= now)
        };
        for id in self.peers.ids(wants) {
            self.peers.change(id, |peer| peer.incoming.take_if(|arc| now - arc.heard >= stale));
            let Some(peer) = self.peers.get(id) else {
                continue;
            };
            let linked = peer.link.is_some();
            match &peer.outgoing {
                Some(arc) if arc.expires <= now => self.drop_arc(id, out),
                Some(arc) if arc.due > now => {}
                Some(arc) if arc.failures >= self.config.attempts && (linked || !arc.proven) => {
                    let proven = arc.proven;
                    self.unanswered(id, proven, out);
                }
                Some(_) if linked || dials < DIALS => {
                    dials += usize::from(!linked);
                    self.offer(now, id, out);
                }
                Some(_) | None => {}
            }
            self.settle(id, out);
        }
    }

    /// A peer in the view does not answer: the link is broken, or there never was such a peer.
    fn unanswered(&mut self, peer: PeerId, proven: bool, out: &mut Out) {
        let give_up = |entry: &mut Peer| {
            entry.outgoing.take_if(|_| !proven);
            entry.link.take()
        };
        if self.peers.change(peer, give_up).flatten().is_some() {
            out.push(Output::Close(peer));
        }
        self.link_lost(peer, out);
    }

    /// The link to a peer is gone; what was agreed over it is to be agreed anew.
    pub(super) fn link_lost(&mut self, peer: PeerId, out: &mut Out) {
        let unlink = |entry: &mut Peer| {
            (entry.link, entry.incoming, entry.subscribed) = (None, None, None);
            if let Some(arc) = &mut entry.outgoing {
                arc.known = false;
            }
            entry.up
        };
        if self.peers.change(peer, unlink) == Some(true) {
            self.metrics.failures += 1;
            self.expect_islands();
        }
        self.settle(peer, out);
    }

    /// Closes links of no use.
    pub(super) fn sweep(&mut self, now: Time, out: &mut Out) {
        let linger = self.config.link_linger;
        let idle = |peer: &Peer| {
            let used = peer.outgoing.is_some() || peer.incoming.is_some();
            let patience = |dialed| if dialed { linger } else { linger * 2 };
            !used && peer.link.as_ref().is_some_and(|link| now - link.used >= patience(link.dialed))
        };
        for id in self.peers.ids(idle) {
            out.push(Output::Close(id));
            self.link_lost(id, out);
        }
    }
}
