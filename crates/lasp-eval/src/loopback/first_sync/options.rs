//! The options of `first-sync`.

use crate::config::{ConfigError, within};
use crate::replication::micro::options::{distinct, listed};
use serde::{Deserialize, Serialize};

/// Options of `first-sync`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct FirstSync {
    /// Sizes of clusters.
    pub sizes: Vec<usize>,
    /// How many variables the cluster has.
    pub variables: usize,
    /// How many nodes join, one after the other.
    pub joins: usize,
    /// How many updates are waited for everywhere.
    pub updates: usize,
}

impl Default for FirstSync {
    fn default() -> Self {
        Self { sizes: vec![3, 50], variables: 100, joins: 20, updates: 200 }
    }
}

impl FirstSync {
    /// The largest of its clusters.
    pub fn largest(&self) -> usize {
        self.sizes.iter().copied().max().unwrap_or(2)
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        distinct("--sizes", &self.sizes)?;
        for size in &self.sizes {
            within("--sizes", *size, 2, 200, "2 to 200 each")?;
        }
        within("--variables", self.variables, 1, 10_000, "1 to 10000")?;
        within("--joins", self.joins, 1, 1000, "1 to 1000")?;
        within("--updates", self.updates, 1, 100_000, "1 to 100000")
    }

    /// As a reader would say them.
    pub(crate) fn described(&self) -> Vec<(&'static str, String)> {
        vec![
            ("sizes of clusters", listed(&self.sizes)),
            ("variables", self.variables.to_string()),
            ("nodes that join", self.joins.to_string()),
            ("updates", self.updates.to_string()),
        ]
    }
}
