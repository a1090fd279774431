//! An explanation as one JSON object. Variables are named by their place in `variables`, from 0.

use lasp_lang::explain::{Derivation, Explanation, Input, Origin, Step, Variable};
use serde_json::{Value, json};

/// The object, indented, with a line end.
pub(super) fn render(explanation: &Explanation) -> String {
    let object = json!({
        "variables": explanation.variables.iter().map(variable).collect::<Vec<_>>(),
        "derivations": explanation.derivations.iter().map(derivation).collect::<Vec<_>>(),
        "reactions": explanation.reactions.iter().map(|reaction| json!({
            "what": reaction.what,
            "variable": reaction.variable,
            "node": reaction.node,
        })).collect::<Vec<_>>(),
        "plan": {
            "optimised": explanation.plan.is_optimised(),
            "steps": explanation.plan.steps.iter().map(step).collect::<Vec<_>>(),
        },
    });
    format!("{object:#}\n")
}

fn variable(variable: &Variable) -> Value {
    let (declared, derived) = match &variable.origin {
        Origin::Declared { name, derived_into } => (json!(name), *derived_into),
        Origin::Derived => (Value::Null, true),
    };
    json!({
        "name": variable.name,
        "type": variable.ty,
        "declared": declared,
        "derived": derived,
        "local": variable.origin == Origin::Derived,
        "monotone": variable.growth.name(),
        "elements": variable.size.elements,
        "bytes": variable.size.bytes,
        "failures": variable.failures.as_ref().map(|(count, last)| json!({"count": count, "last": last})),
    })
}

fn derivation(derivation: &Derivation) -> Value {
    json!({
        "node": derivation.node,
        "operator": derivation.operator,
        "replicates": derivation.replicates,
        "text": derivation.what,
        "inputs": derivation.inputs,
        "output": derivation.output,
        "class": derivation.class,
        "cost": derivation.cost,
    })
}

fn step(step: &Step) -> Value {
    let input = |input: &Input| match input {
        Input::Variable(id, part) => json!({"variable": id, "part": part}),
        Input::Step(place) => json!({"step": place}),
    };
    json!({
        "stages": step.stages,
        "inputs": step.inputs.iter().map(input).collect::<Vec<_>>(),
        "gives": step.gives,
        "materialized": step.materialized,
        "made": step.made,
    })
}
