//! The leave and rejoin matrix: every way to go and to come back, for each strategy that knows or is told everybody. After
//! each, all that remain agree, and nobody is brought back by stale news.

use crate::schedules::{grown, settle};
use crate::strategy::{CONTACTS, Strategy};
use crate::world::{SECOND, World, id};
use lasp_overlay::membership::{AnyMembership, Command, Membership, Standing};
use lasp_overlay::{Addr, PeerId};
use lasp_sim::Config;
use std::time::Duration;

const MILLI: Duration = Duration::from_millis(1);

/// Runs a case on a settled cluster of eight, for each strategy and several seeds.
fn each(case: impl Fn(&mut World, Strategy, &str)) {
    for name in Strategy::WHOLE {
        for seed in 0..5 {
            let context = format!("{name}, seed {seed}");
            let mut world = grown(name, Config::seeded(seed), 8, MILLI * 10);
            settle(&mut world, name, SECOND * 30, &context);
            case(&mut world, name, &context);
        }
    }
}

fn believes(world: &World, peer: u64, in_whom: u64) -> bool {
    world.peer(peer).members().iter().any(|(contact, _)| contact.id == id(in_whom))
}

/// Those that still take a peer for a member.
fn believers(world: &World, in_whom: u64) -> Vec<u64> {
    let others = world.sim.peers().map(|(id, _)| id.0).filter(|n| *n != in_whom && !world.out.contains(n));
    others.filter(|n| believes(world, *n, in_whom)).collect()
}

#[test]
fn who_leaves_is_gone_everywhere_and_comes_back_in_the_same_life() {
    each(|world, name, context| {
        world.leave(7);
        world.run(SECOND * 5);
        assert_eq!(believers(world, 7), [] as [u64; 0], "{context}");
        world.run(SECOND * 60);
        assert_eq!(believers(world, 7), [] as [u64; 0], "{context}");
        world.join(7, &CONTACTS);
        settle(world, name, SECOND * 60, context);
        assert!(!believers(world, 7).is_empty(), "{context}");
    });
}

#[test]
fn who_leaves_may_come_back_in_another_life_at_its_old_or_a_new_address() {
    each(|world, name, context| {
        for address in ["peer-7", "elsewhere"] {
            world.leave(7);
            world.run(SECOND * 5);
            world.crash(7);
            world.move_to(7, Addr::new(address).expect("short"));
            world.spawn_joining(7, &CONTACTS);
            settle(world, name, SECOND * 60, context);
            assert!(!believers(world, 7).is_empty(), "{context}, {address}");
        }
    });
}

#[test]
fn w36_who_crashes_comes_back_in_another_life_at_its_old_or_a_new_address() {
    each(|world, name, context| {
        for (address, away) in [("peer-7", 0), ("peer-7", 60), ("elsewhere", 0), ("elsewhere-2", 60)] {
            world.crash(7);
            world.run(SECOND * away);
            world.move_to(7, Addr::new(address).expect("short"));
            world.spawn_joining(7, &CONTACTS);
            settle(world, name, SECOND * 90, context);
            assert!(!believers(world, 7).is_empty(), "{context}, {address} after {away} s");
        }
    });
}

#[test]
fn w36_another_peer_at_a_recycled_address_is_itself() {
    each(|world, name, context| {
        for n in [6, 7] {
            world.crash(n);
        }
        world.run(SECOND * 30);
        let (six, seven) = (world.addr(6), world.addr(7));
        world.move_to(6, seven);
        world.spawn_joining(6, &CONTACTS);
        world.run(SECOND * 60);
        assert!(!believers(world, 6).is_empty(), "{context}");
        let takes_for_seven = |n: u64| world.peer(n).is_active(id(7));
        assert!(!(0..7).any(takes_for_seven), "{context}");
        world.move_to(7, six);
        world.spawn_joining(7, &CONTACTS);
        settle(world, name, SECOND * 90, context);
    });
}

#[test]
fn all_but_the_contacts_may_leave_at_once_and_come_back_at_once() {
    each(|world, name, context| {
        for n in 3..8 {
            world.leave(n);
        }
        settle(world, name, SECOND * 30, context);
        for n in 3..8 {
            assert_eq!(believers(world, n), [] as [u64; 0], "{context}");
        }
        for n in 3..8 {
            world.join(n, &CONTACTS);
        }
        settle(world, name, SECOND * 60, context);
    });
}

#[test]
fn of_two_either_may_leave_crash_and_come_back() {
    for name in Strategy::WHOLE {
        let mut world = grown(name, Config::seeded(1), 2, MILLI);
        settle(&mut world, name, SECOND * 10, name.name());
        for n in [0, 1] {
            world.leave(n);
            world.run(SECOND * 5);
            assert_eq!(believers(&world, n), [] as [u64; 0], "{name}");
            world.join(n, &CONTACTS);
            settle(&mut world, name, SECOND * 60, name.name());
            world.crash(n);
            world.run(SECOND * 20);
            world.spawn_joining(n, &CONTACTS);
            settle(&mut world, name, SECOND * 60, name.name());
        }
    }
}

#[test]
fn w45_who_leaves_during_a_partition_is_not_brought_back_by_those_who_did_not_hear() {
    each(|world, name, context| {
        let cut: Vec<PeerId> = [1, 5, 6].map(id).to_vec();
        world.sim.partition(std::slice::from_ref(&cut));
        world.leave(7);
        world.run(SECOND * 100);
        for n in [0, 2, 3, 4] {
            assert!(!believes(world, n, 7), "{context}, peer {n}");
        }
        world.sim.heal();
        for _ in 0..100 {
            world.run(SECOND);
            for n in [0, 2, 3, 4] {
                assert!(!believes(world, n, 7), "{context}, peer {n}: brought back");
            }
        }
        settle(world, name, SECOND * 60, context);
        assert_eq!(believers(world, 7), [] as [u64; 0], "{context}");
    });
}

#[test]
fn others_may_be_evicted_and_come_back_when_they_are_told_to() {
    for name in [Strategy::Full, Strategy::ClientServer] {
        for (seed, gone) in [(1, false), (2, true)] {
            let context = format!("{name}, gone {gone}");
            let mut world = grown(name, Config::seeded(seed), 8, MILLI * 10);
            settle(&mut world, name, SECOND * 30, &context);
            if gone {
                world.crash(7);
                world.run(SECOND * 3);
            }
            world.sim.command(id(1), Command::Evict(id(7)));
            if !gone {
                world.out.insert(7);
            }
            world.run(SECOND * 30);
            assert_eq!(believers(&world, 7), [] as [u64; 0], "{context}");
            if gone {
                world.spawn_joining(7, &CONTACTS);
            } else {
                assert_eq!(world.peer(7).active(), [], "{context}: it obeys");
                world.join(7, &CONTACTS);
            }
            settle(&mut world, name, SECOND * 60, &context);
            assert!(!believers(&world, 7).is_empty(), "{context}");
        }
    }
}

#[test]
fn w54_an_evicted_server_stays_out_and_its_clients_go_elsewhere() {
    let mut world = grown(Strategy::ClientServer, Config::seeded(3), 8, MILLI * 10);
    settle(&mut world, Strategy::ClientServer, SECOND * 30, "grown");
    world.sim.command(id(0), Command::Evict(id(2)));
    world.out.insert(2);
    world.run(SECOND * 120);
    settle(&mut world, Strategy::ClientServer, SECOND * 30, "evicted");
    assert_eq!(believers(&world, 2), [] as [u64; 0]);
    assert!((3..8).all(|n| world.peer(n).active().len() == 2), "clients have two servers again");
}

#[test]
fn a_member_that_is_cut_off_is_suspected_stays_a_member_and_refutes_when_it_is_back() {
    for seed in 0..8 {
        let mut world = grown(Strategy::Full, Config::seeded(seed), 8, MILLI * 10);
        settle(&mut world, Strategy::Full, SECOND * 30, "grown");
        world.sim.partition(&[vec![id(7)]]);
        // The one that is alone doubts itself, and takes longer.
        world.run(SECOND * 300);
        for n in 0..7 {
            let members = world.peer(n).members();
            let suspect = members.iter().find(|(contact, _)| contact.id == id(7)).map(|(_, standing)| *standing);
            assert_eq!(suspect, Some(Standing::Suspect), "seed {seed}, peer {n}");
            assert_eq!((members.len(), world.peer(n).reachable().len()), (7, 6), "seed {seed}, peer {n}");
        }
        assert_eq!((world.peer(7).members().len(), world.peer(7).reachable().len()), (7, 0));
        world.sim.heal();
        settle(&mut world, Strategy::Full, SECOND * 60, "healed");
        assert!(world.metrics().refutations > 0, "seed {seed}");
    }
}

#[test]
fn one_way_links_and_slow_peers_make_no_suspicions_that_last() {
    for seed in 0..8 {
        let mut world = grown(Strategy::Full, Config::seeded(seed), 10, MILLI * 10);
        settle(&mut world, Strategy::Full, SECOND * 30, "grown");
        // Two that cannot reach each other are reached by the others.
        world.sim.block(id(3), id(4));
        world.sim.slow_down(id(5), MILLI * 100);
        world.run(SECOND * 300);
        for n in 0..10 {
            assert_eq!(world.peer(n).reachable().len(), 9, "seed {seed}, peer {n}");
        }
        assert_eq!(world.metrics().lost, 0, "seed {seed}");
    }
}

#[test]
fn an_idle_full_membership_costs_a_few_bytes_and_finds_a_crash_within_a_few_periods() {
    for (count, limit) in [(10, 16.0), (50, 24.0)] {
        let mut world = grown(Strategy::Full, Config::seeded(1), count, MILLI);
        settle(&mut world, Strategy::Full, SECOND * 60, "grown");
        world.run(SECOND * 30);
        let before = world.sim.stats().bytes_sent;
        world.run(SECOND * 300);
        let rate = (world.sim.stats().bytes_sent - before) as f64 / 300.0 / count as f64;
        assert!(rate < limit, "{count} peers: {rate:.1} B/s per peer");
        world.sim.partition(&[vec![id(count - 1)]]); // silent: nobody is told
        let cut = world.sim.now();
        let suspected = |world: &World| {
            let AnyMembership::FullMesh(one) = world.peer(0) else { return false };
            one.map().get(id(count - 1)).is_some_and(|member| member.is_suspect())
        };
        while !suspected(&world) {
            assert!(world.sim.now() - cut < SECOND * 20, "{count} peers");
            world.run(MILLI * 100);
        }
    }
}
