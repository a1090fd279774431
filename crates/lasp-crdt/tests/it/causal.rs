//! The types over dot stores beyond their laws: large ones, scenarios, removals that are forgotten, what operations cost.

use crate::counted::{Counted, touch, touches};
use crate::world::{REPLICAS, replica};
use lasp_crdt::fingerprint::mix;
use lasp_crdt::{
    AwMap, AwSet, CausalType, Delta, Dot, DotChange, DotSet, DotStore, Dotted, DwFlag, EwFlag, Fingerprint, GMap, GSet,
    Keys, Lattice, MvMap, MvRegister, ReplicaId, RwSet, laws,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const A: ReplicaId = ReplicaId(1);
const B: ReplicaId = ReplicaId(2);
const C: ReplicaId = ReplicaId(3);

/// How a random number of a long history is used: the parts are independent.
struct Draw(u64);

impl Draw {
    fn at(step: u64) -> Self {
        Self(mix(0xcafe, step))
    }

    fn key(&self) -> u64 {
        self.0 % 200
    }

    fn element(&self) -> u64 {
        self.0 >> 16 & 7
    }

    /// One of the replicas, and another.
    fn two(&self) -> [ReplicaId; 2] {
        let first = (self.0 >> 24) as usize % REPLICAS;
        [replica(first), replica((first + 1) % REPLICAS)]
    }

    fn of(&self, n: u64) -> u64 {
        (self.0 >> 40) % n
    }
}

/// Merges two deltas that know nothing of each other: so several dots come to say one thing.
fn both<T: Lattice>(state: &mut T, left: T, right: T) {
    state.merge(left);
    state.merge(right);
}

/// Twenty thousand operations on 200 keys, growing and shrinking several times, against a map of sets.
#[test]
fn a_large_map_of_sets_agrees_with_a_map_of_sets() {
    let mut map: AwMap<u64, AwSet<u64>> = AwMap::new();
    let mut model: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    let mut most_dots = 0;
    for step in 0..20_000 {
        let draw = Draw::at(step);
        let (key, element, [one, other]) = (draw.key(), draw.element(), draw.two());
        let grows = (step / 2_500) % 2 == 0;
        let add = |map: &AwMap<u64, AwSet<u64>>, replica| map.apply(key, |set| set.add(replica, element));
        match draw.of(16) {
            0..2 => {
                let (left, right) = (add(&map, one), add(&map, other));
                both(&mut map, left, right);
                model.entry(key).or_default().insert(element);
            }
            n if n < if grows { 13 } else { 4 } => {
                map.merge(add(&map, one));
                model.entry(key).or_default().insert(element);
            }
            13 => {
                map.merge(map.remove(&key));
                model.remove(&key);
            }
            _ => {
                map.merge(map.apply(key, |set| set.remove(&element)));
                model.entry(key).or_default().remove(&element);
            }
        }
        model.retain(|_, set| !set.is_empty());
        most_dots = most_dots.max(map.dot_count() - model.values().map(BTreeSet::len).sum::<usize>());
        if step % 500 == 0 {
            let read: BTreeMap<u64, BTreeSet<u64>> =
                map.iter().map(|(&key, set)| (key, set.iter().copied().collect())).collect();
            assert_eq!(read, model);
            assert!((0..200).all(|key| map.contains_key(&key) == model.contains_key(&key)));
            assert_eq!(map.live().len(), map.dot_count() as u64);
            assert!(map.live().dots().all(|dot| map.holds_dot(dot)));
            laws::check_round_trip(&map);
        }
    }
    assert!(most_dots > 10, "elements have several dots: {most_dots} too many at most");
    assert!(map.context().range_count() <= REPLICAS, "what was removed leaves nothing but the context");
    map.merge(map.clear());
    assert!(map.is_empty() && map.dot_count() == 0 && map.store_is_default());
}

trait StoreIsDefault {
    fn store_is_default(&self) -> bool;
}

impl<S: DotStore> StoreIsDefault for Dotted<S> {
    /// It says no more than a new one.
    fn store_is_default(&self) -> bool {
        **self == S::default() && (**self).fingerprint() == S::default().fingerprint()
    }
}

/// The same with values that know no elements, and with removals of many keys at once.
#[test]
fn a_large_map_of_flags_and_registers_agrees_with_a_map() {
    let mut flags: AwMap<u64, EwFlag> = AwMap::new();
    let mut registers: MvMap<u64, u64> = MvMap::new();
    let mut model: BTreeMap<u64, u64> = BTreeMap::new();
    for step in 0..20_000 {
        let draw = Draw::at(step);
        let (key, value, [one, other]) = (draw.key(), draw.element(), draw.two());
        let grows = (step / 2_500) % 2 == 0;
        match draw.of(16) {
            0..2 => {
                let enable = |replica| flags.apply(key, |flag| flag.enable(replica));
                let (left, right) = (enable(one), enable(other));
                both(&mut flags, left, right);
                let (left, right) = (registers.write(one, key, value), registers.write(other, key, value));
                both(&mut registers, left, right);
                model.insert(key, value);
            }
            n if n < if grows { 13 } else { 4 } => {
                flags.merge(flags.apply(key, |flag| flag.enable(one)));
                registers.merge(registers.write(one, key, value));
                model.insert(key, value);
            }
            13 => {
                let keys: Vec<u64> = (key..key + 30).collect();
                flags.merge(flags.remove_all(&keys));
                registers.merge(registers.remove_all(&keys));
                model.retain(|key, _| !keys.contains(key));
            }
            _ => {
                flags.merge(flags.apply(key, |flag| flag.disable()));
                registers.merge(registers.remove(&key));
                model.remove(&key);
            }
        }
        if step % 500 == 0 {
            assert!(flags.iter().map(|(key, flag)| (key, flag.value())).eq(model.keys().map(|key| (key, true))));
            let single = registers.iter().map(|(key, values)| (*key, values.single().copied()));
            assert!(single.eq(model.iter().map(|(&key, &value)| (key, Some(value)))));
            assert!(registers.live().dots().all(|dot| registers.holds_dot(dot)));
            laws::check_round_trip(&flags);
            laws::check_round_trip(&registers);
        }
    }
    assert!(flags.context().range_count() <= REPLICAS && registers.context().range_count() <= REPLICAS);
}

#[test]
fn a_large_remove_wins_set_agrees_with_a_map() {
    let mut set: RwSet<u64> = RwSet::new();
    let mut model: BTreeMap<u64, bool> = BTreeMap::new();
    for step in 0..20_000 {
        let draw = Draw::at(step);
        let (element, [one, other]) = (draw.key(), draw.two());
        let prefers_adding = (step / 2_500) % 2 == 0;
        match draw.of(16) {
            0 => {
                let (left, right) = (set.add(one, element), set.add(other, element));
                both(&mut set, left, right);
                model.insert(element, true);
            }
            1 => {
                let (left, right) = (set.add(one, element), set.remove(other, element));
                both(&mut set, left, right);
                model.insert(element, false);
            }
            2 => {
                let stable = set.context().clone();
                set.merge(set.forget_removed(&stable));
                model.retain(|_, is_in| *is_in);
            }
            n if n < if prefers_adding { 13 } else { 4 } => {
                set.merge(set.add(one, element));
                model.insert(element, true);
            }
            _ => {
                set.merge(set.remove(one, element));
                model.insert(element, false);
            }
        }
        if step % 500 == 0 {
            assert!(set.iter().eq(model.iter().filter(|(_, is_in)| **is_in).map(|(element, _)| element)));
            assert_eq!(set.len() + set.removed_len(), model.len());
            assert!((0..200).all(|element| set.contains(&element) == (model.get(&element) == Some(&true))));
            laws::check_round_trip(&set);
        }
    }
    assert!(set.context().range_count() <= REPLICAS);
}

/// What three replicas do with a remove-wins set.
#[derive(Clone, Debug)]
enum Step {
    Add(usize, u64),
    Remove(usize, u64),
    /// A replica gets some delta so far.
    Deliver(prop::sample::Index, usize),
    /// A replica gets the whole state of another.
    Sync(usize, usize),
    /// A replica forgets removals that are stable as far as it knows.
    Forget(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..REPLICAS, 0..3u64).prop_map(|(at, element)| Step::Add(at, element)),
        4 => (0..REPLICAS, 0..3u64).prop_map(|(at, element)| Step::Remove(at, element)),
        5 => (any::<prop::sample::Index>(), 0..REPLICAS).prop_map(|(which, to)| Step::Deliver(which, to)),
        5 => (0..REPLICAS, 0..REPLICAS).prop_map(|(from, to)| Step::Sync(from, to)),
        3 => (0..REPLICAS).prop_map(Step::Forget),
    ];
    prop::collection::vec(step, 0..40)
}

/// Two histories, which differ in nothing but that removals are forgotten in the first.
#[derive(Default)]
struct Twins {
    sets: [[RwSet<u64>; REPLICAS]; 2],
    deltas: Vec<[RwSet<u64>; 2]>,
    /// What was known where a delta was made, and what each replica knows.
    observed: Vec<BTreeSet<usize>>,
    known: [BTreeSet<usize>; REPLICAS],
    /// The context that came along with the latest state, by receiver and sender.
    heard: [[DotSet; REPLICAS]; REPLICAS],
    forgotten: usize,
}

impl Twins {
    fn run(steps: &[Step], in_causal_order: bool) -> Self {
        let mut twins = Self::default();
        for step in steps {
            twins.step(step, in_causal_order);
            if in_causal_order {
                for at in 0..REPLICAS {
                    assert!(twins.sets[0][at].iter().eq(twins.sets[1][at].iter()), "a reader cannot tell them apart");
                }
            }
        }
        twins
    }

    fn step(&mut self, step: &Step, in_causal_order: bool) {
        match *step {
            Step::Add(at, element) => self.make(at, |set| set.add(replica(at), element)),
            Step::Remove(at, element) => self.make(at, |set| set.remove(replica(at), element)),
            Step::Deliver(which, to) if !self.deltas.is_empty() => {
                let which = which.index(self.deltas.len());
                if !in_causal_order || self.observed[which].is_subset(&self.known[to]) {
                    self.deliver(which, to);
                }
            }
            Step::Deliver(..) => {}
            Step::Sync(from, to) => {
                for sets in &mut self.sets {
                    let state = sets[from].clone();
                    sets[to].merge(state);
                }
                let known = self.known[from].clone();
                self.known[to].extend(known);
                self.heard[to][from] = self.sets[0][from].context().clone();
            }
            Step::Forget(at) => self.forget(at),
        }
    }

    fn make(&mut self, at: usize, mutate: impl Fn(&RwSet<u64>) -> RwSet<u64>) {
        let deltas = [mutate(&self.sets[0][at]), mutate(&self.sets[1][at])];
        self.publish(at, deltas);
    }

    fn forget(&mut self, at: usize) {
        let mut stable = self.sets[0][at].context().clone();
        for from in (0..REPLICAS).filter(|&from| from != at) {
            stable = stable.intersection(&self.heard[at][from]);
        }
        let delta = self.sets[0][at].forget_removed(&stable);
        let before: Vec<u64> = self.sets[0][at].iter().copied().collect();
        self.forgotten += usize::from(!delta.is_bottom());
        self.publish(at, [delta, RwSet::new()]);
        assert!(self.sets[0][at].iter().eq(&before), "it never changes the value where it is done");
    }

    fn publish(&mut self, at: usize, deltas: [RwSet<u64>; 2]) {
        self.observed.push(self.known[at].clone());
        self.deltas.push(deltas);
        self.deliver(self.deltas.len() - 1, at);
    }

    fn deliver(&mut self, which: usize, to: usize) {
        for (sets, delta) in self.sets.iter_mut().zip(&self.deltas[which]) {
            sets[to].merge(delta.clone());
        }
        self.known[to].insert(which);
    }

    /// Everybody hears everything, the latest first, and twice.
    fn settle(&mut self) {
        for which in (0..self.deltas.len()).rev().chain(0..self.deltas.len()) {
            (0..REPLICAS).for_each(|to| self.deliver(which, to));
        }
    }
}

proptest! {
    #[test]
    fn nobody_can_tell_that_removals_were_forgotten(steps in steps()) {
        Twins::run(&steps, true);
    }

    #[test]
    fn forgetting_converges_whatever_arrives_late(steps in steps()) {
        let mut twins = Twins::run(&steps, false);
        twins.settle();
        for at in 0..REPLICAS {
            prop_assert!(twins.sets[0][at].iter().eq(twins.sets[1][at].iter()));
            prop_assert_eq!(&twins.sets[0][at], &twins.sets[0][0]);
            prop_assert!(twins.sets[0][at].removed_len() <= twins.sets[1][at].removed_len());
        }
        // Now all is stable, and goes.
        for at in 0..REPLICAS {
            (0..REPLICAS).for_each(|from| twins.step(&Step::Sync(from, at), false));
            twins.forget(at);
            prop_assert_eq!(twins.sets[0][at].removed_len(), 0);
        }
    }
}

#[test]
fn forgetting_happens_in_these_histories() {
    let sync_all = |to| (0..REPLICAS).map(move |from| Step::Sync(from, to));
    let mut steps = vec![Step::Add(0, 1), Step::Remove(0, 1), Step::Add(1, 2)];
    (0..2).for_each(|_| (0..REPLICAS).for_each(|to| steps.extend(sync_all(to))));
    steps.push(Step::Forget(2));
    let twins = Twins::run(&steps, true);
    assert_eq!((twins.forgotten, twins.sets[0][2].removed_len(), twins.sets[1][2].removed_len()), (1, 0, 1));
    assert!(twins.sets[0][2].iter().eq(&[2]));
}

/// Why the stable dots must come from states that were merged, and not from acknowledgements.
#[test]
fn a_removal_that_is_forgotten_while_an_addition_it_beats_is_on_its_way_does_not_beat_it() {
    let removal = RwSet::new().remove(A, 'x');
    let addition = RwSet::new().add(B, 'x');
    let mut at_b = addition.clone();
    at_b.merge(removal.clone());
    let mut at_c = removal;
    // B says that it has seen the removal, but not what it had added by then.
    at_c.merge(at_c.forget_removed(&[Dot::new(A, 1)].into_iter().collect()));
    at_c.merge(addition);
    assert!(at_c.contains(&'x') && !at_b.contains(&'x'));
    at_b.merge(at_c.clone());
    assert_eq!(at_b, at_c, "they converge all the same");
}

#[test]
fn forgotten_removals_leave_nothing_behind_but_the_context() {
    let mut set = RwSet::new();
    set.merge(set.add_all(A, 0..1000u64));
    set.merge(set.remove_all(A, 0..990));
    assert_eq!((set.len(), set.removed_len()), (10, 990));
    let unstable = set.forget_removed(&DotSet::new());
    assert!(unstable.is_bottom(), "nothing is stable, nothing goes");
    let stable = set.context().clone();
    set.merge(set.forget_removed(&stable));
    assert_eq!((set.len(), set.removed_len(), set.dot_count()), (10, 0, 10));
    assert!(set.context().range_count() == 1 && set.forget_removed(&stable).is_bottom());
}

/// L.3, 35.
#[test]
fn a_flag_enabled_and_disabled_at_once_is_as_its_type_prefers() {
    let enabled = EwFlag::new().enable(C);
    for base in [EwFlag::new(), enabled.clone(), merged(&enabled, [enabled.disable()])] {
        assert!(merged(&base, [base.enable(A), base.disable()]).value());
    }
    let disabled = DwFlag::new().disable(C);
    for base in [DwFlag::new(), disabled.clone(), merged(&disabled, [disabled.enable()])] {
        assert!(!merged(&base, [base.enable(), base.disable(B)]).value());
    }
}

fn merged<T: Lattice>(base: &T, deltas: impl IntoIterator<Item = T>) -> T {
    let mut state = base.clone();
    for delta in deltas {
        state.merge(delta);
    }
    state
}

/// L.3, 38.
#[test]
fn maps_within_maps_list_their_sets_by_key() {
    let mut nested: AwMap<&str, AwMap<u64, AwSet<&str>>> = AwMap::new();
    let mut grow_only: GMap<&str, GMap<u64, GSet<&str>>> = GMap::new();
    for (outer, inner, leaf) in [("b", 2, "y"), ("a", 9, "z"), ("b", 1, "x"), ("b", 2, "w")] {
        nested.merge(nested.apply(outer, |map| map.apply(inner, |set| set.add(A, leaf))));
        grow_only.merge(grow_only.apply(outer, |map| map.apply(inner, |set| set.add(leaf))));
    }
    let expected = vec![("a", 9, vec!["z"]), ("b", 1, vec!["x"]), ("b", 2, vec!["w", "y"])];
    let mut listed = Vec::new();
    for (&outer, map) in nested.iter() {
        listed.extend(map.iter().map(|(&inner, set)| (outer, inner, set.iter().copied().collect::<Vec<_>>())));
    }
    assert_eq!(listed, expected);
    let mut listed = Vec::new();
    for (&outer, map) in grow_only.iter() {
        listed.extend(map.iter().map(|(&inner, set)| (outer, inner, set.iter().copied().collect::<Vec<_>>())));
    }
    assert_eq!(listed, expected);
}

/// L.3, 39.
#[test]
fn a_map_whose_leaves_were_all_removed_is_empty() {
    type Tree = AwMap<char, AwMap<char, AwSet<u64>>>;
    let add = |map: &Tree, top, key, leaf| map.apply(top, |map| map.apply(key, |set| set.add(A, leaf)));
    let remove = |map: &Tree, top, key, leaf| map.apply(top, |map| map.apply(key, |set| set.remove(&leaf)));
    let keys = |map: &Tree| map.iter().map(|(&key, _)| key).collect::<Vec<_>>();
    let mut map = Tree::new();
    map.merge(add(&map, 'a', 'x', 1));
    map.merge(add(&map, 'a', 'y', 2));
    map.merge(add(&map, 'b', 'z', 3));
    map.merge(remove(&map, 'a', 'x', 1));
    assert_eq!(map.get(&'a').map(|inner| inner.contains_key(&'x')), Some(false), "a key goes with its last leaf");
    map.merge(map.remove(&'a'));
    assert_eq!(keys(&map), ['b']);
    map.merge(add(&map, 'a', 'w', 4));
    assert_eq!(keys(&map), ['a', 'b']);
    assert_eq!(map.get(&'a').map(|inner| inner.len()), Some(1), "nothing of before came back");
    map.merge(remove(&map, 'a', 'w', 4));
    map.merge(remove(&map, 'b', 'z', 3));
    assert!(map.is_empty() && map.store_is_default());
    assert_eq!(map.context(), &range(A, 1, 4));
}

fn range(replica: ReplicaId, start: u64, end: u64) -> DotSet {
    let mut dots = DotSet::new();
    dots.insert_range(replica, start, end);
    dots
}

/// L.3, 44.
#[test]
fn adding_again_takes_a_new_dot_and_contexts_are_compressed_but_for_what_is_outstanding() {
    let mut set = AwSet::new();
    set.merge(set.add(A, 'a'));
    set.merge(set.add(A, 'a'));
    assert_eq!(set.dots(&'a'), [Dot::new(A, 2)]);
    let later = set.add(A, 'b');
    assert_eq!(later.context(), &range(A, 3, 3), "the delta speaks of its own dot alone");
    set.merge(later);
    assert_eq!((set.context(), set.context().range_count()), (&range(A, 1, 3), 1));
}

/// L.3, 45.
#[test]
fn states_that_have_seen_removals_obey_the_laws_together() {
    let set = |entries: &[(char, Dot)], seen: &[Dot]| {
        AwSet::from_parts(entries.iter().copied(), seen.iter().copied().collect())
    };
    let (a, b) = (Dot::new(A, 1), Dot::new(B, 1));
    laws::check_all(&[set(&[], &[a]), set(&[('b', b)], &[]), set(&[('a', a)], &[a, b]), set(&[], &[])]);

    let register = MvRegister::new().write(A, 'x');
    let other = MvRegister::new().write(B, 'y');
    let replaced = merged(&register, [other.clone(), merged(&register, [other.clone()]).write(C, 'z')]);
    laws::check_all(&[register.clone(), other, replaced.clone(), replaced.clear(), MvRegister::new()]);

    let nothing: AwMap<char, AwSet<char>> = AwMap::new();
    let (kept, other) = (nothing.apply('k', |set| set.add(A, 'x')), nothing.apply('k', |set| set.add(B, 'y')));
    laws::check_all(&[kept.remove(&'k'), kept, other, nothing]);

    let guests = RwSet::new().add(A, 'x');
    let removed = merged(&guests, [guests.remove(B, 'x')]);
    laws::check_all(&[guests, removed.forget_removed(removed.context()), removed, RwSet::new()]);
}

/// L.3, 46.
#[test]
fn the_delta_of_an_inner_removal_is_the_removed_dot_alone() {
    let map = AwMap::<char, AwSet<char>>::new().apply('k', |set| set.add(A, 'x'));
    let delta = map.apply('k', |set| set.remove(&'x'));
    assert!(delta.is_empty() && delta.store_is_default());
    assert_eq!(delta.context(), &range(A, 1, 1));
    assert_eq!(delta, map.remove(&'k'), "as it is the last below the key");
}

/// L.3, 48: in any order dots compress to one context; the next is never in it.
#[test]
fn contexts_do_not_depend_on_the_order_of_their_dots() {
    for seed in 0..100 {
        let mut dots: Vec<Dot> = (1..30).map(|n| Dot::new([A, B][n as usize % 2], 1 + mix(seed, n) % 12)).collect();
        let context: DotSet = dots.iter().copied().collect();
        let mut shuffled = DotSet::new();
        crate::laws::shuffle(&mut dots, seed);
        dots.iter().for_each(|&dot| _ = shuffled.insert(dot));
        assert_eq!((&shuffled, shuffled.fingerprint()), (&context, context.fingerprint()));
        assert!([A, B, C].into_iter().all(|replica| !context.contains(context.next(replica))));
    }
}

/// L.3, 49 and 50, for each type: the laws `decomposition` and `digest_deltas`. Here, by hand: a delta by digest is that
/// from the state, and has a part for each dot.
#[test]
fn what_a_digest_asks_for_is_what_the_state_lacks() {
    let mut map = MvMap::new();
    map.merge(map.write(A, 'k', 1));
    let stale = map.clone();
    map.merge(map.write(B, 'k', 2));
    map.merge(map.write(B, 'l', 3));
    let delta = map.delta(&stale.digest());
    assert_eq!(delta, map.difference(&stale));
    let dots: Vec<Dot> = delta.context().dots().collect();
    assert_eq!(dots, [Dot::new(A, 1), Dot::new(B, 1), Dot::new(B, 2)], "one is dead, two live");
    laws::check_decompose(&delta);
}

/// A value that counts what is done with its dots.
#[derive(Debug, Default, PartialEq)]
struct Noted(DotSet);

impl Clone for Noted {
    fn clone(&self) -> Self {
        self.each_dot(&mut |_| ());
        Self(self.0.clone())
    }
}

impl Fingerprint for Noted {
    fn fingerprint(&self) -> u64 {
        self.0.fingerprint()
    }
}

impl DotStore for Noted {
    fn dot_count(&self) -> usize {
        self.0.dot_count()
    }

    fn holds_dot(&self, dot: Dot) -> bool {
        touch();
        self.0.holds_dot(dot)
    }

    fn each_dot(&self, on: &mut dyn FnMut(Dot)) {
        self.0.each_dot(&mut |dot| {
            touch();
            on(dot);
        });
    }

    fn join(&mut self, mine: &DotSet, other: Self, theirs: &DotSet, on: &mut dyn FnMut(DotChange)) -> bool {
        (0..theirs.range_count()).for_each(|_| touch());
        self.0.join(mine, other.0, theirs, on)
    }

    fn dying(&self, other: &Self, common: &DotSet, on: &mut dyn FnMut(Dot)) {
        (0..common.range_count()).for_each(|_| touch());
        self.0.dying(&other.0, common, on);
    }

    fn kill(&mut self, dot: Dot) -> bool {
        touch();
        self.0.kill(dot)
    }

    fn within(&self, dots: &DotSet) -> Self {
        (0..dots.range_count()).for_each(|_| touch());
        Self(self.0.within(dots))
    }
}

type Noting = AwMap<Counted, Dotted<Noted>>;

/// The delta that puts these dots below a key.
fn put(key: u64, dots: DotSet) -> Noting {
    Noting::new().apply(Counted(key), |_| Dotted::with_context(Noted(dots.clone()), DotSet::new()))
}

/// What merging, comparing and diffing these deltas costs, one after the other.
fn costs<T: Delta>(state: &mut T, deltas: impl IntoIterator<Item = fn(&T) -> T>) -> Vec<usize> {
    let mut costs = Vec::new();
    for change in deltas {
        let (delta, made) = touches(|| change(state));
        let (_, compared) = touches(|| delta.leq(state));
        let (news, diffed) = touches(|| delta.difference(state));
        assert!(!news.is_bottom());
        let again = delta.clone();
        let (grew, merged) = touches(|| state.merge(delta));
        assert!(grew);
        let (grew, repeated) = touches(|| state.merge(again));
        assert!(!grew, "the second time it is no news");
        costs.extend([made, compared, diffed, merged, repeated]);
    }
    costs
}

/// Where two hashes meet, a look-up compares twice.
fn close(small: &[usize], large: &[usize]) {
    let is_close = |(small, large): (&usize, &usize)| large.abs_diff(*small) <= 6;
    assert!(small.len() == large.len() && small.iter().zip(large).all(is_close), "{small:?} and {large:?}");
}

#[test]
fn a_delta_touches_as_much_in_a_large_map_as_in_a_small_one() {
    let cost_at = |n: u64| {
        let mut map = Noting::new();
        for key in 0..n {
            map.merge(put(key, range(A, key + 1, key + 1)));
        }
        // The last one, which moves into the gaps, has dots without number.
        map.merge(put(n, range(B, 1, n)));
        costs(
            &mut map,
            [
                |map: &Noting| put(1_000_000, DotSet::single(map.context().next(C))),
                |map: &Noting| put(17, DotSet::single(map.context().next(C))),
                |map: &Noting| map.remove(&Counted(11)),
                |map: &Noting| map.remove(&Counted(12)),
                |map: &Noting| map.remove_all(&[13, 14, 15, 17].map(Counted)),
            ],
        )
    };
    close(&cost_at(200), &cost_at(20_000));
}

#[test]
fn a_delta_touches_as_much_in_a_large_remove_wins_set_as_in_a_small_one() {
    let cost_at = |n: u64| {
        let mut set = RwSet::new().add_all(A, (0..n).map(Counted));
        costs(
            &mut set,
            [
                |set: &RwSet<Counted>| set.add(B, Counted(1_000_000)),
                |set: &RwSet<Counted>| set.add(B, Counted(17)),
                |set: &RwSet<Counted>| set.remove(B, Counted(17)),
                |set: &RwSet<Counted>| set.remove_all(B, [11, 12, 13].map(Counted)),
                |set: &RwSet<Counted>| set.add_all(B, [12, 13].map(Counted)),
                |_: &RwSet<Counted>| Dotted::with_context(Default::default(), range(A, 15, 16)),
            ],
        )
    };
    close(&cost_at(200), &cost_at(20_000));
}

#[test]
fn a_delta_below_a_large_value_touches_as_much_as_below_a_small_one() {
    type Deep = AwMap<u64, AwMap<u64, AwSet<Counted>>>;
    let cost_at = |n: u64| {
        let mut map = Deep::new();
        map.merge(map.apply(1, |map| map.apply(1, |set| set.add_all(A, (0..n).map(Counted)))));
        map.merge(map.apply(1, |map| map.apply(2, |set| set.add_all(A, (0..n).map(Counted)))));
        map.merge(map.apply(2, |map| map.apply(1, |set| set.add_all(A, (0..10).map(Counted)))));
        costs(
            &mut map,
            [
                |map: &Deep| map.apply(1, |map| map.apply(1, |set| set.add(B, Counted(1_000_000)))),
                |map: &Deep| map.apply(1, |map| map.apply(2, |set| set.remove(&Counted(17)))),
                |map: &Deep| map.apply(1, |map| map.apply(3, |set| set.add(B, Counted(5)))),
                |map: &Deep| map.apply(1, |map| map.remove(&3)),
                |map: &Deep| map.remove(&2),
            ],
        )
    };
    close(&cost_at(200), &cost_at(20_000));
}

#[test]
fn a_merge_of_many_keys_asks_each_for_its_own_dots_alone() {
    // Each key of the delta under a dot of another replica: a context of as many ranges.
    let cost_at = |n: u64| {
        let mut map = Noting::new();
        let mut delta = Noting::new();
        for key in 0..n {
            map.merge(put(key, range(ReplicaId(key), 1, 1)));
            delta.merge(put(key, range(ReplicaId(key), 2, 2)));
        }
        touches(|| map.merge(delta)).1
    };
    let (small, large) = (cost_at(100), cost_at(1000));
    assert!(large <= 11 * small, "{small} and {large}");
}

#[test]
fn removals_claimed_in_astronomic_number_cost_only_what_is_here() {
    let mut everything = DotSet::new();
    for replica in [A, B] {
        everything.insert_range(replica, 1, Dot::MAX_COUNTER - 1);
    }
    let mut map: AwMap<u64, RwSet<u64>> = AwMap::new();
    for key in 0..20 {
        map.merge(map.apply(key, |set| set.add(A, key)));
        map.merge(map.apply(key, |set| set.remove(B, key)));
    }
    let hostile: AwMap<u64, RwSet<u64>> = Dotted::with_context(Keys::default(), everything.clone());
    assert!(!hostile.leq(&map) && map.difference(&hostile).is_bottom());
    assert!(map.merge(hostile) && map.is_empty());
    assert!(map.retire(A).is_ok(), "and it is not walked to retire a replica either");

    let mut register = MvRegister::new().write(C, 'x');
    assert!(register.merge(Dotted::with_context(Default::default(), everything)));
    assert_eq!((register.single(), register.retire(B).is_ok(), register.retire(C).is_err()), (Some(&'x'), true, true));
}

#[test]
fn a_store_put_into_a_context_where_its_writer_is_retired_is_empty() {
    let mut context = DotSet::new();
    context.retire(A);
    let (store, _) = EwFlag::new().enable(A).into_parts();
    let flag: EwFlag = Dotted::with_context(store, context);
    assert!(!flag.value());
    laws::check_codec(&flag);
}

/// What a retirement says to one replica is less than it says to another, which may get it all the same.
#[test]
fn a_replica_that_is_retired_in_parts_leaves_nothing_alive() {
    let mut retirer = RwSet::new().add(A, 'x');
    let witness = retirer.clone();
    retirer.merge(retirer.add(B, 'x'));
    let mut asker = retirer.clone();
    retirer.merge(retirer.retire(A).expect("x lives by the addition of B"));
    // The asker knows that A's addition is superseded, so it is not told; the witness does not.
    let news = retirer.delta(&asker.digest());
    assert!(!news.context().contains(Dot::new(A, 1)));
    for set in [&mut asker, &mut witness.clone()] {
        let before = set.live();
        let mut reported = Vec::new();
        assert!(set.merge_reporting(news.clone(), &mut |change| reported.push(change)));
        assert!(set.context().is_retired(A) && set.live().ranges_of(A).next().is_none());
        let dead = before.difference(&set.live());
        assert!(reported.into_iter().eq(dead.dots().map(DotChange::Dead)));
        laws::check_codec(set);
        laws::check_codec(&set.digest());
    }
    let mut elements: AwSet<char> = AwSet::new().add(A, 'x');
    let mut dead = Vec::new();
    let mut beyond = DotSet::new();
    beyond.insert_range(A, 2, Dot::MAX_COUNTER);
    elements.merge_with(AwSet::from_parts([], beyond), |change| match change {
        lasp_crdt::SetChange::Live(..) => panic!("nothing comes to life"),
        lasp_crdt::SetChange::Dead(element, dot) => dead.push((*element, dot)),
    });
    assert!(elements.is_empty());
    assert_eq!(dead, [('x', Dot::new(A, 1))]);
}

/// A dot minted twice, as by a replica that was restored from a backup: what it names vanishes, and nothing breaks.
#[test]
fn one_dot_in_two_places_vanishes_from_both() {
    let mut map = put(1, range(A, 1, 1));
    assert!(map.merge(put(2, range(A, 1, 1))));
    assert!(map.is_empty());

    let mut register = MvRegister::new().write(A, 'x');
    assert!(register.merge(MvRegister::new().write(A, 'y')));
    assert!(register.values().is_empty());
    laws::check_lattice(&register, &MvRegister::new().write(A, 'x'), &MvRegister::new().write(A, 'y'));

    let (added, removed) = (RwSet::new().add(A, 'x'), RwSet::new().remove(A, 'x'));
    assert!(merged(&added, [removed.clone()]).is_empty());
    assert_eq!(merged(&added, [removed.clone()]), merged(&removed, [added]));
}

#[test]
fn merging_reports_each_dot_that_comes_or_goes() {
    let mut map: AwMap<u64, AwSet<u64>> = AwMap::new();
    let mut live = BTreeSet::new();
    for step in 0..2_000 {
        let draw = Draw::at(step);
        let (key, [one, _]) = (draw.key() % 20, draw.two());
        let delta = match draw.of(4) {
            0 => map.remove(&key),
            1 => map.apply(key, |set| set.remove(&draw.element())),
            _ => map.apply(key, |set| set.add(one, draw.element())),
        };
        map.merge_reporting(delta, &mut |change| match change {
            DotChange::Live(dot) => assert!(live.insert(dot), "comes to life once"),
            DotChange::Dead(dot) => assert!(live.remove(&dot), "dies once, after it lived"),
        });
        assert!(map.live().dots().eq(live.iter().copied()));
    }
}

/// A store outside the crate can be the value of a map.
#[test]
fn a_value_type_of_ones_own_lives_in_a_map() {
    fn dots<V: CausalType>(keys: &Keys<u64, V>) -> usize {
        keys.unordered().map(|(_, value)| value.dot_count()).sum()
    }
    let map =
        AwMap::<u64, Dotted<Noted>>::new().apply(1, |_| Dotted::with_context(Noted(range(A, 1, 3)), DotSet::new()));
    assert_eq!(dots(&map), 3);
}
