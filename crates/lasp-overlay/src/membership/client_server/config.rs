//! The settings of client-server membership.

use crate::membership::contradiction::{Contradiction, demand};
use crate::membership::{Pace, Patience, full};
use std::fmt;
use std::str::FromStr;

/// What a peer is to others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Links to every other server, and lets clients in.
    #[default]
    Server,
    /// Links to a few servers.
    Client,
}

impl Role {
    /// The names of the roles, as settings spell them.
    pub const NAMES: &[&str] = &["server", "client"];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "server" => Ok(Self::Server),
            "client" => Ok(Self::Client),
            _ => Err(format!("unknown role {text:?}: one of {}", Self::NAMES.join(", "))),
        }
    }
}

/// Settings of [`ClientServer`](super::ClientServer).
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// What this peer is.
    pub role: Role,
    /// How many servers a client keeps links with. 2: guess; one more than is needed.
    pub servers: usize,
    /// How many clients a server lets in; others are sent on. 256: guess, and the most that one message can list.
    pub clients: usize,
    /// How the servers know each other.
    pub mesh: full::Config,
    /// When a client dials again.
    pub pace: Pace,
    /// When a silent neighbour is given up.
    pub patience: Patience,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            role: Role::Server,
            servers: 2,
            clients: super::MAX_CLIENTS,
            mesh: full::Config::default(),
            pace: Pace::default(),
            patience: Patience::default(),
        }
    }
}

impl Config {
    /// Checks that the settings can be kept together.
    ///
    /// # Errors
    /// The first that contradicts another.
    pub fn validate(&self) -> Result<(), Contradiction> {
        let most = super::MAX_SERVERS;
        let servers = self.servers;
        demand((1..=most).contains(&servers), "servers", servers, format!("from 1 to {most}"))?;
        let most = super::MAX_CLIENTS;
        demand(self.clients <= most, "clients", self.clients, format!("at most {most}"))?;
        self.mesh.validate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_contradict_each_other_are_refused_and_say_why() {
        assert_eq!(Config::default().validate(), Ok(()));
        let wrong = Config { servers: 0, ..Config::default() };
        let error = wrong.validate().map_err(|error| error.to_string());
        assert_eq!(error, Err("`servers` is 0, but must be from 1 to 64".to_owned()));
        let wrong = Config { clients: 1000, ..Config::default() };
        assert_eq!(wrong.validate().map_err(|error| error.setting()), Err("clients"));
        assert_eq!("server".parse(), Ok(Role::Server));
        assert_eq!("boss".parse::<Role>(), Err("unknown role \"boss\": one of server, client".to_owned()));
    }
}
