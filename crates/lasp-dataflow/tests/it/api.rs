//! The scenarios of the original's API suite, as behaviours of one node.

use crate::support::{Node, double, is_even, name};
use lasp_dataflow::{Op, Operator, Target, Threshold, Value, WaiterId};

/// S1 = {1,2,3}, then an operator, then {4,5,6}.
fn grown(operator: Operator) -> String {
    let mut node = Node::new(1);
    let set = node.declare("s1", "set");
    node.add(set, [1, 2, 3]);
    let derived = node.derive(operator, &[set]);
    node.add(set, [4, 5, 6]);
    node.show(derived)
}

/// Two sets, then an operator over both.
fn combined(operator: Operator, left: Vec<Value>, right: Vec<Value>) -> String {
    let mut node = Node::new(1);
    let (a, b) = (node.declare("a", "set"), node.declare("b", "set"));
    node.add(a, left);
    node.add(b, right);
    let derived = node.derive(operator, &[a, b]);
    node.show(derived)
}

fn numbers() -> Vec<Value> {
    vec![1.into(), 2.into(), 3.into()]
}

fn letters_and_three() -> Vec<Value> {
    vec![Value::atom("a"), Value::atom("b"), 3.into()]
}

#[test]
fn map_follows_its_source() {
    assert_eq!(grown(Operator::Map(double())), "set[2, 4, 6, 8, 10, 12]");
}

#[test]
fn filter_follows_its_source() {
    assert_eq!(grown(Operator::Filter(is_even())), "set[2, 4, 6]");
}

#[test]
fn union_of_different_kinds_is_ordered_by_kind() {
    let letters = ["a", "b", "c"].map(Value::atom).to_vec();
    assert_eq!(combined(Operator::Union, numbers(), letters), "set[1, 2, 3, a, b, c]");
}

#[test]
fn intersection_has_what_both_have() {
    assert_eq!(combined(Operator::Intersection, numbers(), letters_and_three()), "set[3]");
}

#[test]
fn product_has_all_pairs() {
    assert_eq!(
        combined(Operator::Product, numbers(), letters_and_three()),
        "set[{1, 3}, {1, a}, {1, b}, {2, 3}, {2, a}, {2, b}, {3, 3}, {3, a}, {3, b}]"
    );
}

#[test]
fn the_listing_of_the_talk() {
    let mut node = Node::new(1);
    let s1 = node.declare("s1", "set");
    node.add(s1, [1, 2, 3]);
    let s2 = node.declare("s2", "set");
    node.graph.derive(Operator::Map(double()), &[s1], Target::Into(s2)).expect("no cycle");
    assert_eq!(node.show(s2), "set[2, 4, 6]");
}

#[test]
fn bound_variables_follow_whether_bound_before_or_after() {
    let mut node = Node::new(1);
    let [i1, i2, i3] = ["i1", "i2", "i3"].map(|name| node.declare(name, "ivar"));
    node.graph.bind_to(i2, i1).expect("same type");
    node.update(i1, Op::Set(1.into()));
    node.graph.bind_to(i3, i1).expect("same type");
    assert_eq!([i1, i2, i3].map(|var| node.show(var)), ["1", "1", "1"]);
}

#[test]
fn sets_bound_in_a_chain_end_up_alike_and_removals_follow() {
    let mut node = Node::new(1);
    let [l1, l2, l3] = ["l1", "l2", "l3"].map(|name| node.declare(name, "set"));
    node.graph.bind_to(l2, l1).expect("same type");
    node.add(l1, [1]);
    node.graph.bind_to(l3, l2).expect("same type");
    assert_eq!([l1, l2, l3].map(|var| node.show(var)), ["set[1]", "set[1]", "set[1]"]);
    // A copy's own additions stay its own.
    node.add(l3, [7]);
    node.remove(l1, 1);
    assert_eq!([l1, l2, l3].map(|var| node.show(var)), ["set[]", "set[]", "set[7]"]);
}

#[test]
fn binding_what_is_there_changes_nothing() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    node.add(set, [1]);
    node.drain();
    assert_eq!(node.graph.bind(set, &Value::list([1])), Ok(false));
    assert_eq!(node.graph.bind(set, &Value::list([1, 2])), Ok(true));
    assert_eq!(node.show(set), "set[1, 2]");
    let before = node.graph.state(set).expect("a variable").clone();
    assert!(!node.graph.merge(set, before));
}

#[test]
fn chains_of_counters_pass_increments_on() {
    let mut node = Node::new(1);
    let chain: Vec<_> = (0..5).map(|i| node.declare(&format!("c{i}"), "pncounter")).collect();
    for pair in chain.windows(2) {
        node.graph.bind_to(pair[1], pair[0]).expect("unused counters");
    }
    node.update(chain[0], Op::Increment(3));
    node.update(chain[0], Op::Decrement(1));
    assert_eq!(node.show(chain[4]), "2");
    assert!(node.try_update(chain[4], Op::Increment(1)).is_err());
}

#[test]
fn thresholds_on_states_are_monotone() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    node.add(set, [1, 2]);
    let v0 = node.graph.state(set).expect("a variable").clone();
    assert_eq!(node.graph.wait(WaiterId(1), set, Threshold::State(v0.clone())), Ok(true));
    assert_eq!(node.graph.wait(WaiterId(2), set, Threshold::Strict(v0)), Ok(false));
    node.add(set, [3]);
    assert_eq!(node.drain().met, [WaiterId(2)]);
}

#[test]
fn of_two_readers_only_the_one_whose_variable_changed_wakes() {
    let mut node = Node::new(1);
    let (l5, l6) = (node.declare("l5", "set"), node.declare("l6", "set"));
    assert_eq!(node.graph.wait(WaiterId(5), l5, Threshold::Bound), Ok(false));
    assert_eq!(node.graph.wait(WaiterId(6), l6, Threshold::Bound), Ok(false));
    node.add(l5, [1]);
    assert_eq!(node.drain().met, [WaiterId(5)]);
    node.graph.cancel(WaiterId(6));
    node.add(l6, [1]);
    assert_eq!(node.drain().met, []);
}

#[test]
fn a_local_variable_has_its_own_value_on_each_node() {
    let mut nodes = [Node::new(1), Node::new(2)];
    for (i, node) in nodes.iter_mut().enumerate() {
        let ty = "ivar".parse().expect("a type");
        let var = node.graph.declare_local(name("me"), ty).expect("a free name");
        assert_eq!(node.graph.bind(var, &Value::from(i as u64)), Ok(true));
        assert_eq!(node.show(var), i.to_string());
        assert_eq!(node.drain().deltas, []);
        assert_eq!(node.graph.fingerprint(), 0);
    }
}
