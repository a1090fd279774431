//! Payloads go where they are wanted and nowhere else, and whoever wants something gets all of it, whatever lies between.

use crate::rig::{Rig, set, set as set_of};
use lasp_dataflow::{FunctionError, Op, Operator, Target, Type, Value, function};
use lasp_node::{Config, Interests, Reply, Request};
use lasp_overlay::{PeerId, Rng};
use std::collections::BTreeMap;

fn hears(prefixes: &[&str]) -> Config {
    Config { interests: Interests::prefixes(prefixes.iter().copied()), ..Config::default() }
}

/// Links of a path through so many nodes.
fn path(nodes: u64) -> Vec<(u64, u64)> {
    (1..nodes).map(|id| (id, id + 1)).collect()
}

/// Who holds something of a variable.
fn holders(rig: &Rig, nodes: u64, name: &str) -> Vec<u64> {
    (1..=nodes).filter(|&id| rig.cardinality(id, name) > 0).collect()
}

fn wants(rig: &mut Rig, id: u64, prefixes: &[&str]) {
    let request = Request::Interests(Interests::prefixes(prefixes.iter().copied()));
    assert_eq!(rig.ask(id, request), Ok(Reply::Done));
}

/// A path, and a branch of it behind which nobody wants anything.
fn branched(seed: u64) -> Rig {
    let links = [path(5), vec![(3, 6), (6, 7)]].concat();
    let mut configs = vec![hears(&["other"]); 7];
    (configs[0], configs[4]) = (hears(&["x"]), hears(&["x"]));
    Rig::linked(lasp_sim::Config::seeded(seed), &links, configs)
}

#[test]
fn two_ends_of_a_path_share_what_nobody_between_them_wants_and_nobody_beside_them_gets_it() {
    let mut rig = branched(1);
    rig.add_all(1, "x", [1]);
    rig.run(1);
    rig.add_all(5, "x", [2]);
    rig.run(1);
    assert_eq!([1, 5].map(|id| rig.value(id, "x")), [set([1, 2]), set([1, 2])]);
    assert_eq!(holders(&rig, 7, "x"), [1, 2, 3, 4, 5]);
}

#[test]
fn who_becomes_interested_is_told_the_past_from_anywhere_and_frees_it_when_it_no_longer_is() {
    let mut rig = branched(2);
    rig.add_all(1, "x", 0..100);
    rig.run(1);
    wants(&mut rig, 7, &["x"]);
    rig.run(3);
    assert_eq!(rig.value(7, "x"), set(0..100));
    assert_eq!(holders(&rig, 7, "x"), [1, 2, 3, 4, 5, 6, 7]);
    for id in [5, 7] {
        wants(&mut rig, id, &["other"]);
    }
    rig.run(30);
    assert_eq!(holders(&rig, 7, "x"), [1]);
    rig.add_all(1, "x", [200]);
    rig.run(2);
    assert_eq!(holders(&rig, 7, "x"), [1]);
    wants(&mut rig, 7, &["x"]);
    rig.run(4);
    assert_eq!(rig.value(7, "x"), set((0..100).chain([200])));
}

#[test]
fn nodes_that_hear_everything_share_it_over_those_that_do_not() {
    let mut configs = vec![hears(&["other"]); 5];
    (configs[0], configs[4]) = (Config::default(), Config::default());
    let mut rig = Rig::linked(lasp_sim::Config::seeded(3), &path(5), configs);
    rig.sim.partition(&[vec![PeerId(1), PeerId(2)], vec![PeerId(3), PeerId(4), PeerId(5)]]);
    rig.add_all(1, "x", [1]);
    rig.add_all(5, "y", [2]);
    rig.run(20);
    rig.sim.heal();
    rig.run(60);
    assert_eq!((rig.value(5, "x"), rig.value(1, "y")), (set([1]), set([2])));
}

#[test]
fn a_node_that_hears_little_keeps_little_of_what_passes_through_it() {
    // Each of the nodes that hear everything has another one as a neighbour.
    let links = [(1, 2), (2, 3), (3, 4), (4, 5)];
    let mut configs = vec![Config::default(); 5];
    configs[2] = hears(&["ads/"]);
    let mut rig = Rig::linked(lasp_sim::Config::seeded(4), &links, configs);
    rig.add_all(1, "contracts", [1]);
    rig.add_all(1, "ads/1", [2]);
    rig.run(2);
    assert_eq!(holders(&rig, 5, "contracts"), [1, 2, 4, 5]);
    assert_eq!(holders(&rig, 5, "ads/1"), [1, 2, 3, 4, 5]);
}

#[test]
fn a_light_node_hears_a_derived_set_from_far_away_and_none_of_its_inputs() {
    let mut configs = vec![hears(&["other"]); 4];
    (configs[0], configs[3]) = (Config::default(), hears(&["shown"]));
    let mut rig = Rig::linked(lasp_sim::Config::seeded(5), &path(4), configs);
    rig.add_all(1, "stock", -3..=3);
    let (stock, shown) = (rig.declare(1, "stock", Type::AwSet), rig.declare(1, "shown", Type::AwSet));
    let positive = Operator::Filter(function(|args| match &args[0] {
        Value::Int(n) => Ok(Value::Bool(*n > 0)),
        _ => Err(FunctionError::new("no integer")),
    }));
    let request = Request::Derive { operator: positive, inputs: vec![stock], into: Target::Into(shown) };
    assert_eq!(rig.ask(1, request), Ok(Reply::Var(shown)));
    rig.run(2);
    assert_eq!(rig.value(4, "shown"), set([1, 2, 3]));
    assert_eq!(rig.ask(1, Request::Update { var: stock, op: Op::Remove(Value::Int(2)) }), Ok(Reply::Done));
    rig.run(2);
    assert_eq!(rig.value(4, "shown"), set([1, 3]));
    assert_eq!(holders(&rig, 4, "stock"), [1]);
}

fn declare_unheard(rig: &mut Rig, id: u64, name: &str) -> lasp_dataflow::VarId {
    let name = lasp_dataflow::Name::new(name).expect("a name");
    match rig.ask(id, Request::DeclareUnheard { name, ty: Type::AwSet }) {
        Ok(Reply::Var(var)) => var,
        other => panic!("declare: {other:?}"),
    }
}

#[test]
fn a_node_writes_what_it_does_not_hear() {
    let mut configs = vec![hears(&["other"]); 5];
    (configs[3], configs[4]) = (hears(&["x"]), hears(&["x"]));
    let mut rig = Rig::linked(lasp_sim::Config::seeded(6), &path(5), configs);
    rig.add_all(5, "x", [1]);
    rig.run(1);
    let set = declare_unheard(&mut rig, 1, "x");
    assert_eq!(rig.ask(1, Request::Update { var: set, op: Op::Add(Value::Int(2)) }), Ok(Reply::Done));
    rig.run(1);
    assert_eq!((rig.value(4, "x"), rig.value(5, "x")), (set_of([1, 2]), set_of([1, 2])));
    rig.run(20);
    assert_eq!(rig.value(1, "x"), set_of([2]), "it hears nothing of it");
    assert_eq!(holders(&rig, 5, "x"), [1, 4, 5]);
    assert!(rig.node(1).is_quiescent(), "it is acknowledged");
}

#[test]
fn what_is_written_unheard_while_nobody_can_be_reached_arrives_later() {
    let mut configs = vec![hears(&["other"]); 5];
    configs[4] = hears(&["x"]);
    let mut rig = Rig::linked(lasp_sim::Config::seeded(7), &path(5), configs);
    let (left, right) = ((1..=2).map(PeerId).collect(), (3..=5).map(PeerId).collect());
    rig.sim.partition(&[left, right]);
    let set = declare_unheard(&mut rig, 1, "x");
    for n in 1..=3 {
        assert_eq!(rig.ask(1, Request::Update { var: set, op: Op::Add(Value::Int(n)) }), Ok(Reply::Done));
        rig.run(5);
    }
    assert!(!rig.node(1).is_quiescent());
    rig.sim.heal();
    rig.run(60);
    assert_eq!(rig.value(5, "x"), set_of(1..=3));
    assert!(rig.node(1).is_quiescent());
}

#[test]
fn interests_that_make_no_sense_are_refused_and_nothing_changes() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(8), vec![hears(&["x"])]);
    let long = "n".repeat(300);
    let many: Vec<String> = (0..5_000).map(|n| n.to_string()).collect();
    let cases = [Interests::prefixes(["*"]), Interests::prefixes([long]), Interests::prefixes(many)];
    for interests in cases {
        let reply = rig.ask(1, Request::Interests(interests));
        assert!(matches!(reply, Err(lasp_node::RequestError::Interests(_))), "{reply:?}");
        assert_eq!(*rig.node(1).interests(), Interests::prefixes(["x"]));
    }
}

/// Some nodes and variables; what each node wants, and all that was ever added.
struct World {
    rig: Rig,
    rng: Rng,
    wanted: BTreeMap<u64, Vec<u64>>,
    lives: BTreeMap<u64, u64>,
    added: BTreeMap<u64, Vec<i64>>,
    next: i64,
}

const NODES: u64 = 20;
const VARS: u64 = 8;

fn names(wanted: &[u64]) -> Vec<String> {
    wanted.iter().map(|var| format!("v{var}/")).collect()
}

fn config_of(wanted: &[u64]) -> Config {
    Config { interests: Interests::prefixes(names(wanted)), ..Config::default() }
}

impl World {
    fn new(network: lasp_sim::Config) -> Self {
        let mut rng = Rng::new(network.seed);
        let mut wanted = BTreeMap::new();
        for id in 1..=NODES {
            wanted.insert(id, vec![rng.below(VARS), rng.below(VARS)]);
        }
        let mut rig = Rig::new(network, Vec::new());
        for id in 1..=NODES {
            rig.add(id, config_of(&wanted[&id]));
            rig.run(1);
        }
        Self { rig, rng, wanted, lives: BTreeMap::new(), added: BTreeMap::new(), next: 0 }
    }

    fn node(&mut self) -> u64 {
        1 + self.rng.below(NODES)
    }

    /// Somebody adds to a variable that it hears.
    fn update(&mut self) {
        let id = self.node();
        let wanted = &self.wanted[&id];
        if wanted.is_empty() {
            return;
        }
        let var = wanted[self.rng.index(wanted.len())];
        self.next += 1;
        self.rig.add_all(id, &format!("v{var}/set"), [self.next]);
        self.added.entry(var).or_default().push(self.next);
    }

    fn change_interests(&mut self) {
        let id = self.node();
        let wanted: Vec<u64> = (0..self.rng.below(4)).map(|_| self.rng.below(VARS)).collect();
        // What was declared is wanted still: it is undeclared first.
        let names: Vec<String> = (0..VARS).map(|var| format!("v{var}/set")).collect();
        for name in names {
            if let Some(var) = self.rig.node(id).graph().lookup(&name) {
                _ = self.rig.ask(id, Request::Undeclare(var));
            }
        }
        let request = Request::Interests(Interests::prefixes(self::names(&wanted)));
        assert_eq!(self.rig.ask(id, request), Ok(Reply::Done));
        self.wanted.insert(id, wanted);
    }

    fn restart(&mut self) {
        let id = 2 + self.rng.below(NODES - 1);
        self.rig.crash(id);
        self.rig.run(3);
        let life = self.lives.entry(id).or_insert(1);
        *life += 1;
        self.rig.restart_as(id, *life, 1, config_of(&self.wanted[&id]));
    }

    /// Everything that somebody wants and does not have, of what somebody who wants it has.
    fn lacks(&self) -> Vec<String> {
        let held = |id: u64, var: u64| self.rig.value(id, &format!("v{var}/set"));
        let mut lacks = Vec::new();
        for var in 0..VARS {
            let wanting: Vec<u64> = (1..=NODES).filter(|id| self.wanted[id].contains(&var)).collect();
            let most = wanting.iter().max_by_key(|&&id| self.rig.cardinality(id, &format!("v{var}/set")));
            let most = most.and_then(|&id| held(id, var));
            lacks.extend(wanting.iter().filter(|&&id| held(id, var) != most).map(|id| format!("{id}: v{var}")));
        }
        lacks
    }
}

/// Loss, duplicates and reordering, crashes, a partition, and interests that change all the while: at last everybody has all
/// of what it wants.
#[test]
fn whoever_wants_something_has_all_of_it_in_the_end() {
    for seed in 1..=6 {
        let faulty = seed % 2 == 0;
        let share = if faulty { 0.05 } else { 0.0 };
        let network =
            lasp_sim::Config { loss: share, duplicate: share, reorder: share, ..lasp_sim::Config::seeded(seed) };
        let mut world = World::new(network);
        for step in 0..120 {
            match world.rng.below(12) {
                0 | 1 => world.change_interests(),
                2 if faulty => world.restart(),
                _ => world.update(),
            }
            if step == 40 {
                let (left, right) = (1..=NODES).partition(|id| id % 2 == 0);
                let peers = |ids: Vec<u64>| ids.into_iter().map(PeerId).collect();
                world.rig.sim.partition(&[peers(left), peers(right)]);
            }
            if step == 60 {
                world.rig.sim.heal();
            }
            let pause = world.rng.below(1_000);
            world.rig.sim.run_for(std::time::Duration::from_millis(pause));
        }
        world.rig.run(90);
        assert_eq!(world.lacks(), Vec::<String>::new(), "seed {seed}");
        let kept: usize = (0..VARS).map(|var| holders(&world.rig, NODES, &format!("v{var}/set")).len()).sum();
        assert!(kept < (NODES * VARS) as usize, "seed {seed}: everybody keeps everything");
    }
}

/// What was written while nobody had heard who wants it arrives all the same.
#[test]
fn an_update_at_the_very_start_reaches_who_wants_it() {
    for seed in 1..=5 {
        let mut rig = Rig::new(lasp_sim::Config::seeded(seed), Vec::new());
        for id in 1..=10 {
            let wanted = if id % 4 == 1 { "x" } else { "other" };
            rig.add(id, hears(&[wanted]));
        }
        rig.add_all(5, "x", [1]);
        rig.run(1);
        rig.add_all(9, "x", [2]);
        rig.run(20);
        assert_eq!([1, 5, 9].map(|id| rig.value(id, "x")), [set([1, 2]), set([1, 2]), set([1, 2])], "seed {seed}");
    }
}
