//! `flat_map`: the elements of the lists that a function gives, each with the supports of what it was given for.

use super::{Feed, Outcome, grouped};
use crate::operator::Function;
use crate::value::{NotThatKind, Value};

/// One call for each element that gained a support.
pub(super) fn feed(function: &Function, feed: &Feed<'_>, out: &mut Outcome) {
    out.know_bases_of(feed.delta);
    for (element, supports) in grouped(feed.delta) {
        match function.call(std::slice::from_ref(element)) {
            Ok(Value::List(images)) => {
                for image in images.iter() {
                    supports.iter().for_each(|&s| out.emit(element, image.clone(), s.clone()));
                }
            }
            Ok(other) => out.fail(element, NotThatKind::new("a list from the function", &other).to_string()),
            Err(error) => out.fail(element, error),
        }
    }
}
