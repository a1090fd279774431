//! Exchanging samples.

use super::*;

fn exchange(peers: &[u64], answer: bool) -> M {
    M::Exchange { peers: peers.iter().map(|n| contact(*n)).collect(), answer }
}

#[test]
fn a_walk_is_sent_at_every_interval() {
    let mut bench = Bench::new();
    let again = |plan| any(Timer::Shuffle { plan });
    assert_eq!(bench.expire(Timer::Shuffle { plan: 1 }), [again(2)]);
    bench.befriend(1, 5);
    let walk = send(1, M::Shuffle { ttl: 6, origin: contact(0) });
    assert_eq!(bench.expire(Timer::Shuffle { plan: 1 }), [], "a timer of before");
    assert_eq!(bench.expire(Timer::Shuffle { plan: 2 }), [again(3), walk]);
}

/// Has the peer shuffle; how many times ten seconds it waits then.
fn pause(bench: &mut Bench) -> f64 {
    let mut out = Outbox::new();
    bench.peer.handle(bench.now, Input::Expired(bench.shuffle()), &mut out);
    let Some(Output::SetTimer { after, .. }) = out.take().into_iter().next() else { panic!("the timer comes first") };
    (after.as_secs_f64() / 10.0).round().clamp(1.0, 6.0)
}

#[test]
fn the_interval_grows_while_no_neighbour_is_lost_and_falls_at_once_when_one_is() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    let paused = |bench: &mut Bench, round: u64| {
        bench.receive(1, exchange(&[100 + round], false));
        pause(bench)
    };
    let pauses: Vec<f64> = (0..20).map(|round| paused(&mut bench, round)).collect();
    assert_eq!(pauses[..16], [1.0; 16], "the views are being mixed, and there is news");
    assert!(pauses[16..19].is_sorted() && pauses[19] >= 5.0, "{pauses:?}");
    bench.tick(Duration::ZERO);
    assert_eq!(bench.shuffle(), Timer::Shuffle { plan: 21 }, "nothing has happened");
    bench.input(Input::LinkDown(PeerId(1)));
    let effects = bench.tick(Duration::ZERO);
    assert!(effects.contains(&any(Timer::Shuffle { plan: 22 })), "{effects:?}");
    bench.link(9);
    bench.receive(9, exchange(&[200], false));
    assert_eq!(pause(&mut bench), 1.0);
}

#[test]
fn the_interval_grows_while_nothing_new_is_learned() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    let mut pauses = Vec::new();
    for round in 0..6 {
        if round == 5 {
            bench.receive(1, exchange(&[8], false));
        }
        pauses.push(pause(&mut bench));
    }
    // 10, 20, 40, 60 s give or take a fifth; then peer 8 became known.
    assert!(pauses.is_sorted_by(|a, b| a <= b || *b == 1.0) && pauses[5] == 1.0, "{pauses:?}");
    assert!(pauses[4] >= 5.0, "{pauses:?}");
}

#[test]
fn w13_where_a_walk_ends_a_sample_goes_to_its_origin_not_to_the_previous_hop() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    let effects = bench.receive(1, M::Shuffle { ttl: 4, origin: contact(9) });
    assert_eq!(effects, [Output::Link(contact(9))]);
    let effects = bench.input(Input::LinkUp { peer: contact(9), dialed: Some(addr(9)) });
    assert_eq!(effects, [send(9, exchange(&[1, 0], true))]);
}

#[test]
fn a_walk_goes_on_while_it_may() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    bench.befriend(2, 6);
    let walk = |ttl| M::Shuffle { ttl, origin: contact(9) };
    assert_eq!(bench.receive(1, walk(4)), [send(2, walk(3))]);
    let home = M::Shuffle { ttl: 0, origin: contact(0) };
    assert_eq!(bench.receive(1, home), [], "back at its origin");
}

#[test]
fn a_sample_is_answered_with_another_and_learned() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    bench.link(9);
    let effects = bench.receive(9, exchange(&[7, 1, 0, 9], true));
    assert_eq!(effects, [send(9, exchange(&[1, 0], false))]);
    assert_eq!(bench.peer.passive(), [contact(7)], "9 is known by its link");
    assert_eq!(bench.receive(9, exchange(&[8], false)), []);
    assert!(bench.knows(8));
}

#[test]
fn what_was_offered_makes_room_first() {
    let mut bench = Bench::with(Config { passive_capacity: 6, ..Config::default() });
    for n in 10..16 {
        bench.know(n);
    }
    bench.link(9);
    let effects = bench.receive(9, exchange(&[20, 21, 22, 23], true));
    let Some(Output::Send { message: M::Exchange { peers: offered, .. }, .. }) = effects.first() else {
        panic!("{effects:?}")
    };
    let kept = |peer: &Contact| bench.peer.passive().contains(peer);
    assert_eq!(offered.len(), 5, "four passive peers and itself");
    assert!(offered.iter().all(|peer| !kept(peer)));
    assert!((20..24).all(|n| bench.knows(n)));
}
