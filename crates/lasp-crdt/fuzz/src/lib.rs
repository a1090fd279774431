//! What the fuzz targets do with their bytes: [`decode`] feeds decoders, [`operations`] drives replicas, [`epmd`] reads answers of
//! port mapper daemons.
//!
//! The operations of each type and what they denote are those of the property tests, `tests/it/subjects.rs`: what is
//! random there is bytes here. Run them by `cargo xtask fuzz`, or by cargo-fuzz.

pub mod decode;
pub mod epmd;
pub mod operations;
pub mod seeds;

/// The replicated types with their oracles, as the property tests have them.
#[path = "../../tests/it"]
#[allow(dead_code, unreachable_pub, reason = "the tests use more of it")]
mod it {
    pub(crate) mod subjects;
    pub(crate) mod world;
}

use it::{subjects, world};
