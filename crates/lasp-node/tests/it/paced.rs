//! Busy clusters: what is held back is sent once, and comparisons are rare.

use crate::rig::Rig;
use lasp_dataflow::{Op, Output, Type, Value};
use lasp_node::{Config, LinkConfig, Metrics, Request};
use std::time::Duration;

const NODES: u64 = 24;

fn paced() -> Vec<Config> {
    let link = LinkConfig { pace: Duration::from_secs(1), ..LinkConfig::default() };
    vec![Config { link, ..Config::default() }; NODES as usize]
}

/// Every node counts once a second, for so many seconds.
fn count(rig: &mut Rig, seconds: u64) {
    let vars: Vec<_> = (1..=NODES).map(|id| rig.declare(id, "count", Type::GCounter)).collect();
    for _ in 0..seconds {
        for id in 1..=NODES {
            rig.ask(id, Request::Update { var: vars[id as usize - 1], op: Op::Increment(1) }).expect("counts");
            rig.sim.run_for(Duration::from_secs(1) / NODES as u32);
        }
    }
}

fn sum(rig: &Rig, of: impl Fn(&Metrics) -> u64) -> u64 {
    (1..=NODES).map(|id| of(rig.node(id).metrics())).sum()
}

fn grafts(rig: &Rig) -> u64 {
    (1..=NODES).map(|id| rig.node(id).broadcast().metrics().grafts_sent).sum()
}

#[test]
fn what_is_held_back_for_a_second_goes_over_each_link_of_the_tree_once() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(1), paced());
    count(&mut rig, 30);
    let (entries, torn, compared) = (sum(&rig, |m| m.entries_sent), grafts(&rig), sum(&rig, |m| m.sync_differences));
    count(&mut rig, 60);
    let needed = 60 * NODES * (NODES - 1);
    let sent = sum(&rig, |m| m.entries_sent) - entries;
    assert!(sent < needed * 21 / 20, "{sent} entries for {needed}");
    assert_eq!(grafts(&rig), torn, "the tree was taken for torn");
    let compared = sum(&rig, |m| m.sync_differences) - compared;
    assert!(compared < NODES, "{compared} comparisons found what was under way");
    rig.run(12);
    for id in 1..=NODES {
        assert_eq!(rig.value(id, "count"), Some(Output::Value(Value::Int(90 * NODES as i64))));
    }
}

#[test]
fn what_is_lost_on_the_way_arrives_all_the_same() {
    let network = lasp_sim::Config { loss: 0.05, ..lasp_sim::Config::seeded(2) };
    let mut rig = Rig::new(network, paced());
    count(&mut rig, 60);
    rig.run(60);
    for id in 1..=NODES {
        assert_eq!(rig.value(id, "count"), Some(Output::Value(Value::Int(60 * NODES as i64))));
    }
}
