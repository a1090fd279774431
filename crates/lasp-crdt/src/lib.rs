//! Conflict-free replicated data types as lattices with deltas.
//!
//! A replica changes its state with a *delta-mutator*, which returns a small state of the same type, to be merged here
//! and everywhere else. Deltas may be lost (if something later covers them), repeated and reordered: replicas that have
//! merged the same ones are equal. Nothing here knows names, peers or time.
//!
//! ```
//! use lasp_crdt::{AwSet, Delta, Lattice, ReplicaId};
//!
//! let (mut here, mut there) = (AwSet::new(), AwSet::new());
//! let added = here.add(ReplicaId(1), "hello");
//! here.merge(added.clone());
//! there.merge(added);
//!
//! // Lost on the way: the other side finds out by a digest what it lacks.
//! here.merge(here.add(ReplicaId(1), "world"));
//! there.merge(here.delta(&there.digest()));
//! assert_eq!(here, there);
//! assert_eq!(there.iter().collect::<Vec<_>>(), [&"hello", &"world"]);
//! ```
//!
//! Start at [`lattice`]; then read a small type ([`counter::grow`]), the add-wins set ([`set::add_wins`]), and the set
//! that is computed from others ([`derived`]).
//!
//! - The floor: [`lattice`] (the traits), [`laws`] (their laws as functions to call from tests), [`dot`] and [`context`]
//!   (who did what; sets of dots, compressed to ranges), [`causal`] (dots seen and live), [`dotted`] (what dots keep alive,
//!   in a context), [`codec`] (the canonical encoding and its bounded decoder), [`fingerprint`] (64-bit summaries kept up
//!   to date), [`hashes`] (digests).
//! - The types: [`set`], [`counter`], [`register`], [`flag`], [`map`], [`graph`], [`derived`]; [`compose`] makes new ones of
//!   them, and so do the macros [`product!`] and [`choice!`]. Which one to take is a table in the crate's `README.md`;
//!   programs that use them are in `examples/`.
//!
//! With the feature `serde`, off by default, states, digests and identities serialize: a state is its canonical encoding,
//! in hexadecimal where the format is text, and comes in through the decoder alone.
//!
//! What each type does with concurrent operations is a table in `docs/lattices.md`; each row is a test in
//! `tests/it/concurrency/`.

pub mod causal;
pub mod codec;
pub mod compose;
pub mod context;
pub mod counter;
mod dense;
pub mod derived;
pub mod dot;
pub mod dotted;
pub mod fingerprint;
pub mod flag;
pub mod graph;
pub mod hashes;
pub mod lattice;
pub mod laws;
pub mod map;
mod primitive;
pub mod register;
#[cfg(feature = "serde")]
mod serde;
pub mod set;
mod slab;
mod sorted;
mod table;

/// The programs in the crate's `README.md`.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

pub use causal::Causal;
pub use codec::{Decode, DecodeError, Encode, Reader, Writer};
pub use compose::{LexPair, Pair, Sum, Superseded};
pub use context::DotSet;
pub use counter::{BoundedCounter, GCounter, LexCounter, NotEnoughRights, PnCounter};
pub use derived::{BaseId, Derived, DerivedChange, DerivedDigest, Event, EventStatus, Side, Support};
pub use dot::{Dot, ReplicaId};
pub use dotted::{CausalType, DecodeStore, DotChange, DotStore, Dotted, EncodeStore, StillLive, View};
pub use fingerprint::Fingerprint;
pub use flag::{DwFlag, EwFlag};
pub use graph::{Adjacency, AwGraph, Cycle, GGraph, Graph, GraphDots, HasEdges, MissingVertex, TwoPGraph};
pub use hashes::Hashes;
pub use lattice::{Decompose, Delta, Lattice};
pub use map::{AwMap, GMap, Keys, MvMap};
pub use register::{
    AlreadySet, Basis, Boolean, ClockDrift, Count, Extent, HybridClock, IVar, LwwDigest, LwwRegister, MAX_DRIFT_MS,
    MaxRegister, MinRegister, MvRegister, Reading, Stamp, Summary, Timestamp, Values,
};
pub use set::{AwSet, Dots, Elements, GSet, RwElements, RwSet, SetChange, TwoPSet};
