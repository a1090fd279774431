//! Errors as callers see them. Each is about one request; the graph is unchanged by it.

use crate::name::{Name, VarId};
use crate::op::OpError;
use crate::operator::FunctionError;
use crate::state::LiteralError;
use crate::threshold::ThresholdError;
use crate::types::Type;
use crate::value::Value;
use thiserror::Error;

/// A declaration that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DeclareError {
    /// The name belongs to a variable of another type.
    #[error("{name} is already declared as {held}, not {wanted}")]
    OtherType {
        /// The name.
        name: Name,
        /// The type it has.
        held: Type,
        /// The type asked for.
        wanted: Type,
    },
    /// The name belongs to a variable that stays on this node, or the other way round.
    #[error("{name} is already declared as a {} variable", locality(*.held_local))]
    OtherLocality {
        /// The name.
        name: Name,
        /// Whether the existing variable is local.
        held_local: bool,
    },
}

fn locality(local: bool) -> &'static str {
    if local { "local" } else { "replicated" }
}

/// An update that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UpdateError {
    /// There is no such variable.
    #[error("there is no variable {0}")]
    UnknownVariable(VarId),
    /// The variable's value follows from others.
    #[error("{} is derived and takes no updates; update what it is derived from", called(.0, "the variable"))]
    ReadOnly(Name),
    /// The operation does not fit the type or the state.
    #[error(transparent)]
    Op(#[from] OpError),
}

/// A `bind` that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BindError {
    /// There is no such variable.
    #[error("there is no variable {0}")]
    UnknownVariable(VarId),
    /// The variable's value follows from others.
    #[error("{} is derived and takes no values; bind what it is derived from", called(.0, "the variable"))]
    ReadOnly(Name),
    /// The value is no state of the variable's type.
    #[error(transparent)]
    Literal(#[from] LiteralError),
    /// A single-assignment register already has another value.
    #[error("{} is already bound, and {value} is not what it is bound to", called(name, "the variable"))]
    Clash {
        /// The variable.
        name: Name,
        /// The value.
        value: Value,
    },
    /// The value nests deeper than messages can carry.
    #[error("the value nests more than {} levels deep", crate::MAX_VALUE_DEPTH)]
    TooDeep,
}

/// A derivation that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DeriveError {
    /// There is no such variable.
    #[error("there is no variable {0}")]
    UnknownVariable(VarId),
    /// The operator takes another number of inputs.
    #[error("{operator} takes {expected} input(s), found {found}")]
    Arity {
        /// The operator.
        operator: &'static str,
        /// How many it takes.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// An input is no collection.
    #[error("{operator} takes collections, and {name} is a {ty}{}", hint(.ty))]
    NotACollection {
        /// The operator.
        operator: &'static str,
        /// The input.
        name: Name,
        /// Its type.
        ty: Type,
    },
    /// The input has no such part.
    #[error("{name} is a {ty} and has no {facet}{}", parts(.ty))]
    NoFacet {
        /// The part.
        facet: &'static str,
        /// The input.
        name: Name,
        /// Its type.
        ty: Type,
    },
    /// The threshold is none for the input.
    #[error(transparent)]
    Threshold(#[from] ThresholdError),
    /// The result cannot be merged with what other nodes derive, so it stays here.
    #[error(
        "{operator} over {} gives a result that cannot be replicated: it may take back what other nodes still \
         derive; leave the variable to derive into out, and derive it where its inputs are held",
        called(name, "its input")
    )]
    NotCarried {
        /// The operator whose result it is.
        operator: &'static str,
        /// Its input.
        name: Name,
    },
    /// It cannot be told of two results of this fold which one is newer, so it stays here.
    #[error(
        "the result of a fold over {name} cannot be replicated: which of two is newer is told by what add-wins and \
         grow-only sets have seen, and {name} is a {ty}; leave the variable to derive into out"
    )]
    NotSummed {
        /// What it comes from, directly or not.
        name: Name,
        /// Its type.
        ty: Type,
    },
    /// Each node has such a variable for itself, and nothing tells which of two nodes' results is newer.
    #[error(
        "the result of a fold over {} cannot be replicated: each node has its own, and of two results it could not be \
         told which one is newer; let a replicated set follow it, and fold that",
        called(.0, "a dynamic variable")
    )]
    DynamicSummed(Name),
    /// The variable to derive into is of another type.
    #[error("{operator} can be derived into {wanted}, and {name} is {ty}")]
    Target {
        /// The operator.
        operator: &'static str,
        /// The type that it gives.
        wanted: Type,
        /// The variable to derive into.
        name: Name,
        /// Its type.
        ty: Type,
    },
    /// The variable to derive into is itself derived here, as a local result.
    #[error("{} is the result of another derivation; declare a set to derive into", called(.0, "the variable"))]
    ReadOnly(Name),
    /// The name for the result is taken.
    #[error("{0} is already declared")]
    NameTaken(Name),
    /// The variable would follow from itself.
    #[error(
        "the derivation would be a cycle: {} already follows from {}",
        called(from, "its input"),
        called(into, "what it derives into")
    )]
    Cycle {
        /// The variable to derive into.
        into: Name,
        /// The input that follows from it.
        from: Name,
    },
    /// `bind_to` joins variables of one type.
    #[error("{into} is a {into_ty} and {from} a {from_ty}: only variables of one type can be bound")]
    OtherType {
        /// The variable to bind.
        into: Name,
        /// Its type.
        into_ty: Type,
        /// The variable to follow.
        from: Name,
        /// Its type.
        from_ty: Type,
    },
    /// The states of two variables would be taken for one another's.
    #[error(
        "{0} has a value of its own, and the parts of two {1} variables cannot be told apart: bind an unused variable"
    )]
    NotFresh(Name, Type),
}

fn hint(ty: &Type) -> String {
    match ty.facets() {
        [] => String::new(),
        facets => format!("; take its {}", facets.iter().map(|facet| facet.name()).collect::<Vec<_>>().join(" or ")),
    }
}

fn parts(ty: &Type) -> String {
    match ty.facets() {
        [] => "; it is no collection".into(),
        facets => format!("; it has {}", facets.iter().map(|facet| facet.name()).collect::<Vec<_>>().join(", ")),
    }
}

/// A variable that cannot be forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UndeclareError {
    /// There is no such variable.
    #[error("there is no variable {0}")]
    UnknownVariable(VarId),
    /// Something follows from it.
    #[error("{} is in use{}", called(name, "the variable"), by.as_ref().map_or_else(String::new, |by| format!(": {by} follows from it")))]
    InUse {
        /// The variable.
        name: Name,
        /// What follows from it, where that has a name.
        by: Option<Name>,
    },
    /// Something is derived into it.
    #[error("{} is derived here; remove that derivation first", called(.0, "the variable"))]
    Derived(Name),
    /// Somebody waits for it or watches it.
    #[error("somebody waits for {} or watches it", called(.0, "the variable"))]
    Awaited(Name),
}

/// The name, where it is one that somebody gave.
fn called<'a>(name: &'a Name, else_called: &'a str) -> &'a str {
    if name.as_str().starts_with('~') { else_called } else { name.as_str() }
}

/// A derivation had no result for an element. The element is left out; everything else goes on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{operator} into {name} failed on {element}: {error}")]
pub struct DerivationError {
    /// The derived variable.
    pub var: VarId,
    /// Its name.
    pub name: Name,
    /// The operator.
    pub operator: &'static str,
    /// The input's element; for a fold without a result the atom `result`.
    pub element: Value,
    /// Why.
    pub error: FunctionError,
}
