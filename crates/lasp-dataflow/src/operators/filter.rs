//! `filter`: the elements for which a predicate holds, with their supports. What is known of the bases passes for all
//! elements, so that an element left out is not taken for a removed one.

use super::{Feed, Outcome, grouped};
use crate::operator::Function;
use crate::value::{NotThatKind, Value};

/// One call for each element that gained a support.
pub(super) fn feed(predicate: &Function, feed: &Feed<'_>, out: &mut Outcome) {
    out.know_bases_of(feed.delta);
    for (element, supports) in grouped(feed.delta) {
        match predicate.call(std::slice::from_ref(element)) {
            Ok(Value::Bool(true)) => supports.into_iter().for_each(|s| out.emit(element, element.clone(), s.clone())),
            Ok(Value::Bool(false)) => {}
            Ok(other) => out.fail(element, NotThatKind::new("a boolean from the predicate", &other).to_string()),
            Err(error) => out.fail(element, error),
        }
    }
}
