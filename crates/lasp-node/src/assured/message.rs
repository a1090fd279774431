//! What nodes say to each other so that updates are held, and its encoding.
//!
//! ```text
//! entrust = 0 number deltas                                  of the sender's own, not to be passed on
//!         | 1 number origin life serial round hops wanted deltas
//! held    = 2 number                                         by the sender
//!         | 3 number count id*                               by others, ascending
//! ```
//!
//! `number` counts what the one who entrusts has entrusted; a link knows from which end it comes.

use super::MOST;
use crate::payload::{Batch, Laden, decode_ascending};
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use lasp_overlay::PeerId;

/// Most links that a question crosses. A guess: above the diameter of any overlay that holds together.
pub(super) const MAX_HOPS: u8 = 32;

/// A message about an update that is to be held.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Message {
    /// Hold this, and say so.
    Entrust {
        /// What the sender calls it.
        number: u64,
        /// How to pass it on, if it is to be.
        passing: Option<Passing>,
        /// The deltas.
        batch: Batch,
    },
    /// Held: by the sender if nobody is named.
    Held {
        /// What the receiver calls it.
        number: u64,
        /// By whom, ascending.
        by: Vec<PeerId>,
    },
}

/// What is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passing {
    /// Whose update it is.
    pub(crate) origin: PeerId,
    /// In which of its lives.
    pub(crate) life: u64,
    /// What the origin calls it.
    pub(crate) serial: u64,
    /// How often the origin has asked.
    pub(crate) round: u32,
    /// How many more links it is to cross.
    pub(crate) hops: u8,
    /// How many nodes are to be named at most.
    pub(crate) wanted: usize,
}

const PLAIN: u8 = 0;
const PASSING: u8 = 1;
const MINE: u8 = 2;
const NAMED: u8 = 3;

impl Laden for Message {
    fn encode_head(&self, w: &mut Writer<'_>) {
        match self {
            Self::Entrust { number, passing: None, .. } => {
                w.u8(PLAIN);
                w.varint(*number);
            }
            Self::Entrust { number, passing: Some(passing), .. } => {
                w.u8(PASSING);
                w.varint(*number);
                passing.encode(w);
            }
            Self::Held { number, by } => {
                w.u8(if by.is_empty() { MINE } else { NAMED });
                w.varint(*number);
                if !by.is_empty() {
                    w.len(by.len());
                    by.iter().for_each(|peer| peer.encode(w));
                }
            }
        }
    }

    fn batch(&self) -> Option<&Batch> {
        match self {
            Self::Entrust { batch, .. } => Some(batch),
            Self::Held { .. } => None,
        }
    }
}

impl Encode for Message {
    fn encode(&self, w: &mut Writer<'_>) {
        self.encode_whole(w);
    }
}

impl Decode for Message {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        let tag = r.u8("assurance")?;
        let number = r.varint("number")?;
        Ok(match tag {
            PLAIN => Self::Entrust { number, passing: None, batch: Batch::decode(r)? },
            PASSING => Self::Entrust { number, passing: Some(Passing::decode(r)?), batch: Batch::decode(r)? },
            MINE => Self::Held { number, by: Vec::new() },
            NAMED => Self::Held { number, by: decode_peers(r)? },
            tag => return Err(DecodeError::BadTag { what: "assurance", tag: tag.into(), at }),
        })
    }
}

fn decode_peers(r: &mut Reader<'_>) -> Result<Vec<PeerId>, DecodeError> {
    let at = r.at();
    let count = r.len("nodes")?;
    if count > MOST {
        return Err(DecodeError::TooLong { what: "nodes", len: count as u64, at });
    }
    let peers = decode_ascending(r, count, "nodes", PeerId::decode, |peer| peer)?;
    if peers.is_empty() {
        return Err(DecodeError::NotCanonical { what: "nodes", at });
    }
    Ok(peers)
}

impl Encode for Passing {
    fn encode(&self, w: &mut Writer<'_>) {
        self.origin.encode(w);
        w.varint(self.life);
        w.varint(self.serial);
        w.varint(self.round.into());
        w.u8(self.hops);
        w.len(self.wanted);
    }
}

impl Decode for Passing {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (origin, life, serial) = (PeerId::decode(r)?, r.varint("life")?, r.varint("serial")?);
        let at = r.at();
        let round = r.varint("round")?;
        let round = u32::try_from(round).map_err(|_| DecodeError::TooLong { what: "round", len: round, at })?;
        let at = r.at();
        let hops = r.u8("hops")?;
        if hops > MAX_HOPS {
            return Err(DecodeError::TooLong { what: "hops", len: hops.into(), at });
        }
        let at = r.at();
        let wanted = r.varint("nodes")?;
        match usize::try_from(wanted) {
            Ok(wanted) if (1..=MOST).contains(&wanted) => Ok(Self { origin, life, serial, round, hops, wanted }),
            _ => Err(DecodeError::TooLong { what: "nodes", len: wanted, at }),
        }
    }
}
