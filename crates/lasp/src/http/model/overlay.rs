//! The cluster as the node sees it: members, links, the broadcast tree, the overlay.

use super::Peer;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Another node of the cluster, and in which of the views it is.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Member {
    /// The node.
    #[serde(flatten)]
    pub(in crate::http) peer: Peer,
    /// How it stands with it as a member: `alive` or `suspect`; null for one that is known and no member.
    pub(in crate::http) standing: Option<String>,
    /// Whether there is a link with it: it is in the active view.
    pub(in crate::http) active: bool,
    /// Whether it is known besides: it is in the passive view.
    pub(in crate::http) passive: bool,
    /// Whether it is thought to be there just now.
    pub(in crate::http) reachable: bool,
}

/// Who is in the cluster, as far as the node knows.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Members {
    /// The node asked.
    pub(in crate::http) me: Peer,
    /// How many others there are.
    pub(in crate::http) total: u64,
    /// Some of them, ascending by id.
    pub(in crate::http) members: Vec<Member>,
    /// Where the next part begins; null at the end.
    pub(in crate::http) next: Option<u64>,
}

/// A link of the node.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Link {
    /// With whom.
    #[serde(flatten)]
    pub(in crate::http) peer: Peer,
    /// Whether broadcasts go along it; else they are announced only.
    pub(in crate::http) eager: bool,
    /// Messages that wait for it.
    pub(in crate::http) waiting: u64,
    /// Bytes handed to the transport that the kernel has not taken.
    pub(in crate::http) in_flight: u64,
    /// The last round trip over it, in microseconds; null before the first was measured, which happens while somebody asks.
    pub(in crate::http) rtt_us: Option<u64>,
}

/// The links of the node.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Links {
    /// The node asked.
    pub(in crate::http) me: Peer,
    /// To each neighbour.
    pub(in crate::http) links: Vec<Link>,
}

/// The broadcast tree around the node. One tree serves all senders: the same edges for every root.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Tree {
    /// Whose broadcasts these edges carry: `any`.
    pub(in crate::http) root: String,
    /// Neighbours that broadcasts are sent to.
    pub(in crate::http) eager: Vec<String>,
    /// Neighbours that broadcasts are announced to.
    pub(in crate::http) lazy: Vec<String>,
}

/// What a viewer knows of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::http) enum Life {
    /// It answered.
    Up,
    /// It answered, and has no neighbours.
    Isolated,
    /// A neighbour names it, and it did not answer.
    Silent,
    /// A neighbour names it and does not hear it.
    Suspect,
    /// It said goodbye.
    Left,
    /// It answered before, and nobody names it any more.
    Gone,
}

/// A node of the overlay.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::http) struct OverlayNode {
    /// The node.
    #[serde(flatten)]
    pub(in crate::http) peer: Peer,
    /// Its name; empty where it did not say.
    pub(in crate::http) name: String,
    /// Its role or tag; may be empty.
    pub(in crate::http) role: String,
    /// What is known of it.
    pub(in crate::http) state: Life,
    /// When it was last like this: when it answered, or was first found missing.
    pub(in crate::http) since_ms: u64,
    /// Equal for nodes with equal variables; empty where it did not say.
    pub(in crate::http) fingerprint: String,
    /// How many neighbours it has.
    pub(in crate::http) degree: u64,
    /// Neighbours that it sends broadcasts to: at most 64 in both lists.
    pub(in crate::http) eager: Vec<String>,
    /// Neighbours that it announces broadcasts to.
    pub(in crate::http) lazy: Vec<String>,
    /// How many others it knows.
    pub(in crate::http) known: u64,
    /// Those, at most 64, if they were asked for.
    pub(in crate::http) others: Vec<String>,
}

/// Which part of the overlay to give.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct OverlayPart {
    /// How many nodes to leave out; default 0.
    #[param(required = false)]
    pub(in crate::http) offset: Option<u64>,
    /// How many nodes to give at most, up to 1,000; default 1,000.
    #[param(required = false, minimum = 1, maximum = 1000)]
    pub(in crate::http) limit: Option<u64>,
    /// Whether to ask for passive views, too; default false.
    #[param(required = false)]
    pub(in crate::http) wide: Option<bool>,
}

/// What the overlay looks like.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Overlay {
    /// The node asked.
    pub(in crate::http) me: String,
    /// When all nodes were asked.
    pub(in crate::http) at_ms: u64,
    /// How long it took until no more answers came.
    pub(in crate::http) took_ms: u64,
    /// How many nodes there are.
    pub(in crate::http) total: u64,
    /// Some of them, ascending by id.
    pub(in crate::http) nodes: Vec<OverlayNode>,
    /// Where the next part begins; null at the end.
    pub(in crate::http) next: Option<u64>,
}
