//! The peers with which there is anything: a link, an arc to them, an arc from them.
//!
//! An *arc* leads from a peer to one in its partial view. SCAMP's views are directed, links are not: over one link
//! there may be an arc in either direction, or two. A peer is a neighbour while it is linked and there is an arc that
//! both sides know.

use crate::peer::{Contact, PeerId};
use crate::rng::Rng;
use crate::time::Time;
use std::collections::BTreeMap;

/// One other peer.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) contact: Contact,
    pub(super) link: Option<Link>,
    /// It is in the partial view here.
    pub(super) outgoing: Option<Outgoing>,
    /// This peer is in its partial view.
    pub(super) incoming: Option<Incoming>,
    /// Whether the owner was told that it is a neighbour.
    pub(super) up: bool,
    /// How many neighbours it has, as it last said; at least 1.
    pub(super) degree: u32,
    /// When it last subscribed here.
    pub(super) subscribed: Option<Time>,
}

/// A link that is up.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// Whether this side dialled, and so closes first.
    pub(super) dialed: bool,
    pub(super) used: Time,
}

/// An arc to a peer in the partial view.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    /// Whether the other side has said that it knows, since the link came up.
    pub(super) known: bool,
    /// Whether it ever has.
    pub(super) proven: bool,
    pub(super) expires: Time,
    /// When to say next that it is there, or to dial.
    pub(super) due: Time,
    /// How often that has been done in vain.
    pub(super) failures: u32,
    /// Steps that the subscription had left.
    pub(super) hops: u8,
}

/// An arc from a peer.
#[derive(Clone, Debug)]
pub(super) struct Incoming {
    /// When its heartbeat was last heard.
    pub(super) heard: Time,
    /// Whether it is of a subscription that has been renewed.
    pub(super) old: bool,
}

impl Peer {
    pub(super) const fn new(contact: Contact) -> Self {
        Self { contact, link: None, outgoing: None, incoming: None, up: false, degree: 1, subscribed: None }
    }

    /// Whether it is a neighbour.
    pub(super) fn is_active(&self) -> bool {
        let known = self.outgoing.as_ref().is_some_and(|arc| arc.known);
        self.link.is_some() && (known || self.incoming.is_some())
    }

    /// Whether a walk may go on there.
    pub(super) fn leads_on(&self) -> bool {
        self.link.is_some() && self.outgoing.as_ref().is_some_and(|arc| arc.known)
    }

    fn is_useless(&self) -> bool {
        self.link.is_none() && self.outgoing.is_none() && self.incoming.is_none()
    }
}

/// All of them, by id.
#[derive(Clone, Debug, Default)]
pub(super) struct Peers(BTreeMap<PeerId, Peer>);

impl Peers {
    pub(super) fn get(&self, peer: PeerId) -> Option<&Peer> {
        self.0.get(&peer)
    }

    pub(super) fn get_mut(&mut self, peer: PeerId) -> Option<&mut Peer> {
        self.0.get_mut(&peer)
    }

    /// The entry of a peer, new if need be; what is known of it is brought up to date.
    pub(super) fn entry(&mut self, contact: &Contact) -> &mut Peer {
        let peer = self.0.entry(contact.id).or_insert_with(|| Peer::new(contact.clone()));
        if peer.contact.incarnation < contact.incarnation && peer.link.is_none() {
            peer.contact = contact.clone();
        }
        peer
    }

    /// Drops the entry of a peer with which there is nothing.
    pub(super) fn tidy(&mut self, peer: PeerId) {
        if self.0.get(&peer).is_some_and(Peer::is_useless) {
            self.0.remove(&peer);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Peer> {
        self.0.values()
    }

    /// The arcs from peers.
    pub(super) fn incoming_mut(&mut self) -> impl Iterator<Item = &mut Incoming> {
        self.0.values_mut().filter_map(|peer| peer.incoming.as_mut())
    }

    pub(super) fn ids(&self, which: impl Fn(&Peer) -> bool) -> Vec<PeerId> {
        self.iter().filter(|peer| which(peer)).map(|peer| peer.contact.id).collect()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The size of the partial view.
    pub(super) fn out_degree(&self) -> usize {
        self.iter().filter(|peer| peer.outgoing.is_some()).count()
    }

    /// In how many partial views this peer is.
    pub(super) fn in_degree(&self) -> usize {
        self.iter().filter(|peer| peer.incoming.is_some()).count()
    }

    /// Where a copy of the subscription of `except` goes next: anywhere in the view.
    pub(super) fn any_step(&self, except: PeerId, rng: &mut Rng) -> Option<PeerId> {
        let steps = || self.iter().filter(|peer| peer.leads_on() && peer.contact.id != except);
        let count = steps().count();
        if count == 0 { None } else { steps().nth(rng.index(count)).map(|peer| peer.contact.id) }
    }

    /// Where a walk to a random peer goes next from a peer with `degree` neighbours, if it does not stay: to any neighbour,
    /// but to one with more neighbours more rarely, so that the walk may end anywhere with the same probability (Metropolis
    /// and Hastings).
    pub(super) fn fair_step(&self, except: PeerId, degree: usize, rng: &mut Rng) -> Option<PeerId> {
        let steps = || self.iter().filter(|peer| peer.up && peer.contact.id != except);
        let count = steps().count();
        let next = if count == 0 { None } else { steps().nth(rng.index(count)) };
        next.filter(|next| rng.chance(degree as f64 / f64::from(next.degree))).map(|next| next.contact.id)
    }
}
