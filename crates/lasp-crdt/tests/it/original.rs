//! What the original got wrong about lattices, each as a test that says how it is here. The table in `docs/lattices.md`
//! has them all, with those of the layers above.

use lasp_crdt::{
    AlreadySet, AwSet, BaseId, Decompose, Delta, Derived, Dot, DotSet, EventStatus, Fingerprint, GCounter, IVar,
    Lattice, LwwRegister, PnCounter, Reading, ReplicaId, Side, Stamp, Timestamp, codec,
};
use std::collections::BTreeSet;
use std::fmt::Debug;

const A: ReplicaId = ReplicaId(1);
const B: ReplicaId = ReplicaId(2);
const LEFT: BaseId = BaseId(7);
const RIGHT: BaseId = BaseId(8);

/// Two base sets, and what is derived from them by deltas alone, as by a node that runs for long.
struct Dataflow<T> {
    bases: [AwSet<u64>; 2],
    sides: [Derived<u64>; 2],
    output: Derived<T>,
    operator: fn(&Derived<u64>, &Derived<u64>, Side) -> Derived<T>,
}

impl<T: Clone + Ord + std::hash::Hash + Debug> Dataflow<T> {
    fn new(operator: fn(&Derived<u64>, &Derived<u64>, Side) -> Derived<T>) -> Self {
        Self { bases: Default::default(), sides: Default::default(), output: Derived::new(), operator }
    }

    fn change(&mut self, which: usize, change: impl Fn(&AwSet<u64>) -> AwSet<u64>) {
        let delta = change(&self.bases[which]);
        let derived = Derived::of([LEFT, RIGHT][which], &delta);
        self.output.merge(match which {
            0 => (self.operator)(&derived, &self.sides[1], Side::Left),
            _ => (self.operator)(&self.sides[0], &derived, Side::Right),
        });
        self.sides[which].merge(derived);
        self.bases[which].merge(delta);
    }

    fn add(&mut self, which: usize, elements: impl IntoIterator<Item = u64> + Clone) {
        self.change(which, |set| set.add_all(A, elements.clone()));
    }

    fn remove(&mut self, which: usize, elements: impl IntoIterator<Item = u64>) {
        let elements: Vec<u64> = elements.into_iter().collect();
        self.change(which, |set| set.remove_all(&elements));
    }

    fn shows(&self, expected: impl IntoIterator<Item = T>) -> bool {
        self.output.iter().cloned().eq(expected)
    }
}

/// There an element was visible while any token of either side was active.
#[test]
fn intersection_forgets_an_element_removed_on_one_side() {
    let mut both = Dataflow::new(|x, y, side| x.intersection_delta(y, side));
    both.add(0, [1, 2, 3]);
    both.add(1, [2, 3, 4]);
    assert!(both.shows([2, 3]));
    both.remove(0, [2]);
    assert!(both.shows([3]));
    both.remove(1, [3]);
    assert!(both.shows([]));
    both.add(0, [2]);
    assert!(both.shows([2]));
}

/// There every event that was not live, removed ones too, went to the filtered ones, so that an output never shrank.
#[test]
fn a_populated_intersection_shrinks_where_only_its_value_is_known() {
    let mut here = Dataflow::new(|x, y, side| x.intersection_delta(y, side));
    here.add(0, [1, 2]);
    here.add(1, [1, 2]);
    let mut elsewhere = here.output.clone();
    here.remove(1, [2]);
    elsewhere.merge(here.output.delta(&elsewhere.digest()));
    assert!(elsewhere.iter().eq(&[1]));
    assert!(here.bases[0].contains(&2), "it is still in one of the inputs");
    assert_eq!(elsewhere.status(LEFT, Dot::new(A, 2)), EventStatus::Filtered);
    assert_eq!(elsewhere.status(RIGHT, Dot::new(A, 2)), EventStatus::Removed);
}

/// There images were appended without sorting and without merging those that are equal.
#[test]
fn map_with_a_constant_function_empties_when_its_source_does() {
    let mut constant = Dataflow::new(|x, _, _| x.map(|_| 0));
    constant.add(0, [1, 2, 3]);
    assert!(constant.shows([0]));
    constant.remove(0, [1, 3]);
    assert!(constant.shows([0]));
    constant.remove(0, [2]);
    assert!(constant.shows([]));
}

#[test]
fn map_with_a_function_that_reverses_the_order_follows_removals() {
    let mut negated = Dataflow::new(|x, _, _| x.map(|&n| -(n as i64)));
    negated.add(0, [1, 2, 3]);
    negated.remove(0, [2]);
    assert!(negated.shows([-3, -1]));
    negated.add(0, [2]);
    negated.remove(0, [1, 3]);
    assert!(negated.shows([-2]));
}

/// There the events of an element that had lost its partners counted as removed.
#[test]
fn product_refills_after_one_side_was_emptied() {
    let mut pairs = Dataflow::new(|x, y, side| x.product_delta(y, side));
    pairs.add(0, [1, 2]);
    pairs.add(1, [7, 8]);
    assert_eq!(pairs.output.len(), 4);
    pairs.remove(1, [7, 8]);
    assert!(pairs.shows([]));
    pairs.add(1, [9]);
    assert!(pairs.shows([(1, 9), (2, 9)]));
}

/// There the tokens of a pair came out in descending order if a half had several.
#[test]
fn product_of_elements_with_several_additions_has_one_form_however_it_came_about() {
    let twice = |element: u64, first: ReplicaId, second: ReplicaId| {
        let mut set = AwSet::new().add(first, element);
        set.merge(AwSet::new().add(second, element));
        set
    };
    let product = |x: &AwSet<u64>, y: &AwSet<u64>| Derived::of(LEFT, x).product(&Derived::of(RIGHT, y));
    let (one, other) = (product(&twice(1, A, B), &twice(2, B, A)), product(&twice(1, B, A), &twice(2, A, B)));
    assert_eq!((one.len(), one.entries().len()), (1, 4));
    assert_eq!(codec::to_bytes(&one), codec::to_bytes(&other));
    // It stays while one addition of each half does.
    let mut left = one.clone();
    for (base, dot) in [(LEFT, Dot::new(A, 1)), (RIGHT, Dot::new(B, 1))] {
        left.see(base, dot);
        assert!(left.contains(&(1, 2)));
    }
    left.see(LEFT, Dot::new(B, 1));
    assert!(left.is_empty());
}

fn incomparable<T: Lattice + Debug>(a: &T, b: &T) {
    assert!(!a.leq(b) && !b.leq(a), "neither {a:?} nor {b:?} has all that the other has");
    for (one, other) in [(a, b), (b, a)] {
        assert!(one.clone().merge(other.clone()), "so each grows by the other");
    }
}

/// There the comparison of clocks stopped at the first entry that was strictly larger, so that clocks of which neither
/// is above the other passed for an inflation, and what came with them was dropped or overwritten.
#[test]
fn inflation_is_not_decided_by_the_first_larger_clock_entry() {
    let clock = |a, b| -> DotSet {
        let mut clock = DotSet::new();
        clock.insert_range(A, 1, a);
        clock.insert_range(B, 1, b);
        clock
    };
    incomparable(&clock(1, 2), &clock(2, 1));
    let set = |a: u64, b: u64| {
        let mut set = AwSet::new();
        (0..a).for_each(|element| _ = set.merge(set.add(A, element)));
        (0..b).for_each(|element| _ = set.merge(set.add(B, 10 + element)));
        set
    };
    let (low, high) = (set(1, 2), set(2, 1));
    incomparable(&low, &high);
    incomparable(&Derived::of(LEFT, &low), &Derived::of(LEFT, &high));
    let counter = |a, b| {
        let mut counter = GCounter::new().increment(A, a);
        counter.merge(GCounter::new().increment(B, b));
        counter
    };
    incomparable(&counter(1, 2), &counter(2, 1));
    incomparable(&PnCounter::new().increment(A, 1), &PnCounter::new().decrement(A, 1));
}

/// A removal mints no dot, so contexts alone do not decide either.
#[test]
fn of_equal_clocks_the_state_that_has_seen_a_removal_is_above() {
    let added = AwSet::new().add_all(A, [1u64, 2]);
    let mut removed = added.clone();
    removed.merge(removed.remove(&1));
    assert_eq!(added.context(), removed.context());
    assert!(added.leq(&removed) && !removed.leq(&added));
    let (added, removed) = (Derived::of(LEFT, &added), Derived::of(LEFT, &removed));
    assert!(added.leq(&removed) && !removed.leq(&added));
}

/// There the events of a delta were folded into a clock by maximum: those in the gap passed for seen, and since they
/// were not live, for removed.
#[test]
fn a_delta_with_a_gap_is_not_read_as_seen_and_removed() {
    let mut sender = AwSet::new();
    let deltas: Vec<AwSet<u64>> = (1..=3)
        .map(|element| {
            let delta = sender.add(A, element);
            sender.merge(delta.clone());
            delta
        })
        .collect();
    let mut receiver = AwSet::new();
    receiver.merge(deltas[0].clone());
    receiver.merge(deltas[2].clone());
    assert!(receiver.iter().eq(&[1, 3]) && !receiver.context().contains(Dot::new(A, 2)));
    // It takes nothing from one who has the element, and gets it when it comes.
    let mut back = sender.clone();
    assert!(!back.merge(receiver.clone()));
    assert!(receiver.merge(deltas[1].clone()));
    assert_eq!(receiver, sender);

    let derived: Vec<Derived<u64>> = deltas.iter().map(|delta| Derived::of(LEFT, delta).map(|n| n * 2)).collect();
    let mut receiver = derived[0].clone();
    receiver.merge(derived[2].clone());
    assert_eq!(receiver.status(LEFT, Dot::new(A, 2)), EventStatus::Unseen);
    assert!(receiver.merge(derived[1].clone()));
    assert!(receiver.iter().eq(&[2, 4, 6]));
}

/// There a receiver that came back empty was sent only what came after its last acknowledgement.
#[test]
fn an_empty_replica_that_restarts_recovers_fully_by_digest() {
    let mut set = AwSet::new().add_all(A, 0..50u64);
    set.merge(set.remove_all(&[3, 4]));
    set.merge(set.add(B, 4));
    recovers(&set);
    recovers(&Derived::of(LEFT, &set).product(&Derived::of(RIGHT, &set)));
    let mut counter = PnCounter::new().increment(A, 5);
    counter.merge(counter.decrement(B, 7));
    recovers(&counter);
}

fn recovers<T: Delta + Fingerprint + Debug>(state: &T) {
    let mut restarted = T::default();
    restarted.merge(state.delta(&restarted.digest()));
    assert_eq!(&restarted, state);
    assert_eq!(restarted.fingerprint(), state.fingerprint());
    assert!(state.delta(&restarted.digest()).is_bottom(), "and then lacks nothing");
}

/// There equal timestamps kept the second argument: a merge was not commutative, both directions counted as growth, and
/// two replicas swapped their values with every exchange.
#[test]
fn lww_ties_converge() {
    let write = |replica, value: &'static str| LwwRegister::new().write(Stamp { time: Timestamp(5), replica }, value);
    for (one, other) in [(write(A, "x"), write(B, "y")), (write(A, "y"), write(B, "x")), (write(A, "x"), write(A, "y"))]
    {
        let (mut here, mut there) = (one.clone(), other.clone());
        let grew = [here.merge(other.clone()), there.merge(one.clone())];
        assert_eq!(here, there);
        assert_eq!(grew.into_iter().filter(|&grew| grew).count(), 1, "one of them wins, whoever tells whom");
        for _ in 0..3 {
            assert!(!here.merge(there.clone()) && !there.merge(one.clone()) && !there.merge(other.clone()));
        }
        assert_eq!(one.leq(&other), !other.leq(&one));
    }
}

/// There a write at time 0 tied with the value of a register that nobody had written.
#[test]
fn lww_bottom_loses_to_every_write() {
    let first = LwwRegister::new().write(Stamp { time: Timestamp(0), replica: ReplicaId(0) }, 0u64);
    let mut register = LwwRegister::new();
    assert!(register.value().is_none() && register.merge(first.clone()));
    assert_eq!(register.value(), Some(&0));
    assert!(!first.leq(&LwwRegister::new()) && LwwRegister::new().leq(&first));
}

/// There the second assignment threw, and took the node's store along; so did a conflict in a merge.
#[test]
fn a_second_assignment_is_an_error_value_and_leaves_the_first() {
    let var = IVar::new().set("first").expect("unset");
    assert!(matches!(var.set("second"), Err(AlreadySet { .. })));
    assert_eq!(var.get(), Reading::Set(&"first"));
    let mut conflict = var.clone();
    assert!(conflict.merge(IVar::new().set("second").expect("unset")));
    assert_eq!(conflict.get(), Reading::Conflict(&"first", &"second"));
    assert!(!conflict.merge(var));
}

/// What a derived set leaves out is not removed: who keeps it by another rule keeps it after a merge.
#[test]
fn a_filtered_element_is_not_mistaken_for_a_removed_one() {
    let numbers = AwSet::new().add_all(A, [1u64, 2, 3]);
    let whole = Derived::of(LEFT, &numbers);
    let (odd, large) = (whole.filter(|n| n % 2 == 1), whole.filter(|&n| n > 2));
    let mut both = odd.clone();
    both.merge(large.clone());
    assert!(both.iter().eq(&[1, 3]));
    both.merge(whole.filter(|_| false));
    assert!(both.iter().eq(&[1, 3]));
}

/// What was removed is not merely filtered out: it does not come back with a support that was long under way.
#[test]
fn a_removed_element_is_not_mistaken_for_a_filtered_one() {
    let added = AwSet::new().add(A, 1u64);
    let early = Derived::of(LEFT, &added);
    let mut late = Derived::of(LEFT, &added.remove(&1));
    assert!(!late.merge(early));
    assert!(late.is_empty());
    assert_eq!(late.status(LEFT, Dot::new(A, 1)), EventStatus::Removed);
    assert!(late.filtered(LEFT).is_empty());
}

/// There each removed element left its tokens (or its events) for ever.
#[test]
fn removed_elements_leave_nothing_behind_however_many_there_were() {
    let after = |rounds: u64| {
        let mut set = AwSet::new();
        for round in 0..rounds {
            let elements: Vec<u64> = (0..100).map(|n| round * 100 + n).collect();
            set.merge(set.add_all(A, elements.iter().copied()));
            set.merge(set.remove_all(&elements));
        }
        let derived = Derived::of(LEFT, &set).product(&Derived::of(LEFT, &set));
        assert!(set.is_empty() && derived.is_empty());
        assert_eq!((set.context().range_count(), derived.base(LEFT).expect("seen").seen().range_count()), (1, 1));
        [codec::to_bytes(&set).len(), codec::to_bytes(&derived).len(), codec::to_bytes(&set.digest()).len()]
    };
    let (few, many) = (after(2), after(200));
    let grown = few.iter().zip(many).map(|(few, many)| many - few).max();
    assert!(grown <= Some(2), "a hundred times the history is a longer number: {few:?} and {many:?}");
}

/// There the provenance set kept both dots, so that each addition of an element made it larger.
#[test]
fn adding_an_element_again_replaces_its_addition() {
    let mut set = AwSet::new();
    (0..100).for_each(|_| _ = set.merge(set.add(A, 'x')));
    assert_eq!(set.live().len(), 1);
    let derived = Derived::of(LEFT, &set);
    assert_eq!(derived.supports(&'x').len(), 1);
    assert_eq!(derived.status(LEFT, Dot::new(A, 99)), EventStatus::Removed);
}

/// There most types had themselves as their only part, and a difference was all or nothing.
#[test]
fn who_lacks_one_element_of_a_derived_set_is_sent_that_one() {
    let mut numbers = AwSet::new().add_all(A, 0..1_000u64);
    let image = |set: &AwSet<u64>| Derived::of(LEFT, set).map(|n| n / 2);
    let known = image(&numbers);
    numbers.merge(numbers.add(B, 5_000));
    let state = image(&numbers);
    let lacking = state.delta(&known.digest());
    assert_eq!((lacking.len(), lacking.contains(&2_500)), (1, true));
    assert_eq!(lacking.decompose().count(), 2, "the dot, and what it supports");
}

/// There two deltas could not be compared at all.
#[test]
fn deltas_are_equal_as_states_are() {
    let set = AwSet::new().add_all(A, [1u64, 2]);
    let (delta, same) = (set.remove(&1), set.remove_all(&[1]));
    assert_eq!(delta, same);
    assert_eq!(Derived::of(LEFT, &delta), Derived::of(LEFT, &same));
    assert_ne!(Derived::of(LEFT, &delta), Derived::of(RIGHT, &delta));
}

/// There the history of events was spelled out for each merge and each comparison.
#[test]
fn a_merge_does_not_spell_out_the_history() {
    let mut history = DotSet::new();
    let replicas: BTreeSet<ReplicaId> = (0..100).map(ReplicaId).collect();
    for &replica in &replicas {
        // One short of the last dot, with which a replica has written all that it can: it retires.
        history.insert_range(replica, 1, Dot::MAX_COUNTER - 2);
    }
    let old = AwSet::from_parts([], history.clone());
    let mut set = old.clone();
    set.merge(set.add(A, 1u64));
    assert!(old.leq(&set) && !set.leq(&old));
    let mut derived = Derived::of(LEFT, &old);
    assert!(derived.merge(Derived::of(LEFT, &set)));
    assert!(derived.contains(&1) && Derived::of(LEFT, &old).leq(&derived));
    assert!(!derived.merge(Derived::of(LEFT, &old)));
}
