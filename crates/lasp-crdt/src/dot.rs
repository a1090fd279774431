//! Replica identities and dots: the name of one event in the whole system.

use std::fmt;

/// One incarnation of one replica: the single writer of its dots.
///
/// A replica that lost its memory must come back under a new id, or it would mint dots that others have
/// already seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaId(pub u64);

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
