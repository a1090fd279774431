//! The unit a node sends over a link: opaque bytes, at most [`MAX_FRAME`] of them.

use std::fmt;
use std::sync::Arc;

/// Largest frame in bytes; a transport refuses longer ones before allocating. A guess: large enough to amortise a
/// write, small enough that a probe never waits long behind one.
pub const MAX_FRAME: usize = 256 * 1024;

/// One frame: what follows the length prefix on a stream.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame(Arc<[u8]>);

impl Frame {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Length without prefix.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no byte.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Length on a stream: with its varint prefix.
    pub fn wire_len(&self) -> usize {
        let bits = usize::BITS - (self.len() | 1).leading_zeros();
        self.len() + bits.div_ceil(7) as usize
    }
}

impl From<Vec<u8>> for Frame {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<&[u8]> for Frame {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl AsRef<[u8]> for Frame {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl lasp_overlay::Wire for Frame {
    fn size(&self) -> usize {
        self.wire_len()
    }

    fn digest(&self) -> u64 {
        self.0.digest()
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_counts_its_length_prefix() {
        for (len, prefix) in [(0, 1), (127, 1), (128, 2), (16_383, 2), (16_384, 3)] {
            assert_eq!(Frame::from(vec![0; len]).wire_len(), len + prefix);
        }
    }
}
