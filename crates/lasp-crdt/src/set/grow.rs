//! The grow-only set: merging is union.
//!
//! Source: Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data Types" (2011), §3.3.1.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::fingerprint::{self, Fingerprint};
use crate::hashes::Hashes;
use crate::lattice::{Decompose, Delta, Lattice};
use crate::sorted::{At, Sorted};
use std::fmt;
use std::hash::Hash;

/// A grow-only set. Adding and looking up take O(log n); an element takes little more room than itself.
///
/// ```
/// use lasp_crdt::{GSet, Lattice};
///
/// let mut seen = GSet::new();
/// assert!(seen.merge(seen.add("b")));
/// assert!(seen.merge(seen.add_all(["a", "b"])));
/// assert_eq!(seen.iter().collect::<Vec<_>>(), [&"a", &"b"]);
/// ```
#[derive(Clone)]
pub struct GSet<E> {
    elements: Sorted<E>,
    /// How many: the list would have to count its chunks.
    len: usize,
    fingerprint: u64,
}

impl<E> GSet<E> {
    /// The empty set.
    pub fn new() -> Self {
        Self { elements: Sorted::new(), len: 0, fingerprint: 0 }
    }

    /// How many elements.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The elements, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &E> {
        self.elements.iter()
    }

    /// The greatest element.
    pub fn last(&self) -> Option<&E> {
        self.elements.last()
    }
}

impl<E: Clone + Ord + Hash> GSet<E> {
    /// Whether `element` is in the set.
    pub fn contains(&self, element: &E) -> bool {
        self.elements.search(element).is_ok()
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
        let from = after.map_or(At::FIRST, |after| self.elements.partition_point(|element| element <= after));
        Self::of_ascending(self.elements.iter_from(from).take(most).cloned().collect())
    }

    /// The set of these, strictly ascending.
    fn of_ascending(elements: Vec<E>) -> Self {
        let fingerprint = elements.iter().fold(0, |sum: u64, element| sum.wrapping_add(fingerprint::hash(element)));
        Self { len: elements.len(), elements: Sorted::from_ascending(elements), fingerprint }
    }

    fn insert(&mut self, element: E) -> bool {
        let Err(at) = self.elements.search(&element) else { return false };
        self.fingerprint = self.fingerprint.wrapping_add(fingerprint::hash(&element));
        self.elements.insert(at, element);
        self.len += 1;
        true
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

/// As a set, ascending.
impl<E: fmt::Debug> fmt::Debug for GSet<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl<E: Clone + Ord + Hash> FromIterator<E> for GSet<E> {
    fn from_iter<I: IntoIterator<Item = E>>(elements: I) -> Self {
        let mut elements: Vec<E> = elements.into_iter().collect();
        elements.sort_unstable();
        elements.dedup();
        Self::of_ascending(elements)
    }
}

impl<E: Clone + Ord + Hash> Lattice for GSet<E> {
    /// Cost: that of the smaller set, times the logarithm of the greater one.
    fn merge(&mut self, mut other: Self) -> bool {
        let has_new_elements = other.len() > self.len();
        if has_new_elements {
            std::mem::swap(self, &mut other);
        }
        let grew = other.elements.into_vec().into_iter().fold(false, |grew, element| self.insert(element) | grew);
        has_new_elements || grew
    }

    fn leq(&self, other: &Self) -> bool {
        self.len() <= other.len() && self.iter().all(|element| other.contains(element))
    }

    fn is_bottom(&self) -> bool {
        self.is_empty()
    }
}

impl<E: Clone + Ord + Hash> Decompose for GSet<E> {
    /// One part per element.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        self.iter().map(|element| Self::of_ascending(vec![element.clone()]))
    }
}

impl<E: Clone + Ord + Hash> Delta for GSet<E> {
    /// The hash of each element.
    type Digest = Hashes;

    fn digest(&self) -> Hashes {
        self.iter().map(fingerprint::hash).collect()
    }

    fn delta(&self, since: &Hashes) -> Self {
        let news = self.iter().filter(|element| !since.contains(fingerprint::hash(*element)));
        Self::of_ascending(news.cloned().collect())
    }

    fn difference(&self, known: &Self) -> Self {
        Self::of_ascending(self.iter().filter(|element| !known.contains(element)).cloned().collect())
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
        w.len(self.len());
        for element in self.iter() {
            element.encode(w);
        }
    }
}

impl<E: Decode + Clone + Ord + Hash> Decode for GSet<E> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut elements = Vec::new();
        for _ in 0..r.len("elements")? {
            let bad = r.not_canonical("elements");
            let element = E::decode(r)?;
            if elements.last().is_some_and(|last| *last >= element) {
                return Err(bad);
            }
            elements.push(element);
        }
        Ok(Self::of_ascending(elements))
    }
}
