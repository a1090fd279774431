//! A map's value: a state of the map's type, or nothing yet.
//!
//! Lattices need a bottom without being told their type, which [`State`] cannot give; here it is `None`. A slot whose state
//! is bottom equals an empty one. A copy of a slot shares its state until one of the two changes: deltas take states out of maps, and
//! maps out of deltas, that nobody changes any more.

use super::{State, StateDigest};
use lasp_crdt::{Decompose, Delta, Fingerprint, Lattice};
use std::sync::Arc;

/// The state under one key of a map.
#[derive(Clone, Debug, Default)]
pub struct Slot(Option<Arc<State>>);

impl Slot {
    /// The state, unless the slot is empty.
    pub fn get(&self) -> Option<&State> {
        self.0.as_deref()
    }
}

/// A state that is bottom leaves the slot empty.
impl From<State> for Slot {
    fn from(state: State) -> Self {
        Self((!state.is_bottom()).then(|| Arc::new(state)))
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

/// Merges into a state that other slots may share: it is copied only if it changes.
fn merge_shared(state: &mut Arc<State>, news: Arc<State>) -> bool {
    let is_shared = Arc::strong_count(state) > 1;
    if Arc::ptr_eq(state, &news) || (is_shared && news.leq(state)) {
        return false;
    }
    Arc::make_mut(state).merge(Arc::unwrap_or_clone(news))
}

impl Lattice for Slot {
    fn merge(&mut self, other: Self) -> bool {
        let Some(news) = other.0 else { return false };
        match &mut self.0 {
            Some(state) => merge_shared(state, news),
            None if news.is_bottom() => false,
            None => {
                self.0 = Some(news);
                true
            }
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
