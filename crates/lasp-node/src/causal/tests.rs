use super::assembly::Assembly;
use super::links::{Around, Groups, Outcome};
use super::message::{Group, Interval, Message};
use super::*;
use crate::key::Key;
use crate::payload::Batch;
use crate::store::Store;
use crate::wire::CHUNK;
use lasp_crdt::codec::{from_bytes, to_bytes};
use lasp_crdt::{GCounter, ReplicaId};
use lasp_dataflow::{Name, State, StateDigest, Type};

fn key(name: &str) -> Key {
    Key::new(Name::new(name).unwrap(), Type::GCounter)
}

fn orders() -> Key {
    key("causal/shop/orders")
}

fn stock() -> Key {
    key("causal/shop/stock")
}

fn shop() -> Group {
    Group::from(&b"causal/shop/"[..])
}

fn count(replica: u64, n: u64) -> State {
    State::GCounter(GCounter::default().increment(ReplicaId(replica), n))
}

fn batch(entries: &[(&Key, State)]) -> Batch {
    let mut batch = Batch::default();
    entries.iter().for_each(|(key, state)| _ = batch.absorb(key, state));
    batch
}

/// One node's side.
struct Side {
    groups: Groups,
    store: Store,
}

impl Side {
    fn new() -> Self {
        let store = Store::new(ReplicaId(9), crate::Interests::All);
        Self { groups: Groups::new(CausalConfig::default()), store }
    }

    /// Neighbours below 50 hear the group.
    fn with(&mut self, ids: &[u64], work: impl FnOnce(&mut Groups, &Store, &Around<'_>) -> Outcome) -> Outcome {
        let neighbours: Vec<PeerId> = ids.iter().copied().map(PeerId).collect();
        let hears = |peer: PeerId, group: &str| peer.0 < 50 && group == "causal/shop/";
        work(&mut self.groups, &self.store, &Around { neighbours: &neighbours, hears: &hears })
    }

    /// Changes here, of which a neighbour may have said some.
    fn change(&mut self, ids: &[u64], said: Option<(u64, &Batch)>, entries: &[(&Key, State)]) -> Outcome {
        for (key, state) in entries {
            self.store.apply(key, state.clone());
        }
        self.store.settle();
        let news = batch(entries);
        let said = said.map(|(peer, batch)| (PeerId(peer), batch));
        self.with(ids, |groups, store, around| groups.changed(said, &news, store, around))
    }

    fn compared(
        &mut self,
        from: u64,
        number: u64,
        fingerprint: u64,
        digests: Option<Vec<(Key, StateDigest)>>,
    ) -> Outcome {
        self.with(&[2], |groups, store, around| {
            groups.compared(PeerId(from), (number, shop(), fingerprint), digests, store, around)
        })
    }

    fn acknowledge(&mut self, from: u64, number: u64) -> Outcome {
        self.groups.acknowledged(PeerId(from), number)
    }

    fn expire(&mut self, peer: u64, number: u64) -> Outcome {
        self.groups.expired(&Timer { peer: PeerId(peer), number, left: true }, &self.store)
    }

    /// A neighbour that has acknowledged everything, and was asked by question 1.
    fn acquainted() -> Self {
        let mut side = Self::new();
        side.change(&[2], None, &[(&orders(), count(1, 1))]);
        side.compared(2, 70, 0, Some(vec![]));
        side.groups.merged(PeerId(2), &shop(), 1);
        assert_eq!(side.acknowledge(2, 2), Outcome::default());
        assert!(side.groups.is_idle());
        side
    }
}

fn timer(peer: u64, number: u64, tries: u32) -> (Duration, Timer) {
    (Duration::from_millis(250 << tries), Timer { peer: PeerId(peer), number, left: true })
}

fn told(number: u64, answers: u64, entries: &[(&Key, State)]) -> Message {
    let (piece, pieces, batch) = (0, 1, batch(entries));
    Message::Interval(Interval { number, answers, group: shop(), piece, pieces, batch })
}

fn says(say: Vec<(u64, Message)>, timers: Vec<(Duration, Timer)>) -> Outcome {
    Outcome { say: say.into_iter().map(|(peer, message)| (PeerId(peer), message)).collect(), timers }
}

#[test]
fn a_group_is_said_by_the_name() {
    assert_eq!(group_of("causal/shop/orders"), Some("causal/shop/"));
    assert_eq!(group_of("causal/shop/a/b"), Some("causal/shop/"));
    for none in ["causal/shop", "causal/shop/", "causal//x", "causal/", "shop/causal/x", "Causal/shop/x"] {
        assert_eq!(group_of(none), None, "{none}");
    }
}

#[test]
fn neighbours_that_hear_a_group_are_asked_what_they_have_and_told_nothing_until_they_ask() {
    let mut side = Side::new();
    let asked = side.change(&[2, 60], None, &[(&orders(), count(1, 1))]);
    let [(PeerId(2), Message::Compare { number: 1, group, fingerprint, digests: None })] = &asked.say[..] else {
        panic!("{asked:?}")
    };
    assert_eq!((group, asked.timers), (&shop(), vec![timer(2, 1, 0)]));
    assert_ne!(*fingerprint, 0);
    assert_eq!(side.change(&[2, 60], None, &[(&orders(), count(1, 2))]), Outcome::default());
    assert_eq!(side.compared(2, 70, 5, None), says(vec![(2, Message::More(70))], vec![]));
    let answer = side.compared(2, 70, 5, Some(vec![(orders(), count(1, 1).digest())]));
    assert_eq!(answer, says(vec![(2, told(2, 70, &[(&orders(), count(1, 2))]))], vec![timer(2, 2, 0)]));
    let again = side.compared(2, 70, 5, Some(vec![]));
    assert_eq!(again, Outcome::default(), "the answer is under way");
    let said = side.with(&[2, 60], |groups, store, _| groups.more(PeerId(2), 1, store));
    let digests = vec![(orders(), count(1, 2).digest())];
    assert!(
        matches!(&said.say[..], [(_, Message::Compare { number: 1, digests: Some(told), .. })] if *told == digests)
    );
}

#[test]
fn equal_groups_are_known_by_their_fingerprint() {
    let (mut a, mut b) = (Side::new(), Side::new());
    for side in [&mut a, &mut b] {
        side.change(&[], None, &[(&orders(), count(1, 1)), (&stock(), count(2, 2))]);
    }
    let asked = a.with(&[2], |groups, store, around| groups.look_around(store, around));
    let [(_, Message::Compare { fingerprint, .. })] = asked.say[..] else { panic!("{asked:?}") };
    let answer = b.compared(2, 70, fingerprint, None);
    assert!(matches!(&answer.say[1..], [(_, Message::Interval(interval))] if interval.batch.is_empty()), "{answer:?}");
}

#[test]
fn what_changes_meanwhile_is_told_when_the_interval_before_it_is_acknowledged() {
    let mut side = Side::acquainted();
    let first = side.change(&[2], None, &[(&orders(), count(1, 2)), (&stock(), count(1, 7))]);
    let both = [(&orders(), count(1, 2)), (&stock(), count(1, 7))];
    assert_eq!(first, says(vec![(2, told(3, 0, &both))], vec![timer(2, 3, 0)]), "both variables in one piece");
    assert_eq!(side.change(&[2], None, &[(&orders(), count(1, 3))]), Outcome::default());
    assert_eq!(side.change(&[2], None, &[(&orders(), count(1, 4))]), Outcome::default());
    assert_eq!(side.acknowledge(2, 1), Outcome::default(), "another interval");
    let next = side.acknowledge(2, 3);
    assert_eq!(next, says(vec![(2, told(4, 0, &[(&orders(), count(1, 4))]))], vec![timer(2, 4, 0)]));
    assert_eq!(side.acknowledge(2, 4), Outcome::default());
    assert!(side.groups.is_idle() && side.groups.entries() == 0);
}

#[test]
fn what_is_not_acknowledged_is_told_again_with_what_came_since() {
    let mut side = Side::acquainted();
    side.change(&[2], None, &[(&orders(), count(1, 2))]);
    side.change(&[2], None, &[(&stock(), count(1, 1))]);
    let again = side.expire(2, 3);
    let both = [(&orders(), count(1, 2)), (&stock(), count(1, 1))];
    assert_eq!(again, says(vec![(2, told(4, 0, &both))], vec![timer(2, 4, 1)]));
    assert_eq!(side.expire(2, 3), Outcome::default(), "it was told again");
    let same = side.expire(2, 4);
    assert_eq!(same, says(vec![(2, told(4, 0, &both))], vec![timer(2, 4, 2)]), "nothing came since");
    assert_eq!(side.acknowledge(2, 3), Outcome::default(), "what it acknowledges is less than what is under way");
    assert_eq!(side.acknowledge(2, 4), Outcome::default());
    assert!(side.groups.is_idle());
}

#[test]
fn a_neighbour_is_not_told_what_it_said_but_all_that_followed_from_it() {
    let mut side = Side::acquainted();
    let said = batch(&[(&orders(), count(5, 1))]);
    let told_back = side.change(&[2], Some((2, &said)), &[(&orders(), count(5, 1))]);
    assert_eq!(told_back, Outcome::default());
    let said = batch(&[(&orders(), count(5, 2))]);
    let followed = side.change(&[2], Some((2, &said)), &[(&orders(), count(5, 2)), (&stock(), count(1, 1))]);
    assert_eq!(followed, says(vec![(2, told(3, 0, &[(&stock(), count(1, 1))]))], vec![timer(2, 3, 0)]));
}

#[test]
fn a_neighbour_that_comes_back_is_told_nothing_until_it_says_what_it_has() {
    let mut side = Side::acquainted();
    side.groups.peer_down(PeerId(2));
    assert_eq!(side.change(&[], None, &[(&orders(), count(1, 9))]), Outcome::default());
    let asked = side.with(&[2], |groups, store, around| groups.look_around(store, around));
    assert!(matches!(asked.say[..], [(_, Message::Compare { number: 3, .. })]), "{asked:?}");
    let answer = side.compared(2, 71, 0, Some(vec![]));
    assert_eq!(answer.say, says(vec![(2, told(4, 71, &[(&orders(), count(1, 9))]))], vec![]).say);
    let deaf = side.with(&[60], |groups, store, around| groups.look_around(store, around));
    assert_eq!((deaf, side.groups.is_idle()), (Outcome::default(), true), "it hears the group no more");
}

#[test]
fn groups_that_are_none_are_not_answered() {
    let mut side = Side::new();
    for name in [&b"shop/"[..], b"causal/", b"causal/shop/orders", b"causal//", b"\xff\xfe"] {
        let compared = side.with(&[2], |groups, store, around| {
            groups.compared(PeerId(2), (1, Group::from(name), 5), Some(vec![]), store, around)
        });
        assert_eq!(compared, Outcome::default(), "{name:?}");
    }
}

#[test]
fn pieces_make_an_interval_when_all_are_there_one_interval_at_a_time() {
    let mut assembly = Assembly::new(4 * CHUNK);
    let piece = |number, piece, pieces| {
        let batch = batch(&[(&orders(), count(number * 10 + piece as u64, 1))]);
        Interval { number, answers: 0, group: shop(), piece, pieces, batch }
    };
    let whole = |number: u64, pieces: u64| {
        (0..pieces).fold(Batch::default(), |mut whole, piece| {
            whole.absorb(&orders(), &count(number * 10 + piece, 1));
            whole
        })
    };
    let (one, other) = (PeerId(1), PeerId(2));
    assert_eq!(assembly.add(one, piece(1, 0, 1)), Some(whole(1, 1)));
    assert_eq!(assembly.add(one, piece(2, 2, 3)), None);
    assert_eq!(assembly.add(one, piece(2, 2, 3)), None, "twice");
    assert_eq!(assembly.add(other, piece(9, 0, 2)), None, "another's waits");
    assert_eq!(assembly.add(one, piece(2, 0, 3)), None);
    assert_eq!(assembly.add(one, piece(1, 1, 3)), None, "an older one");
    assert_eq!(assembly.add(one, piece(2, 1, 3)), Some(whole(2, 3)));
    assert_eq!(assembly.add(other, piece(9, 0, 2)), None);
    assert_eq!(assembly.add(other, piece(10, 1, 2)), None, "told again");
    assert_eq!(assembly.add(other, piece(10, 0, 2)), Some(whole(10, 2)));
    assert_eq!(assembly.add(other, piece(11, 1, 2)), None);
    assembly.retain(|from, group| from != other && *group == shop());
    assert_eq!(assembly.add(one, piece(3, 0, 2)), None);
    assert_eq!(assembly.add(one, piece(3, 1, 2)), Some(whole(3, 2)));
    assert!(!assembly.fits(&piece(4, 0, 5)) && assembly.add(one, piece(4, 0, 5)).is_none(), "too large");
}

#[test]
fn messages_survive_their_encoding_and_odd_ones_are_refused() {
    let digests = vec![(orders(), count(1, 1).digest())];
    let piece = Interval { number: 3, answers: 4, group: shop(), piece: 1, pieces: 3, batch: Batch::default() };
    let messages = [
        Message::Compare { number: 1, group: shop(), fingerprint: 7, digests: None },
        Message::Compare { number: 1, group: shop(), fingerprint: 7, digests: Some(digests) },
        Message::More(5),
        told(6, 0, &[(&orders(), count(1, 1))]),
        Message::Interval(piece.clone()),
        Message::Acknowledged(7),
    ];
    for message in messages {
        assert_eq!(from_bytes::<Message>(&to_bytes(&message)).as_ref(), Ok(&message));
    }
    for (piece_at, pieces) in [(3, 3), (0, 100_000), (0, 0)] {
        let odd = Message::Interval(Interval { piece: piece_at, pieces, ..piece.clone() });
        assert!(from_bytes::<Message>(&to_bytes(&odd)).is_err(), "{piece_at} of {pieces}");
    }
    assert!(from_bytes::<Message>(&[6, 0]).is_err());
    assert_eq!(to_bytes(&Message::Acknowledged(7)), [5, 7]);
}
