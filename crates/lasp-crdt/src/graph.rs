//! Replicated directed graphs, and what one can ask of any of them.
//!
//! Source: Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data Types" (2011), §3.4. The
//! graphs differ in who wins between concurrent changes; they share [`Adjacency`], which knows no replicas.

pub mod add_wins;
pub mod adjacency;
pub mod grow;
pub mod two_phase;
mod wire;

pub use add_wins::{AwGraph, GraphDots};
pub use adjacency::{Adjacency, Cycle};
pub use grow::GGraph;
pub use two_phase::{HasEdges, MissingVertex, TwoPGraph};

use std::hash::Hash;

/// The queries of every graph, in terms of its [`Adjacency`].
///
/// ```
/// use lasp_crdt::{GGraph, Graph, Lattice};
///
/// let mut tasks = GGraph::new();
/// tasks.merge(tasks.add_edges([("shop", "cook"), ("cook", "eat"), ("lay table", "eat")]));
/// assert!(tasks.predecessors(&"eat").eq(&["cook", "lay table"]));
/// assert_eq!(tasks.topological_order().unwrap(), [&"lay table", &"shop", &"cook", &"eat"]);
/// ```
pub trait Graph {
    /// What a vertex is.
    type Vertex: Clone + Ord + Hash;

    /// The graph as it can be seen.
    fn adjacency(&self) -> &Adjacency<Self::Vertex>;

    /// Whether `vertex` is there. Cost: O(1).
    fn contains_vertex(&self, vertex: &Self::Vertex) -> bool {
        self.adjacency().contains_vertex(vertex)
    }

    /// Whether the edge is there, and both its ends. Cost: O(1).
    fn contains_edge(&self, from: &Self::Vertex, to: &Self::Vertex) -> bool {
        self.adjacency().contains_edge(from, to)
    }

    /// How many vertices there are. Cost: O(1).
    fn vertex_count(&self) -> usize {
        self.adjacency().vertex_count()
    }

    /// The vertices, ascending. Cost: O(n log n).
    fn vertices(&self) -> impl ExactSizeIterator<Item = &Self::Vertex> {
        self.adjacency().vertices()
    }

    /// The edges, ascending by their beginning, then by their end. Cost: O(n log n), n of vertices and edges.
    fn edges(&self) -> impl Iterator<Item = (&Self::Vertex, &Self::Vertex)> {
        self.adjacency().edges()
    }

    /// Where edges from `vertex` lead, ascending. Cost: d·log d, of d edges.
    fn successors(&self, vertex: &Self::Vertex) -> impl ExactSizeIterator<Item = &Self::Vertex> {
        self.adjacency().successors(vertex)
    }

    /// Whence edges to `vertex` come, ascending. Cost: d·log d, of d edges.
    fn predecessors(&self, vertex: &Self::Vertex) -> impl ExactSizeIterator<Item = &Self::Vertex> {
        self.adjacency().predecessors(vertex)
    }

    /// Where one can get from `from`, which is itself among them if it is there, ascending. Cost: O(n log n), n of what is
    /// reached and its edges.
    fn reachable(&self, from: &Self::Vertex) -> impl ExactSizeIterator<Item = &Self::Vertex> {
        self.adjacency().reachable(from)
    }

    /// All vertices so that every edge leads onward, the least possible vertex first wherever there is a choice. Cost:
    /// O(n log n), n of vertices and edges.
    ///
    /// # Errors
    /// [`Cycle`] if there is one.
    fn topological_order(&self) -> Result<Vec<&Self::Vertex>, Cycle<'_, Self::Vertex>> {
        self.adjacency().topological_order()
    }
}
