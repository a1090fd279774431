//! The laws of the traits, as functions that panic and name the law that is broken.
//!
//! For a type of your own, [`check_history`] is one line: it runs every law below over what three replicas do with the
//! type, from a seed. The laws one by one take states, which are to be such as replicas can reach (by mutators and
//! merges), not arbitrary ones. The costs are those of a test: up to quadratic in the number of parts.
//!
//! ```
//! use lasp_crdt::{Decompose, Delta, Lattice, laws};
//!
//! /// Numbers below 64, as bits; merging is union.
//! #[derive(Clone, Debug, Default, PartialEq)]
//! struct Bits(u64);
//!
//! impl Bits {
//!     fn add(&self, n: u64) -> Self {
//!         Self((1 << n) & !self.0)
//!     }
//! }
//!
//! impl Lattice for Bits {
//!     fn merge(&mut self, other: Self) -> bool {
//!         let grew = !other.leq(self);
//!         self.0 |= other.0;
//!         grew
//!     }
//!     fn leq(&self, other: &Self) -> bool {
//!         self.0 & !other.0 == 0
//!     }
//! }
//!
//! impl Decompose for Bits {
//!     fn decompose(&self) -> impl Iterator<Item = Self> {
//!         (0..64).map(|n| Self(self.0 & 1 << n)).filter(|bit| bit.0 != 0)
//!     }
//! }
//!
//! impl Delta for Bits {
//!     type Digest = Self;
//!     fn digest(&self) -> Self {
//!         self.clone()
//!     }
//!     fn delta(&self, since: &Self) -> Self {
//!         Self(self.0 & !since.0)
//!     }
//! }
//!
//! for seed in 0..100 {
//!     laws::check_history(seed, |bits: &Bits, _replica, random| bits.add(random % 64));
//! }
//! ```
//!
//! Had `delta` returned all of `self`, this would have panicked with "no part of the delta is known".

mod history;
mod join;
mod mutator;
mod parts;
mod wire;

pub use history::check_history;
pub use join::{check_lattice, check_order};
pub use mutator::{check_delivery, check_group, check_least, check_mutator};
pub use parts::{check_decompose, check_delta, check_fingerprint, check_irreducible};
pub use wire::{
    check_canonical, check_codec, check_damage, check_damaged_state, check_decoded, check_decoder, check_prefixes,
    check_round_trip,
};

use crate::codec::{Decode, Encode};
use crate::fingerprint::Fingerprint;
use crate::lattice::{Delta, Lattice};
use std::fmt::Debug;

/// Everything that the laws say of states alone, over all of them, pairs and triples. Cost: cubic in their number.
///
/// # Panics
/// If a law is broken.
pub fn check_all<T: Delta + Debug>(states: &[T]) {
    for a in states {
        for b in states {
            for c in states {
                check_lattice(a, b, c);
                check_order(a, b, c);
            }
        }
    }
    for a in states {
        check_decompose(a);
        for b in states {
            check_delta(a, b);
        }
    }
    let parts: Vec<T> = states.iter().flat_map(T::decompose).collect();
    for part in &parts {
        check_irreducible(part, states.iter().chain(&parts));
    }
}

/// The laws of encodings and fingerprints over all of the states, and pairs of them.
///
/// # Panics
/// If a law is broken.
pub fn check_all_wire<T: Delta + Fingerprint + Encode + Decode + Debug>(states: &[T]) {
    for a in states {
        check_codec(a);
        check_canonical(a);
        for b in states {
            check_fingerprint(a, b);
        }
    }
}

fn merged<T: Lattice>(a: &T, b: &T) -> T {
    let mut sum = a.clone();
    sum.merge(b.clone());
    sum
}

fn all_merged<'a, T: Lattice + 'a>(parts: impl IntoIterator<Item = &'a T>) -> T {
    let mut sum = T::default();
    for part in parts {
        sum.merge(part.clone());
    }
    sum
}
