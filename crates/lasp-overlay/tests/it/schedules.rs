//! Seeded schedules of faults for the strategies that know or are told everybody: whatever happens, once it stops the
//! cluster is connected, symmetric, bounded, free of ghosts, and quiet.

use crate::world::{Faults, SECOND, World, id};
use lasp_overlay::membership::{Command, Membership, MembershipConfig, Standing};
use lasp_overlay::{Addr, PeerId, Rng};
use lasp_sim::Config;
use std::collections::BTreeSet;
use std::time::Duration;

const MILLI: Duration = Duration::from_millis(1);

/// Through whom everybody joins: the servers, where there are any; what lists name.
pub(crate) const CONTACTS: [u64; 3] = [0, 1, 2];

/// Whether a strategy finds peers by address alone: then who is on lists must not move.
fn by_address(name: &str) -> bool {
    matches!(name, "static" | "manual")
}

fn world(name: &str, network: Config) -> World {
    World::new(network, MembershipConfig::named(name).expect("a strategy"))
}

/// Peers `0..count`, joining through the contacts, one every `pause`.
pub(crate) fn grown(name: &str, network: Config, count: u64, pause: Duration) -> World {
    let mut world = world(name, network);
    for n in 0..count {
        world.spawn_joining(n, &CONTACTS);
        world.sim.run_for(pause);
    }
    world
}

/// Does one bad thing to a cluster of peers `0..count`, or undoes one.
pub(crate) fn trouble(world: &mut World, name: &str, count: u64, rng: &mut Rng) {
    let (n, other) = (rng.below(count), rng.below(count));
    let alive = |world: &World, n: u64| world.sim.peer(id(n)).is_some();
    let may_move = n > 2 || !by_address(name);
    match rng.below(12) {
        0 | 1 if alive(world, n) => world.crash(n),
        0..=2 if !alive(world, n) => world.spawn_joining(n, &CONTACTS),
        3 if !alive(world, n) && may_move => {
            world.move_to(n, Addr::new(&format!("peer-{n}-elsewhere-{}", rng.below(1000))).expect("short"));
            world.spawn_joining(n, &CONTACTS);
        }
        4 if !alive(world, n) && !alive(world, other) && n != other && may_move && (other > 2 || !by_address(name)) => {
            let (mine, theirs) = (world.addr(n), world.addr(other));
            world.move_to(n, theirs);
            world.move_to(other, mine);
            world.spawn_joining(n, &CONTACTS);
        }
        5 => {
            let group = (0..count).filter(|_| rng.chance(0.5)).map(id).collect();
            world.sim.partition(&[group]);
        }
        6 if n != other => world.sim.block(id(n), id(other)),
        7 => world.sim.heal(),
        8 if alive(world, n) => world.leave(n),
        9 if world.out.contains(&n) => world.join(n, &CONTACTS),
        10 => world.sim.slow_down(id(n), rng.duration(Duration::ZERO, MILLI * 50)),
        _ => {}
    }
}

/// Ends every fault and starts every dead peer.
pub(crate) fn mend(world: &mut World, count: u64) {
    world.sim.heal();
    let network = world.sim.config_mut();
    (network.loss, network.duplicate, network.reorder) = (0.0, 0.0, 0.0);
    for n in 0..count {
        if world.sim.peer(id(n)).is_none() {
            world.spawn_joining(n, &CONTACTS);
        }
        world.sim.slow_down(id(n), Duration::ZERO);
    }
    // The servers and who is on lists are there in the end, or nobody could meet.
    for n in CONTACTS {
        if world.out.contains(&n) {
            world.join(n, &CONTACTS);
        }
    }
}

/// Those that are there and have not left.
fn alive(world: &World) -> BTreeSet<u64> {
    world.sim.peers().map(|(id, _)| id.0).filter(|n| !world.out.contains(n)).collect()
}

/// What is wrong with what peers believe, beyond their views. A member that left while nobody could hear it is
/// unreachable for the others until an operator says otherwise.
fn beliefs(world: &World, name: &str) -> Vec<String> {
    let alive = alive(world);
    let mut wrong = Vec::new();
    for (peer, state) in world.sim.peers() {
        if world.out.contains(&peer.0) {
            if !state.0.active().is_empty() {
                wrong.push(format!("{peer} is out and has neighbours"));
            }
            continue;
        }
        let reachable: BTreeSet<u64> = state.0.reachable().iter().map(|contact| contact.id.0).collect();
        if let Some(ghost) = reachable.iter().find(|n| !alive.contains(n)) {
            wrong.push(format!("{peer} believes in {ghost}"));
        }
        let knows_all = name == "full" || (name == "client-server" && peer.0 < 3);
        if knows_all && reachable.len() + 1 != alive.len() {
            wrong.push(format!("{peer} knows {reachable:?} of {alive:?}"));
        }
        let suspects = state.0.members().into_iter().filter(|(_, standing)| *standing != Standing::Alive);
        let suspects: Vec<u64> = suspects.map(|(contact, _)| contact.id.0).filter(|n| alive.contains(n)).collect();
        if !suspects.is_empty() {
            wrong.push(format!("{peer} suspects {suspects:?}"));
        }
    }
    wrong
}

/// Evicts whoever is out and still taken for a member, as an operator would; says whether there was anybody.
fn evict_the_lost(world: &mut World) -> bool {
    let mut lost: Vec<(PeerId, PeerId)> = Vec::new();
    for (peer, state) in world.sim.peers().filter(|(id, _)| !world.out.contains(&id.0)) {
        let members = state.0.members().into_iter().map(|(contact, _)| contact.id);
        lost.extend(members.filter(|id| world.out.contains(&id.0)).map(|id| (peer, id)));
    }
    for (peer, id) in &lost {
        world.sim.command(*peer, Command::Evict(*id));
    }
    !lost.is_empty()
}

/// Runs until nothing is wrong.
pub(crate) fn settle(world: &mut World, name: &str, patience: Duration, context: &str) {
    let deadline = world.sim.now() + patience;
    loop {
        let (faults, beliefs) = (world.faults(), beliefs(world, name));
        if faults == Faults::default() && beliefs.is_empty() {
            return world.check_events();
        }
        assert!(world.sim.now() < deadline, "{context}: {faults:?} {beliefs:?}");
        world.run(SECOND);
    }
}

/// Checks that for a minute nothing changes and little is said.
fn check_quiet(world: &mut World, count: u64, context: &str) {
    let (before, bytes) = (world.metrics(), world.sim.stats().bytes_sent);
    world.run(SECOND * 60);
    let after = world.metrics();
    assert_eq!((after.ups, after.downs), (before.ups, before.downs), "{context}");
    assert_eq!((after.suspicions, after.refutations), (before.suspicions, before.refutations), "{context}");
    let rate = (world.sim.stats().bytes_sent - bytes) as f64 / 60.0 / count as f64;
    assert!(rate < 16.0, "{context}: {rate:.1} B/s per peer");
}

fn schedule(name: &str, seed: u64) {
    let mut rng = Rng::new(seed ^ 0x5eed);
    let count = 4 + rng.below(9);
    let loss = [0.0, 0.0, 0.1, 0.25][rng.index(4)];
    let context = format!("{name}, seed {seed}, {count} peers, loss {loss}");
    let network = Config { loss, duplicate: loss / 2.0, reorder: loss, ..Config::seeded(seed) };
    let mut world = grown(name, network, count, MILLI * 20);
    for _ in 0..14 {
        world.run(rng.duration(MILLI * 100, SECOND * 6));
        trouble(&mut world, name, count, &mut rng);
    }
    world.check_events();
    mend(&mut world, count);
    settle(&mut world, name, SECOND * 180, &context);
    evict_the_lost(&mut world);
    world.run(SECOND * 60);
    settle(&mut world, name, Duration::ZERO, &context);
    assert!(!evict_the_lost(&mut world), "{context}: nobody believes in who is out");
    check_quiet(&mut world, count, &context);
}

/// Schedules per strategy.
const SEEDS: u64 = 150;

#[test]
fn full_membership_recovers_from_any_schedule() {
    (0..SEEDS).for_each(|seed| schedule("full", seed));
}

#[test]
fn client_server_recovers_from_any_schedule() {
    (0..SEEDS).for_each(|seed| schedule("client-server", seed));
}

#[test]
fn fixed_lists_recover_from_any_schedule() {
    (0..SEEDS).for_each(|seed| schedule("static", seed));
}

#[test]
fn lists_by_command_recover_from_any_schedule() {
    (0..SEEDS).for_each(|seed| schedule("manual", seed));
}
