//! The options of `retwis`.

use crate::config::{ConfigError, within};
use crate::replication::micro::options::{distinct, listed};
use crate::replication::way::Way;
use crate::span::Span;
use serde::{Deserialize, Serialize};

/// Options of `retwis`; the defaults are the paper's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Retwis {
    /// How uneven users are: coefficients of Zipf's law.
    pub zipf: Vec<f64>,
    /// Which ways to send state are compared.
    pub modes: Vec<Way>,
    /// How many users there are.
    pub users: usize,
    /// How many events each node makes.
    pub events: usize,
    /// Between two events of a node, and between two exchanges.
    pub interval: Span,
    /// How long a broadcast tree may form before the load.
    pub warm_up: Span,
}

impl Default for Retwis {
    fn default() -> Self {
        Self {
            zipf: vec![0.5, 0.75, 1.0, 1.25, 1.5],
            modes: vec![Way::Delta, Way::DeltaBpRr, Way::Tree, Way::TreePaced],
            users: 10_000,
            events: 100,
            interval: Span::from_secs(1),
            warm_up: Span::from_secs(5),
        }
    }
}

impl Retwis {
    pub(crate) fn check(&self, nodes: usize) -> Result<(), ConfigError> {
        within("--nodes", nodes, 2, 500, "2 to 500 for this scenario")?;
        distinct("--zipf", &self.zipf)?;
        for zipf in &self.zipf {
            within("--zipf", *zipf, 0.0, 5.0, "0 to 5 each")?;
        }
        distinct("--modes", &self.modes)?;
        within("--users", self.users, 2, 1_000_000, "2 to 1000000")?;
        within("--events", self.events, 1, 100_000, "1 to 100000")?;
        within("--interval", self.interval.as_millis(), 100, 60_000, "100ms to 1m")?;
        within("--warm-up", self.warm_up.as_millis(), 0, 600_000, "0ms to 10m")
    }

    /// As a reader would say them.
    pub(crate) fn described(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Zipf coefficients", listed(&self.zipf)),
            ("modes", listed(&self.modes)),
            ("users", self.users.to_string()),
            ("events per node", self.events.to_string()),
            ("interval of events and exchanges", self.interval.to_string()),
            ("a tree may form for", self.warm_up.to_string()),
        ]
    }
}
