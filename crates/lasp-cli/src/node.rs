//! `lasp node`: a long-running node.
//!
//! Every flag is also a variable `LASP_*` and a key of the file given with `--config`; the nearest to the user wins. Exit
//! codes: 0 after a signal and an orderly leave, 1 where the node could not start or had to stop, 64 for wrong usage.

use crate::limits;
use anyhow::{Context as _, Result};
use clap::Args;
use lasp::control::Access;
use lasp::log::{Level, Log};
use lasp::settings::{KEYS, Optimise, Reservation, duration};
use lasp::{Dissemination, Error, Lasp, Membership, Role, Settings, Stop, SyncMode, Tag};
use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::signal::unix::{SignalKind, signal};

/// How long an orderly leave may take. A guess, above the driver's own limits.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Wrong usage (sysexits.h).
const USAGE: u8 = 64;

/// Runs one node until it is told to stop.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Every flag is also a variable (--data-dir is LASP_DATA_DIR; lists are separated by commas) and a \
    key of the configuration file (data_dir). A flag wins over a variable, a variable over the file."
)]
pub(crate) struct NodeArgs {
    /// The node's name, unique in its cluster [default: made from its identity]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The cluster it belongs to; nodes of others are refused [default: default]
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// The address to listen at; port 0 takes a free one [default: 127.0.0.1:4100]
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// The address others reach it at, if not where it listens
    #[arg(long, value_name = "HOST:PORT")]
    advertise: Option<String>,
    /// A node to join through; may be repeated
    #[arg(long, value_name = "HOST:PORT")]
    join: Vec<String>,
    /// Whom it keeps links with: hyparview, full, epmd (full, with members found by Erlang's
    /// port mapper), client-server, static, manual or scamp [default: hyparview]
    #[arg(long, value_name = "STRATEGY", value_parser = parse::<Membership>)]
    membership: Option<Membership>,
    /// What it is, with --membership client-server: server or client
    #[arg(long, value_name = "ROLE", value_parser = parse::<Role>)]
    role: Option<Role>,
    /// A host whose epmd is asked for members, with --membership epmd; may be repeated [default: this machine]
    #[arg(long, value_name = "HOST[:PORT]", value_delimiter = ',')]
    epmd_hosts: Vec<String>,
    /// Where epmds listen, this machine's too [default: 4369]
    #[arg(long, value_name = "PORT")]
    epmd_port: Option<u16>,
    /// How many servers a client keeps links with [default: 2]
    #[arg(long, value_name = "N")]
    servers: Option<usize>,
    /// How long after it was lost a member is evicted, with --membership full or client-server [default: never]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    evict_after: Option<Duration>,
    /// How many neighbours it keeps at most, with --membership hyparview [default: 5]
    #[arg(long, value_name = "N")]
    active_view: Option<usize>,
    /// How many others it knows beside those [default: 30]
    #[arg(long, value_name = "N")]
    passive_view: Option<usize>,
    /// By what it exchanges links for better ones, with --membership hyparview: rtt, or off [default: off]
    #[arg(long, value_name = "BY", value_parser = parse::<Optimise>)]
    optimise: Option<Optimise>,
    /// What it is in the eyes of nodes that keep places for such, e.g. server, with --membership hyparview
    #[arg(long, value_name = "TAG", value_parser = parse::<Tag>)]
    tag: Option<Tag>,
    /// Places that it keeps for neighbours with a tag, e.g. server=1; may be repeated
    #[arg(long, value_name = "TAG=N", value_parser = parse::<Reservation>)]
    reserve: Vec<Reservation>,
    /// Which SCAMP, with --membership scamp: 1 or 2 [default: 2]
    #[arg(long, value_name = "N")]
    scamp_version: Option<usize>,
    /// How many extra copies of a subscription are made, with --membership scamp [default: 1]
    #[arg(long, value_name = "N")]
    scamp_copies: Option<usize>,
    /// How updates reach everybody: tree, flood, gossip or hybrid [default: tree]
    #[arg(long, value_name = "HOW", value_parser = parse::<Dissemination>)]
    dissemination: Option<Dissemination>,
    /// What neighbours exchange at intervals: digest (then what differs), state, delta, delta-bp, delta-rr or
    /// delta-bp-rr [default: digest]
    #[arg(long, value_name = "WHAT", value_parser = parse::<SyncMode>)]
    sync: Option<SyncMode>,
    /// Time between two exchanges with a neighbour, of states or deltas, or with --dissemination gossip [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    propagation_interval: Option<Duration>,
    /// With how many random neighbours it exchanges each time; 0: with all [default: 0]
    #[arg(long, value_name = "N")]
    fanout: Option<usize>,
    /// For how long a busy link holds broadcasts back, to send them together [default: 1ms]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pace: Option<Duration>,
    /// The directory that keeps its identity
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// A prefix of the variables to hear; may be repeated [default: all]
    #[arg(long, value_name = "PREFIX")]
    interest: Vec<String>,
    /// Which clients it serves, the other commands: off, loopback or any. There is no authentication: with `any`, whoever
    /// reaches the port can read and change everything [default: loopback]
    #[arg(long, value_name = "WHOM", value_parser = parse::<Access>)]
    control: Option<Access>,
    /// Serve no clients: the same as --control off
    #[arg(long, conflicts_with = "control")]
    no_control: bool,
    /// Where it serves its live view over HTTP, e.g. 127.0.0.1:8080; port 0 takes a free one [default: nowhere]
    #[arg(long, value_name = "HOST:PORT")]
    http: Option<String>,
    /// The token that the live view asks for, at least 16 characters; needed beyond this machine. Better given as
    /// LASP_HTTP_TOKEN or in the file: other users of the machine see flags
    #[arg(long, value_name = "TOKEN")]
    http_token: Option<String>,
    /// Serve the live view beyond this machine without a token: whoever reaches it can read and change everything
    #[arg(long)]
    http_open: bool,
    /// How long joining may take before it gives up, e.g. 10s [default: it keeps trying]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    join_timeout: Option<Duration>,
    /// How often to print a line about its state, e.g. 10s [default: never]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    status_interval: Option<Duration>,
    /// The least important lines to print: error, warn, info or debug [default: info]
    #[arg(long, value_name = "LEVEL", value_parser = parse::<Level>)]
    log_level: Option<Level>,
    /// Print log lines as JSON
    #[arg(long)]
    json_logs: bool,
    /// Leave when standard input ends, which is a pipe: for programs that start nodes, and may be killed themselves
    #[arg(long, hide = true)]
    end_with_stdin: bool,
    /// A TOML file with settings
    #[arg(long, value_name = "FILE", env = "LASP_CONFIG")]
    config: Option<PathBuf>,
}

fn parse<T: std::str::FromStr<Err = String>>(text: &str) -> Result<T, String> {
    text.parse()
}

impl NodeArgs {
    fn settings(&self) -> Settings {
        let given = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
        Settings {
            name: self.name.clone(),
            cluster: self.cluster.clone(),
            listen: self.listen.clone(),
            advertise: self.advertise.clone(),
            join: given(&self.join),
            membership: self.membership,
            role: self.role,
            epmd_hosts: given(&self.epmd_hosts),
            epmd_port: self.epmd_port,
            servers: self.servers,
            evict_after: self.evict_after,
            active_view: self.active_view,
            passive_view: self.passive_view,
            optimise: self.optimise,
            tag: self.tag.clone(),
            reserve: (!self.reserve.is_empty()).then(|| self.reserve.clone()),
            scamp_version: self.scamp_version,
            scamp_copies: self.scamp_copies,
            dissemination: self.dissemination,
            sync: self.sync,
            propagation_interval: self.propagation_interval,
            fanout: self.fanout,
            pace: self.pace,
            data_dir: self.data_dir.clone(),
            interest: given(&self.interest),
            control: if self.no_control { Some(Access::Off) } else { self.control },
            http: self.http.clone(),
            http_token: self.http_token.clone(),
            http_open: self.http_open.then_some(true),
            join_timeout: self.join_timeout,
            status_interval: self.status_interval,
            log_level: self.log_level,
            json_logs: self.json_logs.then_some(true),
        }
    }
}

/// Runs `lasp node`.
pub(crate) fn main(args: &NodeArgs) -> ExitCode {
    match gather(args.settings(), args.config.as_deref()) {
        Ok((settings, spelling)) => match run(settings, args.end_with_stdin) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&spelling.of(&format!("{error:#}")), 1),
        },
        Err(error) => fail(&format!("{error:#}"), USAGE),
    }
}

/// How each setting was written by the user.
struct Spelling(Vec<(&'static str, String)>);

impl Spelling {
    fn new(flags: &Settings, env: &Settings, file: &Settings, path: Option<&Path>) -> Self {
        let written = |key: &'static str| {
            let text = match path {
                _ if !flags.gives(key) && env.gives(key) => format!("LASP_{}", key.to_uppercase()),
                Some(path) if !flags.gives(key) && file.gives(key) => format!("{key} in {}", path.display()),
                // Where nothing was written, that is what can be.
                _ => format!("--{}", key.replace('_', "-")),
            };
            (key, text)
        };
        Self(KEYS.into_iter().map(written).collect())
    }

    /// A message with settings as they were written.
    fn of(&self, message: &str) -> String {
        let spell =
            |text: String, (key, written): &(&str, String)| text.replace(&format!("`{key}`"), &format!("`{written}`"));
        self.0.iter().fold(message.to_owned(), spell)
    }
}

fn fail(message: &str, code: u8) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(code)
}

/// Lays flags over the environment over the file.
fn gather(flags: Settings, config: Option<&Path>) -> Result<(Settings, Spelling)> {
    let env = Settings::from_env(|name| std::env::var(name).ok())?;
    let file = config.map(Settings::from_file).transpose()?.unwrap_or_default();
    let default = Settings { control: Some(Access::Loopback), ..Settings::default() };
    let spelling = Spelling::new(&flags, &env, &file, config);
    Ok((flags.over(env).over(file).over(default), spelling))
}

fn run(settings: Settings, end_with_stdin: bool) -> Result<()> {
    limits::enough_descriptors()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot set up the event loop")?.block_on(serve(settings, end_with_stdin))
}

async fn serve(settings: Settings, end_with_stdin: bool) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let launcher = if end_with_stdin { Some(standard_input().context("--end-with-stdin needs a pipe")?) } else { None };
    let log = Log::stderr(settings.log_level.unwrap_or(Level::Info), settings.json_logs.unwrap_or(false));
    let lasp = Lasp::builder().settings(settings.clone()).log(log.clone()).start().await?;
    greet(&lasp, &settings).await?;
    let life = async {
        join_in_time(&lasp, &settings).await?;
        tokio::select! {
            stop = lasp.stopped() => Err(anyhow::Error::new(Error::Stopped(stop))),
            Err(error) = report(&lasp, &log, settings.status_interval) => Err(error),
        }
    };
    let signal = tokio::select! {
        ended = life => { ended?; return Ok(()) },
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
        () = ended(launcher) => "standard input has ended",
    };
    log.line(Level::Info, || format!("{signal}: leaving the cluster"));
    let left = tokio::time::timeout(LEAVE_TIMEOUT, lasp.shutdown()).await;
    log.line(Level::Info, || if matches!(left, Ok(Stop::Shutdown)) { "left" } else { "left in a hurry" }.to_owned());
    Ok(())
}

/// Standard input as a pipe that costs no thread.
fn standard_input() -> io::Result<Receiver> {
    Receiver::from_owned_fd(io::stdin().as_fd().try_clone_to_owned()?)
}

/// Waits until nobody has the other end of a pipe any more; for ever without one.
async fn ended(pipe: Option<Receiver>) {
    let Some(mut pipe) = pipe else { return std::future::pending().await };
    let mut ignored = [0; 64];
    while matches!(pipe.read(&mut ignored).await, Ok(read) if read > 0) {}
}

/// The line on standard output, for people and scripts; a second one where the live view is served.
async fn greet(lasp: &Lasp, settings: &Settings) -> Result<()> {
    let me = lasp.me().await?;
    let name = lasp.name().unwrap_or("?");
    let cluster = settings.cluster.as_deref().unwrap_or(lasp::builder::DEFAULT_CLUSTER);
    println!("listening on {} (node {name} id {} cluster {cluster})", me.addr, me.id);
    if let Some(addr) = lasp.http() {
        println!("live view at http://{addr}/");
    }
    Ok(())
}

/// With a time limit, waits until the node has joined.
async fn join_in_time(lasp: &Lasp, settings: &Settings) -> Result<()> {
    let (Some(limit), Some(contacts)) = (settings.join_timeout, &settings.join) else { return Ok(()) };
    let contacts = contacts.join(", ");
    match tokio::time::timeout(limit, lasp.joined()).await {
        Ok(joined) => Ok(joined?),
        Err(_) => anyhow::bail!(
            "could not join through {contacts} within {limit:?}; check that a node of this cluster listens there"
        ),
    }
}

/// Prints a line about the node's state now and then; never ends by itself without an interval.
async fn report(lasp: &Lasp, log: &Log, interval: Option<Duration>) -> Result<()> {
    let Some(interval) = interval else { return std::future::pending().await };
    loop {
        tokio::time::sleep(interval).await;
        let status = lasp.status().await?;
        log.line(Level::Info, || {
            let metrics = &status.metrics;
            let drifted = if metrics.drifted > 0 { format!(" drifted {}", metrics.drifted) } else { String::new() };
            format!(
                "neighbours {} known {} sent {} B received {} B updates {} merges {}{drifted}",
                status.active.len(),
                status.active.len() + status.passive.len(),
                metrics.total_sent(),
                metrics.bytes_received,
                metrics.updates,
                metrics.merges
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_settings_as_they_were_written() {
        let flags = Settings { servers: Some(1), ..Settings::default() };
        let env = Settings { servers: Some(2), passive_view: Some(2), ..Settings::default() };
        let file = Settings { passive_view: Some(3), active_view: Some(3), ..Settings::default() };
        let spelling = Spelling::new(&flags, &env, &file, Some(Path::new("lasp.toml")));
        let message = spelling.of("`servers` `passive_view` `active_view` `role` `unbiased`");
        assert_eq!(message, "`--servers` `LASP_PASSIVE_VIEW` `active_view in lasp.toml` `--role` `unbiased`");
    }
}
