//! Clients of a running node: the `lasp` command talks to it over the node's own listener.
//!
//! - [`protocol`]: what client and node say to each other; docs/wire.md has it byte for byte. Start here.
//! - [`client`]: the client's end.
//! - `server`: the node's end: who may come, one task per client, requests side by side. `answers`, `sessions`, `updates`: what is answered.
//! - `session`: a program of a client, run at the node by a thread of its own. `place`: the node as such a program sees it.
//!
//! A client costs the node what its requests cost. It is bounded in all it can hold, what it is too slow to read is
//! not made, and it never makes the node wait.

pub(crate) mod answers;
pub mod client;
mod place;
pub mod protocol;
mod server;
mod session;
pub(crate) mod sessions;
mod signals;
mod updates;

pub(crate) use answers::{Answers, Facts};
pub(crate) use server::{MAX_INCOMING, Seat, Server};

use std::fmt;
use std::str::FromStr;

/// Which clients a node serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// None.
    #[default]
    Off,
    /// Those of the same machine: they come from a loopback address.
    Loopback,
    /// All who reach the listener. There is no authentication: whoever can connect can read and change everything.
    Any,
}

impl FromStr for Access {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "loopback" => Ok(Self::Loopback),
            "any" => Ok(Self::Any),
            _ => Err(format!("unknown access {text:?}: one of off, loopback, any")),
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Loopback => "loopback",
            Self::Any => "any",
        })
    }
}
