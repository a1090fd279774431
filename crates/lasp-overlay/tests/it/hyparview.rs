//! HyParView with many peers: whatever happens, once it stops there is one component, symmetric and linked.

use crate::world::{Faults, SECOND, World, addr, id};
use lasp_overlay::Rng;
use lasp_overlay::membership::hyparview::Config as HyParView;
use lasp_overlay::membership::{Command, Membership, MembershipConfig};
use lasp_sim::Config;
use std::time::Duration;

const MILLI: Duration = Duration::from_millis(1);

fn config() -> MembershipConfig {
    MembershipConfig::HyParView(HyParView::default())
}

fn lossy(seed: u64, loss: f64) -> Config {
    Config { loss, duplicate: loss / 2.0, reorder: loss, ..Config::seeded(seed) }
}

fn check(world: &mut World) {
    world.check_events();
    let bounds = HyParView::default();
    for (peer, state) in world.sim.peers() {
        let (active, passive) = (state.0.active(), state.0.passive());
        assert!(active.len() <= bounds.active_capacity, "{peer}");
        assert!(passive.len() <= bounds.passive_capacity, "{peer}");
        for contact in active.iter().chain(&passive) {
            assert_ne!(contact.id, peer, "knows itself");
            assert!(!(state.0.is_active(contact.id) && passive.contains(contact)));
        }
    }
}

/// Mean number of neighbours.
fn mean_degree(world: &World) -> f64 {
    let degrees: usize = world.views().values().map(Vec::len).sum();
    degrees as f64 / world.sim.len() as f64
}

#[test]
fn clusters_form_whether_peers_join_one_by_one_or_all_at_once() {
    for (count, seeds) in [(2, 8), (3, 8), (7, 8), (10, 8), (40, 8), (100, 4)] {
        for seed in 0..seeds {
            for pause in [Duration::ZERO, MILLI * 100] {
                let context = format!("{count} peers, seed {seed}, one every {pause:?}");
                let mut world = World::grown(Config::seeded(seed), config(), count, pause);
                world.settle(SECOND * 5, &context);
                world.run(SECOND * 30);
                assert_eq!(world.faults(), Faults::default(), "{context}");
                check(&mut world);
                let full = 5.min(count - 1) as f64;
                assert!(mean_degree(&world) > full - 0.5, "{context}");
            }
        }
    }
}

#[test]
fn a_thousand_peers_that_join_in_one_instant_form_one_component() {
    for (seed, loss) in [(1, 0.0), (2, 0.2)] {
        let mut world = World::grown(lossy(seed, loss), config(), 1000, Duration::ZERO);
        world.run(SECOND * 20);
        world.sim.config_mut().loss = 0.0;
        world.settle(SECOND * 60, &format!("loss {loss}"));
        world.run(SECOND * 20);
        check(&mut world);
        assert!(mean_degree(&world) > 4.9);
    }
}

#[test]
fn a_healthy_overlay_is_hardly_ever_rewired() {
    for count in [10, 100] {
        let mut world = World::grown(Config::seeded(1), config(), count, MILLI);
        world.run(SECOND * 60);
        let before = world.metrics();
        world.run(SECOND * 600);
        let after = world.metrics();
        // Contacts are asked now and then, in case there are islands.
        assert!(after.evictions - before.evictions <= 20, "{count} peers, 10 minutes");
        assert_eq!(after.failures, before.failures);
        assert_eq!(after.isolations, before.isolations);
        check(&mut world);
    }
}

#[test]
fn w51_an_idle_small_cluster_sends_a_few_bytes_per_second_and_link() {
    for (count, limit) in [(3, 4.0), (10, 8.0)] {
        let mut world = World::grown(Config::seeded(1), config(), count, MILLI);
        world.run(SECOND * 30);
        let before = world.sim.stats().bytes_sent;
        world.run(SECOND * 600);
        let bytes = (world.sim.stats().bytes_sent - before) as f64;
        let links = mean_degree(&world) * count as f64 / 2.0;
        let rate = bytes / 600.0 / links;
        assert!(rate < limit, "{count} peers: {rate:.1} B/s per link");
    }
}

#[test]
fn loss_duplication_and_reordering_leave_no_trace() {
    for seed in 0..24 {
        let count = 5 + seed % 36;
        let loss = [0.05, 0.15, 0.3][seed as usize % 3];
        let context = format!("seed {seed}, {count} peers, loss {loss}");
        let mut world = World::grown(lossy(seed, loss), config(), count, MILLI * 10);
        world.run(SECOND * 60);
        check(&mut world);
        calm(&mut world);
        world.settle(SECOND * 40, &context);
        check(&mut world);
    }
}

fn calm(world: &mut World) {
    let network = world.sim.config_mut();
    network.loss = 0.0;
    network.duplicate = 0.0;
    network.reorder = 0.0;
}

#[test]
fn any_schedule_of_faults_is_recovered_from() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed ^ 0xfa17);
        let count = 5 + rng.below(36);
        let loss = [0.0, 0.1, 0.3][rng.index(3)];
        let context = format!("seed {seed}, {count} peers, loss {loss}");
        let mut world = World::grown(lossy(seed, loss), config(), count, MILLI * 20);
        for _ in 0..12 {
            world.run(rng.duration(MILLI * 100, SECOND * 8));
            world.harm(count, &mut rng);
        }
        check(&mut world);
        calm(&mut world);
        world.revive(count, &mut rng);
        world.settle(SECOND * 120, &context);
        world.run(SECOND * 60);
        world.settle(SECOND * 2, &format!("{context}, a minute later"));
        check(&mut world);
    }
}

#[test]
fn islands_left_by_a_partition_find_each_other_again() {
    for seed in 0..12 {
        for (count, lasting) in [(10, 20), (40, 60), (40, 600)] {
            let context = format!("seed {seed}, {count} peers, {lasting} s");
            let mut network = Config::seeded(seed);
            if seed % 2 == 0 {
                network.partition_detection = None; // only probes find out
            }
            let mut world = World::grown(network, config(), count, MILLI * 10);
            world.run(SECOND * 10);
            let half = (0..count).filter(|n| n % 2 == 0).map(id).collect();
            world.sim.partition(&[half]);
            world.run(SECOND * lasting);
            assert_eq!(world.faults().islands, 1, "{context}");
            world.sim.heal();
            world.settle(SECOND * 60, &context);
            check(&mut world);
        }
    }
}

#[test]
fn a_peer_cut_off_alone_comes_back() {
    for seed in 0..8 {
        let mut world = World::grown(Config::seeded(seed), config(), 10, MILLI * 10);
        world.run(SECOND * 5);
        world.sim.partition(&[vec![id(seed)]]);
        world.run(SECOND * 120);
        assert_eq!(world.faults().isolated, [id(seed)]);
        world.sim.heal();
        world.settle(SECOND * 20, &format!("seed {seed}"));
    }
}

#[test]
fn most_peers_may_crash_at_once() {
    for (seed, percent) in [(1, 50), (2, 80), (3, 90), (4, 95)] {
        let mut world = World::grown(Config::seeded(seed), config(), 400, MILLI);
        world.run(SECOND * 120);
        let mut victims: Vec<u64> = (1..400).collect();
        Rng::new(seed).shuffle(&mut victims);
        for n in victims.iter().take(400 * percent / 100) {
            world.crash(*n);
        }
        world.settle(SECOND * 60, &format!("{percent} %"));
        check(&mut world);
    }
}

#[test]
fn a_restarted_contact_is_found_again_although_it_knows_nobody() {
    for seed in 0..8 {
        let mut world = World::grown(Config::seeded(seed), config(), 10, MILLI * 10);
        world.run(SECOND * 20);
        world.crash(0);
        world.run(SECOND * 3);
        world.spawn(0);
        world.settle(SECOND * 60, &format!("seed {seed}"));
    }
}

#[test]
fn a_peer_restarts_unnoticed_and_its_former_life_is_forgotten() {
    for seed in 0..8 {
        let mut network = Config::seeded(seed);
        network.crash_detection = (SECOND * 100, SECOND * 100);
        let mut world = World::grown(network, config(), 10, MILLI * 10);
        world.run(SECOND * 5);
        world.crash(3);
        world.spawn_joining(3, &[0]);
        world.settle(SECOND * 30, &format!("seed {seed}"));
        check(&mut world);
    }
}

#[test]
fn joining_goes_on_until_a_contact_is_there() {
    let mut world = World::new(Config::seeded(1), config());
    world.spawn_joining(1, &[8, 9]);
    world.spawn_joining(2, &[1]);
    world.run(SECOND * 100);
    world.spawn(9);
    world.settle(SECOND * 20, "contact 9 is up");
}

#[test]
fn two_overlays_become_one_when_a_member_of_one_joins_the_other() {
    let mut world = World::new(Config::seeded(1), config());
    for n in 0..20 {
        world.spawn_joining(n, &[n % 2]);
    }
    world.run(SECOND * 30);
    assert_eq!(world.faults().islands, 1);
    world.join(7, &[4]);
    world.settle(SECOND * 5, "joined");
}

/// Four peers with three neighbours each are full, and need nobody else: two such islands know of each other and have no link.
#[test]
fn full_islands_of_the_least_views_find_each_other() {
    for count in [8, 12, 40] {
        for seed in 0..20 {
            let narrow = MembershipConfig::HyParView(HyParView { active_capacity: 3, ..HyParView::default() });
            let mut world = World::grown(Config::seeded(seed), narrow, count, MILLI * 10);
            world.run(SECOND * 20);
            world.settle(SECOND * 600, &format!("{count} peers, seed {seed}"));
        }
    }
}

#[test]
fn who_leaves_is_replaced_at_once_and_not_kept() {
    for seed in 0..8 {
        let mut world = World::grown(Config::seeded(seed), config(), 20, MILLI * 10);
        world.run(SECOND * 60);
        let neighbors = world.peer(7).active();
        world.sim.command(id(7), Command::Leave);
        world.run(SECOND);
        assert_eq!(world.peer(7).active(), []);
        let check_neighbors = |world: &World| {
            for neighbor in &neighbors {
                let neighbor = world.peer(neighbor.id.0);
                assert_eq!(neighbor.contact_of(id(7)), None, "seed {seed}");
                assert!(neighbor.active().len() >= 3, "seed {seed}");
            }
        };
        check_neighbors(&world);
        world.run(SECOND * 120);
        check_neighbors(&world);
        world.join(7, &[3]);
        world.settle(SECOND * 10, "it comes back");
        check(&mut world);
    }
}

#[test]
fn passive_views_fill_and_forget_the_dead() {
    let mut world = World::grown(Config::seeded(1), config(), 100, MILLI);
    world.run(SECOND * 300);
    let sizes: Vec<usize> = world.sim.peers().map(|(_, p)| p.0.passive().len()).collect();
    assert!(sizes.iter().all(|size| *size >= 20), "{sizes:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let mut world = World::grown(lossy(seed, 0.2), config(), 30, MILLI * 10);
        world.run(SECOND * 60);
        world.sim.trace_hash()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn idle_links_are_closed() {
    let mut world = World::grown(Config::seeded(1), config(), 40, MILLI);
    world.run(SECOND * 300);
    let links: usize = (0..40).map(|n| world.sim.links(id(n)).len()).sum();
    let neighbors: usize = world.views().values().map(Vec::len).sum();
    // What is open besides is a shuffle or a request under way.
    let spares = 40 * HyParView::default().spare_links;
    assert!(links <= neighbors + spares + 80, "{links} links, {neighbors} neighbours");
    assert!(world.sim.listening_at(&addr(0)).is_some());
}
