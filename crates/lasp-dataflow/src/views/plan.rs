//! What a graph's views are and what computes them, for people to look at.

use super::{Input, NodeId, Port, ViewId, Views};
use crate::name::VarId;
use crate::operator::Facet;

/// The views of a graph before and after optimisation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What the program says: one entry for each derivation that is not the same as another.
    pub views: Vec<PlanView>,
    /// What is computed: only what somebody reads, watches or waits for, with neighbours in one.
    pub nodes: Vec<PlanNode>,
}

/// A derivation as the program wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanView {
    /// Its number in this plan.
    pub id: u32,
    /// The operator with its functions.
    pub operator: String,
    /// What it is made of.
    pub inputs: Vec<PlanInput>,
    /// The variables that show it; more than one where equal derivations were found.
    pub vars: Vec<VarId>,
    /// The node that computes it; none where it is only a step inside another node's chain, or nobody wants it.
    pub node: Option<u32>,
}

/// Where something comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanInput {
    /// A part of a variable; its value where there is no part.
    Var(VarId, Option<Facet>),
    /// A view, by its number.
    View(u32),
    /// A node, by its number.
    Node(u32),
}

/// An operator at work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanNode {
    /// Its number in this plan.
    pub id: u32,
    /// What it does, from first to last.
    pub does: String,
    /// What it is fed by: variables and nodes.
    pub inputs: Vec<PlanInput>,
    /// How many members it holds for readers; none where it keeps nothing.
    pub members: Option<usize>,
    /// How many nodes and readers take from it.
    pub users: u32,
}

impl Views {
    /// Everything there is.
    pub(crate) fn plan(&self) -> Plan {
        let views = self.views.iter().map(|(id, view)| PlanView {
            id: id.0,
            operator: format!("{:?}", view.operator),
            inputs: view.inputs.iter().map(|input| PlanInput::of(*input)).collect(),
            vars: view.vars.to_vec(),
            node: view.node.map(|node| node.0),
        });
        let nodes = self.nodes.iter().enumerate().filter_map(|(at, node)| Some((at, node.as_ref()?)));
        let nodes = nodes.map(|(at, node)| PlanNode {
            id: at as u32,
            does: node.kind.describe(),
            inputs: node.inputs.iter().map(|port| PlanInput::from(*port)).collect(),
            members: (node.store.is_some() || !node.kind.needs_store()).then(|| node.cardinality()),
            users: node.users,
        });
        Plan { views: views.collect(), nodes: nodes.collect() }
    }
}

impl PlanInput {
    fn of(input: Input) -> Self {
        match input {
            Input::Var(var) => Self::Var(var, None),
            Input::View(ViewId(view)) => Self::View(view),
        }
    }
}

impl From<Port> for PlanInput {
    fn from(port: Port) -> Self {
        match port {
            Port::Members(var, facet) => Self::Var(var, Some(facet)),
            Port::Value(var) => Self::Var(var, None),
            Port::Node(NodeId(node)) => Self::Node(node),
        }
    }
}
