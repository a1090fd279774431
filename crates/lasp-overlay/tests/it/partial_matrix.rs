//! The leave and rejoin matrix for the strategies with partial views: every way to go and to come back. After each there
//! is one overlay of those that remain, and nobody has as neighbour who is not there.

use crate::schedules::grown;
use crate::strategy::{CONTACTS, Strategy};
use crate::world::{SECOND, World, id};
use lasp_overlay::membership::Membership;
use lasp_overlay::{Addr, PeerId};
use lasp_sim::Config;
use std::time::Duration;

const MILLI: Duration = Duration::from_millis(1);

/// Runs a case on a settled cluster, for each strategy and several seeds.
fn each(count: u64, case: impl Fn(&mut World, &str)) {
    for strategy in Strategy::PARTIAL {
        for seed in 0..5 {
            let context = format!("{strategy}, seed {seed}");
            let mut world = grown(strategy, Config::seeded(seed), count, MILLI * 10);
            settle(&mut world, &context);
            case(&mut world, &context);
            world.check_events();
        }
    }
}

fn settle(world: &mut World, context: &str) {
    world.settle(SECOND * 90, context);
}

/// Those that have a peer as neighbour.
fn neighbors_of(world: &World, n: u64) -> Vec<PeerId> {
    world.sim.peers().filter(|(_, state)| state.0.is_active(id(n))).map(|(id, _)| id).collect()
}

#[test]
fn who_leaves_is_nobodys_neighbour_and_comes_back_in_the_same_life() {
    each(12, |world, context| {
        world.leave(7);
        world.run(SECOND * 2);
        assert_eq!(neighbors_of(world, 7), [], "{context}");
        world.run(SECOND * 100);
        assert_eq!(neighbors_of(world, 7), [], "{context}: brought back");
        world.join(7, &CONTACTS);
        settle(world, context);
        assert!(!neighbors_of(world, 7).is_empty(), "{context}");
    });
}

#[test]
fn who_leaves_or_crashes_may_come_back_in_another_life_at_its_old_or_a_new_address() {
    each(12, |world, context| {
        for (address, leaves, away) in [
            ("peer-7", true, 0),
            ("elsewhere", true, 5),
            ("peer-7", false, 0),
            ("peer-7", false, 60),
            ("there", false, 0),
        ] {
            if leaves {
                world.leave(7);
                world.run(SECOND);
            }
            world.crash(7);
            world.run(SECOND * away);
            world.move_to(7, Addr::new(address).expect("short"));
            world.spawn_joining(7, &CONTACTS);
            settle(world, &format!("{context}, {address}, leaves {leaves}, {away} s"));
            assert!(!neighbors_of(world, 7).is_empty(), "{context}, {address}");
        }
    });
}

#[test]
fn w36_another_peer_at_a_recycled_address_is_itself() {
    each(12, |world, context| {
        for n in [6, 7] {
            world.crash(n);
        }
        world.run(SECOND * 10);
        let (six, seven) = (world.addr(6), world.addr(7));
        world.move_to(6, seven);
        world.spawn_joining(6, &CONTACTS);
        settle(world, context);
        assert_eq!(neighbors_of(world, 7), [], "{context}");
        world.move_to(7, six);
        world.spawn_joining(7, &CONTACTS);
        settle(world, context);
        assert!(!neighbors_of(world, 6).is_empty() && !neighbors_of(world, 7).is_empty(), "{context}");
    });
}

#[test]
fn all_but_the_contacts_may_leave_at_once_and_come_back_at_once() {
    each(12, |world, context| {
        for n in 3..12 {
            world.leave(n);
        }
        world.run(SECOND * 3);
        for n in 3..12 {
            assert_eq!(neighbors_of(world, n), [], "{context}");
        }
        for n in 3..12 {
            world.join(n, &CONTACTS);
        }
        settle(world, context);
    });
}

#[test]
fn of_two_either_may_leave_crash_and_come_back() {
    each(2, |world, context| {
        for n in [0, 1] {
            world.leave(n);
            world.run(SECOND * 5);
            assert_eq!(neighbors_of(world, n), [], "{context}");
            world.join(n, &CONTACTS);
            settle(world, context);
            world.crash(n);
            world.run(SECOND * 20);
            assert_eq!(neighbors_of(world, n), [], "{context}");
            world.spawn_joining(n, &CONTACTS);
            settle(world, context);
        }
    });
}

#[test]
fn w45_who_leaves_during_a_partition_is_not_brought_back_by_those_who_did_not_hear() {
    each(12, |world, context| {
        world.sim.partition(&[[1, 5, 6, 8].map(id).to_vec()]);
        world.run(SECOND);
        world.leave(7);
        world.run(SECOND * 60);
        assert_eq!(neighbors_of(world, 7), [], "{context}");
        world.sim.heal();
        for _ in 0..60 {
            world.run(SECOND);
            assert_eq!(neighbors_of(world, 7), [], "{context}: brought back");
        }
        settle(world, context);
    });
}
