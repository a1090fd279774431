//! A node without anything joins one that has much: it is filled bit by bit, serves meanwhile, and a link that breaks costs
//! what was under way.

use crate::rig::Rig;
use lasp_dataflow::{Op, Type, Value};
use lasp_node::{Class, Config, Reply, Request};
use lasp_overlay::PeerId;
use std::time::Duration;

/// Variables or entries.
const MANY: i64 = 20_000;

/// How what the first node has is laid out.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Variables,
    AddWins,
    Grown,
    Map,
}

const SHAPES: [Shape; 4] = [Shape::Variables, Shape::AddWins, Shape::Grown, Shape::Map];

/// One of many elements of some length.
fn element(n: i64) -> Value {
    Value::from(format!("{n:0>20}"))
}

fn update(rig: &mut Rig, id: u64, name: &str, ty: Type, op: Op) {
    let var = rig.declare(id, name, ty);
    assert_eq!(rig.ask(id, Request::Update { var, op }), Ok(Reply::Done));
}

fn fill(rig: &mut Rig, shape: Shape) {
    let batches = || (0..MANY / 1000).map(|batch| (batch * 1000..(batch + 1) * 1000).map(element).collect::<Vec<_>>());
    match shape {
        Shape::Variables => {
            (0..MANY * 3 / 5).for_each(|n| update(rig, 1, &format!("v/{n:0>20}"), Type::GCounter, Op::Increment(1)));
        }
        Shape::AddWins => batches().for_each(|some| update(rig, 1, "much", Type::AwSet, Op::AddAll(some))),
        Shape::Grown => batches().for_each(|some| update(rig, 1, "much", Type::GSet, Op::AddAll(some))),
        Shape::Map => {
            let ty: Type = "gmap(gcounter)".parse().unwrap();
            let add = |n| Op::Apply(element(n), Box::new(Op::Increment(1)));
            (0..MANY).for_each(|n| update(rig, 1, "much", ty.clone(), add(n)));
        }
    }
}

/// Two nodes, of which the first has much and the second has just joined, over links of a megabyte a second.
fn joining(shape: Shape) -> Rig {
    let network = lasp_sim::Config { bandwidth: Some(1_000_000), ..lasp_sim::Config::seeded(6) };
    let mut rig = Rig::new(network, vec![Config::default()]);
    fill(&mut rig, shape);
    rig.run(60);
    rig.add(2, Config::default());
    rig
}

/// Bytes of state that the first node sends until the second has everything.
fn spent(rig: &mut Rig, shape: Shape) -> u64 {
    let before = rig.node(1).metrics().sent(Class::State);
    rig.run(40);
    assert_eq!(rig.node(1).fingerprint(), rig.node(2).fingerprint(), "{shape:?}");
    assert!(rig.node(1).is_quiescent());
    rig.node(1).metrics().sent(Class::State) - before
}

#[test]
fn filling_a_node_takes_no_copy_of_what_it_is_filled_with() {
    for shape in SHAPES {
        let mut rig = joining(shape);
        let (mut most, mut steps) = (0, 0);
        while rig.node(1).fingerprint() != rig.node(2).fingerprint() {
            rig.sim.run_for(Duration::from_millis(10));
            most = most.max(rig.node(1).buffered_entries());
            steps += 1;
            assert!(steps < 1000, "{shape:?}");
        }
        assert!(steps > 10, "{shape:?}: it took no time");
        assert!(most < 4_000, "{shape:?}: {most} entries waited");
    }
}

#[test]
fn it_serves_while_it_is_filled() {
    for shape in SHAPES {
        let mut rig = joining(shape);
        rig.sim.run_for(Duration::from_millis(200));
        assert_ne!(rig.node(1).fingerprint(), rig.node(2).fingerprint(), "{shape:?}: it is still being filled");
        if !matches!(shape, Shape::Variables) {
            let known = rig.cardinality(2, "much") as i64;
            assert!((1..MANY).contains(&known), "{shape:?}: {known}");
        }
        update(&mut rig, 2, "own", Type::GCounter, Op::Increment(5));
        update(&mut rig, 1, "news", Type::GCounter, Op::Increment(7));
        rig.sim.run_for(Duration::from_millis(150));
        let int = |n| Some(lasp_dataflow::Output::Value(Value::Int(n)));
        assert_eq!((rig.value(1, "own"), rig.value(2, "news")), (int(5), int(7)), "{shape:?}: small deltas overtake");
    }
}

#[test]
fn who_was_interrupted_goes_on_where_it_was() {
    for shape in SHAPES {
        let whole = spent(&mut joining(shape), shape);
        let mut rig = joining(shape);
        let before = rig.node(1).metrics().sent(Class::State);
        while rig.node(1).metrics().sent(Class::State) - before < whole / 2 {
            rig.sim.run_for(Duration::from_millis(10));
        }
        rig.sim.partition(&[vec![PeerId(1)], vec![PeerId(2)]]);
        rig.run(10);
        assert!(rig.node(1).active_view().is_empty(), "the link broke");
        rig.sim.heal();
        // Half had been sent, some of which was under way.
        let rest = spent(&mut rig, shape);
        assert!(rest < whole * 13 / 20, "{shape:?}: {rest} bytes for the second half of {whole}");
    }
}

#[test]
fn with_several_neighbours_it_is_filled_once() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(8), vec![Config::default(); 5]);
    fill(&mut rig, Shape::AddWins);
    fill(&mut rig, Shape::Variables);
    rig.run(60);
    let sent = |rig: &Rig| (1..=5).map(|id| rig.node(id).metrics().sent(Class::State)).sum::<u64>();
    let before = sent(&rig);
    rig.add(6, Config::default());
    rig.run(40);
    assert_eq!(rig.node(1).fingerprint(), rig.node(6).fingerprint());
    assert!(rig.node(6).active_view().len() > 2, "{} neighbours", rig.node(6).active_view().len());
    let whole: usize = 20 * MANY as usize + 18 * MANY as usize;
    let times = (sent(&rig) - before) as f64 / whole as f64;
    assert!(times < 1.5, "{times:.2} times what it lacked");
}
