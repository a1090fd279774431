//! Entries by their names: what stays the same whatever becomes of an entry, for who wants to remember which entries there were
//! and not what they said.

use super::State;
use lasp_crdt::ReplicaId;

impl State {
    /// The names of its entries: the replicas of a counter that only grows, the hashes of a map's keys. `None` for other types,
    /// and where an entry may be large or lose its name: a map of more than registers and flags, a counter of which something is
    /// folded. Cost: the number of entries.
    pub fn names(&self) -> Option<Vec<u64>> {
        match self {
            Self::GCounter(counter) if !counter.is_folded() => Some(counter.counts().map(|(id, _)| id.0).collect()),
            Self::GMap(map) if map.unordered().all(|(_, slot)| slot.get().is_none_or(Self::is_single)) => {
                Some(map.hashes().collect())
            }
            _ => None,
        }
    }

    /// Its entries of these names, which must ascend, as they are now: a delta. Bottom where [`names`](Self::names) names
    /// nothing. Cost: that of finding each.
    pub fn of_names(&self, names: &[u64]) -> Self {
        match self {
            Self::GCounter(counter) => Self::GCounter(counter.counts_of(names.iter().map(|name| ReplicaId(*name)))),
            Self::GMap(map) => Self::GMap(map.of_hashes(names)),
            _ => self.bottom_alike(),
        }
    }

    /// Whether it says one thing, or two.
    fn is_single(&self) -> bool {
        match self {
            Self::Boolean(_) | Self::Max(_) | Self::Min(_) | Self::IVar(_) | Self::LwwRegister(_) => true,
            Self::Pair(pair) => pair.0.is_single() && pair.1.is_single(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Slot;
    use crate::types::Type;
    use crate::value::Value;
    use lasp_crdt::{Boolean, GCounter, GMap, GSet, Lattice as _};

    fn flag() -> State {
        State::Boolean(Boolean::new().enable())
    }

    fn flags(numbers: impl IntoIterator<Item = i64>) -> State {
        State::GMap(numbers.into_iter().map(|n| (Value::from(n), Slot::from(flag()))).collect())
    }

    fn counts(counts: &[(u64, u64)]) -> GCounter {
        let mut counter = GCounter::new();
        for &(replica, n) in counts {
            counter.merge(GCounter::new().increment(ReplicaId(replica), n));
        }
        counter
    }

    #[test]
    fn entries_are_found_by_the_names_of_an_older_delta_as_they_are_now() {
        let (delta, state) = (counts(&[(2, 1), (5, 1)]), counts(&[(1, 1), (2, 7), (3, 1), (5, 1)]));
        let names = State::GCounter(delta).names().expect("counters have names");
        assert_eq!(State::GCounter(state).of_names(&names), State::GCounter(counts(&[(2, 7), (5, 1)])));
        let mut names = flags([3, 70]).names().expect("maps of flags have names");
        names.sort_unstable();
        assert_eq!(flags(0..50).of_names(&names), flags([3]));
    }

    #[test]
    fn what_may_be_large_or_lose_its_name_has_none() {
        let folded = counts(&[(1, 4)]).retire(ReplicaId(9), [ReplicaId(1)]);
        assert_eq!(State::GCounter(folded).names(), None);
        let large = State::GSet(GSet::new().add(Value::from(1)));
        let map = State::GMap(GMap::single(Value::from(1), Slot::from(large.clone())));
        assert_eq!((map.names(), large.names(), large.of_names(&[1])), (None, None, State::bottom(&Type::GSet)));
    }
}
