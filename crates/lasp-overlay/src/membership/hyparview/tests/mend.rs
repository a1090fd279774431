//! Bringing islands together.

use super::*;
use crate::membership::hyparview::neighbor::Purpose;
use lasp_crdt::{Dot, ReplicaId};

const SECOND: Duration = Duration::from_secs(1);
const MEND: Priority = Priority::Mend;

/// A full peer that has lost neighbour 1 and found a replacement in 6.
fn with_loss() -> Bench {
    let mut bench = Bench::full();
    bench.input(Input::LinkDown(PeerId(1)));
    bench.befriend(6, 6);
    bench
}

fn keep_alive(bench: &mut Bench) {
    for n in bench.active() {
        bench.peer.heard(bench.now, PeerId(n));
    }
}

/// The effects of the next tick that has any, but for closed links.
fn next(bench: &mut Bench) -> Vec<Effect> {
    for _ in 0..100 {
        bench.now = bench.now + SECOND;
        keep_alive(bench);
        let links: Vec<(u64, LinkId)> = bench.active().iter().filter_map(|n| Some((*n, bench.link_of(*n)?))).collect();
        for (n, link) in links {
            bench.receive(n, M::Pong { link, known: true });
        }
        let mut effects = bench.tick(Duration::ZERO);
        effects.retain(|effect| !matches!(effect, Output::Close(_))); // idle links
        if !effects.is_empty() {
            return effects;
        }
    }
    Vec::new()
}

#[test]
fn w20_a_neighbour_that_failed_is_tried_again_even_by_a_full_peer() {
    let mut bench = with_loss();
    let effects = next(&mut bench);
    let (_, link) = requested(&effects);
    assert_eq!(effects, [Output::Link(contact(1)), reply_timer(1, link)]);
    let effects = bench.input(Input::LinkUp { peer: contact(1), dialed: Some(addr(1)) });
    assert_eq!(effects, [request(1, link, MEND)]);
    bench.receive(1, M::Accept { link: LinkId(link), peers: vec![] });
    assert!(bench.active().contains(&1) && bench.active().len() == 5);
    assert_eq!(next(&mut bench), [], "it is found");
}

#[test]
fn a_peer_that_stays_away_is_tried_ever_more_rarely_and_then_forgotten() {
    let mut bench = Bench::with(Config { mend_attempts: 5, ..Config::default() });
    for n in 1..=5 {
        bench.befriend(n, n);
    }
    bench.input(Input::LinkDown(PeerId(1)));
    bench.befriend(6, 6);
    let mut pauses = Vec::new();
    for _ in 0..5 {
        let begun = bench.now;
        assert_eq!(next(&mut bench)[0], Output::Link(contact(1)));
        pauses.push((bench.now - begun).as_secs());
        assert_eq!(bench.input(Input::DialFailed(addr(1))), []);
    }
    assert!(pauses.is_sorted() && pauses[4] > 3 * pauses[0], "{pauses:?}");
    assert_eq!(next(&mut bench), []);
}

#[test]
fn a_peer_that_was_restarted_is_not_looked_for() {
    let mut bench = with_loss();
    bench.receive(6, M::Exchange { peers: vec![reborn(1)], answer: false });
    assert_eq!(next(&mut bench), []);
}

#[test]
fn who_lost_a_peer_makes_room_for_it_whatever_it_granted_before() {
    let mut bench = with_loss();
    for n in [1, 7] {
        bench.link(n);
    }
    let ask = M::Request { link: LinkId(90), priority: MEND };
    bench.receive(7, ask.clone());
    assert!(bench.active().contains(&7));
    bench.receive(1, ask);
    assert!(bench.active().contains(&1));
}

#[test]
fn a_contact_missing_where_everybody_is_known_is_joined_again() {
    let mut bench = Bench::full();
    bench.input(Input::Command(Command::Join(vec![addr(9)])));
    // It was reached once, then evicted and forgotten.
    bench.befriend(9, 9);
    bench.receive(9, M::Disconnect { link: LinkId(9), alive: true });
    let freed = (1..=5).find(|n| !bench.active().contains(n));
    if let Some(n) = freed {
        bench.befriend(n, 90);
    }
    assert_eq!(bench.active().len(), 5);
    bench.peer.view.forget(PeerId(9));
    bench.input(Input::LinkDown(PeerId(9)));
    for _ in 0..4 {
        bench.expire(bench.shuffle());
    }
    let effects = next(&mut bench);
    assert_eq!(effects[0], Output::Dial(addr(9)));
    let effects = bench.input(Input::LinkUp { peer: contact(9), dialed: Some(addr(9)) });
    let (_, link) = requested(&effects);
    assert_eq!(effects, [send(9, M::Join { link: LinkId(link) }), reply_timer(9, link)]);
}

fn mark(counter: u64) -> Dot {
    Dot::new(ReplicaId(70), counter)
}

fn marked(bench: &mut Bench, counters: impl IntoIterator<Item = u64>) {
    for counter in counters {
        assert_eq!(bench.input(Input::Command(Command::Mark(mark(counter)))), []);
    }
}

fn visit(link: u64, counter: u64) -> M {
    M::Visit { link: LinkId(link), mark: mark(counter) }
}

#[test]
fn who_has_heard_what_this_island_has_is_no_reason_to_give_up_a_neighbour() {
    let mut bench = Bench::full();
    bench.link(6);
    marked(&mut bench, [1, 2, 3]);
    let before = bench.active();
    for known in [2, 3] {
        assert_eq!(bench.receive(6, visit(9, known)), [send(6, M::Reject { link: LinkId(9) })]);
    }
    assert_eq!(bench.active(), before);
    bench.receive(6, visit(10, 4));
    assert!(bench.active().contains(&6), "another island");
    assert_eq!(bench.receive(6, visit(10, 3)), [accept(6, 10)], "a neighbour is told so again");
}

#[test]
fn what_was_heard_long_ago_may_be_from_before_a_partition() {
    let mut bench = Bench::full();
    bench.link(6);
    marked(&mut bench, [1]);
    bench.now = bench.now + 60 * SECOND;
    bench.receive(6, visit(9, 1));
    assert!(bench.active().contains(&6));
}

#[test]
fn a_contact_is_shown_what_has_reached_everybody_by_now() {
    let asks = |marks: &[u64]| {
        let mut bench = full_beside_contact_nine();
        marked(&mut bench, marks.iter().copied());
        assert!(bench.peer.approach(&addr(9), Purpose::Visit, &mut Outbox::new()));
        bench.input(Input::LinkUp { peer: contact(9), dialed: Some(addr(9)) }).remove(0)
    };
    let shown = |marks: &[u64]| match asks(marks) {
        Output::Send { message: M::Visit { mark, .. }, .. } => Some(mark),
        Output::Send { message: M::Request { priority: MEND, .. }, .. } => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(shown(&[]), None);
    assert_eq!(shown(&[1]), Some(mark(1)));
    assert_eq!(shown(&[1, 2, 2, 3]), Some(mark(2)));
}

/// A full peer that has joined through 9, which is no neighbour any more.
fn full_beside_contact_nine() -> Bench {
    let mut bench = Bench::new();
    bench.input(Input::Command(Command::Join(vec![addr(9)])));
    (1..=4).chain([9]).for_each(|n| bench.befriend(n, n));
    bench.receive(9, M::Disconnect { link: LinkId(9), alive: true });
    bench.befriend(5, 5);
    bench
}

#[test]
fn contacts_are_asked_more_often_in_a_small_cluster_that_has_lost_somebody() {
    // How often full peers ask within three minutes.
    let asks = |lost: bool, known: u64| {
        let mut asked = 0;
        for seed in 0..40 {
            let mut bench = full_beside_contact_nine();
            bench.peer.rng = Rng::new(seed);
            (10..10 + known).for_each(|n| bench.know(n));
            if lost {
                bench.input(Input::LinkDown(PeerId(1)));
                bench.befriend(1, 90);
            }
            for _ in 0..175 {
                bench.now = bench.now + SECOND;
                keep_alive(&mut bench);
                asked += bench.tick(Duration::ZERO).iter().filter(|effect| **effect == Output::Dial(addr(9))).count();
            }
        }
        asked
    };
    let (shaken, calm, large) = (asks(true, 10), asks(false, 10), asks(true, 29));
    // Of 40 peers with 11 occasions each: one in 16, one in 256.
    assert!((15..45).contains(&shaken) && calm < 8 && large < 8, "{shaken}, {calm}, {large}");
}
