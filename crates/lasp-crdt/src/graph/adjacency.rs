//! Which vertices and edges are there, indexed both ways and kept up to date change by change.
//!
//! A vertex is stored once; edges are 32-bit positions at both their ends. An edge may be held while an end is missing:
//! it is *hidden* then, and shows once both ends are there. So removing a vertex takes no longer than removing anything
//! else, and a vertex that comes back finds its edges. It is no lattice and knows no replicas; lattices of graphs keep
//! one to answer questions from.

use crate::fingerprint::{hash, mix};
use crate::slab::Slab;
use hashbrown::HashTable;
use smallvec::SmallVec;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::hash::Hash;
use thiserror::Error;

/// A directed graph. Every change and look-up takes O(1), but for reading in order.
///
/// ```
/// use lasp_crdt::Adjacency;
///
/// let mut graph = Adjacency::new();
/// graph.insert_vertex("a");
/// graph.insert_edge("a", "b"); // hidden: there is no b
/// assert_eq!(graph.successors(&"a").len(), 0);
/// graph.insert_vertex("b");
/// assert!(graph.successors(&"a").eq(&["b"]));
/// graph.remove_vertex(&"b");
/// assert!(!graph.contains_edge(&"a", &"b") && graph.holds_edge(&"a", &"b"));
/// ```
#[derive(Clone)]
pub struct Adjacency<V> {
    /// Each is there, or an end of an edge that is held, or both.
    nodes: Slab<Node<V>>,
    /// Over all nodes once there were more than [`SCANNED`].
    index: Option<Box<HashTable<u32>>>,
    vertices: usize,
    edges: usize,
    fingerprint: u64,
}

/// A vertex that is there, or an end of an edge.
#[derive(Clone)]
pub(super) struct Node<V> {
    pub(super) vertex: V,
    /// The stable hash of `vertex`.
    pub(super) hash: u64,
    pub(super) is_there: bool,
    pub(super) out: Links,
    into: Links,
}

/// There is no topological order: each of these vertices has an edge to the next, and the last to the first. It begins
/// with its least vertex.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the graph has a cycle of {}", vertices.len())]
pub struct Cycle<'a, V> {
    /// Along the edges.
    pub vertices: Vec<&'a V>,
}

/// Up to how many nodes a scan replaces the index. A guess, near where scan and look-up cost the same.
const SCANNED: usize = 8;

/// The share of a vertex in the fingerprint.
fn vertex_part(vertex: u64) -> u64 {
    mix(vertex, 0x7665_7274)
}

/// The identity of an edge between vertices of these hashes, and its share in the fingerprint.
pub(super) fn edge_hash(from: u64, to: u64) -> u64 {
    mix(mix(from, 0x6564_6765), to)
}

impl<V> Adjacency<V> {
    /// The empty graph.
    pub fn new() -> Self {
        Self { nodes: Slab::default(), index: None, vertices: 0, edges: 0, fingerprint: 0 }
    }

    /// How many vertices are there.
    pub fn vertex_count(&self) -> usize {
        self.vertices
    }

    /// How many edges are held, hidden or not.
    pub fn held_count(&self) -> usize {
        self.edges
    }

    /// Whether there is neither a vertex nor an edge, not even a hidden one.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() == 0
    }

    /// A summary of the vertices there and the edges held, in whichever order they came; 0 if there are none.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The vertices, in no particular order. Cost: O(n).
    pub fn unordered_vertices(&self) -> impl Iterator<Item = &V> {
        self.nodes().filter(|(_, node)| node.is_there).map(|(_, node)| &node.vertex)
    }

    /// Every edge held, hidden or not, in no particular order. Cost: O(n).
    pub fn held_edges(&self) -> impl Iterator<Item = (&V, &V)> {
        self.held().map(|(from, to)| (&from.vertex, &to.vertex))
    }

    pub(super) fn node(&self, at: u32) -> &Node<V> {
        self.nodes.get(at)
    }

    /// Every node with its position.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (u32, &Node<V>)> {
        self.nodes.iter()
    }

    /// Every edge held, as the nodes of its ends.
    pub(super) fn held(&self) -> impl Iterator<Item = (&Node<V>, &Node<V>)> {
        self.nodes().flat_map(move |(_, from)| from.out.iter().map(move |to| (from, self.node(to))))
    }
}

impl<V: Clone + Ord + Hash> Adjacency<V> {
    /// Puts a vertex there; `true` if it was not.
    pub fn insert_vertex(&mut self, vertex: V) -> bool {
        let hash = hash(&vertex);
        let at = self.intern(vertex, hash);
        self.show(at)
    }

    /// Takes a vertex away, which hides its edges; `true` if it was there.
    pub fn remove_vertex(&mut self, vertex: &V) -> bool {
        let Some(at) = self.find_shown(vertex) else {
            return false;
        };
        self.hide(at);
        self.drop_if_bare(at);
        true
    }

    /// Takes a vertex away with all its edges, hidden ones too. Cost: their number.
    pub fn purge_vertex(&mut self, vertex: &V) {
        let Some(at) = self.find(vertex) else {
            return;
        };
        if self.node(at).is_there {
            self.hide(at);
        }
        let out: Vec<u32> = self.node(at).out.iter().collect();
        out.iter().for_each(|&to| self.unlink(at, to));
        let into: Vec<u32> = self.node(at).into.iter().collect();
        into.iter().for_each(|&from| self.unlink(from, at));
        // Each once: a node that is dropped leaves its position to others.
        let mut ends: Vec<u32> = out.into_iter().chain(into).chain([at]).collect();
        ends.sort_unstable();
        ends.dedup();
        ends.into_iter().for_each(|end| self.drop_if_bare(end));
    }

    /// Holds an edge, hidden unless both its ends are there; `true` if it was not held.
    pub fn insert_edge(&mut self, from: V, to: V) -> bool {
        let hashes = (hash(&from), hash(&to));
        let (from, to) = (self.intern(from, hashes.0), self.intern(to, hashes.1));
        self.link(from, to)
    }

    /// Lets go of an edge; `true` if it was held, hidden or not.
    pub fn remove_edge(&mut self, from: &V, to: &V) -> bool {
        let Some((from, to)) = self.find(from).zip(self.find(to)) else {
            return false;
        };
        let was_held = self.node(from).out.contains(to);
        if was_held {
            self.unlink(from, to);
            self.drop_if_bare(from);
            if from != to {
                self.drop_if_bare(to);
            }
        }
        was_held
    }

    /// Whether `vertex` is there.
    pub fn contains_vertex(&self, vertex: &V) -> bool {
        self.find_shown(vertex).is_some()
    }

    /// Whether the edge shows: it is held, and both its ends are there.
    pub fn contains_edge(&self, from: &V, to: &V) -> bool {
        let ends = self.find_shown(from).zip(self.find_shown(to));
        ends.is_some_and(|(from, to)| self.node(from).out.contains(to))
    }

    /// Whether the edge is held, hidden or not.
    pub fn holds_edge(&self, from: &V, to: &V) -> bool {
        let ends = self.find(from).zip(self.find(to));
        ends.is_some_and(|(from, to)| self.node(from).out.contains(to))
    }

    /// Whether an edge that shows begins or ends at `vertex`. Cost: O(1), and one step for each hidden edge there.
    pub fn has_edges(&self, vertex: &V) -> bool {
        let node = self.find_shown(vertex).map(|at| self.node(at));
        node.is_some_and(|node| node.out.iter().chain(node.into.iter()).any(|other| self.node(other).is_there))
    }

    /// Whether an edge is held that begins or ends at `vertex`, hidden or not, whether or not the vertex is there.
    pub fn is_end(&self, vertex: &V) -> bool {
        let node = self.find(vertex).map(|at| self.node(at));
        node.is_some_and(|node| node.out.len() + node.into.len() > 0)
    }

    /// Every edge held that begins or ends at `vertex`, hidden or not, in no particular order; a loop twice. Cost: O(d), of
    /// d edges.
    pub fn held_at<'a>(&'a self, vertex: &V) -> impl Iterator<Item = (&'a V, &'a V)> {
        self.find(vertex).map(|at| self.node(at)).into_iter().flat_map(move |node| {
            let out = node.out.iter().map(move |to| (&node.vertex, &self.node(to).vertex));
            out.chain(node.into.iter().map(move |from| (&self.node(from).vertex, &node.vertex)))
        })
    }

    /// The vertices, ascending. Cost: O(n log n).
    pub fn vertices(&self) -> impl ExactSizeIterator<Item = &V> {
        self.in_order(self.nodes().map(|(at, _)| at))
    }

    /// The edges that show, ascending by their beginning, then by their end.
    pub fn edges(&self) -> impl Iterator<Item = (&V, &V)> {
        self.vertices().flat_map(|from| self.successors(from).map(move |to| (from, to)))
    }

    /// Where edges from `vertex` lead, ascending.
    pub fn successors(&self, vertex: &V) -> impl ExactSizeIterator<Item = &V> {
        let links = self.find_shown(vertex).map(|at| self.node(at).out.iter());
        self.in_order(links.into_iter().flatten())
    }

    /// Whence edges to `vertex` come, ascending.
    pub fn predecessors(&self, vertex: &V) -> impl ExactSizeIterator<Item = &V> {
        let links = self.find_shown(vertex).map(|at| self.node(at).into.iter());
        self.in_order(links.into_iter().flatten())
    }

    /// Where one can get from `from`, which is itself among them if it is there, ascending.
    pub fn reachable(&self, from: &V) -> impl ExactSizeIterator<Item = &V> {
        let mut reached = Links::default();
        let mut pending: Vec<u32> = self.find_shown(from).into_iter().collect();
        while let Some(at) = pending.pop() {
            if self.node(at).is_there && reached.insert(at) {
                pending.extend(self.node(at).out.iter());
            }
        }
        self.in_order(reached.iter())
    }

    /// All vertices so that every edge that shows leads onward, the least possible vertex first wherever there is a
    /// choice (Kahn 1962).
    ///
    /// # Errors
    /// [`Cycle`] if there is one.
    pub fn topological_order(&self) -> Result<Vec<&V>, Cycle<'_, V>> {
        let mut waiting = self.in_degrees();
        let ready = self.nodes().filter(|&(at, node)| node.is_there && waiting[at as usize] == 0);
        let mut ready: BinaryHeap<_> = ready.map(|(at, node)| Reverse((&node.vertex, at))).collect();
        let mut order = Vec::with_capacity(self.vertices);
        while let Some(Reverse((vertex, at))) = ready.pop() {
            order.push(vertex);
            for to in self.node(at).out.iter().filter(|&to| self.node(to).is_there) {
                waiting[to as usize] -= 1;
                if waiting[to as usize] == 0 {
                    ready.push(Reverse((&self.node(to).vertex, to)));
                }
            }
        }
        if order.len() == self.vertices { Ok(order) } else { Err(self.cycle(&waiting)) }
    }

    /// How many edges that show end at each position.
    fn in_degrees(&self) -> Vec<usize> {
        let mut degrees = Vec::new();
        for (at, node) in self.nodes() {
            degrees.resize(at as usize, 0);
            let shown = |&from: &u32| node.is_there && self.node(from).is_there;
            degrees.push(node.into.iter().filter(shown).count());
        }
        degrees
    }

    /// A cycle among the vertices that still wait for others, each of which has one of the others before it.
    fn cycle(&self, waiting: &[usize]) -> Cycle<'_, V> {
        let is_left = |at: &u32| self.node(*at).is_there && waiting[*at as usize] > 0;
        let least = |positions: &mut dyn Iterator<Item = u32>| {
            let left = positions.filter(is_left);
            left.min_by(|&one, &other| self.node(one).vertex.cmp(&self.node(other).vertex)).expect("some vertex waits")
        };
        let mut path = vec![least(&mut self.nodes().map(|(at, _)| at))];
        // From each to one before it, until one comes up again.
        let met = loop {
            let before = least(&mut self.node(path[path.len() - 1]).into.iter());
            if let Some(met) = path.iter().position(|&at| at == before) {
                break met;
            }
            path.push(before);
        };
        let mut vertices: Vec<&V> = path[met..].iter().rev().map(|&at| &self.node(at).vertex).collect();
        let first = (0..vertices.len()).min_by_key(|&at| vertices[at]).unwrap_or(0);
        vertices.rotate_left(first);
        Cycle { vertices }
    }

    /// The vertices at those of these positions that are there, ascending.
    fn in_order(&self, positions: impl Iterator<Item = u32>) -> std::vec::IntoIter<&V> {
        let shown = positions.map(|at| self.node(at)).filter(|node| node.is_there);
        let mut vertices: Vec<&V> = shown.map(|node| &node.vertex).collect();
        vertices.sort_unstable();
        vertices.into_iter()
    }

    /// Adds what `other` has; `true` if that is anything. Cost: the size of the smaller.
    pub fn merge(&mut self, mut other: Self) -> bool {
        let before = (self.vertices, self.edges);
        if other.nodes.len() > self.nodes.len() {
            std::mem::swap(self, &mut other);
        }
        let (mut places, mut links) = (Vec::new(), Vec::new());
        for (at, node) in other.nodes.into_entries() {
            let here = self.intern(node.vertex, node.hash);
            if node.is_there {
                self.show(here);
            }
            places.resize(at as usize, here);
            places.push(here);
            links.push((here, node.out));
        }
        for (from, out) in links {
            for to in out.iter() {
                self.link(from, places[to as usize]);
            }
        }
        (self.vertices, self.edges) != before
    }

    /// Whether `other` has all of this. Cost: the size of this.
    pub fn is_within(&self, other: &Self) -> bool {
        let mut places = Vec::new();
        for (at, node) in self.nodes() {
            let Some(there) = other.find_hashed(node.hash, &node.vertex) else {
                return false;
            };
            if node.is_there && !other.node(there).is_there {
                return false;
            }
            places.resize(at as usize, there);
            places.push(there);
        }
        let is_held = |from: u32, to: u32| other.node(places[from as usize]).out.contains(places[to as usize]);
        self.nodes().all(|(from, node)| node.out.iter().all(|to| is_held(from, to)))
    }

    /// Holds an edge and puts both its ends there, given with their hashes.
    pub(super) fn insert_whole(&mut self, from: &Node<V>, to: &Node<V>) {
        let (from, to) = (self.insert_like(from), self.insert_like(to));
        self.link(from, to);
    }

    /// Puts a vertex there, given with its hash; returns its position.
    pub(super) fn insert_like(&mut self, node: &Node<V>) -> u32 {
        let at = self.intern(node.vertex.clone(), node.hash);
        self.show(at);
        at
    }

    fn find(&self, vertex: &V) -> Option<u32> {
        self.find_hashed(hash(vertex), vertex)
    }

    fn find_shown(&self, vertex: &V) -> Option<u32> {
        self.find(vertex).filter(|&at| self.node(at).is_there)
    }

    pub(super) fn find_hashed(&self, hash: u64, vertex: &V) -> Option<u32> {
        let is_it = |node: &Node<V>| node.hash == hash && node.vertex == *vertex;
        match &self.index {
            None => self.nodes().find(|(_, node)| is_it(node)).map(|(at, _)| at),
            Some(index) => index.find(hash, |&at| is_it(self.node(at))).copied(),
        }
    }

    /// The position of the node of `vertex`, made if there is none.
    pub(super) fn intern(&mut self, vertex: V, hash: u64) -> u32 {
        if let Some(at) = self.find_hashed(hash, &vertex) {
            return at;
        }
        let node = Node { vertex, hash, is_there: false, out: Links::default(), into: Links::default() };
        let at = self.nodes.insert(node);
        let nodes = &self.nodes;
        match &mut self.index {
            Some(index) => drop(index.insert_unique(hash, at, |&at| nodes.get(at).hash)),
            None if nodes.len() > SCANNED => {
                let mut index = HashTable::with_capacity(nodes.len());
                for (at, node) in nodes.iter() {
                    index.insert_unique(node.hash, at, |&at| nodes.get(at).hash);
                }
                self.index = Some(Box::new(index));
            }
            None => {}
        }
        at
    }

    pub(super) fn show(&mut self, at: u32) -> bool {
        let node = self.nodes.get_mut(at);
        let was_missing = !std::mem::replace(&mut node.is_there, true);
        if was_missing {
            self.fingerprint = self.fingerprint.wrapping_add(vertex_part(node.hash));
            self.vertices += 1;
        }
        was_missing
    }

    fn hide(&mut self, at: u32) {
        let node = self.nodes.get_mut(at);
        node.is_there = false;
        self.fingerprint = self.fingerprint.wrapping_sub(vertex_part(node.hash));
        self.vertices -= 1;
    }

    pub(super) fn link(&mut self, from: u32, to: u32) -> bool {
        let is_new = self.nodes.get_mut(from).out.insert(to);
        if is_new {
            self.nodes.get_mut(to).into.insert(from);
            self.fingerprint = self.fingerprint.wrapping_add(edge_hash(self.node(from).hash, self.node(to).hash));
            self.edges += 1;
        }
        is_new
    }

    /// Lets go of an edge that is held. Its ends may be bare then.
    fn unlink(&mut self, from: u32, to: u32) {
        self.nodes.get_mut(from).out.remove(to);
        self.nodes.get_mut(to).into.remove(from);
        self.fingerprint = self.fingerprint.wrapping_sub(edge_hash(self.node(from).hash, self.node(to).hash));
        self.edges -= 1;
    }

    /// Forgets a node that is not there and is the end of nothing.
    fn drop_if_bare(&mut self, at: u32) {
        let Node { hash, is_there, out, into, .. } = self.node(at);
        if *is_there || out.len() + into.len() > 0 {
            return;
        }
        let hash = *hash;
        self.nodes.remove(at);
        if self.nodes.len() == 0 {
            self.index = None;
        } else if let Some(index) = &mut self.index
            && let Ok(found) = index.find_entry(hash, |&held| held == at)
        {
            found.remove();
        }
    }
}

impl<V> Default for Adjacency<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: Clone + Ord + Hash> PartialEq for Adjacency<V> {
    fn eq(&self, other: &Self) -> bool {
        (self.fingerprint, self.vertices, self.edges) == (other.fingerprint, other.vertices, other.edges)
            && self.is_within(other)
    }
}

impl<V: Clone + Ord + Hash> Eq for Adjacency<V> {}

/// The vertices there and the edges held, ascending.
impl<V: fmt::Debug + Ord> fmt::Debug for Adjacency<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.nodes().map(|(_, node)| node).filter(|node| node.is_there);
        let mut vertices: Vec<&V> = shown.map(|node| &node.vertex).collect();
        vertices.sort_unstable();
        let mut edges: Vec<(&V, &V)> = self.held().map(|(from, to)| (&from.vertex, &to.vertex)).collect();
        edges.sort_unstable();
        f.debug_struct("Adjacency").field("vertices", &vertices).field("edges", &edges).finish()
    }
}

/// A set of positions: a few are scanned, more are a hash table.
#[derive(Clone)]
pub(super) enum Links {
    Few(SmallVec<[u32; 4]>),
    Many(Box<HashTable<u32>>),
}

/// Up to how many links are scanned: those that fit a cache line.
const SCANNED_LINKS: usize = 16;

fn spread(position: &u32) -> u64 {
    u64::from(*position).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Default for Links {
    fn default() -> Self {
        Self::Few(SmallVec::new())
    }
}

impl Links {
    fn len(&self) -> usize {
        match self {
            Self::Few(list) => list.len(),
            Self::Many(table) => table.len(),
        }
    }

    pub(super) fn contains(&self, position: u32) -> bool {
        match self {
            Self::Few(list) => list.contains(&position),
            Self::Many(table) => table.find(spread(&position), |&held| held == position).is_some(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        let (list, table) = match self {
            Self::Few(list) => (list.as_slice(), None),
            Self::Many(table) => (&[][..], Some(table)),
        };
        list.iter().chain(table.into_iter().flat_map(|table| table.iter())).copied()
    }

    fn insert(&mut self, position: u32) -> bool {
        if self.contains(position) {
            return false;
        }
        match self {
            Self::Few(list) if list.len() < SCANNED_LINKS => list.push(position),
            Self::Few(list) => {
                let mut table = HashTable::with_capacity(SCANNED_LINKS * 2);
                for &position in list.iter().chain(&[position]) {
                    table.insert_unique(spread(&position), position, spread);
                }
                *self = Self::Many(Box::new(table));
            }
            Self::Many(table) => drop(table.insert_unique(spread(&position), position, spread)),
        }
        true
    }

    fn remove(&mut self, position: u32) {
        match self {
            Self::Few(list) => list.retain(|held| *held != position),
            Self::Many(table) => {
                if let Ok(found) = table.find_entry(spread(&position), |&held| held == position) {
                    found.remove();
                }
                // Half, so that it does not go back and forth.
                if table.len() * 2 <= SCANNED_LINKS {
                    *self = Self::Few(table.iter().copied().collect());
                }
            }
        }
    }
}
