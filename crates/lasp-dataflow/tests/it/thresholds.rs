//! Threshold reads on every type.

use crate::support::Node;
use lasp_dataflow::{Effects, Op, Threshold, Value, WaiterId};

fn tag(name: &str, inner: impl Into<Value>) -> Value {
    Value::tuple([Value::atom(name), inner.into()])
}

/// Waits for `threshold`; gives after which of the operations the reader woke.
fn woken_after(ty: &str, threshold: &Value, ops: Vec<Op>) -> Option<usize> {
    let mut node = Node::new(1);
    let var = node.declare("v", ty);
    let info = node.graph.info(var).expect("a variable");
    let threshold = Threshold::from_value(&info.ty, threshold).expect("a threshold");
    if node.graph.wait(WaiterId(1), var, threshold).expect("fits") {
        return Some(0);
    }
    for (i, op) in ops.into_iter().enumerate() {
        node.update(var, op);
        let Effects { met, .. } = node.drain();
        if met == [WaiterId(1)] {
            assert_eq!(node.graph.waiting(), 0);
            return Some(i + 1);
        }
    }
    None
}

#[test]
fn a_reader_wakes_with_the_operation_that_reaches_its_threshold() {
    let three = |op: Op| vec![op.clone(), op.clone(), op];
    let set = |n: i64| Op::Set(n.into());
    let undefined = || Value::atom("undefined");
    let cases = [
        ("gcounter", tag("value", 2), three(Op::Increment(1)), Some(2)),
        ("gcounter", tag("strict", tag("value", 2)), three(Op::Increment(1)), Some(3)),
        ("gcounter", tag("value", 0), vec![], Some(0)),
        ("pncounter", tag("value", 2), vec![Op::Increment(1), Op::Decrement(1), Op::Increment(2)], Some(3)),
        ("pncounter", tag("strict", undefined()), vec![Op::Decrement(1)], Some(1)),
        (
            "set",
            tag("cardinality", 2),
            vec![Op::Add(1.into()), Op::Remove(1.into()), Op::AddAll(vec![1.into(), 2.into()])],
            Some(3),
        ),
        ("set", Value::list([1, 2]), vec![Op::Add(1.into()), Op::Add(2.into())], Some(2)),
        ("gset", tag("strict", Value::list([1])), vec![Op::Add(1.into()), Op::Add(2.into())], Some(2)),
        ("gset", tag("strict", tag("cardinality", 1)), vec![Op::Add(1.into()), Op::Add(1.into())], None),
        ("set", undefined(), vec![], Some(0)),
        ("max", 5.into(), vec![set(4), set(5)], Some(2)),
        ("max", tag("strict", 5), vec![set(5), set(6)], Some(2)),
        ("max", tag("value", 5), vec![set(5)], Some(1)),
        ("min", 5.into(), vec![set(6), set(3)], Some(2)),
        ("boolean", true.into(), vec![Op::Enable], Some(1)),
        ("ivar", tag("strict", undefined()), vec![set(1)], Some(1)),
        ("ivar", 2.into(), vec![set(1)], None),
        ("lwwregister", 2.into(), vec![set(1), set(2)], Some(2)),
        ("lwwregister", tag("value", 3), vec![set(1), set(4)], Some(2)),
        (
            "gmap(boolean)",
            tag("cardinality", 2),
            vec![
                Op::Apply(1.into(), Box::new(Op::Enable)),
                Op::Apply(1.into(), Box::new(Op::Enable)),
                Op::Apply(2.into(), Box::new(Op::Enable)),
            ],
            Some(3),
        ),
        (
            "gmap(boolean)",
            Value::map([(2.into(), true.into())]),
            vec![Op::Apply(1.into(), Box::new(Op::Enable)), Op::Apply(2.into(), Box::new(Op::Enable))],
            Some(2),
        ),
        (
            "pair(boolean, max)",
            (true, 3).into(),
            vec![Op::Fst(Box::new(Op::Enable)), Op::Snd(Box::new(set(3)))],
            Some(2),
        ),
    ];
    for (ty, threshold, ops, woken) in cases {
        assert_eq!(woken_after(ty, &threshold, ops), woken, "{ty} at {threshold}");
    }
}

#[test]
fn an_unsupported_threshold_is_an_error_and_the_data_stays() {
    let mut node = Node::new(1);
    let flag = node.declare("f", "boolean");
    node.update(flag, Op::Enable);
    let refused = node.graph.wait(WaiterId(1), flag, Threshold::AtLeast(1)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "boolean cannot be waited on for a number; it offers a value, {strict, Value}, {strict, undefined}"
    );
    assert_eq!((node.show(flag), node.graph.waiting()), ("true".into(), 0));
}

#[test]
fn readers_wake_lowest_threshold_first_and_once() {
    let mut node = Node::new(1);
    let counter = node.declare("c", "gcounter");
    for n in [5, 1, 3] {
        assert_eq!(node.graph.wait(WaiterId(n), counter, Threshold::AtLeast(n as i64)), Ok(false));
    }
    node.update(counter, Op::Increment(4));
    assert_eq!(node.drain().met, [WaiterId(1), WaiterId(3)]);
    node.update(counter, Op::Increment(4));
    assert_eq!(node.drain().met, [WaiterId(5)]);
}

#[test]
fn a_reader_who_cancels_between_waking_and_draining_hears_nothing() {
    let mut node = Node::new(1);
    let counter = node.declare("c", "gcounter");
    assert_eq!(node.graph.wait(WaiterId(1), counter, Threshold::AtLeast(1)), Ok(false));
    node.update(counter, Op::Increment(1));
    node.graph.cancel(WaiterId(1));
    assert_eq!(node.drain().met, []);
}
