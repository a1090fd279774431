//! A flag that starts false and can become true, for good.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};

/// A flag that can be enabled, not disabled.
///
/// ```
/// use lasp_crdt::{Boolean, Lattice};
///
/// let mut done = Boolean::default();
/// done.merge(done.enable());
/// assert!(done.value());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Boolean(bool);

impl Boolean {
    /// The flag, not enabled.
    pub const fn new() -> Self {
        Self(false)
    }

    /// The delta that enables the flag; bottom if it is enabled.
    pub const fn enable(self) -> Self {
        Self(!self.0)
    }

    /// Whether it is enabled.
    pub const fn value(self) -> bool {
        self.0
    }
}

impl Lattice for Boolean {
    fn merge(&mut self, other: Self) -> bool {
        let grew = other.0 && !self.0;
        self.0 |= other.0;
        grew
    }

    fn leq(&self, other: &Self) -> bool {
        self.0 <= other.0
    }
}

impl Decompose for Boolean {
    fn decompose(&self) -> impl Iterator<Item = Self> {
        self.0.then_some(*self).into_iter()
    }
}

impl Delta for Boolean {
    type Digest = Self;

    fn digest(&self) -> Self {
        *self
    }

    fn delta(&self, since: &Self) -> Self {
        Self(self.0 && !since.0)
    }
}

impl Fingerprint for Boolean {
    fn fingerprint(&self) -> u64 {
        if self.0 { fingerprint::hash(&true) } else { 0 }
    }
}

/// One byte.
impl Encode for Boolean {
    fn encode(&self, w: &mut Writer<'_>) {
        self.0.encode(w);
    }
}

impl Decode for Boolean {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        bool::decode(r).map(Self)
    }
}
