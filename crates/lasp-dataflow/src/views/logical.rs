//! Views as the program wrote them: which function of which variables and views each is, and who refers to it.
//!
//! Equal views are one: an operator with the same functions on the same inputs is looked up before it is made.

use super::{NodeId, ViewId};
use crate::name::VarId;
use crate::operator::{Aggregate, Facet, Function, Operator};
use smallvec::SmallVec;
use std::fmt::Write;
use std::sync::Arc;

/// What a view is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Input {
    Var(VarId),
    View(ViewId),
}

/// What a view's value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A set of members.
    Set,
    /// One value or none.
    Scalar,
    /// A map from keys to one value each; its members are the entries.
    Map,
    /// A boolean.
    Flag,
}

impl Shape {
    pub(crate) fn is_collection(self) -> bool {
        matches!(self, Self::Set | Self::Map)
    }
}

/// A view.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) operator: Operator,
    pub(crate) inputs: SmallVec<[Input; 2]>,
    pub(crate) shape: Shape,
    pub(super) key: Key,
    /// Variables and views that refer to it.
    pub(super) users: u32,
    /// The node that computes it, if any does.
    pub(super) node: Option<NodeId>,
    /// The variables that show it.
    pub(crate) vars: SmallVec<[VarId; 1]>,
}

/// What two views have in common that are the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    operator: &'static str,
    functions: SmallVec<[Identity; 1]>,
    /// What else the operator was given.
    rest: String,
    inputs: SmallVec<[Input; 2]>,
}

/// A function as a key: by its text, or else itself and no other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identity {
    Text(Arc<str>),
    /// Its address: unique while the view that holds the function lives. Never shown, never ordered by in what is.
    Address(usize),
}

impl Key {
    pub(super) fn of(operator: &Operator, inputs: &[Input]) -> Self {
        let mut key = Self {
            operator: operator.name(),
            functions: SmallVec::new(),
            rest: String::new(),
            inputs: inputs.iter().copied().collect(),
        };
        match operator {
            Operator::Map(f) | Operator::Filter(f) | Operator::FlatMap(f) => key.function(f),
            Operator::Join { left_key, right_key } => {
                key.function(left_key);
                key.function(right_key);
            }
            Operator::Fold(aggregate) => key.aggregate(aggregate),
            Operator::Group { key: by, aggregate } => {
                key.function(by);
                key.aggregate(aggregate);
            }
            Operator::Reached(threshold) => _ = write!(key.rest, "{threshold:?}"),
            Operator::View(_) | Operator::Union | Operator::Intersection | Operator::Difference | Operator::Product => {
            }
        }
        key
    }

    fn function(&mut self, function: &Function) {
        let identity = match function.identity() {
            Some(text) => Identity::Text(text),
            None => Identity::Address(Arc::as_ptr(function).cast::<()>() as usize),
        };
        self.functions.push(identity);
    }

    fn aggregate(&mut self, aggregate: &Aggregate) {
        self.rest += match aggregate {
            Aggregate::Count => "count ",
            Aggregate::Sum => "sum ",
            Aggregate::Min => "min ",
            Aggregate::Max => "max ",
            Aggregate::Avg => "avg ",
            Aggregate::Of(function, inner) => {
                self.function(function);
                self.rest += "of ";
                return self.aggregate(inner);
            }
            Aggregate::All(all) => {
                _ = write!(self.rest, "all {} ", all.len());
                return all.iter().for_each(|one| self.aggregate(one));
            }
            Aggregate::Custom { step, init, inverse } => {
                self.function(step);
                inverse.iter().for_each(|inverse| self.function(inverse));
                _ = write!(self.rest, "custom {init} {} ", inverse.is_some());
                return;
            }
        };
    }
}

/// The facet that a view of a variable shows.
pub(super) fn facet(operator: &Operator) -> Option<Facet> {
    match operator {
        Operator::View(facet) => Some(*facet),
        _ => None,
    }
}
