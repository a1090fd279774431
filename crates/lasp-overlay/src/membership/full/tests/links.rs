//! Dialling, dialling again, joining, and what a link says about its peer.

use super::*;

#[test]
fn who_dials_compares_maps() {
    let mut bench = Bench::new();
    let join = Command::Join(vec![addr(1), addr(5)]);
    assert_eq!(bench.command(join), [Output::Dial(addr(1))]);
    let effects = bench.input(Input::LinkUp { peer: contact(1), dialed: Some(addr(1)) });
    assert_eq!(effects, [up(1), Output::Emit(Event::Joined), send(1, bench.digest())]);
}

#[test]
fn w07_every_contact_is_dialled_until_a_member_is_there() {
    let mut bench = Bench::new();
    let dial = |n| Output::Dial(addr(n));
    let join = Command::Join(vec![addr(1), addr(2), addr(3)]);
    assert_eq!(bench.command(join), [dial(1)]);
    assert_eq!(bench.link(2).len(), 2, "it came by itself");
    assert_eq!(bench.input(Input::DialFailed(addr(1))), [dial(3)]);
    let reached = bench.input(Input::LinkUp { peer: contact(3), dialed: Some(addr(3)) });
    assert!(!reached.contains(&dial(1)), "after a pause");
    for _ in 0..20 {
        let step = bench.peer.joining.step;
        assert_eq!(bench.expire(Timer::Join { step }), [dial(1)]);
        assert_eq!(bench.input(Input::DialFailed(addr(1))), []);
    }
}

#[test]
fn a_contact_that_has_departed_is_dialled_until_somebody_is_there_again() {
    let mut bench = Bench::new();
    bench.command(Command::Join(vec![addr(1)]));
    bench.input(Input::LinkUp { peer: contact(1), dialed: Some(addr(1)) });
    let gone = member(1).with(Status::Left);
    assert_eq!(bench.receive(1, news(std::slice::from_ref(&gone), &[])), [told_left(1), down(1), ISOLATED, close(1)]);
    let mut pauses = Vec::new();
    for _ in 0..6 {
        let step = bench.peer.joining.step;
        assert_eq!(bench.expire(Timer::Join { step }), [Output::Dial(addr(1))]);
        let effects = bench.feed(Input::LinkUp { peer: contact(1), dialed: Some(addr(1)) });
        let [told, Output::SetTimer { after, .. }] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(*told, send(1, news(std::slice::from_ref(&gone), &[])), "it runs, and is out");
        pauses.push(*after);
    }
    assert!(pauses[5] > pauses[0] * 4, "{pauses:?}");
    let step = bench.peer.joining.step;
    assert_eq!(bench.expire(Timer::Join { step }), [Output::Dial(addr(1))]);
    let effects = bench.input(Input::LinkUp { peer: reborn(1), dialed: Some(addr(1)) });
    assert_eq!(effects[0], Output::Emit(Event::Up(reborn(1))));
    assert_eq!(bench.expire(Timer::Join { step: bench.peer.joining.step }), [], "found");
}

#[test]
fn w21_joining_sleeps_nowhere_and_pauses_between_rounds_grow() {
    let mut bench = Bench::new();
    bench.command(Command::Join(vec![addr(1)]));
    let mut pauses = Vec::new();
    for _ in 0..8 {
        let effects = bench.feed(Input::DialFailed(addr(1)));
        let [Output::SetTimer { after, timer }] = &effects[..] else { panic!("{effects:?}") };
        pauses.push(*after);
        bench.expire(timer.clone());
    }
    let config = Config::default();
    assert!(pauses[0] <= config.dial_backoff * 5 / 4);
    assert!(pauses[7] >= config.dial_backoff_max * 3 / 4 && pauses[7] <= config.dial_backoff_max * 5 / 4);
}

#[test]
fn w46_contacts_that_are_no_longer_named_stay_members() {
    let mut bench = Bench::linked(&[1, 2, 3]);
    for contacts in [vec![addr(1)], vec![], vec![addr(9)]] {
        bench.command(Command::Join(contacts));
        assert_eq!((bench.members(), bench.peer.active().len()), (vec![1, 2, 3], 3));
    }
}

#[test]
fn joining_oneself_is_no_joining() {
    let mut bench = Bench::new();
    assert_eq!(bench.command(Command::Join(vec![addr(5)])), []);
    // By another of its addresses: the transport says who is there.
    assert_eq!(bench.command(Command::Join(vec![addr(50)])), [Output::Dial(addr(50))]);
    let me = contact(5);
    assert_eq!(bench.input(Input::LinkUp { peer: me, dialed: Some(addr(50)) }), [close(5)]);
    assert_eq!(bench.peer.metrics().conflicts, 0);
}

#[test]
fn of_two_members_the_lesser_id_dials_first() {
    let mut bench = Bench::linked(&[1]);
    bench.receive(1, news(&[member(3)], &[]));
    assert_eq!(bench.tick(Config::default().dial_deference / 2), []);
    assert_eq!(bench.tick(Config::default().dial_deference / 2), [Output::Link(contact(3))]);
}

#[test]
fn w20_a_member_that_cannot_be_reached_is_dialled_again_and_again() {
    let mut bench = Bench::linked(&[9]);
    let lost = bench.input(Input::LinkDown(PeerId(9)));
    assert_eq!(lost, [down(9), Output::Emit(Event::Isolated)]);
    for _ in 0..50 {
        let wait = Config::default().dial_backoff_max * 5 / 4;
        assert_eq!(bench.tick(wait), [Output::Dial(addr(9))]);
        assert_eq!(bench.input(Input::DialFailed(addr(9))), []);
        assert_eq!(bench.peer.passive(), [contact(9)]);
    }
    assert_eq!(bench.members(), [9]);
}

#[test]
fn w22_few_are_dialled_at_a_time_and_none_waits_for_another() {
    let mut bench = Bench::linked(&[1]);
    let strangers: Vec<Member> = (100..200).map(member).collect();
    let (first, rest) = strangers.split_at(MAX_RUMOURS);
    let dialed = |effects: &[Effect]| effects.iter().filter(|e| matches!(e, Output::Link(_))).count();
    let first = bench.receive(1, news(first, &[]));
    let second = bench.receive(1, news(rest, &[]));
    assert_eq!(dialed(&first) + dialed(&second), 100);
    assert_eq!(bench.input(Input::DialFailed(addr(150))), []);
}

#[test]
fn w08_every_change_of_the_active_view_is_told_once() {
    let mut bench = Bench::new();
    assert_eq!(bench.link(1), [up(1), Output::Emit(Event::Joined)]);
    assert_eq!(bench.link(1), []);
    let gone = bench.input(Input::LinkDown(PeerId(1)));
    assert_eq!(gone, [down(1), Output::Emit(Event::Isolated)]);
    assert_eq!(bench.input(Input::LinkDown(PeerId(1))), []);
    assert_eq!(bench.link(1), [up(1), Output::Emit(Event::Joined)]);
}

#[test]
fn w09_a_new_life_replaces_the_old_one_and_never_the_other_way_round() {
    let mut bench = Bench::linked(&[1, 2]);
    let reborn = Contact { incarnation: 2, ..contact(1) };
    let effects = bench.input(Input::LinkUp { peer: reborn.clone(), dialed: None });
    let rumour = send(2, news(&[Member::new(reborn.clone())], &[]));
    assert_eq!(effects, [down(1), Output::Emit(Event::Up(reborn)), rumour]);
    assert_eq!(bench.link(1), [], "of the old life");
}

#[test]
fn a_member_restarted_elsewhere_is_reached_at_its_new_address() {
    let mut bench = Bench::linked(&[1]);
    bench.input(Input::LinkDown(PeerId(1)));
    let moved = Contact { incarnation: 2, addr: addr(11), id: PeerId(1) };
    let effects = bench.input(Input::LinkUp { peer: moved.clone(), dialed: None });
    assert_eq!(effects, [Output::Emit(Event::Up(moved.clone())), Output::Emit(Event::Joined)]);
    bench.input(Input::LinkDown(PeerId(1)));
    assert_eq!(bench.tick(Duration::from_secs(60)), [Output::Dial(addr(11))]);
}

#[test]
fn a_recycled_address_belongs_to_who_answers_there() {
    let mut bench = Bench::linked(&[1, 9]);
    bench.input(Input::LinkDown(PeerId(1)));
    assert_eq!(bench.tick(Duration::from_secs(2)), [Output::Dial(addr(1))]);
    let heir = Contact { id: PeerId(7), incarnation: 1, addr: addr(1) };
    let effects = bench.input(Input::LinkUp { peer: heir.clone(), dialed: Some(addr(1)) });
    let told = send(9, news(&[Member::new(heir.clone())], &[]));
    assert_eq!(effects, [Output::Emit(Event::Up(heir)), send(7, bench.digest()), told]);
    assert!(!bench.peer.is_active(PeerId(1)));
    assert_eq!(bench.members(), [1, 7, 9], "1 is a member that cannot be reached");
}

#[test]
fn two_that_claim_one_identity_are_noticed_and_nobody_is_undone() {
    let mut bench = Bench::linked(&[1]);
    let double = Contact { addr: addr(50), incarnation: 2, ..contact(5) };
    assert_eq!(bench.input(Input::LinkUp { peer: double.clone(), dialed: None }), [close(5)]);
    assert_eq!(bench.receive(1, news(&[Member::new(double)], &[])), []);
    assert_eq!(bench.peer.metrics().conflicts, 2);
    assert_eq!(bench.peer.map().version(PeerId(5)), Some(member(5).version()));
}

#[test]
fn w48_the_link_of_who_departed_is_closed() {
    let mut bench = Bench::linked(&[1, 9]);
    let effects = bench.receive(1, news(&[member(9).with(Status::Left)], &[]));
    assert_eq!(effects, [told_left(9), down(9), close(9)]);
    // It links again without coming back: told why, and hung up on.
    let told = send(9, news(&[member(9).with(Status::Left)], &[]));
    assert_eq!(bench.link(9), [told]);
    assert_eq!(bench.tick(Duration::from_secs(4)), []);
    assert_eq!(bench.tick(Duration::from_secs(2)), [close(9)]);
}
