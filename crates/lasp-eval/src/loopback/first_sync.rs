//! A node joins a cluster that holds little, over TCP on this machine: how long until it has all of it. And how long an update
//! at one node takes until it is seen at all others.
//!
//! The time of a joiner begins before it listens: dialling, being taken in and the first comparison are in it. An update is
//! seen when a threshold read at a node returns.

pub mod figures;
pub mod options;

use super::books::Books;
use super::guest::{Guest, GuestError};
use crate::config::Config;
use crate::lab::seeds::{Pace, concluded, each, seeds};
use crate::ledger::{Account, Accounts};
use crate::plot::Chart;
use crate::progress::Observer;
use crate::run::Context;
use crate::summary::Summary;
use lasp::builder::Builder;
use lasp::{Lasp, Threshold};
use lasp_dataflow::{Op, Type, VarId};
use lasp_node::Node;
use lasp_overlay::Rng;
use options::FirstSync;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How long a cluster is left alone once it hangs together. A guess: neighbours have compared twice.
const SETTLE: Duration = Duration::from_secs(3);

/// Between two joiners, and two updates.
const PAUSE: Duration = Duration::from_millis(50);

/// How long anything may take. A guess: a hundred times what it does.
const PATIENCE: Duration = Duration::from_secs(30);

/// The counter that updates increment.
const TICKS: &str = "ticks";

/// One run: how many nodes, from which seed.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// How many nodes.
    pub size: usize,
    /// What is random here follows from it.
    pub seed: u64,
}

/// What a run came to, in milliseconds.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Of each joiner, until it was linked.
    pub linked: Vec<f64>,
    /// Of each joiner, until it had everything.
    pub synced: Vec<f64>,
    /// Of each update, until the last node saw it.
    pub visible_at_all: Vec<f64>,
    /// The same at each node.
    pub visible: Vec<f64>,
    /// What all sent for joins and updates, by class and over time.
    pub account: Option<Account>,
    /// What is not as it should be.
    pub problem: Option<String>,
}

/// A job and what it came to.
pub type Run = (Job, Outcome);

/// Runs all of it, one after the other.
pub(crate) fn evaluate(
    config: &Config,
    options: &FirstSync,
    context: &Context<'_>,
    observer: &mut dyn Observer,
) -> (Summary, Vec<Chart>) {
    let jobs: Vec<Job> =
        options.sizes.iter().flat_map(|&size| seeds(config).map(move |seed| Job { size, seed })).collect();
    let outcomes =
        each(&jobs, jobs.len() as u64, 1, config, context, observer, |job, pace| (*job, run(*job, options, pace)));
    let hashes = std::iter::empty();
    let found = (figures::results(&outcomes), figures::problems(&outcomes));
    let mut summary = concluded(config, found, [outcomes.len(), jobs.len()], hashes);
    let mut charts = figures::charts(&outcomes);
    let accounts = outcomes.iter().map(|(job, outcome)| (job.size.to_string(), &outcome.account));
    charts.extend(Accounts::of(accounts).tell(&options.largest().to_string(), &mut summary));
    (summary, charts)
}

fn run(job: Job, options: &FirstSync, pace: &Pace<'_>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(async {
            let mut outcome = Outcome::default();
            let measured = measure(job, options, pace, &mut outcome).await;
            measured.map(|()| outcome)
        }),
        Err(error) => Err(error.into()),
    };
    pace.step();
    outcome.unwrap_or_else(|error| Outcome { problem: Some(error.to_string()), ..Outcome::default() })
}

async fn measure(job: Job, options: &FirstSync, pace: &Pace<'_>, outcome: &mut Outcome) -> Result<(), GuestError> {
    let mut rng = Rng::new(job.seed);
    let cluster = format!("first-sync-{}-{}-{}", std::process::id(), job.size, job.seed);
    let builder = |rng: &mut Rng| Lasp::builder().cluster(cluster.clone()).listen("127.0.0.1:0").seed(rng.next_u64());
    let mut guests = vec![Guest::start(builder(&mut rng))?];
    while guests.len() < job.size {
        let contact = guests[rng.index(guests.len())].lasp.me().await?.addr;
        let guest = Guest::start(builder(&mut rng).join([contact.as_str()]))?;
        guest.lasp.joined().await?;
        guests.push(guest);
    }
    for n in 0..options.variables {
        let var = guests[0].lasp.declare(&format!("views/{n}"), Type::GCounter).await?;
        guests[0].lasp.update(var, Op::Increment(1)).await?;
    }
    tokio::time::sleep(SETTLE).await;
    let mut books = Books::open(PAUSE / 2, lasps(&guests)).await?;
    for _ in 0..options.joins {
        let contact = guests[rng.index(guests.len())].lasp.me().await?.addr;
        if outcome.problem.is_none() && pace.goes_on() {
            join(builder(&mut rng).join([contact.as_str()]), &guests, &mut books, outcome).await?;
            tokio::time::sleep(PAUSE).await;
        }
    }
    updates(&guests, options.updates, &mut books, pace, outcome).await?;
    outcome.account = Some(books.close(lasps(&guests), 0).await?);
    for guest in guests {
        guest.end().await;
    }
    Ok(())
}

fn lasps(guests: &[Guest]) -> impl Iterator<Item = &Lasp> {
    guests.iter().map(|guest| &guest.lasp)
}

/// A node joins, gets everything, and leaves.
async fn join(builder: Builder, guests: &[Guest], books: &mut Books, outcome: &mut Outcome) -> Result<(), GuestError> {
    let everything = guests[0].lasp.inspect(Node::fingerprint).await?;
    let start = Instant::now();
    let millis = || start.elapsed().as_secs_f64() * 1000.0;
    let joiner = Guest::start(builder)?;
    joiner.lasp.joined().await?;
    outcome.linked.push(millis());
    while joiner.lasp.inspect(Node::fingerprint).await? != everything {
        if start.elapsed() > PATIENCE {
            outcome.problem = Some("a joiner did not get everything".to_owned());
            break;
        }
    }
    outcome.synced.push(millis());
    books.look(lasps(guests).chain([&joiner.lasp])).await?;
    joiner.end().await;
    Ok(())
}

/// One node writes, all others wait.
async fn updates(
    guests: &[Guest],
    updates: usize,
    books: &mut Books,
    pace: &Pace<'_>,
    outcome: &mut Outcome,
) -> Result<(), GuestError> {
    let (seen, mut sights) = mpsc::unbounded_channel();
    let ticks = guests[0].lasp.declare(TICKS, Type::GCounter).await?;
    for guest in &guests[1..] {
        let (lasp, seen) = (guest.lasp.clone(), seen.clone());
        tokio::spawn(async move { watch(&lasp, updates, &seen).await });
    }
    for _ in 0..updates {
        tokio::time::sleep(PAUSE / 2).await;
        let start = Instant::now();
        guests[0].lasp.update(ticks, Op::Increment(1)).await?;
        let mut last = 0.0_f64;
        for _ in 1..guests.len() {
            let Ok(Some(at)) = tokio::time::timeout(PATIENCE, sights.recv()).await else {
                outcome.problem = Some("an update was not seen everywhere".to_owned());
                return Ok(());
            };
            let took = at.saturating_duration_since(start).as_secs_f64() * 1000.0;
            outcome.visible.push(took);
            last = last.max(took);
        }
        outcome.visible_at_all.push(last);
        books.look_if_due(lasps(guests)).await?;
        if !pace.goes_on() {
            break;
        }
    }
    Ok(())
}

async fn watch(lasp: &Lasp, updates: usize, seen: &mpsc::UnboundedSender<Instant>) -> Result<(), lasp::Error> {
    let ticks: VarId = lasp.declare(TICKS, Type::GCounter).await?;
    for round in 1..=updates {
        lasp.read(ticks, Threshold::AtLeast(round as i64)).await?;
        if seen.send(Instant::now()).is_err() {
            break;
        }
    }
    Ok(())
}
