//! Subscriptions.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn join(bench: &mut Bench, contacts: &[u64]) -> Vec<Effect> {
    bench.input(Input::Command(Command::Join(contacts.iter().map(|n| addr(*n)).collect())))
}

fn join_timer(bench: &Bench) -> Effect {
    timer(Timer::Join { step: bench.peer.joining_step() })
}

fn expire_join(bench: &mut Bench) -> Vec<Effect> {
    let step = bench.peer.joining_step();
    bench.input(Input::Expired(Timer::Join { step }))
}

fn forward(to: u64, hops: u8, peer: u64) -> Effect {
    send(to, M::Forward { hops, walk: 0, peer: contact(peer) })
}

/// Receivers of copies of the subscription of `peer`, ascending.
fn copies(effects: &[Effect], peer: u64) -> Vec<u64> {
    let mut receivers: Vec<u64> = effects
        .iter()
        .filter_map(|effect| match effect {
            Output::Send { to, message: M::Forward { peer: whose, .. } } if whose.id.0 == peer => Some(to.0),
            _ => None,
        })
        .collect();
    receivers.sort_unstable();
    receivers
}

#[test]
fn a_newcomer_subscribes_at_its_contact() {
    for (version, keeps) in [(Version::V1, true), (Version::V2, false)] {
        let mut bench = Bench::with(Config { version, ..Config::default() });
        let dialed = join(&mut bench, &[1, 0, 1]);
        assert_eq!(dialed, [Output::Dial(addr(1)), join_timer(&bench)], "itself and doubles are left out");
        let effects = bench.input(Input::LinkUp { peer: contact(1), dialed: Some(addr(1)) });
        let subscribe = send(1, M::Subscribe { copies: 0 });
        let mut expected = vec![join_timer(&bench), subscribe];
        expected.extend(keeps.then(|| arc(1, 0)));
        assert_eq!(effects, expected, "{version:?}");
    }
}

#[test]
fn w07_joining_goes_on_round_after_round_until_somebody_keeps_the_newcomer() {
    let mut bench = Bench::new();
    join(&mut bench, &[1, 2]);
    for _ in 0..4 {
        let failed = bench.input(Input::DialFailed(addr(1)));
        assert_eq!(failed, [Output::Dial(addr(2)), join_timer(&bench)]);
        bench.input(Input::LinkUp { peer: contact(2), dialed: Some(addr(2)) });
        assert_eq!(expire_join(&mut bench), [join_timer(&bench)], "a pause");
        assert_eq!(expire_join(&mut bench), [Output::Dial(addr(1)), join_timer(&bench)]);
    }
    bench.input(Input::LinkUp { peer: contact(1), dialed: Some(addr(1)) });
    let step = bench.peer.joining_step();
    bench.kept_by(7);
    assert_eq!(bench.input(Input::Expired(Timer::Join { step })), [], "it has arrived");
}

/// A peer with neighbour 2 that has heard of 5, and what it tries when it is to subscribe anew, all in vain.
fn tries(known: Option<u64>, alone: bool) -> Vec<Addr> {
    let mut bench = Bench::new();
    if let Some(n) = known {
        join(&mut bench, &[n]);
        bench.peer.joining.clear();
        bench.peer.joining.contacts.push(addr(n));
    }
    bench.kept_by(2);
    bench.receive(2, M::Indirect { copies: 0, steps: 1, walk: 1, peer: contact(5) });
    if alone {
        bench.input(Input::LinkDown(PeerId(2)));
    }
    let mut out = Outbox::new();
    bench.peer.try_contacts(&mut out);
    let (mut effects, mut tried) = (out.take(), Vec::new());
    while let Some(Output::Dial(addr)) = effects.first() {
        let addr = addr.clone();
        effects = bench.input(Input::DialFailed(addr.clone()));
        tried.push(addr);
    }
    tried
}

#[test]
fn who_is_alone_turns_to_its_contacts_and_then_to_whom_it_has_heard_of() {
    assert_eq!(tries(Some(1), true), [addr(1), addr(5), addr(2)]);
    assert_eq!(tries(Some(5), true), [addr(5), addr(2)], "nobody twice");
    assert_eq!(tries(None, true), [addr(5), addr(2)]);
    assert_eq!(tries(Some(1), false), [addr(1)], "while there are neighbours the view is enough");
}

#[test]
fn few_are_remembered_and_none_that_left_or_cannot_be_reached() {
    let mut bench = Bench::new();
    bench.kept_by(2);
    for n in 10..40 {
        bench.receive(2, M::Indirect { copies: 0, steps: 1, walk: 1, peer: contact(n) });
    }
    let heard = |bench: &Bench| bench.peer.heard.newest_first().cloned().collect::<Vec<_>>();
    assert_eq!(heard(&bench), (24..40).rev().map(addr).collect::<Vec<_>>());
    bench.input(Input::DialFailed(addr(30)));
    bench.link(31);
    bench.receive(31, M::Leave);
    bench.receive(2, M::Indirect { copies: 0, steps: 1, walk: 2, peer: contact(0) });
    let known = heard(&bench);
    assert!(![0, 30, 31].iter().any(|n| known.contains(&addr(*n))) && known.len() == 14, "{known:?}");
}

#[test]
fn who_has_nobody_in_its_view_keeps_the_subscriber() {
    let mut bench = Bench::new();
    bench.link(1);
    assert_eq!(bench.receive(1, M::Subscribe { copies: 0 }), [arc(1, 0)]);
    assert_eq!(bench.view(), [1]);
}

#[test]
fn a_subscription_is_spread_to_the_whole_view_and_c_more() {
    let mut bench = Bench::with(Config { version: Version::V1, copies: 2, ..Config::default() });
    for n in 1..=5 {
        bench.keep(n);
    }
    bench.link(9);
    let effects = bench.receive(9, M::Subscribe { copies: 0 });
    let receivers = copies(&effects, 9);
    assert_eq!((effects.len(), receivers.len()), (7, 7));
    assert!((1..=5).all(|n| receivers.contains(&n)), "{receivers:?}");
    bench.now = bench.now + SECOND * 2;
    let renewal = copies(&bench.receive(9, M::Subscribe { copies: 3 }), 9);
    assert_eq!(renewal.len(), 3, "as many as asked for");
    bench.now = bench.now + SECOND * 2;
    let greedy = copies(&bench.receive(9, M::Subscribe { copies: 255 }), 9);
    assert_eq!(greedy.len(), 14, "but at most twice the usual");
}

#[test]
fn w52_one_peer_cannot_flood_others_with_subscriptions() {
    let mut bench = Bench::with(Config { version: Version::V1, ..Config::default() });
    bench.keep(1);
    bench.link(9);
    assert!(!bench.receive(9, M::Subscribe { copies: 0 }).is_empty());
    for _ in 0..100 {
        assert_eq!(bench.receive(9, M::Subscribe { copies: 0 }), []);
    }
    assert_eq!(bench.peer.metrics().refused, 100);
}

#[test]
fn w02_a_copy_is_kept_with_the_probability_of_the_paper() {
    for size in [1, 4, 15] {
        let mut kept = 0;
        for seed in 0..4000 {
            let mut bench = Bench::new();
            for n in 1..=size {
                bench.keep(n);
            }
            bench.peer.rng = Rng::new(seed);
            bench.receive(1, M::Forward { hops: 9, walk: 0, peer: contact(99) });
            kept += u64::from(bench.view().contains(&99));
        }
        let (share, expected) = (kept as f64 / 4000.0, 1.0 / (1.0 + size as f64));
        assert!((share - expected).abs() < 0.025, "view of {size}: {share:.3} against {expected:.3}");
    }
}

#[test]
fn a_copy_that_is_not_kept_goes_to_somebody_in_the_view() {
    let mut bench = Bench::new();
    bench.keep(1);
    bench.keep(2);
    // 2 is in the view already: its copy goes on, but not to itself.
    assert_eq!(bench.receive(1, M::Forward { hops: 9, walk: 0, peer: contact(2) }), [forward(1, 8, 2)]);
    assert_eq!(
        bench.receive(1, M::Forward { hops: 9, walk: 0, peer: contact(0) }).len(),
        1,
        "one's own copy goes on, too"
    );
}

#[test]
fn w03_a_walk_ends_and_what_it_carries_is_kept_then_if_there_is_room() {
    let mut bench = Bench::new();
    for n in 1..=30 {
        bench.keep(n);
    }
    let effects = bench.receive(1, M::Forward { hops: 0, walk: 0, peer: contact(99) });
    assert_eq!(effects, [Output::Link(contact(99))]);
    assert_eq!(bench.receive(1, M::Forward { hops: 0, walk: 0, peer: contact(2) }), [], "it is in the view");
    let hostile = bench.receive(1, M::Forward { hops: 255, walk: 0, peer: contact(2) });
    let [Output::Send { message: M::Forward { hops, .. }, .. }] = &hostile[..] else { panic!("{hostile:?}") };
    assert!(*hops < Config::default().hops);
}

#[test]
fn a_walk_that_arrives_twice_is_one_walk() {
    let mut bench = Bench::new();
    bench.keep(1);
    bench.keep(2);
    let forward = |walk| M::Forward { hops: 9, walk, peer: contact(2) };
    let indirect = |walk| M::Indirect { copies: 0, steps: 9, walk, peer: contact(2) };
    for walks in [[forward(1), forward(2)], [indirect(3), indirect(4)]] {
        let [one, other] = walks;
        assert_eq!(bench.receive(1, one.clone()).len(), 1);
        assert_eq!(bench.receive(1, one.clone()), [], "the same message again");
        assert_eq!(bench.receive(1, other).len(), 1, "another walk");
        bench.now = bench.now + SECOND;
        assert_eq!(bench.receive(1, one).len(), 1, "long after");
    }
}

#[test]
fn version_2_lets_a_random_peer_spread_the_subscription() {
    let mut bench = Bench::new();
    bench.keep(1);
    bench.link(9);
    let steps = Config::default().steps;
    let effects = bench.receive(9, M::Subscribe { copies: 0 });
    let [Output::Send { to: PeerId(1), message: M::Indirect { copies: 0, steps: left, peer, .. } }] = &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!((*left, peer), (steps - 1, &contact(9)));
    let ended = bench.receive(1, M::Indirect { copies: 0, steps: 0, walk: 0, peer: contact(9) });
    assert_eq!(copies(&ended, 9), [1, 1], "a view of one, and one copy more");
}

#[test]
fn a_walk_avoids_those_with_many_neighbours_as_it_would_find_them_too_often() {
    let mut bench = Bench::new();
    bench.keep(1);
    bench.keep(2);
    bench.receive(2, M::Known { degree: 20 });
    let mut to = [0, 0];
    for _ in 0..2000 {
        bench.now = bench.now + SECOND;
        let effects = bench.receive(1, M::Indirect { copies: 0, steps: 1, walk: 0, peer: contact(9) });
        if let [Output::Send { to: next, message: M::Indirect { .. } }] = &effects[..] {
            to[next.0 as usize - 1] += 1;
        }
    }
    // Each is drawn half the time; 2 is taken with probability 2 / 20.
    assert!((900..1100).contains(&to[0]) && (60..140).contains(&to[1]), "{to:?}");
}

#[test]
fn w05_who_is_in_no_view_subscribes_again_when_the_time_has_come_and_not_before() {
    let mut bench = Bench::new();
    bench.keep(1);
    let timeout = Config::default().isolation_timeout;
    let subscribes = |effects: &[Effect]| {
        effects.iter().any(|effect| matches!(effect, Output::Send { message: M::Subscribe { .. }, .. }))
    };
    let mut again = Vec::new();
    for second in 1..=400u64 {
        let effects = bench.tick(SECOND);
        bench.receive(1, M::Known { degree: 1 });
        if subscribes(&effects) {
            again.push(second);
        }
    }
    let first = *again.first().expect("it subscribes");
    assert!(first >= timeout.as_secs() && first <= timeout.as_secs() * 3, "{again:?}");
    assert!(again.len() <= 4, "ever more rarely: {again:?}");
}

#[test]
fn a_renewed_subscription_takes_as_many_arcs_as_there_were() {
    let mut bench = Bench::with(Config { lease: SECOND * 60, ..Config::default() });
    for n in 1..=6 {
        bench.keep(n);
        bench.kept_by(n);
    }
    bench.peer.joining.clear();
    let mut asked = None;
    while asked.is_none() {
        let effects = bench.tick(SECOND);
        for n in 1..=6 {
            bench.receive(n, M::Known { degree: 1 });
            bench.receive(n, M::Arc { degree: 1 });
        }
        asked = effects.iter().find_map(|effect| match effect {
            Output::Send { message: M::Subscribe { copies }, .. } => Some(*copies),
            _ => None,
        });
        assert!(bench.now < Time::from_millis(600_000), "a lease has passed");
    }
    assert_eq!(asked, Some(6));
    let effects = bench.kept_by(7);
    let refused = effects.iter().filter(|effect| matches!(effect, Output::Send { message: M::Refuse, .. })).count();
    assert_eq!((refused, bench.in_view().len()), (1, 6), "{effects:?}");
    assert!(bench.in_view().contains(&7));
}

#[test]
fn who_lost_most_of_the_views_that_it_was_in_subscribes_for_as_many_as_the_survivors_make_worth() {
    let mut bench = Bench::new();
    for n in 1..=20 {
        bench.keep(n);
        bench.kept_by(n);
    }
    bench.peer.joining.clear();
    (3..=20).for_each(|n| drop(bench.input(Input::LinkDown(PeerId(n)))));
    assert_eq!(bench.in_view(), [1, 2]);
    let (mut asked, mut after) = (None, 0);
    while asked.is_none() {
        let effects = bench.tick(SECOND);
        after += 1;
        for n in 1..=2 {
            bench.receive(n, M::Known { degree: 1 });
            bench.receive(n, M::Arc { degree: 1 });
        }
        asked = effects.iter().find_map(|effect| match effect {
            Output::Send { message: M::Subscribe { copies }, .. } => Some(*copies),
            _ => None,
        });
        assert!(bench.now < Time::from_millis(100_000), "it subscribes");
    }
    // With c = 1 a tenth of the peers makes views of 2 ln 10 entries less: 15, of which 2 are there.
    assert_eq!((asked, after), (Some(13), Config::default().isolation_timeout.as_secs()));
    // The failure has been accounted for: with these it is content.
    (3..=15).for_each(|n| drop(bench.kept_by(n)));
    assert_eq!(bench.peer.wanted(), 15);
}
