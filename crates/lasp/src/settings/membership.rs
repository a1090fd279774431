//! The membership strategy as an operator chooses it, and what else is to be said about it.

use super::Settings;
use crate::epmd::{self, Daemon, Epmd};
use lasp_overlay::membership::client_server::Role;
use lasp_overlay::membership::{Contradiction, MembershipConfig};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A membership strategy, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership(&'static str);

impl Membership {
    /// Partial views, for clusters of any size.
    pub const HYPARVIEW: Self = Self("hyparview");
    /// Everybody links to everybody, for small clusters.
    pub const FULL: Self = Self("full");
    /// Servers link to each other, clients to a few servers.
    pub const CLIENT_SERVER: Self = Self("client-server");
    /// Links with a fixed list of addresses: those to join.
    pub const STATIC: Self = Self("static");
    /// Partial views that find their size by themselves.
    pub const SCAMP: Self = Self("scamp");
    /// Links that commands make and end.
    pub const MANUAL: Self = Self("manual");
    /// Full membership whose members are found by Erlang's port mapper daemon.
    pub const EPMD: Self = Self("epmd");

    /// All names, the default first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        MembershipConfig::NAMES.iter().copied().chain([Self::EPMD.0])
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// Its default settings.
    pub fn config(self) -> MembershipConfig {
        let strategy = if self == Self::EPMD { Self::FULL } else { self };
        MembershipConfig::named(strategy.0).unwrap_or_default()
    }
}

impl Default for Membership {
    fn default() -> Self {
        Self(MembershipConfig::NAMES[0])
    }
}

impl FromStr for Membership {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names: Vec<&'static str> = Self::names().collect();
        let known = names.iter().find(|name| **name == text);
        known.map(|name| Self(name)).ok_or_else(|| format!("unknown membership {text:?}: one of {}", names.join(", ")))
    }
}

impl fmt::Display for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Why a node cannot have the membership that its settings say.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MembershipError {
    /// A setting that means nothing under this strategy.
    #[error("`{setting}` is for {what}; this node's membership is {strategy}")]
    NotOfStrategy {
        /// The setting.
        setting: &'static str,
        /// What it is for.
        what: &'static str,
        /// The strategy.
        strategy: String,
    },
    /// Nothing says what the node is.
    #[error("membership client-server needs `role`: {}", Role::NAMES.join(" or "))]
    NoRole,
    /// A client without servers.
    #[error("a client finds nobody by itself: give the servers' addresses as `join`")]
    NoServers,
    /// There is no such SCAMP.
    #[error("`scamp_version` is {0}, but must be 1 or 2")]
    ScampVersion(usize),
    /// A host that is none.
    #[error("`epmd_hosts` has {0:?}, which is not HOST or HOST:PORT, such as db1.example or 10.0.0.7:4369")]
    EpmdHost(String),
    /// More hosts than are asked.
    #[error("`epmd_hosts` has {0} hosts, but must have at most {most}", most = epmd::MAX_HOSTS)]
    EpmdHosts(usize),
    /// Port 0.
    #[error("`epmd_port` is 0, but must be the port at which the daemons listen, which is 4369 by default")]
    EpmdPort,
    /// Settings that contradict each other.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
}

/// Where the port mapper daemons are, where members are found by such: this machine's, and those that are asked.
pub(crate) fn daemons(settings: &Settings) -> Result<Option<Epmd>, MembershipError> {
    if settings.membership != Some(Membership::EPMD) {
        return Ok(None);
    }
    let port = settings.epmd_port.unwrap_or(epmd::DEFAULT_PORT);
    if port == 0 {
        return Err(MembershipError::EpmdPort);
    }
    let own = Daemon { host: LOCAL.to_owned(), port };
    let hosts = settings.epmd_hosts.as_deref().unwrap_or_default();
    if hosts.len() > epmd::MAX_HOSTS {
        return Err(MembershipError::EpmdHosts(hosts.len()));
    }
    let daemon = |text: &String| Daemon::parse(text, port).ok_or_else(|| MembershipError::EpmdHost(text.clone()));
    let mut daemons: Vec<Daemon> = hosts.iter().map(daemon).collect::<Result<_, _>>()?;
    if daemons.is_empty() {
        daemons.push(own.clone());
    }
    Ok(Some(Epmd { own, daemons }))
}

/// Where the daemon of this machine is.
const LOCAL: &str = "127.0.0.1";

/// What the settings make of a node's membership; `tuned` is what its program has set up.
pub(crate) fn resolve(settings: &Settings, tuned: MembershipConfig) -> Result<MembershipConfig, MembershipError> {
    let mut config = settings.membership.map_or(tuned, Membership::config);
    let not_of = |setting, what, config: &MembershipConfig| {
        Err(MembershipError::NotOfStrategy { setting, what, strategy: config.name().to_owned() })
    };
    match &mut config {
        MembershipConfig::ClientServer(ours) => {
            let tuned = settings.membership.is_none().then_some(ours.role);
            ours.role = settings.role.or(tuned).ok_or(MembershipError::NoRole)?;
            if settings.servers.is_some() && ours.role == Role::Server {
                return not_of("servers", "clients", &config);
            }
            if settings.evict_after.is_some() && ours.role == Role::Client {
                return not_of("evict_after", "servers", &config);
            }
            if ours.role == Role::Client && settings.join.as_ref().is_none_or(Vec::is_empty) {
                return Err(MembershipError::NoServers);
            }
            ours.servers = settings.servers.unwrap_or(ours.servers);
            ours.mesh.evict_after = settings.evict_after.or(ours.mesh.evict_after);
        }
        _ if settings.role.is_some() => return not_of("role", "membership client-server", &config),
        _ if settings.servers.is_some() => return not_of("servers", "clients of membership client-server", &config),
        _ if settings.membership != Some(Membership::EPMD) && settings.epmd_hosts.is_some() => {
            return not_of("epmd_hosts", "membership epmd", &config);
        }
        _ if settings.membership != Some(Membership::EPMD) && settings.epmd_port.is_some() => {
            return not_of("epmd_port", "membership epmd", &config);
        }
        MembershipConfig::FullMesh(ours) => ours.evict_after = settings.evict_after.or(ours.evict_after),
        _ if settings.evict_after.is_some() => {
            return not_of("evict_after", "membership full and client-server", &config);
        }
        _ => {}
    }
    super::views::apply(settings, &mut config)?;
    config.validate().map_err(|contradiction| contradiction.renamed(super::views::names(settings)))?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn error(settings: Settings) -> String {
        resolve(&settings, MembershipConfig::default()).expect_err("refused").to_string()
    }

    fn with(membership: Membership) -> Settings {
        Settings { membership: Some(membership), ..Settings::default() }
    }

    #[test]
    fn every_strategy_has_a_name_that_gives_it() {
        for name in MembershipConfig::NAMES {
            let membership: Membership = name.parse().expect("known");
            assert_eq!((membership.name(), membership.config().name()), (*name, *name), "a strategy");
        }
        for named in [Membership::HYPARVIEW, Membership::FULL, Membership::CLIENT_SERVER, Membership::STATIC] {
            assert_eq!(named.name().parse(), Ok(named));
        }
        assert_eq!(Membership::default(), Membership::HYPARVIEW);
        assert_eq!(Membership::MANUAL.to_string(), "manual");
        assert_eq!("epmd".parse(), Ok(Membership::EPMD));
        assert_eq!(Membership::EPMD.config().name(), "full");
    }

    #[test]
    fn daemons_are_those_of_the_hosts_or_this_machines() {
        let of = |settings: &Settings| daemons(settings).map_err(|error| error.to_string());
        let hosts = |hosts: &[&str]| Some(hosts.iter().map(|host| (*host).to_owned()).collect());
        let daemon = |host: &str, port| Daemon { host: host.to_owned(), port };
        assert!(of(&with(Membership::FULL)).expect("fine").is_none());
        let epmd = of(&with(Membership::EPMD)).expect("fine").expect("asks");
        assert_eq!((epmd.own.clone(), epmd.daemons), (daemon("127.0.0.1", 4369), vec![epmd.own]));
        let told = Settings { epmd_hosts: hosts(&["a", "b:7"]), epmd_port: Some(5000), ..with(Membership::EPMD) };
        let epmd = of(&told).expect("fine").expect("asks");
        assert_eq!((epmd.own.port, epmd.daemons), (5000, vec![daemon("a", 5000), daemon("b", 7)]));
        for (wrong, message) in [
            (Settings { epmd_hosts: hosts(&["a b"]), ..told.clone() }, "`epmd_hosts` has \"a b\", which is not HOST"),
            (Settings { epmd_port: Some(0), ..told.clone() }, "`epmd_port` is 0, but must be"),
            (Settings { epmd_hosts: Some(vec!["a".to_owned(); 257]), ..told.clone() }, "`epmd_hosts` has 257 hosts"),
        ] {
            assert!(of(&wrong).expect_err("refused").starts_with(message), "{message}");
        }
        for (setting, misplaced) in [
            ("epmd_hosts", Settings { epmd_port: None, membership: Some(Membership::FULL), ..told.clone() }),
            ("epmd_port", Settings { epmd_hosts: None, membership: Some(Membership::SCAMP), ..told }),
        ] {
            assert!(error(misplaced).starts_with(&format!("`{setting}` is for membership epmd; this node's")));
        }
    }

    #[test]
    fn settings_of_another_strategy_are_refused_with_what_they_are_for() {
        let role = Settings { role: Some(Role::Client), ..with(Membership::FULL) };
        assert_eq!(error(role), "`role` is for membership client-server; this node's membership is full");
        let servers = Settings { servers: Some(2), ..Settings::default() };
        assert!(error(servers).starts_with("`servers` is for clients of membership client-server; this node's"));
        let policy = Settings { evict_after: Some(Duration::ZERO), ..with(Membership::STATIC) };
        assert_eq!(
            error(policy),
            "`evict_after` is for membership full and client-server; this node's membership is static"
        );
    }

    #[test]
    fn client_server_needs_a_role_and_a_client_needs_servers() {
        assert_eq!(error(with(Membership::CLIENT_SERVER)), "membership client-server needs `role`: server or client");
        let client = Settings { role: Some(Role::Client), ..with(Membership::CLIENT_SERVER) };
        assert_eq!(error(client.clone()), "a client finds nobody by itself: give the servers' addresses as `join`");
        let client = Settings { join: Some(vec!["a:1".to_owned()]), servers: Some(0), ..client };
        assert_eq!(error(client.clone()), "`servers` is 0, but must be from 1 to 64");
        let resolved = resolve(&Settings { servers: Some(3), ..client }, MembershipConfig::default());
        let Ok(MembershipConfig::ClientServer(config)) = resolved else { panic!("{resolved:?}") };
        assert_eq!((config.role, config.servers), (Role::Client, 3));
        let boss = Settings { role: Some(Role::Server), servers: Some(3), ..with(Membership::CLIENT_SERVER) };
        assert_eq!(error(boss), "`servers` is for clients; this node's membership is client-server");
    }

    #[test]
    fn a_policy_reaches_the_strategy() {
        let hour = Some(Duration::from_secs(3600));
        let resolved = resolve(&Settings { evict_after: hour, ..with(Membership::FULL) }, MembershipConfig::default());
        let Ok(MembershipConfig::FullMesh(config)) = resolved else { panic!("{resolved:?}") };
        assert_eq!(config.evict_after, hour);
    }
}
