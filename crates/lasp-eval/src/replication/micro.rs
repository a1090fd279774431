//! The micro-benchmarks of the ICDE'19 paper: a grow-only set, a grow-only counter, and maps of 1,000 registers of which each
//! event rewrites a tenth to all of the node's own keys.
//!
//! [`workload`]: what an event does. [`published`]: what the paper's runs came to. [`figures`]: both side by side.

pub mod figures;
pub mod options;
pub mod published;
pub mod workload;

use super::cluster::{self, Setup};
use super::outcome::Outcome;
use super::topology::Topology;
use super::way::Way;
use crate::config::Config;
use crate::lab::seeds::{concluded, each, seeds};
use crate::ledger::Accounts;
use crate::plot::Chart;
use crate::progress::Observer;
use crate::run::Context;
use crate::summary::Summary;
use options::Micro;
use workload::Workload;

/// One run: what, over which links, in which way, from which seed.
#[derive(Clone, Debug)]
pub struct Job {
    /// What each event does.
    pub workload: Workload,
    /// Over which links.
    pub topology: Topology,
    /// How state travels.
    pub way: Way,
    /// From which all random choices follow.
    pub seed: u64,
}

/// Runs all of it.
pub(crate) fn evaluate(
    config: &Config,
    options: &Micro,
    context: &Context<'_>,
    observer: &mut dyn Observer,
) -> (Summary, Vec<Chart>) {
    let jobs = jobs(config, options);
    let steps = (jobs.len() * options.events) as u64;
    let outcomes = each(&jobs, steps, usize::MAX, config, context, observer, |job, pace| {
        let setup = Setup {
            nodes: config.nodes,
            topology: job.topology,
            way: job.way,
            interval: options.interval.duration(),
            events: options.events,
            warm_up: options.warm_up.duration(),
            seed: job.seed,
        };
        let mut rng = lasp_overlay::Rng::new(job.seed);
        let outcome = cluster::run(&setup, pace, |cluster, node, event| {
            job.workload.event(cluster, config.nodes, node, event, &mut rng);
        });
        (job.clone(), outcome)
    });
    let hashes = outcomes.iter().map(|(_, outcome)| outcome.trace_hash);
    let found = (figures::results(config.nodes, options.events, &outcomes), figures::problems(&outcomes));
    let mut summary = concluded(config, found, [outcomes.len(), jobs.len()], hashes);
    let mut charts = figures::charts(config.nodes, options.events, &outcomes);
    let accounts = outcomes.iter().map(|(job, outcome)| (figures::part(job), &outcome.account));
    charts.extend(Accounts::of(accounts).tell(&figures::shown(&outcomes), &mut summary));
    (summary, charts)
}

fn jobs(config: &Config, options: &Micro) -> Vec<Job> {
    let mut jobs = Vec::new();
    for seed in seeds(config) {
        for workload in options.workloads() {
            for &topology in &options.topologies {
                jobs.extend(options.modes.iter().map(|&way| Job { workload, topology, way, seed }));
            }
        }
    }
    jobs
}

/// A job and what it came to.
pub type Run = (Job, Outcome);
