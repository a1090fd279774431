//! Real processes: the launcher starts one per node and waits, as an orchestrator would; nodes find their end themselves.
//!
//! - [`overlay`]: an overlay of `lasp node` processes, as a scenario of its own. The others serve the rest:
//! - [`launcher`]: starts, watches, restarts what crashed, and gathers what was left behind.
//! - [`node`]: what runs in each process.
//! - [`shelf`]: the files in `nodes/` through which a node's logs reach the archive.
//! - [`tail`]: reads samples while they are being written.

pub mod launcher;
pub mod node;
pub mod overlay;
pub mod shelf;
pub mod tail;

pub use launcher::{LaunchError, run};
