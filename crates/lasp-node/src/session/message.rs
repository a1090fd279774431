//! What nodes say to each other about what a session has seen, and its encoding. It travels as letters do.

use super::since::Since;
use super::token::turn;
use crate::key::Key;
use crate::payload::{decode_entry, encode_entry};
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use lasp_dataflow::State;

/// A question where something was seen, or its answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Message {
    /// What is there beyond this?
    Beyond {
        /// What the sender calls the question.
        number: u64,
        /// The receiver's life in which something was seen.
        life: u64,
        /// How often the receiver had forgotten the variable by then.
        turn: u32,
        /// The variable.
        key: Key,
        /// What the sender has.
        since: Since,
    },
    /// This.
    Caught {
        /// Which question.
        number: u64,
        /// Whether there is more.
        more: bool,
        /// The variable.
        key: Key,
        /// What the other lacks.
        delta: State,
    },
    /// The sketch is too short.
    Unclear {
        /// Which question.
        number: u64,
    },
    /// That was another life; or the variable is not kept any more.
    Gone {
        /// Which question.
        number: u64,
    },
}

const BEYOND: u8 = 0;
const CAUGHT: u8 = 1;
const MORE: u8 = 2;
const UNCLEAR: u8 = 3;
const GONE: u8 = 4;

impl Encode for Message {
    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::Beyond { number, life, turn, key, since } => {
                w.u8(BEYOND);
                w.varint(*number);
                w.varint(*life);
                w.varint((*turn).into());
                key.encode(w);
                since.encode(w);
            }
            Self::Caught { number, more, key, delta } => {
                w.u8(if *more { MORE } else { CAUGHT });
                w.varint(*number);
                encode_entry(key, delta, w);
            }
            Self::Unclear { number } => {
                w.u8(UNCLEAR);
                w.varint(*number);
            }
            Self::Gone { number } => {
                w.u8(GONE);
                w.varint(*number);
            }
        }
    }
}

impl Decode for Message {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        let tag = r.u8("session message")?;
        let number = r.varint("number")?;
        Ok(match tag {
            BEYOND => {
                let (life, turn, key) = (r.varint("life")?, turn(r)?, Key::decode(r)?);
                let since = Since::decode(&key, r)?;
                Self::Beyond { number, life, turn, key, since }
            }
            CAUGHT | MORE => {
                let (key, delta) = decode_entry(r)?;
                Self::Caught { number, more: tag == MORE, key, delta }
            }
            UNCLEAR => Self::Unclear { number },
            GONE => Self::Gone { number },
            tag => return Err(DecodeError::BadTag { what: "session message", tag: tag.into(), at }),
        })
    }
}
