//! The maximum of everything that was written.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};
use std::hash::Hash;

/// A register that holds the greatest value written, and never less than `T::default()`, its bottom.
///
/// ```
/// use lasp_crdt::{Lattice, MaxRegister};
///
/// let mut high_score = MaxRegister::default();
/// high_score.merge(high_score.write(7u64));
/// high_score.merge(high_score.write(3));
/// assert_eq!(high_score.value(), &7);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MaxRegister<T> {
    /// At least `T::default()`.
    value: T,
}

impl<T: Ord + Clone + Default> MaxRegister<T> {
    /// The register at `T::default()`.
    pub fn new() -> Self {
        Self::default()
    }

    /// The delta that raises the register to `value`; bottom if it is not lower.
    pub fn write(&self, value: T) -> Self {
        if value > self.value { Self { value } } else { Self::default() }
    }

    /// The greatest value written.
    pub fn value(&self) -> &T {
        &self.value
    }
}

impl<T: Ord + Clone + Default> Lattice for MaxRegister<T> {
    fn merge(&mut self, other: Self) -> bool {
        let grew = other.value > self.value;
        if grew {
            *self = other;
        }
        grew
    }

    fn leq(&self, other: &Self) -> bool {
        self.value <= other.value
    }
}

impl<T: Ord + Clone + Default> Decompose for MaxRegister<T> {
    /// The state itself: all states are comparable.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        (!self.is_bottom()).then(|| self.clone()).into_iter()
    }
}

impl<T: Ord + Clone + Default> Delta for MaxRegister<T> {
    type Digest = Self;

    fn digest(&self) -> Self {
        self.clone()
    }

    fn delta(&self, since: &Self) -> Self {
        since.write(self.value.clone())
    }
}

impl<T: Ord + Clone + Default + Hash> Fingerprint for MaxRegister<T> {
    fn fingerprint(&self) -> u64 {
        if self.is_bottom() { 0 } else { fingerprint::hash(&self.value) }
    }
}

/// The value.
impl<T: Encode> Encode for MaxRegister<T> {
    fn encode(&self, w: &mut Writer<'_>) {
        self.value.encode(w);
    }
}

impl<T: Decode + Ord + Default> Decode for MaxRegister<T> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let bad = r.not_canonical("value below the least");
        let value = T::decode(r)?;
        if value < T::default() { Err(bad) } else { Ok(Self { value }) }
    }
}
