//! The elements of a derived set with their supports, found by element, by support and by event.
//!
//! Adding or dropping one support costs O(events in it), also where an event supports, or an element has, very many:
//! each support knows its place in every list that names it. Small stores (nearly every delta) have no tables and are
//! scanned. It knows nothing of which events live.

use super::support::{Event, Support};
use crate::fingerprint::{hash, mix};
use crate::slab::Slab;
use hashbrown::HashTable;
use smallvec::{SmallVec, smallvec};
use std::hash::Hash;

/// Up to how many supports a scan replaces the index. A guess, as for the add-wins set.
const SCANNED: usize = 8;

/// Elements and supports. Positions in the slabs tie them together.
#[derive(Clone, Debug)]
pub(super) struct Store<E> {
    elements: Slab<Element<E>>,
    supports: Slab<Held>,
    /// Over everything once there were more than [`SCANNED`] supports.
    index: Option<Box<Index>>,
    fingerprint: u64,
}

#[derive(Clone, Debug)]
struct Element<E> {
    value: E,
    hash: u64,
    /// At least one.
    supports: SmallVec<[u32; 1]>,
}

/// One support of one element.
#[derive(Clone, Debug)]
struct Held {
    support: Support,
    /// The identity of the pair: a hash of element and support.
    identity: u64,
    element: u32,
    /// Where it is in its element's list.
    place: u32,
    /// Where it is in the index's list of each of its events; empty without an index.
    places: SmallVec<[u32; 2]>,
}

#[derive(Clone, Debug, Default)]
struct Index {
    elements: HashTable<u32>,
    supports: HashTable<u32>,
    events: HashTable<Supported>,
}

/// What an event supports.
#[derive(Clone, Debug)]
struct Supported {
    event: Event,
    supports: SmallVec<[u32; 2]>,
}

impl<E> Default for Store<E> {
    fn default() -> Self {
        Self { elements: Slab::default(), supports: Slab::default(), index: None, fingerprint: 0 }
    }
}

/// The identity of one support of one element, given the element's hash.
pub(super) fn identity(element: u64, support: &Support) -> u64 {
    mix(element, support.digest())
}

impl<E> Store<E> {
    pub(super) fn element_count(&self) -> usize {
        self.elements.len()
    }

    pub(super) fn support_count(&self) -> usize {
        self.supports.len()
    }

    pub(super) fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The elements, in no order that means anything.
    pub(super) fn elements(&self) -> impl Iterator<Item = &E> {
        self.elements.iter().map(|(_, element)| &element.value)
    }

    /// Every support with its element and identity, in no order that means anything.
    pub(super) fn supports(&self) -> impl Iterator<Item = (&E, &Support, u64)> {
        self.supports.iter().map(|(_, held)| (&self.elements.get(held.element).value, &held.support, held.identity))
    }

    /// The elements with their supports, in no order that means anything.
    pub(super) fn grouped(&self) -> impl Iterator<Item = (&E, impl Iterator<Item = &Support> + Clone)> {
        self.elements.iter().map(|(_, element)| {
            let supports = element.supports.iter().map(|&at| &self.supports.get(at).support);
            (&element.value, supports)
        })
    }

    /// Whether some support names `event`.
    pub(super) fn has_event(&self, event: Event) -> bool {
        match &self.index {
            Some(index) => index.find(event).is_some(),
            None => self.scan(event).next().is_some(),
        }
    }

    /// Every event that some support names, in no order that means anything; without an index also repeatedly.
    pub(super) fn events(&self) -> impl Iterator<Item = Event> {
        let indexed = self.index.iter().flat_map(|index| index.events.iter().map(|entry| entry.event));
        let scanned = self.index.is_none().then(|| self.supports.iter());
        indexed.chain(scanned.into_iter().flatten().flat_map(|(_, held)| held.support.events().iter().copied()))
    }

    /// How many supports name `event`.
    pub(super) fn count_supported(&self, event: Event) -> usize {
        match &self.index {
            Some(index) => index.find(event).map_or(0, |held| held.supports.len()),
            None => self.scan(event).count(),
        }
    }

    /// The supports that name `event`, with their elements, in no order that means anything.
    pub(super) fn supported_by(&self, event: Event) -> impl Iterator<Item = (&E, &Support)> {
        let indexed = self.index.as_ref().and_then(|index| index.find(event)).map(|held| held.supports.iter().copied());
        let scanned = self.index.is_none().then(|| self.scan(event));
        indexed.into_iter().flatten().chain(scanned.into_iter().flatten()).map(|at| {
            let held = self.supports.get(at);
            (&self.elements.get(held.element).value, &held.support)
        })
    }

    /// The supports that name `event`, found by looking at all.
    fn scan(&self, event: Event) -> impl Iterator<Item = u32> {
        self.supports.iter().filter(move |(_, held)| held.support.events().contains(&event)).map(|(at, _)| at)
    }

    /// How many events, at most.
    pub(super) fn event_bound(&self) -> usize {
        self.index.as_ref().map_or(SCANNED, |index| index.events.len())
    }

    /// One support that names `event`, to be dropped next.
    pub(super) fn next_supported(&self, event: Event) -> Option<u32> {
        match &self.index {
            Some(index) => index.find(event)?.supports.last().copied(),
            None => self.scan(event).next(),
        }
    }

    /// Drops the support at `at`; says of what element, and `true` if that was the element's last one.
    pub(super) fn remove(&mut self, at: u32, report: impl FnOnce(&E, &Support, bool)) {
        let held = self.supports.remove(at);
        self.fingerprint = self.fingerprint.wrapping_sub(held.identity);
        if let Some(index) = &mut self.index {
            index.remove_support(at, &held, &mut self.supports);
        }
        let element = self.elements.get_mut(held.element);
        element.supports.swap_remove(held.place as usize);
        if let Some(&moved) = element.supports.get(held.place as usize) {
            self.supports.get_mut(moved).place = held.place;
        }
        let is_last = element.supports.is_empty();
        report(&element.value, &held.support, is_last);
        if is_last {
            let gone = self.elements.remove(held.element);
            if let Some(index) = &mut self.index {
                remove(&mut index.elements, gone.hash, held.element);
            }
        }
        if self.supports.len() == 0 {
            self.index = None;
        }
    }

    fn find_support(&self, element: u32, identity: u64, support: &Support) -> bool {
        let is_it = |held: &Held| held.element == element && held.support == *support;
        match &self.index {
            Some(index) => index.supports.find(identity, |&at| is_it(self.supports.get(at))).is_some(),
            None => self.elements.get(element).supports.iter().any(|&at| is_it(self.supports.get(at))),
        }
    }

    fn build_index(&mut self) {
        let mut index = Index::default();
        for (at, element) in self.elements.iter() {
            index.elements.insert_unique(element.hash, at, |&other| self.elements.get(other).hash);
        }
        let all: Vec<u32> = self.supports.iter().map(|(at, _)| at).collect();
        for at in all {
            index.insert_support(at, &mut self.supports);
        }
        self.index = Some(Box::new(index));
    }
}

impl<E: Eq + Hash> Store<E> {
    fn find(&self, element: &E, hash: u64) -> Option<u32> {
        let is_it = |held: &Element<E>| held.hash == hash && held.value == *element;
        match &self.index {
            Some(index) => index.elements.find(hash, |&at| is_it(self.elements.get(at))).copied(),
            None => Some(self.elements.iter().find(|(_, held)| is_it(held))?.0),
        }
    }

    pub(super) fn contains(&self, element: &E) -> bool {
        self.find(element, hash(element)).is_some()
    }

    /// The supports of one element, in no order that means anything.
    pub(super) fn supports_of(&self, element: &E) -> impl Iterator<Item = &Support> {
        let at = self.find(element, hash(element));
        let list = at.map_or(&[][..], |at| &self.elements.get(at).supports);
        list.iter().map(|&at| &self.supports.get(at).support)
    }

    pub(super) fn holds(&self, element: &E, support: &Support) -> bool {
        let hash = hash(element);
        self.find(element, hash).is_some_and(|at| self.find_support(at, identity(hash, support), support))
    }

    /// Adds a support unless it is there; then says of what element, and `true` if it is the element's first one.
    pub(super) fn insert(&mut self, element: E, support: Support, report: impl FnOnce(&E, &Support, bool)) -> bool {
        let hash = hash(&element);
        let identity = identity(hash, &support);
        let known = self.find(&element, hash);
        if known.is_some_and(|at| self.find_support(at, identity, &support)) {
            return false;
        }
        let owner = known.unwrap_or_else(|| self.insert_element(element, hash));
        let supports = &mut self.elements.get_mut(owner).supports;
        let place = supports.len() as u32;
        let held = Held { support, identity, element: owner, place, places: smallvec![] };
        let at = self.supports.insert(held);
        supports.push(at);
        self.fingerprint = self.fingerprint.wrapping_add(identity);
        match &mut self.index {
            Some(index) => index.insert_support(at, &mut self.supports),
            None if self.supports.len() > SCANNED => self.build_index(),
            None => {}
        }
        report(&self.elements.get(owner).value, &self.supports.get(at).support, place == 0);
        true
    }

    fn insert_element(&mut self, value: E, hash: u64) -> u32 {
        let at = self.elements.insert(Element { value, hash, supports: smallvec![] });
        if let Some(index) = &mut self.index {
            let elements = &self.elements;
            index.elements.insert_unique(hash, at, |&other| elements.get(other).hash);
        }
        at
    }
}

impl<E: Clone> Store<E> {
    /// Takes everything apart.
    pub(super) fn into_supports(self) -> impl Iterator<Item = (E, Support)> {
        let elements = self.elements;
        self.supports.into_values().map(move |held| (elements.get(held.element).value.clone(), held.support))
    }
}

impl Index {
    fn find(&self, event: Event) -> Option<&Supported> {
        self.events.find(event.digest(), |held| held.event == event)
    }

    fn insert_support(&mut self, at: u32, supports: &mut Slab<Held>) {
        let identity = supports.get(at).identity;
        self.supports.insert_unique(identity, at, |&other| supports.get(other).identity);
        let held = supports.get_mut(at);
        held.places.clear();
        for &event in held.support.events() {
            let list = self.events.entry(event.digest(), |held| held.event == event, |held| held.event.digest());
            let list = list.or_insert_with(|| Supported { event, supports: smallvec![] }).into_mut();
            held.places.push(list.supports.len() as u32);
            list.supports.push(at);
        }
    }

    /// `held` was at `at` and is no longer in `supports`.
    fn remove_support(&mut self, at: u32, held: &Held, supports: &mut Slab<Held>) {
        remove(&mut self.supports, held.identity, at);
        for (&event, &place) in held.support.events().iter().zip(&held.places) {
            let Ok(mut entry) = self.events.find_entry(event.digest(), |list| list.event == event) else {
                continue;
            };
            let list = &mut entry.get_mut().supports;
            list.swap_remove(place as usize);
            if let Some(&moved) = list.get(place as usize) {
                let moved = supports.get_mut(moved);
                let which = moved.support.events().binary_search(&event);
                moved.places[which.expect("a list names supports that name its event")] = place;
            }
            if list.is_empty() {
                entry.remove();
            }
        }
    }
}

fn remove(table: &mut HashTable<u32>, hash: u64, at: u32) {
    if let Ok(entry) = table.find_entry(hash, |&held| held == at) {
        entry.remove();
    }
}
