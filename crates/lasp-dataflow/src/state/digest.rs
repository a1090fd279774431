//! Digests: what a replica says of a state so that another can tell what is missing.

use super::{SetState, Slot};
use crate::value::Value;
use lasp_crdt::{
    Boolean, BoundedCounter, Causal, Delta, GCounter, GGraph, GMap, GSet, IVar, Lattice, LexCounter, LwwRegister,
    MaxRegister, MinRegister, PnCounter, Summary, TwoPGraph, TwoPSet,
};

/// A digest of a [`State`](super::State); its parts are those of the types inside.
#[derive(Clone, Debug, PartialEq)]
pub enum StateDigest {
    /// The hash of each element.
    GSet(<GSet<Value> as Delta>::Digest),
    /// Dots seen and live, and the same of each base with the identities of the supports.
    AwSet(<SetState as Delta>::Digest),
    /// The hash of each element, and of each that was removed.
    TwoPSet(<TwoPSet<Value> as Delta>::Digest),
    /// Dots seen and live.
    RwSet(Causal),
    /// The counter.
    GCounter(<GCounter as Delta>::Digest),
    /// The counter.
    PnCounter(<PnCounter as Delta>::Digest),
    /// The counter.
    LexCounter(<LexCounter as Delta>::Digest),
    /// The counter.
    BCounter(<BoundedCounter as Delta>::Digest),
    /// The register.
    Max(<MaxRegister<Option<Value>> as Delta>::Digest),
    /// The register.
    Min(<MinRegister<Value> as Delta>::Digest),
    /// The flag.
    Boolean(<Boolean as Delta>::Digest),
    /// Dots seen and live.
    EwFlag(Causal),
    /// Dots seen and live.
    DwFlag(Causal),
    /// The register.
    IVar(<IVar<Value> as Delta>::Digest),
    /// Its stamp, and its value, or a hash of a large one.
    LwwRegister(<LwwRegister<Value> as Delta>::Digest),
    /// Dots seen and live.
    MvRegister(Causal),
    /// The results with their bases.
    Summary(<Summary<Value> as Delta>::Digest),
    /// The digest under each key.
    GMap(<GMap<Value, Slot> as Delta>::Digest),
    /// Dots seen and live.
    AwMap(Causal),
    /// Dots seen and live.
    MvMap(Causal),
    /// Both digests.
    Pair(Box<(Self, Self)>),
    /// The hash of each vertex, and of each edge.
    GGraph(<GGraph<Value> as Delta>::Digest),
    /// The hashes of the vertices there and of those removed; the same of edges.
    TwoPGraph(<TwoPGraph<Value> as Delta>::Digest),
    /// Dots seen and live.
    AwGraph(Causal),
}

impl StateDigest {
    /// Whether a state of this digest has nothing that one of `other` lacks. `false` where digests do not tell: only those of dots
    /// do, as a dot stands for one and the same thing everywhere. Cost: the ranges of dots.
    pub fn adds_nothing_to(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::AwSet(one), Self::AwSet(other)) => one.1 == other.1 && one.0.leq(&other.0),
            (Self::RwSet(one), Self::RwSet(other))
            | (Self::EwFlag(one), Self::EwFlag(other))
            | (Self::DwFlag(one), Self::DwFlag(other))
            | (Self::MvRegister(one), Self::MvRegister(other))
            | (Self::AwMap(one), Self::AwMap(other))
            | (Self::MvMap(one), Self::MvMap(other))
            | (Self::AwGraph(one), Self::AwGraph(other)) => one.leq(other),
            _ => false,
        }
    }
}
