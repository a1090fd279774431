//! What a session has seen, and its text.
//!
//! ```text
//! text   = base64url of bytes
//! bytes  = version=1  count (key seen)*  check                 by key, ascending; check: four bytes
//! seen   = 0 state                                             a small state
//!        | 1 node life turn fingerprint                        where a large one was seen
//! ```
//!
//! The check finds accidents, not forgeries: nothing of a token is merged into a store, so one that is made up makes a node
//! wait, and no more.

use crate::key::Key;
use crate::payload::decode_ascending;
use crate::wire::entry_len;
use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, URL_SAFE_NO_PAD};
use lasp_crdt::codec::Plain;
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer, fingerprint};
use lasp_dataflow::{State, Type};
use lasp_overlay::PeerId;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Largest token in bytes; its text is a third longer, and fits into a header of a request. A guess: some hundred variables.
pub const MAX_TOKEN: usize = 4 * 1024;

/// Encoded bytes of a variable's state up to which it is part of the token. A guess: ten times a mark.
const SMALL: usize = 256;

const VERSION: u8 = 1;
const CHECK: usize = 4;

/// What a session has seen of a variable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Seen {
    /// A state, of which the variable's is to be above.
    State(Box<State>),
    /// The state that the variable had at a node.
    Mark(Mark),
}

/// Where a state was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    /// At which node.
    pub(crate) node: PeerId,
    /// In which of its lives.
    pub(crate) life: u64,
    /// How often it had forgotten the variable in that life.
    pub(crate) turn: u32,
    /// Which.
    pub(crate) fingerprint: u64,
}

/// A variable at a node, where it only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Here {
    /// The node.
    pub(crate) node: PeerId,
    /// In which of its lives.
    pub(crate) life: u64,
    /// How often it has forgotten the variable in that life.
    pub(crate) turn: u32,
}

/// What a session has seen: given by a node with each answer, shown to the next node with the next request. Opaque; its text is at
/// most 5,462 bytes of letters, digits, `-` and `_`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionToken {
    seen: BTreeMap<Key, Seen>,
}

/// Why a text is no token.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TokenError {
    /// Characters that no token has, or too few.
    #[error("a session token consists of letters, digits, `-` and `_` and is given by a node; this text is none")]
    Text,
    /// Longer than any token.
    #[error("a session token takes at most {MAX_TOKEN} bytes, this one {0}")]
    TooLong(usize),
    /// Of a version that this build does not know.
    #[error("the session token is of version {0}; this build knows version {VERSION}")]
    Version(u8),
    /// Cut off or changed.
    #[error("the session token is damaged: its check is wrong")]
    Check,
    /// Well checked, and yet nothing that a node writes.
    #[error("the session token is malformed: {0}")]
    Malformed(#[from] DecodeError),
}

/// A session has seen more variables than its token can tell of; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full(pub(crate) usize);

impl SessionToken {
    /// Whether nothing has been seen.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// How many variables it tells of.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// The type under which it has seen a variable of this name. Cost: the number of variables.
    pub fn type_of(&self, name: &str) -> Option<&Type> {
        self.seen.keys().find(|key| key.name().as_str() == name).map(Key::ty)
    }

    /// What was seen, by variable.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Key, &Seen)> {
        self.seen.iter()
    }

    /// A delta has been made at a node where the variable is above all that was seen, and came to `state` with that.
    pub(crate) fn wrote(&mut self, key: &Key, delta: &State, state: &State, here: Here) {
        let joined = match self.seen.get(key) {
            Some(Seen::Mark(_)) => return self.read(key, state, here),
            Some(Seen::State(seen)) => {
                let mut joined = State::clone(seen);
                joined.merge(delta.clone());
                joined
            }
            None => delta.clone(),
        };
        self.put(key, &joined, state, here);
    }

    /// A variable has been read at a node where it is above all that was seen.
    pub(crate) fn read(&mut self, key: &Key, state: &State, here: Here) {
        self.put(key, state, state, here);
    }

    /// A variable was seen at a node, where it is above all that was seen.
    pub(crate) fn mark(&mut self, key: &Key, state: &State, here: Here) {
        self.seen.insert(key.clone(), mark(state, here));
    }

    /// Keeps what was seen if it is small, and where if it is not.
    fn put(&mut self, key: &Key, seen: &State, state: &State, here: Here) {
        // A state of many entries is not encoded to find out that it is large.
        let small = seen.entries() <= SMALL && entry_len(key, seen) <= SMALL;
        let seen = if small { Seen::State(Box::new(seen.clone())) } else { mark(state, here) };
        self.seen.insert(key.clone(), seen);
    }

    /// Makes the token fit: the largest states become marks at this node, where `state_of` tells the states of the variables
    /// that are above what was seen.
    pub(crate) fn fit<'a>(&mut self, state_of: impl Fn(&Key, &State) -> Option<(&'a State, Here)>) -> Result<(), Full> {
        let mut len = self.to_bytes().len();
        while len > MAX_TOKEN {
            let kept = self.seen.iter().filter_map(|(key, seen)| match seen {
                Seen::State(seen) => {
                    let (state, here) = state_of(key, seen)?;
                    Some((entry_len(key, seen), key, mark(state, here)))
                }
                Seen::Mark(_) => None,
            });
            let Some((_, key, marked)) = kept.max_by_key(|(len, key, _)| (*len, (*key).clone())) else {
                return Err(Full(self.seen.len()));
            };
            let key = key.clone();
            self.seen.insert(key, marked);
            let shorter = self.to_bytes().len();
            if shorter >= len {
                return Err(Full(self.seen.len()));
            }
            len = shorter;
        }
        Ok(())
    }

    fn to_bytes(&self) -> Vec<u8> {
        let (mut bytes, mut plain) = (vec![VERSION], Plain);
        let mut w = Writer::new(&mut bytes, &mut plain);
        w.len(self.seen.len());
        for (key, seen) in &self.seen {
            key.encode(&mut w);
            seen.encode(&mut w);
        }
        let check = check(&bytes);
        bytes.extend(check);
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, TokenError> {
        if bytes.len() > MAX_TOKEN {
            return Err(TokenError::TooLong(bytes.len()));
        }
        let (body, given) = bytes.split_last_chunk::<CHECK>().ok_or(TokenError::Text)?;
        if check(body) != *given {
            return Err(TokenError::Check);
        }
        match body {
            [VERSION, rest @ ..] => Ok(Self { seen: decode(rest)? }),
            [version, ..] => Err(TokenError::Version(*version)),
            [] => Err(TokenError::Text),
        }
    }
}

fn mark(state: &State, Here { node, life, turn }: Here) -> Seen {
    Seen::Mark(Mark { node, life, turn, fingerprint: state.fingerprint() })
}

/// Reads how often a variable was forgotten.
pub(super) fn turn(r: &mut Reader<'_>) -> Result<u32, DecodeError> {
    let at = r.at();
    let turn = r.varint("turn")?;
    u32::try_from(turn).map_err(|_| DecodeError::TooLong { what: "turn", len: turn, at })
}

/// For headers and files: base64url without padding (RFC 4648 §5), in its one form.
pub(super) const TEXT: GeneralPurpose = URL_SAFE_NO_PAD;

fn check(bytes: &[u8]) -> [u8; CHECK] {
    (fingerprint::hash(bytes) as u32).to_le_bytes()
}

fn decode(bytes: &[u8]) -> Result<BTreeMap<Key, Seen>, DecodeError> {
    let mut plain = Plain;
    let mut r = Reader::new(bytes, &mut plain);
    let count = r.len("variables")?;
    let decode = |r: &mut Reader<'_>| {
        let key = Key::decode(r)?;
        let seen = Seen::decode(&key, r)?;
        Ok((key, seen))
    };
    let seen = decode_ascending(&mut r, count, "variables", decode, |(key, _)| key)?;
    r.finish()?;
    Ok(seen.into_iter().collect())
}

impl Seen {
    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::State(state) => {
                w.u8(0);
                state.encode(w);
            }
            Self::Mark(Mark { node, life, turn, fingerprint }) => {
                w.u8(1);
                node.encode(w);
                w.varint(*life);
                w.varint((*turn).into());
                w.fixed_u64(*fingerprint);
            }
        }
    }

    fn decode(key: &Key, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        Ok(match r.u8("seen")? {
            0 => Self::State(Box::new(State::decode(key.ty(), r)?)),
            1 => Self::Mark(Mark {
                node: PeerId::decode(r)?,
                life: r.varint("life")?,
                turn: turn(r)?,
                fingerprint: r.fixed_u64("fingerprint")?,
            }),
            tag => return Err(DecodeError::BadTag { what: "seen", tag: tag.into(), at }),
        })
    }
}

impl fmt::Display for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&TEXT.encode(self.to_bytes()))
    }
}

impl FromStr for SessionToken {
    type Err = TokenError;

    /// Reads a token; white space around it is ignored.
    fn from_str(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if text.len() > MAX_TOKEN / 3 * 4 + 4 {
            return Err(TokenError::TooLong(text.len() / 4 * 3));
        }
        Self::from_bytes(&TEXT.decode(text).map_err(|_| TokenError::Text)?)
    }
}
