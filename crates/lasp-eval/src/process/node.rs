//! What runs in each process of a run: a node over TCP, its scenario, and a sampler beside it.
//!
//! It ends when its part is played, when its standard input closes (the launcher is gone, or wants it), or when it is asked
//! to by a signal; either way its logs are on disk.

use crate::config::{Config, ConfigError, Membership};
use crate::journal::{Clock, Journal};
use crate::process::shelf::Shelf;
use crate::record::{Probe, Sample};
use crate::replay::{Diary, Seen};
use crate::scenario::{Member, cast};
use crate::usage::usage;
use crate::watch::{self, Look, Written};
use lasp::{Lasp, StartError};
use lasp_crdt::fingerprint::mix;
use lasp_overlay::PeerId;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::oneshot;

/// What the launcher tells a node.
#[derive(Clone, Debug)]
pub struct Orders {
    /// The run's directory, with its `config.toml`.
    pub dir: PathBuf,
    /// The node's number.
    pub index: usize,
    /// Which life of it this is, from 1.
    pub incarnation: u64,
    /// When the run began, in microseconds since 1970.
    pub epoch_us: u64,
    /// Through whom to join; nobody for the first node.
    pub join: Option<String>,
    /// Where to serve a page.
    pub http: Option<String>,
}

/// What the line begins with by which a node says where its page is.
pub(super) const PAGE: &str = "page at ";

/// Why a node could not play.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Its configuration cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Its files or its event loop could not be made.
    #[error("cannot set up: {0}")]
    Setup(#[from] io::Error),
}

/// Runs one node; whether its part was played to the end.
///
/// # Errors
/// [`NodeError`].
pub fn run(orders: &Orders) -> Result<bool, NodeError> {
    let config = Config::read(&orders.dir.join("config.toml"))?;
    let shelf = Arc::new(Shelf::open(&orders.dir, &cast(orders.index).0, orders.incarnation)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(play(orders, Arc::new(config), shelf))
}

async fn play(orders: &Orders, config: Arc<Config>, shelf: Arc<Shelf>) -> Result<bool, NodeError> {
    let (name, role) = cast(orders.index);
    let lasp = start(orders, &config).await?;
    let me = lasp.status().await.map(|status| status.me.addr.to_string()).unwrap_or_default();
    // If nobody listens any more, standard input will tell.
    if let Some(page) = lasp.http() {
        let _ = writeln!(io::stdout(), "{PAGE}{page}");
    }
    let _ = writeln!(io::stdout(), "listening on {me}");
    let journal = Journal::new(&name, role, clock(orders.epoch_us), Arc::clone(&shelf) as _);
    let (index, incarnation) = (orders.index, orders.incarnation);
    let member =
        Member { lasp: lasp.clone(), journal: journal.clone(), config: Arc::clone(&config), index, incarnation };
    lasp.spawn(member.perform());
    tokio::select! {
        _ = lasp.stopped() => {}
        () = sample(&lasp, &journal, &shelf, config.sample_interval.duration()) => {}
        () = asked_to_end() => { lasp.shutdown().await; }
    }
    let completed = journal.with(|record| record.completed);
    journal.note_usage(usage());
    Ok(completed)
}

async fn start(orders: &Orders, config: &Config) -> Result<Lasp, StartError> {
    let membership = config.membership.name().parse().unwrap_or_default();
    let builder = match (config.membership, orders.index) {
        (Membership::ClientServer, 0) => Lasp::builder().role(lasp::Role::Server),
        (Membership::ClientServer, _) => Lasp::builder().role(lasp::Role::Client),
        (Membership::Epmd, _) => Lasp::builder().epmd_port(epmd_port()),
        _ => Lasp::builder(),
    };
    // By epmd nodes find each other themselves.
    let contacts = orders.join.iter().filter(|_| config.membership != Membership::Epmd);
    let builder = match &orders.http {
        Some(addr) => builder.http(addr),
        None => builder,
    };
    builder
        .cluster(format!("eval-{}", orders.epoch_us))
        .identity(PeerId(orders.index as u64 + 1), orders.incarnation)
        .seed(mix(config.seed, mix(orders.index as u64, orders.incarnation)))
        .listen("127.0.0.1:0")
        .join(contacts)
        .membership(membership)
        .tune(|node| config.tune(node))
        .start()
        .await
}

/// Where this machine's port mapper daemon listens, as for `lasp node`.
pub(super) fn epmd_port() -> u16 {
    let told = std::env::var("LASP_EPMD_PORT").ok().and_then(|port| port.parse().ok());
    told.unwrap_or(lasp::epmd::DEFAULT_PORT)
}

/// Microseconds since the run began, by this machine's clock, which all its processes share.
fn clock(epoch_us: u64) -> Clock {
    Arc::new(move || {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX).saturating_sub(epoch_us)
    })
}

/// Samples until the node stops, at the same moments as all other nodes: at whole multiples of `every` on the run's clock. Who
/// its neighbours are is written down then, and whenever they change.
async fn sample(lasp: &Lasp, journal: &Journal, shelf: &Shelf, every: Duration) {
    let step_us = (every.as_micros() as u64).max(1);
    let into = Duration::from_micros(journal.now() % step_us);
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + every.saturating_sub(into), every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let (mut changes, mut diary) = (lasp.view_changes(), Diary::default());
    loop {
        let is_tick = tokio::select! {
            _ = ticks.tick() => true,
            change = changes.next() => match change {
                Some(_) => false,
                None => return,
            },
        };
        let Ok(seen) = lasp.inspect(Seen::of).await else { return };
        let now = journal.now();
        complain(diary.note(now, seen).map_or(Ok(()), |view| shelf.view(&view)));
        if !is_tick {
            continue;
        }
        // Clocks differ a little from one another.
        let tick = (now + step_us / 2) / step_us;
        let seen = lasp.inspect(move |node| (Probe::of(node), watch::takes(tick).then(|| Look::of(node)))).await;
        let Ok((probe, look)) = seen else { return };
        let usage = usage();
        let row = journal.with(|record| Sample::of(record, now, &probe, usage));
        complain(shelf.row(&row).and_then(|()| look.map_or(Ok(()), |look| shelf.look(&Written { tick, look }))));
        journal.checkpoint(probe, usage);
    }
}

fn complain(written: io::Result<()>) {
    if let Err(error) = written {
        eprintln!("cannot write a sample: {error}");
    }
}

/// Waits for the end of standard input, or a signal to end.
async fn asked_to_end() {
    let (sender, closed) = oneshot::channel::<()>();
    // A thread of its own, since reading standard input cannot be cancelled; it goes down with the process.
    std::thread::spawn(move || {
        let mut rest = [0; 64];
        while matches!(io::stdin().read(&mut rest), Ok(read) if read > 0) {}
        drop(sender);
    });
    tokio::select! {
        _ = closed => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            terminate.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
