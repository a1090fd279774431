//! What a query answers: the value behind a state, without its causal bookkeeping.

use crate::value::Value;
use crate::value::{write_list, write_map};
use std::fmt;

/// A variable's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A set's elements, ascending.
    Set(Vec<Value>),
    /// A counter's integer, a flag's boolean, a register's value.
    Value(Value),
    /// A register without a value.
    Unset,
    /// Concurrent values of one register, ascending.
    Many(Vec<Value>),
    /// A map's entries, ascending by key.
    Map(Vec<(Value, Self)>),
    /// A pair's two values.
    Pair(Box<Self>, Box<Self>),
    /// What of a graph can be seen.
    Graph {
        /// Its vertices, ascending.
        vertices: Vec<Value>,
        /// Its edges, each from the first to the second, ascending.
        edges: Vec<(Value, Value)>,
    },
}

impl Output {
    /// As a value: sets and concurrent values as lists, pairs as tuples, an unset register as the atom `undefined`, a graph
    /// as the map `#{vertices => [V, ...], edges => [{V, W}, ...]}`.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Set(items) | Self::Many(items) => Value::list(items.iter().cloned()),
            Self::Value(value) => value.clone(),
            Self::Unset => Value::atom("undefined"),
            Self::Map(entries) => Value::map(entries.iter().map(|(k, v)| (k.clone(), v.to_value()))),
            Self::Pair(first, second) => Value::pair(first.to_value(), second.to_value()),
            Self::Graph { vertices, edges } => {
                let edges = edges.iter().map(|(from, to)| Value::pair(from.clone(), to.clone()));
                let vertices = Value::list(vertices.iter().cloned());
                Value::map([(Value::atom("edges"), Value::list(edges)), (Value::atom("vertices"), vertices)])
            }
        }
    }

    /// The value of a counter, flag or register; `None` for collections and where nothing is set.
    pub fn as_value(&self) -> Option<&Value> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }
}

/// Lasp's surface syntax: `set[1, 2]`, `mv[a, b]`, `#{k => v}`, `{x, y}`, `undefined`,
/// `graph{vertices: [a, b], edges: [{a, b}]}`.
impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(items) => write_list(f, "set[", items.iter(), "]"),
            Self::Value(value) => write!(f, "{value}"),
            Self::Unset => f.write_str("undefined"),
            Self::Many(items) => write_list(f, "mv[", items.iter(), "]"),
            Self::Map(entries) => write_map(f, entries.iter().map(|(k, v)| (k, v))),
            Self::Pair(first, second) => write!(f, "{{{first}, {second}}}"),
            Self::Graph { vertices, edges } => {
                write_list(f, "graph{vertices: [", vertices.iter(), "], edges: [")?;
                write_list(f, "", edges.iter().map(|(from, to)| Edge(from, to)), "]}")
            }
        }
    }
}

/// An edge as the tuple that programs write.
struct Edge<'a>(&'a Value, &'a Value);

impl fmt::Display for Edge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}, {}}}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_print_as_surface_syntax() {
        let set = Output::Set(vec![2.into(), 4.into()]);
        let pair = Output::Pair(Box::new(Output::Value(true.into())), Box::new(Output::Unset));
        assert_eq!(set.to_string(), "set[2, 4]");
        assert_eq!(Output::Many(vec![1.into(), Value::atom("a")]).to_string(), "mv[1, a]");
        assert_eq!(pair.to_string(), "{true, undefined}");
        let map = Output::Map(vec![(Value::atom("k"), set), (Value::Int(1), pair)]);
        assert_eq!(map.to_string(), "#{k => set[2, 4], 1 => {true, undefined}}");
        let graph = Output::Graph { vertices: vec![1.into(), 2.into()], edges: vec![(1.into(), 2.into())] };
        assert_eq!(graph.to_string(), "graph{vertices: [1, 2], edges: [{1, 2}]}");
        let nothing = Output::Graph { vertices: Vec::new(), edges: Vec::new() };
        assert_eq!(nothing.to_string(), "graph{vertices: [], edges: []}");
    }

    #[test]
    fn outputs_become_values() {
        let map = Output::Map(vec![("k".into(), Output::Set(vec![1.into()]))]);
        assert_eq!(map.to_value().to_string(), "#{\"k\" => [1]}");
        let graph = Output::Graph { vertices: vec![1.into(), 2.into()], edges: vec![(1.into(), 2.into())] };
        assert_eq!(graph.to_value().to_string(), "#{edges => [{1, 2}], vertices => [1, 2]}");
    }
}
