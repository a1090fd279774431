//! Many variables, of which each node wants few: the same load where everybody hears what it wants, and where everybody hears
//! everything.
//!
//! [`world`]: the nodes and their load. [`figures`]: both side by side.

pub mod figures;
pub mod options;
pub mod world;

use crate::choice::choice;
use crate::config::Config;
use crate::lab::run::blank;
use crate::lab::seeds::{conclude, each, seeds};
use crate::ledger::Accounts;
use crate::plot::Chart;
use crate::progress::Observer;
use crate::run::Context;
use crate::summary::Summary;
use options::Interest;
use world::{Outcome, World};

choice! {
    /// What nodes hear.
    pub enum Hearing("hearing") {
        /// What they want.
        Wanted = "wanted",
        /// Everything: full replication.
        Everything = "everything",
    }
}

/// One run: what nodes hear, from which seed.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// What nodes hear.
    pub hearing: Hearing,
    /// From which all random choices follow.
    pub seed: u64,
}

/// A job and what it came to.
pub type Run = (Job, Outcome);

/// Runs all of it.
pub(crate) fn evaluate(
    config: &Config,
    options: &Interest,
    context: &Context<'_>,
    observer: &mut dyn Observer,
) -> (Summary, Vec<Chart>) {
    let jobs: Vec<Job> =
        seeds(config).flat_map(|seed| Hearing::ALL.iter().map(move |&hearing| Job { hearing, seed })).collect();
    let steps = (jobs.len() * options.variables * options.updates) as u64;
    // A thousand stores are large.
    let outcomes = each(&jobs, steps, 2, config, context, observer, |job, pace| {
        (*job, World::new(config.nodes, options, job).run(pace))
    });
    let mut summary = blank(config);
    summary.results = figures::results(&outcomes);
    summary.problems = figures::problems(&outcomes);
    conclude(&mut summary, outcomes.len(), jobs.len(), outcomes.iter().map(|(_, outcome)| outcome.trace_hash));
    summary.components = 1;
    let mut charts = figures::charts(&outcomes);
    let accounts = outcomes.iter().map(|(job, outcome)| (job.hearing.to_string(), &outcome.account));
    charts.extend(Accounts::of(accounts).tell(Hearing::Wanted.name(), &mut summary));
    (summary, charts)
}
