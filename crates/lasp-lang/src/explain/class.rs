//! What each operator is in the algebra, what a change costs it, and what becomes of growth on the way through it.

use super::model::Growth;
use lasp_dataflow::{Aggregate, Operator, Type};

/// What a fold is that travels.
pub(super) const NEWEST: &str = "not a morphism; of what nodes fold, the result of those who have the most is kept";

/// An operator's algebra, and what a change costs; a `map` of a variable that is no collection takes its value.
pub(super) fn class(operator: &Operator, of_a_scalar: bool) -> (&'static str, &'static str) {
    match operator {
        Operator::Map(_) if of_a_scalar => ("computed of the value", "one call for each change"),
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

/// How costs of aggregates compare: several cost what the dearest does.
fn dearness(aggregate: &Aggregate) -> u8 {
    match aggregate {
        Aggregate::Count | Aggregate::Sum | Aggregate::Avg => 0,
        Aggregate::Custom { inverse: Some(_), .. } => 1,
        Aggregate::Min | Aggregate::Max => 2,
        Aggregate::Custom { inverse: None, .. } => 3,
        Aggregate::Of(_, inner) => dearness(inner).max(1),
        Aggregate::All(all) => all.iter().map(dearness).max().unwrap_or(0),
    }
}

fn aggregate_cost(aggregate: &Aggregate) -> &'static str {
    match dearness(aggregate) {
        0 => "constant time for each changed element",
        1 => "one call for each changed element",
        2 => "logarithmic time for each changed element",
        _ => "one call for each new element; after a removal, one for each element left",
    }
}

fn group_cost(aggregate: &Aggregate) -> &'static str {
    match dearness(aggregate) {
        0 => "one key for each changed element",
        1 => "one key and one call for each changed element",
        2 => "one key for each changed element, and the logarithm of its group's size",
        _ => "one key and one call for each new element; after a removal, a call for each element left in the group",
    }
}

/// How a variable of this type grows.
pub(super) fn growth(ty: &Type) -> Growth {
    let both = |a: Growth, b: Growth| if a == b { a } else { Growth::Metadata };
    match ty {
        Type::GSet | Type::GCounter | Type::Max | Type::Min | Type::Boolean | Type::IVar | Type::GGraph => {
            Growth::Value
        }
        Type::GMap(value) => growth(value),
        Type::Pair(first, second) => both(growth(first), growth(second)),
        Type::AwSet
        | Type::TwoPSet
        | Type::RwSet
        | Type::PnCounter
        | Type::LexCounter
        | Type::BCounter
        | Type::EwFlag
        | Type::DwFlag
        | Type::LwwRegister
        | Type::MvRegister
        | Type::Summary
        | Type::AwMap(_)
        | Type::MvMap
        | Type::TwoPGraph
        | Type::AwGraph => Growth::Metadata,
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
