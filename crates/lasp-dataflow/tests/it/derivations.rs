//! Derived sets: removals, provenance, derivations into declared variables, cycles.

use crate::support::{Node, double, is_even, modulo, name, of_int, total};
use lasp_dataflow::{
    Cause, DeriveError, Op, Operator, Target, Threshold, Type, UpdateError, Value, WaiterId, WatcherId, function,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Two sets with an operator over them.
fn binary(operator: Operator, left: &[i64], right: &[i64]) -> (Node, [lasp_dataflow::VarId; 3]) {
    let mut node = Node::new(1);
    let (a, b) = (node.declare("a", "set"), node.declare("b", "set"));
    let derived = node.derive(operator, &[a, b]);
    node.add(a, left.iter().copied());
    node.add(b, right.iter().copied());
    (node, [a, b, derived])
}

#[test]
fn an_element_removed_from_one_side_leaves_the_intersection() {
    let (mut node, [a, _, both]) = binary(Operator::Intersection, &[1, 2, 3], &[2, 3, 4]);
    assert_eq!(node.show(both), "set[2, 3]");
    node.remove(a, 2);
    assert_eq!(node.show(both), "set[3]");
    node.add(a, [2]);
    assert_eq!(node.show(both), "set[2, 3]");
}

#[test]
fn a_product_is_whole_again_after_one_side_was_emptied_and_refilled() {
    let (mut node, [a, _, pairs]) = binary(Operator::Product, &[1, 2], &[7, 8]);
    node.update(a, Op::RemoveAll(vec![1.into(), 2.into()]));
    assert_eq!(node.show(pairs), "set[]");
    node.add(a, [3, 1]);
    assert_eq!(node.show(pairs), "set[{1, 7}, {1, 8}, {3, 7}, {3, 8}]");
}

#[test]
fn elements_with_one_image_keep_it_until_the_last_is_gone() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    node.add(set, [1, 2, 3, 4]);
    let parity = node.derive(Operator::Map(modulo(2)), &[set]);
    let negated = node.derive(Operator::Map(of_int(|n| Value::Int(-n))), &[set]);
    assert_eq!(node.show(parity), "set[0, 1]");
    node.remove(set, 1);
    assert_eq!(node.show(parity), "set[0, 1]");
    node.remove(set, 3);
    assert_eq!(node.show(parity), "set[0]");
    assert_eq!(node.show(negated), "set[-4, -2]");
}

#[test]
fn a_union_keeps_what_one_side_still_has() {
    let (mut node, [a, b, either]) = binary(Operator::Union, &[1, 2], &[2, 3]);
    node.remove(a, 2);
    assert_eq!(node.show(either), "set[1, 2, 3]");
    node.remove(b, 2);
    assert_eq!(node.show(either), "set[1, 3]");
}

#[test]
fn flat_map_gives_the_elements_of_lists() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    let below = function(|args| Ok(Value::list(0..crate::support::int(&args[0])? as i32)));
    let derived = node.derive(Operator::FlatMap(below), &[set]);
    node.add(set, [3, 2]);
    assert_eq!(node.show(derived), "set[0, 1, 2]");
    node.remove(set, 3);
    assert_eq!(node.show(derived), "set[0, 1]");
}

#[test]
fn join_pairs_elements_with_equal_keys() {
    let join = Operator::Join { left_key: modulo(3), right_key: modulo(3) };
    let (mut node, [a, b, joined]) = binary(join, &[1, 2, 4], &[11, 13, 30]);
    assert_eq!(node.show(joined), "set[{1, 13}, {2, 11}, {4, 13}]");
    node.remove(b, 13);
    assert_eq!(node.show(joined), "set[{2, 11}]");
    node.add(b, [16]);
    node.remove(a, 4);
    assert_eq!(node.show(joined), "set[{1, 16}, {2, 11}]");
}

#[test]
fn one_set_can_be_both_inputs() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    node.add(set, [1]);
    let square = node.derive(Operator::Product, &[set, set]);
    let alike = node.derive(Operator::Join { left_key: modulo(2), right_key: modulo(2) }, &[set, set]);
    node.add(set, [2, 3]);
    assert_eq!(node.graph.cardinality(square), Some(9));
    assert_eq!(node.show(alike), "set[{1, 1}, {1, 3}, {2, 2}, {3, 1}, {3, 3}]");
    node.remove(set, 1);
    assert_eq!(node.graph.cardinality(square), Some(4));
    assert_eq!(node.show(alike), "set[{2, 2}, {3, 3}]");
}

#[test]
fn a_derivation_may_come_before_its_source_has_anything() {
    let mut node = Node::new(1);
    let set = node.declare("later", "set");
    let derived = node.derive(Operator::Map(double()), &[set]);
    assert_eq!(node.show(derived), "set[]");
    node.add(set, [1]);
    assert_eq!(node.show(derived), "set[2]");
}

#[test]
fn grow_only_sets_can_be_derived_from_and_mixed() {
    let mut node = Node::new(1);
    let (grow, set) = (node.declare("g", "gset"), node.declare("s", "set"));
    node.add(grow, [1, 2]);
    node.add(set, [2, 3]);
    let [both, either] = [Operator::Intersection, Operator::Union].map(|op| node.derive(op, &[grow, set]));
    assert_eq!((node.show(both), node.show(either)), ("set[2]".into(), "set[1, 2, 3]".into()));
    node.remove(set, 2);
    assert_eq!((node.show(both), node.show(either)), ("set[]".into(), "set[1, 2, 3]".into()));
}

#[test]
fn own_and_derived_elements_are_one_set() {
    let mut node = Node::new(1);
    let (source, target) = (node.declare("a", "set"), node.declare("b", "set"));
    node.add(target, [1, 2]);
    node.graph.derive(Operator::Map(double()), &[source], Target::Into(target)).expect("no cycle");
    node.add(source, [1, 2]);
    assert_eq!((node.show(target), node.graph.cardinality(target)), ("set[1, 2, 4]".into(), Some(3)));
    node.remove(target, 2);
    assert_eq!((node.show(target), node.graph.cardinality(target)), ("set[1, 2, 4]".into(), Some(3)));
    node.remove(source, 1);
    assert_eq!((node.show(target), node.graph.cardinality(target)), ("set[1, 4]".into(), Some(2)));
    node.add(target, [4]);
    node.remove(source, 2);
    assert_eq!((node.show(target), node.graph.cardinality(target)), ("set[1, 4]".into(), Some(2)));
}

#[test]
fn what_is_derived_into_a_variable_reaches_nodes_without_the_inputs() {
    let (mut heavy, mut light) = (Node::new(1), Node::new(2));
    let source = heavy.declare("source", "set");
    let target = heavy.declare("target", "set");
    heavy.graph.derive(Operator::Map(double()), &[source], Target::Into(target)).expect("no cycle");
    light.declare("target", "set");
    let seen = light.graph.lookup("target").expect("declared");
    let further = light.derive(Operator::Filter(of_int(|n| Value::Bool(n > 2))), &[seen]);

    heavy.add(source, [1, 2, 3]);
    let effects = heavy.drain();
    let causes: Vec<_> = effects.deltas.iter().map(|delta| (delta.var, delta.cause)).collect();
    assert_eq!(causes, [(source, Cause::Local), (target, Cause::Derived)]);
    light.graph.merge(seen, effects.deltas[1].delta.clone());
    assert_eq!((light.show(seen), light.show(further)), ("set[2, 4, 6]".into(), "set[4, 6]".into()));

    heavy.remove(source, 2);
    light.hear(&heavy.news());
    assert_eq!((light.show(seen), light.show(further)), ("set[2, 6]".into(), "set[6]".into()));
}

/// The trap: one replica has a pair, the other has seen one half removed and has never heard of the other half.
#[test]
fn a_pair_dies_where_only_the_removal_of_one_half_was_seen() {
    let nodes = [1, 2].map(|replica| {
        let mut node = Node::new(replica);
        let (a, b, pairs) = (node.declare("a", "set"), node.declare("b", "set"), node.declare("pairs", "set"));
        node.graph.derive(Operator::Product, &[a, b], Target::Into(pairs)).expect("no cycle");
        (node, [a, b, pairs])
    });
    let [(mut first, [a, b, pairs]), (mut second, _)] = nodes;
    first.add(a, ["x"]);
    let x = first.news();
    first.add(b, ["y"]);
    let y = first.news();
    assert_eq!(first.show(pairs), "set[{\"x\", \"y\"}]");
    let (pair_only, _): (Vec<_>, Vec<_>) = y.into_iter().partition(|(name, ..)| name == "pairs");

    second.hear(&x);
    second.remove(a, "x");
    second.news();
    second.hear(&pair_only);
    assert_eq!(second.show(pairs), "set[]");
    // And back: the first hears of the removal through the product alone.
    let state = second.graph.state(pairs).expect("declared").clone();
    first.graph.merge(pairs, state);
    assert_eq!(first.show(pairs), "set[]");
}

#[test]
fn several_nodes_may_derive_into_one_variable() {
    let mut nodes = [Node::new(1), Node::new(2)];
    for (i, node) in nodes.iter_mut().enumerate() {
        let (source, target) = (node.declare("source", "set"), node.declare("target", "set"));
        let operator = if i == 0 { Operator::Map(double()) } else { Operator::Filter(is_even()) };
        node.graph.derive(operator, &[source], Target::Into(target)).expect("no cycle");
    }
    let source = nodes[0].graph.lookup("source").expect("declared");
    let target = nodes[0].graph.lookup("target").expect("declared");
    nodes[0].add(source, [1, 2, 3]);
    for _ in 0..2 {
        let [first, second] = &mut nodes;
        second.hear(&first.news());
        first.hear(&second.news());
    }
    assert_eq!(nodes.each_mut().map(|node| node.show(target)), ["set[2, 4, 6]", "set[2, 4, 6]"]);
    nodes[1].remove(source, 1);
    for _ in 0..2 {
        let [first, second] = &mut nodes;
        second.hear(&first.news());
        first.hear(&second.news());
    }
    // 2 is the double of 1, but also itself.
    assert_eq!(nodes.each_mut().map(|node| node.show(target)), ["set[2, 4, 6]", "set[2, 4, 6]"]);
    nodes[1].remove(source, 2);
    let [first, second] = &mut nodes;
    first.hear(&second.news());
    assert_eq!(nodes.each_mut().map(|node| node.show(target)), ["set[6]", "set[6]"]);
    assert_eq!(nodes[0].graph.fingerprint(), nodes[1].graph.fingerprint());
}

#[test]
fn local_results_are_not_replicated_and_take_no_updates() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    let derived = node.derive(Operator::Map(double()), &[set]);
    node.add(set, [1]);
    assert_eq!(node.drain().deltas.iter().map(|delta| delta.var).collect::<Vec<_>>(), [set]);
    let refused = node.try_update(derived, Op::Add(1.into()));
    assert!(matches!(refused, Err(UpdateError::ReadOnly(_))));
    let info = node.graph.info(derived).expect("a variable");
    assert!(info.local && info.derived && info.read_only);
    let state = node.graph.state(set).expect("a variable").clone();
    assert!(!node.graph.merge(derived, state));
    assert_eq!(
        node.graph.bind(derived, &Value::list([5])).unwrap_err().to_string(),
        "the variable is derived and takes no values; bind what it is derived from"
    );
}

#[test]
fn a_cycle_is_refused_and_nothing_is_changed() {
    let mut node = Node::new(1);
    let (a, b) = (node.declare("a", "set"), node.declare("b", "set"));
    node.graph.derive(Operator::Map(double()), &[a], Target::Into(b)).expect("no cycle");
    let back = node.derive(Operator::Filter(is_even()), &[b]);
    let refused = node.graph.derive(Operator::Union, &[back, b], Target::Into(a)).unwrap_err();
    assert!(refused.to_string().ends_with("already follows from a"), "{refused}");
    assert_eq!(
        node.graph.derive(Operator::Map(double()), &[b], Target::Into(b)),
        Err(DeriveError::Cycle { into: name("b"), from: name("b") })
    );
    assert!(matches!(node.graph.bind_to(a, b), Err(DeriveError::Cycle { .. })));
    node.add(a, [1]);
    assert_eq!(node.show(a), "set[1]");
    assert!(!node.graph.info(a).expect("a variable").derived);
}

#[test]
fn derivations_that_make_no_sense_are_refused() {
    let mut node = Node::new(1);
    let (set, counter, grow) = (node.declare("s", "set"), node.declare("c", "gcounter"), node.declare("g", "gset"));
    let derived = node.graph.derive(Operator::Map(double()), &[set], Target::Local(Some(name("d")))).expect("fine");
    let mut refused = |operator, inputs: &[_], into| node.graph.derive(operator, inputs, into).unwrap_err().to_string();
    assert_eq!(refused(Operator::Union, &[set], Target::Local(None)), "union takes 2 input(s), found 1");
    assert_eq!(
        refused(Operator::Filter(is_even()), &[counter], Target::Local(None)),
        "filter takes collections, and c is a gcounter"
    );
    assert_eq!(
        refused(Operator::Map(double()), &[set], Target::Into(grow)),
        "map can be derived into set, and g is gset"
    );
    assert_eq!(
        refused(Operator::Map(double()), &[set], Target::Into(derived)),
        "d is the result of another derivation; declare a set to derive into"
    );
    assert_eq!(refused(Operator::Map(double()), &[set], Target::Local(Some(name("c")))), "c is already declared");
    let fold = Operator::Fold(lasp_dataflow::Aggregate::Count);
    assert_eq!(refused(fold, &[grow], Target::Into(set)), "fold can be derived into summary, and s is set");
    assert!(matches!(node.graph.bind_to(set, grow), Err(DeriveError::OtherType { .. })));
    let used = node.declare("c2", "gcounter");
    node.update(used, Op::Increment(1));
    assert!(matches!(node.graph.bind_to(used, counter), Err(DeriveError::NotFresh(..))));
    assert_eq!((node.graph.vars().count(), node.graph.vars_count()), (5, 5));
}

#[test]
fn a_diamond_is_seen_only_as_a_whole() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    let halves = [Operator::Filter(is_even()), Operator::Filter(of_int(|n| Value::Bool(n % 2 != 0)))];
    let [even, odd] = halves.map(|half| node.derive(half, &[set]));
    // Never both at once, whatever the order of propagation.
    let both = node.derive(Operator::Intersection, &[even, odd]);
    let all = node.derive(Operator::Union, &[even, odd]);
    let longer = node.derive(Operator::Map(double()), &[all]);
    node.graph.watch(WatcherId(1), both);
    node.graph.watch(WatcherId(2), longer);
    assert_eq!(node.graph.wait(WaiterId(1), both, Threshold::AtLeast(1)), Ok(false));
    node.add(set, [1, 2, 3]);
    let effects = node.drain();
    assert_eq!((effects.changed, effects.met), (vec![WatcherId(2)], vec![]));
    assert_eq!((node.show(all), node.show(longer)), ("set[1, 2, 3]".into(), "set[2, 4, 6]".into()));
}

#[test]
fn a_derivation_added_below_others_restores_the_order() {
    let mut node = Node::new(1);
    let (a, b, c) = (node.declare("a", "set"), node.declare("b", "set"), node.declare("c", "set"));
    let sum = node.derive(Operator::Product, &[b, c]);
    let totals = node.derive(Operator::Map(total()), &[sum]);
    // Now b and c follow from a, so everything above must move up.
    node.graph.derive(Operator::Map(double()), &[a], Target::Into(b)).expect("no cycle");
    node.graph.derive(Operator::Map(double()), &[b], Target::Into(c)).expect("no cycle");
    node.graph.watch(WatcherId(1), totals);
    node.add(a, [1, 2]);
    assert_eq!(node.show(totals), "set[6, 8, 10, 12]");
    assert_eq!(node.drain().changed, [WatcherId(1)]);
}

#[test]
fn a_change_costs_calls_for_itself_and_not_for_the_rest() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = {
        let calls = Arc::clone(&calls);
        function(move |args| {
            calls.fetch_add(1, Ordering::Relaxed);
            Ok(args[0].clone())
        })
    };
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    node.add(set, 0..1000);
    let mapped = node.derive(Operator::Map(counted.clone()), &[set]);
    let join = Operator::Join { left_key: counted.clone(), right_key: counted };
    node.derive_wanted(join, &[mapped, mapped]);
    calls.store(0, Ordering::Relaxed);
    node.add(set, [5000]);
    assert_eq!(calls.swap(0, Ordering::Relaxed), 3, "one for the map, one for the key on each side");
    node.remove(set, 17);
    assert_eq!(calls.swap(0, Ordering::Relaxed), 3, "the same, to find what goes");
}

#[test]
fn types_that_cannot_be_derived_from_say_so_by_name() {
    let mut node = Node::new(1);
    let mut refused = |called, ty| {
        let var = node.graph.declare(name(called), ty).expect("a free name");
        node.graph.derive(Operator::Filter(is_even()), &[var], Target::Local(None)).unwrap_err().to_string()
    };
    let pair = Type::Pair(Box::new(Type::Max), Box::new(Type::AwSet));
    assert_eq!(refused("p", pair), "filter takes collections, and p is a pair(max, set)");
    let graph = "filter takes collections, and g is a ggraph; take its vertices or edges";
    assert_eq!(refused("g", Type::GGraph), graph);
}

#[test]
fn a_variable_is_visited_once_in_a_step_whatever_the_order_of_declaration() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = {
        let calls = Arc::clone(&calls);
        function(move |args| {
            calls.fetch_add(1, Ordering::Relaxed);
            Ok(args[0].clone())
        })
    };
    let mut node = Node::new(1);
    let [last, middle, first] = ["last", "middle", "first"].map(|name| node.declare(name, "set"));
    node.derive_wanted(Operator::Map(counted), &[last]);
    node.graph.bind_to(last, first).expect("same type");
    let mirror = of_int(|n| Value::Int(3 - n));
    node.graph.derive(Operator::Map(mirror), &[first], Target::Into(middle)).expect("no cycle");
    node.graph.bind_to(last, middle).expect("same type");
    // Each element of `last` has a support from `first` and one by way of `middle`.
    node.add(first, [1, 2]);
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[test]
fn what_the_output_already_has_is_not_told_again() {
    let mut nodes = [Node::new(1), Node::new(2)];
    let mut vars = Vec::new();
    for node in &mut nodes {
        vars = ["source", "target"].map(|name| node.declare(name, "set")).to_vec();
        node.graph.derive(Operator::Map(double()), &vars[..1], Target::Into(vars[1])).expect("no cycle");
    }
    let [first, second] = &mut nodes;
    first.add(vars[0], [1, 2]);
    let mut news = first.news();
    news.reverse();
    second.hear(&news);
    let told = second.drain().deltas;
    assert!(told.iter().all(|delta| delta.cause == Cause::Received), "{told:?}");
}

#[test]
fn an_element_that_only_changes_its_reason_is_no_change() {
    let mut node = Node::new(1);
    let (set, target) = (node.declare("s", "set"), node.declare("t", "set"));
    let constant = of_int(|_| Value::atom("some"));
    node.graph.derive(Operator::Map(constant), &[set], Target::Into(target)).expect("no cycle");
    node.graph.watch(WatcherId(1), target);
    node.add(set, [1]);
    assert_eq!(node.drain().changed, [WatcherId(1)]);
    node.add(set, [2]);
    node.remove(set, 1);
    assert_eq!(node.drain().changed, []);
    node.remove(set, 2);
    assert_eq!(node.drain().changed, [WatcherId(1)]);
}
