//! What of an item is deltas: how many bytes, how many entries.

use super::{Control, Item};
use crate::payload::{Batch, Laden as _};
use lasp_overlay::broadcast::Payload as _;

/// The deltas of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    /// Their bytes; where they come with a few bytes of other things, these too.
    pub(crate) bytes: u64,
    /// Their entries: elements, keys, replicas of counters.
    pub(crate) entries: u64,
}

impl Load {
    /// Of an item that took so many bytes. Cost: the number of deltas.
    pub(super) fn of(item: &Item, bytes: usize) -> Self {
        let (batch, bytes) = match item {
            Item::Gossip { payload, .. } => return Self::new(&payload.batch(), payload.weight()),
            Item::Relay(batch) | Item::Data(batch) | Item::Group { batch, .. } => (Some(batch), bytes),
            Item::Control(Control::Handed(handed)) => (Some(&handed.batch), bytes),
            Item::Control(Control::Assured(message)) => (message.batch(), bytes),
            Item::Control(Control::Causal(message)) => (message.batch(), bytes),
            Item::Control(_) => (None, 0),
        };
        batch.map_or_else(Self::default, |batch| Self::new(batch, bytes))
    }

    /// What is empty says only that nothing is left for a part of the tree.
    fn new(batch: &Batch, bytes: usize) -> Self {
        if batch.is_empty() {
            return Self::default();
        }
        Self { bytes: bytes as u64, entries: batch.entries() as u64 }
    }

    /// Two items as one.
    pub(super) const fn join(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.entries += other.entries;
    }
}
