//! The traits every replicated type obeys: join-semilattices, their irredundant parts, and their differences.
//!
//! Sources: Shapiro et al., "Conflict-free Replicated Data Types" (SSS'11); Almeida et al., "Delta State
//! Replicated Data Types" (JPDC'18); Enes et al., "Efficient Synchronization of State-based CRDTs" (ICDE'19)
//! for join decompositions.

/// A join-semilattice; its bottom is `Default::default()`.
///
/// `merge` is associative, commutative and idempotent. The order is [`leq`](Self::leq), not `PartialOrd`, because
/// a derived `PartialOrd` is lexicographic.
pub trait Lattice: Clone + Default + PartialEq {
    /// Merges `other` in (the least upper bound); `true` if and only if `self` grew.
    fn merge(&mut self, other: Self) -> bool;

    /// The lattice order: `a.leq(b)` if and only if merging `a` into `b` changes nothing.
    fn leq(&self, other: &Self) -> bool;

    /// Whether this is the least element.
    fn is_bottom(&self) -> bool {
        *self == Self::default()
    }
}

/// A lattice whose states split into irreducible parts.
pub trait Decompose: Lattice {
    /// The irredundant join decomposition: join-irreducible parts, none implied by the others, whose merge is
    /// `self`. Bottom has no parts. Cost: the size of the state.
    fn decompose(&self) -> impl Iterator<Item = Self>;
}

/// A lattice that can say what another replica lacks.
pub trait Delta: Decompose {
    /// What a replica tells another about what it already has; smaller than the state where the type allows.
    type Digest: Clone + PartialEq;

    /// Summarises this state for [`delta`](Self::delta).
    fn digest(&self) -> Self::Digest;

    /// The least state that brings a replica at `since` up to (at least) `self`; bottom when it lacks nothing.
    fn delta(&self, since: &Self::Digest) -> Self;
    /// The least part of `self` that `known` lacks: bottom when `self.leq(known)`. `self` is typically a received
    /// delta, `known` the state it is about to be merged into (the RR of Enes et al., "remove redundancy").
    /// The types here override this at the cost of `self`; the default pays for a digest of `known`.
    fn difference(&self, known: &Self) -> Self {
        self.delta(&known.digest())
    }
}
