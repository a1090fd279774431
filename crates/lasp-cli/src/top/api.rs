//! What is read of the API's answers: what is shown, and no more.

use serde::Deserialize;

/// A node, as others speak of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Peer {
    pub(super) id: String,
    pub(super) incarnation: u64,
    pub(super) addr: String,
}

/// The node.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Status {
    pub(super) me: Peer,
    pub(super) name: String,
    pub(super) cluster: String,
    pub(super) membership: String,
    pub(super) version: String,
    pub(super) uptime_ms: u64,
    pub(super) now_ms: u64,
    pub(super) active: u64,
    pub(super) passive: u64,
    pub(super) variables: u64,
    pub(super) quiescent: bool,
}

/// A link of the node.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Link {
    #[serde(flatten)]
    pub(super) peer: Peer,
    pub(super) eager: bool,
    pub(super) waiting: u64,
    pub(super) in_flight: u64,
    pub(super) rtt_us: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Links {
    pub(super) links: Vec<Link>,
}

/// Another node of the cluster.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Member {
    #[serde(flatten)]
    pub(super) peer: Peer,
    pub(super) standing: Option<String>,
    pub(super) active: bool,
    pub(super) passive: bool,
    pub(super) reachable: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Members {
    pub(super) total: u64,
    pub(super) members: Vec<Member>,
    /// Where the next part begins: there are more.
    pub(super) next: Option<u64>,
}

/// The last change of a variable.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Changed {
    pub(super) at_ms: u64,
}

/// A variable.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Variable {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) ty: String,
    pub(super) elements: Option<u64>,
    pub(super) bytes: Option<u64>,
    pub(super) changed: Option<Changed>,
    pub(super) seen_since_ms: Option<u64>,
    pub(super) value: Option<String>,
    pub(super) errors: u64,
}

impl Variable {
    /// When it changed; where that is forgotten, since when its value has been seen.
    pub(super) fn since_ms(&self) -> Option<u64> {
        self.changed.as_ref().map(|changed| changed.at_ms).or(self.seen_since_ms)
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Variables {
    pub(super) variables: Vec<Variable>,
    /// Where the next part begins: there are more.
    pub(super) next: Option<u64>,
}

/// Something that happened around the node.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Event {
    pub(super) seq: u64,
    pub(super) at_ms: u64,
    pub(super) kind: String,
    pub(super) node: Option<String>,
    pub(super) detail: String,
}

/// Counts over time; the columns come with the first of them.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Statistics {
    pub(super) columns: Option<Vec<String>>,
    pub(super) rows: Vec<Vec<u64>>,
}

/// A node of the overlay, as far as it matters here.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct OverlayNode {
    pub(super) id: String,
    pub(super) state: String,
    pub(super) fingerprint: String,
}

/// What has changed in the overlay.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Overlay {
    #[serde(default)]
    pub(super) reset: bool,
    pub(super) nodes: Vec<OverlayNode>,
    #[serde(default)]
    pub(super) removed: Vec<String>,
}
