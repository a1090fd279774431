//! A node without anything joins one that has very many keys, over TCP on this machine: how long until it has all of them,
//! what memory that takes, and how both ends serve meanwhile.
//!
//! The time begins before the joiner listens. Both nodes are asked by a client each for the whole time. Memory is that of the
//! process, in which both are: what was resident at most while the joiner loaded, beyond what was when it had loaded, is what
//! loading took and did not keep.

pub mod figures;
pub mod options;

use super::books::Books;
use super::client::Client;
use super::guest::{Guest, GuestError};
use crate::config::Config;
use crate::lab::seeds::{Pace, concluded, each, seeds};
use crate::ledger::{Account, Accounts};
use crate::plot::Chart;
use crate::progress::Observer;
use crate::run::Context;
use crate::summary::Summary;
use crate::usage::usage;
use lasp::Lasp;
use lasp_dataflow::{Op, Type, Value};
use lasp_node::Node;
use options::{Joiner, Shape};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How many at a time fill the first node.
const FILLERS: usize = 64;

/// Elements of one operation.
const BATCH: usize = 1000;

/// How long the first node is left alone once it is filled: what was written of late is told twice to who comes then.
const SETTLE: Duration = Duration::from_secs(5);

/// How long the first node is asked before the second one comes.
const BEFORE: Duration = Duration::from_millis(500);

/// Between two looks at how far the joiner has come.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Between two looks at the process's memory.
const WEIGH_EVERY: Duration = Duration::from_millis(5);

/// Between two looks at all that both have sent and keep.
const SEE_EVERY: Duration = Duration::from_millis(20);

/// How long the nodes may take to be equal, once nobody asks any more.
const EQUAL_WITHIN: Duration = Duration::from_secs(60);

/// The variable of shapes with one.
const VARIABLE: &str = "keys";

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// How many keys.
    pub keys: usize,
    /// As what.
    pub shape: Shape,
    /// What the nodes' own randomness follows from.
    pub seed: u64,
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// From before the joiner listens until it has every key, in seconds.
    pub seconds: f64,
    /// Until it was linked.
    pub linked_seconds: f64,
    /// Processor time of the process meanwhile, in seconds: of both nodes and their clients.
    pub cpu_seconds: f64,
    /// Bytes of state that the first node sent meanwhile, and of everything.
    pub bytes: [u64; 2],
    /// Resident memory of both nodes: before the joiner came, at most while it loaded, and when it had loaded.
    pub resident: [u64; 3],
    /// Most bytes that waited at the first node for the joiner, with what was under way to it.
    pub waiting: usize,
    /// How long the clients' questions took, in milliseconds: of the first node before, of the first while the other loads, of
    /// the joiner while it loads.
    pub asked: [Vec<f64>; 3],
    /// The same of both nodes, by class and over time.
    pub account: Option<Account>,
    /// What is not as it should be.
    pub problem: Option<String>,
}

/// A job and what it came to.
pub type Run = (Job, Outcome);

/// Runs all of it, one after the other.
pub(crate) fn evaluate(
    config: &Config,
    options: &Joiner,
    context: &Context<'_>,
    observer: &mut dyn Observer,
) -> (Summary, Vec<Chart>) {
    let shapes = options.shapes.iter().flat_map(|&shape| options.keys.iter().map(move |&keys| (shape, keys)));
    let jobs: Vec<Job> =
        shapes.flat_map(|(shape, keys)| seeds(config).map(move |seed| Job { keys, shape, seed })).collect();
    let patience = config.duration.duration();
    let outcomes =
        each(&jobs, jobs.len() as u64, 1, config, context, observer, |job, pace| (*job, run(*job, patience, pace)));
    let hashes = std::iter::empty();
    let found = (figures::results(&outcomes), figures::problems(&outcomes));
    let mut summary = concluded(config, found, [outcomes.len(), jobs.len()], hashes);
    let mut charts = figures::charts(&summary);
    let accounts = outcomes.iter().map(|(job, outcome)| (figures::part(job), &outcome.account));
    charts.extend(Accounts::of(accounts).tell(&figures::shown(&outcomes), &mut summary));
    (summary, charts)
}

fn run(job: Job, patience: Duration, pace: &Pace<'_>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(load(job, patience, pace)),
        Err(error) => Err(error.into()),
    };
    pace.step();
    outcome.unwrap_or_else(|error| Outcome { problem: Some(error.to_string()), ..Outcome::default() })
}

/// The text of a key.
fn key(n: usize) -> String {
    format!("key/{n:0>12}")
}

async fn fill(lasp: &Lasp, job: Job) -> Result<(), lasp::Error> {
    let mut fillers = JoinSet::new();
    let all = Arc::new(AtomicU64::new(0));
    for _ in 0..FILLERS {
        let (lasp, next) = (lasp.clone(), all.clone());
        fillers.spawn(async move {
            loop {
                let from = next.fetch_add(BATCH as u64, Ordering::Relaxed) as usize;
                if from >= job.keys {
                    return Ok::<_, lasp::Error>(());
                }
                put(&lasp, job.shape, from..(from + BATCH).min(job.keys)).await?;
            }
        });
    }
    while let Some(done) = fillers.join_next().await {
        done.unwrap_or(Ok(()))?;
    }
    Ok(())
}

async fn put(lasp: &Lasp, shape: Shape, keys: std::ops::Range<usize>) -> Result<(), lasp::Error> {
    let set = |n: usize| Op::Set(Value::from(format!("value of {n}")));
    match shape {
        Shape::Variables => {
            for n in keys {
                let var = lasp.declare(&key(n), Type::LwwRegister).await?;
                lasp.update(var, set(n)).await?;
            }
        }
        Shape::Set => {
            let var = lasp.declare(VARIABLE, Type::AwSet).await?;
            lasp.update(var, Op::AddAll(keys.map(|n| Value::from(key(n))).collect())).await?;
        }
        Shape::Map => {
            let var = lasp.declare(VARIABLE, Type::GMap(Box::new(Type::LwwRegister))).await?;
            for n in keys {
                lasp.update(var, Op::Apply(Value::from(key(n)), Box::new(set(n)))).await?;
            }
        }
    }
    Ok(())
}

/// How many keys a node has.
fn keys(node: &Node, shape: Shape) -> usize {
    let graph = node.graph();
    match shape {
        Shape::Variables => graph.declared(),
        _ => graph.lookup(VARIABLE).and_then(|var| graph.state(var)?.cardinality()).unwrap_or(0),
    }
}

async fn load(job: Job, patience: Duration, pace: &Pace<'_>) -> Result<Outcome, GuestError> {
    let builder = |part: u64| {
        let cluster = format!("joiner-{}-{}", std::process::id(), job.seed);
        Lasp::builder().cluster(cluster).listen("127.0.0.1:0").seed(job.seed << 8 | part)
    };
    let giver = Guest::start(builder(1))?;
    fill(&giver.lasp, job).await?;
    tokio::time::sleep(SETTLE).await;
    let mut outcome = Outcome::default();
    let client = Client::start(giver.lasp.clone(), "giver");
    tokio::time::sleep(BEFORE).await;
    outcome.asked[0] = client.end().await?;
    let contact = giver.lasp.me().await?.addr;
    let (before, held) = (giver.lasp.metrics().await?, giver.lasp.inspect(move |node| keys(node, job.shape)).await?);
    // The counter of the joiner's client is one more there.
    let wanted = held + usize::from(job.shape == Shape::Variables);
    let scale = Scale::start();
    let worked = usage();
    let mut books = Books::open(SEE_EVERY, [&giver.lasp]).await?;
    let start = Instant::now();
    let joiner = Guest::start(builder(2).join([contact.as_str()]))?;
    let clients = [Client::start(giver.lasp.clone(), "giver"), Client::start(joiner.lasp.clone(), "joiner")];
    joiner.lasp.joined().await?;
    let other = joiner.lasp.me().await?.id;
    outcome.linked_seconds = start.elapsed().as_secs_f64();
    while outcome.problem.is_none() && joiner.lasp.inspect(move |node| keys(node, job.shape)).await? < wanted {
        let waiting = giver.lasp.inspect(move |node| node.buffered_bytes(other)).await?;
        outcome.waiting = outcome.waiting.max(waiting);
        books.look_if_due([&giver.lasp, &joiner.lasp]).await?;
        tokio::time::sleep(LOOK_EVERY).await;
        if !pace.goes_on() || start.elapsed() > patience {
            outcome.problem = Some(format!("it had not loaded after {:.0} s", start.elapsed().as_secs_f64()));
        }
    }
    outcome.seconds = start.elapsed().as_secs_f64();
    outcome.resident = scale.end();
    if let (Some(before), Some(after)) = (worked, usage()) {
        outcome.cpu_seconds = (after.cpu_ms - before.cpu_ms) as f64 / 1000.0;
    }
    let after = giver.lasp.metrics().await?;
    outcome.bytes = [
        after.sent(lasp_node::Class::State) - before.sent(lasp_node::Class::State),
        after.total_sent() - before.total_sent(),
    ];
    outcome.account = Some(books.close([&giver.lasp, &joiner.lasp], job.keys as u64).await?.without_tree());
    let [at_giver, at_joiner] = clients;
    outcome.asked[1] = at_giver.end().await?;
    outcome.asked[2] = at_joiner.end().await?;
    if outcome.problem.is_none() && !become_equal(&giver.lasp, &joiner.lasp).await? {
        outcome.problem = Some("the nodes did not become equal".to_owned());
    }
    joiner.end().await;
    giver.end().await;
    Ok(outcome)
}

async fn become_equal(one: &Lasp, other: &Lasp) -> Result<bool, lasp::Error> {
    let start = Instant::now();
    while one.inspect(Node::fingerprint).await? != other.inspect(Node::fingerprint).await? {
        if start.elapsed() > EQUAL_WITHIN {
            return Ok(false);
        }
        tokio::time::sleep(LOOK_EVERY * 10).await;
    }
    Ok(true)
}

/// Weighs the process, again and again, on a thread of its own.
struct Scale {
    over: Arc<AtomicBool>,
    before: u64,
    thread: std::thread::JoinHandle<u64>,
}

/// Resident memory; 0 where nobody knows.
fn weight() -> u64 {
    usage().map_or(0, |usage| usage.rss_bytes)
}

impl Scale {
    fn start() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let ends = over.clone();
        let thread = std::thread::spawn(move || {
            let mut most = 0;
            while !ends.load(Ordering::Relaxed) {
                most = most.max(weight());
                std::thread::sleep(WEIGH_EVERY);
            }
            most
        });
        Self { over, before: weight(), thread }
    }

    /// At first, at most, in the end.
    fn end(self) -> [u64; 3] {
        let end = weight();
        self.over.store(true, Ordering::Relaxed);
        [self.before, self.thread.join().unwrap_or(0).max(end), end]
    }
}
