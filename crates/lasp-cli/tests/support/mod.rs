//! What tests of several processes have in common: waiting for what must come, how whole an overlay is, and a port mapper daemon.

#![allow(dead_code, reason = "each test file is a crate of its own and uses what it needs")]

pub(crate) mod commands;
pub(crate) mod epmd;
pub(crate) mod pty;
pub(crate) mod running;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Looks until something holds; panics with its name where that takes longer than anything does unless it is broken.
pub(crate) fn wait_within(patience: Duration, what: &str, mut done: impl FnMut() -> bool) {
    let since = Instant::now();
    while !done() {
        assert!(since.elapsed() < patience, "{what} did not come to pass");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether each of some nodes, given with its neighbours, names only such that name it, too, nobody is alone, and all hang
/// together.
pub(crate) fn is_whole(views: &[(&str, BTreeSet<String>)]) -> bool {
    let at = |id: &String| views.iter().position(|(node, _)| *node == id.as_str());
    let answered = |node: &str, id: &String| at(id).is_some_and(|other| views[other].1.contains(node));
    let symmetric = views.iter().all(|(node, view)| !view.is_empty() && view.iter().all(|id| answered(node, id)));
    let (mut seen, mut next) = (BTreeSet::from([0]), vec![0]);
    while let Some(node) = next.pop() {
        next.extend(views[node].1.iter().filter_map(at).filter(|other| seen.insert(*other)));
    }
    symmetric && seen.len() == views.len()
}
