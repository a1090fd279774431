//! How news spreads over the neighbours: an epidemic broadcast tree.
//!
//! [`Plumtree`] takes [`Command`]s and gives [`Event`]s; it knows no payload but its weight, and no membership but
//! what it is told. Delivery is best effort and at most once per id: whoever needs every payload runs anti-entropy
//! behind it.
//!
//! - [`plumtree`]: the state machine: start here. Its parts: `push` (payloads), `announce` (what lazy links carry),
//!   `missing` (what was announced and did not come), `cache`, `seen`, `recent` (what a new
//!   neighbour is told), `shape` (which messages shape the tree), `wave` (what keeps it shallow).
//! - [`message`]: what peers say to each other, and how it is encoded; `columns`: sets of ids.
//! - [`config`]: the knobs, each with its source.

mod announce;
mod cache;
mod columns;
pub mod config;
pub mod message;
mod missing;
pub mod plumtree;
mod push;
mod recent;
mod seen;
mod shape;
#[cfg(test)]
mod tests;
mod wave;

pub use config::Config;
pub use message::{Ids, Message};
pub use plumtree::{Metrics, Plumtree, Timer};

use crate::peer::PeerId;
use std::sync::Arc;

/// Something to broadcast: opaque but for what it costs to keep.
pub trait Payload: Clone {
    /// Roughly how many bytes it occupies.
    fn weight(&self) -> usize;

    /// The form in which it is remembered, in case someone asks for it: as small as can be, and equal to it. `None` if
    /// there is nothing in it to remember.
    #[must_use]
    fn packed(self) -> Option<Self> {
        Some(self)
    }
}

impl Payload for Arc<[u8]> {
    fn weight(&self) -> usize {
        self.len()
    }
}

/// What the owner asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<P> {
    /// Spreads a payload to everyone else.
    Broadcast(P),
    /// A peer is a neighbour now; messages to it have a link.
    NeighborUp(PeerId),
    /// A peer is no longer a neighbour.
    NeighborDown(PeerId),
}

/// What the owner hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<P> {
    /// A payload of another peer arrived, for the first time.
    Deliver {
        /// The neighbour that passed it on.
        from: PeerId,
        /// How many hops it made.
        round: u16,
        /// The payload.
        payload: P,
    },
}
