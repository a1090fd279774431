//! Where things come from: who changed a variable last, and why an element is in a set.

use super::State;
use super::cluster::{PART, bounds};
use super::input::{Json, Named, Params};
use super::model::{Changed, Element, Origin, Origins, Part, Problem};
use super::variables::shortened;
use crate::control::answers::{Seen, elsewhere, node_of};
use lasp_crdt::{BaseId, Dot, Support};
use lasp_dataflow::{Cause, Output, Value, VarId};
use lasp_node::Node;
use lasp_overlay::PeerId;
use std::collections::BTreeMap;

/// Reasons told of one element. A guess: more than anybody reads.
const MAX_REASONS: usize = 64;

fn origin(variable: Option<String>, dot: Dot, node: Option<PeerId>) -> Origin {
    let node = node.map(|peer| peer.to_string());
    Origin { variable, replica: dot.replica.to_string(), node, event: dot.counter }
}

/// How a variable came to be as it was seen.
pub(super) fn changed(seen: &Seen) -> Option<Changed> {
    let (change, at_ms, node) = seen.changed?;
    let how = match change.cause {
        Cause::Local => "here",
        Cause::Received => "received",
        Cause::Derived => "derived",
    };
    Some(Changed {
        at_ms,
        how: how.to_owned(),
        from: change.from.map(|peer| peer.to_string()),
        by: change.author.map(|dot| origin(Some(seen.name.clone()), dot, node)),
    })
}

/// Where the elements of a set come from: for each the additions that keep it there, here or in the sets that it follows from.
#[utoipa::path(get, path = "/api/v1/variables/{name}/origins",
    params(("name" = String, Path, description = "Its name."), Part),
    responses((status = 200, body = Origins), (status = 404, body = Problem)))]
pub(super) async fn origins(
    state: State,
    Named(name): Named,
    Params(part): Params<Part>,
) -> Result<Json<Origins>, Problem> {
    bounds(part.offset, part.limit, PART, 0)?;
    let var = state.answers.find(&name).await?.var;
    let output = state.lasp.query(var).await?;
    let cut = elsewhere(move || {
        let Output::Set(items) = output else { return Ok((0, Vec::new(), None)) };
        let (from, to, next) = bounds(part.offset, part.limit, PART, items.len())?;
        let elements: Vec<Value> = items.iter().skip(from).take(to - from).cloned().collect();
        Ok::<_, Problem>((items.len() as u64, elements, next))
    });
    let (total, elements, next) = cut.await??;
    let (known, elements) = state.lasp.inspect(move |node| look(node, var, &elements)).await?;
    Ok(Json(Origins { name, known, total, elements, next }))
}

/// Whether a variable tells where its elements come from, and where these do. Cost: the derivations and the reasons.
fn look(node: &Node, var: VarId, elements: &[Value]) -> (bool, Vec<Element>) {
    let graph = node.graph();
    let (Some(info), Some(state)) = (graph.info(var), graph.state(var)) else { return (false, Vec::new()) };
    let known = matches!(state, lasp_dataflow::State::AwSet(_)) && !(info.local && info.read_only);
    let bases = bases(node, var);
    let own = BaseId::of(info.name.as_str());
    let told = |support: &Support| {
        let tell = |event: &lasp_crdt::Event| {
            origin(bases.get(&event.base).cloned(), event.dot, node_of(node, event.dot.replica))
        };
        support.events().iter().map(tell).collect()
    };
    let element = |element: &Value| {
        let reasons = if known { state.reasons(own, element) } else { Vec::new() };
        Element {
            element: shortened(element.to_string()),
            reasons: reasons.iter().take(MAX_REASONS).map(told).collect(),
        }
    };
    (known, elements.iter().map(element).collect())
}

/// The names of the variables that one follows from, and its own, by what they are called in supports.
fn bases(node: &Node, var: VarId) -> BTreeMap<BaseId, String> {
    let graph = node.graph();
    let mut inputs: BTreeMap<VarId, Vec<VarId>> = BTreeMap::new();
    for derivation in graph.derivations() {
        inputs.entry(derivation.output).or_default().extend(derivation.inputs);
    }
    let (mut bases, mut open) = (BTreeMap::new(), vec![var]);
    while let Some(var) = open.pop() {
        let Some(info) = graph.info(var) else { continue };
        let name = info.name.to_string();
        if bases.insert(BaseId::of(info.name.as_str()), name).is_none() {
            open.extend(inputs.get(&var).into_iter().flatten());
        }
    }
    bases
}
