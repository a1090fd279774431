//! Operators as data: which function of which variables a derived variable is.
//!
//! Functions come in behind [`Call`], so that closures, the language's functions and whatever else computes a value are
//! one thing here. They must be pure and deterministic: each node calls them whenever it likes.

use crate::value::Value;
use std::fmt;
use std::sync::Arc;
use thiserror::Error;

/// A pure function of values.
pub trait Call: Send + Sync {
    /// Computes the result; the same for the same arguments, always.
    ///
    /// # Errors
    /// [`FunctionError`] where the function has no value for these arguments.
    fn call(&self, args: &[Value]) -> Result<Value, FunctionError>;

    /// What to show for this function, its source where there is one.
    fn describe(&self) -> String;
}

/// A shared function.
pub type Function = Arc<dyn Call>;

/// Why a function has no value for its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct FunctionError {
    /// For the author of the function.
    pub message: Box<str>,
    /// Where in the program's text, as byte offsets of its start and end, where there is such a text.
    pub at: Option<(u32, u32)>,
}

impl FunctionError {
    /// An error with this message.
    pub fn new(message: impl Into<Box<str>>) -> Self {
        Self { message: message.into(), at: None }
    }

    /// The same, at these byte offsets of the program's text.
    pub fn at(self, start: u32, end: u32) -> Self {
        Self { at: Some((start, end)), ..self }
    }
}

impl<E: Into<Box<str>>> From<E> for FunctionError {
    fn from(message: E) -> Self {
        Self::new(message)
    }
}

/// Wraps a Rust closure; it must be pure.
pub fn function<F>(f: F) -> Function
where
    F: Fn(&[Value]) -> Result<Value, FunctionError> + Send + Sync + 'static,
{
    Arc::new(Closure(f))
}

struct Closure<F>(F);

impl<F> Call for Closure<F>
where
    F: Fn(&[Value]) -> Result<Value, FunctionError> + Send + Sync,
{
    fn call(&self, args: &[Value]) -> Result<Value, FunctionError> {
        (self.0)(args)
    }

    fn describe(&self) -> String {
        "a Rust closure".into()
    }
}

/// How a derived variable follows from its inputs. All but [`Fold`](Self::Fold) take and give sets and are lattice
/// morphisms: fed with changes alone, in any order, they give what they would for the whole.
#[derive(Clone)]
pub enum Operator {
    /// The images of the elements. One input.
    Map(Function),
    /// The elements for which the function says `true`. One input.
    Filter(Function),
    /// The elements of the lists that the function gives. One input.
    FlatMap(Function),
    /// The elements of any input. Two inputs.
    Union,
    /// The elements of both inputs.
    Intersection,
    /// All pairs of an element of the first and one of the second input.
    Product,
    /// The pairs whose keys are equal.
    Join {
        /// The key of the first input's elements.
        left_key: Function,
        /// The key of the second input's elements.
        right_key: Function,
    },
    /// A scalar over the elements. One input; a local result.
    Fold(Aggregate),
}

/// How elements are summed up.
#[derive(Clone)]
pub enum Aggregate {
    /// How many there are.
    Count,
    /// Their sum, exact also for floats; an integer where all are integers.
    Sum,
    /// The least, in the order of values; unset without elements.
    Min,
    /// The greatest, in the order of values; unset without elements.
    Max,
    /// Their mean as a float; unset without elements.
    Avg,
    /// A user's function. `step(element, accumulator)` must not depend on the order of the elements. With an `inverse`,
    /// where `inverse(x, step(x, acc)) = acc`, a removal costs one call; without one, it costs a call for each element left.
    Custom {
        /// `step(element, accumulator)`.
        step: Function,
        /// The accumulator of the empty set.
        init: Value,
        /// Undoes `step`.
        inverse: Option<Function>,
    },
}

impl Operator {
    /// How many inputs it takes.
    pub fn arity(&self) -> usize {
        match self {
            Self::Map(_) | Self::Filter(_) | Self::FlatMap(_) | Self::Fold(_) => 1,
            Self::Union | Self::Intersection | Self::Product | Self::Join { .. } => 2,
        }
    }

    /// Its name in the language.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Map(_) => "map",
            Self::Filter(_) => "filter",
            Self::FlatMap(_) => "flat_map",
            Self::Union => "union",
            Self::Intersection => "intersection",
            Self::Product => "product",
            Self::Join { .. } => "join",
            Self::Fold(_) => "fold",
        }
    }
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Map(function) | Self::Filter(function) | Self::FlatMap(function) => {
                write!(f, "{}({})", self.name(), function.describe())
            }
            Self::Join { left_key, right_key } => write!(f, "join({}, {})", left_key.describe(), right_key.describe()),
            Self::Fold(aggregate) => write!(f, "fold({aggregate:?})"),
            Self::Union | Self::Intersection | Self::Product => f.write_str(self.name()),
        }
    }
}

impl fmt::Debug for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count => f.write_str("count"),
            Self::Sum => f.write_str("sum"),
            Self::Min => f.write_str("min"),
            Self::Max => f.write_str("max"),
            Self::Avg => f.write_str("avg"),
            Self::Custom { step, init, inverse } => {
                write!(f, "{}, {init}", step.describe())?;
                inverse.as_ref().map_or(Ok(()), |inverse| write!(f, ", {}", inverse.describe()))
            }
        }
    }
}
