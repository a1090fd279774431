//! What a stretch of simulation took.

use crate::threads::Threads;
use lasp_overlay::{Protocol, Wire};
use lasp_sim::Simulator;
use std::time::Duration;

/// The columns.
pub(crate) const HEAD: &str =
    "| world | peers | shards | events | cpu s | M events / cpu s | M events / wall s |\n|---|---|---|---|---|---|---|";

/// Runs a stretch and prints its line.
pub(crate) fn report<P>((world, shards): (&str, usize), sim: &mut Simulator<P>, stretch: impl FnOnce(&mut Simulator<P>))
where
    P: Protocol,
    P::Message: Wire + Clone,
{
    let (events, cpu, wall) = (sim.stats().events, cpu_seconds(), clock());
    stretch(sim);
    let events = (sim.stats().events - events) as f64;
    let (cpu, wall) = (cpu_seconds() - cpu, wall());
    let peers = sim.len();
    let millions = |seconds: f64| events / 1e6 / seconds;
    println!("| {world} | {peers} | {shards} | {events} | {cpu:.2} | {:.2} | {:.2} |", millions(cpu), millions(wall));
}

/// Lets virtual time pass, on every processor.
pub(crate) fn pass<P>(sim: &mut Simulator<P>, stretch: Duration)
where
    P: Protocol + Send,
    P::Message: Wire + Clone + Send,
    P::Timer: Send,
    P::Event: Send,
{
    sim.run_until_on(sim.now() + stretch, &Threads::all());
}

/// Seconds of processors that this process has used so far, as Linux counts them.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat.rsplit_once(')').expect("a name in parentheses").1;
    let ticks: u64 = fields.split_ascii_whitespace().skip(11).take(2).map(|n| n.parse::<u64>().expect("ticks")).sum();
    ticks as f64 / 100.0
}

/// Starts a clock; what it returns says how many seconds ago.
#[expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn clock() -> impl FnOnce() -> f64 {
    let started = std::time::Instant::now();
    move || started.elapsed().as_secs_f64()
}
