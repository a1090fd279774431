//! What a computation over replicated inputs came to, with what it was computed from.
//!
//! Whoever hears only results has to know which of two is newer. Each result carries its [`Basis`]: how far each of its
//! inputs had come. A result of a wider basis replaces one of a narrower; results whose bases are concurrent are kept
//! side by side, until somebody who has the inputs of both computes from both. After the version vectors of Parker et
//! al., "Detection of Mutual Inconsistency in Distributed Systems" (1983), over inputs that also lose elements.
//!
//! A basis is far smaller than what it speaks of: contexts are ranges, and what was removed is one number and one hash.
//! The price: of two bases that have seen the same events and lost different ones, the one that lost more counts as the
//! wider, though they are concurrent. Whoever merges both inputs has lost more than either, so the last word is right.

use crate::codec::{self, Decode, DecodeError, Encode, Reader, Writer};
use crate::context::DotSet;
use crate::derived::BaseId;
use crate::dot::Dot;
use crate::fingerprint::{self, Fingerprint, mix, mix3};
use crate::lattice::{Decompose, Delta, Lattice};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::hash::Hash;

/// Most results of concurrent bases that a peer may send at once: every two of them have to be compared. Far more than
/// nodes that compute one thing at the same time without hearing of each other.
pub const MAX_CONCURRENT: usize = 1024;

/// A number that only grows, with a hash of what was counted: of equal numbers, other hashes are concurrent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Count {
    /// How many.
    pub n: u128,
    /// A fingerprint of what they are; 0 of nothing.
    pub hash: u64,
}

impl Count {
    /// How many dots `dots` holds, and its fingerprint. Cost: its ranges.
    pub fn of_dots(dots: &DotSet) -> Self {
        let whole = u128::from(Dot::MAX_COUNTER);
        let of_retired = dots.retired().map(|(first, last)| (u128::from(last.0 - first.0) + 1) * whole);
        let of_ranges = dots.ranges().map(|(_, range)| u128::from(range.end - range.start) + 1);
        Self { n: of_retired.chain(of_ranges).sum(), hash: dots.fingerprint() }
    }

    fn leq(self, other: Self) -> bool {
        self.n < other.n || self == other
    }

    fn mixed(self) -> u64 {
        mix3(self.n as u64, (self.n >> 64) as u64, self.hash)
    }
}

/// How far one input had come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Every event of it that was seen.
    pub seen: DotSet,
    /// How many of them are dead, and which. Of an input that only grows and has no events: its elements.
    pub count: Count,
}

impl Extent {
    fn leq(&self, other: &Self) -> bool {
        self.count.leq(other.count) && self.seen.is_subset(&other.seen)
    }

    fn is_bottom(&self) -> bool {
        self.seen.is_empty() && self.count == Count::default()
    }

    fn fingerprint(&self) -> u64 {
        mix(self.seen.fingerprint(), self.count.mixed())
    }
}

/// What a result was computed from.
///
/// Ordered input by input; what was itself derived from the same events counts after that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Basis {
    /// None is bottom.
    known: BTreeMap<BaseId, Extent>,
    derived: Count,
}

impl Basis {
    /// The basis of a result that was computed from nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says how far an input had come. What was said of it before is forgotten.
    pub fn know(&mut self, input: BaseId, extent: Extent) {
        if extent.is_bottom() {
            self.known.remove(&input);
        } else {
            self.known.insert(input, extent);
        }
    }

    /// Says how much had been derived from the inputs, where that is an input itself. Given what was seen and what is dead
    /// of them, it only grows.
    pub fn derive(&mut self, count: Count) {
        self.derived = count;
    }

    /// What is known of the inputs, ascending by id.
    pub fn known(&self) -> impl ExactSizeIterator<Item = (BaseId, &Extent)> {
        self.known.iter().map(|(&id, extent)| (id, extent))
    }

    /// Whether `other` is at least as wide. Cost: the ranges of `self`.
    pub fn leq(&self, other: &Self) -> bool {
        if self.known == other.known {
            return self.derived.leq(other.derived);
        }
        self.known.iter().all(|(id, extent)| other.known.get(id).is_some_and(|theirs| extent.leq(theirs)))
    }

    /// In no order that means anything, but the same everywhere.
    fn total_cmp(&self, other: &Self) -> Ordering {
        let by_hash = self.fingerprint().cmp(&other.fingerprint());
        by_hash.then_with(|| match self == other {
            true => Ordering::Equal,
            false => codec::to_bytes(self).cmp(&codec::to_bytes(other)),
        })
    }
}

impl Fingerprint for Basis {
    fn fingerprint(&self) -> u64 {
        let of_inputs = self.known.iter().map(|(id, extent)| mix(id.0, extent.fingerprint()));
        let sum = of_inputs.fold(0, u64::wrapping_add);
        match self.derived {
            Count { n: 0, .. } => sum,
            some => mix(sum, some.mixed()),
        }
    }
}

/// The results of the widest bases.
///
/// State: pairs of a [`Basis`] and a value, none of whose bases is at most another's. Merging keeps the widest. The same
/// computation gives the same value from the same basis; of two values given to one basis all the same, the greater is
/// kept. There are never more entries than replicas that compute at the same time.
///
/// ```
/// use lasp_crdt::{BaseId, Basis, Count, Dot, DotSet, Extent, Lattice, ReplicaId, Summary};
///
/// let basis = |dots: &[Dot]| {
///     let mut basis = Basis::new();
///     let seen = dots.iter().copied().collect();
///     basis.know(BaseId::of("numbers"), Extent { seen, count: Count::default() });
///     basis
/// };
/// let (one, two) = (Dot::new(ReplicaId(1), 1), Dot::new(ReplicaId(2), 1));
/// let mut sum = Summary::new();
/// sum.merge(sum.write(basis(&[one]), 5));
/// sum.merge(Summary::new().write(basis(&[two]), 3));
/// assert_eq!(sum.values(), [&3, &5]);
/// sum.merge(sum.write(basis(&[one, two]), 8));
/// assert_eq!(sum.value(), Some(&8));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary<V> {
    /// Ascending in the total order of bases.
    entries: Vec<Entry<V>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry<V> {
    basis: Basis,
    value: V,
}

impl<V: Ord> Entry<V> {
    fn leq(&self, other: &Self) -> bool {
        if self.basis == other.basis { self.value <= other.value } else { self.basis.leq(&other.basis) }
    }
}

impl<V> Summary<V> {
    /// The summary that has no result.
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// The results with their bases, in no order that means anything, but the same everywhere.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&Basis, &V)> {
        self.entries.iter().map(|entry| (&entry.basis, &entry.value))
    }
}

impl<V: Ord> Summary<V> {
    /// The results, ascending, each once.
    pub fn values(&self) -> Vec<&V> {
        let mut values: Vec<&V> = self.entries.iter().map(|entry| &entry.value).collect();
        values.sort_unstable();
        values.dedup();
        values
    }

    /// The result, if there is one and no other.
    pub fn value(&self) -> Option<&V> {
        let (first, others) = self.entries.split_first()?;
        others.iter().all(|entry| entry.value == first.value).then_some(&first.value)
    }

    fn exceeds(&self, entry: &Entry<V>) -> bool {
        self.entries.iter().any(|held| entry.leq(held))
    }
}

impl<V: Ord + Clone> Summary<V> {
    /// The delta that says what was computed from `basis`; bottom if a wider one is known.
    pub fn write(&self, basis: Basis, value: V) -> Self {
        let entry = Entry { basis, value };
        if self.exceeds(&entry) { Self::new() } else { Self { entries: vec![entry] } }
    }

    /// The entries that `known` has not, nor wider ones.
    fn beyond(&self, known: &Self) -> Self {
        Self { entries: self.entries.iter().filter(|entry| !known.exceeds(entry)).cloned().collect() }
    }
}

impl<V> Default for Summary<V> {
    fn default() -> Self {
        Self::new()
    }
}

/// Cost: the entries of both sides, multiplied.
impl<V: Ord + Clone> Lattice for Summary<V> {
    fn merge(&mut self, other: Self) -> bool {
        let mut grew = false;
        for entry in other.entries {
            if self.exceeds(&entry) {
                continue;
            }
            grew = true;
            self.entries.retain(|held| !held.leq(&entry));
            let at = self.entries.partition_point(|held| held.basis.total_cmp(&entry.basis).is_lt());
            self.entries.insert(at, entry);
        }
        grew
    }

    fn leq(&self, other: &Self) -> bool {
        self.entries.iter().all(|entry| other.exceeds(entry))
    }

    fn is_bottom(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<V: Ord + Clone> Decompose for Summary<V> {
    /// One part per entry.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        self.entries.iter().map(|entry| Self { entries: vec![entry.clone()] })
    }
}

impl<V: Ord + Clone> Delta for Summary<V> {
    /// The state itself: nearly all of it is the bases, and they are needed.
    type Digest = Self;

    fn digest(&self) -> Self {
        self.clone()
    }

    fn delta(&self, since: &Self) -> Self {
        self.beyond(since)
    }

    fn difference(&self, known: &Self) -> Self {
        self.beyond(known)
    }
}

/// Cost: the entries and their inputs.
impl<V: Hash> Fingerprint for Summary<V> {
    fn fingerprint(&self) -> u64 {
        let of_entries =
            self.entries.iter().map(|entry| mix(entry.basis.fingerprint(), fingerprint::hash(&entry.value)));
        of_entries.fold(0, u64::wrapping_add)
    }
}

/// The number's low half and its high half, then the hash unless there is nothing.
impl Encode for Count {
    fn encode(&self, w: &mut Writer<'_>) {
        w.varint(self.n as u64);
        w.varint((self.n >> 64) as u64);
        if self.n > 0 {
            w.fixed_u64(self.hash);
        }
    }
}

impl Decode for Count {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let low = r.varint("count")?;
        let n = u128::from(r.varint("count")?) << 64 | u128::from(low);
        Ok(Self { n, hash: if n > 0 { r.fixed_u64("hash")? } else { 0 } })
    }
}

/// The number of inputs; per input, ascending, its id, what was seen and the count; then what was derived.
impl Encode for Basis {
    fn encode(&self, w: &mut Writer<'_>) {
        w.len(self.known.len());
        for (id, extent) in &self.known {
            w.fixed_u64(id.0);
            extent.seen.encode(w);
            extent.count.encode(w);
        }
        self.derived.encode(w);
    }
}

impl Decode for Basis {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut known: BTreeMap<BaseId, Extent> = BTreeMap::new();
        for _ in 0..r.len("inputs")? {
            let bad = r.not_canonical("inputs of a result");
            let id = BaseId(r.fixed_u64("input")?);
            let extent = Extent { seen: DotSet::decode(r)?, count: Count::decode(r)? };
            if extent.is_bottom() || known.last_key_value().is_some_and(|(last, _)| *last >= id) {
                return Err(bad);
            }
            known.insert(id, extent);
        }
        Ok(Self { known, derived: Count::decode(r)? })
    }
}

/// The number of entries; per entry its basis and its value.
impl<V: Encode> Encode for Summary<V> {
    fn encode(&self, w: &mut Writer<'_>) {
        w.len(self.entries.len());
        for entry in &self.entries {
            entry.basis.encode(w);
            entry.value.encode(w);
        }
    }
}

impl<V: Decode + Ord> Decode for Summary<V> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        let len = r.len("results")?;
        if len > MAX_CONCURRENT {
            return Err(DecodeError::TooLong { what: "results", len: len as u64, at });
        }
        let mut entries: Vec<Entry<V>> = Vec::new();
        for _ in 0..len {
            let bad = r.not_canonical("results");
            let entry = Entry { basis: Basis::decode(r)?, value: V::decode(r)? };
            let is_after = |last: &Entry<V>| last.basis.total_cmp(&entry.basis).is_lt();
            let is_apart = |held: &Entry<V>| !held.leq(&entry) && !entry.leq(held);
            if !entries.last().is_none_or(is_after) || !entries.iter().all(is_apart) {
                return Err(bad);
            }
            entries.push(entry);
        }
        Ok(Self { entries })
    }
}
