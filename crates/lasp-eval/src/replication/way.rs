//! The ways in which state travels that are compared: the paper's, and the runtime's own.

use crate::choice::choice;
use lasp_node::{Dissemination, SyncMode};
use std::time::Duration;

choice! {
    /// How state travels.
    pub enum Way("mode") {
        /// Whole states, each interval.
        State = "state",
        /// What grew, each interval: the classic algorithm.
        Delta = "delta",
        /// The same, but not back to where it came from (BP).
        DeltaBp = "delta-bp",
        /// The same, but of what came only what was news (RR).
        DeltaRr = "delta-rr",
        /// Both rules: the paper's algorithm.
        DeltaBpRr = "delta-bp-rr",
        /// Along a broadcast tree at once, with digests beside it: what nodes do by default.
        Tree = "tree",
        /// The same, each link holding broadcasts back as long as the others' interval.
        TreePaced = "tree-paced",
    }
}

impl Way {
    /// Whether updates are pushed along a broadcast tree, which has to form first.
    pub const fn has_tree(self) -> bool {
        matches!(self, Self::Tree | Self::TreePaced)
    }

    /// Sets a node up for it, to exchange once an interval.
    pub fn tune(self, interval: Duration, node: &mut lasp_node::Config) {
        (node.dissemination, node.sync_mode) = if self.has_tree() {
            (Dissemination::Tree, SyncMode::Digest)
        } else {
            // The paper's ways are named as the runtime's modes are.
            (Dissemination::Gossip, self.name().parse().expect("a mode of the runtime"))
        };
        node.exchange.interval = interval;
        // The published algorithm goes by a clock of its own at each node, which keeps its beat.
        node.exchange.jitter = 0.0;
        if self == Self::TreePaced {
            node.link.pace = interval;
        }
    }
}
