//! The lattice of each type, by dispatch to the one inside.

use super::{State, StateDigest, with_lattice, zip_lattices};
use lasp_crdt::fingerprint::mix;
use lasp_crdt::{Decompose, Delta, Fingerprint, Lattice};

impl State {
    /// Merges `other` in; `true` if and only if this grew. A state of another type changes nothing.
    pub fn merge(&mut self, other: Self) -> bool {
        match (self, other) {
            (Self::GSet(x), Self::GSet(y)) => x.merge(y),
            (Self::AwSet(x), Self::AwSet(y)) => x.merge(y),
            (Self::GCounter(x), Self::GCounter(y)) => x.merge(y),
            (Self::PnCounter(x), Self::PnCounter(y)) => x.merge(y),
            (Self::Max(x), Self::Max(y)) => x.merge(y),
            (Self::Min(x), Self::Min(y)) => x.merge(y),
            (Self::Boolean(x), Self::Boolean(y)) => x.merge(y),
            (Self::IVar(x), Self::IVar(y)) => x.merge(y),
            (Self::LwwRegister(x), Self::LwwRegister(y)) => x.merge(y),
            (Self::GMap(x), Self::GMap(y)) => x.merge(y),
            (Self::Pair(x), Self::Pair(y)) => x.0.merge(y.0) | x.1.merge(y.1),
            _ => false,
        }
    }

    /// The lattice order. States of different types are not ordered.
    pub fn leq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::GSet(x), Self::GSet(y)) => x.leq(y),
            (Self::AwSet(x), Self::AwSet(y)) => x.leq(y),
            (Self::GCounter(x), Self::GCounter(y)) => x.leq(y),
            (Self::PnCounter(x), Self::PnCounter(y)) => x.leq(y),
            (Self::Max(x), Self::Max(y)) => x.leq(y),
            (Self::Min(x), Self::Min(y)) => x.leq(y),
            (Self::Boolean(x), Self::Boolean(y)) => x.leq(y),
            (Self::IVar(x), Self::IVar(y)) => x.leq(y),
            (Self::LwwRegister(x), Self::LwwRegister(y)) => x.leq(y),
            (Self::GMap(x), Self::GMap(y)) => x.leq(y),
            (Self::Pair(x), Self::Pair(y)) => x.0.leq(&y.0) && x.1.leq(&y.1),
            _ => false,
        }
    }

    /// Whether nothing has happened to this state.
    pub fn is_bottom(&self) -> bool {
        with_lattice!(self, x => x.is_bottom(), pair => pair.0.is_bottom() && pair.1.is_bottom())
    }

    /// 64 bits that are equal for equal states on every node; 0 for bottom. O(1).
    pub fn fingerprint(&self) -> u64 {
        with_lattice!(self, x => x.fingerprint(), pair => match (pair.0.fingerprint(), pair.1.fingerprint()) {
            (0, 0) => 0,
            (first, second) => mix(first, second),
        })
    }

    /// The irredundant parts that merge to this state. Cost: the size of the state.
    pub fn decompose(&self) -> Vec<Self> {
        match self {
            Self::GSet(x) => x.decompose().map(Self::GSet).collect(),
            Self::AwSet(x) => x.decompose().map(Self::AwSet).collect(),
            Self::GCounter(x) => x.decompose().map(Self::GCounter).collect(),
            Self::PnCounter(x) => x.decompose().map(Self::PnCounter).collect(),
            Self::Max(x) => x.decompose().map(Self::Max).collect(),
            Self::Min(x) => x.decompose().map(Self::Min).collect(),
            Self::Boolean(x) => x.decompose().map(Self::Boolean).collect(),
            Self::IVar(x) => x.decompose().map(Self::IVar).collect(),
            Self::LwwRegister(x) => x.decompose().map(Self::LwwRegister).collect(),
            Self::GMap(x) => x.decompose().map(Self::GMap).collect(),
            Self::Pair(x) => {
                let first = x.0.decompose().into_iter().map(|part| (part, x.1.bottom_alike()));
                let second = x.1.decompose().into_iter().map(|part| (x.0.bottom_alike(), part));
                first.chain(second).map(|pair| Self::Pair(Box::new(pair))).collect()
            }
        }
    }

    /// What to tell another replica about this state, so that it can say what is missing here.
    pub fn digest(&self) -> StateDigest {
        match self {
            Self::GSet(x) => StateDigest::GSet(x.digest()),
            Self::AwSet(x) => StateDigest::AwSet(Box::new(x.digest())),
            Self::GCounter(x) => StateDigest::GCounter(x.digest()),
            Self::PnCounter(x) => StateDigest::PnCounter(x.digest()),
            Self::Max(x) => StateDigest::Max(x.digest()),
            Self::Min(x) => StateDigest::Min(x.digest()),
            Self::Boolean(x) => StateDigest::Boolean(x.digest()),
            Self::IVar(x) => StateDigest::IVar(x.digest()),
            Self::LwwRegister(x) => StateDigest::LwwRegister(x.digest()),
            Self::GMap(x) => StateDigest::GMap(x.digest()),
            Self::Pair(x) => StateDigest::Pair(Box::new((x.0.digest(), x.1.digest()))),
        }
    }

    /// What a replica with this digest lacks of this state. All of it where the digest is of another type.
    pub fn delta(&self, since: &StateDigest) -> Self {
        zip_lattices!(self, since, StateDigest, (x, y) => x.delta(y), pair Self::delta, else self.clone())
    }

    /// What `known` lacks of this state; at the cost of this state, which typically is a delta. All of it where `known`
    /// is of another type.
    pub fn difference(&self, known: &Self) -> Self {
        zip_lattices!(self, known, State, (x, y) => x.difference(y), pair Self::difference, else self.clone())
    }
}
