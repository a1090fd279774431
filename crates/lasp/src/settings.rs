//! What an operator can set: each value as a flag, as `LASP_*`, and in a TOML file.
//!
//! [`Settings`] holds what one source says, nothing if it says nothing. Sources are laid over each other, the nearest
//! first: flag, environment, file. Defaults come last, in the [`Builder`](crate::Builder).

pub(crate) mod exchange;
mod file;
pub(crate) mod membership;
mod views;

pub use exchange::ExchangeError;
pub use file::FileError;
pub use membership::{Membership, MembershipError};
pub use views::{Optimise, Reservation};

use crate::control::Access;
use crate::log::Level;
use lasp_node::{Dissemination, SyncMode};
use lasp_overlay::membership::client_server::Role;
use lasp_overlay::membership::hyparview::Tag;
use serde::{Deserialize, Deserializer};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use thiserror::Error;

/// What one source says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The node's name, unique in its cluster.
    pub name: Option<String>,
    /// The cluster's name.
    pub cluster: Option<String>,
    /// The address to listen at, `HOST:PORT`; port 0 takes a free one.
    pub listen: Option<String>,
    /// The address that others reach this node at, where it is not the one it listens at.
    pub advertise: Option<String>,
    /// Addresses of nodes to join through.
    pub join: Option<Vec<String>>,
    /// The membership strategy.
    #[serde(deserialize_with = "parsed")]
    pub membership: Option<Membership>,
    /// What the node is, where membership is `client-server`.
    #[serde(deserialize_with = "parsed")]
    pub role: Option<Role>,
    /// Hosts whose port mapper daemons are asked for members, where membership is `epmd`: `HOST` or `HOST:PORT`.
    pub epmd_hosts: Option<Vec<String>>,
    /// Where port mapper daemons listen.
    pub epmd_port: Option<u16>,
    /// How many servers a client keeps links with.
    pub servers: Option<usize>,
    /// How long after it was lost a member is evicted, where membership finds that out. Without it, that is left to an
    /// operator.
    #[serde(deserialize_with = "duration_from")]
    pub evict_after: Option<Duration>,
    /// How many neighbours the node keeps at most, where membership is `hyparview`.
    pub active_view: Option<usize>,
    /// How many others it knows beside those.
    pub passive_view: Option<usize>,
    /// By what it exchanges links for better ones.
    #[serde(deserialize_with = "parsed")]
    pub optimise: Option<Optimise>,
    /// What it is in the eyes of nodes that keep places for such.
    #[serde(deserialize_with = "parsed")]
    pub tag: Option<Tag>,
    /// For which tags it keeps places, and how many: `"server=1"`.
    #[serde(deserialize_with = "all_parsed")]
    pub reserve: Option<Vec<Reservation>>,
    /// Which SCAMP, where membership is `scamp`: 1 or 2.
    pub scamp_version: Option<usize>,
    /// How many copies of a subscription are made beyond one for each entry of a view.
    pub scamp_copies: Option<usize>,
    /// How updates reach everybody.
    #[serde(deserialize_with = "parsed")]
    pub dissemination: Option<Dissemination>,
    /// What neighbours exchange at intervals.
    #[serde(deserialize_with = "parsed")]
    pub sync: Option<SyncMode>,
    /// Time between two exchanges with a neighbour.
    #[serde(deserialize_with = "duration_from")]
    pub propagation_interval: Option<Duration>,
    /// With how many random neighbours it exchanges each time; 0: with all.
    pub fanout: Option<usize>,
    /// For how long a busy link holds broadcasts back, to send them together.
    #[serde(deserialize_with = "duration_from")]
    pub pace: Option<Duration>,
    /// The directory that keeps the node's identity.
    pub data_dir: Option<PathBuf>,
    /// Prefixes of the variables to hear.
    pub interest: Option<Vec<String>>,
    /// Which clients the node serves.
    #[serde(deserialize_with = "parsed")]
    pub control: Option<Access>,
    /// Where to serve the live view over HTTP, `HOST:PORT`; port 0 takes a free one. Not at all without it.
    pub http: Option<String>,
    /// The token that the live view asks for.
    pub http_token: Option<String>,
    /// Whether the live view may be served beyond this machine without a token.
    pub http_open: Option<bool>,
    /// How long joining may take before the node gives up: `"10s"`, `"500ms"`.
    #[serde(deserialize_with = "duration_from")]
    pub join_timeout: Option<Duration>,
    /// How often to print a line about the node's state.
    #[serde(deserialize_with = "duration_from")]
    pub status_interval: Option<Duration>,
    /// The least important lines to print.
    #[serde(deserialize_with = "parsed")]
    pub log_level: Option<Level>,
    /// Whether lines are JSON.
    pub json_logs: Option<bool>,
}

/// The keys of a file; the environment's names are these in capitals behind `LASP_`.
pub const KEYS: [&str; 33] = [
    "name",
    "cluster",
    "listen",
    "advertise",
    "join",
    "membership",
    "role",
    "epmd_hosts",
    "epmd_port",
    "servers",
    "evict_after",
    "active_view",
    "passive_view",
    "optimise",
    "tag",
    "reserve",
    "scamp_version",
    "scamp_copies",
    "dissemination",
    "sync",
    "propagation_interval",
    "fanout",
    "pace",
    "data_dir",
    "interest",
    "control",
    "http",
    "http_token",
    "http_open",
    "join_timeout",
    "status_interval",
    "log_level",
    "json_logs",
];

/// A variable of the environment that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{variable}={value:?}: {problem}")]
pub struct EnvError {
    /// The variable.
    pub variable: String,
    /// Its value.
    pub value: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Settings {
    /// These settings, and `lower`'s where these say nothing.
    #[must_use]
    pub fn over(self, lower: Self) -> Self {
        Self {
            name: self.name.or(lower.name),
            cluster: self.cluster.or(lower.cluster),
            listen: self.listen.or(lower.listen),
            advertise: self.advertise.or(lower.advertise),
            join: self.join.or(lower.join),
            membership: self.membership.or(lower.membership),
            role: self.role.or(lower.role),
            epmd_hosts: self.epmd_hosts.or(lower.epmd_hosts),
            epmd_port: self.epmd_port.or(lower.epmd_port),
            servers: self.servers.or(lower.servers),
            evict_after: self.evict_after.or(lower.evict_after),
            active_view: self.active_view.or(lower.active_view),
            passive_view: self.passive_view.or(lower.passive_view),
            optimise: self.optimise.or(lower.optimise),
            tag: self.tag.or(lower.tag),
            reserve: self.reserve.or(lower.reserve),
            scamp_version: self.scamp_version.or(lower.scamp_version),
            scamp_copies: self.scamp_copies.or(lower.scamp_copies),
            dissemination: self.dissemination.or(lower.dissemination),
            sync: self.sync.or(lower.sync),
            propagation_interval: self.propagation_interval.or(lower.propagation_interval),
            fanout: self.fanout.or(lower.fanout),
            pace: self.pace.or(lower.pace),
            data_dir: self.data_dir.or(lower.data_dir),
            interest: self.interest.or(lower.interest),
            control: self.control.or(lower.control),
            http: self.http.or(lower.http),
            http_token: self.http_token.or(lower.http_token),
            http_open: self.http_open.or(lower.http_open),
            join_timeout: self.join_timeout.or(lower.join_timeout),
            status_interval: self.status_interval.or(lower.status_interval),
            log_level: self.log_level.or(lower.log_level),
            json_logs: self.json_logs.or(lower.json_logs),
        }
    }

    /// Whether these say something about one of [`KEYS`].
    pub fn gives(&self, key: &str) -> bool {
        match key {
            "name" => self.name.is_some(),
            "cluster" => self.cluster.is_some(),
            "listen" => self.listen.is_some(),
            "advertise" => self.advertise.is_some(),
            "join" => self.join.is_some(),
            "membership" => self.membership.is_some(),
            "role" => self.role.is_some(),
            "epmd_hosts" => self.epmd_hosts.is_some(),
            "epmd_port" => self.epmd_port.is_some(),
            "servers" => self.servers.is_some(),
            "evict_after" => self.evict_after.is_some(),
            "active_view" => self.active_view.is_some(),
            "passive_view" => self.passive_view.is_some(),
            "optimise" => self.optimise.is_some(),
            "tag" => self.tag.is_some(),
            "reserve" => self.reserve.is_some(),
            "scamp_version" => self.scamp_version.is_some(),
            "scamp_copies" => self.scamp_copies.is_some(),
            "dissemination" => self.dissemination.is_some(),
            "sync" => self.sync.is_some(),
            "propagation_interval" => self.propagation_interval.is_some(),
            "fanout" => self.fanout.is_some(),
            "pace" => self.pace.is_some(),
            "data_dir" => self.data_dir.is_some(),
            "interest" => self.interest.is_some(),
            "control" => self.control.is_some(),
            "http" => self.http.is_some(),
            "http_token" => self.http_token.is_some(),
            "http_open" => self.http_open.is_some(),
            "join_timeout" => self.join_timeout.is_some(),
            "status_interval" => self.status_interval.is_some(),
            "log_level" => self.log_level.is_some(),
            "json_logs" => self.json_logs.is_some(),
            _ => false,
        }
    }

    /// What the node says of itself to those who look at the overlay.
    pub(crate) fn label(&self, name: &str) -> lasp_node::Label {
        let role = self.role.map(|role| role.to_string()).or_else(|| self.tag.as_ref().map(ToString::to_string));
        lasp_node::Label { name: name.to_owned(), role: role.unwrap_or_default() }
    }

    /// What the environment says, as `get` gives it; lists are separated by commas.
    ///
    /// # Errors
    /// [`EnvError`] for the first variable that cannot be understood.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, EnvError> {
        let env = Env(get);
        Ok(Self {
            name: env.text("name"),
            cluster: env.text("cluster"),
            listen: env.text("listen"),
            advertise: env.text("advertise"),
            join: env.list("join"),
            membership: env.parse("membership", str::parse)?,
            role: env.parse("role", str::parse)?,
            epmd_hosts: env.list("epmd_hosts"),
            epmd_port: env.parse("epmd_port", |text| text.parse().map_err(|_| format!("{text:?} is not a port")))?,
            servers: env.parse("servers", count)?,
            evict_after: env.parse("evict_after", duration)?,
            active_view: env.parse("active_view", count)?,
            passive_view: env.parse("passive_view", count)?,
            optimise: env.parse("optimise", str::parse)?,
            tag: env.parse("tag", str::parse)?,
            reserve: env.parse("reserve", |text| text.split(',').map(|item| item.trim().parse()).collect())?,
            scamp_version: env.parse("scamp_version", count)?,
            scamp_copies: env.parse("scamp_copies", count)?,
            dissemination: env.parse("dissemination", str::parse)?,
            sync: env.parse("sync", str::parse)?,
            propagation_interval: env.parse("propagation_interval", duration)?,
            fanout: env.parse("fanout", count)?,
            pace: env.parse("pace", duration)?,
            data_dir: env.text("data_dir").map(PathBuf::from),
            interest: env.list("interest"),
            control: env.parse("control", str::parse)?,
            http: env.text("http"),
            http_token: env.text("http_token"),
            http_open: env.parse("http_open", truth)?,
            join_timeout: env.parse("join_timeout", duration)?,
            status_interval: env.parse("status_interval", duration)?,
            log_level: env.parse("log_level", str::parse)?,
            json_logs: env.parse("json_logs", truth)?,
        })
    }
}

/// The environment, with the file's keys.
struct Env<F>(F);

impl<F: Fn(&str) -> Option<String>> Env<F> {
    fn variable(key: &str) -> String {
        format!("LASP_{}", key.to_uppercase())
    }

    fn text(&self, key: &str) -> Option<String> {
        debug_assert!(KEYS.contains(&key), "{key} is a setting");
        self.0(&Self::variable(key)).filter(|value| !value.is_empty())
    }

    fn list(&self, key: &str) -> Option<Vec<String>> {
        let text = self.text(key)?;
        Some(text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect())
    }

    fn parse<T>(&self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, EnvError> {
        let Some(value) = self.text(key) else { return Ok(None) };
        match parse(&value) {
            Ok(parsed) => Ok(Some(parsed)),
            Err(problem) => Err(EnvError { variable: Self::variable(key), value, problem }),
        }
    }
}

fn truth(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" | "yes" => Ok(true),
        "0" | "false" | "no" => Ok(false),
        _ => Err("expected true or false".to_owned()),
    }
}

fn count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("{text:?} is not a number"))
}

/// Reads `500ms`, `10s`, `2m`.
///
/// # Errors
/// What was expected.
pub fn duration(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1), ("s", 1000), ("m", 60_000)];
    let parsed = units.into_iter().find_map(|(unit, millis)| {
        let number: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        number.checked_mul(millis)
    });
    parsed.map(Duration::from_millis).ok_or_else(|| format!("{text:?} is not a duration such as 500ms, 10s or 2m"))
}

fn duration_from<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(from)?;
    duration(&text).map(Some).map_err(serde::de::Error::custom)
}

fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err = String>>(from: D) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

fn all_parsed<'de, D: Deserializer<'de>, T: FromStr<Err = String>>(from: D) -> Result<Option<Vec<T>>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    let all: Result<Vec<T>, String> = texts.iter().map(|text| text.parse()).collect();
    all.map(Some).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Result<Settings, EnvError> {
        Settings::from_env(|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_a_file() {
        let flag = Settings { name: Some("flag".to_owned()), ..Settings::default() };
        let env = env(&[("LASP_NAME", "env"), ("LASP_CLUSTER", "env")]).expect("valid");
        let text = "name = 'file'\ncluster = 'file'\nlisten = 'file:1'";
        let file = Settings::from_toml(text, "lasp.toml".as_ref()).expect("valid");
        let settings = flag.over(env).over(file);
        assert_eq!(settings.name.as_deref(), Some("flag"));
        assert_eq!(settings.cluster.as_deref(), Some("env"));
        assert_eq!(settings.listen.as_deref(), Some("file:1"));
        assert_eq!(settings.advertise, None);
    }

    #[test]
    fn every_key_has_its_variable() {
        let values = |key: &str| match key {
            "membership" => "client-server",
            "role" => "client",
            "servers" | "epmd_port" | "active_view" | "passive_view" => "3",
            "scamp_version" | "scamp_copies" | "fanout" => "3",
            "dissemination" => "gossip",
            "sync" => "delta-bp",
            "optimise" => "rtt",
            "tag" => "edge",
            "reserve" => "server=1",
            "control" => "any",
            "join_timeout" | "status_interval" | "evict_after" | "propagation_interval" | "pace" => "1500ms",
            "log_level" => "debug",
            "json_logs" | "http_open" => "true",
            _ => "a, b",
        };
        let all = Settings::from_env(|name| {
            let key = name.strip_prefix("LASP_")?.to_lowercase();
            KEYS.contains(&key.as_str()).then(|| values(&key).to_owned())
        });
        let given = all.as_ref().expect("valid");
        assert!(KEYS.iter().all(|key| given.gives(key) && !Settings::default().gives(key)));
        let list = Some(vec!["a".to_owned(), "b".to_owned()]);
        let text = Some("a, b".to_owned());
        assert_eq!(
            all,
            Ok(Settings {
                name: text.clone(),
                cluster: text.clone(),
                listen: text.clone(),
                advertise: text.clone(),
                join: list.clone(),
                membership: Some(Membership::CLIENT_SERVER),
                role: Some(Role::Client),
                epmd_hosts: list.clone(),
                epmd_port: Some(3),
                servers: Some(3),
                evict_after: Some(Duration::from_millis(1500)),
                active_view: Some(3),
                passive_view: Some(3),
                optimise: Some(Optimise::Rtt),
                tag: Tag::new("edge"),
                reserve: "server=1".parse().map(|kept| vec![kept]).ok(),
                scamp_version: Some(3),
                scamp_copies: Some(3),
                dissemination: Some(Dissemination::Gossip),
                sync: "delta-bp".parse().ok(),
                propagation_interval: Some(Duration::from_millis(1500)),
                fanout: Some(3),
                pace: Some(Duration::from_millis(1500)),
                data_dir: Some("a, b".into()),
                interest: list,
                control: Some(Access::Any),
                http: text.clone(),
                http_token: text,
                http_open: Some(true),
                join_timeout: Some(Duration::from_millis(1500)),
                status_interval: Some(Duration::from_millis(1500)),
                log_level: Some(Level::Debug),
                json_logs: Some(true),
            })
        );
    }

    #[test]
    fn a_variable_that_makes_no_sense_is_named_with_what_was_expected() {
        let error = |pair| env(&[pair]).expect_err("refused").to_string();
        let expected = "LASP_MEMBERSHIP=\"swim\": unknown membership \"swim\": one of hyparview, full";
        assert!(error(("LASP_MEMBERSHIP", "swim")).starts_with(expected));
        assert!(error(("LASP_JOIN_TIMEOUT", "5")).ends_with("\"5\" is not a duration such as 500ms, 10s or 2m"));
        assert!(error(("LASP_JSON_LOGS", "on")).ends_with("expected true or false"));
    }

    #[test]
    fn an_empty_variable_says_nothing() {
        assert_eq!(env(&[("LASP_NAME", "")]), Ok(Settings::default()));
    }
}
