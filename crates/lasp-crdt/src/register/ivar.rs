//! The single-assignment variable, and what becomes of two assignments.
//!
//! Source: the I-structures of Arvind et al. (1989), as in Meiklejohn and Van Roy's Lasp (PPDP'15). Replicas that
//! cannot ask each other may both assign. That error is a state here, above every value, so that all replicas end up
//! in it alike; it remembers the least and the greatest of the values, which is an interval lattice, and bounded.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};
use std::hash::Hash;
use thiserror::Error;

/// A variable that is set once.
///
/// ```
/// use lasp_crdt::{IVar, Lattice, Reading};
///
/// let mut here = IVar::new();
/// here.merge(here.set("x").unwrap());
/// assert_eq!(here.get(), Reading::Set(&"x"));
/// assert!(here.set("y").is_err());
///
/// // Elsewhere, nobody knew of that.
/// here.merge(IVar::new().set("y").unwrap());
/// assert_eq!(here.get(), Reading::Conflict(&"x", &"y"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IVar<V>(State<V>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum State<V> {
    Unset,
    Set(V),
    /// The first is less than the second.
    Conflict(V, V),
}

/// What a read of an [`IVar`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading<'a, V> {
    /// Nobody has set it.
    Unset,
    /// Its value.
    Set(&'a V),
    /// It was set to different values: the least and the greatest of them.
    Conflict(&'a V, &'a V),
}

/// The variable already has another value; it is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the variable is already set")]
pub struct AlreadySet;

impl<V> IVar<V> {
    /// The variable, not set.
    pub const fn new() -> Self {
        Self(State::Unset)
    }

    /// The value, if there is one, or the conflict.
    pub const fn get(&self) -> Reading<'_, V> {
        match &self.0 {
            State::Unset => Reading::Unset,
            State::Set(value) => Reading::Set(value),
            State::Conflict(low, high) => Reading::Conflict(low, high),
        }
    }
}

impl<V: Ord + Clone> IVar<V> {
    /// The delta that sets the variable; bottom if it has this value.
    ///
    /// # Errors
    /// [`AlreadySet`] if it has another value, or several.
    pub fn set(&self, value: V) -> Result<Self, AlreadySet> {
        match &self.0 {
            State::Unset => Ok(Self(State::Set(value))),
            State::Set(known) if *known == value => Ok(Self::new()),
            State::Set(_) | State::Conflict(..) => Err(AlreadySet),
        }
    }

    /// The interval from the least to the greatest value; none for bottom.
    fn bounds(&self) -> Option<(&V, &V)> {
        match &self.0 {
            State::Unset => None,
            State::Set(value) => Some((value, value)),
            State::Conflict(low, high) => Some((low, high)),
        }
    }

    /// The interval between two values.
    fn spanning(low: V, high: V) -> Self {
        Self(if low == high { State::Set(low) } else { State::Conflict(low, high) })
    }
}

impl<V> Default for IVar<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: Ord + Clone> Lattice for IVar<V> {
    fn merge(&mut self, other: Self) -> bool {
        if other.leq(self) {
            return false;
        }
        *self = match (self.bounds(), other.bounds()) {
            (Some((a, b)), Some((c, d))) => Self::spanning(a.min(c).clone(), b.max(d).clone()),
            _ => other,
        };
        true
    }

    fn leq(&self, other: &Self) -> bool {
        match (self.bounds(), other.bounds()) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some((a, b)), Some((c, d))) => c <= a && b <= d,
        }
    }
}

impl<V: Ord + Clone> Decompose for IVar<V> {
    /// The value; of a conflict, both.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        let (first, second) = match &self.0 {
            State::Unset => (None, None),
            State::Set(value) => (Some(value), None),
            State::Conflict(low, high) => (Some(low), Some(high)),
        };
        first.into_iter().chain(second).map(|value| Self(State::Set(value.clone())))
    }
}

impl<V: Ord + Clone> Delta for IVar<V> {
    type Digest = Self;

    fn digest(&self) -> Self {
        self.clone()
    }

    /// The ends of the interval that lie outside of what is known; all between them goes without saying.
    fn delta(&self, since: &Self) -> Self {
        match (self.bounds(), since.bounds()) {
            (Some((low, high)), Some((least, greatest))) => match (low < least, high > greatest) {
                (true, true) => self.clone(),
                (true, false) => Self(State::Set(low.clone())),
                (false, true) => Self(State::Set(high.clone())),
                (false, false) => Self::new(),
            },
            _ => self.clone(),
        }
    }
}

impl<V: Hash> Fingerprint for IVar<V> {
    fn fingerprint(&self) -> u64 {
        match &self.0 {
            State::Unset => 0,
            State::Set(value) => fingerprint::hash(value),
            State::Conflict(low, high) => fingerprint::mix(fingerprint::hash(low), fingerprint::hash(high)),
        }
    }
}

/// How many values (0, 1, 2), then they.
impl<V: Encode> Encode for IVar<V> {
    fn encode(&self, w: &mut Writer<'_>) {
        match &self.0 {
            State::Unset => w.u8(0),
            State::Set(value) => {
                w.u8(1);
                value.encode(w);
            }
            State::Conflict(low, high) => {
                w.u8(2);
                low.encode(w);
                high.encode(w);
            }
        }
    }
}

impl<V: Decode + Ord> Decode for IVar<V> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        match r.u8("variable")? {
            0 => Ok(Self::new()),
            1 => V::decode(r).map(State::Set).map(Self),
            2 => {
                let (low, high) = (V::decode(r)?, V::decode(r)?);
                let is_canonical = low < high;
                let bad = DecodeError::NotCanonical { what: "conflict", at };
                if is_canonical { Ok(Self(State::Conflict(low, high))) } else { Err(bad) }
            }
            tag => Err(DecodeError::BadTag { what: "variable", tag: tag.into(), at }),
        }
    }
}
