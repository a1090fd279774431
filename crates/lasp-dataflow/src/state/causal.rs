//! Operations on the types that live in a causal context, alone or below a key of an add-wins map: each gives a delta.

use super::apply::Author;
use super::nested::Nested;
use crate::op::{Op, OpError};
use crate::types::Type;
use crate::value::Value;
use lasp_crdt::flag::{DisableDots, EnableDots};
use lasp_crdt::{
    AwGraph, AwMap, AwSet, DotStore, Dotted, DwFlag, Elements, EwFlag, GraphDots, Keys, MvMap, MvRegister, RwElements,
    RwSet, Values, View,
};

fn unsupported<T>(op: &Op, ty: &Type) -> Result<T, OpError> {
    Err(OpError::unsupported(op.name(), ty))
}

/// The delta that removes all that is in a store.
fn clear<S: DotStore>(view: View<'_, S>) -> Dotted<S> {
    Dotted::with_context(S::default(), view.store().live())
}

pub(super) fn aw_set(set: View<'_, Elements<Value>>, op: &Op, by: Author) -> Result<AwSet<Value>, OpError> {
    match op {
        Op::Add(element) => Ok(set.add(by.replica, element.clone())),
        Op::AddAll(all) => Ok(set.add_all(by.replica, all.iter().cloned())),
        Op::Remove(element) => Ok(set.remove(element)),
        Op::RemoveAll(all) => Ok(set.remove_all(all)),
        Op::Clear => Ok(clear(set)),
        _ => unsupported(op, &Type::AwSet),
    }
}

pub(super) fn rw_set(set: View<'_, RwElements<Value>>, op: &Op, by: Author) -> Result<RwSet<Value>, OpError> {
    match op {
        Op::Add(element) => Ok(set.add(by.replica, element.clone())),
        Op::AddAll(all) => Ok(set.add_all(by.replica, all.iter().cloned())),
        Op::Remove(element) => Ok(set.remove(by.replica, element.clone())),
        Op::RemoveAll(all) => Ok(set.remove_all(by.replica, all.iter().cloned())),
        Op::Clear => Ok(clear(set)),
        _ => unsupported(op, &Type::RwSet),
    }
}

pub(super) fn ew_flag(flag: View<'_, EnableDots>, op: &Op, by: Author) -> Result<EwFlag, OpError> {
    match op {
        Op::Enable => Ok(flag.enable(by.replica)),
        Op::Disable => Ok(flag.disable()),
        _ => unsupported(op, &Type::EwFlag),
    }
}

pub(super) fn dw_flag(flag: View<'_, DisableDots>, op: &Op, by: Author) -> Result<DwFlag, OpError> {
    match op {
        Op::Enable => Ok(flag.enable()),
        Op::Disable => Ok(flag.disable(by.replica)),
        _ => unsupported(op, &Type::DwFlag),
    }
}

pub(super) fn mv_register(
    register: View<'_, Values<Value>>,
    op: &Op,
    by: Author,
) -> Result<MvRegister<Value>, OpError> {
    match op {
        Op::Set(x) => Ok(register.write(by.replica, x.clone())),
        Op::Clear => Ok(clear(register)),
        _ => unsupported(op, &Type::MvRegister),
    }
}

pub(super) fn mv_map(
    map: View<'_, Keys<Value, MvRegister<Value>>>,
    op: &Op,
    by: Author,
) -> Result<MvMap<Value, Value>, OpError> {
    match op {
        Op::Apply(key, op) => map.try_apply(key.clone(), |register| mv_register(register, op, by)),
        Op::RemoveKeys(keys) => Ok(map.remove_all(keys)),
        Op::Clear => Ok(clear(map)),
        _ => unsupported(op, &Type::MvMap),
    }
}

/// Of the map type `ty`.
pub(super) fn aw_map(
    map: View<'_, Keys<Value, Dotted<Nested>>>,
    ty: &Type,
    op: &Op,
    by: Author,
) -> Result<AwMap<Value, Dotted<Nested>>, OpError> {
    match (ty, op) {
        (Type::AwMap(inner), Op::Apply(key, op)) => map.try_apply(key.clone(), |value| nested(value, inner, op, by)),
        (_, Op::RemoveKeys(keys)) => Ok(map.remove_all(keys)),
        (_, Op::Clear) => Ok(clear(map)),
        _ => unsupported(op, ty),
    }
}

pub(super) fn aw_graph(graph: View<'_, GraphDots<Value>>, op: &Op, by: Author) -> Result<AwGraph<Value>, OpError> {
    match op {
        Op::AddVertices(all) => Ok(graph.add_vertices(by.replica, all.iter().cloned())),
        Op::RemoveVertices(all) => Ok(graph.remove_vertices(all)),
        Op::AddEdges(all) => Ok(graph.add_edges(by.replica, all.iter().cloned())),
        Op::RemoveEdges(all) => Ok(graph.remove_edges(all)),
        Op::Clear => Ok(clear(graph)),
        _ => unsupported(op, &Type::AwGraph),
    }
}

/// An operation on what is below a key of an add-wins map, of type `ty`.
fn nested(view: View<'_, Nested>, ty: &Type, op: &Op, by: Author) -> Result<Dotted<Nested>, OpError> {
    match (view.store(), ty) {
        (Nested::Nothing, _) if ty.nests_in_awmap() => nested(view.of(&Nested::bottom(ty)), ty, op, by),
        (Nested::AwSet(set), _) => aw_set(view.of(set), op, by).map(|delta| lift(delta, Nested::AwSet)),
        (Nested::RwSet(set), _) => rw_set(view.of(set), op, by).map(|delta| lift(delta, Nested::RwSet)),
        (Nested::EwFlag(flag), _) => ew_flag(view.of(flag), op, by).map(|delta| lift(delta, Nested::EwFlag)),
        (Nested::DwFlag(flag), _) => dw_flag(view.of(flag), op, by).map(|delta| lift(delta, Nested::DwFlag)),
        (Nested::MvRegister(values), _) => {
            mv_register(view.of(values), op, by).map(|delta| lift(delta, Nested::MvRegister))
        }
        (Nested::AwMap(map), _) => aw_map(view.of(map), ty, op, by).map(|delta| lift(delta, Nested::AwMap)),
        (Nested::MvMap(map), _) => mv_map(view.of(map), op, by).map(|delta| lift(delta, Nested::MvMap)),
        (Nested::AwGraph(graph), _) => aw_graph(view.of(graph), op, by).map(|delta| lift(delta, Nested::AwGraph)),
        (Nested::Pair(halves), Type::Pair(first, second)) => pair(view, halves, (first, second), op, by),
        _ => unsupported(op, ty),
    }
}

fn pair(
    view: View<'_, Nested>,
    halves: &(Nested, Nested),
    types: (&Type, &Type),
    op: &Op,
    by: Author,
) -> Result<Dotted<Nested>, OpError> {
    let (first, second) = halves;
    match op {
        Op::Fst(op) => {
            let (delta, context) = nested(view.of(first), types.0, op, by)?.into_parts();
            Ok(Dotted::with_context(Nested::Pair(Box::new((delta, second.bottom_alike()))), context))
        }
        Op::Snd(op) => {
            let (delta, context) = nested(view.of(second), types.1, op, by)?.into_parts();
            Ok(Dotted::with_context(Nested::Pair(Box::new((first.bottom_alike(), delta))), context))
        }
        _ => unsupported(op, &Type::Pair(Box::new(types.0.clone()), Box::new(types.1.clone()))),
    }
}

/// A delta of one store as one of what may be below a key.
fn lift<S: DotStore, B: From<S>>(delta: Dotted<S>, wrap: fn(B) -> Nested) -> Dotted<Nested> {
    let (store, context) = delta.into_parts();
    Dotted::with_context(wrap(store.into()), context)
}
