//! The elements of an add-wins set with their dots: a dense list, found by element and by dot.
//!
//! A list of a few entries (nearly every delta) is scanned and has no index; a longer one has two hash tables of
//! 32-bit positions. Hashes are the stable ones of [`crate::fingerprint`]; the order of a table never shows.
//! It knows nothing of contexts.

use crate::dot::Dot;
use crate::fingerprint::{hash, mix};
use hashbrown::HashTable;
use smallvec::SmallVec;
use std::hash::Hash;

/// Up to how many entries a scan replaces the index. A guess, near where scan and look-up cost the same.
const SCANNED: usize = 8;

/// One element, present because of its dots.
#[derive(Clone, Debug)]
pub(super) struct Entry<E> {
    pub(super) element: E,
    /// The stable hash of `element`.
    pub(super) hash: u64,
    /// Ascending, at least one (but for a moment within a merge).
    pub(super) dots: SmallVec<[Dot; 1]>,
}

/// Entries in the order of their insertion (a removal moves the last one into the gap).
#[derive(Clone, Debug)]
pub(super) struct Entries<E> {
    list: SmallVec<[Entry<E>; 1]>,
    /// Over all entries once there were more than [`SCANNED`].
    index: Option<Box<Index>>,
    dots: usize,
    fingerprint: u64,
}

#[derive(Clone, Debug, Default)]
struct Index {
    by_element: HashTable<u32>,
    by_dot: HashTable<DotSlot>,
}

/// Where a dot is. Two dots of one entry may have equal slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct DotSlot {
    entry: u32,
    hash: u32,
}

impl DotSlot {
    fn new(dot: Dot, at: usize) -> Self {
        Self { entry: position(at), hash: dot_hash(dot) as u32 }
    }

    /// Spreads the kept half of the hash over the bits that the table looks at.
    fn spread(self) -> u64 {
        u64::from(self.hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

fn position(at: usize) -> u32 {
    u32::try_from(at).expect("a set holds fewer than 2^32 elements")
}

fn dot_hash(dot: Dot) -> u64 {
    mix(dot.replica.0, dot.counter)
}

/// The share of one element's dot in the fingerprint.
fn part(element: u64, dot: Dot) -> u64 {
    mix(element, dot_hash(dot))
}

impl<E> Default for Entries<E> {
    fn default() -> Self {
        Self { list: SmallVec::new(), index: None, dots: 0, fingerprint: 0 }
    }
}

impl<E> Entries<E> {
    pub(super) fn as_slice(&self) -> &[Entry<E>] {
        &self.list
    }

    pub(super) fn into_iter(self) -> impl Iterator<Item = Entry<E>> {
        self.list.into_iter()
    }

    /// How many dots all entries have together.
    pub(super) fn dot_count(&self) -> usize {
        self.dots
    }

    pub(super) fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Position of the entry that holds `dot`.
    pub(super) fn find_dot(&self, dot: Dot) -> Option<usize> {
        let Some(index) = &self.index else {
            return self.list.iter().position(|entry| entry.dots.contains(&dot));
        };
        let probe = DotSlot::new(dot, 0);
        let is_it = |slot: &DotSlot| slot.hash == probe.hash && self.list[slot.entry as usize].dots.contains(&dot);
        index.by_dot.find(probe.spread(), is_it).map(|slot| slot.entry as usize)
    }

    /// Takes `dot` from the entry at `at`, which may be hollow then: without any dot. The caller sees to it that no
    /// entry stays so.
    pub(super) fn take_dot(&mut self, at: usize, dot: Dot) {
        let Entry { hash, dots, .. } = &mut self.list[at];
        dots.retain(|held| *held != dot);
        if dots.spilled() && dots.len() == 1 {
            dots.shrink_to_fit();
        }
        self.dots -= 1;
        self.fingerprint = self.fingerprint.wrapping_sub(part(*hash, dot));
        if let Some(index) = &mut self.index {
            index.remove_dot(dot, at);
        }
    }

    /// Removes those of the entries at these positions that are hollow.
    pub(super) fn remove_hollow(&mut self, positions: impl Iterator<Item = usize>) {
        let mut hollow: SmallVec<[usize; 2]> = positions.filter(|&at| self.list[at].dots.is_empty()).collect();
        hollow.sort_unstable();
        hollow.dedup();
        // From the end, so that what moves into a gap is never hollow and never to be removed.
        for &at in hollow.iter().rev() {
            let last = self.list.len() - 1;
            if let Some(index) = &mut self.index {
                index.remove_element(self.list[at].hash, at);
                if at != last {
                    index.relocate(&self.list[last], last, at);
                }
            }
            self.list.swap_remove(at);
        }
        if !hollow.is_empty() {
            self.shrink();
        }
    }

    /// Gives memory back once three quarters of it are unused.
    fn shrink(&mut self) {
        let len = self.list.len();
        if self.list.capacity() <= 64 || len * 4 > self.list.capacity() {
            return;
        }
        // Not below twice the length, so that the next insertion does not grow it again.
        let spare = self.list.capacity() - len * 2;
        let mut list = SmallVec::with_capacity(self.list.capacity() - spare);
        list.append(&mut self.list);
        self.list = list;
        self.index = (len > SCANNED).then(|| Box::new(Index::over(&self.list)));
    }
}

impl<E: Eq + Hash> Entries<E> {
    /// Position of the entry of `element`, whose hash is `hash`.
    pub(super) fn find(&self, element: &E, hash: u64) -> Option<usize> {
        let is_it = |entry: &Entry<E>| entry.hash == hash && entry.element == *element;
        let Some(index) = &self.index else {
            return self.list.iter().position(is_it);
        };
        index.by_element.find(hash, |&at| is_it(&self.list[at as usize])).map(|&at| at as usize)
    }

    pub(super) fn get(&self, element: &E) -> Option<&Entry<E>> {
        self.find(element, hash(element)).map(|at| &self.list[at])
    }

    /// Whether the entry of an element equal to that of `entry` holds `dot`.
    pub(super) fn holds(&self, entry: &Entry<E>, dot: Dot) -> bool {
        let Some(at) = self.find_dot(dot) else {
            return false;
        };
        self.list[at].hash == entry.hash && self.list[at].element == entry.element
    }

    /// Adds dots to an element, and tells `on` of each; `true` if there was any. They must be in no entry.
    pub(super) fn insert(
        &mut self,
        element: E,
        hash: u64,
        dots: impl IntoIterator<Item = Dot>,
        mut on: impl FnMut(&E, Dot),
    ) -> bool {
        let mut dots = dots.into_iter().peekable();
        if dots.peek().is_none() {
            return false;
        }
        let at = match self.find(&element, hash) {
            Some(at) => at,
            None => self.push(element, hash),
        };
        for dot in dots {
            self.add_dot(at, dot);
            on(&self.list[at].element, dot);
        }
        true
    }

    /// Appends an entry, which has no dot yet.
    fn push(&mut self, element: E, hash: u64) -> usize {
        let at = self.list.len();
        self.list.push(Entry { element, hash, dots: SmallVec::new() });
        if let Some(index) = &mut self.index {
            let list = &self.list;
            index.by_element.insert_unique(hash, position(at), |&other| list[other as usize].hash);
        }
        at
    }

    fn add_dot(&mut self, at: usize, dot: Dot) {
        let Entry { hash, dots, .. } = &mut self.list[at];
        dots.insert(dots.partition_point(|held| *held < dot), dot);
        self.dots += 1;
        self.fingerprint = self.fingerprint.wrapping_add(part(*hash, dot));
        if let Some(index) = &mut self.index {
            index.insert_dot(dot, at);
        } else if self.list.len() > SCANNED {
            self.index = Some(Box::new(Index::over(&self.list)));
        }
    }
}

impl Index {
    fn over<E>(list: &[Entry<E>]) -> Self {
        let dots = list.iter().map(|entry| entry.dots.len()).sum();
        let mut index =
            Self { by_element: HashTable::with_capacity(list.len()), by_dot: HashTable::with_capacity(dots) };
        for (at, entry) in list.iter().enumerate() {
            index.by_element.insert_unique(entry.hash, position(at), |&other| list[other as usize].hash);
            for &dot in &entry.dots {
                index.insert_dot(dot, at);
            }
        }
        index
    }

    fn insert_dot(&mut self, dot: Dot, at: usize) {
        let slot = DotSlot::new(dot, at);
        self.by_dot.insert_unique(slot.spread(), slot, |slot| slot.spread());
    }

    fn remove_dot(&mut self, dot: Dot, at: usize) {
        let slot = DotSlot::new(dot, at);
        if let Ok(found) = self.by_dot.find_entry(slot.spread(), |held| *held == slot) {
            found.remove();
        }
    }

    fn remove_element(&mut self, hash: u64, at: usize) {
        let at = position(at);
        if let Ok(found) = self.by_element.find_entry(hash, |&held| held == at) {
            found.remove();
        }
    }

    /// The entry at `from` moves to `to`.
    fn relocate<E>(&mut self, entry: &Entry<E>, from: usize, to: usize) {
        let old = position(from);
        if let Some(held) = self.by_element.find_mut(entry.hash, |&held| held == old) {
            *held = position(to);
        }
        for &dot in &entry.dots {
            let slot = DotSlot::new(dot, from);
            if let Some(held) = self.by_dot.find_mut(slot.spread(), |held| *held == slot) {
                held.entry = position(to);
            }
        }
    }
}
