//! What streams between the nodes of a plan: members that come and go, with how many reasons for them.

use super::ViewId;
use crate::operator::FunctionError;
use crate::value::Value;

/// A member gained so many reasons to be there (or lost them, where the weight is negative).
///
/// The sums of weights are those of Green et al.'s relations over the integers ("Reconcilable Differences", ICDT'09), as in
/// DBSP (Budiu et al., VLDB'23): a member is there while its sum is positive, and every prefix of a stream leaves sums that
/// are not negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) member: Value,
    pub(crate) weight: i64,
}

impl Change {
    pub(crate) fn new(member: Value, weight: i64) -> Self {
        Self { member, weight }
    }
}

/// A function of a view has no result for an element, which is left out.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// Whether the element came; else it went, and what was reported of it is no longer so.
    pub(crate) came: bool,
    /// The view whose function it is; `None` for that of the node that runs.
    pub(crate) view: Option<ViewId>,
    pub(crate) operator: &'static str,
    pub(crate) element: Value,
    pub(crate) error: FunctionError,
}

/// Where a node puts what follows from its input.
#[derive(Debug, Default)]
pub(crate) struct Emitter {
    pub(crate) changes: Vec<Change>,
    pub(crate) failures: Vec<Failure>,
}

impl Emitter {
    pub(crate) fn emit(&mut self, member: Value, weight: i64) {
        self.changes.push(Change { member, weight });
    }

    /// Reports that the node's function fails on `element`, which came or went.
    pub(crate) fn fail(
        &mut self,
        came: bool,
        operator: &'static str,
        element: &Value,
        error: impl Into<FunctionError>,
    ) {
        self.failures.push(Failure { came, view: None, operator, element: element.clone(), error: error.into() });
    }
}
