//! The dataflow, and installed programs.

use super::Variable;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A derivation.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Derivation {
    /// The operator, with its functions.
    pub(in crate::http) operator: String,
    /// The variables it follows from.
    pub(in crate::http) inputs: Vec<String>,
    /// The variable that follows.
    pub(in crate::http) output: String,
    /// Elements held for it, where it holds any.
    pub(in crate::http) members: Option<u64>,
}

/// The dataflow at the node.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Flow {
    /// The variables that take part, at most 1,000.
    pub(in crate::http) variables: Vec<Variable>,
    /// What follows from what, in the order in which it was made, at most 1,000.
    pub(in crate::http) derivations: Vec<Derivation>,
    /// How many derivations there are.
    pub(in crate::http) total: u64,
}

/// An installed program.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Program {
    /// Its name.
    pub(in crate::http) name: String,
    /// Which of those that were installed under this name.
    pub(in crate::http) version: u64,
    /// What has become of it at this node, in a word or two.
    pub(in crate::http) state: String,
    /// Why it does not run, if it should.
    pub(in crate::http) report: Option<String>,
    /// The last errors while it ran, oldest first.
    pub(in crate::http) errors: Vec<String>,
    /// How many errors there were altogether.
    pub(in crate::http) errors_total: u64,
    /// The variables it declares, with their types.
    pub(in crate::http) variables: BTreeMap<String, String>,
}

/// The installed programs.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Programs {
    /// By name.
    pub(in crate::http) programs: Vec<Program>,
}
