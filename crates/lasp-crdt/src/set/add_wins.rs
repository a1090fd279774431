//! The add-wins set: elements can be removed and added again; of a concurrent add and removal, the add wins.
//!
//! Sources: Bieniusa et al., "An Optimized Conflict-free Replicated Set" (2012), for the absence of tombstones;
//! Almeida et al., "Delta State Replicated Data Types" (JPDC'18), for its deltas. An add mints a dot; a removal
//! covers the dots it has observed with the context, and leaves nothing else behind. It knows no names and no peers.

mod elements;
mod pages;
mod store;
mod wire;

pub use elements::Elements;

use crate::context::DotSet;
use crate::dot::{Dot, ReplicaId};
use crate::dotted::{DotStore, Dotted, View};
use crate::fingerprint;
use smallvec::SmallVec;
use std::hash::Hash;
use std::ops::Deref;
use store::Report;

/// An add-wins set.
///
/// State: pairs of an element and a dot, and the causal context, which covers every dot ever heard of. Merging keeps a
/// pair that both sides hold, or that one holds and the other has never heard of. A delta is such a set, whose
/// context covers just the dots it speaks of. Queries are those of [`Elements`].
///
/// Adds, removals and look-ups take O(1); merging takes time proportional to the delta.
///
/// ```
/// use lasp_crdt::{AwSet, Lattice, ReplicaId};
///
/// let (a, b) = (ReplicaId(1), ReplicaId(2));
/// let mut left = AwSet::new();
/// left.merge(left.add(a, "milk"));
/// let mut right = left.clone();
///
/// // One side removes the element while the other adds it again.
/// left.merge(left.remove(&"milk"));
/// right.merge(right.add(b, "milk"));
/// left.merge(right);
/// assert!(left.contains(&"milk"));
/// ```
pub type AwSet<E> = Dotted<Elements<E>>;

/// What a merge did to the dots of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetChange<E> {
    /// The dot was unknown, and now keeps the element in the set.
    Live(E, Dot),
    /// The dot kept the element in the set, and no longer does.
    Dead(E, Dot),
}

/// The dots of one element, ascending.
#[derive(Clone, Debug, Default)]
pub struct Dots {
    dots: SmallVec<[Dot; 1]>,
    next: usize,
}

impl Dots {
    fn new(dots: impl Iterator<Item = Dot>) -> Self {
        let mut dots: SmallVec<[Dot; 1]> = dots.collect();
        dots.sort_unstable();
        Self { dots, next: 0 }
    }
}

/// Those not yet taken.
impl Deref for Dots {
    type Target = [Dot];

    fn deref(&self) -> &[Dot] {
        &self.dots[self.next..]
    }
}

impl<const N: usize> PartialEq<[Dot; N]> for Dots {
    fn eq(&self, other: &[Dot; N]) -> bool {
        **self == other[..]
    }
}

impl Iterator for Dots {
    type Item = Dot;

    fn next(&mut self) -> Option<Dot> {
        let dot = *self.first()?;
        self.next += 1;
        Some(dot)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = (**self).len();
        (len, Some(len))
    }
}

impl ExactSizeIterator for Dots {}

impl<E: Ord> Elements<E> {
    /// The elements, ascending. Cost: n·log n.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &E> {
        let mut all: SmallVec<[&E; 4]> = self.unordered().collect();
        all.sort_unstable();
        all.into_iter()
    }

    /// The elements with their dots, ascending. Cost: n·log n.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&E, Dots)> {
        let mut all: SmallVec<[(&E, usize); 4]> = self.unordered().zip(0..).collect();
        all.sort_unstable();
        all.into_iter().map(|(element, at)| (element, self.dots_at(at)))
    }
}

impl<E: Clone + Ord + Hash> View<'_, Elements<E>> {
    /// The delta that adds `element`: one new dot, which supersedes those that the element has here.
    pub fn add(self, replica: ReplicaId, element: E) -> AwSet<E> {
        let mut delta = AwSet::new();
        if let Some(dot) = self.mint(replica) {
            self.add_to(&mut delta, dot, element);
        }
        delta
    }

    /// The delta that adds every one of `elements`, each once.
    pub fn add_all(self, replica: ReplicaId, elements: impl IntoIterator<Item = E>) -> AwSet<E> {
        let mut delta = AwSet::new();
        let Some(mut next) = self.mint(replica) else { return delta };
        for element in elements {
            next.counter += u64::from(self.add_to(&mut delta, next, element));
        }
        delta
    }

    /// Puts the addition of `element` under `dot` into `delta`, unless it is there; `true` if it was not.
    fn add_to(self, delta: &mut AwSet<E>, dot: Dot, element: E) -> bool {
        let (elements, context) = delta.parts_mut();
        let hash = fingerprint::hash(&element);
        if dot.counter > Dot::MAX_COUNTER || elements.find(&element, hash).is_some() {
            return false;
        }
        if let Some(at) = self.store().find(&element, hash) {
            context.extend(self.store().dots_at(at));
        }
        context.insert(dot);
        elements.insert(element, hash, dot);
        true
    }

    /// The delta that removes `element`: the dots that it has here, covered. Bottom if it is absent.
    pub fn remove(self, element: &E) -> AwSet<E> {
        self.remove_all([element])
    }

    /// The delta that removes every one of `elements`.
    pub fn remove_all<'e>(self, elements: impl IntoIterator<Item = &'e E>) -> AwSet<E>
    where
        E: 'e,
    {
        let dots = elements.into_iter().flat_map(|element| self.store().dots(element)).collect();
        Dotted::from_raw(Elements::default(), dots)
    }
}

impl<E: Clone + Ord + Hash> AwSet<E> {
    /// The set of these elements, each under a dot, that has heard of these dots and those of `context`. Of two
    /// elements under one dot, it takes the first; dots of retired replicas are dead.
    ///
    /// # Panics
    /// If a dot's counter is 0 or above [`Dot::MAX_COUNTER`].
    pub fn from_parts(entries: impl IntoIterator<Item = (E, Dot)>, context: DotSet) -> Self {
        let mut set = Self::from_raw(Elements::default(), context);
        let (elements, context) = set.parts_mut();
        for (element, dot) in entries {
            if elements.find_dot(dot).is_none() && !context.is_retired(dot.replica) {
                context.insert(dot);
                let hash = fingerprint::hash(&element);
                elements.insert(element, hash, dot);
            }
        }
        set
    }

    /// The delta that adds `element`: one new dot, which supersedes those that the element has here.
    pub fn add(&self, replica: ReplicaId, element: E) -> Self {
        self.view().add(replica, element)
    }

    /// The delta that adds every one of `elements`, each once.
    pub fn add_all(&self, replica: ReplicaId, elements: impl IntoIterator<Item = E>) -> Self {
        self.view().add_all(replica, elements)
    }

    /// The delta that removes `element`: the dots that it has here, covered. Bottom if it is absent.
    pub fn remove(&self, element: &E) -> Self {
        self.view().remove(element)
    }

    /// The delta that removes every one of `elements`.
    pub fn remove_all<'a>(&self, elements: impl IntoIterator<Item = &'a E>) -> Self
    where
        E: 'a,
    {
        self.view().remove_all(elements)
    }

    /// Merges `other` in, and tells `on` which dots came to life (first) and which died. `true` if `self` grew, which
    /// may happen without either: a removal of something that was never here widens the context.
    /// Cost: the size of `other`.
    pub fn merge_with(&mut self, other: Self, mut on: impl FnMut(SetChange<&E>)) -> bool {
        self.merge_reporting_all(other, |report| {
            if let Report::Dot(change) = report {
                on(change);
            }
        })
    }

    /// Merges `other` in, and tells `on` which elements came (`true`) and went, each once. `true` if `self` grew.
    /// Cost: the size of `other`.
    ///
    /// ```
    /// use lasp_crdt::{AwSet, Lattice, ReplicaId};
    ///
    /// let mut set = AwSet::new();
    /// set.merge(set.add(ReplicaId(1), "milk"));
    /// let mut news = set.add(ReplicaId(1), "milk");
    /// news.merge(set.add(ReplicaId(2), "bread"));
    /// let mut moved = Vec::new();
    /// set.merge_members(news, |element, came| moved.push((*element, came)));
    /// assert_eq!(moved, [("bread", true)]);
    /// ```
    pub fn merge_members(&mut self, other: Self, mut on: impl FnMut(&E, bool)) -> bool {
        self.merge_reporting_all(other, |report| match report {
            Report::Came(element) => on(element, true),
            Report::Went(element) => on(element, false),
            Report::Dot(_) => {}
        })
    }

    fn merge_reporting_all(&mut self, other: Self, mut on: impl FnMut(Report<&E>)) -> bool {
        let (elements, context) = self.parts_mut();
        let (theirs, their_context) = other.into_parts();
        let changed = elements.join_reporting(context, theirs, &their_context, &mut on);
        let grown = context.merge_folding(their_context);
        if grown.folded {
            // Rare: see `Dotted::merge_reporting`.
            for dot in elements.live().dots().filter(|dot| context.is_retired(dot.replica)) {
                if let Some(at) = elements.find_dot(dot) {
                    let element = elements.element_at(at).clone();
                    on(Report::Dot(SetChange::Dead(&element, dot)));
                    elements.kill(dot);
                    if !elements.contains(&element) {
                        on(Report::Went(&element));
                    }
                }
            }
        }
        grown.grew || changed
    }
}
