//! The options of `heal`.

use crate::config::{ConfigError, within};
use crate::replication::micro::options::{distinct, listed};
use crate::span::Span;
use serde::{Deserialize, Serialize};

/// Options of `heal`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Heal {
    /// How many updates are made while the network is cut, half of them on each side.
    pub writes: Vec<usize>,
    /// How many sets they are made to.
    pub variables: usize,
    /// How many elements are in these before.
    pub elements: usize,
    /// How long the network is cut.
    pub apart: Span,
}

impl Default for Heal {
    fn default() -> Self {
        Self { writes: vec![100, 1000, 10_000], variables: 1000, elements: 20_000, apart: Span::from_secs(600) }
    }
}

impl Heal {
    pub(crate) fn check(&self, nodes: usize) -> Result<(), ConfigError> {
        within("--nodes", nodes, 10, 10_000, "10 to 10000 for this scenario")?;
        distinct("--writes", &self.writes)?;
        for writes in &self.writes {
            within("--writes", *writes, 2, 1_000_000, "2 to 1000000 each")?;
        }
        within("--variables", self.variables, 1, 100_000, "1 to 100000")?;
        within("--elements", self.elements, 0, 10_000_000, "0 to 10000000")?;
        within("--apart", self.apart.as_millis(), 1000, 86_400_000, "1s to 24h")
    }

    /// As a reader would say them.
    pub(crate) fn described(&self) -> Vec<(&'static str, String)> {
        vec![
            ("updates while apart", listed(&self.writes)),
            ("sets", self.variables.to_string()),
            ("elements before", self.elements.to_string()),
            ("apart for", self.apart.to_string()),
        ]
    }
}
