//! Broadcast trees over partial views: how redundant and how deep they are with one sender and with many, and what the first
//! messages after a large failure reach. The experiment of the Plumtree paper (Leitão, Pereira, Rodrigues, "Epidemic Broadcast
//! Trees", SRDS 2007, §5), and that of iroh-gossip's simulator.
//!
//! [`phases`]: what happens. [`world`]: the cluster. [`figures`], [`charts`]: what it comes to, beside what is [`published`].

pub mod charts;
pub mod figures;
pub mod options;
pub mod phases;
pub mod published;
pub mod world;

use super::seeds::{concluded, each, seeds};
use crate::config::Config;
use crate::plot::Chart;
use crate::progress::Observer;
use crate::run::Context;
use crate::summary::Summary;
use options::Broadcast;

/// Runs it.
pub(super) fn evaluate(
    config: &Config,
    options: &Broadcast,
    context: &Context<'_>,
    observer: &mut dyn Observer,
) -> (Summary, Vec<Chart>) {
    let jobs: Vec<(usize, u64)> =
        seeds(config).flat_map(|seed| options.views().into_iter().map(move |view| (view, seed))).collect();
    let steps = phases::steps(options) * jobs.len() as u64;
    let outcomes = each(&jobs, steps, usize::MAX, config, context, observer, |(view, seed), pace| {
        phases::run(config.nodes, options, *view, *seed, pace)
    });
    let hashes = outcomes.iter().map(|outcome| outcome.trace_hash);
    let found = (figures::results(options, &outcomes), figures::problems(&outcomes));
    let summary = concluded(config, found, [outcomes.len(), jobs.len()], hashes);
    (summary, charts::charts(options, &outcomes))
}
