//! In which order things were last used, so that of too many the least recently used is forgotten.

use std::collections::BTreeMap;

/// Keys by their last use. Whoever keeps the things notes at each the number of its last use, from 1.
#[derive(Debug)]
pub(super) struct Recency<K> {
    keys: BTreeMap<u64, K>,
    uses: u64,
}

impl<K> Recency<K> {
    pub(super) const fn new() -> Self {
        Self { keys: BTreeMap::new(), uses: 0 }
    }

    /// The thing last used at `used`, or never if that is 0, is used; the number of this use. O(log n).
    pub(super) fn touch(&mut self, key: K, used: u64) -> u64 {
        self.keys.remove(&used);
        self.uses += 1;
        self.keys.insert(self.uses, key);
        self.uses
    }

    /// Takes out the least recently used.
    pub(super) fn pop(&mut self) -> Option<K> {
        self.keys.pop_first().map(|(_, key)| key)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }
}
