//! States of variables: one lattice for each type, behind one closed enum.
//!
//! A [`State`] is what a variable holds and also what is sent: a delta is a state that says little. All states of one
//! [`Type`] form a lattice; states of different types are never merged. Knows no names and no graph.

mod apply;
mod digest;
mod drift;
mod lattice;
mod literal;
mod members;
mod once;
mod read;
mod set;
mod slot;
#[cfg(test)]
mod tests;
mod wire;

pub use digest::StateDigest;
pub use literal::LiteralError;
pub use set::SetState;
pub use slot::Slot;

pub(crate) use apply::Author;
pub(crate) use members::{Facets, Moved};
pub(crate) use set::Touched;

use crate::types::Type;
use crate::value::Value;
use lasp_crdt::{Boolean, GCounter, GMap, GSet, IVar, LwwRegister, MaxRegister, PnCounter};
use std::cmp::Reverse;

/// What a variable holds, or a part of it.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "the set is the commonest by far: a box would cost each delta an allocation"
)]
pub enum State {
    /// Of [`Type::GSet`].
    GSet(GSet<Value>),
    /// Of [`Type::AwSet`].
    AwSet(SetState),
    /// Of [`Type::GCounter`].
    GCounter(GCounter),
    /// Of [`Type::PnCounter`].
    PnCounter(PnCounter),
    /// Of [`Type::Max`]; `None` lies below every value.
    Max(MaxRegister<Option<Value>>),
    /// Of [`Type::Min`]: the greatest in the reverse order.
    Min(MaxRegister<Option<Reverse<Value>>>),
    /// Of [`Type::Boolean`].
    Boolean(Boolean),
    /// Of [`Type::IVar`].
    IVar(IVar<Value>),
    /// Of [`Type::LwwRegister`].
    LwwRegister(LwwRegister<Value>),
    /// Of [`Type::GMap`].
    GMap(GMap<Value, Slot>),
    /// Of [`Type::Pair`].
    Pair(Box<(Self, Self)>),
}

/// Runs `$body` with `$x` bound to the lattice inside `$state`, whichever it is; pairs go their own way.
macro_rules! with_lattice {
    ($state:expr, $x:ident => $body:expr, $pair:ident => $of_pair:expr) => {
        match $state {
            State::GSet($x) => $body,
            State::AwSet($x) => $body,
            State::GCounter($x) => $body,
            State::PnCounter($x) => $body,
            State::Max($x) => $body,
            State::Min($x) => $body,
            State::Boolean($x) => $body,
            State::IVar($x) => $body,
            State::LwwRegister($x) => $body,
            State::GMap($x) => $body,
            State::Pair($pair) => $of_pair,
        }
    };
}
pub(crate) use with_lattice;

/// Maps two lattices of one kind to a state of that kind, or to what `$otherwise` says.
macro_rules! zip_lattices {
    ($left:expr, $right:expr, $wrapper:ident, ($x:ident, $y:ident) => $body:expr, pair $pair:expr, else $otherwise:expr) => {
        match ($left, $right) {
            (State::GSet($x), $wrapper::GSet($y)) => State::GSet($body),
            (State::AwSet($x), $wrapper::AwSet($y)) => State::AwSet($body),
            (State::GCounter($x), $wrapper::GCounter($y)) => State::GCounter($body),
            (State::PnCounter($x), $wrapper::PnCounter($y)) => State::PnCounter($body),
            (State::Max($x), $wrapper::Max($y)) => State::Max($body),
            (State::Min($x), $wrapper::Min($y)) => State::Min($body),
            (State::Boolean($x), $wrapper::Boolean($y)) => State::Boolean($body),
            (State::IVar($x), $wrapper::IVar($y)) => State::IVar($body),
            (State::LwwRegister($x), $wrapper::LwwRegister($y)) => State::LwwRegister($body),
            (State::GMap($x), $wrapper::GMap($y)) => State::GMap($body),
            (State::Pair($x), $wrapper::Pair($y)) => {
                let recurse = $pair;
                State::Pair(Box::new((recurse(&$x.0, &$y.0), recurse(&$x.1, &$y.1))))
            }
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
            Type::AwSet => Self::AwSet(SetState::default()),
            Type::GCounter => Self::GCounter(GCounter::default()),
            Type::PnCounter => Self::PnCounter(PnCounter::default()),
            Type::Max => Self::Max(MaxRegister::default()),
            Type::Min => Self::Min(MaxRegister::default()),
            Type::Boolean => Self::Boolean(Boolean::default()),
            Type::IVar => Self::IVar(IVar::default()),
            Type::LwwRegister => Self::LwwRegister(LwwRegister::default()),
            Type::GMap(_) => Self::GMap(GMap::default()),
            Type::Pair(first, second) => Self::Pair(Box::new((Self::bottom(first), Self::bottom(second)))),
        }
    }

    /// The least state of this state's type.
    pub(crate) fn bottom_alike(&self) -> Self {
        match self {
            Self::GSet(_) => Self::GSet(GSet::default()),
            Self::AwSet(_) => Self::AwSet(SetState::default()),
            Self::GCounter(_) => Self::GCounter(GCounter::default()),
            Self::PnCounter(_) => Self::PnCounter(PnCounter::default()),
            Self::Max(_) => Self::Max(MaxRegister::default()),
            Self::Min(_) => Self::Min(MaxRegister::default()),
            Self::Boolean(_) => Self::Boolean(Boolean::default()),
            Self::IVar(_) => Self::IVar(IVar::default()),
            Self::LwwRegister(_) => Self::LwwRegister(LwwRegister::default()),
            Self::GMap(_) => Self::GMap(GMap::default()),
            Self::Pair(pair) => Self::Pair(Box::new((pair.0.bottom_alike(), pair.1.bottom_alike()))),
        }
    }

    /// Whether this is a state of type `ty`. Cost: the keys of maps.
    pub fn is_of(&self, ty: &Type) -> bool {
        match (self, ty) {
            (Self::GMap(map), Type::GMap(inner)) => {
                map.iter().all(|(_, slot)| slot.get().is_none_or(|state| state.is_of(inner)))
            }
            (Self::Pair(pair), Type::Pair(first, second)) => pair.0.is_of(first) && pair.1.is_of(second),
            (Self::GMap(_) | Self::Pair(_), _) => false,
            (plain, ty) => plain.kind() == ty.name(),
        }
    }

    /// The name of this state's type, without parameters.
    fn kind(&self) -> &'static str {
        match self {
            Self::GSet(_) => "gset",
            Self::AwSet(_) => "awset",
            Self::GCounter(_) => "gcounter",
            Self::PnCounter(_) => "pncounter",
            Self::Max(_) => "max",
            Self::Min(_) => "min",
            Self::Boolean(_) => "boolean",
            Self::IVar(_) => "ivar",
            Self::LwwRegister(_) => "lwwregister",
            Self::GMap(_) => "gmap",
            Self::Pair(_) => "pair",
        }
    }
}
