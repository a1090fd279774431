//! What peers say to each other to bring a message to one of them, and its encoding.

use crate::peer::PeerId;
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};

/// A message between neighbours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<P> {
    /// Where is this peer?
    Search(Search),
    /// Here. On its way to who searched.
    Found(Answer),
    /// A payload on its way.
    Carry {
        /// From whom, to whom.
        walk: Walk,
        /// The oldest serial to the same receiver that the sender still waits for.
        oldest: u64,
        /// The sender's count when it sent this, not for the first time perhaps.
        count: u64,
        /// What is sent.
        payload: P,
    },
    /// The payload has arrived. On its way to who sent it.
    Taken(Answer),
    /// The sender knows no way for a payload. On its way to who sent it.
    Lost(Walk),
}

/// When, on its own count, a peer said something: what it says later has a larger one, in later lives as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Its life.
    pub life: u64,
    /// Its count in that life, from 1.
    pub serial: u64,
}

/// A search for a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// Who searches.
    pub origin: PeerId,
    /// When it did: tells its searches apart.
    pub stamp: Stamp,
    /// Who is searched for.
    pub target: PeerId,
    /// How many links it has crossed.
    pub hops: u8,
    /// It goes over every link, not along the broadcast tree alone.
    pub wide: bool,
}

/// What goes from peer to peer between the two ends of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// The end that sends the payload, or searches.
    pub origin: PeerId,
    /// When it did: tells what it sends apart.
    pub stamp: Stamp,
    /// The other end.
    pub target: PeerId,
    /// How many links this message has crossed.
    pub hops: u8,
}

/// What the other end says to a search or a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What it answers; its hops are those of the answer.
    pub walk: Walk,
    /// When it answered, on its own count.
    pub at: Stamp,
}

impl Encode for Stamp {
    fn encode(&self, w: &mut Writer<'_>) {
        w.varint(self.life);
        w.varint(self.serial);
    }
}

impl Decode for Stamp {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { life: r.varint("life")?, serial: r.varint("serial")? })
    }
}

impl Encode for Answer {
    fn encode(&self, w: &mut Writer<'_>) {
        self.walk.encode(w);
        self.at.encode(w);
    }
}

impl Decode for Answer {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { walk: Walk::decode(r)?, at: Stamp::decode(r)? })
    }
}

impl Encode for Search {
    fn encode(&self, w: &mut Writer<'_>) {
        self.origin.encode(w);
        self.stamp.encode(w);
        self.target.encode(w);
        w.u8(self.hops);
        w.u8(u8::from(self.wide));
    }
}

impl Decode for Search {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (origin, stamp, target) = (PeerId::decode(r)?, Stamp::decode(r)?, PeerId::decode(r)?);
        let hops = r.u8("hops")?;
        let at = r.at();
        let wide = match r.u8("width")? {
            0 => false,
            1 => true,
            tag => return Err(DecodeError::BadTag { what: "width of a search", tag: tag.into(), at }),
        };
        Ok(Self { origin, stamp, target, hops, wide })
    }
}

impl Encode for Walk {
    fn encode(&self, w: &mut Writer<'_>) {
        self.origin.encode(w);
        self.stamp.encode(w);
        self.target.encode(w);
        w.u8(self.hops);
    }
}

impl Decode for Walk {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            origin: PeerId::decode(r)?,
            stamp: Stamp::decode(r)?,
            target: PeerId::decode(r)?,
            hops: r.u8("hops")?,
        })
    }
}

const SEARCH: u8 = 0;
const FOUND: u8 = 1;
const CARRY: u8 = 2;
const TAKEN: u8 = 3;
const LOST: u8 = 4;

impl<P: Encode> Encode for Message<P> {
    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::Search(search) => {
                w.u8(SEARCH);
                search.encode(w);
            }
            Self::Found(answer) => {
                w.u8(FOUND);
                answer.encode(w);
            }
            Self::Carry { walk, oldest, count, payload } => {
                w.u8(CARRY);
                walk.encode(w);
                w.varint(*oldest);
                w.varint(*count);
                payload.encode(w);
            }
            Self::Taken(answer) => {
                w.u8(TAKEN);
                answer.encode(w);
            }
            Self::Lost(walk) => {
                w.u8(LOST);
                walk.encode(w);
            }
        }
    }
}

impl<P: Decode> Decode for Message<P> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        Ok(match r.u8("message to a peer")? {
            SEARCH => Self::Search(Search::decode(r)?),
            FOUND => Self::Found(Answer::decode(r)?),
            CARRY => Self::Carry {
                walk: Walk::decode(r)?,
                oldest: r.varint("oldest")?,
                count: r.varint("count")?,
                payload: P::decode(r)?,
            },
            TAKEN => Self::Taken(Answer::decode(r)?),
            LOST => Self::Lost(Walk::decode(r)?),
            tag => return Err(DecodeError::BadTag { what: "message to a peer", tag: tag.into(), at }),
        })
    }
}
