//! Sets of dots: causal contexts, live dots, and everything else that says which events happened.
//!
//! Source: the causal contexts of Almeida et al., "Delta State Replicated Data Types" (JPDC'18), §7: a version vector
//! plus exceptions. Here every replica's dots are kept as ranges, so a vector is the case of one range from 1, and
//! exceptions cost what the gaps cost, wherever they are. Replicas that will never write again fold away, as ranges of
//! replica ids whose every dot is in the set (see [`DotSet::retire`]). A set of one dot allocates nothing.

mod delta;
mod ranges;
pub(crate) mod wire;

pub use ranges::Range;
pub(crate) use ranges::Ranges;

use crate::dot::{Dot, ReplicaId};
use crate::fingerprint::Fingerprint;
use crate::lattice::Lattice;
use crate::sorted::{At, Keyed, Sorted};
use smallvec::SmallVec;

/// What a set holds of one replica: not nothing, and not everything.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Track {
    replica: ReplicaId,
    ranges: Ranges,
}

impl Track {
    /// Whether all dots of the replica are here, so that it is to be retired.
    fn is_whole(&self) -> bool {
        self.ranges.last() == Some(WHOLE)
    }
}

impl Keyed for Track {
    fn key(&self) -> u64 {
        self.replica.0
    }
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
    tracks: Sorted<Track>,
    /// Ids of replicas all of whose dots are in the set; none has a track. `None` where there is none.
    retired: Option<Box<Ranges>>,
    fingerprint: u64,
}

/// All the dots of one replica.
const WHOLE: Range = Range { start: 1, end: Dot::MAX_COUNTER };

/// The place of retired ids in fingerprints.
const RETIRED: u64 = 0x7265_7469_7265_6421;

impl DotSet {
    /// The empty set.
    pub const fn new() -> Self {
        Self { tracks: Sorted::new(), retired: None, fingerprint: 0 }
    }

    /// The set of one dot.
    ///
    /// # Panics
    /// If the dot's counter is 0 or above [`Dot::MAX_COUNTER`].
    pub fn single(dot: Dot) -> Self {
        let mut set = Self::new();
        set.insert(dot);
        set
    }

    /// Whether there is no dot.
    pub fn is_empty(&self) -> bool {
        self.tracks.is_empty() && self.retired.is_none()
    }

    /// How many dots, at most `u64::MAX`. Cost: the number of ranges.
    pub fn len(&self) -> u64 {
        let retired = self.retired.as_ref().map_or(0, |ids| ids.total().saturating_mul(Dot::MAX_COUNTER));
        self.tracks.iter().fold(retired, |sum, track| sum.saturating_add(track.ranges.total()))
    }

    /// How many ranges: what the set costs to keep.
    pub fn range_count(&self) -> usize {
        let retired = self.retired.as_ref().map_or(0, |ids| ids.count());
        self.tracks.iter().map(|track| track.ranges.count()).sum::<usize>() + retired
    }

    /// Whether `dot` is in the set. Cost: O(log n).
    pub fn contains(&self, dot: Dot) -> bool {
        match self.track(dot.replica) {
            Some(track) => track.ranges.contains(dot.counter),
            None => self.is_retired(dot.replica),
        }
    }

    /// The highest counter of `replica`; 0 where there is none.
    pub fn max(&self, replica: ReplicaId) -> u64 {
        match self.track(replica) {
            Some(track) => track.ranges.last().map_or(0, |r| r.end),
            None if self.is_retired(replica) => Dot::MAX_COUNTER,
            None => 0,
        }
    }

    /// The next unused dot of `replica`. A retired replica has none left: it gets its last one again, which says nothing
    /// new to anybody.
    pub fn next(&self, replica: ReplicaId) -> Dot {
        Dot::new(replica, (self.max(replica) + 1).min(Dot::MAX_COUNTER))
    }

    /// Adds a dot; `true` if it is new.
    ///
    /// # Panics
    /// If its counter is 0 or above [`Dot::MAX_COUNTER`].
    pub fn insert(&mut self, dot: Dot) -> bool {
        self.insert_range(dot.replica, dot.counter, dot.counter)
    }

    /// Adds the dots `start..=end` of `replica`; `true` if any is new.
    ///
    /// # Panics
    /// If the range is empty, starts at 0 or ends above [`Dot::MAX_COUNTER`].
    pub fn insert_range(&mut self, replica: ReplicaId, start: u64, end: u64) -> bool {
        assert!(1 <= start && start <= end && end <= Dot::MAX_COUNTER, "a range of dots is within 1..=MAX_COUNTER");
        let range = Range { start, end };
        match self.tracks.find(replica.0) {
            Ok(at) => self.change(at, |ranges| ranges.insert(replica.0, range)),
            Err(_) if self.is_retired(replica) => false,
            Err(_) if range == WHOLE => self.retire(replica),
            Err(at) => {
                let ranges = Ranges::one(range);
                self.gain(ranges.fingerprint(replica.0));
                self.tracks.insert(at, Track { replica, ranges });
                true
            }
        }
    }

    /// Takes a dot out; `true` if it was in.
    pub fn remove(&mut self, dot: Dot) -> bool {
        self.remove_range(dot.replica, dot.counter, dot.counter)
    }

    /// Takes the dots `start..=end` of `replica` out; `true` if any was in.
    pub fn remove_range(&mut self, replica: ReplicaId, start: u64, end: u64) -> bool {
        if start > end {
            return false;
        }
        self.unfold(replica);
        match self.tracks.find(replica.0) {
            Ok(at) => self.change(at, |ranges| ranges.remove(replica.0, Range { start, end })),
            Err(_) => false,
        }
    }

    /// Forgets a replica's dots altogether.
    pub fn forget(&mut self, replica: ReplicaId) {
        self.remove_range(replica, 1, Dot::MAX_COUNTER);
    }

    /// Fills the gaps below the highest counter of `replica`, so that one range remains.
    pub fn fill(&mut self, replica: ReplicaId) {
        let max = self.max(replica);
        if max > 0 {
            self.insert_range(replica, 1, max);
        }
    }

    /// Adds every dot that `replica` ever minted or could mint; `true` if any is new. Retired ids that follow one another
    /// cost one range together, so hand out the ids of short-lived replicas in sequence.
    ///
    /// In a causal context this says: *I have seen all that this replica wrote; what of it does not live here is gone.*
    /// Only one who has seen it all may say so. See "Retiring replicas" in `docs/lattices.md`.
    pub fn retire(&mut self, replica: ReplicaId) -> bool {
        self.retire_all(Range { start: replica.0, end: replica.0 })
    }

    /// Whether every dot of `replica` is in the set.
    pub fn is_retired(&self, replica: ReplicaId) -> bool {
        self.retired.as_ref().is_some_and(|ids| ids.contains(replica.0))
    }

    /// The ids of retired replicas, as ranges.
    pub fn retired(&self) -> impl Iterator<Item = (ReplicaId, ReplicaId)> {
        self.retired.iter().flat_map(|ids| ids.iter().map(|r| (ReplicaId(r.start), ReplicaId(r.end))))
    }

    fn retire_all(&mut self, ids: Range) -> bool {
        let retired = self.retired.get_or_insert_default();
        let Some(gain) = retired.insert(RETIRED, ids) else { return false };
        self.gain(gain);
        loop {
            let at = self.tracks.partition_point(|track| track.replica.0 < ids.start);
            let Some(track) = self.tracks.get(at).filter(|track| track.replica.0 <= ids.end) else { return true };
            let (key, lost) = (track.key(), track.ranges.fingerprint(track.replica.0));
            self.gain(lost.wrapping_neg());
            let (Ok(at) | Err(at)) = self.tracks.find(key);
            self.tracks.remove(at);
        }
    }

    /// A retired replica gets a track again.
    fn unfold(&mut self, replica: ReplicaId) {
        let Some(retired) = &mut self.retired else { return };
        let Some(gain) = retired.remove(RETIRED, Range { start: replica.0, end: replica.0 }) else { return };
        if retired.is_empty() {
            self.retired = None;
        }
        let ranges = Ranges::one(WHOLE);
        self.gain(gain.wrapping_add(ranges.fingerprint(replica.0)));
        let (Ok(at) | Err(at)) = self.tracks.find(replica.0);
        self.tracks.insert(at, Track { replica, ranges });
    }

    /// The dots `start..=end` for ranges of replicas that are not retired, ascending by replica and counter.
    pub fn ranges(&self) -> impl Iterator<Item = (ReplicaId, Range)> {
        self.tracks.iter().flat_map(|track| track.ranges.iter().map(move |r| (track.replica, r)))
    }

    /// The ranges of one replica, ascending.
    pub fn ranges_of(&self, replica: ReplicaId) -> impl Iterator<Item = Range> {
        let whole = self.is_retired(replica).then_some(WHOLE);
        self.track(replica).into_iter().flat_map(|track| track.ranges.iter()).chain(whole)
    }

    /// Every replica with a dot here that is not retired, ascending.
    pub fn replicas(&self) -> impl Iterator<Item = ReplicaId> {
        self.tracks.iter().map(|track| track.replica)
    }

    /// Every dot of the replicas that are not retired, ascending. Cost: the number of dots, which a peer can claim to be
    /// astronomic: never walk the dots of a set that came from outside without a bound.
    pub fn dots(&self) -> impl Iterator<Item = Dot> {
        self.ranges().flat_map(|(replica, r)| (r.start..=r.end).map(move |n| Dot::new(replica, n)))
    }

    /// Takes the first dots out, ascending by replica and counter: at most `most`, which are a few ranges as a rule; retired
    /// replicas come last, all at once. Cost: the ranges taken, and those of the replicas they are of.
    ///
    /// ```
    /// use lasp_crdt::{Dot, DotSet, ReplicaId};
    ///
    /// let mut dots: DotSet = (1..=5).map(|n| Dot::new(ReplicaId(7), n)).collect();
    /// let first = dots.take_first(3);
    /// assert_eq!((first.len(), dots.len()), (3, 2));
    /// assert!(dots.contains(Dot::new(ReplicaId(7), 4)));
    /// ```
    pub fn take_first(&mut self, most: u64) -> Self {
        let (mut taken, mut room) = (Self::new(), most);
        while room > 0 {
            let Some((replica, Range { start, end })) = self.ranges().next() else {
                if taken.is_empty() {
                    std::mem::swap(&mut taken, self);
                }
                break;
            };
            // The rest of a replica that was retired and came to life again is too long to be counted out.
            let end = if end == Dot::MAX_COUNTER { end } else { end.min(start + (room - 1)) };
            taken.insert_range(replica, start, end);
            self.remove_range(replica, start, end);
            room = room.saturating_sub(end - start + 1);
        }
        taken
    }

    /// These dots and one more.
    pub(crate) fn and(&self, dot: Dot) -> Self {
        let mut dots = self.clone();
        dots.insert(dot);
        dots
    }

    /// How many dots [`dots`](Self::dots) gives, at most `u64::MAX`.
    pub(crate) fn countable(&self) -> u64 {
        self.tracks.iter().fold(0, |sum, track| sum.saturating_add(track.ranges.total()))
    }

    /// The parts that nothing reachable splits further: single dots, retired replicas, and what is left of a retired
    /// replica beyond the dots that were taken away.
    pub(crate) fn atoms(&self) -> impl Iterator<Item = Self> {
        let of_tracks = self.ranges().flat_map(|(replica, r)| {
            let (dots, rest) =
                if r.end == Dot::MAX_COUNTER { (r.start..r.start, Some(r)) } else { (r.start..r.end + 1, None) };
            let part = move |start, end| {
                let mut part = Self::new();
                part.insert_range(replica, start, end);
                part
            };
            dots.map(move |n| part(n, n)).chain(rest.map(move |r| part(r.start, r.end)))
        });
        let retired = self.retired().flat_map(|(first, last)| first.0..=last.0).map(|id| {
            let mut part = Self::new();
            part.retire(ReplicaId(id));
            part
        });
        of_tracks.chain(retired)
    }

    /// Adds every dot of `other`; `true` if any is new. Cost: the ranges of `other`, each with a search here, which is
    /// short where both sides know the same replicas.
    pub fn union_with(&mut self, other: &Self) -> bool {
        let mut grew = false;
        for ids in other.retired.iter().flat_map(|ids| ids.iter()) {
            grew |= self.retire_all(ids);
        }
        if let Some(track) = other.tracks.single() {
            return self.unite_track(track) || grew;
        }
        let (united, changed) = self.unite_in_step(&other.tracks);
        grew |= changed;
        let mut unknown = Vec::new();
        let mut at = At::FIRST;
        for track in other.tracks.iter().skip(united) {
            match self.tracks.seek(at, track.key()) {
                Ok(found) => {
                    grew |= self.change(found, |ranges| ranges.union(track.replica.0, &track.ranges));
                    let is_here = self.tracks.get(found).is_some_and(|mine| mine.replica == track.replica);
                    // One that became whole is gone from here.
                    at = if is_here {
                        self.tracks.after(found)
                    } else {
                        self.tracks.partition_point(|mine| mine.replica < track.replica)
                    };
                }
                Err(gap) => {
                    at = gap;
                    if !self.is_retired(track.replica) {
                        unknown.push(track.clone());
                    }
                }
            }
        }
        for track in &unknown {
            grew = true;
            self.gain(track.ranges.fingerprint(track.replica.0));
        }
        self.tracks.insert_all(unknown);
        grew
    }

    /// Unites tracks for as long as both sides name the same replicas; how many that were, and whether any dot is new.
    fn unite_in_step(&mut self, theirs: &Sorted<Track>) -> (usize, bool) {
        let (mut united, mut gain, mut grew, mut any_whole) = (0, 0u64, false, false);
        let in_step = |(mine, theirs): &(&mut Track, &Track)| mine.replica == theirs.replica;
        for (mine, theirs) in self.tracks.iter_mut().zip(theirs.iter()).take_while(in_step) {
            if let Some(more) = mine.ranges.union(mine.replica.0, &theirs.ranges) {
                gain = gain.wrapping_add(more);
                grew = true;
                any_whole |= mine.is_whole();
            }
            united += 1;
        }
        self.gain(gain);
        if any_whole {
            let whole = self.tracks.iter().filter(|track| track.is_whole()).map(Track::key);
            for id in whole.collect::<Vec<_>>() {
                self.retire(ReplicaId(id));
            }
        }
        (united, grew)
    }

    fn unite_track(&mut self, track: &Track) -> bool {
        match self.tracks.find(track.key()) {
            Ok(at) => self.change(at, |ranges| ranges.union(track.replica.0, &track.ranges)),
            Err(_) if self.is_retired(track.replica) => false,
            Err(at) => {
                self.gain(track.ranges.fingerprint(track.replica.0));
                self.tracks.insert(at, track.clone());
                true
            }
        }
    }

    /// Takes every dot of `other` out; `true` if any was in. Cost: the ranges of `other`, and the retired replicas here
    /// or there.
    pub fn subtract(&mut self, other: &Self) -> bool {
        if self.retired.is_some() || other.retired.is_some() {
            let rest = self.difference(other);
            let any = rest != *self;
            *self = rest;
            return any;
        }
        other.ranges().fold(false, |any, (replica, r)| self.remove_range(replica, r.start, r.end) | any)
    }

    /// The dots of `self` that are not in `other`. Cost: the ranges of `self`, and those of `other` that overlap.
    pub fn difference(&self, other: &Self) -> Self {
        let mut rest = Builder::default();
        for ids in self.retired.iter() {
            let unknown = match &other.retired {
                Some(known) => ids.minus(known),
                None => (**ids).clone(),
            };
            rest.retire_beyond(&unknown, &other.tracks);
        }
        let mut at = At::FIRST;
        for track in self.tracks.iter() {
            match other.tracks.seek(at, track.key()) {
                Ok(found) => {
                    let theirs = other.tracks.get(found);
                    rest.track(track.replica, theirs.map_or_else(Ranges::default, |t| track.ranges.minus(&t.ranges)));
                    at = other.tracks.after(found);
                }
                Err(gap) => {
                    at = gap;
                    if !other.is_retired(track.replica) {
                        rest.track(track.replica, track.ranges.clone());
                    }
                }
            }
        }
        rest.finish()
    }

    /// The dots in both. Cost: the ranges of `self`, and those of `other` that overlap.
    pub fn intersection(&self, other: &Self) -> Self {
        let mut both = Builder::default();
        if let (Some(mine), Some(theirs)) = (&self.retired, &other.retired) {
            both.retired = mine.common(theirs);
        }
        for (one, two) in [(self, other), (other, self)] {
            for ids in one.retired.iter().flat_map(|ids| ids.iter()) {
                let from = two.tracks.partition_point(|track| track.key() < ids.start);
                for track in two.tracks.iter_from(from).take_while(|track| track.key() <= ids.end) {
                    both.track(track.replica, track.ranges.clone());
                }
            }
        }
        let mut at = At::FIRST;
        for track in self.tracks.iter() {
            match other.tracks.seek(at, track.key()) {
                Ok(found) => {
                    let theirs = other.tracks.get(found);
                    both.track(track.replica, theirs.map_or_else(Ranges::default, |t| track.ranges.common(&t.ranges)));
                    at = other.tracks.after(found);
                }
                Err(gap) => at = gap,
            }
        }
        both.finish()
    }

    /// Whether no dot of `self` is in `other`. Cost: the ranges of `self`, each with a search in `other`.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        if self.retired.is_some() || other.retired.is_some() {
            return self.intersection(other).is_empty();
        }
        let mut at = At::FIRST;
        self.tracks.iter().all(|track| match other.tracks.seek(at, track.key()) {
            Ok(found) => {
                at = other.tracks.after(found);
                other.tracks.get(found).is_none_or(|theirs| track.ranges.is_disjoint(&theirs.ranges))
            }
            Err(gap) => {
                at = gap;
                true
            }
        })
    }

    /// Whether every dot of `self` is in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        let retired = self.retired.as_ref().is_none_or(|mine| {
            // A track never holds all of a replica.
            other.retired.as_ref().is_some_and(|theirs| mine.is_subset(theirs))
        });
        let mut at = At::FIRST;
        retired
            && self.tracks.iter().all(|track| match other.tracks.seek(at, track.key()) {
                Ok(found) => {
                    at = other.tracks.after(found);
                    other.tracks.get(found).is_some_and(|theirs| track.ranges.is_subset(&theirs.ranges))
                }
                Err(gap) => {
                    at = gap;
                    other.is_retired(track.replica)
                }
            })
    }

    fn track(&self, replica: ReplicaId) -> Option<&Track> {
        self.tracks.by_key(replica.0)
    }

    fn gain(&mut self, gain: u64) {
        self.fingerprint = self.fingerprint.wrapping_add(gain);
    }

    /// Changes the ranges of a track; `true` if that changed anything. The track goes when it is empty or whole.
    fn change(&mut self, at: At, change: impl FnOnce(&mut Ranges) -> Option<u64>) -> bool {
        let Some(track) = self.tracks.get_mut(at) else { return false };
        let Some(gain) = change(&mut track.ranges) else { return false };
        let (replica, is_empty) = (track.replica, track.ranges.is_empty());
        let is_whole = track.is_whole();
        self.gain(gain);
        if is_empty {
            self.tracks.remove(at);
        } else if is_whole {
            self.retire(replica);
        }
        true
    }
}

/// Puts a set together from tracks in any order.
#[derive(Default)]
struct Builder {
    tracks: Sorted<Track>,
    retired: Ranges,
}

impl Builder {
    fn track(&mut self, replica: ReplicaId, ranges: Ranges) {
        if !ranges.is_empty() {
            let (Ok(at) | Err(at)) = self.tracks.find(replica.0);
            self.tracks.insert(at, Track { replica, ranges });
        }
    }

    /// Adds all dots of these replicas but those of `known`, which has dots of some of them.
    fn retire_beyond(&mut self, ids: &Ranges, known: &Sorted<Track>) {
        let whole = Ranges::one(WHOLE);
        let mut partly = Ranges::default();
        for range in ids.iter() {
            let from = known.partition_point(|track| track.key() < range.start);
            for track in known.iter_from(from).take_while(|track| track.key() <= range.end) {
                partly.insert(RETIRED, Range { start: track.key(), end: track.key() });
                self.track(track.replica, whole.minus(&track.ranges));
            }
        }
        self.retired = ids.minus(&partly);
    }

    fn finish(self) -> DotSet {
        let of_tracks = self.tracks.iter().map(|track| track.ranges.fingerprint(track.replica.0));
        let fingerprint = of_tracks.fold(self.retired.fingerprint(RETIRED), u64::wrapping_add);
        let retired = (!self.retired.is_empty()).then(|| Box::new(self.retired));
        DotSet { tracks: self.tracks, retired, fingerprint }
    }
}

impl PartialEq for DotSet {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint && self.tracks == other.tracks && self.retired == other.retired
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

/// Dots that follow one another go in together.
impl Extend<Dot> for DotSet {
    fn extend<I: IntoIterator<Item = Dot>>(&mut self, dots: I) {
        let mut run: Option<(Dot, u64)> = None;
        for dot in dots {
            match &mut run {
                Some((first, end)) if first.replica == dot.replica && *end + 1 == dot.counter => *end = dot.counter,
                _ => {
                    if let Some((first, end)) = run.replace((dot, dot.counter)) {
                        self.insert_range(first.replica, first.counter, end);
                    }
                }
            }
        }
        if let Some((first, end)) = run {
            self.insert_range(first.replica, first.counter, end);
        }
    }
}
