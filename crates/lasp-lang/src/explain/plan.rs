//! From what a host runs to the steps of an explanation.
//!
//! Local derivations are the host's views, which share, fuse and rewrite; derivations into replicated variables keep provenance
//! and run as they are written.

use super::model::{Derivation, Input, Plan, Step, VariableId};
use crate::host::HostPlan;
use crate::term::Handle;
use lasp_dataflow::{Facet, PlanInput, PlanNode, PlanView, VarId};
use std::collections::BTreeMap;

/// The plan of a host, with the derivations that it does not list.
pub(super) fn plan(host: &HostPlan, derivations: &[Derivation], id: &dyn Fn(Handle) -> Option<VariableId>) -> Plan {
    let reader = Reader {
        views: host.plan.views.iter().map(|view| (view.id, view)).collect(),
        variable: &|var: VarId| host.handles.get(&var).and_then(|handle| id(*handle)),
    };
    let nodes = in_order(&host.plan.nodes);
    let places: BTreeMap<u32, usize> = nodes.iter().enumerate().map(|(place, node)| (node.id, place)).collect();
    let mut steps: Vec<Step> = nodes.iter().map(|node| reader.step(node, &places)).collect();
    let replicated: Vec<Derivation> = derivations.iter().filter(|derivation| derivation.replicates).cloned().collect();
    steps.extend(Plan::as_written(&replicated).steps);
    Plan { steps }
}

/// Nodes, each after those it takes from.
fn in_order(nodes: &[PlanNode]) -> Vec<&PlanNode> {
    let by_id: BTreeMap<u32, &PlanNode> = nodes.iter().map(|node| (node.id, node)).collect();
    let mut done: BTreeMap<u32, bool> = BTreeMap::new();
    let mut ordered = Vec::with_capacity(nodes.len());
    for node in nodes {
        let mut open = vec![node];
        while let Some(&last) = open.last() {
            let first_visit = done.insert(last.id, true).is_none();
            let inputs = last.inputs.iter().filter_map(|input| match input {
                PlanInput::Node(id) if first_visit && !done.contains_key(id) => by_id.get(id).copied(),
                _ => None,
            });
            let before = open.len();
            let missing: Vec<&PlanNode> = inputs.collect();
            open.extend(missing);
            if open.len() == before {
                open.pop();
                if !ordered.iter().any(|placed: &&PlanNode| placed.id == last.id) {
                    ordered.push(last);
                }
            }
        }
    }
    ordered
}

struct Reader<'a> {
    views: BTreeMap<u32, &'a PlanView>,
    variable: &'a dyn Fn(VarId) -> Option<VariableId>,
}

impl Reader<'_> {
    fn step(&self, node: &PlanNode, places: &BTreeMap<u32, usize>) -> Step {
        let computed: Vec<&PlanView> = self.views.values().copied().filter(|view| view.node == Some(node.id)).collect();
        let stages = computed.first().map(|view| self.stages(view, &node.does));
        let mut made = Vec::new();
        if let Some(stages) = stages.as_ref().filter(|stages| stages.len() > 1) {
            made.push(format!("{} in one", stages.len()));
        }
        let is_join = node.does.starts_with("join(");
        if is_join && computed.iter().all(|view| !view.operator.starts_with("join(")) {
            made.push("a filter over a product".to_owned());
        }
        let gives: Vec<VariableId> =
            computed.iter().flat_map(|view| &view.vars).filter_map(|var| (self.variable)(*var)).collect();
        if gives.len() > 1 {
            made.push(format!("shared by {} equal derivations", gives.len()));
        }
        Step {
            stages: stages.unwrap_or_else(|| vec![node.does.clone()]),
            inputs: node.inputs.iter().filter_map(|input| self.input(*input, places)).collect(),
            gives,
            materialized: node.members.is_some(),
            made: Some(made.join(", ")).filter(|made| !made.is_empty()),
        }
    }

    /// What a node does, from first to last: the operators of the views in its chain where they are all of it.
    fn stages(&self, view: &PlanView, does: &str) -> Vec<String> {
        let mut stages = vec![view.operator.clone()];
        let mut at = view;
        while stages.join(" | ").len() < does.len() {
            let Some(PlanInput::View(input)) = at.inputs.first() else {
                break;
            };
            let Some(before) = self.views.get(input) else {
                break;
            };
            at = before;
            stages.insert(0, at.operator.clone());
        }
        if stages.join(" | ") == does { stages } else { vec![does.to_owned()] }
    }

    fn input(&self, input: PlanInput, places: &BTreeMap<u32, usize>) -> Option<Input> {
        match input {
            PlanInput::Var(var, part) => {
                let part = part.filter(|part| *part != Facet::Elements).map(Facet::name);
                Some(Input::Variable((self.variable)(var)?, part))
            }
            PlanInput::Node(node) => places.get(&node).copied().map(Input::Step),
            PlanInput::View(_) => None,
        }
    }
}
