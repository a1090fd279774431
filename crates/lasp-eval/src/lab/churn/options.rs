//! The options of `churn`.

use crate::config::{ConfigError, Membership, within};
use serde::{Deserialize, Serialize};

/// Most rates of one evaluation: as many as a figure has colours.
pub const MAX_RATES: usize = 4;

/// Options of `churn`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Churn {
    /// Percent of the nodes that are replaced per minute: an experiment for each.
    pub rates: Vec<u32>,
    /// For how many minutes.
    pub minutes: u32,
    /// Percent of the replaced that leave; of the others half are reset, and half vanish without a sign.
    pub leaving: u32,
    /// Nodes that are never replaced; everybody joins through one of them.
    pub contacts: usize,
}

impl Default for Churn {
    fn default() -> Self {
        Self { rates: vec![10, 50], minutes: 30, leaving: 50, contacts: 1 }
    }
}

impl Churn {
    pub(crate) fn check(&self, nodes: usize, membership: Membership) -> Result<(), ConfigError> {
        if membership == Membership::Full {
            within("--nodes", nodes, 50, 4000, "50 to 4000 with full membership: everybody links to everybody")?;
        }
        within("--rate", self.rates.len(), 1, MAX_RATES, "given 1 to 4 times")?;
        for (at, rate) in self.rates.iter().enumerate() {
            within("--rate", *rate, 1, 1000, "1 to 1000 percent per minute")?;
            if self.rates[..at].contains(rate) {
                return Err(ConfigError::Twice { name: "--rate", given: rate.to_string() });
            }
        }
        within("--minutes", self.minutes, 1, 1440, "1 to 1440")?;
        within("--leaving", self.leaving, 0, 100, "0 to 100 percent")?;
        within("--contacts", self.contacts, 1, nodes / 2, "at least 1, and at most half of the nodes")
    }

    /// As a reader would say them.
    pub(crate) fn described(&self) -> Vec<(&'static str, String)> {
        let rates = self.rates.iter().map(|rate| format!("{rate} %")).collect::<Vec<_>>().join(", ");
        let crashing = f64::from(100 - self.leaving) / 2.0;
        vec![
            ("replaced per minute", rates),
            ("minutes", self.minutes.to_string()),
            ("who goes", format!("{} % leave, {crashing} % are reset, {crashing} % vanish", self.leaving)),
            ("contacts, which stay", self.contacts.to_string()),
        ]
    }
}
