//! What is made of other types.

use super::{A, B, after, concurrently};
use lasp_crdt::compose::option;
use lasp_crdt::{Boolean, GCounter, GMap, GSet, LexPair, MaxRegister, Sum, choice, product};

type Rounds = LexPair<MaxRegister<u64>, GSet<char>>;
type Forks = LexPair<GSet<u64>, GSet<char>>;

#[test]
fn lexpair_seconds_under_one_first_merge() {
    let base = after(Rounds::default(), |p| p.fst(|round| round.write(1)));
    let pair = concurrently(&base, |p| p.snd(|set| set.add('x')), |p| p.snd(|set| set.add('y')));
    assert!(pair.second().iter().eq(&['x', 'y']));
}

#[test]
fn lexpair_greater_first_empties_the_second() {
    let base = after(Rounds::default(), |p| p.snd(|set| set.add('x')));
    let pair = concurrently(&base, |p| p.fst(|round| round.write(1)), |p| p.snd(|set| set.add('y')));
    assert_eq!((*pair.first().value(), pair.second().len()), (1, 0));
}

#[test]
fn lexpair_replacements_leave_that_of_the_greater_first() {
    let replace = |round, element| move |p: &Rounds| p.replace(|known| known.write(round), GSet::from_iter([element]));
    let pair = concurrently(&Rounds::default(), replace(1, 'x'), replace(2, 'y'));
    assert!(pair.second().iter().eq(&['y']));
    let pair = concurrently(&Rounds::default(), replace(1, 'x'), replace(1, 'y'));
    assert!(pair.second().iter().eq(&['x', 'y']), "under one first, both");
}

#[test]
fn lexpair_replacements_under_incomparable_firsts_leave_neither() {
    let replace = |first, element| move |p: &Forks| p.replace(|known| known.add(first), GSet::from_iter([element]));
    let pair = concurrently(&Forks::default(), replace(1, 'x'), replace(2, 'y'));
    assert!(pair.first().iter().eq(&[1, 2]) && pair.second().is_empty());
}

#[test]
fn sum_high_wins_over_low() {
    let base: Sum<GSet<char>, GSet<char>> = Sum::default();
    let sum = concurrently(&base, |s| s.low(|set| set.add('x')).unwrap(), |s| s.high(|set| set.clone()));
    assert_eq!(sum, Sum::High(GSet::new()));
}

#[test]
fn sum_changes_on_one_side_merge() {
    let base: Sum<GSet<char>, GSet<char>> = Sum::default();
    let low = |element| move |s: &Sum<GSet<char>, GSet<char>>| s.low(|set| set.add(element)).unwrap();
    assert_eq!(concurrently(&base, low('x'), low('y')), Sum::Low(GSet::from_iter(['x', 'y'])));
    let sum = concurrently(&base, |s| s.high(|set| set.add('x')), |s| s.high(|set| set.add('y')));
    assert_eq!(sum, Sum::High(GSet::from_iter(['x', 'y'])));
}

#[test]
fn option_made_and_changed_is_changed() {
    let make = |o: &Option<GSet<char>>| option::apply(o, GSet::clone);
    let set = concurrently(&None, make, |o| option::apply(o, |set| set.add('x')));
    assert_eq!(set, Some(GSet::from_iter(['x'])));
    assert_eq!(concurrently(&None, make, make), Some(GSet::new()));
}

#[test]
fn tuple_changes_to_different_sides_are_independent() {
    let base: (Boolean, GSet<char>, GCounter) = Default::default();
    let all = concurrently(
        &base,
        |t| (t.0.enable(), GSet::new(), t.2.increment(A, 1)),
        |t| (Boolean::new(), t.1.add('x'), t.2.increment(B, 1)),
    );
    assert_eq!((all.0.value(), all.1.len(), all.2.value()), (true, 1, 2));
}

product! {
    struct Player {
        score: GCounter,
        items: GSet<char>,
    }
}

#[test]
fn product_changes_to_different_fields_are_independent_and_to_one_field_merge() {
    let base = Player::default();
    let player = concurrently(&base, |p| p.score(|s| s.increment(A, 1)), |p| p.items(|i| i.add('x')));
    assert_eq!((player.score.value(), player.items.len()), (1, 1));
    let player = concurrently(&player, |p| p.score(|s| s.increment(A, 1)), |p| p.score(|s| s.increment(B, 1)));
    assert_eq!(player.score.value(), 3);
}

choice! {
    enum Slot {
        Tags(GSet<char>),
        Count(GCounter),
    }
}

#[test]
fn choice_of_different_variants_is_the_later_variant() {
    let map: GMap<char, Slot> = GMap::new();
    let tag = |m: &GMap<char, Slot>| m.try_apply('k', |s| s.apply(Slot::Tags, |t| t.add('x'))).unwrap();
    let count = |m: &GMap<char, Slot>| m.try_apply('k', |s| s.apply(Slot::Count, |c| c.increment(A, 1))).unwrap();
    let map = concurrently(&map, tag, count);
    assert!(matches!(map.get(&'k'), Some(Slot::Count(count)) if count.value() == 1));
    assert!(map.try_apply('k', |s| s.apply(Slot::Tags, |t| t.add('y'))).is_err());
}

#[test]
fn choice_of_one_variant_merges() {
    let tag = |element| move |s: &Slot| s.apply(Slot::Tags, |t| t.add(element)).unwrap();
    let slot = concurrently(&Slot::default(), tag('x'), tag('y'));
    assert_eq!(slot, Slot::Tags(GSet::from_iter(['x', 'y'])));
    let empty = concurrently(&Slot::Nothing, |s| s.apply(Slot::Tags, GSet::clone).unwrap(), |s| s.clone());
    assert_eq!(empty, Slot::Tags(GSet::new()), "chosen, though nothing is in it");
}

#[test]
fn gmap_batches_on_one_key_merge_as_their_operations_do() {
    let base: GMap<char, GCounter> = GMap::new();
    let batch = |replica| {
        move |m: &GMap<char, GCounter>| m.apply_all([('k', 1), ('k', 1)], |count, n| count.increment(replica, n))
    };
    let map = concurrently(&base, batch(A), batch(B));
    assert_eq!(map.get(&'k').map(GCounter::value), Some(4));
}

#[test]
fn nested_gmaps_merge_at_every_depth() {
    let base: GMap<char, GMap<char, GSet<u64>>> = GMap::new();
    let add = |inner, element| {
        move |m: &GMap<char, GMap<char, GSet<u64>>>| m.apply('k', |map| map.apply(inner, |set| set.add(element)))
    };
    let map = concurrently(&base, add('x', 1), add('x', 2));
    assert!(map.get(&'k').and_then(|map| map.get(&'x')).is_some_and(|set| set.iter().eq(&[1, 2])));
    let map = concurrently(&map, add('y', 3), add('z', 4));
    assert_eq!(map.get(&'k').map(GMap::len), Some(3));
}
