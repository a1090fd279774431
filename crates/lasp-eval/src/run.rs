//! An evaluation from its configuration to its archive: runs one after the other, each in its host, then sums them up.

use crate::aggregate::{Overall, aggregate};
use crate::archive::{Archive, ArchiveError};
use crate::config::{Config, ConfigError, Scenario, Where};
use crate::lab;
use crate::plot::{Run, charts};
use crate::process;
use crate::progress::{Observer, Progress, Stop};
use crate::record::{NodeRecord, Sample};
use crate::replay::Replay;
use crate::series::series;
use crate::sim_host;
use crate::summary::{Outside, convergence_ms, summarize, visibility_ms};
use lasp::Settings;
use lasp::http::HttpError;
use std::path::Path;

/// What a host gathers about a run.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Each life of each node.
    pub records: Vec<NodeRecord>,
    /// Every sample, by time.
    pub samples: Vec<Sample>,
    /// What only the host knows.
    pub outside: Outside,
    /// The overlay over time, where it was kept.
    pub replay: Replay,
}

/// Why an evaluation has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// The configuration cannot be run; nothing was started.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The archive cannot be written.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The nodes could not be started; all that had been are gone.
    #[error(transparent)]
    Launch(#[from] process::LaunchError),
    /// A page is wanted of what has none; nothing was started.
    #[error("{0}")]
    NoPage(&'static str),
    /// The page cannot be served; nothing was started.
    #[error("{}", refused(.0))]
    Page(#[from] HttpError),
}

/// Why there is no page, in the words of the flag that asks for it.
fn refused(error: &HttpError) -> String {
    match error {
        HttpError::Open(addr) => format!(
            "--ui serves this machine alone, and {addr} is beyond this machine: listen at 127.0.0.1 and tunnel (ssh -L)"
        ),
        HttpError::Listen { addr, problem } => {
            format!("--ui cannot serve at {addr:?}: {problem}; choose another address of this machine, as HOST:PORT")
        }
        other @ HttpError::Token(_) => other.to_string(),
    }
}

/// Surroundings of an evaluation.
#[derive(Debug)]
pub struct Context<'a> {
    /// Where its archive goes.
    pub dir: &'a Path,
    /// The program that nodes run as, with the hidden subcommand `eval-node`.
    pub exe: &'a Path,
    /// When it was started, for the report.
    pub date: &'a str,
    /// A wish to end early.
    pub stop: Stop,
    /// Where to serve a page of the run, if anywhere.
    pub page: Option<PageAt>,
}

/// Where a run's page is.
#[derive(Clone, Debug)]
pub struct PageAt {
    /// Host and port; port 0 takes a free one.
    pub addr: String,
    /// How many of a simulated run's seconds pass in one, at first.
    pub speed: f64,
}

/// Whether a run of this configuration can have a page, and there.
fn check_page(config: &Config, watch: &PageAt) -> Result<(), EvalError> {
    let whole = !config.scenario.is_lab() && !matches!(config.scenario, Scenario::OverlayProcesses(_));
    match () {
        () if !whole => Err(EvalError::NoPage(
            "--ui shows runs of advertisement-counter, shared-load and latency; for an overlay to look at and disturb: lasp sim",
        )),
        () if config.runs > 1 => Err(EvalError::NoPage("--ui shows one run: leave out --runs, or say --runs 1")),
        () if !(0.01..=100.0).contains(&watch.speed) => Err(EvalError::NoPage("--speed must be from 0.01 to 100")),
        () => Ok(lasp::http::check(&Settings { http: Some(watch.addr.clone()), ..Settings::default() })?),
    }
}

/// Runs an evaluation and writes its archive; a run that was stopped or did not converge is an outcome like any other.
///
/// # Errors
/// [`EvalError`].
pub fn evaluate(config: &Config, context: &Context<'_>, observer: &mut dyn Observer) -> Result<Overall, EvalError> {
    config.check()?;
    context.page.as_ref().map_or(Ok(()), |watch| check_page(config, watch))?;
    let archive = Archive::create(context.dir)?;
    archive.config(config)?;
    if let Scenario::OverlayProcesses(options) = &config.scenario {
        return process::overlay::evaluate(config, options, &archive, context, observer);
    }
    if config.scenario.is_lab() {
        return Ok(lab::run::evaluate(config, &archive, context, observer)?);
    }
    let mut runs = Vec::new();
    for index in 0..config.runs {
        let place = if config.runs > 1 { archive.run(index)? } else { archive.clone() };
        runs.push(one(&config.run(index), &place, context, &mut Numbered { index, runs: config.runs, observer })?);
        if context.stop.is_set() {
            break;
        }
    }
    let overall = aggregate(runs.iter().map(|run| run.summary.clone()).collect())
        .unwrap_or_else(|| unreachable!("a checked configuration has at least one run"));
    if config.runs > 1 {
        archive.report(config, &overall, &charts(config, &runs), &Replay::default(), context.date)?;
    }
    Ok(overall)
}

/// One run, archived on its own.
fn one(config: &Config, place: &Archive, context: &Context<'_>, observer: &mut dyn Observer) -> Result<Run, EvalError> {
    place.config(config)?;
    let evidence = match config.place {
        Where::Process => process::run(config, place.dir(), context, observer)?,
        Where::Sim => match &context.page {
            Some(watch) => sim_host::run_watched(config, watch, &context.stop, observer)?,
            None => sim_host::run(config, &context.stop, observer),
        },
    };
    let Evidence { records, samples, outside, mut replay } = evidence;
    replay.left_at(records.iter().filter_map(|record| record.ended_us).min());
    place.metrics(&samples)?;
    place.moments(&outside.moments)?;
    let moments = outside.moments.clone();
    let summary = summarize(config, &records, &samples, outside);
    let run = Run {
        moments,
        series: series(&records, &samples, config.sample_interval),
        convergence_ms: convergence_ms(&records),
        visibility_ms: visibility_ms(&records.iter().collect::<Vec<_>>()),
        summary,
    };
    if let Some(alone) = aggregate(vec![run.summary.clone()]) {
        place.report(config, &alone, &charts(config, std::slice::from_ref(&run)), &replay, context.date)?;
    }
    Ok(run)
}

/// Tells the observer which run it is.
struct Numbered<'a> {
    index: usize,
    runs: usize,
    observer: &'a mut dyn Observer,
}

impl Observer for Numbered<'_> {
    fn progress(&mut self, progress: &Progress) {
        self.observer.progress(&Progress { run: self.index, runs: self.runs, ..progress.clone() });
    }

    fn note(&mut self, text: &str) {
        self.observer.note(text);
    }
}
