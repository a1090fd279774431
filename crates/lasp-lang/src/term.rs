//! What an expression evaluates to: values, and what only a program has (variables, functions, types, query results).
//!
//! A term knows upper bounds of its depth and size ([`Shape`]). They are exact for scalars and added up as terms are
//! built, so that a program cannot make a value that is too deep to walk or, by sharing, too large to print; the cost is
//! constant per part. A bound that gets too loose is measured again. What comes from outside, such as a derivation's
//! element, and its parts are measured only when something is built of them.

use crate::function::Function;
use lasp_dataflow::{Output, Type, Value};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Upper bounds of a term's nesting and number of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Nesting: 0 for scalars.
    pub depth: u32,
    /// Parts, itself included; texts count one per 16 bytes.
    pub weight: u32,
}

impl Shape {
    /// The deepest term (what a dataflow variable takes).
    pub const DEPTH_MAX: u32 = lasp_dataflow::MAX_VALUE_DEPTH as u32;
    /// The largest term (guess: what still prints in a moment).
    pub const WEIGHT_MAX: u32 = 1 << 20;

    pub(crate) const SCALAR: Self = Self { depth: 0, weight: 1 };

    /// Of something without parts that could have some.
    const EMPTY: Self = Self { depth: 1, weight: 1 };

    /// Of a value from outside that nobody has walked yet; everything measured weighs something.
    pub(crate) const UNMEASURED: Self = Self { depth: 0, weight: 0 };

    /// Whether the bounds are known.
    pub(crate) fn is_measured(self) -> bool {
        self.weight > 0
    }

    /// Whether both bounds are within the limits.
    pub fn fits(self) -> bool {
        self.depth <= Self::DEPTH_MAX && self.weight <= Self::WEIGHT_MAX
    }

    /// Of something over these parts.
    pub(crate) fn over(parts: impl Iterator<Item = Self>) -> Self {
        let mut sum = Self { depth: 0, weight: 1 };
        for part in parts {
            sum.depth = sum.depth.max(part.depth.saturating_add(1));
            sum.weight = sum.weight.saturating_add(part.weight);
        }
        sum.depth = sum.depth.max(1);
        sum
    }

    /// Of a part `value` of something with this shape.
    pub(crate) fn of_part(self, value: &Value) -> Self {
        match value {
            Value::Tuple(_) | Value::List(_) | Value::Map(_) if !self.is_measured() => Self::UNMEASURED,
            Value::Tuple(_) | Value::List(_) | Value::Map(_) => {
                Self { depth: self.depth.saturating_sub(1).max(1), weight: self.weight }
            }
            scalar => Self::of_scalar(scalar),
        }
    }

    fn of_scalar(value: &Value) -> Self {
        let bytes = match value {
            Value::Text(text) | Value::Atom(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            _ => 0,
        };
        Self { weight: 1 + (bytes / 16) as u32, ..Self::SCALAR }
    }

    /// The exact shape, found by walking; stops counting above the limits.
    pub fn measure(value: &Value) -> Self {
        let mut budget = Self::WEIGHT_MAX;
        Self::walk(value, 0, &mut budget)
    }

    fn walk(value: &Value, level: u32, budget: &mut u32) -> Self {
        const TOO_MUCH: Shape = Shape { depth: u32::MAX, weight: u32::MAX };
        if level > Self::DEPTH_MAX || *budget == 0 {
            return TOO_MUCH;
        }
        *budget -= 1;
        let mut under = |part: &Value| Self::walk(part, level + 1, budget);
        match value {
            Value::Tuple(items) | Value::List(items) => {
                let mut sum = Self { depth: 1, weight: 1 };
                for item in items.iter() {
                    sum = sum.plus(under(item));
                    if sum == TOO_MUCH {
                        break;
                    }
                }
                sum
            }
            Value::Map(entries) => {
                let mut sum = Self { depth: 1, weight: 1 };
                for (key, item) in entries.iter() {
                    sum = sum.plus(under(key)).plus(under(item));
                    if sum.weight == u32::MAX {
                        break;
                    }
                }
                sum
            }
            scalar => Self::of_scalar(scalar),
        }
    }

    fn plus(self, part: Self) -> Self {
        Self { depth: self.depth.max(part.depth.saturating_add(1)), weight: self.weight.saturating_add(part.weight) }
    }
}

/// A variable as a program holds it.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Which one, as the host numbers them.
    pub handle: Handle,
    /// Where the expression that gave it was evaluated: the node whose value is printed.
    pub node: usize,
}

/// A host's number for a variable, the same on all its nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(pub u32);

/// The result of an expression.
#[derive(Clone, Debug)]
pub enum Term {
    /// A value.
    Data(Value, Shape),
    /// A set that was queried: a list to every function, but printed as `set[...]`.
    Set(Arc<[Value]>, Shape),
    /// Concurrent values: a list, printed as `mv[...]`.
    Many(Arc<[Value]>, Shape),
    /// A graph that was queried: the map `#{vertices => [V, ...], edges => [{V, W}, ...]}` to every function, but printed
    /// as `graph{...}`.
    Graph(Value, Shape),
    /// A tuple, list or map that has parts which are no values.
    Mixed(Arc<Mixed>, Shape),
    /// A variable.
    Variable(Variable),
    /// A function.
    Function(Function),
    /// A type.
    Type(Type),
}

/// A structure some of whose parts are no values.
#[derive(Debug)]
pub enum Mixed {
    /// `{...}`
    Tuple(Vec<Term>),
    /// `[...]`
    List(Vec<Term>),
    /// `#{...}`
    Map(BTreeMap<Value, Term>),
}

impl Term {
    /// A value from outside, measured.
    pub fn data(value: Value) -> Self {
        let shape = Shape::measure(&value);
        Self::Data(value, shape)
    }

    /// A value from outside; constant cost.
    pub fn unmeasured(value: Value) -> Self {
        let shape = Shape::UNMEASURED.of_part(&value);
        Self::Data(value, shape)
    }

    /// Whether its shape is known without walking.
    pub(crate) fn is_measured(&self) -> bool {
        !matches!(self, Self::Data(_, shape) if !shape.is_measured())
    }

    /// A value without parts; constant cost.
    pub fn scalar(value: impl Into<Value>) -> Self {
        let value = value.into();
        let shape = Shape::of_scalar(&value);
        Self::Data(value, shape)
    }

    /// An atom.
    pub fn atom(name: &str) -> Self {
        Self::scalar(Value::atom(name))
    }

    /// The atom `ok`.
    pub fn ok() -> Self {
        Self::atom("ok")
    }

    /// `{...}`.
    pub fn tuple(items: Vec<Self>) -> Self {
        let shape = Shape::over(items.iter().map(Self::shape));
        match values(items) {
            Ok(values) => Self::Data(Value::Tuple(values), shape),
            Err(items) => Self::Mixed(Arc::new(Mixed::Tuple(items)), shape),
        }
    }

    /// `[...]`.
    pub fn list(items: Vec<Self>) -> Self {
        let shape = Shape::over(items.iter().map(Self::shape));
        match values(items) {
            Ok(values) => Self::Data(Value::List(values), shape),
            Err(items) => Self::Mixed(Arc::new(Mixed::List(items)), shape),
        }
    }

    /// `#{...}`.
    pub fn map(entries: BTreeMap<Value, Self>) -> Self {
        let keys = Shape::over(entries.keys().map(Shape::measure));
        let shape = Shape::over(entries.values().map(Self::shape).chain([keys]));
        let shape = Shape { depth: shape.depth.max(keys.depth), ..shape };
        if entries.values().all(|value| matches!(value, Self::Data(..))) {
            let plain = entries.into_iter().filter_map(|(key, value)| Some((key, value.into_data()?)));
            return Self::Data(Value::Map(Arc::new(plain.collect())), shape);
        }
        Self::Mixed(Arc::new(Mixed::Map(entries)), shape)
    }

    /// A set of these elements.
    pub fn set(mut items: Vec<Value>) -> Self {
        items.sort();
        items.dedup();
        let shape = Shape::over(items.iter().map(Shape::measure));
        Self::Set(items.into(), shape)
    }

    /// What a query answered.
    pub fn output(output: Output) -> Self {
        match output {
            Output::Set(items) => {
                let shape = Shape::over(items.iter().map(Shape::measure));
                Self::Set(items.into(), shape)
            }
            Output::Many(items) => {
                let shape = Shape::over(items.iter().map(Shape::measure));
                Self::Many(items.into(), shape)
            }
            Output::Value(value) => Self::data(value),
            Output::Unset => Self::atom("undefined"),
            Output::Map(entries) => Self::map(entries.into_iter().map(|(k, v)| (k, Self::output(v))).collect()),
            Output::Pair(first, second) => Self::tuple(vec![Self::output(*first), Self::output(*second)]),
            Output::Graph { .. } => {
                let graph = output.to_value();
                let shape = Shape::measure(&graph);
                Self::Graph(graph, shape)
            }
        }
    }

    /// Bounds of its size; walks it if nobody has before.
    pub fn shape(&self) -> Shape {
        match self {
            Self::Data(value, shape) if !shape.is_measured() => Shape::measure(value),
            other => other.shape_known(),
        }
    }

    /// The bounds, of what is not measured none.
    pub(crate) fn shape_known(&self) -> Shape {
        match self {
            Self::Data(_, shape)
            | Self::Set(_, shape)
            | Self::Many(_, shape)
            | Self::Graph(_, shape)
            | Self::Mixed(_, shape) => *shape,
            Self::Function(function) => Shape { depth: function.depth(), weight: 1 },
            Self::Variable(_) | Self::Type(_) => Shape::SCALAR,
        }
    }

    /// The same term with a bound found by walking, where it is a value.
    pub fn measured(self) -> Self {
        match self {
            Self::Data(value, _) => Self::data(value),
            other => other,
        }
    }

    /// A part of this term that is a value.
    fn part(&self, value: &Value) -> Self {
        Self::Data(value.clone(), self.shape_known().of_part(value))
    }

    /// The term's kind with its article.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Data(value, _) => value.kind(),
            Self::Set(..) => "a set",
            Self::Many(..) => "concurrent values",
            Self::Graph(..) => "a graph",
            Self::Mixed(mixed, _) => match **mixed {
                Mixed::Tuple(_) => "a tuple",
                Mixed::List(_) => "a list",
                Mixed::Map(_) => "a map",
            },
            Self::Variable(_) => "a variable",
            Self::Function(_) => "a function",
            Self::Type(_) => "a type",
        }
    }

    /// The value, if it is one.
    #[inline]
    pub(crate) fn data_ref(&self) -> Option<&Value> {
        match self {
            Self::Data(value, _) => Some(value),
            _ => None,
        }
    }

    fn into_data(self) -> Option<Value> {
        match self {
            Self::Data(value, _) => Some(value),
            _ => None,
        }
    }

    /// As a plain value: sets become lists, graphs maps. `Err` is the part that has no value.
    ///
    /// # Errors
    /// The variable, function or type inside.
    pub fn to_value(&self) -> Result<Value, &Self> {
        match self {
            Self::Data(value, _) | Self::Graph(value, _) => Ok(value.clone()),
            Self::Set(items, _) | Self::Many(items, _) => Ok(Value::List(items.clone())),
            Self::Mixed(mixed, _) => match &**mixed {
                Mixed::Tuple(items) => {
                    Ok(Value::Tuple(items.iter().map(Self::to_value).collect::<Result<Vec<_>, _>>()?.into()))
                }
                Mixed::List(items) => {
                    Ok(Value::List(items.iter().map(Self::to_value).collect::<Result<Vec<_>, _>>()?.into()))
                }
                Mixed::Map(entries) => {
                    let plain = entries.iter().map(|(key, value)| Ok((key.clone(), value.to_value()?)));
                    Ok(Value::Map(Arc::new(plain.collect::<Result<_, _>>()?)))
                }
            },
            Self::Variable(_) | Self::Function(_) | Self::Type(_) => Err(self),
        }
    }

    /// The elements, if it is a list or a set.
    pub fn as_list(&self) -> Option<Vec<Self>> {
        match self {
            Self::Data(Value::List(items), _) | Self::Set(items, _) | Self::Many(items, _) => {
                Some(items.iter().map(|item| self.part(item)).collect())
            }
            Self::Mixed(mixed, _) => match &**mixed {
                Mixed::List(items) => Some(items.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    /// The parts of a structure some of whose parts are no values.
    pub(crate) fn mixed_parts(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        match self {
            Self::Mixed(mixed, _) => match &**mixed {
                Mixed::Tuple(items) | Mixed::List(items) => Box::new(items.iter()),
                Mixed::Map(entries) => Box::new(entries.values()),
            },
            _ => Box::new(std::iter::empty()),
        }
    }

    /// The fields, if it is a tuple.
    pub fn as_tuple(&self) -> Option<Vec<Self>> {
        match self {
            Self::Data(Value::Tuple(items), _) => Some(items.iter().map(|item| self.part(item)).collect()),
            Self::Mixed(mixed, _) => match &**mixed {
                Mixed::Tuple(items) => Some(items.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    /// The entries, if it is a map.
    pub fn as_map(&self) -> Option<BTreeMap<Value, Self>> {
        match self {
            Self::Data(Value::Map(entries), _) | Self::Graph(Value::Map(entries), _) => {
                Some(entries.iter().map(|(key, value)| (key.clone(), self.part(value))).collect())
            }
            Self::Mixed(mixed, _) => match &**mixed {
                Mixed::Map(entries) => Some(entries.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    /// The value under `key`, if it is a map that has it. Logarithmic.
    pub fn map_get(&self, key: &Value) -> Option<Self> {
        match self {
            Self::Data(Value::Map(entries), _) | Self::Graph(Value::Map(entries), _) => {
                entries.get(key).map(|value| self.part(value))
            }
            Self::Mixed(mixed, _) => match &**mixed {
                Mixed::Map(entries) => entries.get(key).cloned(),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether it is a map.
    pub fn is_map(&self) -> bool {
        match self {
            Self::Data(Value::Map(_), _) | Self::Graph(..) => true,
            Self::Mixed(mixed, _) => matches!(**mixed, Mixed::Map(_)),
            _ => false,
        }
    }

    /// The elements from position `from` on, if it is a list or set that has so many.
    pub(crate) fn list_tail(&self, from: usize) -> Option<Self> {
        match self {
            Self::Data(Value::List(items), shape) | Self::Set(items, shape) | Self::Many(items, shape) => {
                let rest = items.get(from..)?;
                let shape = if rest.is_empty() { Shape::EMPTY } else { *shape };
                Some(Self::Data(Value::List(rest.into()), shape))
            }
            Self::Mixed(mixed, _) => match &**mixed {
                Mixed::List(items) => Some(Self::list(items.get(from..)?.to_vec())),
                _ => None,
            },
            _ => None,
        }
    }

    /// How many elements it has, if it is a list or set.
    pub(crate) fn list_len(&self) -> Option<usize> {
        match self {
            Self::Data(Value::List(items), _) | Self::Set(items, _) | Self::Many(items, _) => Some(items.len()),
            Self::Mixed(mixed, _) => match &**mixed {
                Mixed::List(items) => Some(items.len()),
                _ => None,
            },
            _ => None,
        }
    }

    /// The element at `index`, from 0, if it is a list or set that has it.
    pub(crate) fn list_get(&self, index: usize) -> Option<Self> {
        match self {
            Self::Data(Value::List(items), _) | Self::Set(items, _) | Self::Many(items, _) => {
                items.get(index).map(|item| self.part(item))
            }
            Self::Mixed(mixed, _) => match &**mixed {
                Mixed::List(items) => items.get(index).cloned(),
                _ => None,
            },
            _ => None,
        }
    }

    /// How many fields it has, if it is a tuple.
    pub(crate) fn tuple_len(&self) -> Option<usize> {
        match self {
            Self::Data(Value::Tuple(items), _) => Some(items.len()),
            Self::Mixed(mixed, _) => match &**mixed {
                Mixed::Tuple(items) => Some(items.len()),
                _ => None,
            },
            _ => None,
        }
    }

    /// The field at `index`, from 0, if it is a tuple that has it.
    pub(crate) fn tuple_get(&self, index: usize) -> Option<Self> {
        match self {
            Self::Data(Value::Tuple(items), _) => items.get(index).map(|item| self.part(item)),
            Self::Mixed(mixed, _) => match &**mixed {
                Mixed::Tuple(items) => items.get(index).cloned(),
                _ => None,
            },
            _ => None,
        }
    }

    /// How many entries it has, if it is a map.
    pub(crate) fn map_len(&self) -> Option<usize> {
        match self {
            Self::Data(Value::Map(entries), _) => Some(entries.len()),
            Self::Mixed(mixed, _) => match &**mixed {
                Mixed::Map(entries) => Some(entries.len()),
                _ => None,
            },
            _ => None,
        }
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Data(Value::Bool(value), _) => Some(*value),
            _ => None,
        }
    }

    /// The integer, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Data(Value::Int(value), _) => Some(*value),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&Arc<str>> {
        match self {
            Self::Data(Value::Text(text), _) => Some(text),
            _ => None,
        }
    }

    /// Exact equality: `1` is not `1.0`. Variables are equal if they are the same variable, functions never.
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Variable(a), Self::Variable(b)) => a.handle == b.handle,
            (Self::Type(a), Self::Type(b)) => a == b,
            (Self::Mixed(a, _), Self::Mixed(b, _)) => match (&**a, &**b) {
                (Mixed::Tuple(a), Mixed::Tuple(b)) | (Mixed::List(a), Mixed::List(b)) => {
                    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b))
                }
                (Mixed::Map(a), Mixed::Map(b)) => {
                    a.len() == b.len() && a.iter().zip(b).all(|((ka, a), (kb, b))| ka == kb && a.same(b))
                }
                _ => false,
            },
            _ => matches!((self.to_value(), other.to_value()), (Ok(a), Ok(b)) if a == b),
        }
    }
}

/// All of them as values, if they are. Query results stay what they are, so that they print as such.
fn values(items: Vec<Term>) -> Result<Arc<[Value]>, Vec<Term>> {
    if items.iter().any(|item| !matches!(item, Term::Data(..))) {
        return Err(items);
    }
    let value = |item| match item {
        Term::Data(value, _) => value,
        _ => unreachable!("every item is a value"),
    };
    Ok(items.into_iter().map(value).collect())
}

/// How many parts of two values must be looked at side by side to find the first difference.
pub(crate) fn common_parts(left: &Value, right: &Value) -> u64 {
    fn walk(left: &Value, right: &Value, seen: &mut u64) -> bool {
        *seen += 1;
        match (left, right) {
            (Value::Tuple(a), Value::Tuple(b)) | (Value::List(a), Value::List(b)) => {
                a.iter().zip(b.iter()).all(|(a, b)| walk(a, b, seen))
            }
            (Value::Map(a), Value::Map(b)) => {
                a.iter().zip(b.iter()).all(|((ka, a), (kb, b))| walk(ka, kb, seen) && walk(a, b, seen))
            }
            _ => {
                *seen += u64::from(Shape::of_scalar(left).weight.min(Shape::of_scalar(right).weight));
                compare(left, right).is_eq()
            }
        }
    }
    let mut seen = 0;
    walk(left, right, &mut seen);
    seen
}

/// The order of comparison operators: as the order of values, but an integer equals the float of the same number.
pub fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Int(int), Value::Float(float)) => float.cmp_int(*int).reverse(),
        (Value::Float(float), Value::Int(int)) => float.cmp_int(*int),
        (Value::Tuple(a), Value::Tuple(b)) | (Value::List(a), Value::List(b)) => compare_all(a.iter(), b.iter()),
        (Value::Map(a), Value::Map(b)) => {
            compare_all(a.iter().flat_map(|(k, v)| [k, v]), b.iter().flat_map(|(k, v)| [k, v]))
        }
        _ => left.cmp(right),
    }
}

fn compare_all<'a>(mut left: impl Iterator<Item = &'a Value>, mut right: impl Iterator<Item = &'a Value>) -> Ordering {
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match compare(a, b) {
                Ordering::Equal => {}
                unequal => return unequal,
            },
        }
    }
}
