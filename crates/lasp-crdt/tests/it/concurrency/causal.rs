//! The flags, the multi-value register, the remove-wins set, the add-wins map.

use super::{A, B, after, concurrently};
use lasp_crdt::{
    AwMap, AwSet, Dot, DotStore, DwFlag, EwFlag, Lattice, MvMap, MvRegister, ReplicaId, RwSet, StillLive, View,
};
use std::collections::BTreeSet;

fn enabled(replica: ReplicaId) -> EwFlag {
    EwFlag::new().enable(replica)
}

#[test]
fn ewflag_enable_and_disable_is_enabled() {
    for base in [EwFlag::new(), enabled(A), after(enabled(A), EwFlag::disable)] {
        assert!(concurrently(&base, |f| f.enable(B), |f| f.disable()).value());
    }
}

#[test]
fn ewflag_enable_and_enable_is_enabled_until_both_are_seen_and_disabled() {
    let flag = concurrently(&EwFlag::new(), |f| f.enable(A), |f| f.enable(B));
    assert!(flag.value() && flag.dot_count() == 2);
    assert!(!after(flag, EwFlag::disable).value());
}

#[test]
fn ewflag_disable_and_disable_is_disabled() {
    assert!(!concurrently(&enabled(A), |f| f.disable(), |f| f.disable()).value());
}

#[test]
fn ewflag_disabling_takes_only_the_enablings_it_has_seen() {
    let flag = concurrently(&EwFlag::new(), |_| after(enabled(A), |f| f.disable()), |f| f.enable(B));
    assert!(flag.value());
}

#[test]
fn ewflag_disabling_what_is_disabled_says_nothing() {
    assert!(EwFlag::new().disable().is_bottom());
    assert!(after(enabled(A), EwFlag::disable).disable().is_bottom());
}

#[test]
fn dwflag_enable_and_disable_is_disabled() {
    let disabled = DwFlag::new().disable(A);
    for base in [DwFlag::new(), disabled.clone(), after(disabled, DwFlag::enable)] {
        assert!(!concurrently(&base, |f| f.enable(), |f| f.disable(B)).value());
    }
}

#[test]
fn dwflag_disable_and_disable_is_disabled_until_both_are_seen_and_enabled() {
    let flag = concurrently(&DwFlag::new(), |f| f.disable(A), |f| f.disable(B));
    assert!(!flag.value() && flag.dot_count() == 2);
    assert!(after(flag, DwFlag::enable).value());
}

#[test]
fn dwflag_enable_and_enable_is_enabled() {
    let base = DwFlag::new().disable(A);
    assert!(concurrently(&base, |f| f.enable(), |f| f.enable()).value());
}

#[test]
fn dwflag_enabling_what_is_enabled_says_nothing() {
    assert!(DwFlag::new().enable().is_bottom());
}

fn values(register: &MvRegister<char>) -> Vec<char> {
    register.values().into_iter().copied().collect()
}

#[test]
fn mvregister_write_and_write_keeps_both() {
    let register = concurrently(&MvRegister::new(), |r| r.write(A, 'x'), |r| r.write(B, 'y'));
    assert_eq!((values(&register), register.single()), (vec!['x', 'y'], None));
}

#[test]
fn mvregister_write_and_write_of_one_value_is_that_value() {
    let register = concurrently(&MvRegister::new(), |r| r.write(A, 'x'), |r| r.write(B, 'x'));
    assert_eq!((values(&register), register.single()), (vec!['x'], Some(&'x')));
    assert_eq!(register.writes().count(), 2);
}

#[test]
fn mvregister_write_replaces_all_that_it_has_seen() {
    let register = concurrently(&MvRegister::new(), |r| r.write(A, 'x'), |r| r.write(B, 'y'));
    assert_eq!(values(&after(register, |r| r.write(A, 'z'))), ['z']);
}

#[test]
fn mvregister_write_leaves_what_it_has_not_seen() {
    let base = after(MvRegister::new(), |r| r.write(A, 'x'));
    let register = concurrently(&base, |r| r.write(A, 'z'), |r| r.write(B, 'y'));
    assert_eq!(values(&register), ['y', 'z'], "x was seen by both");
}

#[test]
fn mvregister_clear_and_write_leaves_the_write() {
    let base = after(MvRegister::new(), |r| r.write(A, 'x'));
    assert_eq!(values(&concurrently(&base, |r| r.clear(), |r| r.write(B, 'y'))), ['y']);
}

fn with_x() -> RwSet<char> {
    RwSet::new().add(A, 'x')
}

fn elements(set: &RwSet<char>) -> Vec<char> {
    set.iter().copied().collect()
}

#[test]
fn rwset_add_and_remove_of_one_element_removes_it() {
    for base in [RwSet::new(), with_x(), after(with_x(), |s| s.remove(A, 'x'))] {
        assert!(concurrently(&base, |s| s.add(A, 'x'), |s| s.remove(B, 'x')).is_empty());
    }
}

#[test]
fn rwset_add_and_add_of_one_element_is_one() {
    let set = concurrently(&RwSet::new(), |s| s.add(A, 'x'), |s| s.add(B, 'x'));
    assert_eq!((elements(&set), set.len()), (vec!['x'], 1));
}

#[test]
fn rwset_remove_and_remove_of_one_element_removes_it_until_somebody_who_saw_both_adds_it() {
    let set = concurrently(&with_x(), |s| s.remove(A, 'x'), |s| s.remove(B, 'x'));
    assert!(set.is_empty() && set.removed_len() == 1);
    assert_eq!(elements(&after(set, |s| s.add(A, 'x'))), ['x']);
}

#[test]
fn rwset_removal_beats_an_addition_that_saw_another_removal_only() {
    let removed_and_added = |s: &RwSet<char>| {
        let once = after(s.clone(), |s| s.remove(A, 'x'));
        after(once, |s| s.add(A, 'x'))
    };
    assert!(concurrently(&with_x(), removed_and_added, |s| s.remove(B, 'x')).is_empty());
}

#[test]
fn rwset_removal_of_an_absent_element_keeps_out_a_concurrent_addition() {
    let removal = RwSet::new().remove(A, 'x');
    assert!(!removal.is_bottom());
    let set = after(removal, |_| RwSet::new().add(B, 'x'));
    assert!(!set.contains(&'x'));
}

#[test]
fn rwset_different_elements_are_independent() {
    let set = concurrently(&with_x(), |s| s.remove_all(A, ['x']), |s| s.add_all(B, ['y', 'z', 'y']));
    assert_eq!(elements(&set), ['y', 'z']);
}

#[test]
fn rwset_clear_and_add_leaves_the_addition_and_clear_and_remove_the_removal() {
    // To clear a set takes back all that is observed and is no removal: it leaves nothing to beat an addition.
    assert_eq!(elements(&concurrently(&with_x(), |s| s.clear(), |s| s.add(B, 'x'))), ['x']);
    let set = concurrently(&with_x(), |s| s.clear(), |s| s.remove(B, 'x'));
    assert_eq!((set.len(), set.removed_len()), (0, 1));
}

type Sets = AwMap<char, AwSet<char>>;

fn with_fruit() -> Sets {
    Sets::new().apply('f', |set| set.add(A, 'a'))
}

fn below(map: &Sets, key: char) -> Vec<char> {
    map.get(&key).into_iter().flat_map(|set| set.iter()).copied().collect()
}

#[test]
fn awmap_change_and_removal_of_one_key_leaves_the_change_alone() {
    let map = concurrently(&with_fruit(), |m| m.apply('f', |set| set.add(B, 'b')), |m| m.remove(&'f'));
    assert_eq!(below(&map, 'f'), ['b'], "what was observed is gone, what was not stays");
}

#[test]
fn awmap_changes_to_one_key_merge_by_its_type() {
    let map =
        concurrently(&with_fruit(), |m| m.apply('f', |set| set.add(B, 'b')), |m| m.apply('f', |set| set.remove(&'a')));
    assert_eq!(below(&map, 'f'), ['b']);
    let map =
        concurrently(&with_fruit(), |m| m.apply('f', |set| set.add(A, 'a')), |m| m.apply('f', |set| set.remove(&'a')));
    assert_eq!(below(&map, 'f'), ['a']);
}

#[test]
fn awmap_removal_of_the_last_below_a_key_and_an_addition_there_keeps_the_key() {
    let map =
        concurrently(&with_fruit(), |m| m.apply('f', |set| set.remove(&'a')), |m| m.apply('f', |set| set.add(B, 'c')));
    assert_eq!(below(&map, 'f'), ['c']);
}

#[test]
fn awmap_removal_and_removal_of_one_key_removes_it() {
    assert!(concurrently(&with_fruit(), |m| m.remove(&'f'), |m| m.remove_all(&['f', 'g'])).is_empty());
    assert!(concurrently(&with_fruit(), |m| m.remove(&'f'), |m| m.apply('f', |s| s.remove(&'a'))).is_empty());
}

#[test]
fn awmap_changes_to_different_keys_are_independent() {
    let map = concurrently(&with_fruit(), |m| m.remove(&'f'), |m| m.apply('g', |set| set.add(B, 'b')));
    assert_eq!((below(&map, 'g'), map.len()), (vec!['b'], 1));
}

#[test]
fn awmap_change_that_says_nothing_makes_no_key() {
    let map = Sets::new();
    assert!(map.apply('f', |set| set.remove(&'a')).is_bottom());
    assert!(map.remove(&'f').is_bottom());
}

#[test]
fn awmap_key_comes_back_without_what_was_removed() {
    let gone = after(with_fruit(), |m| m.remove(&'f'));
    let again = after(gone, |m| m.apply('f', |set| set.add(A, 'b')));
    assert_eq!(below(&again, 'f'), ['b']);
}

#[test]
fn awmap_removal_received_before_the_change_that_it_removes_still_removes() {
    let changed = with_fruit();
    let mut late = Sets::new();
    assert!(late.merge(changed.remove(&'f')));
    assert!(!late.merge(changed));
    assert!(late.is_empty());
}

type Deep = AwMap<char, AwMap<char, AwSet<char>>>;

fn add(replica: ReplicaId, path: [char; 3]) -> impl Fn(&Deep) -> Deep {
    let [outer, inner, leaf] = path;
    move |map| map.apply(outer, |map| map.apply(inner, |set| set.add(replica, leaf)))
}

fn leaves(map: &Deep) -> BTreeSet<[char; 3]> {
    let below = |outer: char, map: &lasp_crdt::Keys<char, AwSet<char>>| {
        map.iter().flat_map(|(&inner, set)| set.iter().map(move |&leaf| [outer, inner, leaf])).collect::<Vec<_>>()
    };
    map.iter().flat_map(|(&outer, map)| below(outer, map)).collect()
}

#[test]
fn awmap_of_awmaps_removal_at_any_depth_and_an_addition_below_leaves_the_addition() {
    let base = after(after(Deep::new(), add(A, ['k', 'l', 'x'])), add(A, ['k', 'm', 'y']));
    let addition = add(B, ['k', 'l', 'z']);
    let top = concurrently(&base, &addition, |m| m.remove(&'k'));
    assert_eq!(leaves(&top), [['k', 'l', 'z']].into());
    let middle = concurrently(&base, &addition, |m| m.apply('k', |m| m.remove(&'l')));
    assert_eq!(leaves(&middle), [['k', 'l', 'z'], ['k', 'm', 'y']].into());
    let leaf = concurrently(&base, &addition, |m| m.apply('k', |m| m.apply('l', |s| s.remove(&'x'))));
    assert_eq!(leaves(&leaf), [['k', 'l', 'z'], ['k', 'm', 'y']].into());
}

#[test]
fn awmap_of_awmaps_removals_at_two_depths_are_both_done() {
    let base = after(after(Deep::new(), add(A, ['k', 'l', 'x'])), add(A, ['k', 'm', 'y']));
    let map = concurrently(&base, |m| m.remove(&'k'), |m| m.apply('k', |m| m.remove(&'l')));
    assert!(map.is_empty());
}

#[test]
fn awmap_of_flags_removal_and_disabling_and_enabling() {
    type Flags = AwMap<char, EwFlag>;
    let base = after(Flags::new(), |m| m.apply('k', |flag| flag.enable(A)));
    let removed = concurrently(&base, |m| m.remove(&'k'), |m| m.apply('k', |flag| flag.disable()));
    assert!(removed.is_empty(), "a flag that is disabled has no dot, so its key is not there");
    let kept = concurrently(&base, |m| m.remove(&'k'), |m| m.apply('k', |flag| flag.enable(B)));
    assert_eq!(kept.get(&'k').map(|flag| flag.value()), Some(true));

    type Switches = AwMap<char, DwFlag>;
    let base = after(Switches::new(), |m| m.apply('k', |flag| flag.disable(A)));
    let reset = concurrently(&base, |m| m.remove(&'k'), |m| m.remove(&'k'));
    assert!(reset.get(&'k').is_none(), "an absent key stands for what its type starts as, here enabled");
    let kept = concurrently(&base, |m| m.remove(&'k'), |m| m.apply('k', |flag| flag.disable(B)));
    assert_eq!(kept.get(&'k').map(|flag| flag.value()), Some(false));
}

#[test]
fn awmap_of_rwsets_removal_of_a_key_takes_the_removals_below_too() {
    type Guests = AwMap<char, RwSet<char>>;
    let base = after(Guests::new(), |m| m.apply('k', |set| set.remove(A, 'x')));
    assert!(base.get(&'k').is_some_and(|set| set.is_empty()), "what is removed keeps the key");
    let map = concurrently(&base, |m| m.remove(&'k'), |m| m.apply('k', |set| set.add(B, 'x')));
    assert_eq!(map.get(&'k').map(|set| set.contains(&'x')), Some(true));
}

#[test]
fn mvmap_write_and_remove_leaves_the_write() {
    let base = after(MvMap::new(), |m| m.write(A, 'k', 1));
    let map = concurrently(&base, |m| m.write(B, 'k', 2), |m| m.remove(&'k'));
    assert_eq!(map.get(&'k').and_then(|values| values.single()), Some(&2));
}

#[test]
fn mvmap_write_and_write_keeps_both_under_one_key() {
    let map = concurrently(&MvMap::new(), |m| m.write(A, 'k', 1), |m| m.write(B, 'k', 2));
    assert_eq!(map.get(&'k').map(|values| values.values().len()), Some(2));
    let map = after(map, |m| m.write(A, 'k', 3));
    assert_eq!(map.get(&'k').and_then(|values| values.single()), Some(&3));
}

#[test]
fn a_change_to_a_value_sees_the_context_of_the_whole_map() {
    let map = after(with_fruit(), |m| m.apply('g', |set| set.add(A, 'b')));
    let fruit = map.value(&'f').expect("it is there");
    assert_eq!(View::context(fruit).max(A), 2, "so that no dot is minted twice");
    assert_eq!(fruit.add(A, 'c').context(), &[Dot::new(A, 3)].into_iter().collect());
}

#[test]
fn retiring_and_a_write_of_the_retired_replica_that_was_not_seen_is_gone() {
    // Why only one who has seen it all may retire a replica.
    let base = after(MvRegister::new(), |r| r.write(A, 'x'));
    let base = after(base, |r| r.write(B, 'y'));
    let register = concurrently(&base, |r| r.retire(A).expect("nothing of it lives"), |r| r.write(A, 'z'));
    assert_eq!(values(&register), []);
    let live = after(MvRegister::new(), |r| r.write(A, 'x'));
    assert_eq!(live.retire(A), Err(StillLive { replica: A, dot: Dot::new(A, 1) }));
}
