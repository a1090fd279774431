//! The handshake.

use super::*;

const HIGH: Priority = Priority::High;
const LOW: Priority = Priority::Low;
const MEND: Priority = Priority::Mend;

fn ask(link: u64, priority: Priority) -> M {
    M::Request { link: LinkId(link), priority }
}

/// Has peer 0 ask peer `n`, which it did not know, to become a neighbour; returns the link id.
fn asking(bench: &mut Bench, n: u64) -> u64 {
    bench.link(n);
    bench.know(n);
    let mut out = Outbox::new();
    bench.peer.replace(bench.now, None, &mut out);
    let (peer, link) = requested(&out.take());
    assert_eq!(peer, n);
    link
}

#[test]
fn a_request_is_accepted_while_there_is_room() {
    let mut bench = Bench::new();
    bench.link(1);
    let first = bench.receive(1, ask(3, LOW));
    assert_eq!(first, [accept(1, 3), up(1), Output::Emit(Event::Joined)]);
    bench.link(2);
    assert_eq!(bench.receive(2, ask(4, LOW)), [accept(2, 4), up(2)]);
}

#[test]
fn a_full_peer_rejects_low_priority_and_remembers_who_asked() {
    let mut bench = Bench::full();
    bench.link(6);
    let effects = bench.receive(6, ask(9, LOW));
    assert_eq!(effects, [send(6, M::Reject { link: LinkId(9) })]);
    assert!(bench.knows(6));
}

#[test]
fn a_full_peer_makes_room_for_high_priority() {
    let mut bench = Bench::full();
    bench.link(6);
    let effects = bench.receive(6, ask(9, HIGH));
    let victim = (1..=5).find(|n| !bench.active().contains(n)).expect("one had to go");
    let others = [6].into_iter().chain((1..=5).filter(|n| *n != victim));
    let parts = [commends(victim, others), disconnect(victim, victim), down(victim)];
    assert_eq!(effects[..3], parts, "who is given up is told whom it may turn to, the newcomer first");
    assert_eq!(effects[3..], [accept(6, 9), up(6)]);
    assert!(bench.knows(victim));
    assert_eq!(bench.peer.metrics().evictions, 1);
}

#[test]
fn a_full_peer_makes_room_for_a_mending_stranger_only_now_and_then() {
    let mut bench = Bench::full();
    for n in [6, 7] {
        bench.link(n);
    }
    bench.receive(6, ask(9, MEND));
    assert!(bench.active().contains(&6));
    let again = bench.receive(7, ask(9, MEND));
    let instead = commends(7, bench.active());
    assert_eq!(again, [instead, send(7, M::Reject { link: LinkId(9) })], "one of those may have room");
    bench.now = bench.now + Config::default().mend_pause;
    bench.receive(7, ask(10, MEND));
    assert!(bench.active().contains(&7));
}

#[test]
fn a_repeated_request_is_answered_again_and_nothing_else() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    assert_eq!(bench.receive(1, ask(5, LOW)), [accept(1, 5)]);
}

#[test]
fn a_newer_request_renews_the_relation_and_an_older_one_is_stale() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    assert_eq!(bench.receive(1, ask(8, LOW)), [accept(1, 8)]);
    assert_eq!(bench.receive(1, ask(6, HIGH)), []);
    assert_eq!(bench.link_of(1), Some(LinkId(8)));
}

#[test]
fn w10_a_stale_disconnect_does_not_harm_a_newer_relation() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    bench.receive(1, ask(8, LOW));
    for alive in [true, false] {
        assert_eq!(bench.receive(1, M::Disconnect { link: LinkId(5), alive }), []);
    }
    assert_eq!(bench.active(), [1]);
}

#[test]
fn an_accepted_request_makes_a_neighbour() {
    let mut bench = Bench::new();
    let link = asking(&mut bench, 1);
    let effects = bench.receive(1, M::Accept { link: LinkId(link), peers: vec![] });
    assert_eq!(effects, [up(1), Output::Emit(Event::Joined)]);
    assert_eq!(bench.link_of(1), Some(LinkId(link)));
    assert!(!bench.knows(1), "the views are disjoint");
}

#[test]
fn an_answer_nobody_waits_for_is_declined() {
    let mut bench = Bench::new();
    let link = asking(&mut bench, 1);
    let stale = bench.receive(1, M::Accept { link: LinkId(link - 1), peers: vec![] });
    assert_eq!(stale, [disconnect(1, link - 1)]);
    bench.link(2);
    let unasked = bench.receive(2, M::Accept { link: LinkId(1), peers: vec![] });
    assert_eq!(unasked, [disconnect(2, 1)]);
    assert_eq!(bench.active(), []);
}

#[test]
fn w12_who_has_filled_up_meanwhile_declines() {
    let mut bench = Bench::new();
    for n in 1..=4 {
        bench.befriend(n, n);
    }
    let link = asking(&mut bench, 6);
    bench.befriend(5, 5);
    let effects = bench.receive(6, M::Accept { link: LinkId(link), peers: vec![] });
    assert_eq!(effects, [disconnect(6, link)]);
    assert!(bench.knows(6));
}

#[test]
fn where_both_ask_at_once_the_greater_link_wins_on_both_sides() {
    let mut bench = Bench::new();
    let mine = asking(&mut bench, 1);
    for theirs in [mine - 1, mine + 1] {
        let mut bench = Bench::new();
        asking(&mut bench, 1);
        let effects = bench.receive(1, ask(theirs, LOW));
        assert_eq!(effects, [accept(1, theirs), up(1), Output::Emit(Event::Joined)]);
        let answer = M::Accept { link: LinkId(mine), peers: vec![] };
        assert_eq!(bench.receive(1, answer), []);
        assert_eq!(bench.link_of(1), Some(LinkId(mine.max(theirs))));
    }
}

#[test]
fn an_unanswered_request_is_repeated_and_then_given_up() {
    let mut bench = Bench::new();
    let link = asking(&mut bench, 1);
    let overdue = Timer::Reply { peer: PeerId(1), link: LinkId(link) };
    for _ in 1..Config::default().request_attempts {
        let again = [request(1, link, HIGH), reply_timer(1, link)];
        assert_eq!(bench.expire(overdue.clone()), again);
    }
    assert_eq!(bench.expire(overdue.clone()), [disconnect(1, link)]);
    assert!(!bench.knows(1));
    assert_eq!(bench.expire(overdue), []);
}

#[test]
fn a_request_whose_link_breaks_is_sent_over_a_new_one() {
    let mut bench = Bench::new();
    let link = asking(&mut bench, 1);
    let effects = bench.input(Input::LinkDown(PeerId(1)));
    assert_eq!(effects, [Output::Link(contact(1))]);
    let effects = bench.input(Input::LinkUp { peer: contact(1), dialed: Some(addr(1)) });
    assert_eq!(effects, [request(1, link, HIGH)]);
}

#[test]
fn a_disconnected_neighbour_becomes_passive_and_is_replaced_by_another() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    bench.know(2);
    let effects = bench.receive(1, M::Disconnect { link: LinkId(5), alive: true });
    let (_, link) = requested(&effects);
    let isolated = Output::Emit(Event::Isolated);
    assert_eq!(effects, [down(1), isolated, Output::Link(contact(2)), reply_timer(2, link)]);
    assert!(bench.knows(1));
}

#[test]
fn w45_a_neighbour_that_leaves_is_not_kept_nor_learned_of_again_in_this_life() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    bench.befriend(2, 6);
    let effects = bench.receive(1, M::Disconnect { link: LinkId(5), alive: false });
    assert_eq!(effects, [left(1), down(1)]);
    let again = bench.receive(1, M::Disconnect { link: LinkId(5), alive: false });
    assert_eq!(again, [], "told once");
    let gossip = |peer| M::Exchange { peers: vec![peer], answer: false };
    bench.receive(2, gossip(contact(1)));
    assert!(!bench.knows(1));
    bench.receive(2, gossip(reborn(1)));
    assert!(bench.knows(1));
}

#[test]
fn no_message_exhausts_the_clock() {
    let mut bench = Bench::new();
    bench.link(1);
    for _ in 0..100 {
        bench.receive(1, ask(u64::MAX, HIGH));
        bench.receive(1, M::Disconnect { link: LinkId(u64::MAX), alive: false });
    }
    (3..=5).for_each(|n| bench.befriend(n, 1));
    assert!(asking(&mut bench, 2) < 1 << 30);
}
