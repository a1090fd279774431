//! Operators as data: which function of which variables a derived variable is.
//!
//! Functions come in behind [`Call`], so that closures, the language's functions and whatever else computes a value are
//! one thing here. They must be pure and deterministic: each node calls them whenever it likes.

use crate::threshold::Threshold;
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

    /// A text that only functions share which compute the same for the same arguments (a program's text with all that it
    /// captured, say). Derivations with the same inputs and the same functions are computed once. `None` where nothing is
    /// known: such a function is the same as itself only.
    fn identity(&self) -> Option<Arc<str>> {
        None
    }

    /// Of a predicate over pairs `{X, Y}` that demands the equality of a key of `X` and a key of `Y`: those keys, so that
    /// a filter over a product becomes a join. `None` for any other function.
    fn equi_join(&self) -> Option<EquiJoin> {
        None
    }
}

/// A predicate over pairs, taken apart: it holds where the keys are equal and the rest holds too.
#[derive(Clone)]
pub struct EquiJoin {
    /// The key of a pair's first.
    pub left_key: Function,
    /// The key of a pair's second.
    pub right_key: Function,
    /// What else the predicate demands of the pair; `None` for nothing.
    pub rest: Option<Function>,
}

/// A shared function.
pub type Function = Arc<dyn Call>;

/// The text of a program, which tells in which line a byte of it stands.
pub trait ProgramText: fmt::Debug + Send + Sync {
    /// What the program is called.
    fn name(&self) -> &str;

    /// Line and column of a byte offset, both from 1.
    fn position(&self, offset: u32) -> (usize, usize);
}

/// Why a function has no value for its arguments.
#[derive(Clone, Debug, Error)]
#[error("{message}")]
pub struct FunctionError {
    /// For the author of the function.
    pub message: Box<str>,
    /// Where in the program's text, as byte offsets of its start and end, where there is such a text.
    pub at: Option<(u32, u32)>,
    /// That text, where it is known.
    pub program: Option<Arc<dyn ProgramText>>,
}

/// The text is not compared: it says nothing more about what went wrong.
impl PartialEq for FunctionError {
    fn eq(&self, other: &Self) -> bool {
        (&self.message, self.at) == (&other.message, other.at)
    }
}

impl Eq for FunctionError {}

impl FunctionError {
    /// An error with this message.
    pub fn new(message: impl Into<Box<str>>) -> Self {
        Self { message: message.into(), at: None, program: None }
    }

    /// The same, at these byte offsets of the program's text.
    pub fn at(self, start: u32, end: u32) -> Self {
        Self { at: Some((start, end)), ..self }
    }

    /// The same, in this text.
    pub fn in_program(self, program: Arc<dyn ProgramText>) -> Self {
        Self { program: Some(program), ..self }
    }

    /// The program, line and column where it stands, if all of that is known. Cost: that of the text before it.
    pub fn place(&self) -> Option<(&str, usize, usize)> {
        let (program, (start, _)) = (self.program.as_ref()?, self.at?);
        let (line, column) = program.position(start);
        Some((program.name(), line, column))
    }
}

impl fmt::Debug for EquiJoin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.left_key.describe(), self.right_key.describe())?;
        self.rest.as_ref().map_or(Ok(()), |rest| write!(f, ", {}", rest.describe()))
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

/// What of a variable a derivation takes as a collection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Facet {
    /// What the variable's type is taken for where nothing else is said: a set's elements, a map's entries `{Key, Value}`,
    /// the concurrent values of a multi-value register; of a derived scalar its value, if it has one. Graphs have none.
    #[default]
    Elements,
    /// The keys of a map.
    Keys,
    /// The vertices of a graph.
    Vertices,
    /// The edges `{From, To}` of a graph.
    Edges,
}

impl Facet {
    /// Its name in the language.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Elements => "elements",
            Self::Keys => "keys",
            Self::Vertices => "vertices",
            Self::Edges => "edges",
        }
    }
}

/// How a derived variable follows from its inputs.
///
/// Those that give collections, but for [`Difference`](Self::Difference) and [`Group`](Self::Group), are lattice morphisms
/// on their inputs: fed with changes alone, in any order, they give what they would for the whole.
#[derive(Clone)]
pub enum Operator {
    /// A part of a variable as a collection: the elements of a set, the entries or keys of a map, the vertices or edges of
    /// a graph. One input.
    View(Facet),
    /// The images of the elements. One input. Of a variable that is no collection: the image of its value, a scalar.
    Map(Function),
    /// The elements for which the function says `true`. One input.
    Filter(Function),
    /// The elements of the lists that the function gives. One input.
    FlatMap(Function),
    /// The elements of any input. Two inputs.
    Union,
    /// The elements of both inputs.
    Intersection,
    /// The elements of the first input that are not in the second. Monotone in the causal state of the inputs, not in
    /// their values: an addition to the second takes an element away.
    Difference,
    /// All pairs of an element of the first and one of the second input.
    Product,
    /// The pairs whose keys are equal.
    Join {
        /// The key of the first input's elements.
        left_key: Function,
        /// The key of the second input's elements.
        right_key: Function,
    },
    /// A scalar over the elements. One input.
    Fold(Aggregate),
    /// A map from the elements' keys to an aggregate over the elements with that key. One input.
    Group {
        /// The key of an element.
        key: Function,
        /// What is computed for each key.
        aggregate: Aggregate,
    },
    /// A flag: whether the variable has reached the threshold. One input, of any type.
    Reached(Box<Threshold>),
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
    /// An aggregate over what the function makes of each element: `Of(price, Sum)` is the sum of the prices, where equal
    /// prices of two elements count twice.
    Of(Function, Box<Self>),
    /// Several at once: a tuple of their results.
    All(Vec<Self>),
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
            Self::View(_)
            | Self::Map(_)
            | Self::Filter(_)
            | Self::FlatMap(_)
            | Self::Fold(_)
            | Self::Group { .. }
            | Self::Reached(_) => 1,
            Self::Union | Self::Intersection | Self::Difference | Self::Product | Self::Join { .. } => 2,
        }
    }

    /// Its name in the language.
    pub fn name(&self) -> &'static str {
        match self {
            Self::View(facet) => facet.name(),
            Self::Map(_) => "map",
            Self::Filter(_) => "filter",
            Self::FlatMap(_) => "flat_map",
            Self::Union => "union",
            Self::Intersection => "intersection",
            Self::Difference => "difference",
            Self::Product => "product",
            Self::Join { .. } => "join",
            Self::Fold(_) => "fold",
            Self::Group { .. } => "group",
            Self::Reached(_) => "reached",
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
            Self::Group { key, aggregate } => write!(f, "group({}, {aggregate:?})", key.describe()),
            Self::Reached(threshold) => write!(f, "reached({threshold})"),
            Self::View(_) | Self::Union | Self::Intersection | Self::Difference | Self::Product => {
                f.write_str(self.name())
            }
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
            Self::Of(function, aggregate) => write!(f, "{{{aggregate:?}, {}}}", function.describe()),
            Self::All(all) => f.debug_list().entries(all).finish(),
            Self::Custom { step, init, inverse } => {
                write!(f, "{}, {init}", step.describe())?;
                inverse.as_ref().map_or(Ok(()), |inverse| write!(f, ", {}", inverse.describe()))
            }
        }
    }
}
