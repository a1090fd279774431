//! The add-wins graph: vertices and edges can be removed and added again; of a concurrent add and removal, the add wins.
//!
//! Source: two add-wins sets in one causal context, after Almeida et al., "Delta State Replicated Data Types" (JPDC'18),
//! §7.4.3; the question what becomes of the edges of a removed vertex is that of Shapiro et al., "A comprehensive study
//! of Convergent and Commutative Replicated Data Types" (2011), §3.4. Here such an edge is hidden: it is not there for
//! any query, and comes back when the vertex does. So no removal needs to know of edges that are added elsewhere.

use super::{Adjacency, Graph};
use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::context::DotSet;
use crate::dot::{Dot, ReplicaId};
use crate::dotted::{DecodeStore, DotChange, DotStore, Dotted, EncodeStore, View};
use crate::fingerprint::{Fingerprint, mix};
use crate::map::add_wins::Key;
use crate::set::add_wins::{AwSet, Elements, SetChange};
use std::fmt;

/// An add-wins graph. Queries are those of [`Graph`], over what can be seen: vertices, and edges with both ends.
///
/// Changes take O(1); merging takes time proportional to the delta.
///
/// ```
/// use lasp_crdt::{AwGraph, Graph, Lattice, ReplicaId};
///
/// let (a, b) = (ReplicaId(1), ReplicaId(2));
/// let mut left = AwGraph::new();
/// left.merge(left.add_vertices(a, ["ann", "bob"]));
/// let mut right = left.clone();
///
/// // One side removes bob while the other makes him a friend: the edge waits for him.
/// left.merge(left.remove_vertex(&"bob"));
/// right.merge(right.add_edge(b, "ann", "bob"));
/// left.merge(right);
/// assert!(!left.contains_edge(&"ann", &"bob"));
/// left.merge(left.add_vertex(a, "bob"));
/// assert!(left.contains_edge(&"ann", &"bob"));
/// ```
pub type AwGraph<V> = Dotted<GraphDots<V>>;

/// The vertices and edges of an add-wins graph: a [dot store](DotStore).
#[derive(Clone)]
pub struct GraphDots<V> {
    vertices: Elements<V>,
    edges: Elements<(V, V)>,
    /// What both say, for queries.
    adjacency: Adjacency<V>,
}

impl<V: Key> GraphDots<V> {
    fn of(vertices: Elements<V>, edges: Elements<(V, V)>) -> Self {
        let mut adjacency = Adjacency::new();
        for vertex in vertices.unordered() {
            adjacency.insert_vertex(vertex.clone());
        }
        for (from, to) in edges.unordered() {
            adjacency.insert_edge(from.clone(), to.clone());
        }
        Self { vertices, edges, adjacency }
    }

    /// Whether the edge was added and not removed, whether or not its ends are there. Cost: O(1).
    pub fn holds_edge(&self, from: &V, to: &V) -> bool {
        self.adjacency.holds_edge(from, to)
    }

    /// The dots that keep `vertex` there; none if it is absent. Cost: O(1).
    pub fn vertex_dots(&self, vertex: &V) -> crate::Dots {
        self.vertices.dots(vertex)
    }

    /// The dots that keep an edge there, hidden or not. Cost: O(1).
    pub fn edge_dots(&self, from: &V, to: &V) -> crate::Dots {
        self.edges.dots(&(from.clone(), to.clone()))
    }
}

impl<V: Key> Graph for GraphDots<V> {
    type Vertex = V;

    fn adjacency(&self) -> &Adjacency<V> {
        &self.adjacency
    }
}

impl<V: Key> Graph for AwGraph<V> {
    type Vertex = V;

    fn adjacency(&self) -> &Adjacency<V> {
        &self.store().adjacency
    }
}

/// A delta of the vertices as one of the graph.
fn of_vertices<V: Key>(delta: AwSet<V>) -> AwGraph<V> {
    let (vertices, context) = delta.into_parts();
    Dotted::from_raw(GraphDots::of(vertices, Elements::default()), context)
}

/// A delta of the edges as one of the graph.
fn of_edges<V: Key>(delta: AwSet<(V, V)>) -> AwGraph<V> {
    let (edges, context) = delta.into_parts();
    Dotted::from_raw(GraphDots::of(Elements::default(), edges), context)
}

impl<V: Key> View<'_, GraphDots<V>> {
    /// The delta that adds `vertex`: one new dot, which supersedes those that the vertex has here.
    pub fn add_vertex(self, replica: ReplicaId, vertex: V) -> AwGraph<V> {
        self.add_vertices(replica, [vertex])
    }

    /// The delta that adds every one of `vertices`.
    pub fn add_vertices(self, replica: ReplicaId, vertices: impl IntoIterator<Item = V>) -> AwGraph<V> {
        of_vertices(View::new(&self.store().vertices, self.context()).add_all(replica, vertices))
    }

    /// The delta that removes `vertex`, as far as it is observed here. Its edges stay, hidden. Bottom if it is absent.
    pub fn remove_vertex(self, vertex: &V) -> AwGraph<V> {
        self.remove_vertices([vertex])
    }

    /// The delta that removes every one of `vertices`.
    pub fn remove_vertices<'v>(self, vertices: impl IntoIterator<Item = &'v V>) -> AwGraph<V>
    where
        V: 'v,
    {
        of_vertices(View::new(&self.store().vertices, self.context()).remove_all(vertices))
    }

    /// The delta that adds an edge, which is hidden while an end is not there: it brings no vertices.
    pub fn add_edge(self, replica: ReplicaId, from: V, to: V) -> AwGraph<V> {
        self.add_edges(replica, [(from, to)])
    }

    /// The delta that adds every one of `edges`.
    pub fn add_edges(self, replica: ReplicaId, edges: impl IntoIterator<Item = (V, V)>) -> AwGraph<V> {
        of_edges(View::new(&self.store().edges, self.context()).add_all(replica, edges))
    }

    /// The delta that removes an edge, hidden or not, as far as it is observed here. Bottom if it is absent.
    pub fn remove_edge(self, from: &V, to: &V) -> AwGraph<V> {
        self.remove_edges([&(from.clone(), to.clone())])
    }

    /// The delta that removes every one of `edges`.
    pub fn remove_edges<'v>(self, edges: impl IntoIterator<Item = &'v (V, V)>) -> AwGraph<V>
    where
        V: 'v,
    {
        of_edges(View::new(&self.store().edges, self.context()).remove_all(edges))
    }
}

impl<V: Key> AwGraph<V> {
    /// The delta that adds `vertex`: one new dot, which supersedes those that the vertex has here.
    pub fn add_vertex(&self, replica: ReplicaId, vertex: V) -> Self {
        self.view().add_vertex(replica, vertex)
    }

    /// The delta that adds every one of `vertices`.
    pub fn add_vertices(&self, replica: ReplicaId, vertices: impl IntoIterator<Item = V>) -> Self {
        self.view().add_vertices(replica, vertices)
    }

    /// The delta that removes `vertex`, as far as it is observed here. Its edges stay, hidden. Bottom if it is absent.
    pub fn remove_vertex(&self, vertex: &V) -> Self {
        self.view().remove_vertex(vertex)
    }

    /// The delta that removes every one of `vertices`.
    pub fn remove_vertices<'v>(&self, vertices: impl IntoIterator<Item = &'v V>) -> Self
    where
        V: 'v,
    {
        self.view().remove_vertices(vertices)
    }

    /// The delta that adds an edge, which is hidden while an end is not there: it brings no vertices.
    pub fn add_edge(&self, replica: ReplicaId, from: V, to: V) -> Self {
        self.view().add_edge(replica, from, to)
    }

    /// The delta that adds every one of `edges`.
    pub fn add_edges(&self, replica: ReplicaId, edges: impl IntoIterator<Item = (V, V)>) -> Self {
        self.view().add_edges(replica, edges)
    }

    /// The delta that removes an edge, hidden or not, as far as it is observed here. Bottom if it is absent.
    pub fn remove_edge(&self, from: &V, to: &V) -> Self {
        self.view().remove_edge(from, to)
    }

    /// The delta that removes every one of `edges`.
    pub fn remove_edges<'v>(&self, edges: impl IntoIterator<Item = &'v (V, V)>) -> Self
    where
        V: 'v,
    {
        self.view().remove_edges(edges)
    }
}

impl<V> Default for GraphDots<V> {
    fn default() -> Self {
        Self { vertices: Elements::default(), edges: Elements::default(), adjacency: Adjacency::new() }
    }
}

impl<V: Key> PartialEq for GraphDots<V> {
    fn eq(&self, other: &Self) -> bool {
        self.vertices == other.vertices && self.edges == other.edges
    }
}

impl<V: Key> Eq for GraphDots<V> {}

impl<V: Key + fmt::Debug> fmt::Debug for GraphDots<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphDots").field("vertices", &self.vertices).field("edges", &self.edges).finish()
    }
}

impl<V: Key> Fingerprint for GraphDots<V> {
    fn fingerprint(&self) -> u64 {
        match (self.vertices.fingerprint(), self.edges.fingerprint()) {
            (0, 0) => 0,
            (vertices, edges) => mix(vertices, edges),
        }
    }
}

impl<V: Key> DotStore for GraphDots<V> {
    fn dot_count(&self) -> usize {
        self.vertices.dot_count() + self.edges.dot_count()
    }

    fn holds_dot(&self, dot: Dot) -> bool {
        self.vertices.holds_dot(dot) || self.edges.holds_dot(dot)
    }

    fn each_dot(&self, on: &mut dyn FnMut(Dot)) {
        self.vertices.each_dot(on);
        self.edges.each_dot(on);
    }

    fn join(&mut self, mine: &DotSet, other: Self, theirs: &DotSet, on: &mut dyn FnMut(DotChange)) -> bool {
        let Self { vertices, edges, adjacency } = self;
        let mut gone = Vec::new();
        let vertices_changed = vertices.join_with(mine, other.vertices, theirs, |change| match change {
            SetChange::Live(vertex, dot) => {
                adjacency.insert_vertex(vertex.clone());
                on(DotChange::Live(dot));
            }
            SetChange::Dead(vertex, dot) => {
                gone.push(vertex.clone());
                on(DotChange::Dead(dot));
            }
        });
        for vertex in gone.iter().filter(|vertex| !vertices.contains(vertex)) {
            adjacency.remove_vertex(vertex);
        }
        let mut gone = Vec::new();
        let edges_changed = edges.join_with(mine, other.edges, theirs, |change| match change {
            SetChange::Live((from, to), dot) => {
                adjacency.insert_edge(from.clone(), to.clone());
                on(DotChange::Live(dot));
            }
            SetChange::Dead(edge, dot) => {
                gone.push(edge.clone());
                on(DotChange::Dead(dot));
            }
        });
        for (from, to) in gone.iter().filter(|edge| !edges.contains(edge)) {
            adjacency.remove_edge(from, to);
        }
        vertices_changed || edges_changed
    }

    fn dying(&self, other: &Self, common: &DotSet, on: &mut dyn FnMut(Dot)) {
        self.vertices.dying(&other.vertices, common, on);
        self.edges.dying(&other.edges, common, on);
    }

    fn kill(&mut self, dot: Dot) -> bool {
        // As by a removal of just this dot, so that the adjacency follows.
        let removal = DotSet::single(dot);
        self.join(&removal, Self::default(), &removal, &mut |_| ())
    }

    fn within(&self, dots: &DotSet) -> Self {
        Self::of(self.vertices.within(dots), self.edges.within(dots))
    }
}

const VERTICES: u64 = 2;
const EDGES: u64 = 4;

/// `flag`, plus 2 if there are vertices and 4 if there are edges; then those, each as the elements of an add-wins set.
impl<V: Encode + Key> EncodeStore for GraphDots<V> {
    fn encode_store(&self, _live: &DotSet, flag: bool, w: &mut Writer<'_>) {
        let bit = |is_empty, bit| if is_empty { 0 } else { bit };
        w.varint(bit(self.vertices.is_empty(), VERTICES) | bit(self.edges.is_empty(), EDGES) | u64::from(flag));
        if !self.vertices.is_empty() {
            self.vertices.encode_store(&self.vertices.live(), false, w);
        }
        if !self.edges.is_empty() {
            self.edges.encode_store(&self.edges.live(), false, w);
        }
    }
}

impl<V: Decode + Key> DecodeStore for GraphDots<V> {
    fn decode_store(r: &mut Reader<'_>, live: &mut DotSet) -> Result<(Self, bool), DecodeError> {
        let bad = r.not_canonical("graph");
        let head = r.varint("graph")?;
        if head > VERTICES | EDGES | 1 {
            return Err(bad);
        }
        let (has_vertices, has_edges) = (head & VERTICES != 0, head & EDGES != 0);
        let vertices = if has_vertices { part(r, live)? } else { Elements::default() };
        let edges = if has_edges { part(r, live)? } else { Elements::default() };
        Ok((Self::of(vertices, edges), head & 1 == 1))
    }
}

/// The vertices or the edges, which are not none.
fn part<E: Decode + Key>(r: &mut Reader<'_>, live: &mut DotSet) -> Result<Elements<E>, DecodeError> {
    let bad = r.not_canonical("part of a graph");
    let (elements, flag) = Elements::decode_store(r, live)?;
    if flag || elements.is_empty() { Err(bad) } else { Ok(elements) }
}
