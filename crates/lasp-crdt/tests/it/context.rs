//! `DotSet` and `Causal` against sets that store every dot.

use lasp_crdt::{Causal, Dot, DotSet, Fingerprint, Lattice, ReplicaId, codec, laws};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
enum Change {
    Insert(Dot),
    InsertRange(u64, u64, u64),
    Remove(Dot),
    RemoveRange(u64, u64, u64),
    Union(Vec<Dot>),
    Subtract(Vec<Dot>),
    Forget(u64),
    Fill(u64),
}

fn dot() -> impl Strategy<Value = Dot> {
    (0..3u64, 1..90u64).prop_map(|(replica, counter)| Dot::new(ReplicaId(replica), counter))
}

/// Often with many gaps, so that unions take the linear path.
fn dots() -> impl Strategy<Value = Vec<Dot>> {
    prop_oneof![
        prop::collection::vec(dot(), 0..12),
        (0..3u64, 1..4u64, 20..40u64).prop_map(|(replica, step, count)| {
            (1..count).map(|n| Dot::new(ReplicaId(replica), n * step)).collect()
        }),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let range = || (0..3u64, 1..90u64, 0..12u64);
    prop_oneof![
        6 => dot().prop_map(Change::Insert),
        3 => range().prop_map(|(r, start, more)| Change::InsertRange(r, start, start + more)),
        4 => dot().prop_map(Change::Remove),
        2 => range().prop_map(|(r, start, more)| Change::RemoveRange(r, start, start + more)),
        2 => dots().prop_map(Change::Union),
        2 => dots().prop_map(Change::Subtract),
        1 => (0..3u64).prop_map(Change::Forget),
        1 => (0..3u64).prop_map(Change::Fill),
    ]
}

fn range(replica: u64, start: u64, end: u64) -> impl Iterator<Item = Dot> {
    (start..=end).map(move |n| Dot::new(ReplicaId(replica), n))
}

/// Applies a change to both; checks what the set says of it.
fn apply(set: &mut DotSet, model: &mut BTreeSet<Dot>, change: &Change) {
    let before = model.clone();
    let said = match change {
        Change::Insert(dot) => {
            model.insert(*dot);
            set.insert(*dot)
        }
        Change::InsertRange(replica, start, end) => {
            model.extend(range(*replica, *start, *end));
            set.insert_range(ReplicaId(*replica), *start, *end)
        }
        Change::Remove(dot) => {
            model.remove(dot);
            set.remove(*dot)
        }
        Change::RemoveRange(replica, start, end) => {
            model.retain(|dot| dot.replica.0 != *replica || !(*start..=*end).contains(&dot.counter));
            set.remove_range(ReplicaId(*replica), *start, *end)
        }
        Change::Union(dots) => {
            model.extend(dots);
            set.union_with(&dots.iter().copied().collect())
        }
        Change::Subtract(dots) => {
            model.retain(|dot| !dots.contains(dot));
            set.subtract(&dots.iter().copied().collect())
        }
        Change::Forget(replica) => {
            model.retain(|dot| dot.replica.0 != *replica);
            set.forget(ReplicaId(*replica));
            before != *model
        }
        Change::Fill(replica) => {
            let max = set.max(ReplicaId(*replica));
            model.extend(range(*replica, 1, max));
            set.fill(ReplicaId(*replica));
            before != *model
        }
    };
    assert_eq!(said, before != *model, "{change:?} says whether it changed anything");
}

fn run(changes: &[Change]) -> (DotSet, BTreeSet<Dot>) {
    let (mut set, mut model) = (DotSet::new(), BTreeSet::new());
    for change in changes {
        apply(&mut set, &mut model, change);
        assert!(set.dots().eq(model.iter().copied()), "after {change:?}: {set:?} and {model:?}");
    }
    (set, model)
}

proptest! {
    #[test]
    fn a_dot_set_is_the_set_of_its_dots(changes in prop::collection::vec(change(), 0..40), probe in dot()) {
        let (set, model) = run(&changes);
        prop_assert_eq!(set.len(), model.len() as u64);
        prop_assert_eq!(set.is_empty(), model.is_empty());
        prop_assert_eq!(set.contains(probe), model.contains(&probe));
        let max = model.iter().filter(|dot| dot.replica == probe.replica).map(|dot| dot.counter).max().unwrap_or(0);
        prop_assert_eq!(set.next(probe.replica), Dot::new(probe.replica, max + 1));
        let starts = model.iter().filter(|dot| !model.contains(&Dot::new(dot.replica, dot.counter - 1))).count();
        prop_assert_eq!(set.range_count(), starts, "ranges are as long as can be");
        prop_assert!(set.replicas().eq(model.iter().map(|dot| dot.replica).collect::<BTreeSet<_>>()));
    }

    #[test]
    fn fingerprint_and_encoding_depend_on_the_dots_alone(
        (changes, other) in (prop::collection::vec(change(), 0..40), prop::collection::vec(change(), 0..40))
    ) {
        let ((a, model_a), (b, model_b)) = (run(&changes), run(&other));
        let rebuilt: DotSet = model_a.iter().rev().copied().collect();
        prop_assert_eq!(&rebuilt, &a);
        prop_assert_eq!(rebuilt.fingerprint(), a.fingerprint());
        prop_assert_eq!(codec::to_bytes(&rebuilt), codec::to_bytes(&a));
        prop_assert_eq!(model_a == model_b, a == b);
        prop_assert_eq!(model_a == model_b, a.fingerprint() == b.fingerprint());
        laws::check_codec(&a);
    }

    #[test]
    fn set_algebra_agrees(
        (changes, other, third) in (
            prop::collection::vec(change(), 0..40),
            prop::collection::vec(change(), 0..40),
            prop::collection::vec(change(), 0..9),
        )
    ) {
        let ((a, model_a), (b, model_b)) = (run(&changes), run(&other));
        prop_assert!(a.difference(&b).dots().eq(model_a.difference(&model_b).copied()));
        prop_assert!(a.intersection(&b).dots().eq(model_a.intersection(&model_b).copied()));
        prop_assert_eq!(a.is_subset(&b), model_a.is_subset(&model_b));
        prop_assert!(a.intersection(&b).is_subset(&a));
        prop_assert_eq!(a.difference(&b).fingerprint(), a.difference(&b).dots().collect::<DotSet>().fingerprint());
        laws::check_lattice(&a, &b, &run(&third).0);
    }

    #[test]
    fn random_bytes_are_refused_or_canonical(bytes in prop::collection::vec(0..6u8, 0..40)) {
        laws::check_decoder::<DotSet>(&bytes);
        laws::check_decoder::<Causal>(&bytes);
    }

    #[test]
    fn a_dot_goes_from_unseen_to_live_to_dead(seen in prop::collection::vec((0..3usize, dot(), any::<bool>()), 0..60)) {
        let mut states = [Causal::new(), Causal::new(), Causal::new()];
        let mut models: [(BTreeSet<Dot>, BTreeSet<Dot>); 3] = Default::default();
        for (at, dot, lives) in seen {
            let (minted, dead) = &mut models[at];
            let (was_minted, was_dead) = (minted.contains(&dot), dead.contains(&dot));
            minted.insert(dot);
            if lives {
                prop_assert_eq!(states[at].see_live(dot), !was_minted);
            } else {
                dead.insert(dot);
                prop_assert_eq!(states[at].see(dot), !was_dead);
            }
        }
        for (state, (minted, dead)) in states.iter().zip(&models) {
            prop_assert!(state.seen().dots().eq(minted.iter().copied()));
            prop_assert!(state.dead().dots().eq(dead.iter().copied()));
        }
        let [a, b, c] = states;
        laws::check_lattice(&a, &b, &c);
        laws::check_decompose(&a);
        laws::check_delta(&a, &b);
        laws::check_fingerprint(&a, &b);
        laws::check_codec(&a);
        let [(minted_a, dead_a), (minted_b, dead_b), _] = models;
        let mut both = a;
        both.merge(b);
        prop_assert!(both.seen().dots().eq(minted_a.union(&minted_b).copied()));
        prop_assert!(both.dead().dots().eq(dead_a.union(&dead_b).copied()));
    }
}

#[test]
fn the_next_counter_cannot_be_made_to_overflow() {
    let replica = ReplicaId(1);
    let mut set = DotSet::single(Dot::new(replica, Dot::MAX_COUNTER));
    assert_eq!(codec::from_bytes::<DotSet>(&codec::to_bytes(&set)).as_ref(), Ok(&set));
    let next = set.next(replica);
    assert!(!set.insert(next), "a replica that has used up its counters mints nothing new");
}

#[test]
fn the_length_of_an_astronomic_set_saturates() {
    let mut set = DotSet::new();
    for replica in 0..8 {
        set.insert_range(ReplicaId(replica), 1, Dot::MAX_COUNTER);
    }
    assert_eq!(set.len(), u64::MAX);
}

/// All dots of a replica from here on are in the set, or none.
const TAIL: u64 = 12;

/// A set of dots that may hold all of a replica's, against a model that knows the first few and whether the rest is in.
#[derive(Clone, Debug, Default, PartialEq)]
struct Tailed(BTreeMap<u64, (BTreeSet<u64>, bool)>);

impl Tailed {
    fn zip(&self, other: &Self, keep: impl Fn(bool, bool) -> bool) -> Self {
        let nothing = (BTreeSet::new(), false);
        let replicas = self.0.keys().chain(other.0.keys()).copied();
        let both = replicas.map(|replica| {
            let (mine, theirs) = (self.0.get(&replica).unwrap_or(&nothing), other.0.get(&replica).unwrap_or(&nothing));
            let few: BTreeSet<u64> = (1..TAIL).filter(|n| keep(mine.0.contains(n), theirs.0.contains(n))).collect();
            (replica, (few, keep(mine.1, theirs.1)))
        });
        Self(both.filter(|(_, (few, tail))| !few.is_empty() || *tail).collect())
    }

    /// Of the real thing.
    fn of(set: &DotSet) -> Self {
        let mut model = Self::default();
        for replica in (0..6).map(ReplicaId) {
            let few: BTreeSet<u64> = (1..TAIL).filter(|&n| set.contains(Dot::new(replica, n))).collect();
            let tail = set.contains(Dot::new(replica, TAIL));
            assert_eq!(tail, set.contains(Dot::new(replica, Dot::MAX_COUNTER)));
            assert_eq!(set.is_retired(replica), tail && few.len() as u64 == TAIL - 1);
            if tail || !few.is_empty() {
                model.0.insert(replica.0, (few, tail));
            }
        }
        model
    }
}

fn tailed() -> impl Strategy<Value = DotSet> {
    let step = prop_oneof![
        3 => (0..6u64, 1..TAIL).prop_map(|(r, n)| (r, n, n, true)),
        2 => (0..6u64, 1..TAIL).prop_map(|(r, n)| (r, n, Dot::MAX_COUNTER, true)),
        2 => (0..6u64).prop_map(|r| (r, 1, Dot::MAX_COUNTER, true)),
        1 => (0..6u64, 1..TAIL).prop_map(|(r, n)| (r, n, n, false)),
        1 => (0..6u64, 1..TAIL).prop_map(|(r, n)| (r, n, Dot::MAX_COUNTER, false)),
    ];
    prop::collection::vec(step, 0..12).prop_map(|steps| {
        let mut set = DotSet::new();
        for (replica, start, end, is_in) in steps {
            match (ReplicaId(replica), is_in) {
                (replica, true) if (start, end) == (1, Dot::MAX_COUNTER) => _ = set.retire(replica),
                (replica, true) => _ = set.insert_range(replica, start, end),
                (replica, false) => _ = set.remove_range(replica, start, end),
            }
        }
        set
    })
}

proptest! {
    #[test]
    fn sets_with_retired_replicas_are_the_sets_of_their_dots((a, b, c) in (tailed(), tailed(), tailed())) {
        let (model_a, model_b) = (Tailed::of(&a), Tailed::of(&b));
        prop_assert_eq!(Tailed::of(&a.difference(&b)), model_a.zip(&model_b, |a, b| a && !b));
        prop_assert_eq!(Tailed::of(&a.intersection(&b)), model_a.zip(&model_b, |a, b| a && b));
        let mut union = a.clone();
        prop_assert_eq!(union.union_with(&b), !b.is_subset(&a));
        prop_assert_eq!(Tailed::of(&union), model_a.zip(&model_b, |a, b| a || b));
        let mut rest = a.clone();
        prop_assert_eq!(rest.subtract(&b), !a.intersection(&b).is_empty());
        prop_assert_eq!(&rest, &a.difference(&b));
        prop_assert_eq!(a.is_subset(&b), model_a.zip(&model_b, |a, b| a && !b) == Tailed::default());
        prop_assert_eq!(a == b, model_a == model_b);
        prop_assert_eq!(a.fingerprint() == b.fingerprint(), model_a == model_b);
        let mut rebuilt = a.intersection(&b);
        rebuilt.union_with(&a.difference(&b));
        prop_assert_eq!(&rebuilt, &a, "a set is what it shares and what it does not");
        prop_assert_eq!(rebuilt.fingerprint(), a.fingerprint());
        laws::check_lattice(&a, &b, &c);
        laws::check_codec(&a);
        for replica in (0..6).map(ReplicaId) {
            let max = if model_a.0.get(&replica.0).is_some_and(|held| held.1) {
                Dot::MAX_COUNTER
            } else {
                model_a.0.get(&replica.0).and_then(|held| held.0.last().copied()).unwrap_or(0)
            };
            prop_assert_eq!(a.max(replica), max);
        }
    }
}
