//! The links a peer has, those it has asked for, and the few messages that wait for one.
//!
//! Knows nothing of views: who is a neighbour is the caller's business.

use super::Out;
use super::message::Message;
use crate::peer::{Addr, Contact, PeerId};
use crate::peer_map::PeerMap;
use crate::protocol::Output;
use crate::time::Time;
use std::time::Duration;

/// How many messages wait for one link. Beyond it the newest is dropped: all that wait here is asked again or may
/// be lost.
const QUEUE: usize = 4;

/// How many links may be asked for at a time. Beyond it requests wait for their retry.
const OPENING: usize = 64;

/// The links of one peer.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    up: PeerMap<Link>,
    opening: PeerMap<Opening>,
}

#[derive(Clone, Debug)]
struct Link {
    contact: Contact,
    /// Whether this side dialled, and so closes first.
    dialed: bool,
    used: Time,
    /// The sample last offered over this link: its peers are the first to make room for those received in return.
    offered: Vec<PeerId>,
}

#[derive(Clone, Debug)]
struct Opening {
    contact: Contact,
    since: Time,
    queue: Vec<Message>,
}

impl Links {
    /// Who is at the other end of a link that is up.
    pub(super) fn contact(&self, peer: PeerId) -> Option<&Contact> {
        self.up.get(&peer).map(|link| &link.contact)
    }

    /// Every peer linked, ascending.
    pub(super) fn peers(&self) -> impl Iterator<Item = PeerId> {
        self.up.keys().copied()
    }

    /// Who is at the other ends of links, ascending.
    pub(super) fn contacts(&self) -> impl Iterator<Item = &Contact> {
        self.up.values().map(|link| &link.contact)
    }

    /// See [`Protocol::look_ahead`](crate::Protocol::look_ahead).
    pub(super) fn look_ahead(&self) -> u64 {
        self.up.look_ahead()
    }

    /// Whether a link to a peer is up or asked for.
    pub(super) fn leads_to(&self, peer: PeerId) -> bool {
        self.up.contains_key(&peer) || self.opening.contains_key(&peer)
    }

    /// Asks for a link to a peer without having anything to say.
    pub(super) fn open(&mut self, now: Time, to: &Contact, out: &mut Out) {
        if !self.leads_to(to.id) && self.opening.len() < OPENING {
            out.push(Output::Link(to.clone()));
            self.opening.insert(to.id, Opening { contact: to.clone(), since: now, queue: Vec::new() });
        }
    }

    /// Notes that something came over a link.
    pub(super) fn touch(&mut self, now: Time, peer: PeerId) {
        if let Some(link) = self.up.get_mut(&peer) {
            link.used = now;
        }
    }

    /// Sends over the link to a peer, or asks for one and keeps the message until it is up.
    pub(super) fn send(&mut self, now: Time, to: &Contact, message: Message, out: &mut Out) {
        if let Some(link) = self.up.get_mut(&to.id) {
            link.used = now;
            return out.send(to.id, message);
        }
        if self.opening.len() >= OPENING && !self.opening.contains_key(&to.id) {
            return;
        }
        let opening = self.opening.get_or_insert_with(to.id, || {
            out.push(Output::Link(to.clone()));
            Opening { contact: to.clone(), since: now, queue: Vec::new() }
        });
        if opening.queue.len() < QUEUE && !opening.queue.contains(&message) {
            opening.queue.push(message);
        }
    }

    /// A link came up; sends what waited for it. `false` if the peer was linked before, too.
    pub(super) fn came_up(&mut self, now: Time, peer: &Contact, dialed: bool, out: &mut Out) -> bool {
        let waiting = self.opening.remove(&peer.id);
        let link = Link { contact: peer.clone(), dialed: dialed || waiting.is_some(), used: now, offered: Vec::new() };
        let before = self.up.insert(peer.id, link);
        for message in waiting.into_iter().flat_map(|opening| opening.queue) {
            out.send(peer.id, message);
        }
        before.is_none()
    }

    /// A link is gone.
    pub(super) fn went_down(&mut self, peer: PeerId) {
        self.up.remove(&peer);
    }

    /// Closes the link to a peer, if there is one.
    pub(super) fn close(&mut self, peer: PeerId, out: &mut Out) {
        if self.up.remove(&peer).is_some() {
            out.push(Output::Close(peer));
        }
    }

    /// No link could be had to an address: the peers for which it was asked. What waited for them is dropped.
    pub(super) fn failed(&mut self, addr: &Addr) -> Vec<Contact> {
        self.give_up(|opening| opening.contact.addr == *addr)
    }

    /// Gives up links asked for longer than `patience` ago: their peers.
    pub(super) fn overdue(&mut self, now: Time, patience: Duration) -> Vec<Contact> {
        self.give_up(|opening| now - opening.since >= patience)
    }

    fn give_up(&mut self, mut which: impl FnMut(&Opening) -> bool) -> Vec<Contact> {
        self.opening.extract(&mut which).into_iter().map(|opening| opening.contact).collect()
    }

    /// Closes links of no use for `linger`, if this side dialled, or for twice as long; of those the `spares` used last stay.
    /// Returns to whom the others led.
    pub(super) fn sweep(
        &mut self,
        now: Time,
        linger: Duration,
        spares: usize,
        in_use: impl Fn(PeerId) -> bool,
        out: &mut Out,
    ) -> Vec<Contact> {
        let idle = |(peer, link): (&PeerId, &Link)| {
            let patience = if link.dialed { linger } else { linger * 2 };
            (!in_use(*peer) && now - link.used >= patience).then_some((link.used, *peer))
        };
        if self.up.iter().filter_map(idle).count() <= spares {
            return Vec::new();
        }
        let mut idle: Vec<(Time, PeerId)> = self.up.iter().filter_map(idle).collect();
        idle.sort_unstable();
        idle.truncate(idle.len() - spares);
        let close = |(_, peer)| {
            out.push(Output::Close(peer));
            self.up.remove(&peer).map(|link| link.contact)
        };
        idle.into_iter().filter_map(close).collect()
    }

    /// Notes what has been offered over the link to a peer.
    pub(super) fn offered(&mut self, to: PeerId, peers: &[Contact]) {
        if let Some(link) = self.up.get_mut(&to) {
            link.offered = peers.iter().map(|peer| peer.id).collect();
        }
    }

    /// What was last offered over the link to a peer; forgotten from now on.
    pub(super) fn take_offered(&mut self, to: PeerId) -> Vec<PeerId> {
        self.up.get_mut(&to).map(|link| std::mem::take(&mut link.offered)).unwrap_or_default()
    }

    /// Forgets every link and everything that waits.
    pub(super) fn clear(&mut self) {
        self.up.clear();
        self.opening.clear();
    }

    /// How many links are asked for.
    pub(super) fn opening(&self) -> usize {
        self.opening.len()
    }
}
