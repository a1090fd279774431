//! The laws of deltas as mutators make them: what they do to a state, and that they may travel as they like.

use super::history::Random;
use super::parts::rebuilt;
use super::{all_merged, merged};
use crate::lattice::{Decompose, Delta, Lattice};
use std::fmt::Debug;

/// What `mutate` returns for `state` is a delta: merging it inflates the state, once and for all, and it depends on the
/// state alone, not on how the state came about. The state itself stays as it is.
///
/// # Panics
/// If a law is broken.
pub fn check_mutator<T: Decompose + Debug>(state: &T, mutate: impl Fn(&T) -> T) {
    let before = state.clone();
    let delta = mutate(state);
    assert_eq!(*state, before, "a mutator changes nothing");
    assert_eq!(mutate(state), delta, "a mutator makes the same delta again");
    assert_eq!(mutate(&rebuilt(state)), delta, "a mutator depends on the state, not on its history");
    let mut after = merged(state, &delta);
    assert!(state.leq(&after), "a mutator inflates: {state:?} to {after:?}");
    assert!(delta.leq(&after), "the mutation holds what the delta says: {delta:?}");
    assert!(!after.merge(delta.clone()), "a delta acts once: {delta:?}");
}

/// `delta`, made by a mutator for `state`, says nothing that `state` has: it is the least delta with its effect (the
/// optimal mutators of Enes et al., ICDE'19).
///
/// # Panics
/// If the law is broken.
pub fn check_least<T: Delta + Debug>(state: &T, delta: &T) {
    assert_eq!(delta.difference(state), *delta, "a mutator says only what is news to {state:?}");
    assert_eq!(merged(state, delta).difference(state), *delta, "a mutator says the least, for {state:?}");
}

/// Two deltas merged on the way do what they do one after the other, in either order.
///
/// # Panics
/// If the law is broken.
pub fn check_group<T: Lattice + Debug>(state: &T, first: &T, second: &T) {
    let group = merged(first, second);
    let at_once = merged(state, &group);
    assert_eq!(
        at_once,
        merged(&merged(state, first), second),
        "a group does what its deltas do: {first:?}, {second:?}"
    );
    assert_eq!(at_once, merged(&merged(state, second), first), "the order does not matter: {first:?}, {second:?}");
}

/// Three receivers get `deltas` (all that mutators ever made) as the seed will have it: in any order, repeatedly, in
/// groups, some not at all until another receiver or the source covers them by digest. All end up equal.
///
/// # Panics
/// If they do not.
pub fn check_delivery<T: Delta + Debug>(deltas: &[T], seed: u64) {
    let mut random = Random::new(seed);
    let everything = all_merged(deltas);
    let mut receivers = [T::default(), T::default(), T::default()];
    for receiver in &mut receivers {
        let mut incoming: Vec<&T> = deltas.iter().chain(deltas).filter(|_| random.below(3) > 0).collect();
        random.shuffle(&mut incoming);
        for group in incoming.chunks(1 + random.below(3)) {
            receiver.merge(all_merged(group.iter().copied()));
        }
        assert!(receiver.leq(&everything), "a receiver has nothing that was not sent: {receiver:?}");
    }
    let [first, second, third] = &mut receivers;
    second.merge(first.delta(&second.digest()));
    third.merge(second.difference(third));
    for receiver in [first, second, third] {
        receiver.merge(everything.delta(&receiver.digest()));
        assert_eq!(*receiver, everything, "what was lost is covered, and all receivers are equal");
    }
}
