//! What a node costs that has nothing to do, by the size of its cluster: its membership strategy alone, and the whole node.
//!
//! [`phases`]: what happens. [`figures`]: what it comes to.

pub mod figures;
pub mod options;
pub mod phases;

use super::seeds::{concluded, each, seeds};
use crate::config::{Config, Membership};
use crate::plot::Chart;
use crate::progress::Observer;
use crate::run::Context;
use crate::summary::Summary;
use options::Idle;
use phases::Subject;

/// Runs it.
pub(super) fn evaluate(
    config: &Config,
    options: &Idle,
    context: &Context<'_>,
    observer: &mut dyn Observer,
) -> (Summary, Vec<Chart>) {
    let mut jobs: Vec<(usize, Subject, u64)> = Vec::new();
    for seed in seeds(config) {
        for size in &options.sizes {
            jobs.extend([Subject::Alone, Subject::Node].map(|subject| (*size, subject, seed)));
        }
    }
    let steps = phases::STEPS * jobs.len() as u64;
    let outcomes = each(&jobs, steps, usize::MAX, config, context, observer, |(nodes, subject, seed), pace| {
        phases::run(config, options, *subject, *nodes, *seed, pace)
    });
    let hashes = outcomes.iter().map(|outcome| outcome.trace_hash);
    let found = (figures::results(&outcomes), figures::problems(&outcomes, config.membership == Membership::HyParView));
    let summary = concluded(config, found, [outcomes.len(), jobs.len()], hashes);
    (summary, figures::charts(&outcomes))
}
