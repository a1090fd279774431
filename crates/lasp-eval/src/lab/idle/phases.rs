//! Clusters that have nothing to do: the membership strategy alone, and whole nodes.

use super::options::Idle;
use crate::config::{Config, Membership};
use crate::lab::metered::{HELLO, KINDS, Kinds, Metered, Sent, WELCOME, contact};
use crate::lab::seeds::Pace;
use lasp_node::Node;
use lasp_overlay::membership::{AnyMembership, AnyMessage, Command, MembershipConfig, full::FullMesh, hyparview};
use lasp_overlay::{Addr, Contact, PeerId, Protocol, Rng, Wire};
use lasp_sim::Simulator;
use std::time::Duration;

/// Between two waves of joins.
const WAVE_EVERY: Duration = Duration::from_millis(100);

/// How many join at a time, each through a random one of those there, so that none has to answer all.
const WAVE: usize = 100;

impl Kinds for AnyMembership {
    const NAMES: &'static [&'static str] = &["probes", "walks", "samples", "neighbours", "gossip", "other"];

    fn kind(message: &AnyMessage) -> usize {
        use hyparview::Message as M;
        match message {
            AnyMessage::HyParView(M::Ping { .. } | M::Pong { .. } | M::Tag { .. }) => 0,
            AnyMessage::HyParView(M::Shuffle { .. } | M::ForwardJoin { .. } | M::Seek { .. }) => 1,
            AnyMessage::HyParView(M::Exchange { .. }) => 2,
            AnyMessage::HyParView(_) => 3,
            AnyMessage::FullMesh(message) => {
                if FullMesh::kind(message) == 0 {
                    0
                } else {
                    4
                }
            }
            _ => 5,
        }
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The membership strategy, and nothing else.
    Alone,
    /// Whole nodes: membership, broadcast, anti-entropy.
    Node,
}

/// What one node sends.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Of what.
    pub subject: Subject,
    /// Of how many.
    pub nodes: usize,
    /// Messages (of nodes: frames) per node and second.
    pub messages: f64,
    /// Bytes per node and second, frames and handshakes included.
    pub bytes: f64,
    /// Bytes per node and second by kind of message, or by class of a node's bytes.
    pub kinds: Vec<(&'static str, f64)>,
    /// Nodes without a neighbour at the end.
    pub isolated: usize,
    /// Hash of all that happened.
    pub trace_hash: u64,
}

/// How many steps of [`run`] there are.
pub const STEPS: u64 = 3;

/// Runs it.
pub fn run(config: &Config, options: &Idle, subject: Subject, nodes: usize, seed: u64, pace: &Pace<'_>) -> Outcome {
    match subject {
        Subject::Alone => alone(config.membership, options, nodes, seed, pace),
        Subject::Node => whole(config.membership, options, nodes, seed, pace),
    }
}

fn settings(membership: Membership) -> MembershipConfig {
    MembershipConfig::named(membership.name()).unwrap_or_default()
}

/// Joins all, and leaves them alone.
fn grow<P>(
    options: &Idle,
    nodes: usize,
    seed: u64,
    pace: &Pace<'_>,
    make: impl Fn(Contact, Rng) -> P,
    join: impl Fn(Vec<Addr>) -> P::Command,
) -> Simulator<P>
where
    P: Protocol,
    P::Message: Wire + Clone,
{
    let mut simulator = Simulator::new(lasp_sim::Config::seeded(seed));
    let mut node = 0;
    while node < nodes {
        for node in node..nodes.min(node + WAVE.min(node.max(1))) {
            let contact = contact(node);
            let rng = simulator.rng().fork();
            simulator.spawn(contact.clone(), make(contact, rng));
            if node > 0 {
                let there = simulator.rng().index(node);
                simulator.command(PeerId(node as u64), join(vec![crate::lab::metered::address(there)]));
            }
        }
        node = simulator.len();
        simulator.run_for(WAVE_EVERY);
    }
    pace.step();
    pass(&mut simulator, options.settle.duration(), pace);
    simulator
}

fn pass<P>(simulator: &mut Simulator<P>, time: Duration, pace: &Pace<'_>)
where
    P: Protocol,
    P::Message: Wire + Clone,
{
    let end = simulator.now() + time;
    while simulator.now() < end && pace.goes_on() {
        simulator.run_for((end - simulator.now()).min(Duration::from_secs(1)));
        simulator.drain_events();
    }
    pace.step();
}

fn alone(membership: Membership, options: &Idle, nodes: usize, seed: u64, pace: &Pace<'_>) -> Outcome {
    use lasp_overlay::membership::Membership as _;
    let config = settings(membership);
    let make = |contact, rng| Metered::new(AnyMembership::new(config.clone(), contact, rng));
    let mut simulator = grow(options, nodes, seed, pace, make, Command::Join);
    let all = |simulator: &Simulator<Metered<AnyMembership>>| {
        let mut all = [Sent::default(); KINDS];
        for (_, peer) in simulator.peers() {
            all.iter_mut().zip(peer.sent()).for_each(|(all, sent)| *all = all.and(*sent));
        }
        all
    };
    let before = all(&simulator);
    pass(&mut simulator, options.measure.duration(), pace);
    let per = 1.0 / (nodes as f64 * options.measure.duration().as_secs_f64());
    let names = AnyMembership::NAMES.iter().copied().chain(["", "handshakes"]);
    let mut outcome = Outcome {
        subject: Subject::Alone,
        nodes,
        messages: 0.0,
        bytes: 0.0,
        kinds: Vec::new(),
        isolated: simulator.peers().filter(|(_, peer)| peer.inner().active().is_empty()).count(),
        trace_hash: simulator.trace_hash(),
    };
    for ((name, now), before) in names.zip(all(&simulator)).zip(before) {
        let sent = now.since(before);
        outcome.bytes += sent.bytes as f64 * per;
        outcome.messages += if name == "handshakes" { 0.0 } else { sent.messages as f64 * per };
        outcome.kinds.push((name, sent.bytes as f64 * per));
    }
    outcome
}

/// Bytes by class, and frames.
fn counted(simulator: &Simulator<Node>) -> ([u64; 5], u64) {
    let mut sums = ([0; 5], 0);
    for (_, node) in simulator.peers() {
        let metrics = node.metrics();
        sums.0.iter_mut().zip(metrics.bytes_sent).for_each(|(sum, bytes)| *sum += bytes);
        sums.1 += metrics.frames_sent;
    }
    sums
}

fn whole(membership: Membership, options: &Idle, nodes: usize, seed: u64, pace: &Pace<'_>) -> Outcome {
    let config = lasp_node::Config { membership: settings(membership), ..lasp_node::Config::default() };
    let make = |contact: Contact, mut rng: Rng| Node::new(config.clone(), contact, rng.next_u64());
    let mut simulator = grow(options, nodes, seed, pace, make, lasp_node::Command::Join);
    let (before, links) = (counted(&simulator), simulator.stats().links);
    pass(&mut simulator, options.measure.duration(), pace);
    let per = 1.0 / (nodes as f64 * options.measure.duration().as_secs_f64());
    let (after, opened) = (counted(&simulator), simulator.stats().links - links);
    let bytes = after.0.iter().zip(before.0).map(|(now, before)| (now - before) as f64 * per);
    // Both ends are told of each link.
    let handshakes = opened as f64 * (HELLO + WELCOME) as f64 / 2.0 * per;
    let names = ["membership", "broadcast", "state", "anti-entropy", "unicast", "handshakes"];
    let kinds: Vec<(&'static str, f64)> = names.into_iter().zip(bytes.chain([handshakes])).collect();
    Outcome {
        subject: Subject::Node,
        nodes,
        messages: (after.1 - before.1) as f64 * per,
        bytes: kinds.iter().map(|(_, bytes)| bytes).sum(),
        kinds,
        isolated: simulator.peers().filter(|(_, node)| node.active_view().is_empty()).count(),
        trace_hash: simulator.trace_hash(),
    }
}
