//! Fast churn: all nodes join within one cycle through few contacts, then some percent per minute are replaced, half of which
//! leave and half of which crash, then all is quiet.
//!
//! [`phases`]: what happens. [`world`]: the cluster. [`figures`]: what it comes to.

pub mod figures;
pub mod options;
pub mod phases;
pub mod world;

use super::seeds::{concluded, each, seeds};
use crate::config::Config;
use crate::plot::Chart;
use crate::progress::Observer;
use crate::run::Context;
use crate::summary::Summary;
use options::Churn;

/// Runs it.
pub(super) fn evaluate(
    config: &Config,
    options: &Churn,
    context: &Context<'_>,
    observer: &mut dyn Observer,
) -> (Summary, Vec<Chart>) {
    let jobs: Vec<(u32, u64)> =
        seeds(config).flat_map(|seed| options.rates.iter().map(move |rate| (*rate, seed))).collect();
    let steps = phases::steps(options) * jobs.len() as u64;
    let outcomes = each(&jobs, steps, usize::MAX, config, context, observer, |(rate, seed), pace| {
        phases::run(config, options, *rate, *seed, pace)
    });
    let hashes = outcomes.iter().map(|outcome| outcome.trace_hash);
    let found = (figures::results(&outcomes), figures::problems(&outcomes));
    let mut summary = concluded(config, found, [outcomes.len(), jobs.len()], hashes);
    summary.components = outcomes.iter().map(|outcome| outcome.after[1].components).max().unwrap_or(1);
    (summary, figures::charts(&outcomes))
}
