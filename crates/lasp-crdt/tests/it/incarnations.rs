//! Replicas that lose their memory, all of it or what came after a snapshot, and come back as a new incarnation: no dot
//! is minted twice, everything converges, and nothing is lost that anybody else had.
//!
//! The oracle is that of the laws: what the operations that a replica still knows denote.

use crate::laws::shuffle;
use crate::subjects::{AddWinsSet, Both, Conclusions, GrowOnlyCounter, Map, UpDownCounter};
use crate::world::{Logged, REPLICAS, Subject};
use lasp_crdt::{AwSet, BaseId, Delta, Derived, Dot, Fingerprint, GCounter, Lattice, ReplicaId};
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::BTreeSet;
use std::fmt::Debug;

#[derive(Clone, Debug)]
enum Event<Op> {
    /// A replica changes its state.
    Update(usize, Op),
    /// A replica gets a delta that somebody made, perhaps itself in an earlier life.
    Deliver(Index, usize),
    /// A replica gets what it lacks of another, found by digest.
    Sync(usize, usize),
    /// A replica writes its state to disk.
    Save(usize),
    /// A replica loses what it did not save, or everything, and starts its next life.
    Crash(usize, bool),
}

fn events<Op: Clone + Debug + 'static>(op: BoxedStrategy<Op>) -> impl Strategy<Value = Vec<Event<Op>>> {
    let event = prop_oneof![
        6 => (0..REPLICAS, op).prop_map(|(at, op)| Event::Update(at, op)),
        3 => (any::<Index>(), 0..REPLICAS).prop_map(|(delta, to)| Event::Deliver(delta, to)),
        2 => (0..REPLICAS, 0..REPLICAS).prop_map(|(from, to)| Event::Sync(from, to)),
        1 => (0..REPLICAS).prop_map(Event::Save),
        2 => (0..REPLICAS, any::<bool>()).prop_map(|(at, all)| Event::Crash(at, all)),
    ];
    prop::collection::vec(event, 0..40)
}

/// What a replica has, and which operations that is.
#[derive(Clone)]
struct Memory<T> {
    state: T,
    known: BTreeSet<usize>,
}

impl<T: Lattice> Default for Memory<T> {
    fn default() -> Self {
        Self { state: T::default(), known: BTreeSet::new() }
    }
}

struct Lives<S: Subject> {
    memories: Vec<Memory<S::State>>,
    disks: Vec<Memory<S::State>>,
    incarnations: [u64; REPLICAS],
    log: Vec<Logged<S::Op>>,
    deltas: Vec<S::State>,
}

impl<S: Subject> Lives<S>
where
    S::State: Delta,
{
    fn run(events: &[Event<S::Op>]) -> Self {
        let mut lives = Self {
            memories: vec![Memory::default(); REPLICAS],
            disks: vec![Memory::default(); REPLICAS],
            incarnations: [1; REPLICAS],
            log: Vec::new(),
            deltas: Vec::new(),
        };
        for event in events {
            lives.step(event);
        }
        lives
    }

    fn step(&mut self, event: &Event<S::Op>) {
        match event {
            Event::Update(at, op) => {
                let replica = ReplicaId::of(*at as u64, self.incarnations[*at]);
                let memory = &mut self.memories[*at];
                let delta = S::mutate(&memory.state, replica, op);
                memory.state.merge(delta.clone());
                self.log.push(Logged { op: op.clone(), replica, observed: memory.known.clone() });
                memory.known.insert(self.deltas.len());
                self.deltas.push(delta);
            }
            Event::Deliver(index, to) if !self.deltas.is_empty() => {
                let which = index.index(self.deltas.len());
                self.memories[*to].state.merge(self.deltas[which].clone());
                self.memories[*to].known.insert(which);
            }
            Event::Deliver(..) => {}
            Event::Sync(from, to) => self.sync(*from, *to),
            Event::Save(at) => self.disks[*at] = self.memories[*at].clone(),
            Event::Crash(at, all) => {
                if *all {
                    self.disks[*at] = Memory::default();
                }
                self.memories[*at] = self.disks[*at].clone();
                self.incarnations[*at] += 1;
            }
        }
    }

    fn sync(&mut self, from: usize, to: usize) {
        let Memory { state, known } = &self.memories[from];
        let (delta, known) = (state.delta(&self.memories[to].state.digest()), known.clone());
        self.memories[to].state.merge(delta);
        self.memories[to].known.extend(known);
    }

    /// Everybody gets what everybody has, by digest.
    fn settle(&mut self) {
        for _ in 0..2 {
            for from in 0..REPLICAS {
                (0..REPLICAS).for_each(|to| self.sync(from, to));
            }
        }
    }

    fn denoted(&self, known: &BTreeSet<usize>) -> S::Value {
        S::denotation(&self.log, known)
    }
}

macro_rules! outlives {
    ($module:ident, $subject:ty) => {
        mod $module {
            use super::*;

            proptest! {
                #[test]
                fn every_life_sees_what_the_operations_it_knows_denote(events in events(<$subject>::op())) {
                    let lives = Lives::<$subject>::run(&events);
                    for Memory { state, known } in &lives.memories {
                        prop_assert_eq!(<$subject>::value(state), lives.denoted(known));
                    }
                }

                #[test]
                fn what_anybody_still_has_reaches_everybody(events in events(<$subject>::op())) {
                    let mut lives = Lives::<$subject>::run(&events);
                    let remembered: BTreeSet<usize> = lives.memories.iter().flat_map(|m| m.known.clone()).collect();
                    let expected = lives.denoted(&remembered);
                    lives.settle();
                    for memory in &lives.memories {
                        prop_assert_eq!(&<$subject>::value(&memory.state), &expected);
                        prop_assert_eq!(&memory.state, &lives.memories[0].state);
                        prop_assert_eq!(memory.state.fingerprint(), lives.memories[0].state.fingerprint());
                    }
                }

                /// Also what was lost everywhere, and was still under way.
                #[test]
                fn deltas_of_all_lives_in_any_order_give_one_state(
                    (events, order) in (events(<$subject>::op()), any::<u64>())
                ) {
                    let lives = Lives::<$subject>::run(&events);
                    let mut everything = <$subject as Subject>::State::default();
                    lives.deltas.iter().for_each(|delta| _ = everything.merge(delta.clone()));
                    let mut deltas: Vec<_> = lives.deltas.iter().chain(&lives.deltas).collect();
                    shuffle(&mut deltas, order);
                    let mut late = lives.memories[0].state.clone();
                    deltas.into_iter().for_each(|delta| _ = late.merge(delta.clone()));
                    prop_assert_eq!(&late, &everything);
                    let all = (0..lives.log.len()).collect();
                    prop_assert_eq!(<$subject>::value(&late), lives.denoted(&all));
                }
            }
        }
    };
}

outlives!(awset, AddWinsSet);
outlives!(gcounter, GrowOnlyCounter);
outlives!(pncounter, UpDownCounter);
outlives!(gmap, Map);
outlives!(pair, Both);
outlives!(derived, Conclusions);

/// Panics if any dot is minted twice.
fn check_unique(minted: impl IntoIterator<Item = (BaseId, Dot)>) {
    let mut seen = BTreeSet::new();
    for dot in minted {
        assert!(seen.insert(dot), "{dot:?} is minted twice");
    }
}

proptest! {
    #[test]
    fn no_dot_is_minted_twice(events in events(AddWinsSet::op())) {
        let lives = Lives::<AddWinsSet>::run(&events);
        // What lives in a delta is what it minted; the rest of its context is what it removes.
        check_unique(lives.deltas.iter().flat_map(|delta| delta.live().dots().collect::<Vec<_>>()).map(|dot| (BaseId(0), dot)));
    }

    #[test]
    fn no_event_of_a_base_is_minted_twice(events in events(Conclusions::op())) {
        let lives = Lives::<Conclusions>::run(&events);
        let minted = |delta: &Derived<u64>| -> Vec<(BaseId, Dot)> {
            delta.bases().flat_map(|(id, base)| base.live().dots().map(move |dot| (id, dot))).collect()
        };
        check_unique(lives.deltas.iter().flat_map(minted));
    }

    #[test]
    fn the_lives_of_one_node_never_share_an_id(node in any::<u64>(), lives in any::<[u64; 2]>()) {
        prop_assert_eq!(ReplicaId::of(node, lives[0]) == ReplicaId::of(node, lives[1]), lives[0] == lives[1]);
    }
}

#[test]
fn many_nodes_with_many_lives_have_different_ids() {
    let ids: BTreeSet<_> = (0..300).flat_map(|node| (0..300).map(move |life| ReplicaId::of(node, life))).collect();
    assert_eq!(ids.len(), 300 * 300);
}

/// Peers of different releases must agree, and what is on disk must stay valid.
#[test]
fn the_id_of_a_life_is_the_same_in_every_release() {
    assert_eq!(ReplicaId::of(0, 0), ReplicaId(0x48a7_1cc8_1d9a_f38c));
    assert_eq!(ReplicaId::of(1, 2), ReplicaId(0xce0c_5512_2327_bed6));
    assert_eq!(ReplicaId::of(u64::MAX, 1_700_000_000_000), ReplicaId(0x90d2_e01a_a62e_001c));
}

/// A node adds, is heard, forgets everything, and adds something else; the two who heard one each meet.
fn two_lives(first: ReplicaId, second: ReplicaId) -> AwSet<&'static str> {
    let mut elsewhere = AwSet::new().add(first, "acknowledged");
    elsewhere.merge(AwSet::new().add(second, "added after the crash"));
    elsewhere
}

/// Why a replica that lost its memory needs a new id: what it had told others is undone by what it does next, and so
/// is that.
#[test]
fn under_its_old_id_a_replica_that_forgot_destroys_old_and_new_alike() {
    let (one, two) = (ReplicaId::of(1, 1), ReplicaId::of(1, 2));
    assert!(two_lives(one, one).is_empty(), "both elements are under dot 1, and both vanish");
    assert_eq!(two_lives(one, two).len(), 2);
}

/// The same for a snapshot: what was told after it is at risk, and nothing shows that anything is wrong.
#[test]
fn under_its_old_id_a_restored_replica_destroys_what_it_told_after_the_snapshot() {
    let id = ReplicaId::of(1, 1);
    let snapshot = AwSet::new().add(id, "saved");
    let mut elsewhere = snapshot.clone();
    elsewhere.merge(snapshot.add(id, "told"));
    let after = |id| {
        let mut both = elsewhere.clone();
        both.merge(snapshot.add(id, "new"));
        both
    };
    assert!(after(id).iter().eq(&["saved"]));
    assert!(after(ReplicaId::of(1, 2)).iter().eq(&["new", "saved", "told"]));
}

#[test]
fn under_its_old_id_a_counter_that_forgot_counts_too_little() {
    let after = |id| {
        let mut elsewhere = GCounter::new().increment(ReplicaId::of(1, 1), 10);
        elsewhere.merge(GCounter::new().increment(id, 3));
        elsewhere.value()
    };
    assert_eq!(after(ReplicaId::of(1, 1)), 10, "three increments are lost");
    assert_eq!(after(ReplicaId::of(1, 2)), 13);
}
