//! What an application sends to one node: opaque bytes.

use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use lasp_overlay::unicast;
use std::sync::Arc;

/// Bytes for one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter(pub Arc<[u8]>);

impl unicast::Payload for Letter {
    fn weight(&self) -> usize {
        self.0.len()
    }
}

impl Encode for Letter {
    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&self.0);
    }
}

impl Decode for Letter {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.bytes("letter").map(|bytes| Self(bytes.into()))
    }
}
