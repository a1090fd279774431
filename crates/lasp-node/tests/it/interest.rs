//! Interests: what a node hears, and what it does not.

use crate::rig::{Rig, set};
use lasp_dataflow::{FunctionError, Op, Operator, Target, Type, Value, function};
use lasp_node::{Config, Interests, Reply, Request};

fn hears(prefixes: &[&str]) -> Config {
    Config { interests: Interests::prefixes(prefixes.iter().copied()), ..Config::default() }
}

fn positive() -> Operator {
    Operator::Filter(function(|args| match &args[0] {
        Value::Int(n) => Ok(Value::Bool(*n > 0)),
        _ => Err(FunctionError::new("no integer")),
    }))
}

#[test]
fn a_node_hears_only_the_prefixes_it_asked_for() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(1), vec![Config::default(), hears(&["ads/"]), Config::default()]);
    rig.add_all(1, "ads/1", [1, 2]);
    rig.add_all(1, "contracts", [3]);
    rig.run(15);
    assert_eq!(rig.value(2, "ads/1"), set([1, 2]));
    assert_eq!(rig.value(2, "contracts"), None);
    assert_eq!(rig.value(3, "contracts"), set([3]));
}

#[test]
fn a_late_joiner_gets_what_it_wants_by_comparison_alone() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(2), vec![Config::default()]);
    rig.add_all(1, "ads/1", 0..100);
    rig.add_all(1, "contracts", 0..100);
    rig.add(2, hears(&["contracts"]));
    rig.run(3);
    assert_eq!((rig.value(2, "contracts"), rig.value(2, "ads/1")), (set(0..100), None));
}

#[test]
fn widening_the_interest_fetches_what_was_missed() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(3), vec![Config::default(), hears(&["none"])]);
    rig.add_all(1, "ads/1", [1]);
    rig.run(12);
    assert_eq!(rig.value(2, "ads/1"), None);
    assert_eq!(rig.ask(2, Request::Interests(Interests::All)), Ok(Reply::Done));
    rig.run(3);
    assert_eq!(rig.value(2, "ads/1"), set([1]));
}

#[test]
fn declaring_a_variable_is_wanting_to_hear_it() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(4), vec![Config::default(), hears(&["none"])]);
    rig.add_all(1, "ads/1", [1]);
    rig.run(2);
    rig.add_all(2, "ads/1", [2]);
    rig.run(3);
    assert_eq!((rig.value(1, "ads/1"), rig.value(2, "ads/1")), (set([1, 2]), set([1, 2])));
}

#[test]
fn a_light_node_hears_a_derived_set_without_its_inputs_and_sees_removals() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(5), vec![Config::default(), hears(&["shown"]), hears(&["shown"])]);
    rig.add_all(1, "stock", -3..=3);
    let stock = rig.declare(1, "stock", Type::AwSet);
    let shown = rig.declare(1, "shown", Type::AwSet);
    let request = Request::Derive { operator: positive(), inputs: vec![stock], into: Target::Into(shown) };
    assert_eq!(rig.ask(1, request), Ok(Reply::Var(shown)));
    rig.run(2);
    assert_eq!((rig.value(2, "shown"), rig.value(2, "stock")), (set([1, 2, 3]), None));
    assert_eq!(rig.ask(1, Request::Update { var: stock, op: Op::Remove(Value::Int(2)) }), Ok(Reply::Done));
    rig.run(2);
    for light in [2, 3] {
        assert_eq!(rig.value(light, "shown"), set([1, 3]), "node {light}");
    }
}

#[test]
fn several_nodes_that_derive_the_same_speak_of_it_about_once() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(6), vec![Config::default(); 20]);
    for id in 1..=20 {
        let stock = rig.declare(id, "stock", Type::AwSet);
        let shown = rig.declare(id, "shown", Type::AwSet);
        let request = Request::Derive { operator: positive(), inputs: vec![stock], into: Target::Into(shown) };
        assert_eq!(rig.ask(id, request), Ok(Reply::Var(shown)));
    }
    rig.run(5);
    let broadcasts = |rig: &Rig| (1..=20).map(|id| rig.node(id).broadcast().metrics().gossip_sent).sum::<u64>();
    let before = broadcasts(&rig);
    rig.add_all(1, "stock", [7]);
    rig.run(5);
    assert_eq!(rig.value(20, "shown"), set([7]));
    let sent = broadcasts(&rig) - before;
    assert!(sent < 5 * 19, "one update and its consequence took {sent} messages to 19 others");
}
