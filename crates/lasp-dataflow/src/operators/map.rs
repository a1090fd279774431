//! `map`: the images of the elements. Where several elements have one image, it has the supports of all.

use super::{Feed, Outcome, grouped};
use crate::operator::Function;

/// One call for each element that gained a support.
pub(super) fn feed(function: &Function, feed: &Feed<'_>, out: &mut Outcome) {
    out.know_bases_of(feed.delta);
    for (element, supports) in grouped(feed.delta) {
        match function.call(std::slice::from_ref(element)) {
            Ok(image) => supports.into_iter().for_each(|s| out.emit(element, image.clone(), s.clone())),
            Err(error) => out.fail(element, error),
        }
    }
}
