//! The laws of the traits, as functions that panic and name the law that is broken.
//!
//! Call them from tests with states that replicas can reach (by mutators and merges), not with arbitrary ones. The
//! costs are those of a test: quadratic in the number of parts.

use crate::codec::{self, Decode, Encode};
use crate::fingerprint::Fingerprint;
use crate::lattice::{Decompose, Delta, Lattice};
use std::fmt::Debug;

fn merged<T: Lattice>(a: &T, b: &T) -> T {
    let mut sum = a.clone();
    sum.merge(b.clone());
    sum
}

fn all_merged<'a, T: Lattice + 'a>(parts: impl IntoIterator<Item = &'a T>) -> T {
    parts.into_iter().fold(T::default(), |sum, part| merged(&sum, part))
}

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
        let sum = merged(high, low);
        let grew = high.clone().merge(low.clone());
        assert_eq!(grew, sum != *high, "merge returns whether it grew: {low:?} into {high:?}");
        assert_eq!(low.leq(high), !grew, "leq means that merging changes nothing: {low:?} into {high:?}");
    }
}

/// The parts merge to the state; none is bottom, none splits further, none is implied by the others.
///
/// # Panics
/// If a law is broken.
pub fn check_decompose<T: Decompose + Debug>(x: &T) {
    let parts: Vec<T> = x.decompose().collect();
    assert_eq!(all_merged(&parts), *x, "the parts merge to the state");
    for (at, part) in parts.iter().enumerate() {
        assert!(!part.is_bottom(), "no part is bottom");
        let again: Vec<T> = part.decompose().collect();
        assert_eq!(again, std::slice::from_ref(part), "a part has itself as its only part");
        let others = all_merged(parts.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, part)| part));
        assert!(!part.leq(&others), "no part is implied by the others: {part:?}");
    }
}

/// What `a` sends for the digest of `b`, and what it finds to be news to `b`, brings `b` up to `a ⊔ b`, is part of `a`,
/// and holds nothing that `b` has.
///
/// # Panics
/// If a law is broken.
pub fn check_delta<T: Delta + Debug>(a: &T, b: &T) {
    let both = merged(a, b);
    let by_digest = a.delta(&b.digest());
    assert_eq!(by_digest, a.difference(b), "delta and difference agree, from {a:?} to {b:?}");
    assert_eq!(merged(b, &by_digest), both, "the delta {by_digest:?} brings {b:?} up to {a:?}");
    assert!(by_digest.leq(a), "the delta {by_digest:?} is part of {a:?}");
    for part in by_digest.decompose() {
        assert!(!part.leq(b), "the delta holds nothing known: {part:?} for {b:?}");
    }
    assert!(a.delta(&a.digest()).is_bottom(), "an equal replica lacks nothing: {a:?}");
}

/// Encoding and decoding gives the same; nothing shorter or longer decodes; what decodes is canonical.
///
/// # Panics
/// If a law is broken.
pub fn check_codec<T: Encode + Decode + PartialEq + Debug>(x: &T) {
    let bytes = codec::to_bytes(x);
    let back = codec::from_bytes::<T>(&bytes);
    assert_eq!(back.as_ref(), Ok(x), "decoding gives back what was encoded: {bytes:?}");
    for cut in 0..bytes.len() {
        assert!(codec::from_bytes::<T>(&bytes[..cut]).is_err(), "a prefix does not decode: {cut} of {bytes:?}");
    }
    for at in 0..bytes.len() {
        for flip in [0x01, 0x02, 0x04, 0x08, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            check_decoder::<T>(&damaged);
        }
    }
}

/// Any bytes at all either are refused or are the encoding of what they decode to.
///
/// # Panics
/// If they are neither, or the decoder panics.
pub fn check_decoder<T: Encode + Decode>(bytes: &[u8]) {
    if let Ok(value) = codec::from_bytes::<T>(bytes) {
        assert_eq!(codec::to_bytes(&value), bytes, "a state has one encoding, and this is not it");
    }
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
        let mut parts: Vec<T> = state.decompose().collect();
        parts.reverse();
        let rebuilt = all_merged(&parts);
        assert_eq!(rebuilt.fingerprint(), state.fingerprint(), "the fingerprint forgets its history: {state:?}");
    }
}
