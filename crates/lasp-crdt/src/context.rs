//! Sets of dots, compressed to ranges per replica: causal contexts, live sets, seen-message sets.
//!
//! A causal context is such a set: dots that a replica has seen, mostly one range `1..=n` per replica (a version
//! vector) plus exceptions. The cost of every operation follows the number of ranges touched, never the number
//! of dots; a set of one dot allocates nothing. (One caveat: a replica's ranges are one sorted vector, so changing
//! the middle of a set with k holes moves up to 16·k bytes.)

mod wire;

use crate::dot::{Dot, ReplicaId};
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::Lattice;
use smallvec::{SmallVec, smallvec};

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

/// What a set holds of one replica; `ranges` is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Track {
    replica: ReplicaId,
    ranges: Ranges,
}

/// A set of dots.
///
/// ```
/// use lasp_crdt::{Dot, DotSet, ReplicaId};
///
/// let a = ReplicaId(7);
/// let mut seen: DotSet = [Dot::new(a, 1), Dot::new(a, 2), Dot::new(a, 4)].into_iter().collect();
/// assert_eq!(seen.range_count(), 2);
/// seen.insert(Dot::new(a, 3));
/// assert_eq!((seen.range_count(), seen.len()), (1, 4));
/// assert_eq!(seen.next(a), Dot::new(a, 5));
/// ```
#[derive(Clone, Debug, Default)]
pub struct DotSet {
    /// Ascending by replica.
    tracks: SmallVec<[Track; 1]>,
    fingerprint: u64,
}

impl DotSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The set of one dot.
    ///
    /// # Panics
    /// If the dot's counter is 0.
    pub fn single(dot: Dot) -> Self {
        let mut set = Self::new();
        set.insert(dot);
        set
    }

    /// Whether there is no dot.
    pub fn is_empty(&self) -> bool {
        self.tracks.is_empty()
    }

    /// How many dots, at most `u64::MAX`. Cost: the number of ranges.
    pub fn len(&self) -> u64 {
        self.ranges().fold(0, |sum, (_, r)| sum.saturating_add(r.end - r.start + 1))
    }

    /// How many ranges: what the set costs to keep.
    pub fn range_count(&self) -> usize {
        self.tracks.iter().map(|track| track.ranges.len()).sum()
    }

    /// Whether `dot` is in the set.
    pub fn contains(&self, dot: Dot) -> bool {
        position(self.ranges_of(dot.replica), dot.counter).is_ok()
    }

    /// The highest counter of `replica`; 0 where there is none.
    pub fn max(&self, replica: ReplicaId) -> u64 {
        self.ranges_of(replica).last().map_or(0, |r| r.end)
    }

    /// The next unused dot of `replica`.
    pub fn next(&self, replica: ReplicaId) -> Dot {
        Dot::new(replica, self.max(replica) + 1)
    }

    /// Adds a dot; `true` if it is new.
    ///
    /// # Panics
    /// If its counter is 0.
    pub fn insert(&mut self, dot: Dot) -> bool {
        self.insert_range(dot.replica, dot.counter, dot.counter)
    }

    /// Adds the dots `start..=end` of `replica`; `true` if any is new.
    ///
    /// # Panics
    /// If the range is empty or starts at 0.
    pub fn insert_range(&mut self, replica: ReplicaId, start: u64, end: u64) -> bool {
        assert!(1 <= start && start <= end, "a range of dots starts at 1 and is not empty");
        let mut fused = Range { start, end };
        let at = match self.find(replica) {
            Ok(at) => at,
            Err(at) => {
                self.tracks.insert(at, Track { replica, ranges: smallvec![fused] });
                self.fingerprint = self.fingerprint.wrapping_add(part(replica, fused));
                return true;
            }
        };
        let ranges = &mut self.tracks[at].ranges;
        if let Some(last) = ranges.last_mut().filter(|last| last.end == start - 1) {
            // The next dots of a replica: by far the most frequent.
            let before = std::mem::replace(last, Range { start: last.start, end });
            let gained = part(replica, *last).wrapping_sub(part(replica, before));
            self.fingerprint = self.fingerprint.wrapping_add(gained);
            return true;
        }
        // The ranges that touch or overlap [start, end] fuse into one.
        let first = ranges.partition_point(|r| r.end.saturating_add(1) < start);
        let last = first + ranges[first..].partition_point(|r| r.start <= end.saturating_add(1));
        if last == first + 1 && ranges[first].start <= start && end <= ranges[first].end {
            return false;
        }
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
        self.remove_range(dot.replica, dot.counter, dot.counter)
    }

    /// Takes the dots `start..=end` of `replica` out; `true` if any was in.
    pub fn remove_range(&mut self, replica: ReplicaId, start: u64, end: u64) -> bool {
        let Ok(at) = self.find(replica) else {
            return false;
        };
        let ranges = &mut self.tracks[at].ranges;
        let first = ranges.partition_point(|r| r.end < start);
        let last = first + ranges[first..].partition_point(|r| r.start <= end);
        if first == last {
            return false;
        }
        let (head, tail) = (ranges[first].start, ranges[last - 1].end);
        let left = (head < start).then(|| Range { start: head, end: start - 1 });
        let right = (end < tail).then(|| Range { start: end + 1, end: tail });
        for old in ranges.drain(first..last) {
            self.fingerprint = self.fingerprint.wrapping_sub(part(replica, old));
        }
        for rest in [right, left].into_iter().flatten() {
            ranges.insert(first, rest);
            self.fingerprint = self.fingerprint.wrapping_add(part(replica, rest));
        }
        if ranges.is_empty() {
            self.tracks.remove(at);
        }
        true
    }

    /// Forgets a replica's dots altogether.
    pub fn forget(&mut self, replica: ReplicaId) {
        let Ok(at) = self.find(replica) else { return };
        for range in self.tracks.remove(at).ranges {
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
        self.tracks.iter().flat_map(|track| track.ranges.iter().map(move |&r| (track.replica, r)))
    }

    /// The ranges of one replica, ascending.
    pub fn ranges_of(&self, replica: ReplicaId) -> &[Range] {
        self.find(replica).map_or(&[], |at| self.tracks[at].ranges.as_slice())
    }

    /// Every replica with a dot here, ascending.
    pub fn replicas(&self) -> impl Iterator<Item = ReplicaId> {
        self.tracks.iter().map(|track| track.replica)
    }

    /// Every dot, ascending. Cost: the number of dots, which a peer can claim to be astronomic: never walk the dots
    /// of a set that came from outside without a bound.
    pub fn dots(&self) -> impl Iterator<Item = Dot> {
        self.ranges().flat_map(|(replica, r)| (r.start..=r.end).map(move |n| Dot::new(replica, n)))
    }

    /// Adds every dot of `other`; `true` if any is new. Cost: the ranges of `other`, each with a binary search here;
    /// where there are many for one replica, one linear pass over both.
    pub fn union_with(&mut self, other: &Self) -> bool {
        let mut grew = false;
        for track in &other.tracks {
            if track.ranges.len() < LINEAR_FROM {
                for r in &track.ranges {
                    grew |= self.insert_range(track.replica, r.start, r.end);
                }
            } else {
                grew |= self.union_linear(track);
            }
        }
        grew
    }

    fn union_linear(&mut self, theirs: &Track) -> bool {
        let replica = theirs.replica;
        let mine = match self.find(replica) {
            Ok(at) => self.tracks.remove(at).ranges,
            Err(_) => Ranges::new(),
        };
        let before: u64 = mine.iter().fold(0, |sum, &r| sum.wrapping_add(part(replica, r)));
        let mut all: Ranges = mine.into_iter().chain(theirs.ranges.iter().copied()).collect();
        all.sort_unstable();
        all.dedup_by(|next, kept| {
            let touches = next.start <= kept.end.saturating_add(1);
            kept.end = if touches { kept.end.max(next.end) } else { kept.end };
            touches
        });
        all.shrink_to_fit();
        let after: u64 = all.iter().fold(0, |sum, &r| sum.wrapping_add(part(replica, r)));
        let at = self.tracks.partition_point(|track| track.replica < replica);
        self.tracks.insert(at, Track { replica, ranges: all });
        self.fingerprint = self.fingerprint.wrapping_sub(before).wrapping_add(after);
        before != after
    }

    /// Takes every dot of `other` out; `true` if any was in. Cost: the ranges of `other`.
    pub fn subtract(&mut self, other: &Self) -> bool {
        other.ranges().fold(false, |any, (replica, r)| self.remove_range(replica, r.start, r.end) | any)
    }

    /// The dots of `self` that are not in `other`. Cost: the ranges of `self`, and those of `other` that overlap.
    pub fn difference(&self, other: &Self) -> Self {
        let mut rest = Self::new();
        for track in &self.tracks {
            let holes = other.ranges_of(track.replica);
            for range in &track.ranges {
                subtract(*range, holes, |r| {
                    rest.insert_range(track.replica, r.start, r.end);
                });
            }
        }
        rest
    }

    /// The dots in both. Cost: the ranges of `self`, and those of `other` that overlap.
    pub fn intersection(&self, other: &Self) -> Self {
        let mut both = Self::new();
        for track in &self.tracks {
            let theirs = other.ranges_of(track.replica);
            for range in &track.ranges {
                let from = theirs.partition_point(|r| r.end < range.start);
                for r in theirs[from..].iter().take_while(|r| r.start <= range.end) {
                    both.insert_range(track.replica, r.start.max(range.start), r.end.min(range.end));
                }
            }
        }
        both
    }

    /// Whether every dot of `self` is in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.ranges().all(|(replica, r)| {
            let theirs = other.ranges_of(replica);
            position(theirs, r.start).is_ok_and(|at| r.end <= theirs[at].end)
        })
    }

    fn find(&self, replica: ReplicaId) -> Result<usize, usize> {
        self.tracks.binary_search_by_key(&replica, |track| track.replica)
    }
}

/// From how many ranges of one replica on a union takes one pass instead of insertions. A guess.
const LINEAR_FROM: usize = 16;

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
        self.fingerprint == other.fingerprint && self.tracks == other.tracks
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

/// Sorts first, so that many dots in any order cost n·log n.
impl FromIterator<Dot> for DotSet {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut dots: SmallVec<[Dot; 4]> = dots.into_iter().collect();
        dots.sort_unstable();
        let mut set = Self::new();
        set.extend(dots);
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
