//! The flags of `broadcast`.

use super::choice;
use clap::Args;
use lasp_eval::config::BroadcastPreset;
use lasp_eval::span::Span;

/// Flags of `broadcast`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct BroadcastArgs {
    /// A published set-up to start from [default: srds07]
    #[arg(long, env = "LASP_EVAL_PRESET", value_name = "NAME", value_parser = choice::<BroadcastPreset>(BroadcastPreset::NAMES))]
    pub(super) preset: Option<BroadcastPreset>,
    /// Neighbours of a node [default: 5]
    #[arg(long, env = "LASP_EVAL_ACTIVE_VIEW", value_name = "N")]
    pub(super) active_view: Option<usize>,
    /// The same in a further row; 0: no such row [default: 10]
    #[arg(long, env = "LASP_EVAL_WIDE_VIEW", value_name = "N")]
    pub(super) wide_view: Option<usize>,
    /// Cycles of 10 s before the first message [default: 50]
    #[arg(long, env = "LASP_EVAL_CYCLES", value_name = "N")]
    pub(super) cycles: Option<u32>,
    /// Messages of one sender, and then of random ones [default: 200; iroh: 30]
    #[arg(long, env = "LASP_EVAL_MESSAGES", value_name = "N")]
    pub(super) messages: Option<usize>,
    /// Of these, the first that do not count as steady [default: 5]
    #[arg(long, env = "LASP_EVAL_FORMING", value_name = "N")]
    pub(super) forming: Option<usize>,
    /// Between two messages [default: 2s]
    #[arg(long, env = "LASP_EVAL_EVERY", value_name = "TIME")]
    pub(super) every: Option<Span>,
    /// The least that a link takes; each has its own [default: 1ms; iroh: 10ms]
    #[arg(long, env = "LASP_EVAL_LATENCY", value_name = "TIME")]
    pub(super) latency: Option<Span>,
    /// The most [default: 1ms; iroh: 50ms]
    #[arg(long, env = "LASP_EVAL_LATENCY_MOST", value_name = "TIME")]
    pub(super) latency_most: Option<Span>,
    /// Percent of the nodes that fail at once, one or several [default: 60,70,80]
    #[arg(long, env = "LASP_EVAL_FAILED", value_name = "PERCENT", value_delimiter = ',')]
    pub(super) failed: Option<Vec<u32>>,
    /// Messages after each failure, one a cycle [default: 10]
    #[arg(long, env = "LASP_EVAL_AFTER", value_name = "N")]
    pub(super) after: Option<usize>,
}
