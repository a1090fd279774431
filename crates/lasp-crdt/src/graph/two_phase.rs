//! The two-phase graph (2P2P): vertices and edges are added, then removed, and never come back.
//!
//! Source: Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data Types" (2011), §3.4, Spec.
//! 16. An edge brings its vertices, so it never waits for them. A vertex that is removed while elsewhere it gets an edge
//! takes that edge with it. Since it never comes back, nothing need be remembered of its edges, not even their removal:
//! states that differ in that alone are one state here. The paper lets a vertex be removed only if no edge was added and
//! not removed; here, only if none can be seen, or one end that is gone would keep the other for good.

use super::adjacency::{Adjacency, Node, edge_hash};
use super::{Graph, wire};
use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::fingerprint::{self, Fingerprint, mix};
use crate::hashes::Hashes;
use crate::lattice::{Decompose, Delta, Lattice};
use crate::table::{self, Entry, Table};
use std::fmt;
use std::hash::Hash;
use thiserror::Error;

/// A directed graph whose vertices and edges can be removed once. Changing and looking up take O(1); a vertex that is
/// removed while it has edges elsewhere costs their number there. [`Graph`] has the queries.
///
/// ```
/// use lasp_crdt::{Graph, HasEdges, Lattice, TwoPGraph};
///
/// let mut plan = TwoPGraph::new();
/// plan.merge(plan.add_vertices(["dig", "build"]));
/// plan.merge(plan.add_edge("dig", "build").unwrap());
/// assert_eq!(plan.remove_vertex(&"dig"), Err(HasEdges));
/// plan.merge(plan.remove_edge(&"dig", &"build"));
/// plan.merge(plan.remove_vertex(&"dig").unwrap());
/// plan.merge(plan.add_vertex("dig")); // too late
/// assert!(plan.vertices().eq(&["build"]));
/// ```
#[derive(Clone)]
pub struct TwoPGraph<V> {
    /// Holds no hidden edge.
    graph: Adjacency<V>,
    /// The edges removed between vertices of `graph`; no vertex is there.
    cut: Adjacency<V>,
    /// The vertices removed.
    gone: Table<V, ()>,
    /// Of `gone`.
    fingerprint: u64,
}

/// An end of the edge is not in the graph, which is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an end of the edge is not in the graph")]
pub struct MissingVertex;

/// The vertex has edges, so it cannot be removed; the graph is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the vertex has edges")]
pub struct HasEdges;

/// What somebody knows of a vertex or an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Nothing,
    Added,
    Removed,
}

impl Known {
    fn from(is_added: bool, is_removed: bool) -> Self {
        match (is_added, is_removed) {
            (_, true) => Self::Removed,
            (true, false) => Self::Added,
            (false, false) => Self::Nothing,
        }
    }
}

impl<V> TwoPGraph<V> {
    /// The empty graph.
    pub fn new() -> Self {
        Self { graph: Adjacency::new(), cut: Adjacency::new(), gone: Table::default(), fingerprint: 0 }
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

impl<V> TwoPGraph<V> {
    /// The vertices that were removed, in no particular order. Cost: O(n).
    pub fn removed_vertices(&self) -> impl Iterator<Item = &V> {
        self.gone.iter().map(|entry| &entry.key)
    }

    /// The edges that were removed while their ends are there, in no particular order. Cost: O(n).
    pub fn removed_edges(&self) -> impl Iterator<Item = (&V, &V)> {
        self.cut.held_edges()
    }
}

impl<V: Clone + Ord + Hash> TwoPGraph<V> {
    /// Whether `vertex` was removed: then it can never be in the graph again.
    pub fn is_removed(&self, vertex: &V) -> bool {
        self.is_gone(fingerprint::hash(vertex), vertex)
    }

    /// Whether the edge was removed, or an end of it: then it can never be in the graph again.
    pub fn is_edge_removed(&self, from: &V, to: &V) -> bool {
        self.cut.holds_edge(from, to) || self.is_removed(from) || self.is_removed(to)
    }

    /// The delta that adds `vertex`; bottom if it is there, or was removed.
    pub fn add_vertex(&self, vertex: V) -> Self {
        self.add_vertices([vertex])
    }

    /// The delta that adds those of `vertices` that are not there and were not removed.
    pub fn add_vertices(&self, vertices: impl IntoIterator<Item = V>) -> Self {
        let mut delta = Self::new();
        let is_new = |vertex: &V| !self.contains_vertex(vertex) && !self.is_removed(vertex);
        for vertex in vertices.into_iter().filter(is_new) {
            delta.graph.insert_vertex(vertex);
        }
        delta
    }

    /// The delta that adds an edge; bottom if it is there, or was removed.
    ///
    /// # Errors
    /// [`MissingVertex`] if an end of it is not there.
    pub fn add_edge(&self, from: V, to: V) -> Result<Self, MissingVertex> {
        if !self.contains_vertex(&from) || !self.contains_vertex(&to) {
            return Err(MissingVertex);
        }
        let mut delta = Self::new();
        if !self.graph.holds_edge(&from, &to) && !self.cut.holds_edge(&from, &to) {
            delta.graph.insert_vertex(from.clone());
            delta.graph.insert_vertex(to.clone());
            delta.graph.insert_edge(from, to);
        }
        Ok(delta)
    }

    /// The delta that removes `vertex`; bottom if it is not there.
    ///
    /// # Errors
    /// [`HasEdges`] if an edge begins or ends there.
    pub fn remove_vertex(&self, vertex: &V) -> Result<Self, HasEdges> {
        if self.graph.has_edges(vertex) {
            return Err(HasEdges);
        }
        let mut delta = Self::new();
        if self.contains_vertex(vertex) {
            delta.bury(Entry::new(vertex.clone(), ()));
        }
        Ok(delta)
    }

    /// The delta that removes an edge; bottom if it is not there.
    pub fn remove_edge(&self, from: &V, to: &V) -> Self {
        let mut delta = Self::new();
        if self.contains_edge(from, to) {
            delta.graph.insert_vertex(from.clone());
            delta.graph.insert_vertex(to.clone());
            delta.cut.insert_edge(from.clone(), to.clone());
        }
        delta
    }

    fn is_gone(&self, hash: u64, vertex: &V) -> bool {
        self.gone.get(hash, vertex).is_some()
    }

    fn knows(&self, node: &Node<V>) -> Known {
        let is_added = self.graph.find_hashed(node.hash, &node.vertex).is_some();
        Known::from(is_added, self.is_gone(node.hash, &node.vertex))
    }

    fn knows_edge(&self, from: &Node<V>, to: &Node<V>) -> Known {
        let holds = |edges: &Adjacency<V>| {
            let ends = edges.find_hashed(from.hash, &from.vertex).zip(edges.find_hashed(to.hash, &to.vertex));
            ends.is_some_and(|(from, to)| edges.node(from).out.contains(to))
        };
        let has_lost_an_end = self.is_gone(from.hash, &from.vertex) || self.is_gone(to.hash, &to.vertex);
        Known::from(holds(&self.graph), has_lost_an_end || holds(&self.cut))
    }

    /// Removes a vertex and forgets its edges; `true` if it was not removed.
    fn bury(&mut self, entry: Entry<V, ()>) -> bool {
        if self.is_gone(entry.hash, &entry.key) {
            return false;
        }
        self.graph.purge_vertex(&entry.key);
        self.cut.purge_vertex(&entry.key);
        self.fingerprint = self.fingerprint.wrapping_add(mix(entry.hash, GONE));
        self.gone.insert_new(entry);
        true
    }

    /// Adds a vertex unless it is gone; `true` if it is new.
    fn see(&mut self, node: &Node<V>) -> bool {
        let is_new = self.knows(node) == Known::Nothing;
        if is_new {
            self.graph.insert_like(node);
        }
        is_new
    }

    /// Adds an edge, whose ends are there or gone, unless it is gone; `true` if it is new.
    fn see_edge(&mut self, from: &Node<V>, to: &Node<V>) -> bool {
        let is_new = self.knows_edge(from, to) == Known::Nothing;
        if is_new {
            self.graph.insert_whole(from, to);
        }
        is_new
    }

    /// Removes an edge, whose ends are there or gone; `true` if it was not removed.
    fn cut(&mut self, from: &Node<V>, to: &Node<V>) -> bool {
        let is_new = self.knows_edge(from, to) != Known::Removed;
        if is_new {
            self.graph.remove_edge(&from.vertex, &to.vertex);
            self.cut.insert_edge(from.vertex.clone(), to.vertex.clone());
        }
        is_new
    }

    /// Removes an edge whose ends may not be there yet, but are not gone.
    fn cut_whole(&mut self, from: &Node<V>, to: &Node<V>) {
        self.graph.insert_like(from);
        self.graph.insert_like(to);
        self.cut(from, to);
    }

    /// What is news to one who knows so much of each vertex (given with its hash) and each edge.
    fn news(&self, vertex: impl Fn(u64, &V) -> Known, edge: impl Fn(&Node<V>, &Node<V>) -> Known) -> Self {
        let mut news = Self::new();
        for entry in self.gone.iter().filter(|entry| vertex(entry.hash, &entry.key) != Known::Removed) {
            news.bury(entry.clone());
        }
        for (_, node) in self.graph.nodes().filter(|(_, node)| vertex(node.hash, &node.vertex) == Known::Nothing) {
            news.graph.insert_like(node);
        }
        for (from, to) in self.graph.held().filter(|(from, to)| edge(from, to) == Known::Nothing) {
            news.graph.insert_whole(from, to);
        }
        for (from, to) in self.cut.held().filter(|(from, to)| edge(from, to) != Known::Removed) {
            news.cut_whole(from, to);
        }
        news
    }
}

/// The share of a vertex that is gone in fingerprints.
const GONE: u64 = 0x676f_6e65;

impl<V: Clone + Ord + Hash> Graph for TwoPGraph<V> {
    type Vertex = V;

    fn adjacency(&self) -> &Adjacency<V> {
        &self.graph
    }
}

impl<V> Default for TwoPGraph<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: fmt::Debug + Ord> fmt::Debug for TwoPGraph<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gone: Vec<&V> = self.gone.sorted().into_iter().map(|entry| &entry.key).collect();
        f.debug_struct("TwoPGraph").field("graph", &self.graph).field("cut", &self.cut).field("gone", &gone).finish()
    }
}

impl<V: Clone + Ord + Hash> PartialEq for TwoPGraph<V> {
    fn eq(&self, other: &Self) -> bool {
        self.graph == other.graph && self.cut == other.cut && self.gone == other.gone
    }
}

impl<V: Clone + Ord + Hash> Eq for TwoPGraph<V> {}

impl<V: Clone + Ord + Hash> Lattice for TwoPGraph<V> {
    fn merge(&mut self, other: Self) -> bool {
        if self.is_bottom() {
            *self = other;
            return !self.is_bottom();
        }
        let mut grew = other.gone.into_entries().fold(false, |grew, entry| self.bury(entry) | grew);
        grew |= other.graph.nodes().fold(false, |grew, (_, node)| self.see(node) | grew);
        grew |= other.cut.held().fold(false, |grew, (from, to)| self.cut(from, to) | grew);
        grew |= other.graph.held().fold(false, |grew, (from, to)| self.see_edge(from, to) | grew);
        grew
    }

    fn leq(&self, other: &Self) -> bool {
        self.gone.iter().all(|entry| other.is_gone(entry.hash, &entry.key))
            && self.graph.nodes().all(|(_, node)| other.knows(node) != Known::Nothing)
            && self.cut.held().all(|(from, to)| other.knows_edge(from, to) == Known::Removed)
            && self.graph.held().all(|(from, to)| other.knows_edge(from, to) != Known::Nothing)
    }

    fn is_bottom(&self) -> bool {
        self.graph.is_empty() && self.gone.is_empty()
    }
}

impl<V: Clone + Ord + Hash> Decompose for TwoPGraph<V> {
    /// One part per vertex removed, per vertex without edges, and per edge, added or removed, with its ends.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        let part = |change: &dyn Fn(&mut Self)| {
            let mut part = Self::new();
            change(&mut part);
            part
        };
        let gone = self.gone.sorted().into_iter().map(move |entry| {
            part(&|part| {
                part.bury(entry.clone());
            })
        });
        let is_alone = |vertex: &&V| !self.graph.is_end(vertex) && !self.cut.is_end(vertex);
        let alone = self.vertices().filter(is_alone).map(|vertex| Self::new().add_vertex(vertex.clone()));
        let edges = self.graph.held().map(move |(from, to)| part(&|part| part.graph.insert_whole(from, to)));
        let cut = self.cut.held().map(move |(from, to)| part(&|part| part.cut_whole(from, to)));
        gone.chain(alone).chain(edges).chain(cut)
    }
}

impl<V: Clone + Ord + Hash> Delta for TwoPGraph<V> {
    /// The hashes of the vertices there and of those removed; the same of edges.
    type Digest = ((Hashes, Hashes), (Hashes, Hashes));

    fn digest(&self) -> Self::Digest {
        let edges = |graph: &Adjacency<V>| graph.held().map(|(from, to)| edge_hash(from.hash, to.hash)).collect();
        let vertices = self.graph.nodes().map(|(_, node)| node.hash).collect();
        let gone = self.gone.iter().map(|entry| entry.hash).collect();
        ((vertices, gone), (edges(&self.graph), edges(&self.cut)))
    }

    fn delta(&self, ((vertices, gone), (edges, cut)): &Self::Digest) -> Self {
        let knows_edge = |from: &Node<V>, to: &Node<V>| {
            let edge = edge_hash(from.hash, to.hash);
            let has_lost_an_end = gone.contains(from.hash) || gone.contains(to.hash);
            Known::from(edges.contains(edge), has_lost_an_end || cut.contains(edge))
        };
        self.news(|hash, _| Known::from(vertices.contains(hash), gone.contains(hash)), knows_edge)
    }

    fn difference(&self, known: &Self) -> Self {
        let knows = |hash: u64, vertex: &V| {
            Known::from(known.graph.find_hashed(hash, vertex).is_some(), known.is_gone(hash, vertex))
        };
        self.news(knows, |from, to| known.knows_edge(from, to))
    }
}

impl<V: Clone + Ord + Hash> Fingerprint for TwoPGraph<V> {
    fn fingerprint(&self) -> u64 {
        if self.is_bottom() {
            return 0;
        }
        mix(mix(self.graph.fingerprint(), self.cut.fingerprint()), self.fingerprint)
    }
}

/// The vertices there, ascending; the edges by the ranks of their ends; those removed in the same way; the vertices
/// removed, ascending.
impl<V: Encode + Clone + Ord + Hash> Encode for TwoPGraph<V> {
    fn encode(&self, w: &mut Writer<'_>) {
        wire::encode_vertices(&self.graph, w);
        wire::encode_edges(&self.graph, &self.graph, w);
        wire::encode_edges(&self.cut, &self.graph, w);
        w.len(self.gone.len());
        self.gone.sorted().into_iter().for_each(|entry| entry.key.encode(w));
    }
}

impl<V: Decode + Clone + Ord + Hash> Decode for TwoPGraph<V> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut read = Self { graph: wire::decode_vertices(r)?, ..Self::new() };
        for (from, to) in wire::decode_edges(r, read.graph.vertex_count())? {
            read.graph.link(from, to);
        }
        let bad = r.not_canonical("removed edges");
        for (from, to) in wire::decode_edges(r, read.graph.vertex_count())? {
            if read.graph.node(from).out.contains(to) {
                return Err(bad);
            }
            let vertex = |at| read.graph.node(at).vertex.clone();
            read.cut.insert_edge(vertex(from), vertex(to));
        }
        let bad = r.not_canonical("removed vertices");
        for entry in table::decode_ascending(r, "removed vertices", |r| Ok(Entry::new(V::decode(r)?, ())))? {
            if read.graph.find_hashed(entry.hash, &entry.key).is_some() {
                return Err(bad);
            }
            read.bury(entry);
        }
        Ok(read)
    }
}
