//! What the API answers with: one type per thing, as JSON. Ids and digests are texts of hexadecimal digits, for JSON's numbers
//! are too small for them; times are milliseconds since 1970.

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

/// A part of a value, perhaps in a session.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ValueWanted {
    /// How many to leave out; default 0.
    #[param(required = false)]
    pub(super) offset: Option<u64>,
    /// How many to give at most, up to 1,000; default 100.
    #[param(required = false, minimum = 1, maximum = 1000)]
    pub(super) limit: Option<u64>,
    /// How long to wait for the node to come as far as the session, in milliseconds; 10,000 unless given, at most 60,000.
    #[param(required = false, maximum = 60000)]
    pub(super) timeout_ms: Option<u64>,
}

/// Another node of the cluster, and in which of the views it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Member {
    /// The node.
    #[serde(flatten)]
    pub(super) peer: Peer,
    /// How it stands with it as a member: `alive` or `suspect`; null for one that is known and no member.
    pub(super) standing: Option<String>,
    /// Whether there is a link with it: it is in the active view.
    pub(super) active: bool,
    /// Whether it is known besides: it is in the passive view.
    pub(super) passive: bool,
    /// Whether it is thought to be there just now.
    pub(super) reachable: bool,
}

/// Who is in the cluster, as far as the node knows.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Members {
    /// The node asked.
    pub(super) me: Peer,
    /// How many others there are.
    pub(super) total: u64,
    /// Some of them, ascending by id.
    pub(super) members: Vec<Member>,
    /// Where the next part begins; null at the end.
    pub(super) next: Option<u64>,
}

/// A link of the node.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Link {
    /// With whom.
    #[serde(flatten)]
    pub(super) peer: Peer,
    /// Whether broadcasts go along it; else they are announced only.
    pub(super) eager: bool,
    /// Messages that wait for it.
    pub(super) waiting: u64,
    /// Bytes handed to the transport that the kernel has not taken.
    pub(super) in_flight: u64,
    /// The last round trip over it, in microseconds; null before the first was measured, which happens while somebody asks.
    pub(super) rtt_us: Option<u64>,
}

/// The links of the node.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Links {
    /// The node asked.
    pub(super) me: Peer,
    /// To each neighbour.
    pub(super) links: Vec<Link>,
}

/// The broadcast tree around the node. One tree serves all senders: the same edges for every root.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Tree {
    /// Whose broadcasts these edges carry: `any`.
    pub(super) root: String,
    /// Neighbours that broadcasts are sent to.
    pub(super) eager: Vec<String>,
    /// Neighbours that broadcasts are announced to.
    pub(super) lazy: Vec<String>,
}

/// What a viewer knows of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Life {
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
pub(super) struct OverlayNode {
    /// The node.
    #[serde(flatten)]
    pub(super) peer: Peer,
    /// Its name; empty where it did not say.
    pub(super) name: String,
    /// Its role or tag; may be empty.
    pub(super) role: String,
    /// What is known of it.
    pub(super) state: Life,
    /// When it was last like this: when it answered, or was first found missing.
    pub(super) since_ms: u64,
    /// Equal for nodes with equal variables; empty where it did not say.
    pub(super) fingerprint: String,
    /// How many neighbours it has.
    pub(super) degree: u64,
    /// Neighbours that it sends broadcasts to: at most 64 in both lists.
    pub(super) eager: Vec<String>,
    /// Neighbours that it announces broadcasts to.
    pub(super) lazy: Vec<String>,
    /// How many others it knows.
    pub(super) known: u64,
    /// Those, at most 64, if they were asked for.
    pub(super) others: Vec<String>,
}

/// Which part of the overlay to give.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OverlayPart {
    /// How many nodes to leave out; default 0.
    #[param(required = false)]
    pub(super) offset: Option<u64>,
    /// How many nodes to give at most, up to 1,000; default 1,000.
    #[param(required = false, minimum = 1, maximum = 1000)]
    pub(super) limit: Option<u64>,
    /// Whether to ask for passive views, too; default false.
    #[param(required = false)]
    pub(super) wide: Option<bool>,
}

/// What the overlay looks like.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Overlay {
    /// The node asked.
    pub(super) me: String,
    /// When all nodes were asked.
    pub(super) at_ms: u64,
    /// How long it took until no more answers came.
    pub(super) took_ms: u64,
    /// How many nodes there are.
    pub(super) total: u64,
    /// Some of them, ascending by id.
    pub(super) nodes: Vec<OverlayNode>,
    /// Where the next part begins; null at the end.
    pub(super) next: Option<u64>,
}

/// Which variables to give.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// What names begin with.
    #[param(required = false)]
    pub(super) prefix: Option<String>,
    /// What names contain, whatever the case.
    #[param(required = false)]
    pub(super) q: Option<String>,
    /// Whether to give the runtime's own, too; default false.
    #[param(required = false)]
    pub(super) all: Option<bool>,
    /// Where to begin: 0, or the `next` of the part before.
    #[param(required = false)]
    pub(super) from: Option<u64>,
    /// How many to give at most, up to 1,000; default 100.
    #[param(required = false, minimum = 1, maximum = 1000)]
    pub(super) limit: Option<u64>,
}

/// A variable.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Variable {
    /// Its name.
    pub(super) name: String,
    /// Its type, in the language.
    #[serde(rename = "type")]
    pub(super) ty: String,
    /// `replicated`, `derived` (something here derives into it), `local` (it stays here) or `view` (a local result).
    pub(super) kind: String,
    /// Elements or keys of a collection.
    pub(super) elements: Option<u64>,
    /// Its encoded size; null where finding out would be costly.
    pub(super) bytes: Option<u64>,
    /// Equal for equal states; null for a local result.
    pub(super) digest: Option<String>,
    /// Since when viewers have seen this digest: it changed then, or before the first look.
    pub(super) seen_since_ms: Option<u64>,
    /// Its value in the language, shortened; null where it is large.
    pub(super) value: Option<String>,
    /// How many elements derivations into it have failed on.
    pub(super) errors: u64,
    /// The last of those, in words.
    pub(super) recent: Vec<String>,
}

/// Some variables.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Variables {
    /// How many the node holds altogether.
    pub(super) total: u64,
    /// In the order in which the node came to know them.
    pub(super) variables: Vec<Variable>,
    /// Where the next part begins; null at the end.
    pub(super) next: Option<u64>,
}

/// A part of a variable's value.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ValuePart {
    /// The variable.
    pub(super) name: String,
    /// Its type, in the language.
    #[serde(rename = "type")]
    pub(super) ty: String,
    /// How many elements, keys, vertices or concurrent values it has; 1 for a single value.
    pub(super) total: u64,
    /// Some of them in the language, ascending, each at most 4,096 bytes: of a map `key => value`.
    pub(super) elements: Vec<String>,
    /// Where the next part begins; null at the end.
    pub(super) next: Option<u64>,
}

/// An operation on a variable.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Update {
    /// What to do, in the language: `{add, 1}`, `increment`.
    pub(super) operation: String,
    /// Declares the variable with this type, if the node does not know it.
    #[serde(default)]
    pub(super) declare: Option<String>,
    /// How many other nodes are to hold it before the answer; at most 1,024.
    #[serde(default)]
    pub(super) acknowledged_by: u32,
    /// How long to wait for them, and for the node to come as far as the session, in milliseconds; 10,000 unless given, at most 60,000.
    #[serde(default)]
    pub(super) timeout_ms: Option<u64>,
}

/// It is done: applied, and on its way to the others.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Done {
    /// The variable.
    pub(super) name: String,
    /// The ids of other nodes that hold it, where some were to: with fewer than that the status is 202.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) acknowledged_by: Option<Vec<String>>,
}

/// A derivation.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Derivation {
    /// The operator, with its functions.
    pub(super) operator: String,
    /// The variables it follows from.
    pub(super) inputs: Vec<String>,
    /// The variable that follows.
    pub(super) output: String,
    /// Elements held for it, where it holds any.
    pub(super) members: Option<u64>,
}

/// The dataflow at the node.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Flow {
    /// The variables that take part, at most 1,000.
    pub(super) variables: Vec<Variable>,
    /// What follows from what, in the order in which it was made, at most 1,000.
    pub(super) derivations: Vec<Derivation>,
    /// How many derivations there are.
    pub(super) total: u64,
}

/// An installed program.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Program {
    /// Its name.
    pub(super) name: String,
    /// Which of those that were installed under this name.
    pub(super) version: u64,
    /// What has become of it at this node, in a word or two.
    pub(super) state: String,
    /// Why it does not run, if it should.
    pub(super) report: Option<String>,
    /// The last errors while it ran, oldest first.
    pub(super) errors: Vec<String>,
    /// How many errors there were altogether.
    pub(super) errors_total: u64,
    /// The variables it declares, with their types.
    pub(super) variables: BTreeMap<String, String>,
}

/// The installed programs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Programs {
    /// By name.
    pub(super) programs: Vec<Program>,
}

/// Which events to give.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Since {
    /// Only those with a greater number.
    #[param(required = false)]
    pub(super) since: Option<u64>,
}

/// Something that happened around the node.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Event {
    /// Its number, ascending from 1.
    pub(super) seq: u64,
    /// When the node found out.
    pub(super) at_ms: u64,
    /// `up`, `down`, `joined`, `left`, `gone`, `suspected`, `cleared`, `known`, `forgotten`, or `error`.
    pub(super) kind: String,
    /// Whom it concerns, if a node.
    pub(super) node: Option<String>,
    /// The rest: an address, what failed.
    pub(super) detail: String,
}

/// What happened lately.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Events {
    /// Oldest first; at most the last 1,024.
    pub(super) events: Vec<Event>,
    /// How many events are older than those kept.
    pub(super) forgotten: u64,
}

/// Counts over time: one row a second.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Statistics {
    /// What the numbers of a row are, in their order; the first is the time.
    pub(super) columns: Vec<String>,
    /// Oldest first; at most the last ten minutes.
    pub(super) rows: Vec<Vec<u64>>,
}
