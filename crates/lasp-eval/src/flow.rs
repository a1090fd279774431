//! What one node received and what of it was needed, what it compared, and what waited at it: counters since it started,
//! gauges, and peaks, as columns of `metrics.csv`.

use lasp_node::Node;
use serde::{Deserialize, Serialize};

/// The numbers, each once: fields, names and order follow from it.
macro_rules! columns {
    ($( $(#[$doc:meta])* $name:ident ),+ $(,)?) => {
        /// Counters, gauges and peaks of one node.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct Flow {
            $( $(#[$doc])* pub $name: u64, )+
        }

        /// Their names in `metrics.csv`, in order.
        pub const NAMES: [&str; COLUMNS] = [$( stringify!($name) ),+];

        impl Flow {
            /// The numbers in the order of [`NAMES`].
            pub const fn values(&self) -> [u64; COLUMNS] {
                [$( self.$name ),+]
            }

            /// From the numbers that [`values`](Self::values) gives.
            pub const fn from_values(values: [u64; COLUMNS]) -> Self {
                let [$( $name ),+] = values;
                Self { $( $name ),+ }
            }
        }
    };
}

/// How many numbers there are.
pub const COLUMNS: usize = 13;

columns! {
    /// Items received that carried deltas.
    payloads_received,
    /// Of these, those that brought anything new.
    payloads_needed,
    /// Bytes of deltas received.
    state_received,
    /// Of these, those that were new here.
    state_needed,
    /// Digests of neighbours that were compared with the own.
    digests_received,
    /// Of these, those that were equal to it.
    digests_equal,
    /// Entries of deltas that wait for links now.
    waiting_entries,
    /// Bytes of these, written in full, with what is under way.
    waiting_bytes,
    /// Entries kept beside the variables now, for all neighbours that are still to hear them: those that wait, and the rest.
    kept_entries,
    /// Most entries that ever waited on one link.
    link_entries_peak,
    /// Most entries that ever waited on all links together.
    node_entries_peak,
    /// Most bytes that ever waited on one link or were under way on it.
    link_bytes_peak,
    /// Links over which payloads are pushed now.
    eager_links,
}

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
}

impl Flow {
    /// Adds what another has counted: received, needed, compared. Gauges and peaks stay as they are.
    pub const fn count(&mut self, other: &Self) {
        self.payloads_received += other.payloads_received;
        self.payloads_needed += other.payloads_needed;
        self.state_received += other.state_received;
        self.state_needed += other.state_needed;
        self.digests_received += other.digests_received;
        self.digests_equal += other.digests_equal;
    }

    /// The same, with what was counted since `earlier`.
    #[must_use]
    pub const fn since(&self, earlier: &Self) -> Self {
        Self {
            payloads_received: self.payloads_received.saturating_sub(earlier.payloads_received),
            payloads_needed: self.payloads_needed.saturating_sub(earlier.payloads_needed),
            state_received: self.state_received.saturating_sub(earlier.state_received),
            state_needed: self.state_needed.saturating_sub(earlier.state_needed),
            digests_received: self.digests_received.saturating_sub(earlier.digests_received),
            digests_equal: self.digests_equal.saturating_sub(earlier.digests_equal),
            ..*self
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
    fn what_is_counted_adds_up_and_what_is_gauged_does_not() {
        let [early, late] = [1, 10].map(|by| Flow::from_values(std::array::from_fn(|at| by * (at as u64 + 1))));
        let grown = late.since(&early);
        assert_eq!((grown.payloads_received, grown.digests_equal, grown.waiting_entries), (9, 54, 70));
        let mut sum = early;
        sum.count(&grown);
        assert_eq!(sum.values()[..6], late.values()[..6]);
        assert_eq!(sum.values()[6..], early.values()[6..]);
    }

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
