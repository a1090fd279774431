//! Two lattices side by side, merged each on its own.
//!
//! Source: Almeida et al., "Delta State Replicated Data Types" (JPDC'18), the product lattice.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};

/// A pair of lattices.
///
/// ```
/// use lasp_crdt::{Boolean, GCounter, Lattice, Pair, ReplicaId};
///
/// let mut run: Pair<Boolean, GCounter> = Pair::default();
/// run.merge(run.fst(|done| done.enable()));
/// run.merge(run.snd(|count| count.increment(ReplicaId(1), 4)));
/// assert_eq!((run.first.value(), run.second.value()), (true, 4));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pair<A, B> {
    /// The one.
    pub first: A,
    /// The other.
    pub second: B,
}

impl<A: Lattice, B: Lattice> Pair<A, B> {
    /// The delta that changes the first by the delta that `mutate` makes for it.
    pub fn fst(&self, mutate: impl FnOnce(&A) -> A) -> Self {
        Self { first: mutate(&self.first), second: B::default() }
    }

    /// The delta that changes the second by the delta that `mutate` makes for it.
    pub fn snd(&self, mutate: impl FnOnce(&B) -> B) -> Self {
        Self { first: A::default(), second: mutate(&self.second) }
    }
}

impl<A: Lattice, B: Lattice> Lattice for Pair<A, B> {
    fn merge(&mut self, other: Self) -> bool {
        let first = self.first.merge(other.first);
        let second = self.second.merge(other.second);
        first || second
    }

    fn leq(&self, other: &Self) -> bool {
        self.first.leq(&other.first) && self.second.leq(&other.second)
    }

    fn is_bottom(&self) -> bool {
        self.first.is_bottom() && self.second.is_bottom()
    }
}

impl<A: Decompose, B: Decompose> Decompose for Pair<A, B> {
    /// The parts of the first, then those of the second.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        let first = self.first.decompose().map(|first| Self { first, second: B::default() });
        first.chain(self.second.decompose().map(|second| Self { first: A::default(), second }))
    }
}

impl<A: Delta, B: Delta> Delta for Pair<A, B> {
    /// Both digests.
    type Digest = (A::Digest, B::Digest);

    fn digest(&self) -> Self::Digest {
        (self.first.digest(), self.second.digest())
    }

    fn delta(&self, since: &Self::Digest) -> Self {
        Self { first: self.first.delta(&since.0), second: self.second.delta(&since.1) }
    }

    fn difference(&self, known: &Self) -> Self {
        Self { first: self.first.difference(&known.first), second: self.second.difference(&known.second) }
    }
}

impl<A: Fingerprint, B: Fingerprint> Fingerprint for Pair<A, B> {
    fn fingerprint(&self) -> u64 {
        match (self.first.fingerprint(), self.second.fingerprint()) {
            (0, 0) => 0,
            (first, second) => fingerprint::mix(first, second),
        }
    }
}

/// The first, then the second.
impl<A: Encode, B: Encode> Encode for Pair<A, B> {
    fn encode(&self, w: &mut Writer<'_>) {
        self.first.encode(w);
        self.second.encode(w);
    }
}

impl<A: Decode, B: Decode> Decode for Pair<A, B> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.nested(|r| Ok(Self { first: A::decode(r)?, second: B::decode(r)? }))
    }
}
