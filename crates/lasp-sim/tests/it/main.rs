//! What the simulator promises: one binary for all areas.

mod determinism;
mod faults;
mod links;
mod shards;
mod toy;
