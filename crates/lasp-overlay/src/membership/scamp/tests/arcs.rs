//! Arcs: offered, known, refreshed, lost, ended.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_copy_that_is_kept_is_offered_over_a_link_until_it_is_known() {
    let mut bench = Bench::new();
    let copy = M::Forward { hops: 9, walk: 0, peer: contact(2) };
    bench.link(1);
    // With an empty view a copy is kept for certain.
    assert_eq!(bench.receive(1, copy), [Output::Link(contact(2))]);
    assert_eq!(bench.input(Input::LinkUp { peer: contact(2), dialed: Some(addr(2)) }), [arc(2, 0)]);
    assert_eq!(bench.tick(SECOND), []);
    assert_eq!(bench.tick(SECOND), [arc(2, 0)], "unanswered");
    assert_eq!(bench.receive(2, M::Known { degree: 3 }), [up(2), JOINED]);
    assert_eq!(bench.tick(SECOND * 8), [Output::Close(PeerId(1))], "1 is of no use");
    assert_eq!(bench.tick(SECOND * 4), [arc(2, 1)], "a heartbeat");
    assert_eq!(bench.receive(2, M::Known { degree: 3 }), []);
    assert_eq!(bench.view(), [2]);
}

#[test]
fn w15_two_arcs_and_several_links_make_one_neighbour() {
    let mut bench = Bench::new();
    bench.keep(1);
    assert_eq!(bench.kept_by(1), [known(1, 1)], "it is up already");
    assert_eq!(bench.receive(1, M::End), [], "one arc is left");
    assert_eq!(bench.receive(1, M::Refuse), [down(1), ISOLATED], "none is");
}

#[test]
fn an_arc_that_is_told_makes_a_neighbour_and_is_answered_every_time() {
    let mut bench = Bench::new();
    bench.keep(5);
    assert_eq!(bench.kept_by(1), [known(1, 1), up(1)]);
    assert_eq!(bench.receive(1, M::Arc { degree: 4 }), [known(1, 2)]);
    assert_eq!((bench.in_view(), bench.view()), (vec![1], vec![5]));
}

#[test]
fn an_empty_view_takes_the_first_that_keeps_this_peer() {
    let mut bench = Bench::new();
    assert_eq!(bench.kept_by(1), [known(1, 0), up(1), JOINED, arc(1, 1)]);
    assert_eq!(bench.kept_by(2), [known(2, 1), up(2)]);
    assert_eq!(bench.view(), [1]);
}

#[test]
fn an_arc_whose_heartbeat_is_not_heard_is_forgotten_where_it_ends() {
    let mut bench = Bench::new();
    bench.keep(5);
    bench.kept_by(1);
    let mut told = Vec::new();
    for _ in 0..5 {
        told.extend(bench.tick(SECOND * 8));
        bench.receive(5, M::Known { degree: 1 });
    }
    assert!(told.contains(&down(1)), "{told:?}");
    assert_eq!(bench.in_view(), [] as [u64; 0]);
}

#[test]
fn who_thinks_that_it_is_in_the_view_and_is_not_is_told() {
    let mut bench = Bench::new();
    bench.link(1);
    assert_eq!(bench.receive(1, M::Known { degree: 1 }), [send(1, M::End)]);
}

#[test]
fn a_peer_whose_link_breaks_stays_in_the_view_and_is_dialled_again() {
    let mut bench = Bench::new();
    bench.keep(1);
    assert_eq!(bench.input(Input::LinkDown(PeerId(1))), [down(1), ISOLATED]);
    assert_eq!(bench.view(), [1]);
    assert_eq!((bench.peer.passive(), bench.peer.members()), (vec![contact(1)], vec![]));
    assert!(bench.tick(SECOND * 12).contains(&Output::Link(contact(1))));
    let step = bench.peer.joining_step() + 1;
    // It is alone, and turns to whom it has heard of.
    let subscribed = [timer(Timer::Join { step }), send(1, M::Subscribe { copies: 0 })];
    let [asked, subscribed] = subscribed;
    assert_eq!(bench.link(1), [arc(1, 0), asked, subscribed]);
    assert_eq!(bench.receive(1, M::Known { degree: 1 }), [up(1), JOINED]);
    assert_eq!(bench.peer.metrics().failures, 1);
}

#[test]
fn a_link_over_which_nothing_is_answered_is_closed_and_a_newcomer_forgotten() {
    for proven in [true, false] {
        let mut bench = Bench::new();
        bench.keep(9);
        if proven {
            bench.keep(1);
        } else {
            bench.link(1);
            let mut out = Outbox::new();
            bench.peer.keep(bench.now, &contact(1), 0, &mut out);
        }
        let mut told = Vec::new();
        for _ in 0..24 {
            told.extend(bench.tick(SECOND));
            bench.peer.heard(bench.now, PeerId(9));
            bench.receive(9, M::Known { degree: 1 });
        }
        assert!(told.contains(&Output::Close(PeerId(1))), "proven {proven}");
        assert_eq!(told.contains(&down(1)), proven);
        assert_eq!(bench.view().contains(&1), proven);
    }
}

#[test]
fn who_does_not_answer_for_a_lease_is_forgotten() {
    let lease = SECOND * 60;
    let mut bench = Bench::with(Config { lease, ..Config::default() });
    bench.keep(1);
    bench.input(Input::LinkDown(PeerId(1)));
    bench.tick(lease - SECOND);
    assert_eq!(bench.view(), [1]);
    bench.tick(SECOND);
    assert_eq!(bench.view(), [] as [u64; 0]);
    // One that answers is not.
    bench.keep(2);
    for _ in 0..10 {
        bench.tick(lease / 4);
        bench.receive(2, M::Known { degree: 1 });
    }
    assert_eq!(bench.view(), [2]);
}

#[test]
fn w09_a_new_life_ends_what_was_agreed_with_the_old_one() {
    let mut bench = Bench::new();
    bench.keep(1);
    bench.kept_by(1);
    let effects = bench.input(Input::LinkUp { peer: reborn(1), dialed: None });
    assert_eq!(effects, [down(1), ISOLATED, arc(1, 0)]);
    assert_eq!(bench.link(1), [], "a link of the old life changes nothing");
    let again = bench.receive(1, M::Known { degree: 1 });
    assert_eq!(again, [Output::Emit(Event::Up(reborn(1))), JOINED]);
}

#[test]
fn w26_views_are_bounded_and_what_finds_no_room_is_counted() {
    let mut bench = Bench::with(Config { out_capacity: 3, in_capacity: 3, ..Config::default() });
    for n in 1..=3 {
        bench.keep(n);
        bench.kept_by(n);
    }
    bench.link(4);
    assert_eq!(bench.receive(4, M::Arc { degree: 1 }), [send(4, M::Refuse)]);
    assert_eq!(bench.receive(4, M::Forward { hops: 0, walk: 0, peer: contact(5) }), []);
    assert_eq!(bench.view(), [1, 2, 3]);
    assert_eq!(bench.peer.metrics().refused, 2);
}

#[test]
fn newcomers_that_never_answer_do_not_fill_the_view() {
    let mut bench = Bench::new();
    bench.keep(1);
    for n in 100..400 {
        bench.receive(1, M::Forward { hops: 0, walk: 0, peer: contact(n) });
    }
    assert_eq!(bench.view().len(), 1 + 32);
    for _ in 0..60 {
        bench.tick(SECOND * 5);
        bench.receive(1, M::Known { degree: 1 });
    }
    assert_eq!(bench.view(), [1]);
}

#[test]
fn a_copy_that_a_full_peer_refuses_goes_on() {
    let mut bench = Bench::new();
    bench.keep(1);
    bench.link(2);
    let mut out = Outbox::new();
    bench.peer.keep(bench.now, &contact(2), 9, &mut out);
    let effects = bench.receive(2, M::Refuse);
    let [Output::Send { to: PeerId(1), message: M::Forward { hops: 8, peer, .. } }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(*peer, contact(2));
    assert_eq!(bench.view(), [1]);
}
