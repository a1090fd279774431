//! Sets of dots, compressed to ranges per replica: causal contexts, live sets, seen-message sets.
//!
//! A causal context is such a set: dots that a replica has seen, mostly one range `1..=n` per replica (a version
//! vector) plus exceptions. The cost of every operation follows the number of ranges touched, never the number
//! of dots.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::dot::{Dot, ReplicaId};
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::Lattice;
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// An inclusive range of counters, `start <= end`, `start >= 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    /// First counter.
    pub start: u64,
    /// Last counter.
    pub end: u64,
}

/// The ranges of one replica: ascending, disjoint, with a gap between neighbours.
type Ranges = SmallVec<[Range; 1]>;

/// A set of dots.
#[derive(Clone, Debug, Default)]
pub struct DotSet {
    replicas: BTreeMap<ReplicaId, Ranges>,
    fingerprint: u64,
}

impl DotSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is no dot.
    pub fn is_empty(&self) -> bool {
        self.replicas.is_empty()
    }

    /// How many dots. Cost: the number of ranges.
    pub fn len(&self) -> u64 {
        self.ranges().map(|(_, r)| r.end - r.start + 1).sum()
    }

    /// How many ranges: what the set costs to keep.
    pub fn range_count(&self) -> usize {
        self.replicas.values().map(|ranges| ranges.len()).sum()
    }

    /// Whether `dot` is in the set.
    pub fn contains(&self, dot: Dot) -> bool {
        self.replicas.get(&dot.replica).is_some_and(|ranges| position(ranges, dot.counter).is_ok())
    }

    /// The highest counter of `replica`; 0 where there is none.
    pub fn max(&self, replica: ReplicaId) -> u64 {
        self.replicas.get(&replica).and_then(|ranges| ranges.last()).map_or(0, |r| r.end)
    }

    /// The next unused dot of `replica`.
    pub fn next(&self, replica: ReplicaId) -> Dot {
        Dot::new(replica, self.max(replica) + 1)
    }

    /// Adds a dot; `true` if it is new.
    pub fn insert(&mut self, dot: Dot) -> bool {
        self.insert_range(dot.replica, dot.counter, dot.counter)
    }

    /// Adds the dots `start..=end` of `replica`; `true` if any is new.
    ///
    /// # Panics
    /// If the range is empty or starts at 0.
    pub fn insert_range(&mut self, replica: ReplicaId, start: u64, end: u64) -> bool {
        assert!(1 <= start && start <= end, "a range of dots starts at 1 and is not empty");
        let ranges = self.replicas.entry(replica).or_default();
        // The ranges that touch or overlap [start, end] fuse into one.
        let first = ranges.partition_point(|r| r.end.saturating_add(1) < start);
        let last = ranges.partition_point(|r| r.start <= end.saturating_add(1));
        if last == first + 1 && ranges[first].start <= start && end <= ranges[first].end {
            return false;
        }
        let mut fused = Range { start, end };
        for old in &ranges[first..last] {
            fused.start = fused.start.min(old.start);
            fused.end = fused.end.max(old.end);
            self.fingerprint = self.fingerprint.wrapping_sub(part(replica, *old));
        }
        self.fingerprint = self.fingerprint.wrapping_add(part(replica, fused));
        if first == last {
            ranges.insert(first, fused);
        } else {
            ranges[first] = fused;
            ranges.drain(first + 1..last);
        }
        true
    }

    /// Takes a dot out; `true` if it was in.
    pub fn remove(&mut self, dot: Dot) -> bool {
        let Entry::Occupied(mut entry) = self.replicas.entry(dot.replica) else { return false };
        let Ok(at) = position(entry.get(), dot.counter) else { return false };
        let old = entry.get()[at];
        self.fingerprint = self.fingerprint.wrapping_sub(part(dot.replica, old));
        entry.get_mut().remove(at);
        let left = (old.start < dot.counter).then(|| Range { start: old.start, end: dot.counter - 1 });
        let right = (dot.counter < old.end).then(|| Range { start: dot.counter + 1, end: old.end });
        for rest in [right, left].into_iter().flatten() {
            entry.get_mut().insert(at, rest);
            self.fingerprint = self.fingerprint.wrapping_add(part(dot.replica, rest));
        }
        if entry.get().is_empty() {
            entry.remove();
        }
        true
    }

    /// Forgets a replica's dots altogether.
    pub fn forget(&mut self, replica: ReplicaId) {
        for range in self.replicas.remove(&replica).unwrap_or_default() {
            self.fingerprint = self.fingerprint.wrapping_sub(part(replica, range));
        }
    }

    /// Fills the gaps below the highest counter of `replica`, so that one range remains.
    pub fn fill(&mut self, replica: ReplicaId) {
        let max = self.max(replica);
        if max > 0 {
            self.insert_range(replica, 1, max);
        }
    }

    /// Every range, ascending by replica and counter.
    pub fn ranges(&self) -> impl Iterator<Item = (ReplicaId, Range)> {
        self.replicas.iter().flat_map(|(&replica, ranges)| ranges.iter().map(move |&r| (replica, r)))
    }

    /// The ranges of one replica, ascending.
    pub fn ranges_of(&self, replica: ReplicaId) -> &[Range] {
        self.replicas.get(&replica).map_or(&[], |ranges| ranges.as_slice())
    }

    /// Every replica with a dot here, ascending.
    pub fn replicas(&self) -> impl Iterator<Item = ReplicaId> {
        self.replicas.keys().copied()
    }

    /// Every dot, ascending. Cost: the number of dots.
    pub fn dots(&self) -> impl Iterator<Item = Dot> {
        self.ranges().flat_map(|(replica, r)| (r.start..=r.end).map(move |n| Dot::new(replica, n)))
    }

    /// Adds every dot of `other`; `true` if any is new.
    pub fn union_with(&mut self, other: &Self) -> bool {
        let mut grew = false;
        for (replica, r) in other.ranges() {
            grew |= self.insert_range(replica, r.start, r.end);
        }
        grew
    }

    /// The dots of `self` that are not in `other`. Cost: the ranges of both, for the replicas in `self`.
    pub fn difference(&self, other: &Self) -> Self {
        let mut rest = Self::new();
        for (&replica, ranges) in &self.replicas {
            let holes = other.ranges_of(replica);
            for range in ranges {
                subtract(*range, holes, |r| {
                    rest.insert_range(replica, r.start, r.end);
                });
            }
        }
        rest
    }

    /// The dots in both.
    pub fn intersection(&self, other: &Self) -> Self {
        self.difference(&self.difference(other))
    }

    /// Whether every dot of `self` is in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.ranges().all(|(replica, r)| {
            let theirs = other.ranges_of(replica);
            position(theirs, r.start).is_ok_and(|at| r.end <= theirs[at].end)
        })
    }
}

/// The hash of one range, summed into the fingerprint.
fn part(replica: ReplicaId, range: Range) -> u64 {
    fingerprint::mix(fingerprint::mix(replica.0, range.start), range.end)
}

/// Index of the range that holds `counter`, or where it would go.
fn position(ranges: &[Range], counter: u64) -> Result<usize, usize> {
    let at = ranges.partition_point(|r| r.end < counter);
    if ranges.get(at).is_some_and(|r| r.start <= counter) { Ok(at) } else { Err(at) }
}

/// Emits what is left of `range` outside `holes` (ascending, disjoint).
fn subtract(range: Range, holes: &[Range], mut emit: impl FnMut(Range)) {
    let mut start = range.start;
    let from = holes.partition_point(|h| h.end < range.start);
    for hole in holes[from..].iter().take_while(|h| h.start <= range.end) {
        if start < hole.start {
            emit(Range { start, end: hole.start - 1 });
        }
        if hole.end >= range.end {
            return;
        }
        start = hole.end + 1;
    }
    emit(Range { start, end: range.end });
}

impl PartialEq for DotSet {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint && self.replicas == other.replicas
    }
}

impl Eq for DotSet {}

impl Fingerprint for DotSet {
    fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

/// Union.
impl Lattice for DotSet {
    fn merge(&mut self, other: Self) -> bool {
        if self.is_empty() {
            let grew = !other.is_empty();
            *self = other;
            return grew;
        }
        self.union_with(&other)
    }

    fn leq(&self, other: &Self) -> bool {
        self.is_subset(other)
    }

    fn is_bottom(&self) -> bool {
        self.is_empty()
    }
}

impl FromIterator<Dot> for DotSet {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut set = Self::new();
        for dot in dots {
            set.insert(dot);
        }
        set
    }
}

impl Extend<Dot> for DotSet {
    fn extend<I: IntoIterator<Item = Dot>>(&mut self, dots: I) {
        for dot in dots {
            self.insert(dot);
        }
    }
}

/// Replicas ascending by id; per replica its ranges as (gap, length - 1) pairs, the number of ranges first.
impl Encode for DotSet {
    fn encode(&self, w: &mut Writer<'_>) {
        w.len(self.replicas.len());
        for (&replica, ranges) in &self.replicas {
            w.replica(replica);
            w.len(ranges.len());
            let mut previous = 0;
            for range in ranges {
                w.varint(range.start - previous - 1);
                w.varint(range.end - range.start);
                previous = range.end + 1;
            }
        }
    }
}

impl Decode for DotSet {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut set = Self::new();
        let mut last = None;
        for _ in 0..r.len("replicas")? {
            let at = r.at();
            let replica = r.replica()?;
            if last.is_some_and(|last| last >= replica) {
                return Err(DecodeError::NotCanonical { what: "dot set", at });
            }
            last = Some(replica);
            decode_ranges(r, replica, &mut set)?;
        }
        Ok(set)
    }
}

fn decode_ranges(r: &mut Reader<'_>, replica: ReplicaId, set: &mut DotSet) -> Result<(), DecodeError> {
    let at = r.at();
    let bad = DecodeError::NotCanonical { what: "dot ranges", at };
    let count = r.len("dot ranges")?;
    let mut previous = 0u64;
    for _ in 0..count {
        let gap = r.varint("range start")?;
        let length = r.varint("range length")?;
        let start = previous.checked_add(gap).and_then(|s| s.checked_add(1)).ok_or_else(|| bad.clone())?;
        // Counters stay below the maximum, so that `end + 1` never overflows.
        let end = start.checked_add(length).filter(|&end| end < u64::MAX).ok_or_else(|| bad.clone())?;
        set.insert_range(replica, start, end);
        previous = end + 1;
    }
    if count == 0 { Err(bad) } else { Ok(()) }
}
