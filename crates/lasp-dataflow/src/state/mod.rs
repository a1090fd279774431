//! States of variables: one lattice for each type, behind one closed enum.
//!
//! A [`State`] is what a variable holds and also what is sent: a delta is a state that says little. All states of one
//! [`Type`] form a lattice; states of different types are never merged. Knows no names and no graph.

mod apply;
mod author;
mod causal;
mod digest;
mod drift;
mod lattice;
mod literal;
mod look;
mod members;
mod names;
mod nested;
mod once;
mod read;
mod set;
mod slot;
mod stretch;
#[cfg(test)]
mod tests;
mod wire;

pub use digest::StateDigest;
pub use literal::LiteralError;
pub use nested::Nested;
pub use set::SetState;
pub use slot::Slot;
pub use stretch::Rest;

pub(crate) use apply::Author;
pub(crate) use literal::GraphLiteral;
pub(crate) use look::Look;
pub(crate) use members::{Facets, Moved};
pub(crate) use set::Touched;

use crate::types::Type;
use crate::value::Value;
use lasp_crdt::{
    AwGraph, AwMap, Boolean, BoundedCounter, Dotted, DwFlag, EwFlag, GCounter, GGraph, GMap, GSet, IVar, LexCounter,
    LwwRegister, MaxRegister, MinRegister, MvMap, MvRegister, PnCounter, RwSet, Summary, TwoPGraph, TwoPSet,
};

/// What a variable holds, or a part of it. Lattices of more than 80 bytes are kept in a box: maps and pairs hold many small states, which
/// would all take the room of the largest.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Of [`Type::GSet`].
    GSet(GSet<Value>),
    /// Of [`Type::AwSet`].
    AwSet(Box<SetState>),
    /// Of [`Type::TwoPSet`].
    TwoPSet(TwoPSet<Value>),
    /// Of [`Type::RwSet`].
    RwSet(Box<RwSet<Value>>),
    /// Of [`Type::GCounter`].
    GCounter(GCounter),
    /// Of [`Type::PnCounter`].
    PnCounter(Box<PnCounter>),
    /// Of [`Type::LexCounter`].
    LexCounter(LexCounter),
    /// Of [`Type::BCounter`].
    BCounter(BoundedCounter),
    /// Of [`Type::Max`]; `None` lies below every value.
    Max(MaxRegister<Option<Value>>),
    /// Of [`Type::Min`].
    Min(MinRegister<Value>),
    /// Of [`Type::Boolean`].
    Boolean(Boolean),
    /// Of [`Type::EwFlag`].
    EwFlag(Box<EwFlag>),
    /// Of [`Type::DwFlag`].
    DwFlag(Box<DwFlag>),
    /// Of [`Type::IVar`].
    IVar(IVar<Value>),
    /// Of [`Type::LwwRegister`].
    LwwRegister(LwwRegister<Value>),
    /// Of [`Type::MvRegister`].
    MvRegister(Box<MvRegister<Value>>),
    /// Of [`Type::Summary`].
    Summary(Summary<Value>),
    /// Of [`Type::GMap`].
    GMap(GMap<Value, Slot>),
    /// Of [`Type::AwMap`].
    AwMap(Box<AwMap<Value, Dotted<Nested>>>),
    /// Of [`Type::MvMap`].
    MvMap(Box<MvMap<Value, Value>>),
    /// Of [`Type::Pair`].
    Pair(Box<(Self, Self)>),
    /// Of [`Type::GGraph`].
    GGraph(GGraph<Value>),
    /// Of [`Type::TwoPGraph`].
    TwoPGraph(Box<TwoPGraph<Value>>),
    /// Of [`Type::AwGraph`].
    AwGraph(Box<AwGraph<Value>>),
}

/// Hands the macro `$then` the variants of [`State`] and [`StateDigest`] that hold one lattice, which is to say all but
/// pairs; and what else it is given.
macro_rules! lattices {
    ($then:ident!($($with:tt)*)) => {
        $then!([
            GSet AwSet TwoPSet RwSet GCounter PnCounter LexCounter BCounter Max Min Boolean EwFlag DwFlag IVar LwwRegister
            MvRegister Summary GMap AwMap MvMap GGraph TwoPGraph AwGraph
        ] $($with)*)
    };
}
pub(crate) use lattices;

/// Runs `$body` with `$x` bound to the lattice inside the `$enum` `$value`, and `$wrap` to what makes a `$wrapper` of such
/// a one; pairs go their own way.
macro_rules! with_lattice {
    ($enum:ident($value:expr), ($x:pat, $wrap:pat = $wrapper:ident) => $body:expr, $pair:ident => $of_pair:expr) => {
        lattices!(with_lattice!($enum($value), ($x, $wrap = $wrapper) => $body, $pair => $of_pair))
    };
    ([$($variant:ident)*] $enum:ident($value:expr), ($x:pat, $wrap:pat = $wrapper:ident) => $body:expr,
        $pair:ident => $of_pair:expr) => {
        match $value {
            $($enum::$variant($x) => { let $wrap = $wrapper::$variant; $body })*
            $enum::Pair($pair) => $of_pair,
        }
    };
}
pub(crate) use with_lattice;

/// Runs `$body` on two lattices of one kind, inside a state and a `$wrapper`, with `$wrap` bound to what makes a state of
/// such a one; pairs go their own way.
macro_rules! zip_lattices {
    (State($left:expr), $wrapper:ident($right:expr), ($x:pat, $y:pat, $wrap:pat) => $body:expr,
        ($p:ident, $q:ident) => $of_pairs:expr, else $otherwise:expr) => {
        lattices!(zip_lattices!(
            State($left), $wrapper($right), ($x, $y, $wrap) => $body, ($p, $q) => $of_pairs, else $otherwise
        ))
    };
    ([$($variant:ident)*] State($left:expr), $wrapper:ident($right:expr), ($x:pat, $y:pat, $wrap:pat) => $body:expr,
        ($p:ident, $q:ident) => $of_pairs:expr, else $otherwise:expr) => {
        match ($left, $right) {
            $((State::$variant($x), $wrapper::$variant($y)) => { let $wrap = State::$variant; $body })*
            (State::Pair($p), $wrapper::Pair($q)) => $of_pairs,
            _ => $otherwise,
        }
    };
}
pub(crate) use zip_lattices;

impl State {
    /// The least state of a type.
    pub fn bottom(ty: &Type) -> Self {
        match ty {
            Type::GSet => Self::GSet(GSet::default()),
            Type::AwSet => Self::AwSet(Box::default()),
            Type::TwoPSet => Self::TwoPSet(TwoPSet::default()),
            Type::RwSet => Self::RwSet(Box::default()),
            Type::GCounter => Self::GCounter(GCounter::default()),
            Type::PnCounter => Self::PnCounter(Box::default()),
            Type::LexCounter => Self::LexCounter(LexCounter::default()),
            Type::BCounter => Self::BCounter(BoundedCounter::default()),
            Type::Max => Self::Max(MaxRegister::default()),
            Type::Min => Self::Min(MinRegister::default()),
            Type::Boolean => Self::Boolean(Boolean::default()),
            Type::EwFlag => Self::EwFlag(Box::default()),
            Type::DwFlag => Self::DwFlag(Box::default()),
            Type::IVar => Self::IVar(IVar::default()),
            Type::LwwRegister => Self::LwwRegister(LwwRegister::default()),
            Type::MvRegister => Self::MvRegister(Box::default()),
            Type::Summary => Self::Summary(Summary::default()),
            Type::GMap(_) => Self::GMap(GMap::default()),
            Type::AwMap(_) => Self::AwMap(Box::default()),
            Type::MvMap => Self::MvMap(Box::default()),
            Type::Pair(first, second) => Self::Pair(Box::new((Self::bottom(first), Self::bottom(second)))),
            Type::GGraph => Self::GGraph(GGraph::default()),
            Type::TwoPGraph => Self::TwoPGraph(Box::default()),
            Type::AwGraph => Self::AwGraph(Box::default()),
        }
    }

    /// The least state of this state's type.
    pub(crate) fn bottom_alike(&self) -> Self {
        with_lattice!(State(self), (_, wrap = State) => wrap(Default::default()), pair => {
            Self::Pair(Box::new((pair.0.bottom_alike(), pair.1.bottom_alike())))
        })
    }

    /// Whether this is a state of type `ty`. Cost: the keys of maps.
    pub fn is_of(&self, ty: &Type) -> bool {
        match (self, ty) {
            (Self::GMap(map), Type::GMap(inner)) => {
                map.unordered().all(|(_, slot)| slot.get().is_none_or(|state| state.is_of(inner)))
            }
            (Self::AwMap(map), Type::AwMap(inner)) => map.unordered().all(|(_, nested)| nested.is_of(inner)),
            (Self::Pair(pair), Type::Pair(first, second)) => pair.0.is_of(first) && pair.1.is_of(second),
            (Self::GMap(_) | Self::AwMap(_) | Self::Pair(_), _) => false,
            (plain, ty) => plain.kind() == ty.name(),
        }
    }

    /// The name of this state's type, without parameters.
    fn kind(&self) -> &'static str {
        match self {
            Self::GSet(_) => "gset",
            Self::AwSet(_) => "set",
            Self::TwoPSet(_) => "twopset",
            Self::RwSet(_) => "rwset",
            Self::GCounter(_) => "gcounter",
            Self::PnCounter(_) => "pncounter",
            Self::LexCounter(_) => "lexcounter",
            Self::BCounter(_) => "bcounter",
            Self::Max(_) => "max",
            Self::Min(_) => "min",
            Self::Boolean(_) => "boolean",
            Self::EwFlag(_) => "ewflag",
            Self::DwFlag(_) => "dwflag",
            Self::IVar(_) => "ivar",
            Self::LwwRegister(_) => "lwwregister",
            Self::MvRegister(_) => "mvregister",
            Self::Summary(_) => "summary",
            Self::GMap(_) => "gmap",
            Self::AwMap(_) => "awmap",
            Self::MvMap(_) => "mvmap",
            Self::Pair(_) => "pair",
            Self::GGraph(_) => "ggraph",
            Self::TwoPGraph(_) => "twopgraph",
            Self::AwGraph(_) => "awgraph",
        }
    }
}
