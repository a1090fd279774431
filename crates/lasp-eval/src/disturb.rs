//! What is done to the network of a simulated cluster by hand.

use lasp_node::Node;
use lasp_overlay::{PeerId, Rng};
use lasp_sim::Simulator;

/// The network falls into parts of random nodes, as equal as can be.
pub fn split(simulator: &mut Simulator<Node>, parts: usize, rng: &mut Rng) {
    let mut peers: Vec<PeerId> = simulator.peers().map(|(peer, _)| peer).collect();
    rng.shuffle(&mut peers);
    let size = peers.len().div_ceil(parts.max(1)).max(1);
    let groups: Vec<Vec<PeerId>> = peers.chunks(size).skip(1).map(<[PeerId]>::to_vec).collect();
    simulator.partition(&groups);
}

/// So many in a hundred of the links between neighbours, at random, are cut both ways.
pub fn cut_links(simulator: &mut Simulator<Node>, percent: f64, rng: &mut Rng) {
    let links: Vec<(PeerId, PeerId)> = simulator
        .peers()
        .flat_map(|(peer, node)| node.active_view().into_iter().map(move |other| (peer, other.id)))
        .filter(|(peer, other)| peer < other)
        .collect();
    let count = (links.len() as f64 * percent / 100.0).round() as usize;
    for (a, b) in rng.sample(&links, count) {
        simulator.block(a, b);
        simulator.block(b, a);
    }
}
