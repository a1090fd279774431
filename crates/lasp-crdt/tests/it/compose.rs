//! Compositions beyond their laws: what is equivalent to what, what mutators leave alone, batches, any number of fields.

use crate::subjects::*;
use crate::world::{Sequential, Subject, World, history, replica};
use lasp_crdt::compose::option;
use lasp_crdt::{
    AwSet, Boolean, DecodeError, Delta, Fingerprint, GCounter, GMap, GSet, Lattice, LexPair, MaxRegister, Pair,
    PnCounter, ReplicaId, Stamp, Sum, Superseded, Timestamp, TwoPSet, choice, codec, laws, product,
};
use lasp_crdt::{LwwRegister, fingerprint};
use proptest::prelude::*;

const A: ReplicaId = ReplicaId(1);

/// One replica alone computes what a plain program does, after every operation.
fn check_sequential<S: Sequential>(operations: &[S::Op]) {
    let (mut state, mut model) = (S::State::default(), S::Model::default());
    for op in operations {
        let delta = S::mutate(&state, replica(0), op);
        state.merge(delta);
        S::step(&mut model, op);
        assert_eq!(S::value(&state), S::read(&model), "after {op:?}");
    }
}

macro_rules! sequential {
    ($($test:ident, $subject:ty;)+) => {
        proptest! {
            $(
                #[test]
                fn $test(operations in prop::collection::vec(<$subject>::op(), 0..60)) {
                    check_sequential::<$subject>(&operations);
                }
            )+
        }
    };
}

sequential! {
    a_lone_twopset_is_two_sets, TwoPhaseSet;
    a_lone_lexpair_is_a_round_and_a_set, Rounds;
    a_lone_lexpair_of_sets_is_two_sets, Forks;
    a_lone_sum_is_an_enum, Closing;
    a_lone_option_is_an_option, Perhaps;
    a_lone_tuple_is_a_tuple, Triple;
    a_lone_product_is_a_struct, Record;
    a_lone_map_of_choices_is_a_map_of_enums, TypedMap;
    a_lone_map_of_maps_is_a_map_of_maps, Nested;
    a_lone_ggraph_is_sets_of_vertices_and_edges, GrowOnlyGraph;
    a_lone_twopgraph_is_sets_of_vertices_and_edges, TwoPhaseGraph;
}

proptest! {
    #[test]
    fn a_pair_of_gcounters_behaves_as_a_pncounter(history in history(UpDownCounter::op())) {
        let world = World::<UpDownCounter>::run(&history);
        let mut pair: Pair<GCounter, GCounter> = Pair::default();
        let mut counter = PnCounter::new();
        for logged in &world.log {
            let n = logged.op.unsigned_abs();
            let change = |counter: &GCounter| counter.increment(logged.replica, n);
            pair.merge(if logged.op < 0 { pair.snd(change) } else { pair.fst(change) });
            counter.merge(UpDownCounter::mutate(&counter, logged.replica, &logged.op));
            prop_assert_eq!(pair.first.value() as i64 - pair.second.value() as i64, counter.value());
        }
    }

    #[test]
    fn a_pair_of_gsets_behaves_as_a_twopset(history in history(TwoPhaseSet::op())) {
        // Each state of the set, and the pair of what was ever added and removed, through the same deliveries.
        let world = World::<TwoPhaseSet>::run(&history);
        let pair_of = |set: &TwoPSet<u64>| {
            Pair { first: set.iter().copied().collect::<GSet<u64>>(), second: set.removed().copied().collect::<GSet<u64>>() }
        };
        let mut merged = Pair::default();
        let mut set = TwoPSet::new();
        for delta in &world.deltas {
            merged.merge(pair_of(delta));
            set.merge(delta.clone());
            let shown = merged.first.iter().filter(|element| !merged.second.contains(element));
            prop_assert!(shown.eq(set.iter()));
        }
    }

    #[test]
    fn a_gmap_of_maxima_behaves_as_a_gcounter(history in history(GrowOnlyCounter::op())) {
        let world = World::<GrowOnlyCounter>::run(&history);
        let mut map: GMap<ReplicaId, MaxRegister<u64>> = GMap::new();
        let mut counter = GCounter::new();
        for logged in &world.log {
            map.merge(map.apply(logged.replica, |count| count.write(count.value() + logged.op)));
            counter.merge(counter.increment(logged.replica, logged.op));
            prop_assert_eq!(map.iter().map(|(_, count)| count.value()).sum::<u64>(), counter.value());
        }
        prop_assert!(map.iter().map(|(&replica, count)| (replica, *count.value())).eq(counter.counts()));
    }

    #[test]
    fn a_batch_on_a_gmap_is_its_operations_one_by_one(
        (base, batch) in (prop::collection::vec((0..12u64, 1..5u64), 0..12), prop::collection::vec((0..12u64, 0..5u64), 0..12))
    ) {
        let mut map: GMap<u64, GCounter> = GMap::new();
        map.merge(map.apply_all(base, |count, n| count.increment(A, n)));
        let mut one_by_one = map.clone();
        for &(key, n) in &batch {
            one_by_one.merge(one_by_one.apply(key, |count| count.increment(A, n)));
        }
        let delta = map.apply_all(batch, |count, n| count.increment(A, n));
        prop_assert_eq!(&one_by_one.difference(&map), &delta, "no more than what changed");
        map.merge(delta);
        prop_assert_eq!(map.fingerprint(), one_by_one.fingerprint());
        prop_assert_eq!(map, one_by_one);
    }
}

/// The original made each operation of a batch for the state before the batch, so that two increments of one key were
/// one.
#[test]
fn two_increments_of_one_key_in_one_batch_both_count() {
    let mut map: GMap<&str, GCounter> = GMap::new();
    map.merge(map.apply("hits", |count| count.increment(A, 1)));
    map.merge(map.apply_all([("hits", 1), ("other", 1), ("hits", 1)], |count, n| count.increment(A, n)));
    assert_eq!(map.get(&"hits").map(GCounter::value), Some(3));
    assert_eq!(map.get(&"other").map(GCounter::value), Some(1));
}

choice! {
    enum Cell {
        Register(LwwRegister<String>),
        Set(GMap<String, AwSet<u64>>),
    }
}

type Operation = Box<dyn Fn(&Cell) -> Cell>;

#[test]
fn a_batch_on_a_map_with_a_type_per_key_is_its_operations_one_by_one() {
    let write = |time, value: &'static str| {
        move |cell: &Cell| {
            cell.apply(Cell::Register, |r| r.write(Stamp { time, replica: A }, String::from(value))).unwrap()
        }
    };
    let add = |element| {
        move |cell: &Cell| cell.apply(Cell::Set, |map| map.apply("in".to_owned(), |set| set.add(A, element))).unwrap()
    };
    let operations: [(&str, Operation); 4] = [
        ("reg", Box::new(write(Timestamp(1), "x"))),
        ("set", Box::new(add(7))),
        ("reg", Box::new(write(Timestamp(2), "y"))),
        ("set", Box::new(add(8))),
    ];
    let mut one_by_one: GMap<&str, Cell> = GMap::new();
    for (key, operation) in &operations {
        one_by_one.merge(one_by_one.apply(key, operation));
    }
    let batch = GMap::new().apply_all(operations, |cell, operation| operation(cell));
    assert_eq!(batch, one_by_one);
    assert!(
        matches!(batch.get(&"reg"), Some(Cell::Register(register)) if register.value().is_some_and(|value| value == "y"))
    );
    let set = match batch.get(&"set") {
        Some(Cell::Set(map)) => map.get(&"in".to_owned()),
        _ => None,
    };
    assert!(set.is_some_and(|set| set.iter().eq(&[7, 8])));
}

#[test]
fn changes_to_one_side_leave_the_other_at_bottom() {
    let mut pair: Pair<GCounter, GCounter> = Pair::default();
    for delta in [Pair::fst as fn(&_, fn(&_) -> _) -> _, Pair::snd, Pair::fst] {
        let delta: Pair<GCounter, GCounter> = delta(&pair, |count: &GCounter| count.increment(A, 1));
        assert!(delta.first.is_bottom() != delta.second.is_bottom());
        pair.merge(delta);
    }
    assert_eq!((pair.first.value(), pair.second.value()), (2, 1));
}

#[test]
fn pairs_nest_in_pairs_and_maps() {
    type Deep = Pair<Pair<GSet<u64>, GCounter>, Pair<GCounter, GMap<&'static str, Boolean>>>;
    let mut deep = Deep::default();
    deep.merge(deep.fst(|pair| pair.fst(|set| set.add(1))));
    let delta = deep.snd(|pair| pair.snd(|map| map.apply("on", |flag| flag.enable())));
    assert!(delta.first.is_bottom() && delta.second.first.is_bottom());
    deep.merge(delta);
    assert!(deep.first.first.contains(&1) && deep.first.second.is_bottom());
    assert!(deep.second.second.get(&"on").is_some_and(|flag| flag.value()));
}

#[test]
fn both_sides_of_a_pair_in_a_gmap_join_from_one_base() {
    let base: GMap<&str, Pair<Boolean, Boolean>> = GMap::new();
    let first = base.apply("k", |pair| pair.fst(|flag| flag.enable()));
    let second = base.apply("k", |pair| pair.snd(|flag| flag.enable()));
    let flags =
        |map: &GMap<&str, Pair<Boolean, Boolean>>| map.get(&"k").map(|pair| (pair.first.value(), pair.second.value()));
    assert_eq!((flags(&first), flags(&second)), (Some((true, false)), Some((false, true))));
    let mut both = first;
    both.merge(second);
    assert_eq!(flags(&both), Some((true, true)));
}

#[test]
fn maps_of_maps_of_sets_list_their_keys_sorted() {
    let mut map: GMap<&str, GMap<&str, AwSet<u64>>> = GMap::new();
    for (outer, inner, element) in [("z", "b", 2), ("a", "y", 3), ("z", "a", 1), ("z", "b", 1)] {
        map.merge(map.apply(outer, |map| map.apply(inner, |set| set.add(A, element))));
    }
    let listed: Vec<_> = map
        .iter()
        .map(|(&outer, map)| {
            (
                outer,
                map.iter().map(|(&inner, set)| (inner, set.iter().copied().collect::<Vec<_>>())).collect::<Vec<_>>(),
            )
        })
        .collect();
    assert_eq!(listed, [("a", vec![("y", vec![3])]), ("z", vec![("a", vec![1]), ("b", vec![1, 2])])]);
}

/// A thousand keys, found by hash, come in order, encode in order, and are one state however they came.
#[test]
fn a_large_gmap_is_in_order_and_forgets_its_history() {
    let value = |key: u64| MaxRegister::new().write(key + 1);
    let up: GMap<u64, MaxRegister<u64>> = (0..1000).map(|key| (key, value(key))).collect();
    let mut down = GMap::new();
    for key in (0..1000).rev() {
        down.merge(GMap::single(key, value(key)));
    }
    assert_eq!((&up, up.fingerprint()), (&down, down.fingerprint()));
    assert!(down.iter().map(|(&key, _)| key).eq(0..1000));
    let bytes = codec::to_bytes(&down);
    assert_eq!(codec::to_bytes(&up), bytes);
    assert_eq!(codec::from_bytes(&bytes), Ok(up.clone()));
    let (mut small, mut large) = (GMap::single(2000, value(1)), up.clone());
    assert!(small.merge(up) && large.merge(GMap::single(2000, value(1))));
    assert_eq!(small, large);
}

#[test]
fn a_refused_change_of_a_gmap_is_an_error_and_no_delta() {
    let map: GMap<&str, Sum<Boolean, Boolean>> = GMap::single("k", Sum::High(Boolean::new()));
    assert_eq!(map.try_apply("k", |sum| sum.low(|flag| flag.enable())), Err(Superseded));
    assert!(map.try_apply("l", |sum| sum.low(|flag| flag.enable())).is_ok());
}

#[test]
fn a_lexpair_sends_no_second_that_cannot_count() {
    type State = LexPair<GSet<u64>, GSet<u64>>;
    let one = State::new([1].into_iter().collect(), (0..100).collect());
    let two = State::new([2].into_iter().collect(), (100..200).collect());
    let expected = State::new([1].into_iter().collect(), GSet::new());
    assert_eq!(one.delta(&two.digest()), expected);
    laws::check_delta(&one, &two);
    let above = State::new([1, 2].into_iter().collect(), GSet::new());
    assert_eq!(above.difference(&one), State::new([2].into_iter().collect(), GSet::new()));
}

product! {
    /// More fields than any tuple has.
    struct Wide {
        a: Boolean, b: Boolean, c: Boolean, d: Boolean, e: Boolean, f: Boolean, g: Boolean,
        h: Boolean, i: Boolean, j: Boolean, k: Boolean, l: Boolean, m: GSet<u64>, n: GCounter,
    }
}

product! {
    struct Narrow {
        only: GSet<u64>,
    }
}

#[test]
fn a_product_may_have_any_number_of_fields() {
    let mut wide = Wide::default();
    wide.merge(wide.m(|set| set.add_all([1, 2])));
    wide.merge(wide.n(|count| count.increment(A, 3)));
    let other = wide.k(|flag| flag.enable());
    let delta = wide.difference(&other);
    laws::check_lattice(&wide, &other, &delta);
    laws::check_delta(&wide, &other);
    laws::check_fingerprint(&wide, &other);
    laws::check_decompose(&wide);
    laws::check_codec(&wide);
    laws::check_codec(&wide.digest());
    assert_eq!(codec::to_bytes(&other).len(), 14);
    assert_eq!(format!("{other:?}").matches("true").count(), 1);
    let narrow = Narrow::default().only(|set| set.add(1));
    laws::check_delta(&narrow, &Narrow::default());
    laws::check_codec(&narrow.digest());
    assert_eq!(narrow.fingerprint(), narrow.only.fingerprint());
}

#[test]
fn a_tuple_of_twelve_obeys_the_laws() {
    type Twelve =
        (Boolean, Boolean, Boolean, Boolean, Boolean, Boolean, Boolean, Boolean, Boolean, Boolean, Boolean, GSet<u64>);
    let mut one = Twelve::default();
    one.11 = one.11.add(5);
    let mut two = Twelve::default();
    two.4 = one.4.enable();
    laws::check_lattice(&one, &two, &Twelve::default());
    laws::check_delta(&one, &two);
    laws::check_fingerprint(&one, &two);
    laws::check_codec(&one);
    laws::check_codec(&one.digest());
}

#[test]
fn sides_of_one_state_are_told_apart_by_the_fingerprint() {
    let on = Boolean::new().enable();
    let sides = [
        (on, Boolean::new(), Boolean::new()),
        (Boolean::new(), on, Boolean::new()),
        (Boolean::new(), Boolean::new(), on),
    ];
    let mut fingerprints: Vec<u64> = sides.iter().map(Fingerprint::fingerprint).collect();
    fingerprints.push(Some(on).fingerprint());
    fingerprints.push(Sum::<Boolean, Boolean>::High(on).fingerprint());
    fingerprints.push(fingerprint::mix(0, 0));
    fingerprints.sort_unstable();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), 6);
}

#[test]
fn an_option_and_a_high_bottom_are_above_bottom() {
    let (none, some) = (None, Some(GSet::<u64>::new()));
    assert!(none.leq(&some) && !some.leq(&none) && !some.is_bottom());
    laws::check_decompose(&some);
    laws::check_delta(&some, &none);
    laws::check_delta(&none, &some);
    assert_eq!(option::apply(&some, |_| GSet::new()), None, "it is there already: nothing to say");
    let (low, high) = (Sum::<GSet<u64>, Boolean>::default(), Sum::<GSet<u64>, Boolean>::High(Boolean::new()));
    laws::check_decompose(&high);
    laws::check_delta(&high, &low);
    laws::check_fingerprint(&high, &low);
    assert_eq!(high.high(|flag| *flag), low);
}

#[test]
fn a_choice_of_no_known_variant_is_refused() {
    assert_eq!(codec::from_bytes::<Slot<u64>>(&[0]), Ok(Slot::Nothing));
    assert_eq!(codec::from_bytes::<Slot<u64>>(&[1, 0]), Ok(Slot::Tags(GSet::new())));
    let refused = Err(DecodeError::BadTag { what: "choice", tag: 4, at: 0 });
    assert_eq!(codec::from_bytes::<Slot<u64>>(&[4, 0]), refused);
    let refused = Err(DecodeError::BadTag { what: "sum", tag: 2, at: 0 });
    assert_eq!(codec::from_bytes::<Sum<GSet<u64>, Boolean>>(&[2, 0]), refused);
}

/// A removed element is kept once, and what is written of it is no more than the element.
#[test]
fn a_twopset_keeps_each_element_once() {
    let mut set = TwoPSet::new();
    set.merge(set.add_all([7u64, 8, 9]));
    set.merge(set.remove(&8));
    assert_eq!(codec::to_bytes(&set), [2, 7, 9, 1, 8]);
    let refused =
        |bytes: &[u8]| matches!(codec::from_bytes::<TwoPSet<u64>>(bytes), Err(DecodeError::NotCanonical { .. }));
    assert!(refused(&[1, 7, 1, 7]), "an element both added and removed");
    assert!(refused(&[2, 8, 7, 0]), "elements that descend");
    assert!(refused(&[0, 2, 7, 7]), "an element removed twice");
}
