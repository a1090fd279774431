//! Aggregates by a user's function, with or without an inverse.

use crate::operator::Function;
use crate::value::{MAX_VALUE_DEPTH, Value};
use crate::views::bag::Bag;
use crate::views::change::Emitter;

/// An aggregate by `step`.
pub(crate) struct Custom {
    step: Function,
    init: Value,
    inverse: Option<Function>,
    accumulator: Value,
    /// Everything that is summed up, or left out.
    values: Bag,
    /// Values for which `step` had no result: they are not in the accumulator.
    left_out: Bag,
    /// Whether the accumulator must be made anew.
    is_stale: bool,
}

impl Custom {
    pub(super) fn new(step: Function, init: Value, inverse: Option<Function>) -> Self {
        let (values, left_out) = (Bag::default(), Bag::default());
        Self { step, accumulator: init.clone(), init, inverse, values, left_out, is_stale: false }
    }

    pub(super) fn result(&self) -> &Value {
        &self.accumulator
    }

    pub(super) fn change(&mut self, value: &Value, came: bool, operator: &'static str, out: &mut Emitter) {
        self.values.add(value, if came { 1 } else { -1 });
        if came && !self.is_stale {
            self.take(value, operator, out);
        } else if came {
            // Summed up with everything else.
        } else if self.left_out.contains(value) {
            self.left_out.add(value, -1);
            out.fail(false, operator, value, "left out no more");
        } else if !self.is_stale {
            self.undo(value);
        }
    }

    /// Takes in one value; one that fails is left out.
    fn take(&mut self, value: &Value, operator: &'static str, out: &mut Emitter) {
        match self.step.call(&[value.clone(), self.accumulator.clone()]) {
            Ok(next) if next.nests_within(MAX_VALUE_DEPTH) => self.accumulator = next,
            Ok(_) => {
                self.left_out.add(value, 1);
                out.fail(
                    true,
                    operator,
                    value,
                    format!("the accumulator nests more than {MAX_VALUE_DEPTH} levels deep"),
                );
            }
            Err(error) => {
                self.left_out.add(value, 1);
                out.fail(true, operator, value, error);
            }
        }
    }

    fn undo(&mut self, value: &Value) {
        let undone = self.inverse.as_ref().map(|inverse| inverse.call(&[value.clone(), self.accumulator.clone()]));
        match undone {
            Some(Ok(accumulator)) => self.accumulator = accumulator,
            _ => self.is_stale = true,
        }
    }

    /// Sums up everything again, ascending, if a removal could not be undone. Failures that were reported are not again.
    pub(super) fn settle(&mut self, operator: &'static str, out: &mut Emitter) {
        if !std::mem::take(&mut self.is_stale) {
            return;
        }
        self.accumulator = self.init.clone();
        let known = std::mem::take(&mut self.left_out);
        let mut all: Vec<(Value, i64)> = self.values.counted().map(|(value, count)| (value.clone(), count)).collect();
        all.sort_unstable();
        let mut again = Emitter::default();
        for (value, count) in all {
            (0..count).for_each(|_| self.take(&value, operator, &mut again));
        }
        out.failures.extend(again.failures.into_iter().filter(|failure| !known.contains(&failure.element)));
    }
}
