//! Places kept for tags.

use super::*;
use crate::membership::hyparview::Tag;
use std::collections::BTreeMap;

fn server() -> Tag {
    Tag::new("server").expect("short")
}

fn keeps_one() -> Config {
    Config { reserved: BTreeMap::from([(server(), 1)]), ..Config::default() }
}

fn is_server() -> M {
    M::Tag { tag: server() }
}

fn ask(link: u64, priority: Priority) -> M {
    M::Request { link: LinkId(link), priority }
}

fn seek(to: u64, ttl: u8, origin: u64) -> Effect {
    send(to, M::Seek { ttl, tag: server(), origin: contact(origin) })
}

/// Peer 0, which keeps a place for a server, with neighbours `1..=4`.
fn one_place_left() -> Bench {
    let mut bench = Bench::with(keeps_one());
    for n in 1..=4 {
        bench.befriend(n, n);
    }
    bench
}

#[test]
fn a_kept_place_is_given_to_nobody_else() {
    let mut bench = one_place_left();
    bench.link(6);
    assert_eq!(bench.receive(6, ask(9, Priority::Low)), [send(6, M::Reject { link: LinkId(9) })]);
    let effects = bench.receive(6, ask(10, Priority::High));
    let victim = (1..=4).find(|n| !bench.active().contains(n)).expect("one of the others had to go");
    assert_eq!(effects[1..], [disconnect(victim, victim), down(victim), accept(6, 10), up(6)]);
}

#[test]
fn who_bears_the_tag_gets_the_kept_place() {
    let mut bench = one_place_left();
    bench.link(6);
    assert_eq!(bench.receive(6, is_server()), []);
    assert_eq!(bench.receive(6, ask(9, Priority::Low)), [accept(6, 9), up(6)]);
    assert_eq!(bench.peer.tagged(&server()), [contact(6)]);
    bench.link(7);
    bench.receive(7, is_server());
    let second = bench.receive(7, ask(9, Priority::Low));
    assert_eq!(second, [send(7, M::Reject { link: LinkId(9) })], "one place is kept, not two");
}

#[test]
fn whoever_holds_a_kept_place_is_not_evicted() {
    let mut bench = one_place_left();
    bench.link(6);
    bench.receive(6, is_server());
    bench.receive(6, ask(9, Priority::Low));
    for n in 10..60 {
        bench.link(n);
        bench.receive(n, ask(n, Priority::High));
        assert!(bench.active().contains(&6));
        assert_eq!(bench.active().len(), 5);
    }
}

#[test]
fn w16_a_kept_place_is_free_again_when_its_holder_goes_however_it_goes() {
    type Parting = fn(&mut Bench) -> Vec<Effect>;
    let partings: [Parting; 4] = [
        |bench| bench.receive(6, M::Disconnect { link: LinkId(9), alive: true }),
        |bench| bench.receive(6, M::Disconnect { link: LinkId(9), alive: false }),
        |bench| bench.input(Input::LinkDown(PeerId(6))),
        |bench| bench.input(Input::LinkUp { peer: reborn(6), dialed: None }),
    ];
    for (case, parting) in partings.iter().enumerate() {
        let mut bench = one_place_left();
        bench.link(6);
        bench.receive(6, is_server());
        bench.receive(6, ask(9, Priority::Low));
        let effects = parting(&mut bench);
        assert_eq!(effects.iter().find(|effect| **effect != left(6)), Some(&down(6)), "case {case}");
        assert_eq!(bench.peer.tagged(&server()), [], "case {case}");
        for (n, tag, granted) in [(7, None, false), (8, Some(is_server()), true)] {
            bench.link(n);
            tag.map(|tag| bench.receive(n, tag));
            bench.receive(n, ask(20, Priority::Low));
            assert_eq!(bench.active().contains(&n), granted, "case {case}, peer {n}");
        }
    }
}

#[test]
fn who_bears_a_tag_says_so_first() {
    let mut bench = Bench::with(Config { tag: Some(server()), ..Config::default() });
    bench.link(1);
    let effects = bench.receive(1, ask(5, Priority::Low));
    let own_tag = send(1, is_server());
    assert_eq!(effects, [own_tag, accept(1, 5), up(1), Output::Emit(Event::Joined)]);
    bench.know(2);
    bench.link(2);
    let effects = bench.tick(Duration::from_secs(2));
    let (_, link) = requested(&effects);
    assert_eq!(effects, [send(2, is_server()), request(2, link, Priority::Low), reply_timer(2, link)]);
}

#[test]
fn an_open_place_is_advertised_now_and_then() {
    let mut bench = Bench::with(keeps_one());
    bench.befriend(1, 5);
    let second = Duration::from_secs(1);
    let ttl = Config::default().seek_walk;
    assert_eq!(bench.tick(second), [seek(1, ttl, 0)]);
    assert_eq!(bench.tick(second), [], "with a pause");
    bench.now = bench.now + second * 15;
    bench.peer.heard(bench.now, PeerId(1));
    assert!(bench.tick(Duration::ZERO).contains(&seek(1, ttl, 0)));
    bench.receive(1, is_server());
    bench.now = bench.now + second * 100;
    bench.peer.heard(bench.now, PeerId(1));
    assert!(!bench.tick(Duration::ZERO).contains(&seek(1, ttl, 0)), "the place is taken");
}

#[test]
fn a_walk_ends_at_a_peer_with_the_tag_and_room() {
    let mut bench = Bench::with(Config { tag: Some(server()), ..Config::default() });
    bench.befriend(1, 5);
    bench.link(9);
    let walk = |ttl| M::Seek { ttl, tag: server(), origin: contact(9) };
    let effects = bench.receive(1, walk(3));
    let (_, link) = requested(&effects);
    assert_eq!(effects, [send(9, is_server()), request(9, link, Priority::Low), reply_timer(9, link)]);
    for n in 2..=5 {
        bench.befriend(n, n);
    }
    let effects = bench.receive(1, walk(8));
    assert!(matches!(&effects[..], [Output::Send { to, message }] if *to != PeerId(1) && *message == walk(7)));
    // Late on its walk, room is made for it; but not at once again.
    let effects = bench.receive(1, M::Seek { ttl: 6, tag: server(), origin: contact(7) });
    let (peer, link) = requested(&effects);
    assert_eq!((peer, &effects[0]), (7, &Output::Link(contact(7))));
    bench.link(7);
    let accepted = bench.receive(7, M::Accept { link: LinkId(link), peers: vec![] });
    assert!(accepted.contains(&up(7)) && bench.active().len() == 5, "{accepted:?}");
    assert_eq!(bench.receive(1, M::Seek { ttl: 0, tag: server(), origin: contact(8) }), []);
}

#[test]
fn a_hostile_walk_is_shortened_and_an_unknown_tag_is_not_kept() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    bench.befriend(2, 6);
    let walk = |ttl| M::Seek { ttl, tag: server(), origin: contact(9) };
    assert_eq!(bench.receive(1, walk(255)), [send(2, walk(Config::default().seek_walk - 1))]);
    assert_eq!(bench.receive(1, is_server()), []);
    assert_eq!(bench.peer.tagged(&server()), []);
}
