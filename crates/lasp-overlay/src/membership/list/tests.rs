//! What one peer with a list does, effect by effect.

use super::*;
use crate::membership::bench::{self, Tested, addr, contact, down, left, send, up};
use std::time::Duration;

type M = Message<144>;
type Effect = Output<Manual>;
type Bench = bench::Bench<Manual>;

/// Timers are left out.
impl Tested for Manual {
    fn seen(effect: Effect) -> Option<Effect> {
        Some(effect).filter(|effect| !matches!(effect, Output::SetTimer { .. }))
    }
}

const ASK: M = Message::Hello(Hail::Ask);
const ACCEPT: M = Message::Hello(Hail::Accept);
const AGREE: M = Message::Hello(Hail::Agree);

impl Bench {
    fn new() -> Self {
        let (bench, started) = Self::start(List::new(Config::default(), contact(5), Rng::new(7)));
        assert_eq!(started, []);
        bench
    }

    fn tick(&mut self, after: u64) -> Vec<Effect> {
        self.wait(Duration::from_secs(after));
        self.expire(Timer::Tick)
    }

    /// A neighbour, as both know.
    fn befriend(&mut self, n: u64) {
        self.link(n);
        self.receive(n, AGREE);
    }
}

#[test]
fn w12_both_say_hello_before_they_are_neighbours() {
    let mut bench = Bench::new();
    assert_eq!(bench.command(Command::Connect(addr(1))), [Output::Dial(addr(1))]);
    assert_eq!(bench.input(Input::LinkUp { peer: contact(1), dialed: Some(addr(1)) }), [send(1, ASK)]);
    assert_eq!(bench.peer.active(), []);
    assert_eq!(bench.receive(1, ASK), [up(1), Output::Emit(Event::Joined), send(1, ACCEPT)]);
    assert_eq!(bench.tick(1), [send(1, ACCEPT)], "the other has not said that it heard");
    assert_eq!(bench.receive(1, ACCEPT), [send(1, AGREE)]);
    assert_eq!(bench.receive(1, ACCEPT), [send(1, AGREE)], "it has not heard that");
    assert_eq!(bench.receive(1, AGREE), []);
    assert_eq!(bench.tick(1), []);
    assert_eq!((bench.peer.members().len(), bench.peer.reachable().len()), (1, 1));
}

#[test]
fn w20_an_address_is_dialled_for_ever_and_a_lost_neighbour_again() {
    let mut bench = Bench::new();
    bench.command(Command::Connect(addr(1)));
    for _ in 0..50 {
        assert_eq!(bench.input(Input::DialFailed(addr(1))), []);
        assert_eq!(bench.tick(38), [Output::Dial(addr(1))]);
    }
    bench.befriend(1);
    let isolated = Output::Emit(Event::Isolated);
    assert_eq!(bench.input(Input::LinkDown(PeerId(1))), [down(1), isolated]);
    assert_eq!(bench.tick(2), [Output::Dial(addr(1))]);
    assert_eq!(bench.peer.metrics().failures, 1);
}

#[test]
fn a_silent_neighbour_is_probed_and_given_up() {
    let mut bench = Bench::new();
    bench.befriend(1);
    assert_eq!(bench.tick(4), []);
    for _ in 0..5 {
        assert_eq!(bench.tick(1), [send(1, Message::Ping)]);
    }
    assert_eq!(bench.tick(1), [Output::Close(PeerId(1)), down(1), Output::Emit(Event::Isolated)]);
    let mut bench = Bench::new();
    bench.befriend(1);
    for _ in 0..20 {
        assert_eq!(bench.tick(5), [send(1, Message::Ping)]);
        assert_eq!(bench.receive(1, Message::Pong), []);
    }
    assert_eq!(bench.receive(1, Message::Ping), [send(1, Message::Pong)]);
}

#[test]
fn who_says_no_hello_is_hung_up_on() {
    let mut bench = Bench::new();
    bench.link(1);
    for _ in 0..10 {
        assert_eq!(bench.tick(1), [send(1, ASK)]);
    }
    assert_eq!(bench.tick(1), [Output::Close(PeerId(1))]);
}

#[test]
fn disconnecting_ends_the_link_and_the_dialling_and_who_hears_it_dials_slowly() {
    let mut bench = Bench::new();
    bench.command(Command::Connect(addr(1)));
    bench.befriend(1);
    let ended = [send(1, Message::Bye), Output::Close(PeerId(1)), down(1), Output::Emit(Event::Isolated)];
    assert_eq!(bench.command(Command::Disconnect(addr(1))), ended);
    assert_eq!(bench.tick(100), []);
    bench.command(Command::Connect(addr(1)));
    bench.befriend(1);
    let heard = [left(1), Output::Close(PeerId(1)), down(1), Output::Emit(Event::Isolated)];
    assert_eq!(bench.receive(1, Message::Bye), heard);
    assert_eq!(bench.tick(20), []);
    assert_eq!(bench.tick(18), [Output::Dial(addr(1))]);
}

#[test]
fn who_has_left_says_so_and_dials_nobody_until_told_to_join() {
    let mut bench = Bench::new();
    bench.command(Command::Connect(addr(1)));
    bench.befriend(1);
    assert_eq!(bench.command(Command::Leave), [send(1, Message::Bye), Output::Close(PeerId(1)), down(1)]);
    assert_eq!(bench.tick(100), []);
    assert_eq!(bench.link(2), [send(2, Message::Bye), Output::Close(PeerId(2))]);
    assert_eq!(bench.receive(2, ASK), []);
    assert_eq!(bench.command(Command::Join(vec![addr(3)])), [Output::Dial(addr(1)), Output::Dial(addr(3))]);
}

#[test]
fn w09_a_new_life_is_greeted_anew_and_an_old_one_ignored() {
    let mut bench = Bench::new();
    bench.befriend(1);
    let reborn = Contact { incarnation: 2, ..contact(1) };
    let effects = bench.input(Input::LinkUp { peer: reborn.clone(), dialed: None });
    assert_eq!(effects, [down(1), Output::Emit(Event::Isolated), send(1, ASK)]);
    assert_eq!(bench.receive(1, ASK).first(), Some(&Output::Emit(Event::Up(reborn))));
    assert_eq!(bench.link(1), []);
}

#[test]
fn oneself_is_not_dialled_and_another_under_ones_identity_is_hung_up_on() {
    let mut bench = Bench::new();
    assert_eq!(bench.command(Command::Connect(addr(5))), []);
    let double = Contact { addr: addr(50), ..contact(5) };
    bench.command(Command::Connect(addr(50)));
    let effects = bench.input(Input::LinkUp { peer: double, dialed: Some(addr(50)) });
    assert_eq!(effects, [Output::Close(PeerId(5))]);
    assert_eq!(bench.peer.metrics().conflicts, 1);
}

#[test]
fn a_recycled_address_is_whoever_answers_there() {
    let mut bench = Bench::new();
    bench.command(Command::Connect(addr(1)));
    bench.befriend(1);
    bench.input(Input::LinkDown(PeerId(1)));
    bench.tick(2);
    let heir = Contact { id: PeerId(7), incarnation: 1, addr: addr(1) };
    assert_eq!(bench.input(Input::LinkUp { peer: heir.clone(), dialed: Some(addr(1)) }), [send(7, ASK)]);
    bench.receive(7, AGREE);
    assert_eq!(bench.peer.active(), [heir]);
}

#[test]
fn w26_there_are_limits_to_the_list_and_strangers_are_ignored() {
    let mut bench = Bench::new();
    bench.command(Command::Join((100..1300).map(addr).collect()));
    assert_eq!((bench.peer.list().len(), bench.peer.metrics().refused), (1024, 176));
    assert_eq!(bench.receive(9, ASK), []);
    assert_eq!(bench.receive(9, Message::Bye), []);
}

#[test]
fn w55_a_fixed_list_starts_answers_every_question_and_takes_no_commands() {
    let config = Config { peers: vec![addr(1), addr(5)], ..Config::default() };
    let mut peer: Static = List::new(config, contact(5), Rng::new(7));
    let mut out = Outbox::new();
    peer.handle(Time::ZERO, Input::Start, &mut out);
    assert_eq!(out.take()[..1], [Output::Dial(addr(1))]);
    for command in [Command::Connect(addr(2)), Command::Disconnect(addr(1)), Command::Evict(PeerId(1))] {
        assert!(!peer.accepts(&command));
        peer.handle(Time::ZERO, Input::Command(command), &mut out);
        assert!(out.is_empty());
    }
    assert!(peer.accepts(&Command::Leave));
    assert_eq!((peer.active(), peer.members(), peer.reachable()), (vec![], vec![], vec![]));
    assert_eq!((peer.list(), peer.contact_of(PeerId(1))), (vec![addr(1)], None));
}
