//! Digests: what a replica says of a state so that another can tell what is missing.

use super::{SetState, Slot};
use crate::value::Value;
use lasp_crdt::{Boolean, Delta, GCounter, GMap, GSet, IVar, LwwRegister, MaxRegister, PnCounter};
use std::cmp::Reverse;

/// A digest of a [`State`](super::State); its parts are those of the types inside.
#[derive(Clone, Debug, PartialEq)]
pub enum StateDigest {
    /// The hash of each element.
    GSet(<GSet<Value> as Delta>::Digest),
    /// Dots seen and live, and the same of each base with the identities of the supports.
    AwSet(Box<<SetState as Delta>::Digest>),
    /// The counter.
    GCounter(<GCounter as Delta>::Digest),
    /// The counter.
    PnCounter(<PnCounter as Delta>::Digest),
    /// The register.
    Max(<MaxRegister<Option<Value>> as Delta>::Digest),
    /// The register.
    Min(<MaxRegister<Option<Reverse<Value>>> as Delta>::Digest),
    /// The flag.
    Boolean(<Boolean as Delta>::Digest),
    /// The register.
    IVar(<IVar<Value> as Delta>::Digest),
    /// Its stamp, and its value, or a hash of a large one.
    LwwRegister(<LwwRegister<Value> as Delta>::Digest),
    /// The digest under each key.
    GMap(<GMap<Value, Slot> as Delta>::Digest),
    /// Both digests.
    Pair(Box<(Self, Self)>),
}
