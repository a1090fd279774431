//! Updates per second through a graph: an add-wins set of 10,000 elements, alone and with derivations downstream.
//!
//! `cargo run --release -p lasp-dataflow --example throughput`

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "measuring is what this program is for")]

use lasp_crdt::{ReplicaId, Stamp};
use lasp_dataflow::{Graph, Name, Op, Operator, Target, Type, Value, VarId, function};
use std::time::Instant;

const ELEMENTS: i64 = 10_000;
const UPDATES: i64 = 1_000_000;

fn main() {
    let mut plain = filled();
    report("add, present elements", &mut plain, UPDATES, |i| Op::Add(Value::Int(i % ELEMENTS)));
    report("add and remove in turn", &mut plain, UPDATES, |i| match i % 2 {
        0 => Op::Remove(Value::Int(i / 2 % ELEMENTS)),
        _ => Op::Add(Value::Int(i / 2 % ELEMENTS)),
    });
    let mut derived = filled();
    derive(&mut derived);
    report("the same with map, filter, product(10)", &mut derived, UPDATES / 20, |i| match i % 2 {
        0 => Op::Remove(Value::Int(i / 2 % ELEMENTS)),
        _ => Op::Add(Value::Int(i / 2 % ELEMENTS)),
    });
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a short name")
}

/// A graph with a set of all elements.
fn filled() -> (Graph, VarId) {
    let mut graph = Graph::new(ReplicaId(1));
    let set = graph.declare(name("set"), Type::AwSet).expect("a free name");
    let all = Op::AddAll((0..ELEMENTS).map(Value::Int).collect());
    graph.update(set, &all, Stamp::default()).expect("sets can be added to");
    graph.drain();
    (graph, set)
}

/// Doubles, then halves, then pairs each with ten others.
fn derive((graph, set): &mut (Graph, VarId)) {
    let ten = graph.declare(name("ten"), Type::AwSet).expect("a free name");
    let all = Op::AddAll((0..10).map(Value::Int).collect());
    graph.update(ten, &all, Stamp::default()).expect("sets can be added to");
    let int = |value: &Value| i64::try_from(value).map_err(|error| error.to_string());
    let double = function(move |args| Ok(Value::Int(int(&args[0])? * 2)));
    let is_even_half = function(move |args| Ok(Value::Bool(int(&args[0])? % 4 == 0)));
    let doubled = graph.derive(Operator::Map(double), &[*set], Target::Local(None)).expect("a set");
    let kept = graph.derive(Operator::Filter(is_even_half), &[doubled], Target::Local(None)).expect("a set");
    graph.derive(Operator::Product, &[kept, ten], Target::Local(None)).expect("two sets");
    graph.drain();
}

fn report(what: &str, (graph, set): &mut (Graph, VarId), updates: i64, op: impl Fn(i64) -> Op) {
    let start = Instant::now();
    let mut deltas = 0;
    for i in 0..updates {
        graph.update(*set, &op(i), Stamp::default()).expect("sets take this");
        deltas += graph.drain().deltas.len();
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{what}: {:.0} updates/s ({updates} updates, {deltas} deltas)", updates as f64 / seconds);
}
