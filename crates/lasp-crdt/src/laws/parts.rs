//! The laws of parts: decompositions, deltas by digest, fingerprints.

use super::{all_merged, merged};
use crate::fingerprint::Fingerprint;
use crate::lattice::{Decompose, Delta, Lattice};
use std::fmt::Debug;

/// The parts merge to the state; none is bottom, none splits further, none is implied by the others.
///
/// # Panics
/// If a law is broken.
pub fn check_decompose<T: Decompose + Debug>(x: &T) {
    let parts: Vec<T> = x.decompose().collect();
    assert_eq!(all_merged(&parts), *x, "the parts merge to the state");
    for part in &parts {
        assert!(!part.is_bottom(), "no part is bottom");
        assert!(part.decompose().eq([part.clone()]), "a part has itself as its only part: {part:?}");
    }
    for (part, others) in parts.iter().zip(all_but_one(&parts)) {
        assert!(!part.leq(&others), "no part is implied by the others: {part:?}");
    }
}

/// What lies strictly below `part` merges to something strictly below it. `states` are any states of the type, to be
/// tried; the more, the better. (That a part decomposes into itself does not show that it is irreducible: so it does
/// where `decompose` splits nothing.)
///
/// # Panics
/// If the law is broken.
pub fn check_irreducible<'a, T: Lattice + Debug + 'a>(part: &T, states: impl IntoIterator<Item = &'a T>) {
    let below = states.into_iter().filter(|state| state.leq(part) && *state != part);
    assert_ne!(all_merged(below), *part, "a part is no merge of lesser states");
}

/// What `a` sends for the digest of `b`, and what it finds to be news to `b`, brings `b` up to `a ⊔ b`, is part of `a`,
/// and is the least that does: it holds nothing that `b` has and nothing that could be left out.
///
/// # Panics
/// If a law is broken.
pub fn check_delta<T: Delta + Debug>(a: &T, b: &T) {
    let both = merged(a, b);
    let by_digest = a.delta(&b.digest());
    assert_eq!(by_digest, a.difference(b), "delta and difference agree, from {a:?} to {b:?}");
    assert_eq!(merged(b, &by_digest), both, "the delta {by_digest:?} brings {b:?} up to {a:?}");
    assert!(by_digest.leq(a), "the delta {by_digest:?} is part of {a:?}");
    let parts: Vec<T> = by_digest.decompose().collect();
    for (part, others) in parts.iter().zip(all_but_one(&parts)) {
        assert!(!part.leq(b), "no part of the delta is known: {part:?} to {b:?}");
        assert_ne!(merged(b, &others), both, "no part of the delta can be left out: {part:?}, from {a:?} to {b:?}");
    }
    assert_eq!(by_digest.is_bottom(), a.leq(b), "the delta is bottom if nothing is lacking, from {a:?} to {b:?}");
    assert!(a.delta(&a.digest()).is_bottom(), "an equal replica lacks nothing: {a:?}");
    let whole = a.delta(&T::default().digest());
    assert_eq!(whole, *a, "a new replica lacks everything");
    assert!(whole.digest() == a.digest(), "equal states have equal digests: {a:?}");
}

/// Fingerprints are equal where states are and differ where they do (up to a chance of 2⁻⁶⁴), 0 for bottom, and do not
/// depend on how a state came about.
///
/// # Panics
/// If a law is broken.
pub fn check_fingerprint<T: Decompose + Fingerprint + Debug>(a: &T, b: &T) {
    assert_eq!(T::default().fingerprint(), 0, "the fingerprint of bottom is 0");
    assert_eq!(a == b, a.fingerprint() == b.fingerprint(), "fingerprints are equal if states are: {a:?} and {b:?}");
    for state in [a, &merged(a, b)] {
        let rebuilt = rebuilt(state);
        assert_eq!(rebuilt.fingerprint(), state.fingerprint(), "the fingerprint forgets its history: {state:?}");
    }
}

/// The same state with another history: its parts, merged backwards.
pub(super) fn rebuilt<T: Decompose>(state: &T) -> T {
    let parts: Vec<T> = state.decompose().collect();
    all_merged(parts.iter().rev())
}

/// For each part, the merge of the others.
fn all_but_one<T: Lattice>(parts: &[T]) -> Vec<T> {
    let mut after = vec![T::default(); parts.len()];
    for at in (1..parts.len()).rev() {
        after[at - 1] = merged(&after[at], &parts[at]);
    }
    let mut before = T::default();
    let join = |(part, mut others): (&T, T)| {
        others.merge(before.clone());
        before.merge(part.clone());
        others
    };
    parts.iter().zip(after).map(join).collect()
}
