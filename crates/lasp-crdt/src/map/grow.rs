//! The grow-only map: keys are never removed, values merge key by key.
//!
//! Source: Almeida et al., "Delta State Replicated Data Types" (JPDC'18), the function-space lattice. A key whose value
//! is bottom is the same as no key, and is not kept.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};
use std::collections::BTreeMap;
use std::hash::Hash;

/// A map from keys to lattices.
///
/// ```
/// use lasp_crdt::{GMap, Lattice, MaxRegister};
///
/// let mut scores: GMap<&str, MaxRegister<u64>> = GMap::new();
/// scores.merge(scores.apply("ann", |score| score.write(3)));
/// scores.merge(scores.apply("ann", |score| score.write(2)));
/// assert_eq!(scores.get(&"ann").map(MaxRegister::value), Some(&3));
/// ```
#[derive(Clone, Debug)]
pub struct GMap<K, V> {
    /// No value is bottom.
    values: BTreeMap<K, V>,
    fingerprint: u64,
}

/// The share of one key in the fingerprint.
fn part<K: Hash, V: Fingerprint>(key: &K, value: &V) -> u64 {
    fingerprint::mix(fingerprint::hash(key), value.fingerprint())
}

impl<K, V> GMap<K, V> {
    /// The empty map.
    pub fn new() -> Self {
        Self { values: BTreeMap::new(), fingerprint: 0 }
    }

    /// How many keys have a value above bottom.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether no key has.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The keys with their values, ascending by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&K, &V)> {
        self.values.iter()
    }
}

impl<K: Ord, V> GMap<K, V> {
    /// The value of `key`, unless it is bottom.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.values.get(key)
    }
}

impl<K: Clone + Ord + Hash, V: Lattice + Fingerprint> GMap<K, V> {
    /// The delta that changes the value of `key` by the delta that `mutate` makes for it.
    pub fn apply(&self, key: K, mutate: impl FnOnce(&V) -> V) -> Self {
        let delta = match self.values.get(&key) {
            Some(value) => mutate(value),
            None => mutate(&V::default()),
        };
        Self::single(key, delta)
    }

    /// The map of one key; bottom if its value is.
    pub fn single(key: K, value: V) -> Self {
        let mut map = Self::new();
        map.merge_at(key, value);
        map
    }

    fn merge_at(&mut self, key: K, value: V) -> bool {
        if value.is_bottom() {
            return false;
        }
        let Some(known) = self.values.get_mut(&key) else {
            self.fingerprint = self.fingerprint.wrapping_add(part(&key, &value));
            self.values.insert(key, value);
            return true;
        };
        let before = part(&key, known);
        let grew = known.merge(value);
        self.fingerprint = self.fingerprint.wrapping_sub(before).wrapping_add(part(&key, known));
        grew
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
        let mut map = Self::new();
        for _ in 0..r.len("keys")? {
            let bad = r.not_canonical("keys");
            let key = K::decode(r)?;
            let value = r.nested(&mut read)?;
            let is_ascending = map.values.last_key_value().is_none_or(|(last, _)| *last < key);
            if value.is_bottom() || !is_ascending {
                return Err(bad);
            }
            map.merge_at(key, value);
        }
        Ok(map)
    }
}

/// Values of one key are merged.
impl<K: Clone + Ord + Hash, V: Lattice + Fingerprint> FromIterator<(K, V)> for GMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        for (key, value) in entries {
            map.merge_at(key, value);
        }
        map
    }
}

impl<K, V> Default for GMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for GMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint && self.values == other.values
    }
}

impl<K: Eq, V: Eq> Eq for GMap<K, V> {}

impl<K: Clone + Ord + Hash, V: Lattice + Fingerprint> Lattice for GMap<K, V> {
    fn merge(&mut self, other: Self) -> bool {
        if self.is_empty() {
            *self = other;
            return !self.is_empty();
        }
        other.values.into_iter().fold(false, |grew, (key, value)| self.merge_at(key, value) | grew)
    }

    fn leq(&self, other: &Self) -> bool {
        self.values.iter().all(|(key, value)| other.get(key).is_some_and(|theirs| value.leq(theirs)))
    }

    fn is_bottom(&self) -> bool {
        self.is_empty()
    }
}

impl<K: Clone + Ord + Hash, V: Decompose + Fingerprint> Decompose for GMap<K, V> {
    /// The parts of each value, each under its key.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        self.values.iter().flat_map(|(key, value)| value.decompose().map(|part| Self::single(key.clone(), part)))
    }
}

impl<K: Clone + Ord + Hash, V: Delta + Fingerprint> Delta for GMap<K, V> {
    /// The digest of each value.
    type Digest = BTreeMap<K, V::Digest>;

    fn digest(&self) -> Self::Digest {
        self.values.iter().map(|(key, value)| (key.clone(), value.digest())).collect()
    }

    fn delta(&self, since: &Self::Digest) -> Self {
        let mut news = Self::new();
        for (key, value) in &self.values {
            let part = since.get(key).map_or_else(|| value.clone(), |digest| value.delta(digest));
            news.merge_at(key.clone(), part);
        }
        news
    }

    fn difference(&self, known: &Self) -> Self {
        let mut news = Self::new();
        for (key, value) in &self.values {
            let part = known.get(key).map_or_else(|| value.clone(), |theirs| value.difference(theirs));
            news.merge_at(key.clone(), part);
        }
        news
    }
}

impl<K, V> Fingerprint for GMap<K, V> {
    fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

/// The number of keys, then each with its value, ascending.
impl<K: Encode, V: Encode> Encode for GMap<K, V> {
    fn encode(&self, w: &mut Writer<'_>) {
        self.values.encode(w);
    }
}

impl<K: Decode + Clone + Ord + Hash, V: Decode + Lattice + Fingerprint> Decode for GMap<K, V> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::decode_with(r, V::decode)
    }
}
