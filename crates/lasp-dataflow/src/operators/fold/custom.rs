//! Folds by a user's function, with or without an inverse.

use crate::operator::Function;
use crate::operators::{Input, Outcome};
use crate::value::{MAX_VALUE_DEPTH, Value};
use std::collections::BTreeSet;

/// A fold by `step`.
pub(super) struct Custom {
    step: Function,
    init: Value,
    inverse: Option<Function>,
    accumulator: Value,
    /// Elements for which `step` had no result: they are not in the accumulator.
    left_out: BTreeSet<Value>,
}

impl Custom {
    pub(super) fn new(step: Function, init: Value, inverse: Option<Function>) -> Self {
        Self { step, accumulator: init.clone(), init, inverse, left_out: BTreeSet::new() }
    }

    pub(super) fn result(&self) -> &Value {
        &self.accumulator
    }

    pub(super) fn change(&mut self, came: &[&Value], went: &[&Value], input: &Input<'_>, out: &mut Outcome) {
        if !self.undo(went) {
            return self.start_over(input, came, out);
        }
        for &element in came {
            self.take(element, out);
        }
    }

    /// Takes in one element; one that fails is left out.
    fn take(&mut self, element: &Value, out: &mut Outcome) {
        let next = self.step.call(&[element.clone(), self.accumulator.clone()]);
        match next {
            Ok(next) if next.nests_within(MAX_VALUE_DEPTH) => self.accumulator = next,
            Ok(_) => {
                self.left_out.insert(element.clone());
                out.fail(element, format!("the accumulator nests more than {MAX_VALUE_DEPTH} levels deep"));
            }
            Err(error) => {
                self.left_out.insert(element.clone());
                out.fail(element, error);
            }
        }
    }

    /// Takes removed elements out of the accumulator; `false` if that needs a new start.
    fn undo(&mut self, went: &[&Value]) -> bool {
        for &element in went {
            if self.left_out.remove(element) {
                continue;
            }
            let undone = self.inverse.as_ref().map(|f| f.call(&[element.clone(), self.accumulator.clone()]));
            let Some(Ok(accumulator)) = undone else { return false };
            self.accumulator = accumulator;
        }
        true
    }

    /// Folds all elements again, ascending. Failures of elements that were here before have been reported.
    fn start_over(&mut self, input: &Input<'_>, came: &[&Value], out: &mut Outcome) {
        self.accumulator = self.init.clone();
        let known = std::mem::take(&mut self.left_out);
        let mut again = Outcome::default();
        for element in input.state.elements() {
            self.take(&element, &mut again);
        }
        let is_news = |element: &Value| came.contains(&element) || !known.contains(element);
        out.failures.extend(again.failures.into_iter().filter(|failure| is_news(&failure.element)));
    }
}
