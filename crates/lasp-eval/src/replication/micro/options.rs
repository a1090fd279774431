//! The options of `micro`.

use super::workload::{Crdt, Workload};
use crate::config::{ConfigError, within};
use crate::replication::topology::Topology;
use crate::replication::way::Way;
use crate::span::Span;
use serde::{Deserialize, Serialize};

/// Options of `micro`; the defaults are the paper's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Micro {
    /// Which data types.
    pub crdts: Vec<Crdt>,
    /// Which percentages of its keys a node's event rewrites, of a map.
    pub percents: Vec<u32>,
    /// Over which links.
    pub topologies: Vec<Topology>,
    /// Which ways to send state are compared.
    pub modes: Vec<Way>,
    /// How many events each node makes.
    pub events: usize,
    /// Between two events of a node, and between two exchanges.
    pub interval: Span,
    /// How long a broadcast tree may form before the load. The topology is fixed, and the paper gives its tree whole.
    pub warm_up: Span,
}

impl Default for Micro {
    fn default() -> Self {
        Self {
            crdts: Crdt::ALL.to_vec(),
            percents: vec![10, 30, 60, 100],
            topologies: Topology::ALL.to_vec(),
            modes: Way::ALL.to_vec(),
            events: 100,
            interval: Span::from_secs(1),
            warm_up: Span::from_secs(5),
        }
    }
}

impl Micro {
    /// Everything that is to be measured in each way and over each topology.
    pub fn workloads(&self) -> Vec<Workload> {
        let of = |crdt: &Crdt| match crdt {
            Crdt::GSet => vec![Workload::GSet],
            Crdt::GCounter => vec![Workload::GCounter],
            Crdt::GMap => self.percents.iter().map(|percent| Workload::GMap { percent: *percent }).collect(),
        };
        self.crdts.iter().flat_map(of).collect()
    }

    pub(crate) fn check(&self, nodes: usize) -> Result<(), ConfigError> {
        within("--nodes", nodes, 2, 500, "2 to 500 for this scenario")?;
        distinct("--crdt", &self.crdts)?;
        distinct("--topology", &self.topologies)?;
        distinct("--modes", &self.modes)?;
        distinct("--percent", &self.percents)?;
        for percent in &self.percents {
            within("--percent", *percent, 1, 100, "1 to 100 each")?;
        }
        within("--events", self.events, 1, 100_000, "1 to 100000")?;
        within("--interval", self.interval.as_millis(), 100, 60_000, "100ms to 1m")?;
        within("--warm-up", self.warm_up.as_millis(), 0, 600_000, "0ms to 10m")
    }

    /// As a reader would say them.
    pub(crate) fn described(&self) -> Vec<(&'static str, String)> {
        vec![
            ("workloads", listed(self.workloads().iter().map(Workload::title))),
            ("topologies", listed(&self.topologies)),
            ("modes", listed(&self.modes)),
            ("events per node", self.events.to_string()),
            ("interval of events and exchanges", self.interval.to_string()),
            ("a tree may form for", self.warm_up.to_string()),
        ]
    }
}

/// Values side by side.
pub(crate) fn listed<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(", ")
}

/// That a list has something in it, and nothing twice.
pub(crate) fn distinct<T: PartialEq + ToString>(name: &'static str, values: &[T]) -> Result<(), ConfigError> {
    within(name, values.len(), 1, 20, "1 to 20 values")?;
    match values.iter().enumerate().find(|(at, value)| values[..*at].contains(value)) {
        Some((_, value)) => Err(ConfigError::Twice { name, given: value.to_string() }),
        None => Ok(()),
    }
}
