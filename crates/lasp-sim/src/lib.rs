//! Many peers, one seed, virtual time, faults.
//!
//! [`Simulator`] drives any [`Protocol`](lasp_overlay::Protocol), from a toy of ten lines to a whole node: the code
//! under test is the code that runs on a real network. Nothing here knows what a protocol is about; faults are
//! made here and never by the code under test.
//!
//! - [`simulator`]: `Simulator`: start here. [`window`]: how time passes, on one processor or on several.
//! - `shard`: some of the peers and all that is theirs. Its insides: `effect` (what protocols ask for), `event` (what comes of
//!   it), `dial` (how links come up), `mail` (between shards).
//! - [`config`]: latency, loss, duplication, reordering, bandwidth, detection delays.
//! - [`rule`]: the fate of single messages. [`model`]: regions, bursts of loss, flapping partitions, as rules.
//! - [`churn`]: who comes and goes when.
//! - [`stats`], [`trace`]: what was carried, and the hash that equal runs share.
//! - `queue`, `slab`, `directory`, `peers`, `link`, `fault`, `clock`: events by time, stale-proof keys, who is where, their states,
//!   connections, partitions, clocks that drift.

pub mod churn;
mod clock;
pub mod config;
mod dial;
mod directory;
mod effect;
mod event;
mod fault;
mod link;
mod mail;
pub mod model;
mod peers;
mod queue;
pub mod rule;
mod shard;
pub mod simulator;
mod slab;
pub mod stats;
pub mod trace;
pub mod window;

pub use churn::{Change, Churn};
pub use config::{Config, Latency};
pub use lasp_overlay::Wire;
pub use rule::{Route, Rule, RuleId, Verdict};
pub use simulator::Simulator;
pub use stats::{Lost, Stats};
pub use trace::Occurrence;
pub use window::Executor;
