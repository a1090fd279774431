//! Dots in eight bytes: replicas are interned, for one set and as long as it holds a dot of theirs.
//!
//! A page stands for a replica and the high half of a counter; a packed dot is a page's number and the low half. So no
//! counter is too large, and a replica takes one page until its four thousand millionth event. Numbers mean nothing
//! outside the set. It knows no elements.

use crate::dot::{Dot, ReplicaId};
use crate::fingerprint::mix;
use hashbrown::HashTable;
use smallvec::SmallVec;

/// A dot of one set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Packed(u64);

impl Packed {
    /// No dot at all.
    pub(super) const NONE: Self = Self(u64::MAX);

    fn new(page: u32, dot: Dot) -> Self {
        Self(u64::from(page) << 32 | (dot.counter & LOW))
    }

    const fn page(self) -> usize {
        (self.0 >> 32) as usize
    }

    /// A hash for tables that never leave the set.
    #[inline]
    pub(super) const fn spread(self) -> u64 {
        let wide = (self.0 as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        (wide >> 64) as u64 ^ wide as u64
    }
}

const LOW: u64 = u32::MAX as u64;

/// Up to how many pages a scan replaces the index. A guess.
const SCANNED: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Page {
    replica: ReplicaId,
    /// The high half of the counters; of a free page, the next free one.
    high: u32,
    /// How many dots use it; 0 for a free one.
    used: u32,
}

impl Page {
    fn is_for(&self, dot: Dot) -> bool {
        self.replica == dot.replica && u64::from(self.high) == dot.counter >> 32 && self.used > 0
    }

    fn hash(replica: ReplicaId, high: u32) -> u64 {
        mix(replica.0, high.into())
    }
}

/// The pages of one set.
#[derive(Clone, Debug)]
pub(super) struct Pages {
    list: SmallVec<[Page; 1]>,
    /// The free page to use next, if there is one.
    free: u32,
    unused: u32,
    /// Over all used pages once there were more than [`SCANNED`].
    index: Option<Box<HashTable<u32>>>,
}

impl Default for Pages {
    fn default() -> Self {
        Self { list: SmallVec::new(), free: 0, unused: 0, index: None }
    }
}

impl Pages {
    pub(super) fn unpack(&self, packed: Packed) -> Dot {
        let page = self.list[packed.page()];
        Dot::new(page.replica, u64::from(page.high) << 32 | (packed.0 & LOW))
    }

    /// The packed form of a dot whose page is in use.
    #[inline]
    pub(super) fn find(&self, dot: Dot) -> Option<Packed> {
        let page = match &self.index {
            None => self.list.iter().position(|page| page.is_for(dot))? as u32,
            Some(index) => {
                let hash = Page::hash(dot.replica, (dot.counter >> 32) as u32);
                *index.find(hash, |&at| self.list[at as usize].is_for(dot))?
            }
        };
        Some(Packed::new(page, dot))
    }

    /// The packed form of a dot, whose page is now used once more.
    pub(super) fn pack(&mut self, dot: Dot) -> Packed {
        if let Some(packed) = self.find(dot) {
            self.list[packed.page()].used += 1;
            return packed;
        }
        let page = Page { replica: dot.replica, high: (dot.counter >> 32) as u32, used: 1 };
        let at = if self.unused > 0 {
            let at = self.free;
            self.free = std::mem::replace(&mut self.list[at as usize], page).high;
            self.unused -= 1;
            at
        } else {
            self.list.push(page);
            self.list.len() as u32 - 1
        };
        match &mut self.index {
            Some(index) => index_page(index, &self.list, at),
            None if self.list.len() > SCANNED => self.index = Some(Box::new(index_of(&self.list))),
            None => {}
        }
        Packed::new(at, dot)
    }

    /// Says that a packed dot is no longer used.
    pub(super) fn release(&mut self, packed: Packed) {
        let at = packed.page();
        let page = &mut self.list[at];
        page.used -= 1;
        if page.used > 0 {
            return;
        }
        let hash = Page::hash(page.replica, page.high);
        if let Some(Ok(found)) = self.index.as_mut().map(|index| index.find_entry(hash, |&held| held as usize == at)) {
            found.remove();
        }
        self.list[at].high = std::mem::replace(&mut self.free, at as u32);
        self.unused += 1;
        if self.unused as usize == self.list.len() {
            *self = Self::default();
        }
    }

    /// How many pages are kept for nothing.
    pub(super) fn unused(&self) -> usize {
        self.unused as usize
    }

    /// How many pages are in use.
    pub(super) fn in_use(&self) -> usize {
        self.list.len() - self.unused()
    }
}

fn index_of(list: &[Page]) -> HashTable<u32> {
    let mut index = HashTable::with_capacity(list.len());
    for (at, _) in (0u32..).zip(list).filter(|(_, page)| page.used > 0) {
        index_page(&mut index, list, at);
    }
    index
}

fn index_page(index: &mut HashTable<u32>, list: &[Page], at: u32) {
    let hash = |&at: &u32| {
        let page = list[at as usize];
        Page::hash(page.replica, page.high)
    };
    index.insert_unique(hash(&at), at, hash);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_come_back_as_they_were() {
        let mut pages = Pages::default();
        let dots: Vec<Dot> = (0..40u64)
            .flat_map(|n| [1, LOW, LOW + 1, Dot::MAX_COUNTER].map(|counter| Dot::new(ReplicaId(mix(1, n)), counter)))
            .collect();
        let packed: Vec<Packed> = dots.iter().map(|&dot| pages.pack(dot)).collect();
        assert_eq!(pages.in_use(), 40 * 3, "one page holds the first two");
        for (&dot, &packed) in dots.iter().zip(&packed) {
            assert_eq!((pages.unpack(packed), pages.find(dot)), (dot, Some(packed)));
        }
        packed.iter().for_each(|&packed| pages.release(packed));
        assert_eq!((pages.in_use(), pages.unused(), pages.find(dots[0])), (0, 0, None));
    }

    #[test]
    fn a_free_page_is_used_again() {
        let mut pages = Pages::default();
        let kept = pages.pack(Dot::new(ReplicaId(1), 1));
        for n in 2..100 {
            let packed = pages.pack(Dot::new(ReplicaId(n), 1));
            pages.release(packed);
        }
        assert_eq!((pages.in_use(), pages.unused()), (1, 1));
        assert_eq!(pages.unpack(kept), Dot::new(ReplicaId(1), 1));
    }
}
