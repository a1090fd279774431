//! What one evaluation is: everything that decides its outcome, as flags give it and `config.toml` keeps it.
//!
//! A run is a function of this value (in virtual time) or at least repeated from it (in real processes). Knows
//! nothing of how a run is hosted.

use crate::choice::choice;
pub use crate::lab::broadcast::options::{Broadcast, BroadcastPreset};
pub use crate::lab::churn::options::Churn;
pub use crate::lab::idle::options::Idle;
pub use crate::lab::options::{Crash, Hyparview, Optimise, OverlayScale};
pub use crate::lab::rapid::options::Rapid;
pub use crate::loopback::first_sync::options::FirstSync;
pub use crate::loopback::joiner::options::Joiner;
pub use crate::process::overlay::options::OverlayProcesses;
pub use crate::replication::heal::options::Heal;
pub use crate::replication::interest::options::Interest;
pub use crate::replication::micro::options::Micro;
pub use crate::replication::reconcile::options::Reconcile;
pub use crate::replication::retwis::options::Retwis;
pub use crate::replication::slow_peer::options::SlowPeer;
use crate::span::Span;
use lasp_node::{DeltaRules, SyncMode};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;

choice! {
    /// How nodes find and keep each other.
    pub enum Membership("membership") {
        /// Partial views that repair themselves (Leitão et al., DSN'07).
        HyParView = "hyparview",
        /// Everyone is linked with everyone.
        Full = "full",
        /// As Erlang's port mapper: full mesh, names resolved by a daemon.
        Epmd = "epmd",
        /// Clients know the server alone.
        ClientServer = "client-server",
        /// Scalable membership (Ganesh et al., 2003).
        Scamp = "scamp",
        /// A fixed list.
        Static = "static",
        /// Links that commands make and end.
        Manual = "manual",
    }
}

choice! {
    /// How an update reaches everyone.
    pub enum Dissemination("dissemination") {
        /// Along a broadcast tree that repairs itself (Plumtree; Leitão et al., SRDS'07).
        Tree = "tree",
        /// By what neighbours exchange at intervals, and nothing else.
        Gossip = "gossip",
        /// The tree, with gossip beside it.
        Hybrid = "hybrid",
        /// Over every link at once.
        Flood = "flood",
    }
}

choice! {
    /// What neighbours exchange to repair what broadcast missed.
    pub enum Sync("synchronisation") {
        /// Whole states.
        State = "state",
        /// Deltas since the last acknowledgement.
        Delta = "delta",
        /// The same without sending back what came (BP; Enes et al., ICDE'19).
        DeltaBp = "delta-bp",
        /// The same without passing on what was known (RR).
        DeltaRr = "delta-rr",
        /// Both rules.
        DeltaBpRr = "delta-bp-rr",
        /// Digests first, then exactly what differs.
        Digest = "digest",
    }
}

choice! {
    /// Where the nodes run.
    pub enum Where("place") {
        /// In virtual time, in this process.
        Sim = "sim",
        /// Each as its own operating-system process, over TCP on this machine.
        Process = "process",
    }
}

impl Membership {
    /// Those that can be run today.
    pub const AVAILABLE: &'static [Self] =
        &[Self::HyParView, Self::Full, Self::Epmd, Self::ClientServer, Self::Static, Self::Manual, Self::Scamp];
}

impl Dissemination {
    /// The node's setting.
    pub const fn setting(self) -> lasp_node::Dissemination {
        match self {
            Self::Tree => lasp_node::Dissemination::Tree,
            Self::Gossip => lasp_node::Dissemination::Gossip,
            Self::Hybrid => lasp_node::Dissemination::Hybrid,
            Self::Flood => lasp_node::Dissemination::Flood,
        }
    }
}

impl Sync {
    /// The node's setting.
    pub fn setting(self) -> SyncMode {
        let delta = |avoid_back_propagation, remove_redundancy| {
            SyncMode::Delta(DeltaRules { avoid_back_propagation, remove_redundancy })
        };
        match self {
            Self::State => SyncMode::State,
            Self::Digest => SyncMode::Digest,
            Self::Delta => SyncMode::Delta(DeltaRules::NEITHER),
            Self::DeltaBp => delta(true, false),
            Self::DeltaRr => delta(false, true),
            Self::DeltaBpRr => SyncMode::Delta(DeltaRules::BOTH),
        }
    }
}

/// One evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Config {
    /// How many nodes, the server among them.
    pub nodes: usize,
    /// Membership strategy.
    pub membership: Membership,
    /// Dissemination strategy.
    pub dissemination: Dissemination,
    /// Synchronisation strategy.
    pub sync: Sync,
    /// Time between two exchanges with a neighbour, where states or deltas are exchanged or nothing is pushed.
    pub propagation_interval: Span,
    /// With how many random neighbours; 0 is all of them.
    pub fanout: usize,
    /// For how long a busy link holds broadcasts back, to send them together.
    pub pace: Span,
    /// Where the nodes run.
    #[serde(rename = "where")]
    pub place: Where,
    /// How many runs; run `i` has seed `seed + i`.
    pub runs: usize,
    /// The first run's seed.
    pub seed: u64,
    /// When a run that has not completed is given up: virtual time in the simulator, real time otherwise.
    pub duration: Span,
    /// In each second, two nodes cannot talk to each other with this probability (simulator).
    pub partition_probability: f64,
    /// A message is lost with this probability (simulator).
    pub loss: f64,
    /// Expected crashes per client and minute; a crashed client restarts under its name with nothing on its disk.
    pub churn: f64,
    /// How often every node is sampled.
    pub sample_interval: Span,
    /// What the nodes do.
    pub scenario: Scenario,
}

/// What the nodes of a run do, with the options of that scenario alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// The talk's application.
    AdvertisementCounter(AdvertisementCounter),
    /// Everyone increments one counter and adds to one set.
    SharedLoad(SharedLoad),
    /// One node writes, the others wait to see it.
    Latency(Latency),
    /// The HyParView paper's experiment.
    Hyparview(Hyparview),
    /// A very large overlay loses a share of its nodes.
    OverlayScale(OverlayScale),
    /// An overlay of real processes loses a share of them.
    OverlayProcesses(OverlayProcesses),
    /// The Rapid paper's experiment.
    Rapid(Rapid),
    /// Nodes come and go.
    Churn(Churn),
    /// Nobody does anything.
    Idle(Idle),
    /// The Plumtree paper's experiment.
    Broadcast(Broadcast),
    /// The ICDE'19 paper's micro-benchmarks.
    Micro(Micro),
    /// The ICDE'19 paper's application.
    Retwis(Retwis),
    /// Two replicas that differ meet once.
    Reconcile(Reconcile),
    /// Many variables of which each node wants few.
    Interest(Interest),
    /// A cluster is cut in two, and mended.
    Heal(Heal),
    /// One node reads slowly while the others write much.
    SlowPeer(SlowPeer),
    /// A node without anything joins one that has very much.
    Joiner(Joiner),
    /// A node joins a cluster that has little.
    FirstSync(FirstSync),
}

/// Options of `advertisement-counter`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct AdvertisementCounter {
    /// How many advertisements.
    pub ads: usize,
    /// Contracted impressions of each.
    pub impressions: u64,
    /// Time between two impressions at one client, to which up to a fifth is added at random.
    pub impression_interval: Span,
    /// Clients run the dataflow and the triggers themselves instead of hearing the server's result.
    pub heavy_clients: bool,
}

/// Options of `shared-load`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct SharedLoad {
    /// Increments per node.
    pub increments: u64,
    /// Time between two of them.
    pub increment_interval: Span,
    /// After every how many increments an element is added to the shared set.
    pub increments_per_add: u64,
}

/// Options of `latency`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Latency {
    /// How many updates are timed.
    pub rounds: u64,
    /// Time between two updates, to which up to as much again is added at random.
    pub round_interval: Span,
}

choice! {
    /// A published set-up that a scenario repeats.
    pub enum Preset("preset") {
        /// Of "Practical Evaluation of the Lasp Programming Model at Large Scale" (PPDP'17): one ad, an impression per client
        /// and 10 s, 180 impressions for each client, exchanges every 5 s, half an hour.
        Ppdp17 = "ppdp17",
    }
}

impl Preset {
    /// The configuration with `clients` clients; everything else may be changed afterwards.
    pub fn config(self, clients: usize) -> Config {
        match self {
            Self::Ppdp17 => Config {
                nodes: clients + 1,
                place: Where::Sim,
                duration: Span::from_secs(3600),
                sample_interval: Span::from_secs(5),
                propagation_interval: Span::from_secs(5),
                // A fifth of it: what is held back at each of some ten hops arrives within two.
                pace: Span::from_secs(1),
                scenario: Scenario::AdvertisementCounter(AdvertisementCounter {
                    ads: 1,
                    impressions: 180 * clients as u64,
                    impression_interval: Span::from_secs(10),
                    heavy_clients: false,
                }),
                ..Config::default()
            },
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            nodes: 16,
            membership: Membership::HyParView,
            dissemination: Dissemination::Tree,
            sync: Sync::Digest,
            propagation_interval: Span::from_secs(5),
            fanout: 0,
            pace: Span::from_millis(1),
            place: Where::Process,
            runs: 1,
            seed: 1,
            duration: Span::from_secs(120),
            partition_probability: 0.0,
            loss: 0.0,
            churn: 0.0,
            sample_interval: Span::from_millis(250),
            scenario: Scenario::AdvertisementCounter(AdvertisementCounter::default()),
        }
    }
}

impl Default for AdvertisementCounter {
    /// Guesses, chosen so that 15 clients take a little over ten seconds.
    fn default() -> Self {
        Self { ads: 10, impressions: 100, impression_interval: Span::from_millis(200), heavy_clients: false }
    }
}

impl Default for SharedLoad {
    /// The load that the original was measured under: 100 increments, one every 100 ms, and 10 adds.
    fn default() -> Self {
        Self { increments: 100, increment_interval: Span::from_millis(100), increments_per_add: 10 }
    }
}

impl Default for Latency {
    fn default() -> Self {
        Self { rounds: 100, round_interval: Span::from_millis(50) }
    }
}

/// Why a configuration cannot be run. Nothing has been started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A strategy that has no implementation yet.
    #[error("{what} `{given}` cannot be run yet; available: {available}")]
    Unavailable {
        /// Which choice.
        what: &'static str,
        /// What was chosen.
        given: &'static str,
        /// What can be.
        available: String,
    },
    /// A number out of its range.
    #[error("{name} is {given}, but must be {range}")]
    OutOfRange {
        /// Which number.
        name: &'static str,
        /// What was given.
        given: String,
        /// What may be.
        range: &'static str,
    },
    /// A fault that can only be made in virtual time.
    #[error("{0} works only in the simulator: add `--where sim`")]
    SimulatorOnly(&'static str),
    /// A scenario that is about real processes.
    #[error("{0} is about real processes: leave out `--where sim`; overlay-scale is its like in virtual time")]
    ProcessesOnly(&'static str),
    /// A scenario that is about real sockets.
    #[error("{0} is about real sockets: leave out `--where sim`")]
    SocketsOnly(&'static str),
    /// What only real processes have.
    #[error(
        "membership `epmd` finds nodes by a daemon of this machine, which knows nothing of virtual time: \
         add `--where process`, or use `--membership full`, which is the same without the daemon"
    )]
    NoVirtualEpmd,
    /// A flag that means nothing to the scenario.
    #[error("{flag} has no meaning for `{scenario}`, which makes its own faults")]
    NotHere {
        /// Which flag.
        flag: &'static str,
        /// Which scenario.
        scenario: &'static str,
    },
    /// A value that was given twice where each counts.
    #[error("{name} has {given} twice")]
    Twice {
        /// Which flag.
        name: &'static str,
        /// Which value.
        given: String,
    },
    /// Two flags that cannot both hold.
    #[error("{one} contradicts {other}")]
    Contradiction {
        /// The one.
        one: String,
        /// The other.
        other: String,
    },
    /// A strategy that the scenario is not about.
    #[error("`{scenario}` is not about {given} membership; it runs {available}")]
    OtherMembership {
        /// Which scenario.
        scenario: &'static str,
        /// What was chosen.
        given: &'static str,
        /// What can be.
        available: String,
    },
    /// A file that cannot be read.
    #[error("cannot read {path}: {why}")]
    Unreadable {
        /// Which file.
        path: String,
        /// What the system said.
        why: String,
    },
    /// A file that is not a configuration.
    #[error("{path} is not an evaluation's configuration:\n{why}")]
    Malformed {
        /// Which file.
        path: String,
        /// Where and what.
        why: String,
    },
}

impl Config {
    /// A scenario under its own defaults.
    pub fn of(scenario: Scenario) -> Self {
        if let Scenario::OverlayProcesses(_) = scenario {
            // As many as the talk's largest cluster; on two processors that takes some minutes.
            return Self { nodes: 1000, duration: Span::from_secs(15 * 60), scenario, ..Self::default() };
        }
        let (nodes, runs, place) = match &scenario {
            // The paper's size; as many seeds as its mean needs.
            Scenario::Hyparview(_) => (10_000, 5, Where::Sim),
            Scenario::OverlayScale(_) => (100_000, 1, Where::Sim),
            // The paper's largest.
            Scenario::Rapid(_) => (2000, 5, Where::Sim),
            Scenario::Churn(_) | Scenario::Broadcast(_) => (10_000, 5, Where::Sim),
            Scenario::Idle(options) => (options.largest(), 3, Where::Sim),
            // The papers' sizes; they had one repetition.
            Scenario::Micro(_) => (15, 1, Where::Sim),
            Scenario::Retwis(_) => (50, 1, Where::Sim),
            Scenario::Reconcile(_) => (2, 1, Where::Sim),
            Scenario::Interest(_) => (1000, 1, Where::Sim),
            Scenario::Heal(_) => (1000, 3, Where::Sim),
            Scenario::SlowPeer(_) => (50, 3, Where::Sim),
            Scenario::Joiner(_) => (2, 3, Where::Process),
            Scenario::FirstSync(options) => (options.largest(), 1, Where::Process),
            _ => (16, 1, Where::Process),
        };
        let membership = match &scenario {
            Scenario::Rapid(_) => Membership::Full,
            Scenario::Micro(_) | Scenario::Retwis(_) | Scenario::Reconcile(_) => Membership::Static,
            _ => Membership::HyParView,
        };
        Self { nodes, runs, place, membership, scenario, ..Self::default() }
    }

    /// Reads a `config.toml`.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`], [`ConfigError::Malformed`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let shown = || path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable { path: shown(), why: error.to_string() })?;
        toml::from_str(&text).map_err(|error| ConfigError::Malformed { path: shown(), why: error.to_string() })
    }

    /// The text of `config.toml`, which [`read`](Self::read) gives back exactly.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a configuration has only tables, texts and numbers that TOML can say")
    }

    /// The configuration of run `index`: the same with its own seed.
    pub fn run(&self, index: usize) -> Self {
        Self { runs: 1, seed: self.seed.wrapping_add(index as u64), ..self.clone() }
    }

    /// Has a node disseminate and synchronise as this says.
    pub fn tune(&self, node: &mut lasp_node::Config) {
        node.dissemination = self.dissemination.setting();
        node.sync_mode = self.sync.setting();
        node.exchange.interval = self.propagation_interval.duration();
        node.link.pace = self.pace.duration();
        node.exchange.fanout = (self.fanout > 0).then_some(self.fanout);
    }

    /// How long a node stays once it knows that all are done, so that the others learn it too.
    ///
    /// Where messages get lost, the last word may need a round of anti-entropy, which is ten seconds apart.
    pub fn linger(&self) -> Duration {
        let faults = self.loss > 0.0 || self.partition_probability > 0.0;
        let pushed = if faults { Duration::from_secs(12) } else { Duration::from_secs(1) };
        let exchanged = if self.dissemination == Dissemination::Gossip {
            // A neighbour may just have been told, and lose what it was told once.
            self.propagation_interval.duration().mul_f64(if faults { 5.0 } else { 2.5 })
        } else {
            Duration::ZERO
        };
        pushed.max(exchanged).max(self.pace.duration() * 20)
    }

    /// Whether it can be run.
    ///
    /// # Errors
    /// The first thing that stands against it.
    pub fn check(&self) -> Result<(), ConfigError> {
        available("membership", self.membership, Membership::AVAILABLE, Membership::name)?;
        if let Scenario::OverlayProcesses(_) = self.scenario {
            return self.check_overlay_of_processes();
        }
        interval("--propagation-interval", self.propagation_interval)?;
        within("--pace", self.pace.as_millis(), 0, 60_000, "0ms to 1m")?;
        within("--fanout", self.fanout, 0, 1000, "0 to 1000")?;
        if self.scenario.is_lab() {
            self.check_lab()?;
            let least = if self.scenario.runs_small() { 2 } else { 50 };
            within("--nodes", self.nodes, least, 4_000_000, "50 to 4000000")?;
        } else {
            within("--nodes", self.nodes, 2, 100_000, "2 to 100000")?;
        }
        if self.membership == Membership::ClientServer {
            let most = 1 + lasp_overlay::membership::client_server::MAX_CLIENTS;
            within("--nodes", self.nodes, 2, most, "2 to 257 with client-server: one server, which takes 256 clients")?;
        }
        within("--runs", self.runs, 1, 1000, "1 to 1000")?;
        within("--seed", self.seed, 0, i64::MAX as u64, "0 to 9223372036854775807")?;
        within("--loss", self.loss, 0.0, 0.9, "a probability from 0 to 0.9")?;
        within("--partition-probability", self.partition_probability, 0.0, 0.9, "a probability from 0 to 0.9")?;
        within("--churn", self.churn, 0.0, 60.0, "0 to 60 crashes per client and minute")?;
        within("--duration", self.duration.as_millis(), 1000, u64::MAX, "at least 1s")?;
        within("--sample-interval", self.sample_interval.as_millis(), 10, 60_000, "10ms to 1m")?;
        self.scenario.check(self.nodes, self.membership)?;
        self.check_place()
    }

    fn check_overlay_of_processes(&self) -> Result<(), ConfigError> {
        let symmetric = &[Membership::HyParView, Membership::Full, Membership::Scamp];
        available("membership", self.membership, symmetric, Membership::name)?;
        within("--nodes", self.nodes, 2, 20_000, "2 to 20000: each is a process")?;
        within("--runs", self.runs, 1, 1, "1 for this scenario")?;
        for (flag, given) in [("--loss", self.loss), ("--partition-probability", self.partition_probability)] {
            within(flag, given, 0.0, 0.0, "0 for this scenario: overlay-scale has it in virtual time")?;
        }
        within("--churn", self.churn, 0.0, 0.0, "0 for this scenario: it kills `--failed` percent, once")?;
        within("--duration", self.duration.as_millis(), 1000, u64::MAX, "at least 1s")?;
        within("--sample-interval", self.sample_interval.as_millis(), 10, 60_000, "10ms to 1m")?;
        if self.place == Where::Sim {
            return Err(ConfigError::ProcessesOnly(self.scenario.name()));
        }
        self.scenario.check(self.nodes, self.membership)
    }

    /// What has no meaning for an overlay alone is not silently left out.
    fn check_lab(&self) -> Result<(), ConfigError> {
        let scenario = self.scenario.name();
        let given =
            [("--loss", self.loss), ("--partition-probability", self.partition_probability), ("--churn", self.churn)];
        if let Some((flag, _)) = given.into_iter().find(|(_, value)| *value != 0.0) {
            return Err(ConfigError::NotHere { flag, scenario });
        }
        let known = self.scenario.memberships();
        if known.contains(&self.membership) {
            return Ok(());
        }
        let available = known.iter().map(|membership| membership.name()).collect::<Vec<_>>().join(", ");
        Err(ConfigError::OtherMembership { scenario, given: self.membership.name(), available })
    }

    fn check_place(&self) -> Result<(), ConfigError> {
        if self.place == Where::Sim {
            if self.scenario.is_live() {
                return Err(ConfigError::SocketsOnly(self.scenario.name()));
            }
            return if self.membership == Membership::Epmd { Err(ConfigError::NoVirtualEpmd) } else { Ok(()) };
        }
        if self.scenario.is_live() {
            return Ok(());
        }
        if self.scenario.is_lab() {
            return Err(ConfigError::SimulatorOnly(self.scenario.name()));
        }
        within("--nodes", self.nodes, 2, 512, "2 to 512 for real processes (more: add `--where sim`)")?;
        if self.loss > 0.0 {
            return Err(ConfigError::SimulatorOnly("--loss"));
        }
        if self.partition_probability > 0.0 {
            return Err(ConfigError::SimulatorOnly("--partition-probability"));
        }
        Ok(())
    }
}

impl Scenario {
    /// Every scenario: its name and what it shows.
    pub const LIST: &'static [(&'static str, &'static str)] = &[
        (
            "advertisement-counter",
            "clients count impressions of ads; a trigger removes each ad when its contract is filled",
        ),
        ("shared-load", "every node increments one counter and adds to one set at a steady rate: bytes per update"),
        ("latency", "one node writes, all others wait in a threshold read: time to visibility"),
        ("hyparview", "the HyParView paper's experiment: reliability and healing after 10 to 95 % of the nodes fail"),
        ("overlay-scale", "a very large overlay loses half of its nodes, then one broadcast reaches every survivor"),
        ("overlay-processes", "an overlay of real processes: costs at rest, then a share of them is killed at once"),
        ("rapid", "the Rapid paper's experiment: full membership while all join, some crash, some are hard to reach"),
        ("churn", "all nodes join within ten seconds, then 10 and 50 % per minute are replaced: who is isolated"),
        ("idle", "what a node sends that has nothing to do, at 100, 1,000 and 10,000 nodes"),
        ("broadcast", "the Plumtree paper's experiment: redundancy and depth of broadcast trees, also after failures"),
        (
            "micro",
            "the ICDE'19 paper's micro-benchmarks: a set, a counter and maps, sent as states, deltas, along a tree",
        ),
        (
            "retwis",
            "the ICDE'19 paper's application: a social network of 10,000 users on 50 nodes, by how uneven they are",
        ),
        ("reconcile", "two replicas of a set of 100,000 strings that differ in none to all of them meet once"),
        (
            "interest",
            "1,000 variables of which each of 1,000 nodes wants 1 %: payload received, beside full replication",
        ),
        ("heal", "1,000 nodes are cut in two for ten minutes while both halves write, then the network is mended"),
        ("slow-peer", "one of 50 nodes reads 1 kB/s while the others make 10,000 updates a second: what waits for it"),
        ("joiner", "a node without anything joins one that has 100,000 and 1,000,000 keys, over real sockets"),
        ("first-sync", "a node joins 3 and 50 nodes that have little, over real sockets; time to visibility"),
    ];

    /// The name on the command line.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AdvertisementCounter(_) => "advertisement-counter",
            Self::SharedLoad(_) => "shared-load",
            Self::Latency(_) => "latency",
            Self::Hyparview(_) => "hyparview",
            Self::OverlayScale(_) => "overlay-scale",
            Self::OverlayProcesses(_) => "overlay-processes",
            Self::Rapid(_) => "rapid",
            Self::Churn(_) => "churn",
            Self::Idle(_) => "idle",
            Self::Broadcast(_) => "broadcast",
            Self::Micro(_) => "micro",
            Self::Retwis(_) => "retwis",
            Self::Reconcile(_) => "reconcile",
            Self::Interest(_) => "interest",
            Self::Heal(_) => "heal",
            Self::SlowPeer(_) => "slow-peer",
            Self::Joiner(_) => "joiner",
            Self::FirstSync(_) => "first-sync",
        }
    }

    /// Whether it is an experiment on parts of nodes, in virtual time or by means of its own, and no program that nodes run.
    pub const fn is_lab(&self) -> bool {
        !matches!(self, Self::AdvertisementCounter(_) | Self::SharedLoad(_) | Self::Latency(_))
    }

    /// Whether it is an experiment on nodes as they are run, over real sockets.
    pub const fn is_live(&self) -> bool {
        matches!(self, Self::Joiner(_) | Self::FirstSync(_))
    }

    /// Whether an experiment makes sense on a few nodes.
    const fn runs_small(&self) -> bool {
        self.is_live()
            || matches!(self, Self::Idle(_) | Self::Micro(_) | Self::Retwis(_) | Self::Reconcile(_))
            || matches!(self, Self::Heal(_) | Self::SlowPeer(_) | Self::Interest(_))
    }

    /// Which memberships an experiment on overlays alone can be run with; the default first.
    pub const fn memberships(&self) -> &'static [Membership] {
        match self {
            Self::Rapid(_) => &[Membership::Full],
            Self::Churn(_) | Self::Idle(_) => &[Membership::HyParView, Membership::Full, Membership::Scamp],
            Self::Hyparview(_) | Self::OverlayScale(_) | Self::Broadcast(_) | Self::Interest(_) => {
                &[Membership::HyParView]
            }
            Self::Micro(_) | Self::Retwis(_) | Self::Reconcile(_) => &[Membership::Static],
            Self::Heal(_) | Self::SlowPeer(_) | Self::Joiner(_) | Self::FirstSync(_) => &[Membership::HyParView],
            _ => Membership::AVAILABLE,
        }
    }

    fn check(&self, nodes: usize, membership: Membership) -> Result<(), ConfigError> {
        match self {
            Self::AdvertisementCounter(options) => {
                within("--ads", options.ads, 1, 1000, "1 to 1000")?;
                within("--impressions", options.impressions, 1, 100_000_000, "1 to 100000000")?;
                interval("--impression-interval", options.impression_interval)
            }
            Self::SharedLoad(options) => {
                within("--increments", options.increments, 1, 1_000_000, "1 to 1000000")?;
                within("--increments-per-add", options.increments_per_add, 1, 1_000_000, "1 to 1000000")?;
                interval("--increment-interval", options.increment_interval)
            }
            Self::Latency(options) => {
                within("--rounds", options.rounds, 1, 1_000_000, "1 to 1000000")?;
                interval("--round-interval", options.round_interval)
            }
            Self::Hyparview(options) => options.check(),
            Self::OverlayScale(options) => options.check(),
            Self::OverlayProcesses(options) => options.check(),
            Self::Rapid(options) => options.check(nodes),
            Self::Churn(options) => options.check(nodes, membership),
            Self::Idle(options) => options.check(nodes, membership),
            Self::Broadcast(options) => options.check(),
            Self::Micro(options) => options.check(nodes),
            Self::Retwis(options) => options.check(nodes),
            Self::Reconcile(options) => options.check(nodes),
            Self::Interest(options) => options.check(nodes),
            Self::Heal(options) => options.check(nodes),
            Self::SlowPeer(options) => options.check(nodes),
            Self::Joiner(options) => options.check(nodes),
            Self::FirstSync(options) => options.check(),
        }
    }
}

fn available<T: Copy + PartialEq>(
    what: &'static str,
    given: T,
    known: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<(), ConfigError> {
    if known.contains(&given) {
        return Ok(());
    }
    let available = known.iter().map(|&one| name(one)).collect::<Vec<_>>().join(", ");
    Err(ConfigError::Unavailable { what, given: name(given), available })
}

pub(crate) fn within<T: PartialOrd + std::fmt::Display>(
    name: &'static str,
    given: T,
    low: T,
    high: T,
    range: &'static str,
) -> Result<(), ConfigError> {
    // NaN lies in no range.
    if given >= low && given <= high {
        return Ok(());
    }
    Err(ConfigError::OutOfRange { name, given: given.to_string(), range })
}

fn interval(name: &'static str, span: Span) -> Result<(), ConfigError> {
    within(name, span.as_millis(), 1, 3_600_000, "1ms to 60m")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_scenario() -> [Scenario; 18] {
        [
            Scenario::AdvertisementCounter(AdvertisementCounter { ads: 3, heavy_clients: true, ..Default::default() }),
            Scenario::SharedLoad(SharedLoad { increments: 7, ..Default::default() }),
            Scenario::Latency(Latency { rounds: 9, ..Default::default() }),
            Scenario::Hyparview(Hyparview { active_view: 6, ..Default::default() }),
            Scenario::OverlayScale(OverlayScale { failed: 30, ..Default::default() }),
            Scenario::OverlayProcesses(OverlayProcesses { failed: 40, ..Default::default() }),
            Scenario::Rapid(Rapid { evict_after: Some(Span::from_secs(60)), ..Default::default() }),
            Scenario::Churn(Churn { rates: vec![5], ..Default::default() }),
            Scenario::Idle(Idle { sizes: vec![2, 20], ..Default::default() }),
            Scenario::Broadcast(Broadcast { wide_view: 0, ..Default::default() }),
            Scenario::Micro(Micro { percents: vec![5], ..Default::default() }),
            Scenario::Retwis(Retwis { zipf: vec![0.25], ..Default::default() }),
            Scenario::Reconcile(Reconcile { elements: 9, ..Default::default() }),
            Scenario::Interest(Interest { variables: 9, ..Default::default() }),
            Scenario::Heal(Heal { variables: 3, ..Default::default() }),
            Scenario::SlowPeer(SlowPeer { reads: 77, ..Default::default() }),
            Scenario::Joiner(Joiner { keys: vec![5], ..Default::default() }),
            Scenario::FirstSync(FirstSync { joins: 4, ..Default::default() }),
        ]
    }

    #[test]
    fn the_file_that_is_written_reads_back_as_the_same_configuration() {
        for scenario in every_scenario() {
            let config = Config { scenario, nodes: 64, place: Where::Sim, loss: 0.05, seed: 99, ..Config::default() };
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("config.toml");
            std::fs::write(&path, config.to_toml()).unwrap();
            assert_eq!(Config::read(&path), Ok(config));
        }
    }

    #[test]
    fn a_misspelt_key_in_the_file_is_named_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, "nodes = 3\nsead = 1\n").unwrap();
        let error = Config::read(&path).unwrap_err().to_string();
        assert!(error.contains("sead") && error.contains("line 2"), "{error}");
    }

    #[test]
    fn every_listed_scenario_has_its_name() {
        let names: Vec<_> = every_scenario().iter().map(Scenario::name).collect();
        assert_eq!(names, Scenario::LIST.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }

    #[test]
    fn what_can_be_run_is_what_nodes_can_be_told() {
        let mut can: Vec<&str> = Membership::AVAILABLE.iter().map(|membership| membership.name()).collect();
        can.sort_unstable();
        let mut told: Vec<&str> = lasp::Membership::names().collect();
        told.sort_unstable();
        assert_eq!(can, told);
    }

    #[test]
    fn what_cannot_be_run_is_refused_with_what_can() {
        let refuse = |config: Config| config.check().unwrap_err().to_string();
        let virtual_names = Config { membership: Membership::Epmd, place: Where::Sim, ..Config::default() };
        assert!(refuse(virtual_names).contains("add `--where process`"));
        let crowded = Config { membership: Membership::ClientServer, nodes: 1000, ..Config::default() };
        assert!(refuse(crowded).ends_with("must be 2 to 257 with client-server: one server, which takes 256 clients"));
        assert_eq!(
            refuse(Config { loss: 0.1, ..Config::default() }),
            "--loss works only in the simulator: add `--where sim`"
        );
        assert_eq!(refuse(Config { nodes: 1, ..Config::default() }), "--nodes is 1, but must be 2 to 100000");
        assert!(Config { loss: f64::NAN, place: Where::Sim, ..Config::default() }.check().is_err());
        assert_eq!(Config::default().check(), Ok(()));
        let processes = Config::of(Scenario::OverlayProcesses(OverlayProcesses::default()));
        assert_eq!(processes.check(), Ok(()));
        assert_eq!(
            refuse(Config { place: Where::Sim, ..processes.clone() }),
            "overlay-processes is about real processes: leave out `--where sim`; overlay-scale is its like in virtual time"
        );
        assert!(refuse(Config { membership: Membership::Manual, ..processes }).ends_with("hyparview, full, scamp"));
    }

    #[test]
    fn runs_differ_in_their_seed_alone() {
        let config = Config { seed: 5, runs: 3, ..Config::default() };
        assert_eq!(config.run(2), Config { seed: 7, runs: 1, ..config });
    }
}
