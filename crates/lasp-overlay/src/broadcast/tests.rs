//! The rules of the tree, one by one: every input's whole list of effects.

mod waves;

use super::plumtree::{Plumtree, Timer};
use super::{Command, Config, Event, Ids, Message, Payload};
use crate::peer::PeerId;
use crate::protocol::{Input, Outbox, Output, Protocol};
use crate::rng::Rng;
use crate::time::Time;
use lasp_crdt::{Dot, DotSet, ReplicaId};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
struct News(&'static str);

impl Payload for News {
    fn weight(&self) -> usize {
        self.0.len()
    }
}

type Effects = Vec<Output<Plumtree<News>>>;

const ME: ReplicaId = ReplicaId(1);
const OTHER: ReplicaId = ReplicaId(2);
const A: PeerId = PeerId(11);
const B: PeerId = PeerId(12);
const C: PeerId = PeerId(13);

#[test]
fn a_new_neighbour_is_told_what_arrived_lately_and_nothing_older() {
    let mut f = Fixture::new(&[A]);
    let gossip = |n| Message::Gossip { ids: Ids::from(Dot::new(OTHER, n)), round: 1, payload: News("x") };
    f.receive(A, gossip(1));
    f.wait(9_000);
    f.receive(A, gossip(2));
    let told = |dots: &[u64]| Message::IHave(dots.iter().map(|n| Dot::new(OTHER, *n)).collect());
    assert_eq!(f.command(Command::NeighborUp(B)), [Output::Send { to: B, message: told(&[1, 2]) }]);
    f.wait(2_000);
    assert_eq!(f.command(Command::NeighborUp(C)), [Output::Send { to: C, message: told(&[2]) }]);
    f.wait(9_000);
    assert_eq!(f.command(Command::NeighborUp(PeerId(14))), []);
}

/// One peer and its clock.
struct Fixture {
    tree: Plumtree<News>,
    now: Time,
}

impl Fixture {
    /// A peer with neighbours.
    fn new(neighbors: &[PeerId]) -> Self {
        let mut this = Self { tree: Plumtree::new(config(), ME, Rng::new(1)), now: Time::ZERO };
        for &peer in neighbors {
            assert_eq!(this.command(Command::NeighborUp(peer)), []);
        }
        this
    }

    fn input(&mut self, input: Input<Plumtree<News>>) -> Effects {
        let mut out = Outbox::new();
        self.tree.handle(self.now, input, &mut out);
        out.take()
    }

    fn command(&mut self, command: Command<News>) -> Effects {
        self.input(Input::Command(command))
    }

    fn receive(&mut self, from: PeerId, message: Message<News>) -> Effects {
        self.input(Input::Received { from, message })
    }

    fn expire(&mut self, timer: Timer) -> Effects {
        self.input(Input::Expired(timer))
    }

    fn wait(&mut self, millis: u64) {
        self.now = self.now + Duration::from_millis(millis);
    }

    /// Makes the link to a neighbour lazy, and lets it settle.
    fn lazy(&mut self, peer: PeerId) {
        assert_eq!(self.receive(peer, Message::Prune), []);
        self.wait(250);
    }

    fn modes(&self) -> (Vec<PeerId>, Vec<PeerId>) {
        (self.tree.eager().collect(), self.tree.lazy().collect())
    }
}

fn config() -> Config {
    Config { graft_attempts: 2, cache_weight: 20, ..Config::default() }
}

fn dot(counter: u64) -> Dot {
    Dot::new(OTHER, counter)
}

fn ids(counters: impl IntoIterator<Item = u64>) -> DotSet {
    counters.into_iter().map(dot).collect()
}

fn gossip(ids: impl Into<Ids>, round: u16, news: &'static str) -> Message<News> {
    Message::Gossip { ids: ids.into(), round, payload: News(news) }
}

fn send(to: PeerId, message: Message<News>) -> Output<Plumtree<News>> {
    Output::Send { to, message }
}

fn deliver(from: PeerId, round: u16, news: &'static str) -> Output<Plumtree<News>> {
    Output::Emit(Event::Deliver { from, round, payload: News(news) })
}

fn timer(millis: u64, timer: Timer) -> Output<Plumtree<News>> {
    Output::SetTimer { after: Duration::from_millis(millis), timer }
}

/// Splits off the timer for the next batch of announcements, whose moment is random.
fn announce_timer(effects: &mut Effects) -> Timer {
    let at = effects.iter().position(|e| matches!(e, Output::SetTimer { timer: Timer::Announce(_), .. }));
    let Output::SetTimer { timer, .. } = effects.remove(at.expect("a timer")) else { unreachable!("just matched") };
    timer
}

/// Waits for the batch of announcements and returns it.
fn announce(f: &mut Fixture, timer: Timer) -> Effects {
    let Timer::Announce(at) = timer else { unreachable!("only called with those") };
    f.now = at;
    f.expire(timer)
}

#[test]
fn a_broadcast_goes_to_all_eager_neighbours_and_the_first_one_shapes_the_tree() {
    let mut f = Fixture::new(&[A, B]);
    let first = Message::Gossip { ids: Ids::shaping(Dot::new(ME, 1)), round: 1, payload: News("x") };
    assert_eq!(f.command(Command::Broadcast(News("x"))), [send(A, first.clone()), send(B, first)]);
    let second = gossip(Dot::new(ME, 2), 1, "y");
    assert_eq!(f.command(Command::Broadcast(News("y"))), [send(A, second.clone()), send(B, second)]);
    assert!(f.tree.is_quiescent());
}

#[test]
fn a_payload_is_delivered_and_pushed_on_to_all_eager_neighbours_but_its_sender() {
    let mut f = Fixture::new(&[A, B, C]);
    let pushed = gossip(dot(1), 4, "x");
    let effects = f.receive(A, gossip(dot(1), 3, "x"));
    assert_eq!(effects, [deliver(A, 3, "x"), send(B, pushed.clone()), send(C, pushed)]);
}

#[test]
fn links_that_bring_a_shaping_message_again_are_pruned_once_it_has_been_everywhere() {
    let mut f = Fixture::new(&[A, B, C]);
    let message = gossip(Ids::shaping(dot(1)), 3, "x");
    f.receive(A, message.clone());
    f.wait(10);
    assert_eq!(f.receive(B, message.clone()), [timer(190, Timer::Shape)]);
    assert_eq!(f.receive(C, message), []);
    assert_eq!(f.expire(Timer::Shape), [], "too early");
    f.wait(190);
    assert_eq!(f.expire(Timer::Shape), [send(B, Message::Prune), send(C, Message::Prune)]);
    assert_eq!(f.modes(), (vec![A], vec![B, C]));
    assert_eq!(f.expire(Timer::Shape), []);
}

#[test]
fn a_message_of_ones_own_that_comes_back_prunes_too() {
    let mut f = Fixture::new(&[A]);
    f.command(Command::Broadcast(News("x")));
    assert_eq!(f.receive(A, gossip(Ids::shaping(Dot::new(ME, 1)), 3, "x")), [timer(200, Timer::Shape)]);
}

#[test]
fn what_the_network_duplicated_prunes_nothing() {
    let mut f = Fixture::new(&[A, B]);
    let message = gossip(Ids::shaping(dot(1)), 3, "x");
    f.receive(A, message.clone());
    assert_eq!(f.receive(A, message), []);
}

#[test]
fn duplicates_of_other_messages_prune_nothing() {
    let mut f = Fixture::new(&[A, B]);
    f.receive(A, gossip(dot(1), 3, "x"));
    assert_eq!(f.receive(B, gossip(dot(1), 3, "x")), []);
    assert_eq!(f.modes(), (vec![A, B], vec![]));
}

#[test]
fn a_graft_while_a_shaping_message_spreads_keeps_the_link() {
    let mut f = Fixture::new(&[A, B]);
    let message = gossip(Ids::shaping(dot(1)), 3, "x");
    f.receive(A, message.clone());
    f.receive(B, message);
    assert_eq!(f.receive(B, Message::Graft(DotSet::new())), []);
    f.wait(200);
    assert_eq!(f.expire(Timer::Shape), []);
    assert_eq!(f.modes(), (vec![A, B], vec![]));
}

#[test]
fn a_pruned_link_hears_announcements_twice_and_then_nothing() {
    let mut f = Fixture::new(&[A, B]);
    f.lazy(B);
    let mut effects = f.receive(A, gossip(dot(1), 3, "x"));
    let next = announce_timer(&mut effects);
    assert_eq!(effects, [deliver(A, 3, "x")]);
    assert_eq!(f.receive(A, gossip(dot(2), 3, "y")), [deliver(A, 3, "y")]);
    assert_eq!(next_announcement(&f), next, "one batch for both");
    for _ in 0..2 {
        assert!(!f.tree.is_quiescent());
        let next = next_announcement(&f);
        let mut effects = announce(&mut f, next);
        effects.retain(|effect| matches!(effect, Output::Send { .. }));
        assert_eq!(effects, [send(B, Message::IHave(ids([1, 2])))]);
    }
    assert!(f.tree.is_quiescent());
    assert_eq!(f.tree.metrics().ihaves_sent, 2);
}

/// The timer that the tree waits for.
fn next_announcement(f: &Fixture) -> Timer {
    Timer::Announce(f.tree.announce_at.expect("armed"))
}

#[test]
fn batches_come_slower_while_there_is_news_and_are_quick_after_silence() {
    let mut f = Fixture::new(&[A, B]);
    f.lazy(B);
    let mut waits = Vec::new();
    for counter in 1..=6 {
        let began = f.now;
        if counter != 5 {
            f.receive(A, gossip(dot(counter), 3, "x"));
        }
        let next = next_announcement(&f);
        announce(&mut f, next);
        waits.push((f.now - began).as_millis());
    }
    let expected = [125, 250, 500, 1_000, 1_000, 125];
    for (wait, expected) in waits.iter().zip(expected) {
        assert!((expected * 8 / 10..=expected * 12 / 10).contains(wait), "{waits:?}");
    }
}

#[test]
fn what_a_neighbour_has_is_not_announced_to_it() {
    let mut f = Fixture::new(&[A, B, C]);
    f.lazy(B);
    f.lazy(C);
    // B announced 1 before it came, and announces 2 after; C sent 3 itself.
    f.receive(B, Message::IHave(ids([1])));
    f.receive(A, gossip(dot(1), 3, "x"));
    f.receive(A, gossip(dot(2), 3, "y"));
    f.receive(B, Message::IHave(ids([2])));
    f.receive(A, gossip(dot(3), 3, "z"));
    f.receive(C, gossip(dot(3), 3, "z"));
    let next = next_announcement(&f);
    let mut effects = announce(&mut f, next);
    announce_timer(&mut effects);
    assert_eq!(effects, [send(B, Message::IHave(ids([3]))), send(C, Message::IHave(ids([1, 2])))]);
}

#[test]
fn what_came_while_a_link_was_lazy_is_announced_though_it_became_eager_since() {
    let mut f = Fixture::new(&[A, B]);
    f.lazy(B);
    f.receive(A, gossip(dot(1), 3, "x"));
    assert_eq!(f.receive(B, Message::Graft(DotSet::new())), []);
    let next = next_announcement(&f);
    let mut effects = announce(&mut f, next);
    announce_timer(&mut effects);
    assert_eq!(effects, [send(B, Message::IHave(ids([1])))]);
}

#[test]
fn an_announced_payload_that_does_not_come_is_grafted_from_one_announcer_after_the_other() {
    let mut f = Fixture::new(&[A, B, C]);
    f.lazy(B);
    f.lazy(C);
    let due = |f: &Fixture, millis| Timer::Missing(f.now + Duration::from_millis(millis));
    let first = due(&f, 200);
    assert_eq!(f.receive(B, Message::IHave(ids([1, 2]))), [timer(200, first)]);
    assert_eq!(f.receive(C, Message::IHave(ids([1, 2]))), []);
    assert_eq!(f.tree.missing(), 2);
    f.wait(200);
    let second = due(&f, 100);
    assert_eq!(f.expire(first), [send(B, Message::Graft(ids([1, 2]))), timer(100, second)]);
    assert_eq!(f.modes(), (vec![A, B], vec![C]));
    f.wait(100);
    let third = due(&f, 100);
    assert_eq!(f.expire(second), [send(C, Message::Graft(ids([1, 2]))), timer(100, third)]);
    assert_eq!(f.expire(second), [], "stale");
    f.wait(100);
    assert_eq!(f.expire(third), [], "left to anti-entropy");
    assert_eq!((f.tree.missing(), f.tree.metrics().given_up, f.tree.is_quiescent()), (0, 2, true));
}

#[test]
fn an_announced_payload_that_comes_in_time_is_not_grafted() {
    let mut f = Fixture::new(&[A, B]);
    f.lazy(B);
    let due = Timer::Missing(f.now + Duration::from_millis(200));
    assert_eq!(f.receive(B, Message::IHave(ids([1]))), [timer(200, due)]);
    f.receive(A, gossip(dot(1), 3, "x"));
    f.wait(200);
    assert_eq!(f.expire(due), []);
    assert_eq!(f.modes(), (vec![A], vec![B]));
    assert_eq!(f.receive(B, Message::IHave(ids([1]))), [], "known");
}

#[test]
fn a_graft_makes_the_link_eager_and_is_answered_with_what_is_still_there() {
    let mut f = Fixture::new(&[A, B]);
    f.lazy(B);
    f.receive(A, gossip(dot(1), 3, "ten bytes."));
    f.receive(A, gossip(dot(2), 3, "ten more.."));
    f.receive(A, gossip(dot(3), 5, "more"));
    let expected = [send(B, gossip(dot(2), 4, "ten more..")), send(B, gossip(dot(3), 6, "more"))];
    assert_eq!(f.receive(B, Message::Graft(ids(1..=9))), expected);
    assert_eq!(f.modes(), (vec![A, B], vec![]));
}

#[test]
fn a_duplicate_over_a_lazy_link_tells_the_other_end_again_once_settled() {
    let mut f = Fixture::new(&[A, B]);
    f.receive(A, gossip(dot(1), 3, "x"));
    f.receive(B, Message::Prune);
    assert_eq!(f.receive(B, gossip(dot(1), 3, "x")), [], "it was under way");
    f.wait(250);
    assert_eq!(f.receive(B, gossip(dot(1), 3, "x")), [send(B, Message::Prune)]);
    assert_eq!(f.receive(B, gossip(dot(1), 3, "x")), [], "it has been told");
}

#[test]
fn news_over_a_lazy_link_makes_it_eager_once_settled() {
    let mut f = Fixture::new(&[A, B]);
    f.receive(B, Message::Prune);
    f.receive(B, gossip(dot(1), 3, "x"));
    assert_eq!(f.modes(), (vec![A], vec![B]), "it was under way");
    f.wait(250);
    f.receive(B, gossip(dot(2), 3, "y"));
    assert_eq!(f.modes(), (vec![A, B], vec![]));
}

#[test]
fn a_neighbour_that_goes_is_gone_everywhere_and_what_hung_on_it_is_grafted_at_once() {
    let mut f = Fixture::new(&[A, B]);
    f.lazy(B);
    f.receive(B, Message::IHave(ids([1])));
    let effects = f.command(Command::NeighborDown(A));
    let again = Timer::Missing(f.now + Duration::from_millis(100));
    assert_eq!(effects, [send(B, Message::Graft(ids([1]))), timer(100, again)]);
    assert_eq!(f.modes(), (vec![B], vec![]));
    assert_eq!(f.command(Command::NeighborDown(B)), []);
    assert_eq!((f.tree.missing(), f.modes()), (0, (vec![], vec![])));
}

#[test]
fn other_links_keep_their_modes_when_a_neighbour_comes() {
    let mut f = Fixture::new(&[A, B]);
    f.lazy(B);
    assert_eq!(f.command(Command::NeighborUp(C)), []);
    assert_eq!(f.modes(), (vec![A, C], vec![B]));
}

#[test]
fn a_merged_payload_is_delivered_if_any_of_it_is_new_and_travels_on_under_what_is_new() {
    let mut f = Fixture::new(&[A, B]);
    f.receive(A, gossip(dot(2), 3, "two"));
    let merged = |counters| Ids::from_set(ids(counters)).expect("not empty");
    let effects = f.receive(A, gossip(merged(vec![1, 2, 3]), 3, "one to three"));
    assert_eq!(effects, [deliver(A, 3, "one to three"), send(B, gossip(merged(vec![1, 3]), 4, "one to three"))]);
    assert_eq!(f.receive(A, gossip(merged(vec![1, 2]), 3, "one and two")), []);
    assert_eq!((f.tree.metrics().duplicates, f.tree.cached()), (1, 2));
}

#[test]
fn a_stranger_is_listened_to_but_the_tree_does_not_concern_it() {
    let mut f = Fixture::new(&[A]);
    let stranger = PeerId(99);
    let message = gossip(Ids::shaping(dot(1)), 3, "x");
    let pushed = gossip(Ids::shaping(dot(1)), 4, "x");
    assert_eq!(f.receive(stranger, message.clone()), [deliver(stranger, 3, "x"), send(A, pushed.clone())]);
    assert_eq!(f.receive(stranger, message), []);
    assert_eq!(f.receive(stranger, Message::Prune), []);
    assert_eq!(f.receive(stranger, Message::IHave(ids([2]))), []);
    assert_eq!(f.receive(stranger, Message::Graft(ids([1]))), [send(stranger, pushed)]);
    assert_eq!(f.modes(), (vec![A], vec![]));
}
