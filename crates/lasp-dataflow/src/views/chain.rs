//! `map`, `filter` and `flat_map`, any number of them in a row, as one step: each element runs through all of them before the
//! next one does, and nothing in between is kept (path contraction: Meiklejohn and Van Roy, "Dynamic Path Contraction for
//! Distributed, Dynamic Dataflow Languages", 2016).

use super::ViewId;
use super::change::{Change, Emitter, Failure};
use crate::operator::{Function, FunctionError};
use crate::value::{MAX_VALUE_DEPTH, NotThatKind, Value};
use std::slice;

/// One operator of a chain.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) does: Does,
    pub(crate) function: Function,
    /// The view that it computes.
    pub(crate) view: ViewId,
}

/// What a stage does with its function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    Map,
    Filter,
    FlatMap,
}

impl Does {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Map => "map",
            Self::Filter => "filter",
            Self::FlatMap => "flat_map",
        }
    }
}

/// Sends changes through all stages. A function is called for what goes as it is for what comes: it is pure, so that it
/// gives the same.
pub(crate) fn run(stages: &[Stage], changes: &[Change], out: &mut Emitter) {
    out.changes.reserve(changes.len());
    for change in changes {
        pass(stages, &change.member, change.weight, out);
    }
}

fn pass(stages: &[Stage], member: &Value, weight: i64, out: &mut Emitter) {
    let mut made: Option<Value> = None;
    for (at, stage) in stages.iter().enumerate() {
        let member = made.as_ref().unwrap_or(member);
        let result = stage.function.call(slice::from_ref(member));
        match (stage.does, result) {
            (Does::Filter, Ok(Value::Bool(true))) => {}
            (Does::Filter, Ok(Value::Bool(false))) => return,
            (Does::Map, Ok(image)) if image.nests_within(MAX_VALUE_DEPTH) => made = Some(image),
            (Does::FlatMap, Ok(Value::List(images))) if images.iter().all(|v| v.nests_within(MAX_VALUE_DEPTH)) => {
                images.iter().for_each(|image| pass(&stages[at + 1..], image, weight, out));
                return;
            }
            (_, result) => {
                out.failures.push(failure(stage, member, weight > 0, result));
                return;
            }
        }
    }
    out.emit(made.unwrap_or_else(|| member.clone()), weight);
}

#[cold]
fn failure(stage: &Stage, element: &Value, came: bool, result: Result<Value, FunctionError>) -> Failure {
    let error = match (stage.does, result) {
        (_, Err(error)) => error,
        (Does::Filter, Ok(odd)) => NotThatKind::new("a boolean from the predicate", &odd).to_string().into(),
        (Does::FlatMap, Ok(odd)) if !matches!(odd, Value::List(_)) => {
            NotThatKind::new("a list from the function", &odd).to_string().into()
        }
        _ => too_deep(),
    };
    Failure { came, view: Some(stage.view), operator: stage.does.name(), element: element.clone(), error }
}

/// Why a result is left out.
pub(crate) fn too_deep() -> FunctionError {
    FunctionError::new(format!("the result nests more than {MAX_VALUE_DEPTH} levels deep"))
}
