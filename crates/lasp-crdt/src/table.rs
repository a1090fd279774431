//! The storage of maps and two-phase sets: keys with values, found by the stable hash of the key, read in order on
//! demand.
//!
//! A few entries (nearly every delta) are a list, which is scanned; more are one hash table that holds the entries
//! themselves. So a look-up in a large table waits for main memory about once, where a tree or a table of positions
//! waits several times. The order of the table never shows: who reads in order sorts. It knows no lattices.

use crate::codec::{DecodeError, Reader};
use crate::fingerprint::hash;
use hashbrown::HashTable;
use smallvec::{SmallVec, smallvec};
use std::fmt;
use std::hash::Hash;

/// Up to how many entries are scanned. A guess, near where scan and look-up cost the same.
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

/// Reads a count, then so many entries, which must ascend by key.
pub(crate) fn decode_ascending<K: Ord, V>(
    r: &mut Reader<'_>,
    what: &'static str,
    mut read: impl FnMut(&mut Reader<'_>) -> Result<Entry<K, V>, DecodeError>,
) -> Result<Vec<Entry<K, V>>, DecodeError> {
    let mut entries: Vec<Entry<K, V>> = Vec::new();
    for _ in 0..r.len(what)? {
        let bad = r.not_canonical(what);
        let entry = read(r)?;
        if entries.last().is_some_and(|last| last.key >= entry.key) {
            return Err(bad);
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// Entries with distinct keys.
#[derive(Clone)]
pub(crate) enum Table<K, V> {
    /// At most [`SCANNED`].
    Few(SmallVec<[Entry<K, V>; 1]>),
    /// Any number.
    Many(HashTable<Entry<K, V>>),
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self::Few(SmallVec::new())
    }
}

impl<K, V> Table<K, V> {
    /// Entries whose keys are known to be distinct.
    pub(crate) fn from_distinct(entries: Vec<Entry<K, V>>) -> Self {
        if entries.len() <= SCANNED {
            return Self::Few(entries.into_iter().collect());
        }
        let mut table = HashTable::with_capacity(entries.len());
        for entry in entries {
            table.insert_unique(entry.hash, entry, |entry| entry.hash);
        }
        Self::Many(table)
    }

    /// The table of one entry.
    pub(crate) fn single(entry: Entry<K, V>) -> Self {
        Self::Few(smallvec![entry])
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Few(list) => list.len(),
            Self::Many(table) => table.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every entry, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry<K, V>> {
        let (list, table) = match self {
            Self::Few(list) => (list.as_slice(), None),
            Self::Many(table) => (&[][..], Some(table)),
        };
        list.iter().chain(table.into_iter().flatten())
    }

    /// Every entry, in no particular order.
    pub(crate) fn into_entries(self) -> impl Iterator<Item = Entry<K, V>> {
        let (list, table) = match self {
            Self::Few(list) => (list, HashTable::new()),
            Self::Many(table) => (SmallVec::new(), table),
        };
        list.into_iter().chain(table)
    }

    /// The entries whose keys have this hash.
    pub(crate) fn with_hash(&self, hash: u64) -> impl Iterator<Item = &Entry<K, V>> {
        let (list, table) = match self {
            Self::Few(list) => (list.as_slice(), None),
            Self::Many(table) => (&[][..], Some(table)),
        };
        let many = table.into_iter().flat_map(move |table| table.iter_hash(hash));
        list.iter().chain(many).filter(move |entry| entry.hash == hash)
    }

    /// Puts in an entry whose key is not there.
    pub(crate) fn insert_new(&mut self, entry: Entry<K, V>) {
        match self {
            Self::Few(list) if list.len() < SCANNED => list.push(entry),
            Self::Few(list) => {
                let mut entries = std::mem::take(list).into_vec();
                entries.push(entry);
                *self = Self::from_distinct(entries);
            }
            Self::Many(table) => drop(table.insert_unique(entry.hash, entry, |entry| entry.hash)),
        }
    }
}

impl<K: Ord, V> Table<K, V> {
    /// Every entry, ascending by key. Cost: O(n log n).
    pub(crate) fn sorted(&self) -> SmallVec<[&Entry<K, V>; 4]> {
        let mut entries: SmallVec<[&Entry<K, V>; 4]> = self.iter().collect();
        entries.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        entries
    }
}

impl<K: Eq, V> Table<K, V> {
    /// The value of `key`, whose hash is `hash`.
    pub(crate) fn get(&self, hash: u64, key: &K) -> Option<&V> {
        let entry = match self {
            Self::Few(list) => list.iter().find(|entry| entry.is(hash, key)),
            Self::Many(table) => table.find(hash, |entry| entry.is(hash, key)),
        };
        entry.map(|entry| &entry.value)
    }

    /// As [`get`](Self::get), to change it.
    pub(crate) fn get_mut(&mut self, hash: u64, key: &K) -> Option<&mut V> {
        let entry = match self {
            Self::Few(list) => list.iter_mut().find(|entry| entry.is(hash, key)),
            Self::Many(table) => table.find_mut(hash, |entry| entry.is(hash, key)),
        };
        entry.map(|entry| &mut entry.value)
    }
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
