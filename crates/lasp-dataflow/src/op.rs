//! Operations: what a program asks of a variable, as data.
//!
//! [`Op::from_value`] reads the language's forms (`increment`, `{add, X}`, `{apply, K, Op}`); applying one to a state is
//! [`State`](crate::State)'s part.

use crate::catalogue;
use crate::types::Type;
use crate::value::{MAX_VALUE_DEPTH, NotThatKind, Value};
use std::fmt;
use thiserror::Error;

/// One operation on one variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Adds an element to a set.
    Add(Value),
    /// Adds several elements at once.
    AddAll(Vec<Value>),
    /// Removes an element from a set; nothing where it is absent.
    Remove(Value),
    /// Removes several elements at once.
    RemoveAll(Vec<Value>),
    /// Adds to a counter.
    Increment(u64),
    /// Takes off a counter.
    Decrement(u64),
    /// Writes a register.
    Set(Value),
    /// Raises a flag.
    Enable,
    /// Applies an operation under a map's key.
    Apply(Value, Box<Self>),
    /// Applies an operation to a pair's first.
    Fst(Box<Self>),
    /// Applies an operation to a pair's second.
    Snd(Box<Self>),
}

/// An operation that a variable refuses. Its state is unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OpError {
    /// The type does not offer it.
    #[error("{ty} has no operation {op}; it offers {}", catalogue::forms(.ty))]
    Unsupported {
        /// What was asked.
        op: Box<str>,
        /// Of which type.
        ty: Type,
    },
    /// The operation's argument is of the wrong kind.
    #[error("{op} of {ty}: {problem}")]
    Argument {
        /// The operation's name.
        op: &'static str,
        /// The type.
        ty: Type,
        /// What is wrong.
        problem: NotThatKind,
    },
    /// A single-assignment register already has a value.
    #[error("already set to {held}; an ivar is set once, and {refused} is refused")]
    AlreadySet {
        /// What it holds.
        held: Box<str>,
        /// What was to be written.
        refused: Value,
    },
    /// A value nests deeper than messages can carry.
    #[error("the value nests more than {MAX_VALUE_DEPTH} levels deep")]
    TooDeep,
}

impl OpError {
    pub(crate) fn unsupported(op: impl fmt::Display, ty: &Type) -> Self {
        Self::Unsupported { op: op.to_string().into(), ty: ty.clone() }
    }
}

impl Op {
    /// Reads the language's form of an operation on a variable of type `ty`.
    ///
    /// # Errors
    /// [`OpError::Unsupported`] with the type's catalogue; [`OpError::Argument`].
    pub fn from_value(ty: &Type, form: &Value) -> Result<Self, OpError> {
        let Some((name, arguments)) = split(form) else {
            return Err(OpError::unsupported(form, ty));
        };
        let op = match (ty, name, arguments) {
            (Type::GSet | Type::AwSet, _, [argument]) => set_op(ty, name, argument)?,
            (Type::GCounter | Type::PnCounter, "increment", _) => {
                amount(ty, "increment", arguments)?.map(Self::Increment)
            }
            (Type::PnCounter, "decrement", _) => amount(ty, "decrement", arguments)?.map(Self::Decrement),
            (Type::Max | Type::Min | Type::IVar | Type::LwwRegister, "set", [x]) => Some(Self::Set(x.clone())),
            (Type::Boolean, "true" | "enable", []) => Some(Self::Enable),
            (Type::GMap(inner), "apply", [key, op]) => {
                Some(Self::Apply(key.clone(), Box::new(Self::from_value(inner, op)?)))
            }
            (Type::Pair(first, _), "fst", [op]) => Some(Self::Fst(Box::new(Self::from_value(first, op)?))),
            (Type::Pair(_, second), "snd", [op]) => Some(Self::Snd(Box::new(Self::from_value(second, op)?))),
            _ => None,
        };
        op.ok_or_else(|| OpError::unsupported(form, ty))
    }

    /// The operation's name in the language.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Add(_) => "add",
            Self::AddAll(_) => "add_all",
            Self::Remove(_) => "rmv",
            Self::RemoveAll(_) => "rmv_all",
            Self::Increment(_) => "increment",
            Self::Decrement(_) => "decrement",
            Self::Set(_) => "set",
            Self::Enable => "enable",
            Self::Apply(..) => "apply",
            Self::Fst(_) => "fst",
            Self::Snd(_) => "snd",
        }
    }

    /// Whether every value in it is shallow enough to be sent.
    pub(crate) fn fits(&self) -> bool {
        match self {
            Self::Add(v) | Self::Remove(v) | Self::Set(v) => v.nests_within(MAX_VALUE_DEPTH),
            Self::AddAll(all) | Self::RemoveAll(all) => all.iter().all(|v| v.nests_within(MAX_VALUE_DEPTH)),
            Self::Increment(_) | Self::Decrement(_) | Self::Enable => true,
            Self::Apply(key, op) => key.nests_within(MAX_VALUE_DEPTH) && op.fits(),
            Self::Fst(op) | Self::Snd(op) => op.fits(),
        }
    }
}

/// `name`, or `{name, arguments...}`.
fn split(form: &Value) -> Option<(&str, &[Value])> {
    match form {
        Value::Atom(name) => Some((name, &[])),
        Value::Bool(true) => Some(("true", &[])),
        Value::Tuple(items) => match items.split_first()? {
            (Value::Atom(name), arguments) => Some((name, arguments)),
            _ => None,
        },
        _ => None,
    }
}

fn set_op(ty: &Type, name: &str, argument: &Value) -> Result<Option<Op>, OpError> {
    let list = |op| {
        let items =
            <&[Value]>::try_from(argument).map_err(|problem| OpError::Argument { op, ty: ty.clone(), problem })?;
        Ok(items.to_vec())
    };
    Ok(match (name, argument) {
        ("add", Value::List(items)) => Some(Op::AddAll(items.to_vec())),
        ("add" | "add_element", _) => Some(Op::Add(argument.clone())),
        ("add_all", _) => Some(Op::AddAll(list("add_all")?)),
        ("rmv", _) if *ty == Type::AwSet => Some(Op::Remove(argument.clone())),
        ("rmv_all", _) if *ty == Type::AwSet => Some(Op::RemoveAll(list("rmv_all")?)),
        _ => None,
    })
}

/// The counter's step: one where none is given; `None` where there is more than one argument.
fn amount(ty: &Type, op: &'static str, arguments: &[Value]) -> Result<Option<u64>, OpError> {
    match arguments {
        [] => Ok(Some(1)),
        [n] => match u64::try_from(n) {
            Ok(n) => Ok(Some(n)),
            Err(problem) => Err(OpError::Argument { op, ty: ty.clone(), problem }),
        },
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(ty: &str, form: Value) -> Result<Op, String> {
        Op::from_value(&ty.parse().expect("a type"), &form).map_err(|e| e.to_string())
    }

    fn call(name: &str, argument: impl Into<Value>) -> Value {
        Value::tuple([Value::atom(name), argument.into()])
    }

    #[test]
    fn the_forms_of_the_language_are_read() {
        let one_two = vec![Value::Int(1), Value::Int(2)];
        assert_eq!(read("set", call("add", 1)), Ok(Op::Add(Value::Int(1))));
        assert_eq!(read("set", call("add", one_two.clone())), Ok(Op::AddAll(one_two.clone())));
        assert_eq!(read("set", call("add_element", one_two.clone())), Ok(Op::Add(one_two.clone().into())));
        assert_eq!(read("gset", call("add_all", one_two.clone())), Ok(Op::AddAll(one_two.clone())));
        assert_eq!(read("set", call("rmv", one_two.clone())), Ok(Op::Remove(one_two.clone().into())));
        assert_eq!(read("set", call("rmv_all", one_two.clone())), Ok(Op::RemoveAll(one_two)));
        assert_eq!(read("gcounter", Value::atom("increment")), Ok(Op::Increment(1)));
        assert_eq!(read("pncounter", call("decrement", 3)), Ok(Op::Decrement(3)));
        assert_eq!(read("max", call("set", 3)), Ok(Op::Set(Value::Int(3))));
        assert_eq!(read("boolean", Value::Bool(true)), Ok(Op::Enable));
        assert_eq!(read("boolean", Value::atom("enable")), Ok(Op::Enable));
        let apply = Value::tuple([Value::atom("apply"), Value::from("n1"), call("fst", true)]);
        let expected = Op::Apply("n1".into(), Box::new(Op::Fst(Box::new(Op::Enable))));
        assert_eq!(read("gmap(pair(boolean, boolean))", apply), Ok(expected));
    }

    #[test]
    fn what_a_type_does_not_offer_is_refused_with_its_catalogue() {
        let error = read("gcounter", Value::atom("decrement")).unwrap_err();
        assert_eq!(error, "gcounter has no operation decrement; it offers increment, {increment, N}");
        let error = read("gset", call("rmv", 1)).unwrap_err();
        assert_eq!(error, "gset has no operation {rmv, 1}; it offers {add, E}, {add_element, E}, {add_all, L}");
        assert!(
            read("gmap(boolean)", Value::tuple([Value::atom("apply"), 1.into(), Value::atom("increment")])).is_err()
        );
        assert!(read("set", Value::tuple(Vec::<Value>::new())).is_err());
        assert!(read("set", Value::Int(1)).is_err());
    }

    #[test]
    fn an_argument_of_the_wrong_kind_is_named() {
        let error = read("gcounter", call("increment", -1)).unwrap_err();
        assert_eq!(error, "increment of gcounter: expected an integer that is not negative, found an integer -1");
        let error = read("set", call("add_all", 1)).unwrap_err();
        assert_eq!(error, "add_all of awset: expected a list, found an integer 1");
    }
}
