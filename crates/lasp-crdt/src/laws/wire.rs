//! The laws of encodings: one for each state, and nothing else decodes.

use super::history::Random;
use super::join::{check_lattice, check_order};
use super::parts::rebuilt;
use crate::codec::{self, Decode, Encode};
use crate::fingerprint::Fingerprint;
use crate::lattice::{Decompose, Delta};
use std::fmt::Debug;

/// Encoding and decoding gives the same; nothing shorter or longer decodes; what decodes is canonical. Tries every
/// prefix and damages every byte in six ways; the functions below are its pieces, for many cases.
///
/// # Panics
/// If a law is broken.
pub fn check_codec<T: Encode + Decode + PartialEq + Debug>(x: &T) {
    check_round_trip(x);
    check_prefixes(x);
    let bytes = codec::to_bytes(x);
    for at in 0..bytes.len() {
        for flip in [0x01, 0x02, 0x04, 0x08, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            check_decoder::<T>(&damaged);
        }
    }
}

/// Encoding and decoding gives the same, and a byte behind it is refused.
///
/// # Panics
/// If a law is broken.
pub fn check_round_trip<T: Encode + Decode + PartialEq + Debug>(x: &T) {
    let mut bytes = codec::to_bytes(x);
    let back = codec::from_bytes::<T>(&bytes);
    assert_eq!(back.as_ref(), Ok(x), "decoding gives back what was encoded: {bytes:?}");
    bytes.push(0);
    assert!(codec::from_bytes::<T>(&bytes).is_err(), "a byte too many is refused: {bytes:?}");
}

/// No proper prefix of the encoding decodes.
///
/// # Panics
/// If one does.
pub fn check_prefixes<T: Encode + Decode>(x: &T) {
    let bytes = codec::to_bytes(x);
    for cut in 0..bytes.len() {
        assert!(codec::from_bytes::<T>(&bytes[..cut]).is_err(), "a prefix does not decode: {cut} of {bytes:?}");
    }
}

/// Equal states have one encoding and one fingerprint, however they came about: in parts, or decoded.
///
/// # Panics
/// If a law is broken.
pub fn check_canonical<T: Decompose + Fingerprint + Encode + Decode + Debug>(x: &T) {
    let bytes = codec::to_bytes(x);
    assert_eq!(codec::to_bytes(&rebuilt(x)), bytes, "an encoding forgets its state's history: {x:?}");
    let decoded = codec::from_bytes::<T>(&bytes).map(|state| state.fingerprint());
    assert_eq!(decoded, Ok(x.fingerprint()), "a decoded state has the same fingerprint: {x:?}");
}

/// The encoding with some bytes overwritten, inserted, removed or repeated, as the seed will have it, is refused or is
/// the encoding of what it decodes to.
///
/// # Panics
/// If it is neither, or the decoder panics.
pub fn check_damage<T: Encode + Decode>(x: &T, seed: u64) {
    check_decoder::<T>(&damaged(x, seed));
}

/// As [`check_damage`], and what decodes is a state like any other: [`check_decoded`].
///
/// # Panics
/// If it is neither refused nor that, or the decoder panics.
pub fn check_damaged_state<T: Delta + Encode + Decode + Debug>(x: &T, seed: u64) {
    check_decoded::<T>(&damaged(x, seed));
}

fn damaged<T: Encode>(x: &T, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut bytes = codec::to_bytes(x);
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        // Small numbers are counts and tags; they do more than most bytes.
        let byte = random.below(256) as u8 >> [0, 4, 6, 7][random.below(4)];
        match random.below(5) {
            0 if at < bytes.len() => bytes[at] = byte,
            1 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 => bytes.extend_from_within(at..),
            _ => bytes.insert(at, byte),
        }
    }
    bytes
}

/// Any bytes at all either are refused or decode to a state like any other: it has these bytes for its encoding, nothing
/// of it is redundant, and bottom is the only one below bottom. (A count of 0, written out, would pass for canonical, and
/// be a second bottom.)
///
/// Splits nothing: a few bytes can claim an astronomic number of dots.
///
/// # Panics
/// If they do neither, or the decoder panics.
pub fn check_decoded<T: Delta + Encode + Decode + Debug>(bytes: &[u8]) {
    check_decoder::<T>(bytes);
    if let Ok(state) = codec::from_bytes::<T>(bytes) {
        let bottom = T::default();
        check_lattice(&state, &bottom, &state);
        check_order(&state, &bottom, &state);
        assert_eq!(state.difference(&bottom), state, "what was decoded says nothing twice");
        assert_eq!(state.delta(&bottom.digest()), state, "what was decoded says nothing twice");
        assert!(state.difference(&state).is_bottom(), "what was decoded lacks nothing of itself: {state:?}");
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
