//! The shape of the broadcast tree, from the links over which each node pushes payloads.

use crate::overlay::root;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Figures of the graph of eager links. A tree of n nodes has n − 1 links, in one part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tree {
    /// How many nodes there are.
    pub nodes: usize,
    /// Eager links between them: half of their ends.
    pub links: f64,
    /// The same over n − 1: 1 is a tree, below it is torn, above it has cycles. 0 of one node.
    pub links_ratio: f64,
    /// Links that are eager at one end alone.
    pub one_sided: usize,
    /// Parts that no eager link connects.
    pub components: usize,
    /// Links on the way between the two nodes of the largest part that are farthest from each other.
    pub diameter: usize,
    /// How many nodes of the largest part are 0, 1, 2, … links from its middle: the middle of that way.
    pub depths: Vec<f64>,
    /// How many nodes of it have 0, 1, 2, … others behind them next, seen from there.
    pub children: Vec<f64>,
}

/// One node: who it is, and to whom it pushes.
pub type View<'a> = (u64, &'a [u64]);

/// Examines the eager links of each node; those to peers that are not among them count for nothing. O(links · log nodes).
pub fn examine(views: &[View<'_>]) -> Tree {
    let index: BTreeMap<u64, usize> = views.iter().enumerate().map(|(at, (peer, _))| (*peer, at)).collect();
    let mut links: Vec<Vec<usize>> = vec![Vec::new(); views.len()];
    let mut parent: Vec<usize> = (0..views.len()).collect();
    let (mut ends, mut one_sided) = (0, 0);
    for (at, (peer, eager)) in views.iter().enumerate() {
        for &other in eager.iter().filter_map(|other| index.get(other)) {
            ends += 1;
            let answered = views[other].1.contains(peer);
            one_sided += usize::from(!answered);
            links[at].push(other);
            if !answered {
                links[other].push(at);
            }
            let (a, b) = (root(&mut parent, at), root(&mut parent, other));
            parent[a] = b;
        }
    }
    let parts: Vec<usize> = (0..views.len()).map(|at| root(&mut parent, at)).collect();
    let mut sizes = vec![0_usize; views.len()];
    parts.iter().for_each(|&part| sizes[part] += 1);
    let largest = (0..views.len()).max_by_key(|&part| (sizes[part], std::cmp::Reverse(part))).unwrap_or(0);
    let links_count = f64::from(ends) / 2.0;
    let mut tree = Tree {
        nodes: views.len(),
        links: links_count,
        links_ratio: if views.len() > 1 { links_count / (views.len() - 1) as f64 } else { 0.0 },
        one_sided,
        components: sizes.iter().filter(|size| **size > 0).count(),
        ..Tree::default()
    };
    if let Some(start) = parts.iter().position(|&part| part == largest) {
        measure(&links, start, &mut tree);
    }
    tree
}

/// Diameter, depths and children of the part that `start` is in.
fn measure(links: &[Vec<usize>], start: usize, tree: &mut Tree) {
    let across = across(links, start);
    tree.diameter = across.farthest();
    let whole = Search::from(links, across.halfway());
    let mut children = vec![0_usize; links.len()];
    for &node in whole.order.iter().skip(1) {
        children[whole.parent[node]] += 1;
    }
    for &node in &whole.order {
        count(&mut tree.depths, whole.depth[node]);
        count(&mut tree.children, children[node]);
    }
}

/// The middle of the longest way in what is connected with `start`. O(links).
pub(crate) fn middle(links: &[Vec<usize>], start: usize) -> usize {
    across(links, start).halfway()
}

/// From one of two nodes that are farthest apart (exactly so in a tree), which the last is the other of.
fn across(links: &[Vec<usize>], start: usize) -> Search {
    Search::from(links, Search::from(links, start).last())
}

fn count(counts: &mut Vec<f64>, at: usize) {
    if counts.len() <= at {
        counts.resize(at + 1, 0.0);
    }
    counts[at] += 1.0;
}

/// A breadth-first search.
pub(crate) struct Search {
    /// Who was found, the nearest first.
    pub(crate) order: Vec<usize>,
    /// How far each is; the greatest number for those that were not found.
    pub(crate) depth: Vec<usize>,
    /// From whom each was found.
    pub(crate) parent: Vec<usize>,
}

impl Search {
    /// Of what is connected with `start`. O(links).
    pub(crate) fn from(links: &[Vec<usize>], start: usize) -> Self {
        let mut search =
            Self { order: vec![start], depth: vec![usize::MAX; links.len()], parent: vec![start; links.len()] };
        search.depth[start] = 0;
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            for &other in &links[node] {
                if search.depth[other] == usize::MAX {
                    search.depth[other] = search.depth[node] + 1;
                    search.parent[other] = node;
                    search.order.push(other);
                    queue.push_back(other);
                }
            }
        }
        search
    }

    /// How far away the farthest is.
    pub(crate) fn farthest(&self) -> usize {
        self.depth[self.last()]
    }

    /// Halfway to the farthest.
    fn halfway(&self) -> usize {
        (0..self.farthest() / 2).fold(self.last(), |node, _| self.parent[node])
    }

    /// One of those farthest away.
    fn last(&self) -> usize {
        self.order.last().copied().unwrap_or(0)
    }
}

impl Tree {
    /// The greatest depth: hops from the middle to the farthest node.
    pub fn depth(&self) -> usize {
        self.depths.len().saturating_sub(1)
    }

    /// Hops from the middle, mean over the nodes of the largest part; 0 of none.
    pub fn mean_depth(&self) -> f64 {
        let nodes: f64 = self.depths.iter().sum();
        let hops: f64 = self.depths.iter().enumerate().map(|(depth, count)| depth as f64 * count).sum();
        if nodes > 0.0 { hops / nodes } else { 0.0 }
    }

    /// Those of several runs as one: means, and the worst where something is wrong.
    pub fn of_runs(runs: &[&Self]) -> Self {
        let count = runs.len().max(1) as f64;
        let mean = |pick: fn(&Self) -> f64| runs.iter().map(|run| pick(run)).sum::<f64>() / count;
        let worst = |pick: fn(&Self) -> usize| runs.iter().map(|run| pick(run)).max().unwrap_or(0);
        let counts = |pick: fn(&Self) -> &Vec<f64>| -> Vec<f64> {
            let longest = runs.iter().map(|run| pick(run).len()).max().unwrap_or(0);
            let at = |at| runs.iter().filter_map(|run| pick(run).get(at)).sum::<f64>() / count;
            (0..longest).map(at).collect()
        };
        Self {
            nodes: worst(|run| run.nodes),
            links: mean(|run| run.links),
            links_ratio: mean(|run| run.links_ratio),
            one_sided: worst(|run| run.one_sided),
            components: worst(|run| run.components),
            diameter: worst(|run| run.diameter),
            depths: counts(|run| &run.depths),
            children: counts(|run| &run.children),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(views: &[(u64, Vec<u64>)]) -> Tree {
        examine(&views.iter().map(|(peer, eager)| (*peer, eager.as_slice())).collect::<Vec<_>>())
    }

    #[test]
    fn a_star_is_a_tree_of_depth_one() {
        let mut views = vec![(10, (1..=5).collect())];
        views.extend((1..=5).map(|leaf| (leaf, vec![10])));
        let tree = of(&views);
        assert_eq!((tree.links, tree.links_ratio, tree.components, tree.one_sided), (5.0, 1.0, 1, 0));
        assert_eq!(
            (tree.diameter, tree.depths, tree.children),
            (2, vec![1.0, 5.0], vec![5.0, 0.0, 0.0, 0.0, 0.0, 1.0])
        );
    }

    #[test]
    fn a_line_hangs_from_its_middle() {
        let near =
            |at: u64| [at.checked_sub(1), Some(at + 1)].into_iter().flatten().filter(|other| *other < 5).collect();
        let views: Vec<(u64, Vec<u64>)> = (0..5).map(|at| (at, near(at))).collect();
        let tree = of(&views);
        assert_eq!((tree.diameter, tree.depth(), tree.depths.as_slice()), (4, 2, [1.0, 2.0, 2.0].as_slice()));
        assert_eq!((tree.children.as_slice(), tree.mean_depth()), ([2.0, 2.0, 1.0].as_slice(), 1.2));
    }

    #[test]
    fn torn_trees_cycles_and_disagreements_are_seen() {
        // A triangle, a link that one end alone holds as eager, and to somebody who is gone.
        let views = vec![(1, vec![2, 3]), (2, vec![1, 3]), (3, vec![1, 2]), (4, vec![5, 99]), (5, vec![])];
        let tree = of(&views);
        assert_eq!((tree.components, tree.one_sided, tree.links), (2, 1, 3.5));
        assert_eq!(tree.depths, [1.0, 2.0], "of the larger part");
        assert_eq!(of(&[]), Tree::default());
        assert_eq!((of(&[(1, vec![])]).links_ratio, of(&[(1, vec![])]).components), (0.0, 1));
    }
}
