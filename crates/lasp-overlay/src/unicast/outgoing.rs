//! Messages of this peer that are not yet acknowledged. Bounded in number and weight; what exceeds it is refused at once.

use super::config::Config;
use super::{Failure, Payload};
use crate::peer::PeerId;
use crate::time::Time;
use std::collections::{BTreeMap, BTreeSet};

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Outgoing<P> {
    pub(super) token: u64,
    pub(super) to: PeerId,
    pub(super) payload: P,
    pub(super) asked_at: Time,
    /// Which attempt this is, from 0.
    pub(super) attempt: u8,
    /// Its receiver has been searched for along the tree.
    pub(super) searched: bool,
    /// It was sent over some route.
    pub(super) sent: bool,
    /// The neighbour to which it was sent in this attempt.
    pub(super) over: Option<PeerId>,
}

/// All of them, by serial.
#[derive(Debug)]
pub(super) struct Outbound<P> {
    messages: BTreeMap<u64, Outgoing<P>>,
    /// Serials by receiver and by the owner's name.
    by_receiver: BTreeSet<(PeerId, u64)>,
    by_token: BTreeMap<u64, u64>,
    weight: usize,
}

impl<P: Payload> Outbound<P> {
    pub(super) const fn new() -> Self {
        Self { messages: BTreeMap::new(), by_receiver: BTreeSet::new(), by_token: BTreeMap::new(), weight: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Takes a message in, under a serial above all before.
    pub(super) fn add(&mut self, serial: u64, message: Outgoing<P>, config: &Config) -> Result<(), Failure> {
        let weight = message.payload.weight();
        if weight > config.max_payload {
            return Err(Failure::TooLarge);
        }
        if self.messages.len() >= config.outgoing_limit || self.weight + weight > config.outgoing_weight {
            return Err(Failure::Busy);
        }
        self.weight += weight;
        self.by_receiver.insert((message.to, serial));
        self.by_token.insert(message.token, serial);
        self.messages.insert(serial, message);
        Ok(())
    }

    pub(super) fn get_mut(&mut self, serial: u64) -> Option<&mut Outgoing<P>> {
        self.messages.get_mut(&serial)
    }

    pub(super) fn remove(&mut self, serial: u64) -> Option<Outgoing<P>> {
        let message = self.messages.remove(&serial)?;
        self.weight -= message.payload.weight();
        self.by_receiver.remove(&(message.to, serial));
        self.by_token.remove(&message.token);
        Some(message)
    }

    pub(super) fn forget(&mut self, token: u64) {
        if let Some(&serial) = self.by_token.get(&token) {
            self.remove(serial);
        }
    }

    /// The serials of the messages to a peer, ascending.
    pub(super) fn to(&self, peer: PeerId) -> Vec<u64> {
        self.by_receiver.range((peer, 0)..=(peer, u64::MAX)).map(|(_, serial)| *serial).collect()
    }

    /// The oldest serial of the messages to a peer.
    pub(super) fn oldest_to(&self, peer: PeerId) -> Option<u64> {
        self.by_receiver.range((peer, 0)..=(peer, u64::MAX)).next().map(|(_, serial)| *serial)
    }

    /// The serials of the messages that were sent to a neighbour and may not have gone further. O(all).
    pub(super) fn over(&self, neighbor: PeerId) -> Vec<u64> {
        let sent_there = self.messages.iter().filter(|(_, message)| message.over == Some(neighbor));
        sent_there.map(|(serial, _)| *serial).collect()
    }
}
