//! How long operations of each type take: `cargo bench -p lasp-crdt [FILTER]`. No network, and no encoding except where
//! it says so. `cargo test` runs each once. Beside other libraries, and against targets: `cargo xtask bench lattices`.

#![allow(missing_docs, reason = "a program, not a library")]

mod context;
mod counter;
mod derived;
mod map;
mod register;
mod set;

use lasp_crdt::ReplicaId;

/// Ids as random as those of real replicas.
const HERE: ReplicaId = ReplicaId(0x1234_5678_9abc_def0);
const THERE: ReplicaId = ReplicaId(0x0fed_cba9_8765_4321);

/// How many elements, keys or entries the state has that operations meet.
const SIZES: [u64; 2] = [1_000, 10_000];

fn main() {
    divan::main();
}

/// Counts up: another number for every iteration.
fn numbers(from: u64) -> impl FnMut() -> u64 {
    let mut next = from;
    move || {
        next += 1;
        next - 1
    }
}
