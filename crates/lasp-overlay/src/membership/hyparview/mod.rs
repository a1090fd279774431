//! HyParView.

mod config;
mod message;

pub use config::Config;
pub use message::{LinkId, MAX_PEERS, Message, Priority};

use super::{Command, Event, Membership, Metrics};
use crate::peer::{Contact, PeerId};
use crate::protocol::{Input, Outbox, Protocol};
use crate::rng::Rng;
use crate::time::Time;

/// The protocol of one peer.
#[derive(Debug)]
pub struct HyParView {
    contact: Contact,
    metrics: Metrics,
}

/// What its timers carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Periodic upkeep.
    Tick,
}

impl HyParView {
    /// The protocol of the peer `contact`, not yet in any cluster.
    pub fn new(_config: Config, contact: Contact, _rng: Rng) -> Self {
        Self {
            contact,
            metrics: Metrics::default(),
        }
    }
}

impl Protocol for HyParView {
    type Command = Command;
    type Message = Message;
    type Timer = Timer;
    type Event = Event;

    fn handle(&mut self, _now: Time, _input: Input<Self>, _out: &mut Outbox<Self>) {}
}

impl Membership for HyParView {
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
