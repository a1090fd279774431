//! What peers that are linked by a list say to each other, and its encoding.

use crate::membership::Hail;
use crate::wire::Wire;
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer, codec::to_bytes};

/// A message between two peers; `TAGS` is its first tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<const TAGS: u8> {
    /// Let us be neighbours; or how far the sender is with that.
    Hello(Hail),
    /// Is the receiver there?
    Ping,
    /// It is.
    Pong,
    /// The sender does not want the link any more.
    Bye,
}

/// What the timers of a list carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Periodic upkeep.
    Tick,
}

impl<const TAGS: u8> Message<TAGS> {
    /// Reads the rest of a message whose tag, found at byte `at`, has been read.
    pub(in crate::membership) fn decode_after(tag: u8, at: usize, _: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match tag.wrapping_sub(TAGS) {
            kind @ 0..=2 => Self::Hello(Hail::ALL[usize::from(kind)]),
            3 => Self::Ping,
            4 => Self::Pong,
            5 => Self::Bye,
            _ => return Err(DecodeError::BadTag { what: "membership message", tag: tag.into(), at }),
        })
    }
}

impl<const TAGS: u8> Encode for Message<TAGS> {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(TAGS
            + match self {
                Self::Hello(hail) => *hail as u8,
                Self::Ping => 3,
                Self::Pong => 4,
                Self::Bye => 5,
            });
    }
}

impl<const TAGS: u8> Decode for Message<TAGS> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        let tag = r.u8("membership message")?;
        Self::decode_after(tag, at, r)
    }
}

impl<const TAGS: u8> Wire for Message<TAGS> {
    fn size(&self) -> usize {
        1
    }

    fn digest(&self) -> u64 {
        to_bytes(self).as_slice().digest()
    }
}
