//! The membership strategy as an operator chooses it, and what else is to be said about it.

use super::Settings;
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

    /// Its name.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// Its default settings.
    pub fn config(self) -> MembershipConfig {
        MembershipConfig::named(self.0).unwrap_or_default()
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
        let names = MembershipConfig::NAMES;
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
    /// Settings that contradict each other.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
}

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
        MembershipConfig::FullMesh(ours) => ours.evict_after = settings.evict_after.or(ours.evict_after),
        _ if settings.evict_after.is_some() => {
            return not_of("evict_after", "membership full and client-server", &config);
        }
        _ => {}
    }
    super::views::apply(settings, &mut config)?;
    config.validate()?;
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
            assert_eq!((membership.name(), membership.config().name()), (*name, *name));
        }
        for named in [Membership::HYPARVIEW, Membership::FULL, Membership::CLIENT_SERVER, Membership::STATIC] {
            assert_eq!(named.name().parse(), Ok(named));
        }
        assert_eq!(Membership::default(), Membership::HYPARVIEW);
        assert_eq!(Membership::MANUAL.to_string(), "manual");
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
