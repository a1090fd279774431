//! Who a peer is, apart from where it is.

use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use std::fmt;
use std::sync::Arc;

/// A peer's lasting identity, unique in its cluster; it survives restarts and changes of address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub u64);

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// Where a peer can be dialled, as text (`host:port`); only the transport knows what it means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Addr(Arc<str>);

/// Longest address, in bytes.
pub const MAX_ADDR_LEN: usize = 255;

impl Addr {
    /// An address; anything beyond [`MAX_ADDR_LEN`] bytes is refused.
    pub fn new(text: &str) -> Option<Self> {
        (text.len() <= MAX_ADDR_LEN).then(|| Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A peer as others speak of it: identity, incarnation and address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Contact {
    /// Who.
    pub id: PeerId,
    /// Which life: grows with every start, so that news of an earlier one is recognised as old.
    pub incarnation: u64,
    /// Where.
    pub addr: Addr,
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.id, self.addr)
    }
}

impl Encode for PeerId {
    fn encode(&self, w: &mut Writer<'_>) {
        w.fixed_u64(self.0);
    }
}

impl Decode for PeerId {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.fixed_u64("peer id").map(Self)
    }
}

impl Encode for Contact {
    fn encode(&self, w: &mut Writer<'_>) {
        self.id.encode(w);
        w.varint(self.incarnation);
        w.text(self.addr.as_str());
    }
}

impl Decode for Contact {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let id = PeerId::decode(r)?;
        let incarnation = r.varint("incarnation")?;
        let at = r.at();
        let text = r.text("address")?;
        let addr = Addr::new(text).ok_or(DecodeError::TooLong { what: "address", len: text.len() as u64, at })?;
        Ok(Self { id, incarnation, addr })
    }
}
