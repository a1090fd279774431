//! What each type offers through a graph: what it refuses, what derivations take of it, and what readers wait for.

use super::support::{Node, double, name};
use lasp_crdt::ReplicaId;
use lasp_dataflow::{
    Aggregate, Facet, Op, OpError, Operator, Output, ReplicaName, Target, Threshold, Type, UpdateError, Value, VarId,
    WaiterId, WatcherId, function,
};

fn tagged(tag: &str, inner: impl Into<Value>) -> Value {
    Value::tuple([Value::atom(tag), inner.into()])
}

fn under(key: &str, op: Op) -> Op {
    Op::Apply(Value::atom(key), Box::new(op))
}

fn edge(from: i64, to: i64) -> Op {
    Op::AddEdges(vec![(from.into(), to.into())])
}

fn refusal(node: &mut Node, var: VarId, op: Op) -> OpError {
    let before = node.graph.state(var).cloned();
    let refused = node.try_update(var, op);
    assert_eq!(node.graph.state(var).cloned(), before, "what is refused changes nothing");
    match refused {
        Err(UpdateError::Op(error)) => error,
        other => panic!("not refused: {other:?}"),
    }
}

/// Everything that one node has to tell the other, both ways.
fn exchange(one: &mut Node, other: &mut Node) {
    let (news, others) = (one.news(), other.news());
    one.hear(&others);
    other.hear(&news);
}

#[test]
fn a_bounded_counter_takes_off_what_this_replica_has_the_right_to() {
    let [mut shop, mut depot] = [1, 2].map(Node::new);
    let [here, there] = [&mut shop, &mut depot].map(|node| node.declare("stock", "bcounter"));
    depot.update(there, Op::Increment(10));
    exchange(&mut shop, &mut depot);
    assert_eq!(shop.show(here), "10");
    let error = refusal(&mut shop, here, Op::Decrement(3));
    assert_eq!(error, OpError::NotEnoughRights { asked: 3, owned: 0 });
    depot.update(there, Op::Move(4, ReplicaName::Id(ReplicaId(1))));
    exchange(&mut shop, &mut depot);
    shop.update(here, Op::Decrement(3));
    exchange(&mut shop, &mut depot);
    assert_eq!((shop.show(here), depot.show(there)), ("7".into(), "7".into()));
    let error = refusal(&mut depot, there, Op::Move(7, ReplicaName::Named("replica:1".into())));
    assert_eq!(error.to_string().split(';').next(), Some("this replica may take off or move 6, not 7"));
    let error = refusal(&mut depot, there, Op::Move(1, ReplicaName::Named(1.into())));
    assert_eq!(error, OpError::UnknownReplica { name: ReplicaName::Named(1.into()) });
}

#[test]
fn a_two_phase_graph_refuses_what_would_leave_edges_without_ends() {
    let mut node = Node::new(1);
    let graph = node.declare("g", "twopgraph");
    node.update(graph, Op::AddVertices(vec![1.into(), 2.into()]));
    let error = refusal(&mut node, graph, Op::AddEdges(vec![(1.into(), 2.into()), (1.into(), 3.into())]));
    assert_eq!(error.to_string(), "3 is no vertex here, and {1, 3} needs both its ends; add it first");
    node.update(graph, edge(1, 2));
    let error = refusal(&mut node, graph, Op::RemoveVertices(vec![2.into()]));
    assert_eq!(error.to_string(), "2 has edges; remove them first");
    node.update(graph, Op::RemoveEdges(vec![(1.into(), 2.into())]));
    node.update(graph, Op::RemoveVertices(vec![2.into()]));
    node.update(graph, Op::AddVertices(vec![2.into()]));
    assert_eq!(node.show(graph), "graph{vertices: [1], edges: []}");
}

#[test]
fn operations_that_a_type_lacks_are_refused_at_every_depth() {
    let mut node = Node::new(1);
    for ty in ["twopset", "rwset", "lexcounter", "bcounter", "ewflag", "dwflag", "mvregister", "mvmap", "awgraph"] {
        let var = node.declare(ty, ty);
        let error = refusal(&mut node, var, Op::Fst(Box::new(Op::Enable)));
        assert!(error.to_string().starts_with(&format!("{ty} has no operation fst; it offers ")), "{error}");
    }
    let map = node.declare("m", "awmap(pair(ewflag, awmap(rwset)))");
    let error = refusal(&mut node, map, under("k", Op::Snd(Box::new(under("l", Op::Enable)))));
    assert!(error.to_string().starts_with("rwset has no operation enable"), "{error}");
    let deep = (0..60).fold(Value::Int(1), |inner, _| Value::list([inner]));
    let op = under("k", Op::Snd(Box::new(under("l", Op::Add(deep)))));
    assert_eq!(refusal(&mut node, map, op), OpError::TooDeep);
    assert_eq!(node.show(map), "#{}");
}

#[test]
fn a_removed_key_takes_along_what_was_seen_below_it() {
    let [mut a, mut b] = [1, 2].map(Node::new);
    let [here, there] = [&mut a, &mut b].map(|node| node.declare("m", "awmap(pair(ewflag, awmap(mvregister)))"));
    let write = |key, value: i64| under("k", Op::Snd(Box::new(under(key, Op::Set(value.into())))));
    a.update(here, under("k", Op::Fst(Box::new(Op::Enable))));
    a.update(here, write("x", 1));
    exchange(&mut a, &mut b);
    b.update(there, write("y", 2));
    a.update(here, Op::RemoveKeys(vec![Value::atom("k")]));
    assert_eq!(a.show(here), "#{}");
    exchange(&mut a, &mut b);
    for (node, map) in [(&mut a, here), (&mut b, there)] {
        assert_eq!(node.show(map), "#{k => {false, #{y => mv[2]}}}");
    }
    a.update(here, Op::Clear);
    assert_eq!(a.show(here), "#{}");
}

#[test]
fn concurrent_writes_stay_side_by_side_until_one_has_seen_them() {
    let [mut a, mut b] = [1, 2].map(Node::new);
    let [here, there] = [&mut a, &mut b].map(|node| node.declare("r", "mvregister"));
    a.update(here, Op::Set(2.into()));
    b.update(there, Op::Set(1.into()));
    exchange(&mut a, &mut b);
    assert_eq!(a.read(here), Output::Many(vec![1.into(), 2.into()]));
    // Each of the concurrent values is a member.
    let doubled = b.derive_wanted(Operator::Map(double()), &[there]);
    assert_eq!(b.show(doubled), "set[2, 4]");
    b.update(there, Op::Set(5.into()));
    assert_eq!((b.show(there), b.show(doubled)), ("mv[5]".into(), "set[10]".into()));
    b.update(there, Op::Clear);
    assert_eq!((b.show(there), b.show(doubled)), ("mv[]".into(), "set[]".into()));
}

#[test]
fn entries_and_keys_of_maps_follow_what_is_below_them() {
    for ty in ["gmap(gset)", "awmap(set)"] {
        let mut node = Node::new(1);
        let map = node.declare("m", ty);
        node.update(map, under("a", Op::Add(1.into())));
        let keys = node.derive_wanted(Operator::View(Facet::Keys), &[map]);
        let entries = node.derive_wanted(Operator::View(Facet::Elements), &[map]);
        let sizes = function(|args| match &args[0] {
            Value::Tuple(entry) => match &entry[1] {
                Value::List(elements) => Ok(Value::from(elements.len() as u64)),
                other => Err(format!("{other} is no list").into()),
            },
            other => Err(format!("{other} is no entry").into()),
        });
        let size = Operator::Fold(Aggregate::Of(sizes, Box::new(Aggregate::Sum)));
        let total = node.derive_wanted(size, &[map]);
        assert_eq!(node.show(entries), "set[{a, [1]}]");
        node.update(map, under("a", Op::Add(2.into())));
        node.update(map, under("b", Op::Add(2.into())));
        assert_eq!(node.show(keys), "set[a, b]");
        assert_eq!(node.show(entries), "set[{a, [1, 2]}, {b, [2]}]");
        assert_eq!(node.show(total), "3");
        if ty == "awmap(set)" {
            node.update(map, under("a", Op::Remove(1.into())));
            node.update(map, Op::RemoveKeys(vec![Value::atom("b")]));
            assert_eq!((node.show(keys), node.show(entries)), ("set[a]".into(), "set[{a, [2]}]".into()));
            assert_eq!(node.show(total), "1");
        }
    }
}

#[test]
fn edges_follow_the_vertices_that_hide_and_show_them() {
    let mut node = Node::new(1);
    let graph = node.declare("g", "awgraph");
    let vertices = node.derive_wanted(Operator::View(Facet::Vertices), &[graph]);
    let edges = node.derive_wanted(Operator::View(Facet::Edges), &[graph]);
    let ends = node.derive_wanted(Operator::Fold(Aggregate::Count), &[edges]);
    node.update(graph, edge(1, 2));
    assert_eq!((node.show(vertices), node.show(edges)), ("set[]".into(), "set[]".into()));
    node.update(graph, Op::AddVertices(vec![1.into(), 2.into(), 3.into()]));
    node.update(graph, Op::AddEdges(vec![(2.into(), 2.into()), (2.into(), 3.into())]));
    assert_eq!(node.show(edges), "set[{1, 2}, {2, 2}, {2, 3}]");
    node.update(graph, Op::RemoveVertices(vec![2.into()]));
    assert_eq!((node.show(vertices), node.show(edges)), ("set[1, 3]".into(), "set[]".into()));
    node.update(graph, Op::AddVertices(vec![2.into()]));
    assert_eq!(node.show(ends), "3");
    assert_eq!(node.show(graph), "graph{vertices: [1, 2, 3], edges: [{1, 2}, {2, 2}, {2, 3}]}");
}

#[test]
fn a_vertex_that_is_gone_takes_its_edges_from_what_is_derived() {
    let [mut a, mut b] = [1, 2].map(Node::new);
    let [here, there] = [&mut a, &mut b].map(|node| node.declare("g", "twopgraph"));
    a.update(here, Op::AddVertices(vec![1.into(), 2.into()]));
    exchange(&mut a, &mut b);
    let edges = b.derive_wanted(Operator::View(Facet::Edges), &[there]);
    b.update(there, edge(1, 2));
    assert_eq!(b.show(edges), "set[{1, 2}]");
    a.update(here, Op::RemoveVertices(vec![2.into()]));
    exchange(&mut a, &mut b);
    assert_eq!((b.show(edges), a.show(here)), ("set[]".into(), "graph{vertices: [1], edges: []}".into()));
}

#[test]
fn readers_of_every_type_wake_when_it_has_come_so_far() {
    let map = |entries: &[(&str, Value)]| Value::map(entries.iter().map(|(k, v)| (Value::atom(*k), v.clone())));
    let both = |x: Value, y: Value| Value::pair(x, y);
    let remove = Op::RemoveVertices(vec![9.into()]);
    // A type, a threshold, what does not reach it, and what then does.
    let cases: Vec<(&str, Value, Op, Op)> = vec![
        ("twopset", Value::list([1]), Op::Add(2.into()), Op::Add(1.into())),
        ("rwset", tagged("cardinality", 2), Op::Add(2.into()), Op::Add(1.into())),
        ("lexcounter", tagged("value", 2), Op::Decrement(1), Op::Increment(4)),
        ("bcounter", tagged("strict", tagged("value", 2)), Op::Increment(2), Op::Increment(1)),
        ("min", tagged("value", 2), Op::Set(3.into()), Op::Set(1.into())),
        ("ivar", tagged("value", 2), Op::Set("x".into()), Op::Set("x".into())),
        ("ewflag", true.into(), Op::Disable, Op::Enable),
        ("dwflag", false.into(), Op::Enable, Op::Disable),
        ("dwflag", tagged("strict", Value::atom("undefined")), Op::Enable, Op::Disable),
        ("mvregister", 7.into(), Op::Set(6.into()), Op::Set(7.into())),
        ("mvregister", tagged("cardinality", 1), Op::Clear, Op::Set(7.into())),
        ("mvmap", map(&[("a", 7.into())]), under("a", Op::Set(6.into())), under("a", Op::Set(7.into()))),
        ("mvmap", Value::list([Value::atom("b")]), under("a", Op::Set(6.into())), under("b", Op::Set(6.into()))),
        ("awmap(set)", tagged("cardinality", 1), under("a", Op::Remove(1.into())), under("a", Op::Add(1.into()))),
        (
            "awmap(pair(ewflag, mvmap))",
            map(&[("a", both(true.into(), map(&[("b", 1.into())])))]),
            under("a", Op::Snd(Box::new(under("b", Op::Set(1.into()))))),
            under("a", Op::Fst(Box::new(Op::Enable))),
        ),
        (
            "gmap(pair(gcounter, set))",
            map(&[("a", both(tagged("value", 1), Value::list([1])))]),
            under("a", Op::Fst(Box::new(Op::Increment(1)))),
            under("a", Op::Snd(Box::new(Op::Add(1.into())))),
        ),
        ("ggraph", tagged("cardinality", 2), Op::AddVertices(vec![1.into()]), edge(1, 2)),
        (
            "awgraph",
            map(&[("edges", Value::list([Value::from((1, 2))]))]),
            edge(1, 2),
            Op::AddVertices(vec![1.into(), 2.into()]),
        ),
        (
            "awgraph",
            tagged("strict", map(&[("vertices", Value::list([1]))])),
            Op::AddVertices(vec![1.into()]),
            edge(1, 1),
        ),
        ("twopgraph", tagged("strict", Value::atom("undefined")), remove, Op::AddVertices(vec![1.into()])),
    ];
    for (ty, form, short, enough) in cases {
        let mut node = Node::new(1);
        let var = node.declare("v", ty);
        let threshold = Threshold::from_value(&ty.parse().expect("a type"), &form).expect("a threshold");
        let reached = node.graph.derive(Operator::Reached(Box::new(threshold.clone())), &[var], Target::Local(None));
        let reached = reached.expect("any type can be waited on");
        assert_eq!(node.graph.wait(WaiterId(1), var, threshold), Ok(false), "{ty} {form}");
        node.update(var, short);
        assert!(node.drain().met.is_empty() && node.show(reached) == "false", "{ty} {form}");
        if ty != "ivar" {
            node.update(var, enough);
            assert_eq!(node.drain().met, [WaiterId(1)], "{ty} {form}");
            assert_eq!(node.show(reached), "true", "{ty} {form}");
        }
    }
}

#[test]
fn watchers_hear_of_values_and_not_of_bookkeeping() {
    let mut node = Node::new(1);
    let flag = node.declare("f", "ewflag");
    let set = node.declare("s", "rwset");
    for var in [flag, set] {
        node.graph.watch(WatcherId(u64::from(var == set)), var);
    }
    node.update(flag, Op::Enable);
    node.update(set, Op::Remove(1.into()));
    assert_eq!(node.drain().changed, [WatcherId(0)], "who was not there went unseen");
    node.update(flag, Op::Enable);
    node.update(set, Op::Add(1.into()));
    assert_eq!(node.drain().changed, [WatcherId(1)], "what was enabled is enabled");
}

#[test]
fn values_are_bound_where_they_say_all_there_is() {
    let mut node = Node::new(1);
    let graph_of = |edges: Value| Value::map([(Value::atom("edges"), edges)]);
    let edges = graph_of(Value::list([Value::from((1, 2))]));
    for (ty, value, shown) in [
        ("twopset", Value::list([2, 1]), "set[1, 2]"),
        ("rwset", Value::list([2, 1]), "set[1, 2]"),
        ("ggraph", edges.clone(), "graph{vertices: [1, 2], edges: [{1, 2}]}"),
        ("twopgraph", edges.clone(), "graph{vertices: [1, 2], edges: [{1, 2}]}"),
        ("gmap(ggraph)", Value::map([(1.into(), edges.clone())]), "#{1 => graph{vertices: [1, 2], edges: [{1, 2}]}}"),
    ] {
        let var = node.declare(ty, ty);
        assert_eq!(node.graph.bind(var, &value), Ok(true), "{ty}");
        assert_eq!(node.graph.bind(var, &value), Ok(false), "{ty}");
        assert_eq!(node.show(var), shown);
    }
    for ty in ["lexcounter", "bcounter", "ewflag", "dwflag", "mvregister", "awmap(set)", "mvmap", "awgraph"] {
        let var = node.declare(ty, ty);
        let error = node.graph.bind(var, &edges).unwrap_err().to_string();
        let expected = format!("a state of {} is a record of who did what", ty.parse::<Type>().expect("a type"));
        assert!(error.starts_with(&expected), "{error}");
    }
    let graph = node.declare("g", "ggraph");
    let error = node.graph.bind(graph, &graph_of(Value::list([1]))).unwrap_err().to_string();
    assert!(error.starts_with("a state of ggraph is a map #{vertices => "), "{error}");
}

#[test]
fn a_variable_can_follow_another_of_every_type() {
    for ty in Type::names().filter(|ty| !["gmap", "awmap", "pair"].contains(ty)) {
        let mut node = Node::new(1);
        let (into, from) = (node.declare("into", ty), node.declare("from", ty));
        node.graph.bind_to(into, from).expect("one type");
        let op = match ty.parse().expect("a type") {
            Type::GSet | Type::AwSet | Type::TwoPSet | Type::RwSet => Op::Add(1.into()),
            Type::GCounter | Type::PnCounter | Type::LexCounter | Type::BCounter => Op::Increment(3),
            Type::Boolean | Type::EwFlag => Op::Enable,
            Type::DwFlag => Op::Disable,
            Type::MvMap => under("k", Op::Set(1.into())),
            Type::GGraph | Type::TwoPGraph | Type::AwGraph => Op::AddVertices(vec![1.into()]),
            _ => Op::Set(1.into()),
        };
        if ty == "summary" {
            let set = node.declare("set", "set");
            node.graph.derive(Operator::Fold(Aggregate::Count), &[set], Target::Into(from)).expect("a fold");
            node.add(set, [1]);
        } else {
            node.update(from, op);
        }
        assert_ne!(node.show(into), ty.parse::<Type>().expect("a type").initial_output().to_string(), "{ty}");
        assert_eq!(node.show(into), node.show(from), "{ty}");
    }
    let mut node = Node::new(1);
    let (into, from) = (node.declare("into", "mvmap"), node.declare("from", "mvmap"));
    node.update(into, under("k", Op::Set(1.into())));
    let error = node.graph.bind_to(into, from).unwrap_err().to_string();
    assert!(error.starts_with("into has a value of its own, and the parts of two mvmap variables"), "{error}");
    assert!(node.graph.declare(name("m"), Type::MvMap).is_ok());
}
