//! Runs an experiment on overlays: figures, plots, the archive.

use super::charts::charts;
use super::measured::Measured;
use super::options::Hyparview;
use super::seeds::{conclude, each, seeds};
use super::subject::Subject;
use super::{broadcast, churn, idle, rapid, scale};
use crate::aggregate::Overall;
use crate::archive::{Archive, ArchiveError};
use crate::config::{Config, Scenario};
use crate::loopback::{first_sync, joiner};
use crate::plot::Chart;
use crate::progress::Observer;
use crate::replay::Replay;
use crate::replication::{heal, interest, micro, reconcile, retwis, slow_peer};
use crate::run::Context;
use crate::summary::{Memory, Outside, Summary, summarize};
use crate::usage::usage;
use std::collections::BTreeMap;
use std::time::Instant;

/// Runs it and writes its archive.
///
/// # Errors
/// [`ArchiveError`].
pub fn evaluate(
    config: &Config,
    archive: &Archive,
    context: &Context<'_>,
    observer: &mut dyn Observer,
) -> Result<Overall, ArchiveError> {
    let (wall, before) = (Instant::now(), usage());
    let (mut summary, figures) = match &config.scenario {
        Scenario::OverlayScale(options) => scale::evaluate(config, options, context, observer),
        Scenario::Broadcast(options) => broadcast::evaluate(config, options, context, observer),
        Scenario::Churn(options) => churn::evaluate(config, options, context, observer),
        Scenario::Idle(options) => idle::evaluate(config, options, context, observer),
        Scenario::Rapid(options) => rapid::evaluate(config, options, context, observer),
        Scenario::Hyparview(options) => hyparview(config, options, context, observer),
        Scenario::Micro(options) => micro::evaluate(config, options, context, observer),
        Scenario::Retwis(options) => retwis::evaluate(config, options, context, observer),
        Scenario::Interest(options) => interest::evaluate(config, options, context, observer),
        Scenario::Reconcile(options) => reconcile::evaluate(config, options, context, observer),
        Scenario::Heal(options) => heal::evaluate(config, options, context, observer),
        Scenario::SlowPeer(options) => slow_peer::evaluate(config, options, context, observer),
        Scenario::Joiner(options) => joiner::evaluate(config, options, context, observer),
        Scenario::FirstSync(options) => first_sync::evaluate(config, options, context, observer),
        _ => return Ok(Overall { summary: blank(config), spread: BTreeMap::new(), runs: Vec::new() }),
    };
    summary.wall_seconds = wall.elapsed().as_secs_f64();
    if let (Some(before), Some(after)) = (before, usage()) {
        summary.cpu_seconds = (after.cpu_ms - before.cpu_ms) as f64 / 1000.0;
    }
    summary.converged = summary.problems.is_empty();
    let overall = Overall { summary, spread: BTreeMap::new(), runs: Vec::new() };
    archive.report(config, &overall, &figures, &Replay::default(), context.date)?;
    Ok(overall)
}

/// A summary of nothing yet.
pub(crate) fn blank(config: &Config) -> Summary {
    let mut summary = summarize(config, &[], &[], Outside::default());
    summary.problems = Vec::new();
    summary.rss_bytes = Memory::default();
    summary
}

/// Everything to be run: what, and under which seed.
fn jobs(config: &Config, options: &Hyparview) -> Vec<(Subject, u64)> {
    Subject::all(options).into_iter().flat_map(|subject| seeds(config).map(move |seed| (subject, seed))).collect()
}

fn hyparview(
    config: &Config,
    options: &Hyparview,
    context: &Context<'_>,
    observer: &mut dyn Observer,
) -> (Summary, Vec<Chart>) {
    let jobs = jobs(config, options);
    let steps = jobs.iter().map(|(subject, _)| subject.steps(options) as u64).sum();
    let outcomes = each(&jobs, steps, usize::MAX, config, context, observer, |(subject, seed), pace| {
        subject.run(config, options, *seed, &|| pace.step())
    });
    let done = [outcomes.len(), jobs.len()];
    let mut measured = Measured::default();
    for (subject, outcome) in outcomes.into_iter().flatten().filter(|(_, outcome)| !outcome.levels.is_empty()) {
        measured.outcomes.entry(subject).or_default().push(outcome);
    }
    (summary(config, options, &measured, done), charts(&measured))
}

fn summary(config: &Config, options: &Hyparview, measured: &Measured, [done, jobs]: [usize; 2]) -> Summary {
    let mut summary = blank(config);
    summary.results = measured.results();
    summary.results.insert("spare_links".to_owned(), (options.spare_links as f64).into());
    summary.results.insert("large_passive_view".to_owned(), (options.large_passive_view as f64).into());
    let ours = measured.of(Subject::HyParView);
    summary.degrees = ours.iter().flat_map(|outcome| outcome.degrees.iter().copied()).collect();
    summary.degrees.sort_unstable();
    summary.isolated_nodes = summary.degrees.iter().filter(|degree| **degree == 0).count();
    summary.asymmetric_links = ours.iter().map(|outcome| outcome.asymmetric).max().unwrap_or(0);
    summary.components = 1;
    let hashes = ours.iter().filter_map(|outcome| outcome.trace_hash);
    conclude(&mut summary, done, jobs, hashes);
    summary
}
