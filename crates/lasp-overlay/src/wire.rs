//! What a transport needs to know about a message: how big it is, and a number to tell it from others.

use lasp_crdt::codec::Plain;
use lasp_crdt::fingerprint::{StableHasher, mix};
use lasp_crdt::{Encode, Writer};
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

    /// The same, with a buffer to encode into. Its content, before and after, means nothing.
    fn measure_in(&self, _buffer: &mut Vec<u8>) -> (usize, u64) {
        self.measure()
    }
}

/// Measures what a value is encoded to, with a buffer to encode into.
pub fn measure_encoding(value: &impl Encode, buffer: &mut Vec<u8>) -> (usize, u64) {
    buffer.clear();
    value.encode(&mut Writer::new(buffer, &mut Plain));
    buffer.as_slice().measure()
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
