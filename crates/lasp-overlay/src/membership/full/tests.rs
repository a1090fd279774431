//! What one peer of a full mesh does, effect by effect.

use super::message::Message as M;
use super::*;
use crate::peer::Addr;

type Effect = Output<FullMesh>;

fn addr(n: u64) -> Addr {
    Addr::new(&format!("p{n}")).expect("short")
}

fn contact(n: u64) -> Contact {
    Contact { id: PeerId(n), incarnation: 1, addr: addr(n) }
}

fn member(n: u64, change: u64) -> Member {
    Member { contact: contact(n), change }
}

fn send(to: u64, message: M) -> Effect {
    Output::Send { to: PeerId(to), message }
}

fn news(members: &[Member], want: &[u64]) -> M {
    M::News { members: members.to_vec(), want: want.iter().map(|n| PeerId(*n)).collect() }
}

fn up(n: u64) -> Effect {
    Output::Emit(Event::Up(contact(n)))
}

fn down(n: u64) -> Effect {
    Output::Emit(Event::Down(PeerId(n)))
}

/// Peer 5, started, and a clock.
struct Bench {
    peer: FullMesh,
    now: Time,
}

impl Bench {
    fn new() -> Self {
        let peer = FullMesh::new(Config::default(), contact(5), Rng::new(7));
        let mut bench = Self { peer, now: Time::ZERO };
        bench.input(Input::Start);
        bench
    }

    /// Feeds one input; timers are left out of the effects.
    fn input(&mut self, input: Input<FullMesh>) -> Vec<Effect> {
        let mut out = Outbox::new();
        self.peer.handle(self.now, input, &mut out);
        let mut effects = out.take();
        effects.retain(|effect| !matches!(effect, Output::SetTimer { .. }));
        effects
    }

    fn receive(&mut self, from: u64, message: M) -> Vec<Effect> {
        self.input(Input::Received { from: PeerId(from), message })
    }

    fn tick(&mut self, after: Duration) -> Vec<Effect> {
        self.now = self.now + after;
        self.input(Input::Expired(Timer::Tick { term: 1 }))
    }

    /// Has `n` dial this peer.
    fn link(&mut self, n: u64) -> Vec<Effect> {
        self.input(Input::LinkUp { peer: contact(n), dialed: None })
    }

    fn digest(&self) -> M {
        M::Digest { fingerprint: self.peer.members.fingerprint(), count: self.peer.members.count() }
    }
}

#[test]
fn who_is_linked_is_a_member_and_the_others_hear_of_it() {
    let mut bench = Bench::new();
    assert_eq!(bench.link(1), [up(1), Output::Emit(Event::Joined)]);
    assert_eq!(bench.link(2), [up(2), send(1, news(&[member(2, 0)], &[]))]);
    assert_eq!(bench.link(2), [], "linked anew");
}

#[test]
fn who_dials_compares_maps() {
    let mut bench = Bench::new();
    let join = Command::Join(vec![addr(1), addr(5)]);
    assert_eq!(bench.input(Input::Command(join)), [Output::Dial(addr(1))]);
    let effects = bench.input(Input::LinkUp { peer: contact(1), dialed: Some(addr(1)) });
    assert_eq!(effects, [up(1), Output::Emit(Event::Joined), send(1, bench.digest())]);
}

#[test]
fn every_contact_is_dialled_until_it_was_linked_once() {
    let mut bench = Bench::new();
    let dial = |n| Output::Dial(addr(n));
    let join = Command::Join(vec![addr(1), addr(2), addr(3)]);
    assert_eq!(bench.input(Input::Command(join)), [dial(1)]);
    assert_eq!(bench.link(2).len(), 2, "it came by itself");
    assert_eq!(bench.input(Input::DialFailed(addr(1))), [dial(3)]);
    let reached = bench.input(Input::LinkUp { peer: contact(3), dialed: Some(addr(3)) });
    assert!(!reached.contains(&dial(1)), "after a pause");
    let step = bench.peer.joining.step;
    assert_eq!(bench.input(Input::Expired(Timer::Join { step })), [dial(1)]);
}

#[test]
fn equal_digests_end_the_conversation() {
    let mut bench = Bench::new();
    bench.link(1);
    let same = bench.digest();
    assert_eq!(bench.receive(1, same), []);
}

#[test]
fn the_smaller_map_is_listed() {
    let mut bench = Bench::new();
    bench.link(1);
    assert_eq!(bench.receive(1, M::Digest { fingerprint: 0, count: 1 }), [send(1, M::Ask)]);
    let version = Version { incarnation: 1, change: 0 };
    let summary = M::Summary(vec![(PeerId(1), version), (PeerId(5), version)]);
    let larger = M::Digest { fingerprint: 0, count: 9 };
    assert_eq!(bench.receive(1, larger), [send(1, summary.clone())]);
    assert_eq!(bench.receive(1, M::Ask), [send(1, summary)]);
}

#[test]
fn a_summary_is_answered_with_exactly_what_differs() {
    let mut bench = Bench::new();
    for n in [1, 2, 3] {
        bench.link(n);
    }
    let version = |change| Version { incarnation: 1, change };
    let entries = [(1, 0), (2, 1), (4, 0)].map(|(n, change)| (PeerId(n), version(change)));
    let effects = bench.receive(1, M::Summary(entries.to_vec()));
    assert_eq!(effects, [send(1, news(&[member(3, 0), member(5, 0)], &[2, 4]))]);
    let same = [1, 2, 3, 5].map(|n| (PeerId(n), version(0)));
    assert_eq!(bench.receive(1, M::Summary(same.to_vec())), []);
}

#[test]
fn what_is_wanted_is_sent_and_what_is_new_is_passed_on_once() {
    let mut bench = Bench::new();
    bench.link(1);
    bench.link(2);
    let effects = bench.receive(1, news(&[member(9, 0), member(2, 0)], &[5]));
    let wanted = send(1, news(&[member(5, 0)], &[]));
    let rumour = send(2, news(&[member(9, 0)], &[]));
    assert_eq!(effects, [wanted, Output::Link(contact(9)), rumour]);
    assert_eq!(bench.receive(2, news(&[member(9, 0)], &[])), []);
}

#[test]
fn of_two_members_the_lesser_id_dials_first() {
    let mut bench = Bench::new();
    bench.link(1);
    bench.receive(1, news(&[member(3, 0)], &[]));
    assert_eq!(bench.tick(Config::default().dial_deference / 2), []);
    assert_eq!(bench.tick(Config::default().dial_deference / 2), [Output::Link(contact(3))]);
}

#[test]
fn a_member_that_cannot_be_reached_is_dialled_again_and_again() {
    let mut bench = Bench::new();
    bench.link(9);
    let lost = bench.input(Input::LinkDown(PeerId(9)));
    assert_eq!(lost, [down(9), Output::Emit(Event::Isolated)]);
    for _ in 0..50 {
        let wait = Config::default().dial_backoff_max * 5 / 4;
        assert_eq!(bench.tick(wait), [Output::Dial(addr(9))]);
        assert_eq!(bench.input(Input::DialFailed(addr(9))), []);
        assert_eq!(bench.peer.passive(), [contact(9)]);
    }
}

#[test]
fn a_departure_closes_the_link_and_older_news_does_not_undo_it() {
    let mut bench = Bench::new();
    bench.link(1);
    bench.link(9);
    let effects = bench.receive(1, news(&[member(9, 1)], &[]));
    assert_eq!(effects, [down(9), Output::Close(PeerId(9))]);
    assert_eq!(bench.receive(1, news(&[member(9, 0)], &[])), []);
    assert_eq!(bench.link(9), [], "not a member until it says so");
    assert_eq!(bench.peer.contact_of(PeerId(9)), None);
    let back = bench.receive(1, news(&[member(9, 2)], &[]));
    assert_eq!(back, [Output::Link(contact(9))]);
}

#[test]
fn who_leaves_tells_everybody_linked_and_refuses_to_be_a_member() {
    let mut bench = Bench::new();
    bench.link(1);
    let goodbye = || news(&[member(5, 1)], &[]);
    let effects = bench.input(Input::Command(Command::Leave));
    assert_eq!(effects, [send(1, goodbye()), Output::Close(PeerId(1)), down(1)]);
    assert_eq!(bench.link(2), [send(2, goodbye())]);
    assert_eq!(bench.receive(2, M::Ask), [send(2, goodbye())]);
    let effects = bench.input(Input::Command(Command::Join(vec![addr(1)])));
    assert_eq!(effects, [Output::Dial(addr(1))]);
    assert_eq!(bench.peer.members.version(PeerId(5)), Some(Version { incarnation: 1, change: 2 }));
}

#[test]
fn a_departure_that_never_was_is_refuted() {
    let mut bench = Bench::new();
    bench.link(1);
    let effects = bench.receive(1, news(&[member(5, 3)], &[]));
    assert_eq!(effects, [send(1, news(&[member(5, 4)], &[]))]);
    assert_eq!(bench.receive(1, news(&[member(5, u64::MAX)], &[])), []);
}

#[test]
fn a_silent_member_is_probed_and_then_given_up() {
    let config = Config::default();
    let mut bench = Bench::new();
    bench.link(1);
    assert_eq!(bench.tick(config.probe_interval), [send(1, M::Ping)]);
    for _ in 1..config.probe_attempts {
        assert_eq!(bench.tick(config.probe_timeout), [send(1, M::Ping)]);
    }
    let gone = [Output::Close(PeerId(1)), down(1), Output::Emit(Event::Isolated)];
    assert_eq!(bench.tick(config.probe_timeout), gone);
}

#[test]
fn a_new_life_replaces_the_old_one() {
    let mut bench = Bench::new();
    bench.link(1);
    bench.link(2);
    let reborn = Contact { incarnation: 2, ..contact(1) };
    let effects = bench.input(Input::LinkUp { peer: reborn.clone(), dialed: None });
    let rumour = send(2, news(&[Member::new(reborn.clone())], &[]));
    assert_eq!(effects, [down(1), Output::Emit(Event::Up(reborn)), rumour]);
    assert_eq!(bench.link(1), [], "of the old life");
}
