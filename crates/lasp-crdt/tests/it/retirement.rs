//! Replicas that come, write and leave, by the protocol of "Retiring replicas" in `docs/lattices.md`: what they leave
//! behind does not grow with their number, and nothing that they did is lost or counted twice.
//!
//! The server that handed out an id is its steward: it makes sure that it has seen all that the client wrote, removes or
//! takes over what still lives by the client's dots, and retires it.

use crate::laws::shuffle;
use lasp_crdt::fingerprint::mix;
use lasp_crdt::{
    AwSet, BaseId, Delta, Derived, Dot, DotSet, DwFlag, Fingerprint, GCounter, Lattice, MvRegister, PnCounter,
    ReplicaId, RwSet, StillLive, codec, laws,
};
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::BTreeSet;

/// What everybody replicates.
type State = (GCounter, PnCounter, AwSet<u64>);

/// The deltas by which the client's server retires clients of which nothing lives.
fn retired(state: &State, steward: ReplicaId, clients: &[ReplicaId]) -> State {
    let ids = || clients.iter().copied();
    let mut delta = (state.0.retire(steward, ids()), state.1.retire(steward, ids()), AwSet::new());
    for client in ids() {
        delta.2.merge(state.2.retire(client).expect("nothing of it lives"));
    }
    delta
}

const SERVERS: usize = 4;
const CLIENTS_EACH: u64 = 250_000;
/// How many clients of one server are there at a time.
const WAVE: u64 = 250;

struct Server {
    id: ReplicaId,
    state: State,
    /// What is under way to it, and when it arrives. Late, twice, in any order; or never, and then anti-entropy covers it.
    under_way: Vec<(u64, State)>,
}

struct Service {
    servers: Vec<Server>,
    /// Deltas of clients that come up again long after.
    late: Vec<State>,
    counted: u64,
    balance: i64,
    /// The most entries and ranges, and the most bytes, of a server in the middle of a wave.
    most: (usize, usize),
    random: u64,
}

/// The `n`-th id that a server hands out: in sequence, and nobody else's.
fn client_of(server: usize, n: u64) -> ReplicaId {
    ReplicaId((server as u64 + 1) << 40 | n)
}

impl Service {
    fn new() -> Self {
        let server =
            |at: usize| Server { id: ReplicaId(at as u64 + 1), state: State::default(), under_way: Vec::new() };
        let servers = (0..SERVERS).map(server).collect();
        Self { servers, late: Vec::new(), counted: 0, balance: 0, most: (0, 0), random: 0x5eed }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.random = mix(self.random, below);
        self.random % below
    }

    /// One client comes, writes and leaves, or crashes in between. What it sends reaches its server perhaps in the wrong
    /// order.
    fn client(&mut self, at: usize, n: u64) {
        let id = client_of(at, n);
        let mut client = State::default();
        client.merge((client.0.increment(id, 2), client.1.increment(id, 5), client.2.add(id, n % 64)));
        let mut sent = [client.clone(), State::default()];
        (self.counted, self.balance) = (self.counted + 2, self.balance + 5);
        let crashes = n.is_multiple_of(10);
        if !crashes {
            sent[1] = (client.0.increment(id, 1), client.1.decrement(id, 6), client.2.remove(&(n % 64)));
            (self.counted, self.balance) = (self.counted + 1, self.balance - 6);
        }
        if n.is_multiple_of(1_000) {
            self.late.extend(sent.clone());
        }
        if n.is_multiple_of(3) {
            sent.reverse();
        }
        for delta in sent {
            self.servers[at].state.merge(delta);
        }
    }

    /// All clients of one server that are there at a time. The others hear of them, then of their end.
    fn wave(&mut self, at: usize, wave: u64) {
        let (numbers, before) = (wave * WAVE..(wave + 1) * WAVE, self.servers[at].state.digest());
        numbers.clone().for_each(|n| self.client(at, n));
        self.measure(wave, at);
        self.broadcast(at, wave, self.servers[at].state.delta(&before));

        let server = &mut self.servers[at];
        let clients: Vec<ReplicaId> = numbers.map(|n| client_of(at, n)).collect();
        // What those that crashed left behind.
        let left = server.state.2.unordered_entries().filter(|(_, dots)| is_of(dots, &clients));
        let left: Vec<u64> = left.map(|(&element, _)| element).collect();
        let mut told = (GCounter::new(), PnCounter::new(), server.state.2.remove_all(&left));
        server.state.merge(told.clone());
        let end = retired(&server.state, server.id, &clients);
        server.state.merge(end.clone());
        told.merge(end);
        self.broadcast(at, wave, told);
    }

    /// Notes what a server keeps and would write to disk, now and then.
    fn measure(&mut self, wave: u64, at: usize) {
        if wave % 50 == 9 {
            let state = &self.servers[at].state;
            let entries = state.0.counts().count() + state.2.context().range_count() + state.2.len();
            self.most = (self.most.0.max(entries), self.most.1.max(codec::to_bytes(state).len()));
        }
    }

    fn broadcast(&mut self, from: usize, now: u64, delta: State) {
        for to in (0..SERVERS).filter(|&to| to != from) {
            for _ in 0..[0, 1, 1, 2][self.draw(4) as usize] {
                let due = now + self.draw(4);
                self.servers[to].under_way.push((due, delta.clone()));
            }
        }
    }

    fn arrive(&mut self, now: u64) {
        let order = self.draw(u64::MAX);
        for server in &mut self.servers {
            let (mut due, rest) = server.under_way.drain(..).partition::<Vec<_>, _>(|&(due, _)| due <= now);
            server.under_way = rest;
            shuffle(&mut due, order);
            for (_, delta) in due {
                server.state.merge(delta);
            }
        }
    }

    /// Every server asks every other one for what it lacks.
    fn repair(&mut self) {
        for to in 0..SERVERS {
            for from in 0..SERVERS {
                let delta = self.servers[from].state.delta(&self.servers[to].state.digest());
                self.servers[to].state.merge(delta);
            }
        }
    }
}

fn is_of(dots: &[Dot], clients: &[ReplicaId]) -> bool {
    dots.iter().any(|dot| clients.binary_search(&dot.replica).is_ok())
}

#[test]
fn a_million_clients_leave_no_more_behind_than_a_handful() {
    let mut service = Service::new();
    for wave in 0..CLIENTS_EACH / WAVE {
        for at in 0..SERVERS {
            service.wave(at, wave);
        }
        service.arrive(wave);
        if wave % 10 == 9 {
            service.repair();
        }
    }
    service.arrive(u64::MAX);
    service.repair();
    let (entries, bytes) = service.most;
    assert!(entries <= 10_000 && bytes <= 32 << 10, "{entries} entries, {bytes} bytes");

    let state = &service.servers[0].state;
    assert!(service.servers.iter().all(|server| server.state == *state));
    assert_eq!((state.0.value(), state.1.value(), state.2.len()), (service.counted, service.balance, 0));
    assert_eq!((state.0.counts().count(), state.2.context().replicas().count()), (0, 0));
    assert_eq!(state.2.context().range_count(), SERVERS, "one range of ids for each server");
    assert!(codec::to_bytes(state).len() <= 256, "{}", codec::to_bytes(state).len());

    // What comes up again of those that are gone.
    assert_eq!(service.late.len(), 2_000);
    for delta in service.late {
        assert!(!service.servers[0].state.merge(delta));
    }
}

/// What a writer may do.
#[derive(Clone, Debug)]
enum Act {
    Count(u64),
    Raise(u64),
    Lower(u64),
    Add(u64),
    Remove(u64),
}

#[derive(Clone, Debug)]
enum Step {
    /// A server hands out an id.
    Come(usize),
    /// A client writes, were it even one that is taken for dead.
    Write(Index, Act),
    Serve(usize, Act),
    /// A server gets any delta so far: an operation of a writer or the end of one.
    Deliver(Index, usize),
    /// A client gets what it lacks of a server.
    Hear(Index, usize),
    /// A server gets what it lacks of another.
    Sync(usize, usize),
    /// A client tells its server all it has, and is gone.
    Leave(Index),
    /// A client is silent for so long that its server takes it for dead.
    Vanish(Index),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (1..9u64).prop_map(Act::Count),
        (1..9u64).prop_map(Act::Raise),
        (1..9u64).prop_map(Act::Lower),
        (0..4u64).prop_map(Act::Add),
        (0..4u64).prop_map(Act::Add),
        (0..4u64).prop_map(Act::Remove),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (0..3usize).prop_map(Step::Come),
        8 => (any::<Index>(), act()).prop_map(|(client, act)| Step::Write(client, act)),
        2 => (0..3usize, act()).prop_map(|(at, act)| Step::Serve(at, act)),
        8 => (any::<Index>(), 0..3usize).prop_map(|(delta, to)| Step::Deliver(delta, to)),
        3 => (any::<Index>(), 0..3usize).prop_map(|(client, from)| Step::Hear(client, from)),
        2 => (0..3usize, 0..3usize).prop_map(|(from, to)| Step::Sync(from, to)),
        1 => any::<Index>().prop_map(Step::Leave),
        1 => any::<Index>().prop_map(Step::Vanish),
    ];
    prop::collection::vec(step, 0..60)
}

/// What a writer has, and which operations that is.
#[derive(Clone, Default)]
struct Node {
    id: ReplicaId,
    state: State,
    known: BTreeSet<usize>,
}

struct Client {
    node: Node,
    server: usize,
    has_left: bool,
}

/// An operation, and what was known to the one who made it.
struct Logged {
    by: ReplicaId,
    act: Act,
    observed: BTreeSet<usize>,
    /// Its writer was retired by one who had not heard of it.
    is_void: bool,
}

/// All that was ever said.
#[derive(Default)]
struct History {
    log: Vec<Logged>,
    /// With the operation it is of, if any.
    deltas: Vec<(State, Option<usize>)>,
    retired: BTreeSet<ReplicaId>,
}

#[derive(Default)]
struct Lives {
    servers: [Node; 3],
    clients: Vec<Client>,
    history: History,
}

fn lacking(from: &Node, to: &mut Node) {
    to.state.merge(from.state.delta(&to.state.digest()));
    to.known.extend(&from.known);
}

impl Lives {
    fn run(steps: &[Step]) -> Self {
        let mut lives = Self::default();
        for (at, server) in lives.servers.iter_mut().enumerate() {
            server.id = ReplicaId(at as u64 + 1);
        }
        steps.iter().for_each(|step| lives.step(step));
        lives.converge();
        lives
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Come(server) => {
                let id = client_of(*server, self.clients.len() as u64);
                let node = Node { id, ..Node::default() };
                self.clients.push(Client { node, server: *server, has_left: false });
            }
            Step::Serve(at, act) => self.history.write(&mut self.servers[*at], act),
            Step::Deliver(delta, to) if !self.history.deltas.is_empty() => {
                let (delta, operation) = &self.history.deltas[delta.index(self.history.deltas.len())];
                self.servers[*to].state.merge(delta.clone());
                self.servers[*to].known.extend(operation);
            }
            Step::Sync(from, to) => {
                let from = self.servers[*from].clone();
                lacking(&from, &mut self.servers[*to]);
            }
            Step::Write(which, _) | Step::Hear(which, _) | Step::Leave(which) | Step::Vanish(which)
                if !self.clients.is_empty() =>
            {
                let which = which.index(self.clients.len());
                if !self.clients[which].has_left {
                    self.step_of(which, step);
                }
            }
            _ => {}
        }
    }

    fn step_of(&mut self, which: usize, step: &Step) {
        let Self { servers, clients, history } = self;
        let client = &mut clients[which];
        match step {
            Step::Write(_, act) => history.write(&mut client.node, act),
            Step::Hear(_, from) => lacking(&servers[*from], &mut client.node),
            Step::Leave(_) => {
                client.has_left = true;
                lacking(&client.node, &mut servers[client.server]);
                self.retire(which);
            }
            // It may come back and go on writing.
            _ => self.retire(which),
        }
    }

    /// The protocol of the client's server.
    fn retire(&mut self, which: usize) {
        let Client { node: Node { id, .. }, server, .. } = self.clients[which];
        if !self.history.retired.insert(id) {
            return;
        }
        for from in self.servers.clone() {
            lacking(&from, &mut self.servers[server]);
        }
        let steward = &mut self.servers[server];
        let dots_of = |state: &State| {
            let left = state.2.entries().filter(|(_, dots)| is_of(dots, &[id]));
            left.map(|(&element, _)| element).collect::<Vec<_>>()
        };
        if let Some(element) = dots_of(&steward.state).first() {
            let dot = steward.state.2.dots(element).find(|dot| dot.replica == id).expect("one of its dots");
            let refused = steward.state.2.retire(id).expect_err("an element lives by it");
            assert_eq!(refused.replica, id);
            assert!(steward.state.2.live().contains(dot) && steward.state.2.live().contains(refused.dot));
        }
        for element in dots_of(&steward.state) {
            // Some of it shall stay: the server adds it in its own name. The rest goes.
            let act = if element % 2 == 0 { Act::Add(element) } else { Act::Remove(element) };
            self.history.write(steward, &act);
        }
        for (at, logged) in self.history.log.iter_mut().enumerate() {
            logged.is_void |= logged.by == id && !steward.known.contains(&at);
        }
        let delta = retired(&steward.state, steward.id, &[id]);
        steward.state.merge(delta.clone());
        self.history.deltas.push((delta, None));
    }

    fn converge(&mut self) {
        for _ in 0..2 {
            for from in self.servers.clone() {
                self.servers.iter_mut().for_each(|to| lacking(&from, to));
            }
        }
    }

    /// What operations of one kind sum up to: of each writer the last that counts, which carries those before it.
    fn sum(&self, amount: impl Fn(&Act) -> Option<u64>) -> u64 {
        let known = &self.servers[0].known;
        let log = &self.history.log;
        let of = |writer| {
            let (mut sum, mut so_far) = (0, 0);
            for (at, logged) in log.iter().enumerate().filter(|(_, logged)| logged.by == writer) {
                if let Some(n) = amount(&logged.act) {
                    so_far += n;
                    if known.contains(&at) && !logged.is_void {
                        sum = so_far;
                    }
                }
            }
            sum
        };
        log.iter().map(|logged| logged.by).collect::<BTreeSet<_>>().into_iter().map(of).sum()
    }

    /// An element is there if an addition of it counts and no known operation took it away. An operation that does not
    /// count adds nothing; what it took away is gone all the same.
    fn elements(&self) -> BTreeSet<u64> {
        let log = &self.history.log;
        let known = &self.servers[0].known;
        let added = known.iter().filter_map(|&at| match log[at].act {
            Act::Add(x) if !log[at].is_void && taken_away(log, x, at).is_disjoint(known) => Some(x),
            _ => None,
        });
        added.collect()
    }
}

/// The operations that took away the addition of `x` at `at`: those that had observed it, and not that it was gone.
fn taken_away(log: &[Logged], x: u64, at: usize) -> BTreeSet<usize> {
    let mut by = BTreeSet::new();
    for (n, Logged { act, observed, .. }) in log.iter().enumerate() {
        let is_on_it = matches!(act, Act::Add(y) | Act::Remove(y) if *y == x);
        if is_on_it && observed.contains(&at) && observed.is_disjoint(&by) {
            by.insert(n);
        }
    }
    by
}

impl History {
    fn write(&mut self, writer: &mut Node, act: &Act) {
        let (mut delta, state, by) = (State::default(), &writer.state, writer.id);
        match act {
            Act::Count(n) => delta.0 = state.0.increment(by, *n),
            Act::Raise(n) => delta.1 = state.1.increment(by, *n),
            Act::Lower(n) => delta.1 = state.1.decrement(by, *n),
            Act::Add(x) => delta.2 = state.2.add(by, *x),
            Act::Remove(x) => delta.2 = state.2.remove(x),
        }
        // Who knows that it is retired has no dot for an addition: that does nothing, and takes nothing away.
        let has_no_dot = matches!(act, Act::Add(_)) && writer.state.2.context().is_retired(by);
        assert!(!has_no_dot || delta.2.is_bottom());
        writer.state.merge(delta.clone());
        let observed = if has_no_dot { BTreeSet::new() } else { writer.known.clone() };
        writer.known.insert(self.log.len());
        self.deltas.push((delta, Some(self.log.len())));
        self.log.push(Logged { by, act: act.clone(), observed, is_void: self.retired.contains(&by) });
    }
}

proptest! {
    #[test]
    fn servers_that_retire_clients_by_the_protocol_agree_on_what_the_clients_did(steps in steps()) {
        let lives = Lives::run(&steps);
        let state = &lives.servers[0].state;
        for server in &lives.servers {
            prop_assert_eq!(&server.state, state);
            prop_assert_eq!(server.state.fingerprint(), state.fingerprint());
        }
        let balance = lives.sum(|act| if let Act::Raise(n) = act { Some(*n) } else { None }) as i64
            - lives.sum(|act| if let Act::Lower(n) = act { Some(*n) } else { None }) as i64;
        let counted = lives.sum(|act| if let Act::Count(n) = act { Some(*n) } else { None });
        prop_assert_eq!((state.0.value(), state.1.value()), (counted, balance));
        prop_assert_eq!(state.2.iter().copied().collect::<BTreeSet<_>>(), lives.elements());
        for &id in &lives.history.retired {
            prop_assert!(state.0.is_retired(id) && state.1.is_retired(id) && state.2.context().is_retired(id));
            prop_assert_eq!(state.0.count(id), 0);
        }
        laws::check_codec(state);

        // All that counted, and the end of those that are gone, comes up again.
        for (delta, operation) in &lives.history.deltas {
            if operation.is_none_or(|at| lives.servers[0].known.contains(&at)) {
                prop_assert!(!state.clone().merge(delta.clone()));
            }
        }
    }
}

#[test]
fn what_a_retired_replica_still_sends_adds_nothing_and_takes_away_what_it_had_seen() {
    let (server, client) = (ReplicaId(1), client_of(0, 7));
    let mut here = State::default();
    here.merge((here.0.increment(client, 3), PnCounter::new(), here.2.add(server, 1)));
    let mut there = here.clone();
    here.merge(retired(&here, server, &[client]));

    // It has not heard of its end.
    there.merge((there.0.increment(client, 4), there.1.decrement(client, 1), there.2.add(client, 2)));
    there.merge((GCounter::new(), PnCounter::new(), there.2.remove(&1)));
    here.merge(there.clone());
    assert_eq!((here.0.value(), here.1.value(), here.2.len()), (3, 0, 0));

    // It hears of it, and has no event left.
    there.merge(here.clone());
    assert_eq!(there, here);
    assert!(there.0.is_retired(client) && there.0.increment(client, 1).is_bottom());
    there.merge((GCounter::new(), PnCounter::new(), there.2.add(client, 3)));
    assert!(!there.2.contains(&3));
    // Under a new id it is somebody.
    there.merge((there.0.increment(client_of(0, 8), 4), PnCounter::new(), there.2.add(client_of(0, 8), 3)));
    assert!(there.0.value() == 7 && there.2.contains(&3));
}

#[test]
fn a_replica_of_which_something_lives_is_not_retired() {
    let (server, client) = (ReplicaId(1), client_of(0, 7));
    let mut set = AwSet::new();
    set.merge(set.add_all(client, ["kept", "dropped"]));
    set.merge(set.remove(&"dropped"));
    assert_eq!(set.retire(client), Err(StillLive { replica: client, dot: Dot::new(client, 1) }));
    // In the server's name.
    set.merge(set.add(server, "kept"));
    set.merge(set.retire(client).expect("nothing lives by its dots"));
    assert!(set.contains(&"kept") && set.context().is_retired(client));
}

#[test]
fn a_derived_set_follows_the_context_of_its_base() {
    let (server, client, base) = (ReplicaId(1), client_of(0, 7), BaseId::of("base"));
    let mut set = AwSet::new();
    set.merge(set.add_all(client, [1u64, 2, 3]));
    set.merge(set.add_all(server, [1, 2]));
    set.merge(set.remove(&3));
    let mut derived = Derived::of(base, &set);
    let end = set.retire(client).expect("nothing lives by its dots");
    set.merge(end.clone());
    derived.merge(Derived::of(base, &end));
    assert_eq!(derived, Derived::of(base, &set));
    assert!(derived.iter().eq(&[1, 2]));
    assert_eq!(
        derived.base(base).map(|known| known.seen().range_count()),
        Some(2),
        "the server's, and the client's id"
    );
    laws::check_codec(&derived);
}

#[test]
fn who_retires_a_replica_too_early_loses_what_it_had_not_seen() {
    let (server, client) = (ReplicaId(1), client_of(0, 7));
    let mut elsewhere = State::default();
    elsewhere.merge((elsewhere.0.increment(client, 3), PnCounter::new(), elsewhere.2.add(client, 1)));
    // The server has heard of nothing, and does not ask.
    let too_early = retired(&State::default(), server, &[client]);
    elsewhere.merge(too_early);
    assert_eq!((elsewhere.0.value(), elsewhere.2.len()), (0, 0));
}

#[test]
fn two_stewards_of_one_replica_count_it_twice() {
    let client = client_of(0, 7);
    let mut counter = GCounter::new();
    counter.merge(counter.increment(client, 3));
    let (one, other) = (counter.retire(ReplicaId(1), [client]), counter.retire(ReplicaId(2), [client]));
    counter.merge(one);
    assert_eq!(counter.value(), 3);
    counter.merge(other);
    assert_eq!(counter.value(), 6, "an error of the caller, which nothing here can see");
    assert!(counter.retire(ReplicaId(3), [client]).is_bottom(), "but where it is known it is not done");
}

/// It would take away the dots that it supersedes, and put none in their place.
#[test]
fn whatever_a_retired_replica_does_comes_to_nothing() {
    let (dead, alive) = (ReplicaId(1), ReplicaId(2));
    let gone = |context: &DotSet| {
        let mut context = context.clone();
        context.retire(dead);
        context
    };
    let mut set = AwSet::new();
    set.merge(set.add(alive, 'x'));
    let set = AwSet::from_parts([('x', set.dots(&'x')[0])], gone(set.context()));
    assert!(set.add(dead, 'x').is_bottom() && set.add_all(dead, ['x', 'y']).is_bottom());
    let register = MvRegister::new().write(alive, 'x');
    let register = MvRegister::with_context(register.store().clone(), gone(register.context()));
    assert!(register.write(dead, 'y').is_bottom());
    let flag = DwFlag::new().disable(alive);
    let flag = DwFlag::with_context(flag.store().clone(), gone(flag.context()));
    assert!(flag.disable(dead).is_bottom() && !flag.value());
    let guests = RwSet::new().add(alive, 'x');
    let guests = RwSet::with_context(guests.store().clone(), gone(guests.context()));
    assert!(guests.add(dead, 'x').is_bottom() && guests.remove(dead, 'x').is_bottom());
    assert!(!set.add(alive, 'y').is_bottom() && !register.write(alive, 'y').is_bottom());
}
