//! Operations on graphs.

use super::{Var, values};
use crate::api::Ask;
use crate::api::derivation::Deriving;
use crate::api::element::{AsElement, Element};
use crate::api::kind::{self, Graph};
use lasp_dataflow::{Facet, Op, Operator, ToValueError, Value};

/// A grow-only graph.
pub type GGraph<V> = Var<kind::GGraph<V>>;
/// A graph whose vertices and edges, once removed, never come back.
pub type TwoPGraph<V> = Var<kind::TwoPGraph<V>>;
/// An add-wins graph.
pub type AwGraph<V> = Var<kind::AwGraph<V>>;

fn edges<V, A: AsElement<V>>(edges: impl IntoIterator<Item = (A, A)>) -> Result<Vec<(Value, Value)>, ToValueError> {
    edges.into_iter().map(|(from, to)| Ok((from.into_element()?, to.into_element()?))).collect()
}

/// What every graph offers.
///
/// ```
/// # async fn example(lasp: lasp::Lasp) -> Result<(), lasp::Error> {
/// let friends = lasp.awgraph::<String>("friends").await?;
/// friends.add_vertices(["ann", "bob", "cid"]).await?;
/// friends.add_edges([("ann", "bob"), ("bob", "cid")]).await?;
/// let seen = friends.value().await?;
/// assert_eq!((seen.vertices.len(), seen.edges.len()), (3, 2));
/// // Both parts can be derived from: bob hides his edges, from here too.
/// let links = friends.edges().await?;
/// friends.remove_vertex("bob").await?;
/// assert!(links.value().await?.is_empty());
/// # Ok(()) }
/// ```
impl<K: Graph> Var<K> {
    /// Adds a vertex.
    pub fn add_vertex(&self, vertex: impl AsElement<K::Vertex>) -> Ask<()> {
        self.add_vertices([vertex])
    }

    /// Adds several vertices at once.
    pub fn add_vertices<A: AsElement<K::Vertex>>(&self, vertices: impl IntoIterator<Item = A>) -> Ask<()> {
        self.write(values(vertices), Op::AddVertices)
    }

    /// Adds an edge.
    pub fn add_edge<A: AsElement<K::Vertex>>(&self, from: A, to: A) -> Ask<()> {
        self.add_edges([(from, to)])
    }

    /// Adds several edges at once; of a two-phase graph none, if a vertex of one is missing.
    pub fn add_edges<A: AsElement<K::Vertex>>(&self, edges: impl IntoIterator<Item = (A, A)>) -> Ask<()> {
        self.write(self::edges(edges), Op::AddEdges)
    }

    /// Whether a vertex is there.
    pub fn contains_vertex(&self, vertex: impl AsElement<K::Vertex>) -> Ask<bool> {
        self.holds(vertex.into_element())
    }

    /// The vertices.
    pub fn vertices(&self) -> Deriving<kind::View<K::Vertex>> {
        Deriving::on(self, Ok(Operator::View(Facet::Vertices)))
    }

    /// The edges that can be seen.
    pub fn edges(&self) -> Deriving<kind::View<(K::Vertex, K::Vertex)>> {
        Deriving::on(self, Ok(Operator::View(Facet::Edges)))
    }
}

macro_rules! removals {
    ($($graph:ident)*) => {$(
        impl<V: Element> $graph<V> {
            /// Removes a vertex; nothing happens if it is absent. Of a two-phase graph it must have no edges; of an add-wins
            /// graph they are hidden until it comes back.
            pub fn remove_vertex(&self, vertex: impl AsElement<V>) -> Ask<()> {
                self.remove_vertices([vertex])
            }

            /// Removes several vertices at once.
            pub fn remove_vertices<A: AsElement<V>>(&self, vertices: impl IntoIterator<Item = A>) -> Ask<()> {
                self.write(values(vertices), Op::RemoveVertices)
            }

            /// Removes an edge; nothing happens if it is absent.
            pub fn remove_edge<A: AsElement<V>>(&self, from: A, to: A) -> Ask<()> {
                self.remove_edges([(from, to)])
            }

            /// Removes several edges at once.
            pub fn remove_edges<A: AsElement<V>>(&self, edges: impl IntoIterator<Item = (A, A)>) -> Ask<()> {
                self.write(self::edges(edges), Op::RemoveEdges)
            }
        }
    )*};
}

removals!(TwoPGraph AwGraph);
