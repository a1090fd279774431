//! Full mesh.

mod config;
mod member;
mod message;

pub use config::Config;
pub use member::{Member, Members, Version};
pub(super) use message::FIRST_TAG;
pub use message::Message;

use super::{Command, Event, Membership, Metrics};
use crate::peer::{Contact, PeerId};
use crate::protocol::{Input, Outbox, Protocol};
use crate::rng::Rng;
use crate::time::Time;

/// The protocol of one peer.
#[derive(Debug)]
pub struct FullMesh {
    contact: Contact,
    metrics: Metrics,
}

/// What its timers carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Periodic upkeep.
    Tick,
}

impl FullMesh {
    /// The protocol of the peer `contact`, not yet in any cluster.
    pub fn new(_config: Config, contact: Contact, _rng: Rng) -> Self {
        Self {
            contact,
            metrics: Metrics::default(),
        }
    }
}

impl Protocol for FullMesh {
    type Command = Command;
    type Message = Message;
    type Timer = Timer;
    type Event = Event;

    fn handle(&mut self, _now: Time, _input: Input<Self>, _out: &mut Outbox<Self>) {}
}

impl Membership for FullMesh {
    fn contact(&self) -> &Contact {
        &self.contact
    }

    fn active(&self) -> Vec<Contact> {
        Vec::new()
    }

    fn passive(&self) -> Vec<Contact> {
        Vec::new()
    }

    fn contact_of(&self, _peer: PeerId) -> Option<&Contact> {
        None
    }

    fn is_active(&self, _peer: PeerId) -> bool {
        false
    }

    fn heard(&mut self, _now: Time, _from: PeerId) {}

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}
