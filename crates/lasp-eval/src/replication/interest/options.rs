//! The options of `interest`.

use crate::config::{ConfigError, within};
use crate::span::Span;
use serde::{Deserialize, Serialize};

/// Options of `interest`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Interest {
    /// How many variables there are.
    pub variables: usize,
    /// Which share of them each node wants, chosen at random.
    pub wanted: f64,
    /// How many updates are made to each.
    pub updates: usize,
    /// How many updates are made in a second, by all nodes together.
    pub rate: usize,
    /// Which share of the updates nodes make that do not want the variable.
    pub strangers: f64,
    /// Letters of each element that an update adds.
    pub letters: usize,
    /// How many nodes want another variable in the end instead of one of theirs.
    pub changes: usize,
    /// How long overlay, tree and summaries may form before the load.
    pub forming: Span,
}

impl Default for Interest {
    fn default() -> Self {
        Self {
            variables: 1000,
            wanted: 0.01,
            updates: 2,
            rate: 20,
            strangers: 0.1,
            letters: 100,
            changes: 20,
            forming: Span::from_secs(120),
        }
    }
}

impl Interest {
    pub(crate) fn check(&self, nodes: usize) -> Result<(), ConfigError> {
        within("--nodes", nodes, 2, 10_000, "2 to 10000 for this scenario")?;
        within("--variables", self.variables, 1, 100_000, "1 to 100000")?;
        within("--wanted", self.wanted, 0.0, 1.0, "0 to 1")?;
        within("--updates", self.updates, 1, 1000, "1 to 1000")?;
        within("--rate", self.rate, 1, 10_000, "1 to 10000")?;
        within("--strangers", self.strangers, 0.0, 1.0, "0 to 1")?;
        within("--letters", self.letters, 8, 10_000, "8 to 10000")?;
        within("--changes", self.changes, 0, nodes, "0 to the number of nodes")?;
        within("--forming", self.forming.as_millis(), 1_000, 3_600_000, "1s to 60m")
    }

    /// How many variables each node wants.
    pub(crate) fn wanted_each(&self) -> usize {
        ((self.wanted * self.variables as f64).round() as usize).clamp(1, self.variables)
    }

    /// As a reader would say them.
    pub(crate) fn described(&self) -> Vec<(&'static str, String)> {
        vec![
            ("variables", self.variables.to_string()),
            ("wanted by each node", format!("{} ({} %)", self.wanted_each(), self.wanted * 100.0)),
            ("updates of each", self.updates.to_string()),
            ("updates a second, in all", self.rate.to_string()),
            ("of these by nodes that do not want it", format!("{} %", self.strangers * 100.0)),
            ("letters of an element", self.letters.to_string()),
            ("nodes that change what they want", self.changes.to_string()),
            ("overlay and tree may form for", self.forming.to_string()),
        ]
    }
}
