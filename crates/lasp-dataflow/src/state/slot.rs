//! A map's value: a state of the map's type, or nothing yet.
//!
//! Lattices need a bottom without being told their type, which [`State`] cannot give; here it is `None`. A slot whose state
//! is bottom equals an empty one.

use super::{State, StateDigest};
use lasp_crdt::{Decompose, Delta, Fingerprint, Lattice};

/// The state under one key of a map.
#[derive(Clone, Debug, Default)]
pub struct Slot(Option<Box<State>>);

impl Slot {
    /// The state, unless the slot is empty.
    pub fn get(&self) -> Option<&State> {
        self.0.as_deref()
    }
}

/// A state that is bottom leaves the slot empty.
impl From<State> for Slot {
    fn from(state: State) -> Self {
        Self((!state.is_bottom()).then(|| Box::new(state)))
    }
}

impl PartialEq for Slot {
    fn eq(&self, other: &Self) -> bool {
        match (self.get(), other.get()) {
            (Some(x), Some(y)) => x == y,
            (None, None) => true,
            (Some(one), None) | (None, Some(one)) => one.is_bottom(),
        }
    }
}

impl Lattice for Slot {
    fn merge(&mut self, other: Self) -> bool {
        match (&mut self.0, other.0) {
            (Some(x), Some(y)) => x.merge(*y),
            (None, Some(y)) if !y.is_bottom() => {
                self.0 = Some(y);
                true
            }
            _ => false,
        }
    }

    fn leq(&self, other: &Self) -> bool {
        match (self.get(), other.get()) {
            (Some(x), Some(y)) => x.leq(y),
            (Some(x), None) => x.is_bottom(),
            (None, _) => true,
        }
    }

    fn is_bottom(&self) -> bool {
        self.get().is_none_or(State::is_bottom)
    }
}

impl Decompose for Slot {
    fn decompose(&self) -> impl Iterator<Item = Self> {
        self.get().map(State::decompose).unwrap_or_default().into_iter().map(Self::from)
    }
}

impl Delta for Slot {
    type Digest = Option<StateDigest>;

    fn digest(&self) -> Self::Digest {
        self.get().map(State::digest)
    }

    fn delta(&self, since: &Self::Digest) -> Self {
        match (self.get(), since) {
            (Some(state), Some(since)) => Self::from(state.delta(since)),
            _ => self.clone(),
        }
    }

    fn difference(&self, known: &Self) -> Self {
        match (self.get(), known.get()) {
            (Some(state), Some(known)) => Self::from(state.difference(known)),
            _ => self.clone(),
        }
    }
}

impl Fingerprint for Slot {
    fn fingerprint(&self) -> u64 {
        self.get().map_or(0, State::fingerprint)
    }
}
