//! The dataflow: which variables follow from which.

use super::State;
use super::input::Json;
use super::model::{Derivation, Flow, Problem};
use super::variables::variable;
use crate::control::answers::{Seen, elsewhere};
use lasp_dataflow::VarId;
use lasp_node::Node;
use std::collections::{BTreeMap, BTreeSet};

/// Derivations and variables shown, each.
const MAX: usize = 1000;

struct Looked {
    seen: Vec<Seen>,
    derivations: Vec<Derivation>,
    total: u64,
}

/// The dataflow at the node: derivations and the variables that take part in them.
#[utoipa::path(get, path = "/api/v1/dataflow", responses((status = 200, body = Flow)))]
pub(super) async fn dataflow(state: State) -> Result<Json<Flow>, Problem> {
    Ok(Json(flow_of(&state).await?))
}

pub(super) async fn flow_of(shared: &super::Shared) -> Result<Flow, Problem> {
    let Looked { seen, derivations, total } = shared.lasp.inspect(look).await?;
    let recorder = shared.recorder.clone();
    let variables = elsewhere(move || seen.into_iter().map(|seen| variable(seen, &recorder)).collect()).await?;
    Ok(Flow { variables, derivations, total })
}

fn look(node: &Node) -> Looked {
    let graph = node.graph();
    let plan = graph.plan();
    let members: BTreeMap<u32, usize> =
        plan.nodes.iter().filter_map(|node| node.members.map(|members| (node.id, members))).collect();
    let held: BTreeMap<VarId, usize> = plan
        .views
        .iter()
        .filter_map(|view| Some((view, *members.get(&view.node?)?)))
        .flat_map(|(view, members)| view.vars.iter().map(move |&var| (var, members)))
        .collect();
    let name = |var: VarId| graph.info(var).map_or_else(|| format!("{var:?}"), |info| info.name.to_string());
    let (mut taking_part, mut derivations, mut total) = (BTreeSet::new(), Vec::new(), 0);
    for info in graph.derivations() {
        total += 1;
        if derivations.len() == MAX || taking_part.len() >= MAX {
            continue;
        }
        taking_part.extend(info.inputs.iter().copied().chain([info.output]));
        derivations.push(Derivation {
            operator: info.operator,
            inputs: info.inputs.iter().map(|&var| name(var)).collect(),
            output: name(info.output),
            members: held.get(&info.output).map(|&members| members as u64),
        });
    }
    let seen = taking_part.into_iter().filter_map(|var| Seen::of(node, var)).collect();
    Looked { seen, derivations, total }
}
