//! Links: every dial is answered once, messages keep their order, either side may close.

use crate::toy::{Ask, Told, addr, contact, pair, told, world};
use lasp_overlay::{Contact, PeerId};
use lasp_sim::{Config, Latency, Lost};
use std::time::Duration;

const A: PeerId = PeerId(0);
const B: PeerId = PeerId(1);
const SECOND: Duration = Duration::from_secs(1);

fn heard(events: &[Told]) -> Vec<u64> {
    events.iter().filter_map(|e| if let Told::Heard(_, n) = e { Some(*n) } else { None }).collect()
}

#[test]
fn a_dial_takes_a_round_trip_and_is_heard_at_both_ends() {
    let latency = Latency::Constant(Duration::from_millis(3));
    let mut sim = world(Config { latency, ..Config::seeded(1) }, 2);
    sim.command(A, Ask::Dial(addr(1)));
    sim.run_for(SECOND);
    let expected = [(3, B, Told::Up(A, None)), (6, A, Told::Up(B, Some(addr(1))))];
    let events: Vec<_> = sim.drain_events().into_iter().map(|(t, id, e)| (t.as_millis(), id, e)).collect();
    assert_eq!(events, expected);
    assert_eq!((sim.links(A), sim.links(B)), (vec![B], vec![A]));
}

#[test]
fn a_dial_to_nobody_or_to_oneself_fails() {
    let mut sim = world(Config::seeded(1), 1);
    sim.command(A, Ask::Dial(addr(9)));
    sim.command(A, Ask::Dial(addr(0)));
    sim.run_for(SECOND);
    let mut events = told(&mut sim, 0);
    events.sort_by_key(|event| format!("{event:?}"));
    assert_eq!(events, [Told::Failed(addr(0)), Told::Failed(addr(9))]);
}

#[test]
fn a_link_insists_on_identity_and_incarnation_and_a_dial_takes_whoever_is_there() {
    let mut sim = world(Config::seeded(1), 2);
    sim.command(A, Ask::Link(Contact { id: PeerId(7), ..contact(1) }));
    sim.command(A, Ask::Link(Contact { incarnation: 2, ..contact(1) }));
    sim.run_for(SECOND);
    assert_eq!(told(&mut sim, 0), [Told::Failed(addr(1)), Told::Failed(addr(1))]);
    sim.command(A, Ask::Dial(addr(1)));
    sim.run_for(SECOND);
    assert_eq!(told(&mut sim, 0), [Told::Up(B, Some(addr(1)))]);
}

#[test]
fn a_link_to_a_linked_peer_is_up_at_once() {
    let mut sim = pair(Config::seeded(1));
    sim.command(A, Ask::Link(contact(1)));
    sim.run_for(Duration::ZERO);
    assert_eq!(told(&mut sim, 0), [Told::Up(B, Some(addr(1)))]);
}

#[test]
fn dialling_each_other_makes_one_link_and_answers_both() {
    for seed in 0..50 {
        let mut sim = world(Config::seeded(seed), 2);
        sim.command(A, Ask::Dial(addr(1)));
        sim.command(B, Ask::Dial(addr(0)));
        sim.command(B, Ask::Link(contact(0)));
        sim.run_for(SECOND);
        let events = sim.drain_events();
        for (me, other, dials) in [(A, B, 1), (B, A, 2)] {
            let mine = events.iter().filter(|(_, at, _)| *at == me).map(|(.., event)| event);
            let answers = mine.clone().filter(|e| **e == Told::Up(other, Some(addr(other.0)))).count();
            assert_eq!(answers, dials, "seed {seed}: {events:?}");
            assert!(mine.clone().all(|e| matches!(e, Told::Up(..))), "seed {seed}: {events:?}");
        }
        assert_eq!((sim.links(A), sim.links(B)), (vec![B], vec![A]));
        sim.command(A, Ask::Close(B));
        sim.run_for(SECOND);
        assert_eq!((sim.links(A), sim.links(B)), (vec![], vec![]));
    }
}

#[test]
fn messages_keep_their_order_and_those_sent_before_a_close_arrive() {
    let mut sim = pair(Config::seeded(1));
    for number in 1_000..1_100 {
        sim.command(A, Ask::Say(B, number));
    }
    sim.command(A, Ask::Close(B));
    sim.command(A, Ask::Say(B, 2_000));
    sim.run_for(SECOND);
    let events = told(&mut sim, 1);
    assert_eq!(heard(&events), (1_000..1_100).collect::<Vec<_>>());
    assert_eq!(events.last(), Some(&Told::Down(A)));
    assert_eq!(sim.stats().lost(Lost::Unlinked), 1);
    assert_eq!((sim.links(A), sim.links(B)), (vec![], vec![]));
}

#[test]
fn a_link_closed_and_dialled_again_is_up_at_both_ends() {
    for seed in 0..50 {
        let mut sim = pair(Config::seeded(seed));
        for closer in [A, B] {
            sim.command(closer, Ask::Close(PeerId(1 - closer.0)));
            sim.command(A, Ask::Dial(addr(1)));
            sim.run_for(SECOND);
            assert_eq!((sim.links(A), sim.links(B)), (vec![B], vec![A]), "seed {seed}");
            sim.command(A, Ask::Say(B, 1_000));
            sim.run_for(SECOND);
            assert_eq!(told(&mut sim, 1).last(), Some(&Told::Heard(A, 1_000)));
        }
    }
}

#[test]
fn without_a_limit_bytes_drain_at_once_and_with_one_when_the_line_took_them() {
    let mut sim = pair(Config::seeded(1));
    sim.command(A, Ask::Say(B, 1_000));
    assert_eq!(sim.drain_events(), [(sim.now(), A, Told::Drained(B, 8))]);

    sim.config_mut().bandwidth = Some(80);
    let start = sim.now();
    sim.command(A, Ask::Say(B, 1_000));
    sim.command(A, Ask::Say(B, 1_001));
    sim.run_for(SECOND);
    let drained: Vec<_> = sim.drain_events().into_iter().filter(|(_, at, _)| *at == A).collect();
    let after = |millis| start + Duration::from_millis(millis);
    assert_eq!(drained, [(after(100), A, Told::Drained(B, 8)), (after(200), A, Told::Drained(B, 8))]);
}

#[test]
fn what_goes_to_a_throttled_peer_takes_its_time_and_what_comes_from_it_does_not() {
    let latency = Latency::Constant(Duration::from_millis(3));
    let mut sim = pair(Config { latency, ..Config::seeded(1) });
    sim.throttle(B, 8);
    told(&mut sim, 0);
    let start = sim.now();
    [1_001, 1_002].into_iter().for_each(|number| _ = sim.command(A, Ask::Say(B, number)));
    sim.command(B, Ask::Say(A, 1_003));
    sim.run_for(SECOND * 5);
    let heard: Vec<(u64, Told)> = sim
        .drain_events()
        .into_iter()
        .filter(|(_, _, event)| matches!(event, Told::Heard(..)))
        .map(|(at, _, event)| ((at - start).as_millis() as u64, event))
        .collect();
    // A number is eight bytes.
    assert_eq!(heard, [(3, Told::Heard(B, 1_003)), (1_003, Told::Heard(A, 1_001)), (2_003, Told::Heard(A, 1_002))]);
}
