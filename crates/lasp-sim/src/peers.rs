//! The peers that are alive, found by identity, by address or by life.

use crate::clock::Clock;
use crate::link::Handle;
use crate::slab::{Key, Slab};
use lasp_overlay::{Addr, Contact, PeerId};
use std::collections::BTreeMap;
use std::time::Duration;

/// One life of one peer.
#[derive(Clone, Debug)]
pub(crate) struct Peer<P> {
    pub(crate) contact: Contact,
    pub(crate) protocol: P,
    /// Its links, opening or up, ascending by the peer at the other end.
    links: Vec<(PeerId, Handle)>,
    /// What it takes for the time.
    pub(crate) clock: Clock,
    /// How long it takes to deal with one message.
    pub(crate) slowness: Duration,
    /// When it will have dealt with all that has been sent to it.
    pub(crate) busy_until: lasp_overlay::Time,
}

impl<P> Peer<P> {
    /// The handles of its links to `peer`: at most one is up.
    pub(crate) fn links_to(&self, peer: PeerId) -> impl Iterator<Item = Handle> {
        let from = self.links.partition_point(|(other, _)| *other < peer);
        self.links[from..].iter().take_while(move |(other, _)| *other == peer).map(|(_, handle)| *handle)
    }

    /// All of its links.
    pub(crate) fn links(&self) -> impl Iterator<Item = (PeerId, Handle)> {
        self.links.iter().copied()
    }

    pub(crate) fn add_link(&mut self, peer: PeerId, handle: Handle) {
        let at = self.links.partition_point(|(other, _)| *other <= peer);
        self.links.insert(at, (peer, handle));
    }

    pub(crate) fn remove_link(&mut self, handle: Handle) {
        self.links.retain(|(_, other)| *other != handle);
    }
}

/// All peers alive.
#[derive(Clone, Debug)]
pub(crate) struct Peers<P> {
    lives: Slab<Peer<P>>,
    by_id: BTreeMap<PeerId, Key>,
    by_addr: BTreeMap<Addr, Key>,
}

impl<P> Peers<P> {
    pub(crate) const fn new() -> Self {
        Self { lives: Slab::new(), by_id: BTreeMap::new(), by_addr: BTreeMap::new() }
    }

    /// # Panics
    /// If a peer with this identity or address is alive.
    pub(crate) fn insert(&mut self, contact: Contact, protocol: P) -> Key {
        assert!(!self.by_id.contains_key(&contact.id), "peer {} is alive: crash it first", contact.id);
        assert!(!self.by_addr.contains_key(&contact.addr), "address {} is in use", contact.addr);
        let (id, addr) = (contact.id, contact.addr.clone());
        let (slowness, busy_until) = (Duration::ZERO, lasp_overlay::Time::ZERO);
        let life = self.lives.insert(Peer {
            contact,
            protocol,
            links: Vec::new(),
            clock: Clock::default(),
            slowness,
            busy_until,
        });
        self.by_id.insert(id, life);
        self.by_addr.insert(addr, life);
        life
    }

    pub(crate) fn remove(&mut self, life: Key) -> Option<Peer<P>> {
        let peer = self.lives.remove(life)?;
        self.by_id.remove(&peer.contact.id);
        self.by_addr.remove(&peer.contact.addr);
        Some(peer)
    }

    pub(crate) fn get(&self, life: Key) -> Option<&Peer<P>> {
        self.lives.get(life)
    }

    pub(crate) fn get_mut(&mut self, life: Key) -> Option<&mut Peer<P>> {
        self.lives.get_mut(life)
    }

    pub(crate) fn life_of(&self, id: PeerId) -> Option<Key> {
        self.by_id.get(&id).copied()
    }

    pub(crate) fn listening_at(&self, addr: &Addr) -> Option<Key> {
        self.by_addr.get(addr).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Everyone alive, ascending by identity.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PeerId, &Peer<P>)> {
        self.by_id.iter().filter_map(|(&id, &life)| Some((id, self.lives.get(life)?)))
    }
}
