//! The options of `slow-peer`.

use crate::config::{ConfigError, within};
use crate::span::Span;
use serde::{Deserialize, Serialize};

/// Options of `slow-peer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct SlowPeer {
    /// Bytes that the slow node reads in a second, over all of its links.
    pub reads: u64,
    /// Updates in a second, of all other nodes together.
    pub rate: u64,
    /// For how long.
    pub load: Span,
    /// How many counters they increment.
    pub variables: usize,
    /// Bytes of the transfer that probes and small deltas overtake.
    pub transfer: usize,
}

impl Default for SlowPeer {
    /// The load is as demanded; the counters are so many that the slow node could read them in about a minute.
    fn default() -> Self {
        Self { reads: 1000, rate: 10_000, load: Span::from_secs(60), variables: 100, transfer: 8_000_000 }
    }
}

impl SlowPeer {
    pub(crate) fn check(&self, nodes: usize) -> Result<(), ConfigError> {
        within("--nodes", nodes, 3, 500, "3 to 500 for this scenario")?;
        within("--reads", self.reads, 10, 1_000_000_000, "10 to 1000000000")?;
        within("--rate", self.rate, 1, 1_000_000, "1 to 1000000")?;
        within("--load", self.load.as_millis(), 1000, 3_600_000, "1s to 60m")?;
        within("--variables", self.variables, 1, 100_000, "1 to 100000")?;
        within("--transfer", self.transfer, 100_000, 100_000_000, "100000 to 100000000")
    }

    /// As a reader would say them.
    pub(crate) fn described(&self) -> Vec<(&'static str, String)> {
        vec![
            ("bytes that the slow node reads in a second", self.reads.to_string()),
            ("updates in a second", self.rate.to_string()),
            ("for", self.load.to_string()),
            ("counters", self.variables.to_string()),
            ("bytes of the transfer", self.transfer.to_string()),
        ]
    }
}
