//! What a node costs that has nothing to do, by the size of its cluster: its membership strategy alone, and the whole node.
//!
//! [`phases`]: what happens. [`figures`]: what it comes to.

pub mod figures;
pub mod options;
pub mod phases;

use super::run::blank;
use super::seeds::{each, seeds};
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
    let outcomes = each(&jobs, phases::STEPS, usize::MAX, config, context, observer, |(nodes, subject, seed), pace| {
        phases::run(config, options, *subject, *nodes, *seed, pace)
    });
    let mut summary = blank(config);
    summary.results = figures::results(&outcomes);
    summary.problems = figures::problems(&outcomes, config.membership == Membership::HyParView);
    if outcomes.len() < jobs.len() {
        summary.problems.push(format!("stopped: {} of {} runs were done", outcomes.len(), jobs.len()));
    }
    let hashes = outcomes.iter().map(|outcome| outcome.trace_hash);
    summary.trace_hash = hashes.reduce(lasp_crdt::fingerprint::mix).map(|hash| format!("{hash:016x}"));
    summary.components = 1;
    (summary, figures::charts(&outcomes))
}
