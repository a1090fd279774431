//! What a node counts of its dealings with port mapper daemons.

use std::sync::{Arc, Mutex, PoisonError};

/// All since the node's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EpmdStats {
    /// Times that the daemon of this machine has registered the node: more than one where it was started anew.
    pub registrations: u64,
    /// Times that it did not: it could not be reached, refused the name, or made no sense.
    pub registrations_failed: u64,
    /// Daemons asked for names, each time.
    pub lookups: u64,
    /// Of those, who did not answer, or made no sense.
    pub lookups_failed: u64,
    /// Addresses that the node was told to join, those told again included.
    pub found: u64,
}

/// Where they are counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts(Arc<Mutex<EpmdStats>>);

impl Counts {
    /// What has been counted.
    pub(crate) fn read(&self) -> EpmdStats {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts something.
    pub(super) fn count(&self, change: impl FnOnce(&mut EpmdStats)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
