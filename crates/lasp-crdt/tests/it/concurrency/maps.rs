//! The grow-only map, and the pair.

use super::{A, B, concurrently};
use lasp_crdt::{Boolean, GCounter, GMap, Lattice, Pair};

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
