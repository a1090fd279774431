//! `union`: what comes from either side goes on; a member that both have has the reasons of both.

use super::change::{Change, Emitter};

pub(crate) fn run(changes: &[Change], out: &mut Emitter) {
    out.changes.extend_from_slice(changes);
}
