//! `fold`: one value over the members, kept up to date as they come and go.

use super::aggregate::{Accumulator, is_unset};
use super::bag::Members;
use super::change::{Change, Emitter};
use crate::operator::Aggregate;
use crate::value::Value;

/// A running fold.
pub(crate) struct Fold {
    accumulator: Accumulator,
    text: Box<str>,
    members: Members,
    /// The result as it was last emitted.
    result: Option<Value>,
}

impl Fold {
    /// A fold of nothing yet. `distinct` says that the input tells of each member once.
    pub(crate) fn new(aggregate: &Aggregate, distinct: bool) -> Self {
        let members = Members::of_stream(distinct);
        let text = format!("fold({aggregate:?})").into();
        Self { accumulator: Accumulator::new(aggregate), text, members, result: None }
    }

    /// What to show for it.
    pub(crate) fn describe(&self) -> String {
        self.text.to_string()
    }

    pub(crate) fn run(&mut self, changes: &[Change], out: &mut Emitter) {
        for change in changes {
            let weight = self.members.turn(change);
            if weight != 0 {
                self.accumulator.change(&change.member, &change.member, weight > 0, "fold", out);
            }
        }
        self.settle(out);
    }

    /// Emits the result, if it is another.
    pub(crate) fn settle(&mut self, out: &mut Emitter) {
        self.accumulator.settle("fold", out);
        let result = match self.accumulator.result() {
            Ok(result) => Some(result),
            Err(error) => {
                out.fail(true, "fold", &Value::atom("result"), error);
                None
            }
        };
        if result != self.result {
            if let Some(old) = self.result.take() {
                out.emit(old, -1);
            }
            if let Some(new) = &result {
                out.emit(new.clone(), 1);
            }
            self.result = result;
        }
    }

    /// The result now; `None` where there is none.
    pub(crate) fn result(&self) -> Option<&Value> {
        self.result.as_ref().filter(|result| !is_unset(result))
    }

    /// The result as the stream tells it, unset ones too.
    pub(crate) fn emitted(&self) -> Option<&Value> {
        self.result.as_ref()
    }
}
