//! `fold`: one value computed from a set's elements, kept up to date as they come and go.
//!
//! Not a morphism: the value may go down as well as up, so it is not merged with anyone's. Each aggregate keeps what lets
//! it follow a removal without reading the set again: a count, an exact sum, an ordered index. Only a custom function
//! without an inverse starts over, and only when something was removed.

mod custom;
mod numbers;

use super::{Feed, Input, Outcome};
use crate::operator::{Aggregate, FunctionError};
use crate::value::Value;
use custom::Custom;
use numbers::Numbers;
use std::collections::BTreeSet;

/// A running fold.
pub(crate) struct Fold {
    accumulator: Accumulator,
    last: Option<Value>,
}

enum Accumulator {
    Count(usize),
    Sum(Numbers),
    Avg(Numbers),
    /// The elements in order; the least is wanted.
    Min(BTreeSet<Value>),
    /// The same; the greatest is wanted.
    Max(BTreeSet<Value>),
    Custom(Custom),
}

impl Fold {
    pub(super) fn new(aggregate: Aggregate) -> Self {
        let accumulator = match aggregate {
            Aggregate::Count => Accumulator::Count(0),
            Aggregate::Sum => Accumulator::Sum(Numbers::default()),
            Aggregate::Avg => Accumulator::Avg(Numbers::default()),
            Aggregate::Min => Accumulator::Min(BTreeSet::new()),
            Aggregate::Max => Accumulator::Max(BTreeSet::new()),
            Aggregate::Of(..) | Aggregate::All(_) => unreachable!("refused before"),
            Aggregate::Custom { step, init, inverse } => Accumulator::Custom(Custom::new(step, init, inverse)),
        };
        Self { accumulator, last: None }
    }

    /// Takes in what came and went, and gives the result if that changed it.
    pub(super) fn feed(&mut self, feed: &Feed<'_>, out: &mut Outcome) {
        let mut came = Vec::new();
        let mut went = Vec::new();
        for (element, was_in) in feed.touched {
            match (was_in, feed.mine.contains(element)) {
                (false, true) => came.push(element),
                (true, false) => went.push(element),
                _ => {}
            }
        }
        self.accumulator.change(&came, &went, &feed.mine, out);
        match self.accumulator.result() {
            Ok(result) if self.last.as_ref() != Some(&result) => {
                self.last = Some(result.clone());
                out.result = Some(result);
            }
            Ok(_) => {}
            Err(error) => out.fail(&Value::atom("result"), error),
        }
    }
}

impl Accumulator {
    fn change(&mut self, came: &[&Value], went: &[&Value], input: &Input<'_>, out: &mut Outcome) {
        match self {
            Self::Count(n) => *n = *n + came.len() - went.len(),
            Self::Sum(numbers) | Self::Avg(numbers) => numbers.change(came, went, out),
            Self::Min(elements) | Self::Max(elements) => {
                elements.extend(came.iter().map(|&element| element.clone()));
                went.iter().for_each(|&element| _ = elements.remove(element));
            }
            Self::Custom(custom) => custom.change(came, went, input, out),
        }
    }

    fn result(&self) -> Result<Value, FunctionError> {
        let unset = || Value::atom(UNSET);
        match self {
            Self::Count(n) => Ok(Value::from(*n as u64)),
            Self::Sum(numbers) => numbers.sum(),
            Self::Avg(numbers) => Ok(numbers.mean()?.unwrap_or_else(unset)),
            Self::Min(elements) => Ok(elements.first().cloned().unwrap_or_else(unset)),
            Self::Max(elements) => Ok(elements.last().cloned().unwrap_or_else(unset)),
            Self::Custom(custom) => Ok(custom.result().clone()),
        }
    }
}

/// The atom that stands for the result of a fold that has none.
const UNSET: &str = "undefined";

/// Whether a fold's result says that there is none.
pub(crate) fn is_unset(result: &Value) -> bool {
    matches!(result, Value::Atom(name) if **name == *UNSET)
}
