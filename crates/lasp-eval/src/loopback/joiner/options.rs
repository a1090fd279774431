//! The options of `joiner`.

use crate::choice::choice;
use crate::config::{ConfigError, within};
use crate::replication::micro::options::{distinct, listed};
use serde::{Deserialize, Serialize};

choice! {
    /// How what there is to be loaded is laid out.
    pub enum Shape("shape") {
        /// As many variables, each a register.
        Variables = "variables",
        /// One add-wins set.
        Set = "set",
        /// One map of registers, which only grows.
        Map = "map",
    }
}

/// Options of `joiner`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Joiner {
    /// How many keys there are.
    pub keys: Vec<usize>,
    /// As what.
    pub shapes: Vec<Shape>,
}

impl Default for Joiner {
    fn default() -> Self {
        Self { keys: vec![100_000, 1_000_000], shapes: Shape::ALL.to_vec() }
    }
}

impl Joiner {
    pub(crate) fn check(&self, nodes: usize) -> Result<(), ConfigError> {
        within("--nodes", nodes, 2, 2, "2 for this scenario")?;
        distinct("--keys", &self.keys)?;
        distinct("--shape", &self.shapes)?;
        for keys in &self.keys {
            within("--keys", *keys, 1, 10_000_000, "1 to 10000000 each")?;
        }
        Ok(())
    }

    /// As a reader would say them.
    pub(crate) fn described(&self) -> Vec<(&'static str, String)> {
        vec![("keys", listed(&self.keys)), ("shapes", listed(&self.shapes))]
    }
}
