//! `intersection`: the elements of both inputs. One is there while it has a support on each side.

use super::{Feed, Outcome};

/// One look-up on the other side for each support gained.
pub(super) fn feed(feed: &Feed<'_>, out: &mut Outcome) {
    out.know_bases_of(feed.delta);
    for (element, support) in feed.delta.entries() {
        feed.other.supports(element, |theirs| out.emit(element, element.clone(), support.and(theirs)));
    }
}
