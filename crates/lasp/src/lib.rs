//! Lasp: distributed, coordination-free programming with replicated variables.
//!
//! ```
//! use lasp::{AtLeast, Collection as _, Lasp};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let a = Lasp::builder().cluster("shop").listen("127.0.0.1:0").start().await?;
//! let contact = a.me().await?.addr;
//! let b = Lasp::builder().cluster("shop").listen("127.0.0.1:0").join([contact.as_str()]).start().await?;
//!
//! // Declare and update at a: applied there at once, on its way to the others.
//! let numbers = a.set::<i64>("numbers").await?;
//! numbers.add_all([1, 2, 3]).await?;
//!
//! // Derive at b: what comes flows on; a threshold read waits until there is enough.
//! let doubled = b.set::<i64>("numbers").await?.map(|n| n * 2).await?;
//! assert_eq!(doubled.read(AtLeast(3)).await?, [2, 4, 6]);
//! # Ok(()) }
//! ```
//!
//! The room with sockets, files and clocks, and the API that programs use.
//!
//! - [`api`]: [`Lasp`] and typed variables. Start here.
//! - [`builder`]: starting a node on tokio. [`settings`], [`identity`]: what it is told, who it is.
//! - [`host`]: the far end of the API, for the driver and for any other executor.
//! - [`driver`]: the run loop that connects a protocol with transport, timers and owner.
//! - [`transport`]: links to peers over TCP. [`control`]: clients over the same listener: the `lasp` command.
//! - [`timers`], [`log`]: a queue of timers; lines for the operator.

/// The program in the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

pub mod api;
pub mod builder;
pub mod control;
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
pub use lasp_node::{Interests, Metrics, ProgramError, ProgramInfo, ProgramState};
pub use lasp_overlay::{Addr, Contact, PeerId, Time};
pub use settings::{Membership, Settings};
