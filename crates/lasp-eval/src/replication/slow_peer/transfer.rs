//! A large transfer over one link: a joiner loads a large set over a link of ten megabits a second, while the giver writes
//! something small, again and again, and probes its neighbour.
//!
//! What is measured is how long a small update of the giver takes to the joiner with the transfer under way, and without.

use crate::lab::metered::{address, contact};
use crate::replication::bench::Bench;
use crate::stats::Quantiles;
use lasp_dataflow::{Op, Output, Type, Value};
use lasp_node::Command;
use lasp_overlay::Rng;
use lasp_sim::Latency;
use std::time::Duration;

/// One way of every message.
const LATENCY: Duration = Duration::from_millis(1);

/// Bytes a second of the link: ten megabits.
const BANDWIDTH: u64 = 1_250_000;

/// Letters of an element.
const ELEMENT: usize = 1000;

/// Between two small updates.
const EVERY: Duration = Duration::from_millis(50);

/// How finely arrival is looked for.
const GRAIN: Duration = Duration::from_micros(500);

/// How long an update may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the giver is left alone before the joiner comes: what was written of late is told twice to who comes then.
const APART: Duration = Duration::from_secs(30);

/// How many updates without a transfer.
const QUIET: usize = 50;

/// What it came to.
#[derive(Clone, Debug, Default)]
pub struct Transfer {
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Milliseconds of each small update meanwhile.
    pub during: Quantiles,
    /// And with nothing else under way.
    pub quiet: Quantiles,
    /// How many there were meanwhile.
    pub updates: usize,
    /// Whether the joiner has everything.
    pub complete: bool,
}

/// Runs it.
pub(super) fn run(seed: u64, bytes: usize) -> Transfer {
    let mut rng = Rng::new(seed);
    let mut bench = Bench::new(Latency::Constant(LATENCY), seed);
    bench.simulator.config_mut().bandwidth = Some(BANDWIDTH);
    bench.spawn(0, lasp_node::Config::default(), &mut rng);
    let elements = (bytes / ELEMENT).max(1);
    let texts: Vec<Value> = (0..elements).map(|n| Value::from(format!("{n:0>ELEMENT$}"))).collect();
    for some in texts.chunks(50) {
        bench.update(0, "much", &Type::AwSet, Op::AddAll(some.to_vec()));
    }
    bench.simulator.run_for(APART);
    bench.spawn(1, lasp_node::Config::default(), &mut rng);
    bench.simulator.command(contact(1).id, Command::Join(vec![address(0)]));
    let start = bench.now();
    let loaded = |bench: &Bench| count(bench, "much");
    while loaded(&bench) == 0 && bench.now() < start + PATIENCE {
        bench.simulator.run_for(GRAIN);
    }
    let mut transfer = Transfer::default();
    let mut during = Vec::new();
    while loaded(&bench) < elements && bench.now() < start + PATIENCE {
        during.push(small(&mut bench));
        bench.simulator.run_for(EVERY);
    }
    transfer.seconds = (bench.now() - start).as_secs_f64();
    transfer.complete = loaded(&bench) == elements;
    bench.simulator.run_for(PATIENCE);
    let quiet = (0..QUIET).map(|_| {
        bench.simulator.run_for(EVERY);
        small(&mut bench)
    });
    transfer.quiet = Quantiles::of(quiet.collect());
    transfer.updates = during.len();
    transfer.during = Quantiles::of(during);
    transfer
}

fn count(bench: &Bench, name: &str) -> usize {
    let graph = bench.node(1).graph();
    graph.lookup(name).and_then(|var| graph.state(var)?.cardinality()).unwrap_or(0)
}

/// Makes a small update at the giver, and waits until the joiner has it; in milliseconds.
fn small(bench: &mut Bench) -> f64 {
    let value = |bench: &Bench, node: usize| {
        let graph = bench.node(node).graph();
        graph.lookup("small").and_then(|var| graph.peek(var))
    };
    bench.update(0, "small", &Type::GCounter, Op::Increment(1));
    let (made, wanted): (_, Option<Output>) = (bench.now(), value(bench, 0));
    while value(bench, 1) != wanted && bench.now() < made + PATIENCE {
        bench.simulator.run_for(GRAIN);
    }
    (bench.now() - made).as_secs_f64() * 1000.0
}
