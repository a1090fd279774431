//! Operators on terms: numbers, booleans, comparison, appending.

use super::{Machine, Outcome};
use crate::ast::{Binary, Expr, Unary};
use crate::env::Env;
use crate::fault::{Problem, Trap};
use crate::show::short;
use crate::source::Span;
use crate::term::{Term, compare};
use lasp_dataflow::{F64, Value};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// `-X`, `+X`, `not X`.
pub(crate) fn unary(operator: Unary, operand: &Term) -> Result<Term, Problem> {
    match (operator, operand) {
        (Unary::Not, Term::Data(Value::Bool(value), _)) => Ok(Term::scalar(!value)),
        (Unary::Not, other) => Err(expected("`not`", "a boolean", other)),
        (Unary::Plus, Term::Data(Value::Int(_) | Value::Float(_), _)) => Ok(operand.clone()),
        (Unary::Minus, Term::Data(Value::Int(value), _)) => {
            value.checked_neg().map(Term::scalar).ok_or_else(|| overflow(format!("-({value})")))
        }
        (Unary::Minus, Term::Data(Value::Float(value), _)) => float(-value.get(), || format!("-{value}")),
        (Unary::Minus | Unary::Plus, other) => Err(expected("`-`", "a number", other)),
    }
}

impl Machine<'_> {
    pub(super) fn binary(&mut self, operator: Binary, left: &Expr, right: &Expr, span: Span, env: &mut Env) -> Outcome {
        let first = self.eval(left, env)?;
        if let Binary::Andalso | Binary::Orelse = operator {
            let Some(value) = first.as_bool() else {
                let problem = expected(&format!("`{}`", operator.as_str()), "a boolean", &first);
                return Err(self.place(problem.into(), left.span));
            };
            let decided = value == (operator == Binary::Orelse);
            return if decided { Ok(first) } else { self.eval(right, env) };
        }
        let second = self.eval(right, env)?;
        self.operate_on(operator, first, second, span)
    }

    /// Any operator but `andalso` and `orelse` on its operands.
    pub(crate) fn operate_on(&mut self, operator: Binary, mut first: Term, mut second: Term, span: Span) -> Outcome {
        if let Binary::Append | Binary::Without = operator {
            first = self.weigh(first, span)?;
            second = self.weigh(second, span)?;
            let weight = first.shape().weight.saturating_add(second.shape().weight);
            self.charge(u64::from(weight), span)?;
        }
        self.charge_comparison(&first, &second, span)?;
        let result = binary(operator, &first, &second).map_err(|trap| self.place(trap, span))?;
        self.admit(result, span)
    }
}

fn binary(operator: Binary, left: &Term, right: &Term) -> Result<Term, Trap> {
    use Binary as B;
    match operator {
        B::Add | B::Subtract | B::Multiply | B::Divide | B::Div | B::Rem => Ok(number(operator, left, right)?),
        B::Append => Ok(append(left, right)?),
        B::Without => Ok(without(left, right)?),
        B::ExactEqual => Ok(Term::scalar(left.same(right))),
        B::ExactNotEqual => Ok(Term::scalar(!left.same(right))),
        B::Equal | B::NotEqual | B::Less | B::LessEqual | B::Greater | B::GreaterEqual => {
            Ok(Term::scalar(comparison(operator, left, right)?))
        }
        B::And | B::Or | B::Xor | B::Andalso | B::Orelse => Ok(boolean(operator, left, right)?),
    }
}

fn boolean(operator: Binary, left: &Term, right: &Term) -> Result<Term, Problem> {
    let what = format!("`{}`", operator.as_str());
    let a = left.as_bool().ok_or_else(|| expected(&what, "booleans", left))?;
    let b = right.as_bool().ok_or_else(|| expected(&what, "booleans", right))?;
    Ok(Term::scalar(match operator {
        Binary::And | Binary::Andalso => a && b,
        Binary::Xor => a != b,
        _ => a || b,
    }))
}

fn comparison(operator: Binary, left: &Term, right: &Term) -> Result<bool, Problem> {
    let (Ok(a), Ok(b)) = (left.to_value(), right.to_value()) else {
        return match operator {
            Binary::Equal => Ok(left.same(right)),
            Binary::NotEqual => Ok(!left.same(right)),
            _ => {
                let odd = if left.to_value().is_err() { left } else { right };
                Err(Problem::new(format!("{} has no place in the order of values", odd.kind()))
                    .hint("compare what `query` gives, not the variable"))
            }
        };
    };
    Ok(holds(operator, compare(&a, &b)))
}

/// Whether a comparison by number (`==`, `<` and so on) holds for two values in this order.
pub(crate) fn holds(operator: Binary, order: Ordering) -> bool {
    match operator {
        Binary::Equal => order == Ordering::Equal,
        Binary::NotEqual => order != Ordering::Equal,
        Binary::Less => order == Ordering::Less,
        Binary::LessEqual => order != Ordering::Greater,
        Binary::Greater => order == Ordering::Greater,
        _ => order != Ordering::Less,
    }
}

fn number(operator: Binary, left: &Term, right: &Term) -> Result<Term, Problem> {
    let shown = || format!("{} {} {}", short(left), operator.as_str(), short(right));
    match (numeric(left), numeric(right)) {
        (Some(a), Some(b)) => {
            calculate(operator, a, b).map(|n| Term::scalar(n.value())).map_err(|no| no.explain(operator, shown))
        }
        (a, _) => {
            let odd = if a.is_none() { left } else { right };
            let problem = expected(&format!("`{}`", operator.as_str()), "numbers", odd);
            Err(match odd {
                Term::Variable(_) => problem.hint("use `query(V)` for the variable's current value"),
                Term::Data(Value::Text(_), _) if operator == Binary::Add => problem.hint("texts are joined with `++`"),
                _ => problem,
            })
        }
    }
}

/// A number of either kind.
#[derive(Clone, Copy)]
pub(crate) enum Number {
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
}

impl Number {
    /// As a value; a calculated float is finite.
    pub(crate) fn value(self) -> Value {
        match self {
            Self::Int(value) => Value::Int(value),
            Self::Float(value) => F64::new(value).map_or(Value::Int(0), Value::Float),
        }
    }

    fn float(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

fn numeric(term: &Term) -> Option<Number> {
    match term {
        Term::Data(Value::Int(value), _) => Some(Number::Int(*value)),
        Term::Data(Value::Float(value), _) => Some(Number::Float(value.get())),
        _ => None,
    }
}

/// Why two numbers have no result.
#[derive(Clone, Copy)]
pub(crate) enum NoResult {
    DivisionByZero,
    Overflow,
    TooLarge,
    NeedsIntegers,
}

impl NoResult {
    fn explain(self, operator: Binary, shown: impl Fn() -> String) -> Problem {
        match self {
            Self::DivisionByZero => Problem::new(format!("division by zero: {}", shown())),
            Self::Overflow => overflow(shown()),
            Self::TooLarge => Problem::new(format!("too large for a float: {}", shown())),
            Self::NeedsIntegers => Problem::new(format!("`{}` takes integers: {}", operator.as_str(), shown()))
                .hint("`/` divides floats; `trunc` and `round` make integers"),
        }
    }
}

/// `A operator B` for the operators on numbers.
pub(crate) fn calculate(operator: Binary, a: Number, b: Number) -> Result<Number, NoResult> {
    match (a, b) {
        (Number::Int(a), Number::Int(b)) => integers(operator, a, b),
        (a, b) => floats(operator, a.float(), b.float()),
    }
}

fn integers(operator: Binary, a: i64, b: i64) -> Result<Number, NoResult> {
    if b == 0 && matches!(operator, Binary::Divide | Binary::Div | Binary::Rem) {
        return Err(NoResult::DivisionByZero);
    }
    let result = match operator {
        Binary::Add => a.checked_add(b),
        Binary::Subtract => a.checked_sub(b),
        Binary::Multiply => a.checked_mul(b),
        Binary::Div => a.checked_div(b),
        Binary::Rem => Some(a.wrapping_rem(b)),
        _ => return finite(a as f64 / b as f64),
    };
    result.map(Number::Int).ok_or(NoResult::Overflow)
}

fn floats(operator: Binary, a: f64, b: f64) -> Result<Number, NoResult> {
    match operator {
        Binary::Add => finite(a + b),
        Binary::Subtract => finite(a - b),
        Binary::Multiply => finite(a * b),
        Binary::Divide if b == 0.0 => Err(NoResult::DivisionByZero),
        Binary::Divide => finite(a / b),
        _ => Err(NoResult::NeedsIntegers),
    }
}

fn finite(value: f64) -> Result<Number, NoResult> {
    F64::new(value).map(|float| Number::Float(float.get())).ok_or(NoResult::TooLarge)
}

fn float(value: f64, shown: impl Fn() -> String) -> Result<Term, Problem> {
    let finite = F64::new(value).ok_or_else(|| Problem::new(format!("too large for a float: {}", shown())))?;
    Ok(Term::scalar(Value::Float(finite)))
}

fn overflow(shown: String) -> Problem {
    Problem::new(format!("integer overflow: {shown}")).hint("integers have 64 bits")
}

fn append(left: &Term, right: &Term) -> Result<Term, Problem> {
    if let (Term::Data(Value::Text(a), _), Term::Data(Value::Text(b), _)) = (left, right) {
        return Ok(Term::scalar(Value::text(format!("{a}{b}"))));
    }
    if let (Term::Data(Value::Bytes(a), _), Term::Data(Value::Bytes(b), _)) = (left, right) {
        return Ok(Term::scalar(Value::bytes([&a[..], &b[..]].concat())));
    }
    match (left.as_list(), right.as_list()) {
        (Some(mut items), Some(more)) => {
            items.extend(more);
            Ok(Term::list(items))
        }
        (None, _) => Err(expected("`++`", "two lists or two texts", left)),
        _ => Err(expected("`++`", "two lists or two texts", right)),
    }
}

/// Removes, for each element of `right`, its first occurrence in `left`.
fn without(left: &Term, right: &Term) -> Result<Term, Problem> {
    let items = left.as_list().ok_or_else(|| expected("`--`", "two lists", left))?;
    let mut gone: BTreeMap<Value, usize> = BTreeMap::new();
    for item in right.as_list().ok_or_else(|| expected("`--`", "two lists", right))? {
        if let Ok(value) = item.to_value() {
            *gone.entry(value).or_default() += 1;
        }
    }
    let stays = |item: &Term| {
        let left = item.to_value().ok().and_then(|value| gone.get_mut(&value).filter(|left| **left > 0));
        left.map(|left| *left -= 1).is_none()
    };
    let mut stays = stays;
    Ok(Term::list(items.into_iter().filter(|item| stays(item)).collect()))
}

fn expected(what: &str, wanted: &str, found: &Term) -> Problem {
    Problem::new(format!("{what} takes {wanted}, found {} {}", found.kind(), short(found)))
}
