//! Starts the nodes of a run and waits for them.
//!
//! Knows processes and files, nothing of replication: nodes agree among themselves that they are done. A client that
//! crashes is started again under its name, with nothing left of what it knew, as an orchestrator would. Children live
//! while their standard input is open: they end themselves when the launcher does, however it ends.

use crate::config::{Config, Membership};
use crate::process::shelf;
use crate::process::tail::Tail;
use crate::progress::{Observer, Progress, Stop, divergence_percent};
use crate::record::{NodeRecord, Role, Sample};
use crate::replay::{Life, Replay};
use crate::run::{Context, Evidence};
use crate::scenario;
use crate::summary::Outside;
use crate::watch;
use lasp_overlay::Rng;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How often children are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long a node may take until it listens.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// How long nodes may take to end once their standard input is closed, before they are killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);

/// How often one node is started again.
const MOST_LIVES: u64 = 50;

/// Why a run's nodes could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// Files for the nodes could not be made.
    #[error("cannot prepare {}: {why}", path.display())]
    Files {
        /// Which.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// The program could not be started.
    #[error("cannot start {node}: {why}")]
    Spawn {
        /// Which node.
        node: String,
        /// What the system said.
        why: io::Error,
    },
    /// Nobody answers for the names of membership epmd.
    #[error(
        "membership `epmd` needs a port mapper daemon, and none listens at port {port}: {why}; \
         start one with `epmd -daemon`, or say where it is with LASP_EPMD_PORT"
    )]
    NoEpmd {
        /// Where.
        port: u16,
        /// What the system said.
        why: io::Error,
    },
    /// A node did not come to listen.
    #[error("{node} did not start to listen{detail}")]
    Silent {
        /// Which node.
        node: String,
        /// What it said instead.
        detail: String,
    },
    /// The launcher's own event loop could not be set up.
    #[error("cannot set up the launcher: {0}")]
    Runtime(io::Error),
}

/// Runs a configuration in real processes, with files in `dir`.
///
/// # Errors
/// [`LaunchError`]; no process is left then.
pub fn run(
    config: &Config,
    dir: &Path,
    context: &Context<'_>,
    observer: &mut dyn Observer,
) -> Result<Evidence, LaunchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(LaunchError::Runtime)?;
    runtime.block_on(async {
        let mut launcher = Launcher::new(config, dir, context)?;
        let problems = launcher.run(&context.stop, observer).await?;
        Ok(launcher.gather(problems))
    })
}

/// One node of the run and its present process.
struct Node {
    name: String,
    index: usize,
    role: Role,
    incarnation: u64,
    child: Option<Child>,
    done: bool,
    tail: Tail,
}

struct Launcher<'a> {
    config: &'a Config,
    dir: &'a Path,
    exe: &'a Path,
    /// Where the first node serves a page.
    page: Option<&'a str>,
    epoch: SystemTime,
    started: Instant,
    nodes: Vec<Node>,
    server: Option<String>,
    samples: Vec<Sample>,
    latest: BTreeMap<(String, u64), Sample>,
    /// When lives ended, in microseconds since the run began, as far as they did by themselves.
    ends: BTreeMap<(String, u64), u64>,
    rng: Rng,
}

impl<'a> Launcher<'a> {
    fn new(config: &'a Config, dir: &'a Path, context: &'a Context<'_>) -> Result<Self, LaunchError> {
        let path = dir.join("nodes");
        fs::create_dir_all(&path).map_err(|why| LaunchError::Files { path, why })?;
        let node = |index| {
            let (name, role) = scenario::cast(index);
            let tail = Tail::new(shelf::rows_path(dir, &name, 1));
            Node { name, index, role, incarnation: 0, child: None, done: false, tail }
        };
        Ok(Self {
            config,
            dir,
            exe: context.exe,
            page: context.page.as_ref().map(|watch| watch.addr.as_str()),
            epoch: SystemTime::now(),
            started: Instant::now(),
            nodes: (0..config.nodes).map(node).collect(),
            server: None,
            samples: Vec::new(),
            latest: BTreeMap::new(),
            ends: BTreeMap::new(),
            rng: Rng::new(config.seed),
        })
    }

    /// Starts everything and waits for the end; what stands against the outcome.
    async fn run(&mut self, stop: &Stop, observer: &mut dyn Observer) -> Result<Vec<String>, LaunchError> {
        if self.config.membership == Membership::Epmd {
            let port = super::node::epmd_port();
            tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .map_err(|why| LaunchError::NoEpmd { port, why })?;
        }
        self.start(0)?;
        self.server = Some(self.address_of_server(observer).await?);
        for at in 1..self.nodes.len() {
            self.start(at)?;
        }
        let problems = loop {
            tokio::time::sleep(LOOK_EVERY).await;
            self.read_samples();
            let progress = self.progress();
            observer.progress(&progress);
            if let Err(problem) = self.look_after_children(observer)? {
                break vec![problem];
            }
            if self.nodes.iter().all(|node| node.done) {
                break Vec::new();
            }
            if stop.is_set() {
                break vec!["interrupted".to_owned()];
            }
            if self.started.elapsed() >= self.config.duration.duration() {
                break vec![format!("given up after {}", self.config.duration)];
            }
            self.churn(&progress);
        };
        self.end().await;
        Ok(problems)
    }

    /// Starts the next life of a node.
    fn start(&mut self, at: usize) -> Result<(), LaunchError> {
        let server = self.server.clone();
        let (dir, epoch) = (self.dir, self.epoch);
        let page = self.page.filter(|_| at == 0);
        let node = &mut self.nodes[at];
        node.incarnation += 1;
        node.tail = Tail::new(shelf::rows_path(dir, &node.name, node.incarnation));
        let epoch_us = epoch.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_micros());
        let log_path = shelf::log_path(dir, &node.name, node.incarnation);
        let log = File::create(&log_path).map_err(|why| LaunchError::Files { path: log_path, why })?;
        let mut command = Command::new(self.exe);
        command
            .arg("eval-node")
            .arg("--dir")
            .arg(dir)
            .args(["--index", &node.index.to_string()])
            .args(["--incarnation", &node.incarnation.to_string()])
            .args(["--epoch-us", &epoch_us.to_string()])
            .args(server.map(|addr| ["--join".to_owned(), addr]).into_iter().flatten())
            .args(page.map(|addr| ["--http", addr]).into_iter().flatten())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true);
        // Ctrl-C at the terminal is for the launcher, which then ends the nodes in its own way.
        #[cfg(unix)]
        command.process_group(0);
        let spawn = |why| LaunchError::Spawn { node: node.name.clone(), why };
        let child = command.spawn().map_err(spawn)?;
        if let Some(pid) = child.id() {
            let path = shelf::pid_path(dir, &node.name, node.incarnation);
            fs::write(&path, pid.to_string()).map_err(|why| LaunchError::Files { path, why })?;
        }
        node.child = Some(child);
        Ok(())
    }

    /// The address that the first node says it listens on.
    async fn address_of_server(&mut self, observer: &mut dyn Observer) -> Result<String, LaunchError> {
        let node = &mut self.nodes[0];
        let silent = |detail: String| LaunchError::Silent { node: scenario::cast(0).0, detail };
        let stdout = node.child.as_mut().and_then(|child| child.stdout.take());
        let Some(stdout) = stdout else { return Err(silent(String::new())) };
        let mut lines = BufReader::new(stdout).lines();
        let heard = tokio::time::timeout(START_TIMEOUT, async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(addr) = line.strip_prefix(super::node::PAGE) {
                    observer.note(&format!("watch it at http://{}/", addr.trim()));
                }
                if let Some(addr) = line.strip_prefix("listening on ") {
                    return Some(addr.trim().to_owned());
                }
            }
            None
        });
        match heard.await {
            Ok(Some(addr)) => Ok(addr),
            Ok(None) => Err(silent(self.last_words(0))),
            Err(_) => Err(silent(format!(" within {} s", START_TIMEOUT.as_secs()))),
        }
    }

    /// The last line that a node complained with.
    fn last_words(&self, at: usize) -> String {
        let node = &self.nodes[at];
        let text = fs::read_to_string(shelf::log_path(self.dir, &node.name, node.incarnation)).unwrap_or_default();
        text.lines().rev().find(|line| !line.trim().is_empty()).map_or_else(String::new, |line| format!(": {line}"))
    }

    /// Notices who has ended, and starts clients again that crashed; the inner error ends the run.
    fn look_after_children(&mut self, observer: &mut dyn Observer) -> Result<Result<(), String>, LaunchError> {
        for at in 0..self.nodes.len() {
            let Some(child) = self.nodes[at].child.as_mut() else { continue };
            let Ok(Some(status)) = child.try_wait() else { continue };
            self.nodes[at].child = None;
            self.note_end(at);
            if status.success() {
                self.nodes[at].done = true;
                continue;
            }
            if let Err(problem) = self.after_crash(at, status, observer) {
                return Ok(Err(problem));
            }
            self.start(at)?;
        }
        Ok(Ok(()))
    }

    fn note_end(&mut self, at: usize) {
        let now_us = self.epoch.elapsed().map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(u64::MAX));
        let Node { name, incarnation, .. } = &self.nodes[at];
        self.ends.insert((name.clone(), *incarnation), now_us);
    }

    /// Whether a node that crashed may be started again.
    fn after_crash(&self, at: usize, status: ExitStatus, observer: &mut dyn Observer) -> Result<(), String> {
        let Node { name, role, incarnation, .. } = &self.nodes[at];
        let crash = format!("{name} ended with {status}{}", self.last_words(at));
        if *role == Role::Server {
            return Err(format!("{crash}; what it enforced is nobody else's part"));
        }
        if *incarnation >= MOST_LIVES {
            return Err(format!("{crash}, after {incarnation} starts"));
        }
        observer.note(&format!("{crash}; starting it again"));
        Ok(())
    }

    fn record(&self, name: &str, life: u64) -> Option<NodeRecord> {
        shelf::read_record(&shelf::record_path(self.dir, name, life))
    }

    fn read_samples(&mut self) {
        let mut fresh = Vec::new();
        for node in &mut self.nodes {
            node.tail.read(&mut fresh);
        }
        for sample in &fresh {
            self.latest.insert((sample.node.clone(), sample.incarnation), sample.clone());
        }
        self.samples.append(&mut fresh);
    }

    fn progress(&self) -> Progress {
        let (what, expected) = scenario::expectation(self.config);
        let alive = |node: &&Node| node.child.is_some();
        let current = |node: &Node| self.latest.get(&(node.name.clone(), node.incarnation));
        let observed: Vec<f64> = self.nodes.iter().filter_map(current).map(|row| row.observed as f64).collect();
        let counted: u64 = self.latest.values().map(|row| row.own).sum();
        Progress {
            seconds: self.started.elapsed().as_secs_f64(),
            nodes: self.nodes.len(),
            up: self.nodes.iter().filter(alive).count(),
            what,
            counted,
            expected,
            divergence_percent: divergence_percent(counted, &observed),
            bytes: self.latest.values().map(|row| row.bytes.total()).sum(),
            ..Progress::default()
        }
    }

    /// Kills each client with the configured chance, while there is still work.
    fn churn(&mut self, progress: &Progress) {
        if self.config.churn == 0.0 || progress.counted >= progress.expected {
            return;
        }
        let chance = self.config.churn * LOOK_EVERY.as_secs_f64() / 60.0;
        for node in self.nodes.iter_mut().filter(|node| node.role == Role::Client) {
            if let Some(child) = node.child.as_mut()
                && self.rng.chance(chance)
            {
                // A child that is already gone is noticed at the next look.
                let _ = child.start_kill();
            }
        }
    }

    /// Closes every child's standard input, which asks it to end, then makes sure that it has.
    async fn end(&mut self) {
        for node in &mut self.nodes {
            if let Some(child) = node.child.as_mut() {
                drop(child.stdin.take());
            }
        }
        let deadline = Instant::now() + STOP_TIMEOUT;
        for node in &mut self.nodes {
            let Some(mut child) = node.child.take() else { continue };
            let left = deadline.saturating_duration_since(Instant::now());
            if tokio::time::timeout(left, child.wait()).await.is_err() {
                // Kills and reaps; fails only if it has ended meanwhile.
                let _ = child.kill().await;
            }
        }
    }

    /// Everything that the nodes left behind.
    fn gather(mut self, problems: Vec<String>) -> Evidence {
        self.read_samples();
        self.samples.sort_by(|a, b| (a.t_us, &a.node).cmp(&(b.t_us, &b.node)));
        let lives = || self.nodes.iter().flat_map(|node| (1..=node.incarnation).map(move |life| (&node.name, life)));
        let records: Vec<NodeRecord> = lives().filter_map(|(name, life)| self.record(name, life)).collect();
        let looks: Vec<_> =
            lives().map(|(name, life)| shelf::read_lines(&shelf::looks_path(self.dir, name, life))).collect();
        let moments = watch::moments(&looks, self.config.sample_interval.as_micros());
        let life = |(name, life): (&String, u64)| Life {
            views: shelf::read_lines(&shelf::views_path(self.dir, name, life)),
            end_us: self.ends.get(&(name.clone(), life)).copied(),
        };
        let replay = Replay::of(lives().map(life).collect());
        let wall_seconds = self.started.elapsed().as_secs_f64();
        let outside = Outside { wall_seconds, problems, moments, ..Outside::default() };
        Evidence { records, samples: self.samples, outside, replay }
    }
}
