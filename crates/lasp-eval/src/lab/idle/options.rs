//! The options of `idle`.

use crate::config::{ConfigError, Membership, within};
use crate::span::Span;
use serde::{Deserialize, Serialize};

/// Options of `idle`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Idle {
    /// How many nodes, ascending: a cluster for each.
    pub sizes: Vec<usize>,
    /// How long a cluster is left alone once all have joined. 5 m: guess; the longest back-off of any timer, five times.
    pub settle: Span,
    /// How long what nodes send is counted then. 2 m: guess; some rounds of every timer.
    pub measure: Span,
}

impl Default for Idle {
    fn default() -> Self {
        Self { sizes: vec![100, 1000, 10_000], settle: Span::from_secs(300), measure: Span::from_secs(120) }
    }
}

impl Idle {
    /// The largest cluster.
    pub fn largest(&self) -> usize {
        self.sizes.iter().copied().max().unwrap_or(0)
    }

    pub(crate) fn check(&self, nodes: usize, membership: Membership) -> Result<(), ConfigError> {
        within("--sizes", self.sizes.len(), 1, 6, "1 to 6 sizes")?;
        let most = if membership == Membership::Full { 4000 } else { 1_000_000 };
        for (at, size) in self.sizes.iter().enumerate() {
            within("--sizes", *size, 2, most, "2 to 1000000 each (4000 with full membership)")?;
            if self.sizes[..at].contains(size) {
                return Err(ConfigError::Twice { name: "--sizes", given: size.to_string() });
            }
        }
        let largest = self.largest();
        if nodes != largest {
            let (one, other) = (format!("--nodes {nodes}"), format!("--sizes, whose largest is {largest}"));
            return Err(ConfigError::Contradiction { one, other });
        }
        within("--settle", self.settle.as_millis(), 1000, 86_400_000, "1s to 1440m")?;
        within("--measure", self.measure.as_millis(), 1000, 86_400_000, "1s to 1440m")
    }

    /// As a reader would say them.
    pub(crate) fn described(&self) -> Vec<(&'static str, String)> {
        let sizes = self.sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        vec![("sizes", sizes), ("left alone for", self.settle.to_string()), ("measured for", self.measure.to_string())]
    }
}
