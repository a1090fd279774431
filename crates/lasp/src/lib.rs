//! Lasp: distributed, coordination-free programming with replicated variables.
//!
//! The room with sockets, files and clocks, and the API that programs use.
//!
//! - [`transport`]: links to peers over TCP.
//! - [`driver`]: the run loop that connects a protocol with transport, timers and owner.
//! - [`timers`]: its queue of timers.
//! - [`log`]: lines for the operator.

pub mod driver;
pub mod log;
pub mod timers;
pub mod transport;
