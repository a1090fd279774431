//! What the original got wrong between nodes, each as a test that says how it is here. The table in `docs/lattices.md`
//! has them all, with those of the layers below.

use crate::rig::{Rig, set};
use lasp_dataflow::{Name, Op, Type, Value};
use lasp_node::{Config, Reply, Request};
use std::time::Duration;

fn three(seed: u64) -> Rig {
    Rig::new(lasp_sim::Config::seeded(seed), vec![Config::default(); 3])
}

/// There its peers went on from what it had once acknowledged, so that it never got the rest; and its own additions
/// began anew at the first dot.
#[test]
fn a_node_that_lost_everything_recovers_it_and_adds_to_it_in_its_next_life() {
    let mut rig = three(1);
    for (id, element) in [(1, 10), (2, 20), (3, 30)] {
        rig.add_all(id, "s", [element, element + 1]);
    }
    rig.run(3);
    let var = rig.declare(1, "s", Type::AwSet);
    assert_eq!(rig.ask(1, Request::Update { var, op: Op::Remove(Value::Int(31)) }), Ok(Reply::Done));
    rig.run(3);
    for incarnation in 2..=4 {
        rig.crash(2);
        rig.run(2);
        rig.restart(2, incarnation, 3);
        // At once, before it has heard anything.
        rig.add_all(2, "s", [100 + incarnation as i64]);
        rig.run(20);
    }
    for id in 1..=3 {
        assert_eq!(rig.value(id, "s"), set([10, 11, 20, 21, 30, 102, 103, 104]), "node {id}");
        assert_eq!(rig.node(id).fingerprint(), rig.node(1).fingerprint(), "node {id}");
    }
}

/// There what nobody else changed any more was never sent again to one who had lost it.
#[test]
fn a_node_that_lost_everything_recovers_what_nobody_changes_any_more() {
    let mut rig = three(2);
    rig.add_all(3, "s", 0..100);
    rig.run(5);
    rig.crash(3);
    rig.run(5);
    rig.restart(3, 2, 1);
    rig.run(20);
    assert_eq!(rig.value(3, "s"), set(0..100));
}

/// There it was sent in one of the modes.
#[test]
fn a_local_variable_never_leaves_its_node_neither_by_broadcast_nor_by_comparison() {
    let mut rig = three(3);
    let declare_local = |rig: &mut Rig, id: u64| {
        let name = Some(Name::new("mine").expect("a name"));
        match rig.ask(id, Request::Declare { name, ty: Type::AwSet, local: true }) {
            Ok(Reply::Var(var)) => var,
            other => panic!("declare: {other:?}"),
        }
    };
    for id in [1, 2] {
        let var = declare_local(&mut rig, id);
        let op = Op::Add(Value::Int(id as i64));
        assert_eq!(rig.ask(id, Request::Update { var, op }), Ok(Reply::Done));
    }
    // Something else to speak of, and time to compare.
    rig.add_all(1, "ours", [1]);
    rig.run(40);
    rig.add(4, Config::default());
    rig.run(40);
    assert_eq!((rig.value(1, "mine"), rig.value(2, "mine")), (set([1]), set([2])));
    for id in [3, 4] {
        assert_eq!((rig.value(id, "mine"), rig.value(id, "ours")), (None, set([1])), "node {id}");
    }
    assert_eq!(rig.node(1).fingerprint(), rig.node(4).fingerprint());
}

/// There a blocking update waited for the acknowledgement of every peer, for ever, and with it the whole API of the node.
#[test]
fn an_update_is_answered_at_once_with_every_peer_dead_and_arrives_when_they_are_back() {
    let mut rig = three(4);
    rig.add_all(1, "s", [1]);
    rig.run(5);
    for dead in [2, 3] {
        rig.crash(dead);
    }
    let before = rig.sim.now();
    rig.add_all(1, "s", [2]);
    assert_eq!(rig.value(1, "s"), set([1, 2]));
    assert_eq!(rig.sim.now().since(before), Duration::ZERO, "nobody was waited for");
    rig.run(30);
    for back in [2, 3] {
        rig.restart(back, 2, 1);
    }
    rig.run(20);
    for id in [2, 3] {
        assert_eq!(rig.value(id, "s"), set([1, 2]), "node {id}");
    }
}
