//! Updates per second through the API of one node: an add-wins set of 10,000 elements, a counter; pipelined and one
//! at a time. `cargo bench -p lasp`. Measures queue, dataflow, dissemination to nobody, and answers; no network.

use lasp::{Error, GCounter, Lasp, Set};
use std::time::Instant;

const UPDATES: i64 = 200_000;
const ELEMENTS: i64 = 10_000;

/// When a measurement began, by the wall clock and by this thread's time on a processor.
struct Start {
    wall: Instant,
    cpu_ns: Option<u64>,
}

impl Start {
    fn now() -> Self {
        Self { wall: Instant::now(), cpu_ns: cpu_ns() }
    }

    fn report(&self, what: &str, count: i64) {
        let wall = count as f64 / self.wall.elapsed().as_secs_f64();
        let cpu = self.cpu_ns.zip(cpu_ns()).map(|(from, to)| count as f64 / ((to - from) as f64 / 1e9));
        let cpu = cpu.map_or_else(|| "unknown".to_owned(), |rate| format!("{rate:.0}"));
        println!("{what:<44} {wall:>9.0} /s by the clock, {cpu:>9} /s of processor time");
    }
}

/// Where the system tells (Linux).
fn cpu_ns() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

async fn pipelined_set(set: &Set<i64>) -> Result<(), Error> {
    let start = Start::now();
    let mut last = None;
    for n in 0..UPDATES {
        let element = n % ELEMENTS;
        let ask = if n / ELEMENTS % 2 == 0 { set.remove(element) } else { set.add(element) };
        last = Some(ask.queue().await?);
    }
    if let Some(last) = last {
        last.await?;
    }
    start.report("awset of 10,000: add and remove, pipelined", UPDATES);
    Ok(())
}

async fn one_by_one(views: &GCounter) -> Result<(), Error> {
    let start = Start::now();
    for _ in 0..UPDATES {
        views.increment(1).await?;
    }
    start.report("gcounter: each awaited", UPDATES);
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let lasp = Lasp::builder().listen("127.0.0.1:0").start().await?;
    let set: Set<i64> = lasp.set("set").await?;
    set.add_all(0..ELEMENTS).await?;
    pipelined_set(&set).await?;
    one_by_one(&lasp.gcounter("views").await?).await?;
    Ok(())
}
