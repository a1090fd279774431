//! Folds follow additions and removals.

use crate::support::{Node, int};
use lasp_dataflow::{Aggregate, F64, Function, Operator, Output, Threshold, Value, WaiterId, function};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn float(x: f64) -> Value {
    Value::Float(F64::new(x).expect("finite"))
}

fn folded(aggregate: Aggregate, elements: Vec<Value>) -> String {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    let result = node.derive(Operator::Fold(aggregate), &[set]);
    node.add(set, elements);
    node.show(result)
}

#[test]
fn folds_of_nothing() {
    let results = [Aggregate::Count, Aggregate::Sum, Aggregate::Min, Aggregate::Max, Aggregate::Avg];
    assert_eq!(results.map(|fold| folded(fold, vec![])), ["0", "0", "undefined", "undefined", "undefined"]);
}

#[test]
fn sums_are_integers_until_a_float_comes() {
    assert_eq!(folded(Aggregate::Sum, vec![1.into(), 2.into()]), "3");
    assert_eq!(folded(Aggregate::Sum, vec![1.into(), float(0.5)]), "1.5");
    assert_eq!(folded(Aggregate::Avg, vec![1.into(), 2.into()]), "1.5");
}

#[test]
fn an_emptied_set_has_no_least_element_again() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    let least = node.derive(Operator::Fold(Aggregate::Min), &[set]);
    node.add(set, [5, 3]);
    assert_eq!(node.show(least), "3");
    node.remove(set, 3);
    assert_eq!(node.show(least), "5");
    node.remove(set, 5);
    assert_eq!(node.read(least), Output::Unset);
}

#[test]
fn a_reader_can_wait_for_a_fold() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    let count = node.derive(Operator::Fold(Aggregate::Count), &[set]);
    assert_eq!(node.graph.wait(WaiterId(1), count, Threshold::AtLeast(2)), Ok(false));
    node.add(set, [1]);
    assert_eq!(node.drain().met, []);
    node.add(set, [2]);
    assert_eq!(node.drain().met, [WaiterId(1)]);
}

/// Adds, and counts its calls.
fn counted(sign: i64, calls: &Arc<AtomicUsize>) -> Function {
    let calls = Arc::clone(calls);
    function(move |args| {
        calls.fetch_add(1, Ordering::Relaxed);
        Ok(Value::Int(int(&args[1])? + sign * int(&args[0])?))
    })
}

#[test]
fn with_an_inverse_a_removal_costs_one_call_and_without_one_it_starts_over() {
    let calls = Arc::new(AtomicUsize::new(0));
    for (inverse, cost) in [(Some(counted(-1, &calls)), 1), (None, 99)] {
        let mut node = Node::new(1);
        let set = node.declare("s", "set");
        let custom = Aggregate::Custom { step: counted(1, &calls), init: 10.into(), inverse };
        let sum = node.derive_wanted(Operator::Fold(custom), &[set]);
        node.add(set, 0..100);
        calls.store(0, Ordering::Relaxed);
        node.remove(set, 7);
        assert_eq!(calls.load(Ordering::Relaxed), cost);
        assert_eq!(node.show(sum), (10 + 4950 - 7).to_string());
        calls.store(0, Ordering::Relaxed);
        node.add(set, [7]);
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn a_custom_fold_reports_what_it_leaves_out_once() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    let step = counted(1, &Arc::default());
    let sum = node.derive_wanted(Operator::Fold(Aggregate::Custom { step, init: 0.into(), inverse: None }), &[set]);
    node.add(set, [Value::Int(1), Value::Int(2), Value::atom("x")]);
    assert_eq!(node.drain().errors.len(), 1);
    node.remove(set, 1);
    assert_eq!((node.show(sum), node.drain().errors.len()), ("2".into(), 0));
    node.remove(set, Value::atom("x"));
    assert_eq!((node.show(sum), node.drain().errors.len()), ("2".into(), 0));
}

/// Integers and halves.
fn number() -> impl Strategy<Value = Value> {
    prop_oneof![(-20i64..20).prop_map(Value::Int), (-20i32..20).prop_map(|n| float(f64::from(n) / 4.0))]
}

fn as_float(value: &Value) -> f64 {
    match value {
        Value::Int(n) => *n as f64,
        Value::Float(x) => x.get(),
        other => panic!("{other} is no number"),
    }
}

/// What each fold should say of a set.
fn expected(set: &BTreeSet<Value>) -> [Value; 5] {
    let undefined = || Value::atom("undefined");
    let sum: f64 = set.iter().map(as_float).sum();
    let is_integer = set.iter().all(|value| matches!(value, Value::Int(_)));
    [
        Value::from(set.len() as u64),
        if is_integer { Value::Int(sum as i64) } else { float(sum) },
        set.first().cloned().unwrap_or_else(undefined),
        set.last().cloned().unwrap_or_else(undefined),
        if set.is_empty() { undefined() } else { float(sum / set.len() as f64) },
    ]
}

proptest! {
    #[test]
    fn folds_equal_those_over_the_elements_present(
        steps in proptest::collection::vec((any::<bool>(), number()), 0..40),
    ) {
        let mut node = Node::new(1);
        let set = node.declare("s", "set");
        let folds = [Aggregate::Count, Aggregate::Sum, Aggregate::Min, Aggregate::Max, Aggregate::Avg];
        let results = folds.map(|fold| node.derive(Operator::Fold(fold), &[set]));
        let mut model = BTreeSet::new();
        for (add, element) in steps {
            if add {
                node.add(set, [element.clone()]);
                model.insert(element);
            } else {
                node.remove(set, element.clone());
                model.remove(&element);
            }
            prop_assert_eq!(results.map(|result| node.read(result).to_value()), expected(&model));
        }
    }
}
