//! Operators of compiled code: first for integers and for values where they are, then for whatever else there is.

use super::cell::Cell;
use super::run::Run;
use super::{Node, Result, Stop};
use crate::ast::{Binary, Unary};
use crate::library::Direct;
use crate::machine::arithmetic::{self, Number, calculate, holds};
use crate::source::Span;
use crate::term::compare;
use lasp_dataflow::Value;

/// Texts and bytes below this length cost no steps to compare.
const SHORT: usize = 240;

/// What sees values without evaluating anything: those of constants and variables, and parts of them.
pub(super) trait Look<'v> {
    /// The value there, if there is one.
    fn leaf<'s>(&'s self, node: &'v Node) -> Option<&'s Value>;

    /// Takes steps off what is left, if there are so many.
    fn pay(&mut self, steps: u64) -> Option<()>;

    /// The part of a value that is seen, unless that is not what `direct` is, or there is none. It is paid for already.
    #[inline(never)]
    fn leaf_part<'s>(&'s self, direct: &Direct, args: &'v [Node]) -> Option<&'s Value> {
        match (direct, args) {
            (Direct::First(part), [whole]) => part(self.leaf(whole)?),
            (Direct::Part(part), [which, whole]) => part(self.leaf(which)?, self.leaf(whole)?),
            (Direct::Part(part), [which, whole, default]) => {
                let (which, whole, default) = (self.leaf(which)?, self.leaf(whole)?, self.leaf(default)?);
                part(which, whole).or_else(|| default_of(whole, default))
            }
            _ => None,
        }
    }

    /// The integer that is seen, or that operators and measures make of what is seen; `None` may also mean that they fail.
    #[inline(always)]
    fn int(&mut self, node: &'v Node) -> Option<i64> {
        match node {
            Node::Read(_) | Node::Const(_) => int_of(self.leaf(node)),
            node => self.int_made(node),
        }
    }

    /// Apart, as it calls itself.
    #[inline(never)]
    fn int_made(&mut self, node: &'v Node) -> Option<i64> {
        match node {
            Node::Calculate(operator, operands) => self.int_calculated(*operator, operands),
            Node::Builtin(library, args) => match &library.0.direct {
                direct @ (Direct::Int(_) | Direct::Ints(_)) => self.direct_int(direct, args),
                direct => int_of(self.leaf_part(direct, args)),
            },
            _ => None,
        }
    }

    /// What an operator on integers gives.
    #[inline]
    fn int_calculated(&mut self, operator: Binary, operands: &'v [Node; 2]) -> Option<i64> {
        let (left, right) = (self.int(&operands[0])?, self.int(&operands[1])?);
        match operator {
            Binary::Add => left.checked_add(right),
            Binary::Subtract => left.checked_sub(right),
            Binary::Multiply => left.checked_mul(right),
            Binary::Div => left.checked_div(right),
            Binary::Rem if right != 0 => Some(left.wrapping_rem(right)),
            _ => None,
        }
    }

    /// The answer to a question about what is seen, unless `direct` is no such question, or fails.
    fn direct_test(&mut self, direct: &Direct, args: &'v [Node]) -> Option<bool> {
        let (answer, steps) = match (direct, args) {
            (Direct::Test(test), [one]) => {
                let value = self.leaf(one)?;
                (test(value)?, direct_steps(value))
            }
            (Direct::Tests(test), [one, other]) => {
                let (one, other) = (self.leaf(one)?, self.leaf(other)?);
                (test(one, other)?, direct_steps(one) + direct_steps(other))
            }
            _ => return None,
        };
        self.pay(steps)?;
        Some(answer)
    }

    /// The measure of what is seen, unless `direct` is no measure, or fails.
    fn direct_int(&mut self, direct: &Direct, args: &'v [Node]) -> Option<i64> {
        let (answer, steps) = match (direct, args) {
            (Direct::Int(measure), [one]) => {
                let value = self.leaf(one)?;
                (measure(value)?, direct_steps(value))
            }
            (Direct::Ints(measure), [one, other]) => (measure(self.int(one)?, self.int(other)?)?, 0),
            _ => return None,
        };
        self.pay(steps)?;
        Some(answer)
    }

    /// The comparison of integers, or of what is seen, where it costs no steps.
    #[inline]
    fn compare_seen(&mut self, operator: Binary, operands: &'v [Node; 2]) -> Option<bool> {
        if let Some(left) = self.int(&operands[0])
            && let Some(right) = self.int(&operands[1])
        {
            return Some(match operator {
                Binary::Equal | Binary::ExactEqual => left == right,
                Binary::NotEqual | Binary::ExactNotEqual => left != right,
                Binary::Less => left < right,
                Binary::LessEqual => left <= right,
                Binary::Greater => left > right,
                _ => left >= right,
            });
        }
        self.compare_values_seen(operator, operands)
    }

    /// Apart, as it is needed less.
    #[inline(never)]
    fn compare_values_seen(&self, operator: Binary, operands: &'v [Node; 2]) -> Option<bool> {
        let (left, right) = (self.leaf(&operands[0])?, self.leaf(&operands[1])?);
        (is_short(left) || is_short(right)).then(|| compare_values(operator, left, right))
    }
}

impl<'a> Look<'a> for Run<'a, '_, '_> {
    #[inline]
    fn leaf<'s>(&'s self, node: &'a Node) -> Option<&'s Value> {
        match node {
            Node::Read(place) => self.seen(*place),
            Node::Const(constant) => constant.0.data_ref(),
            Node::Builtin(library, args) => self.leaf_part(&library.0.direct, args),
            _ => None,
        }
    }

    #[inline]
    fn pay(&mut self, steps: u64) -> Option<()> {
        Self::pay(self, steps).ok()
    }
}

impl<'a> Run<'a, '_, '_> {
    /// Looks for a number first, which needs no cell.
    fn operand(&mut self, node: &'a Node) -> Result<Operand<'a>> {
        match node {
            Node::Calculate(operator, operands) => self.calculate(*operator, operands).map(Operand::Number),
            other => Ok(Operand::of(self.eval(other)?)),
        }
    }

    fn number(&mut self, node: &'a Node) -> Result<Number> {
        match node {
            Node::Read(place) => number(self.seen(*place)),
            Node::Const(constant) => number(constant.0.data_ref()),
            Node::Calculate(operator, operands) => self.calculate(*operator, operands),
            other => self.eval(other)?.number(),
        }
    }

    pub(super) fn calculate(&mut self, operator: Binary, operands: &'a [Node; 2]) -> Result<Number> {
        let left = self.number(&operands[0])?;
        let right = self.number(&operands[1])?;
        calculate(operator, left, right).map_err(|_| Stop::Failed)
    }

    pub(super) fn compare(&mut self, operator: Binary, operands: &'a [Node; 2]) -> Result<bool> {
        if let Some(truth) = self.compare_seen(operator, operands) {
            return Ok(truth);
        }
        let left = self.operand(&operands[0])?;
        let right = self.operand(&operands[1])?;
        if let (Operand::Number(left), Operand::Number(right)) = (&left, &right) {
            return Ok(compare_values(operator, &left.value(), &right.value()));
        }
        self.compare_cells(operator, left.into_cell(), right.into_cell())
    }

    fn compare_cells(&mut self, operator: Binary, left: Cell<'a>, right: Cell<'a>) -> Result<bool> {
        self.pay_comparison(&left, &right)?;
        if let (Some(left), Some(right)) = (left.data(), right.data()) {
            return Ok(compare_values(operator, left, right));
        }
        let result = self.machine.operate_on(operator, left.into_term(), right.into_term(), Span::default())?;
        result.as_bool().ok_or(Stop::Failed)
    }

    pub(super) fn unary(&mut self, operator: Unary, operand: &'a Node) -> Result<Cell<'a>> {
        let operand = self.eval(operand)?;
        if let (Unary::Not, Some(value)) = (operator, operand.bool_value()) {
            return Ok(Cell::bool(!value));
        }
        arithmetic::unary(operator, &operand.into_term()).map(Cell::Own).map_err(|_| Stop::Failed)
    }
}

/// An operand of a comparison.
enum Operand<'a> {
    Number(Number),
    Other(Cell<'a>),
}

impl<'a> Operand<'a> {
    fn of(cell: Cell<'a>) -> Self {
        cell.number().map_or(Self::Other(cell), Self::Number)
    }

    fn into_cell(self) -> Cell<'a> {
        match self {
            Self::Number(number) => Cell::number_of(number),
            Self::Other(cell) => cell,
        }
    }
}

/// What stands for a part that is not there: for the value of a key in a map.
pub(super) fn default_of<'s>(whole: &Value, default: &'s Value) -> Option<&'s Value> {
    matches!(whole, Value::Map(_)).then_some(default)
}

#[inline(always)]
fn int_of(value: Option<&Value>) -> Option<i64> {
    match value {
        Some(Value::Int(int)) => Some(*int),
        _ => None,
    }
}

fn number(value: Option<&Value>) -> Result<Number> {
    match value {
        Some(Value::Int(int)) => Ok(Number::Int(*int)),
        Some(Value::Float(float)) => Ok(Number::Float(float.get())),
        _ => Err(Stop::Failed),
    }
}

pub(super) fn compare_values(operator: Binary, left: &Value, right: &Value) -> bool {
    match operator {
        Binary::ExactEqual => left == right,
        Binary::ExactNotEqual => left != right,
        _ => holds(operator, compare(left, right)),
    }
}

/// Whether comparing it with anything costs no steps.
pub(super) fn is_short(value: &Value) -> bool {
    match value {
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => true,
        Value::Text(text) | Value::Atom(text) => text.len() < SHORT,
        Value::Bytes(bytes) => bytes.len() < SHORT,
        Value::Tuple(_) | Value::List(_) | Value::Map(_) => false,
    }
}

/// What a direct function of this value costs at most: a step, and what its length does.
pub(super) fn direct_steps(value: &Value) -> u64 {
    match value {
        Value::Text(text) => 1 + text.len() as u64 / 16,
        _ => 1,
    }
}
