//! Operations on states: each gives the delta that does it, and changes nothing itself.

use super::{Slot, State, causal};
use crate::op::{Op, OpError};
use crate::types::Type;
use crate::value::Value;
use lasp_crdt::{
    AwSet, BoundedCounter, GGraph, GMap, Graph, IVar, Lattice, NotEnoughRights, Reading, ReplicaId, Stamp, TwoPGraph,
    TwoPSet,
};

/// On whose behalf, and when, an operation happens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Author {
    pub(crate) replica: ReplicaId,
    /// For types in which the last write counts.
    pub(crate) stamp: Stamp,
}

impl State {
    /// The delta that `op` makes on this state of type `ty`; bottom where it changes nothing. Cost: the size of the
    /// operation, and of what it removes.
    pub(crate) fn apply(&self, ty: &Type, op: &Op, by: Author) -> Result<Self, OpError> {
        if !op.fits() {
            return Err(OpError::TooDeep);
        }
        self.delta_of(ty, op, by)
    }

    /// The delta that adds those elements of a list that are not there; none for types to which a value is not added but
    /// [joined](Self::from_value), and for other values.
    pub(crate) fn add_absent(&self, value: &Value, by: ReplicaId) -> Option<Self> {
        match (self, value) {
            (Self::AwSet(set), Value::List(items)) => {
                let absent = items.iter().filter(|item| !set.contains(item)).cloned();
                Some(Self::from(set.own().add_all(by, absent)))
            }
            (Self::RwSet(set), Value::List(items)) => {
                let absent = items.iter().filter(|item| !set.contains(item)).cloned();
                Some(Self::RwSet(Box::new(set.add_all(by, absent))))
            }
            _ => None,
        }
    }

    fn delta_of(&self, ty: &Type, op: &Op, by: Author) -> Result<Self, OpError> {
        match (self, ty, op) {
            (Self::GSet(set), _, Op::Add(element)) => Ok(Self::GSet(set.add(element.clone()))),
            (Self::GSet(set), _, Op::AddAll(all)) => Ok(Self::GSet(set.add_all(all.iter().cloned()))),
            (Self::AwSet(set), _, op) => {
                let delta: AwSet<Value> = causal::aw_set(set.own().view(), op, by)?;
                Ok(delta.into())
            }
            (Self::TwoPSet(set), _, op) => two_p_set(set, op).map(Self::TwoPSet),
            (Self::RwSet(set), _, op) => causal::rw_set(set.view(), op, by).map(Box::new).map(Self::RwSet),
            (Self::GCounter(counter), _, Op::Increment(n)) => {
                room(counter.value(), i128::from(*n))?;
                Ok(Self::GCounter(counter.increment(by.replica, *n)))
            }
            (Self::PnCounter(counter), _, Op::Increment(n)) => {
                room(counter.value(), i128::from(*n))?;
                Ok(Self::PnCounter(Box::new(counter.increment(by.replica, *n))))
            }
            (Self::PnCounter(counter), _, Op::Decrement(n)) => {
                room(counter.value(), -i128::from(*n))?;
                Ok(Self::PnCounter(Box::new(counter.decrement(by.replica, *n))))
            }
            (Self::LexCounter(counter), _, Op::Increment(n)) => {
                room(counter.value(), i128::from(*n))?;
                Ok(Self::LexCounter(counter.increment(by.replica, *n)))
            }
            (Self::LexCounter(counter), _, Op::Decrement(n)) => {
                room(counter.value(), -i128::from(*n))?;
                Ok(Self::LexCounter(counter.decrement(by.replica, *n)))
            }
            (Self::BCounter(counter), _, op) => b_counter(counter, op, by.replica).map(Self::BCounter),
            (Self::Max(register), _, Op::Set(x)) => Ok(Self::Max(register.write(Some(x.clone())))),
            (Self::Min(register), _, Op::Set(x)) => Ok(Self::Min(register.write(x.clone()))),
            (Self::Boolean(flag), _, Op::Enable) => Ok(Self::Boolean(flag.enable())),
            (Self::EwFlag(flag), _, op) => causal::ew_flag(flag.view(), op, by).map(Box::new).map(Self::EwFlag),
            (Self::DwFlag(flag), _, op) => causal::dw_flag(flag.view(), op, by).map(Box::new).map(Self::DwFlag),
            (Self::IVar(register), _, Op::Set(x)) => set_once(register, x).map(Self::IVar),
            (Self::LwwRegister(register), _, Op::Set(x)) => {
                Ok(Self::LwwRegister(register.write_at(by.stamp.time, by.stamp.replica, x.clone())))
            }
            (Self::MvRegister(register), _, op) => {
                causal::mv_register(register.view(), op, by).map(Box::new).map(Self::MvRegister)
            }
            (Self::GMap(map), Type::GMap(inner), Op::Apply(key, op)) => {
                let held = map.get(key).and_then(Slot::get);
                let delta = match held {
                    Some(state) => state.delta_of(inner, op, by),
                    None => Self::bottom(inner).delta_of(inner, op, by),
                };
                Ok(Self::GMap(GMap::single(key.clone(), Slot::from(delta?))))
            }
            (Self::AwMap(map), ty, op) => causal::aw_map(map.view(), ty, op, by).map(Box::new).map(Self::AwMap),
            (Self::MvMap(map), _, op) => causal::mv_map(map.view(), op, by).map(Box::new).map(Self::MvMap),
            (Self::Pair(pair), Type::Pair(first, _), Op::Fst(op)) => {
                Ok(Self::Pair(Box::new((pair.0.delta_of(first, op, by)?, pair.1.bottom_alike()))))
            }
            (Self::Pair(pair), Type::Pair(_, second), Op::Snd(op)) => {
                Ok(Self::Pair(Box::new((pair.0.bottom_alike(), pair.1.delta_of(second, op, by)?))))
            }
            (Self::GGraph(graph), _, op) => g_graph(graph, op).map(Self::GGraph),
            (Self::TwoPGraph(graph), _, op) => two_p_graph(graph, op).map(Box::new).map(Self::TwoPGraph),
            (Self::AwGraph(graph), _, op) => {
                causal::aw_graph(graph.view(), op, by).map(|delta| Self::AwGraph(Box::new(delta)))
            }
            _ => Err(OpError::unsupported(op.name(), ty)),
        }
    }
}

/// Refuses a change by which the sum, as far as it is known here, would leave the integers. What others count meanwhile
/// may still bring it there: then it stays at the end of the range.
fn room(value: impl Into<i128>, change: i128) -> Result<(), OpError> {
    let before = value.into();
    let after = before + change;
    i64::try_from(after).map(drop).map_err(|_| OpError::Overflow { before, after })
}

fn two_p_set(set: &TwoPSet<Value>, op: &Op) -> Result<TwoPSet<Value>, OpError> {
    match op {
        Op::Add(element) => Ok(set.add(element.clone())),
        Op::AddAll(all) => Ok(set.add_all(all.iter().cloned())),
        Op::Remove(element) => Ok(set.remove(element)),
        Op::RemoveAll(all) => Ok(set.remove_all(all)),
        _ => Err(OpError::unsupported(op.name(), &Type::TwoPSet)),
    }
}

fn b_counter(counter: &BoundedCounter, op: &Op, by: ReplicaId) -> Result<BoundedCounter, OpError> {
    let refused = |NotEnoughRights { asked, owned, .. }| OpError::NotEnoughRights { asked, owned };
    match op {
        Op::Increment(n) => {
            room(counter.value(), i128::from(*n))?;
            Ok(counter.increment(by, *n))
        }
        Op::Decrement(n) => counter.decrement(by, *n).map_err(refused),
        Op::Move(n, name) => match name.resolve(|_| None) {
            Some(to) => counter.transfer(by, to, *n).map_err(refused),
            None => Err(OpError::UnknownReplica { name: name.clone() }),
        },
        _ => Err(OpError::unsupported(op.name(), &Type::BCounter)),
    }
}

fn set_once(register: &IVar<Value>, value: &Value) -> Result<IVar<Value>, OpError> {
    register.set(value.clone()).map_err(|_| {
        let held = match register.get() {
            Reading::Unset => String::new(),
            Reading::Set(held) => held.to_string(),
            Reading::Conflict(least, greatest) => format!("{least} and {greatest}"),
        };
        OpError::AlreadySet { held: held.into(), refused: value.clone() }
    })
}

fn g_graph(graph: &GGraph<Value>, op: &Op) -> Result<GGraph<Value>, OpError> {
    match op {
        Op::AddVertices(all) => Ok(graph.add_vertices(all.iter().cloned())),
        Op::AddEdges(all) => Ok(graph.add_edges(all.iter().cloned())),
        _ => Err(OpError::unsupported(op.name(), &Type::GGraph)),
    }
}

/// Of a batch, all or nothing.
fn two_p_graph(graph: &TwoPGraph<Value>, op: &Op) -> Result<TwoPGraph<Value>, OpError> {
    let mut delta = TwoPGraph::new();
    match op {
        Op::AddVertices(all) => return Ok(graph.add_vertices(all.iter().cloned())),
        Op::RemoveVertices(all) => {
            for vertex in all {
                let part = graph.remove_vertex(vertex);
                delta.merge(part.map_err(|_| OpError::HasEdges { vertex: vertex.clone() })?);
            }
        }
        Op::AddEdges(all) => {
            for (from, to) in all {
                let part = graph.add_edge(from.clone(), to.clone());
                delta.merge(part.map_err(|_| {
                    let vertex = if graph.contains_vertex(from) { to } else { from };
                    OpError::MissingVertex { vertex: vertex.clone(), from: from.clone(), to: to.clone() }
                })?);
            }
        }
        Op::RemoveEdges(all) => {
            for (from, to) in all {
                delta.merge(graph.remove_edge(from, to));
            }
        }
        _ => return Err(OpError::unsupported(op.name(), &Type::TwoPGraph)),
    }
    Ok(delta)
}
