//! The messages of anti-entropy: compare, narrow down, ask.
//!
//! ```text
//! A -> B  Digest{root}                     equal: nothing more
//! B -> A  Buckets{256 sums}                (skipped for small stores)
//! A -> B  Summary{buckets, key: sum ...}
//! B -> A  Ask{key, what B has}  ...        for what differs; full states for what A lacks
//! A -> B  deltas, Ask{key, what A has}     B answers with deltas; A does not ask if B's digest tells that it lacks nothing
//! ```
//!
//! Of a large variable, B sends a sketch of its parts instead of what it has (`sketch`):
//!
//! ```text
//! B -> A  Sketch{key, symbols}             More{key, gauge} if it is too short
//! A -> B  parts that B lacks, Want{key, hashes of parts that A lacks}
//! B -> A  those parts
//! ```
//!
//! By the gauge B knows how much differs: it sends a sketch that is long enough or, of much, a filter (`plan`):
//!
//! ```text
//! B -> A  Filter{key, which A is to answer}
//! A -> B  Filter{key}, parts that are not in B's
//! B -> A  parts that are not in A's        the rest by the next comparison
//! ```

use super::filter::Filter;
use super::gauge::Gauge;
use super::sketch::{self, HASH, MOST, Symbol};
use super::tree::BUCKETS;
use crate::key::Key;
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use lasp_dataflow::StateDigest;

/// A message of anti-entropy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Message {
    /// The sender's root over what both keep, with a check that both mean the same by that.
    Digest {
        /// The sum.
        root: u64,
        /// Hash of what the sender told of interests; 0 for a node that hears everything.
        mine: u64,
        /// Hash of what the receiver told, as the sender knows it; 0 for a node that hears everything.
        yours: u64,
    },
    /// The sender's sums by bucket.
    Buckets(Box<[u64; BUCKETS]>),
    /// The sender's variables in some buckets.
    Summary {
        /// Which buckets.
        scope: Scope,
        /// The variables above bottom there: key, fingerprint.
        entries: Vec<(Key, u64)>,
    },
    /// Asks for what the receiver has beyond a state; all of it if there is none.
    Ask {
        /// The variable.
        key: Key,
        /// What the sender has.
        since: Option<StateDigest>,
        /// The receiver is to ask back.
        back: bool,
    },
    /// A sketch of the hashes of the sender's parts of a variable.
    Sketch {
        /// The variable.
        key: Key,
        /// Goes into the hashes: parts that are taken for one another once are not the next time.
        salt: u64,
        /// The sketch.
        symbols: Vec<Symbol>,
    },
    /// The sketch was too short.
    More {
        /// The variable.
        key: Key,
        /// What is known of how much differs.
        gauged: Gauged,
    },
    /// Asks for parts of a variable.
    Want {
        /// The variable.
        key: Key,
        /// The salt of the hashes.
        salt: u64,
        /// Which parts; at most [`MOST`].
        hashes: Vec<u64>,
    },
    /// A filter of the sender's parts of a variable: the receiver is to give those that are not in it.
    Filter {
        /// The variable.
        key: Key,
        /// The filter, and what it is of.
        filtered: Filtered,
        /// The receiver is to send a filter of its own.
        back: bool,
    },
}

impl Message {
    /// Whether it follows from a difference, and is as large as that may be: all but the first word of a comparison.
    pub(crate) const fn is_question(&self) -> bool {
        !matches!(self, Self::Digest { .. })
    }
}

/// What is known of how much differs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gauged {
    /// How many symbols a sketch should have at least, at most [`MOST`].
    pub(crate) least: usize,
    /// The salt of the hashes.
    pub(crate) salt: u64,
    /// The gauge of the sender's parts.
    pub(crate) gauge: Gauge,
}

/// A filter, and what it is of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Filtered {
    /// Goes into the hashes: parts that are taken to be in it once are not the next time.
    pub(crate) salt: u64,
    /// How many parts.
    pub(crate) parts: usize,
    /// The filter.
    pub(crate) filter: Filter,
}

/// A set of buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scope([u64; BUCKETS / 64]);

impl Scope {
    /// No bucket.
    pub(crate) const NONE: Self = Self([0; BUCKETS / 64]);
    /// Every bucket.
    pub(crate) const ALL: Self = Self([u64::MAX; BUCKETS / 64]);

    /// Adds a bucket.
    pub(crate) const fn insert(&mut self, bucket: u8) {
        self.0[bucket as usize / 64] |= 1 << (bucket % 64);
    }

    /// Whether a bucket is in.
    pub(crate) const fn contains(&self, bucket: u8) -> bool {
        self.0[bucket as usize / 64] >> (bucket % 64) & 1 == 1
    }

    /// The buckets, ascending.
    pub(crate) fn iter(self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(move |&bucket| self.contains(bucket))
    }
}

impl Encode for Scope {
    fn encode(&self, w: &mut Writer<'_>) {
        if *self == Self::ALL {
            return w.u8(1);
        }
        w.u8(0);
        for word in self.0 {
            w.fixed_u64(word);
        }
    }
}

impl Decode for Scope {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        match r.u8("scope")? {
            1 => return Ok(Self::ALL),
            0 => {}
            tag => return Err(DecodeError::BadTag { what: "scope", tag: tag.into(), at }),
        }
        let mut words = [0; BUCKETS / 64];
        for word in &mut words {
            *word = r.fixed_u64("scope")?;
        }
        match Self(words) {
            Self::ALL => Err(DecodeError::NotCanonical { what: "scope", at }),
            scope => Ok(scope),
        }
    }
}

/// A hash that is mostly 0: one byte then.
fn encode_rare(value: u64, w: &mut Writer<'_>) {
    w.u8(u8::from(value != 0));
    if value != 0 {
        w.fixed_u64(value);
    }
}

fn decode_rare(r: &mut Reader<'_>) -> Result<u64, DecodeError> {
    let at = r.at();
    match r.u8("flag")? {
        0 => Ok(0),
        1 => match r.fixed_u64("hash")? {
            0 => Err(DecodeError::NotCanonical { what: "hash", at }),
            value => Ok(value),
        },
        tag => Err(DecodeError::BadTag { what: "flag", tag: tag.into(), at }),
    }
}

impl Encode for Message {
    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::Digest { root, mine, yours } => {
                w.u8(1);
                w.fixed_u64(*root);
                encode_rare(*mine, w);
                encode_rare(*yours, w);
            }
            Self::Buckets(buckets) => {
                w.u8(2);
                buckets.iter().for_each(|&sum| w.fixed_u64(sum));
            }
            Self::Summary { scope, entries } => {
                w.u8(3);
                scope.encode(w);
                w.len(entries.len());
                for (key, fingerprint) in entries {
                    key.encode(w);
                    w.fixed_u64(*fingerprint);
                }
            }
            Self::Ask { key, since, back } => {
                w.u8(4);
                w.u8(u8::from(*back) | u8::from(since.is_some()) << 1);
                key.encode(w);
                if let Some(digest) = since {
                    digest.encode(w);
                }
            }
            Self::Sketch { key, salt, symbols } => {
                w.u8(5);
                key.encode(w);
                w.fixed_u64(*salt);
                sketch::encode(symbols, w);
            }
            Self::More { key, gauged } => {
                w.u8(6);
                key.encode(w);
                w.len(gauged.least);
                w.fixed_u64(gauged.salt);
                gauged.gauge.encode(w);
            }
            Self::Want { key, salt, hashes } => {
                w.u8(7);
                key.encode(w);
                w.fixed_u64(*salt);
                w.len(hashes.len());
                hashes.iter().for_each(|&hash| sketch::encode_hash(hash, w));
            }
            Self::Filter { key, filtered, back } => {
                w.u8(8);
                w.u8(u8::from(*back));
                key.encode(w);
                w.fixed_u64(filtered.salt);
                w.varint(filtered.parts as u64);
                filtered.filter.encode(w);
            }
        }
    }
}

impl Decode for Message {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        match r.u8("sync message")? {
            1 => Ok(Self::Digest { root: r.fixed_u64("root")?, mine: decode_rare(r)?, yours: decode_rare(r)? }),
            2 => decode_buckets(r),
            3 => decode_summary(r),
            4 => decode_ask(r),
            5 => Ok(Self::Sketch { key: Key::decode(r)?, salt: r.fixed_u64("salt")?, symbols: sketch::decode(r)? }),
            6 => decode_more(r),
            7 => decode_want(r),
            8 => decode_filter(r),
            tag => Err(DecodeError::BadTag { what: "sync message", tag: tag.into(), at }),
        }
    }
}

fn decode_buckets(r: &mut Reader<'_>) -> Result<Message, DecodeError> {
    let mut buckets = Box::new([0; BUCKETS]);
    for sum in buckets.iter_mut() {
        *sum = r.fixed_u64("bucket")?;
    }
    Ok(Message::Buckets(buckets))
}

fn decode_summary(r: &mut Reader<'_>) -> Result<Message, DecodeError> {
    let scope = Scope::decode(r)?;
    let count = r.len("summary")?;
    // An entry takes at least nine bytes.
    let mut entries = Vec::with_capacity(count.min(r.remaining() / 9));
    for _ in 0..count {
        entries.push((Key::decode(r)?, r.fixed_u64("fingerprint")?));
    }
    Ok(Message::Summary { scope, entries })
}

fn decode_ask(r: &mut Reader<'_>) -> Result<Message, DecodeError> {
    let at = r.at();
    let flags = r.u8("ask")?;
    if flags > 3 {
        return Err(DecodeError::BadTag { what: "ask", tag: flags.into(), at });
    }
    let key = Key::decode(r)?;
    let since = if flags & 2 == 2 { Some(StateDigest::decode(key.ty(), r)?) } else { None };
    Ok(Message::Ask { key, since, back: flags & 1 == 1 })
}

fn decode_more(r: &mut Reader<'_>) -> Result<Message, DecodeError> {
    let (key, least) = (Key::decode(r)?, decode_len(r)?);
    let gauged = Gauged { least, salt: r.fixed_u64("salt")?, gauge: Gauge::decode(r)? };
    Ok(Message::More { key, gauged })
}

fn decode_filter(r: &mut Reader<'_>) -> Result<Message, DecodeError> {
    let at = r.at();
    let back = match r.u8("filter")? {
        0 => false,
        1 => true,
        tag => return Err(DecodeError::BadTag { what: "filter", tag: tag.into(), at }),
    };
    let (key, salt) = (Key::decode(r)?, r.fixed_u64("salt")?);
    let at = r.at();
    let parts = r.varint("parts")?;
    let parts = usize::try_from(parts).map_err(|_| DecodeError::TooLong { what: "parts", len: parts, at })?;
    let filtered = Filtered { salt, parts, filter: Filter::decode(r)? };
    Ok(Message::Filter { key, filtered, back })
}

/// How many symbols or hashes.
fn decode_len(r: &mut Reader<'_>) -> Result<usize, DecodeError> {
    let at = r.at();
    let len = r.varint("length")?;
    match usize::try_from(len) {
        Ok(len) if len <= MOST => Ok(len),
        _ => Err(DecodeError::TooLong { what: "length", len, at }),
    }
}

fn decode_want(r: &mut Reader<'_>) -> Result<Message, DecodeError> {
    let (key, salt) = (Key::decode(r)?, r.fixed_u64("salt")?);
    let count = decode_len(r)?;
    let mut hashes = Vec::with_capacity(count.min(r.remaining() / HASH));
    for _ in 0..count {
        hashes.push(sketch::decode_hash(r)?);
    }
    Ok(Message::Want { key, salt, hashes })
}
