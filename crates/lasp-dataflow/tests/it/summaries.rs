//! Folds whose results travel: who hears only the results sees the newest, and concurrent ones side by side.

use crate::support::{Node, double, int, is_even, of_int, set_op};
use lasp_crdt::ReplicaId;
use lasp_dataflow::{
    Aggregate, DeriveError, Op, OpError, Operator, Output, State, Target, Threshold, Type, UpdateError, Value, VarId,
    WaiterId,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

type News = Vec<(String, Type, State)>;

fn fold(node: &mut Node, aggregate: Aggregate, input: VarId, into: &str) -> VarId {
    let into = node.declare(into, "summary");
    node.graph.derive(Operator::Fold(aggregate), &[input], Target::Into(into)).expect("a fold that travels")
}

/// A node that has `a` and folds it into `t`.
fn folding(replica: u64, aggregate: Aggregate) -> (Node, VarId, VarId) {
    let mut node = Node::new(replica);
    let a = node.declare("a", "set");
    let t = fold(&mut node, aggregate, a, "t");
    (node, a, t)
}

/// One that has the result alone.
fn observing() -> (Node, VarId) {
    let mut node = Node::new(9);
    let t = node.declare("t", "summary");
    (node, t)
}

fn only(news: &News, name: &str) -> News {
    news.iter().filter(|(of, ..)| of == name).cloned().collect()
}

#[test]
fn an_observer_sees_the_newest_result_and_concurrent_ones_apart_until_they_merge() {
    let ((mut one, a, _), (mut two, b, t)) = (folding(1, Aggregate::Count), folding(2, Aggregate::Count));
    let (mut observer, seen) = observing();
    assert_eq!(observer.show(seen), "undefined");
    let first = one.news();
    observer.hear(&first);
    assert_eq!(observer.show(seen), "0", "nothing was counted yet");

    one.add(a, [1, 2]);
    let of_one = one.news();
    observer.hear(&of_one);
    assert_eq!(observer.show(seen), "2");
    two.add(b, [7, 8, 9]);
    let of_two = two.news();
    observer.hear(&of_two);
    assert_eq!(observer.show(seen), "mv[2, 3]", "neither had what the other had");
    assert_eq!(observer.read(seen), Output::Many(vec![2.into(), 3.into()]));

    two.hear(&of_one);
    let of_both = two.news();
    assert_eq!(two.show(t), "5");
    observer.hear(&of_both);
    assert_eq!(observer.show(seen), "5");
    // What comes late or again changes nothing.
    for news in [&of_two, &first, &of_one, &of_both] {
        observer.hear(news);
        assert_eq!(observer.show(seen), "5");
    }
    // The other one comes to the same.
    one.hear(&of_two);
    let again = one.news();
    assert_eq!(only(&again, "t").len(), 1);
    let before = observer.graph.fingerprint();
    observer.hear(&again);
    assert_eq!(observer.graph.fingerprint(), before);
}

#[test]
fn a_removal_takes_the_result_down_elsewhere() {
    let (mut one, a, _) = folding(1, Aggregate::Sum);
    let (mut observer, seen) = observing();
    one.add(a, [5, 6]);
    let full = one.news();
    one.remove(a, 6);
    let less = one.news();
    for order in [[&full, &less], [&less, &full]] {
        order.into_iter().for_each(|news| observer.hear(news));
        assert_eq!(observer.show(seen), "5");
    }
    // To empty, and up again.
    one.remove(a, 5);
    observer.hear(&one.news());
    assert_eq!(observer.show(seen), "0");
    one.add(a, [3]);
    observer.hear(&one.news());
    assert_eq!(observer.show(seen), "3");
}

#[test]
fn a_change_that_leaves_the_result_alone_still_supersedes_older_ones() {
    let ((mut one, a, _), (mut two, b, _)) = (folding(1, Aggregate::Max), folding(2, Aggregate::Max));
    let (mut observer, seen) = observing();
    one.add(a, [1]);
    let of_one = one.news();
    two.add(b, [9]);
    observer.hear(&only(&two.news(), "t"));
    observer.hear(&of_one);
    assert_eq!(observer.show(seen), "mv[1, 9]");
    // The greatest stays 9, of more.
    two.hear(&of_one);
    observer.hear(&two.news());
    assert_eq!(observer.show(seen), "9");
}

#[test]
fn what_a_filter_keeps_out_moves_the_basis_on() {
    let mut node = Node::new(1);
    let a = node.declare("a", "set");
    let even = node.derive(Operator::Filter(is_even()), &[a]);
    fold(&mut node, Aggregate::Count, even, "t");
    node.add(a, [1, 2]);
    node.news();
    node.add(a, [3]);
    let news = node.news();
    assert_eq!(only(&news, "t").len(), 1, "the count is still 1, of more");
}

#[test]
fn the_least_of_nothing_is_undefined_and_so_it_travels() {
    let (mut one, a, t) = folding(1, Aggregate::Min);
    let (mut observer, seen) = observing();
    observer.hear(&one.news());
    assert_eq!(observer.read(seen), Output::Unset);
    let met = observer.graph.wait(WaiterId(1), seen, Threshold::Bound);
    assert_eq!(met, Ok(false), "who waits for anything at all is not content with this");
    one.add(a, [4]);
    observer.hear(&one.news());
    assert_eq!(observer.drain().met, [WaiterId(1)]);
    one.remove(a, 4);
    observer.hear(&one.news());
    assert_eq!((one.show(t), observer.show(seen)), ("undefined".into(), "undefined".into()));
}

#[test]
fn readers_and_watchers_wait_for_results() {
    let (mut one, a, _) = folding(1, Aggregate::Count);
    let (mut observer, seen) = observing();
    let form = Value::tuple([Value::atom("value"), 3.into()]);
    for (waiter, form) in [(1, form), (2, Value::Int(2))] {
        let threshold = Threshold::from_value(&Type::Summary, &form).expect("a summary offers it");
        assert!(!observer.graph.wait(WaiterId(waiter), seen, threshold).expect("a variable"));
    }
    one.add(a, [1, 2]);
    observer.hear(&one.news());
    assert_eq!(observer.drain().met, [WaiterId(2)]);
    one.add(a, [5, 6]);
    observer.hear(&one.news());
    assert_eq!(observer.drain().met, [WaiterId(1)]);
}

#[test]
fn what_follows_from_a_result_follows_within_the_step() {
    let (mut one, a, t) = folding(1, Aggregate::Count);
    let twice = one.derive_wanted(Operator::Map(double()), &[t]);
    let flag = one.declare("flag", "boolean");
    let enough =
        Threshold::from_value(&Type::Summary, &Value::tuple([Value::atom("value"), 2.into()])).expect("offered");
    one.graph.derive(Operator::Reached(Box::new(enough)), &[t], Target::Into(flag)).expect("a flag");
    one.add(a, [1]);
    assert_eq!((one.show(twice), one.show(flag)), ("2".into(), "false".into()));
    one.add(a, [2]);
    assert_eq!((one.show(twice), one.show(flag)), ("4".into(), "true".into()));
}

#[test]
fn only_folds_write_a_summary_and_only_of_what_can_be_measured() {
    let (mut node, a, t) = folding(1, Aggregate::Count);
    let refused = node.try_update(t, Op::Set(1.into())).unwrap_err();
    assert!(matches!(refused, UpdateError::Op(OpError::Unsupported { .. })));
    assert_eq!(refused.to_string(), "summary has no operation set; it offers none, since only folds write it");
    assert!(node.graph.bind(t, &1.into()).unwrap_err().to_string().contains("use fold"));
    let count = || Operator::Fold(Aggregate::Count);
    let mut refused = |operator, input, into| node.graph.derive(operator, &[input], Target::Into(into)).unwrap_err();
    assert_eq!(refused(count(), a, a).to_string(), "fold can be derived into summary, and a is set");
    assert!(matches!(refused(Operator::Map(double()), a, t), DeriveError::Target { .. }));
    let map = node.declare("m", "gmap(max)");
    let refused = node.graph.derive(count(), &[map], Target::Into(t)).unwrap_err();
    assert!(matches!(&refused, DeriveError::NotSummed { ty, .. } if ty.to_string() == "gmap(max)"), "{refused}");
    // A flag remembers what its input no longer says.
    let some =
        Threshold::from_value(&Type::AwSet, &Value::tuple([Value::atom("cardinality"), 1.into()])).expect("offered");
    let flag = node.derive(Operator::Reached(Box::new(some)), &[a]);
    let flags = node.derive(Operator::View(lasp_dataflow::Facet::Elements), &[flag]);
    let refused = node.graph.derive(count(), &[flags], Target::Into(t)).unwrap_err();
    assert!(matches!(refused, DeriveError::NotSummed { .. }), "{refused}");
    // And nothing is folded into what it follows from.
    let shown = node.derive(Operator::Map(of_int(Value::Int)), &[t]);
    assert!(node.graph.derive(count(), &[shown], Target::Into(t)).is_err());
}

#[test]
fn what_each_node_has_for_itself_is_folded_into_what_it_has_for_itself_or_through_a_replicated_set() {
    let mut nodes = [1, 2].map(Node::new);
    for (node, elements) in nodes.iter_mut().zip([vec![1, 2, 3], vec![2, 7]]) {
        let own = node.graph.declare_local(crate::support::name("own"), Type::GSet).expect("declared");
        let (b, total) = (node.declare("b", "set"), node.declare("total", "summary"));
        let both = node.derive(Operator::Union, &[own, b]);
        for input in [own, both] {
            let refused =
                node.graph.derive(Operator::Fold(Aggregate::Count), &[input], Target::Into(total)).unwrap_err();
            assert!(matches!(&refused, DeriveError::DynamicSummed(name) if name.as_str() == "own"), "{refused}");
            assert!(refused.to_string().contains("let a replicated set follow it"));
        }
        let here = node.graph.declare_local(crate::support::name("here"), Type::Summary).expect("declared");
        node.graph.derive(Operator::Fold(Aggregate::Count), &[both], Target::Into(here)).expect("it stays here");
        let all = node.declare("all", "gset");
        node.graph.bind_to(all, own).expect("sets of one type");
        node.graph.derive(Operator::Fold(Aggregate::Count), &[all], Target::Into(total)).expect("a replicated set");
        node.update(own, Op::AddAll(elements.iter().map(|&n| n.into()).collect()));
        assert_eq!(node.show(here), elements.len().to_string());
    }
    let [one, two] = &mut nodes;
    let (of_one, of_two) = (one.news(), two.news());
    one.hear(&of_two);
    two.hear(&of_one);
    for node in &mut nodes {
        let total = node.graph.lookup("total").expect("declared");
        assert_eq!(node.show(total), "4");
    }
}

#[test]
fn a_fold_that_is_removed_writes_no_more() {
    let mut node = Node::new(1);
    let (a, t) = (node.declare("a", "set"), node.declare("t", "summary"));
    let (_, id) = node.graph.derive_removable(Operator::Fold(Aggregate::Count), &[a], Target::Into(t)).expect("a fold");
    node.add(a, [1]);
    assert!(node.graph.undeclare(a).is_err() && node.graph.undeclare(t).is_err());
    assert!(node.graph.remove_derivation(id));
    node.add(a, [2]);
    assert_eq!(node.show(t), "1");
    // Again: what died in between is counted.
    node.remove(a, 1);
    node.graph.derive(Operator::Fold(Aggregate::Count), &[a], Target::Into(t)).expect("a fold");
    assert_eq!(node.show(t), "1");
    node.remove(a, 2);
    assert_eq!(node.show(t), "0");
}

#[test]
fn a_retired_replica_leaves_one_result() {
    let ((mut one, a, t), (mut two, b, _)) = (folding(1, Aggregate::Count), folding(2, Aggregate::Count));
    let (mut observer, seen) = observing();
    two.add(b, [1, 2]);
    one.hear(&two.news());
    one.remove(a, 1);
    one.remove(a, 2);
    observer.hear(&one.news());
    let retired = match one.graph.state(a) {
        Some(State::AwSet(set)) => set.own().retire(ReplicaId(2)).expect("nothing of it lives"),
        other => panic!("a set, not {other:?}"),
    };
    let retired = State::from(retired);
    one.graph.merge(a, retired.clone());
    let after = one.news();
    observer.hear(&after);
    one.add(a, [5]);
    observer.hear(&one.news());
    assert_eq!((one.show(t), observer.show(seen)), ("1".into(), "1".into()));
    // The one that had missed the removals hears of the retirement alone.
    two.graph.merge(b, retired);
    let State::AwSet(set) = one.graph.state(a).expect("a set").clone() else { panic!("a set") };
    two.graph.merge(b, State::AwSet(set));
    let summary = two.graph.lookup("t").expect("declared");
    assert_eq!(two.graph.state(summary), one.graph.state(t));
}

// ---- at random ----

/// One thing that happens.
#[derive(Clone, Debug)]
enum Event {
    /// A replica changes one of its inputs.
    Change { at: usize, input: usize, op: Op },
    /// A replica hears of some earlier change, perhaps again; others it never hears of.
    Hear { at: usize, which: usize },
}

fn event() -> impl Strategy<Value = Event> {
    let op = set_op(6);
    prop_oneof![
        2 => (0usize..3, 0usize..4, op).prop_map(|(at, input, op)| Event::Change { at, input, op }),
        3 => (0usize..4, any::<usize>()).prop_map(|(at, which)| Event::Hear { at, which }),
    ]
}

const RESULTS: [&str; 5] = ["sum", "count", "least", "of_derived", "of_grown"];

/// Three that fold and one that hears only results. What is derived into `d` differs between the nodes.
fn nodes() -> [Node; 4] {
    let mut nodes = [1, 2, 3, 9].map(Node::new);
    for (at, node) in nodes.iter_mut().enumerate() {
        if at == 3 {
            RESULTS.iter().for_each(|name| _ = node.declare(name, "summary"));
            continue;
        }
        let [a, b, d] = ["a", "b", "d"].map(|name| node.declare(name, "set"));
        let g = node.declare("g", "gset");
        let doubled = match at {
            0 => node.graph.derive(Operator::Map(double()), &[a], Target::Into(d)),
            1 => node.graph.derive(Operator::Filter(is_even()), &[b], Target::Into(d)),
            _ => node.graph.derive(Operator::Map(of_int(|n| Value::Int(-n))), &[g], Target::Into(d)),
        };
        doubled.expect("no cycle");
        let either = node.derive(Operator::Union, &[a, b]);
        let difference = node.derive(Operator::Difference, &[a, b]);
        let grown = node.derive(Operator::Intersection, &[g, a]);
        fold(node, Aggregate::Sum, either, "sum");
        fold(node, Aggregate::Count, difference, "count");
        fold(node, Aggregate::Min, a, "least");
        fold(node, Aggregate::Sum, d, "of_derived");
        fold(node, Aggregate::Count, grown, "of_grown");
    }
    nodes
}

fn elements(node: &mut Node, name: &str) -> BTreeSet<Value> {
    let var = node.graph.lookup(name).expect("declared");
    match node.read(var) {
        Output::Set(elements) => elements.into_iter().collect(),
        other => panic!("a set, not {other}"),
    }
}

/// What the results should be, of converged inputs.
fn program(node: &mut Node) -> Vec<String> {
    let [a, b, d, g] = ["a", "b", "d", "g"].map(|name| elements(node, name));
    let sum = |set: &BTreeSet<Value>| set.iter().map(|n| int(n).expect("an integer")).sum::<i64>().to_string();
    let least = a.first().map_or_else(|| "undefined".to_owned(), Value::to_string);
    vec![sum(&(&a | &b)), (&a - &b).len().to_string(), least, sum(&d), (&g & &a).len().to_string()]
}

fn shown(node: &mut Node) -> Vec<String> {
    let vars = RESULTS.map(|name| node.graph.lookup(name).expect("declared"));
    vars.iter().map(|&var| node.show(var)).collect()
}

proptest! {
    #[test]
    fn results_are_those_of_the_converged_inputs(events in proptest::collection::vec(event(), 0..40)) {
        let mut nodes = nodes();
        let mut sent: Vec<News> = nodes.iter_mut().map(Node::news).collect();
        for event in events {
            match event {
                Event::Change { at, input, op } => {
                    let name = ["a", "b", "d", "g"][input];
                    let op = match op {
                        Op::Remove(x) if name == "g" => Op::Add(x),
                        Op::RemoveAll(all) if name == "g" => Op::AddAll(all),
                        op => op,
                    };
                    let var = nodes[at].graph.lookup(name).expect("declared");
                    nodes[at].update(var, op);
                    sent.push(nodes[at].news());
                }
                Event::Hear { at, which } => {
                    let news = sent[which % sent.len()].clone();
                    nodes[at].hear(&news);
                    sent.push(nodes[at].news());
                }
            }
        }
        // One by one, in an order of their own, everybody hears of everything.
        loop {
            let before = sent.len();
            for node in &mut nodes {
                sent.iter().rev().for_each(|news| node.hear(news));
            }
            let more: Vec<News> = nodes.iter_mut().map(Node::news).filter(|news| !news.is_empty()).collect();
            sent.extend(more);
            if sent.len() == before {
                break;
            }
        }
        let expected = program(&mut nodes[0]);
        for node in &mut nodes {
            prop_assert_eq!(shown(node), expected.clone());
        }
        for name in RESULTS {
            let states = nodes.each_ref().map(|node| node.graph.state(node.graph.lookup(name).expect("declared")));
            prop_assert!(states.iter().all(|state| *state == states[0]), "{}", name);
        }
    }
}
