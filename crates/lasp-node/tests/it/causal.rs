//! Causal groups: at no moment does any node show an update without what its author had seen, whatever the network does.

use crate::rig::Rig;
use lasp_dataflow::{Op, Type, Value};
use lasp_node::{Class, Config, Interests, Reply, Request, RequestError};
use lasp_overlay::{PeerId, Rng};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const NODES: u64 = 10;
const VARIABLES: u64 = 4;

type Elements = BTreeSet<i64>;

/// What the author of an element saw: what was there, and what was gone.
#[derive(Clone, Default)]
struct Seen {
    there: Elements,
    gone: Elements,
}

/// A cluster in which every element is added once, and perhaps removed, in one of some variables.
struct World {
    rig: Rig,
    prefix: &'static str,
    next: i64,
    authors: BTreeMap<i64, Seen>,
    /// All that was ever removed, and what each node has removed itself.
    removed: Elements,
    removed_at: BTreeMap<u64, Elements>,
}

impl World {
    fn new(network: lasp_sim::Config, prefix: &'static str) -> Self {
        let mut rig = Rig::new(network, vec![Config::default(); NODES as usize]);
        rig.run(10);
        let (authors, removed, removed_at) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        Self { rig, prefix, next: 0, authors, removed, removed_at }
    }

    fn up(&self) -> Vec<u64> {
        (1..=NODES).filter(|&id| self.rig.sim.peer(PeerId(id)).is_some()).collect()
    }

    fn name(&self, variable: u64) -> String {
        format!("{}v{variable}", self.prefix)
    }

    fn elements(&self, node: u64, variable: u64) -> Elements {
        let graph = self.rig.node(node).graph();
        let state = graph.lookup(&self.name(variable)).and_then(|var| graph.state(var));
        let elements = state.map(|state| state.elements()).unwrap_or_default();
        elements.iter().filter_map(|element| if let Value::Int(n) = element { Some(*n) } else { None }).collect()
    }

    fn visible(&self, node: u64) -> Elements {
        (0..VARIABLES).flat_map(|variable| self.elements(node, variable)).collect()
    }

    /// What a node has seen: what it shows, and what it can know to be gone.
    fn seen(&self, node: u64) -> Seen {
        let there = self.visible(node);
        let mut known: Elements = self.removed_at.get(&node).cloned().unwrap_or_default();
        for element in &there {
            known.extend(self.authors[element].there.iter().chain(&self.authors[element].gone));
        }
        Seen { gone: known.difference(&there).copied().collect(), there }
    }

    fn act(&mut self, node: u64, rng: &mut Rng) {
        let variable = rng.below(VARIABLES);
        let var = self.rig.declare(node, &self.name(variable), Type::AwSet);
        let here: Vec<i64> = self.elements(node, variable).into_iter().collect();
        if rng.chance(0.2) && !here.is_empty() {
            let element = here[rng.index(here.len())];
            self.rig.ask(node, Request::Update { var, op: Op::Remove(element.into()) }).expect("removed");
            self.removed.insert(element);
            self.removed_at.entry(node).or_default().insert(element);
            return;
        }
        let seen = self.seen(node);
        self.next += 1;
        self.authors.insert(self.next, seen);
        self.rig.ask(node, Request::Update { var, op: Op::Add(self.next.into()) }).expect("added");
    }

    /// Updates that are shown without what their authors had seen.
    fn violations(&self) -> usize {
        let mut count = 0;
        for node in self.up() {
            let visible = self.visible(node);
            for element in &visible {
                let author = &self.authors[element];
                let missing = author.there.iter().any(|one| !visible.contains(one) && !self.removed.contains(one));
                count += usize::from(missing || author.gone.iter().any(|one| visible.contains(one)));
            }
        }
        count
    }

    /// Runs in steps of a few milliseconds; how often something was shown too early.
    fn run(&mut self, steps: u64, rng: &mut Rng) -> usize {
        let mut violations = 0;
        for _ in 0..steps {
            if rng.chance(0.4) {
                let up = self.up();
                self.act(up[rng.index(up.len())], rng);
            }
            self.rig.sim.run_for(Duration::from_millis(1 + rng.below(4)));
            violations += self.violations();
        }
        violations
    }

    fn assert_converged(&mut self, what: &str) {
        self.rig.run(90);
        assert_eq!(self.violations(), 0, "{what}");
        let up = self.up();
        let first = self.visible(up[0]);
        for node in &up[1..] {
            assert_eq!(self.visible(*node), first, "{what}: node {node}");
        }
        let at_rest = |world: &Self| world.up().into_iter().all(|node| world.rig.node(node).is_quiescent());
        // A neighbour may have just changed: under loss it takes a few questions to get acquainted.
        for _ in 0..60 {
            if at_rest(self) {
                return;
            }
            self.rig.run(1);
        }
        panic!("{what}: somebody is not at rest");
    }
}

fn lossy(seed: u64) -> lasp_sim::Config {
    lasp_sim::Config { loss: 0.15, duplicate: 0.1, reorder: 0.3, ..lasp_sim::Config::seeded(seed) }
}

#[test]
fn nobody_sees_an_update_without_its_causes_under_loss_repetition_and_reordering() {
    for seed in 0..4 {
        let mut world = World::new(lossy(seed), "causal/shop/");
        let violations = world.run(120, &mut Rng::new(seed));
        assert_eq!(violations, 0, "world {seed}");
        world.assert_converged("lossy");
        assert!(world.next > 30);
    }
}

#[test]
fn variables_of_no_group_are_seen_too_early_in_the_same_worlds() {
    let early: usize = (0..8).map(|seed| World::new(lossy(seed), "plain/shop/").run(120, &mut Rng::new(seed))).sum();
    assert!(early > 50, "the test would notice: {early}");
}

#[test]
fn a_cut_and_its_mending_keep_the_order() {
    for seed in 10..13 {
        let mut world = World::new(lasp_sim::Config::seeded(seed), "causal/shop/");
        let mut rng = Rng::new(seed);
        let mut violations = world.run(40, &mut rng);
        let side: Vec<PeerId> = (1..=NODES / 2).map(PeerId).collect();
        world.rig.sim.partition(std::slice::from_ref(&side));
        violations += world.run(100, &mut rng);
        world.rig.sim.heal();
        violations += world.run(100, &mut rng);
        assert_eq!(violations, 0, "world {seed}");
        world.assert_converged("healed");
    }
}

#[test]
fn nodes_that_crash_forget_and_come_back_keep_the_order() {
    for seed in 20..23 {
        let mut world = World::new(lossy(seed), "causal/shop/");
        let mut rng = Rng::new(seed);
        let mut violations = 0;
        for round in 0..4 {
            violations += world.run(30, &mut rng);
            let gone = 2 + rng.below(NODES - 1);
            world.rig.crash(gone);
            world.removed_at.remove(&gone);
            violations += world.run(30, &mut rng);
            world.rig.restart(gone, 2 + round, 1);
            violations += world.run(60, &mut rng);
        }
        assert_eq!(violations, 0, "world {seed}");
        world.assert_converged("restarted");
    }
}

#[test]
fn a_group_that_does_not_fit_into_a_frame_reaches_a_new_node_in_one_step() {
    let mut rig = Rig::new(lasp_sim::Config { loss: 0.05, ..lasp_sim::Config::seeded(30) }, vec![Config::default(); 2]);
    let text = |n: i64| Value::text(format!("{n:04}{}", "x".repeat(3_000)));
    for variable in 0..3 {
        let var = rig.declare(1, &format!("causal/big/v{variable}"), Type::GSet);
        let op = Op::AddAll((0..60).map(|n| text(100 * variable + n)).collect());
        rig.ask(1, Request::Update { var, op }).expect("added");
    }
    rig.run(20);
    rig.add(3, Config::default());
    let counts = |rig: &Rig| [0, 1, 2].map(|variable| rig.cardinality(3, &format!("causal/big/v{variable}")));
    let mut seen = BTreeSet::new();
    for _ in 0..10_000 {
        rig.sim.run_for(Duration::from_millis(1));
        seen.insert(counts(&rig));
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [[0; 3], [60; 3]], "all of it or nothing");
}

#[test]
fn a_node_hears_all_of_a_group_or_nothing_and_gets_the_past_when_it_begins_to() {
    let hears = |prefix: &str| Config { interests: Interests::prefixes([prefix]), ..Config::default() };
    let configs = vec![Config::default(), hears("other"), hears("causal/shop/ord"), hears("causal/shop/")];
    let mut rig = Rig::new(lasp_sim::Config::seeded(40), configs);
    for (variable, element) in [("causal/shop/orders", 1), ("causal/shop/stock", 2), ("causal/single", 3)] {
        rig.add_all(1, variable, [element]);
    }
    rig.run(15);
    let counts = |rig: &Rig, node| {
        ["causal/shop/orders", "causal/shop/stock", "causal/single"].map(|variable| rig.cardinality(node, variable))
    };
    let heard = [3, 4].map(|node| counts(&rig, node)[..2].to_vec());
    assert_eq!(heard, [[1, 1], [1, 1]], "who wants a part of a group hears all of it");
    let between = counts(&rig, 2);
    assert_eq!(between[0], between[1], "who lies between others keeps all of it or nothing");
    assert_eq!(rig.ask(2, Request::Interests(Interests::All)), Ok(Reply::Done));
    rig.add(5, hears("other"));
    rig.add_all(5, "causal/shop/orders", [5]);
    rig.run(15);
    assert_eq!([2, 5].map(|node| counts(&rig, node)), [[2, 1, 1], [2, 1, 0]], "declaring one is hearing all");
    let var = rig.declare(2, "causal/shop/orders", Type::AwSet);
    assert!(matches!(rig.ask(2, Request::Undeclare(var)), Err(RequestError::InGroup(_))));
}

#[test]
fn updates_of_groups_are_acknowledged_and_followed_by_sessions_too() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(50), vec![Config::default(); 6]);
    rig.run(10);
    let var = rig.declare(2, "causal/shop/orders", Type::AwSet);
    let session = Some(Box::default());
    let within = Duration::from_secs(5);
    let request = Request::UpdateAcknowledged { var, op: Op::Add(7.into()), by: 5, within, session };
    rig.sim.drain_events();
    let id = lasp_node::RequestId(1 << 40);
    rig.sim.command(PeerId(2), lasp_node::Command::Request { id, request });
    rig.run(4);
    let answer = rig.sim.drain_events().into_iter().find_map(|(_, _, event)| match event {
        lasp_node::Event::Reply { id: of, result: Ok(reply) } if of == id => Some(reply),
        _ => None,
    });
    let Some(Reply::Acknowledged { acknowledgement, session: Some(session) }) = answer else { panic!("{answer:?}") };
    assert!(acknowledgement.is_enough() && session.len() == 1, "{acknowledgement:?}");
    for node in 1..=6 {
        assert_eq!(rig.cardinality(node, "causal/shop/orders"), 1, "node {node}");
    }
    let within = Duration::from_secs(1);
    assert_eq!(rig.ask(5, Request::Enter { session, within }), Ok(Reply::Done));
}

#[test]
fn a_group_costs_its_deltas_once_for_each_link_at_most_and_no_vectors() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(60), vec![Config::default(); 12]);
    rig.run(15);
    let links: usize = (1..=12).map(|id| rig.node(id).active_view().len()).sum::<usize>() / 2;
    let mut cost = |name: &str| {
        let var = rig.declare(4, name, Type::GCounter);
        let sent = |rig: &Rig| {
            let classes = [Class::State, Class::Sync, Class::Broadcast];
            let of = |id| classes.map(|class| rig.node(id).metrics().sent(class)).iter().sum::<u64>();
            (1..=12).map(of).sum::<u64>()
        };
        let mut before = 0;
        for n in 0..60 {
            if n == 20 {
                before = sent(&rig);
            }
            rig.ask(4, Request::Update { var, op: Op::Increment(1) }).expect("counted");
            rig.sim.run_for(Duration::from_millis(400));
        }
        (sent(&rig) - before) / 40
    };
    let (plain, grouped) = (cost("plain"), cost("causal/g/n"));
    println!("{plain} B plain, {grouped} B grouped, {links} links");
    assert!(grouped < 40 * links as u64, "{grouped} B for an update in a group, {plain} without, {links} links");
}

#[test]
fn a_large_group_crosses_a_link_that_takes_longer_than_anybody_is_patient() {
    let slow = lasp_sim::Config { bandwidth: Some(60_000), ..lasp_sim::Config::seeded(70) };
    let mut rig = Rig::new(slow, vec![Config::default()]);
    let var = rig.declare(1, "causal/big/v", Type::GSet);
    let texts = (0..400).map(|n| Value::text(format!("{n:04}{}", "x".repeat(3_000))));
    rig.ask(1, Request::Update { var, op: Op::AddAll(texts.collect()) }).expect("added");
    rig.add(2, Config::default());
    rig.run(15);
    assert_eq!(rig.cardinality(2, "causal/big/v"), 0, "1.2 MB take twenty seconds");
    rig.run(15);
    assert_eq!(rig.cardinality(2, "causal/big/v"), 400);
    let sent = rig.node(1).metrics().sent(Class::State);
    assert!(sent < 2_000_000, "{sent} B: it was told once");
}
