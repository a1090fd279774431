//! How many events a second the simulator processes: `cargo bench -p lasp-sim [-- PEERS]...`.
//!
//! Events are divided by processor time, since machines that build and measure are seldom idle; the wall's time stands
//! beside it. Three worlds: tokens that wander over links, which costs the engine alone; HyParView and Plumtree at
//! rest; the same under broadcasts. Each in one shard, and in sixteen on every processor.

mod measure;
#[path = "../../../lasp-eval/src/lab/threads.rs"]
#[allow(unreachable_pub, reason = "the threads of `lasp eval overlay-scale`")]
mod threads;
mod tokens;
#[path = "../../../lasp-eval/src/lab/tree.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "the peer of `lasp eval overlay-scale`, of which a benchmark looks at nothing"
)]
mod tree;
mod trees;

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let asked: Vec<u64> = words.iter().filter_map(|word| word.parse().ok()).collect();
    // Cargo says so where it measures; among tests a glance is enough.
    let sizes = match (asked.is_empty(), words.iter().any(|word| word == "--bench")) {
        (false, _) => asked,
        (true, true) => vec![1_000, 10_000, 100_000],
        (true, false) => vec![50],
    };
    println!("{}", measure::HEAD);
    for peers in sizes {
        for shards in [1, 16] {
            tokens::measure(peers, shards);
            trees::measure(peers, shards);
        }
    }
}
