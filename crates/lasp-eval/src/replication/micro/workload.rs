//! What an event of the micro-benchmarks does, and how many entries must travel for it.

use crate::choice::choice;
use crate::replication::cluster::Cluster;
use lasp_dataflow::{Op, Type, Value};
use lasp_overlay::Rng;

choice! {
    /// The data types of the micro-benchmarks.
    pub enum Crdt("type") {
        /// A grow-only set: an event adds a new element.
        GSet = "gset",
        /// A grow-only counter: an event increments it.
        GCounter = "gcounter",
        /// A map of registers: an event rewrites a share of the node's own keys.
        GMap = "gmap",
    }
}

/// A data type, and how much of it an event changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Workload {
    /// An event adds one new element.
    GSet,
    /// An event increments.
    GCounter,
    /// An event rewrites so many percent of the node's own keys.
    GMap {
        /// How many.
        percent: u32,
    },
}

/// How many keys a map has.
const KEYS: usize = 1000;

/// The variable that all events are about.
pub const VARIABLE: &str = "events";

impl Workload {
    /// As a heading.
    pub fn title(&self) -> String {
        match self {
            Self::GSet => "GSet".to_owned(),
            Self::GCounter => "GCounter".to_owned(),
            Self::GMap { percent } => format!("GMap {percent} %"),
        }
    }

    /// In the names of figures.
    pub fn name(&self) -> String {
        match self {
            Self::GSet => "gset".to_owned(),
            Self::GCounter => "gcounter".to_owned(),
            Self::GMap { percent } => format!("gmap_{percent}"),
        }
    }

    fn ty(&self) -> Type {
        match self {
            Self::GSet => Type::GSet,
            Self::GCounter => Type::GCounter,
            Self::GMap { .. } => Type::GMap(Box::new(Type::LwwRegister)),
        }
    }

    /// The keys of a node: consecutive ones, as many as the published program gives it, so the last node may have fewer.
    fn keys(nodes: usize, node: usize) -> Vec<usize> {
        let each = KEYS / nodes + 1;
        (node * each..KEYS.min((node + 1) * each)).collect()
    }

    /// How many of them an event rewrites.
    fn rewritten(percent: u32, nodes: usize, node: usize) -> usize {
        let share = percent as usize * (KEYS / nodes + 1) / 100 + 1;
        share.min(Self::keys(nodes, node).len())
    }

    /// Makes event number `event` of a node.
    pub fn event(&self, cluster: &mut Cluster, nodes: usize, node: usize, event: usize, rng: &mut Rng) {
        let ty = self.ty();
        match self {
            Self::GSet => {
                let element = Value::from(format!("node-{node}#{}", event + 1).as_str());
                cluster.update(node, VARIABLE, &ty, Op::Add(element));
            }
            Self::GCounter => cluster.update(node, VARIABLE, &ty, Op::Increment(1)),
            Self::GMap { percent } => {
                let mut keys = Self::keys(nodes, node);
                rng.shuffle(&mut keys);
                for key in keys.into_iter().take(Self::rewritten(*percent, nodes, node)) {
                    // The published program writes an empty value; what is fresh is the stamp.
                    let write = Op::Set(Value::Bytes(Vec::new().into()));
                    cluster.update(node, VARIABLE, &ty, Op::Apply(Value::Int(key as i64), Box::new(write)));
                }
            }
        }
    }

    /// Entries that must be sent: each that an event makes, once to each of the other nodes.
    pub fn floor(&self, nodes: usize, events: usize) -> u64 {
        let per_round: usize = match self {
            Self::GSet | Self::GCounter => nodes,
            Self::GMap { percent } => (0..nodes).map(|node| Self::rewritten(*percent, nodes, node)).sum(),
        };
        (per_round * events * (nodes - 1)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_that_must_be_sent_is_the_published_one() {
        let floors = [10, 30, 60, 100].map(|percent| Workload::GMap { percent }.floor(15, 100));
        assert_eq!(floors, [147_000, 441_000, 861_000, 1_400_000]);
        assert_eq!(Workload::GSet.floor(15, 100), 21_000);
    }
}
