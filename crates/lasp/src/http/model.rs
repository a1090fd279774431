//! What the API answers with: one type per thing, as JSON. Ids and digests are texts of hexadecimal digits, for JSON's numbers
//! are too small for them; times are milliseconds since 1970.
//!
//! Here: the node, and what all subjects have in common. `overlay`, `variables`, `programs`, `events`: one file per subject.

mod events;
mod overlay;
mod programs;
mod variables;

pub(super) use events::{Event, Events, Since, Statistics};
pub(super) use overlay::{Life, Link, Links, Member, Members, Overlay, OverlayNode, OverlayPart, Tree};
pub(super) use programs::{Derivation, Flow, Program, Programs};
pub(super) use variables::{
    Changed, Done, Element, Origin, Origins, Update, ValuePart, ValueWanted, Variable, Variables, Wanted,
};

use super::world::WorldState;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Why a request was refused (RFC 9457). Nothing was changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// Always `about:blank`: the status says what kind it is.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// The status in words.
    pub(super) title: String,
    /// The status.
    pub(super) status: u16,
    /// What is wrong.
    pub(super) detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<String>,
}

/// A node, as others speak of it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct Peer {
    /// Its id.
    pub(super) id: String,
    /// Which of its lives.
    pub(super) incarnation: u64,
    /// Where it is reached.
    pub(super) addr: String,
}

impl From<crate::control::protocol::Peer> for Peer {
    fn from(peer: crate::control::protocol::Peer) -> Self {
        Self { id: peer.id, incarnation: peer.incarnation, addr: peer.addr }
    }
}

impl From<&lasp_overlay::Contact> for Peer {
    fn from(contact: &lasp_overlay::Contact) -> Self {
        Self { id: contact.id.to_string(), incarnation: contact.incarnation, addr: contact.addr.to_string() }
    }
}

/// The node asked, at one moment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Status {
    /// The node.
    pub(super) me: Peer,
    /// Its name.
    pub(super) name: String,
    /// Its cluster.
    pub(super) cluster: String,
    /// Its membership strategy.
    pub(super) membership: String,
    /// The version of its program.
    pub(super) version: String,
    /// How long it has run.
    pub(super) uptime_ms: u64,
    /// Its wall clock.
    pub(super) now_ms: u64,
    /// Neighbours in the overlay.
    pub(super) active: u64,
    /// Others that it knows of.
    pub(super) passive: u64,
    /// Prefixes of what it hears; null for everything.
    pub(super) interests: Option<Vec<String>>,
    /// Variables that it holds.
    pub(super) variables: u64,
    /// Equal for nodes with equal variables.
    pub(super) fingerprint: String,
    /// Whether nothing is under way there.
    pub(super) quiescent: bool,
    /// Messages that wait for links.
    pub(super) waiting: u64,
    /// Command-line clients connected.
    pub(super) clients: u64,
    /// Streams of changes that are open.
    pub(super) viewers: u64,
    /// The simulated world that it is in; null for a real node.
    pub(super) world: Option<WorldState>,
    /// What it counted since its start, by name.
    pub(super) counters: BTreeMap<String, u64>,
}

/// A part of a list.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Part {
    /// How many to leave out; default 0.
    #[param(required = false)]
    pub(super) offset: Option<u64>,
    /// How many to give at most, up to 1,000; default 100.
    #[param(required = false, minimum = 1, maximum = 1000)]
    pub(super) limit: Option<u64>,
}
