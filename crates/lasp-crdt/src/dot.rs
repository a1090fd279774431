//! Replica identities and dots: the name of one event in the whole system.

use crate::fingerprint;
use std::fmt;

/// One incarnation of one replica: the single writer of its dots.
///
/// A replica that lost its memory, or a part of it, must come back under a new id, or it would mint dots that others
/// have already seen: two elements under one dot make both vanish, and what a counter counts the second time under one
/// id hides in what it counted the first time. [`ReplicaId::of`] makes the id of each life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaId(pub u64);

impl ReplicaId {
    /// The id of one life of a node: `incarnation` must differ between all of the node's lives, so it is kept on disk and
    /// raised before each start, or taken from a clock that does not go back.
    ///
    /// The same on every platform and in every release. Two incarnations of one node never have one id; two nodes have
    /// one with a chance of 2⁻⁶⁴ for each pair of lives (a million lives: about 3·10⁻⁸ altogether).
    ///
    /// ```
    /// use lasp_crdt::{AwSet, Lattice, ReplicaId};
    ///
    /// let node = 0x6c61_7370;
    /// let mut elsewhere = AwSet::new();
    /// elsewhere.merge(AwSet::new().add(ReplicaId::of(node, 1), "before"));
    /// // The node crashes, loses everything, and comes back.
    /// elsewhere.merge(AwSet::new().add(ReplicaId::of(node, 2), "after"));
    /// assert!(elsewhere.iter().eq(&["after", "before"]));
    /// ```
    pub const fn of(node: u64, incarnation: u64) -> Self {
        Self(fingerprint::mix(node, incarnation))
    }
}

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// The `counter`-th event of a replica; counters start at 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dot {
    /// Who minted it.
    pub replica: ReplicaId,
    /// Its number there, from 1.
    pub counter: u64,
}

impl Dot {
    /// The highest counter that a peer may speak of. Far beyond any real one, and far enough below the end of the
    /// numbers that no malicious context can make the next counter overflow.
    pub const MAX_COUNTER: u64 = 1 << 62;

    /// The `counter`-th event of `replica`.
    pub const fn new(replica: ReplicaId, counter: u64) -> Self {
        Self { replica, counter }
    }
}

impl fmt::Display for Dot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.replica, self.counter)
    }
}
