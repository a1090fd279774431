//! Sets of 64-bit identities: what a digest says instead of elements.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};

/// The stable hashes of what a replica has. Two things that collide (one chance in about 2⁶⁴ per pair) hide one
/// another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hashes(Vec<u64>);

impl Hashes {
    /// Whether `hash` is among them. Cost: O(log n).
    pub fn contains(&self, hash: u64) -> bool {
        self.0.binary_search(&hash).is_ok()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<u64> for Hashes {
    fn from_iter<I: IntoIterator<Item = u64>>(hashes: I) -> Self {
        let mut hashes: Vec<u64> = hashes.into_iter().collect();
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes)
    }
}

/// Their number, then eight bytes each, ascending.
impl Encode for Hashes {
    fn encode(&self, w: &mut Writer<'_>) {
        w.len(self.0.len());
        for &hash in &self.0 {
            w.fixed_u64(hash);
        }
    }
}

impl Decode for Hashes {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut hashes = Vec::new();
        for _ in 0..r.len("hashes")? {
            let bad = r.not_canonical("hashes");
            let hash = r.fixed_u64("hash")?;
            if hashes.last().is_some_and(|&last| last >= hash) {
                return Err(bad);
            }
            hashes.push(hash);
        }
        Ok(Self(hashes))
    }
}
