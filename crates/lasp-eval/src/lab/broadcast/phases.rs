//! What happens: an overlay grows and rests; one node broadcasts on a copy of it, random ones on another; of that, shares fail.

use super::options::Broadcast;
use super::world::{Reached, World};
use crate::lab::graph::shallowest_tree;
use crate::lab::seeds::Pace;
use std::collections::BTreeMap;
use std::time::Duration;

/// What the papers count as one cycle: a shuffle's interval.
pub const CYCLE: Duration = Duration::from_secs(10);

/// What one seed came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Neighbours of a node.
    pub view: usize,
    /// Message by message of one sender.
    pub single: Vec<Reached>,
    /// Of random senders.
    pub multi: Vec<Reached>,
    /// After failures, by percent: the first as they happen, then one a cycle.
    pub after: BTreeMap<u32, Vec<Reached>>,
    /// Hops to the farthest node, mean over senders, along the shallowest breadth-first tree that was found in this overlay.
    pub shallowest: f64,
    /// Hash of all that happened to the random senders.
    pub trace_hash: u64,
}

/// How many steps of [`run`] there are.
pub fn steps(options: &Broadcast) -> u64 {
    u64::from(options.cycles) + 2 * options.messages as u64 + (options.failed.len() * options.after) as u64
}

/// Runs it.
pub fn run(nodes: usize, options: &Broadcast, view: usize, seed: u64, pace: &Pace<'_>) -> Outcome {
    let mut world = World::grow(nodes, options, view, seed);
    for _ in 0..options.cycles {
        world.pass(CYCLE);
        if !pace.step() {
            break;
        }
    }
    let shallowest = shallowest_tree(&world.neighbors());
    let mut alone = world.fork(options, seed);
    let sender = alone.anyone();
    let single = messages(&mut alone, options, pace, |_| sender);
    drop(alone);
    let multi = messages(&mut world, options, pace, World::anyone);
    let after = options.failed.iter().map(|&percent| {
        let mut world = world.fork(options, seed);
        world.fail(percent);
        (percent, afterwards(&mut world, options, pace))
    });
    Outcome { view, single, multi, after: after.collect(), shallowest, trace_hash: world.trace_hash() }
}

fn messages(
    world: &mut World,
    options: &Broadcast,
    pace: &Pace<'_>,
    mut from: impl FnMut(&mut World) -> lasp_overlay::PeerId,
) -> Vec<Reached> {
    let mut all = Vec::with_capacity(options.messages);
    while all.len() < options.messages && pace.goes_on() {
        let from = from(world);
        all.push(world.broadcast(from, options.every.duration()));
        pace.step();
    }
    all
}

fn afterwards(world: &mut World, options: &Broadcast, pace: &Pace<'_>) -> Vec<Reached> {
    let mut all = Vec::with_capacity(options.after);
    while all.len() < options.after && pace.goes_on() {
        let from = world.anyone();
        all.push(world.broadcast(from, CYCLE));
        pace.step();
    }
    all
}
