//! What a node says that it has of a variable, and what another has beyond that.

use crate::key::Key;
use crate::sync::sketch::{self, Symbol, short};
use crate::wire::entry_len;
use lasp_crdt::codec::to_bytes;
use lasp_crdt::fingerprint::mix;
use lasp_crdt::{DecodeError, Encode, Reader, Writer};
use lasp_dataflow::{State, StateDigest};
use std::collections::BTreeSet;

/// Most bytes of what is said or given in one letter: what is around it fits beside it.
pub(super) const ROOM: usize = 12 * 1024;

/// Fewest entries of a state that is sketched. A guess, as in comparisons.
const LARGE: usize = 64;

/// Symbols of the first sketch, and how many times as long the next is. Guesses: some forty differences; two more letters
/// for as many as one can tell.
const FIRST: usize = 64;
const GROWTH: usize = 4;

/// Most symbols that a letter holds.
const MOST: usize = ROOM / sketch::SYMBOL;

/// What a node has of a variable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Since {
    /// Nothing.
    Nothing,
    /// What its type needs for the least delta.
    Digest(StateDigest),
    /// A sketch of its parts.
    Sketch {
        /// Goes into the hashes.
        salt: u64,
        /// The sketch.
        symbols: Vec<Symbol>,
    },
}

/// What is beyond it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Beyond {
    /// This, and that is all.
    All(State),
    /// This, as much as a letter holds; perhaps nothing, where the next part alone is larger.
    Some(State),
    /// There is no telling: the sketch is too short.
    Unclear,
}

impl Since {
    /// What to say of a state, asked for the nth time where it was not clear before; `None` where nothing fits into a
    /// letter.
    pub(super) fn of(key: &Key, state: Option<&State>, unclear: u32) -> Option<Self> {
        let Some(state) = state.filter(|state| !state.is_bottom()) else { return Some(Self::Nothing) };
        if key.ty().parts_follow_content() && state.entries() >= LARGE {
            let len = FIRST.saturating_mul(GROWTH.saturating_pow(unclear)).min(MOST);
            let salt = mix(state.fingerprint(), unclear.into());
            return Some(Self::Sketch { salt, symbols: sketch::sketch(&hashes(state, salt), len) });
        }
        let digest = state.digest();
        (to_bytes(&Digested(&digest)).len() <= ROOM).then_some(Self::Digest(digest))
    }

    /// What a state has beyond it. Cost: the size of the state.
    pub(super) fn beyond(&self, key: &Key, state: &State) -> Beyond {
        let delta = match self {
            Self::Nothing => state.clone(),
            Self::Digest(digest) => state.delta(digest),
            Self::Sketch { .. } if !key.ty().parts_follow_content() => return Beyond::Unclear,
            Self::Sketch { salt, symbols } => {
                let Ok(told) = sketch::difference(symbols, &hashes(state, *salt)) else { return Beyond::Unclear };
                let missing: BTreeSet<u64> = told.right.into_iter().collect();
                state.parts(|part| missing.contains(&short(mix(*salt, part))))
            }
        };
        if entry_len(key, &delta) <= ROOM {
            return Beyond::All(delta);
        }
        let (mut some, mut size) = (State::bottom(key.ty()), 0);
        for part in delta.decompose() {
            size += entry_len(key, &part);
            if size > ROOM {
                break;
            }
            some.merge(part);
        }
        Beyond::Some(some)
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::Nothing => w.u8(0),
            Self::Digest(digest) => {
                w.u8(1);
                digest.encode(w);
            }
            Self::Sketch { salt, symbols } => {
                w.u8(2);
                w.fixed_u64(*salt);
                sketch::encode(symbols, w);
            }
        }
    }

    pub(super) fn decode(key: &Key, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        Ok(match r.u8("since")? {
            0 => Self::Nothing,
            1 => Self::Digest(StateDigest::decode(key.ty(), r)?),
            2 => Self::Sketch { salt: r.fixed_u64("salt")?, symbols: sketch::decode(r)? },
            tag => return Err(DecodeError::BadTag { what: "since", tag: tag.into(), at }),
        })
    }
}

/// The salted hashes of a state's parts.
fn hashes(state: &State, salt: u64) -> Vec<u64> {
    state.part_fingerprints().into_iter().map(|part| short(mix(salt, part))).collect()
}

struct Digested<'a>(&'a StateDigest);

impl Encode for Digested<'_> {
    fn encode(&self, w: &mut Writer<'_>) {
        self.0.encode(w);
    }
}
