//! Who is alive, and where: found by life, by identity, by address. Nobody comes or goes while events are processed.

use crate::slab::{Key, Slab};
use hashbrown::HashMap;
use lasp_crdt::fingerprint::StableHasher;
use lasp_overlay::{Addr, Contact, PeerId};
use std::collections::BTreeMap;
use std::hash::BuildHasherDefault;

/// Its order never shows: it is asked for single keys only.
type ByAddr = HashMap<Addr, Key, BuildHasherDefault<StableHasher>>;

/// Everybody alive.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    lives: Slab<Contact>,
    by_id: BTreeMap<PeerId, Key>,
    by_addr: ByAddr,
}

impl Directory {
    pub(crate) fn new() -> Self {
        Self { lives: Slab::new(), by_id: BTreeMap::new(), by_addr: ByAddr::default() }
    }

    /// # Panics
    /// If a peer with this identity or address is alive.
    pub(crate) fn insert(&mut self, contact: Contact) -> Key {
        assert!(!self.by_id.contains_key(&contact.id), "peer {} is alive: crash it first", contact.id);
        assert!(!self.by_addr.contains_key(&contact.addr), "address {} is in use", contact.addr);
        let (id, addr) = (contact.id, contact.addr.clone());
        let life = self.lives.insert(contact);
        self.by_id.insert(id, life);
        self.by_addr.insert(addr, life);
        life
    }

    pub(crate) fn remove(&mut self, life: Key) {
        if let Some(contact) = self.lives.remove(life) {
            self.by_id.remove(&contact.id);
            self.by_addr.remove(&contact.addr);
        }
    }

    pub(crate) fn get(&self, life: Key) -> Option<&Contact> {
        self.lives.get(life)
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

    /// Everyone's identity and life, ascending by identity.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PeerId, Key)> {
        self.by_id.iter().map(|(&id, &life)| (id, life))
    }
}
