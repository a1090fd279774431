//! What neighbours say to each other about groups, and its encoding.

use crate::key::Key;
use crate::payload::{Batch, Laden, decode_ascending};
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use lasp_dataflow::StateDigest;
use std::sync::Arc;

/// Most pieces of an interval.
pub(super) const MAX_PIECES: usize = 64 * 1024;

/// A group as it travels: a recurring symbol.
pub(crate) type Group = Arc<[u8]>;

/// A message about a group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Message {
    /// What has the receiver beyond this?
    Compare {
        /// What the sender calls the question.
        number: u64,
        /// The group.
        group: Group,
        /// Of all that the sender has of the group.
        fingerprint: u64,
        /// What that is, by variable; not said where the fingerprint may do.
        digests: Option<Vec<(Key, StateDigest)>>,
    },
    /// The fingerprint does not do.
    More(u64),
    /// What has changed since what the receiver last acknowledged, or what is beyond what it asked about.
    Interval(Interval),
    /// The receiver's interval is merged.
    Acknowledged(u64),
}

/// A piece of an interval; only all of them together are merged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Interval {
    /// What the sender calls it; grows.
    pub(crate) number: u64,
    /// The question that it answers; 0 if none.
    pub(crate) answers: u64,
    /// The group.
    pub(crate) group: Group,
    /// Which piece.
    pub(crate) piece: usize,
    /// Of how many.
    pub(crate) pieces: usize,
    /// The deltas in it.
    pub(crate) batch: Batch,
}

const COMPARE: u8 = 0;
const DIGESTS: u8 = 1;
const MORE: u8 = 2;
const INTERVAL: u8 = 3;
const PIECE: u8 = 4;
const ACKNOWLEDGED: u8 = 5;

impl Laden for Message {
    fn encode_head(&self, w: &mut Writer<'_>) {
        match self {
            Self::Compare { number, group, fingerprint, digests } => {
                w.u8(if digests.is_some() { DIGESTS } else { COMPARE });
                w.varint(*number);
                w.symbol(group);
                w.fixed_u64(*fingerprint);
                if let Some(digests) = digests {
                    w.len(digests.len());
                    for (key, digest) in digests {
                        key.encode(w);
                        digest.encode(w);
                    }
                }
            }
            Self::More(number) => {
                w.u8(MORE);
                w.varint(*number);
            }
            Self::Interval(Interval { number, answers, group, piece, pieces, .. }) => {
                w.u8(if *pieces == 1 { INTERVAL } else { PIECE });
                w.varint(*number);
                w.varint(*answers);
                w.symbol(group);
                if *pieces > 1 {
                    w.len(*piece);
                    w.len(*pieces);
                }
            }
            Self::Acknowledged(number) => {
                w.u8(ACKNOWLEDGED);
                w.varint(*number);
            }
        }
    }

    fn batch(&self) -> Option<&Batch> {
        match self {
            Self::Interval(interval) => Some(&interval.batch),
            _ => None,
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
        let tag = r.u8("causal group")?;
        let number = r.varint("number")?;
        Ok(match tag {
            COMPARE | DIGESTS => {
                let (group, fingerprint) = (r.symbol()?, r.fixed_u64("fingerprint")?);
                let digests = if tag == DIGESTS { Some(decode_digests(r)?) } else { None };
                Self::Compare { number, group, fingerprint, digests }
            }
            MORE => Self::More(number),
            INTERVAL | PIECE => {
                let (answers, group) = (r.varint("question")?, r.symbol()?);
                let (piece, pieces) = if tag == PIECE { decode_piece(r)? } else { (0, 1) };
                Self::Interval(Interval { number, answers, group, piece, pieces, batch: Batch::decode(r)? })
            }
            ACKNOWLEDGED => Self::Acknowledged(number),
            tag => return Err(DecodeError::BadTag { what: "causal group", tag: tag.into(), at }),
        })
    }
}

fn decode_digests(r: &mut Reader<'_>) -> Result<Vec<(Key, StateDigest)>, DecodeError> {
    let count = r.len("digests")?;
    let decode = |r: &mut Reader<'_>| {
        let key = Key::decode(r)?;
        let digest = StateDigest::decode(key.ty(), r)?;
        Ok((key, digest))
    };
    decode_ascending(r, count, "digests", decode, |(key, _)| key)
}

fn decode_piece(r: &mut Reader<'_>) -> Result<(usize, usize), DecodeError> {
    let at = r.at();
    let (piece, pieces) = (r.varint("piece")?, r.varint("pieces")?);
    match (usize::try_from(piece), usize::try_from(pieces)) {
        (Ok(piece), Ok(pieces)) if (2..=MAX_PIECES).contains(&pieces) && piece < pieces => Ok((piece, pieces)),
        _ => Err(DecodeError::NotCanonical { what: "pieces", at }),
    }
}
