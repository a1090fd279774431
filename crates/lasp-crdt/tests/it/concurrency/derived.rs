//! Derived sets.

use super::{A, B, concurrently};
use lasp_crdt::{BaseId, Derived, Dot, Lattice, Support};

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
