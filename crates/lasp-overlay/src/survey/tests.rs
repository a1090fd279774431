//! What the machine does with every input, effect by effect; and whole worlds of it.

use super::machine::Timer;
use super::message::limited;
use super::{Ask, Command, Config, Event, MAX_RECORDS, Message, Neighbor, Record, Survey, SurveyId};
use crate::peer::{Addr, Contact, PeerId};
use crate::protocol::{Input, Outbox, Output, Protocol};
use crate::time::Time;
use crate::unicast::Stamp;
use lasp_crdt::codec::{from_bytes, to_bytes};
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};

const ME: PeerId = PeerId(1);
const A: PeerId = PeerId(11);
const B: PeerId = PeerId(12);
const FAR: PeerId = PeerId(77);

fn record(id: PeerId, neighbors: &[PeerId]) -> Record {
    let contact = Contact { id, incarnation: 3, addr: Addr::new("here:1").expect("short") };
    let neighbors: Vec<Neighbor> = neighbors.iter().map(|&id| Neighbor { id, eager: id.0 % 2 == 1 }).collect();
    Record {
        contact,
        name: "n".into(),
        role: "".into(),
        mark: 9,
        degree: neighbors.len() as u64,
        neighbors,
        known: 2,
        others: vec![FAR],
    }
}

const fn id(origin: PeerId, serial: u64) -> SurveyId {
    SurveyId { origin, stamp: Stamp { life: 5, serial } }
}

const fn ask(id: SurveyId, hops: u8) -> Message {
    Message::Ask(Ask { id, hops, wide: false })
}

struct Fixture {
    peer: Survey,
    now: Time,
}

impl Fixture {
    fn new(config: Config, neighbors: &[PeerId]) -> Self {
        let mut this = Self { peer: Survey::new(config, ME, 5), now: Time::ZERO };
        for &peer in neighbors {
            assert_eq!(this.command(Command::NeighborUp(peer)), []);
        }
        this
    }

    fn input(&mut self, input: Input<Survey>) -> Vec<Output<Survey>> {
        let mut out = Outbox::new();
        self.peer.handle(self.now, input, &mut out);
        out.take()
    }

    fn command(&mut self, command: Command) -> Vec<Output<Survey>> {
        self.input(Input::Command(command))
    }

    fn receive(&mut self, from: PeerId, message: Message) -> Vec<Output<Survey>> {
        self.input(Input::Received { from, message })
    }

    fn tell(&mut self, from: PeerId, id: SurveyId, records: Vec<Record>) -> Vec<Output<Survey>> {
        self.receive(from, Message::Tell { id, records })
    }
}

fn send(to: PeerId, message: Message) -> Output<Survey> {
    Output::Send { to, message }
}

#[test]
fn who_asks_asks_every_neighbour_and_ends_when_nothing_new_comes() {
    let config = Config::default();
    let (quiet, own) = (config.quiet, id(ME, 1));
    let mut me = Fixture::new(config, &[A, B]);
    let effects = me.command(Command::Begin { token: 7, wide: false });
    let describe = Output::Emit(Event::Describe { id: own, wide: false });
    let timer = |after| Output::SetTimer { after, timer: Timer::Quiet(1) };
    assert_eq!(effects, [send(A, ask(own, 1)), send(B, ask(own, 1)), describe, timer(quiet)]);
    assert_eq!(me.command(Command::Describe(own, Box::new(record(ME, &[A, B])))), []);
    me.now = Time::from_millis(100);
    assert_eq!(me.tell(B, own, vec![record(B, &[ME]), record(B, &[FAR])]), []);
    me.now = Time::from_millis(250);
    let later = Output::SetTimer { after: std::time::Duration::from_millis(250), timer: Timer::Quiet(1) };
    assert_eq!(me.input(Input::Expired(Timer::Quiet(1))), [later], "four times the pause of 100 ms, from then");
    me.now = Time::from_millis(500);
    let records = vec![record(ME, &[A, B]), record(B, &[ME])];
    assert_eq!(me.input(Input::Expired(Timer::Quiet(1))), [Output::Emit(Event::Done { token: 7, records })]);
    assert_eq!(me.tell(A, own, vec![record(A, &[ME])]), [], "too late");
}

#[test]
fn a_question_is_passed_on_once_and_answers_go_back_together() {
    let config = Config::default();
    let gather = config.gather;
    let mut me = Fixture::new(config, &[A, B]);
    let describe = Output::Emit(Event::Describe { id: id(FAR, 1), wide: false });
    assert_eq!(me.receive(A, ask(id(FAR, 1), 3)), [send(B, ask(id(FAR, 1), 4)), describe]);
    assert_eq!(me.receive(B, ask(id(FAR, 1), 3)), [], "known");
    let timer = Output::SetTimer { after: gather, timer: Timer::Gather(id(FAR, 1)) };
    assert_eq!(me.command(Command::Describe(id(FAR, 1), Box::new(record(ME, &[A])))), [timer]);
    assert_eq!(me.tell(B, id(FAR, 1), vec![record(B, &[ME])]), []);
    let records = vec![record(ME, &[A]), record(B, &[ME])];
    assert_eq!(
        me.input(Input::Expired(Timer::Gather(id(FAR, 1)))),
        [send(A, Message::Tell { id: id(FAR, 1), records })]
    );
    assert_eq!(me.input(Input::Expired(Timer::Gather(id(FAR, 1)))), []);
}

#[test]
fn a_full_message_does_not_wait() {
    let mut me = Fixture::new(Config::default(), &[A, B]);
    me.receive(A, ask(id(FAR, 1), 3));
    let many = |from: u64| (from..from + 40).map(|peer| record(PeerId(peer), &[])).collect::<Vec<_>>();
    assert_eq!(me.tell(B, id(FAR, 1), many(100)).len(), 1, "a timer");
    let effects = me.tell(B, id(FAR, 1), many(200));
    let [Output::Send { to: A, message: Message::Tell { records, .. } }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(records.len(), MAX_RECORDS);
}

#[test]
fn everything_is_bounded() {
    let config = Config { own: 1, remembered: 2, parts: 3, per_second: 2, max_hops: 4, ..Config::default() };
    let mut me = Fixture::new(config, &[A, B]);
    assert_eq!(me.receive(FAR, ask(id(FAR, 1), 0)), [], "no neighbour");
    assert_eq!(me.tell(A, id(FAR, 1), vec![record(A, &[])]), [], "of a survey that nobody asked for");
    let passed = (0..9).filter(|&serial| !me.receive(A, ask(id(FAR, serial), 4)).is_empty()).count();
    assert_eq!(passed, 4, "twice as many as a second's");
    assert_eq!((me.peer.others.len(), me.peer.order.len()), (2, 2));
    assert_eq!(me.tell(B, id(FAR, 0), vec![record(B, &[])]), [], "forgotten");
    let last = id(FAR, 3);
    me.tell(B, last, vec![record(B, &[]); 9]);
    assert_eq!(me.peer.others[&last].waiting.len(), 3);
    let begun = me.command(Command::Begin { token: 1, wide: true });
    assert_eq!(begun.len(), 4);
    let done = Output::Emit(Event::Done { token: 2, records: Vec::new() });
    assert_eq!(me.command(Command::Begin { token: 2, wide: true }), [done]);
    me.tell(A, id(ME, 1), (20..40).map(|peer| record(PeerId(peer), &[])).collect());
    assert_eq!(me.peer.own[&1].records.len(), 3);
    me.command(Command::Forget(1));
    assert!(me.peer.own.is_empty());
    assert_eq!(me.input(Input::Expired(Timer::Quiet(1))), []);
}

#[test]
fn a_question_ends_after_so_many_links() {
    let mut me = Fixture::new(Config { max_hops: 4, ..Config::default() }, &[A, B]);
    let describe = Output::Emit(Event::Describe { id: id(FAR, 1), wide: false });
    assert_eq!(me.receive(A, ask(id(FAR, 1), 4)), [describe]);
}

#[test]
fn names_are_cut_between_characters() {
    assert_eq!(&*limited("short"), "short");
    let long = "ü".repeat(40);
    assert_eq!(limited(&long).len(), 64);
    assert_eq!(&*limited(&format!("a{long}")), format!("a{}", "ü".repeat(31)));
}

/// Surveys all of a graph from peer 0, first come first served; the ids that answered.
fn survey(peers: u64, edges: &[(u64, u64)]) -> Vec<u64> {
    let mut world: BTreeMap<u64, Survey> =
        (0..peers).map(|at| (at, Survey::new(Config::default(), PeerId(at), 1))).collect();
    let mut inputs: VecDeque<(u64, Input<Survey>)> = VecDeque::new();
    for &(from, to) in edges.iter().filter(|(from, to)| from != to) {
        inputs.push_back((from, Input::Command(Command::NeighborUp(PeerId(to)))));
        inputs.push_back((to, Input::Command(Command::NeighborUp(PeerId(from)))));
    }
    inputs.push_back((0, Input::Command(Command::Begin { token: 1, wide: false })));
    let mut late: VecDeque<(u64, Input<Survey>)> = VecDeque::new();
    let mut now = 0;
    while let Some((at, input)) = inputs.pop_front().or_else(|| late.pop_front()) {
        now += 1;
        // The asker's own patience runs out when all else is done.
        if matches!(&input, Input::Expired(Timer::Quiet(_))) && !(inputs.is_empty() && late.is_empty()) {
            late.push_back((at, input));
            continue;
        }
        let quiet = matches!(&input, Input::Expired(Timer::Quiet(_)));
        let mut out = Outbox::new();
        let time = if quiet { Time::from_millis(10_000_000) } else { Time::from_millis(now) };
        world.get_mut(&at).expect("a peer").handle(time, input, &mut out);
        for effect in out.take() {
            match effect {
                Output::Send { to, message } => {
                    inputs.push_back((to.0, Input::Received { from: PeerId(at), message }));
                }
                Output::SetTimer { timer, .. } => late.push_back((at, Input::Expired(timer))),
                Output::Emit(Event::Describe { id, .. }) => {
                    let own = record(PeerId(at), &[]);
                    inputs.push_back((at, Input::Command(Command::Describe(id, Box::new(own)))));
                }
                Output::Emit(Event::Done { records, .. }) => {
                    return records.iter().map(|record| record.contact.id.0).collect();
                }
                other => panic!("{other:?}"),
            }
        }
    }
    panic!("it never ends")
}

/// Whoever can be reached from peer 0.
fn reachable(edges: &[(u64, u64)]) -> Vec<u64> {
    let mut found = std::collections::BTreeSet::from([0]);
    loop {
        let before = found.len();
        for &(from, to) in edges {
            if found.contains(&from) || found.contains(&to) {
                found.extend([from, to]);
            }
        }
        if found.len() == before {
            return found.into_iter().collect();
        }
    }
}

proptest! {
    #[test]
    fn everybody_who_can_be_reached_answers(edges in proptest::collection::vec((0u64..24, 0u64..24), 0..60)) {
        prop_assert_eq!(survey(24, &edges), reachable(&edges));
    }

    #[test]
    fn messages_survive_their_encoding(wide: bool, hops: u8, neighbors in proptest::collection::vec(any::<u64>(), 0..64)) {
        let asked = Message::Ask(Ask { id: id(FAR, 3), hops, wide });
        prop_assert_eq!(from_bytes::<Message>(&to_bytes(&asked)), Ok(asked));
        let neighbors: Vec<PeerId> = neighbors.into_iter().map(PeerId).collect();
        let told = Message::Tell { id: id(FAR, 3), records: vec![record(A, &neighbors), record(B, &[])] };
        prop_assert_eq!(from_bytes::<Message>(&to_bytes(&told)), Ok(told));
    }

    #[test]
    fn hostile_bytes_are_refused_or_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(message) = from_bytes::<Message>(&bytes) {
            prop_assert_eq!(from_bytes::<Message>(&to_bytes(&message)), Ok(message));
        }
    }
}

#[test]
fn too_many_of_anything_is_refused() {
    let told = |records| to_bytes(&Message::Tell { id: id(FAR, 1), records });
    let peers: Vec<PeerId> = (0..65).map(PeerId).collect();
    assert!(from_bytes::<Message>(&told(vec![record(A, &peers)])).is_err());
    assert!(from_bytes::<Message>(&told(vec![record(A, &[]); 65])).is_err());
    let long = Record { name: "x".repeat(65).into(), ..record(A, &[]) };
    assert!(from_bytes::<Message>(&told(vec![long])).is_err());
}
