//! Probing silent neighbours, confirming relations.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn ping(link: u64) -> M {
    M::Ping { link: LinkId(link) }
}

fn pong(link: u64, known: bool) -> M {
    M::Pong { link: LinkId(link), known }
}

#[test]
fn a_silent_neighbour_is_probed_and_one_that_is_heard_is_not() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    bench.befriend(2, 6);
    bench.now = bench.now + SECOND * 4;
    bench.peer.heard(bench.now, PeerId(2));
    assert_eq!(bench.tick(SECOND), [send(1, ping(5))]);
}

#[test]
fn a_neighbour_that_stays_silent_has_failed() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    assert_eq!(bench.tick(SECOND * 5), [send(1, ping(5))]);
    for _ in 1..Config::default().probe_attempts {
        assert_eq!(bench.tick(SECOND), [send(1, ping(5))]);
    }
    let gone = [Output::Close(PeerId(1)), down(1), Output::Emit(Event::Isolated)];
    assert_eq!(bench.tick(SECOND), gone);
    assert_eq!(bench.peer.metrics().failures, 1);
}

#[test]
fn any_answer_clears_the_neighbour() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    for _ in 0..20 {
        assert_eq!(bench.tick(SECOND * 5), [send(1, ping(5))]);
        bench.receive(1, pong(5, true));
    }
    assert_eq!(bench.active(), [1]);
}

#[test]
fn a_busy_neighbour_is_asked_for_confirmation_now_and_then() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    let mut asked = 0;
    for _ in 0..60 {
        bench.now = bench.now + SECOND / 2;
        bench.peer.heard(bench.now, PeerId(1));
        let effects = bench.tick(SECOND / 2);
        if effects == [send(1, ping(5))] {
            asked += 1;
            bench.receive(1, pong(5, true));
        } else {
            assert_eq!(effects, []);
        }
    }
    assert_eq!(asked, 4, "once in 15 s, by each side");
}

#[test]
fn a_probe_is_answered_with_what_is_known() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    bench.link(2);
    assert_eq!(bench.receive(1, ping(5)), [send(1, pong(5, true))]);
    assert_eq!(bench.receive(2, ping(6)), [send(2, pong(6, false))]);
}

#[test]
fn a_one_sided_relation_is_dropped() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    bench.befriend(2, 6);
    assert_eq!(bench.receive(1, pong(4, false)), [], "about an earlier relation");
    assert_eq!(bench.receive(1, pong(5, false)), [down(1)]);
    assert!(bench.knows(1));
}

#[test]
fn who_believes_in_a_relation_that_has_ended_is_told() {
    let mut bench = Bench::new();
    bench.link(1);
    assert_eq!(bench.receive(1, pong(5, true)), [disconnect(1, 5)]);
}

#[test]
fn two_views_of_one_relation_agree_on_the_greater_link() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    assert_eq!(bench.receive(1, ping(3)), [send(1, pong(5, true))]);
    assert_eq!(bench.receive(1, ping(8)), [send(1, pong(8, true))]);
    assert_eq!(bench.receive(1, pong(9, true)), []);
    assert_eq!(bench.link_of(1), Some(LinkId(9)));
}

#[test]
fn a_probe_stands_in_for_a_lost_answer() {
    let mut bench = Bench::new();
    bench.befriend(2, 6);
    bench.know(1);
    bench.link(1);
    let (_, link) = requested(&bench.tick(SECOND * 2));
    let effects = bench.receive(1, ping(link));
    assert_eq!(effects, [up(1), send(1, pong(link, true))]);
}
