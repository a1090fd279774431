use super::message::Message;
use super::since::{Beyond, ROOM, Since};
use super::token::{Full, Here, Mark, Seen, TEXT};
use super::waits::{Outcome, Turn};
use super::*;
use crate::command::RequestId;
use crate::key::Key;
use crate::store::Store;
use base64::Engine as _;
use lasp_crdt::codec::{from_bytes, to_bytes};
use lasp_crdt::{GCounter, GSet, ReplicaId};
use lasp_dataflow::{Op, State, Type, Value};
use proptest::prelude::*;

const HERE: Here = Here { node: PeerId(1), life: 4, turn: 0 };
const THERE: Here = Here { node: PeerId(2), life: 7, turn: 0 };
const SECOND: Duration = Duration::from_secs(1);

fn key(name: &str) -> Key {
    Key::new(Name::new(name).unwrap(), Type::GCounter)
}

fn count(n: u64) -> State {
    State::GCounter(GCounter::default().increment(ReplicaId(7), n))
}

fn words(key: &Key, from: usize, to: usize) -> State {
    let mut state = State::bottom(key.ty());
    for n in from..to {
        state.merge(State::GSet(GSet::default().add(Value::Int(n as i64))));
    }
    state
}

fn large(name: &str) -> Key {
    Key::new(Name::new(name).unwrap(), Type::GSet)
}

fn store(entries: &[(&Key, State)]) -> Store {
    let mut store = Store::new(ReplicaId(9), crate::Interests::All);
    for (key, state) in entries {
        store.apply(key, state.clone());
    }
    store.settle();
    store
}

fn token(entries: &[(&Key, State)], there: Here) -> SessionToken {
    let mut token = SessionToken::default();
    entries.iter().for_each(|(key, state)| token.read(key, state, there));
    token
}

fn sessions() -> Sessions {
    Sessions::new(SessionConfig::default(), (HERE.node, HERE.life))
}

fn id(id: u64) -> RequestId {
    RequestId(id)
}

fn seen(token: &SessionToken, wanted: &Key) -> Seen {
    token.iter().find(|(key, _)| *key == wanted).expect("seen").1.clone()
}

// ---- tokens ----

#[test]
fn what_is_small_is_in_the_token_and_of_what_is_large_where_it_was_seen() {
    let (small, big) = (key("small"), large("big"));
    let mut token = token(&[(&small, count(3))], THERE);
    let state = words(&big, 0, 500);
    token.wrote(&big, &words(&big, 7, 8), &state, HERE);
    assert_eq!(seen(&token, &big), Seen::State(Box::new(words(&big, 7, 8))), "a delta is small");
    assert!(to_text(&token).len() < 80, "{}", to_text(&token));
    token.read(&big, &state, HERE);
    let mark = Mark { node: HERE.node, life: HERE.life, turn: 0, fingerprint: state.fingerprint() };
    assert_eq!(seen(&token, &big), Seen::Mark(mark));
    let more = words(&big, 0, 501);
    token.wrote(&big, &words(&big, 500, 501), &more, THERE);
    let mark = Mark { node: THERE.node, life: THERE.life, turn: 0, fingerprint: more.fingerprint() };
    assert_eq!(seen(&token, &big), Seen::Mark(mark), "where it was seen last, it is all there");
    token.wrote(&small, &count(5), &count(5), HERE);
    assert_eq!(seen(&token, &small), Seen::State(Box::new(count(5))));
    assert_eq!((token.len(), token.type_of("big"), token.type_of("none")), (2, Some(&Type::GSet), None));
}

fn to_text(token: &SessionToken) -> String {
    token.to_string()
}

#[test]
fn texts_are_read_back_and_damaged_or_made_up_ones_are_not() {
    let token = token(&[(&key("a"), count(3)), (&large("b"), words(&large("b"), 0, 400))], THERE);
    let text = to_text(&token);
    assert_eq!(text.parse(), Ok(token.clone()));
    assert_eq!(format!("  {text}\n").parse(), Ok(token), "as files end");
    assert_eq!("not a token!".parse::<SessionToken>(), Err(TokenError::Text));
    assert_eq!("".parse::<SessionToken>(), Err(TokenError::Text));
    assert!(matches!("A".repeat(9_000).parse::<SessionToken>(), Err(TokenError::TooLong(_))));
    let mut other = text.clone().into_bytes();
    other[9] = if other[9] == b'A' { b'B' } else { b'A' };
    assert_eq!(String::from_utf8(other).unwrap().parse::<SessionToken>(), Err(TokenError::Check));
    assert!(text[..text.len() - 4].parse::<SessionToken>().is_err(), "cut off");
    assert_eq!(SessionToken::default().to_string().parse(), Ok(SessionToken::default()));
}

#[test]
fn a_token_that_is_full_gives_states_up_for_marks_and_then_takes_no_more() {
    let state = |n: usize| words(&large("x"), 1_000 * n, 1_000 * n + 40);
    let keys: Vec<Key> = (0..300).map(|n| large(&format!("variable-{n:03}"))).collect();
    let mut token = SessionToken::default();
    let mut taken = 0;
    let full = loop {
        let before = token.clone();
        token.read(&keys[taken], &state(taken), HERE);
        let above = |key: &Key, seen: &State| {
            let at = keys.iter().position(|known| known == key).expect("known");
            assert!(seen.difference(&states()[at]).is_bottom());
            Some((&states()[at], HERE))
        };
        if let Err(full) = token.fit(above) {
            assert_eq!(before.len(), taken);
            break full;
        }
        assert!(to_text(&token).len() <= MAX_TOKEN.div_ceil(3) * 4);
        taken += 1;
    };
    assert!((80..200).contains(&taken), "{taken} variables");
    assert_eq!(full, Full(taken + 1));
    let marks = token.iter().filter(|(_, seen)| matches!(seen, Seen::Mark(_))).count();
    assert!(marks > taken / 2, "{marks}");
}

/// Forty numbers for each of three hundred variables.
fn states() -> &'static [State] {
    static STATES: std::sync::OnceLock<Vec<State>> = std::sync::OnceLock::new();
    STATES.get_or_init(|| (0..300).map(|n| words(&large("x"), 1_000 * n, 1_000 * n + 40)).collect())
}

proptest! {
    #[test]
    fn hostile_texts_are_refused_or_read_never_a_panic(text in "[A-Za-z0-9_-]{0,200}") {
        if let Ok(token) = text.parse::<SessionToken>() {
            prop_assert_eq!(token.to_string(), text);
        }
    }

    #[test]
    fn hostile_bytes_behind_a_right_check_are_refused_or_read(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let body = [vec![1], bytes].concat();
        let check = (lasp_crdt::fingerprint::hash(&body[..]) as u32).to_le_bytes();
        let text = TEXT.encode([&body[..], &check].concat());
        if let Ok(token) = text.parse::<SessionToken>() {
            prop_assert_eq!(token.to_string(), text);
        }
    }

    #[test]
    fn hostile_messages_are_refused_or_read(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        if let Ok(message) = from_bytes::<Message>(&bytes) {
            prop_assert_eq!(to_bytes(&message), bytes);
        }
    }
}

// ---- waiting ----

#[test]
fn a_session_is_served_where_all_that_it_has_seen_is() {
    let (a, b) = (key("a"), large("b"));
    let elements = words(&b, 0, 300);
    let session = token(&[(&a, count(3)), (&b, elements.clone())], THERE);
    let mut waits = sessions();
    let both = store(&[(&a, count(4)), (&b, elements.clone())]);
    assert_eq!(waits.enter(id(1), &session, SECOND, &both), Ok(None), "an equal state is known by its fingerprint");
    let one = store(&[(&a, count(4))]);
    assert_eq!(waits.check(&one, &session), Ok(()), "a state only grows: what was reached is");
    let mut waits = sessions();
    let behind = Behind { variable: Name::new("b").unwrap(), at: Some(THERE.node), there: There::Silent };
    assert_eq!(waits.check(&one, &session), Err(behind));
    let own = token(&[(&b, elements)], HERE);
    assert_eq!(waits.enter(id(1), &own, SECOND, &one), Ok(None), "what was seen here is here");
    let mut deaf = Store::new(ReplicaId(9), crate::Interests::prefixes(["other"]));
    deaf.settle();
    assert_eq!(waits.enter(id(1), &session, SECOND, &deaf), Ok(None), "it shows nothing of them");
}

#[test]
fn it_waits_for_states_to_come_and_asks_where_marks_were_made() {
    let (a, b) = (key("a"), large("b"));
    let session = token(&[(&a, count(3)), (&b, words(&b, 0, 300))], THERE);
    let mut store = store(&[(&b, words(&b, 0, 299))]);
    let mut waits = sessions();
    let asked = waits.enter(id(5), &session, SECOND, &store).expect("room").expect("waits");
    let end = (SECOND, Timer { id: id(5), turn: Turn::End });
    let round = |n: u32| (Duration::from_millis(500 << n), Timer { id: id(5), turn: Turn::Round(n) });
    let since = Since::of(&b, store.state(&b), 0).expect("it fits");
    assert!(matches!(since, Since::Sketch { .. }));
    let question = |number, since: &Since| {
        (
            THERE.node,
            number,
            Message::Beyond { number, life: THERE.life, turn: 0, key: b.clone(), since: since.clone() },
        )
    };
    assert_eq!(asked, Outcome { ask: vec![question(1, &since)], timers: vec![end, round(0)], answers: vec![] });
    assert_eq!(
        (waits.question(1, THERE.node), waits.question(1, HERE.node)),
        (Some(&b), None),
        "only who was asked answers"
    );
    assert_eq!(waits.question(2, THERE.node), None);

    let again = waits.expired(round(0).1, &store);
    assert_eq!(again, Outcome { ask: vec![question(2, &since)], timers: vec![round(1)], answers: vec![] });
    assert_eq!(waits.expired(round(0).1, &store), Outcome::default(), "a round that is over");

    let Beyond::All(missing) = since.beyond(&b, &words(&b, 0, 301)) else { panic!("all of it fits") };
    assert_eq!(missing, words(&b, 299, 301), "the other node is further on than was seen");
    store.apply(&b, missing);
    assert_eq!(waits.caught(1, true, true, &store), Outcome::default(), "an answer to a former question");
    assert_eq!(waits.caught(2, true, true, &store), Outcome::default(), "the counter is still missing");
    store.apply(&a, count(2));
    waits.stir(&a);
    assert_eq!(waits.look(&store), Outcome::default());
    store.apply(&a, count(9));
    waits.stir(&a);
    assert!(waits.is_stirred());
    assert_eq!(waits.look(&store), Outcome { answers: vec![(id(5), Ok(()))], ..Outcome::default() });
    assert!(waits.is_idle());
    assert_eq!(waits.enter(id(6), &session, SECOND, &store), Ok(None), "the mark is known to be reached");
}

#[test]
fn more_than_a_letter_holds_comes_in_several_and_an_unclear_question_is_asked_in_more_words() {
    let b = large("b");
    let session = token(&[(&b, words(&b, 0, 5_000))], THERE);
    let (store, there) = (store(&[(&b, words(&b, 0, 100))]), words(&b, 0, 5_000));
    let mut waits = sessions();
    let sketched = |outcome: &Outcome| match &outcome.ask[..] {
        [(_, number, Message::Beyond { since: Since::Sketch { symbols, .. }, .. })] => (*number, symbols.len()),
        other => panic!("{other:?}"),
    };
    let asked = waits.enter(id(1), &session, SECOND, &store).expect("room").expect("waits");
    assert_eq!(sketched(&asked), (1, 64));
    let asked = waits.unclear(1, &store);
    assert_eq!(sketched(&asked), (2, 256));
    let asked = waits.unclear(2, &store);
    assert_eq!(sketched(&asked), (3, 1_024));
    assert_eq!(waits.unclear(3, &store), Outcome::default(), "that is the longest: comparisons are to bring it nearer");
    let [(_, _, Message::Beyond { since, .. })] = &asked.ask[..] else { panic!("a question") };
    assert_eq!(since.beyond(&b, &there), Beyond::Unclear);

    let words_of = |n: usize| Value::from(format!("{n}{}", "x".repeat(5_000)).as_str());
    let mut long = State::bottom(&Type::GSet);
    (0..9).for_each(|n| _ = long.merge(State::GSet(GSet::default().add(words_of(n)))));
    let Beyond::Some(part) = Since::Nothing.beyond(&b, &long) else { panic!("it does not fit") };
    assert_eq!(part.cardinality(), Some(2));
    assert!(crate::wire::entry_len(&b, &part) <= ROOM);
    let mut waits = sessions();
    let empty = self::store(&[]);
    waits.enter(id(1), &token(&[(&b, long)], THERE), SECOND, &empty).expect("room").expect("waits");
    let on = waits.caught(1, false, true, &empty);
    assert_eq!(on.ask.len(), 1, "there was progress: on at once");
    assert_eq!(waits.caught(2, false, false, &empty), Outcome::default(), "none: later");
}

#[test]
fn what_does_not_come_is_told_with_what_is_known() {
    let b = large("b");
    let session = token(&[(&b, words(&b, 0, 300))], THERE);
    let empty = store(&[]);
    let behind = |there| Behind { variable: Name::new("b").unwrap(), at: Some(THERE.node), there };
    type Answered = fn(&mut Sessions, &Store);
    let cases: [(There, Answered); 4] = [
        (There::Silent, |_, _| {}),
        (There::Silent, |waits, _| waits.unheard(1)),
        (There::Gone, |waits, _| waits.gone(1)),
        (There::Ahead, |waits, store| assert_eq!(waits.caught(1, false, false, store), Outcome::default())),
    ];
    for (there, answered) in cases {
        let mut waits = sessions();
        waits.enter(id(1), &session, SECOND, &empty).expect("room").expect("waits");
        answered(&mut waits, &empty);
        let end = waits.expired(Timer { id: id(1), turn: Turn::End }, &empty);
        assert_eq!(end, Outcome { answers: vec![(id(1), Err(behind(there)))], ..Outcome::default() });
        assert!(waits.is_idle());
    }
    let mine = token(&[(&b, words(&b, 0, 300))], Here { life: HERE.life - 1, ..HERE });
    let mut waits = sessions();
    let asked = waits.enter(id(1), &mine, SECOND, &empty).expect("room").expect("waits");
    assert_eq!(asked.ask, [], "this node's former life is not there to be asked");
    waits.cancel(id(1));
    assert_eq!(waits.expired(Timer { id: id(1), turn: Turn::End }, &empty), Outcome::default());
}

#[test]
fn what_a_node_has_forgotten_is_not_taken_to_be_there() {
    let b = large("b");
    let mut store = store(&[(&b, words(&b, 0, 300))]);
    let session = token(&[(&b, words(&b, 0, 300))], HERE);
    let mut waits = sessions();
    assert_eq!(waits.enter(id(1), &session, SECOND, &store), Ok(None));
    let var = store.graph().lookup("b").expect("there");
    store.undeclare(lasp_overlay::Time::ZERO, var).expect("nothing follows from it");
    assert!(waits.check(&store, &session).is_err());
    store.apply(&b, words(&b, 0, 3));
    assert!(waits.check(&store, &session).is_err(), "a part of it has come back");
    store.apply(&b, words(&b, 3, 300));
    assert_eq!(waits.check(&store, &session), Ok(()), "all of it has");
}

#[test]
fn only_so_many_wait() {
    let b = large("b");
    let session = token(&[(&b, words(&b, 0, 300))], THERE);
    let empty = store(&[]);
    let mut waits = Sessions::new(SessionConfig { open: 1, ..SessionConfig::default() }, (HERE.node, HERE.life));
    assert!(waits.enter(id(1), &session, SECOND, &empty).expect("room").is_some());
    let refused = waits.enter(id(2), &session, SECOND, &empty);
    assert_eq!(refused, Err(crate::RequestError::TooManySessions { open: 1 }));
}

#[test]
fn of_a_causal_type_a_digest_tells_what_is_beyond() {
    let key = Key::new(Name::new("s").unwrap(), Type::AwSet);
    let of = |ops: &[Op]| {
        let mut store = Store::new(ReplicaId(3), crate::Interests::All);
        let (var, _) =
            store.declare(lasp_overlay::Time::ZERO, Some(Name::new("s").unwrap()), Type::AwSet, false).unwrap();
        let stamp = lasp_crdt::Stamp { time: lasp_crdt::Timestamp(1), replica: ReplicaId(3) };
        ops.iter().for_each(|op| store.graph_mut().update(var, op, stamp).unwrap());
        store.graph().state(var).unwrap().clone()
    };
    let added = of(&[Op::AddAll((0..100).map(Value::Int).collect())]);
    let removed = of(&[Op::AddAll((0..100).map(Value::Int).collect()), Op::Remove(Value::Int(7))]);
    let since = Since::of(&key, Some(&added), 0).expect("it fits");
    let Beyond::All(missing) = since.beyond(&key, &removed) else { panic!("it fits") };
    let mut joined = added.clone();
    assert!(joined.merge(missing) && joined == removed, "a removal is beyond an addition");
    let since = Since::of(&key, Some(&removed), 0).expect("it fits");
    assert_eq!(since.beyond(&key, &added), Beyond::All(State::bottom(&Type::AwSet)));
}

#[test]
fn messages_survive_their_encoding() {
    let b = large("b");
    let state = words(&b, 0, 100);
    let sinces = [Since::Nothing, Since::Digest(state.digest()), Since::of(&b, Some(&state), 0).expect("a sketch")];
    let questions =
        sinces.into_iter().map(|since| Message::Beyond { number: 3, life: 900, turn: 2, key: b.clone(), since });
    let caught = [true, false].map(|more| Message::Caught { number: 4, more, key: b.clone(), delta: state.clone() });
    let others = [Message::Unclear { number: 5 }, Message::Gone { number: 6 }];
    for message in questions.chain(caught).chain(others) {
        assert_eq!(from_bytes::<Message>(&to_bytes(&message)), Ok(message));
    }
    assert!(from_bytes::<Message>(&[5, 1]).is_err());
}

#[test]
fn texts_are_those_of_the_standard_and_no_bytes_have_two() {
    for (bytes, text) in
        [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("\u{fb}\u{ff}", "w7vDvw")]
    {
        assert_eq!(TEXT.encode(bytes), text);
        assert_eq!(TEXT.decode(text).as_deref(), Ok(bytes.as_bytes()));
    }
    let all: Vec<u8> = (0..=255).collect();
    assert_eq!(TEXT.decode(TEXT.encode(&all)), Ok(all));
    for odd in ["A", "Zh", "Zm9", "Zm8=", "Zm 8", "Zm+/", "ü"] {
        assert!(TEXT.decode(odd).is_err(), "{odd}");
    }
}
