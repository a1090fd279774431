//! What can be waited for, in Rust types.

use super::handle::Lasp;
use super::kind::Kind;
use super::life::Anchor;
use super::variable::Var;
use crate::error::Error;
use lasp_dataflow::{Facet, Output, Threshold, Type, Value, VarId, to_value};
use serde::Serialize;

/// What a variable of kind `K` can be waited for: a [`Threshold`] such as [`AtLeast`](Threshold::AtLeast) (the number of a
/// counter or register, the cardinality of a collection), [`Reaches`] or [`Exceeds`].
pub trait ThresholdOf<K> {
    /// As a threshold.
    ///
    /// # Errors
    /// [`Error::Element`], or [`Error::Threshold`] where the kind does not offer it.
    fn threshold(self) -> Result<Threshold, Error>;
}

impl<K> ThresholdOf<K> for Threshold {
    fn threshold(self) -> Result<Threshold, Error> {
        Ok(self)
    }
}

/// At or above a value in the order of the kind: a set that holds all of these elements, a counter or register that has come
/// so far, a flag that is raised, a pair of values both of which are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaches<V>(
    /// The value.
    pub V,
);

/// Strictly above a value in the order of the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeds<V>(
    /// The value.
    pub V,
);

impl<K: Kind, V: Serialize> ThresholdOf<K> for Reaches<V> {
    fn threshold(self) -> Result<Threshold, Error> {
        let ty = K::ty();
        Ok(Threshold::from_value(&ty, &form(&ty, &self.0)?)?)
    }
}

impl<K: Kind, V: Serialize> ThresholdOf<K> for Exceeds<V> {
    fn threshold(self) -> Result<Threshold, Error> {
        let ty = K::ty();
        Ok(Threshold::from_value(&ty, &Value::pair(Value::atom("strict"), form(&ty, &self.0)?))?)
    }
}

/// The value as the language writes it: to serde an array is a tuple, but here it may be a list of elements.
fn form(ty: &Type, value: &impl Serialize) -> Result<Value, Error> {
    match to_value(value)? {
        Value::Tuple(items) if is_of_elements(ty) => Ok(Value::List(items)),
        value => Ok(value),
    }
}

/// Whether variables of the type are waited on for a list: of a set's elements or a map's keys.
fn is_of_elements(ty: &Type) -> bool {
    ty.facets().contains(&Facet::Elements) && *ty != Type::MvRegister
}

/// A variable and how far it must have come; for [`Lasp::read_any`].
#[derive(Debug)]
pub struct Condition {
    pub(super) anchor: Anchor,
    pub(super) wanted: Result<(VarId, Threshold), Error>,
}

impl Condition {
    pub(super) fn new<K>(var: &Var<K>, threshold: impl ThresholdOf<K>) -> Self {
        Self { anchor: var.anchor().clone(), wanted: threshold.threshold().map(|threshold| (var.id(), threshold)) }
    }

    /// On a variable without a type.
    pub fn untyped(lasp: &Lasp, var: VarId, threshold: Threshold) -> Self {
        Self { anchor: Anchor::new(lasp), wanted: Ok((var, threshold)) }
    }
}

/// The first of several conditions that was met.
#[derive(Clone, Debug, PartialEq)]
pub struct Met {
    /// Its place among them.
    pub index: usize,
    /// The variable's value; [`Var::read_output`] turns it into a Rust value.
    pub output: Output,
}
