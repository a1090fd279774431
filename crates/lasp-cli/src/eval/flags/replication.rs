//! Flags of experiments on how state travels.

use super::choice;
use clap::Args;
use lasp_eval::replication::micro::workload::Crdt;
use lasp_eval::replication::topology::Topology;
use lasp_eval::replication::way::Way;
use lasp_eval::span::Span;

/// Flags of `micro` and `retwis` alike: which ways, under which load.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct LoadArgs {
    /// Ways to send state, compared [default: all; retwis: delta,delta-bp-rr,tree,tree-paced]
    #[arg(long, env = "LASP_EVAL_MODES", value_delimiter = ',', value_parser = choice::<Way>(Way::NAMES))]
    pub(super) modes: Option<Vec<Way>>,
    /// Events of each node [default: 100]
    #[arg(long, env = "LASP_EVAL_EVENTS", value_name = "N")]
    pub(super) events: Option<usize>,
    /// Time between two events of a node, and between two exchanges [default: 1s]
    #[arg(long, env = "LASP_EVAL_INTERVAL", value_name = "TIME")]
    pub(super) interval: Option<Span>,
    /// How long a broadcast tree may form before the load; 0ms: it forms under the load [default: 5s]
    #[arg(long, env = "LASP_EVAL_WARM_UP", value_name = "TIME")]
    pub(super) warm_up: Option<Span>,
}

/// Flags of `micro`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct MicroArgs {
    /// Data types, one or several [default: gset,gcounter,gmap]
    #[arg(long = "crdt", env = "LASP_EVAL_CRDT", value_delimiter = ',', value_parser = choice::<Crdt>(Crdt::NAMES))]
    pub(super) crdts: Option<Vec<Crdt>>,
    /// Percent of its keys that an event rewrites, of a gmap [default: 10,30,60,100]
    #[arg(long = "percent", env = "LASP_EVAL_PERCENT", value_name = "PERCENT", value_delimiter = ',')]
    pub(super) percents: Option<Vec<u32>>,
    /// Over which links [default: tree,mesh]
    #[arg(long = "topology", env = "LASP_EVAL_TOPOLOGY", value_delimiter = ',',
          value_parser = choice::<Topology>(Topology::NAMES))]
    pub(super) topologies: Option<Vec<Topology>>,
    #[command(flatten)]
    pub(super) load: LoadArgs,
}

/// Flags of `retwis`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct RetwisArgs {
    /// How uneven users are, one or several [default: 0.5,0.75,1,1.25,1.5]
    #[arg(long, env = "LASP_EVAL_ZIPF", value_name = "COEFFICIENT", value_delimiter = ',')]
    pub(super) zipf: Option<Vec<f64>>,
    /// Users [default: 10000]
    #[arg(long, env = "LASP_EVAL_USERS", value_name = "N")]
    pub(super) users: Option<usize>,
    #[command(flatten)]
    pub(super) load: LoadArgs,
}

/// Flags of `reconcile`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct ReconcileArgs {
    /// Strings that each replica holds [default: 100000]
    #[arg(long, env = "LASP_EVAL_ELEMENTS", value_name = "N")]
    pub(super) elements: Option<usize>,
    /// Jaccard similarities in percent [default: 0,10,25,50,75,85,90,95,98,99,99.9,100]
    #[arg(long, env = "LASP_EVAL_SIMILARITY", value_name = "PERCENT", value_delimiter = ',')]
    pub(super) similarity: Option<Vec<f64>>,
}

/// Flags of `interest`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct InterestArgs {
    /// Variables [default: 1000]
    #[arg(long, env = "LASP_EVAL_VARIABLES", value_name = "N")]
    pub(super) variables: Option<usize>,
    /// Share of them that each node wants, 0 to 1 [default: 0.01]
    #[arg(long, env = "LASP_EVAL_WANTED", value_name = "SHARE")]
    pub(super) wanted: Option<f64>,
    /// Updates of each variable [default: 2]
    #[arg(long, env = "LASP_EVAL_UPDATES", value_name = "N")]
    pub(super) updates: Option<usize>,
    /// Updates a second, by all nodes together [default: 20]
    #[arg(long, env = "LASP_EVAL_RATE", value_name = "N")]
    pub(super) rate: Option<usize>,
    /// Share of the updates that nodes make which do not want the variable, 0 to 1 [default: 0.1]
    #[arg(long, env = "LASP_EVAL_STRANGERS", value_name = "SHARE")]
    pub(super) strangers: Option<f64>,
    /// Letters of the element that an update adds [default: 100]
    #[arg(long, env = "LASP_EVAL_LETTERS", value_name = "N")]
    pub(super) letters: Option<usize>,
    /// Nodes that want another variable in the end [default: 20]
    #[arg(long, env = "LASP_EVAL_CHANGES", value_name = "N")]
    pub(super) changes: Option<usize>,
    /// How long overlay, tree and summaries may form before the load [default: 120s]
    #[arg(long, env = "LASP_EVAL_FORMING", value_name = "TIME")]
    pub(super) forming: Option<Span>,
}
