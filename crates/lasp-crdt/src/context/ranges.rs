//! Sets of numbers as ranges: the counters of one replica, or a stretch of replica ids.
//!
//! Changes say by how much they change the set's fingerprint, which is the sum of the hashes of its ranges.

use crate::fingerprint::mix3;
use crate::sorted::{Keyed, Sorted};

/// An inclusive range of counters, `start <= end`, `start >= 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    /// First counter.
    pub start: u64,
    /// Last counter.
    pub end: u64,
}

impl Keyed for Range {
    fn key(&self) -> u64 {
        self.start
    }
}

/// Ranges, ascending, disjoint, with a gap between neighbours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ranges(Sorted<Range>);

/// From how many ranges on a union takes one pass instead of insertions. A guess.
const LINEAR_FROM: usize = 16;

impl Ranges {
    pub(crate) const fn one(range: Range) -> Self {
        Self(Sorted::one(range))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many ranges.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = Range> {
        self.0.iter().copied()
    }

    pub(crate) fn last(&self) -> Option<Range> {
        self.0.last().copied()
    }

    /// The only range, if there is one.
    #[inline]
    pub(crate) fn single(&self) -> Option<Range> {
        self.0.single().copied()
    }

    /// How many numbers, at most `u64::MAX`.
    pub(crate) fn total(&self) -> u64 {
        self.iter().fold(0, |sum, r| sum.saturating_add((r.end - r.start).saturating_add(1)))
    }

    pub(crate) fn contains(&self, number: u64) -> bool {
        self.covers(Range { start: number, end: number })
    }

    /// Whether all of `range` is in the set.
    pub(crate) fn covers(&self, range: Range) -> bool {
        let at = self.0.partition_point(|r| r.end < range.start);
        self.0.get(at).is_some_and(|r| r.start <= range.start && range.end <= r.end)
    }

    pub(crate) fn is_disjoint(&self, other: &Self) -> bool {
        self.iter().all(|range| {
            let at = other.0.partition_point(|r| r.end < range.start);
            other.0.get(at).is_none_or(|r| r.start > range.end)
        })
    }

    pub(crate) fn is_subset(&self, other: &Self) -> bool {
        self.iter().all(|range| other.covers(range))
    }

    /// The sum of the hashes of the ranges.
    pub(crate) fn fingerprint(&self, seed: u64) -> u64 {
        self.iter().fold(0, |sum, r| sum.wrapping_add(part(seed, r)))
    }

    /// Adds `start..=end`; the gain of the fingerprint, if any of it is new.
    pub(crate) fn insert(&mut self, seed: u64, Range { start, end }: Range) -> Option<u64> {
        if let Some(only) = self.0.single_mut() {
            let touches = only.start <= end.saturating_add(1) && start <= only.end.saturating_add(1);
            if touches {
                let fused = Range { start: start.min(only.start), end: end.max(only.end) };
                let before = std::mem::replace(only, fused);
                return (fused != before).then(|| part(seed, fused).wrapping_sub(part(seed, before)));
            }
        } else if let Some(last) = self.0.last_mut().filter(|last| last.end.checked_add(1) == Some(start)) {
            // The next dots of a replica: by far the most frequent.
            let before = std::mem::replace(&mut last.end, end);
            let gone = part(seed, Range { start: last.start, end: before });
            return Some(part(seed, *last).wrapping_sub(gone));
        }
        // The ranges that touch or overlap [start, end] fuse into one.
        let first = self.0.partition_point(|r| r.end.saturating_add(1) < start);
        let mut fused = Range { start, end };
        let mut gain = 0u64;
        let mut touched = 0;
        for old in self.0.iter_from(first).take_while(|r| r.start <= end.saturating_add(1)) {
            if old.start <= start && end <= old.end {
                return None;
            }
            fused = Range { start: fused.start.min(old.start), end: fused.end.max(old.end) };
            gain = gain.wrapping_sub(part(seed, *old));
            touched += 1;
        }
        for _ in 0..touched {
            self.take(fused.start);
        }
        self.put(fused);
        Some(gain.wrapping_add(part(seed, fused)))
    }

    /// Appends a range, which must begin beyond the last one and not touch it.
    pub(crate) fn push(&mut self, range: Range) {
        self.0.push(range);
    }

    /// Takes `start..=end` out; the gain of the fingerprint, if any was in.
    pub(crate) fn remove(&mut self, seed: u64, Range { start, end }: Range) -> Option<u64> {
        let mut gain = None;
        loop {
            let at = self.0.partition_point(|r| r.end < start);
            let Some(old) = self.0.get(at).copied().filter(|r| r.start <= end) else { return gain };
            self.take(old.start);
            let mut changed = gain.unwrap_or(0u64).wrapping_sub(part(seed, old));
            if old.start < start {
                let left = Range { start: old.start, end: start - 1 };
                self.put(left);
                changed = changed.wrapping_add(part(seed, left));
            }
            if end < old.end {
                let right = Range { start: end + 1, end: old.end };
                self.put(right);
                changed = changed.wrapping_add(part(seed, right));
            }
            gain = Some(changed);
        }
    }

    /// Adds all of `other`; the gain of the fingerprint, if any of it is new. Cost: the ranges of `other`, each with a
    /// binary search here; where they are many, one pass over both.
    pub(crate) fn union(&mut self, seed: u64, other: &Self) -> Option<u64> {
        if let Some(range) = other.single() {
            return self.insert(seed, range);
        }
        if other.count() < LINEAR_FROM {
            return other.iter().filter_map(|range| self.insert(seed, range)).reduce(u64::wrapping_add);
        }
        let before = self.clone();
        let mut all: Vec<Range> = self.iter().chain(other.iter()).collect();
        all.sort_unstable();
        all.dedup_by(|next, kept| {
            let touches = next.start <= kept.end.saturating_add(1);
            kept.end = if touches { kept.end.max(next.end) } else { kept.end };
            touches
        });
        self.0 = Sorted::from_ascending(all);
        (*self != before).then(|| self.fingerprint(seed).wrapping_sub(before.fingerprint(seed)))
    }

    /// The numbers of `self` that are not in `other`.
    pub(crate) fn minus(&self, other: &Self) -> Self {
        let mut rest = Sorted::new();
        for range in self.iter() {
            let mut start = Some(range.start);
            let from = other.0.partition_point(|hole| hole.end < range.start);
            for hole in other.0.iter_from(from).take_while(|hole| hole.start <= range.end) {
                if let Some(start) = start.filter(|&start| start < hole.start) {
                    rest.push(Range { start, end: hole.start - 1 });
                }
                start = hole.end.checked_add(1).filter(|&next| next <= range.end);
            }
            if let Some(start) = start {
                rest.push(Range { start, end: range.end });
            }
        }
        Self(rest)
    }

    /// The numbers in both.
    pub(crate) fn common(&self, other: &Self) -> Self {
        let mut both = Sorted::new();
        for range in self.iter() {
            let from = other.0.partition_point(|r| r.end < range.start);
            for r in other.0.iter_from(from).take_while(|r| r.start <= range.end) {
                both.push(Range { start: r.start.max(range.start), end: r.end.min(range.end) });
            }
        }
        Self(both)
    }

    fn put(&mut self, range: Range) {
        let (Ok(at) | Err(at)) = self.0.find(range.start);
        self.0.insert(at, range);
    }

    /// Removes the first range from `start` on.
    fn take(&mut self, start: u64) {
        let at = self.0.partition_point(|r| r.start < start);
        if let Some(range) = self.0.get(at) {
            let (Ok(at) | Err(at)) = self.0.find(range.start);
            self.0.remove(at);
        }
    }
}

/// The hash of one range, summed into the fingerprint.
fn part(seed: u64, range: Range) -> u64 {
    mix3(seed, range.start, range.end)
}
