//! What folds and groups keep to follow members that come and go, without reading the others again: a count, an exact sum, an
//! ordered index. Only a custom function without an inverse starts over, and only when something was removed.
//!
//! Not morphisms: a result may go down as well as up.

mod custom;
mod exact_sum;
mod numbers;

use super::change::Emitter;
use crate::operator::{Aggregate, Function, FunctionError};
use crate::value::{NotThatKind, Value};
use custom::Custom;
use numbers::Numbers;
use std::collections::BTreeMap;
use std::slice;

/// A running aggregate.
pub(crate) enum Accumulator {
    Count(i64),
    Sum(Numbers),
    Avg(Numbers),
    /// The values in order, with how often each is there; the least is wanted.
    Min(BTreeMap<Value, u64>),
    /// The same; the greatest is wanted.
    Max(BTreeMap<Value, u64>),
    Of(Function, Box<Self>),
    All(Vec<Self>),
    Custom(Custom),
}

impl Accumulator {
    /// The aggregate of nothing.
    pub(crate) fn new(aggregate: &Aggregate) -> Self {
        match aggregate {
            Aggregate::Count => Self::Count(0),
            Aggregate::Sum => Self::Sum(Numbers::default()),
            Aggregate::Avg => Self::Avg(Numbers::default()),
            Aggregate::Min => Self::Min(BTreeMap::new()),
            Aggregate::Max => Self::Max(BTreeMap::new()),
            Aggregate::Of(function, inner) => Self::Of(function.clone(), Box::new(Self::new(inner))),
            Aggregate::All(all) => Self::All(all.iter().map(Self::new).collect()),
            Aggregate::Custom { step, init, inverse } => {
                Self::Custom(Custom::new(step.clone(), init.clone(), inverse.clone()))
            }
        }
    }

    /// Takes in a `value` that came or went, which is made of `element`. One that is none for this aggregate is left out,
    /// and reported as a failure of `operator`.
    pub(crate) fn change(
        &mut self,
        element: &Value,
        value: &Value,
        came: bool,
        operator: &'static str,
        out: &mut Emitter,
    ) {
        match self {
            Self::Count(n) => *n += if came { 1 } else { -1 },
            Self::Sum(numbers) | Self::Avg(numbers) => {
                if !numbers.add(value, if came { 1 } else { -1 }) {
                    out.fail(came, operator, element, NotThatKind::new("a number", value).to_string());
                }
            }
            Self::Min(values) | Self::Max(values) => count(values, value, came),
            Self::Of(function, inner) => match function.call(slice::from_ref(value)) {
                Ok(value) => inner.change(element, &value, came, operator, out),
                Err(error) => out.fail(came, operator, element, error),
            },
            Self::All(all) => all.iter_mut().for_each(|one| one.change(element, value, came, operator, out)),
            Self::Custom(custom) => custom.change(value, came, operator, out),
        }
    }

    /// Does what was put off until all changes are in.
    pub(crate) fn settle(&mut self, operator: &'static str, out: &mut Emitter) {
        match self {
            Self::Custom(custom) => custom.settle(operator, out),
            Self::Of(_, inner) => inner.settle(operator, out),
            Self::All(all) => all.iter_mut().for_each(|one| one.settle(operator, out)),
            _ => {}
        }
    }

    pub(crate) fn result(&self) -> Result<Value, FunctionError> {
        let unset = || Value::atom(UNSET);
        match self {
            Self::Count(n) => Ok(Value::Int(*n)),
            Self::Sum(numbers) => numbers.sum(),
            Self::Avg(numbers) => Ok(numbers.mean()?.unwrap_or_else(unset)),
            Self::Min(values) => Ok(values.first_key_value().map_or_else(unset, |(least, _)| least.clone())),
            Self::Max(values) => Ok(values.last_key_value().map_or_else(unset, |(greatest, _)| greatest.clone())),
            Self::Of(_, inner) => inner.result(),
            Self::All(all) => Ok(Value::Tuple(all.iter().map(Self::result).collect::<Result<_, _>>()?)),
            Self::Custom(custom) => Ok(custom.result().clone()),
        }
    }
}

fn count(values: &mut BTreeMap<Value, u64>, value: &Value, came: bool) {
    if came {
        match values.get_mut(value) {
            Some(count) => *count += 1,
            None => _ = values.insert(value.clone(), 1),
        }
    } else if let Some(count) = values.get_mut(value) {
        *count -= 1;
        if *count == 0 {
            values.remove(value);
        }
    }
}

/// The atom that stands for the result of an aggregate that has none.
const UNSET: &str = "undefined";

/// Whether a result says that there is none.
pub(crate) fn is_unset(result: &Value) -> bool {
    matches!(result, Value::Atom(name) if **name == *UNSET)
}
