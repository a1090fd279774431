//! What the experiments ask of an overlay, whatever keeps it.

use super::graph::Graph;

/// How far one broadcast came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// Nodes that heard it, its sender among them.
    pub reached: usize,
    /// The longest way by which a node first heard it.
    pub hops: u32,
}

/// An overlay of nodes numbered from 0.
pub trait Overlay {
    /// One membership cycle: every node does its periodic work once.
    fn cycle(&mut self);

    /// Holds everything periodic still from now on, for good: only what messages set off happens.
    fn hold(&mut self);

    /// The same overlay once more, to try something else in.
    fn fork(&self) -> Self;

    /// Fails nodes at once.
    fn fail(&mut self, nodes: &[usize]);

    /// Broadcasts from a node, until the message is at rest.
    fn broadcast(&mut self, from: usize) -> Spread;

    /// Who has not failed, ascending.
    fn alive(&self) -> Vec<usize>;

    /// Over which links messages travel, of nodes that have not failed to nodes that have not.
    fn neighbors(&self) -> Graph;

    /// Everybody that a node could turn to, likewise.
    fn known(&self) -> Graph;

    /// How many links a node has open, mean; 0 where there is no such thing.
    fn links(&self) -> f64 {
        0.0
    }

    /// The mean round trip over the links that messages travel, in milliseconds, where nodes are scattered.
    fn round_trip(&self) -> Option<f64> {
        None
    }

    /// A hash of all that happened, where there is one.
    fn trace_hash(&self) -> Option<u64>;
}
