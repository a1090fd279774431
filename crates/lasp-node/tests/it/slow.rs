//! Slow links: what waits merges, nothing is lost, memory follows the state.

use crate::rig::Rig;
use lasp_dataflow::{Op, Output, Type, Value};
use lasp_node::{Config, Interests, Reply, Request, SyncConfig};
use lasp_overlay::PeerId;
use std::time::Duration;

#[test]
fn updates_to_a_slow_peer_merge_and_all_arrive() {
    let network = lasp_sim::Config { bandwidth: Some(2_000), ..lasp_sim::Config::seeded(1) };
    let mut rig = Rig::new(network, vec![Config::default(); 2]);
    rig.run(5);
    let var = rig.declare(1, "count", Type::GCounter);
    let set = rig.declare(1, "set", Type::AwSet);
    for n in 0..20_000 {
        assert_eq!(rig.ask(1, Request::Update { var, op: Op::Increment(1) }), Ok(Reply::Done));
        let text = Value::from(format!("{}-{}", n % 50, "y".repeat(200)));
        assert_eq!(rig.ask(1, Request::Update { var: set, op: Op::Add(text) }), Ok(Reply::Done));
        if n % 100 == 0 {
            rig.sim.run_for(Duration::from_millis(10));
        }
    }
    let metrics = rig.node(1).metrics();
    assert!(metrics.coalesced > 1_000, "only {} deltas merged", metrics.coalesced);
    assert!(metrics.queue_peak < 100, "{} messages waited", metrics.queue_peak);
    rig.run(300);
    assert_eq!(rig.value(2, "count"), Some(Output::Value(Value::Int(20_000))));
    assert_eq!(rig.cardinality(2, "set"), 50);
    assert_eq!(rig.node(1).waiting(), 0);
}

#[test]
fn a_value_that_no_frame_could_carry_is_refused_and_nothing_changes() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(2), vec![Config::default()]);
    let var = rig.declare(1, "set", Type::AwSet);
    let huge = Value::from("z".repeat(200_000));
    let refused = rig.ask(1, Request::Update { var, op: Op::Add(huge) });
    assert!(matches!(refused, Err(lasp_node::RequestError::TooLarge { .. })), "{refused:?}");
    assert_eq!(rig.cardinality(1, "set"), 0);
}

/// Comparisons are so rare that what arrives came along the tree.
fn tree_only(interests: Interests) -> Config {
    let hour = Duration::from_secs(3_600);
    let sync = SyncConfig { interval: hour, first: hour, recheck: hour, spread: hour };
    Config { sync, interests, ..Config::default() }
}

fn add_many(rig: &mut Rig, id: u64, count: i64) {
    let set = rig.declare(id, "set", Type::AwSet);
    let texts = (0..count).map(|n| Value::from(format!("{n:0>20}"))).collect();
    assert_eq!(rig.ask(id, Request::Update { var: set, op: Op::AddAll(texts) }), Ok(Reply::Done));
}

#[test]
fn an_update_too_large_for_one_frame_is_relayed_along_the_tree() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(3), vec![tree_only(Interests::All); 24]);
    rig.run(2);
    add_many(&mut rig, 5, 5_000);
    rig.run(2);
    for id in 1..=24 {
        assert_eq!(rig.cardinality(id, "set"), 5_000, "node {id}");
        assert!(rig.node(id).is_quiescent());
    }
    assert!(rig.node(5).active_view().len() < 23, "some are further than one hop");
}

#[test]
fn nodes_that_do_not_hear_a_variable_relay_it_too() {
    let light = |index| if index % 2 == 0 { Interests::All } else { Interests::prefixes(["other"]) };
    let configs = (0..24).map(|index| tree_only(light(index))).collect();
    let mut rig = Rig::new(lasp_sim::Config::seeded(4), configs);
    rig.run(2);
    add_many(&mut rig, 5, 5_000);
    rig.run(2);
    for id in (1..=24).step_by(2) {
        assert_eq!(rig.cardinality(id, "set"), 5_000, "node {id}");
    }
}

/// Nineteen nodes make a thousand updates a second to a hundred counters; the twentieth reads 250 bytes a second of each link.
#[test]
fn a_very_slow_node_costs_its_neighbours_little_stays_their_neighbour_and_has_everything_in_the_end() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(1), vec![Config::default(); 20]);
    let slow = PeerId(20);
    rig.sim.throttle(slow, 250);
    rig.run(30);
    let neighbours = rig.node(20).active_view();
    let mut most = 0;
    for n in 0..10_000u64 {
        let id = 1 + (n * 7919) % 19;
        let var = rig.declare(id, &format!("count/{}", (n * 104_729 / 19) % 100), Type::GCounter);
        assert_eq!(rig.ask(id, Request::Update { var, op: Op::Increment(1) }), Ok(Reply::Done));
        rig.sim.run_for(Duration::from_millis(1));
        if n % 100 == 0 {
            most = (1..20).map(|id| rig.node(id).buffered_bytes(slow)).max().unwrap().max(most);
        }
    }
    let state = rig.node(1).state_bytes();
    assert!(most > 500, "nothing waited");
    // Broadcasts, relays and what comparing found missing wait apart, each at most as much as there is.
    assert!(most < 3 * state + 1024, "{most} bytes waited, of a state of {state}");
    rig.run(120);
    assert_eq!(rig.node(20).fingerprint(), rig.node(1).fingerprint());
    let kept = rig.node(20).active_view().iter().filter(|peer| neighbours.contains(peer)).count();
    assert!(kept + 1 >= neighbours.len(), "of {} neighbours it kept {kept}: it was taken for dead", neighbours.len());
    assert_eq!(rig.node(1).fingerprint(), rig.node(19).fingerprint());
}
