//! What a register tells of its write: enough to say which of two is the later, in a few bytes.
//!
//! Times mostly differ, and then the stamp decides. In a tie the values do, and no hash tells which of two is greater;
//! so small values are in the digest themselves. Of large ones it has the hash: one superfluous write in a tie, which is
//! rare, is cheaper than every large value in every digest.

use super::{Stamp, Write};
use crate::codec::{self, Decode, DecodeError, Encode, Reader, Writer};
use crate::fingerprint;
use std::cmp::Ordering;
use std::hash::Hash;

/// Most bytes of a value, encoded, that goes into a digest as it is. A guess: twice what a hash and its stamp take.
const SMALL: usize = 32;

/// The digest of one write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LwwDigest<V> {
    stamp: Stamp,
    value: Summary<V>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Summary<V> {
    /// The value, which is small.
    Whole(V),
    /// The hash of a large one.
    Hash(u64),
}

impl<V: Ord + Clone + Hash + Encode> Write<V> {
    pub(super) fn digest(&self) -> LwwDigest<V> {
        let small = is_small(&self.value);
        let value =
            if small { Summary::Whole(self.value.clone()) } else { Summary::Hash(fingerprint::hash(&self.value)) };
        LwwDigest { stamp: Stamp { time: self.time, replica: self.replica }, value }
    }

    /// Whether it is later than the write of a digest, as far as the digest can tell.
    pub(super) fn may_exceed(&self, known: &LwwDigest<V>) -> bool {
        let by_value = || match &known.value {
            Summary::Whole(value) => self.value.cmp(value),
            Summary::Hash(hash) if fingerprint::hash(&self.value) == *hash => Ordering::Equal,
            Summary::Hash(_) => Ordering::Greater,
        };
        let by_replica = || self.replica.cmp(&known.stamp.replica);
        self.time.cmp(&known.stamp.time).then_with(by_value).then_with(by_replica) == Ordering::Greater
    }
}

fn is_small(value: &impl Encode) -> bool {
    codec::to_bytes(value).len() <= SMALL
}

/// The stamp; whether the value follows whole; the value, or its hash in eight bytes.
impl<V: Encode> Encode for LwwDigest<V> {
    fn encode(&self, w: &mut Writer<'_>) {
        self.stamp.encode(w);
        match &self.value {
            Summary::Whole(value) => {
                true.encode(w);
                value.encode(w);
            }
            Summary::Hash(hash) => {
                false.encode(w);
                w.fixed_u64(*hash);
            }
        }
    }
}

impl<V: Encode + Decode> Decode for LwwDigest<V> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let stamp = Stamp::decode(r)?;
        if !bool::decode(r)? {
            return Ok(Self { stamp, value: Summary::Hash(r.fixed_u64("hash")?) });
        }
        let bad = r.not_canonical("large value in a digest");
        let value = V::decode(r)?;
        if is_small(&value) { Ok(Self { stamp, value: Summary::Whole(value) }) } else { Err(bad) }
    }
}
