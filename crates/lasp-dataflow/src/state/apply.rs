//! Operations on states: each gives the delta that does it, and changes nothing itself.

use super::{SetState, Slot, State};
use crate::op::{Op, OpError};
use crate::types::Type;
use crate::value::Value;
use lasp_crdt::{AwSet, Derived, GMap, IVar, Reading, ReplicaId, Stamp};
use std::cmp::Reverse;

/// On whose behalf, and when, an operation happens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Author {
    pub(crate) replica: ReplicaId,
    /// For types in which the last write counts.
    pub(crate) stamp: Stamp,
}

impl State {
    /// The delta that `op` makes on this state of type `ty`; bottom where it changes nothing. Cost: the size of the
    /// operation.
    pub(crate) fn apply(&self, ty: &Type, op: &Op, by: Author) -> Result<Self, OpError> {
        if !op.fits() {
            return Err(OpError::TooDeep);
        }
        self.delta_of(ty, op, by)
    }

    fn delta_of(&self, ty: &Type, op: &Op, by: Author) -> Result<Self, OpError> {
        match (self, ty, op) {
            (Self::GSet(set), _, Op::Add(element)) => Ok(Self::GSet(set.add(element.clone()))),
            (Self::GSet(set), _, Op::AddAll(all)) => Ok(Self::GSet(set.add_all(all.iter().cloned()))),
            (Self::AwSet(set), _, op) => aw_set(set.own(), op, by).ok_or_else(|| OpError::unsupported(op.name(), ty)),
            (Self::GCounter(counter), _, Op::Increment(n)) => Ok(Self::GCounter(counter.increment(by.replica, *n))),
            (Self::PnCounter(counter), _, Op::Increment(n)) => Ok(Self::PnCounter(counter.increment(by.replica, *n))),
            (Self::PnCounter(counter), _, Op::Decrement(n)) => Ok(Self::PnCounter(counter.decrement(by.replica, *n))),
            (Self::Max(register), _, Op::Set(x)) => Ok(Self::Max(register.write(Some(x.clone())))),
            (Self::Min(register), _, Op::Set(x)) => Ok(Self::Min(register.write(Some(Reverse(x.clone()))))),
            (Self::Boolean(flag), _, Op::Enable) => Ok(Self::Boolean(flag.enable())),
            (Self::IVar(register), _, Op::Set(x)) => set_once(register, x).map(Self::IVar),
            (Self::LwwRegister(register), _, Op::Set(x)) => {
                Ok(Self::LwwRegister(register.write_at(by.stamp.time, by.stamp.replica, x.clone())))
            }
            (Self::GMap(map), Type::GMap(inner), Op::Apply(key, op)) => {
                let held = map.get(key).and_then(Slot::get);
                let delta = match held {
                    Some(state) => state.delta_of(inner, op, by),
                    None => Self::bottom(inner).delta_of(inner, op, by),
                };
                Ok(Self::GMap(GMap::single(key.clone(), Slot::from(delta?))))
            }
            (Self::Pair(pair), Type::Pair(first, _), Op::Fst(op)) => {
                Ok(Self::Pair(Box::new((pair.0.delta_of(first, op, by)?, pair.1.bottom_alike()))))
            }
            (Self::Pair(pair), Type::Pair(_, second), Op::Snd(op)) => {
                Ok(Self::Pair(Box::new((pair.0.bottom_alike(), pair.1.delta_of(second, op, by)?))))
            }
            _ => Err(OpError::unsupported(op.name(), ty)),
        }
    }
}

/// `None` where sets do not offer the operation.
fn aw_set(own: &AwSet<Value>, op: &Op, by: Author) -> Option<State> {
    let delta = match op {
        Op::Add(element) => own.add(by.replica, element.clone()),
        Op::AddAll(all) => own.add_all(by.replica, all.iter().cloned()),
        Op::Remove(element) => own.remove(element),
        Op::RemoveAll(all) => own.remove_all(all),
        _ => return None,
    };
    Some(State::AwSet(SetState::new(delta, Derived::new())))
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
