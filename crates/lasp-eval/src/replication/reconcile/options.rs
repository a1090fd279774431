//! The options of `reconcile`.

use crate::config::{ConfigError, within};
use crate::replication::micro::options::{distinct, listed};
use serde::{Deserialize, Serialize};

/// Options of `reconcile`; the defaults are the paper's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Reconcile {
    /// How many strings each replica holds.
    pub elements: usize,
    /// Jaccard similarities, in percent.
    pub similarity: Vec<f64>,
}

impl Default for Reconcile {
    fn default() -> Self {
        let similarity = vec![0.0, 10.0, 25.0, 50.0, 75.0, 85.0, 90.0, 95.0, 98.0, 99.0, 99.9, 100.0];
        Self { elements: 100_000, similarity }
    }
}

impl Reconcile {
    pub(crate) fn check(&self, nodes: usize) -> Result<(), ConfigError> {
        within("--nodes", nodes, 2, 2, "2 for this scenario")?;
        within("--elements", self.elements, 1, 1_000_000, "1 to 1000000")?;
        distinct("--similarity", &self.similarity)?;
        for similarity in &self.similarity {
            within("--similarity", *similarity, 0.0, 100.0, "0 to 100 each")?;
        }
        Ok(())
    }

    /// As a reader would say them.
    pub(crate) fn described(&self) -> Vec<(&'static str, String)> {
        vec![
            ("strings of each replica", self.elements.to_string()),
            ("Jaccard similarities, percent", listed(&self.similarity)),
        ]
    }
}
