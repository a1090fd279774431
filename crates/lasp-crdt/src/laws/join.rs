//! The laws of merging and of the order that it makes.

use super::merged;
use crate::lattice::Lattice;
use std::fmt::Debug;

/// `merge` is associative, commutative and idempotent, with bottom as its unit; it says truly whether it grew; `leq` is
/// its order.
///
/// # Panics
/// If a law is broken.
pub fn check_lattice<T: Lattice + Debug>(a: &T, b: &T, c: &T) {
    let ab = merged(a, b);
    assert_eq!(merged(a, a), *a, "merge is idempotent");
    assert_eq!(ab, merged(b, a), "merge is commutative");
    assert_eq!(merged(&ab, c), merged(a, &merged(b, c)), "merge is associative");
    let bottom = T::default();
    assert_eq!(merged(a, &bottom), *a, "bottom is the unit on the right");
    assert_eq!(merged(&bottom, a), *a, "bottom is the unit on the left");
    assert!(bottom.is_bottom() && bottom.leq(a), "bottom is bottom, and below {a:?}");
    assert_eq!(a.is_bottom(), *a == bottom, "is_bottom recognises bottom alone: {a:?}");
    for (low, high) in [(a, b), (b, a), (a, &ab), (&ab, a), (a, a)] {
        let mut sum = high.clone();
        let grew = sum.merge(low.clone());
        assert_eq!(grew, sum != *high, "merge returns whether it grew: {low:?} into {high:?}");
        assert_eq!(low.leq(high), !grew, "leq means that merging changes nothing: {low:?} into {high:?}");
    }
}

/// `leq` is a partial order that agrees with `==` (reflexive, antisymmetric, transitive), and `merge` is the least upper
/// bound in it. Tried on the three states and on the chain a, a ⊔ b, a ⊔ b ⊔ c.
///
/// # Panics
/// If a law is broken.
pub fn check_order<T: Lattice + Debug>(a: &T, b: &T, c: &T) {
    let ab = merged(a, b);
    let abc = merged(&ab, c);
    assert!(a.leq(&ab) && b.leq(&ab), "a merge is above what was merged: {a:?} and {b:?}");
    assert!(ab.leq(&abc) && a.leq(&abc) && c.leq(&abc), "leq is transitive along merges: {a:?}, {b:?}, {c:?}");
    let states = [a, b, c, &ab];
    let below = states.map(|low| states.map(|high| low.leq(high)));
    for (x, row) in below.iter().enumerate() {
        for (y, &is_below) in row.iter().enumerate() {
            let (low, high) = (states[x], states[y]);
            let is_equal = low == high;
            assert_eq!(is_below && below[y][x], is_equal, "equal means below each other: {low:?} and {high:?}");
            assert_eq!(high == low, is_equal, "== is symmetric: {low:?} and {high:?}");
            for z in (0..states.len()).filter(|&z| is_below && below[y][z]) {
                assert!(below[x][z], "leq is transitive: {low:?}, {high:?}, {:?}", states[z]);
            }
        }
    }
    for upper in (0..states.len()).filter(|&upper| below[0][upper] && below[1][upper]) {
        assert!(ab.leq(states[upper]), "a merge is the least bound: {a:?} and {b:?} below {:?}", states[upper]);
    }
}
