//! What one server or client does, effect by effect.

use super::Message as M;
use super::*;
use crate::membership::Hail;
use crate::membership::bench::{self, Tested, addr, close, contact, down, left, send, up};
use std::time::Duration;

type Effect = Output<ClientServer>;
type Bench = bench::Bench<ClientServer>;

/// Timers are left out, and so is what the servers' mesh says.
impl Tested for ClientServer {
    fn seen(effect: Effect) -> Option<Effect> {
        let mesh = |effect: &Effect| matches!(effect, Output::Send { message: M::Mesh(_), .. });
        Some(effect).filter(|effect| !matches!(effect, Output::SetTimer { .. }) && !mesh(effect))
    }
}

fn client(n: u64) -> Client {
    Client { contact: contact(n), stay: 0 }
}

const JOINED: Effect = Output::Emit(Event::Joined);
const ISOLATED: Effect = Output::Emit(Event::Isolated);

fn hello(role: Role, hail: Hail) -> M {
    M::Hello { role, stay: 0, hail }
}

fn servers(ids: &[u64]) -> M {
    M::Servers(ids.iter().map(|n| contact(*n)).collect())
}

impl Bench {
    fn new(role: Role) -> Self {
        Self::with(Config { role, ..Config::default() })
    }

    fn with(config: Config) -> Self {
        let (bench, started) = Self::start(ClientServer::new(config, contact(5), Rng::new(7)));
        assert_eq!(started, []);
        bench
    }

    fn tick(&mut self, after: u64) -> Vec<Effect> {
        self.wait(Duration::from_secs(after));
        self.expire(Timer::Tick)
    }

    /// A neighbour in a role, as both know.
    fn befriend(&mut self, n: u64, role: Role) -> Vec<Effect> {
        self.link(n);
        self.receive(n, hello(role, Hail::Agree))
    }
}

#[test]
fn w23_every_pair_of_roles_has_an_outcome() {
    let mut server = Bench::new(Role::Server);
    assert_eq!(server.link(1), [send(1, hello(Role::Server, Hail::Ask))]);
    let effects = server.receive(1, hello(Role::Client, Hail::Ask));
    assert_eq!(effects, [up(1), JOINED, send(1, servers(&[5])), send(1, hello(Role::Server, Hail::Accept))]);
    server.link(2);
    let effects = server.receive(2, hello(Role::Server, Hail::Accept));
    let list = M::Clients { version: 1, clients: vec![client(1)] };
    let agreed = send(2, hello(Role::Server, Hail::Agree));
    assert_eq!(effects, [up(2), send(2, list), send(1, servers(&[5, 2])), agreed]);

    let mut peer = Bench::new(Role::Client);
    assert_eq!(peer.link(1), [send(1, hello(Role::Client, Hail::Ask))]);
    assert_eq!(peer.receive(1, hello(Role::Server, Hail::Ask)), [], "not let in yet");
    let effects = peer.receive(1, hello(Role::Server, Hail::Accept));
    assert_eq!(effects, [up(1), JOINED, send(1, hello(Role::Client, Hail::Agree))]);
    peer.link(2);
    assert_eq!(peer.receive(2, hello(Role::Client, Hail::Ask)), [send(2, M::Bye), close(2)]);
    assert_eq!(peer.peer.active(), [contact(1)]);
}

#[test]
fn a_client_keeps_links_with_two_servers_and_turns_to_others_at_once() {
    let mut bench = Bench::new(Role::Client);
    assert_eq!(bench.command(Command::Join(vec![addr(1)])), [Output::Dial(addr(1))]);
    bench.input(Input::LinkUp { peer: contact(1), dialed: Some(addr(1)) });
    bench.receive(1, hello(Role::Server, Hail::Agree));
    let effects = bench.receive(1, servers(&[1, 2, 3]));
    let [Output::Dial(second)] = &effects[..] else { panic!("{effects:?}") };
    let (second, third) = if *second == addr(2) { (2, 3) } else { (3, 2) };
    bench.input(Input::LinkUp { peer: contact(second), dialed: Some(addr(second)) });
    bench.receive(second, hello(Role::Server, Hail::Agree));
    assert_eq!(bench.tick(1), [], "two are enough");
    assert_eq!(bench.input(Input::LinkDown(PeerId(1))), [down(1), Output::Dial(addr(third))]);
    assert_eq!(bench.input(Input::DialFailed(addr(third))), []);
    let effects = bench.tick(3);
    assert!(matches!(&effects[..], [Output::Dial(_)]), "{effects:?}");
    assert_eq!((bench.members(), bench.reachable()), (vec![1, 2, 3], vec![second]));
}

#[test]
fn w20_a_client_dials_for_ever() {
    let mut bench = Bench::new(Role::Client);
    bench.command(Command::Join(vec![addr(1)]));
    for _ in 0..50 {
        assert_eq!(bench.input(Input::DialFailed(addr(1))), []);
        assert_eq!(bench.tick(38), [Output::Dial(addr(1))]);
    }
}

#[test]
fn a_full_server_sends_clients_on() {
    let mut bench = Bench::with(Config { clients: 1, ..Config::default() });
    bench.befriend(1, Role::Client);
    bench.befriend(9, Role::Server);
    bench.link(2);
    let effects = bench.receive(2, hello(Role::Client, Hail::Ask));
    assert_eq!(effects, [send(2, M::Full), send(2, servers(&[5, 9])), close(2)]);
    assert_eq!(bench.peer.metrics().refused, 1);
    let mut bench = Bench::new(Role::Client);
    bench.command(Command::Join(vec![addr(1), addr(2)]));
    bench.input(Input::LinkUp { peer: contact(1), dialed: Some(addr(1)) });
    assert_eq!(bench.receive(1, M::Full), [close(1)]);
    assert_eq!(bench.tick(10), [], "2 is being dialled, 1 in no hurry");
}

#[test]
fn w16_the_place_of_a_client_that_is_gone_is_free() {
    let mut bench = Bench::with(Config { clients: 1, ..Config::default() });
    for n in 6..25 {
        bench.befriend(n, Role::Client);
        assert_eq!(bench.peer.active(), [contact(n)]);
        bench.input(Input::LinkDown(PeerId(n)));
    }
    bench.befriend(1, Role::Client);
    let told = bench.receive(1, M::Bye);
    assert_eq!(told, [left(1), close(1), down(1), ISOLATED]);
    bench.befriend(2, Role::Client);
    assert_eq!(bench.peer.active(), [contact(2)]);
}

#[test]
fn w24_servers_know_all_clients_and_who_has_them() {
    let mut bench = Bench::new(Role::Server);
    bench.befriend(1, Role::Client);
    bench.befriend(9, Role::Server);
    bench.tick(1);
    bench.befriend(2, Role::Client);
    let list = M::Clients { version: 2, clients: vec![client(1), client(2)] };
    assert_eq!(bench.tick(1), [send(9, list.clone())]);
    assert_eq!(bench.receive(9, M::Ask), [send(9, list)]);
    bench.receive(9, M::Clients { version: 7, clients: vec![client(3)] });
    assert_eq!((bench.members(), bench.reachable()), (vec![1, 2, 3, 9], vec![1, 2, 3, 9]));
    assert_eq!([1, 3, 4].map(|n| bench.peer.server_of(PeerId(n))), [Some(PeerId(5)), Some(PeerId(9)), None]);
    // Older lists change nothing; a newer one is asked for.
    bench.receive(9, M::Clients { version: 6, clients: vec![] });
    assert_eq!(bench.receive(9, M::Roster { version: 7 }), []);
    assert_eq!(bench.receive(9, M::Roster { version: 8 }), [send(9, M::Ask)]);
    assert_eq!(bench.members(), [1, 2, 3, 9]);
    bench.input(Input::LinkDown(PeerId(9)));
    assert_eq!(bench.members(), [1, 2, 9], "what its clients do is not known");
}

#[test]
fn servers_compare_their_lists_now_and_then() {
    let mut bench = Bench::new(Role::Server);
    bench.befriend(1, Role::Client);
    bench.befriend(9, Role::Server);
    let mut said = Vec::new();
    for _ in 0..20 {
        said.extend(bench.tick(0));
    }
    let compared = send(9, M::Roster { version: 1 });
    assert_eq!(
        said,
        [send(9, M::Clients { version: 1, clients: vec![client(1)] }), compared, send(9, M::Roster { version: 1 })]
    );
}

#[test]
fn a_silent_client_is_probed_and_given_up_and_a_server_is_the_meshs_to_probe() {
    let mut bench = Bench::new(Role::Server);
    bench.befriend(1, Role::Client);
    for _ in 0..5 {
        assert_eq!(bench.tick(6)[0], send(1, M::Ping));
    }
    assert_eq!(bench.tick(6), [close(1), down(1), ISOLATED]);
    let mut bench = Bench::new(Role::Server);
    bench.befriend(9, Role::Server);
    assert_eq!(bench.tick(60), []);
}

#[test]
fn who_leaves_tells_everybody_and_who_comes_back_is_in_another_stay() {
    let mut bench = Bench::new(Role::Client);
    bench.command(Command::Join(vec![addr(1)]));
    bench.befriend(1, Role::Server);
    assert_eq!(bench.command(Command::Leave), [send(1, M::Bye), down(1), close(1)]);
    assert_eq!(bench.tick(100), []);
    assert_eq!(bench.link(2), [send(2, M::Bye), close(2)]);
    assert_eq!(bench.command(Command::Join(vec![])), [Output::Dial(addr(1))]);
    assert_eq!(bench.link(1), [send(1, M::Hello { role: Role::Client, stay: 1, hail: Hail::Ask })]);
}

#[test]
fn a_server_that_leaves_tells_clients_and_servers() {
    let mut bench = Bench::new(Role::Server);
    bench.befriend(1, Role::Client);
    bench.befriend(9, Role::Server);
    let effects = bench.command(Command::Leave);
    assert_eq!(effects, [close(9), down(9), send(1, M::Bye), down(1), close(1)]);
}

#[test]
fn a_server_that_leaves_before_the_other_is_its_member_is_told_of_once() {
    let mut bench = Bench::new(Role::Server);
    bench.befriend(9, Role::Server);
    // What it says besides comes of the mesh: that it has left.
    let status = full::Status::Left;
    let rumour = full::Rumour { member: full::Member::new(contact(9)).with(status), age: 0 };
    let effects = bench.receive(9, M::Mesh(full::Message::News { rumours: [rumour].into(), want: [].into() }));
    assert_eq!(effects, [left(9), down(9), ISOLATED, close(9)]);
    assert_eq!(bench.receive(9, M::Bye), []);
    // Without a word of the mesh it is the mesh that will hear of it.
    let mut bench = Bench::new(Role::Server);
    bench.befriend(9, Role::Server);
    assert_eq!(bench.receive(9, M::Bye), [close(9), down(9), ISOLATED]);
    // The other side: what a server says to one that is not its member yet.
    let mut bench = Bench::new(Role::Server);
    bench.link(9);
    let effects = bench.feed(Input::Command(Command::Leave));
    let mesh = |effect: &Effect| matches!(effect, Output::Send { message: M::Mesh(full::Message::News { .. }), .. });
    assert_eq!(effects.iter().filter(|effect| mesh(effect)).count(), 1, "{effects:?}");
}

#[test]
fn an_evicted_client_is_gone_from_every_server_until_it_is_told_to_join() {
    let mut bench = Bench::new(Role::Server);
    bench.befriend(1, Role::Client);
    bench.befriend(9, Role::Server);
    let effects = bench.command(Command::Evict(PeerId(1)));
    assert_eq!(effects, [send(9, M::Expel(client(1))), send(1, M::Evicted), close(1), down(1)]);
    bench.link(1);
    let effects = bench.receive(1, hello(Role::Client, Hail::Ask));
    assert_eq!(effects, [send(1, M::Evicted), send(1, servers(&[5, 9])), close(1)]);
    // A server that has not heard is told again.
    let list = M::Clients { version: 3, clients: vec![client(1)] };
    assert_eq!(bench.receive(9, list), [send(9, M::Expel(client(1)))]);
    // In another stay it may come.
    bench.link(1);
    let effects = bench.receive(1, M::Hello { role: Role::Client, stay: 1, hail: Hail::Ask });
    assert_eq!(effects[0], up(1));

    let mut evicted = Bench::new(Role::Client);
    evicted.befriend(9, Role::Server);
    let effects = evicted.receive(9, M::Evicted);
    assert_eq!(effects, [send(9, M::Bye), down(9), close(9), Output::Emit(Event::Evicted)]);
    assert_eq!(evicted.tick(100), []);
}

#[test]
fn a_client_elsewhere_is_evicted_through_its_server() {
    let mut bench = Bench::new(Role::Server);
    bench.befriend(9, Role::Server);
    bench.receive(9, M::Clients { version: 1, clients: vec![client(3)] });
    assert_eq!(bench.command(Command::Evict(PeerId(3))), [send(9, M::Expel(client(3)))]);
    assert!(!Bench::new(Role::Client).peer.accepts(&Command::Evict(PeerId(3))));
}

#[test]
fn clients_cannot_speak_as_servers() {
    let mut bench = Bench::new(Role::Server);
    bench.befriend(1, Role::Client);
    bench.befriend(2, Role::Client);
    assert_eq!(bench.receive(1, M::Expel(client(2))), []);
    assert_eq!(bench.receive(1, M::Clients { version: 1, clients: vec![client(7)] }), []);
    let left = full::Member::new(contact(5)).with(full::Status::Evicted);
    let news = full::Message::News { rumours: [full::Rumour { member: left, age: 0 }].into(), want: vec![] };
    assert_eq!(bench.receive(1, M::Mesh(news)), []);
    assert_eq!(bench.receive(1, M::Evicted), [], "a server is evicted by the mesh");
    assert_eq!(bench.members(), [1, 2]);
}

#[test]
fn joining_oneself_is_no_joining_and_a_double_is_noticed() {
    for role in [Role::Server, Role::Client] {
        let mut bench = Bench::new(role);
        assert_eq!(bench.command(Command::Join(vec![addr(5)])), []);
        assert_eq!(bench.command(Command::Join(vec![addr(50)])), [Output::Dial(addr(50))]);
        let double = Contact { addr: addr(50), ..contact(5) };
        let effects = bench.input(Input::LinkUp { peer: double, dialed: Some(addr(50)) });
        assert_eq!(effects, [close(5)], "{role}");
        assert_eq!(bench.peer.metrics().conflicts, 1);
    }
}

#[test]
fn a_new_life_of_a_client_replaces_the_old_one() {
    let mut bench = Bench::new(Role::Server);
    bench.befriend(1, Role::Client);
    let reborn = Contact { incarnation: 2, addr: addr(11), id: PeerId(1) };
    let effects = bench.input(Input::LinkUp { peer: reborn.clone(), dialed: None });
    assert_eq!(effects, [down(1), ISOLATED, send(1, hello(Role::Server, Hail::Ask))]);
    bench.receive(1, hello(Role::Client, Hail::Ask));
    assert_eq!(bench.peer.active(), [reborn]);
}
