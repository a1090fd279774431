use super::message::{MAX_HOPS, Passing};
use super::own::Terms;
use super::*;
use crate::command::RequestError;
use crate::payload::Batch;
use lasp_crdt::codec::{from_bytes, to_bytes};
use lasp_crdt::fingerprint::mix;
use lasp_crdt::{GCounter, GSet, ReplicaId};
use lasp_dataflow::{Name, State, Type, Value};
use lasp_overlay::Time;

const ME: PeerId = PeerId(100);
const SECOND: Duration = Duration::from_secs(1);

fn key() -> Key {
    Key::new(Name::new("views").unwrap(), Type::GCounter)
}

fn delta() -> State {
    State::GCounter(GCounter::default().increment(ReplicaId(7), 3))
}

fn batch() -> Batch {
    Batch::single(key(), delta())
}

fn peers(ids: &[u64]) -> Vec<PeerId> {
    ids.iter().copied().map(PeerId).collect()
}

fn request(id: u64) -> RequestId {
    RequestId(id)
}

fn plain(number: u64) -> Message {
    Message::Entrust { number, passing: None, batch: batch() }
}

fn held(number: u64, by: &[u64]) -> Message {
    Message::Held { number, by: peers(by) }
}

fn passing(serial: u64, round: u32, hops: u8, wanted: usize) -> Passing {
    Passing { origin: ME, life: 5, serial, round, hops, wanted }
}

fn passed(number: u64, passing: Passing) -> Message {
    Message::Entrust { number, passing: Some(passing), batch: batch() }
}

fn acknowledged(by: &[u64], wanted: usize) -> Answer {
    let acknowledgement = Acknowledgement { by: peers(by), wanted, known: 9 };
    Answer { request: request(1), acknowledgement, session: None }
}

fn terms(id: u64, wanted: usize) -> Terms {
    Terms { request: request(id), wanted, within: SECOND, session: None }
}

fn round(number: u64, round: u32) -> (Duration, Timer) {
    (Duration::from_millis(200 << round), Timer { number, turn: Turn::Round(round) })
}

fn say(say: Vec<(u64, Message)>) -> Vec<(PeerId, Message)> {
    say.into_iter().map(|(peer, message)| (PeerId(peer), message)).collect()
}

/// Runs with these neighbours, of which those below 50 want the variable.
fn around<T>(ids: &[u64], work: impl FnOnce(&Around<'_>) -> T) -> T {
    let neighbours = peers(ids);
    work(&Around { neighbours: &neighbours, wants: &|peer, _| peer.0 < 50 })
}

fn own() -> Assured {
    Assured::new(AssuredConfig::default(), ME, 5)
}

/// In the order of the first update.
fn ordered(ids: &[u64]) -> Vec<u64> {
    let mut ids = ids.to_vec();
    ids.sort_by_key(|&id| mix(1, id));
    ids
}

fn begin(assured: &mut Assured, wanted: usize, ids: &[u64]) -> Outcome {
    around(ids, |around| assured.begin(terms(1, wanted), &key(), delta(), around))
}

#[test]
fn as_many_neighbours_are_asked_as_are_to_hold_it_and_the_owner_hears_when_they_do() {
    let mut assured = own();
    let order = ordered(&[1, 2, 3]);
    let end = (SECOND, Timer { number: 1, turn: Turn::End });
    assert_eq!(
        begin(&mut assured, 2, &[1, 2, 3, 60]),
        Outcome {
            say: say(vec![(order[0], plain(1)), (order[1], plain(1))]),
            timers: vec![end, round(1, 0)],
            answers: vec![],
        }
    );
    assert!(!assured.is_idle());
    assert_eq!(assured.held(PeerId(order[0]), 1, &[], 9), Outcome::default());
    assert_eq!(assured.held(PeerId(order[0]), 1, &[], 9), Outcome::default(), "a node counts once");
    assert_eq!(assured.held(PeerId(1), 1, &[ME], 9), Outcome::default(), "this node does not count");
    let mut by = [order[0], order[1]];
    by.sort_unstable();
    let done = assured.held(PeerId(order[1]), 1, &[], 9);
    assert_eq!(done, Outcome { answers: vec![acknowledged(&by, 2)], ..Outcome::default() });
    assert!(assured.is_idle());
    assert_eq!(assured.held(PeerId(3), 1, &[], 9), Outcome::default(), "answered once");
    let late = around(&[1], |around| assured.expired(Timer { number: 1, turn: Turn::End }, 9, around));
    assert_eq!(late, Outcome::default());
}

#[test]
fn silence_has_all_who_want_it_asked_then_those_behind_them_further_each_time() {
    let mut assured = own();
    let order = ordered(&[1, 2, 3]);
    begin(&mut assured, 1, &[1, 2, 3, 60]);
    let mut expire = |turn| around(&[1, 2, 3, 60], |around| assured.expired(Timer { number: 1, turn }, 9, around));
    assert_eq!(expire(Turn::Round(7)), Outcome::default(), "a round that is not");
    let asked = expire(Turn::Round(0));
    assert_eq!(asked.say, say(order.iter().map(|&peer| (peer, plain(1))).collect()));
    assert_eq!(asked.timers, [round(1, 1)]);
    for (last, hops) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 32)] {
        let asked = expire(Turn::Round(last));
        let on = passed(1, passing(1, last + 1, hops.min(MAX_HOPS), 1));
        let all = [1, 2, 3, 60].map(|peer| (peer, on.clone())).to_vec();
        assert_eq!(asked.say, say(all));
        let patience = Duration::from_millis(200 << (last + 1)).min(5 * SECOND);
        assert_eq!(asked.timers, [(patience, Timer { number: 1, turn: Turn::Round(last + 1) })]);
    }
}

#[test]
fn where_too_few_neighbours_want_it_they_pass_it_on_and_those_they_name_count() {
    let mut assured = own();
    let asked = begin(&mut assured, 3, &[1, 2, 60]);
    let on = passed(1, passing(1, 0, 1, 3));
    assert_eq!(asked.say, say([1, 2, 60].map(|peer| (peer, on.clone())).to_vec()));
    assert_eq!(assured.held(PeerId(1), 1, &[], 9), Outcome::default());
    assert_eq!(assured.held(PeerId(60), 1, &peers(&[1, 33]), 9), Outcome::default());
    let done = assured.held(PeerId(2), 1, &peers(&[4]), 9);
    assert_eq!(done.answers, [acknowledged(&[1, 4, 33], 3)]);
}

#[test]
fn when_the_time_is_over_the_owner_hears_who_holds_it() {
    let mut assured = own();
    begin(&mut assured, 2, &[1, 2]);
    assured.held(PeerId(2), 1, &[], 9);
    let over = around(&[1, 2], |around| assured.expired(Timer { number: 1, turn: Turn::End }, 9, around));
    assert_eq!(over, Outcome { answers: vec![acknowledged(&[2], 2)], ..Outcome::default() });
    assert!(!over.answers[0].acknowledgement.is_enough() && assured.is_idle());
}

#[test]
fn a_neighbour_that_goes_is_replaced_and_one_that_comes_is_asked() {
    let mut assured = own();
    let order = ordered(&[1, 2, 3]);
    begin(&mut assured, 1, &[1, 2, 3]);
    let rest: Vec<u64> = order[1..].to_vec();
    let gone = around(&rest, |around| assured.peer_down(PeerId(order[0]), around));
    assert_eq!(gone.say, say(vec![(order[1], plain(1))]));
    let gone = around(&rest, |around| assured.peer_down(PeerId(order[0]), around));
    assert_eq!(gone, Outcome::default(), "it was replaced");
    let came = around(&[4], |around| assured.peer_up(PeerId(4), around));
    assert_eq!(came.say, say(vec![(4, plain(1))]));
    let came = around(&[70], |around| assured.peer_up(PeerId(70), around));
    assert_eq!(came, Outcome::default(), "it does not want the variable");
}

#[test]
fn a_large_delta_goes_in_pieces_and_counts_where_all_of_them_are() {
    let mut assured = own();
    let key = Key::new(Name::new("words").unwrap(), Type::GSet);
    let words = (0..5).map(|n| Value::from(format!("{n}{}", "x".repeat(10_000)).as_str()));
    let mut all = State::bottom(&Type::GSet);
    words.for_each(|word| _ = all.merge(State::GSet(GSet::default().add(word))));
    let asked = around(&[1, 2], |around| assured.begin(terms(1, 1), &key, all.clone(), around));
    let mut together = State::bottom(&Type::GSet);
    let mut numbers = Vec::new();
    for (peer, message) in &asked.say {
        let Message::Entrust { number, passing: None, batch } = message else { panic!("{message:?}") };
        assert_eq!(*peer, asked.say[0].0);
        batch.iter().for_each(|(_, piece)| _ = together.merge(piece.clone()));
        numbers.push(*number);
    }
    assert_eq!((together, &numbers[..]), (all, &[1, 2, 3, 4, 5][..]));
    for (peer, number) in [(1, 1), (1, 2), (1, 3), (1, 4), (2, 5)] {
        assert_eq!(assured.held(PeerId(peer), number, &[], 9), Outcome::default(), "nobody holds all of it");
    }
    assert_eq!(assured.held(PeerId(1), 5, &[], 9).answers, [acknowledged(&[1], 1)]);
}

#[test]
fn what_cannot_be_waited_for_is_refused_and_what_nobody_waits_for_is_forgotten() {
    let config = AssuredConfig { open: 2, ..AssuredConfig::default() };
    let mut assured = Assured::new(config, ME, 5);
    assert_eq!(assured.admit(MOST + 1), Err(RequestError::TooManyWanted { wanted: MOST + 1, most: MOST }));
    for id in [1, 2] {
        assert_eq!(assured.admit(1), Ok(()));
        around(&[1], |around| assured.begin(terms(id, 1), &key(), delta(), around));
    }
    assert_eq!(assured.admit(1), Err(RequestError::TooManyAssured { open: 2 }));
    assured.cancel(request(1));
    assert_eq!(assured.admit(1), Ok(()));
    assert_eq!(assured.held(PeerId(1), 1, &[], 9), Outcome::default(), "nobody hears of it");
    assured.cancel(request(2));
    assert!(assured.is_idle());
}

#[test]
fn hostile_names_fill_nothing() {
    let mut assured = own();
    begin(&mut assured, 1_000, &[1]);
    let piece = 1;
    for first in 0..20 {
        let names: Vec<u64> = (0..MOST as u64).map(|n| first * 10_000 + n % 40 + 1_000).collect();
        assured.held(PeerId(1), piece, &peers(&names), 9);
    }
    assert!(!assured.is_idle(), "names are counted once");
    assert_eq!(assured.held(PeerId(1), 77, &[], 9), Outcome::default(), "nothing has this number");
}

// ---- for others ----

fn witness() -> Witness {
    let mut witness = Witness::new(AssuredConfig::default(), PeerId(1));
    witness.peer_up(Time::ZERO, ME);
    witness.peer_up(Time::ZERO, PeerId(2));
    witness
}

fn entrust(witness: &mut Witness, from: PeerId, number: u64, passing: Option<Passing>, held: bool) -> Outcome {
    let (entrusted, ours) = ((number, passing, batch()), 500 + number);
    around(&[2, 3, 100], |around| witness.entrusted(Time::ZERO, from, entrusted, held, || ours, around))
}

#[test]
fn what_is_entrusted_is_answered_each_time_if_it_is_held() {
    let mut witness = witness();
    for _ in 0..2 {
        assert_eq!(entrust(&mut witness, ME, 8, None, true).say, say(vec![(100, held(8, &[]))]));
    }
    assert_eq!(entrust(&mut witness, ME, 8, None, false), Outcome::default());
}

#[test]
fn what_is_to_be_passed_on_is_and_the_answers_come_back_each_node_once() {
    let mut witness = witness();
    let ask = passing(8, 0, 1, 3);
    let on = passed(508, Passing { hops: 0, ..ask });
    let asked = entrust(&mut witness, ME, 8, Some(ask), true);
    assert_eq!(asked.say, say(vec![(100, held(8, &[])), (2, on.clone()), (3, on)]));
    let other_way = entrust(&mut witness, PeerId(2), 9, Some(Passing { hops: 0, ..ask }), true);
    assert_eq!(other_way, Outcome::default(), "it was answered");
    assert_eq!(witness.held(PeerId(2), 508, &[]).say, say(vec![(100, held(8, &[2]))]));
    assert_eq!(witness.held(PeerId(2), 508, &[]), Outcome::default());
    let news = witness.held(PeerId(3), 508, &peers(&[1, 2, 30, 31, 32, 100]));
    assert_eq!(news.say, say(vec![(100, held(8, &[30, 31]))]), "three were wanted; origin and this node do not count");
    assert_eq!(witness.held(PeerId(3), 508, &peers(&[40])), Outcome::default());
    let again = entrust(&mut witness, ME, 8, Some(Passing { round: 1, ..ask }), false);
    assert_eq!(again.say.len(), 2, "asked again, passed on again");
    assert_eq!(witness.held(PeerId(3), 508, &peers(&[40])).say, say(vec![(100, held(8, &[40]))]));
}

#[test]
fn the_last_link_passes_nothing_on_and_nobody_has_more_passed_on_than_his_share() {
    let mut witness = witness();
    let asked = entrust(&mut witness, ME, 8, Some(passing(8, 0, 0, 3)), true);
    assert_eq!(asked.say, say(vec![(100, held(8, &[]))]));
    let passed: usize =
        (10..1_000).map(|n| entrust(&mut witness, ME, n, Some(passing(n, 0, 1, 3)), false).say.len() / 2).sum();
    assert_eq!((passed, witness.refused()), (128, 990 - 128));
    assert_eq!(witness.held(PeerId(2), 508, &[]), Outcome::default(), "the oldest is forgotten");
    assert_eq!(entrust(&mut witness, PeerId(3), 7, Some(passing(2_000, 0, 1, 3)), false), Outcome::default());
}

// ---- bytes ----

#[test]
fn messages_survive_their_encoding_and_odd_ones_are_refused() {
    let ask = passing(300, 2, 4, 1_000);
    for message in [plain(3), passed(4, ask), held(5, &[]), held(6, &[1, 2])] {
        assert_eq!(from_bytes::<Message>(&to_bytes(&message)).as_ref(), Ok(&message));
    }
    let far = passed(4, Passing { hops: MAX_HOPS + 1, ..ask });
    let many = passed(4, Passing { wanted: MOST + 1, ..ask });
    let none = passed(4, Passing { wanted: 0, ..ask });
    for odd in [far, many, none, held(6, &[2, 1]), held(6, &[1, 1])] {
        assert!(from_bytes::<Message>(&to_bytes(&odd)).is_err(), "{odd:?}");
    }
    assert!(from_bytes::<Message>(&[3, 6, 0]).is_err(), "nobody named");
    assert!(from_bytes::<Message>(&[4, 6]).is_err(), "unknown");
    assert_eq!(to_bytes(&held(5, &[])), [2, 5], "an acknowledgement takes two bytes");
}
