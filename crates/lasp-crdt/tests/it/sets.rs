//! The add-wins set beyond its laws: large ones, and what merging reports.

use crate::laws::shuffle;
use crate::subjects::AddWinsSet;
use crate::world::{Subject, World, history, replica};
use lasp_crdt::fingerprint::mix;
use lasp_crdt::{AwSet, Delta, Dot, Fingerprint, Lattice, ReplicaId, SetChange, laws};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Plays back what merges report.
fn note(model: &mut BTreeSet<(u64, Dot)>, change: SetChange<&u64>) {
    match change {
        SetChange::Live(element, dot) => assert!(model.insert((*element, dot)), "comes to life once"),
        SetChange::Dead(element, dot) => assert!(model.remove(&(*element, dot)), "dies once, after it lived"),
    }
}

fn pairs(set: &AwSet<u64>) -> BTreeSet<(u64, Dot)> {
    set.entries().flat_map(|(&element, dots)| dots.map(move |dot| (element, dot))).collect()
}

proptest! {
    #[test]
    fn a_merge_reports_exactly_what_it_did(history in history(AddWinsSet::op()), order in any::<u64>()) {
        let world = World::<AddWinsSet>::run(&history);
        let mut incoming: Vec<&AwSet<u64>> = world.deltas.iter().chain(&world.states).collect();
        shuffle(&mut incoming, order);
        let (mut set, mut model) = (AwSet::new(), BTreeSet::new());
        for delta in incoming {
            let before = set.clone();
            let grew = set.merge_with(delta.clone(), |change| note(&mut model, change));
            prop_assert_eq!(&model, &pairs(&set));
            prop_assert_eq!(grew, set != before);
        }
    }

    #[test]
    fn a_merge_tells_of_each_element_that_came_or_went_once(history in history(AddWinsSet::op()), order in any::<u64>()) {
        let world = World::<AddWinsSet>::run(&history);
        let mut incoming: Vec<&AwSet<u64>> = world.deltas.iter().chain(&world.states).collect();
        shuffle(&mut incoming, order);
        let (mut set, mut model) = (AwSet::new(), BTreeSet::new());
        for delta in incoming {
            let before = set.clone();
            let grew = set.merge_members(delta.clone(), |&element, came| {
                assert!(if came { model.insert(element) } else { model.remove(&element) }, "it is news");
                assert_ne!(before.contains(&element), came, "and stays so to the end");
            });
            prop_assert!(set.iter().eq(&model));
            prop_assert_eq!(grew, set != before);
        }
    }

    #[test]
    fn a_set_is_its_parts(history in history(AddWinsSet::op())) {
        let world = World::<AddWinsSet>::run(&history);
        for set in &world.states {
            let mut parts: Vec<(u64, Dot)> = pairs(set).into_iter().collect();
            parts.reverse();
            let rebuilt = AwSet::from_parts(parts, set.context().clone());
            prop_assert_eq!(&rebuilt, set);
            prop_assert_eq!(rebuilt.fingerprint(), set.fingerprint());
        }
    }
}

/// Twenty thousand operations on up to 600 elements, growing and shrinking several times, against a map.
#[test]
fn a_large_set_agrees_with_a_map() {
    let mut set = AwSet::new();
    let mut model: BTreeMap<u64, Dot> = BTreeMap::new();
    for step in 0..20_000u64 {
        let random = mix(0x5eed, step);
        let element = random % 600;
        let prefers_adding = (step / 2_500) % 2 == 0;
        let adds = random >> 40 & 7 < if prefers_adding { 6 } else { 1 };
        let delta = if adds { set.add(replica((random >> 50) as usize % 3), element) } else { set.remove(&element) };
        match delta.dots(&element).first() {
            Some(&dot) => drop(model.insert(element, dot)),
            None => drop(model.remove(&element)),
        }
        set.merge(delta);
        if step % 500 == 0 {
            assert!(set.entries().map(|(&e, dots)| (e, dots.to_vec())).eq(model.iter().map(|(&e, &d)| (e, vec![d]))));
            assert_eq!(set.len(), model.len());
            assert_eq!(set.unordered().copied().collect::<BTreeSet<_>>(), model.keys().copied().collect());
            assert!((0..600).all(|element| set.contains(&element) == model.contains_key(&element)));
        }
    }
    assert!(set.context().range_count() <= 3, "removed elements leave nothing but the context");
    laws::check_codec(&set.delta(&AwSet::<u64>::new().digest()));
}

#[test]
fn two_elements_under_one_dot_both_vanish_and_nothing_breaks() {
    // No correct replica mints a dot twice; one that was restored from a backup may.
    let dot = Dot::new(ReplicaId(1), 1);
    let with = |element: u64| AwSet::from_parts([(element, dot)], Default::default());
    let mut merged = with(1);
    assert!(merged.merge(with(2)));
    assert!(merged.is_empty() && merged.context().contains(dot));
    laws::check_lattice(&with(1), &with(2), &with(3));
}

#[test]
fn deaths_are_reported_in_the_order_of_dots_whatever_the_order_here() {
    let writer = ReplicaId(1);
    let mut set = AwSet::new();
    set.merge(set.add_all(writer, 0..40u64));
    // Removals shuffle what is left: the last element fills each gap.
    set.merge(set.remove_all(&(0..20).collect::<Vec<_>>()));
    let everything = AwSet::from_parts([], set.context().clone());
    let mut dead = Vec::new();
    set.merge_with(everything, |change| match change {
        SetChange::Live(..) => panic!("nothing comes to life"),
        SetChange::Dead(_, dot) => dead.push(dot.counter),
    });
    assert_eq!(dead, (21..=40).collect::<Vec<_>>());
}
