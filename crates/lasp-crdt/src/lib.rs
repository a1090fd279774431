//! Conflict-free replicated data types as lattices with deltas.
//!
//! Start at [`Lattice`]; every type here is one. A replica changes its state with a *delta-mutator*, which
//! returns a small state to be merged here and everywhere else; deltas may be lost (if covered later), repeated
//! and reordered. Nothing here knows names, peers or time.
//!
//! - [`lattice`]: the traits `Lattice`, `Decompose`, `Delta`, `Fingerprint`.
//! - [`dot`], [`context`]: who did what: dots and sets of dots compressed to ranges.
//! - [`codec`]: the compact encoding and its bounded, hostile-input-safe decoder.

pub mod codec;
pub mod context;
pub mod dot;
pub mod fingerprint;
pub mod lattice;

pub use codec::{Decode, DecodeError, Encode, Reader, Writer};
pub use context::DotSet;
pub use dot::{Dot, ReplicaId};
pub use fingerprint::Fingerprint;
pub use lattice::{Decompose, Delta, Lattice};
