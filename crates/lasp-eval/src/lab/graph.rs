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

/// From how many roots [`shallowest_tree`] looks.
const ROOTS: usize = 32;

/// Of breadth-first trees from some roots, evenly spaced: the least number of hops along a tree to the farthest node, mean over
/// all nodes. What a tree that all senders share can hardly be better than. O(roots · links).
pub fn shallowest_tree(graph: &Graph) -> f64 {
    let roots = (0..graph.len()).step_by(graph.len().div_ceil(ROOTS).max(1));
    roots.map(|root| mean_depth(&breadth_first_tree(graph, root as u32))).fold(f64::INFINITY, f64::min)
}

/// A breadth-first tree, each edge at both of its ends.
fn breadth_first_tree(graph: &Graph, root: u32) -> Graph {
    let mut tree = vec![Vec::new(); graph.len()];
    let mut seen = vec![false; graph.len()];
    seen[root as usize] = true;
    let mut queue = std::collections::VecDeque::from([root]);
    while let Some(node) = queue.pop_front() {
        for &other in &graph[node as usize] {
            if !std::mem::replace(&mut seen[other as usize], true) {
                tree[node as usize].push(other);
                tree[other as usize].push(node);
                queue.push_back(other);
            }
        }
    }
    tree
}

/// Hops from each node, in a tree, to the farthest, mean over nodes: one end of any longest path is farthest.
fn mean_depth(tree: &Graph) -> f64 {
    let depths = |from: usize| {
        let mut depths = vec![0_u32; tree.len()];
        let mut stack = vec![(from as u32, from as u32)];
        while let Some((node, parent)) = stack.pop() {
            for &other in tree[node as usize].iter().filter(|other| **other != parent) {
                depths[other as usize] = depths[node as usize] + 1;
                stack.push((other, node));
            }
        }
        depths
    };
    let farthest = |depths: &[u32]| (0..depths.len()).max_by_key(|node| depths[*node]).unwrap_or(0);
    let start = tree.iter().position(|neighbors| !neighbors.is_empty()).unwrap_or(0);
    let from_one = depths(farthest(&depths(start)));
    let from_other = depths(farthest(&from_one));
    let sum: u32 = from_one.iter().zip(&from_other).map(|(one, other)| one.max(other)).sum();
    f64::from(sum) / tree.len().max(1) as f64
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
    fn the_shallowest_tree_of_a_kite_hangs_from_where_its_tail_is() {
        assert_eq!(shallowest_tree(&kite()), (2.0 + 2.0 + 1.0 + 2.0) / 4.0);
        let ring: Graph = (0..6).map(|node| vec![(node + 1) % 6, (node + 5) % 6]).collect();
        assert_eq!(shallowest_tree(&ring), (5.0 + 4.0 + 3.0 + 3.0 + 4.0 + 5.0) / 6.0, "a line");
    }

    #[test]
    fn what_one_end_names_hangs_together() {
        let graph = vec![vec![1], vec![], vec![3], vec![2], vec![]];
        assert_eq!(component_sizes(&graph, &[0, 1, 2, 3, 4]), [2, 2, 2, 2, 1]);
        assert_eq!(component_sizes(&graph, &[0, 1, 4])[4], 1);
    }
}
