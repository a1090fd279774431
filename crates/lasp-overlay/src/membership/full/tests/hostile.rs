//! Peers that lie, flood, or make no sense: bounded, counted, never undone by.

use super::*;

#[test]
fn w28_suspicions_of_strangers_departed_and_of_no_suspicion_are_ignored() {
    let mut bench = Bench::linked(&[1, 2]);
    assert_eq!(bench.receive(1, suspect(77, 0, 1)), []);
    let version = member(2).version();
    assert_eq!(bench.receive(1, M::Suspect { peer: PeerId(2), version, by: PeerId(1) }), []);
    let other_life = Version { incarnation: 9, ..suspected(2, 0).version() };
    assert_eq!(bench.receive(1, M::Suspect { peer: PeerId(2), version: other_life, by: PeerId(1) }), []);
    assert_eq!(bench.standing(2), Some(Standing::Alive));
}

#[test]
fn w52_a_flood_of_questions_gets_one_answer_at_a_time() {
    let mut bench = Bench::linked(&[1]);
    assert_eq!(bench.receive(1, M::Ask).len(), 1);
    for _ in 0..100 {
        assert_eq!(bench.receive(1, M::Ask), []);
        assert_eq!(bench.receive(1, M::Digest { fingerprint: 0, count: 0 }), []);
    }
    assert_eq!(bench.peer.metrics().refused, 200);
    bench.wait(Config::default().answer_interval);
    assert_eq!(bench.receive(1, M::Ask).len(), 1);
}

#[test]
fn w26_invented_members_fill_the_map_up_to_its_limit() {
    let mut bench = Bench::with(Config { capacity: 10, ..Config::default() });
    bench.link(1);
    let invented: Vec<Member> = (100..160).map(member).collect();
    bench.receive(1, news(&invented, &[]));
    assert_eq!((bench.peer.map().len(), bench.peer.metrics().refused), (10, 52));
    // One that comes itself is told nothing and not kept.
    assert_eq!(bench.link(2), []);
    assert_eq!(bench.tick(Duration::from_secs(6)).last(), Some(&close(2)));
    // Those known are still learnt about.
    bench.receive(1, news(&[member(100).with(Status::Left)], &[]));
    assert_eq!(bench.standing(100), Some(Standing::Left));
}

#[test]
fn probes_on_behalf_of_others_are_limited() {
    let mut bench = Bench::linked(&[1, 2]);
    let relays = Config::default().relays as u64;
    for seq in 0..relays {
        assert_eq!(bench.receive(1, M::Probe { seq, target: PeerId(2) }).len(), 1);
    }
    assert_eq!(bench.receive(1, M::Probe { seq: 999, target: PeerId(2) }), [send(1, M::Nack { seq: 999 })]);
    assert_eq!(bench.peer.metrics().refused, 1);
    bench.period(Config::default().probe_interval);
    let effects = bench.receive(1, M::Probe { seq: 1000, target: PeerId(2) });
    assert!(matches!(&effects[..], [Output::Send { to: PeerId(2), message: M::Ping { .. } }]), "{effects:?}");
}

#[test]
fn nobody_answers_for_another_unasked() {
    let mut bench = Bench::linked(&[1, 2]);
    bench.wait(Duration::from_secs(10));
    bench.peer.probing.hasten(PeerId(1));
    bench.period(Duration::ZERO);
    bench.receive(2, M::Pong { seq: 1 });
    bench.receive(2, M::Nack { seq: 1 });
    bench.period(Duration::from_secs(2));
    assert_eq!(bench.standing(1), Some(Standing::Suspect));
    // Nor for a probe on behalf of somebody.
    bench.receive(2, M::Probe { seq: 5, target: PeerId(1) });
    let seq = bench.peer.probing.last();
    assert_eq!(bench.receive(2, M::Pong { seq }), []);
}

#[test]
fn refutations_that_are_used_up_begin_another_stay() {
    let mut bench = Bench::linked(&[1]);
    let effects = bench.receive(1, suspect(5, u64::MAX, 1));
    assert_eq!(effects, [send(1, news(&[Member { stay: 1, ..member(5) }], &[]))]);
}

#[test]
fn messages_from_peers_without_a_link_are_harmless() {
    let mut bench = Bench::new();
    assert_eq!(bench.receive(9, M::Ask), []);
    assert_eq!(bench.receive(9, M::Nack { seq: 1 }), []);
    assert_eq!(bench.receive(9, M::Pong { seq: 1 }), []);
    assert_eq!(bench.receive(9, M::Probe { seq: 1, target: PeerId(9) }), [send(9, M::Nack { seq: 1 })]);
}
