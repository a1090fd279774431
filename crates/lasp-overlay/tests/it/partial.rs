//! Seeded schedules of faults for the strategies with partial views: whatever happens, once it stops the cluster is
//! connected, symmetric, bounded, free of ghosts, and quiet.

use crate::schedules::{mend, settle, trouble};
use crate::world::{Faults, SECOND, World, id};
use lasp_overlay::Rng;
use lasp_overlay::membership::hyparview::{Config as HyParView, xbot};
use lasp_overlay::membership::scamp::{Config as Scamp, Version};
use lasp_overlay::membership::{AnyMembership, Membership, MembershipConfig};
use lasp_sim::Config;
use std::time::Duration;

const MILLI: Duration = Duration::from_millis(1);

/// Schedules per strategy.
const SEEDS: u64 = 150;

/// Through whom everybody joins.
const CONTACTS: [u64; 3] = [0, 1, 2];

/// Checks that views are within bounds and that no peer knows itself, whatever is going on.
fn check_bounds(world: &mut World, context: &str) {
    world.check_events();
    for (peer, state) in world.sim.peers() {
        let (active, passive) = (state.0.active(), state.0.passive());
        let (most_active, most_passive) = match &state.0 {
            AnyMembership::HyParView(_) => (5, 30),
            _ => (128 + 256, 128),
        };
        assert!(active.len() <= most_active && passive.len() <= most_passive, "{context}: {peer}");
        assert!(active.iter().chain(&passive).all(|contact| contact.id != peer), "{context}: {peer} knows itself");
        assert!(passive.iter().all(|contact| !state.0.is_active(contact.id)), "{context}: {peer}");
    }
}

/// Checks that for two minutes the overlay is hardly rewired and little is said.
fn check_quiet(world: &mut World, count: u64, context: &str) {
    let (before, bytes) = (world.metrics(), world.sim.stats().bytes_sent);
    world.run(SECOND * 120);
    let after = world.metrics();
    assert_eq!((after.failures, after.isolations), (before.failures, before.isolations), "{context}");
    // X-BOT takes the luck of two probes for a shorter way now and then.
    let rewired = (after.downs - before.downs).saturating_sub(4 * (after.swaps_done - before.swaps_done));
    let relations: usize = world.views().values().map(Vec::len).sum();
    assert!(rewired <= relations as u64 / 5 + 2, "{context}: {rewired} of {relations} relations ended");
    let rate = (world.sim.stats().bytes_sent - bytes) as f64 / 120.0 / count as f64;
    assert!(rate < 50.0, "{context}: {rate:.1} B/s per peer");
    assert_eq!(world.faults(), Faults::default(), "{context}: later");
}

/// Peers that have left and of whom others believe that they are there.
fn ghosts(world: &World) -> usize {
    let views = world.sim.peers().flat_map(|(_, state)| state.0.active());
    views.filter(|contact| world.out.contains(&contact.id.0)).count()
}

fn schedule(name: &str, config: &MembershipConfig, seed: u64) {
    let mut rng = Rng::new(seed ^ 0x9a17);
    let count = 4 + rng.below(20);
    let loss = [0.0, 0.0, 0.1, 0.25][rng.index(4)];
    let context = format!("{name}, seed {seed}, {count} peers, loss {loss}");
    let network = Config { loss, duplicate: loss / 2.0, reorder: loss, ..Config::seeded(seed) };
    let mut world = World::new(network, config.clone());
    for n in 0..count {
        world.spawn_joining(n, &CONTACTS);
        world.run(MILLI * 20);
    }
    for _ in 0..14 {
        world.run(rng.duration(MILLI * 100, SECOND * 6));
        trouble(&mut world, config.name(), count, &mut rng);
        check_bounds(&mut world, &context);
    }
    mend(&mut world, count);
    settle(&mut world, config.name(), SECOND * 180, &context);
    // Neighbours that were lost and are back are neighbours again by then, and nobody looks for islands any more.
    world.run(SECOND * if config.name() == "scamp" { 900 } else { 240 });
    settle(&mut world, config.name(), SECOND * 2, &format!("{context}, later"));
    check_bounds(&mut world, &context);
    assert_eq!(ghosts(&world), 0, "{context}");
    check_quiet(&mut world, count, &context);
    for n in 0..count {
        assert!(!world.out.contains(&n) || world.sim.peer(id(n)).is_none_or(|peer| peer.0.active().is_empty()));
    }
}

#[test]
fn hyparview_recovers_from_any_schedule() {
    let config = MembershipConfig::HyParView(HyParView::default());
    (0..SEEDS).for_each(|seed| schedule("hyparview", &config, seed));
}

#[test]
fn hyparview_with_xbot_recovers_from_any_schedule() {
    let config = HyParView { optimise: Some(xbot::Config::default()), ..HyParView::default() };
    let config = MembershipConfig::HyParView(config);
    (0..SEEDS).for_each(|seed| schedule("hyparview with X-BOT", &config, seed));
}

#[test]
fn scamp_recovers_from_any_schedule() {
    for version in [Version::V1, Version::V2] {
        let config = MembershipConfig::Scamp(Scamp { version, ..Scamp::default() });
        (0..SEEDS).for_each(|seed| schedule(&format!("SCAMP {version:?}"), &config, seed));
    }
}
