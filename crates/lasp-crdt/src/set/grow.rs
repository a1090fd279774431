//! The grow-only set: merging is union.
//!
//! Source: Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data Types" (2011), §3.3.1.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::fingerprint::{self, Fingerprint};
use crate::hashes::Hashes;
use crate::lattice::{Decompose, Delta, Lattice};
use std::collections::BTreeSet;
use std::hash::Hash;
use std::ops::Bound;

/// A grow-only set. Adding and looking up take O(log n).
///
/// ```
/// use lasp_crdt::{GSet, Lattice};
///
/// let mut seen = GSet::new();
/// assert!(seen.merge(seen.add("b")));
/// assert!(seen.merge(seen.add_all(["a", "b"])));
/// assert_eq!(seen.iter().collect::<Vec<_>>(), [&"a", &"b"]);
/// ```
#[derive(Clone, Debug)]
pub struct GSet<E> {
    elements: BTreeSet<E>,
    fingerprint: u64,
}

impl<E> GSet<E> {
    /// The empty set.
    pub fn new() -> Self {
        Self { elements: BTreeSet::new(), fingerprint: 0 }
    }

    /// How many elements.
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// The elements, ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &E> {
        self.elements.iter()
    }
}

impl<E: Clone + Ord + Hash> GSet<E> {
    /// Whether `element` is in the set.
    pub fn contains(&self, element: &E) -> bool {
        self.elements.contains(element)
    }

    /// The delta that adds `element`; bottom if it is there.
    pub fn add(&self, element: E) -> Self {
        self.add_all([element])
    }

    /// The delta that adds those of `elements` that are not there.
    pub fn add_all(&self, elements: impl IntoIterator<Item = E>) -> Self {
        elements.into_iter().filter(|element| !self.contains(element)).collect()
    }

    /// The set of the `most` least elements above `after`, or of all. Cost: that of the result.
    pub fn stretch(&self, after: Option<&E>, most: usize) -> Self {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.elements.range((from, Bound::Unbounded)).take(most).cloned().collect()
    }

    /// The greatest element.
    pub fn last(&self) -> Option<&E> {
        self.elements.last()
    }

    fn insert(&mut self, element: E) -> bool {
        let part = fingerprint::hash(&element);
        let is_new = self.elements.insert(element);
        if is_new {
            self.fingerprint = self.fingerprint.wrapping_add(part);
        }
        is_new
    }
}

impl<E> Default for GSet<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Eq> PartialEq for GSet<E> {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint && self.elements == other.elements
    }
}

impl<E: Eq> Eq for GSet<E> {}

impl<E: Clone + Ord + Hash> FromIterator<E> for GSet<E> {
    fn from_iter<I: IntoIterator<Item = E>>(elements: I) -> Self {
        let mut set = Self::new();
        for element in elements {
            set.insert(element);
        }
        set
    }
}

impl<E: Clone + Ord + Hash> Lattice for GSet<E> {
    fn merge(&mut self, other: Self) -> bool {
        if self.is_empty() {
            *self = other;
            return !self.is_empty();
        }
        other.elements.into_iter().fold(false, |grew, element| self.insert(element) | grew)
    }

    fn leq(&self, other: &Self) -> bool {
        self.elements.is_subset(&other.elements)
    }

    fn is_bottom(&self) -> bool {
        self.is_empty()
    }
}

impl<E: Clone + Ord + Hash> Decompose for GSet<E> {
    /// One part per element.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        self.elements.iter().map(|element| std::iter::once(element.clone()).collect())
    }
}

impl<E: Clone + Ord + Hash> Delta for GSet<E> {
    /// The hash of each element.
    type Digest = Hashes;

    fn digest(&self) -> Hashes {
        self.elements.iter().map(fingerprint::hash).collect()
    }

    fn delta(&self, since: &Hashes) -> Self {
        let news = self.elements.iter().filter(|element| !since.contains(fingerprint::hash(*element)));
        news.cloned().collect()
    }

    fn difference(&self, known: &Self) -> Self {
        self.elements.iter().filter(|element| !known.contains(element)).cloned().collect()
    }
}

impl<E> Fingerprint for GSet<E> {
    fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

/// The number of elements, then each, ascending.
impl<E: Encode> Encode for GSet<E> {
    fn encode(&self, w: &mut Writer<'_>) {
        w.len(self.elements.len());
        for element in &self.elements {
            element.encode(w);
        }
    }
}

impl<E: Decode + Clone + Ord + Hash> Decode for GSet<E> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut set = Self::new();
        for _ in 0..r.len("elements")? {
            let bad = r.not_canonical("elements");
            let element = E::decode(r)?;
            if set.elements.last().is_some_and(|last| *last >= element) {
                return Err(bad);
            }
            set.insert(element);
        }
        Ok(set)
    }
}
