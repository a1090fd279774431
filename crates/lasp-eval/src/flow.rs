//! What one node received and what of it was needed, what it compared, and what waited at it: counters since it started,
//! gauges, and peaks, as columns of `metrics.csv`.

use lasp_node::Node;
use serde::{Deserialize, Serialize};

/// Counters, gauges and peaks of one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Flow {
    /// Items received that carried deltas.
    pub payloads_received: u64,
    /// Of these, those that brought anything new.
    pub payloads_needed: u64,
    /// Bytes of deltas received.
    pub state_received: u64,
    /// Of these, those that were new here.
    pub state_needed: u64,
    /// Digests of neighbours that were compared with the own.
    pub digests_received: u64,
    /// Of these, those that were equal to it.
    pub digests_equal: u64,
    /// Entries of deltas that wait for links now.
    pub waiting_entries: u64,
    /// Bytes of these, written in full, with what is under way.
    pub waiting_bytes: u64,
    /// Entries kept beside the variables now, for all neighbours that are still to hear them: those that wait, and the rest.
    pub kept_entries: u64,
    /// Most entries that ever waited on one link.
    pub link_entries_peak: u64,
    /// Most entries that ever waited on all links together.
    pub node_entries_peak: u64,
    /// Most bytes that ever waited on one link or were under way on it.
    pub link_bytes_peak: u64,
    /// Links over which payloads are pushed now.
    pub eager_links: u64,
}

/// How many numbers there are.
pub const COLUMNS: usize = 13;

/// Their names in `metrics.csv`, in order.
pub const NAMES: [&str; COLUMNS] = [
    "payloads_received",
    "payloads_needed",
    "state_received",
    "state_needed",
    "digests_received",
    "digests_equal",
    "waiting_entries",
    "waiting_bytes",
    "kept_entries",
    "link_entries_peak",
    "node_entries_peak",
    "link_bytes_peak",
    "eager_links",
];

impl Flow {
    /// A node as it is now. Cost: that of what it keeps for its neighbours.
    pub fn of(node: &Node) -> Self {
        let metrics = node.metrics();
        let links = node.active_view();
        Self {
            payloads_received: metrics.payloads_received,
            payloads_needed: metrics.payloads_needed,
            state_received: metrics.state_received,
            state_needed: metrics.state_needed,
            digests_received: metrics.digests_received,
            digests_equal: metrics.digests_equal,
            waiting_entries: node.waiting_entries() as u64,
            waiting_bytes: links.iter().map(|peer| node.buffered_bytes(peer.id) as u64).sum(),
            kept_entries: node.buffered_entries() as u64,
            link_entries_peak: metrics.link_entries_peak,
            node_entries_peak: metrics.node_entries_peak,
            link_bytes_peak: metrics.link_bytes_peak,
            eager_links: node.broadcast().eager().count() as u64,
        }
    }

    /// The numbers in the order of [`NAMES`].
    pub const fn values(&self) -> [u64; COLUMNS] {
        let Self { payloads_received, payloads_needed, state_received, state_needed, .. } = *self;
        let Self { digests_received, digests_equal, waiting_entries, waiting_bytes, kept_entries, .. } = *self;
        let Self { link_entries_peak, node_entries_peak, link_bytes_peak, eager_links, .. } = *self;
        [
            payloads_received,
            payloads_needed,
            state_received,
            state_needed,
            digests_received,
            digests_equal,
            waiting_entries,
            waiting_bytes,
            kept_entries,
            link_entries_peak,
            node_entries_peak,
            link_bytes_peak,
            eager_links,
        ]
    }

    /// From the numbers that [`values`](Self::values) gives.
    pub const fn from_values(values: [u64; COLUMNS]) -> Self {
        let [payloads_received, payloads_needed, state_received, state_needed, rest @ ..] = values;
        let [digests_received, digests_equal, waiting_entries, waiting_bytes, kept_entries, rest @ ..] = rest;
        let [link_entries_peak, node_entries_peak, link_bytes_peak, eager_links] = rest;
        Self {
            payloads_received,
            payloads_needed,
            state_received,
            state_needed,
            digests_received,
            digests_equal,
            waiting_entries,
            waiting_bytes,
            kept_entries,
            link_entries_peak,
            node_entries_peak,
            link_bytes_peak,
            eager_links,
        }
    }
}

/// `of / by`; 0 of nothing.
pub(crate) fn share(of: u64, by: u64) -> f64 {
    if by == 0 { 0.0 } else { of as f64 / by as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_in_their_order() {
        let values: [u64; COLUMNS] = std::array::from_fn(|at| at as u64 + 1);
        let flow = Flow::from_values(values);
        assert_eq!(flow.values(), values);
        let named = serde_json::to_value(flow).unwrap();
        for (name, value) in NAMES.iter().zip(values) {
            assert_eq!(named[name], value, "{name}");
        }
    }
}
