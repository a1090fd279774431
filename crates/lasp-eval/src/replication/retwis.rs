//! The application of the ICDE'19 paper: Retwis, a social network on a store of many objects. Each user has three: a set of
//! followers, a wall (a map from ids of posts to their text), and a timeline (a map from times to ids of posts).
//!
//! [`workload`]: what an event does. [`figures`]: what it comes to, beside what the paper's did.

pub mod figures;
pub mod options;
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
use options::Retwis;
use workload::Network;

/// One run: how uneven, in which way, from which seed.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// The coefficient of Zipf's law, by which users are chosen.
    pub zipf: f64,
    /// How state travels.
    pub way: Way,
    /// From which all random choices follow.
    pub seed: u64,
}

/// Runs all of it.
pub(crate) fn evaluate(
    config: &Config,
    options: &Retwis,
    context: &Context<'_>,
    observer: &mut dyn Observer,
) -> (Summary, Vec<Chart>) {
    let mut jobs: Vec<Job> = Vec::new();
    for seed in seeds(config) {
        for &zipf in &options.zipf {
            jobs.extend(options.modes.iter().map(|&way| Job { zipf, way, seed }));
        }
    }
    let steps = (jobs.len() * options.events) as u64;
    // Stores of many nodes are large, and processors that share their caches would blur what each way costs.
    let outcomes = each(&jobs, steps, 1, config, context, observer, |job, pace| {
        let setup = Setup {
            nodes: config.nodes,
            topology: Topology::Mesh,
            way: job.way,
            interval: options.interval.duration(),
            events: options.events,
            warm_up: options.warm_up.duration(),
            seed: job.seed,
        };
        let network = Network::new(options.users, job.zipf, job.seed);
        let outcome = cluster::run(&setup, pace, |cluster, node, event| network.event(cluster, node, event));
        (*job, outcome)
    });
    let seconds = options.interval.duration().as_secs_f64() * options.events as f64;
    let hashes = outcomes.iter().map(|(_, outcome)| outcome.trace_hash);
    let found = (figures::results(config.nodes, seconds, options, &outcomes), figures::problems(&outcomes));
    let mut summary = concluded(config, found, [outcomes.len(), jobs.len()], hashes);
    let mut charts = figures::charts(&summary);
    let accounts = outcomes.iter().map(|(job, outcome)| (figures::name(job), &outcome.account));
    charts.extend(Accounts::of(accounts).tell(&figures::shown(&outcomes), &mut summary));
    (summary, charts)
}

/// A job and what it came to.
pub type Run = (Job, Outcome);
