//! The storage of maps and two-phase sets: keys with values, found by the stable hash of the key, read in order on
//! demand.
//!
//! Entries lie densely, in the order of their insertion; a few (nearly every delta) are scanned, more have a hash table
//! of 32-bit positions. So a look-up in a large table waits for main memory once, or not at all if neighbours in time
//! are neighbours here. The order of the table never shows: who reads in order sorts. It knows no lattices.

use crate::fingerprint::hash;
use hashbrown::HashTable;
use smallvec::{SmallVec, smallvec};
use std::fmt;
use std::hash::Hash;

/// Up to how many entries a scan replaces the index. A guess, near where scan and look-up cost the same.
const SCANNED: usize = 8;

/// A key, its stable hash, and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry<K, V> {
    pub(crate) hash: u64,
    pub(crate) key: K,
    pub(crate) value: V,
}

impl<K: Hash, V> Entry<K, V> {
    pub(crate) fn new(key: K, value: V) -> Self {
        Self { hash: hash(&key), key, value }
    }
}

impl<K: Eq, V> Entry<K, V> {
    fn is(&self, hash: u64, key: &K) -> bool {
        self.hash == hash && self.key == *key
    }
}

/// Entries with distinct keys.
#[derive(Clone)]
pub(crate) struct Table<K, V> {
    list: SmallVec<[Entry<K, V>; 1]>,
    /// Over all entries once there were more than [`SCANNED`].
    index: Option<Box<HashTable<u32>>>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { list: SmallVec::new(), index: None }
    }
}

impl<K, V> Table<K, V> {
    /// The table of one entry.
    pub(crate) fn single(entry: Entry<K, V>) -> Self {
        Self { list: smallvec![entry], index: None }
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Every entry, in the order of insertion.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry<K, V>> {
        self.list.iter()
    }

    /// Every entry, in the order of insertion.
    pub(crate) fn into_entries(self) -> impl Iterator<Item = Entry<K, V>> {
        self.list.into_iter()
    }

    /// The entry that was inserted last.
    pub(crate) fn last(&self) -> Option<&Entry<K, V>> {
        self.list.last()
    }

    /// Puts in an entry whose key is not there.
    pub(crate) fn insert_new(&mut self, entry: Entry<K, V>) {
        let (hash, at) = (entry.hash, position(self.list.len()));
        self.list.push(entry);
        let list = &self.list;
        match &mut self.index {
            Some(index) => drop(index.insert_unique(hash, at, |&at| list[at as usize].hash)),
            None if list.len() > SCANNED => self.index = Some(Box::new(index_of(list))),
            None => {}
        }
    }
}

impl<K: Ord, V> Table<K, V> {
    /// Every entry, ascending by key. Cost: O(n log n); O(n) if they were inserted in order.
    pub(crate) fn sorted(&self) -> SmallVec<[&Entry<K, V>; 4]> {
        let mut entries: SmallVec<[&Entry<K, V>; 4]> = self.iter().collect();
        entries.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        entries
    }
}

impl<K: Eq, V> Table<K, V> {
    /// The value of `key`, whose hash is `hash`.
    pub(crate) fn get(&self, hash: u64, key: &K) -> Option<&V> {
        self.find(hash, key).map(|at| &self.list[at].value)
    }

    /// As [`get`](Self::get), to change it.
    pub(crate) fn get_mut(&mut self, hash: u64, key: &K) -> Option<&mut V> {
        self.find(hash, key).map(|at| &mut self.list[at].value)
    }

    fn find(&self, hash: u64, key: &K) -> Option<usize> {
        match &self.index {
            None => self.list.iter().position(|entry| entry.is(hash, key)),
            Some(index) => index.find(hash, |&at| self.list[at as usize].is(hash, key)).map(|&at| at as usize),
        }
    }
}

fn position(at: usize) -> u32 {
    u32::try_from(at).expect("a table holds fewer than 2^32 entries")
}

fn index_of<K, V>(list: &[Entry<K, V>]) -> HashTable<u32> {
    let mut index = HashTable::with_capacity(list.len());
    for (at, entry) in list.iter().enumerate() {
        index.insert_unique(entry.hash, position(at), |&at| list[at as usize].hash);
    }
    index
}

/// In whatever order.
impl<K: Eq, V: PartialEq> PartialEq for Table<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.iter().all(|entry| other.get(entry.hash, &entry.key).is_some_and(|value| *value == entry.value))
    }
}

/// As a map, ascending by key.
impl<K: fmt::Debug + Ord, V: fmt::Debug> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.sorted().into_iter().map(|entry| (&entry.key, &entry.value))).finish()
    }
}
