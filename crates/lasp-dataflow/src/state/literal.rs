//! States written as values: what `bind` joins in and what thresholds compare with.
//!
//! Only types whose states are determined by a value take part. Counters, registers in which a write replaces others, and
//! all types that live in a causal context record who did what, which no value can say.

use super::{Slot, State};
use crate::op::as_edge;
use crate::types::Type;
use crate::value::Value;
use lasp_crdt::{Boolean, GGraph, GMap, IVar, Lattice, MaxRegister, MinRegister, TwoPGraph, TwoPSet};
use thiserror::Error;

/// A value that is no state of a type.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a state of {ty} is {expected}, not {found}")]
pub struct LiteralError {
    /// The type.
    pub ty: Type,
    /// How its states are written.
    pub expected: &'static str,
    /// The value.
    pub found: Value,
}

impl State {
    /// The state of type `ty` that `value` stands for; `undefined` is bottom. Of a type that remembers what was removed it is
    /// the one in which nothing was.
    ///
    /// # Errors
    /// [`LiteralError`] where the type's states have no such form.
    pub fn from_value(ty: &Type, value: &Value) -> Result<Self, LiteralError> {
        let error = |expected| LiteralError { ty: ty.clone(), expected, found: value.clone() };
        if matches!(value, Value::Atom(name) if **name == *"undefined") {
            return Ok(Self::bottom(ty));
        }
        match (ty, value) {
            (Type::GSet, Value::List(items)) => Ok(Self::GSet(items.iter().cloned().collect())),
            (Type::TwoPSet, Value::List(items)) => Ok(Self::TwoPSet(TwoPSet::new().add_all(items.iter().cloned()))),
            (Type::Max, _) => Ok(Self::Max(MaxRegister::new().write(Some(value.clone())))),
            (Type::Min, _) => Ok(Self::Min(MinRegister::new().write(value.clone()))),
            (Type::Boolean, Value::Bool(true)) => Ok(Self::Boolean(Boolean::default().enable())),
            (Type::Boolean, Value::Bool(false)) => Ok(Self::bottom(ty)),
            (Type::IVar, _) => Ok(Self::IVar(IVar::new().set(value.clone()).unwrap_or_default())),
            (Type::GMap(inner), Value::Map(entries)) => {
                let mut map = GMap::new();
                for (key, value) in entries.iter() {
                    map.merge(GMap::single(key.clone(), Slot::from(Self::from_value(inner, value)?)));
                }
                Ok(Self::GMap(map))
            }
            (Type::Pair(first, second), Value::Tuple(items)) => match &**items {
                [x, y] => Ok(Self::Pair(Box::new((Self::from_value(first, x)?, Self::from_value(second, y)?)))),
                _ => Err(error(form(ty))),
            },
            (Type::GGraph, _) => match GraphLiteral::of(value) {
                Some(GraphLiteral { vertices, edges }) => {
                    let mut graph = GGraph::new().add_vertices(vertices);
                    graph.merge(GGraph::new().add_edges(edges));
                    Ok(Self::GGraph(graph))
                }
                None => Err(error(form(ty))),
            },
            (Type::TwoPGraph, _) => match GraphLiteral::of(value) {
                Some(literal) => Ok(Self::TwoPGraph(Box::new(literal.two_phase()))),
                None => Err(error(form(ty))),
            },
            _ => Err(error(form(ty))),
        }
    }
}

/// A graph written as `#{vertices => [V, ...], edges => [{V, W}, ...]}`, either of which may be left out.
pub(crate) struct GraphLiteral {
    pub(crate) vertices: Vec<Value>,
    pub(crate) edges: Vec<(Value, Value)>,
}

impl GraphLiteral {
    /// What `value` stands for, if it is of this form.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        let Value::Map(entries) = value else { return None };
        let mut graph = Self { vertices: Vec::new(), edges: Vec::new() };
        for (key, value) in entries.iter() {
            let (Value::Atom(part), Value::List(items)) = (key, value) else { return None };
            match &**part {
                "vertices" => graph.vertices = items.to_vec(),
                "edges" => {
                    let edges = items.iter().map(|edge| as_edge(edge).map(|(from, to)| (from.clone(), to.clone())));
                    graph.edges = edges.collect::<Option<_>>()?;
                }
                _ => return None,
            }
        }
        Some(graph)
    }

    /// The ends of edges are vertices, named or not.
    fn two_phase(self) -> TwoPGraph<Value> {
        let ends = self.edges.iter().flat_map(|(from, to)| [from.clone(), to.clone()]);
        let mut graph = TwoPGraph::new().add_vertices(self.vertices.iter().cloned().chain(ends));
        for (from, to) in self.edges {
            let edge = graph.add_edge(from, to).expect("both ends were just added");
            graph.merge(edge);
        }
        graph
    }
}

fn form(ty: &Type) -> &'static str {
    match ty {
        Type::GSet | Type::TwoPSet => "a list",
        Type::Boolean => "true or false",
        Type::GMap(_) => "a map",
        Type::Pair(..) => "a tuple of two values",
        Type::Max | Type::Min | Type::IVar => "a value",
        Type::Summary => "what a fold came to, with what it was folded from, which no value can stand for; use fold",
        Type::GGraph | Type::TwoPGraph => "a map #{vertices => [V, ...], edges => [{V, W}, ...]}",
        Type::AwSet
        | Type::RwSet
        | Type::GCounter
        | Type::PnCounter
        | Type::LexCounter
        | Type::BCounter
        | Type::EwFlag
        | Type::DwFlag
        | Type::LwwRegister
        | Type::MvRegister
        | Type::AwMap(_)
        | Type::MvMap
        | Type::AwGraph => "a record of who did what, which no value can stand for; use update",
    }
}
