//! Replacing lost neighbours.

use super::*;

fn fails(bench: &mut Bench, n: u64) -> Vec<Effect> {
    bench.input(Input::LinkDown(PeerId(n)))
}

fn rejects(bench: &mut Bench, n: u64, link: u64) -> Vec<Effect> {
    bench.receive(n, M::Reject { link: LinkId(link) })
}

fn one_at_a_time() -> Bench {
    Bench::with(Config { parallel_requests: 1, active_min: 0, ..Config::default() })
}

#[test]
fn a_lost_neighbour_is_replaced_with_low_priority_while_others_are_left() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    bench.befriend(2, 6);
    bench.know(3);
    bench.link(3);
    let effects = fails(&mut bench, 1);
    let (_, link) = requested(&effects);
    assert_eq!(effects, [down(1), request(3, link, Priority::Low), reply_timer(3, link)]);
}

#[test]
fn an_isolated_peer_asks_with_high_priority() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    bench.know(3);
    bench.link(3);
    let effects = fails(&mut bench, 1);
    assert_eq!(effects[2], request(3, requested(&effects).1, Priority::High));
}

#[test]
fn w11_whoever_is_rejected_asks_the_next_and_none_twice_in_a_round() {
    let mut bench = one_at_a_time();
    bench.befriend(1, 5);
    bench.befriend(2, 6);
    for n in 3..=6 {
        bench.know(n);
        bench.link(n);
    }
    let mut asked = vec![requested(&fails(&mut bench, 1))];
    while let Some((n, link)) = asked.last().copied().filter(|_| asked.len() < 4) {
        let effects = rejects(&mut bench, n, link);
        assert_eq!(effects.len(), 2, "one request and its timer");
        asked.push(requested(&effects));
    }
    let (last, link) = asked[3];
    assert_eq!(rejects(&mut bench, last, link), [], "the round is over");
    let mut peers: Vec<u64> = asked.iter().map(|(peer, _)| *peer).collect();
    peers.sort_unstable();
    assert_eq!(peers, [3, 4, 5, 6]);
    assert!((3..=6).all(|n| bench.knows(n)), "a rejection is no failure");
}

#[test]
fn w22_a_candidate_that_cannot_be_reached_is_forgotten_and_the_next_is_asked() {
    let mut bench = one_at_a_time();
    bench.befriend(1, 5);
    bench.befriend(2, 6);
    bench.know(3);
    bench.know(4);
    let (first, _) = requested(&fails(&mut bench, 1));
    let effects = bench.input(Input::DialFailed(addr(first)));
    let (second, link) = requested(&effects);
    assert_eq!(effects, [Output::Link(contact(second)), reply_timer(second, link)]);
    assert!(first != second && !bench.knows(first));
}

#[test]
fn a_round_ends_when_the_view_is_full() {
    let mut bench = one_at_a_time();
    for n in 1..=5 {
        bench.befriend(n, n);
    }
    for n in 6..=9 {
        bench.know(n);
        bench.link(n);
    }
    let (n, link) = requested(&fails(&mut bench, 1));
    let effects = bench.receive(n, M::Accept { link: LinkId(link), peers: vec![] });
    assert_eq!(effects, [up(n)]);
}

#[test]
fn a_starving_peer_that_everybody_rejects_insists() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    bench.befriend(2, 6);
    bench.know(3);
    bench.link(3);
    let (_, link) = requested(&fails(&mut bench, 1));
    let effects = rejects(&mut bench, 3, link);
    let (_, link) = requested(&effects);
    assert_eq!(effects, [request(3, link, Priority::Mend), reply_timer(3, link)]);
    assert_eq!(rejects(&mut bench, 3, link), [], "once; then there is a pause");
    let effects = bench.tick(Duration::from_millis(2600));
    let again =
        |effect: &Effect| matches!(effect, Output::Send { message: M::Request { priority: Priority::Mend, .. }, .. });
    assert!(effects.iter().any(again), "{effects:?}");
}

#[test]
fn a_full_view_asks_nobody() {
    let mut bench = Bench::full();
    bench.know(6);
    assert_eq!(bench.tick(Duration::from_secs(4)), []);
}

#[test]
fn who_loses_its_last_neighbour_asks_those_that_refused_it_before() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    bench.befriend(2, 6);
    bench.know(3);
    bench.link(3);
    let (_, link) = requested(&fails(&mut bench, 1));
    fails(&mut bench, 2);
    let effects = rejects(&mut bench, 3, link);
    assert_eq!(effects[0], request(3, requested(&effects).1, Priority::High));
}

#[test]
fn an_isolated_peer_asks_whoever_links_to_it() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    fails(&mut bench, 1);
    let effects = bench.link(8);
    assert_eq!(effects[0], request(8, requested(&effects).1, Priority::High));
}

#[test]
fn spare_links_are_turned_to_before_the_passive_view() {
    let mut bench = one_at_a_time();
    bench.befriend(1, 5);
    bench.befriend(2, 6);
    bench.know(3);
    bench.link(4);
    let (first, link) = requested(&fails(&mut bench, 1));
    let effects = rejects(&mut bench, 4, link);
    assert_eq!((first, requested(&effects).0), (4, 3));
}

#[test]
fn after_a_heavy_loss_every_passive_peer_is_dialled() {
    let mut bench = Bench::with(Config { active_capacity: 1, ..Config::default() });
    bench.befriend(1, 1);
    bench.know(8);
    bench.know(9);
    let (first, link) = requested(&fails(&mut bench, 1));
    let up = bench.input(Input::LinkUp { peer: contact(first), dialed: Some(addr(first)) });
    assert_eq!(up, [request(first, link, Priority::High)]);
    let effects = bench.receive(first, M::Accept { link: LinkId(link), peers: vec![] });
    assert_eq!(effects[2..], [Output::Link(contact(17 - first))], "{effects:?}");
}

#[test]
fn a_full_peer_that_is_asked_for_a_place_checks_who_is_silent() {
    let mut bench = Bench::full();
    bench.link(6);
    bench.now = bench.now + Duration::from_secs(2);
    bench.receive(1, M::Ping { link: LinkId(1) });
    let effects = bench.receive(6, M::Request { link: LinkId(90), priority: Priority::Low });
    let asked = |n: u64| effects.contains(&send(n, M::Ping { link: LinkId(n) }));
    assert_eq!([1, 2, 3, 4, 5].map(asked), [false, true, true, true, true]);
}

/// Whom links are asked for.
fn dialled(effects: &[Effect]) -> Vec<u64> {
    let link = |effect: &Effect| match effect {
        Output::Link(contact) => Some(contact.id.0),
        _ => None,
    };
    effects.iter().filter_map(link).collect()
}

#[test]
fn for_each_failure_two_passive_peers_are_checked_and_two_more_for_each_of_them_that_is_gone() {
    let mut bench = Bench::full();
    (10..=19).for_each(|n| bench.know(n));
    bench.link(6);
    // The place is filled at once; then two are checked.
    let (n, link) = requested(&fails(&mut bench, 1));
    let effects = bench.receive(n, M::Accept { link: LinkId(link), peers: vec![] });
    assert_eq!((n, effects.len()), (6, 3), "{effects:?}");
    let mut open = dialled(&effects);
    assert_eq!(open.len(), 2);
    // All of them are gone: all are found out, none is dialled twice.
    let mut gone = Vec::new();
    while let Some(n) = open.pop() {
        let effects = bench.input(Input::DialFailed(addr(n)));
        let more = dialled(&effects);
        assert!(effects.len() == more.len() && more.len() <= 2, "{effects:?}");
        gone.push(n);
        open.extend(more);
    }
    gone.sort_unstable();
    assert_eq!(gone, (10..=19).collect::<Vec<_>>());
    assert!((10..=19).all(|n| !bench.knows(n)));
}

#[test]
fn a_check_that_is_answered_brings_no_other() {
    let mut bench = Bench::full();
    (10..=19).for_each(|n| bench.know(n));
    bench.link(6);
    let (n, link) = requested(&fails(&mut bench, 1));
    let checked = dialled(&bench.receive(n, M::Accept { link: LinkId(link), peers: vec![] }));
    for n in checked {
        assert_eq!(bench.input(Input::LinkUp { peer: contact(n), dialed: Some(addr(n)) }), []);
        assert!(bench.knows(n));
    }
}

#[test]
fn who_has_lost_most_neighbours_asks_whoever_is_linked() {
    let mut bench = Bench::new();
    (1..=3).for_each(|n| bench.befriend(n, n));
    assert_eq!(bench.link(7), [], "three are enough");
    fails(&mut bench, 1);
    assert_eq!(requested(&bench.link(8)).0, 8);
}

#[test]
fn a_strangers_link_makes_a_peer_check_who_is_silent() {
    let mut bench = Bench::full();
    bench.now = bench.now + Duration::from_secs(2);
    bench.receive(1, M::Ping { link: LinkId(1) });
    let pings = [2, 3, 4, 5].map(|n| send(n, M::Ping { link: LinkId(n) }));
    assert_eq!(bench.link(6), pings);
    assert_eq!(bench.link(7), [], "they have just been asked");
}

#[test]
fn who_is_turned_down_in_need_turns_to_those_that_it_is_told_of() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    bench.befriend(2, 6);
    bench.know(3);
    bench.link(3);
    let (_, link) = requested(&fails(&mut bench, 1));
    let (_, link) = requested(&rejects(&mut bench, 3, link));
    assert_eq!(bench.receive(3, M::Exchange { peers: vec![contact(8)], answer: false }), []);
    let effects = rejects(&mut bench, 3, link);
    assert_eq!(effects[0], Output::Link(contact(8)), "{effects:?}");
    let effects = bench.input(Input::LinkUp { peer: contact(8), dialed: Some(addr(8)) });
    assert!(matches!(effects[..], [Output::Send { to: PeerId(8), message: M::Request { .. } }]), "{effects:?}");
}
