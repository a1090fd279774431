//! Faults: loss, duplication, reordering, crashes, partitions, slow peers, rules.

use crate::toy::{Ask, Told, Toy, World, addr, contact, links_survive_a_schedule, pair, ring, told, world};
use lasp_overlay::{Contact, PeerId, Rng, Time};
use lasp_sim::{Config, Latency, Lost, Route, Verdict};
use std::time::Duration;

const A: PeerId = PeerId(0);
const B: PeerId = PeerId(1);
const SECOND: Duration = Duration::from_secs(1);

/// Sends 1,000..1,000 + count from A to B and returns what B hears.
fn say(sim: &mut World, count: u64) -> Vec<u64> {
    for number in 1_000..1_000 + count {
        sim.command(A, Ask::Say(B, number));
    }
    sim.run_for(SECOND);
    let heard = |event| {
        if let Told::Heard(_, number) = event { Some(number) } else { None }
    };
    told(sim, 1).into_iter().filter_map(heard).collect()
}

#[test]
fn loss_takes_its_share_and_counts_it() {
    let mut sim = pair(Config { loss: 0.3, ..Config::seeded(1) });
    let heard = say(&mut sim, 1_000).len() as u64;
    assert!((600..800).contains(&heard), "{heard}");
    assert_eq!(sim.stats().lost(Lost::Chance), 1_000 - heard);
}

#[test]
fn duplicates_arrive_besides_the_ordered_originals() {
    let mut sim = pair(Config { duplicate: 0.5, ..Config::seeded(1) });
    let mut heard = say(&mut sim, 1_000);
    assert_eq!(heard.len() as u64, 1_000 + sim.stats().duplicated);
    assert!((400..600).contains(&sim.stats().duplicated));
    heard.sort_unstable();
    heard.dedup();
    assert_eq!(heard.len(), 1_000);
}

#[test]
fn reordering_strikes_only_when_asked_for() {
    let mut sim = pair(Config::seeded(1));
    assert!(say(&mut sim, 1_000).is_sorted());
    sim.config_mut().reorder = 0.2;
    let mut heard = say(&mut sim, 1_000);
    assert!(!heard.is_sorted());
    heard.sort_unstable();
    assert_eq!(heard, (1_000..2_000).collect::<Vec<_>>());
}

#[test]
fn a_crash_is_noticed_soon_and_what_was_under_way_vanishes() {
    let mut sim = pair(Config::seeded(1));
    sim.command(A, Ask::Say(B, 1_000));
    assert!(sim.crash(B).is_some() && sim.crash(B).is_none());
    sim.run_for(Duration::from_millis(10));
    assert_eq!(told(&mut sim, 0), [Told::Down(B)]);
    assert_eq!(sim.stats().lost(Lost::Gone), 1);
    sim.command(A, Ask::Dial(addr(1)));
    sim.run_for(SECOND);
    assert_eq!(told(&mut sim, 0), [Told::Failed(addr(1))]);
}

#[test]
fn a_new_life_hears_nothing_meant_for_the_old_one() {
    let mut sim = pair(Config::seeded(1));
    sim.command(B, Ask::Wake(SECOND, 7));
    sim.command(A, Ask::Say(B, 1_000));
    sim.crash(B);
    sim.spawn(Contact { incarnation: 2, ..contact(1) }, Toy::default());
    sim.command(B, Ask::Dial(addr(0)));
    sim.run_for(SECOND * 2);
    let events = sim.drain_events();
    let at = |id| {
        events
            .iter()
            .filter(|(_, at, _)| *at == id)
            .map(|(.., e)| e.clone())
            .filter(|e| !matches!(e, Told::Drained(..)))
            .collect::<Vec<_>>()
    };
    assert_eq!(at(B), [Told::Up(A, Some(addr(0)))]);
    assert_eq!(at(A), [Told::Down(B), Told::Up(B, None)], "down comes before up, whichever news is faster");
}

#[test]
fn an_address_can_pass_to_another_peer() {
    let mut sim = pair(Config::seeded(1));
    sim.crash(B);
    sim.spawn(Contact { id: PeerId(9), ..contact(1) }, Toy::default());
    sim.run_for(SECOND);
    sim.drain_events();
    sim.command(A, Ask::Link(contact(1)));
    sim.run_for(SECOND);
    sim.command(A, Ask::Dial(addr(1)));
    sim.run_for(SECOND);
    assert_eq!(told(&mut sim, 0), [Told::Failed(addr(1)), Told::Up(PeerId(9), Some(addr(1)))]);
}

#[test]
fn a_partition_drops_messages_cuts_links_and_fails_dials_until_it_heals() {
    let mut sim = ring(Config::seeded(1), 6);
    sim.partition(&[vec![PeerId(0), PeerId(1), PeerId(2)]]);
    sim.command(A, Ask::Flood(1));
    sim.run_for(SECOND / 2);
    let reached: Vec<u64> = sim.peers().filter(|(_, toy)| toy.seen.contains(&1)).map(|(id, _)| id.0).collect();
    assert_eq!(reached, [0, 1, 2]);
    assert!(sim.stats().lost(Lost::Partition) > 0);
    sim.run_for(SECOND * 3);
    for (id, toy) in sim.peers() {
        assert!(toy.linked.iter().all(|other| (other.0 < 3) == (id.0 < 3)), "{id} {toy:?}");
    }
    sim.drain_events();
    sim.command(A, Ask::Dial(addr(3)));
    sim.run_for(Duration::from_millis(990));
    assert_eq!(told(&mut sim, 0), []);
    sim.run_for(Duration::from_millis(10));
    assert_eq!(told(&mut sim, 0), [Told::Failed(addr(3))]);
    sim.heal();
    sim.command(A, Ask::Dial(addr(3)));
    sim.run_for(SECOND);
    assert_eq!(told(&mut sim, 0), [Told::Up(PeerId(3), Some(addr(3)))]);
}

#[test]
fn a_short_partition_goes_unnoticed_but_for_what_it_swallowed() {
    let mut sim = pair(Config::seeded(1));
    sim.partition(&[vec![A]]);
    sim.command(A, Ask::Say(B, 1_000));
    sim.run_for(SECOND / 2);
    sim.heal();
    sim.command(A, Ask::Say(B, 1_001));
    sim.run_for(SECOND * 5);
    assert_eq!(told(&mut sim, 1), [Told::Heard(A, 1_001)]);
}

#[test]
fn a_silent_partition_is_never_noticed() {
    let mut sim = pair(Config { partition_detection: None, ..Config::seeded(1) });
    sim.partition(&[vec![A]]);
    sim.run_for(SECOND * 1_000);
    assert_eq!((sim.links(A), sim.links(B)), (vec![B], vec![A]));
}

#[test]
fn a_link_closed_behind_a_silent_partition_is_half_open_until_it_heals() {
    let mut sim = pair(Config { partition_detection: None, ..Config::seeded(1) });
    sim.partition(&[vec![A]]);
    sim.command(A, Ask::Close(B));
    sim.run_for(SECOND * 1_000);
    assert_eq!((sim.links(A), sim.links(B)), (vec![], vec![A]));
    sim.heal();
    sim.run_for(SECOND);
    assert_eq!((sim.links(A), sim.links(B)), (vec![], vec![]));
    assert_eq!(told(&mut sim, 1), [Told::Down(A)]);
}

#[test]
fn a_crash_behind_a_silent_partition_is_noticed_once_it_heals() {
    let mut sim = pair(Config { partition_detection: None, ..Config::seeded(1) });
    sim.partition(&[vec![A]]);
    sim.crash(A);
    sim.run_for(SECOND * 1_000);
    assert_eq!(sim.links(B), vec![A]);
    sim.spawn(Contact { incarnation: 2, ..contact(0) }, Toy::default());
    sim.heal();
    sim.command(A, Ask::Dial(addr(1)));
    sim.run_for(SECOND);
    assert_eq!((sim.links(A), sim.links(B)), (vec![B], vec![A]));
    assert_eq!(told(&mut sim, 1), [Told::Down(A), Told::Up(A, None)]);
}

#[test]
fn a_block_works_one_way_at_first_and_then_costs_the_link() {
    let mut sim = pair(Config::seeded(1));
    sim.block(A, B);
    sim.command(A, Ask::Say(B, 1_000));
    sim.command(B, Ask::Say(A, 1_001));
    sim.run_for(SECOND / 2);
    assert_eq!(told(&mut sim, 0), [Told::Heard(B, 1_001)]);
    assert_eq!(sim.stats().lost(Lost::Partition), 1);
    sim.run_for(SECOND * 3);
    assert_eq!((sim.links(A), sim.links(B)), (vec![], vec![]));
}

#[test]
fn a_slow_peer_takes_its_time_for_each_message() {
    let mut sim = pair(Config { latency: Latency::Constant(Duration::from_millis(1)), ..Config::seeded(1) });
    sim.slow_down(B, Duration::from_millis(100));
    let start = sim.now();
    for number in 1_000..1_005 {
        sim.command(A, Ask::Say(B, number));
    }
    sim.run_for(SECOND);
    let events = sim.drain_events();
    let heard = events.into_iter().filter(|(_, at, _)| *at == B).map(|(time, ..)| (time - start).as_millis());
    assert_eq!(heard.collect::<Vec<_>>(), [101, 201, 301, 401, 501]);
}

#[test]
fn the_first_rule_with_an_opinion_decides() {
    let mut sim = world(Config::seeded(1), 3);
    for n in 1..3 {
        sim.command(A, Ask::Link(contact(n)));
    }
    sim.run_for(SECOND);
    sim.drain_events();
    let to = |peer, verdict| move |_: Time, r: Route, _: &mut Rng| if r.to == peer { verdict } else { Verdict::Pass };
    let drop = sim.add_rule(to(B, Verdict::Drop));
    sim.add_rule(to(B, Verdict::Deliver(SECOND)));
    sim.add_rule(to(PeerId(2), Verdict::Deliver(SECOND)));
    let start = sim.now();
    sim.command(A, Ask::Say(B, 1_000));
    sim.command(A, Ask::Say(PeerId(2), 1_001));
    assert!(sim.remove_rule(drop) && !sim.remove_rule(drop));
    sim.command(A, Ask::Say(B, 1_002));
    sim.run_for(SECOND);
    let events = sim.drain_events();
    let heard: Vec<_> = events.into_iter().filter(|(.., e)| matches!(e, Told::Heard(..))).collect();
    assert_eq!(heard, [(start + SECOND, PeerId(2), Told::Heard(A, 1_001)), (start + SECOND, B, Told::Heard(A, 1_002))]);
    assert_eq!(sim.stats().lost(Lost::Rule), 1);
}

#[test]
fn random_schedules_leave_links_that_both_ends_believe_in() {
    for seed in 0..100 {
        links_survive_a_schedule(Config { loss: 0.1, reorder: 0.1, ..Config::seeded(seed) });
    }
}

#[test]
fn who_vanishes_silently_is_noticed_by_whoever_sends() {
    let mut sim = pair(Config::seeded(1));
    assert!(sim.crash_silently(B).is_some());
    sim.run_for(SECOND);
    assert_eq!(told(&mut sim, 0), [], "nobody is told");
    sim.command(A, Ask::Say(B, 1_000));
    sim.run_for(Duration::from_millis(10));
    assert_eq!(told(&mut sim, 0), [Told::Down(B)]);
}

#[test]
fn a_fork_goes_its_own_way_and_the_same_way_if_nothing_else_is_done() {
    let mut sim = ring(Config { loss: 0.2, ..Config::seeded(5) }, 10);
    sim.command(A, Ask::Flood(7));
    let (mut same, mut other) = (sim.fork(), sim.fork());
    other.crash(B);
    for world in [&mut sim, &mut same, &mut other] {
        world.run_for(SECOND);
    }
    assert_eq!(sim.trace_hash(), same.trace_hash());
    assert_eq!(sim.drain_events(), same.drain_events());
    assert_ne!(sim.trace_hash(), other.trace_hash());
}

#[test]
fn a_drifting_clock_sets_timers_by_its_own_time() {
    let mut sim = world(Config::seeded(1), 2);
    sim.drift(A, 100_000);
    sim.drift(B, -100_000);
    for id in [A, B] {
        sim.command(id, Ask::Wake(SECOND * 99, id.0));
    }
    sim.run_for(SECOND * 200);
    let woke: Vec<_> = sim.drain_events().into_iter().map(|(at, id, _)| (id, at.as_millis())).collect();
    assert_eq!(woke, [(A, 90_000), (B, 110_000)]);
}
