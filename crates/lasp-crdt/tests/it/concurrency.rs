//! What concurrent operations come to: one test per row of the tables in `docs/lattices.md`, here or in a file per family.

mod compose;
mod graphs;
mod two_phase;

use lasp_crdt::{
    AwSet, BaseId, Boolean, Derived, Dot, GCounter, GMap, GSet, IVar, Lattice, LwwRegister, MaxRegister, Pair,
    PnCounter, Reading, ReplicaId, Stamp, Support,
};

pub(super) const A: ReplicaId = ReplicaId(1);
pub(super) const B: ReplicaId = ReplicaId(2);

/// Both deltas made from `base`, without knowledge of each other, and merged in both orders.
pub(super) fn concurrently<T: Lattice + std::fmt::Debug>(
    base: &T,
    left: impl Fn(&T) -> T,
    right: impl Fn(&T) -> T,
) -> T {
    let (mut here, mut there) = (base.clone(), base.clone());
    here.merge(left(base));
    there.merge(right(base));
    let (left, right) = (here.clone(), there.clone());
    here.merge(right);
    there.merge(left);
    assert_eq!(here, there, "both sides converge");
    here
}

pub(super) fn after<T: Lattice>(mut state: T, change: impl Fn(&T) -> T) -> T {
    let delta = change(&state);
    state.merge(delta);
    state
}

#[test]
fn gset_add_and_add_of_one_element_is_one() {
    let set = concurrently(&GSet::new(), |s| s.add('x'), |s| s.add('x'));
    assert!(set.iter().eq(&['x']));
}

#[test]
fn awset_add_and_remove_of_one_element_keeps_it() {
    let base = after(AwSet::new(), |s| s.add(A, 'x'));
    let set = concurrently(&base, |s| s.add(A, 'x'), |s| s.remove(&'x'));
    assert!(set.iter().eq(&['x']));
}

#[test]
fn awset_add_and_add_of_one_element_is_one_under_both_dots() {
    let set = concurrently(&AwSet::new(), |s| s.add(A, 'x'), |s| s.add(B, 'x'));
    assert!(set.iter().eq(&['x']));
    assert_eq!(set.dots(&'x'), [Dot::new(A, 1), Dot::new(B, 1)]);
}

#[test]
fn awset_remove_and_remove_of_one_element_removes_it() {
    let base = after(AwSet::new(), |s| s.add(A, 'x'));
    let set = concurrently(&base, |s| s.remove(&'x'), |s| s.remove(&'x'));
    assert!(set.is_empty());
}

#[test]
fn awset_removal_takes_only_the_additions_it_has_seen() {
    let base = after(AwSet::new(), |s| s.add(A, 'x'));
    let set = concurrently(&base, |s| s.remove(&'x'), |s| s.add(B, 'x'));
    assert_eq!(set.dots(&'x'), [Dot::new(B, 1)]);
}

#[test]
fn awset_adding_again_replaces_the_dots_seen() {
    let base = concurrently(&AwSet::new(), |s| s.add(A, 'x'), |s| s.add(B, 'x'));
    let set = after(base, |s| s.add(A, 'x'));
    assert_eq!(set.dots(&'x'), [Dot::new(A, 2)]);
}

#[test]
fn awset_removal_that_arrives_before_the_addition_still_removes() {
    let added = AwSet::new().add(A, 'x');
    let removed = added.remove(&'x');
    let mut late = AwSet::new();
    assert!(late.merge(removed));
    assert!(!late.merge(added));
    assert!(late.is_empty());
}

#[test]
fn gcounter_increments_all_count() {
    let counter = concurrently(&GCounter::new(), |c| c.increment(A, 2), |c| c.increment(B, 3));
    assert_eq!(counter.value(), 5);
}

#[test]
fn gcounter_increments_under_one_replica_id_do_not_add_up() {
    // Why a replica id has one writer: two of them count as the greater.
    let counter = concurrently(&GCounter::new(), |c| c.increment(A, 2), |c| c.increment(A, 3));
    assert_eq!(counter.value(), 3);
}

#[test]
fn pncounter_increments_and_decrements_all_count() {
    let counter = concurrently(&PnCounter::new(), |c| c.increment(A, 2), |c| c.decrement(B, 3));
    assert_eq!(counter.value(), -1);
}

#[test]
fn counters_stop_at_the_ends_of_their_range() {
    let full = after(GCounter::new(), |c| c.increment(A, u64::MAX));
    assert!(full.increment(A, 1).is_bottom());
    assert_eq!(after(full, |c| c.increment(B, 1)).value(), u64::MAX);
    let low = after(PnCounter::new(), |c| c.decrement(A, u64::MAX));
    assert_eq!(low.value(), i64::MIN);
}

#[test]
fn max_write_and_write_is_the_greater() {
    let register = concurrently(&MaxRegister::new(), |r| r.write(3u64), |r| r.write(5));
    assert_eq!(register.value(), &5);
}

#[test]
fn boolean_enable_and_enable_is_enabled() {
    assert!(concurrently(&Boolean::new(), |b| b.enable(), |b| b.enable()).value());
}

#[test]
fn ivar_set_and_set_to_one_value_is_that_value() {
    let var = concurrently(&IVar::new(), |v| v.set('x').unwrap(), |v| v.set('x').unwrap());
    assert_eq!(var.get(), Reading::Set(&'x'));
}

#[test]
fn ivar_set_and_set_to_different_values_is_a_conflict_for_good() {
    let var = concurrently(&IVar::new(), |v| v.set('y').unwrap(), |v| v.set('x').unwrap());
    assert_eq!(var.get(), Reading::Conflict(&'x', &'y'));
    assert!(var.set('x').is_err());
    let wider = concurrently(&var, |v| v.clone(), |_| IVar::new().set('z').unwrap());
    assert_eq!(wider.get(), Reading::Conflict(&'x', &'z'));
}

#[test]
fn lww_writes_at_different_times_leave_the_later() {
    let write = |time, replica| move |r: &LwwRegister<char>| r.write(Stamp { time, replica }, char::from(time as u8));
    let register = concurrently(&LwwRegister::new(), write(b'b'.into(), A), write(b'a'.into(), B));
    assert_eq!(register.value(), Some(&'b'));
}

#[test]
fn lww_writes_at_one_time_leave_that_of_the_greater_replica() {
    let write = |replica, value| move |r: &LwwRegister<char>| r.write(Stamp { time: 1, replica }, value);
    let register = concurrently(&LwwRegister::new(), write(A, 'z'), write(B, 'a'));
    assert_eq!(register.value(), Some(&'a'));
}

#[test]
fn lww_writes_under_one_stamp_leave_the_greater_value() {
    let write = |value| move |r: &LwwRegister<char>| r.write(Stamp { time: 1, replica: A }, value);
    let register = concurrently(&LwwRegister::new(), write('z'), write('a'));
    assert_eq!(register.value(), Some(&'z'));
}

#[test]
fn gmap_changes_to_one_key_merge_by_its_type() {
    let map: GMap<char, GCounter> = GMap::new();
    let map = concurrently(&map, |m| m.apply('k', |c| c.increment(A, 1)), |m| m.apply('k', |c| c.increment(B, 1)));
    assert_eq!(map.get(&'k').map(GCounter::value), Some(2));
}

#[test]
fn gmap_changes_to_different_keys_are_independent() {
    let map: GMap<char, Boolean> = GMap::new();
    let map = concurrently(&map, |m| m.apply('k', |b| b.enable()), |m| m.apply('l', |b| b.enable()));
    assert_eq!(map.len(), 2);
}

#[test]
fn gmap_keys_whose_value_is_bottom_are_not_there() {
    let map: GMap<char, GCounter> = GMap::new();
    assert!(map.apply('k', |c| c.increment(A, 0)).is_bottom());
}

#[test]
fn pair_changes_to_the_two_sides_are_independent() {
    let pair: Pair<Boolean, Boolean> = Pair::default();
    let pair = concurrently(&pair, |p| p.fst(|b| b.enable()), |p| p.snd(|b| b.enable()));
    assert!(pair.first.value() && pair.second.value());
}

const BASE: BaseId = BaseId(7);
const OTHER: BaseId = BaseId(8);

fn derived(element: char, supports: &[&Support]) -> Derived<char> {
    let mut delta = Derived::new();
    for &support in supports {
        for event in support.events() {
            delta.see_live(event.base, event.dot);
        }
        delta.add_support(element, support.clone());
    }
    delta
}

#[test]
fn derived_element_stays_while_one_support_lives() {
    let (one, two) = (Dot::new(A, 1), Dot::new(B, 1));
    let mut set = derived('x', &[&Support::event(BASE, one), &Support::event(BASE, two)]);
    set.see(BASE, one);
    assert!(set.contains(&'x'));
    set.see(BASE, two);
    assert!(!set.contains(&'x'));
}

#[test]
fn derived_removal_of_one_event_of_a_conjunction_retracts() {
    let pair = Support::event(BASE, Dot::new(A, 1)).and(&Support::event(OTHER, Dot::new(A, 1)));
    let set = derived('x', &[&pair]);
    let set = concurrently(
        &set,
        |s| s.clone(),
        |_| {
            let mut removal = Derived::new();
            removal.see(OTHER, Dot::new(A, 1));
            removal
        },
    );
    assert!(set.is_empty());
}

#[test]
fn derived_support_that_arrives_after_its_removal_does_not_count() {
    let support = Support::event(BASE, Dot::new(A, 1));
    let mut set = Derived::new();
    set.see(BASE, Dot::new(A, 1));
    assert!(!set.merge(derived('x', &[&support])));
    assert!(set.is_empty());
}

#[test]
fn derived_support_of_an_event_never_seen_counts() {
    let mut set = Derived::new();
    assert!(set.add_support('x', Support::event(BASE, Dot::new(A, 1))));
    assert!(set.contains(&'x'));
}

#[test]
fn derived_element_from_grow_only_inputs_stays() {
    let mut set = Derived::new();
    set.add_support('x', Support::always());
    set.see(BASE, Dot::new(A, 1));
    assert!(set.contains(&'x'));
}
