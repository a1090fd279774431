//! Operations: what a program asks of a variable, as data.
//!
//! [`Op::from_value`] reads the language's forms (`increment`, `{add, X}`, `{apply, K, Op}`); applying one to a state is
//! [`State`](crate::State)'s part. An operation names another replica as the program does ([`ReplicaName`]); who knows
//! the names resolves them ([`Op::resolve`]).

use crate::catalogue;
use crate::types::Type;
use crate::value::{MAX_VALUE_DEPTH, NotThatKind, Value};
use lasp_crdt::ReplicaId;
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
    /// Gives rights to decrement a bounded counter to another replica.
    Move(u64, ReplicaName),
    /// Writes a register.
    Set(Value),
    /// Raises a flag.
    Enable,
    /// Lowers a flag.
    Disable,
    /// Removes all that is there.
    Clear,
    /// Applies an operation under a map's key.
    Apply(Value, Box<Self>),
    /// Removes keys from a map; nothing where they are absent.
    RemoveKeys(Vec<Value>),
    /// Adds vertices to a graph.
    AddVertices(Vec<Value>),
    /// Removes vertices from a graph; nothing where they are absent.
    RemoveVertices(Vec<Value>),
    /// Adds edges, from the first to the second of each pair, to a graph.
    AddEdges(Vec<(Value, Value)>),
    /// Removes edges from a graph; nothing where they are absent.
    RemoveEdges(Vec<(Value, Value)>),
    /// Applies an operation to a pair's first.
    Fst(Box<Self>),
    /// Applies an operation to a pair's second.
    Snd(Box<Self>),
}

/// A replica, as an operation names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplicaName {
    /// By its id.
    Id(ReplicaId),
    /// As the program does: the number of a node in a script, the id or address of a member as a text, or
    /// `"replica:ID"` with the id's hexadecimal digits.
    Named(Value),
}

impl ReplicaName {
    /// The id: the one that the name spells out, else what `known` says of it.
    pub fn resolve(&self, known: impl FnOnce(&Value) -> Option<ReplicaId>) -> Option<ReplicaId> {
        match self {
            Self::Id(id) => Some(*id),
            Self::Named(name) => spelled(name).or_else(|| known(name)),
        }
    }
}

impl From<ReplicaId> for ReplicaName {
    fn from(id: ReplicaId) -> Self {
        Self::Id(id)
    }
}

/// As the program names it.
impl From<&str> for ReplicaName {
    fn from(name: &str) -> Self {
        Self::Named(name.into())
    }
}

/// As the program names it.
impl From<String> for ReplicaName {
    fn from(name: String) -> Self {
        Self::Named(name.into())
    }
}

/// Distinguishes the id of a replica from that of a node: rights given to nobody are lost.
const SPELLED: &str = "replica:";

fn spelled(name: &Value) -> Option<ReplicaId> {
    let Value::Text(text) = name else { return None };
    let digits = text.strip_prefix(SPELLED)?;
    // `from_str_radix` takes a sign, too.
    let is_spelled = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_spelled.then(|| u64::from_str_radix(digits, 16).ok()).flatten().map(ReplicaId)
}

impl fmt::Display for ReplicaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "\"{SPELLED}{id}\""),
            Self::Named(name) => write!(f, "{name}"),
        }
    }
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
    /// A counter would leave the range of integers.
    #[error("the counter would leave the range of 64-bit integers: it is {before}, and this would make it {after}")]
    Overflow {
        /// What it is.
        before: i128,
        /// What it would be.
        after: i128,
    },
    /// A replica may not take that much off a bounded counter, or give it away.
    #[error(
        "this replica may take off or move {owned}, not {asked}; that is what it has added, or was given by others with \
         {{move, N, ToNode}}"
    )]
    NotEnoughRights {
        /// How much was asked for.
        asked: u64,
        /// How much the replica has the right to.
        owned: u64,
    },
    /// Nobody here knows a replica by this name.
    #[error(
        "no replica is known as {name}; a script names nodes by their numbers, a running node names members by their id or \
         address as a text, and \"replica:ID\" is a replica's own id"
    )]
    UnknownReplica {
        /// The name.
        name: ReplicaName,
    },
    /// An edge is to be added between vertices that are not both there.
    #[error("{vertex} is no vertex here, and {{{from}, {to}}} needs both its ends; add it first")]
    MissingVertex {
        /// The vertex that is missing.
        vertex: Value,
        /// Where the edge begins.
        from: Value,
        /// Where it ends.
        to: Value,
    },
    /// A vertex is to be removed that has edges.
    #[error("{vertex} has edges; remove them first")]
    HasEdges {
        /// The vertex.
        vertex: Value,
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
            (Type::GSet | Type::AwSet | Type::TwoPSet | Type::RwSet, "add" | "add_element" | "add_all", [argument]) => {
                addition(ty, name, argument)?
            }
            (Type::AwSet | Type::TwoPSet | Type::RwSet, "rmv", [x]) => Some(Self::Remove(x.clone())),
            (Type::AwSet | Type::TwoPSet | Type::RwSet, "rmv_all", [all]) => {
                Some(Self::RemoveAll(list(ty, "rmv_all", all)?))
            }
            (Type::GCounter | Type::PnCounter | Type::LexCounter | Type::BCounter, "increment", _) => {
                amount(ty, "increment", arguments)?.map(Self::Increment)
            }
            (Type::PnCounter | Type::LexCounter | Type::BCounter, "decrement", _) => {
                amount(ty, "decrement", arguments)?.map(Self::Decrement)
            }
            (Type::BCounter, "move", [n, to]) => {
                amount(ty, "move", std::slice::from_ref(n))?.map(|n| Self::Move(n, ReplicaName::Named(to.clone())))
            }
            (Type::Max | Type::Min | Type::IVar | Type::LwwRegister | Type::MvRegister, "set", [x]) => {
                Some(Self::Set(x.clone()))
            }
            (Type::Boolean | Type::EwFlag | Type::DwFlag, "true" | "enable", []) => Some(Self::Enable),
            (Type::EwFlag | Type::DwFlag, "false" | "disable", []) => Some(Self::Disable),
            (Type::GMap(inner) | Type::AwMap(inner), "apply", [key, op]) => {
                Some(Self::Apply(key.clone(), Box::new(Self::from_value(inner, op)?)))
            }
            (Type::MvMap, "apply", [key, op]) => {
                Some(Self::Apply(key.clone(), Box::new(Self::from_value(&Type::MvRegister, op)?)))
            }
            (Type::MvMap, "set", [key, x]) => Some(Self::Apply(key.clone(), Box::new(Self::Set(x.clone())))),
            (Type::AwMap(_) | Type::MvMap, "rmv_key", [key]) => Some(Self::RemoveKeys(vec![key.clone()])),
            (Type::AwMap(_) | Type::MvMap, "rmv_keys", [keys]) => Some(Self::RemoveKeys(list(ty, "rmv_keys", keys)?)),
            (Type::Pair(first, _), "fst", [op]) => Some(Self::Fst(Box::new(Self::from_value(first, op)?))),
            (Type::Pair(_, second), "snd", [op]) => Some(Self::Snd(Box::new(Self::from_value(second, op)?))),
            (Type::GGraph | Type::TwoPGraph | Type::AwGraph, _, [argument]) => graph_op(ty, name, argument)?,
            (
                Type::AwSet | Type::RwSet | Type::MvRegister | Type::AwMap(_) | Type::MvMap | Type::AwGraph,
                "clear",
                [],
            ) => Some(Self::Clear),
            _ => None,
        };
        op.ok_or_else(|| OpError::unsupported(form, ty))
    }

    /// Gives every replica that it names its id, for which `known` is asked.
    ///
    /// # Errors
    /// [`OpError::UnknownReplica`].
    pub fn resolve(&mut self, known: &mut dyn FnMut(&Value) -> Option<ReplicaId>) -> Result<(), OpError> {
        match self {
            Self::Move(_, name) => match name.resolve(known) {
                Some(id) => *name = ReplicaName::Id(id),
                None => return Err(OpError::UnknownReplica { name: name.clone() }),
            },
            Self::Apply(_, op) | Self::Fst(op) | Self::Snd(op) => op.resolve(known)?,
            _ => {}
        }
        Ok(())
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
            Self::Move(..) => "move",
            Self::Set(_) => "set",
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Clear => "clear",
            Self::Apply(..) => "apply",
            Self::RemoveKeys(_) => "rmv_keys",
            Self::AddVertices(_) => "add_vertices",
            Self::RemoveVertices(_) => "rmv_vertices",
            Self::AddEdges(_) => "add_edges",
            Self::RemoveEdges(_) => "rmv_edges",
            Self::Fst(_) => "fst",
            Self::Snd(_) => "snd",
        }
    }

    /// Whether every value in it is shallow enough to be sent.
    pub(crate) fn fits(&self) -> bool {
        let fits = |value: &Value| value.nests_within(MAX_VALUE_DEPTH);
        match self {
            Self::Add(v) | Self::Remove(v) | Self::Set(v) => fits(v),
            Self::AddAll(all)
            | Self::RemoveAll(all)
            | Self::RemoveKeys(all)
            | Self::AddVertices(all)
            | Self::RemoveVertices(all) => all.iter().all(fits),
            Self::AddEdges(all) | Self::RemoveEdges(all) => all.iter().all(|(from, to)| fits(from) && fits(to)),
            Self::Increment(_) | Self::Decrement(_) | Self::Move(..) | Self::Enable | Self::Disable | Self::Clear => {
                true
            }
            Self::Apply(key, op) => fits(key) && op.fits(),
            Self::Fst(op) | Self::Snd(op) => op.fits(),
        }
    }
}

/// `name`, or `{name, arguments...}`.
fn split(form: &Value) -> Option<(&str, &[Value])> {
    match form {
        Value::Atom(name) => Some((name, &[])),
        Value::Bool(true) => Some(("true", &[])),
        Value::Bool(false) => Some(("false", &[])),
        Value::Tuple(items) => match items.split_first()? {
            (Value::Atom(name), arguments) => Some((name, arguments)),
            _ => None,
        },
        _ => None,
    }
}

fn addition(ty: &Type, name: &str, argument: &Value) -> Result<Option<Op>, OpError> {
    Ok(Some(match (name, argument) {
        ("add", Value::List(items)) => Op::AddAll(items.to_vec()),
        ("add_all", _) => Op::AddAll(list(ty, "add_all", argument)?),
        _ => Op::Add(argument.clone()),
    }))
}

fn graph_op(ty: &Type, name: &str, argument: &Value) -> Result<Option<Op>, OpError> {
    let one = || vec![argument.clone()];
    let can_remove = *ty != Type::GGraph;
    Ok(Some(match name {
        "add_vertex" => Op::AddVertices(one()),
        "add_vertices" => Op::AddVertices(list(ty, "add_vertices", argument)?),
        "add_edge" => Op::AddEdges(edges(ty, "add_edge", &one())?),
        "add_edges" => Op::AddEdges(edges(ty, "add_edges", &list(ty, "add_edges", argument)?)?),
        "rmv_vertex" if can_remove => Op::RemoveVertices(one()),
        "rmv_vertices" if can_remove => Op::RemoveVertices(list(ty, "rmv_vertices", argument)?),
        "rmv_edge" if can_remove => Op::RemoveEdges(edges(ty, "rmv_edge", &one())?),
        "rmv_edges" if can_remove => Op::RemoveEdges(edges(ty, "rmv_edges", &list(ty, "rmv_edges", argument)?)?),
        _ => return Ok(None),
    }))
}

/// The elements of a list.
fn list(ty: &Type, op: &'static str, argument: &Value) -> Result<Vec<Value>, OpError> {
    match <&[Value]>::try_from(argument) {
        Ok(items) => Ok(items.to_vec()),
        Err(problem) => Err(OpError::Argument { op, ty: ty.clone(), problem }),
    }
}

/// Tuples `{From, To}` as edges.
fn edges(ty: &Type, op: &'static str, tuples: &[Value]) -> Result<Vec<(Value, Value)>, OpError> {
    let edge = |tuple: &Value| match as_edge(tuple) {
        Some((from, to)) => Ok((from.clone(), to.clone())),
        None => {
            let problem = NotThatKind::new("an edge {From, To}", tuple);
            Err(OpError::Argument { op, ty: ty.clone(), problem })
        }
    };
    tuples.iter().map(edge).collect()
}

/// The ends of an edge `{From, To}`.
pub(crate) fn as_edge(tuple: &Value) -> Option<(&Value, &Value)> {
    match tuple {
        Value::Tuple(items) => match &**items {
            [from, to] => Some((from, to)),
            _ => None,
        },
        _ => None,
    }
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
        assert_eq!(read("set", call("rmv_all", one_two.clone())), Ok(Op::RemoveAll(one_two.clone())));
        assert_eq!(read("gcounter", Value::atom("increment")), Ok(Op::Increment(1)));
        assert_eq!(read("pncounter", call("decrement", 3)), Ok(Op::Decrement(3)));
        assert_eq!(read("ewflag", Value::Bool(false)), Ok(Op::Disable));
        assert_eq!(read("awmap(set)", call("rmv_key", 3)), Ok(Op::RemoveKeys(vec![3.into()])));
        assert_eq!(read("awmap(set)", call("rmv_keys", one_two.clone())), Ok(Op::RemoveKeys(one_two.clone())));
        assert_eq!(
            read("awgraph", call("rmv_vertex", one_two.clone())),
            Ok(Op::RemoveVertices(vec![one_two.clone().into()]))
        );
        assert_eq!(read("ggraph", call("add_edge", (1, 2))), Ok(Op::AddEdges(vec![(1.into(), 2.into())])));
        let edges = Value::list([Value::from((1, 2)), Value::from((2, 1))]);
        let expected = vec![(1.into(), 2.into()), (2.into(), 1.into())];
        assert_eq!(read("twopgraph", call("rmv_edges", edges)), Ok(Op::RemoveEdges(expected)));
        assert_eq!(read("max", call("set", 3)), Ok(Op::Set(Value::Int(3))));
        assert_eq!(read("boolean", Value::Bool(true)), Ok(Op::Enable));
        assert_eq!(read("boolean", Value::atom("enable")), Ok(Op::Enable));
        let written = Op::Apply("k".into(), Box::new(Op::Set(7.into())));
        assert_eq!(read("mvmap", Value::tuple([Value::atom("set"), "k".into(), 7.into()])), Ok(written.clone()));
        assert_eq!(read("mvmap", Value::tuple([Value::atom("apply"), "k".into(), call("set", 7)])), Ok(written));
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
        assert_eq!(error, "add_all of set: expected a list, found an integer 1");
        let error = read("awgraph", call("add_edge", 1)).unwrap_err();
        assert_eq!(error, "add_edge of awgraph: expected an edge {From, To}, found an integer 1");
    }

    #[test]
    fn who_knows_the_names_of_replicas_resolves_them_at_any_depth() {
        let form = Value::tuple([Value::atom("move"), 3.into(), 2.into()]);
        let op = read("gmap(pair(bcounter, max))", Value::tuple([Value::atom("apply"), 1.into(), call("fst", form)]));
        let mut op = op.expect("an operation");
        assert!(op.resolve(&mut |_| None).unwrap_err().to_string().starts_with("no replica is known as 2; "));
        op.resolve(&mut |name| (*name == Value::Int(2)).then_some(ReplicaId(22))).expect("a known name");
        let to = |name| Op::Apply(1.into(), Box::new(Op::Fst(Box::new(Op::Move(3, name)))));
        assert_eq!(op, to(ReplicaName::Id(ReplicaId(22))));
        for (text, id) in [("replica:ff", Some(255)), ("ff", None), ("replica:", None), ("replica:+f", None)] {
            let name = ReplicaName::Named(text.into());
            assert_eq!(name.resolve(|_| None), id.map(ReplicaId), "{text}");
        }
        let shown = ReplicaName::Id(ReplicaId(255)).to_string();
        assert_eq!(shown, "\"replica:ff\"");
    }
}
