//! The shape of the overlay, from every node's own view of it: who is alone, who is not answered, what hangs together.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Faults and figures of an overlay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Nodes that have no neighbour.
    pub isolated_nodes: usize,
    /// Views that name a neighbour whose own view does not name them.
    pub asymmetric_links: usize,
    /// Views that name a peer that is none of the run's nodes (an earlier life of one, say).
    pub dangling_links: usize,
    /// Sets of nodes with no link between them.
    pub components: usize,
    /// Neighbours of each node, ascending.
    pub degrees: Vec<usize>,
}

/// Examines the views `(node, its neighbours)`.
///
/// Links count whichever side names them, for components; O(links · log nodes).
pub fn examine(views: &[(u64, Vec<u64>)]) -> Shape {
    let index: BTreeMap<u64, usize> = views.iter().enumerate().map(|(at, (peer, _))| (*peer, at)).collect();
    let mut shape = Shape::default();
    let mut parent: Vec<usize> = (0..views.len()).collect();
    for (at, (peer, view)) in views.iter().enumerate() {
        shape.degrees.push(view.len());
        shape.isolated_nodes += usize::from(view.is_empty());
        for neighbour in view {
            let Some(&other) = index.get(neighbour) else {
                shape.dangling_links += 1;
                continue;
            };
            shape.asymmetric_links += usize::from(!views[other].1.contains(peer));
            let (a, b) = (root(&mut parent, at), root(&mut parent, other));
            parent[a] = b;
        }
    }
    shape.components = (0..views.len()).filter(|&at| parent[at] == at).count();
    shape.degrees.sort_unstable();
    shape
}

/// The representative of `at`'s component; halves the path on the way (union-find).
pub(crate) fn root(parent: &mut [usize], mut at: usize) -> usize {
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_whole() {
        let views: Vec<_> = (0..5u64).map(|i| (i, vec![(i + 1) % 5, (i + 4) % 5])).collect();
        let expected = Shape { components: 1, degrees: vec![2; 5], ..Shape::default() };
        assert_eq!(examine(&views), expected);
    }

    #[test]
    fn each_fault_is_counted_as_what_it_is() {
        // 1 and 2 are linked; 3 names 1, which does not name 3; 4 is alone; 5 names a stranger.
        let views = vec![(1, vec![2]), (2, vec![1]), (3, vec![1]), (4, vec![]), (5, vec![99])];
        let expected = Shape {
            isolated_nodes: 1,
            asymmetric_links: 1,
            dangling_links: 1,
            components: 3,
            degrees: vec![0, 1, 1, 1, 1],
        };
        assert_eq!(examine(&views), expected);
    }
}
