//! What a transport needs to know about a message: how big it is, and a number to tell it from others.

use lasp_crdt::fingerprint::{StableHasher, mix};
use std::hash::Hasher;
use std::sync::Arc;

/// A message that can be measured without knowing its meaning.
pub trait Wire {
    /// Its size on the wire, in bytes.
    fn size(&self) -> usize;

    /// A hash of its content, stable across runs and platforms.
    fn digest(&self) -> u64;

    /// Both, for messages that must be encoded to be measured.
    fn measure(&self) -> (usize, u64) {
        (self.size(), self.digest())
    }
}

impl Wire for [u8] {
    fn size(&self) -> usize {
        self.len()
    }

    fn digest(&self) -> u64 {
        let mut hasher = StableHasher::default();
        hasher.write(self);
        hasher.finish()
    }
}

impl Wire for Arc<[u8]> {
    fn size(&self) -> usize {
        self.as_ref().size()
    }

    fn digest(&self) -> u64 {
        self.as_ref().digest()
    }
}

impl Wire for u64 {
    fn size(&self) -> usize {
        8
    }

    fn digest(&self) -> u64 {
        mix(*self, 0)
    }
}
