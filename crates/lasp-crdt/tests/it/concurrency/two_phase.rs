//! The two-phase set.

use super::{after, concurrently};
use lasp_crdt::{Lattice, TwoPSet};

#[test]
fn twopset_add_and_remove_of_one_element_removes_it() {
    let base = after(TwoPSet::new(), |s| s.add('x'));
    assert!(concurrently(&base, |s| s.add('x'), |s| s.remove(&'x')).is_empty());
    assert!(concurrently(&TwoPSet::new(), |s| s.add('x'), |s| s.remove(&'x')).is_empty());
}

#[test]
fn twopset_add_and_add_of_one_element_is_one() {
    let set = concurrently(&TwoPSet::new(), |s| s.add('x'), |s| s.add('x'));
    assert!(set.iter().eq(&['x']));
}

#[test]
fn twopset_remove_and_remove_of_one_element_removes_it() {
    let base = after(TwoPSet::new(), |s| s.add_all(['x', 'y']));
    let set = concurrently(&base, |s| s.remove(&'x'), |s| s.remove_all(&['x']));
    assert!(set.iter().eq(&['y']));
}

#[test]
fn twopset_removal_before_the_addition_keeps_it_out() {
    let removed = after(TwoPSet::new(), |s| s.remove(&'x'));
    assert!(!removed.is_bottom() && removed.is_removed(&'x'));
    assert!(concurrently(&removed, |s| s.clone(), |_| TwoPSet::new().add('x')).is_empty());
}

#[test]
fn twopset_adding_again_says_nothing() {
    let base = after(TwoPSet::new(), |s| s.add('x'));
    let gone = after(base, |s| s.remove(&'x'));
    assert!(gone.add('x').is_bottom() && gone.remove(&'x').is_bottom());
}
