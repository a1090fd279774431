//! Lasp: distributed, coordination-free programming with replicated variables.
//!
//! The room with sockets, files and clocks, and the API that programs use.
//!
//! - [`api`]: [`Lasp`] and typed variables. Start here.
//! - [`builder`]: starting a node on tokio. [`settings`], [`identity`]: what it is told, who it is.
//! - [`host`]: the far end of the API, for the driver and for any other executor.
//! - [`driver`]: the run loop that connects a protocol with transport, timers and owner.
//! - [`transport`]: links to peers over TCP.
//! - [`timers`], [`log`]: a queue of timers; lines for the operator.

pub mod api;
pub mod builder;
pub mod driver;
pub mod error;
pub mod host;
pub mod identity;
pub mod log;
pub mod settings;
pub mod timers;
pub mod transport;

pub use api::*;
pub use builder::{Builder, StartError};
pub use error::{Error, Stop};
pub use lasp_dataflow::{NotThatKind, Op, Operator, Output, Target, Threshold, Threshold::AtLeast, Type, Value, VarId};
pub use lasp_node::{Interests, Metrics};
pub use lasp_overlay::{Addr, Contact, PeerId, Time};
pub use settings::{Membership, Settings};
