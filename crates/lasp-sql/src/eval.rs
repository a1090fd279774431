//! Expressions evaluated over rows, with SQL's three truth values: null is `None` here.
//!
//! Everything ends: the work is that of the tree's size and the sizes of the texts in the row.

use crate::compare;
use crate::expr::{Access, Arithmetic, At, Comparison, Expr, Field, Op};
use crate::like;
use lasp_dataflow::{F64, FunctionError, Value};
use std::cmp::Ordering;

/// Texts that expressions make have at most this many bytes (guess: far above what is shown).
const TEXT_MAX: usize = 1 << 20;

/// Elements of the sources `first..=last`, in pairs nested to the left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) value: &'a Value,
    pub(crate) first: usize,
    pub(crate) last: usize,
}

type Outcome = Result<Option<Value>, FunctionError>;

fn failed<T>(at: &At, message: impl Into<String>) -> Result<T, FunctionError> {
    Err(FunctionError::new(message.into()).at(at.0.start, at.0.end))
}

impl<'a> Row<'a> {
    /// The element of one source.
    pub(crate) fn source(&self, source: usize) -> Option<&'a Value> {
        let mut value = self.value;
        for at in (self.first + 1..=self.last).rev() {
            let Value::Tuple(pair) = value else { return None };
            if at == source {
                return pair.get(1);
            }
            value = pair.first()?;
        }
        (source == self.first).then_some(value)
    }
}

/// The value, unless it is what stands for null.
pub(crate) fn known(value: &Value) -> Option<&Value> {
    let is_null = matches!(value, Value::Atom(name) if &**name == "undefined");
    (!is_null).then_some(value)
}

impl Field {
    pub(crate) fn of<'a>(&self, row: &Row<'a>) -> Result<Option<&'a Value>, FunctionError> {
        let Some(element) = row.source(self.source) else {
            return failed(&self.at, "the row has no such part");
        };
        let part = match (&self.access, element) {
            (Access::Column { atom, text }, Value::Map(entries)) => entries.get(atom).or_else(|| entries.get(text)),
            (Access::Column { .. }, other) => return not_a_map(&self.at, other),
            (Access::Whole, other) => Some(other),
            (Access::Position { index, of }, Value::Tuple(items)) if items.len() == *of => items.get(*index),
            (Access::Position { of: 1, .. }, other) => Some(other),
            (Access::Position { of, .. }, other) => {
                return failed(&self.at, format!("expected a tuple of {of}, found {} {other}", other.kind()));
            }
            (Access::Key(index), group) => nested(group, 0, *index),
            (Access::Result(index), group) => nested(group, 1, *index),
            (Access::Total(index), Value::Tuple(results)) => results.get(*index),
            (Access::Total(_), _) => None,
        };
        Ok(part.and_then(known))
    }
}

pub(crate) fn not_a_map<T>(at: &At, found: &Value) -> Result<T, FunctionError> {
    failed(at, format!("a row is a map from columns to values, found {} {found}", found.kind()))
}

fn nested(group: &Value, half: usize, index: usize) -> Option<&Value> {
    match group {
        Value::Tuple(halves) => match halves.get(half)? {
            Value::Tuple(items) => items.get(index),
            _ => None,
        },
        _ => None,
    }
}

impl Expr {
    /// The value for a row.
    ///
    /// # Errors
    /// Where it has none: a text in a sum, division by zero, an overflow.
    pub(crate) fn eval(&self, row: &Row<'_>) -> Outcome {
        match self {
            Self::Null => Ok(None),
            Self::Constant(value) => Ok(Some(value.clone())),
            Self::Field(field) => Ok(field.of(row)?.cloned()),
            Self::Apply(op, args, at) => op.eval(args, row, at),
            Self::Aggregate(aggregation) => failed(&aggregation.at, "an aggregate outside of a group"),
        }
    }

    /// As a condition.
    ///
    /// # Errors
    /// Where it is neither true nor false nor null.
    pub(crate) fn truth(&self, row: &Row<'_>) -> Result<Option<bool>, FunctionError> {
        match self.eval(row)? {
            None => Ok(None),
            Some(Value::Bool(truth)) => Ok(Some(truth)),
            Some(other) => {
                failed(&self.at(), format!("a condition is true, false or null, found {} {other}", other.kind()))
            }
        }
    }

    pub(crate) fn at(&self) -> At {
        match self {
            Self::Field(field) => field.at,
            Self::Apply(_, _, at) => *at,
            Self::Aggregate(aggregation) => aggregation.at,
            Self::Null | Self::Constant(_) => At(Default::default()),
        }
    }
}

impl Op {
    fn eval(&self, args: &[Expr], row: &Row<'_>, at: &At) -> Outcome {
        let truth = |truth: Option<bool>| Ok(truth.map(Value::Bool));
        match (self, args) {
            (Self::Not, [a]) => truth(a.truth(row)?.map(|truth| !truth)),
            (Self::And, _) => truth(decide(args, row, false)?),
            (Self::Or, _) => truth(decide(args, row, true)?),
            (Self::Is(wanted), [a]) => truth(Some(a.truth(row)? == Some(*wanted))),
            (Self::IsNull, [a]) => truth(Some(a.eval(row)?.is_none())),
            (Self::Coalesce, _) => {
                for arg in args {
                    if let value @ Some(_) = arg.eval(row)? {
                        return Ok(value);
                    }
                }
                Ok(None)
            }
            (Self::In, [a, others @ ..]) => truth(among(a, others, row)?),
            (Self::Case, _) => case(args, row),
            (Self::Switch, [subject, rest @ ..]) => switch(subject, rest, row),
            (_, [a]) => self.unary(a.eval(row)?, at),
            (_, [a, b]) => self.binary(a.eval(row)?, b.eval(row)?, at),
            (Self::Between, [a, low, high]) => {
                let (a, low, high) = (a.eval(row)?, low.eval(row)?, high.eval(row)?);
                let above = compare(Comparison::GreaterOrEqual, a.as_ref(), low.as_ref(), at)?;
                let below = compare(Comparison::LessOrEqual, a.as_ref(), high.as_ref(), at)?;
                truth(if above == Some(false) || below == Some(false) { Some(false) } else { above.and(below) })
            }
            _ => failed(at, "an operator with the wrong number of arguments"),
        }
    }

    fn unary(&self, value: Option<Value>, at: &At) -> Outcome {
        if let Self::Ranked(rank) = self {
            let parts = match value {
                Some(value) => vec![Value::Int(*rank), value],
                None => vec![Value::Int(1 - rank)],
            };
            return Ok(Some(Value::Tuple(parts.into())));
        }
        let Some(value) = value else { return Ok(None) };
        match (self, &value) {
            (Self::Unranked, Value::Tuple(parts)) => Ok(parts.get(1).cloned()),
            (Self::Unranked, _) => Ok(None),
            (Self::Negate, Value::Int(n)) => whole(n.checked_neg(), at),
            (Self::Negate, Value::Float(x)) => finite(-x.get(), at),
            (Self::Abs, Value::Int(n)) => whole(n.checked_abs(), at),
            (Self::Abs, Value::Float(x)) => finite(x.get().abs(), at),
            (Self::Lower, Value::Text(text) | Value::Atom(text)) => made(text.to_lowercase(), at),
            (Self::Upper, Value::Text(text) | Value::Atom(text)) => made(text.to_uppercase(), at),
            (Self::Length, Value::Text(text) | Value::Atom(text)) => Ok(Some(Value::from(text.chars().count() as u64))),
            (Self::Negate | Self::Abs, other) => failed(at, format!("expected a number, found {}", shown(other))),
            (_, other) => failed(at, format!("expected a text, found {}", shown(other))),
        }
    }

    fn binary(&self, left: Option<Value>, right: Option<Value>, at: &At) -> Outcome {
        match self {
            Self::Compare(comparison) => {
                return Ok(compare(*comparison, left.as_ref(), right.as_ref(), at)?.map(Value::Bool));
            }
            Self::Distinct => {
                let same = match (&left, &right) {
                    (Some(left), Some(right)) => compare::equal(left, right),
                    (left, right) => left.is_none() && right.is_none(),
                };
                return Ok(Some(Value::Bool(!same)));
            }
            Self::NullIf => {
                let same = matches!((&left, &right), (Some(left), Some(right)) if compare::equal(left, right));
                return Ok(left.filter(|_| !same));
            }
            _ => {}
        }
        let (Some(left), Some(right)) = (left, right) else { return Ok(None) };
        match self {
            Self::Arithmetic(op) => op.eval(&left, &right, at),
            Self::Concat => match (text_of(&left), text_of(&right)) {
                (Some(left), Some(right)) => made(left + &right, at),
                _ => failed(at, format!("`||` joins texts, found {} and {}", shown(&left), shown(&right))),
            },
            Self::Like { escape, ignore_case } => like(&left, &right, *escape, *ignore_case, at),
            Self::Unless0 => Ok((number(&right) != Some(0.0)).then_some(left)),
            Self::Mean => mean(&left, &right, at),
            _ => failed(at, "an operator with the wrong number of arguments"),
        }
    }
}

/// `and` ends at the first false, `or` at the first true; else null if there was one.
fn decide(args: &[Expr], row: &Row<'_>, ends_at: bool) -> Result<Option<bool>, FunctionError> {
    let mut result = Some(!ends_at);
    for arg in args {
        match arg.truth(row)? {
            Some(truth) if truth == ends_at => return Ok(Some(ends_at)),
            Some(_) => {}
            None => result = None,
        }
    }
    Ok(result)
}

fn among(value: &Expr, others: &[Expr], row: &Row<'_>) -> Result<Option<bool>, FunctionError> {
    let value = value.eval(row)?;
    let mut result = Some(false);
    for other in others {
        match (&value, other.eval(row)?) {
            (Some(value), Some(other)) if compare::equal(value, &other) => return Ok(Some(true)),
            (Some(_), Some(_)) => {}
            _ => result = None,
        }
    }
    Ok(result)
}

fn case(args: &[Expr], row: &Row<'_>) -> Outcome {
    for branch in args.chunks(2) {
        match branch {
            [condition, result] if condition.truth(row)? == Some(true) => return result.eval(row),
            [otherwise] => return otherwise.eval(row),
            _ => {}
        }
    }
    Ok(None)
}

fn switch(subject: &Expr, branches: &[Expr], row: &Row<'_>) -> Outcome {
    let subject = subject.eval(row)?;
    for branch in branches.chunks(2) {
        match branch {
            [candidate, result] => {
                if matches!((&subject, candidate.eval(row)?), (Some(a), Some(b)) if compare::equal(a, &b)) {
                    return result.eval(row);
                }
            }
            [otherwise] => return otherwise.eval(row),
            _ => {}
        }
    }
    Ok(None)
}

fn compare(
    comparison: Comparison,
    left: Option<&Value>,
    right: Option<&Value>,
    at: &At,
) -> Result<Option<bool>, FunctionError> {
    let (Some(left), Some(right)) = (left, right) else { return Ok(None) };
    let order = compare::order(left, right);
    Ok(Some(match (comparison, order) {
        (Comparison::Equal, order) => order == Some(Ordering::Equal),
        (Comparison::NotEqual, order) => order != Some(Ordering::Equal),
        (Comparison::Less, Some(order)) => order.is_lt(),
        (Comparison::LessOrEqual, Some(order)) => order.is_le(),
        (Comparison::Greater, Some(order)) => order.is_gt(),
        (Comparison::GreaterOrEqual, Some(order)) => order.is_ge(),
        (_, None) => {
            return failed(at, format!("there is no order between {} and {}", shown(left), shown(right)));
        }
    }))
}

impl Arithmetic {
    fn eval(self, left: &Value, right: &Value, at: &At) -> Outcome {
        let by_zero = matches!(self, Self::Divide | Self::Modulo) && number(right) == Some(0.0);
        match (left, right) {
            _ if by_zero => failed(at, "division by zero"),
            (Value::Int(left), Value::Int(right)) => whole(self.on_integers(*left, *right), at),
            _ => match (number(left), number(right)) {
                (Some(left), Some(right)) => finite(self.on_floats(left, right), at),
                _ => {
                    let sign = self.sign();
                    failed(at, format!("`{sign}` takes numbers, found {} and {}", shown(left), shown(right)))
                }
            },
        }
    }

    fn on_integers(self, left: i64, right: i64) -> Option<i64> {
        match self {
            Self::Add => left.checked_add(right),
            Self::Subtract => left.checked_sub(right),
            Self::Multiply => left.checked_mul(right),
            Self::Divide => left.checked_div(right),
            // The least integer modulo -1 overflows in hardware only.
            Self::Modulo => Some(left.wrapping_rem(right)),
        }
    }

    fn on_floats(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            Self::Modulo => left % right,
        }
    }
}

fn mean(sum: &Value, count: &Value, at: &At) -> Outcome {
    match (number(sum), number(count)) {
        (_, Some(0.0)) => Ok(None),
        (Some(sum), Some(count)) => finite(sum / count, at),
        _ => Ok(None),
    }
}

fn like(text: &Value, pattern: &Value, escape: Option<char>, ignore_case: bool, at: &At) -> Outcome {
    let (Value::Text(text) | Value::Atom(text), Value::Text(pattern) | Value::Atom(pattern)) = (text, pattern) else {
        return failed(at, format!("`like` compares texts, found {} and {}", shown(text), shown(pattern)));
    };
    if pattern.chars().count() > like::PATTERN_MAX {
        return failed(at, format!("a pattern has at most {} characters", like::PATTERN_MAX));
    }
    let matches = if ignore_case {
        like::matches(&text.to_lowercase(), &pattern.to_lowercase(), escape)
    } else {
        like::matches(text, pattern, escape)
    };
    Ok(Some(Value::Bool(matches)))
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(n) => Some(*n as f64),
        Value::Float(x) => Some(x.get()),
        _ => None,
    }
}

/// For `||`: texts and atoms by spelling, numbers and booleans as they are written.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) | Value::Atom(text) => Some(text.to_string()),
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    let short: String = text.chars().take(40).collect();
    let more = if short.len() < text.len() { "..." } else { "" };
    format!("{} {short}{more}", value.kind())
}

fn whole(n: Option<i64>, at: &At) -> Outcome {
    match n {
        Some(n) => Ok(Some(Value::Int(n))),
        None => failed(at, "the result does not fit in 64 bits"),
    }
}

fn finite(x: f64, at: &At) -> Outcome {
    match F64::new(x) {
        Some(x) => Ok(Some(Value::Float(x))),
        None => failed(at, "the result is too large for a float"),
    }
}

fn made(text: String, at: &At) -> Outcome {
    if text.len() > TEXT_MAX {
        return failed(at, format!("the text has more than {TEXT_MAX} bytes"));
    }
    Ok(Some(Value::from(text)))
}
