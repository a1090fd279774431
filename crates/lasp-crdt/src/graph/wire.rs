//! The encoding of graphs: vertices once, edges by the ranks of their ends.

use super::adjacency::Adjacency;
use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::fingerprint::hash;
use std::hash::Hash;

/// The number of vertices, then each, ascending.
pub(super) fn encode_vertices<V: Encode + Clone + Ord + Hash>(graph: &Adjacency<V>, w: &mut Writer<'_>) {
    w.len(graph.vertex_count());
    graph.vertices().for_each(|vertex| vertex.encode(w));
}

/// A graph without edges, whose vertices have their ranks as positions.
pub(super) fn decode_vertices<V: Decode + Clone + Ord + Hash>(r: &mut Reader<'_>) -> Result<Adjacency<V>, DecodeError> {
    let mut graph = Adjacency::new();
    let mut last = None;
    for _ in 0..r.len("vertices")? {
        let bad = r.not_canonical("vertices");
        let vertex = V::decode(r)?;
        if last.is_some_and(|last| graph.node(last).vertex >= vertex) {
            return Err(bad);
        }
        let hash = hash(&vertex);
        let at = graph.intern(vertex, hash);
        graph.show(at);
        last = Some(at);
    }
    Ok(graph)
}

/// The number of vertices where edges begin; then for each its rank and how many edges there are, and for each of those
/// the rank of its end. Ranks are those among `vertices`, and count from the one before.
pub(super) fn encode_edges<V: Clone + Ord + Hash>(edges: &Adjacency<V>, vertices: &Adjacency<V>, w: &mut Writer<'_>) {
    let ranks = ranks(vertices);
    let rank = |hash, vertex: &V| vertices.find_hashed(hash, vertex).map_or(0, |at| ranks[at as usize]);
    let mut from: Vec<(u64, Vec<u64>)> = Vec::new();
    for (_, node) in edges.nodes().filter(|(_, node)| node.out.iter().next().is_some()) {
        let ends = node.out.iter().map(|to| edges.node(to));
        let mut ends: Vec<u64> = ends.map(|end| rank(end.hash, &end.vertex)).collect();
        ends.sort_unstable();
        from.push((rank(node.hash, &node.vertex), ends));
    }
    from.sort_unstable();
    w.len(from.len());
    let mut next = 0;
    for (from, ends) in from {
        w.varint(from - next);
        next = from + 1;
        w.len(ends.len());
        let mut next = 0;
        for end in ends {
            w.varint(end - next);
            next = end + 1;
        }
    }
}

/// The rank of each vertex there, by position.
fn ranks<V: Ord>(vertices: &Adjacency<V>) -> Vec<u64> {
    let mut order: Vec<(&V, u32)> =
        vertices.nodes().filter(|(_, node)| node.is_there).map(|(at, node)| (&node.vertex, at)).collect();
    order.sort_unstable();
    let mut ranks = Vec::new();
    for (rank, (_, at)) in (0..).zip(order) {
        let at = at as usize;
        ranks.resize(ranks.len().max(at + 1), 0);
        ranks[at] = rank;
    }
    ranks
}

/// Edges as [`encode_edges`] wrote them, by the ranks of their ends among `vertices` vertices.
pub(super) fn decode_edges(r: &mut Reader<'_>, vertices: usize) -> Result<Vec<(u32, u32)>, DecodeError> {
    let mut edges = Vec::new();
    let mut next = 0;
    for _ in 0..r.len("edges")? {
        let bad = r.not_canonical("edges");
        let from = rank(r, next, vertices)?;
        next = from + 1;
        let ends = r.len("edges")?;
        if ends == 0 {
            return Err(bad);
        }
        let mut next = 0;
        for _ in 0..ends {
            let to = rank(r, next, vertices)?;
            next = to + 1;
            edges.push((from as u32, to as u32));
        }
    }
    Ok(edges)
}

/// The rank of a vertex, at least `next`.
fn rank(r: &mut Reader<'_>, next: u64, vertices: usize) -> Result<u64, DecodeError> {
    let bad = r.not_canonical("end of an edge");
    let rank = r.varint("end of an edge")?.checked_add(next);
    rank.filter(|&rank| rank < vertices as u64).ok_or(bad)
}
