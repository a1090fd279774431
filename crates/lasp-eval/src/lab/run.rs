//! Runs an experiment on overlays: seeds on all processors, then figures, plots, the archive.
//!
//! Each seed's run is on one thread and shares nothing, so the number of processors changes nothing but the time.

use super::charts::charts;
use super::measured::Measured;
use super::options::Hyparview;
use super::subject::{Outcomes, Subject};
use super::{churn, idle, rapid, scale};
use crate::aggregate::Overall;
use crate::archive::{Archive, ArchiveError};
use crate::config::{Config, Scenario};
use crate::plot::Chart;
use crate::progress::{Observer, Progress};
use crate::run::Context;
use crate::summary::{Memory, Outside, Summary, summarize};
use crate::usage::usage;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How often whoever watches is told.
const TELL_EVERY: Duration = Duration::from_millis(200);

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
        Scenario::Churn(options) => churn::evaluate(config, options, context, observer),
        Scenario::Idle(options) => idle::evaluate(config, options, context, observer),
        Scenario::Rapid(options) => rapid::evaluate(config, options, context, observer),
        Scenario::Hyparview(options) => hyparview(config, options, context, observer),
        _ => return Ok(Overall { summary: blank(config), spread: BTreeMap::new(), runs: Vec::new() }),
    };
    summary.wall_seconds = wall.elapsed().as_secs_f64();
    if let (Some(before), Some(after)) = (before, usage()) {
        summary.cpu_seconds = (after.cpu_ms - before.cpu_ms) as f64 / 1000.0;
    }
    summary.converged = summary.problems.is_empty();
    let overall = Overall { summary, spread: BTreeMap::new(), runs: Vec::new() };
    archive.report(config, &overall, &figures, context.date)?;
    Ok(overall)
}

/// A summary of nothing yet.
pub(super) fn blank(config: &Config) -> Summary {
    let mut summary = summarize(config, &[], &[], Outside::default());
    summary.problems = Vec::new();
    summary.rss_bytes = Memory::default();
    summary
}

/// Everything to be run: what, and under which seed.
fn jobs(config: &Config, options: &Hyparview) -> Vec<(Subject, u64)> {
    let seeds = || (0..config.runs).map(|index| config.seed.wrapping_add(index as u64));
    Subject::all(options).into_iter().flat_map(|subject| seeds().map(move |seed| (subject, seed))).collect()
}

fn hyparview(
    config: &Config,
    options: &Hyparview,
    context: &Context<'_>,
    observer: &mut dyn Observer,
) -> (Summary, Vec<Chart>) {
    let jobs = jobs(config, options);
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let outcomes: Mutex<BTreeMap<(Subject, u64), Outcomes>> = Mutex::new(BTreeMap::new());
    let go_on = || {
        done.fetch_add(1, Ordering::Relaxed);
        !context.stop.is_set()
    };
    let work = || {
        while let Some(&(subject, seed)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            if context.stop.is_set() {
                return;
            }
            let came_to = subject.run(config, options, seed, &go_on);
            if !context.stop.is_set() {
                outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert((subject, seed), came_to);
            }
        }
    };
    let expected = jobs.iter().map(|(subject, _)| subject.steps(options)).sum::<usize>();
    let started = Instant::now();
    std::thread::scope(|scope| {
        let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        while threads.iter().any(|thread| !thread.is_finished()) {
            std::thread::sleep(TELL_EVERY);
            observer.progress(&Progress {
                runs: 1,
                seconds: started.elapsed().as_secs_f64(),
                nodes: config.nodes,
                up: config.nodes,
                what: "steps",
                counted: done.load(Ordering::Relaxed) as u64,
                expected: expected as u64,
                ..Progress::default()
            });
        }
    });
    let outcomes = outcomes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let missing = jobs.len() - outcomes.len();
    let mut measured = Measured::default();
    for (subject, outcome) in outcomes.into_values().flatten().filter(|(_, outcome)| !outcome.levels.is_empty()) {
        measured.outcomes.entry(subject).or_default().push(outcome);
    }
    (summary(config, options, &measured, [missing, jobs.len()]), charts(&measured))
}

fn summary(config: &Config, options: &Hyparview, measured: &Measured, [missing, jobs]: [usize; 2]) -> Summary {
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
    summary.trace_hash = hashes.reduce(lasp_crdt::fingerprint::mix).map(|hash| format!("{hash:016x}"));
    if missing > 0 {
        summary.problems.push(format!("stopped: {} of {jobs} runs were done", jobs - missing));
    }
    summary
}
