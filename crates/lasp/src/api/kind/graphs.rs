//! The kinds of graphs.

use super::Kind;
use crate::api::element::Element;
use lasp_dataflow::{FromValueError, NotThatKind, Output, Type, from_value};
use std::fmt;
use std::marker::PhantomData;

/// A kind with vertices and edges.
pub trait Graph: Kind<Value = Digraph<Self::Vertex>> {
    /// A vertex.
    type Vertex: Element;
}

/// The value of a graph: what of it can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digraph<V> {
    /// The vertices, in the order of values.
    pub vertices: Vec<V>,
    /// The edges, each from the first to the second, in the order of values.
    pub edges: Vec<(V, V)>,
}

kinds! {
    /// A grow-only graph: an edge brings its vertices.
    GGraph<V>;
    /// A graph whose vertices and edges, once removed, never come back.
    TwoPGraph<V>;
    /// An add-wins graph: an edge is hidden while a vertex of it is missing.
    AwGraph<V>;
}

macro_rules! graph {
    ($($kind:ident)*) => {$(
        impl<V: Element> Kind for $kind<V> {
            type Value = Digraph<V>;

            fn ty() -> Type {
                Type::$kind
            }

            fn read(output: &Output) -> Result<Digraph<V>, FromValueError> {
                let Output::Graph { vertices, edges } = output else {
                    return Err(NotThatKind::new("a graph", &output.to_value()).into());
                };
                let edges = edges.iter().map(|(from, to)| Ok((from_value(from)?, from_value(to)?)));
                Ok(Digraph {
                    vertices: vertices.iter().map(from_value).collect::<Result<_, _>>()?,
                    edges: edges.collect::<Result<_, FromValueError>>()?,
                })
            }
        }

        impl<V: Element> Graph for $kind<V> {
            type Vertex = V;
        }
    )*};
}

graph!(GGraph TwoPGraph AwGraph);
