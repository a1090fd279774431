//! What the original got wrong about variables, waiting and dataflow, as far as no other test here says how it is. The
//! table in `docs/lattices.md` has all of it.

use crate::support::{Node, double, int, is_even, name, of_int};
use lasp_dataflow::{Function, FunctionError, Op, Operator, Target, Threshold, Type, Value, WaiterId, function};

const TYPES: [&str; 11] = [
    "gset",
    "set",
    "gcounter",
    "pncounter",
    "max",
    "min",
    "boolean",
    "ivar",
    "lwwregister",
    "gmap(max)",
    "pair(boolean, max)",
];

/// An operation that the type takes.
fn some_op(ty: &str) -> Op {
    match ty {
        "gset" | "set" => Op::Add(1.into()),
        "gcounter" | "pncounter" => Op::Increment(1),
        "boolean" => Op::Enable,
        "gmap(max)" => Op::Apply("k".into(), Box::new(Op::Set(1.into()))),
        "pair(boolean, max)" => Op::Fst(Box::new(Op::Enable)),
        _ => Op::Set(1.into()),
    }
}

/// Operations of which every type lacks most.
fn any_ops() -> Vec<Op> {
    let mut ops = vec![Op::Remove(1.into()), Op::Decrement(1), Op::Set(Value::atom("x"))];
    ops.extend(TYPES.map(some_op));
    ops.push(Op::Snd(Box::new(Op::Enable)));
    ops.push(Op::Apply("k".into(), Box::new(Op::Add(1.into()))));
    ops
}

/// There an operation that a type did not have crashed the server of the API, and everything in memory was lost.
#[test]
fn no_operation_that_a_type_lacks_touches_its_value_or_any_other() {
    let mut node = Node::new(1);
    let vars = TYPES.map(|ty| (ty, node.declare(ty, ty)));
    for (ty, var) in vars {
        node.update(var, some_op(ty));
    }
    let mut refused = 0;
    for (_, var) in vars {
        for op in any_ops() {
            let before = (node.graph.fingerprint(), vars.map(|(_, var)| node.show(var)));
            if node.try_update(var, op).is_err() {
                refused += 1;
                assert_eq!((node.graph.fingerprint(), vars.map(|(_, var)| node.show(var))), before);
            }
        }
    }
    assert!(refused > TYPES.len() * 5, "most operations fit few types: {refused}");
}

/// There a threshold that a type did not have was thrown inside the storage process, and the table went with it.
#[test]
fn no_threshold_that_a_type_lacks_touches_its_value_or_any_other() {
    let mut node = Node::new(1);
    let vars = TYPES.map(|ty| (ty, node.declare(ty, ty)));
    for (ty, var) in vars {
        node.update(var, some_op(ty));
    }
    let tag = |tag: &str, inner: Value| Value::tuple([Value::atom(tag), inner]);
    let forms = [
        tag("value", 9.into()),
        tag("cardinality", 9.into()),
        tag("strict", tag("value", 9.into())),
        tag("strict", tag("cardinality", 9.into())),
        tag("strict", Value::atom("undefined")),
        tag("strict", tag("strict", 9.into())),
        Value::atom("nonsense"),
        Value::list([9]),
        Value::map([(9.into(), true.into())]),
        (true, 9).into(),
    ];
    let before = (node.graph.fingerprint(), vars.map(|(_, var)| node.show(var)));
    let (mut refused, mut waiting) = (0, 0);
    for (at, (_, var)) in vars.into_iter().enumerate() {
        for (n, form) in forms.iter().enumerate() {
            let ty = node.graph.info(var).expect("declared").ty.clone();
            let threshold = Threshold::from_value(&ty, form);
            let waiter = WaiterId((at * forms.len() + n) as u64);
            match threshold.and_then(|threshold| node.graph.wait(waiter, var, threshold)) {
                Err(_) => refused += 1,
                Ok(is_met) => waiting += usize::from(!is_met),
            }
        }
    }
    assert_eq!((node.graph.fingerprint(), vars.map(|(_, var)| node.show(var))), before);
    assert_eq!(node.graph.waiting(), waiting, "who is refused does not wait");
    assert!(refused > 40 && waiting > 10, "{refused} refused, {waiting} waiting");
    // A threshold made for one type is refused by another.
    let of_number = Threshold::from_value(&Type::GCounter, &tag("value", 9.into())).expect("a counter has it");
    assert!(node.graph.wait(WaiterId(1_000), vars[6].1, of_number).is_err());
}

/// There every write that grew a variable dropped those who waited for more.
#[test]
fn who_waits_survives_writes_that_do_not_reach_the_threshold() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    let strict = |n: i64| Threshold::from_value(&Type::AwSet, &Value::tuple([Value::atom("strict"), Value::list([n])]));
    assert_eq!(node.graph.wait(WaiterId(1), set, Threshold::AtLeast(5)), Ok(false));
    assert_eq!(node.graph.wait(WaiterId(2), set, strict(4).expect("a threshold")), Ok(false));
    for n in 0..4 {
        node.add(set, [n]);
        assert_eq!((node.drain().met, node.graph.waiting()), (vec![], 2));
    }
    node.add(set, [4]);
    let mut met = node.drain().met;
    met.sort_unstable();
    assert_eq!((met, node.graph.waiting()), (vec![WaiterId(1), WaiterId(2)], 0));
}

/// There the provenance set had no threshold on its size.
#[test]
fn a_derived_set_can_be_waited_on_by_its_size() {
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    let even = node.derive(Operator::Filter(is_even()), &[set]);
    assert_eq!(node.graph.wait(WaiterId(1), even, Threshold::AtLeast(2)), Ok(false));
    node.add(set, [1, 2, 3]);
    node.remove(set, 2);
    node.add(set, [4]);
    assert_eq!(node.drain().met, []);
    node.add(set, [6]);
    assert_eq!(node.drain().met, [WaiterId(1)]);
}

/// There a reader of a source that was not declared slept for a minute at a time.
#[test]
fn a_derivation_from_a_source_that_nobody_has_filled_reacts_when_it_arrives() {
    let (mut here, mut there) = (Node::new(1), Node::new(2));
    let later = here.declare("later", "set");
    let (doubled, both) = (here.derive(Operator::Map(double()), &[later]), here.declare("both", "set"));
    here.graph.derive(Operator::Product, &[later, doubled], Target::Into(both)).expect("no cycle");
    let source = there.declare("later", "set");
    there.add(source, [1]);
    here.hear(&there.news());
    assert_eq!((here.show(doubled), here.show(both)), ("set[2]".into(), "set[{1, 2}]".into()));
}

/// There a chain was contracted into one edge, and what lay between went stale, also for those it was sent to.
#[test]
fn every_variable_of_a_chain_is_current() {
    let mut node = Node::new(1);
    let first = node.declare("v0", "set");
    let mut chain = vec![first];
    for n in 1..6 {
        let next = node.declare(&format!("v{n}"), "set");
        let last = chain[chain.len() - 1];
        node.graph.derive(Operator::Map(of_int(|n| Value::Int(n + 1))), &[last], Target::Into(next)).expect("no cycle");
        chain.push(next);
    }
    node.drain();
    node.add(first, [0, 10]);
    node.remove(first, 10);
    for (n, &var) in chain.iter().enumerate() {
        assert_eq!(node.show(var), format!("set[{n}]"));
    }
    assert_eq!(node.drain().deltas.len(), chain.len(), "and all of it is told");
}

/// There one function that threw ended every dataflow of the node.
#[test]
fn a_function_that_fails_stops_neither_its_own_derivation_nor_any_other() {
    let fails: Function = function(|args| match int(&args[0])? {
        13 => Err(FunctionError::new("unlucky")),
        n => Ok(Value::Int(n * 2)),
    });
    let mut node = Node::new(1);
    let set = node.declare("s", "set");
    let failing = node.derive(Operator::Map(fails), &[set]);
    let (after, beside) =
        (node.derive(Operator::Filter(is_even()), &[failing]), node.derive(Operator::Union, &[set, set]));
    node.read(failing);
    for n in [1, 13, 2, 13, 3] {
        node.add(set, [n]);
    }
    assert_eq!([failing, after].map(|var| node.show(var)), ["set[2, 4, 6]", "set[2, 4, 6]"]);
    assert_eq!(node.show(beside), "set[1, 2, 3, 13]");
    node.remove(set, 13);
    node.remove(set, 2);
    assert_eq!([failing, beside].map(|var| node.show(var)), ["set[2, 6]", "set[1, 3]"]);
    assert_eq!(node.drain().errors.len(), 1, "the element came once more while it was there");
}

/// There a variable declared as dynamic was shipped all the same in one of the modes.
#[test]
fn a_local_variable_gives_nothing_to_tell() {
    let mut node = Node::new(1);
    let before = node.graph.fingerprint();
    let local = node.graph.declare_local(name("mine"), Type::AwSet).expect("a free name");
    node.add(local, [1]);
    node.graph.bind(local, &Value::list([2])).expect("a set");
    assert_eq!(node.show(local), "set[1, 2]");
    assert_eq!((node.drain().deltas, node.graph.fingerprint()), (vec![], before));
    let derived = node.declare("ours", "set");
    node.graph.derive(Operator::Map(double()), &[local], Target::Into(derived)).expect("no cycle");
    // What is derived from it into a shared variable is told as that.
    assert_eq!(node.drain().deltas.iter().map(|delta| delta.var).collect::<Vec<_>>(), [derived]);
}
