//! Runs an experiment on overlays: seeds on all processors, then figures, plots, the archive.
//!
//! Each seed's run is on one thread and shares nothing, so the number of processors changes nothing but the time.

use super::charts::charts;
use super::cyclon::Cyclon;
use super::experiment::{FAILED, Outcome, Plan, run, steps};
use super::measured::{Measured, Subject};
use super::options::Hyparview;
use super::scale;
use super::simulated::Simulated;
use crate::aggregate::Overall;
use crate::archive::{Archive, ArchiveError};
use crate::config::{Config, Scenario};
use crate::plot::Chart;
use crate::progress::{Observer, Progress};
use crate::run::Context;
use crate::summary::{Memory, Outside, Summary, summarize};
use crate::usage::usage;
use lasp_overlay::PeerId;
use lasp_overlay::membership::Membership as _;
use lasp_overlay::membership::hyparview::{self, HyParView};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// At which shares of failures the larger passive view is shown.
const LARGE: [u32; 3] = [80, 90, 95];

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
    let mut subjects = vec![Subject::HyParView, Subject::Large];
    if options.compare {
        subjects.extend([Subject::Cyclon, Subject::CyclonAcked]);
    }
    let seeds = || (0..config.runs).map(|index| config.seed.wrapping_add(index as u64));
    subjects.into_iter().flat_map(|subject| seeds().map(move |seed| (subject, seed))).collect()
}

const fn shares(subject: Subject) -> &'static [u32] {
    match subject {
        Subject::Large => &LARGE,
        _ => &FAILED,
    }
}

/// Everybody whom a node could turn to.
fn known(membership: &HyParView) -> Vec<PeerId> {
    let views = membership.active().into_iter().chain(membership.passive()).map(|contact| contact.id);
    let all: BTreeSet<PeerId> = views.chain(membership.linked()).collect();
    all.into_iter().collect()
}

fn one(config: &Config, options: &Hyparview, subject: Subject, seed: u64, go_on: &dyn Fn() -> bool) -> Outcome {
    let plan = Plan { seed, cycles: options.cycles, messages: options.messages, contact_fails: true };
    let shares = shares(subject);
    let overlay = |passive_capacity| {
        let settings = hyparview::Config {
            active_capacity: options.active_view,
            passive_capacity,
            spare_links: options.spare_links,
            ..hyparview::Config::default()
        };
        let make = |me, rng| HyParView::new(settings.clone(), me, rng);
        Simulated::<HyParView>::grow(config.nodes, seed, known, make)
    };
    match subject {
        Subject::HyParView => run(overlay(options.passive_view), &plan, shares, go_on),
        Subject::Large => run(overlay(options.large_passive_view), &plan, shares, go_on),
        Subject::Cyclon => run(Cyclon::grow(config.nodes, seed, false), &plan, shares, go_on),
        Subject::CyclonAcked => run(Cyclon::grow(config.nodes, seed, true), &plan, shares, go_on),
    }
}

fn hyparview(
    config: &Config,
    options: &Hyparview,
    context: &Context<'_>,
    observer: &mut dyn Observer,
) -> (Summary, Vec<Chart>) {
    let jobs = jobs(config, options);
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let outcomes: Mutex<BTreeMap<(Subject, u64), Outcome>> = Mutex::new(BTreeMap::new());
    let go_on = || {
        done.fetch_add(1, Ordering::Relaxed);
        !context.stop.is_set()
    };
    let work = || {
        while let Some(&(subject, seed)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            if context.stop.is_set() {
                return;
            }
            let outcome = one(config, options, subject, seed, &go_on);
            if !context.stop.is_set() {
                outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert((subject, seed), outcome);
            }
        }
    };
    let expected = jobs.iter().map(|(subject, _)| steps(shares(*subject))).sum::<usize>();
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
    let mut measured = Measured::default();
    for ((subject, _), outcome) in outcomes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        measured.outcomes.entry(subject).or_default().push(outcome);
    }
    (summary(config, options, &measured, jobs.len()), charts(&measured))
}

fn summary(config: &Config, options: &Hyparview, measured: &Measured, jobs: usize) -> Summary {
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
    let finished: usize = measured.outcomes.values().map(Vec::len).sum();
    if finished < jobs {
        summary.problems.push(format!("stopped: {finished} of {jobs} runs were done"));
    }
    summary
}
