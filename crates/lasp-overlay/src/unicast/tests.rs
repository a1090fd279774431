//! What the machine does with every input, effect by effect; and many of them in a world that loses, repeats and delays.

use super::machine::Timer;
use super::{Answer, Command, Config, Event, Failure, Message, Search, Stamp, Unicast, Walk};
use crate::peer::PeerId;
use crate::protocol::{Input, Outbox, Output, Protocol};
use crate::rng::Rng;
use crate::time::Time;
use lasp_crdt::codec::{from_bytes, to_bytes};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

type Bytes = Arc<[u8]>;
type Effects = Vec<Output<Unicast<Bytes>>>;

const ME: PeerId = PeerId(1);
const A: PeerId = PeerId(11);
const B: PeerId = PeerId(12);
const FAR: PeerId = PeerId(77);
const ORIGIN: PeerId = PeerId(88);
const LIFE: u64 = 5;

fn bytes(text: &str) -> Bytes {
    text.as_bytes().into()
}

fn config() -> Config {
    Config { attempts: 3, max_hops: 4, max_payload: 8, outgoing_limit: 3, searches_per_second: 1, ..Config::default() }
}

/// One peer and its clock.
struct Fixture {
    peer: Unicast<Bytes>,
    now: Time,
}

impl Fixture {
    fn new(neighbors: &[PeerId]) -> Self {
        let mut this = Self { peer: Unicast::new(config(), ME, LIFE), now: Time::ZERO };
        for &peer in neighbors {
            assert_eq!(this.command(Command::NeighborUp(peer)), []);
        }
        this
    }

    fn input(&mut self, input: Input<Unicast<Bytes>>) -> Effects {
        let mut out = Outbox::new();
        self.peer.handle(self.now, input, &mut out);
        out.take()
    }

    fn command(&mut self, command: Command<Bytes>) -> Effects {
        self.input(Input::Command(command))
    }

    fn receive(&mut self, from: PeerId, message: Message<Bytes>) -> Effects {
        self.input(Input::Received { from, message })
    }

    fn send(&mut self, token: u64, to: PeerId) -> Effects {
        self.command(Command::Send { token, to, payload: bytes("hi") })
    }

    /// Sends to a peer that is not known; the search, and the timer.
    fn search(&mut self, token: u64) -> (Search, Timer) {
        let effects = self.send(token, FAR);
        let [Output::SetTimer { timer, .. }, Output::Emit(Event::Spread { search, except: None })] = effects[..] else {
            panic!("a timer and a search: {effects:?}")
        };
        (search, timer)
    }

    /// A message to `FAR` that is on its way over A.
    fn under_way(&mut self, token: u64) -> Timer {
        let (search, timer) = self.search(token);
        let effects = self.receive(A, found(search, 1));
        assert_eq!(effects.len(), 1, "{effects:?}");
        timer
    }
}

/// When `FAR` answered.
const fn at(serial: u64) -> Stamp {
    Stamp { life: 3, serial }
}

fn found(search: Search, hops: u8) -> Message<Bytes> {
    let Search { origin, stamp, target, .. } = search;
    Message::Found(Answer { walk: Walk { origin, stamp, target, hops }, at: at(stamp.serial) })
}

fn taken(walk: Walk) -> Message<Bytes> {
    Message::Taken(Answer { walk, at: at(walk.stamp.serial) })
}

/// A message of this peer to `FAR`.
const fn mine(serial: u64, hops: u8) -> Walk {
    Walk { origin: ME, stamp: Stamp { life: LIFE, serial }, target: FAR, hops }
}

/// A message of another peer.
const fn others(target: PeerId, serial: u64, hops: u8) -> Walk {
    Walk { origin: ORIGIN, stamp: Stamp { life: 1, serial }, target, hops }
}

/// A message when it is sent for the first time, as the `count`-th thing its sender says.
fn carried(walk: Walk, count: u64) -> Message<Bytes> {
    Message::Carry { walk, oldest: 1, count, payload: bytes("hi") }
}

fn carry(walk: Walk) -> Message<Bytes> {
    carried(walk, walk.stamp.serial + 1)
}

fn sends(to: PeerId, message: Message<Bytes>) -> Output<Unicast<Bytes>> {
    Output::Send { to, message }
}

const fn failed(token: u64, reason: Failure) -> Output<Unicast<Bytes>> {
    Output::Emit(Event::Failed { token, reason })
}

fn other_search(target: PeerId, serial: u64, hops: u8) -> Search {
    Search { origin: ORIGIN, stamp: Stamp { life: 1, serial }, target, hops, wide: false }
}

#[test]
fn a_neighbour_is_sent_to_at_once() {
    let mut f = Fixture::new(&[A]);
    let walk = Walk { target: A, ..mine(1, 1) };
    let effects = f.send(9, A);
    assert_eq!(effects.len(), 2);
    assert!(matches!(effects[0], Output::SetTimer { after, .. } if after == config().patience));
    assert_eq!(effects[1], sends(A, carry(walk)));
    f.now = Time::from_millis(3);
    let delivered = Event::Delivered { token: 9, hops: 1, after: Duration::from_millis(3) };
    assert_eq!(f.receive(A, taken(walk)), [Output::Emit(delivered)]);
    assert_eq!(f.peer.waiting(), 0);
    assert_eq!(f.receive(A, taken(walk)), [], "a second acknowledgement says nothing");
}

#[test]
fn a_message_to_oneself_arrives() {
    let arrived = Output::Emit(Event::Arrived { from: ME, payload: bytes("hi") });
    let delivered = Output::Emit(Event::Delivered { token: 9, hops: 0, after: Duration::ZERO });
    assert_eq!(Fixture::new(&[]).send(9, ME), [arrived, delivered]);
}

#[test]
fn whoever_is_no_neighbour_is_searched_for_and_sent_to_where_found() {
    let mut f = Fixture::new(&[A, B]);
    let (search, _) = f.search(9);
    assert_eq!((search.origin, search.target, search.hops, search.wide), (ME, FAR, 1, false));
    assert_eq!(f.receive(A, found(search, 2)), [sends(A, carried(mine(1, 1), 3))]);
    let effects = f.send(10, FAR);
    assert_eq!(effects[1..], [sends(A, carry(mine(4, 1)))], "the route is known now");
    assert_eq!(f.peer.metrics().searches, 1);
    let delivered = Event::Delivered { token: 10, hops: 3, after: Duration::ZERO };
    assert_eq!(f.receive(A, taken(mine(4, 3))), [Output::Emit(delivered)]);
}

#[test]
fn a_neighbour_that_comes_is_sent_what_waits_for_it() {
    let mut f = Fixture::new(&[A]);
    f.search(9);
    assert_eq!(f.command(Command::NeighborUp(FAR)), [sends(FAR, carried(mine(1, 1), 3))]);
}

#[test]
fn attempts_wait_longer_and_search_wider_and_end() {
    let mut f = Fixture::new(&[A]);
    let (_, mut timer) = f.search(9);
    for attempt in 1..3 {
        let effects = f.input(Input::Expired(timer));
        let [Output::SetTimer { after, timer: next }, Output::Emit(Event::Spread { search, .. })] = effects[..] else {
            panic!("{effects:?}")
        };
        assert_eq!(after, config().patience * (1 << attempt));
        assert!(search.wide);
        assert_eq!(f.input(Input::Expired(timer)), [], "the timer of an earlier attempt is stale");
        timer = next;
    }
    assert_eq!(f.input(Input::Expired(timer)), [failed(9, Failure::NoRoute)]);
    assert_eq!((f.peer.waiting(), f.peer.metrics().failed), (0, 1));
}

#[test]
fn a_silent_receiver_is_told_from_one_that_is_not_found() {
    let mut f = Fixture::new(&[A]);
    let mut timer = f.under_way(9);
    for _ in 1..3 {
        let effects = f.input(Input::Expired(timer));
        let Output::SetTimer { timer: next, .. } = effects[0] else { panic!("{effects:?}") };
        timer = next;
    }
    assert_eq!(f.input(Input::Expired(timer)), [failed(9, Failure::NotAcknowledged)]);
}

#[test]
fn a_lost_message_and_a_lost_link_are_tried_again_at_once() {
    let mut f = Fixture::new(&[A, B]);
    f.under_way(9);
    let effects = f.receive(A, Message::Lost(mine(1, 2)));
    let [Output::SetTimer { .. }, Output::Emit(Event::Spread { search, .. })] = effects[..] else {
        panic!("{effects:?}")
    };
    assert!(search.wide, "the search along the tree led nowhere");
    assert_eq!(f.receive(B, found(search, 1)), [sends(B, carried(mine(1, 1), 5))]);
    let effects = f.command(Command::NeighborDown(B));
    assert!(matches!(effects[..], [Output::SetTimer { .. }, Output::Emit(Event::Spread { .. })]), "{effects:?}");
}

#[test]
fn what_is_too_much_is_refused_at_once_and_what_is_forgotten_is_silent() {
    let mut f = Fixture::new(&[A]);
    let payload = bytes("nine byte");
    assert_eq!(
        f.command(Command::Send { token: 1, to: FAR, payload: payload.clone() }),
        [failed(1, Failure::TooLarge)]
    );
    assert_eq!(f.command(Command::Send { token: 1, to: ME, payload }), [failed(1, Failure::TooLarge)]);
    let (_, timer) = f.search(2);
    f.search(3);
    f.search(4);
    assert_eq!(f.send(5, FAR), [failed(5, Failure::Busy)]);
    assert_eq!(f.command(Command::Forget(2)), []);
    assert_eq!(f.input(Input::Expired(timer)), []);
    assert_eq!(f.send(5, FAR).len(), 2);
}

#[test]
fn a_search_is_passed_on_once_and_answered_by_the_target_or_its_neighbour() {
    let mut f = Fixture::new(&[A, B]);
    let search = other_search(FAR, 1, 1);
    let passed = Event::Spread { search: Search { hops: 2, ..search }, except: Some(A) };
    assert_eq!(f.receive(A, Message::Search(search)), [Output::Emit(passed)]);
    assert_eq!(f.receive(B, Message::Search(search)), []);
    let to_b = other_search(B, 3, 1);
    let on = Message::Search(Search { hops: 2, ..to_b });
    assert_eq!(f.receive(A, Message::Search(to_b)), [sends(B, on)], "its neighbour goes straight to the target");
    let answer = Answer { walk: others(ME, 2, 1), at: Stamp { life: LIFE, serial: 1 } };
    assert_eq!(f.receive(A, Message::Search(other_search(ME, 2, 1))), [sends(A, Message::Found(answer))]);
    assert_eq!(f.receive(B, found(search, 1)), [sends(A, found(search, 2))], "answers go where the search came from");
}

#[test]
fn searches_end_after_so_many_hops_and_at_the_quota_of_a_neighbour() {
    let mut f = Fixture::new(&[A]);
    assert_eq!(f.receive(A, Message::Search(other_search(FAR, 1, 4))), []);
    assert_eq!(f.receive(A, Message::Search(other_search(FAR, 2, 1))).len(), 1);
    assert_eq!(f.receive(A, Message::Search(other_search(FAR, 3, 1))), [], "two at once, one of them wasted");
    assert_eq!(f.peer.metrics().searches_refused, 1);
    f.now = Time::from_millis(1_000);
    assert_eq!(f.receive(A, Message::Search(other_search(FAR, 4, 1))).len(), 1);
}

#[test]
fn a_message_arrives_once_and_is_acknowledged_each_time() {
    let mut f = Fixture::new(&[A]);
    let arrived = Output::Emit(Event::Arrived { from: ORIGIN, payload: bytes("hi") });
    let taken = |serial| {
        let at = Stamp { life: LIFE, serial };
        sends(A, Message::Taken(Answer { walk: others(ME, 1, 1), at }))
    };
    assert_eq!(f.receive(A, carry(others(ME, 1, 3))), [arrived, taken(1)]);
    assert_eq!(f.receive(A, carry(others(ME, 1, 3))), [taken(2)]);
    let late = Message::Carry { walk: others(ME, 2, 1), oldest: 3, count: 3, payload: bytes("hi") };
    assert_eq!(f.receive(A, late), [], "its sender waits for it no more");
    let large = Message::Carry { walk: others(ME, 9, 1), oldest: 9, count: 9, payload: bytes("nine byte") };
    assert_eq!(f.receive(A, large), []);
}

#[test]
fn a_message_of_others_goes_on_or_is_said_to_be_lost() {
    let mut f = Fixture::new(&[A, B]);
    let walk = others(FAR, 1, 2);
    let lost = || sends(A, Message::Lost(Walk { hops: 1, ..walk }));
    assert_eq!(f.receive(A, carry(walk)), [lost()], "no route");
    f.receive(B, found(other_search(FAR, 1, 1), 1));
    assert_eq!(f.receive(A, carry(walk)), [sends(B, carry(Walk { hops: 3, ..walk }))]);
    assert_eq!(f.receive(B, taken(Walk { hops: 1, ..walk })), [sends(A, taken(walk))]);
    assert_eq!(f.receive(A, carry(Walk { hops: 4, ..walk })), [lost()], "too many hops; the route is given up");
    f.receive(A, found(other_search(FAR, 2, 1), 1));
    assert_eq!(f.receive(A, carry(walk)), [lost()], "the way on is the way back");
    assert_eq!((f.peer.metrics().carried, f.peer.metrics().lost), (1, 3));
}

#[test]
fn strangers_are_not_listened_to() {
    let mut f = Fixture::new(&[A]);
    for message in [carry(others(ME, 1, 1)), Message::Search(other_search(ME, 1, 1)), taken(mine(1, 1))] {
        assert_eq!(f.receive(B, message), []);
    }
}

prop_compose! {
    fn peers()(id in 1..6u64) -> PeerId { PeerId(id) }
}

fn stamps() -> impl Strategy<Value = Stamp> {
    (0..7u64, 0..4u64).prop_map(|(life, serial)| Stamp { life, serial })
}

fn walks() -> impl Strategy<Value = Walk> {
    (peers(), stamps(), peers(), any::<u8>()).prop_map(|(origin, stamp, target, hops)| Walk {
        origin,
        stamp,
        target,
        hops,
    })
}

fn answers() -> impl Strategy<Value = Answer> {
    (walks(), stamps()).prop_map(|(walk, at)| Answer { walk, at })
}

fn messages() -> impl Strategy<Value = Message<u64>> {
    let searches = (peers(), stamps(), peers(), any::<u8>(), any::<bool>());
    prop_oneof![
        searches.prop_map(|(origin, stamp, target, hops, wide)| {
            Message::Search(Search { origin, stamp, target, hops, wide })
        }),
        answers().prop_map(Message::Found),
        (walks(), 0..4u64, 0..9u64, 0..20u64).prop_map(|(walk, oldest, count, payload)| Message::Carry {
            walk,
            oldest,
            count,
            payload
        }),
        answers().prop_map(Message::Taken),
        walks().prop_map(Message::Lost),
    ]
}

impl super::Payload for u64 {
    fn weight(&self) -> usize {
        *self as usize
    }
}

proptest! {
    #[test]
    fn messages_are_read_as_written_and_no_bytes_confuse(message in messages(), noise in any::<Vec<u8>>()) {
        prop_assert_eq!(from_bytes::<Message<u64>>(&to_bytes(&message)), Ok(message));
        _ = from_bytes::<Message<u64>>(&noise);
    }

    /// Whatever neighbours say, tables stay within their limits and nobody is delivered anything twice.
    #[test]
    fn lies_cost_a_bounded_amount(said in proptest::collection::vec((2..5u64, messages()), 0..400)) {
        let config = Config { routes: 2, searches: 3, senders: 2, ..config() };
        let mut peer = Unicast::new(config, ME, LIFE);
        let mut out = Outbox::new();
        for neighbor in 2..5 {
            peer.handle(Time::ZERO, Input::Command(Command::NeighborUp(PeerId(neighbor))), &mut out);
        }
        for (from, message) in said {
            peer.handle(Time::ZERO, Input::Received { from: PeerId(from), message }, &mut out);
            prop_assert!(out.take().len() <= 2);
            prop_assert!(peer.routes() <= 2);
        }
    }
}

/// What is on its way in a world.
enum Pending {
    Message(PeerId, PeerId, Message<Bytes>),
    Timer(PeerId, Timer),
}

/// Peers on a connected random graph that loses, repeats and delays messages.
struct World {
    rng: Rng,
    peers: BTreeMap<PeerId, Unicast<Bytes>>,
    links: BTreeMap<PeerId, BTreeSet<PeerId>>,
    pending: BTreeMap<(Time, u64), Pending>,
    now: Time,
    loss: f64,
    arrived: Vec<(PeerId, PeerId, Bytes)>,
    ended: BTreeMap<u64, Result<(), Failure>>,
}

impl World {
    fn new(seed: u64, size: u64, loss: f64) -> Self {
        let mut rng = Rng::new(seed);
        let mut links: BTreeMap<PeerId, BTreeSet<PeerId>> = BTreeMap::new();
        let linked = (1..size).flat_map(|n| {
            let others = [rng.below(n), rng.below(size)];
            others.map(|other| (PeerId(n), PeerId(other)))
        });
        for (a, b) in linked.collect::<Vec<_>>() {
            if a != b {
                links.entry(a).or_default().insert(b);
                links.entry(b).or_default().insert(a);
            }
        }
        let peer = |&id: &PeerId| (id, Unicast::new(Config::default(), id, 1));
        let peers = links.keys().map(peer).collect();
        let (pending, arrived, ended) = Default::default();
        let mut this = Self { rng, peers, links: links.clone(), pending, now: Time::ZERO, loss, arrived, ended };
        for (&id, others) in &links {
            others.iter().for_each(|&other| this.input(id, Input::Command(Command::NeighborUp(other))));
        }
        this
    }

    fn input(&mut self, id: PeerId, input: Input<Unicast<Bytes>>) {
        let mut out = Outbox::new();
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.handle(self.now, input, &mut out);
        for effect in out.take() {
            match effect {
                Output::Send { to, message } => self.post(id, to, message),
                Output::SetTimer { after, timer } => self.wait(after, Pending::Timer(id, timer)),
                Output::Emit(Event::Spread { search, except }) => {
                    let others: Vec<_> =
                        self.links[&id].iter().copied().filter(|&other| Some(other) != except).collect();
                    others.into_iter().for_each(|other| self.post(id, other, Message::Search(search)));
                }
                Output::Emit(Event::Arrived { from, payload }) => self.arrived.push((from, id, payload)),
                Output::Emit(Event::Delivered { token, .. }) => self.end(token, Ok(())),
                Output::Emit(Event::Failed { token, reason }) => self.end(token, Err(reason)),
                other => panic!("{other:?}"),
            }
        }
    }

    fn end(&mut self, token: u64, how: Result<(), Failure>) {
        assert_eq!(self.ended.insert(token, how), None, "one answer for each");
    }

    fn wait(&mut self, after: Duration, what: Pending) {
        let tie = self.rng.next_u64();
        self.pending.insert((self.now + after, tie), what);
    }

    fn post(&mut self, from: PeerId, to: PeerId, message: Message<Bytes>) {
        assert!(self.links[&from].contains(&to), "only neighbours are sent to");
        for _ in 0..1 + u8::from(self.rng.chance(self.loss)) {
            if !self.rng.chance(self.loss) {
                let after = self.rng.duration(Duration::from_millis(1), Duration::from_millis(20));
                self.wait(after, Pending::Message(from, to, message.clone()));
            }
        }
    }

    fn run(&mut self) {
        while let Some(((time, _), what)) = self.pending.pop_first() {
            self.now = time;
            match what {
                Pending::Message(from, to, message) => self.input(to, Input::Received { from, message }),
                Pending::Timer(id, timer) => self.input(id, Input::Expired(timer)),
            }
        }
    }

    /// Sends messages between random peers, or to one that is not there.
    fn talk(&mut self, count: u64) -> BTreeSet<u64> {
        let mut nobody = BTreeSet::new();
        for token in 0..count {
            let size = self.peers.len() as u64;
            let (from, to) = (PeerId(self.rng.below(size)), PeerId(self.rng.below(size + 2)));
            if to.0 >= size {
                nobody.insert(token);
            }
            self.input(from, Input::Command(Command::Send { token, to, payload: bytes(&token.to_string()) }));
        }
        self.run();
        nobody
    }
}

#[test]
fn in_a_calm_world_everybody_is_found_and_nobody_is_not() {
    for seed in 0..100 {
        let mut world = World::new(seed, 2 + seed % 60, 0.0);
        let nobody = world.talk(60);
        for (token, how) in &world.ended {
            let expected = if nobody.contains(token) { Err(Failure::NoRoute) } else { Ok(()) };
            assert_eq!(*how, expected, "seed {seed}, message {token}");
        }
        assert_eq!((world.ended.len(), world.arrived.len()), (60, 60 - nobody.len()), "seed {seed}");
    }
}

#[test]
fn in_a_bad_world_every_message_ends_and_none_arrives_twice() {
    let (mut delivered, mut failed) = (0, 0);
    for seed in 0..100 {
        let mut world = World::new(seed, 2 + seed % 40, 0.03);
        let nobody = world.talk(60);
        let arrived: BTreeSet<&Bytes> = world.arrived.iter().map(|(_, _, payload)| payload).collect();
        assert_eq!(arrived.len(), world.arrived.len(), "seed {seed}: twice");
        assert_eq!(world.ended.len(), 60, "seed {seed}");
        for (token, how) in &world.ended {
            let there = arrived.contains(&bytes(&token.to_string()));
            assert!(how.is_err() || there, "seed {seed}: {token} is said to have arrived");
            assert!(!nobody.contains(token) || *how == Err(Failure::NoRoute), "seed {seed}: {token}");
            delivered += usize::from(how.is_ok());
            failed += usize::from(how.is_err() && !nobody.contains(token));
        }
        assert!(world.peers.values().all(|peer| peer.waiting() == 0), "seed {seed}");
    }
    assert!(delivered > 30 * failed, "{delivered} arrived, {failed} did not");
}
