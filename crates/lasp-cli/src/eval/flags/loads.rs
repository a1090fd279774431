//! Flags of experiments on nodes under a load, or that load.

use super::choice;
use clap::Args;
use lasp_eval::loopback::joiner::options::Shape;
use lasp_eval::span::Span;

/// Flags of `heal`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct HealArgs {
    /// Updates while the network is cut, one or several numbers [default: 100,1000,10000]
    #[arg(long, env = "LASP_EVAL_WRITES", value_name = "N", value_delimiter = ',')]
    pub(super) writes: Option<Vec<usize>>,
    /// Sets that they are made to [default: 1000]
    #[arg(long, env = "LASP_EVAL_VARIABLES", value_name = "N")]
    pub(super) variables: Option<usize>,
    /// Elements that are in the sets before [default: 20000]
    #[arg(long, env = "LASP_EVAL_ELEMENTS", value_name = "N")]
    pub(super) elements: Option<usize>,
    /// How long the network is cut [default: 10m]
    #[arg(long, env = "LASP_EVAL_APART", value_name = "TIME")]
    pub(super) apart: Option<Span>,
}

/// Flags of `slow-peer`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct SlowPeerArgs {
    /// Bytes that the slow node reads in a second [default: 1000]
    #[arg(long, env = "LASP_EVAL_READS", value_name = "N")]
    pub(super) reads: Option<u64>,
    /// Updates in a second, of all other nodes together [default: 10000]
    #[arg(long, env = "LASP_EVAL_RATE", value_name = "N")]
    pub(super) rate: Option<u64>,
    /// For how long they are made [default: 60s]
    #[arg(long, env = "LASP_EVAL_LOAD", value_name = "TIME")]
    pub(super) load: Option<Span>,
    /// Counters that they increment [default: 100]
    #[arg(long, env = "LASP_EVAL_VARIABLES", value_name = "N")]
    pub(super) variables: Option<usize>,
    /// Bytes of the transfer that small updates overtake [default: 8000000]
    #[arg(long, env = "LASP_EVAL_TRANSFER", value_name = "N")]
    pub(super) transfer: Option<usize>,
}

/// Flags of `joiner`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct JoinerArgs {
    /// How many keys there are, one or several numbers [default: 100000,1000000]
    #[arg(long, env = "LASP_EVAL_KEYS", value_name = "N", value_delimiter = ',')]
    pub(super) keys: Option<Vec<usize>>,
    /// As what [default: variables,set,map]
    #[arg(long = "shape", env = "LASP_EVAL_SHAPE", value_delimiter = ',', value_parser = choice::<Shape>(Shape::NAMES))]
    pub(super) shapes: Option<Vec<Shape>>,
}

/// Flags of `first-sync`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct FirstSyncArgs {
    /// Sizes of clusters [default: 3,50]
    #[arg(long, env = "LASP_EVAL_SIZES", value_name = "N", value_delimiter = ',')]
    pub(super) sizes: Option<Vec<usize>>,
    /// Variables that the cluster has [default: 100]
    #[arg(long, env = "LASP_EVAL_VARIABLES", value_name = "N")]
    pub(super) variables: Option<usize>,
    /// Nodes that join, one after the other [default: 20]
    #[arg(long, env = "LASP_EVAL_JOINS", value_name = "N")]
    pub(super) joins: Option<usize>,
    /// Updates that are waited for everywhere [default: 200]
    #[arg(long, env = "LASP_EVAL_UPDATES", value_name = "N")]
    pub(super) updates: Option<usize>,
}
