//! Functions that fail: the element is left out and told of, everything else goes on.

use crate::support::{Node, double, int};
use lasp_dataflow::{Aggregate, ERRORS_KEPT, FunctionError, Operator, Target, Value, function};

/// Halves even numbers.
fn halve() -> lasp_dataflow::Function {
    function(|args| match int(&args[0])? {
        n if n % 2 == 0 => Ok(Value::Int(n / 2)),
        n => Err(FunctionError::new(format!("{n} is odd")).at(3, 9)),
    })
}

#[test]
fn a_failing_element_is_left_out_and_the_others_go_on() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    let halved = node.derive_wanted(Operator::Map(halve()), &[set]);
    let doubled = node.derive_wanted(Operator::Map(double()), &[set]);
    node.add(set, [1, 2, 4]);
    assert_eq!((node.show(halved), node.show(doubled)), ("set[1, 2]".into(), "set[2, 4, 8]".into()));
    let errors = node.drain().errors;
    assert_eq!(errors.len(), 1);
    assert_eq!((errors[0].var, &errors[0].element, errors[0].error.at), (halved, &Value::Int(1), Some((3, 9))));
    assert_eq!(errors[0].to_string(), "map into ~map/1 failed on 1: 1 is odd");
    assert_eq!(node.graph.info(halved).expect("a variable").errors.recent().collect::<Vec<_>>(), [&errors[0]]);
    // Removing it is no error, and adding it again is one.
    node.remove(set, 1);
    assert_eq!(node.drain().errors, []);
    node.add(set, [1]);
    assert_eq!(node.drain().errors.len(), 1);
}

#[test]
fn results_of_the_wrong_kind_are_errors() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    for operator in [Operator::Filter(double()), Operator::FlatMap(double())] {
        node.derive_wanted(operator, &[set]);
    }
    let key = Operator::Join { left_key: halve(), right_key: halve() };
    node.derive_wanted(key, &[set, set]);
    node.add(set, [1]);
    let messages: Vec<String> = node.drain().errors.iter().map(|error| error.error.to_string()).collect();
    assert_eq!(
        messages,
        [
            "expected a boolean from the predicate, found an integer 2",
            "expected a list from the function, found an integer 2",
            "1 is odd",
        ]
    );
}

#[test]
fn results_that_nest_too_deep_are_errors() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    let wrap = function(|args| Ok(Value::list([args[0].clone()])));
    let mut last = set;
    for _ in 0..45 {
        last = node.derive_wanted(Operator::Map(wrap.clone()), &[last]);
    }
    node.add(set, [1]);
    assert_eq!(node.show(last), "set[]");
    let errors = node.drain().errors;
    assert_eq!(errors.len(), 1);
    assert!(errors[0].error.message.contains("nests more than"));
}

#[test]
fn many_errors_are_counted_and_the_last_are_kept() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    let halved = node.derive_wanted(Operator::Map(halve()), &[set]);
    node.add(set, 0..200);
    assert_eq!(node.drain().errors.len(), ERRORS_KEPT);
    let log = &node.graph.info(halved).expect("a variable").errors;
    assert_eq!((log.total(), log.recent().len()), (100, ERRORS_KEPT));
    assert_eq!(log.recent().last().map(|error| error.element.clone()), Some(199.into()));
    assert_eq!(node.graph.cardinality(halved), Some(100));
}

#[test]
fn a_fold_leaves_out_what_it_cannot_take() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    let sum = node.derive_wanted(Operator::Fold(Aggregate::Sum), &[set]);
    node.add(set, [Value::Int(1), Value::atom("x"), Value::Int(2)]);
    assert_eq!(node.show(sum), "3");
    assert_eq!(node.drain().errors[0].to_string(), "fold into ~fold/1 failed on x: expected a number, found an atom x");
    node.remove(set, Value::atom("x"));
    assert_eq!((node.show(sum), node.drain().errors.len()), ("3".into(), 0));
}

#[test]
fn a_sum_that_overflows_has_no_value_and_recovers() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    let sum = node.derive_wanted(Operator::Fold(Aggregate::Sum), &[set]);
    node.add(set, [i64::MAX]);
    node.add(set, [1]);
    assert_eq!(node.show(sum), "undefined");
    assert_eq!(node.drain().errors[0].error.to_string(), "the sum exceeds a 64-bit integer");
    node.remove(set, i64::MAX);
    assert_eq!(node.show(sum), "1");
}

#[test]
fn errors_end_with_the_last_derivation_of_a_variable() {
    let mut node = Node::new(1);
    let (from, into) = (node.declare("s", "set"), node.declare("t", "set"));
    let operator = Operator::Filter(function(|_| Ok(Value::Int(1))));
    let (_, id) = node.graph.derive_removable(operator, &[from], Target::Into(into)).expect("a derivation");
    node.add(from, [1, 2]);
    let total = |node: &Node| node.graph.info(into).expect("declared").errors.total();
    assert_eq!(total(&node), 2);
    assert!(node.graph.remove_derivation(id));
    assert_eq!(total(&node), 0);
    assert_eq!(node.graph.info(into).expect("declared").errors.recent().len(), 0);
}
