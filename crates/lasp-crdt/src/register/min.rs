//! The minimum of everything that was written.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};
use std::hash::Hash;

/// A register that holds the least value written; its bottom is that nothing was.
///
/// ```
/// use lasp_crdt::{Lattice, MinRegister};
///
/// let mut best_time = MinRegister::new();
/// assert_eq!(best_time.value(), None);
/// best_time.merge(best_time.write(71));
/// best_time.merge(best_time.write(83));
/// assert_eq!(best_time.value(), Some(&71));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinRegister<T>(Option<T>);

impl<T> MinRegister<T> {
    /// The register, never written.
    pub const fn new() -> Self {
        Self(None)
    }

    /// The least value written.
    pub const fn value(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<T: Ord + Clone> MinRegister<T> {
    /// The delta that lowers the register to `value`; bottom if it is not higher.
    pub fn write(&self, value: T) -> Self {
        if self.exceeds(&value) { Self(Some(value)) } else { Self::new() }
    }

    /// Whether a write of `value` would lower it.
    fn exceeds(&self, value: &T) -> bool {
        self.0.as_ref().is_none_or(|held| held > value)
    }
}

impl<T> Default for MinRegister<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Ord + Clone> Lattice for MinRegister<T> {
    fn merge(&mut self, other: Self) -> bool {
        let grew = !other.leq(self);
        if grew {
            *self = other;
        }
        grew
    }

    fn leq(&self, other: &Self) -> bool {
        self.0.as_ref().is_none_or(|value| !other.exceeds(value))
    }

    fn is_bottom(&self) -> bool {
        self.0.is_none()
    }
}

impl<T: Ord + Clone> Decompose for MinRegister<T> {
    /// The state itself: all states are comparable.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        (!self.is_bottom()).then(|| self.clone()).into_iter()
    }
}

impl<T: Ord + Clone> Delta for MinRegister<T> {
    type Digest = Self;

    fn digest(&self) -> Self {
        self.clone()
    }

    fn delta(&self, since: &Self) -> Self {
        self.difference(since)
    }

    fn difference(&self, known: &Self) -> Self {
        if self.leq(known) { Self::new() } else { self.clone() }
    }
}

impl<T: Hash> Fingerprint for MinRegister<T> {
    fn fingerprint(&self) -> u64 {
        self.0.as_ref().map_or(0, fingerprint::hash)
    }
}

/// Presence, then the value.
impl<T: Encode> Encode for MinRegister<T> {
    fn encode(&self, w: &mut Writer<'_>) {
        self.0.encode(w);
    }
}

impl<T: Decode> Decode for MinRegister<T> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Option::decode(r).map(Self)
    }
}
