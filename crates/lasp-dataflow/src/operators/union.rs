//! `union`, and `bind_to` between sets: the elements of either input, with the supports that they have there.

use super::{Feed, Outcome};

/// The delta as it is.
pub(super) fn feed(feed: &Feed<'_>, out: &mut Outcome) {
    out.delta = feed.delta.clone();
}
