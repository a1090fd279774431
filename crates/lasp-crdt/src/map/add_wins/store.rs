//! The keys of an add-wins map as a dot store: what merging does to them, and how they are written.

use super::keys::{Key, Keys};
use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::context::DotSet;
use crate::dot::Dot;
use crate::dotted::{CausalType, DecodeStore, DotChange, DotStore, EncodeStore};
use crate::fingerprint::{Fingerprint, hash};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::fmt;

impl<K: Key, V: CausalType> Keys<K, V> {
    /// The dots of `dots` that live here, by the position of their entry. Cost: `dots` or the dots here, whichever are
    /// fewer.
    fn among(&self, dots: &DotSet) -> BTreeMap<usize, DotSet> {
        let mut places: BTreeMap<usize, DotSet> = BTreeMap::new();
        if dots.countable() <= self.dots() as u64 {
            for (dot, at) in dots.dots().filter_map(|dot| Some((dot, self.find_dot(dot)?))) {
                places.entry(at).or_default().insert(dot);
            }
            return places;
        }
        for at in 0..self.len() {
            let here = self.entry(at).value.live().intersection(dots);
            if !here.is_empty() {
                places.insert(at, here);
            }
        }
        places
    }

    fn kill_at(&mut self, at: usize, dot: Dot) {
        let hash = hash(&self.entry(at).key);
        self.change(at, hash, |value, note| value.kill(dot).then(|| note(dot, false)));
    }
}

impl<K: Key, V: CausalType> Fingerprint for Keys<K, V> {
    fn fingerprint(&self) -> u64 {
        self.additive_fingerprint()
    }
}

impl<K: Key, V: CausalType> DotStore for Keys<K, V> {
    fn dot_count(&self) -> usize {
        self.dots()
    }

    fn holds_dot(&self, dot: Dot) -> bool {
        self.find_dot(dot).is_some()
    }

    fn each_dot(&self, on: &mut dyn FnMut(Dot)) {
        self.unordered().for_each(|(_, value)| value.each_dot(on));
    }

    fn join(&mut self, mine: &DotSet, other: Self, theirs: &DotSet, on: &mut dyn FnMut(DotChange)) -> bool {
        let mut dying: SmallVec<[Dot; 4]> = SmallVec::new();
        self.dying(&other, &theirs.intersection(mine), &mut |dot| dying.push(dot));
        let mut changed = !dying.is_empty();
        let mut touched: SmallVec<[usize; 2]> = SmallVec::new();
        // A key that lost its last dot keeps its place until the end: it may get a new dot.
        for dot in dying {
            if let Some(at) = self.find_dot(dot) {
                self.kill_at(at, dot);
                on(DotChange::Dead(dot));
                touched.push(at);
            }
        }
        for entry in other.into_entries() {
            let hash = hash(&entry.key);
            let at = match self.find(&entry.key, hash) {
                Some(at) => at,
                None => self.push(entry.key, hash),
            };
            // What dies here is dead already. So these dots are all that the value need know of `theirs`, which may be large.
            let named = entry.value.live();
            changed |= self.change(at, hash, |value, note| {
                value.join(mine, entry.value, &named, &mut |change| {
                    match change {
                        DotChange::Live(dot) => note(dot, true),
                        DotChange::Dead(dot) => note(dot, false),
                    }
                    on(change);
                })
            });
            touched.push(at);
        }
        self.remove_hollow(touched.into_iter());
        changed
    }

    fn dying(&self, other: &Self, common: &DotSet, on: &mut dyn FnMut(Dot)) {
        let nothing = V::Store::default();
        for (at, dots) in self.among(common) {
            let entry = self.entry(at);
            entry.value.dying(other.get(&entry.key).unwrap_or(&nothing), &dots, on);
        }
    }

    fn kill(&mut self, dot: Dot) -> bool {
        let Some(at) = self.find_dot(dot) else { return false };
        self.kill_at(at, dot);
        self.remove_hollow(std::iter::once(at));
        true
    }

    fn within(&self, dots: &DotSet) -> Self {
        let mut part = Self::default();
        for (at, dots) in self.among(dots) {
            let entry = self.entry(at);
            part.put(entry.key.clone(), entry.value.within(&dots));
        }
        part
    }
}

impl<K: Key, V: CausalType> PartialEq for Keys<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.additive_fingerprint() == other.additive_fingerprint()
            && self.unordered().all(|(key, value)| other.get(key).is_some_and(|theirs| value == theirs))
    }
}

impl<K: Key, V: CausalType> Eq for Keys<K, V> {}

/// Keys with their values, ascending.
impl<K: Key + fmt::Debug, V: CausalType<Store: fmt::Debug>> fmt::Debug for Keys<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// `keys << 1 | flag`; then per key, ascending: the key and the store of its value.
impl<K: Encode + Key, V: CausalType<Store: EncodeStore>> EncodeStore for Keys<K, V> {
    fn encode_store(&self, _live: &DotSet, flag: bool, w: &mut Writer<'_>) {
        w.varint((self.len() as u64) << 1 | u64::from(flag));
        for (key, value) in self.iter() {
            key.encode(w);
            value.encode_store(&value.live(), false, w);
        }
    }
}

impl<K: Decode + Key, V: CausalType<Store: DecodeStore>> DecodeStore for Keys<K, V> {
    fn decode_store(r: &mut Reader<'_>, live: &mut DotSet) -> Result<(Self, bool), DecodeError> {
        Self::decode_store_with(r, live, V::Store::decode_store)
    }
}

impl<K: Decode + Key, V: CausalType> Keys<K, V> {
    /// Decodes keys whose values `read` knows how to decode, as [`DecodeStore`] does.
    ///
    /// # Errors
    /// [`DecodeError`], as any decoder.
    pub fn decode_store_with(
        r: &mut Reader<'_>,
        live: &mut DotSet,
        mut read: impl FnMut(&mut Reader<'_>, &mut DotSet) -> Result<(V::Store, bool), DecodeError>,
    ) -> Result<(Self, bool), DecodeError> {
        let at = r.at();
        let head = r.varint("keys")?;
        let len = head >> 1;
        if len > r.remaining() as u64 {
            return Err(DecodeError::TooLong { what: "keys", len, at });
        }
        let (mut keys, mut last) = (Self::default(), None);
        for _ in 0..len {
            let bad = r.not_canonical("keys");
            let key = K::decode(r)?;
            let (value, flag) = r.nested(|r| read(r, live))?;
            if flag || value.dot_count() == 0 || last.as_ref().is_some_and(|last| *last >= key) {
                return Err(bad);
            }
            last = Some(key.clone());
            keys.put(key, value);
        }
        Ok((keys, head & 1 == 1))
    }
}
