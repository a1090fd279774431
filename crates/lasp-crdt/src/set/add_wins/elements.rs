//! The elements of an add-wins set with their dots: a dense list, found by element and by dot.
//!
//! An entry is an element and one packed dot; the further dots of the few elements that have several lie aside. A list
//! of a few entries (nearly every delta) is scanned and has no index; a longer one has two hash tables of 32-bit positions.
//! So a large set costs, beside its elements, 8 bytes for each dot and between 11 and 23 for the tables. The order of a
//! table never shows.

use super::Dots;
use super::pages::{Packed, Pages};
use crate::dense::Dense;
use crate::dot::Dot;
use crate::fingerprint::{hash, mix};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::hash::Hash;

/// Up to how many entries a scan replaces the index. A guess, near where scan and look-up cost the same.
const SCANNED: usize = 8;

#[derive(Clone, Debug)]
struct Item<E> {
    element: E,
    /// [`Packed::NONE`] for a moment within a merge: the entry is hollow.
    dot: Packed,
}

/// The elements of an add-wins set: a [dot store](crate::DotStore) in which every element has at least one dot.
#[derive(Clone)]
pub struct Elements<E> {
    list: Dense<Item<E>>,
    /// Over all entries once there were more than [`SCANNED`].
    index: Option<Box<Index>>,
    /// `None` where no element has several dots.
    further: Option<Box<Further>>,
    pages: Pages,
    dots: usize,
    fingerprint: u64,
}

/// Positions by element, and by the dot that lies in the entry.
#[derive(Clone, Debug, Default)]
struct Index {
    by_element: HashTable<u32>,
    by_dot: HashTable<u32>,
}

/// The dots that do not lie in the entries.
#[derive(Clone, Debug, Default)]
struct Further {
    /// By position; none is empty.
    dots: BTreeMap<u32, SmallVec<[Packed; 1]>>,
    positions: BTreeMap<Packed, u32>,
}

fn position(at: usize) -> u32 {
    u32::try_from(at).expect("a set holds fewer than 2^32 elements")
}

/// The share of one element's dot in the fingerprint.
fn part(element: u64, dot: Dot) -> u64 {
    mix(element, mix(dot.replica.0, dot.counter))
}

impl<E> Default for Elements<E> {
    fn default() -> Self {
        let (list, pages) = (Dense::default(), Pages::default());
        Self { list, index: None, further: None, pages, dots: 0, fingerprint: 0 }
    }
}

impl<E> Elements<E> {
    /// How many elements.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is no element (the set may still know of removed ones).
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The elements, in an order that depends on the set's history. Cost: n.
    pub fn unordered(&self) -> impl Iterator<Item = &E> {
        self.list.iter().map(|entry| &entry.element)
    }

    /// The elements with their dots, in an order that depends on the set's history. Cost: n.
    pub fn unordered_entries(&self) -> impl Iterator<Item = (&E, Dots)> {
        self.list.iter().enumerate().map(|(at, entry)| (&entry.element, self.dots_at(at)))
    }

    pub(super) const fn total_dots(&self) -> usize {
        self.dots
    }

    pub(super) const fn additive_fingerprint(&self) -> u64 {
        self.fingerprint
    }

    pub(super) fn element_at(&self, at: usize) -> &E {
        &self.list.get(at).element
    }

    /// The dots of the entry at a position, ascending.
    pub(super) fn dots_at(&self, at: usize) -> Dots {
        Dots::new(self.packed_at(at).map(|packed| self.pages.unpack(packed)))
    }

    fn packed_at(&self, at: usize) -> impl Iterator<Item = Packed> {
        let first = Some(self.list.get(at).dot).filter(|&dot| dot != Packed::NONE);
        let further = self.further.as_ref().and_then(|further| further.dots.get(&position(at)));
        first.into_iter().chain(further.into_iter().flatten().copied())
    }

    /// Position of the entry that holds `dot`.
    pub(super) fn find_dot(&self, dot: Dot) -> Option<usize> {
        let packed = self.pages.find(dot)?;
        let first = match &self.index {
            None => self.list.iter().position(|entry| entry.dot == packed),
            Some(index) => {
                let found = index.by_dot.find(packed.spread(), |&at| self.list.get(at as usize).dot == packed);
                found.map(|&at| at as usize)
            }
        };
        first.or_else(|| self.further.as_ref()?.positions.get(&packed).map(|&at| at as usize))
    }

    /// Every dot with its position, in an order that depends on the set's history.
    pub(super) fn positions(&self) -> impl Iterator<Item = (Dot, usize)> {
        let first = self.list.iter().enumerate().map(|(at, entry)| (entry.dot, at));
        let further = self.further.iter().flat_map(|further| further.positions.iter());
        let all = first.chain(further.map(|(&packed, &at)| (packed, at as usize)));
        all.map(|(packed, at)| (self.pages.unpack(packed), at))
    }

    /// Calls `each` with every element and each of its dots.
    pub(super) fn consume(self, mut each: impl FnMut(E, Dot))
    where
        E: Clone,
    {
        let Self { mut list, further, pages, .. } = self;
        if list.len() == 1 && further.is_none() {
            let Item { element, dot } = list.swap_remove(0);
            return each(element, pages.unpack(dot));
        }
        for (at, Item { element, dot }) in list.into_iter().enumerate() {
            if let Some(further) = &further {
                for &packed in further.dots.get(&position(at)).into_iter().flatten() {
                    each(element.clone(), pages.unpack(packed));
                }
            }
            each(element, pages.unpack(dot));
        }
    }
}

impl<E: Eq + Hash> Elements<E> {
    /// Whether `element` is in the set. Cost: O(1).
    pub fn contains(&self, element: &E) -> bool {
        self.find(element, hash(element)).is_some()
    }

    /// The dots that keep `element` in the set, ascending; none if it is absent. Cost: O(1).
    pub fn dots(&self, element: &E) -> Dots {
        self.find(element, hash(element)).map_or_else(Dots::default, |at| self.dots_at(at))
    }

    /// Position of the entry of `element`, whose hash is `hash`.
    pub(super) fn find(&self, element: &E, hash: u64) -> Option<usize> {
        match &self.index {
            None => self.list.iter().position(|entry| entry.element == *element),
            Some(index) => {
                let found = index.by_element.find(hash, |&at| self.list.get(at as usize).element == *element);
                found.map(|&at| at as usize)
            }
        }
    }

    /// Whether `dot` keeps `element` in the set.
    pub(super) fn holds(&self, element: &E, dot: Dot) -> bool {
        self.find_dot(dot).is_some_and(|at| self.list.get(at).element == *element)
    }

    /// Adds a dot, which must be in no entry, to an element. Returns the entry's position.
    pub(super) fn insert(&mut self, element: E, hash: u64, dot: Dot) -> usize {
        let packed = self.pages.pack(dot);
        self.dots += 1;
        self.fingerprint = self.fingerprint.wrapping_add(part(hash, dot));
        let at = match self.find_or_index(&element, hash) {
            Ok(at) => at,
            Err(at) => {
                self.push(element, packed);
                return at;
            }
        };
        if self.list.get(at).dot == Packed::NONE {
            self.list.get_mut(at).dot = packed;
            self.index_dot(at, packed);
        } else {
            let further = self.further.get_or_insert_default();
            further.dots.entry(position(at)).or_default().push(packed);
            further.positions.insert(packed, position(at));
        }
        at
    }

    /// As [`find`](Self::find); the position of an element that is not here is the next one, and it is in the index by
    /// element, if there is one, already.
    fn find_or_index(&mut self, element: &E, hash: u64) -> Result<usize, usize> {
        let list = &self.list;
        let Some(index) = &mut self.index else {
            return list.iter().position(|entry| entry.element == *element).ok_or(list.len());
        };
        let is_it = |&at: &u32| list.get(at as usize).element == *element;
        match index.by_element.entry(hash, is_it, |&other| element_hash(list, other)) {
            Entry::Occupied(found) => Ok(*found.get() as usize),
            Entry::Vacant(gap) => {
                gap.insert(position(list.len()));
                Err(list.len())
            }
        }
    }

    /// Appends an element that [`find_or_index`](Self::find_or_index) did not find.
    fn push(&mut self, element: E, dot: Packed) {
        self.list.push(Item { element, dot });
        let (list, at) = (&self.list, self.list.len() - 1);
        match &self.index {
            Some(_) => self.index_dot(at, dot),
            None if at >= SCANNED => self.index = Some(Box::new(Index::over(list, list.len()))),
            None => {}
        }
    }

    fn index_dot(&mut self, at: usize, dot: Packed) {
        if let Some(index) = &mut self.index {
            let list = &self.list;
            index.by_dot.insert_unique(dot.spread(), position(at), |&other| list.get(other as usize).dot.spread());
        }
    }

    fn unindex_dot(&mut self, at: usize, dot: Packed) {
        if let Some(index) = &mut self.index
            && let Ok(found) = index.by_dot.find_entry(dot.spread(), |&held| held == position(at))
        {
            found.remove();
        }
    }

    /// Makes room for further elements, each with a dot.
    pub(super) fn reserve(&mut self, further: usize) {
        let list = &self.list;
        match &mut self.index {
            None if list.len() + further <= SCANNED => {}
            None => self.index = Some(Box::new(Index::over(list, list.len() + further))),
            Some(index) => {
                index.by_element.reserve(further, |&at| element_hash(list, at));
                index.by_dot.reserve(further, |&at| list.get(at as usize).dot.spread());
            }
        }
    }

    /// Takes `dot` from the entry at `at`, which may be hollow then. The caller sees to it that no entry stays so.
    pub(super) fn take_dot(&mut self, at: usize, dot: Dot) {
        let Some(packed) = self.pages.find(dot) else { return };
        let is_first = self.list.get(at).dot == packed;
        let successor = self.take_further(at, (!is_first).then_some(packed));
        if is_first {
            self.unindex_dot(at, packed);
            self.list.get_mut(at).dot = successor.unwrap_or(Packed::NONE);
            if let Some(successor) = successor {
                self.index_dot(at, successor);
            }
        }
        self.pages.release(packed);
        self.dots -= 1;
        self.fingerprint = self.fingerprint.wrapping_sub(part(hash(&self.list.get(at).element), dot));
    }

    /// Takes this further dot from an entry, or any.
    fn take_further(&mut self, at: usize, dot: Option<Packed>) -> Option<Packed> {
        let further = self.further.as_mut()?;
        let dots = further.dots.get_mut(&position(at))?;
        let taken = match dot {
            Some(dot) => dots.remove(dots.iter().position(|&held| held == dot)?),
            None => dots.pop()?,
        };
        further.positions.remove(&taken);
        if dots.is_empty() {
            further.dots.remove(&position(at));
        }
        if further.dots.is_empty() {
            self.further = None;
        }
        Some(taken)
    }

    /// Removes those of the entries at these positions that are hollow, and tells `gone` of which elements.
    pub(super) fn remove_hollow(&mut self, positions: impl Iterator<Item = usize>, mut gone: impl FnMut(&E)) {
        let mut hollow: SmallVec<[usize; 2]> = positions.filter(|&at| self.list.get(at).dot == Packed::NONE).collect();
        hollow.sort_unstable();
        hollow.dedup();
        // From the end, so that what moves into a gap is never hollow and never to be removed.
        for &at in hollow.iter().rev() {
            gone(self.element_at(at));
            self.remove_entry(at);
        }
        if !hollow.is_empty() {
            self.shrink();
        }
    }

    /// Removes a hollow entry; the last one moves into the gap.
    fn remove_entry(&mut self, at: usize) {
        let (old, new) = (position(self.list.len() - 1), position(at));
        let list = &self.list;
        if let Some(index) = &mut self.index {
            if let Ok(found) = index.by_element.find_entry(element_hash(list, new), |&held| held == new) {
                found.remove();
            }
            if let Some(held) = index.by_element.find_mut(element_hash(list, old), |&held| held == old) {
                *held = new;
            }
            if let Some(held) = index.by_dot.find_mut(list.get(old as usize).dot.spread(), |&held| held == old) {
                *held = new;
            }
        }
        if let Some(further) = &mut self.further
            && let Some(dots) = further.dots.remove(&old)
        {
            for &dot in &dots {
                further.positions.insert(dot, new);
            }
            further.dots.insert(new, dots);
        }
        self.list.swap_remove(at);
    }

    /// Gives memory back once three quarters of it are unused.
    fn shrink(&mut self) {
        let list = &self.list;
        if list.is_empty() {
            *self = Self::default();
            return;
        }
        if let Some(index) = &mut self.index {
            let len = list.len();
            // Not below twice the length, so that the next insertion does not grow it again.
            if index.by_element.capacity() > 64 && len * 4 <= index.by_element.capacity() {
                index.by_element.shrink_to(len * 2, |&at| element_hash(list, at));
                index.by_dot.shrink_to(len * 2, |&at| list.get(at as usize).dot.spread());
            }
            if len <= SCANNED / 2 {
                self.index = None;
            }
        }
        if self.pages.unused() > 64 && self.pages.unused() > (self.pages.in_use() * 3).max(self.dots / 4) {
            self.repack();
        }
    }

    /// Numbers the pages anew, without gaps.
    fn repack(&mut self) {
        let old = std::mem::take(&mut self.pages);
        for at in 0..self.list.len() {
            let entry = self.list.get_mut(at);
            entry.dot = self.pages.pack(old.unpack(entry.dot));
        }
        if let Some(further) = &mut self.further {
            further.positions.clear();
            for (&at, dots) in &mut further.dots {
                for packed in dots {
                    *packed = self.pages.pack(old.unpack(*packed));
                    further.positions.insert(*packed, at);
                }
            }
        }
        let list = &self.list;
        if let Some(index) = &mut self.index {
            index.by_dot = dot_table(list, list.len() * 2);
        }
    }
}

impl Index {
    fn over<E: Hash>(list: &Dense<Item<E>>, room: usize) -> Self {
        let mut by_element = HashTable::with_capacity(room);
        for at in 0..position(list.len()) {
            by_element.insert_unique(element_hash(list, at), at, |&other| element_hash(list, other));
        }
        Self { by_element, by_dot: dot_table(list, room) }
    }
}

fn dot_table<E>(list: &Dense<Item<E>>, room: usize) -> HashTable<u32> {
    let mut by_dot = HashTable::with_capacity(room);
    for (at, entry) in (0u32..).zip(list.iter()).filter(|(_, entry)| entry.dot != Packed::NONE) {
        by_dot.insert_unique(entry.dot.spread(), at, |&other| list.get(other as usize).dot.spread());
    }
    by_dot
}

fn element_hash<E: Hash>(list: &Dense<Item<E>>, at: u32) -> u64 {
    hash(&list.get(at as usize).element)
}
