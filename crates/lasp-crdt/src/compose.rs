//! Lattices made of lattices: side by side, one before the other, one above the other, or perhaps nothing.
//!
//! Source: Almeida et al., "Composition in State-based Replicated Data Types" (EATCS Bulletin 123, 2017), and the
//! appendix of Enes et al., "Efficient Synchronization of State-based CRDTs" (ICDE'19) for the decompositions.
//!
//! | you have | use |
//! |---|---|
//! | two states, each on its own | [`Pair`], a tuple of up to twelve ([`mod@tuple`]) |
//! | a record with named fields | [`product!`](crate::product) |
//! | a state that starts afresh when another grows | [`LexPair`] |
//! | a state that gives way to one of another type | [`Sum`], or with names [`choice!`](crate::choice) |
//! | a state that may not be there at all | `Option` ([`option`]) |
//! | one state per key | [`GMap`](crate::GMap) |
//! | a large state among small ones | `Box` ([`mod@boxed`]) |

pub mod boxed;
pub mod choice;
pub mod lex;
pub mod option;
pub mod pair;
pub mod product;
pub mod sum;
pub mod tuple;

pub use lex::LexPair;
pub use pair::Pair;
pub use sum::{Sum, Superseded};
