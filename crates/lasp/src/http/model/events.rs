//! What has happened, and counts over time.

use crate::http::columns;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{Array, ArrayBuilder, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};

/// Which events to give.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Since {
    /// Only those with a greater number.
    #[param(required = false)]
    pub(in crate::http) since: Option<u64>,
}

/// Something that happened around the node.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::http) struct Event {
    /// Its number, ascending from 1.
    pub(in crate::http) seq: u64,
    /// When the node found out.
    pub(in crate::http) at_ms: u64,
    /// `up`, `down`, `joined`, `left`, `gone`, `suspected`, `cleared`, `known`, `forgotten`, or `error`.
    pub(in crate::http) kind: String,
    /// Whom it concerns, if a node.
    pub(in crate::http) node: Option<String>,
    /// The rest: an address, what failed.
    pub(in crate::http) detail: String,
}

/// What happened lately.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Events {
    /// Oldest first; at most the last 1,024.
    pub(in crate::http) events: Vec<Event>,
    /// How many events are older than those kept.
    pub(in crate::http) forgotten: u64,
}

/// Counts over time: one row a second.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Statistics {
    /// What the numbers of a row are, in their order; the first is the time.
    #[schema(schema_with = described)]
    pub(in crate::http) columns: Vec<&'static str>,
    /// Oldest first; at most the last ten minutes.
    pub(in crate::http) rows: Vec<Vec<u64>>,
}

/// Which columns there are.
fn described() -> Array {
    let name = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(columns::names()));
    let told = "What the numbers of a row are, in their order; the first is the time. `docs/operations.md` says what each counts.";
    ArrayBuilder::new().items(name).description(Some(told)).build()
}
