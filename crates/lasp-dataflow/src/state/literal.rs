//! States written as values: what `bind` joins in and what thresholds compare with.
//!
//! Only types whose states are determined by a value take part. Counters, add-wins sets and last-writer-wins registers
//! record who did what, which no value can say.

use super::{Slot, State};
use crate::types::Type;
use crate::value::Value;
use lasp_crdt::{Boolean, GMap, IVar, Lattice, MaxRegister};
use std::cmp::Reverse;
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
    /// The state of type `ty` that `value` stands for; `undefined` is bottom.
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
            (Type::Max, _) => Ok(Self::Max(MaxRegister::new().write(Some(value.clone())))),
            (Type::Min, _) => Ok(Self::Min(MaxRegister::new().write(Some(Reverse(value.clone()))))),
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
            _ => Err(error(form(ty))),
        }
    }
}

fn form(ty: &Type) -> &'static str {
    match ty {
        Type::GSet => "a list",
        Type::Boolean => "true or false",
        Type::GMap(_) => "a map",
        Type::Pair(..) => "a tuple of two values",
        Type::Max | Type::Min | Type::IVar => "a value",
        Type::AwSet | Type::GCounter | Type::PnCounter | Type::LwwRegister => {
            "a record of who did what, which no value can stand for; use update"
        }
    }
}
