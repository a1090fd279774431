//! Experiments on nodes as they are run, over TCP on this machine: each on a thread of its own, in one process.
//!
//! - [`joiner`]: a node without anything joins one that has very much. [`first_sync`]: one joins a cluster that has little.
//! - [`guest`]: the nodes. [`client`]: whoever asks them something meanwhile, and how long the answers take. [`books`]: what
//!   they send and keep.

pub mod books;
pub mod client;
pub mod first_sync;
pub mod guest;
pub mod joiner;
