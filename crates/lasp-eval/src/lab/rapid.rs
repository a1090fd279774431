//! The experiment of the Rapid paper (Suresh et al., *Stable and consistent membership at scale with Rapid*, USENIX ATC 2018, §7)
//! over the full membership: many join at once, some crash, some hear badly, some are heard badly.
//!
//! [`phases`]: what happens. [`world`]: the cluster, and how it looks to all of its nodes. [`figures`]: what it comes to.

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
use options::Rapid;

/// Up to how many nodes seeds are run side by side.
const SMALL: usize = 1000;

/// Runs it.
pub(super) fn evaluate(
    config: &Config,
    options: &Rapid,
    context: &Context<'_>,
    observer: &mut dyn Observer,
) -> (Summary, Vec<Chart>) {
    let jobs: Vec<u64> = seeds(config).collect();
    // A cluster of 2,000 has two million links: some gigabytes, and as much again for the copy that things happen to.
    let at_a_time = if config.nodes > SMALL { 1 } else { usize::MAX };
    let steps = phases::STEPS * jobs.len() as u64;
    let outcomes = each(&jobs, steps, at_a_time, config, context, observer, |seed, pace| {
        phases::run(config.nodes, *seed, options, pace)
    });
    let hashes = outcomes.iter().map(|outcome| outcome.trace_hash);
    let found = (figures::results(&outcomes), figures::problems(&outcomes));
    let summary = concluded(config, found, [outcomes.len(), jobs.len()], hashes);
    (summary, figures::charts(&outcomes))
}
