//! The encoding of dot stores in their context: the store, then the dots of the context that do not live in it.
//!
//! The first number that a store writes has a bit to spare, which says whether further dots follow; so a delta that
//! removes nothing does not pay for saying so.

use super::{DotStore, Dotted};
use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::context::DotSet;

/// A dot store with a canonical encoding.
pub trait EncodeStore: DotStore {
    /// Appends the encoding of the store, whose [live](DotStore::live) dots are `live`. The lowest bit of its first
    /// varint is `flag`.
    fn encode_store(&self, live: &DotSet, flag: bool, w: &mut Writer<'_>);
}

/// A dot store that can be read back from untrusted bytes.
pub trait DecodeStore: DotStore {
    /// Reads a store and its flag. Adds its dots to `live`, which must not hold any of them.
    ///
    /// # Errors
    /// [`DecodeError`] on anything that [`EncodeStore`] would not have written.
    fn decode_store(r: &mut Reader<'_>, live: &mut DotSet) -> Result<(Self, bool), DecodeError>;
}

impl<S: EncodeStore> Encode for Dotted<S> {
    fn encode(&self, w: &mut Writer<'_>) {
        let live = self.store.live();
        let rest = self.context.difference(&live);
        self.store.encode_store(&live, !rest.is_empty(), w);
        if !rest.is_empty() {
            rest.encode(w);
        }
    }
}

impl<S: DecodeStore> Decode for Dotted<S> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::decode_with(r, S::decode_store)
    }
}

impl<S: DotStore> Dotted<S> {
    /// Decodes a state whose store `read` knows how to decode, as [`DecodeStore`] does.
    ///
    /// # Errors
    /// [`DecodeError`], as any decoder.
    pub fn decode_with(
        r: &mut Reader<'_>,
        read: impl FnOnce(&mut Reader<'_>, &mut DotSet) -> Result<(S, bool), DecodeError>,
    ) -> Result<Self, DecodeError> {
        let mut context = DotSet::new();
        let (store, has_rest) = read(r, &mut context)?;
        if has_rest {
            let bad = r.not_canonical("dots that do not live");
            let rest = DotSet::decode(r)?;
            if rest.is_empty() || !rest.intersection(&context).is_empty() || context.merge_folding(rest).folded {
                return Err(bad);
            }
        }
        Ok(Self { store, context })
    }
}

/// Adds `dots` to `live`.
///
/// # Errors
/// `bad` if some of them are there.
pub(crate) fn add_live(live: &mut DotSet, dots: &DotSet, bad: DecodeError) -> Result<(), DecodeError> {
    if !dots.intersection(live).is_empty() {
        return Err(bad);
    }
    live.union_with(dots);
    Ok(())
}
