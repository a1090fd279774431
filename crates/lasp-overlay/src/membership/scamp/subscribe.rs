//! Subscriptions: made, spread, kept.
//!
//! A newcomer subscribes at its contact. Whoever spreads the subscription sends a copy to everybody
//! in its view and a few more at random. Who gets a copy keeps it with probability 1 / (1 + size of its view), or passes it
//! on at random; so views settle at (c + 1) ln n. In version 2 the contact does not spread it itself, for then its own view
//! decides, but sends it on a walk that ends anywhere with the same probability. The paper reaches that by weights on arcs
//! which heartbeats balance; they take minutes to settle, and until then the walks end at newcomers, whose views are small:
//! 1,000 peers that joined within 100 s had 7 entries in the mean instead of 14. As links are duplex here, a walk over
//! neighbours that goes to those with more neighbours more rarely (Metropolis and Hastings) is fair at once.
//!
//! A view that is empty takes the first peer that keeps this one; in version 1 it has the contact already. The paper has
//! it take the peer that spreads; a keeper is as random, and linked anyway.

use super::config::Version;
use super::message::Message;
use super::{Out, Scamp};
use crate::peer::{Contact, PeerId};
use crate::time::Time;

impl Scamp {
    pub(super) fn subscribe_at(&mut self, now: Time, contact: &Contact, copies: u8, out: &mut Out) {
        self.metrics.exchanges += 1;
        out.send(contact.id, Message::Subscribe { copies });
        let enters = self.joining.is_commanded() || self.peers.out_degree() == 0;
        if self.config.version == Version::V1 && enters && self.may_keep(now, contact) {
            self.keep(now, contact, 0, out);
        }
    }

    pub(super) fn on_subscribe(&mut self, now: Time, from: PeerId, copies: u8, out: &mut Out) {
        let pause = self.config.subscribe_pause;
        let Some(peer) = self.peers.get(from) else {
            return;
        };
        if peer.subscribed.is_some_and(|last| now - last < pause) {
            self.metrics.refused += 1;
            return;
        }
        let contact = peer.contact.clone();
        self.peers.change(from, |peer| peer.subscribed = Some(now));
        self.departed.forget(from);
        let steps = match self.config.version {
            Version::V1 => 0,
            Version::V2 => self.config.steps,
        };
        let walk = self.begin_walk();
        self.on_indirect(now, copies, (steps, walk), contact, out);
    }

    /// Tells a walk from others of the same subscription.
    pub(super) fn begin_walk(&mut self) -> u16 {
        self.rng.next_u64() as u16
    }

    /// A walk with some steps left is here.
    pub(super) fn on_indirect(
        &mut self,
        now: Time,
        copies: u8,
        (steps, walk): (u8, u16),
        peer: Contact,
        out: &mut Out,
    ) {
        let most = steps.min(self.config.steps);
        for left in (0..most).rev() {
            if let Some(next) = self.peers.fair_step(peer.id, &mut self.rng) {
                return out.send(next, Message::Indirect { copies, steps: left, walk, peer });
            }
        }
        self.spread(now, copies, &peer, out);
    }

    /// Sends a copy of a subscription to everybody in the view, and a few more.
    fn spread(&mut self, now: Time, copies: u8, peer: &Contact, out: &mut Out) {
        let view: Vec<PeerId> = self.peers.steps().iter().copied().filter(|other| *other != peer.id).collect();
        if view.is_empty() {
            if self.may_keep(now, peer) {
                self.keep(now, peer, self.config.hops, out);
            }
            return;
        }
        let usual = view.len() + self.config.copies;
        let copies = if copies == 0 { usual } else { usize::from(copies).min(2 * usual) };
        let extra = (view.len()..copies).filter_map(|_| self.rng.choose(&view).copied()).collect::<Vec<PeerId>>();
        let mut receivers = self.rng.sample(&view, copies);
        receivers.extend(extra);
        for receiver in receivers {
            let walk = self.begin_walk();
            out.send(receiver, Message::Forward { hops: self.config.hops, walk, peer: peer.clone() });
        }
    }

    pub(super) fn on_forward(&mut self, now: Time, (hops, walk): (u8, u16), peer: Contact, out: &mut Out) {
        let hops = hops.min(self.config.hops);
        let keeps = self.rng.chance(1.0 / (1.0 + self.peers.out_degree() as f64));
        if keeps && self.may_keep(now, &peer) {
            return self.keep(now, &peer, hops, out);
        }
        self.pass_on(now, peer, (hops, walk), out);
    }

    /// Passes a copy of a subscription on; where it can go no further it is kept, if there is room.
    pub(super) fn pass_on(&mut self, now: Time, peer: Contact, (hops, walk): (u8, u16), out: &mut Out) {
        let next = if hops == 0 { None } else { self.peers.any_step(peer.id, &mut self.rng) };
        match next {
            Some(next) => out.send(next, Message::Forward { hops: hops - 1, walk, peer }),
            None if self.may_keep(now, &peer) => self.keep(now, &peer, 0, out),
            None => self.metrics.refused += 1,
        }
    }
}
