//! Comparisons of two stores, message by message: what each side says, and when.

use super::*;
use crate::interest::Interests;
use crate::routes::Common;
use lasp_crdt::codec::to_bytes;
use lasp_crdt::{AwSet, GCounter, Lattice as _, ReplicaId};
use lasp_dataflow::{Name, Type, Value};

/// One node's part: its store, and what follows from each input.
struct Side {
    id: PeerId,
    sync: AntiEntropy,
    store: Store,
    rng: Rng,
}

fn key(name: &str) -> Key {
    Key::new(Name::new(name.to_owned()).unwrap(), Type::GCounter)
}

fn views(count: u64) -> State {
    State::GCounter(GCounter::default().increment(ReplicaId(9), count))
}

fn at(millis: u64) -> Time {
    Time::from_millis(millis)
}

impl Side {
    /// A node that holds these counters and is linked with `peers` from the start.
    fn new(id: u64, names: &[&str], peers: &[u64]) -> (Self, Vec<Appointment>) {
        let mut store = Store::new(ReplicaId(id), Interests::All);
        for name in names {
            store.apply(&key(name), views(1));
        }
        store.settle();
        let sync = AntiEntropy::new(SyncConfig::default(), PeerId(id), true);
        let mut side = Self { id: PeerId(id), sync, store, rng: Rng::new(id) };
        let mut out = Outcome::default();
        for &peer in peers {
            side.sync.peer_up(at(0), PeerId(peer), &mut side.store, &mut side.rng, &mut out);
            side.sync.weigh(PeerId(peer), Capacity { clogged: false, budget: crate::wire::CHUNK });
        }
        assert!(out.items.is_empty());
        (side, out.timers.into_iter().map(|(_, appointment)| appointment).collect())
    }

    fn expired(&mut self, now: Time, appointment: Appointment) -> Outcome {
        let mut out = Outcome::default();
        self.sync.expired(now, appointment, &mut self.store, false, &mut self.rng, &mut out);
        out
    }

    fn hears(&mut self, now: Time, from: u64, message: Message) -> Outcome {
        let mut out = Outcome::default();
        self.sync.receive(now, PeerId(from), message, &mut self.store, &mut self.rng, &mut out);
        out
    }

    fn more(&mut self, now: Time, to: u64) -> (Option<Batch>, Outcome) {
        let mut out = Outcome::default();
        (self.sync.more(now, (PeerId(to), crate::wire::CHUNK), &self.store, &mut self.rng, &mut out), out)
    }

    fn digest(&mut self) -> Message {
        Message::Digest { root: self.store.forest_mut().tree(&Common::default()).root(), mine: 0, yours: 0 }
    }
}

/// The only message said, and to whom.
fn said(out: &Outcome) -> (PeerId, Message) {
    match out.items.as_slice() {
        [(to, Item::Control(Control::Sync(message)))] => (*to, message.clone()),
        other => panic!("one message, not {other:?}"),
    }
}

fn summary(names: &[&str]) -> Message {
    let mut entries: Vec<(Key, u64)> = names.iter().map(|name| (key(name), views(1).fingerprint())).collect();
    entries.sort();
    Message::Summary { scope: message::Scope::ALL, entries }
}

#[test]
fn of_two_comparisons_that_cross_the_one_of_the_smaller_id_goes_on() {
    let (mut one, at_one) = Side::new(1, &["a"], &[2]);
    let (mut two, at_two) = Side::new(2, &["b"], &[1]);
    let (first, second) = (one.expired(at(50), at_one[0]), two.expired(at(50), at_two[0]));
    assert_eq!(said(&first), (two.id, one.digest()));
    assert_eq!(said(&second), (one.id, two.digest()));
    let silent = one.hears(at(51), 2, said(&second).1);
    assert!(silent.items.is_empty() && silent.differs, "{silent:?}");
    let answer = two.hears(at(51), 1, said(&first).1);
    assert_eq!(said(&answer), (one.id, summary(&["b"])));
    // The one gives what the other lacks and asks for what it lacks itself: both are up then.
    let asks = one.hears(at(52), 2, said(&answer).1);
    assert_eq!(said(&asks), (two.id, Message::Ask { key: key("b"), since: None, back: false }));
    assert_eq!(one.more(at(52), 2).0, Some(Batch::single(key("a"), views(1))));
    let gives = two.hears(at(53), 1, said(&asks).1);
    assert_eq!(gives.items, [(one.id, Item::Data(Batch::single(key("b"), views(1))))]);
}

#[test]
fn who_answers_puts_its_own_comparison_off() {
    let (mut two, at_two) = Side::new(2, &["b"], &[1]);
    let (mut one, _) = Side::new(1, &["a"], &[2]);
    let answer = two.hears(at(10), 1, one.digest());
    assert_eq!(said(&answer), (one.id, summary(&["b"])));
    assert!(two.expired(at(50), at_two[0]).items.is_empty(), "the first appointment stands no more");
    let [(after, next)] = answer.timers[..] else { panic!("{answer:?}") };
    assert!((750..=1250).contains(&after.as_millis()), "a lost answer is repaired by the next round: {after:?}");
    assert_eq!(said(&two.expired(at(10) + after, next)), (one.id, two.digest()));
}

#[test]
fn equal_stores_are_silent_and_keep_their_appointments() {
    let (mut two, at_two) = Side::new(2, &["a"], &[1]);
    let (mut one, _) = Side::new(1, &["a"], &[2]);
    let silent = two.hears(at(10), 1, one.digest());
    assert!(silent.items.is_empty() && silent.timers.is_empty() && !silent.differs);
    assert_eq!(said(&two.expired(at(50), at_two[0])).0, one.id);
}

#[test]
fn a_digest_that_was_not_answered_in_time_has_not_crossed() {
    let (mut one, at_one) = Side::new(1, &["a"], &[2]);
    let (mut two, _) = Side::new(2, &["b"], &[1]);
    one.expired(at(50), at_one[0]);
    let late = one.hears(at(500), 2, two.digest());
    assert_eq!(said(&late), (two.id, summary(&["a"])));
}

/// A set to which one replica has added so many elements.
fn orders(count: i64) -> State {
    let mut set = AwSet::new();
    for n in 1..=count {
        set.merge(set.add(ReplicaId(9), Value::Int(n)));
    }
    State::from(set)
}

#[test]
fn who_has_nothing_more_is_given_to_and_not_asked_back() {
    let orders_key = Key::new(Name::new("orders".to_owned()).unwrap(), Type::AwSet);
    let holding = |id: u64, peer: u64, count: i64| {
        let (mut side, _) = Side::new(id, &[], &[peer]);
        side.store.apply(&orders_key, orders(count));
        side.store.settle();
        side
    };
    let (mut behind, mut ahead) = (holding(1, 2, 1), holding(2, 1, 3));
    let asks = |state: &State, back: bool| Message::Ask { key: orders_key.clone(), since: Some(state.digest()), back };
    let missing = orders(3).delta(&orders(1).digest());
    let gives = ahead.hears(at(1), 1, asks(&orders(1), true));
    assert_eq!(gives.items, [(behind.id, Item::Data(Batch::single(orders_key.clone(), missing)))]);
    // Who is behind has nothing to give, and asks.
    let back = behind.hears(at(1), 2, asks(&orders(3), true));
    assert_eq!(said(&back), (ahead.id, asks(&orders(1), false)));
    // Where digests do not tell, it is asked back in any case.
    let (mut one, _) = Side::new(1, &["a"], &[2]);
    let counter = Message::Ask { key: key("a"), since: Some(views(1).digest()), back: true };
    let back = one.hears(at(1), 2, counter);
    assert_eq!(said(&back).1, Message::Ask { key: key("a"), since: Some(views(1).digest()), back: false });
}

#[test]
fn an_empty_node_lets_one_neighbour_fill_it_and_asks_the_others_later() {
    let (mut joiner, at_joiner) = Side::new(5, &[], &[1, 2]);
    let (mut one, _) = Side::new(1, &["a"], &[5]);
    let asks = joiner.expired(at(0), at_joiner[0]);
    assert_eq!(said(&asks), (one.id, Message::Digest { root: 0, mine: 0, yours: 0 }));
    let put_off = joiner.expired(at(0), at_joiner[1]);
    assert!(put_off.items.is_empty(), "{put_off:?}");
    assert_eq!(put_off.timers.len(), 1, "it is put off, not forgotten");
    let other = joiner.hears(at(11), 2, one.digest());
    assert!(other.items.is_empty() && other.differs);
    // Who is told that a neighbour holds nothing gives it everything, without a further question.
    assert!(one.hears(at(1), 5, said(&asks).1).items.is_empty());
    assert_eq!(one.more(at(1), 5).0, Some(Batch::single(key("a"), views(1))));
    // One that fills it for long goes on doing so; one from which nothing comes any more does not.
    joiner.sync.given(at(250), one.id, 60_000);
    assert!(joiner.hears(at(1_200), 2, one.digest()).items.is_empty());
    assert_eq!(said(&joiner.hears(at(1_300), 2, one.digest())).0, PeerId(2));
}

#[test]
fn who_is_being_given_much_is_not_compared_with_before_that_is_done() {
    let names: Vec<String> = (0..5_000).map(|n| format!("views/{n}")).collect();
    let (mut giver, at_giver) = Side::new(1, &names.iter().map(String::as_str).collect::<Vec<_>>(), &[5]);
    let (mut joiner, _) = Side::new(5, &[], &[1]);
    assert!(giver.hears(at(1), 5, summary(&[])).items.is_empty(), "nothing is copied ahead");
    let mut given = Batch::default();
    let mut steps = 0;
    let done = loop {
        let (batch, out) = giver.more(at(2), 5);
        let batch = batch.expect("there is more");
        assert!(to_bytes(&batch).len() < 2 * crate::wire::CHUNK);
        given.join(batch);
        steps += 1;
        if giver.sync.is_idle() {
            break out;
        }
        assert!(giver.hears(at(3), 5, joiner.digest()).items.is_empty(), "what differs is under way");
        assert!(giver.expired(at(50), at_giver[0]).items.is_empty() && out.timers.is_empty());
    };
    assert!(steps > 1 && given.len() == 5_000 && giver.more(at(4), 5).0.is_none());
    let [(_, next)] = done.timers[..] else { panic!("{done:?}") };
    assert_eq!(said(&giver.expired(at(99), next)), (joiner.id, giver.digest()), "then what changed meanwhile");
}

#[test]
fn of_more_than_one_message_can_list_the_rest_follows_at_once() {
    let names: Vec<String> = (0..40_000).map(|n| format!("{n:0>20}")).collect();
    let (mut giver, _) = Side::new(1, &names.iter().map(String::as_str).collect::<Vec<_>>(), &[5]);
    let buckets = |lacks: &dyn Fn(usize) -> bool| {
        Message::Buckets(Box::new(std::array::from_fn(|bucket| if lacks(bucket) { 0 } else { 7 })))
    };
    let out = giver.hears(at(1), 5, buckets(&|bucket| bucket >= 250));
    let (_, Message::Summary { scope, entries }) = said(&out) else { panic!() };
    let listed = scope.iter().count();
    assert!((20..40).contains(&listed) && !scope.contains(250), "{listed} buckets");
    assert!((4_000..5_000).contains(&entries.len()), "{} variables", entries.len());
    let (after, _) = out.timers[0];
    assert!(after.as_millis() < 80, "{after:?}");
    assert!(giver.more(at(2), 5).0.is_some_and(|batch| batch.iter().all(|(key, _)| key.hash() >> 56 >= 250)));
}
