//! SWIM's probes, suspicion, and Lifeguard's health.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn ping(to: u64, seq: u64) -> Effect {
    send(to, M::Ping { seq, suspected: None })
}

/// A bench with peers 1 to 4, whose next turn is `target`'s, and silence for long enough.
fn about_to_probe(target: u64) -> Bench {
    let mut bench = Bench::linked(&[1, 2, 3, 4]);
    bench.wait(SECOND * 10);
    bench.peer.probing.hasten(PeerId(target));
    bench
}

/// The helpers asked in some effects.
fn helpers(effects: &[Effect], target: u64, seq: u64) -> Vec<u64> {
    let helper = |effect: &Effect| match effect {
        Output::Send { to, message } if *message == (M::Probe { seq, target: PeerId(target) }) => to.0,
        other => panic!("{other:?}"),
    };
    effects.iter().map(helper).collect()
}

#[test]
fn a_silent_member_is_probed_directly_then_through_others_then_suspected() {
    let mut bench = about_to_probe(1);
    assert_eq!(bench.period(Duration::ZERO), [ping(1, 1)]);
    bench.wait(SECOND / 2);
    let effects = bench.expire(Timer::Direct { seq: 1 });
    let mut asked = helpers(&effects, 1, 1);
    asked.sort_unstable();
    assert_eq!(asked, [2, 3, 4]);
    bench.peer.probing.hasten(PeerId(1));
    let effects = bench.period(SECOND * 3 / 2);
    let to = |n| send(n, suspect(1, 0, 5));
    assert_eq!(effects[0], to(1), "the suspect is told first");
    for n in [2, 3, 4] {
        assert!(effects.contains(&to(n)), "{effects:?}");
    }
    let again = send(1, M::Ping { seq: 2, suspected: Some(suspected(1, 0).version()) });
    assert_eq!(effects[4..], [again], "and with the next probe");
    assert_eq!(bench.standing(1), Some(Standing::Suspect));
    assert_eq!((bench.members(), bench.reachable()), (vec![1, 2, 3, 4], vec![1, 2, 3, 4]));
}

#[test]
fn an_answer_from_the_member_or_through_a_helper_ends_the_probe() {
    for from in [1, 2] {
        let mut bench = about_to_probe(1);
        bench.period(Duration::ZERO);
        bench.expire(Timer::Direct { seq: 1 });
        assert_eq!(bench.receive(from, M::Pong { seq: 1 }), []);
        bench.peer.probing.hasten(PeerId(9));
        bench.period(SECOND * 2);
        assert_eq!(bench.standing(1), Some(Standing::Alive));
        assert_eq!(bench.peer.health(), 0);
    }
}

#[test]
fn whatever_a_member_says_is_an_answer_and_a_busy_one_is_not_probed() {
    let mut bench = about_to_probe(1);
    bench.period(Duration::ZERO);
    bench.wait(SECOND / 4);
    bench.peer.heard(bench.now, PeerId(1));
    assert_eq!(bench.expire(Timer::Direct { seq: 1 }), []);
    bench.peer.probing.hasten(PeerId(1));
    assert_eq!(bench.period(SECOND), [], "heard a second ago");
    assert_eq!(bench.standing(1), Some(Standing::Alive));
}

#[test]
fn w15_a_lost_link_is_probed_through_others_before_anything_is_said_of_the_member() {
    let mut bench = about_to_probe(2);
    assert_eq!(bench.input(Input::LinkDown(PeerId(1))), [down(1)]);
    assert_eq!((bench.members(), bench.reachable()), (vec![1, 2, 3, 4], vec![1, 2, 3, 4]));
    let effects = bench.period(Duration::ZERO);
    let mut asked = helpers(&effects, 1, 1);
    asked.sort_unstable();
    assert_eq!(asked, [2, 3, 4]);
    bench.receive(3, M::Pong { seq: 1 });
    bench.period(SECOND * 2);
    assert_eq!(bench.standing(1), Some(Standing::Alive), "others reach it");
}

#[test]
fn a_helper_probes_passes_the_answer_on_and_says_when_there_is_none() {
    let mut bench = Bench::linked(&[1, 2]);
    assert_eq!(bench.receive(1, M::Probe { seq: 77, target: PeerId(2) }), [ping(2, 1)]);
    assert_eq!(bench.receive(2, M::Pong { seq: 1 }), [send(1, M::Pong { seq: 77 })]);
    assert_eq!(bench.expire(Timer::Relay { seq: 1 }), [], "answered");
    assert_eq!(bench.receive(1, M::Probe { seq: 78, target: PeerId(2) }), [ping(2, 2)]);
    assert_eq!(bench.expire(Timer::Relay { seq: 2 }), [send(1, M::Nack { seq: 78 })]);
    assert_eq!(bench.receive(2, M::Pong { seq: 2 }), [send(1, M::Pong { seq: 78 })], "late, not lost");
    assert_eq!(bench.receive(1, M::Probe { seq: 79, target: PeerId(9) }), [send(1, M::Nack { seq: 79 })]);
    assert_eq!(bench.receive(1, M::Probe { seq: 80, target: PeerId(5) }), [send(1, M::Pong { seq: 80 })]);
}

#[test]
fn a_suspicion_of_oneself_is_refuted_and_a_stale_one_is_not() {
    let mut bench = Bench::linked(&[1, 2]);
    let refuted = Member { status: Status::In { refutation: 1, suspect: false }, ..member(5) };
    let version = suspected(5, 0).version();
    let effects = bench.receive(1, M::Ping { seq: 3, suspected: Some(version) });
    let told = |n| send(n, news(std::slice::from_ref(&refuted), &[]));
    assert_eq!(effects, [send(1, M::Pong { seq: 3 }), told(1), told(2)]);
    assert_eq!(bench.receive(2, suspect(5, 0, 2)), [told(2)], "who is behind is told, and nobody else");
    assert_eq!((bench.peer.metrics().refutations, bench.peer.health()), (1, 1));
}

#[test]
fn a_refutation_ends_the_suspicion_and_an_old_suspicion_does_not_bring_it_back() {
    let mut bench = Bench::linked(&[1, 2]);
    bench.receive(2, suspect(1, 0, 2));
    let refuted = Member { status: Status::In { refutation: 1, suspect: false }, ..member(1) };
    bench.receive(1, news(&[refuted], &[]));
    assert_eq!(bench.standing(1), Some(Standing::Alive));
    assert_eq!(bench.receive(2, suspect(1, 0, 2)), []);
    assert_eq!(bench.standing(1), Some(Standing::Alive));
}

#[test]
fn a_suspicion_that_runs_out_makes_a_member_unreachable_and_no_more() {
    let mut bench = Bench::linked(&[1, 2, 3]);
    bench.receive(2, suspect(1, 0, 2));
    assert_eq!(bench.tick(SECOND * 9), []);
    // With three others nobody counts as confirming: the least time.
    assert_eq!(bench.tick(SECOND * 2), [close(1), down(1)]);
    assert_eq!((bench.members(), bench.reachable()), (vec![1, 2, 3], vec![2, 3]));
    assert_eq!(bench.standing(1), Some(Standing::Suspect));
    for _ in 0..1000 {
        bench.tick(SECOND * 60);
    }
    assert_eq!(bench.members(), [1, 2, 3], "nobody is removed for being silent");
    // It comes back: confronted, it refutes.
    let effects = bench.link(1);
    assert_eq!(effects, [up(1), send(1, suspect(1, 0, 5))]);
    assert_eq!(bench.reachable(), [1, 2, 3]);
}

#[test]
fn who_speaks_here_is_not_given_up_but_told() {
    let mut bench = Bench::linked(&[1, 2, 3]);
    bench.receive(2, suspect(1, 0, 2));
    bench.wait(SECOND * 10);
    bench.peer.heard(bench.now, PeerId(1));
    assert_eq!(bench.tick(SECOND), [send(1, suspect(1, 0, 5))]);
    assert!(bench.peer.is_active(PeerId(1)));
}

#[test]
fn independent_suspicions_are_passed_on_until_there_are_enough() {
    let peers: Vec<u64> = (10..20).collect();
    let mut bench = Bench::linked(&peers);
    let most = Config::default().suspicion_confirmations + 1;
    for (n, by) in (11..19).enumerate() {
        let effects = bench.receive(by, suspect(10, 0, by));
        assert_eq!(!effects.is_empty(), n < most, "{by}: {effects:?}");
        assert_eq!(bench.receive(by, suspect(10, 0, by)), [], "the same again");
    }
    assert_eq!(bench.tick(SECOND * 11), [close(10), down(10)], "confirmed by three: the least time");
}

#[test]
fn an_unconfirmed_suspicion_lasts_longest() {
    let peers: Vec<u64> = (10..20).collect();
    let mut bench = Bench::linked(&peers);
    bench.receive(11, suspect(10, 0, 11));
    assert_eq!(bench.tick(SECOND * 50), []);
    assert_eq!(bench.tick(SECOND * 15), [close(10), down(10)]);
}

#[test]
fn silent_helpers_are_a_sign_of_ones_own_ill_health_and_nacks_are_not() {
    for (nacks, score) in [(0, 3), (2, 1), (3, 0)] {
        let mut bench = about_to_probe(1);
        bench.period(Duration::ZERO);
        let effects = bench.expire(Timer::Direct { seq: 1 });
        for helper in helpers(&effects, 1, 1).into_iter().take(nacks) {
            assert_eq!(bench.receive(helper, M::Nack { seq: 1 }), []);
        }
        bench.period(SECOND * 2);
        assert_eq!(bench.peer.health(), score, "{nacks} nacks");
    }
}

#[test]
fn an_unhealthy_peer_waits_longer() {
    let mut bench = about_to_probe(1);
    bench.peer.health.worse(3, &Config::default());
    let effects = bench.feed(Input::Expired(Timer::Period { term: 1 }));
    let timeout = Config::default().probe_timeout * 4;
    assert_eq!(effects[..2], [ping(1, 1), Output::SetTimer { after: timeout, timer: Timer::Direct { seq: 1 } }]);
    let [Output::SetTimer { after, timer: Timer::Period { .. } }] = &effects[2..] else { panic!("{effects:?}") };
    assert!(*after > Config::default().probe_interval * 3);
}

#[test]
fn members_are_probed_once_per_round() {
    let mut bench = Bench::linked(&[1, 2, 3, 4]);
    bench.wait(SECOND * 10);
    let mut probed = Vec::new();
    for seq in 1..=8 {
        let effects = bench.period(SECOND * 2);
        let [Output::Send { to, message: M::Ping { .. } }] = &effects[..] else { panic!("{effects:?}") };
        probed.push(to.0);
        bench.receive(to.0, M::Pong { seq });
        bench.peer.active.get_mut(to).expect("linked").heard = Time::ZERO;
    }
    for round in probed.chunks_mut(4) {
        round.sort_unstable();
        assert_eq!(round, [1, 2, 3, 4]);
    }
}
