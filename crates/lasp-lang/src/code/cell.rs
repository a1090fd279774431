//! What a variable or an expression of compiled code holds: a borrowed value, or a term of its own.

use super::{Result, Stop};
use crate::machine::arithmetic::Number;
use crate::term::{Shape, Term};
use lasp_dataflow::Value;

static UNSET: Value = Value::Bool(false);

/// A borrowed value costs nothing to copy, and nothing to take apart.
pub(super) enum Cell<'a> {
    /// A value that lives outside the call, with bounds of its shape if they are known.
    Borrowed(&'a Value, Shape),
    /// Anything else.
    Own(Term),
}

impl<'a> Cell<'a> {
    /// Of a variable that is not bound yet.
    pub(super) const UNSET: Self = Self::Borrowed(&UNSET, Shape::UNMEASURED);

    pub(super) fn borrowed(term: &'a Term) -> Self {
        match term {
            Term::Data(value, shape) => Self::Borrowed(value, *shape),
            other => Self::Own(other.clone()),
        }
    }

    pub(super) fn number_of(number: Number) -> Self {
        Self::Own(Term::Data(number.value(), Shape::SCALAR))
    }

    pub(super) fn bool(value: bool) -> Self {
        Self::Own(Term::Data(Value::Bool(value), Shape::SCALAR))
    }

    /// A part of a borrowed value.
    pub(super) fn part(value: &'a Value, whole: Shape) -> Self {
        Self::Borrowed(value, whole.of_part(value))
    }

    pub(super) fn copy(&self) -> Self {
        match self {
            Self::Borrowed(value, shape) => Self::Borrowed(value, *shape),
            Self::Own(term) => Self::Own(term.clone()),
        }
    }

    pub(super) fn into_term(self) -> Term {
        match self {
            Self::Borrowed(value, shape) => Term::Data(value.clone(), shape),
            Self::Own(term) => term,
        }
    }

    /// The value, if it is one.
    pub(super) fn data(&self) -> Option<&Value> {
        match self {
            Self::Borrowed(value, _) => Some(value),
            Self::Own(Term::Data(value, _)) => Some(value),
            Self::Own(_) => None,
        }
    }

    pub(super) fn number(&self) -> Result<Number> {
        match self.data() {
            Some(Value::Int(int)) => Ok(Number::Int(*int)),
            Some(Value::Float(float)) => Ok(Number::Float(float.get())),
            _ => Err(Stop::Failed),
        }
    }

    pub(super) fn bool_value(&self) -> Option<bool> {
        match self.data() {
            Some(Value::Bool(value)) => Some(*value),
            _ => None,
        }
    }

    /// Exact equality.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self.data(), other.data()) {
            (Some(a), Some(b)) => a == b,
            _ => self.copy().into_term().same(&other.copy().into_term()),
        }
    }
}
