//! What was passed on along the tree of late without an id, for links that are new in it: what had passed here before, and is
//! still on its way to where they lead, finds its old way cut.
//!
//! Of a variable that this node keeps, where its entries have names, the names are remembered and not what was said: the store has
//! it, or something newer. So what a cluster says in the time that a broadcast takes costs eight bytes an entry.

use crate::generations::Generations;
use crate::key::Key;
use crate::payload::Batch;
use crate::store::Store;
use lasp_dataflow::State;
use lasp_overlay::Time;
use std::time::Duration;

/// What was told of a variable.
#[derive(Debug, Default)]
struct Said {
    names: Names,
    /// What names do not tell.
    rest: Option<State>,
}

/// Numbers, each once as far as that comes cheap.
#[derive(Debug, Default)]
struct Names(Vec<u64>);

impl Names {
    /// Cost: sorting, each time that they have grown by a quarter.
    fn add(&mut self, more: &[u64]) {
        if self.0.len() + more.len() > self.0.capacity() {
            let room = self.sort().len() / 4;
            self.0.reserve_exact(more.len().max(room));
        }
        self.0.extend_from_slice(more);
    }

    /// Nothing more is to come.
    fn settle(&mut self) {
        self.sort();
        self.0.shrink_to_fit();
    }

    fn sort(&mut self) -> &[u64] {
        self.0.sort_unstable();
        self.0.dedup();
        &self.0
    }
}

/// What was passed on of late, in two generations.
#[derive(Debug)]
pub(crate) struct Told(Generations<Said>);

impl Told {
    /// Nothing yet; each link may hold a broadcast back for `pace`.
    pub(crate) fn new(pace: Duration) -> Self {
        Self(Generations::new(pace))
    }

    /// This is passed on, and merged already if it is kept here. Beyond the limit it is not remembered: what is new in the tree
    /// finds out by comparing. Cost: that of the delta.
    pub(crate) fn remember(&mut self, now: Time, key: &Key, delta: &State, store: &Store) {
        self.forget(now);
        if !self.0.takes(delta.entries()) {
            return;
        }
        if !self.0.young.contains_key(key) {
            self.0.young.insert(key.clone(), Said::default());
        }
        let Some(said) = self.0.young.get_mut(key) else { return };
        let is_kept = store.wants(key) && store.state(key).is_some();
        match delta.names().filter(|_| is_kept) {
            Some(names) => said.names.add(&names),
            None => match &mut said.rest {
                Some(rest) => _ = rest.merge(delta.clone()),
                rest => *rest = Some(delta.clone()),
            },
        }
    }

    /// What is too old goes, though nothing is told any more.
    pub(crate) fn forget(&mut self, now: Time) {
        if self.0.turn(now).is_some() {
            self.0.old.values_mut().for_each(|said| said.names.settle());
        }
    }

    /// Everything that is remembered, as far as it is named in the state that it has now. Cost: its size.
    pub(crate) fn all(&mut self, now: Time, store: &Store) -> Batch {
        self.forget(now);
        let mut all = Batch::default();
        for (key, said) in self.0.old.iter_mut().chain(&mut self.0.young) {
            let named = store.state(key).map(|state| state.of_names(said.names.sort()));
            for told in named.iter().chain(&said.rest).filter(|told| !told.is_bottom()) {
                all.absorb(key, told);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generations::LIMIT;
    use crate::interest::Interests;
    use lasp_crdt::{AwSet, GCounter, ReplicaId};
    use lasp_dataflow::{Name, Type, Value};

    fn key(name: &str, ty: Type) -> Key {
        Key::new(Name::new(name.to_owned()).unwrap(), ty)
    }

    fn views() -> Key {
        key("views", Type::GCounter)
    }

    fn count(replica: u64, count: u64) -> State {
        State::GCounter(GCounter::default().increment(ReplicaId(replica), count))
    }

    fn of(counts: &[(u64, u64)]) -> State {
        let mut all = State::bottom(&Type::GCounter);
        counts.iter().for_each(|&(replica, n)| _ = all.merge(count(replica, n)));
        all
    }

    fn at(millis: u64) -> Time {
        Time::from_millis(millis)
    }

    fn tell(told: &mut Told, store: &mut Store, now: u64, delta: &State) {
        store.apply(&views(), delta.clone());
        told.remember(at(now), &views(), delta, store);
    }

    #[test]
    fn what_is_kept_is_told_as_it_is_now_for_two_windows_at_most() {
        let (mut told, mut store) = (Told::new(Duration::ZERO), Store::new(ReplicaId(1), Interests::All));
        tell(&mut told, &mut store, 0, &of(&[(1, 5), (2, 7)]));
        tell(&mut told, &mut store, 1_100, &count(2, 8));
        store.apply(&views(), of(&[(1, 6), (3, 1)]));
        assert_eq!(told.all(at(1_200), &store), Batch::single(views(), of(&[(1, 6), (2, 8)])));
        assert_eq!(told.all(at(2_200), &store), Batch::single(views(), count(2, 8)));
        assert_eq!(told.all(at(9_000), &store), Batch::default());
    }

    #[test]
    fn what_has_no_names_or_is_not_kept_is_remembered_as_it_was_said() {
        let mut store = Store::new(ReplicaId(1), Interests::prefixes(["set"]));
        let mut told = Told::new(Duration::ZERO);
        let set = State::from(AwSet::new().add(ReplicaId(1), Value::from(1)));
        store.apply(&key("set", Type::AwSet), set.clone());
        told.remember(at(0), &key("set", Type::AwSet), &set, &store);
        told.remember(at(0), &views(), &count(1, 5), &store);
        told.remember(at(0), &views(), &count(1, 6), &store);
        let mut all = Batch::single(key("set", Type::AwSet), set);
        all.absorb(&views(), &count(1, 6));
        assert_eq!(told.all(at(10), &store), all);
    }

    #[test]
    fn the_same_said_again_and_again_takes_no_more_room() {
        let (mut told, mut store) = (Told::new(Duration::ZERO), Store::new(ReplicaId(1), Interests::All));
        (1..=1_000).for_each(|n| tell(&mut told, &mut store, 0, &of(&[(1, n), (2, n)])));
        assert!(told.0.young.values().all(|said| said.names.0.len() < 100));
        assert_eq!(told.all(at(10), &store), Batch::single(views(), of(&[(1, 1_000), (2, 1_000)])));
    }

    #[test]
    fn no_flood_makes_it_remember_more_than_the_limit() {
        let (mut told, mut store) = (Told::new(Duration::ZERO), Store::new(ReplicaId(1), Interests::All));
        (1..=2 * LIMIT as u64).for_each(|replica| tell(&mut told, &mut store, 0, &count(replica, 1)));
        assert_eq!(told.all(at(1), &store).entries(), LIMIT);
    }
}
