//! The full mesh with several peers.

use crate::world::{Faults, SECOND, World, id};
use lasp_overlay::Rng;
use lasp_overlay::membership::full::Config as FullMesh;
use lasp_overlay::membership::{Command, Membership, MembershipConfig};
use lasp_sim::Config;
use std::time::Duration;

const MILLI: Duration = Duration::from_millis(1);

fn config() -> MembershipConfig {
    MembershipConfig::FullMesh(FullMesh::default())
}

fn is_complete(world: &World) -> bool {
    let others = world.sim.len() - 1;
    world.views().values().all(|view| view.len() == others) && world.faults() == Faults::default()
}

fn complete(world: &mut World, patience: Duration, context: &str) {
    let deadline = world.sim.now() + patience;
    while !is_complete(world) {
        assert!(world.sim.now() < deadline, "{context}: {:?}", world.faults());
        world.run(SECOND);
    }
    world.check_events();
}

#[test]
fn everybody_links_to_everybody() {
    for count in [2, 3, 10, 40] {
        for seed in 0..4 {
            let mut world = World::grown(Config::seeded(seed), config(), count, MILLI * 10);
            complete(&mut world, SECOND * 15, &format!("{count} peers, seed {seed}"));
        }
    }
}

#[test]
fn any_schedule_of_faults_is_recovered_from() {
    for seed in 0..40 {
        let mut rng = Rng::new(seed ^ 0xfa17);
        let count = 3 + rng.below(12);
        let loss = [0.0, 0.1, 0.3][rng.index(3)];
        let context = format!("seed {seed}, {count} peers, loss {loss}");
        let network = Config { loss, duplicate: loss, reorder: loss, ..Config::seeded(seed) };
        let mut world = World::grown(network, config(), count, MILLI * 20);
        for _ in 0..12 {
            world.run(rng.duration(MILLI * 100, SECOND * 8));
            world.harm(count, &mut rng);
        }
        world.check_events();
        world.sim.config_mut().loss = 0.0;
        world.revive(count, &mut rng);
        complete(&mut world, SECOND * 120, &context);
    }
}

#[test]
fn an_unreachable_member_stays_a_member() {
    let mut world = World::grown(Config::seeded(1), config(), 5, MILLI);
    world.run(SECOND * 10);
    world.crash(3);
    world.run(SECOND * 600);
    for n in [0, 1, 2, 4] {
        assert!(!world.peer(n).is_active(id(3)));
        assert_eq!(world.peer(n).passive().len(), 1);
    }
    // It comes back without a contact: the others dial its address.
    world.spawn(3);
    complete(&mut world, SECOND * 60, "restarted");
}

#[test]
fn stale_gossip_does_not_undo_a_departure() {
    for seed in 0..8 {
        let mut world = World::grown(Config::seeded(seed), config(), 8, MILLI);
        complete(&mut world, SECOND * 10, "grown");
        // Peers 0 and 1 do not hear of it, and believe in peer 7 until the partition heals.
        world.sim.partition(&[vec![id(0), id(1)]]);
        world.sim.command(id(7), Command::Leave);
        world.run(SECOND * 100);
        world.sim.heal();
        world.run(SECOND * 100);
        for n in 0..7 {
            assert_eq!(world.peer(n).contact_of(id(7)), None, "seed {seed}, peer {n}");
            assert_eq!(world.peer(n).active().len(), 6, "seed {seed}, peer {n}");
        }
        world.check_events();
        world.join(7, &[2]);
        complete(&mut world, SECOND * 30, "it comes back in the same life");
    }
}

#[test]
fn an_idle_mesh_sends_digests_only() {
    let mut world = World::grown(Config::seeded(1), config(), 10, MILLI);
    world.run(SECOND * 60);
    let before = world.sim.stats().bytes_sent;
    world.run(SECOND * 600);
    let bytes = (world.sim.stats().bytes_sent - before) as f64 / 600.0 / 10.0;
    assert!(bytes < 10.0, "{bytes:.1} B/s per peer");
}
