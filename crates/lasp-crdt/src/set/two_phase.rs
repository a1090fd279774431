//! The two-phase set: an element is added, then removed, and never comes back.
//!
//! Source: Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data Types" (2011), §3.3.2,
//! whose state is two grow-only sets. Whether a removed element was ever added can be seen by nobody, so here each
//! element is in one of three states, absent < added < removed, and is kept once. Removals are remembered for good: where
//! elements may return, or many come and go, use [`AwSet`](super::AwSet).

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::fingerprint::{self, Fingerprint};
use crate::hashes::Hashes;
use crate::lattice::{Decompose, Delta, Lattice};
use crate::table::{self, Entry, Table};
use std::fmt;
use std::hash::Hash;

/// A set whose elements can be removed once. Changing and looking up take O(1), reading in order O(n log n).
///
/// ```
/// use lasp_crdt::{Lattice, TwoPSet};
///
/// let mut guests = TwoPSet::new();
/// guests.merge(guests.add_all(["ann", "bob"]));
/// guests.merge(guests.remove(&"bob"));
/// guests.merge(guests.add("bob")); // too late
/// assert_eq!(guests.iter().collect::<Vec<_>>(), [&"ann"]);
/// ```
#[derive(Clone)]
pub struct TwoPSet<E> {
    elements: Table<E, Phase>,
    /// How many are removed.
    removed: usize,
    fingerprint: u64,
}

/// What has happened to an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Added,
    Removed,
}

/// The share of one element, whose hash is `element`, in the fingerprint.
fn part(element: u64, phase: Phase) -> u64 {
    fingerprint::mix(element, 1 + phase as u64)
}

impl<E> TwoPSet<E> {
    /// The empty set.
    pub fn new() -> Self {
        Self { elements: Table::default(), removed: 0, fingerprint: 0 }
    }

    /// How many elements were added and not removed.
    pub fn len(&self) -> usize {
        self.elements.len() - self.removed
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<E> TwoPSet<E> {
    /// The elements, in no particular order. Cost: O(n), and the removed ones.
    pub fn unordered(&self) -> impl Iterator<Item = &E> {
        self.elements.iter().filter(|entry| entry.value == Phase::Added).map(|entry| &entry.key)
    }

    /// The elements that were added or removed, in no particular order. Cost: O(n).
    pub fn known(&self) -> impl Iterator<Item = &E> {
        self.elements.iter().map(|entry| &entry.key)
    }
}

impl<E: Ord> TwoPSet<E> {
    /// The elements added and not removed, ascending. Cost: O(n log n).
    pub fn iter(&self) -> impl Iterator<Item = &E> {
        self.of(Phase::Added)
    }

    /// The elements removed, ascending, whether or not they were added before. Cost: O(n log n).
    pub fn removed(&self) -> impl Iterator<Item = &E> {
        self.of(Phase::Removed)
    }

    fn of(&self, phase: Phase) -> impl Iterator<Item = &E> {
        self.elements.sorted().into_iter().filter(move |entry| entry.value == phase).map(|entry| &entry.key)
    }
}

impl<E: Clone + Ord + Hash> TwoPSet<E> {
    /// Whether `element` was added and not removed.
    pub fn contains(&self, element: &E) -> bool {
        self.phase(element) == Some(Phase::Added)
    }

    /// Whether `element` was removed: then it can never be in the set again.
    pub fn is_removed(&self, element: &E) -> bool {
        self.phase(element) == Some(Phase::Removed)
    }

    /// The delta that adds `element`; bottom if it is there, or was removed.
    pub fn add(&self, element: E) -> Self {
        self.add_all([element])
    }

    /// The delta that adds those of `elements` that are not there and were not removed.
    pub fn add_all(&self, elements: impl IntoIterator<Item = E>) -> Self {
        self.news(elements, Phase::Added)
    }

    /// The delta that removes `element`, also if it is not there yet; bottom if it was removed.
    pub fn remove(&self, element: &E) -> Self {
        self.remove_all([element])
    }

    /// The delta that removes those of `elements` that were not removed.
    pub fn remove_all<'a>(&self, elements: impl IntoIterator<Item = &'a E>) -> Self
    where
        E: 'a,
    {
        self.news(elements.into_iter().cloned(), Phase::Removed)
    }

    fn phase(&self, element: &E) -> Option<Phase> {
        self.elements.get(fingerprint::hash(element), element).copied()
    }

    /// What `phase` of these elements is news.
    fn news(&self, elements: impl IntoIterator<Item = E>, phase: Phase) -> Self {
        let mut news = Self::new();
        for element in elements {
            let entry = Entry::new(element, phase);
            if self.lacks(&entry) {
                news.raise(entry);
            }
        }
        news
    }

    fn lacks(&self, entry: &Entry<E, Phase>) -> bool {
        self.elements.get(entry.hash, &entry.key).is_none_or(|known| *known < entry.value)
    }

    /// Brings an element to a phase; `true` if it was not there yet.
    fn raise(&mut self, entry: Entry<E, Phase>) -> bool {
        let Entry { hash, value: phase, .. } = entry;
        match self.elements.get_mut(hash, &entry.key) {
            Some(known) if *known >= phase => return false,
            Some(known) => {
                self.fingerprint = self.fingerprint.wrapping_sub(part(hash, *known));
                *known = phase;
            }
            None => self.elements.insert_new(entry),
        }
        self.fingerprint = self.fingerprint.wrapping_add(part(hash, phase));
        self.removed += usize::from(phase == Phase::Removed);
        true
    }

    /// The elements for which `is_news` says so.
    fn parts(&self, is_news: impl Fn(&Entry<E, Phase>) -> bool) -> Self {
        let mut parts = Self::new();
        for entry in self.elements.iter().filter(|entry| is_news(entry)) {
            parts.raise(entry.clone());
        }
        parts
    }
}

impl<E> Default for TwoPSet<E> {
    fn default() -> Self {
        Self::new()
    }
}

/// As a map from elements to whether they are added or removed.
impl<E: fmt::Debug + Ord> fmt::Debug for TwoPSet<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.elements.fmt(f)
    }
}

impl<E: Eq> PartialEq for TwoPSet<E> {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint && self.elements == other.elements
    }
}

impl<E: Eq> Eq for TwoPSet<E> {}

impl<E: Clone + Ord + Hash> Lattice for TwoPSet<E> {
    fn merge(&mut self, mut other: Self) -> bool {
        let has_new_elements = other.elements.len() > self.elements.len();
        if has_new_elements {
            std::mem::swap(self, &mut other);
        }
        let grew = other.elements.into_entries().fold(false, |grew, entry| self.raise(entry) | grew);
        has_new_elements || grew
    }

    fn leq(&self, other: &Self) -> bool {
        self.elements.iter().all(|entry| !other.lacks(entry))
    }

    fn is_bottom(&self) -> bool {
        self.elements.is_empty()
    }
}

impl<E: Clone + Ord + Hash> Decompose for TwoPSet<E> {
    /// One part per element, added or removed.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        self.elements.sorted().into_iter().map(|entry| {
            let mut part = Self::new();
            part.raise(entry.clone());
            part
        })
    }
}

impl<E: Clone + Ord + Hash> Delta for TwoPSet<E> {
    /// The hashes of what is added, and of what is removed.
    type Digest = (Hashes, Hashes);

    fn digest(&self) -> Self::Digest {
        let hashes = |phase| self.elements.iter().filter(move |entry| entry.value == phase).map(|entry| entry.hash);
        (hashes(Phase::Added).collect(), hashes(Phase::Removed).collect())
    }

    fn delta(&self, (added, removed): &Self::Digest) -> Self {
        self.parts(|entry| {
            !removed.contains(entry.hash) && (entry.value == Phase::Removed || !added.contains(entry.hash))
        })
    }

    fn difference(&self, known: &Self) -> Self {
        self.parts(|entry| known.lacks(entry))
    }
}

impl<E> Fingerprint for TwoPSet<E> {
    fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

/// The number of elements added and each, ascending; then the same of those removed.
impl<E: Encode + Ord> Encode for TwoPSet<E> {
    fn encode(&self, w: &mut Writer<'_>) {
        w.len(self.len());
        self.iter().for_each(|element| element.encode(w));
        w.len(self.removed);
        self.removed().for_each(|element| element.encode(w));
    }
}

impl<E: Decode + Clone + Ord + Hash> Decode for TwoPSet<E> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut set = Self::new();
        for phase in [Phase::Added, Phase::Removed] {
            let bad = r.not_canonical("removed elements");
            let entries = table::decode_ascending(r, "elements", |r| Ok(Entry::new(E::decode(r)?, phase)))?;
            for entry in entries {
                if set.elements.get(entry.hash, &entry.key).is_some() {
                    return Err(bad);
                }
                set.raise(entry);
            }
        }
        Ok(set)
    }
}
