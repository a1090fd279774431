//! An overlay of real `lasp node` processes on this machine: does it come about, what does it cost at rest, does it survive?
//!
//! Nodes are started in waves, each joins through a random node that is there already. Once the overlay is whole it is left
//! alone, then measured at rest, from outside as far as possible. Then a share of the nodes is killed at once, and when the
//! rest is whole again one of them writes a variable that all must come to hold.
//!
//! - [`options`]: what can be set. `herd`: the processes. `survey`: what they are asked. `watch`: how whole the overlay is.
//! - `ledger`: costs per node. `figures`: the plots.

mod figures;
mod herd;
mod ledger;
pub mod options;
mod survey;
mod watch;

use crate::aggregate::Overall;
use crate::archive::Archive;
use crate::config::Config;
use crate::figure::{Figure, Varied};
use crate::overlay::examine;
use crate::plot::Chart;
use crate::process::LaunchError;
use crate::progress::{Observer, Progress};
use crate::record::Sample;
use crate::replay::Replay;
use crate::run::{Context, EvalError};
use crate::summary::{Memory, Outside, Summary, summarize};
use herd::Herd;
use lasp::control::protocol::{Ask, Say, Style};
use lasp_overlay::Rng;
use ledger::Ledger;
use options::OverlayProcesses;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use survey::{ask_all, ask_one};
use watch::{Moment, Watch};

/// The variable that the last step writes.
const VARIABLE: &str = "overlay-processes";

/// How often the wish to end is looked for while time passes.
const STEP: Duration = Duration::from_millis(200);

/// Between two looks at the processes, and before the first: what a look costs the nodes is over by then.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs it and writes its archive.
///
/// # Errors
/// [`EvalError::Launch`] if nodes do not start: none is left then; [`EvalError::Archive`].
pub fn evaluate(
    config: &Config,
    options: &OverlayProcesses,
    archive: &Archive,
    context: &Context<'_>,
    observer: &mut dyn Observer,
) -> Result<Overall, EvalError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(LaunchError::Runtime)?;
    let mut run = Run::new(config, options, archive, context, observer)?;
    runtime.block_on(run.perform())?;
    let (summary, charts, samples) = run.close();
    archive.metrics(&samples)?;
    let overall = Overall { summary, spread: BTreeMap::new(), runs: Vec::new() };
    archive.report(config, &overall, &charts, &Replay::default(), context.date)?;
    Ok(overall)
}

/// Why a run goes no further: it is in the summary.
struct Over;

struct Run<'a> {
    config: &'a Config,
    options: &'a OverlayProcesses,
    context: &'a Context<'a>,
    observer: &'a mut dyn Observer,
    herd: Herd,
    rng: Rng,
    started: Instant,
    moments: Vec<Moment>,
    killed_at: Option<f64>,
    degrees: Vec<usize>,
    ledger: Ledger,
    results: BTreeMap<String, Figure>,
    problems: Vec<String>,
}

impl<'a> Run<'a> {
    fn new(
        config: &'a Config,
        options: &'a OverlayProcesses,
        archive: &Archive,
        context: &'a Context<'a>,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, LaunchError> {
        let dir = archive.dir().join("nodes");
        std::fs::create_dir_all(&dir).map_err(|why| LaunchError::Files { path: dir.clone(), why })?;
        let cluster = format!("eval-{}-{}", std::process::id(), config.seed);
        let settings = ["--cluster", &cluster, "--membership", config.membership.name()].map(str::to_owned);
        Ok(Self {
            config,
            options,
            context,
            observer,
            herd: Herd::new(context.exe, settings.to_vec(), &dir.join("errors.log"))?,
            rng: Rng::new(config.seed),
            started: Instant::now(),
            moments: Vec::new(),
            killed_at: None,
            degrees: Vec::new(),
            ledger: Ledger::default(),
            results: BTreeMap::new(),
            problems: Vec::new(),
        })
    }

    async fn perform(&mut self) -> Result<(), LaunchError> {
        self.grow().await?;
        // What stands against it has been written down by whoever gave up.
        let _ = self.live().await;
        Ok(())
    }

    async fn grow(&mut self) -> Result<(), LaunchError> {
        while self.herd.nodes().len() < self.config.nodes && !self.context.stop.is_set() {
            let there = self.herd.nodes().len();
            // The first is alone: it is the way in for the others.
            let wave = if there == 0 { 1 } else { self.options.wave.min(self.config.nodes - there) };
            let contacts = (0..wave).map(|_| match there {
                0 => None,
                _ => Some(self.herd.nodes()[self.rng.index(there)].addr.clone()),
            });
            let contacts = contacts.collect();
            self.herd.start(contacts).await?;
            self.tell("nodes", self.herd.nodes().len() as u64);
        }
        self.put("start_seconds", self.started.elapsed().as_secs_f64());
        Ok(())
    }

    async fn live(&mut self) -> Result<(), Over> {
        let formed = self.until_whole(self.started).await?;
        self.put("connected_seconds", formed.connected);
        self.put("clean_seconds", formed.clean);
        self.rest().await?;
        self.fail().await?;
        self.broadcast().await?;
        // A look takes a while, and whoever has a free place still looks for a neighbour: one look is no verdict.
        self.until_whole(self.started).await?;
        Ok(())
    }

    /// Looks until the overlay is as it should be twice in a row; when which of it came to be so, in seconds since `from`.
    async fn until_whole(&mut self, from: Instant) -> Result<watch::Since, Over> {
        let mut watch = Watch::default();
        loop {
            let moment = self.survey(from).await?;
            if let Some(since) = watch.look(&moment) {
                return Ok(since);
            }
            self.pass(self.config.sample_interval.duration()).await?;
        }
    }

    /// How whole the overlay is just now; its time is that of the last answer, in seconds since `from`.
    async fn survey(&mut self, from: Instant) -> Result<Moment, Over> {
        self.go_on()?;
        let begun = Instant::now();
        let answers = ask_all(self.addresses(), &Ask::Overlay).await;
        let (views, silent) = survey::views(answers);
        let shape = examine(&views);
        self.degrees.clone_from(&shape.degrees);
        let took = begun.elapsed().as_secs_f64();
        self.moments.push(Moment { seconds: self.started.elapsed().as_secs_f64(), took, silent, shape: shape.clone() });
        self.tell("neighbours", shape.degrees.iter().sum::<usize>() as u64);
        Ok(Moment { seconds: from.elapsed().as_secs_f64(), took, silent, shape })
    }

    fn addresses(&self) -> Vec<String> {
        self.herd.living().map(|node| node.addr.clone()).collect()
    }

    /// What a node costs when nothing happens.
    async fn rest(&mut self) -> Result<(), Over> {
        self.pass(self.options.settle.duration()).await?;
        self.results.insert("degree".to_owned(), varied(self.degrees.iter().map(|&degree| degree as f64)));
        let before = self.count().await?;
        self.pass(PAUSE).await?;
        let (begun, first) = (Instant::now(), ledger::footprints(&self.herd));
        self.pass(self.options.rest.duration()).await?;
        let (seconds, last) = (begun.elapsed().as_secs_f64(), ledger::footprints(&self.herd));
        let after = self.count().await?;
        self.ledger.traffic(&before, &after);
        self.ledger.processes(&first, &last, seconds);
        self.results.extend(self.ledger.results());
        Ok(())
    }

    /// What all have counted.
    async fn count(&mut self) -> Result<ledger::Reports, Over> {
        self.go_on()?;
        let reports = survey::reports(ask_all(self.addresses(), &Ask::Status).await);
        self.ledger.sample(&self.herd, &reports, self.started.elapsed());
        Ok(reports)
    }

    /// Kills some at once and watches the others recover.
    async fn fail(&mut self) -> Result<(), Over> {
        let mut nodes: Vec<usize> = (0..self.herd.nodes().len()).collect();
        self.rng.shuffle(&mut nodes);
        nodes.truncate(nodes.len() * self.options.failed as usize / 100);
        let killed = Instant::now();
        self.killed_at = Some(self.started.elapsed().as_secs_f64());
        self.herd.kill(&nodes);
        self.put("killed", nodes.len() as f64);
        self.put("survivors", self.herd.living().count() as f64);
        let healed = self.until_whole(killed).await?;
        self.put("healed_isolated_seconds", healed.nobody_alone);
        self.put("healed_connected_seconds", healed.connected);
        self.put("healed_symmetric_seconds", healed.symmetric);
        self.put("healed_seconds", healed.clean);
        Ok(())
    }

    /// One node writes, all must come to hold it.
    async fn broadcast(&mut self) -> Result<(), Over> {
        let mut waiting = self.addresses();
        let all = waiting.len();
        let from = self.rng.index(all);
        let begun = Instant::now();
        let (variable, operation) = (VARIABLE.to_owned(), "increment".to_owned());
        let ask = Ask::Update { variable, operation, declare: Some("gcounter".to_owned()), style: Style::default() };
        if let Err(why) = ask_one(&waiting[from], ask).await {
            return self.give_up(format!("a node does not take an update: {why}"));
        }
        while !waiting.is_empty() {
            if let Err(over) = self.go_on() {
                self.problems.push(format!("the broadcast reached {} of {all}", all - waiting.len()));
                return Err(over);
            }
            let ask = Ask::Get { variable: VARIABLE.to_owned(), style: Style::default() };
            let answers = ask_all(waiting.clone(), &ask).await;
            let asked = waiting.into_iter().zip(answers);
            waiting = asked.filter(|(_, answer)| !holds_one(answer)).map(|(addr, _)| addr).collect();
        }
        self.put("broadcast_reached", all as f64);
        self.put("broadcast_seconds", begun.elapsed().as_secs_f64());
        Ok(())
    }

    /// Lets time pass.
    async fn pass(&mut self, time: Duration) -> Result<(), Over> {
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            tokio::time::sleep(left.min(STEP)).await;
            self.go_on()?;
            self.tell("nodes", self.herd.living().count() as u64);
        }
    }

    /// Whether there is nothing against going on.
    fn go_on(&mut self) -> Result<(), Over> {
        if let Some(crash) = self.herd.crashed() {
            return self.give_up(crash);
        }
        if self.context.stop.is_set() {
            return self.give_up("interrupted".to_owned());
        }
        if self.started.elapsed() < self.config.duration.duration() {
            return Ok(());
        }
        let flaws = self.moments.last().map_or_else(String::new, Moment::flaws);
        self.give_up(format!("given up after {}{flaws}", self.config.duration))
    }

    fn give_up(&mut self, problem: String) -> Result<(), Over> {
        self.problems.push(problem);
        Err(Over)
    }

    fn put(&mut self, name: &str, value: f64) {
        self.results.insert(name.to_owned(), value.into());
    }

    fn tell(&mut self, what: &'static str, counted: u64) {
        self.observer.progress(&Progress {
            runs: 1,
            seconds: self.started.elapsed().as_secs_f64(),
            nodes: self.config.nodes,
            up: self.herd.living().count(),
            what,
            counted,
            expected: counted,
            bytes: self.ledger.sent(),
            ..Progress::default()
        });
    }

    fn close(mut self) -> (Summary, Vec<Chart>, Vec<Sample>) {
        let charts = figures::charts(&self.moments, self.killed_at, &self.degrees, &self.ledger);
        self.results.insert("survey_seconds".to_owned(), varied(self.moments.iter().map(|moment| moment.took)));
        let wall_seconds = self.started.elapsed().as_secs_f64();
        let mut summary = summarize(self.config, &[], &[], Outside { wall_seconds, ..Outside::default() });
        if let Some(Moment { shape, .. }) = self.moments.pop() {
            (summary.isolated_nodes, summary.components) = (shape.isolated_nodes, shape.components);
            (summary.asymmetric_links, summary.dangling_links) = (shape.asymmetric_links, shape.dangling_links);
            summary.degrees = shape.degrees;
        }
        summary.run_seconds = wall_seconds;
        summary.bytes.total = self.ledger.sent();
        let rss = self.ledger.rss();
        summary.rss_bytes = Memory { mean: rss.mean, max: rss.max };
        summary.cpu_seconds = self.ledger.cpu_seconds();
        summary.converged = self.problems.is_empty();
        (summary.results, summary.problems) = (self.results, self.problems);
        (summary, charts, self.ledger.samples)
    }
}

/// Whether a node says that the variable is what one increment makes it.
fn holds_one(answer: &Result<Say, String>) -> bool {
    matches!(answer, Ok(Say::Value { text, .. }) if text == "1")
}

fn varied(values: impl Iterator<Item = f64>) -> Figure {
    Figure::Varied(Varied::of(&values.collect::<Vec<_>>()))
}
