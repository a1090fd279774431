//! Anti-entropy: neighbours that lost everything on the way still end up equal.

use crate::rig::{Rig, set};
use lasp_dataflow::{Op, Type, Value};
use lasp_node::{Class, Config, Reply, Request};
use lasp_overlay::PeerId;

#[test]
fn equal_neighbours_spend_a_few_bytes_on_finding_out() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(1), vec![Config::default(); 2]);
    rig.add_all(1, "set", 0..5_000);
    rig.run(20);
    let before = rig.node(1).metrics().sent(Class::Sync);
    let state = rig.node(1).metrics().sent(Class::State);
    rig.run(60);
    let spent = rig.node(1).metrics().sent(Class::Sync) - before;
    assert!((20..200).contains(&spent), "some six comparisons of a dozen bytes, not {spent}");
    assert_eq!(rig.node(1).metrics().sent(Class::State), state, "no state is sent again");
}

#[test]
fn both_sides_of_a_partition_meet_over_many_variables_in_bytes_that_follow_the_difference() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(2), vec![Config::default(); 4]);
    for n in 0..300 {
        rig.add_all(1, &format!("set/{n}"), [1, 2, 3]);
    }
    rig.run(30);
    let ids = |ids: &[u64]| ids.iter().map(|&id| PeerId(id)).collect::<Vec<_>>();
    rig.sim.partition(&[ids(&[1, 2]), ids(&[3, 4])]);
    rig.run(10);
    rig.add_all(1, "set/7", [10]);
    rig.add_all(3, "set/7", [11]);
    rig.add_all(4, "set/250", [12]);
    let var = rig.declare(3, "set/8", Type::AwSet);
    assert_eq!(rig.ask(3, Request::Update { var, op: Op::Remove(Value::Int(2)) }), Ok(Reply::Done));
    rig.run(2);
    let total = |rig: &Rig| (1..=4).map(|id| rig.node(id).metrics().total_sent()).sum::<u64>();
    let before = total(&rig);
    rig.sim.heal();
    rig.run(60);
    for node in 1..=4 {
        assert_eq!(rig.value(node, "set/7"), set([1, 2, 3, 10, 11]), "node {node}");
        assert_eq!(rig.value(node, "set/250"), set([1, 2, 3, 12]), "node {node}");
        assert_eq!(rig.value(node, "set/8"), set([1, 3]), "node {node}");
    }
    let spent = total(&rig) - before;
    assert!(spent < 60_000, "300 variables of which 3 differ took {spent} bytes");
}

#[test]
fn a_state_beyond_the_frame_size_arrives_in_pieces() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(3), vec![Config::default()]);
    for chunk in 0..20 {
        let texts = (0..500).map(|n| Value::from(format!("{chunk}-{n}-{}", "x".repeat(100)))).collect();
        let var = rig.declare(1, "large", Type::AwSet);
        assert_eq!(rig.ask(1, Request::Update { var, op: Op::AddAll(texts) }), Ok(Reply::Done));
    }
    rig.add(2, Config::default());
    rig.run(5);
    assert_eq!(rig.cardinality(2, "large"), 10_000);
    assert_eq!(rig.node(1).fingerprint(), rig.node(2).fingerprint());
}

#[test]
fn a_type_conflict_is_told_and_leaves_both_values() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(4), vec![Config::default(); 2]);
    rig.sim.partition(&[vec![PeerId(1)], vec![PeerId(2)]]);
    rig.add_all(1, "x", [1]);
    let counter = rig.declare(2, "x", Type::GCounter);
    assert_eq!(rig.ask(2, Request::Update { var: counter, op: Op::Increment(2) }), Ok(Reply::Done));
    rig.sim.drain_events();
    rig.sim.heal();
    rig.run(30);
    let conflicts = rig.sim.drain_events();
    let conflicts = conflicts.iter().filter(|(_, _, e)| matches!(e, lasp_node::Event::TypeConflict { .. })).count();
    assert!(conflicts >= 1);
    assert_eq!(rig.value(1, "x"), set([1]));
    assert_eq!(rig.value(2, "x"), Some(lasp_dataflow::Output::Value(Value::Int(2))));
}

/// Two nodes with a grow-only set of so many; each then adds some that the other does not hear of, and they meet again.
fn apart(elements: i64, differ: i64) -> (Rig, u64) {
    let mut rig = Rig::new(lasp_sim::Config::seeded(7), vec![Config::default(); 2]);
    let add = |rig: &mut Rig, id: u64, from: i64, count: i64| {
        let var = rig.declare(id, "grown", Type::GSet);
        let op = Op::AddAll((from..from + count).map(Value::Int).collect());
        assert_eq!(rig.ask(id, Request::Update { var, op }), Ok(Reply::Done));
    };
    add(&mut rig, 1, 0, elements);
    rig.run(30);
    rig.sim.partition(&[vec![PeerId(1)], vec![PeerId(2)]]);
    rig.run(1);
    add(&mut rig, 1, 1_000_000, differ / 2);
    add(&mut rig, 2, 2_000_000, differ / 2);
    rig.run(10);
    let sent = |rig: &Rig| (1..=2).map(|id| rig.node(id).metrics().sent(Class::Sync)).sum::<u64>();
    let before = sent(&rig);
    rig.sim.heal();
    rig.run(15);
    for id in [1, 2] {
        assert_eq!(rig.cardinality(id, "grown"), (elements + differ / 2 * 2) as usize);
    }
    let spent = sent(&rig) - before;
    (rig, spent)
}

#[test]
fn large_variables_that_differ_a_little_meet_in_bytes_that_follow_the_difference() {
    let (_, small) = apart(20_000, 10);
    let (_, large) = apart(20_000, 400);
    assert!(small < 2_000, "{small} bytes for ten elements");
    assert!(large < 400 * 24, "{large} bytes for four hundred");
}

#[test]
fn large_variables_that_differ_much_are_filtered_first() {
    let (_, much) = apart(20_000, 10_000);
    assert!(much < 10_000 * 8, "{much} bytes for ten thousand, of which a sketch alone would take 18 each");
}

#[test]
fn large_variables_that_differ_a_lot_meet_all_the_same() {
    apart(100, 20_000);
    apart(20_000, 30_000);
}
