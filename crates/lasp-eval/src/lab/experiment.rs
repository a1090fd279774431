//! The experiment of the HyParView paper (Leitão, Pereira, Rodrigues, DSN 2007, §5), over any overlay.
//!
//! An overlay of nodes that joined one by one is left alone for some cycles. Then some share of it fails at once, and
//! without any cycle in between messages are broadcast from random survivors, one after the other: *reliability* is the
//! share of the survivors that hear a message, the mean over all messages. *Healing* is how many cycles it takes after
//! such a failure until every one of ten broadcasts reaches everybody again that it can.
//!
//! What can be reached has a *ceiling* that no protocol lifts: survivors that no survivor knows and that know none
//! are lost to each other, and so are groups of them. It is taken from everybody's views at the moment of failure.

use super::graph::{self, Paths};
use super::strategy::{Overlay, Spread};
use lasp_overlay::Rng;
use std::collections::BTreeMap;

/// What the experiment varies: percent of the nodes that fail.
pub const FAILED: [u32; 10] = [10, 20, 30, 40, 50, 60, 70, 80, 90, 95];

/// Up to which share healing is measured.
pub const HEALED: u32 = 90;

/// Broadcasts per cycle that show whether an overlay has healed.
const TRIALS: usize = 10;

/// After how many cycles healing is given up.
pub const PATIENCE: u32 = 20;

/// How long and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The seed of who fails and who sends.
    pub seed: u64,
    /// Cycles before anything fails.
    pub cycles: u32,
    /// Messages after each failure.
    pub messages: usize,
    /// Whether healing is measured.
    pub heals: bool,
    /// Whether the contact through which all joined fails, too, whatever share does: then nobody finds back through it.
    pub contact_fails: bool,
}

/// What was measured at one share of failures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Level {
    /// Mean share of survivors that hear a message, 0 to 1.
    pub reliability: f64,
    /// The most that could be, of messages from the same senders.
    pub ceiling: f64,
    /// The same share for each message.
    pub messages: Vec<f64>,
    /// Cycles until broadcasts reach everybody that they can, if that was measured; `None` in it: not within [`PATIENCE`].
    pub healing: Option<Option<u32>>,
    /// Reliability over those messages alone whose senders had a neighbour after the last message.
    pub joined: f64,
}

/// What was measured over one overlay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Mean clustering coefficient after the last cycle before the failures.
    pub clustering: f64,
    /// Shortest paths then.
    pub paths: Paths,
    /// Neighbours of each node then, ascending.
    pub degrees: Vec<usize>,
    /// How many nodes know each node then, ascending.
    pub in_degrees: Vec<usize>,
    /// Links that one end alone knows.
    pub asymmetric: usize,
    /// Open links of a node, mean: neighbours and others; 0 where there is no such thing.
    pub links: f64,
    /// Mean over messages of the longest way by which a node first heard it.
    pub max_hops: f64,
    /// Reliability before any failure.
    pub before: f64,
    /// Mean round trips over links, in milliseconds, before and after the cycles; where nodes are scattered.
    pub round_trips: Option<[f64; 2]>,
    /// By percentage failed.
    pub levels: BTreeMap<u32, Level>,
    /// Hash of all that happened before the failures.
    pub trace_hash: Option<u64>,
}

impl Outcome {
    /// How many neighbours a node has, mean.
    pub fn mean_degree(&self) -> f64 {
        mean(self.degrees.iter().map(|degree| *degree as f64))
    }
}

/// Runs it, at the given shares of failures; `go_on` is asked after each step.
pub fn run<O: Overlay>(overlay: &mut O, plan: &Plan, failed: &[u32], go_on: &dyn Fn() -> bool) -> Outcome {
    let unbiased = overlay.round_trip();
    for _ in 0..plan.cycles {
        overlay.cycle();
    }
    go_on();
    let mut outcome = shape(overlay);
    outcome.round_trips = unbiased.zip(overlay.round_trip()).map(<[f64; 2]>::from);
    let before = broadcasts(&mut held(overlay), plan.messages.min(100), &mut Rng::new(plan.seed));
    outcome.before = mean(before.iter().map(|(_, spread)| spread.reached as f64)) / overlay.alive().len() as f64;
    outcome.max_hops = mean(before.iter().map(|(_, spread)| f64::from(spread.hops)));
    outcome.levels = levels(overlay, outcome.before, plan, failed, go_on);
    outcome
}

/// What failures do, tried on copies of an overlay in which messages have reached a share of `before`.
pub fn levels<O: Overlay>(
    overlay: &O,
    before: f64,
    plan: &Plan,
    failed: &[u32],
    go_on: &dyn Fn() -> bool,
) -> BTreeMap<u32, Level> {
    let mut levels = BTreeMap::new();
    let mut left = failed.iter();
    while go_on()
        && let Some(&percent) = left.next()
    {
        levels.insert(percent, level(overlay, before, plan, percent));
    }
    levels
}

/// How many times [`run`] asks.
pub const fn steps(failed: &[u32]) -> usize {
    2 + failed.len()
}

/// A copy in which nothing periodic happens.
fn held<O: Overlay>(overlay: &O) -> O {
    let mut fork = overlay.fork();
    fork.hold();
    fork
}

fn shape<O: Overlay>(overlay: &O) -> Outcome {
    let neighbors = overlay.neighbors();
    let mut degrees: Vec<usize> = neighbors.iter().map(Vec::len).collect();
    degrees.sort_unstable();
    let mut in_degrees = vec![0; neighbors.len()];
    overlay.known().iter().flatten().for_each(|&other| in_degrees[other as usize] += 1);
    in_degrees.sort_unstable();
    let one_sided = |(node, view): (usize, &Vec<u32>)| {
        view.iter().filter(|other| !neighbors[**other as usize].contains(&(node as u32))).count()
    };
    Outcome {
        clustering: graph::clustering(&neighbors),
        paths: graph::paths(&neighbors),
        degrees,
        in_degrees,
        links: overlay.links(),
        asymmetric: neighbors.iter().enumerate().map(one_sided).sum(),
        trace_hash: overlay.trace_hash(),
        ..Outcome::default()
    }
}

fn level<O: Overlay>(overlay: &O, before: f64, plan: &Plan, percent: u32) -> Level {
    let mut rng = Rng::new(plan.seed ^ u64::from(percent) << 32);
    let victims = victims(overlay, plan, percent, &mut rng);
    let mut after = held(overlay);
    after.fail(&victims);
    let sizes = graph::component_sizes(&after.known(), &after.alive());
    let survivors = after.alive().len() as f64;
    let heard = broadcasts(&mut after, plan.messages, &mut rng.clone());
    let share = |spread: &Spread| spread.reached as f64 / survivors;
    let joined = after.neighbors();
    let joined = heard.iter().filter(|(from, _)| !joined[*from].is_empty()).map(|(_, spread)| share(spread));
    let messages: Vec<f64> = heard.iter().map(|(_, spread)| share(spread)).collect();
    Level {
        reliability: mean(messages.iter().copied()),
        joined: mean(joined),
        ceiling: mean(heard.iter().map(|(from, _)| sizes[*from] as f64)) / survivors,
        messages,
        healing: (plan.heals && percent <= HEALED).then(|| healing(overlay, before, &victims, &sizes, &mut rng)),
    }
}

/// Who fails: a random share of all, the contact (node 0) among them if it is to.
fn victims<O: Overlay>(overlay: &O, plan: &Plan, percent: u32, rng: &mut Rng) -> Vec<usize> {
    let mut nodes = overlay.alive();
    let count = nodes.len() * percent as usize / 100;
    rng.shuffle(&mut nodes);
    if let Some(at) = nodes.iter().position(|node| *node == 0).filter(|_| plan.contact_fails) {
        nodes.swap(0, at);
    }
    nodes.truncate(count);
    nodes
}

/// Broadcasts one message after the other from random nodes.
fn broadcasts<O: Overlay>(overlay: &mut O, count: usize, rng: &mut Rng) -> Vec<(usize, Spread)> {
    let alive = overlay.alive();
    let broadcast = |_| {
        let from = alive[rng.index(alive.len())];
        (from, overlay.broadcast(from))
    };
    (0..count).map(broadcast).collect()
}

/// Cycles until broadcasts reach, of those who hang together with their senders, as large a share as before.
fn healing<O: Overlay>(overlay: &O, before: f64, victims: &[usize], sizes: &[usize], rng: &mut Rng) -> Option<u32> {
    let mut after = overlay.fork();
    after.fail(victims);
    let alive = after.alive();
    (1..=PATIENCE).find(|_| {
        after.cycle();
        let reached = (0..TRIALS).map(|_| {
            let from = alive[rng.index(alive.len())];
            after.broadcast(from).reached as f64 / sizes[from] as f64
        });
        mean(reached) >= before
    })
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = values.fold((0, 0.0), |(count, sum), value| (count + 1, sum + value));
    if count == 0 { 0.0 } else { sum / f64::from(count) }
}
