//! What SCAMP peers say to each other, and its encoding.

use crate::membership::coding::tagged_message;
use crate::peer::Contact;
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};

/// Most neighbours that a peer can say it has.
pub const MAX_DEGREE: u32 = 1 << 16;

/// A message between two peers. Who sent it is known from the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The sender subscribes: let the receiver, or a peer that it finds at random, spread the word.
    Subscribe {
        /// In how many views it is to be; 0 for as many as the spreader's has entries, and c more.
        copies: u8,
    },
    /// A subscription on its walk to the peer that spreads it.
    Indirect {
        /// As in `Subscribe`.
        copies: u8,
        /// Steps left.
        steps: u8,
        /// Drawn where the walk began.
        walk: u16,
        /// Who subscribes.
        peer: Contact,
    },
    /// A copy of a subscription, to be kept by the receiver or another.
    Forward {
        /// Steps left.
        hops: u8,
        /// Drawn where the walk began: one copy from another.
        walk: u16,
        /// Who subscribes.
        peer: Contact,
    },
    /// The receiver is in the sender's partial view. Repeated as heartbeat.
    Arc {
        /// How many neighbours the sender has.
        degree: u32,
    },
    /// Answers `Arc`: the sender knows it.
    Known {
        /// How many neighbours the sender has.
        degree: u32,
    },
    /// The receiver is no longer in the sender's partial view.
    End,
    /// Answers `Arc`: the sender does not want to be in the receiver's partial view.
    Refuse,
    /// The sender leaves the cluster.
    Leave,
    /// The sender leaves the cluster, and the receiver is to have another in its partial view instead.
    Replace {
        /// Who.
        by: Contact,
    },
}

impl Message {
    const fn tag(&self) -> u8 {
        match self {
            Self::Subscribe { .. } => 160,
            Self::Indirect { .. } => 161,
            Self::Forward { .. } => 162,
            Self::Arc { .. } => 163,
            Self::Known { .. } => 164,
            Self::End => 165,
            Self::Refuse => 166,
            Self::Leave => 167,
            Self::Replace { .. } => 168,
        }
    }

    /// Reads the rest of a message whose tag, found at byte `at`, has been read.
    pub(in crate::membership) fn decode_after(tag: u8, at: usize, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match tag {
            160 => Self::Subscribe { copies: r.u8("copies")? },
            161 => {
                let (copies, steps, walk) = (r.u8("copies")?, r.u8("steps")?, read_walk(r)?);
                Self::Indirect { copies, steps, walk, peer: Contact::decode(r)? }
            }
            162 => Self::Forward { hops: r.u8("hops")?, walk: read_walk(r)?, peer: Contact::decode(r)? },
            163 => Self::Arc { degree: read_degree(r)? },
            164 => Self::Known { degree: read_degree(r)? },
            165 => Self::End,
            166 => Self::Refuse,
            167 => Self::Leave,
            168 => Self::Replace { by: Contact::decode(r)? },
            _ => {
                return Err(DecodeError::BadTag { what: "membership message", tag: tag.into(), at });
            }
        })
    }
}

fn read_walk(r: &mut Reader<'_>) -> Result<u16, DecodeError> {
    Ok(u16::from_le_bytes([r.u8("walk")?, r.u8("walk")?]))
}

fn write_walk(walk: u16, w: &mut Writer<'_>) {
    walk.to_le_bytes().into_iter().for_each(|byte| w.u8(byte));
}

fn read_degree(r: &mut Reader<'_>) -> Result<u32, DecodeError> {
    let at = r.at();
    let degree = r.varint("degree")?;
    let small = u32::try_from(degree).ok().filter(|degree| *degree <= MAX_DEGREE);
    small.ok_or(DecodeError::TooLong { what: "degree", len: degree, at })
}

impl Encode for Message {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.tag());
        match self {
            Self::End | Self::Refuse | Self::Leave => {}
            Self::Subscribe { copies } => w.u8(*copies),
            Self::Indirect { copies, steps, walk, peer } => {
                w.u8(*copies);
                w.u8(*steps);
                write_walk(*walk, w);
                peer.encode(w);
            }
            Self::Forward { hops, walk, peer } => {
                w.u8(*hops);
                write_walk(*walk, w);
                peer.encode(w);
            }
            Self::Arc { degree } | Self::Known { degree } => w.varint((*degree).min(MAX_DEGREE).into()),
            Self::Replace { by } => by.encode(w),
        }
    }
}

tagged_message!(Message);
