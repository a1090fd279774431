//! What each operator is in the algebra, what a change costs it, and what becomes of growth on the way through it.

use super::model::Growth;
use lasp_dataflow::{Aggregate, Operator, Type};

/// An operator's algebra, and what a change costs.
pub(super) fn class(operator: &Operator) -> (&'static str, &'static str) {
    match operator {
        Operator::Map(_) | Operator::Filter(_) => ("morphism", "one call for each new element, none for a removed one"),
        Operator::FlatMap(_) => ("morphism", "one call for each new element, and the size of what it gives"),
        Operator::View(_) | Operator::Union => ("morphism", "the change"),
        Operator::Intersection => ("bimorphism", "one look-up for each changed element"),
        Operator::Product => ("bimorphism", "each changed element with all of the other side"),
        Operator::Join { .. } => ("bimorphism", "one key for each changed element, and its partners"),
        Operator::Difference => ("morphism in its metadata only", "one look-up for each changed element"),
        Operator::Reached(_) => ("morphism where its input's value only grows", "constant time for each change"),
        Operator::Fold(aggregate) => ("not a morphism", aggregate_cost(aggregate)),
        Operator::Group { aggregate, .. } => ("not a morphism", group_cost(aggregate)),
    }
}

fn aggregate_cost(aggregate: &Aggregate) -> &'static str {
    match aggregate {
        Aggregate::Count | Aggregate::Sum | Aggregate::Avg => "constant time for each changed element",
        Aggregate::Min | Aggregate::Max => "logarithmic time for each changed element",
        Aggregate::Of(..) => "one call for each changed element, and what the aggregate costs",
        Aggregate::All(_) => "what its aggregates cost together",
        Aggregate::Custom { inverse: Some(_), .. } => "one call for each changed element",
        Aggregate::Custom { inverse: None, .. } => {
            "one call for each new element; after a removal, one for each element left"
        }
    }
}

fn group_cost(aggregate: &Aggregate) -> &'static str {
    match aggregate {
        Aggregate::Custom { inverse: None, .. } => {
            "one key and one call for each new element; after a removal, one for each element left of its group"
        }
        _ => "one key for each changed element, and what the aggregate costs in its group",
    }
}

/// How a variable of this type grows.
pub(super) fn growth(ty: &Type) -> Growth {
    let both = |a: Growth, b: Growth| if a == b { a } else { Growth::Metadata };
    match ty {
        Type::GSet | Type::GCounter | Type::Max | Type::Min | Type::Boolean | Type::IVar => Growth::Value,
        Type::GMap(value) => growth(value),
        Type::Pair(first, second) => both(growth(first), growth(second)),
        _ => Growth::Metadata,
    }
}

/// How the result of an operator grows whose inputs grow so.
pub(super) fn growth_through(operator: &Operator, inputs: &[Growth]) -> Growth {
    let all_grow = inputs.iter().all(|growth| *growth == Growth::Value);
    match operator {
        Operator::Difference => Growth::Metadata,
        Operator::Fold(Aggregate::Count | Aggregate::Max | Aggregate::Min) | Operator::Reached(_) if all_grow => {
            Growth::Value
        }
        Operator::Fold(_) | Operator::Group { .. } | Operator::Reached(_) => Growth::Replaced,
        _ if all_grow => Growth::Value,
        _ => Growth::Metadata,
    }
}
