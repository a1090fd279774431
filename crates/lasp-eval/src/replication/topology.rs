//! The published overlays: which nodes are linked.

use crate::choice::choice;

choice! {
    /// Which nodes are linked.
    pub enum Topology("topology") {
        /// A tree: of 15 nodes the published one, with up to three neighbours; of others a binary one.
        Tree = "tree",
        /// A ring with chords: each node is linked with the next and with the fourth next.
        Mesh = "mesh",
    }
}

/// The published tree of 15 nodes.
const TREE: [(usize, usize); 14] = [
    (0, 1),
    (0, 8),
    (0, 13),
    (1, 6),
    (2, 5),
    (3, 10),
    (4, 5),
    (5, 6),
    (6, 10),
    (7, 13),
    (8, 9),
    (8, 14),
    (10, 12),
    (11, 13),
];

impl Topology {
    /// The links, each once.
    pub fn links(self, nodes: usize) -> Vec<(usize, usize)> {
        match self {
            Self::Tree if nodes == 15 => TREE.to_vec(),
            Self::Tree => (1..nodes).map(|node| ((node - 1) / 2, node)).collect(),
            Self::Mesh => {
                let chords = |node: usize| [1, 4].map(|step| (node, (node + step) % nodes));
                let mut links: Vec<(usize, usize)> =
                    (0..nodes).flat_map(chords).map(|(a, b)| (a.min(b), a.max(b))).filter(|(a, b)| a != b).collect();
                links.sort_unstable();
                links.dedup();
                links
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn degrees(topology: Topology, nodes: usize) -> Vec<usize> {
        let links = topology.links(nodes);
        (0..nodes).map(|node| links.iter().filter(|(a, b)| *a == node || *b == node).count()).collect()
    }

    #[test]
    fn links_are_the_published_ones() {
        let tree = degrees(Topology::Tree, 15);
        assert_eq!((tree.iter().sum::<usize>(), tree.iter().max()), (28, Some(&3)));
        for nodes in [15, 50] {
            assert_eq!(degrees(Topology::Mesh, nodes), vec![4; nodes]);
        }
        assert_eq!(Topology::Mesh.links(15).len(), 30);
        assert_eq!(degrees(Topology::Mesh, 5), vec![2; 5], "the chord is the ring's link the other way round");
        assert_eq!(Topology::Tree.links(4), [(0, 1), (0, 2), (1, 3)]);
    }
}
