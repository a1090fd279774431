//! A map's value: a state of the map's type, or nothing yet.
//!
//! Lattices need a bottom without being told their type, which [`State`] cannot give; here it is `None`. A slot whose state
//! is bottom equals an empty one. A copy of a slot shares its state until one of the two changes: deltas take states out of maps, and
//! maps out of deltas, that nobody changes any more. Flags and pairs of flags, of which a map can have one for each node of a cluster
//! and can be in only a few states, are there once and for all: such a map costs its keys.

use super::{State, StateDigest};
use lasp_crdt::{Boolean, Decompose, Delta, Fingerprint, Lattice};
use std::sync::{Arc, LazyLock};

/// The states that all slots share.
struct Common {
    flag: Arc<State>,
    /// Pairs of flags of which the first, the second, both are enabled.
    pairs: [Arc<State>; 3],
}

static COMMON: LazyLock<Common> = LazyLock::new(|| {
    let flag = |enabled: bool| State::Boolean(if enabled { Boolean::new().enable() } else { Boolean::new() });
    let pair = |first, second| Arc::new(State::Pair(Box::new((flag(first), flag(second)))));
    Common { flag: Arc::new(flag(true)), pairs: [pair(true, false), pair(false, true), pair(true, true)] }
});

/// The shared copy of a state that is not bottom, if it is one of those.
fn common(state: &State) -> Option<&'static Arc<State>> {
    match state {
        State::Boolean(_) => Some(&COMMON.flag),
        State::Pair(pair) => match &**pair {
            (State::Boolean(first), State::Boolean(second)) => {
                let at = usize::from(first.value()) + 2 * usize::from(second.value());
                COMMON.pairs.get(at.checked_sub(1)?)
            }
            _ => None,
        },
        _ => None,
    }
}

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
        Self((!state.is_bottom()).then(|| common(&state).cloned().unwrap_or_else(|| Arc::new(state))))
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
    let grew = Arc::make_mut(state).merge(Arc::unwrap_or_clone(news));
    if let Some(shared) = common(state) {
        *state = shared.clone();
    }
    grew
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(first: bool, second: bool) -> State {
        let flag = |enabled| State::Boolean(if enabled { Boolean::new().enable() } else { Boolean::new() });
        State::Pair(Box::new((flag(first), flag(second))))
    }

    #[test]
    fn pairs_of_flags_are_there_once_however_they_came_about() {
        let both = Slot::from(pair(true, true));
        let mut merged = Slot::from(pair(true, false));
        assert!(merged.merge(Slot::from(pair(false, true))));
        assert!(!merged.merge(both.clone()));
        let place = |slot: &Slot| slot.get().map(std::ptr::from_ref);
        assert_eq!(place(&merged), place(&both));
        assert_eq!(merged.get(), Some(&pair(true, true)));
        assert_eq!(Slot::from(pair(true, false)).get(), Some(&pair(true, false)), "nobody changed what is shared");
        assert_eq!(Slot::from(pair(false, false)).get(), None);
    }
}
