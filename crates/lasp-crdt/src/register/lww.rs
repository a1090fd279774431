//! The last-writer-wins register: of all writes, the latest.
//!
//! Source: Johnson and Thomas, RFC 677 (1975); Shapiro et al., "A comprehensive study of Convergent and Commutative
//! Replicated Data Types" (2011), §3.2.1. Times are those of hybrid logical clocks ([`clock`](super::clock)), which the
//! caller holds: nothing here reads one.
//!
//! The greatest time wins, so one clock that is years ahead could lock a register: everybody who merged its write would
//! have to write above it for years. Two rules keep that from happening, and both sides must follow theirs:
//!
//! - Who *writes* uses [`write_at`](LwwRegister::write_at), which goes above what is held, even if the own clock is behind.
//! - Who *receives* calls [`admit`](LwwRegister::admit) with its own physical time before it merges a state from elsewhere,
//!   and drops what is refused. If only the clock *here* was behind, the sender offers the write again, and it is admitted
//!   as soon as time has caught up.
//!
//! So what is held here is never further ahead than the bound, and writes go on from there.

mod digest;

pub use digest::LwwDigest;

use super::clock::{ClockDrift, Timestamp};
use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::dot::ReplicaId;
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};
use std::hash::Hash;

/// When and by whom a value was written. Not ordered: between the two comes the order of the values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// When.
    pub time: Timestamp,
    /// The writer.
    pub replica: ReplicaId,
}

/// A register in which the last write wins.
///
/// Of writes at one time the greater value wins; of equal values that of the greater replica id is kept, so that
/// replicas that show the same value are equal.
///
/// ```
/// use lasp_crdt::{HybridClock, Lattice, LwwRegister, ReplicaId};
///
/// let (mut here, mut there) = (HybridClock::new(), HybridClock::new());
/// let mut colour = LwwRegister::new();
/// colour.merge(colour.write_at(here.tick(1020), ReplicaId(1), "red"));
/// // The other clock is behind; still its write, which has seen the first, is the later one.
/// colour.admit(1000, here.max_drift_ms())?;
/// colour.merge(colour.write_at(there.tick(1000), ReplicaId(2), "blue"));
/// assert_eq!(colour.value(), Some(&"blue"));
/// # Ok::<(), lasp_crdt::ClockDrift>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LwwRegister<V>(Option<Write<V>>);

/// The order of the fields is the order of writes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Write<V> {
    time: Timestamp,
    value: V,
    replica: ReplicaId,
}

impl<V> LwwRegister<V> {
    /// The register, never written.
    pub const fn new() -> Self {
        Self(None)
    }

    /// The value last written.
    pub fn value(&self) -> Option<&V> {
        self.0.as_ref().map(|write| &write.value)
    }

    /// The stamp of the last write.
    pub fn stamp(&self) -> Option<Stamp> {
        self.0.as_ref().map(|write| Stamp { time: write.time, replica: write.replica })
    }

    /// Whether this state, from elsewhere, may be merged where physical time is `now_ms`: its write is at most
    /// `bound_ms` ahead of it. See the [module](self) for who calls it.
    ///
    /// # Errors
    /// [`ClockDrift`] if it is further ahead: this state is not to be merged.
    pub fn admit(&self, now_ms: u64, bound_ms: u64) -> Result<(), ClockDrift> {
        self.0.as_ref().map_or(Ok(()), |write| write.time.check(now_ms, bound_ms))
    }
}

impl<V: Ord + Clone> LwwRegister<V> {
    /// The delta that writes `value`; bottom if a later write is known.
    pub fn write(&self, stamp: Stamp, value: V) -> Self {
        let write = Self(Some(Write { time: stamp.time, value, replica: stamp.replica }));
        if write.leq(self) { Self::new() } else { write }
    }

    /// The delta that writes `value` now, which is a [`tick`](super::HybridClock::tick) of the writer's clock; above the
    /// write that is held, if that is not before now. So it counts, whatever is held (but for a write at
    /// [`Timestamp::MAX`], which [`admit`](Self::admit) keeps out).
    pub fn write_at(&self, now: Timestamp, replica: ReplicaId, value: V) -> Self {
        let above = self.stamp().map_or(Timestamp(0), |held| held.time.next());
        self.write(Stamp { time: now.max(above), replica }, value)
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

    fn is_bottom(&self) -> bool {
        self.0.is_none()
    }
}

impl<V: Ord + Clone> Decompose for LwwRegister<V> {
    /// The state itself: all states are comparable.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        self.0.is_some().then(|| self.clone()).into_iter()
    }
}

impl<V: Ord + Clone + Hash + Encode> Delta for LwwRegister<V> {
    /// The stamp, and what can be said in little of the value, by which a tie is settled.
    type Digest = Option<LwwDigest<V>>;

    fn digest(&self) -> Self::Digest {
        self.0.as_ref().map(Write::digest)
    }

    /// Least, but for one case: in a tie with a large value, of which the digest has the hash alone, the own write is given
    /// though it may be the lesser.
    fn delta(&self, since: &Self::Digest) -> Self {
        let is_news = match (&self.0, since) {
            (Some(write), Some(known)) => write.may_exceed(known),
            (write, _) => write.is_some(),
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

/// Time, then the replica.
impl Encode for Stamp {
    fn encode(&self, w: &mut Writer<'_>) {
        self.time.encode(w);
        w.replica(self.replica);
    }
}

impl Decode for Stamp {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { time: Timestamp::decode(r)?, replica: r.replica()? })
    }
}

/// Stamp, then value.
impl<V: Encode> Encode for Write<V> {
    fn encode(&self, w: &mut Writer<'_>) {
        Stamp { time: self.time, replica: self.replica }.encode(w);
        self.value.encode(w);
    }
}

impl<V: Decode> Decode for Write<V> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let Stamp { time, replica } = Stamp::decode(r)?;
        Ok(Self { time, value: V::decode(r)?, replica })
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
