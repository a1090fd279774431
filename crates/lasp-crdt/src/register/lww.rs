//! The last-writer-wins register: of all writes, the one with the greatest stamp.
//!
//! Source: Johnson and Thomas, RFC 677 (1975); Shapiro et al., "A comprehensive study of Convergent and Commutative
//! Replicated Data Types" (2011), §3.2.1. It knows no clock: stamps come from the caller, and refusing those from a
//! far future is the caller's business too.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::dot::ReplicaId;
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};
use std::hash::Hash;

/// When and by whom a value was written. Ordered by time, then by replica, which settles ties alike everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// A hybrid logical clock: milliseconds `<< 16`, plus a logical count.
    pub time: u64,
    /// The writer.
    pub replica: ReplicaId,
}

/// A register in which the last write wins.
///
/// Two writes with one stamp cannot come from a correct writer; should they come, the greater value wins, so that
/// replicas agree even then.
///
/// ```
/// use lasp_crdt::{Lattice, LwwRegister, ReplicaId, Stamp};
///
/// let mut colour = LwwRegister::new();
/// colour.merge(colour.write(Stamp { time: 2, replica: ReplicaId(1) }, "red"));
/// colour.merge(colour.write(Stamp { time: 1, replica: ReplicaId(2) }, "blue"));
/// assert_eq!(colour.value(), Some(&"red"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LwwRegister<V>(Option<(Stamp, V)>);

impl<V> LwwRegister<V> {
    /// The register, never written.
    pub const fn new() -> Self {
        Self(None)
    }

    /// The value last written.
    pub fn value(&self) -> Option<&V> {
        self.0.as_ref().map(|(_, value)| value)
    }

    /// The stamp of the last write.
    pub fn stamp(&self) -> Option<Stamp> {
        self.0.as_ref().map(|(stamp, _)| *stamp)
    }
}

impl<V: Ord + Clone> LwwRegister<V> {
    /// The delta that writes `value`; bottom if a later write is known.
    pub fn write(&self, stamp: Stamp, value: V) -> Self {
        let write = Some((stamp, value));
        if write > self.0 { Self(write) } else { Self::new() }
    }
}

impl<V> Default for LwwRegister<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: Ord + Clone> Lattice for LwwRegister<V> {
    fn merge(&mut self, other: Self) -> bool {
        let grew = other.0 > self.0;
        if grew {
            *self = other;
        }
        grew
    }

    fn leq(&self, other: &Self) -> bool {
        self.0 <= other.0
    }
}

impl<V: Ord + Clone> Decompose for LwwRegister<V> {
    /// The state itself: all states are comparable.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        self.0.is_some().then(|| self.clone()).into_iter()
    }
}

impl<V: Ord + Clone + Hash> Delta for LwwRegister<V> {
    /// The stamp, and the hash of the value for the writes that no correct writer makes.
    type Digest = Option<(Stamp, u64)>;

    fn digest(&self) -> Self::Digest {
        self.0.as_ref().map(|(stamp, value)| (*stamp, fingerprint::hash(value)))
    }

    fn delta(&self, since: &Self::Digest) -> Self {
        let is_news = match (self.digest(), since) {
            (Some((mine, hash)), Some((theirs, known))) => mine > *theirs || mine == *theirs && hash != *known,
            (mine, _) => mine.is_some(),
        };
        if is_news { self.clone() } else { Self::new() }
    }

    fn difference(&self, known: &Self) -> Self {
        if self.leq(known) { Self::new() } else { self.clone() }
    }
}

impl<V: Hash> Fingerprint for LwwRegister<V> {
    fn fingerprint(&self) -> u64 {
        self.0.as_ref().map_or(0, fingerprint::hash)
    }
}

/// Time as a varint, then the replica.
impl Encode for Stamp {
    fn encode(&self, w: &mut Writer<'_>) {
        w.varint(self.time);
        w.replica(self.replica);
    }
}

impl Decode for Stamp {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { time: r.varint("time")?, replica: r.replica()? })
    }
}

/// Presence, then stamp and value.
impl<V: Encode> Encode for LwwRegister<V> {
    fn encode(&self, w: &mut Writer<'_>) {
        self.0.encode(w);
    }
}

impl<V: Decode> Decode for LwwRegister<V> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Option::decode(r).map(Self)
    }
}
