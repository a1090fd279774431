//! Variables, parts of their values, and updates.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A part of a value, perhaps in a session.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct ValueWanted {
    /// How many to leave out; default 0.
    #[param(required = false)]
    pub(in crate::http) offset: Option<u64>,
    /// How many to give at most, up to 1,000; default 100.
    #[param(required = false, minimum = 1, maximum = 1000)]
    pub(in crate::http) limit: Option<u64>,
    /// How long to wait for the node to come as far as the session, in milliseconds; 10,000 unless given, at most 60,000.
    #[param(required = false, maximum = 60000)]
    pub(in crate::http) timeout_ms: Option<u64>,
}

/// Which variables to give.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Wanted {
    /// What names begin with.
    #[param(required = false)]
    pub(in crate::http) prefix: Option<String>,
    /// What names contain, whatever the case.
    #[param(required = false)]
    pub(in crate::http) q: Option<String>,
    /// Whether to give the runtime's own, too; default false.
    #[param(required = false)]
    pub(in crate::http) all: Option<bool>,
    /// Where to begin: 0, or the `next` of the part before.
    #[param(required = false)]
    pub(in crate::http) from: Option<u64>,
    /// How many to give at most, up to 1,000; default 100.
    #[param(required = false, minimum = 1, maximum = 1000)]
    pub(in crate::http) limit: Option<u64>,
}

/// A variable.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Variable {
    /// Its name.
    pub(in crate::http) name: String,
    /// Its type, in the language.
    #[serde(rename = "type")]
    pub(in crate::http) ty: String,
    /// `replicated`, `derived` (something here derives into it), `local` (it stays here) or `view` (a local result).
    pub(in crate::http) kind: String,
    /// Elements or keys of a collection.
    pub(in crate::http) elements: Option<u64>,
    /// Its encoded size; null where finding out would be costly.
    pub(in crate::http) bytes: Option<u64>,
    /// Equal for equal states; null for a local result.
    pub(in crate::http) digest: Option<String>,
    /// Since when viewers have seen this digest: it changed then, or before the first look.
    pub(in crate::http) seen_since_ms: Option<u64>,
    /// Its last change, where that is remembered: of the 10,000 variables that changed last.
    pub(in crate::http) changed: Option<Changed>,
    /// Its value in the language, shortened; null where it is large.
    pub(in crate::http) value: Option<String>,
    /// How many elements derivations into it have failed on.
    pub(in crate::http) errors: u64,
    /// The last of those, in words.
    pub(in crate::http) recent: Vec<String>,
}

/// How a variable came to be as it is.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Changed {
    /// When the change reached this node.
    pub(in crate::http) at_ms: u64,
    /// `here` (an update at this node), `received`, or `derived`.
    pub(in crate::http) how: String,
    /// The neighbour that told it, of one that was received.
    pub(in crate::http) from: Option<String>,
    /// Who made it, if the change tells: a removal does not, nor do types without replicas in their states.
    pub(in crate::http) by: Option<Origin>,
}

/// An event: what one replica did.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Origin {
    /// The variable that it was done to; null if that is not known here.
    pub(in crate::http) variable: Option<String>,
    /// The replica: one life of a node.
    pub(in crate::http) replica: String,
    /// Which node that is, if it is among those known here.
    pub(in crate::http) node: Option<String>,
    /// Which of its events: a number, of counters its count, of registers a time in milliseconds.
    pub(in crate::http) event: u64,
}

/// An element, and where it comes from.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Element {
    /// The element, in the language, at most 4,096 bytes.
    pub(in crate::http) element: String,
    /// Each is a reason why it is there: additions that it takes together, at most 64. It goes when none is left.
    pub(in crate::http) reasons: Vec<Vec<Origin>>,
}

/// Where elements come from.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Origins {
    /// The variable.
    pub(in crate::http) name: String,
    /// Whether its state tells: that of an add-wins set does. A local result counts its reasons and forgets them.
    pub(in crate::http) known: bool,
    /// How many elements there are.
    pub(in crate::http) total: u64,
    /// Some of them, ascending.
    pub(in crate::http) elements: Vec<Element>,
    /// Where the next part begins; null at the end.
    pub(in crate::http) next: Option<u64>,
}

/// Some variables.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Variables {
    /// How many the node holds altogether.
    pub(in crate::http) total: u64,
    /// In the order in which the node came to know them.
    pub(in crate::http) variables: Vec<Variable>,
    /// Where the next part begins; null at the end.
    pub(in crate::http) next: Option<u64>,
}

/// A part of a variable's value.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ValuePart {
    /// The variable.
    pub(in crate::http) name: String,
    /// Its type, in the language.
    #[serde(rename = "type")]
    pub(in crate::http) ty: String,
    /// How many elements, keys, vertices or concurrent values it has; 1 for a single value.
    pub(in crate::http) total: u64,
    /// Some of them in the language, ascending, each at most 4,096 bytes: of a map `key => value`.
    pub(in crate::http) elements: Vec<String>,
    /// Where the next part begins; null at the end.
    pub(in crate::http) next: Option<u64>,
}

/// An operation on a variable.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Update {
    /// What to do, in the language: `{add, 1}`, `increment`.
    pub(in crate::http) operation: String,
    /// Declares the variable with this type, if the node does not know it.
    #[serde(default)]
    pub(in crate::http) declare: Option<String>,
    /// How many other nodes are to hold it before the answer; at most 1,024.
    #[serde(default)]
    pub(in crate::http) acknowledged_by: u32,
    /// How long to wait for them, and for the node to come as far as the session, in milliseconds; 10,000 unless given, at most 60,000.
    #[serde(default)]
    pub(in crate::http) timeout_ms: Option<u64>,
}

/// It is done: applied, and on its way to the others.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Done {
    /// The variable.
    pub(in crate::http) name: String,
    /// The ids of other nodes that hold it, where some were to: with fewer than that the status is 202.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) acknowledged_by: Option<Vec<String>>,
}
