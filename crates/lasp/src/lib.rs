//! Lasp: distributed, coordination-free programming with replicated variables.
//!
//! ```
//! use lasp::{AtLeast, Collection as _, Lasp, Set};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
//! struct Ad { id: u64, price: f64 }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let a = Lasp::builder().cluster("shop").listen("127.0.0.1:0").start().await?;
//! let contact = a.me().await?.addr;
//! let b = Lasp::builder().cluster("shop").listen("127.0.0.1:0").join([contact.as_str()]).start().await?;
//!
//! // A replicated set. An update is applied at once, here, and is on its way to the others.
//! let ads: Set<Ad> = a.set("ads").await?;
//! ads.add_all([Ad { id: 1, price: 2.5 }, Ad { id: 2, price: 9.0 }]).await?;
//!
//! // What follows from it is kept up to date by changes, as long as there is a handle to it.
//! let cheap = b.set::<Ad>("ads").await?.filter(|ad| ad.price < 5.0).map(|ad| ad.id).await?;
//! assert_eq!(cheap.read(AtLeast(1)).await?, [1]); // waits until there is one
//! let mut changes = cheap.watch().await?;
//! ads.remove(Ad { id: 1, price: 2.5 }).await?;
//! assert_eq!(changes.next().await?, Some(vec![])); // a removal retracts what followed from the element
//!
//! // A counter; an action once it has come so far, at the node that set it.
//! let (views, shown) = (a.gcounter("views/2").await?, ads.clone());
//! let fulfilled = views.invariant(AtLeast(3), move || async move { shown.remove(Ad { id: 2, price: 9.0 }).await });
//! a.spawn(async move { _ = fulfilled.await });
//! views.increment(3).await?;
//! assert_eq!(ads.count().await?.read(lasp::Reaches(0)).await?, Some(0));
//! # Ok(()) }
//! ```
//!
//! # How long things live
//!
//! - A *node* runs until its last handle is gone or [`Lasp::shutdown`] is called.
//! - A *declared variable* stays at the node until it is [undeclared](Var::undeclare); handles to it ([`Set`], [`GCounter`],
//!   ...) are only names.
//! - A *derivation* lasts as long as a handle to it: [`Derived`] ([`View`], [`Scalar`], [`Table`], [`Reached`]) for what is
//!   local to the node, [`Feed`] for what is derived into a declared variable. What was derived from it, and reads and
//!   watches under way, keep it as well. `detach()`, or a [name](Deriving::named), lets it go on without.
//! - A *wait* or *watch* lasts as long as its future or [`Watch`]; dropping it withdraws it at the node.
//!
//! No lock is anybody's but the node's: functions given to derivations run there, and futures meet it in a queue.
//!
//! # Where things are
//!
//! The room with sockets, files and clocks, and the API that programs use.
//!
//! - [`api`]: [`Lasp`] and typed variables. Start here.
//! - [`builder`]: starting a node on tokio. [`settings`], [`identity`]: what it is told, who it is.
//! - [`host`]: the far end of the API, for the driver and for any other executor.
//! - [`driver`]: the run loop that connects a protocol with transport, timers and owner.
//! - [`epmd`]: finding members by Erlang's port mapper daemon.
//! - [`transport`]: links to peers over TCP. [`control`]: clients over the same listener: the `lasp` command.
//! - [`http`]: the live view: an API over HTTP, and the page that shows it.
//! - [`timers`], [`log`]: a queue of timers; lines for the operator.

/// The program in the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

pub mod api;
pub mod builder;
pub mod control;
pub mod driver;
pub mod epmd;
pub mod error;
pub mod host;
pub mod http;
pub mod identity;
pub mod log;
pub mod settings;
pub mod timers;
pub mod transport;

pub use api::*;
pub use builder::{Builder, StartError};
pub use error::{Error, Stop};
pub use lasp_dataflow::{
    FromValueError, Op, Operator, Output, ReplicaName, Target, Threshold, Threshold::AtLeast, Threshold::MoreThan,
    ToValueError, Type, Value, VarId, from_value, to_value,
};
pub use lasp_node::{
    Acknowledgement, Behind, Dissemination, Interests, Metrics, ProgramError, ProgramInfo, ProgramState, RequestError,
    SessionToken, SyncMode, TokenError,
};
pub use lasp_overlay::membership::{Standing, change::Change as ViewChange, client_server::Role, hyparview::Tag};
pub use lasp_overlay::survey::Record;
pub use lasp_overlay::{Addr, Contact, PeerId, Time};
pub use settings::{Membership, MembershipError, Settings};
