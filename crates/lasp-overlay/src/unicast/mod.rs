//! Messages to one peer anywhere in the cluster, over the links there are.
//!
//! A neighbour is sent to at once. Any other peer is *searched* for: the search spreads along the broadcast tree, and once
//! more over every link if the tree did not reach it; the answer comes back the way the search went and leaves a route
//! at every hop (routes on demand: Perkins and Royer, "Ad-hoc On-Demand Distance Vector Routing", WMCSA 1999; unlike there,
//! only the peer searched for answers). Every message is acknowledged end to end, said
//! again if it is not, and delivered at most once; its sender always hears how it ended.
//!
//! [`Unicast`] takes [`Command`]s and gives [`Event`]s. It asks its owner to spread searches ([`Event::Spread`]), because the
//! owner knows the broadcast tree. Whom it can reach does not depend on the membership strategy.
//!
//! - [`machine`]: the state machine: start here. Its parts: `outgoing` (messages not yet acknowledged), `routes` (who is
//!   behind which neighbour), `once` (what was seen already), `recency` (what was used last).
//! - [`message`]: what peers say to each other, and how it is encoded.
//! - [`config`]: the knobs, each with its source.

pub mod config;
pub mod machine;
pub mod message;
mod once;
mod outgoing;
mod recency;
mod routes;
#[cfg(test)]
mod tests;

pub use config::Config;
pub use machine::{Metrics, Timer, Unicast};
pub use message::{Answer, Message, Search, Stamp, Walk};

use crate::peer::PeerId;
use std::time::Duration;

/// Something to send: opaque but for what it costs to keep.
pub trait Payload: Clone {
    /// Roughly how many bytes it occupies.
    fn weight(&self) -> usize;
}

impl Payload for std::sync::Arc<[u8]> {
    fn weight(&self) -> usize {
        self.len()
    }
}

/// What the owner asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<P> {
    /// Sends a payload to a peer; answered by one [`Event::Delivered`] or [`Event::Failed`].
    Send {
        /// The owner's name for it, not in use.
        token: u64,
        /// The receiver.
        to: PeerId,
        /// What to send.
        payload: P,
    },
    /// Forgets what was to be sent; no answer follows. It may have arrived.
    Forget(u64),
    /// A peer is a neighbour now; messages to it have a link.
    NeighborUp(PeerId),
    /// A peer is no longer a neighbour.
    NeighborDown(PeerId),
}

/// What the owner hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<P> {
    /// A payload arrived, for the first time.
    Arrived {
        /// Who sent it.
        from: PeerId,
        /// The payload.
        payload: P,
    },
    /// The receiver has a payload.
    Delivered {
        /// The owner's name for it.
        token: u64,
        /// How many links it crossed.
        hops: u8,
        /// From the command to the acknowledgement.
        after: Duration,
    },
    /// A payload is given up. It may have arrived if acknowledgements were what got lost.
    Failed {
        /// The owner's name for it.
        token: u64,
        /// Why.
        reason: Failure,
    },
    /// The owner sends this search to neighbours: to those of the broadcast tree, or to all if it is wide.
    Spread {
        /// The search.
        search: Search,
        /// Whom it came from, and who need not hear it.
        except: Option<PeerId>,
    },
}

/// Why a payload could not be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No search found the receiver.
    #[error("no route to it was found: it is not in this cluster, or cannot be reached now")]
    NoRoute,
    /// A route was found, but no acknowledgement came.
    #[error("it was found, but did not acknowledge the message in time")]
    NotAcknowledged,
    /// Too much waits to be acknowledged already.
    #[error("too many messages wait to be acknowledged: wait for some of them first")]
    Busy,
    /// The payload weighs more than [`Config::max_payload`].
    #[error("the message is too large to be relayed")]
    TooLarge,
}
