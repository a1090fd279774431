//! The flags of `lasp eval`, each also an environment variable: flag > environment > `--config` file > default.

mod broadcast;
mod loads;
mod replication;

use broadcast::BroadcastArgs;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use lasp_eval::config::{
    AdvertisementCounter, Broadcast, Churn, Config, ConfigError, Crash, Dissemination, FirstSync, Heal, Hyparview,
    Idle, Interest, Joiner, Latency, Membership, Micro, Optimise, OverlayProcesses, OverlayScale, Preset, Rapid,
    Reconcile, Retwis, Scenario, SharedLoad, SlowPeer, Sync, Where,
};
use lasp_eval::run::PageAt;
use lasp_eval::span::Span;
use loads::{FirstSyncArgs, HealArgs, JoinerArgs, SlowPeerArgs};
use replication::{InterestArgs, MicroArgs, ReconcileArgs, RetwisArgs};
use std::path::PathBuf;
use std::str::FromStr;

/// `lasp eval`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = false, disable_help_subcommand = true)]
pub(crate) struct EvalArgs {
    /// What to run; not needed with --config
    #[command(subcommand)]
    pub(crate) scenario: Option<ScenarioArgs>,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ScenarioArgs {
    /// List the scenarios
    List,
    /// Clients count impressions of ads; a trigger removes each ad when its contract is filled
    AdvertisementCounter(AdvertisementArgs),
    /// Every node increments one counter and adds to one set at a steady rate: bytes per update
    SharedLoad(SharedLoadArgs),
    /// One node writes, all others wait in a threshold read: time to visibility
    Latency(LatencyArgs),
    /// The HyParView paper's experiment: reliability and healing after 10 to 95 % of 10,000 nodes fail
    Hyparview(HyparviewArgs),
    /// A very large overlay loses half of its nodes, then one broadcast reaches every survivor
    OverlayScale(OverlayScaleArgs),
    /// An overlay of real processes: costs at rest, then a share of them is killed at once
    OverlayProcesses(OverlayProcessesArgs),
    /// The Rapid paper's experiment: full membership while 2,000 nodes join at once, crash, hear and are heard badly
    Rapid(RapidArgs),
    /// 10,000 nodes join within ten seconds, then 10 and 50 % per minute are replaced: who is isolated
    Churn(ChurnArgs),
    /// What a node sends that has nothing to do, at 100, 1,000 and 10,000 nodes
    Idle(IdleArgs),
    /// The Plumtree paper's experiment: redundancy and depth of broadcast trees over 10,000 nodes, also after failures
    Broadcast(BroadcastArgs),
    /// The ICDE'19 paper's micro-benchmarks: a set, a counter and maps, sent as states, as deltas, along a tree
    Micro(MicroArgs),
    /// The ICDE'19 paper's application: a social network of 10,000 users on 50 nodes, by how uneven they are
    Retwis(RetwisArgs),
    /// Two replicas of a set of 100,000 strings that differ in none to all of them meet once: bytes over the least
    Reconcile(ReconcileArgs),
    /// 1,000 variables of which each of 1,000 nodes wants 1 %: payload received, beside full replication
    Interest(InterestArgs),
    /// 1,000 nodes are cut in two for ten minutes while both halves write, then the network is mended
    Heal(HealArgs),
    /// One of 50 nodes reads 1 kB/s while the others make 10,000 updates a second: what waits for it
    SlowPeer(SlowPeerArgs),
    /// A node without anything joins one that has 100,000 and 1,000,000 keys, over real sockets
    Joiner(JoinerArgs),
    /// A node joins 3 and 50 nodes that have little, over real sockets; and time to visibility
    FirstSync(FirstSyncArgs),
}

/// Flags that every scenario has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Evaluation")]
pub(crate) struct CommonArgs {
    /// Nodes, the server among them [default: 16; hyparview: 10000; overlay-scale: 100000; overlay-processes: 1000; rapid:
    /// 2000; churn, idle, broadcast: 10000; micro: 15; retwis: 50; reconcile,
    /// joiner: 2; heal, interest: 1000; slow-peer, first-sync: 50]
    #[arg(long, global = true, env = "LASP_EVAL_NODES", value_name = "N")]
    nodes: Option<usize>,
    /// How nodes find each other [default: hyparview; rapid: full; micro, retwis, reconcile: static]
    #[arg(long, global = true, env = "LASP_EVAL_MEMBERSHIP", value_parser = choice::<Membership>(Membership::NAMES))]
    membership: Option<Membership>,
    /// How updates spread [default: tree]
    #[arg(long, global = true, env = "LASP_EVAL_DISSEMINATION",
          value_parser = choice::<Dissemination>(Dissemination::NAMES))]
    dissemination: Option<Dissemination>,
    /// How neighbours repair what broadcast missed [default: digest]
    #[arg(long, global = true, env = "LASP_EVAL_SYNC", value_parser = choice::<Sync>(Sync::NAMES))]
    sync: Option<Sync>,
    /// Time between two exchanges of states or deltas with a neighbour [default: 5s]
    #[arg(long, global = true, env = "LASP_EVAL_PROPAGATION_INTERVAL", value_name = "TIME")]
    propagation_interval: Option<Span>,
    /// With how many random neighbours each time; 0: all [default: 0]
    #[arg(long, global = true, env = "LASP_EVAL_FANOUT", value_name = "N")]
    fanout: Option<usize>,
    /// For how long a busy link holds broadcasts back, to send them together [default: 1ms]
    #[arg(long, global = true, env = "LASP_EVAL_PACE", value_name = "TIME")]
    pace: Option<Span>,
    /// In processes on this machine, or in virtual time [default: process; overlays alone: sim]
    #[arg(long = "where", global = true, env = "LASP_EVAL_WHERE", value_parser = choice::<Where>(Where::NAMES))]
    place: Option<Where>,
    /// Runs, with seeds one after the other [default: 1; hyparview, rapid, churn, broadcast: 5; idle, heal,
    /// slow-peer, joiner: 3]
    #[arg(long, global = true, env = "LASP_EVAL_RUNS", value_name = "N")]
    runs: Option<usize>,
    /// Seed of the first run [default: 1]
    #[arg(long, global = true, env = "LASP_EVAL_SEED", value_name = "N")]
    seed: Option<u64>,
    /// Give a run up that has not completed by then [default: 2m; overlay-processes: 15m]
    #[arg(long, visible_alias = "timeout", global = true, env = "LASP_EVAL_DURATION", value_name = "TIME")]
    duration: Option<Span>,
    /// Chance, second by second, that two nodes cannot talk (simulator) [default: 0]
    #[arg(long, global = true, env = "LASP_EVAL_PARTITION_PROBABILITY", value_name = "P")]
    partition_probability: Option<f64>,
    /// Chance that a message is lost (simulator) [default: 0]
    #[arg(long, global = true, env = "LASP_EVAL_LOSS", value_name = "P")]
    loss: Option<f64>,
    /// Crashes per client and minute; each restarts empty [default: 0]
    #[arg(long, global = true, env = "LASP_EVAL_CHURN", value_name = "RATE")]
    churn: Option<f64>,
    /// How often every node is sampled [default: 250ms]
    #[arg(long, global = true, env = "LASP_EVAL_SAMPLE_INTERVAL", value_name = "TIME")]
    sample_interval: Option<Span>,
    /// Where the report goes [default: lasp-eval-SCENARIO-DATE]
    #[arg(long, global = true, env = "LASP_EVAL_OUT", value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Serve a page of the run here while it goes: advertisement-counter, shared-load, latency; port 0 takes a free one
    #[arg(long, global = true, env = "LASP_EVAL_UI", value_name = "HOST:PORT")]
    ui: Option<String>,
    /// With --ui: how many of a simulated run's seconds pass in one, until the page says otherwise [default: 1]
    #[arg(long, global = true, env = "LASP_EVAL_SPEED", value_name = "FACTOR", requires = "ui")]
    speed: Option<f64>,
    /// Start from a config.toml that an earlier run wrote
    #[arg(long, global = true, env = "LASP_EVAL_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Flags of `advertisement-counter`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct AdvertisementArgs {
    /// Advertisements [default: 10]
    #[arg(long, env = "LASP_EVAL_ADS", value_name = "N")]
    ads: Option<usize>,
    /// Contracted impressions of each [default: 100]
    #[arg(long, env = "LASP_EVAL_IMPRESSIONS", value_name = "N")]
    impressions: Option<u64>,
    /// Time between two impressions at one client [default: 200ms]
    #[arg(long, env = "LASP_EVAL_IMPRESSION_INTERVAL", value_name = "TIME")]
    impression_interval: Option<Span>,
    /// A published set-up to start from; with it --nodes counts the server and its clients [default: 1025 nodes]
    #[arg(long, env = "LASP_EVAL_PRESET", value_name = "NAME", value_parser = choice::<Preset>(Preset::NAMES))]
    preset: Option<Preset>,
    /// Clients run dataflow and triggers themselves [default: false]
    #[arg(long, env = "LASP_EVAL_HEAVY_CLIENTS", value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    heavy_clients: Option<bool>,
}

/// Flags of `shared-load`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct SharedLoadArgs {
    /// Increments per node [default: 100]
    #[arg(long, env = "LASP_EVAL_INCREMENTS", value_name = "N")]
    increments: Option<u64>,
    /// Time between two of them [default: 100ms]
    #[arg(long, env = "LASP_EVAL_INCREMENT_INTERVAL", value_name = "TIME")]
    increment_interval: Option<Span>,
    /// An element is added after so many increments [default: 10]
    #[arg(long, env = "LASP_EVAL_INCREMENTS_PER_ADD", value_name = "N")]
    increments_per_add: Option<u64>,
}

/// Flags of `latency`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct LatencyArgs {
    /// Updates to time [default: 100]
    #[arg(long, env = "LASP_EVAL_ROUNDS", value_name = "N")]
    rounds: Option<u64>,
    /// Time between two of them [default: 50ms]
    #[arg(long, env = "LASP_EVAL_ROUND_INTERVAL", value_name = "TIME")]
    round_interval: Option<Span>,
}

/// Flags of `hyparview`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct HyparviewArgs {
    /// Neighbours of a node [default: 5]
    #[arg(long, env = "LASP_EVAL_ACTIVE_VIEW", value_name = "N")]
    active_view: Option<usize>,
    /// Whom it knows besides [default: 30]
    #[arg(long, env = "LASP_EVAL_PASSIVE_VIEW", value_name = "N")]
    passive_view: Option<usize>,
    /// The same in a further row [default: 90]
    #[arg(long, env = "LASP_EVAL_LARGE_PASSIVE_VIEW", value_name = "N")]
    large_passive_view: Option<usize>,
    /// Links of exchanges that stay open, beyond the views [default: 12]
    #[arg(long, env = "LASP_EVAL_SPARE_LINKS", value_name = "N")]
    spare_links: Option<usize>,
    /// Cycles before anything fails [default: 50]
    #[arg(long, env = "LASP_EVAL_CYCLES", value_name = "N")]
    cycles: Option<u32>,
    /// Messages after each failure [default: 1000]
    #[arg(long, env = "LASP_EVAL_MESSAGES", value_name = "N")]
    messages: Option<usize>,
    /// Percent of the nodes that fail at once, one or several [default: 10,20,30,40,50,60,70,80,90,95]
    #[arg(long, env = "LASP_EVAL_FAILED", value_name = "PERCENT", value_delimiter = ',')]
    failed: Option<Vec<u32>>,
    /// How nodes fail: silently, only sending finds out [default: reset]
    #[arg(long, env = "LASP_EVAL_CRASH", value_parser = choice::<Crash>(Crash::NAMES))]
    crash: Option<Crash>,
    /// Exchange links for such with a shorter round trip (X-BOT), nodes scattered over a square [default: off]
    #[arg(long, env = "LASP_EVAL_OPTIMISE", value_parser = choice::<Optimise>(Optimise::NAMES))]
    optimise: Option<Optimise>,
    /// Run the further rows: larger passive view, no spare links, silent crashes [default: true]
    #[arg(long, env = "LASP_EVAL_VARIANTS", value_name = "BOOL")]
    variants: Option<bool>,
    /// Run Cyclon beside it [default: true]
    #[arg(long, env = "LASP_EVAL_COMPARE", value_name = "BOOL")]
    compare: Option<bool>,
    /// Run SCAMP beside it, too [default: false]
    #[arg(long, env = "LASP_EVAL_SCAMP", value_name = "BOOL")]
    scamp: Option<bool>,
}

/// Flags of `overlay-scale`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct OverlayScaleArgs {
    /// Percent of the nodes that fail at once [default: 50]
    #[arg(long, env = "LASP_EVAL_FAILED", value_name = "PERCENT")]
    failed: Option<u32>,
    /// Nodes that join at a time, every 100 ms [default: 500]
    #[arg(long, env = "LASP_EVAL_WAVE", value_name = "N")]
    wave: Option<usize>,
}

/// Flags of `overlay-processes`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct OverlayProcessesArgs {
    /// Percent of the nodes that are killed at once [default: 30]
    #[arg(long, env = "LASP_EVAL_FAILED", value_name = "PERCENT")]
    failed: Option<u32>,
    /// Nodes that are started at a time [default: 20]
    #[arg(long, env = "LASP_EVAL_WAVE", value_name = "N")]
    wave: Option<usize>,
    /// How long the overlay is left alone before it counts as at rest [default: 1m]
    #[arg(long, env = "LASP_EVAL_SETTLE", value_name = "TIME")]
    settle: Option<Span>,
    /// How long it is measured at rest [default: 1m]
    #[arg(long, env = "LASP_EVAL_REST", value_name = "TIME")]
    rest: Option<Span>,
}

/// Flags of `rapid`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct RapidArgs {
    /// Nodes that crash at once [default: 10]
    #[arg(long, env = "LASP_EVAL_CRASHES", value_name = "N")]
    crashes: Option<usize>,
    /// Percent of the nodes that hear, or are heard, badly [default: 1]
    #[arg(long, env = "LASP_EVAL_FAULTY", value_name = "PERCENT")]
    faulty: Option<u32>,
    /// Nothing reaches them for so long, then everything for as long [default: 20s]
    #[arg(long, env = "LASP_EVAL_FLIP", value_name = "TIME")]
    flip: Option<Span>,
    /// Percent of what they send that is lost [default: 80]
    #[arg(long, env = "LASP_EVAL_EGRESS_LOSS", value_name = "PERCENT")]
    egress_loss: Option<u32>,
    /// How long either lasts [default: 4m]
    #[arg(long, env = "LASP_EVAL_TROUBLE", value_name = "TIME")]
    trouble: Option<Span>,
    /// Evict members that have been unreachable for so long [default: never]
    #[arg(long, env = "LASP_EVAL_EVICT_AFTER", value_name = "TIME")]
    evict_after: Option<Span>,
}

/// Flags of `churn`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct ChurnArgs {
    /// Percent of the nodes replaced per minute; may be repeated [default: 10 and 50]
    #[arg(long = "rate", env = "LASP_EVAL_RATE", value_name = "PERCENT", value_delimiter = ',')]
    rates: Option<Vec<u32>>,
    /// For how many minutes [default: 30]
    #[arg(long, env = "LASP_EVAL_MINUTES", value_name = "N")]
    minutes: Option<u32>,
    /// Percent of the replaced that leave; half of the others are reset, half vanish [default: 50]
    #[arg(long, env = "LASP_EVAL_LEAVING", value_name = "PERCENT")]
    leaving: Option<u32>,
    /// Nodes that stay, through one of which everybody joins [default: 1]
    #[arg(long, env = "LASP_EVAL_CONTACTS", value_name = "N")]
    contacts: Option<usize>,
}

/// Flags of `idle`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct IdleArgs {
    /// Sizes of clusters [default: 100,1000,10000]
    #[arg(long, env = "LASP_EVAL_SIZES", value_name = "N,...", value_delimiter = ',')]
    sizes: Option<Vec<usize>>,
    /// How long they are left alone before that [default: 5m]
    #[arg(long, env = "LASP_EVAL_SETTLE", value_name = "TIME")]
    settle: Option<Span>,
    /// How long what they send is counted [default: 2m]
    #[arg(long, env = "LASP_EVAL_MEASURE", value_name = "TIME")]
    measure: Option<Span>,
}

/// Nodes of a preset: the server and the paper's 1,024 clients.
const PRESET_NODES: usize = 1025;

/// What the arguments ask for.
#[derive(Debug, PartialEq)]
pub(crate) enum Wanted {
    /// The list of scenarios.
    List,
    /// An evaluation.
    Evaluation(Box<Config>),
    /// Neither a scenario nor a file.
    Nothing,
}

impl EvalArgs {
    /// The configuration that file, environment and flags come to; not yet checked.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(crate) fn wanted(&self) -> Result<Wanted, ConfigError> {
        if matches!(self.scenario, Some(ScenarioArgs::List)) {
            return Ok(Wanted::List);
        }
        if self.scenario.is_none() && self.common.config.is_none() {
            return Ok(Wanted::Nothing);
        }
        let mut config = self.start()?;
        self.common.apply(&mut config);
        if let Some(scenario) = &self.scenario {
            scenario.apply(&mut config.scenario);
        }
        if let (Some(ScenarioArgs::FirstSync(FirstSyncArgs { sizes: Some(_), .. })), Scenario::FirstSync(options)) =
            (&self.scenario, &config.scenario)
            && self.common.nodes.is_none()
        {
            config.nodes = options.largest();
        }
        if let (Some(ScenarioArgs::Idle(IdleArgs { sizes: Some(_), .. })), Scenario::Idle(options)) =
            (&self.scenario, &config.scenario)
            && self.common.nodes.is_none()
        {
            config.nodes = options.largest();
        }
        Ok(Wanted::Evaluation(Box::new(config)))
    }

    /// What the flags change: a file, a preset, or the scenario's defaults.
    fn start(&self) -> Result<Config, ConfigError> {
        let preset = match &self.scenario {
            Some(ScenarioArgs::AdvertisementCounter(args)) => args
                .preset
                .map(|preset| (preset.name(), preset.config(self.common.nodes.unwrap_or(PRESET_NODES).max(2) - 1))),
            Some(ScenarioArgs::Broadcast(args)) => args.preset.map(|preset| (preset.name(), preset.config())),
            _ => None,
        };
        match (&self.common.config, preset) {
            (Some(file), Some((preset, _))) => Err(ConfigError::Contradiction {
                one: format!("--preset {preset}"),
                other: format!(
                    "--config {}: each is a whole set-up to start from, so give one of them",
                    file.display()
                ),
            }),
            (Some(file), None) => Config::read(file),
            (None, Some((_, config))) => Ok(config),
            (None, None) => Ok(self.scenario.as_ref().map(ScenarioArgs::defaults).unwrap_or_default()),
        }
    }
}

impl CommonArgs {
    /// Where the run is to be watched, if anywhere.
    pub(crate) fn page(&self) -> Option<PageAt> {
        self.ui.clone().map(|addr| PageAt { addr, speed: self.speed.unwrap_or(1.0) })
    }

    fn apply(&self, config: &mut Config) {
        put(&mut config.nodes, self.nodes);
        put(&mut config.membership, self.membership);
        put(&mut config.dissemination, self.dissemination);
        put(&mut config.sync, self.sync);
        put(&mut config.propagation_interval, self.propagation_interval);
        put(&mut config.fanout, self.fanout);
        put(&mut config.pace, self.pace);
        put(&mut config.place, self.place);
        put(&mut config.runs, self.runs);
        put(&mut config.seed, self.seed);
        put(&mut config.duration, self.duration);
        put(&mut config.partition_probability, self.partition_probability);
        put(&mut config.loss, self.loss);
        put(&mut config.churn, self.churn);
        put(&mut config.sample_interval, self.sample_interval);
    }
}

/// Which arguments set which scenario's options: each flag sets the option of its name; behind `+`, those that scenarios share.
macro_rules! scenarios {
    ($( $scenario:ident($args:ident): $( $option:ident ),+ $( + $part:ident($( $shared:ident ),+) )?; )+) => {
        $( impl $args {
            /// Sets what was given; what a file has for another scenario gives way to this one's defaults.
            fn apply(&self, scenario: &mut Scenario) {
                let mut options = match scenario {
                    Scenario::$scenario(options) => options.clone(),
                    _ => $scenario::default(),
                };
                $( self.$option.clone().put(&mut options.$option); )+
                $( $( self.$part.$shared.clone().put(&mut options.$shared); )+ )?
                *scenario = Scenario::$scenario(options);
            }
        } )+

        impl ScenarioArgs {
            /// The configuration of which nothing was given but the scenario's name.
            fn defaults(&self) -> Config {
                match self {
                    Self::List => Config::default(),
                    $( Self::$scenario(_) => Config::of(Scenario::$scenario($scenario::default())), )+
                }
            }

            fn apply(&self, scenario: &mut Scenario) {
                match self {
                    Self::List => {}
                    $( Self::$scenario(args) => args.apply(scenario), )+
                }
            }
        }
    };
}

scenarios! {
    AdvertisementCounter(AdvertisementArgs): ads, impressions, impression_interval, heavy_clients;
    SharedLoad(SharedLoadArgs): increments, increment_interval, increments_per_add;
    Latency(LatencyArgs): rounds, round_interval;
    Hyparview(HyparviewArgs): active_view, passive_view, large_passive_view, spare_links, cycles, messages, failed, crash,
        optimise, variants, compare, scamp;
    OverlayScale(OverlayScaleArgs): failed, wave;
    OverlayProcesses(OverlayProcessesArgs): failed, wave, settle, rest;
    Rapid(RapidArgs): crashes, faulty, flip, egress_loss, trouble, evict_after;
    Churn(ChurnArgs): rates, minutes, leaving, contacts;
    Idle(IdleArgs): sizes, settle, measure;
    Broadcast(BroadcastArgs): active_view, wide_view, cycles, messages, forming, every, latency, latency_most, failed, after;
    Micro(MicroArgs): crdts, percents, topologies + load(modes, events, interval, warm_up);
    Retwis(RetwisArgs): zipf, users + load(modes, events, interval, warm_up);
    Reconcile(ReconcileArgs): elements, similarity;
    Interest(InterestArgs): variables, wanted, updates, rate, strangers, letters, changes, forming;
    Heal(HealArgs): writes, variables, elements, apart;
    SlowPeer(SlowPeerArgs): reads, rate, load, variables, transfer;
    Joiner(JoinerArgs): keys, shapes;
    FirstSync(FirstSyncArgs): sizes, variables, joins, updates;
}

/// What was given, if anything.
trait Given<T> {
    fn put(self, option: &mut T);
}

impl<T> Given<T> for Option<T> {
    fn put(self, option: &mut T) {
        put(option, self);
    }
}

/// Of an option that has no default, what was given replaces what stands in a file.
impl Given<Self> for Option<Span> {
    fn put(self, option: &mut Self) {
        *option = self.or(*option);
    }
}

fn put<T>(slot: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *slot = value;
    }
}

/// A parser that knows the names, so that help shows them and a misspelt one gets its nearest.
fn choice<T>(names: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: FromStr + Clone + Send + std::marker::Sync + 'static,
    T::Err: std::error::Error + Send + std::marker::Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| name.parse::<T>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use lasp_eval::replication::way::Way;

    #[derive(Debug, Parser)]
    struct Harness {
        #[command(flatten)]
        eval: EvalArgs,
    }

    fn wanted(args: &[&str]) -> Config {
        let parsed = Harness::try_parse_from([&["eval"], args].concat()).unwrap();
        match parsed.eval.wanted().unwrap() {
            Wanted::Evaluation(config) => *config,
            other => panic!("{args:?} asks for {other:?}"),
        }
    }

    fn refusal(args: &[&str]) -> String {
        Harness::try_parse_from([&["eval"], args].concat()).unwrap_err().to_string()
    }

    #[test]
    fn without_flags_a_scenario_has_its_defaults() {
        assert_eq!(wanted(&["advertisement-counter"]), Config::default());
    }

    #[test]
    fn common_flags_stand_before_or_after_the_scenario() {
        let expected = Config { nodes: 5, seed: 9, place: Where::Sim, ..Config::default() };
        assert_eq!(wanted(&["--nodes", "5", "advertisement-counter", "--seed", "9", "--where", "sim"]), expected);
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let options = SharedLoad { increments: 7, ..SharedLoad::default() };
        let file = Config { nodes: 9, seed: 4, scenario: Scenario::SharedLoad(options), ..Config::default() };
        std::fs::write(&path, file.to_toml()).unwrap();
        let path = path.to_str().unwrap();
        assert_eq!(wanted(&["--config", path]), file);
        assert_eq!(wanted(&["--config", path, "--seed", "5"]), Config { seed: 5, ..file.clone() });
        assert_eq!(wanted(&["shared-load", "--config", path]), file);
        let other = wanted(&["latency", "--config", path]);
        assert_eq!(other.scenario, Scenario::Latency(Latency::default()));
        assert_eq!(other.nodes, 9);
    }

    #[test]
    fn a_preset_and_a_file_are_refused_by_name() {
        let both = ["eval", "advertisement-counter", "--preset", Preset::NAMES[0], "--config", "run.toml"];
        let refused = Harness::try_parse_from(both).unwrap().eval.wanted().unwrap_err().to_string();
        let said = format!("--preset {} contradicts --config run.toml: each is a whole set-up", Preset::NAMES[0]);
        assert!(refused.starts_with(&said), "{refused}");
    }

    #[test]
    fn a_flag_without_value_makes_clients_heavy_and_a_value_may_undo_it() {
        let heavy = |args: &[&str]| match wanted(&[&["advertisement-counter"], args].concat()).scenario {
            Scenario::AdvertisementCounter(options) => options.heavy_clients,
            other => panic!("{other:?}"),
        };
        assert!(heavy(&["--heavy-clients"]) && !heavy(&["--heavy-clients=false"]) && !heavy(&[]));
    }

    #[test]
    fn flags_that_scenarios_share_set_the_options_of_the_one_that_is_run() {
        let load = ["--modes", "tree", "--events", "7", "--interval", "2s", "--warm-up", "0ms"];
        let of = |scenario: &'static str| wanted(&[&[scenario], &load[..]].concat()).scenario;
        let (modes, interval, warm_up) = (vec![Way::Tree], Span::from_secs(2), Span::from_millis(0));
        let micro = Micro { modes: modes.clone(), events: 7, interval, warm_up, ..Micro::default() };
        assert_eq!(of("micro"), Scenario::Micro(micro));
        let retwis = Retwis { modes, events: 7, interval, warm_up, ..Retwis::default() };
        assert_eq!(of("retwis"), Scenario::Retwis(retwis));
    }

    #[test]
    fn misspelt_names_get_their_nearest() {
        assert!(refusal(&["advertisment-counter"]).contains("advertisement-counter"));
        assert!(refusal(&["latency", "--node", "3"]).contains("--nodes"));
        assert!(refusal(&["latency", "--membership", "hyperview"]).contains("hyparview"));
        assert!(refusal(&["latency", "--duration", "5"]).contains("10s"));
        // Another scenario's flag is not silently accepted.
        assert!(refusal(&["latency", "--ads", "5"]).contains("--ads"));
    }

    #[test]
    fn nothing_asked_for_is_told_from_a_list() {
        let parse = |args: &[&str]| Harness::try_parse_from([&["eval"], args].concat()).unwrap().eval.wanted();
        assert_eq!(parse(&[]), Ok(Wanted::Nothing));
        assert_eq!(parse(&["list"]), Ok(Wanted::List));
    }
}
