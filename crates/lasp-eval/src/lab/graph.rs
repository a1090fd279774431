//! Figures of a directed graph of nodes: how it clusters, how far apart nodes are, what hangs together.

use crate::overlay::root;

/// The neighbours of each node, by number. Nodes that are gone have none and are named by none.
pub type Graph = Vec<Vec<u32>>;

/// Beyond so many nodes, path lengths are taken from as many of them, evenly spaced, rather than from all.
const SOURCES: usize = 20_000;

/// How many paths have which length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paths {
    /// Pairs of nodes by the length of the shortest path between them, from 0.
    pub lengths: Vec<u64>,
}

impl Paths {
    /// The mean length over pairs of different nodes that reach each other; 0 of none.
    pub fn mean(&self) -> f64 {
        let pairs: u64 = self.lengths.iter().skip(1).sum();
        let hops: u64 = self.lengths.iter().enumerate().map(|(length, count)| length as u64 * count).sum();
        if pairs == 0 { 0.0 } else { hops as f64 / pairs as f64 }
    }
}

/// The mean clustering coefficient (Watts and Strogatz): over nodes, the share of pairs of neighbours that are neighbours of
/// each other; a node with fewer than two counts as 0. O(nodes · degree³).
pub fn clustering(graph: &Graph) -> f64 {
    let linked = |a: u32, b: u32| graph[a as usize].contains(&b) || graph[b as usize].contains(&a);
    let of = |node: &Vec<u32>| {
        let pairs = node.len() * node.len().saturating_sub(1) / 2;
        let closed = node.iter().enumerate().map(|(at, a)| node[at + 1..].iter().filter(|b| linked(*a, **b)).count());
        if pairs == 0 { 0.0 } else { closed.sum::<usize>() as f64 / pairs as f64 }
    };
    if graph.is_empty() { 0.0 } else { graph.iter().map(of).sum::<f64>() / graph.len() as f64 }
}

/// The lengths of shortest paths, by breadth-first searches. O(nodes · links).
pub fn paths(graph: &Graph) -> Paths {
    let mut lengths = Vec::new();
    let mut seen = vec![u32::MAX; graph.len()];
    let (mut here, mut next) = (Vec::new(), Vec::new());
    for source in (0..graph.len()).step_by(graph.len().div_ceil(SOURCES).max(1)) {
        let mark = source as u32;
        seen[source] = mark;
        here.push(mark);
        let mut length = 0;
        while !here.is_empty() {
            if lengths.len() <= length {
                lengths.push(0);
            }
            lengths[length] += here.len() as u64;
            for &other in here.drain(..).flat_map(|node| &graph[node as usize]) {
                if std::mem::replace(&mut seen[other as usize], mark) != mark {
                    next.push(other);
                }
            }
            std::mem::swap(&mut here, &mut next);
            length += 1;
        }
    }
    Paths { lengths }
}

/// How many nodes hang together with each node, whichever end names the link; of nodes in `alive` alone.
pub fn component_sizes(graph: &Graph, alive: &[usize]) -> Vec<usize> {
    let mut parent: Vec<usize> = (0..graph.len()).collect();
    for &node in alive {
        for &other in &graph[node] {
            let (a, b) = (root(&mut parent, node), root(&mut parent, other as usize));
            parent[a] = b;
        }
    }
    let mut sizes = vec![0; graph.len()];
    for &node in alive {
        sizes[root(&mut parent, node)] += 1;
    }
    (0..graph.len()).map(|node| sizes[root(&mut parent, node)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A triangle 0-1-2 with a tail 2-3.
    fn kite() -> Graph {
        vec![vec![1, 2], vec![0, 2], vec![0, 1, 3], vec![2]]
    }

    #[test]
    fn clustering_is_the_share_of_closed_pairs() {
        assert_eq!(clustering(&kite()), (1.0 + 1.0 + 1.0 / 3.0 + 0.0) / 4.0);
        assert_eq!(clustering(&vec![vec![1], vec![0]]), 0.0);
    }

    #[test]
    fn paths_are_the_shortest() {
        let paths = paths(&kite());
        assert_eq!(paths.lengths, [4, 8, 4]);
        assert_eq!(paths.mean(), 16.0 / 12.0);
    }

    #[test]
    fn what_one_end_names_hangs_together() {
        let graph = vec![vec![1], vec![], vec![3], vec![2], vec![]];
        assert_eq!(component_sizes(&graph, &[0, 1, 2, 3, 4]), [2, 2, 2, 2, 1]);
        assert_eq!(component_sizes(&graph, &[0, 1, 4])[4], 1);
    }
}
