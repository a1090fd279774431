//! The grow-only map: keys are never removed, values merge key by key.
//!
//! Source: Almeida et al., "Delta State Replicated Data Types" (JPDC'18), the function-space lattice. A key whose value
//! is bottom is the same as no key, and is not kept. Keys are found by their hash, so that a change costs the same in a map
//! of ten keys and of ten million; reading in order sorts.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};
use crate::table::{self, Entry, Table};
use std::collections::BTreeMap;
use std::fmt;
use std::hash::Hash;

/// A map from keys to lattices. Changing and looking up take O(1), reading in order O(n log n).
///
/// ```
/// use lasp_crdt::{GMap, Lattice, MaxRegister};
///
/// let mut scores: GMap<&str, MaxRegister<u64>> = GMap::new();
/// scores.merge(scores.apply("ann", |score| score.write(3)));
/// scores.merge(scores.apply("ann", |score| score.write(2)));
/// assert_eq!(scores.get(&"ann").map(MaxRegister::value), Some(&3));
/// ```
///
/// Values may be maps themselves, to any depth; a value that may have one of several types is a
/// [`choice!`](crate::choice).
///
/// ```
/// use lasp_crdt::{GMap, GSet, Lattice};
///
/// let mut likes: GMap<&str, GMap<&str, GSet<&str>>> = GMap::new();
/// likes.merge(likes.apply("ann", |of_ann| of_ann.apply("films", |films| films.add("Stalker"))));
/// likes.merge(likes.apply("ann", |of_ann| of_ann.apply("books", |books| books.add("Ulysses"))));
/// assert_eq!(likes.get(&"ann").map(GMap::len), Some(2));
/// ```
#[derive(Clone)]
pub struct GMap<K, V> {
    /// No value is bottom.
    values: Table<K, V>,
    fingerprint: u64,
}

/// The share of one key, whose hash is `key`, in the fingerprint.
fn part<V: Fingerprint>(key: u64, value: &V) -> u64 {
    fingerprint::mix(key, value.fingerprint())
}

impl<K, V> GMap<K, V> {
    /// The empty map.
    pub fn new() -> Self {
        Self { values: Table::default(), fingerprint: 0 }
    }

    /// How many keys have a value above bottom.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether no key has.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The keys with their values, in no particular order. Cost: O(n).
    pub fn unordered(&self) -> impl Iterator<Item = (&K, &V)> {
        self.values.iter().map(|entry| (&entry.key, &entry.value))
    }
}

impl<K: Ord, V> GMap<K, V> {
    /// The keys with their values, ascending by key. Cost: O(n log n).
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&K, &V)> + DoubleEndedIterator {
        self.values.sorted().into_iter().map(|entry| (&entry.key, &entry.value))
    }
}

impl<K: Eq + Hash, V> GMap<K, V> {
    /// The value of `key`, unless it is bottom.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.values.get(fingerprint::hash(key), key)
    }
}

impl<K: Clone + Ord + Hash, V: Lattice + Fingerprint> GMap<K, V> {
    /// The delta that changes the value of `key` by the delta that `mutate` makes for it.
    pub fn apply(&self, key: K, mutate: impl FnOnce(&V) -> V) -> Self {
        let hash = fingerprint::hash(&key);
        let value = match self.values.get(hash, &key) {
            Some(value) => mutate(value),
            None => mutate(&V::default()),
        };
        Self::of(Entry { hash, key, value })
    }

    /// As [`apply`](Self::apply), where the value may refuse the change.
    ///
    /// # Errors
    /// That of `mutate`.
    pub fn try_apply<Refusal>(&self, key: K, mutate: impl FnOnce(&V) -> Result<V, Refusal>) -> Result<Self, Refusal> {
        let mut outcome = Ok(());
        let delta = self.apply(key, |value| {
            mutate(value).unwrap_or_else(|refusal| {
                outcome = Err(refusal);
                V::default()
            })
        });
        outcome.map(|()| delta)
    }

    /// The delta of several changes, one after the other: each sees what those before it made of its key. Cost: that
    /// of the changes, and a copy of each value that is changed more than once.
    ///
    /// ```
    /// use lasp_crdt::{GCounter, GMap, Lattice, ReplicaId};
    ///
    /// let mut hits: GMap<&str, GCounter> = GMap::new();
    /// let seen = [("/", 1), ("/help", 1), ("/", 2)];
    /// hits.merge(hits.apply_all(seen, |counter, n| counter.increment(ReplicaId(1), n)));
    /// assert_eq!(hits.get(&"/").map(GCounter::value), Some(3));
    /// ```
    pub fn apply_all<Op>(
        &self,
        operations: impl IntoIterator<Item = (K, Op)>,
        mut mutate: impl FnMut(&V, Op) -> V,
    ) -> Self {
        let mut delta = Self::new();
        // What keys that came up again have become.
        let mut again: Table<K, V> = Table::default();
        for (key, operation) in operations {
            let hash = fingerprint::hash(&key);
            let is_again = delta.values.get(hash, &key).is_some();
            if is_again && again.get(hash, &key).is_none() {
                again.insert_new(Entry { hash, key: key.clone(), value: self.with(&delta, hash, &key) });
            }
            let value = match again.get(hash, &key).or_else(|| self.values.get(hash, &key)) {
                Some(value) => mutate(value, operation),
                None => mutate(&V::default(), operation),
            };
            if let Some(state) = again.get_mut(hash, &key) {
                state.merge(value.clone());
            }
            delta.merge_entry(Entry { hash, key, value });
        }
        delta
    }

    /// What the value of `key` is once `delta` is merged.
    fn with(&self, delta: &Self, hash: u64, key: &K) -> V {
        let mut value = self.values.get(hash, key).cloned().unwrap_or_default();
        if let Some(change) = delta.values.get(hash, key) {
            value.merge(change.clone());
        }
        value
    }

    /// The map of one key; bottom if its value is.
    pub fn single(key: K, value: V) -> Self {
        Self::of(Entry::new(key, value))
    }

    fn of(entry: Entry<K, V>) -> Self {
        if entry.value.is_bottom() {
            return Self::new();
        }
        Self { fingerprint: part(entry.hash, &entry.value), values: Table::single(entry) }
    }

    fn merge_entry(&mut self, entry: Entry<K, V>) -> bool {
        if entry.value.is_bottom() {
            return false;
        }
        let Some(known) = self.values.get_mut(entry.hash, &entry.key) else {
            self.insert_new(entry);
            return true;
        };
        let before = part(entry.hash, known);
        let grew = known.merge(entry.value);
        self.fingerprint = self.fingerprint.wrapping_sub(before).wrapping_add(part(entry.hash, known));
        grew
    }

    /// Puts in a value above bottom under a key that has none.
    fn insert_new(&mut self, entry: Entry<K, V>) {
        self.fingerprint = self.fingerprint.wrapping_add(part(entry.hash, &entry.value));
        self.values.insert_new(entry);
    }

    /// What `part` leaves of each value.
    fn parts(&self, part: impl Fn(&Entry<K, V>) -> V) -> Self {
        let mut parts = Self::new();
        for entry in self.values.iter() {
            let value = part(entry);
            if !value.is_bottom() {
                parts.insert_new(Entry { hash: entry.hash, key: entry.key.clone(), value });
            }
        }
        parts
    }

    /// The hashes of the keys, in no particular order: what [`of_hashes`](Self::of_hashes) takes. Cost: O(n).
    pub fn hashes(&self) -> impl Iterator<Item = u64> {
        self.values.iter().map(|entry| entry.hash)
    }

    /// The map of those keys that have these hashes. Cost: that of the result.
    pub fn of_hashes(&self, hashes: &[u64]) -> Self {
        let mut some = Self::new();
        for entry in hashes.iter().flat_map(|&hash| self.values.with_hash(hash)) {
            // Two keys of one hash come up twice.
            if some.values.get(entry.hash, &entry.key).is_none() {
                some.insert_new(entry.clone());
            }
        }
        some
    }

    /// Decodes a map whose values `read` knows how to decode.
    ///
    /// # Errors
    /// [`DecodeError`], as any decoder.
    pub fn decode_with(
        r: &mut Reader<'_>,
        mut read: impl FnMut(&mut Reader<'_>) -> Result<V, DecodeError>,
    ) -> Result<Self, DecodeError>
    where
        K: Decode,
    {
        let mut sum = 0u64;
        let entries = table::decode_ascending(r, "keys", |r| {
            let bad = r.not_canonical("keys");
            let entry = Entry::new(K::decode(r)?, r.nested(&mut read)?);
            sum = sum.wrapping_add(part(entry.hash, &entry.value));
            if entry.value.is_bottom() { Err(bad) } else { Ok(entry) }
        })?;
        Ok(Self { values: Table::from_distinct(entries), fingerprint: sum })
    }
}

/// Values of one key are merged.
impl<K: Clone + Ord + Hash, V: Lattice + Fingerprint> FromIterator<(K, V)> for GMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        for (key, value) in entries {
            map.merge_entry(Entry::new(key, value));
        }
        map
    }
}

impl<K, V> Default for GMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

/// As a map, ascending.
impl<K: fmt::Debug + Ord, V: fmt::Debug> fmt::Debug for GMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.values.fmt(f)
    }
}

impl<K: Eq, V: PartialEq> PartialEq for GMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint && self.values == other.values
    }
}

impl<K: Eq, V: Eq> Eq for GMap<K, V> {}

impl<K: Clone + Ord + Hash, V: Lattice + Fingerprint> Lattice for GMap<K, V> {
    fn merge(&mut self, mut other: Self) -> bool {
        let has_new_keys = other.len() > self.len();
        if has_new_keys {
            std::mem::swap(self, &mut other);
        }
        let grew = other.values.into_entries().fold(false, |grew, entry| self.merge_entry(entry) | grew);
        has_new_keys || grew
    }

    fn leq(&self, other: &Self) -> bool {
        let is_below = |entry: &Entry<K, V>| {
            other.values.get(entry.hash, &entry.key).is_some_and(|theirs| entry.value.leq(theirs))
        };
        self.len() <= other.len() && self.values.iter().all(is_below)
    }

    fn is_bottom(&self) -> bool {
        self.is_empty()
    }
}

impl<K: Clone + Ord + Hash, V: Decompose + Fingerprint> Decompose for GMap<K, V> {
    /// The parts of each value, each under its key.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        self.iter().flat_map(|(key, value)| value.decompose().map(|part| Self::single(key.clone(), part)))
    }
}

impl<K: Clone + Ord + Hash, V: Delta + Fingerprint> Delta for GMap<K, V> {
    /// The digest of each value.
    type Digest = BTreeMap<K, V::Digest>;

    fn digest(&self) -> Self::Digest {
        self.unordered().map(|(key, value)| (key.clone(), value.digest())).collect()
    }

    fn delta(&self, since: &Self::Digest) -> Self {
        self.parts(|entry| match since.get(&entry.key) {
            Some(digest) => entry.value.delta(digest),
            None => entry.value.clone(),
        })
    }

    fn difference(&self, known: &Self) -> Self {
        self.parts(|entry| match known.values.get(entry.hash, &entry.key) {
            Some(theirs) => entry.value.difference(theirs),
            None => entry.value.clone(),
        })
    }
}

impl<K, V> Fingerprint for GMap<K, V> {
    fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

/// The number of keys, then each with its value, ascending.
impl<K: Encode + Ord, V: Encode> Encode for GMap<K, V> {
    fn encode(&self, w: &mut Writer<'_>) {
        w.len(self.len());
        for (key, value) in self.iter() {
            key.encode(w);
            value.encode(w);
        }
    }
}

impl<K: Decode + Clone + Ord + Hash, V: Decode + Lattice + Fingerprint> Decode for GMap<K, V> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::decode_with(r, V::decode)
    }
}
