//! A map from peers to what is kept of each: a sorted list in one piece.
//!
//! Views and links hold a handful of peers, a few dozen at most. A list takes half the memory of a tree's nodes, and one
//! walk to memory instead of several. It grows by a quarter and gives its memory back when it is empty, since one peer
//! holds many such maps and a simulator a million peers. O(log n) to find, O(n) to insert and remove.

use crate::peer::PeerId;

/// What is kept per peer, ascending by identity.
#[derive(Clone, Debug)]
pub(crate) struct PeerMap<V> {
    items: Vec<(PeerId, V)>,
}

impl<V> PeerMap<V> {
    pub(crate) const fn new() -> Self {
        Self { items: Vec::new() }
    }

    fn find(&self, peer: PeerId) -> Result<usize, usize> {
        self.items.binary_search_by_key(&peer, |(peer, _)| *peer)
    }

    pub(crate) const fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn contains_key(&self, peer: &PeerId) -> bool {
        self.find(*peer).is_ok()
    }

    pub(crate) fn get(&self, peer: &PeerId) -> Option<&V> {
        self.find(*peer).ok().map(|at| &self.items[at].1)
    }

    pub(crate) fn get_mut(&mut self, peer: &PeerId) -> Option<&mut V> {
        self.find(*peer).ok().map(|at| &mut self.items[at].1)
    }

    /// Puts a value in the place of what there was.
    pub(crate) fn insert(&mut self, peer: PeerId, value: V) -> Option<V> {
        match self.find(peer) {
            Ok(at) => Some(std::mem::replace(&mut self.items[at].1, value)),
            Err(at) => {
                self.insert_at(at, peer, value);
                None
            }
        }
    }

    /// What there is, or else what `make` makes.
    pub(crate) fn get_or_insert_with(&mut self, peer: PeerId, make: impl FnOnce() -> V) -> &mut V {
        let at = self.find(peer).unwrap_or_else(|at| {
            self.insert_at(at, peer, make());
            at
        });
        &mut self.items[at].1
    }

    fn insert_at(&mut self, at: usize, peer: PeerId, value: V) {
        if self.items.len() == self.items.capacity() {
            self.items.reserve_exact(2 + self.items.len() / 4);
        }
        self.items.insert(at, (peer, value));
    }

    pub(crate) fn remove(&mut self, peer: &PeerId) -> Option<V> {
        let at = self.find(*peer).ok()?;
        let (_, value) = self.items.remove(at);
        self.free_if_empty();
        Some(value)
    }

    /// Looks at every key: see [`Protocol::look_ahead`](crate::Protocol::look_ahead).
    pub(crate) fn look_ahead(&self) -> u64 {
        self.items.iter().fold(0, |sum, (peer, _)| sum ^ peer.0)
    }

    pub(crate) fn clear(&mut self) {
        self.items = Vec::new();
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&PeerId, &mut V) -> bool) {
        self.items.retain_mut(|(peer, value)| keep(peer, value));
        self.free_if_empty();
    }

    /// Takes out what `which` says, ascending.
    pub(crate) fn extract(&mut self, mut which: impl FnMut(&V) -> bool) -> Vec<V> {
        if !self.items.iter().any(|(_, value)| which(value)) {
            return Vec::new();
        }
        let taken = self.items.extract_if(.., |(_, value)| which(value)).map(|(_, value)| value).collect();
        self.free_if_empty();
        taken
    }

    fn free_if_empty(&mut self) {
        if self.items.is_empty() {
            self.items = Vec::new();
        }
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &PeerId> {
        self.items.iter().map(|(peer, _)| peer)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.items.iter().map(|(_, value)| value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.items.iter_mut().map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&PeerId, &V)> {
        self.items.iter().map(|(peer, value)| (peer, value))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&PeerId, &mut V)> {
        self.items.iter_mut().map(|(peer, value)| (&*peer, value))
    }
}

impl<V> Default for PeerMap<V> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use std::collections::BTreeMap;

    #[test]
    fn agrees_with_a_tree_under_random_changes() {
        let mut rng = Rng::new(1);
        let (mut map, mut model) = (PeerMap::new(), BTreeMap::new());
        for serial in 0..20_000 {
            let peer = PeerId(rng.below(40));
            match rng.below(8) {
                0..=2 => assert_eq!(map.insert(peer, serial), model.insert(peer, serial)),
                3..=5 => assert_eq!(map.remove(&peer), model.remove(&peer)),
                6 => assert_eq!(map.get_or_insert_with(peer, || serial), model.entry(peer).or_insert(serial)),
                _ if rng.chance(0.1) => {
                    let odd = |value: &u64| value % 2 == 1;
                    let taken: Vec<u64> = model.extract_if(.., |_, value| odd(value)).map(|(_, value)| value).collect();
                    assert_eq!(map.extract(odd), taken);
                }
                _ => {
                    assert_eq!((map.get(&peer), map.contains_key(&peer)), (model.get(&peer), model.contains_key(&peer)))
                }
            }
            assert!(map.iter().eq(model.iter()) && map.len() == model.len());
        }
    }
}
