//! The lexicographic pair: the greater first wins with its second; only under equal firsts do the seconds merge.
//!
//! Source: Almeida et al., "Composition in State-based Replicated Data Types" (2017); the decomposition extends that of
//! Enes et al. (ICDE'19, appendix) from chains to any first. Where the firsts are incomparable neither second counts: the
//! merged first is above both, and its second starts at bottom. With a chain as first (a version, an epoch, a time)
//! that never happens.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};

/// A state that starts afresh whenever another grows.
///
/// ```
/// use lasp_crdt::{GSet, Lattice, LexPair, MaxRegister};
///
/// // The votes of the latest round.
/// let mut votes: LexPair<MaxRegister<u64>, GSet<&str>> = LexPair::default();
/// votes.merge(votes.fst(|round| round.write(1)));
/// votes.merge(votes.snd(|votes| votes.add("ann")));
///
/// let late = votes.snd(|votes| votes.add("bob"));
/// votes.merge(votes.fst(|round| round.write(2)));
/// votes.merge(late); // a vote of round 1
/// assert!(votes.second().is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LexPair<A, B> {
    first: A,
    second: B,
}

impl<A: Lattice, B: Lattice> LexPair<A, B> {
    /// The pair of these two.
    pub fn new(first: A, second: B) -> Self {
        Self { first, second }
    }

    /// The one that decides.
    pub fn first(&self) -> &A {
        &self.first
    }

    /// The state under it.
    pub fn second(&self) -> &B {
        &self.second
    }

    /// The delta that raises the first by the delta that `mutate` makes for it, which empties the second; bottom if the
    /// first does not grow.
    pub fn fst(&self, mutate: impl FnOnce(&A) -> A) -> Self {
        let change = mutate(&self.first);
        if change.leq(&self.first) { Self::default() } else { Self { first: change, second: B::default() } }
    }

    /// The delta that changes the second, under this first, by the delta that `mutate` makes for it.
    pub fn snd(&self, mutate: impl FnOnce(&B) -> B) -> Self {
        self.under_first(mutate(&self.second))
    }

    /// The delta that raises the first as [`fst`](Self::fst) does and gives the raised first this second; if the first
    /// does not grow, `second` is merged.
    ///
    /// ```
    /// use lasp_crdt::{GSet, Lattice, LexPair, MaxRegister};
    ///
    /// let mut config: LexPair<MaxRegister<u64>, GSet<&str>> = LexPair::default();
    /// config.merge(config.replace(|version| version.write(1), GSet::from_iter(["a", "b"])));
    /// config.merge(config.replace(|version| version.write(2), GSet::from_iter(["c"])));
    /// assert!(config.second().iter().eq(&["c"]));
    /// ```
    pub fn replace(&self, mutate: impl FnOnce(&A) -> A, second: B) -> Self {
        let mut first = self.first.clone();
        if first.merge(mutate(&self.first)) { Self { first, second } } else { self.under_first(second) }
    }

    /// A second that belongs to this first; bottom if it says nothing.
    fn under_first(&self, second: B) -> Self {
        if second.is_bottom() { Self::default() } else { Self { first: self.first.clone(), second } }
    }
}

impl<A: Lattice, B: Lattice> Lattice for LexPair<A, B> {
    fn merge(&mut self, other: Self) -> bool {
        match (other.first.leq(&self.first), self.first.leq(&other.first)) {
            (true, true) => self.second.merge(other.second),
            (true, false) => false,
            (false, true) => {
                *self = other;
                true
            }
            (false, false) => {
                self.first.merge(other.first);
                self.second = B::default();
                true
            }
        }
    }

    fn leq(&self, other: &Self) -> bool {
        self.first.leq(&other.first) && (!other.first.leq(&self.first) || self.second.leq(&other.second))
    }

    fn is_bottom(&self) -> bool {
        self.first.is_bottom() && self.second.is_bottom()
    }
}

impl<A: Decompose, B: Decompose> Decompose for LexPair<A, B> {
    /// The parts of the second, each under the whole first; if the second is bottom, the parts of the first.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        let is_bare = self.second.is_bottom();
        let firsts = is_bare.then(|| self.first.decompose().map(|first| Self { first, second: B::default() }));
        let seconds =
            (!is_bare).then(|| self.second.decompose().map(|second| Self { first: self.first.clone(), second }));
        firsts.into_iter().flatten().chain(seconds.into_iter().flatten())
    }
}

impl<A: Delta, B: Delta> LexPair<A, B> {
    /// What one lacks whose first is `known`, and to whom `news` of the second is new if the firsts are equal.
    fn news(&self, known: &A, news: impl FnOnce(&B) -> B) -> Self {
        match (self.first.leq(known), known.leq(&self.first)) {
            (true, true) => self.under_first(news(&self.second)),
            (true, false) => Self::default(),
            (false, true) if !self.second.is_bottom() => self.clone(),
            // Nobody will see the second.
            (false, _) => Self { first: self.first.difference(known), second: B::default() },
        }
    }
}

impl<A: Delta, B: Delta> Delta for LexPair<A, B> {
    /// The first whole, since it decides whether the second counts; the digest of the second.
    type Digest = (A, B::Digest);

    fn digest(&self) -> Self::Digest {
        (self.first.clone(), self.second.digest())
    }

    fn delta(&self, since: &Self::Digest) -> Self {
        self.news(&since.0, |second| second.delta(&since.1))
    }

    fn difference(&self, known: &Self) -> Self {
        self.news(&known.first, |second| second.difference(&known.second))
    }
}

impl<A: Fingerprint, B: Fingerprint> Fingerprint for LexPair<A, B> {
    fn fingerprint(&self) -> u64 {
        match (self.first.fingerprint(), self.second.fingerprint()) {
            (0, 0) => 0,
            (first, second) => fingerprint::mix(first, second),
        }
    }
}

/// The first, then the second.
impl<A: Encode, B: Encode> Encode for LexPair<A, B> {
    fn encode(&self, w: &mut Writer<'_>) {
        self.first.encode(w);
        self.second.encode(w);
    }
}

impl<A: Decode, B: Decode> Decode for LexPair<A, B> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.nested(|r| Ok(Self { first: A::decode(r)?, second: B::decode(r)? }))
    }
}
