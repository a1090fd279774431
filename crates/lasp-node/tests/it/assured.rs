//! Updates that other nodes acknowledge: whoever is counted holds them, whatever the network does; who waits is answered.

use crate::rig::Rig;
use lasp_dataflow::{Name, Op, Type, Value, VarId};
use lasp_node::{Acknowledgement, Class, Command, Config, Event, Interests, Reply, Request, RequestError, RequestId};
use lasp_overlay::PeerId;
use std::collections::BTreeMap;
use std::time::Duration;

const NODES: u64 = 16;

/// Updates that wait, each of an element of its own.
struct Bench {
    rig: Rig,
    asked: u64,
    open: BTreeMap<u64, i64>,
    answers: BTreeMap<u64, Acknowledgement>,
}

impl Bench {
    fn new(network: lasp_sim::Config, configs: Vec<Config>) -> Self {
        let mut rig = Rig::new(network, configs);
        rig.run(10);
        Self { rig, asked: 1 << 32, open: BTreeMap::new(), answers: BTreeMap::new() }
    }

    fn seeded(seed: u64) -> Self {
        Self::new(lasp_sim::Config::seeded(seed), vec![Config::default(); NODES as usize])
    }

    /// Adds an element at a node, to be held by so many others; the name of the answer.
    fn add(&mut self, node: u64, element: i64, by: usize, within: Duration) -> u64 {
        let var = self.rig.declare(node, "set", Type::AwSet);
        self.update(node, var, element, by, within)
    }

    fn update(&mut self, node: u64, var: VarId, element: i64, by: usize, within: Duration) -> u64 {
        self.asked += 1;
        self.open.insert(self.asked, element);
        let request = Request::UpdateAcknowledged { var, op: Op::Add(Value::Int(element)), by, within, session: None };
        self.rig.sim.command(PeerId(node), Command::Request { id: RequestId(self.asked), request });
        self.look();
        self.asked
    }

    fn holds(&self, node: u64, element: i64) -> bool {
        let Some(node) = self.rig.sim.peer(PeerId(node)) else { return false };
        let graph = node.graph();
        graph.lookup("set").and_then(|var| graph.state(var)).is_some_and(|state| state.contains(&Value::Int(element)))
    }

    /// Takes the answers; whoever is counted holds the element at this moment, unless it is gone.
    fn look(&mut self) {
        for (_, node, event) in self.rig.sim.drain_events() {
            let Event::Reply { id, result } = event else { continue };
            let Some(element) = self.open.remove(&id.0) else { continue };
            let Ok(Reply::Acknowledged { acknowledgement: answer, session: None }) = result else {
                panic!("{result:?}")
            };
            assert!(answer.by.is_sorted() && !answer.by.contains(&node), "{answer:?} of {node}");
            for peer in &answer.by {
                let is_up = self.rig.sim.peer(*peer).is_some();
                assert!(!is_up || self.holds(peer.0, element), "{peer} does not hold {element}");
            }
            assert_eq!(self.answers.insert(id.0, answer), None, "answered twice");
        }
    }

    fn run(&mut self, millis: u64) {
        for _ in 0..millis {
            self.rig.sim.run_for(Duration::from_millis(1));
            self.look();
        }
    }

    fn answer(&self, name: u64) -> &Acknowledgement {
        self.answers.get(&name).expect("answered")
    }
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn neighbours_acknowledge_within_a_round_trip_and_further_nodes_where_more_are_wanted() {
    let mut bench = Bench::seeded(1);
    let neighbours = bench.rig.node(3).active_view().len();
    let before = bench.rig.node(3).metrics().total_sent();
    let near = bench.add(3, 1, 2, LONG);
    bench.run(30);
    assert_eq!(bench.answer(near).by.len(), 2);
    assert!(bench.rig.node(3).metrics().total_sent() - before < 2_000);
    let all = bench.add(3, 2, NODES as usize - 1, LONG);
    bench.run(1_500);
    assert!(neighbours < NODES as usize - 1, "some are no neighbours");
    assert_eq!(bench.answer(all).by, (1..=NODES).filter(|&id| id != 3).map(PeerId).collect::<Vec<_>>());
    let held: u64 = (1..=NODES).map(|id| bench.rig.node(id).metrics().entrusted).sum();
    assert!(held >= NODES, "{held}");
    assert_eq!((bench.rig.node(3).metrics().assured, bench.rig.node(3).metrics().unassured), (2, 0));
    assert!(bench.rig.node(3).is_quiescent());
}

#[test]
fn more_than_there_are_is_told_in_the_end_and_the_update_stays() {
    let mut bench = Bench::seeded(2);
    let asked = bench.add(1, 7, NODES as usize, Duration::from_secs(3));
    bench.run(3_100);
    let answer = bench.answer(asked).clone();
    assert_eq!((answer.by.len(), answer.wanted, answer.is_enough()), (NODES as usize - 1, NODES as usize, false));
    assert!((1..=NODES).all(|id| bench.holds(id, 7)));
    assert_eq!(bench.rig.node(1).metrics().unassured, 1);
}

#[test]
fn those_who_count_hold_it_under_loss_repetition_and_crashes_in_every_world() {
    for seed in 0..12 {
        let network = lasp_sim::Config { loss: 0.2, duplicate: 0.1, reorder: 0.3, ..lasp_sim::Config::seeded(seed) };
        let mut bench = Bench::new(network, vec![Config::default(); NODES as usize]);
        let mut names = Vec::new();
        for (element, by) in (0..24).zip([1, 2, 5, 9].into_iter().cycle()) {
            let node = 1 + (seed + 5 * element) % 8;
            names.push((bench.add(node, element as i64, by, LONG), by));
            bench.run(20);
            if element % 8 == 3 {
                // One of those that were just asked, perhaps.
                let gone = 9 + (seed + element) % 6;
                if bench.rig.sim.peer(PeerId(gone)).is_some() {
                    bench.rig.crash(gone);
                }
            }
        }
        bench.run(15_000);
        for (name, by) in names {
            assert!(bench.answer(name).by.len() >= by, "world {seed}: {:?}", bench.answer(name));
        }
    }
}

#[test]
fn a_cut_off_side_counts_its_own_and_the_others_once_they_are_back() {
    let mut bench = Bench::seeded(4);
    let near: Vec<PeerId> = (1..=4).map(PeerId).collect();
    bench.rig.sim.partition(std::slice::from_ref(&near));
    let few = bench.add(1, 1, 3, LONG);
    let many = bench.add(1, 2, 6, Duration::from_secs(4));
    let patient = bench.add(1, 3, 6, LONG);
    bench.run(5_000);
    assert_eq!(bench.answer(few).by, near[1..]);
    assert_eq!(bench.answer(many).by, near[1..]);
    assert!(!bench.answers.contains_key(&patient));
    bench.rig.sim.heal();
    bench.run(40_000);
    assert!(bench.answer(patient).by.len() >= 6);
}

#[test]
fn only_those_who_want_the_variable_count() {
    let narrow = Config { interests: Interests::prefixes(["other"]), ..Config::default() };
    let configs = (0..NODES).map(|n| if n % 4 == 0 { Config::default() } else { narrow.clone() }).collect();
    let mut bench = Bench::new(lasp_sim::Config::seeded(5), configs);
    let all = bench.add(1, 1, 3, LONG);
    let too_many = bench.add(1, 2, 4, Duration::from_secs(3));
    bench.run(4_000);
    assert_eq!(bench.answer(all).by, [5, 9, 13].map(PeerId));
    assert_eq!(bench.answer(too_many).by, [5, 9, 13].map(PeerId));
}

#[test]
fn what_changes_nothing_here_may_be_news_elsewhere() {
    let mut bench = Bench::seeded(6);
    let var = bench.rig.declare(2, "set", Type::GSet);
    let near: Vec<PeerId> = vec![PeerId(2)];
    bench.rig.sim.partition(std::slice::from_ref(&near));
    assert_eq!(bench.rig.ask(2, Request::Update { var, op: Op::Add(5.into()) }), Ok(Reply::Done));
    bench.rig.sim.heal();
    let again = bench.update(2, var, 5, 2, LONG);
    bench.run(3_000);
    assert!(bench.answer(again).by.len() >= 2);
}

#[test]
fn nobody_hears_of_what_is_cancelled_and_what_cannot_be_is_refused() {
    let mut bench = Bench::seeded(7);
    let far = bench.add(1, 1, NODES as usize, Duration::from_secs(1));
    bench.rig.sim.command(PeerId(1), Command::Cancel(RequestId(far)));
    assert!(bench.rig.node(1).is_quiescent() || bench.rig.node(1).waiting() > 0);
    bench.run(2_000);
    assert_eq!(bench.answers.get(&far), None);
    let none = bench.add(1, 2, 0, LONG);
    assert_eq!(bench.answer(none).by, []);

    let name = Some(Name::new("own").expect("a name"));
    let Ok(Reply::Var(own)) = bench.rig.ask(1, Request::Declare { name, ty: Type::AwSet, local: true }) else {
        panic!("not declared")
    };
    let request = |var, by| Request::UpdateAcknowledged { var, op: Op::Add(3.into()), by, within: LONG, session: None };
    assert!(
        matches!(bench.rig.ask(1, request(own, 1)), Err(RequestError::NotReplicated(name)) if name.as_str() == "own")
    );
    let set = bench.rig.declare(1, "set", Type::AwSet);
    assert!(matches!(bench.rig.ask(1, request(set, 5_000)), Err(RequestError::TooManyWanted { most: 1_024, .. })));
    assert!(!bench.holds(1, 3), "what is refused is not applied");
}

#[test]
fn however_large_it_is_it_is_held_whole() {
    let mut bench = Bench::seeded(8);
    let var = bench.rig.declare(1, "set", Type::GSet);
    let words: Vec<Value> = (0..40).map(|n| Value::text(format!("{n:03}{}", "x".repeat(9_000)))).collect();
    bench.asked += 1;
    let request =
        Request::UpdateAcknowledged { var, op: Op::AddAll(words.clone()), by: 3, within: LONG, session: None };
    bench.rig.sim.command(PeerId(1), Command::Request { id: RequestId(bench.asked), request });
    let mut answer = None;
    for _ in 0..3_000 {
        bench.rig.sim.run_for(Duration::from_millis(1));
        for (_, _, event) in bench.rig.sim.drain_events() {
            if let Event::Reply { result: Ok(Reply::Acknowledged { acknowledgement: told, .. }), .. } = event {
                for peer in &told.by {
                    assert_eq!(bench.rig.cardinality(peer.0, "set"), words.len());
                }
                answer = Some(told);
            }
        }
    }
    assert!(answer.expect("answered").is_enough());
}

#[test]
fn an_acknowledgement_by_a_neighbour_costs_the_delta_once_more_and_few_bytes() {
    let mut bench = Bench::seeded(9);
    let mut next = 1_000;
    // Bytes of deltas and of what is said about them, for each of twenty updates.
    let mut cost = |by| {
        let sent = |bench: &Bench, class| (1..=NODES).map(|id| bench.rig.node(id).metrics().sent(class)).sum::<u64>();
        let classes = [Class::State, Class::Sync];
        let before = classes.map(|class| sent(&bench, class));
        for element in next..next + 20 {
            bench.add(3, element, by, LONG);
            bench.run(400);
        }
        next += 20;
        [0, 1].map(|at| (sent(&bench, classes[at]) - before[at]) / 20)
    };
    cost(0);
    let ([state, sync], [state_by_2, sync_by_2]) = (cost(0), cost(2));
    let delta = state / (NODES - 1);
    assert!(state_by_2 <= state + 2 * (delta + 2), "{state_by_2} B of deltas, {state} without; a delta has {delta}");
    assert!(sync_by_2 <= sync + 2 * 8, "{sync_by_2} B about them, {sync} without");
}
