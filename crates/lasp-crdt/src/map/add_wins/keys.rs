//! The keys of an add-wins map with their values: a dense list, found by key and by the dots below.
//!
//! A list of a few keys (nearly every delta) is scanned and has no index; a longer one has two hash tables: positions by
//! key, and positions by the dots that live below. The order of a table never shows. It knows nothing of contexts.

use crate::dense::Dense;
use crate::dot::Dot;
use crate::dotted::{CausalType, DotStore};
use crate::fingerprint::{hash, mix};
use hashbrown::HashTable;
use smallvec::SmallVec;
use std::hash::Hash;

/// What a key must be able to do.
pub trait Key: Clone + Ord + Hash {}

impl<K: Clone + Ord + Hash> Key for K {}

/// Up to how many keys a scan replaces the index. A guess, near where scan and look-up cost the same.
const SCANNED: usize = 8;

#[derive(Clone, Debug)]
pub(super) struct Entry<K, S> {
    pub(super) key: K,
    /// Has dots, but for a moment within a merge.
    pub(super) value: S,
}

/// The keys of an add-wins map with their values: a [dot store](DotStore) in which every value has at least one dot.
pub struct Keys<K, V: CausalType> {
    list: Dense<Entry<K, V::Store>>,
    /// Over all entries once there were more than [`SCANNED`].
    index: Option<Box<Index>>,
    dots: usize,
    /// How many values are [present](DotStore::is_present).
    present: usize,
    fingerprint: u64,
}

/// Dots name their entry by a number that it keeps when it moves: it may have any number of dots.
#[derive(Clone, Debug, Default)]
struct Index {
    /// Positions.
    by_key: HashTable<u32>,
    by_dot: HashTable<DotSlot>,
    /// The number of the entry at each position.
    numbers: Vec<u32>,
    /// The position of the entry of each number; meaningless for those in `free`.
    places: Vec<u32>,
    free: Vec<u32>,
}

/// Where a dot is. Two dots of one entry may have equal slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct DotSlot {
    number: u32,
    hash: u32,
}

impl DotSlot {
    fn new(dot: Dot, number: u32) -> Self {
        Self { number, hash: mix(dot.replica.0, dot.counter) as u32 }
    }

    /// Spreads the kept half of the hash over the bits that the table looks at.
    fn spread(self) -> u64 {
        u64::from(self.hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

fn position(at: usize) -> u32 {
    u32::try_from(at).expect("a map holds fewer than 2^32 keys")
}

impl<K: Clone, V: CausalType> Clone for Keys<K, V> {
    fn clone(&self) -> Self {
        Self { list: self.list.clone(), index: self.index.clone(), ..*self }
    }
}

impl<K, V: CausalType> Default for Keys<K, V> {
    fn default() -> Self {
        Self { list: Dense::default(), index: None, dots: 0, present: 0, fingerprint: 0 }
    }
}

impl<K, V: CausalType> Keys<K, V> {
    /// How many keys.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is no key (the map may still know of removed ones).
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The keys with their values, in an order that depends on the map's history. Cost: n.
    pub fn unordered(&self) -> impl Iterator<Item = (&K, &V::Store)> {
        self.list.iter().map(|entry| (&entry.key, &entry.value))
    }

    /// How many values are [present](DotStore::is_present).
    pub(crate) const fn present(&self) -> usize {
        self.present
    }

    pub(super) const fn dots(&self) -> usize {
        self.dots
    }

    pub(super) const fn additive_fingerprint(&self) -> u64 {
        self.fingerprint
    }

    pub(super) fn entry(&self, at: usize) -> &Entry<K, V::Store> {
        self.list.get(at)
    }

    pub(super) fn into_entries(self) -> impl Iterator<Item = Entry<K, V::Store>> {
        self.list.into_iter()
    }

    /// Position of the entry below which `dot` lives.
    pub(super) fn find_dot(&self, dot: Dot) -> Option<usize> {
        let Some(index) = &self.index else {
            return self.list.iter().position(|entry| entry.value.holds_dot(dot));
        };
        let probe = DotSlot::new(dot, 0);
        let place = |slot: &DotSlot| index.places[slot.number as usize] as usize;
        let is_it = |slot: &DotSlot| slot.hash == probe.hash && self.list.get(place(slot)).value.holds_dot(dot);
        index.by_dot.find(probe.spread(), is_it).map(place)
    }
}

impl<K: Ord, V: CausalType> Keys<K, V> {
    /// The keys with their values, ascending by key. Cost: n·log n.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&K, &V::Store)> {
        let mut all: SmallVec<[(&K, &V::Store); 4]> = self.unordered().collect();
        all.sort_unstable_by_key(|&(key, _)| key);
        all.into_iter()
    }
}

impl<K: Eq + Hash, V: CausalType> Keys<K, V> {
    /// The value of `key`. Cost: O(1).
    pub fn get(&self, key: &K) -> Option<&V::Store> {
        self.find(key, hash(key)).map(|at| &self.list.get(at).value)
    }

    /// Whether `key` has a value. Cost: O(1).
    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn find(&self, key: &K, hash: u64) -> Option<usize> {
        match &self.index {
            None => self.list.iter().position(|entry| entry.key == *key),
            Some(index) => {
                let found = index.by_key.find(hash, |&at| self.list.get(at as usize).key == *key);
                found.map(|&at| at as usize)
            }
        }
    }

    /// Adds a key, which must be absent, with a value, unless that has no dots.
    pub(crate) fn put(&mut self, key: K, value: V::Store) {
        if value.dot_count() > 0 {
            let hash = hash(&key);
            let at = self.push(key, hash);
            self.change(at, hash, |held, note| {
                value.each_dot(&mut |dot| note(dot, true));
                *held = value;
            });
        }
    }

    /// Appends a key, which must be absent, with a value without dots.
    pub(super) fn push(&mut self, key: K, hash: u64) -> usize {
        let at = self.list.len();
        self.list.push(Entry { key, value: V::Store::default() });
        let list = &self.list;
        match &mut self.index {
            Some(index) => {
                index.by_key.insert_unique(hash, position(at), |&other| key_hash(list, other));
                index.enter(at);
            }
            None if list.len() > SCANNED => self.index = Some(Box::new(Index::over(list, self.dots))),
            None => {}
        }
        at
    }

    /// Changes a value; `change` tells of each dot that comes (`true`) or goes.
    pub(super) fn change<R>(
        &mut self,
        at: usize,
        key_hash: u64,
        change: impl FnOnce(&mut V::Store, &mut dyn FnMut(Dot, bool)) -> R,
    ) -> R {
        let Self { list, index, dots, present, fingerprint } = self;
        let value = &mut list.get_mut(at).value;
        *fingerprint = fingerprint.wrapping_sub(part(key_hash, value));
        *present -= usize::from(value.is_present());
        let result = change(value, &mut |dot, comes| {
            *dots = if comes { *dots + 1 } else { *dots - 1 };
            if let Some(index) = index {
                index.note(dot, at, comes);
            }
        });
        *fingerprint = fingerprint.wrapping_add(part(key_hash, value));
        *present += usize::from(value.is_present());
        result
    }

    /// Removes those of the entries at these positions whose values have no dots.
    pub(super) fn remove_hollow(&mut self, positions: impl Iterator<Item = usize>) {
        let is_hollow = |&at: &usize| self.list.get(at).value.dot_count() == 0;
        let mut hollow: SmallVec<[usize; 2]> = positions.filter(is_hollow).collect();
        hollow.sort_unstable();
        hollow.dedup();
        // From the end, so that what moves into a gap is never hollow and never to be removed.
        for &at in hollow.iter().rev() {
            self.remove_entry(at);
        }
        self.shrink();
    }

    /// Removes a hollow entry; the last one moves into the gap.
    fn remove_entry(&mut self, at: usize) {
        let (old, new) = (position(self.list.len() - 1), position(at));
        let list = &self.list;
        if let Some(index) = &mut self.index {
            if let Ok(found) = index.by_key.find_entry(key_hash(list, new), |&held| held == new) {
                found.remove();
            }
            if let Some(held) = index.by_key.find_mut(key_hash(list, old), |&held| held == old) {
                *held = new;
            }
            index.leave(at);
        }
        self.list.swap_remove(at);
    }

    /// Gives memory back once three quarters of it are unused.
    fn shrink(&mut self) {
        let Self { list, index: indexed, dots, .. } = self;
        if list.is_empty() {
            *self = Self::default();
            return;
        }
        let Some(index) = indexed else { return };
        // To make an index anew costs all dots: never for much more of them than there were removals.
        if list.len() <= SCANNED / 2 && *dots <= SCANNED {
            *indexed = None;
        } else if index.places.len() > 64 && list.len() * 4 <= index.places.len() && *dots <= index.places.len() {
            **index = Index::over(list, *dots);
        } else if index.by_dot.capacity() > 64 && *dots * 4 <= index.by_dot.capacity() {
            // Not below twice the length, so that the next insertion does not grow it again.
            index.by_dot.shrink_to(*dots * 2, |slot| slot.spread());
        }
    }
}

/// The share of one key in the fingerprint.
fn part<S: DotStore>(key: u64, value: &S) -> u64 {
    if value.dot_count() == 0 { 0 } else { mix(key, value.fingerprint()) }
}

fn key_hash<K: Hash, S>(list: &Dense<Entry<K, S>>, at: u32) -> u64 {
    hash(&list.get(at as usize).key)
}

impl Index {
    fn over<K: Hash, S: DotStore>(list: &Dense<Entry<K, S>>, dots: usize) -> Self {
        let len = position(list.len());
        let mut index = Self {
            by_key: HashTable::with_capacity(list.len()),
            by_dot: HashTable::with_capacity(dots),
            numbers: (0..len).collect(),
            places: (0..len).collect(),
            free: Vec::new(),
        };
        for (at, entry) in (0u32..).zip(list.iter()) {
            index.by_key.insert_unique(hash(&entry.key), at, |&other| key_hash(list, other));
            entry.value.each_dot(&mut |dot| index.note(dot, at as usize, true));
        }
        index
    }

    /// A dot comes to the entry at a position, or goes.
    fn note(&mut self, dot: Dot, at: usize, comes: bool) {
        let slot = DotSlot::new(dot, self.numbers[at]);
        if comes {
            self.by_dot.insert_unique(slot.spread(), slot, |slot| slot.spread());
        } else if let Ok(found) = self.by_dot.find_entry(slot.spread(), |held| *held == slot) {
            found.remove();
        }
    }

    /// An entry comes, at the last position.
    fn enter(&mut self, at: usize) {
        let number = self.free.pop().unwrap_or_else(|| {
            self.places.push(0);
            position(self.places.len() - 1)
        });
        self.places[number as usize] = position(at);
        self.numbers.push(number);
    }

    /// An entry goes, and the last one takes its place.
    fn leave(&mut self, at: usize) {
        self.free.push(self.numbers.swap_remove(at));
        if let Some(&moved) = self.numbers.get(at) {
            self.places[moved as usize] = position(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{AwMap, AwSet, EwFlag, Lattice, ReplicaId};

    const A: ReplicaId = ReplicaId(1);

    #[test]
    fn what_is_gone_takes_no_memory() {
        let mut map: AwMap<u64, EwFlag> = AwMap::new();
        (0..5_000).for_each(|key| _ = map.merge(map.apply(key, |flag| flag.enable(A))));
        (0..4_990).for_each(|key| _ = map.merge(map.remove(&key)));
        let index = map.index.as_ref().expect("more keys are left than a scan takes");
        assert!(index.by_key.capacity() <= 128 && index.by_dot.capacity() <= 128, "{index:?}");
        assert!(index.places.capacity() <= 128 && index.numbers.capacity() <= 128, "{index:?}");
        (4_990..4_997).for_each(|key| _ = map.merge(map.remove(&key)));
        assert!(map.index.is_none() && map.len() == 3);
    }

    #[test]
    fn dots_that_are_gone_take_no_memory_though_their_keys_stay() {
        let mut map: AwMap<u64, AwSet<u64>> = AwMap::new();
        (0..20).for_each(|key| _ = map.merge(map.apply(key, |set| set.add_all(A, 0..500))));
        let rest: Vec<u64> = (1..500).collect();
        (0..20).for_each(|key| _ = map.merge(map.apply(key, |set| set.remove_all(&rest))));
        let index = map.index.as_ref().expect("the keys are still there");
        assert!(map.len() == 20 && index.by_dot.capacity() <= 128, "{index:?}");
    }

    #[test]
    fn an_index_over_many_dots_stays_when_few_keys_are_left() {
        // Else coming and going around that number would make it anew each time.
        let mut map: AwMap<u64, AwSet<u64>> = AwMap::new();
        map.merge(map.apply(0, |set| set.add_all(A, 0..1_000)));
        (1..20).for_each(|key| _ = map.merge(map.apply(key, |set| set.add(A, 0))));
        (1..20).for_each(|key| _ = map.merge(map.remove(&key)));
        assert!(map.index.is_some() && map.len() == 1);
        map.merge(map.remove(&0));
        assert!(map.index.is_none() && map.is_empty());
    }
}
