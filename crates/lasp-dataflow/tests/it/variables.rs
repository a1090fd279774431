//! Declarations, updates of every type, and what comes out of a drain.

use crate::support::{Node, name};
use lasp_crdt::{ReplicaId, Stamp, Timestamp};
use lasp_dataflow::{BindError, Cause, DeclareError, Op, OpError, State, Type, UpdateError, Value, WatcherId};

#[test]
fn declaring_again_keeps_the_value() {
    let mut node = Node::new(1);
    let counter = node.declare("c", "gcounter");
    node.update(counter, Op::Increment(1));
    assert_eq!(node.declare("c", "gcounter"), counter);
    assert_eq!(node.show(counter), "1");
    let other = node.graph.declare(name("c"), Type::GSet);
    assert_eq!(other, Err(DeclareError::OtherType { name: name("c"), held: Type::GCounter, wanted: Type::GSet }));
    let local = node.graph.declare_local(name("c"), Type::GCounter).unwrap_err();
    assert_eq!(local.to_string(), "c is already declared as a replicated variable");
}

#[test]
fn every_type_takes_its_operations() {
    let cases: Vec<(&str, Vec<Op>, &str)> = vec![
        ("gset", vec![Op::Add(2.into()), Op::AddAll(vec![1.into(), 2.into()])], "set[1, 2]"),
        (
            "set",
            vec![Op::AddAll(vec![1.into(), 2.into(), 3.into()]), Op::RemoveAll(vec![1.into(), 3.into()])],
            "set[2]",
        ),
        ("gcounter", vec![Op::Increment(2), Op::Increment(3)], "5"),
        ("pncounter", vec![Op::Increment(2), Op::Decrement(3)], "-1"),
        ("max", vec![Op::Set(3.into()), Op::Set(2.into())], "3"),
        ("min", vec![Op::Set(3.into()), Op::Set(2.into()), Op::Set(7.into())], "2"),
        ("boolean", vec![Op::Enable, Op::Enable], "true"),
        ("ivar", vec![Op::Set("x".into())], "\"x\""),
        ("lwwregister", vec![Op::Set(1.into()), Op::Set(0.into())], "0"),
        (
            "gmap(pair(boolean, gcounter))",
            vec![
                Op::Apply("n1".into(), Box::new(Op::Fst(Box::new(Op::Enable)))),
                Op::Apply("n2".into(), Box::new(Op::Snd(Box::new(Op::Increment(2))))),
                Op::Apply("n1".into(), Box::new(Op::Snd(Box::new(Op::Increment(1))))),
            ],
            "#{\"n1\" => {true, 1}, \"n2\" => {false, 2}}",
        ),
        (
            "pair(gset, pair(max, gcounter))",
            vec![Op::Snd(Box::new(Op::Fst(Box::new(Op::Set(1.into())))))],
            "{set[], {1, 0}}",
        ),
        (
            "gmap(gmap(set))",
            vec![
                Op::Apply(1.into(), Box::new(Op::Apply(2.into(), Box::new(Op::Add(3.into()))))),
                Op::Apply(1.into(), Box::new(Op::Apply(2.into(), Box::new(Op::Remove(3.into()))))),
            ],
            "#{1 => #{2 => set[]}}",
        ),
    ];
    for (ty, ops, shown) in cases {
        let mut node = Node::new(1);
        let var = node.declare("v", ty);
        ops.into_iter().for_each(|op| node.update(var, op));
        assert_eq!(node.show(var), shown, "{ty}");
    }
}

#[test]
fn an_unused_variable_of_each_type_says_so() {
    let cases = [
        ("gset", "set[]"),
        ("set", "set[]"),
        ("gcounter", "0"),
        ("pncounter", "0"),
        ("max", "undefined"),
        ("min", "undefined"),
        ("boolean", "false"),
        ("ivar", "undefined"),
        ("lwwregister", "undefined"),
        ("summary", "undefined"),
        ("gmap(set)", "#{}"),
        ("pair(boolean, ivar)", "{false, undefined}"),
    ];
    for (ty, shown) in cases {
        assert_eq!(ty.parse::<Type>().expect("a type").initial_output().to_string(), shown);
    }
}

#[test]
fn a_refused_operation_leaves_everything_as_it_was() {
    let mut node = Node::new(1);
    let (ivar, counter) = (node.declare("i", "ivar"), node.declare("c", "gcounter"));
    node.update(ivar, Op::Set(1.into()));
    node.update(counter, Op::Increment(4));
    node.drain();
    let fingerprint = node.graph.fingerprint();

    let again = node.try_update(ivar, Op::Set(2.into()));
    assert_eq!(again, Err(UpdateError::Op(OpError::AlreadySet { held: "1".into(), refused: 2.into() })));
    let down = node.try_update(counter, Op::Decrement(1)).unwrap_err();
    assert_eq!(down.to_string(), "gcounter has no operation decrement; it offers increment, {increment, N}");
    let bind = node.graph.bind(ivar, &2.into());
    assert_eq!(bind, Err(BindError::Clash { name: name("i"), value: 2.into() }));
    let bind = node.graph.bind(counter, &2.into()).unwrap_err();
    assert!(bind.to_string().starts_with("a state of gcounter is a record of who did what"), "{bind}");
    let deep = (0..60).fold(Value::Int(0), |inner, _| Value::list([inner]));
    let set = node.declare("s", "set");
    assert_eq!(node.try_update(set, Op::Add(deep)), Err(UpdateError::Op(OpError::TooDeep)));

    assert_eq!((node.show(ivar), node.show(counter)), ("1".into(), "4".into()));
    assert_eq!(node.graph.fingerprint(), fingerprint);
    assert_eq!(node.drain().deltas, []);
    // Setting the same value again is no error, and no news.
    assert_eq!(node.try_update(ivar, Op::Set(1.into())), Ok(()));
    assert_eq!(node.drain().deltas, []);
}

#[test]
fn handles_and_states_of_elsewhere_are_refused() {
    let mut node = Node::new(1);
    let mut other = Node::new(2);
    other.declare("x", "set");
    let foreign = other.declare("y", "set");
    let counter = node.declare("c", "gcounter");
    assert_eq!(node.try_update(foreign, Op::Enable), Err(UpdateError::UnknownVariable(foreign)));
    assert!(node.graph.read(foreign).is_none());
    assert!(!node.graph.merge(foreign, State::bottom(&Type::AwSet)));
    let mut flag = State::bottom(&Type::Boolean);
    assert!(flag.merge(State::from_value(&Type::Boolean, &true.into()).expect("a flag")));
    assert!(!node.graph.merge(counter, flag));
    assert_eq!(node.drain().deltas, []);
}

#[test]
fn concurrent_assignments_of_an_ivar_are_seen_as_such_everywhere() {
    let mut nodes = [Node::new(1), Node::new(2)];
    let mut news = Vec::new();
    for (i, node) in nodes.iter_mut().enumerate() {
        let var = node.declare("i", "ivar");
        node.update(var, Op::Set(Value::from(i as u64)));
        news.extend(node.news());
    }
    for node in &mut nodes {
        node.hear(&news);
        let var = node.graph.lookup("i").expect("declared");
        assert_eq!(node.show(var), "mv[0, 1]");
    }
    assert_eq!(nodes[0].graph.fingerprint(), nodes[1].graph.fingerprint());
}

#[test]
fn writes_with_one_time_converge_and_a_clock_that_went_back_loses_nothing() {
    let mut nodes = [Node::new(1), Node::new(2)];
    let mut news = Vec::new();
    for (i, node) in nodes.iter_mut().enumerate() {
        let var = node.declare("r", "lwwregister");
        node.update(var, Op::Set(Value::from(10 - i as u64)));
        news.extend(node.news());
    }
    for node in &mut nodes {
        node.hear(&news);
        let var = node.graph.lookup("r").expect("declared");
        assert_eq!(node.show(var), "10", "the greater value");
    }
    let [node, _] = &mut nodes;
    let var = node.graph.lookup("r").expect("declared");
    let early = Stamp { time: Timestamp(0), replica: ReplicaId(1) };
    assert_eq!(node.graph.update(var, &Op::Set(5.into()), early), Ok(()));
    assert_eq!(node.show(var), "5");
}

#[test]
fn deltas_say_what_is_new_and_why() {
    let (mut here, mut there) = (Node::new(1), Node::new(2));
    let set = here.declare("s", "set");
    there.declare("s", "set");
    here.add(set, [1, 2]);
    here.add(set, [3]);
    let effects = here.drain();
    assert_eq!(effects.deltas.len(), 1, "deltas of one variable merge");
    assert_eq!(effects.deltas[0].cause, Cause::Local);
    let delta = effects.deltas[0].delta.clone();

    assert!(there.graph.merge(set, delta.clone()));
    let received = there.drain().deltas;
    assert_eq!((received[0].cause, &received[0].delta), (Cause::Received, &delta));
    assert!(!there.graph.merge(set, delta.clone()), "the second time it is no news");
    assert_eq!(there.drain().deltas, []);

    // What is partly known is passed on without the known part.
    here.remove(set, 2);
    let removal = here.drain().deltas.remove(0).delta;
    let mut both = delta;
    both.merge(removal.clone());
    there.graph.merge(set, both);
    assert_eq!(there.drain().deltas[0].delta, removal);
    assert_eq!(here.graph.fingerprint(), there.graph.fingerprint());
    assert_ne!(here.graph.fingerprint(), 0);
}

#[test]
fn nodes_that_only_declare_different_variables_have_equal_fingerprints() {
    let (mut here, mut there) = (Node::new(1), Node::new(2));
    here.declare("a", "set");
    there.declare("b", "gmap(max)");
    assert_eq!(here.graph.fingerprint(), there.graph.fingerprint());
}

#[test]
fn watchers_hear_of_each_change_of_the_value_once() {
    let mut node = Node::new(1);
    let (set, register) = (node.declare("s", "set"), node.declare("r", "lwwregister"));
    node.graph.watch(WatcherId(1), set);
    node.graph.watch(WatcherId(2), register);
    node.add(set, [1]);
    node.add(set, [2]);
    assert_eq!(node.drain().changed, [WatcherId(1)]);
    // An element added again, a value written again: the state grows, the value stays.
    node.add(set, [2]);
    assert_eq!(node.drain().changed, []);
    node.update(register, Op::Set(1.into()));
    node.remove(set, 1);
    assert_eq!(node.drain().changed, [WatcherId(1), WatcherId(2)]);
    node.update(register, Op::Set(1.into()));
    assert_eq!(node.drain().changed, []);
    node.graph.unwatch(WatcherId(1));
    node.add(set, [9]);
    assert_eq!(node.drain().changed, []);
}

#[test]
fn watchers_of_scalars_hear_of_values_and_not_of_states() {
    let mut node = Node::new(1);
    let (counter, pair) = (node.declare("c", "pncounter"), node.declare("p", "pair(set, gcounter)"));
    node.graph.watch(WatcherId(1), counter);
    node.graph.watch(WatcherId(2), pair);
    // Up and down in one delta, and an element added again: the states grow, the values stay.
    let mut other = Node::new(2);
    let theirs = other.declare("c", "pncounter");
    other.update(theirs, Op::Increment(1));
    other.update(theirs, Op::Decrement(1));
    let news = other.news();
    node.hear(&news);
    assert_eq!(node.drain().changed, []);
    node.update(pair, Op::Fst(Box::new(Op::Add(1.into()))));
    assert_eq!(node.drain().changed, [WatcherId(2)]);
    node.update(pair, Op::Fst(Box::new(Op::Add(1.into()))));
    assert_eq!(node.drain().changed, []);
    node.update(counter, Op::Decrement(1));
    assert_eq!(node.drain().changed, [WatcherId(1)]);
}

#[test]
fn variables_are_found_by_name_and_listed_as_declared() {
    let mut node = Node::new(1);
    let b = node.declare("b", "set");
    node.declare("a", "max");
    let listed: Vec<String> = node.graph.vars().map(|(_, info)| format!("{}: {}", info.name, info.ty)).collect();
    assert_eq!(node.graph.vars_count(), listed.len());
    for (at, (var, _)) in node.graph.vars().enumerate() {
        let beyond = [(var.index(), at), (var.index() + 1, at + 1)];
        assert!(beyond.iter().all(|(index, left_out)| node.graph.vars_from(*index).count() == listed.len() - left_out));
    }
    assert_eq!(node.graph.vars_from(usize::MAX).count(), 0);
    assert_eq!(listed, ["b: set", "a: max"]);
    assert_eq!(node.graph.lookup("b"), Some(b));
    assert_eq!(node.graph.lookup("c"), None);
}

#[test]
fn cardinality_and_membership_of_collections() {
    let mut node = Node::new(1);
    let (set, map) = (node.declare("s", "set"), node.declare("m", "gmap(boolean)"));
    node.add(set, [1, 2]);
    node.update(map, Op::Apply("k".into(), Box::new(Op::Enable)));
    assert_eq!((node.graph.cardinality(set), node.graph.cardinality(map)), (Some(2), Some(1)));
    assert!(node.graph.contains(set, &1.into()) && !node.graph.contains(set, &3.into()));
    assert!(node.graph.contains(map, &"k".into()));
    let counter = node.declare("c", "gcounter");
    assert_eq!(node.graph.cardinality(counter), None);
}
