//! Expressions as a closed tree: what is left of SQL once names are resolved.
//!
//! A tree is evaluated over a *row*: elements of one or several sources in nested pairs, as joins make them. The same
//! tree, printed with `Debug`, is its identity: places in the text and spellings are left out there.

use crate::error::Span;
use lasp_dataflow::Value;
use std::fmt;
use std::sync::Arc;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    /// `null`.
    Null,
    /// A literal.
    Constant(Value),
    /// A part of the row.
    Field(Field),
    /// An operator with its arguments.
    Apply(Op, Vec<Self>, At),
    /// An aggregate over the rows of a group; replaced by a field before anything is evaluated.
    Aggregate(Box<Aggregation>),
}

/// A part of one source's element.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    /// Which source.
    pub(crate) source: usize,
    pub(crate) access: Access,
    pub(crate) at: At,
    pub(crate) label: Label,
}

/// Which part.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Access {
    /// The entry of a map under this name, as an atom or as a text.
    Column { atom: Value, text: Value },
    /// One of so many fields of a tuple; an element that is no tuple is a row of one.
    Position { index: usize, of: usize },
    /// The element itself.
    Whole,
    /// Of a group `{Key, Results}`: a part of the key.
    Key(usize),
    /// Of a group: one of the results.
    Result(usize),
    /// Of results alone.
    Total(usize),
}

/// An aggregate.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Aggregation {
    pub(crate) kind: Kind,
    pub(crate) distinct: bool,
    /// Of `count(*)`, none.
    pub(crate) argument: Option<Expr>,
    pub(crate) at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Count,
    Sum,
    Min,
    Max,
    Avg,
}

/// Operators; what each makes of null is in `eval`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Op {
    Not,
    Negate,
    And,
    Or,
    Compare(Comparison),
    Arithmetic(Arithmetic),
    Concat,
    /// The first among the others.
    In,
    /// The first between the second and the third.
    Between,
    Like {
        escape: Option<char>,
        ignore_case: bool,
    },
    IsNull,
    /// `is true`, `is false`.
    Is(bool),
    /// `is distinct from`.
    Distinct,
    Coalesce,
    NullIf,
    /// Condition, result, ..., and the result otherwise.
    Case,
    /// A value, then what it may equal, result, ..., and the result otherwise.
    Switch,
    Lower,
    Upper,
    Length,
    Abs,
    /// `{Rank, Value}`, or of null `{1 - Rank}`: so the least with rank 0, and the greatest with rank 1, is no null.
    Ranked(i64),
    /// Undoes it.
    Unranked,
    /// The first; null where the second is 0.
    Unless0,
    /// The first divided by the second, a float; null where the second is 0.
    Mean,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

/// Where something stands in the text: no part of what it means.
#[derive(Clone, Copy)]
pub(crate) struct At(pub(crate) Span);

/// How something is written: no part of what it means.
#[derive(Clone)]
pub(crate) struct Label(pub(crate) Arc<str>);

impl PartialEq for At {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl PartialEq for Label {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for At {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl Expr {
    pub(crate) fn all(mut conditions: Vec<Self>, at: At) -> Self {
        if conditions.len() == 1 { conditions.remove(0) } else { Self::Apply(Op::And, conditions, at) }
    }

    /// Calls `each` with every field.
    pub(crate) fn each_field(&mut self, each: &mut dyn FnMut(&mut Field)) {
        match self {
            Self::Field(field) => each(field),
            Self::Apply(_, args, _) => args.iter_mut().for_each(|arg| arg.each_field(each)),
            Self::Aggregate(aggregation) => aggregation.argument.iter_mut().for_each(|arg| arg.each_field(each)),
            Self::Null | Self::Constant(_) => {}
        }
    }

    /// The sources it reads, one bit each.
    pub(crate) fn sources(&self) -> u32 {
        match self {
            Self::Field(field) => 1 << field.source,
            Self::Apply(_, args, _) => args.iter().fold(0, |mask, arg| mask | arg.sources()),
            Self::Aggregate(aggregation) => aggregation.argument.as_ref().map_or(0, Self::sources),
            Self::Null | Self::Constant(_) => 0,
        }
    }

    pub(crate) fn has_aggregate(&self) -> bool {
        match self {
            Self::Aggregate(_) => true,
            Self::Apply(_, args, _) => args.iter().any(Self::has_aggregate),
            _ => false,
        }
    }
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Avg => "avg",
        }
    }
}

impl Op {
    /// Whether it needs no parentheses: it is written as a call, or not at all.
    fn shows_simply(&self) -> bool {
        matches!(self, Self::Ranked(_) | Self::Unranked | Self::Unless0 | Self::Mean | Self::Case | Self::Switch)
            || matches!(self, Self::Coalesce | Self::NullIf | Self::Lower | Self::Upper | Self::Length | Self::Abs)
    }
}

impl Comparison {
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl Arithmetic {
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
        }
    }
}

/// As SQL, for people.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Constant(Value::Text(text)) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Constant(value) => write!(f, "{value}"),
            Self::Field(field) => f.write_str(&field.label.0),
            Self::Aggregate(aggregation) => {
                let distinct = if aggregation.distinct { "distinct " } else { "" };
                write!(f, "{}({distinct}", aggregation.kind.name())?;
                match &aggregation.argument {
                    Some(argument) => write!(f, "{argument})"),
                    None => f.write_str("*)"),
                }
            }
            Self::Apply(op, args, _) => apply(op, args, f),
        }
    }
}

fn apply(op: &Op, args: &[Expr], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (op, args) {
        (Op::Not, [a]) => write!(f, "not {}", Inner(a)),
        (Op::Negate, [a]) => write!(f, "-{}", Inner(a)),
        (Op::And, _) => list(args, " and ", f),
        (Op::Or, _) => list(args, " or ", f),
        (Op::Compare(op), _) => list(args, &format!(" {} ", op.sign()), f),
        (Op::Arithmetic(op), _) => list(args, &format!(" {} ", op.sign()), f),
        (Op::Concat, _) => list(args, " || ", f),
        (Op::In, [a, rest @ ..]) => call(&format!("{} in ", Inner(a)), rest, f),
        (Op::Between, [a, low, high]) => write!(f, "{} between {} and {}", Inner(a), Inner(low), Inner(high)),
        (Op::Like { .. }, [a, pattern]) => write!(f, "{} like {}", Inner(a), Inner(pattern)),
        (Op::IsNull, [a]) => write!(f, "{} is null", Inner(a)),
        (Op::Is(wanted), [a]) => write!(f, "{} is {wanted}", Inner(a)),
        (Op::Distinct, [a, b]) => write!(f, "{} is distinct from {}", Inner(a), Inner(b)),
        (Op::Ranked(_) | Op::Unranked, [a]) | (Op::Unless0 | Op::Mean, [a, _]) => write!(f, "{a}"),
        (Op::Case, _) => branches("case", args, f),
        (Op::Switch, [subject, rest @ ..]) => branches(&format!("case {}", Inner(subject)), rest, f),
        _ => call(&format!("{op:?}").to_lowercase(), args, f),
    }
}

fn branches(start: &str, args: &[Expr], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(start)?;
    for branch in args.chunks(2) {
        match branch {
            [condition, result] => write!(f, " when {condition} then {result}")?,
            [otherwise, ..] => write!(f, " else {otherwise}")?,
            [] => {}
        }
    }
    f.write_str(" end")
}

/// An operand: in parentheses unless it is simple.
struct Inner<'a>(&'a Expr);

impl fmt::Display for Inner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expr::Apply(op, ..) if !op.shows_simply() => write!(f, "({})", self.0),
            simple => write!(f, "{simple}"),
        }
    }
}

fn list(args: &[Expr], separator: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, arg) in args.iter().enumerate() {
        f.write_str(if i > 0 { separator } else { "" })?;
        write!(f, "{}", Inner(arg))?;
    }
    Ok(())
}

fn call(name: &str, args: &[Expr], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{name}(")?;
    for (i, arg) in args.iter().enumerate() {
        f.write_str(if i > 0 { ", " } else { "" })?;
        write!(f, "{arg}")?;
    }
    f.write_str(")")
}
