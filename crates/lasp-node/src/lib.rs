//! One Lasp peer: store, dataflow, overlay and synchronisation as one state machine.
//!
//! [`Node`] is a [`Protocol`](lasp_overlay::Protocol): commands, frames, timers and link news go in; frames, timers, dials
//! and events come out. The simulator and the production driver run this very code. No sockets, no clock.
//!
//! - [`node`]: the composition; it only routes. Start here.
//! - [`command`]: what an owner asks and hears. `requests`: how it is served.
//! - `store`: variables with their wire keys and hash trees. `key`, `payload`: how deltas are called and carried.
//! - `echo`: derived deltas that others may say as well.
//! - [`sync`]: anti-entropy between neighbours: digests that find differences.
//! - `routes`: what is wanted beyond each link, so that payloads go nowhere else. `routing`: its place in the node.
//! - `handover`: what is written and not heard.
//! - [`exchange`]: whole states or deltas at intervals, in its place or without any broadcast.
//! - `link`, `lane`: one link: pacing, flow control, and what waits merges instead of queueing. `bulk`,
//!   `pieces`: what is too large for a frame. `window`: how much may be under way. `backlog`: how much waits, and ever did.
//! - `map`: what the overlay looks like, asked of everybody.
//! - [`assured`]: updates that are answered when other nodes hold them.
//! - [`causal`]: groups of variables that are seen in causal order.
//! - [`session`]: whoever goes from node to node finds what he has written and read.
//! - `letter`: what an application sends to one node.
//! - `wire`: frames and their short references; hostile bytes die there.
//! - [`programs`]: installed programs, and how they run. [`once`]: what happens once in the cluster.
//! - `system`: the variables of the runtime itself. `changes`: when and by whom variables last changed, for people who look.
//! - `surge`: how much is going on, and what is spared then. `recent`, `told`: what is under way, and what was passed on of late,
//!   both for some `generations`.
//! - [`interest`]: what a node hears. [`metrics`]: what it counts. `redundancy`: what of what arrives was needed.

pub mod assured;
mod backlog;
mod bulk;
pub mod causal;
mod changes;
mod clock;
pub mod command;
mod composition;
pub mod config;
mod echo;
pub mod exchange;
pub mod frame;
mod generations;
mod handover;
pub mod interest;
mod key;
mod lane;
mod letter;
mod link;
mod map;
pub mod metrics;
pub mod node;
pub mod once;
mod open;
mod payload;
mod pieces;
mod post;
pub mod programs;
mod recent;
mod redundancy;
mod requests;
mod routes;
mod routing;
pub mod session;
mod store;
mod surge;
pub mod sync;
mod system;
mod told;
mod window;
mod wire;

pub use assured::{Acknowledgement, AssuredConfig};
pub use causal::{CAUSAL, CausalConfig, group_of};
pub use changes::LastChange;
pub use command::{Command, Event, Reply, Request, RequestError, RequestId};
pub use composition::{Composition, Source, Step};
pub use config::{Config, Label};
pub use exchange::{DeltaRules, Dissemination, ExchangeConfig, SyncMode};
pub use frame::{Frame, MAX_FRAME};
pub use interest::Interests;
pub use letter::Letter;
pub use link::{LinkConfig, LinkLoad};
pub use metrics::{Class, Metrics};
pub use node::{Node, Timer, replica_of};
pub use once::{OnceConfig, Token};
pub use payload::Payload;
pub use programs::{ProgramError, ProgramInfo, ProgramState};
pub use session::{Behind, SessionConfig, SessionToken, TokenError};
pub use sync::SyncConfig;
pub use system::{RESERVED, is_reserved};
