//! Membership and broadcast as deterministic state machines.
//!
//! Every layer is a [`Protocol`]: an input and the time go in, effects come out. No sockets, no clock, no threads,
//! no CRDT semantics: a broadcast payload is opaque here.
//!
//! - [`protocol`]: `Protocol`, `Input`, `Output`, `Outbox`: start here.
//! - [`membership`]: who is there and who is linked to whom: HyParView, full mesh.
//! - [`broadcast`]: how news spreads over the links: Plumtree.
//! - [`unicast`]: messages to one peer, wherever it is.
//! - [`survey`]: what the overlay looks like, asked of everybody at once.
//! - [`time`]: virtual or real, a number of microseconds.
//! - [`peer`]: who a peer is (`PeerId`, incarnation) and where (`Addr`).
//! - [`rng`]: the one seeded generator.
//! - [`wire`]: what a transport knows of a message: its size and a hash.
//! - `peer_map`: what is kept per peer, where peers are few. [`quota`]: how much a neighbour may have passed on.

pub mod broadcast;
pub mod membership;
pub mod peer;
mod peer_map;
pub mod protocol;
pub mod quota;
pub mod rng;
pub mod survey;
pub mod time;
pub mod unicast;
pub mod wire;

pub use peer::{Addr, Contact, PeerId};
pub use protocol::{Input, Outbox, Output, Protocol};
pub use rng::Rng;
pub use time::Time;
pub use wire::Wire;
