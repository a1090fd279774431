//! The grow-only graph: vertices and edges are added and stay.
//!
//! Source: Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data Types" (2011), §3.4, who
//! leave open what an edge without its vertices is. Here an edge brings its vertices.

use super::adjacency::{Adjacency, Node, edge_hash};
use super::{Graph, wire};
use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::fingerprint::Fingerprint;
use crate::hashes::Hashes;
use crate::lattice::{Decompose, Delta, Lattice};
use std::fmt;
use std::hash::Hash;

/// A grow-only directed graph. Adding and looking up take O(1); [`Graph`] has the queries.
///
/// ```
/// use lasp_crdt::{GGraph, Graph, Lattice};
///
/// let mut follows = GGraph::new();
/// follows.merge(follows.add_edge("ann", "bob"));
/// follows.merge(follows.add_edge("bob", "cid"));
/// follows.merge(follows.add_vertex("dan"));
/// assert!(follows.reachable(&"ann").eq(&["ann", "bob", "cid"]));
/// ```
#[derive(Clone)]
pub struct GGraph<V> {
    /// Holds no hidden edge.
    graph: Adjacency<V>,
}

impl<V> GGraph<V> {
    /// The empty graph.
    pub fn new() -> Self {
        Self { graph: Adjacency::new() }
    }

    /// How many edges there are.
    pub fn edge_count(&self) -> usize {
        self.graph.held_count()
    }

    /// Whether there is no vertex.
    pub fn is_empty(&self) -> bool {
        self.graph.is_empty()
    }
}

impl<V: Clone + Ord + Hash> GGraph<V> {
    /// The delta that adds `vertex`; bottom if it is there.
    pub fn add_vertex(&self, vertex: V) -> Self {
        self.add_vertices([vertex])
    }

    /// The delta that adds those of `vertices` that are not there.
    pub fn add_vertices(&self, vertices: impl IntoIterator<Item = V>) -> Self {
        let mut delta = Self::new();
        for vertex in vertices.into_iter().filter(|vertex| !self.contains_vertex(vertex)) {
            delta.graph.insert_vertex(vertex);
        }
        delta
    }

    /// The delta that adds an edge and its ends; bottom if it is there.
    pub fn add_edge(&self, from: V, to: V) -> Self {
        self.add_edges([(from, to)])
    }

    /// The delta that adds those of `edges` that are not there, each with its ends.
    pub fn add_edges(&self, edges: impl IntoIterator<Item = (V, V)>) -> Self {
        let mut delta = Self::new();
        for (from, to) in edges.into_iter().filter(|(from, to)| !self.contains_edge(from, to)) {
            delta.graph.insert_vertex(from.clone());
            delta.graph.insert_vertex(to.clone());
            delta.graph.insert_edge(from, to);
        }
        delta
    }

    /// The vertices and edges that are news, edges with their ends.
    fn parts(&self, vertex: impl Fn(&Node<V>) -> bool, edge: impl Fn(&Node<V>, &Node<V>) -> bool) -> Self {
        let mut news = Self::new();
        for (_, node) in self.graph.nodes().filter(|(_, node)| vertex(node)) {
            news.graph.insert_like(node);
        }
        for (from, to) in self.graph.held().filter(|(from, to)| edge(from, to)) {
            news.graph.insert_whole(from, to);
        }
        news
    }
}

impl<V: Clone + Ord + Hash> Graph for GGraph<V> {
    type Vertex = V;

    fn adjacency(&self) -> &Adjacency<V> {
        &self.graph
    }
}

impl<V> Default for GGraph<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: fmt::Debug + Ord> fmt::Debug for GGraph<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GGraph").field(&self.graph).finish()
    }
}

impl<V: Clone + Ord + Hash> PartialEq for GGraph<V> {
    fn eq(&self, other: &Self) -> bool {
        self.graph == other.graph
    }
}

impl<V: Clone + Ord + Hash> Eq for GGraph<V> {}

impl<V: Clone + Ord + Hash> Lattice for GGraph<V> {
    fn merge(&mut self, other: Self) -> bool {
        self.graph.merge(other.graph)
    }

    fn leq(&self, other: &Self) -> bool {
        self.graph.is_within(&other.graph)
    }

    fn is_bottom(&self) -> bool {
        self.is_empty()
    }
}

impl<V: Clone + Ord + Hash> Decompose for GGraph<V> {
    /// One part per vertex without edges, one per edge with its ends.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        let alone = self.vertices().filter(|vertex| !self.graph.has_edges(vertex));
        let alone = alone.map(|vertex| Self::new().add_vertex(vertex.clone()));
        alone.chain(self.edges().map(|(from, to)| Self::new().add_edge(from.clone(), to.clone())))
    }
}

impl<V: Clone + Ord + Hash> Delta for GGraph<V> {
    /// The hash of each vertex, and of each edge.
    type Digest = (Hashes, Hashes);

    fn digest(&self) -> Self::Digest {
        let vertices = self.graph.nodes().map(|(_, node)| node.hash);
        (vertices.collect(), self.graph.held().map(|(from, to)| edge_hash(from.hash, to.hash)).collect())
    }

    fn delta(&self, (vertices, edges): &Self::Digest) -> Self {
        self.parts(|node| !vertices.contains(node.hash), |from, to| !edges.contains(edge_hash(from.hash, to.hash)))
    }

    fn difference(&self, known: &Self) -> Self {
        let find = |node: &Node<V>| known.graph.find_hashed(node.hash, &node.vertex);
        self.parts(
            |node| find(node).is_none(),
            |from, to| find(from).zip(find(to)).is_none_or(|(from, to)| !known.graph.node(from).out.contains(to)),
        )
    }
}

impl<V> Fingerprint for GGraph<V> {
    fn fingerprint(&self) -> u64 {
        self.graph.fingerprint()
    }
}

/// The vertices, ascending; then the edges by the ranks of their ends.
impl<V: Encode + Clone + Ord + Hash> Encode for GGraph<V> {
    fn encode(&self, w: &mut Writer<'_>) {
        wire::encode_vertices(&self.graph, w);
        wire::encode_edges(&self.graph, &self.graph, w);
    }
}

impl<V: Decode + Clone + Ord + Hash> Decode for GGraph<V> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut graph = wire::decode_vertices(r)?;
        for (from, to) in wire::decode_edges(r, graph.vertex_count())? {
            graph.link(from, to);
        }
        Ok(Self { graph })
    }
}
