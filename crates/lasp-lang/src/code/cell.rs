//! What a variable or an expression of compiled code holds: a borrowed value, or a term of its own.

use super::done::{Done, Kind};
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

    pub(super) fn int(value: i64) -> Self {
        Self::number_of(Number::Int(value))
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

    /// The part that `part` finds in it.
    pub(super) fn part_by(&self, part: impl Fn(&Value) -> Option<&Value>) -> Option<Self> {
        match self {
            Self::Borrowed(value, shape) => part(value).map(|found| Self::part(found, *shape)),
            Self::Own(Term::Data(value, shape)) => {
                part(value).map(|found| Self::Own(Term::Data(found.clone(), shape.of_part(found))))
            }
            Self::Own(_) => None,
        }
    }

    /// Takes the result of a call.
    pub(super) fn hold(&mut self, result: Self) -> Done {
        *self = result;
        Done::ELSEWHERE
    }

    /// The result of a call that had this cell to leave it in.
    pub(super) fn resolved(self, done: Done) -> Result<Self> {
        match done.kind {
            Kind::Int => Ok(Self::int(done.as_int())),
            Kind::Bool => Ok(Self::bool(done.as_bool())),
            Kind::Elsewhere => Ok(self),
            Kind::Failed => Err(Stop::Failed),
            Kind::Undecided => Err(Stop::Undecided),
        }
    }

    /// As a value, unless it is none.
    pub(super) fn into_value(self) -> Option<Value> {
        match self {
            Self::Borrowed(value, _) => Some(value.clone()),
            Self::Own(Term::Data(value, _)) => Some(value),
            Self::Own(term) => term.to_value().ok(),
        }
    }

    /// The elements, if it is a list of values.
    pub(super) fn elements(&self) -> Option<&[Value]> {
        match self {
            Self::Borrowed(Value::List(items), _) => Some(items),
            Self::Own(Term::Data(Value::List(items), _) | Term::Set(items, _) | Term::Many(items, _)) => Some(items),
            _ => None,
        }
    }

    /// How many elements it has, if it is a list or set.
    pub(super) fn list_len(&self) -> Option<usize> {
        match self {
            Self::Borrowed(Value::List(items), _) => Some(items.len()),
            Self::Borrowed(..) => None,
            Self::Own(term) => term.list_len(),
        }
    }

    /// Bounds of its shape, as far as they are known.
    pub(super) fn shape_known(&self) -> Shape {
        match self {
            Self::Borrowed(_, shape) => *shape,
            Self::Own(term) => term.shape_known(),
        }
    }

    /// Whether comparing it with anything is as good as free.
    pub(super) fn is_small(&self) -> bool {
        matches!(self.data(), Some(Value::Int(_) | Value::Float(_) | Value::Bool(_)))
    }

    /// The value, if it is one.
    #[inline]
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
