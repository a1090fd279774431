//! What is counted over time: a column for each number, with where it comes from.

use super::usage::{Usage, usage};
use crate::identity::wall_clock_ms;
use lasp_node::{Class, Metrics, Node};

/// What a row is made of.
struct Seen<'a> {
    now_ms: u64,
    node: &'a Node,
    metrics: &'a Metrics,
    usage: Usage,
}

type Column = (&'static str, fn(&Seen<'_>) -> u64);

/// What a row holds; the first is the time. Each costs O(1), or the number of links.
const COLUMNS: [Column; 31] = [
    ("at_ms", |seen| seen.now_ms),
    ("bytes_sent_membership", |seen| seen.metrics.sent(Class::Membership)),
    ("bytes_sent_broadcast", |seen| seen.metrics.sent(Class::Broadcast)),
    ("bytes_sent_state", |seen| seen.metrics.sent(Class::State)),
    ("bytes_sent_sync", |seen| seen.metrics.sent(Class::Sync)),
    ("bytes_sent_unicast", |seen| seen.metrics.sent(Class::Unicast)),
    ("bytes_received", |seen| seen.metrics.bytes_received),
    ("frames_sent", |seen| seen.metrics.frames_sent),
    ("frames_received", |seen| seen.metrics.frames_received),
    ("updates", |seen| seen.metrics.updates),
    ("merges", |seen| seen.metrics.merges),
    ("redundant", |seen| seen.metrics.redundant),
    ("state_received", |seen| seen.metrics.state_received),
    ("state_needed", |seen| seen.metrics.state_needed),
    ("payloads_received", |seen| seen.metrics.payloads_received),
    ("payloads_needed", |seen| seen.metrics.payloads_needed),
    ("syncs", |seen| seen.metrics.syncs),
    ("sync_differences", |seen| seen.metrics.sync_differences),
    ("digests_received", |seen| seen.metrics.digests_received),
    ("digests_equal", |seen| seen.metrics.digests_equal),
    ("waiting", |seen| seen.node.waiting() as u64),
    ("queue_peak", |seen| seen.metrics.queue_peak),
    ("waiting_entries", |seen| seen.node.waiting_entries() as u64),
    ("link_entries_peak", |seen| seen.metrics.link_entries_peak),
    ("node_entries_peak", |seen| seen.metrics.node_entries_peak),
    ("link_bytes_peak", |seen| seen.metrics.link_bytes_peak),
    ("active", |seen| seen.node.active_view().len() as u64),
    ("passive", |seen| seen.node.passive_view().len() as u64),
    ("variables", |seen| seen.node.graph().vars_count() as u64),
    ("memory_bytes", |seen| seen.usage.memory),
    ("cpu_ms", |seen| seen.usage.cpu_ms),
];

/// One row, in the order of [`names`].
pub(super) type Row = [u64; COLUMNS.len()];

/// What the numbers of a row are.
pub(super) fn names() -> [&'static str; COLUMNS.len()] {
    COLUMNS.map(|(name, _)| name)
}

/// A node as it is now.
pub(super) fn row(node: &Node) -> Row {
    let seen = Seen { now_ms: wall_clock_ms(), node, metrics: node.metrics(), usage: usage() };
    COLUMNS.map(|(_, value)| value(&seen))
}

#[cfg(test)]
mod tests {
    use super::names;
    use std::collections::BTreeSet;

    #[test]
    fn each_column_has_its_own_name_and_the_clients_know_theirs() {
        let unique: BTreeSet<&str> = names().into_iter().collect();
        assert_eq!((names()[0], unique.len()), ("at_ms", names().len()));
        let page = include_str!("../../../../web/transmission.js");
        let told = page.split('\'').filter(|text| text.contains('_') || ["updates", "merges"].contains(text));
        let strange: Vec<&str> = told.filter(|text| !unique.contains(text) && !text.contains(' ')).collect();
        assert!(strange.is_empty(), "the page draws what is not counted: {strange:?}");
    }
}
