//! Local results: shared, fused, computed when wanted, taken down when not.

use crate::support::{Node, double, int, is_even, modulo, name, of_int};
use lasp_dataflow::{
    Aggregate, Call, EquiJoin, Facet, Function, FunctionError, Op, Operator, Plan, PlanInput, Target, Threshold, Type,
    UndeclareError, Value, WaiterId, WatcherId, function,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn does(plan: &Plan) -> Vec<&str> {
    plan.nodes.iter().map(|node| node.does.as_str()).collect()
}

/// A function that counts its calls.
fn counted(calls: &Arc<AtomicUsize>, f: impl Fn(i64) -> Value + Send + Sync + 'static) -> Function {
    let calls = Arc::clone(calls);
    function(move |args| {
        calls.fetch_add(1, Ordering::Relaxed);
        Ok(f(int(&args[0])?))
    })
}

#[test]
fn nothing_is_computed_before_somebody_wants_it() {
    let calls = Arc::new(AtomicUsize::new(0));
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    let mapped = node.derive(Operator::Map(counted(&calls, |n| Value::Int(n + 1))), &[set]);
    node.add(set, 0..10);
    assert_eq!((calls.load(Ordering::Relaxed), node.graph.plan().nodes.len()), (0, 0));
    assert_eq!(node.graph.peek(mapped), None);
    assert_eq!(node.graph.cardinality(mapped), Some(10));
    assert_eq!(calls.load(Ordering::Relaxed), 10);
    node.add(set, [20]);
    assert_eq!(calls.load(Ordering::Relaxed), 11);
    assert!(node.graph.contains(mapped, &Value::Int(21)));
    assert_eq!(calls.load(Ordering::Relaxed), 11);
}

#[test]
fn a_chain_is_one_node_and_a_step_of_it_becomes_its_own_when_it_is_read() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    node.add(set, 0..6);
    let mut steps = vec![set];
    for _ in 0..64 {
        let last = steps[steps.len() - 1];
        let next = node.derive(Operator::Map(of_int(|n| Value::Int(n + 1))), &[last]);
        steps.push(next);
    }
    let even = node.derive(Operator::Filter(is_even()), &[steps[64]]);
    assert_eq!(node.show(even), "set[64, 66, 68]");
    assert_eq!(node.graph.plan().nodes.len(), 1);
    assert_eq!(node.show(steps[32]), "set[32, 33, 34, 35, 36, 37]");
    assert_eq!(node.graph.plan().nodes.len(), 2);
    node.add(set, [6]);
    node.remove(set, 0);
    assert_eq!(
        (node.show(even), node.show(steps[32])),
        ("set[66, 68, 70]".into(), "set[33, 34, 35, 36, 37, 38]".into())
    );
    // What is derived from a step that is there already starts from it.
    let more = node.derive(Operator::Filter(is_even()), &[steps[33]]);
    assert_eq!(node.show(more), "set[34, 36, 38]");
    let plan = node.graph.plan();
    assert!(plan.nodes.iter().any(|node| matches!(node.inputs[..], [PlanInput::Node(_)])), "{plan:?}");
}

/// A function that says what it does.
struct Named(&'static str, fn(&Value) -> Value);

impl Call for Named {
    fn call(&self, args: &[Value]) -> Result<Value, FunctionError> {
        Ok(self.1(&args[0]))
    }

    fn describe(&self) -> String {
        self.0.into()
    }

    fn identity(&self) -> Option<Arc<str>> {
        Some(self.0.into())
    }
}

#[test]
fn equal_derivations_are_one() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    let same = || Operator::Map(Arc::new(Named("same", Value::clone)));
    let [first, second] = [0, 1].map(|_| node.derive(same(), &[set]));
    let counts = [first, second].map(|var| node.derive(Operator::Fold(Aggregate::Count), &[var]));
    node.add(set, [1, 2]);
    assert_eq!(counts.map(|var| node.show(var)), ["2", "2"]);
    let plan = node.graph.plan();
    assert_eq!((plan.views.len(), plan.nodes.len()), (2, 2), "{plan:?}");
    assert_eq!(plan.views[0].vars, [first, second]);
    // One closure is the same as itself, and as no other.
    let twice = double();
    let closures = [twice.clone(), twice, double()].map(|f| node.derive(Operator::Map(f), &[set]));
    assert_eq!(node.graph.plan().views.len(), 4);
    node.graph.undeclare(first).expect("not in use");
    assert_eq!((node.show(second), node.show(closures[2])), ("set[1, 2]".into(), "set[2, 4]".into()));
}

/// `X rem 3 == Y rem 3 andalso X < Y` over pairs.
struct SameModulo {
    pairs: AtomicUsize,
}

fn halves(pair: &Value) -> (i64, i64) {
    match pair {
        Value::Tuple(halves) => (int(&halves[0]).expect("an integer"), int(&halves[1]).expect("an integer")),
        odd => panic!("{odd} is no pair"),
    }
}

impl Call for SameModulo {
    fn call(&self, args: &[Value]) -> Result<Value, FunctionError> {
        self.pairs.fetch_add(1, Ordering::Relaxed);
        let (x, y) = halves(&args[0]);
        Ok(Value::Bool(x % 3 == y % 3 && x < y))
    }

    fn describe(&self) -> String {
        "same modulo three, ascending".into()
    }

    fn equi_join(&self) -> Option<EquiJoin> {
        let rest = function(|args| {
            let (x, y) = halves(&args[0]);
            Ok(Value::Bool(x < y))
        });
        Some(EquiJoin { left_key: modulo(3), right_key: modulo(3), rest: Some(rest) })
    }
}

#[test]
fn a_filter_of_a_product_on_equal_keys_runs_as_a_join() {
    let mut node = Node::new(1);
    let (left, right) = (node.declare("l", "set"), node.declare("r", "set"));
    let pairs = node.derive(Operator::Product, &[left, right]);
    let predicate = Arc::new(SameModulo { pairs: AtomicUsize::new(0) });
    let matched = node.derive(Operator::Filter(predicate.clone()), &[pairs]);
    let sums = node.derive(
        Operator::Map(function(|args| {
            let (x, y) = halves(&args[0]);
            Ok(Value::Int(x + y))
        })),
        &[matched],
    );
    node.add(left, 0..4);
    node.add(right, [3, 4, 5]);
    assert_eq!(node.show(sums), "set[3, 5, 7]");
    node.remove(left, 1);
    node.add(right, [6]);
    assert_eq!(node.show(sums), "set[3, 6, 7, 9]");
    assert_eq!(predicate.pairs.load(Ordering::Relaxed), 0);
    assert!(does(&node.graph.plan()).iter().any(|does| does.starts_with("join(")), "{:?}", node.graph.plan());
    // Once the product itself is read, it is there to be filtered.
    assert_eq!(node.graph.cardinality(pairs), Some(12));
    assert_eq!(node.show(matched), "set[{0, 3}, {0, 6}, {2, 5}, {3, 6}]");
}

#[test]
fn a_difference_follows_both_sides() {
    let mut node = Node::new(1);
    let (a, b) = (node.declare("a", "set"), node.declare("b", "gset"));
    let rest = node.derive_wanted(Operator::Difference, &[a, b]);
    node.add(a, [1, 2, 3]);
    node.add(b, [2]);
    assert_eq!((node.show(rest), node.graph.cardinality(rest)), ("set[1, 3]".into(), Some(2)));
    node.remove(a, 1);
    assert_eq!(node.show(rest), "set[3]");
    let target = node.declare("t", "set");
    let refused = node.graph.derive(Operator::Difference, &[a, b], Target::Into(target)).unwrap_err().to_string();
    assert!(refused.starts_with("difference over a gives a result that cannot be replicated"), "{refused}");
}

#[test]
fn groups_come_and_go_with_their_members() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    let all =
        vec![Aggregate::Count, Aggregate::Sum, Aggregate::Of(of_int(|n| Value::Int(-n)), Box::new(Aggregate::Max))];
    let groups = node.derive_wanted(Operator::Group { key: modulo(3), aggregate: Aggregate::All(all) }, &[set]);
    node.add(set, [1, 2, 4]);
    assert_eq!(node.show(groups), "#{1 => {2, 5, -1}, 2 => {1, 2, -2}}");
    node.remove(set, 1);
    node.remove(set, 2);
    assert_eq!(node.show(groups), "#{1 => {1, 4, -4}}");
    assert_eq!(node.graph.info(groups).expect("a variable").ty, "gmap(lwwregister)".parse().expect("a type"));
    assert!(node.graph.contains(groups, &Value::Int(1)) && !node.graph.contains(groups, &Value::Int(2)));
    let keys = node.derive(Operator::View(Facet::Keys), &[groups]);
    let entries = node.derive(Operator::View(Facet::Elements), &[groups]);
    assert_eq!((node.show(keys), node.show(entries)), ("set[1]".into(), "set[{1, {1, 4, -4}}]".into()));
    node.add(set, [3]);
    assert_eq!(node.show(keys), "set[0, 1]");
}

#[test]
fn a_sum_over_a_part_counts_equal_parts_of_different_elements() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    let price = function(|args| match &args[0] {
        Value::Tuple(row) => Ok(row[1].clone()),
        _ => Err("no row".into()),
    });
    let sum = node.derive_wanted(Operator::Fold(Aggregate::Of(price.clone(), Box::new(Aggregate::Sum))), &[set]);
    let prices = node.derive(Operator::Map(price), &[set]);
    let distinct = node.derive_wanted(Operator::Fold(Aggregate::Sum), &[prices]);
    node.add(set, [(1, 10), (2, 10), (3, 5)]);
    assert_eq!((node.show(sum), node.show(distinct)), ("25".into(), "15".into()));
    node.remove(set, (2, 10));
    assert_eq!((node.show(sum), node.show(distinct)), ("15".into(), "15".into()));
}

#[test]
fn scalars_follow_counters_folds_and_flags() {
    let mut node = Node::new(1);
    let (counter, set) = (node.declare("c", "pncounter"), node.declare("s", "set"));
    let halved = node.derive_wanted(Operator::Map(of_int(|n| Value::Int(n / 2))), &[counter]);
    let sum = node.derive(Operator::Fold(Aggregate::Sum), &[set]);
    let negated = node.derive_wanted(Operator::Map(of_int(|n| Value::Int(-n))), &[sum]);
    assert_eq!((node.show(halved), node.show(negated)), ("0".into(), "0".into()));
    node.graph.watch(WatcherId(1), halved);
    node.update(counter, Op::Increment(4));
    assert_eq!(node.drain().changed, [WatcherId(1)]);
    node.update(counter, Op::Increment(1));
    assert_eq!(node.drain().changed, [], "the half is the same");
    node.add(set, [3, 4]);
    assert_eq!((node.show(halved), node.show(negated)), ("2".into(), "-7".into()));
    assert_eq!(node.graph.wait(WaiterId(1), negated, Threshold::Holds(Value::Int(-4))), Ok(false));
    node.remove(set, 3);
    assert_eq!(node.drain().met, [WaiterId(1)]);
}

#[test]
fn flags_say_whether_a_threshold_is_reached_and_can_travel() {
    let mut nodes = [Node::new(1), Node::new(2)];
    let mut vars = Vec::new();
    for node in &mut nodes {
        vars = vec![node.declare("c", "gcounter"), node.declare("full", "boolean"), node.declare("s", "set")];
    }
    let [here, there] = &mut nodes;
    let ten = Operator::Reached(Box::new(Threshold::AtLeast(10)));
    let local = here.derive_wanted(ten.clone(), &vars[..1]);
    here.graph.derive(ten.clone(), &vars[..1], Target::Into(vars[1])).expect("a flag");
    let many = here.derive(Operator::Fold(Aggregate::Count), &vars[2..]);
    let crowded = here.derive_wanted(ten.clone(), &[many]);
    here.update(vars[0], Op::Increment(9));
    assert_eq!([local, vars[1]].map(|var| here.show(var)), ["false", "false"]);
    assert_eq!(here.graph.wait(WaiterId(1), local, Threshold::Bound), Ok(false));
    here.update(vars[0], Op::Increment(1));
    let news = here.graph.drain();
    assert_eq!(news.met, [WaiterId(1)]);
    assert_eq!([local, vars[1], crowded].map(|var| here.show(var)), ["true", "true", "false"]);
    for delta in news.deltas {
        there.graph.merge(delta.var, delta.delta);
    }
    assert_eq!(there.show(vars[1]), "true");
    here.add(vars[2], 0..10);
    assert_eq!(here.show(crowded), "true");
    here.remove(vars[2], 3);
    assert_eq!(here.show(crowded), "false");
    let refused =
        here.graph.derive(Operator::Reached(Box::new(Threshold::AtLeast(1))), &vars[1..2], Target::Local(None));
    assert!(refused.is_err());
}

/// A step of a chain that gets a store of its own after what it follows from has got one goes on being told of every
/// reason, so that its store must count them from the start.
#[test]
fn steps_that_are_read_one_after_the_other_count_every_reason() {
    let twice = function(|args| Ok(Value::list([args[0].clone(), args[0].clone()])));
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    node.add(set, [1, 2]);
    let union = node.derive(Operator::Union, &[set, set]);
    let doubled = node.derive(Operator::FlatMap(twice), &[union]);
    let count = node.derive(Operator::Fold(Aggregate::Count), &[doubled]);
    for (var, shown) in [(count, "2"), (union, "set[1, 2]"), (doubled, "set[1, 2]")] {
        assert_eq!(node.show(var), shown);
    }
    node.remove(set, 1);
    for (var, shown) in [(count, "1"), (union, "set[2]"), (doubled, "set[2]")] {
        assert_eq!(node.show(var), shown);
    }
}

#[test]
fn what_was_done_before_a_variable_was_forgotten_is_not_numbered_again() {
    let (mut here, mut there) = (Node::new(1), Node::new(2));
    for (ty, before, after, both) in [
        ("set", Op::Add(1.into()), Op::Add(2.into()), "set[1, 2]"),
        ("gcounter", Op::Increment(1), Op::Increment(1), "2"),
        ("gmap(pncounter)", apply(Op::Increment(2)), apply(Op::Decrement(1)), "#{k => 1}"),
    ] {
        let [var, other] = [&mut here, &mut there].map(|node| node.declare(ty, ty));
        here.update(var, before);
        let first = here.news();
        here.graph.undeclare(var).expect("not in use");
        let again = here.declare(ty, ty);
        here.update(again, after);
        let second = here.news();
        there.hear(&second);
        there.hear(&first);
        here.hear(&first);
        assert_eq!((here.show(again), there.show(other)), (both.into(), both.into()));
        assert_eq!(here.graph.state(again), there.graph.state(other));
    }
}

fn apply(op: Op) -> Op {
    Op::Apply(Value::atom("k"), Box::new(op))
}

#[test]
fn what_is_undeclared_leaves_nothing_behind() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    node.add(set, 0..100);
    let mapped = node.derive(Operator::Map(double()), &[set]);
    let kept = node.derive(Operator::Filter(is_even()), &[mapped]);
    let pairs = node.derive_wanted(Operator::Join { left_key: modulo(3), right_key: modulo(3) }, &[mapped, kept]);
    assert!(matches!(node.graph.undeclare(set), Err(UndeclareError::InUse { .. })));
    // What follows from a result goes on without it.
    node.graph.undeclare(mapped).expect("a result");
    node.graph.undeclare(kept).expect("a result");
    node.add(set, [300]);
    assert!(node.graph.contains(pairs, &Value::pair(600.into(), 600.into())));
    node.graph.watch(WatcherId(1), pairs);
    assert!(matches!(node.graph.undeclare(pairs), Err(UndeclareError::Awaited(_))));
    node.graph.unwatch(WatcherId(1));
    node.graph.undeclare(pairs).expect("a result");
    let plan = node.graph.plan();
    assert_eq!((plan.views.len(), plan.nodes.len(), node.graph.derivations().count()), (0, 0, 0));
    let before = node.graph.fingerprint();
    node.graph.undeclare(set).expect("not in use");
    assert_ne!(node.graph.fingerprint(), before);
    assert_eq!(node.graph.fingerprint(), 0);
    assert_eq!((node.graph.lookup("s"), node.graph.vars_count(), node.drain().deltas.len()), (None, 0, 0));
    assert!(matches!(node.graph.undeclare(set), Err(UndeclareError::UnknownVariable(_))));
    let again = node.declare("s", "gcounter");
    assert_ne!(again, set);
}

#[test]
fn a_removed_derivation_keeps_what_travels_and_takes_its_carriers_along() {
    let mut node = Node::new(1);
    let (set, target) = (node.declare("s", "set"), node.declare("t", "set"));
    let mapped = node.derive(Operator::Map(double()), &[set]);
    let (_, id) =
        node.graph.derive_removable(Operator::Filter(is_even()), &[mapped], Target::Into(target)).expect("no cycle");
    node.add(set, [1, 2]);
    assert_eq!(node.show(target), "set[2, 4]");
    node.graph.undeclare(mapped).expect("a result");
    node.remove(set, 1);
    assert_eq!(node.show(target), "set[4]");
    assert_eq!(node.graph.undeclare(target), Err(UndeclareError::Derived(name("t"))));
    assert!(node.graph.remove_derivation(id) && !node.graph.remove_derivation(id));
    node.add(set, [3]);
    node.remove(set, 2);
    assert_eq!(node.show(target), "set[4]");
    assert_eq!(node.graph.plan(), Plan::default());
    node.graph.undeclare(set).expect("nothing follows from it any more");
    node.graph.undeclare(target).expect("nothing derives into it any more");
}

#[test]
fn by_need_waits_for_whoever_wants_as_much() {
    let mut node = Node::new(1);
    let (counter, set) = (node.declare("c", "gcounter"), node.declare("s", "set"));
    assert_eq!(node.graph.wait_needed(WaiterId(1), counter, Threshold::AtLeast(5)), Ok(false));
    let anything = Threshold::from_value(&Type::AwSet, &Value::atom("undefined")).expect("a threshold");
    assert_eq!(node.graph.wait_needed(WaiterId(2), set, anything), Ok(false));
    assert_eq!(node.graph.wait(WaiterId(3), counter, Threshold::AtLeast(4)), Ok(false));
    // Writes do not lose who waits; neither does a lesser demand wake anybody.
    node.update(counter, Op::Increment(1));
    node.add(set, [1]);
    assert_eq!(node.drain().met, []);
    assert_eq!(node.graph.wait(WaiterId(4), counter, Threshold::AtLeast(6)), Ok(false));
    assert_eq!(node.drain().met, [WaiterId(1)]);
    node.show(set);
    assert_eq!(node.drain().met, [WaiterId(2)]);
    // Somebody wants it already; it has come so far already; it is called off.
    assert_eq!(node.graph.wait_needed(WaiterId(5), counter, Threshold::AtLeast(3)), Ok(true));
    assert_eq!(node.graph.wait_needed(WaiterId(6), counter, Threshold::AtLeast(7)), Ok(false));
    node.graph.cancel(WaiterId(6));
    assert_eq!(node.graph.waiting(), 2);
}

#[test]
fn a_variable_without_that_part_says_what_it_has() {
    let mut node = Node::new(1);
    let counter = node.declare("c", "gcounter");
    let set = node.declare("s", "set");
    let mut refused =
        |facet, var| node.graph.derive(Operator::View(facet), &[var], Target::Local(None)).unwrap_err().to_string();
    assert_eq!(refused(Facet::Keys, set), "s is a set and has no keys; it has elements");
    assert_eq!(refused(Facet::Elements, counter), "c is a gcounter and has no elements; it is no collection");
}

#[test]
fn errors_are_told_on_the_result_whose_function_failed() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    let fails: Function = function(|args| match int(&args[0])? {
        13 => Err("unlucky".into()),
        n => Ok(Value::Int(n)),
    });
    let mapped = node.derive(Operator::Map(fails), &[set]);
    let doubled = node.derive_wanted(Operator::Map(double()), &[mapped]);
    node.add(set, [12, 13]);
    let errors = node.drain().errors;
    assert_eq!(errors.iter().map(|error| error.var).collect::<Vec<_>>(), [mapped]);
    assert_eq!(node.show(doubled), "set[24]");
    let recent = |node: &Node| node.graph.info(mapped).expect("a variable").errors.recent().count();
    assert_eq!(recent(&node), 1);
    node.remove(set, 13);
    assert_eq!(recent(&node), 0);
}
