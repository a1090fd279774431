//! Places kept for tags, with many peers.

use crate::world::{Faults, SECOND, World, id};
use lasp_overlay::Rng;
use lasp_overlay::membership::hyparview::{Config as HyParView, Tag};
use lasp_overlay::membership::{AnyMembership, Command, Membership, MembershipConfig};
use lasp_sim::Config;
use std::collections::BTreeMap;
use std::time::Duration;

fn server() -> Tag {
    Tag::new("server").unwrap()
}

/// The settings of peer `n`: the first six are servers, the others keep a place for one.
fn config(n: u64) -> MembershipConfig {
    let client = HyParView { reserved: BTreeMap::from([(server(), 1)]), ..HyParView::default() };
    // A server needs room for its share of the clients.
    let server = HyParView { tag: Some(server()), active_capacity: 24, ..HyParView::default() };
    MembershipConfig::HyParView(if n < 6 { server } else { client })
}

fn start(world: &mut World, n: u64) {
    world.config = config(n);
    // Through a peer that is no server, if there is one.
    world.spawn_joining(n, &[if n > 6 { 6 } else { 0 }]);
}

/// The clients without a neighbour that is a server.
fn without_server(world: &World) -> Vec<u64> {
    let peers = world.sim.peers().filter(|(peer, _)| peer.0 >= 6);
    let without = peers.filter(|(_, peer)| match &peer.0 {
        AnyMembership::HyParView(inner) => inner.tagged(&server()).is_empty(),
        _ => unreachable!("every peer runs HyParView"),
    });
    without.map(|(peer, _)| peer.0).collect()
}

/// Runs until every client has a server.
fn serve_all(world: &mut World, context: &str) {
    let deadline = world.sim.now() + SECOND * 300;
    while !without_server(world).is_empty() {
        assert!(world.sim.now() < deadline, "{context}: {:?}", without_server(world));
        world.run(SECOND);
    }
}

#[test]
fn every_client_finds_a_server_and_another_when_it_goes() {
    for seed in 0..8 {
        let mut rng = Rng::new(seed);
        let loss = [0.0, 0.1][seed as usize % 2];
        let network = Config { loss, reorder: loss, ..Config::seeded(seed) };
        let mut world = World::new(network, config(0));
        for n in 0..40 {
            start(&mut world, n);
            world.run(Duration::from_millis(20));
        }
        serve_all(&mut world, &format!("seed {seed}"));
        // One server crashes, one leaves, one restarts.
        world.crash(1);
        world.sim.command(id(2), Command::Leave);
        world.crash(3);
        world.run(SECOND * 20);
        start(&mut world, 3);
        world.run(rng.duration(SECOND, SECOND * 20));
        serve_all(&mut world, &format!("seed {seed}, later"));
        world.join(2, &[6]);
        world.sim.config_mut().loss = 0.0;
        start(&mut world, 1);
        world.settle(SECOND * 60, &format!("seed {seed}"));
        world.check_events();
        for (peer, state) in world.sim.peers() {
            let capacity = if peer.0 < 6 { 24 } else { 5 };
            assert!(state.0.active().len() <= capacity, "seed {seed}, {peer}");
        }
        assert_eq!(world.faults(), Faults::default());
    }
}

#[test]
fn a_place_for_a_tag_that_nobody_bears_costs_one_walk_now_and_then() {
    let mut world = World::new(Config::seeded(1), config(9));
    for n in 6..26 {
        start(&mut world, n);
    }
    world.run(SECOND * 60);
    let before = world.sim.stats().bytes_sent;
    world.run(SECOND * 600);
    let rate = (world.sim.stats().bytes_sent - before) as f64 / 600.0 / 20.0;
    assert!(rate < 50.0, "{rate:.1} B/s per peer");
    assert!(world.views().values().all(|view| (2..=4).contains(&view.len())), "{:?}", world.faults());
}
