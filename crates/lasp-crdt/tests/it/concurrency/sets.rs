//! The sets.

use super::{A, B, after, concurrently};
use lasp_crdt::{AwSet, Dot, GSet, Lattice};

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
