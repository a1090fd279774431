//! `product`: all pairs of an element of the first input and one of the second. A pair is there while both are.

use super::{Feed, Outcome, pair};

/// Pairs what is new with the whole other side: as many steps as there are new pairs.
pub(super) fn feed(feed: &Feed<'_>, out: &mut Outcome) {
    out.know_bases_of(feed.delta);
    for (element, support) in feed.delta.entries() {
        feed.other.entries(|other, theirs| {
            out.emit(element, pair(feed.side, element, other), support.and(theirs));
        });
    }
}
