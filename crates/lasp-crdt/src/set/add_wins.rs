//! The add-wins set: elements can be removed and added again; of a concurrent add and removal, the add wins.
//!
//! Sources: Bieniusa et al., "An Optimized Conflict-free Replicated Set" (2012), for the absence of tombstones;
//! Almeida et al., "Delta State Replicated Data Types" (JPDC'18), for its deltas. An add mints a dot; a removal
//! covers the dots it has observed with the context, and leaves nothing else behind. It knows no names and no peers.

mod entries;
mod wire;

use crate::causal::Causal;
use crate::context::DotSet;
use crate::dot::{Dot, ReplicaId};
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};
use entries::{Entries, Entry};
use smallvec::SmallVec;
use std::fmt;
use std::hash::Hash;

/// An add-wins set.
///
/// State: pairs of an element and a dot, and the causal context, which covers every dot ever heard of. Merging keeps a
/// pair that both sides hold, or that one holds and the other has never heard of. A delta is such a set, whose
/// context covers just the dots it speaks of.
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
#[derive(Clone)]
pub struct AwSet<E> {
    entries: Entries<E>,
    /// Covers every dot in `entries`.
    context: DotSet,
}

/// What a merge did to the dots of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetChange<E> {
    /// The dot was unknown, and now keeps the element in the set.
    Live(E, Dot),
    /// The dot kept the element in the set, and no longer does.
    Dead(E, Dot),
}

impl<E> AwSet<E> {
    /// The empty set that knows of no dot.
    pub fn new() -> Self {
        Self { entries: Entries::default(), context: DotSet::new() }
    }

    /// How many elements.
    pub fn len(&self) -> usize {
        self.entries.as_slice().len()
    }

    /// Whether there is no element (the context may still know of removed ones).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every dot that the set has heard of, of present and of removed elements.
    pub fn context(&self) -> &DotSet {
        &self.context
    }

    /// The dots of present elements. Cost: n·log n.
    pub fn live(&self) -> DotSet {
        self.entries.as_slice().iter().flat_map(|entry| entry.dots.iter().copied()).collect()
    }
}

impl<E: Clone + Ord + Hash> AwSet<E> {
    /// Whether `element` is in the set.
    pub fn contains(&self, element: &E) -> bool {
        self.entries.get(element).is_some()
    }

    /// The dots that keep `element` in the set, ascending; none if it is absent.
    pub fn dots(&self, element: &E) -> &[Dot] {
        self.entries.get(element).map_or(&[], |entry| entry.dots.as_slice())
    }

    /// The elements, ascending. Cost: n·log n.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &E> {
        self.sorted().into_iter().map(|entry| &entry.element)
    }

    /// The elements with their dots, ascending. Cost: n·log n.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&E, &[Dot])> {
        self.sorted().into_iter().map(|entry| (&entry.element, entry.dots.as_slice()))
    }

    /// The elements, in an order that depends on the set's history. Cost: n.
    pub fn unordered(&self) -> impl ExactSizeIterator<Item = &E> {
        self.entries.as_slice().iter().map(|entry| &entry.element)
    }

    /// The elements with their dots, in an order that depends on the set's history. Cost: n.
    pub fn unordered_entries(&self) -> impl ExactSizeIterator<Item = (&E, &[Dot])> {
        self.entries.as_slice().iter().map(|entry| (&entry.element, entry.dots.as_slice()))
    }

    /// The set of these elements, each under a dot, that has heard of these dots and those of `context`. Of two
    /// elements under one dot, it takes the first.
    ///
    /// # Panics
    /// If a dot's counter is 0.
    pub fn from_parts(entries: impl IntoIterator<Item = (E, Dot)>, context: DotSet) -> Self {
        let mut set = Self { entries: Entries::default(), context };
        for (element, dot) in entries {
            if set.entries.find_dot(dot).is_none() {
                set.context.insert(dot);
                let hash = fingerprint::hash(&element);
                set.entries.insert(element, hash, [dot], |_, _| ());
            }
        }
        set
    }

    fn sorted(&self) -> SmallVec<[&Entry<E>; 4]> {
        let mut all: SmallVec<[&Entry<E>; 4]> = self.entries.as_slice().iter().collect();
        all.sort_unstable_by(|a, b| a.element.cmp(&b.element));
        all
    }

    /// The delta that adds `element`: one new dot, which supersedes those that the element has here.
    pub fn add(&self, replica: ReplicaId, element: E) -> Self {
        let mut delta = Self::new();
        self.add_to(&mut delta, self.context.next(replica), element);
        delta
    }

    /// The delta that adds every one of `elements`, each once.
    pub fn add_all(&self, replica: ReplicaId, elements: impl IntoIterator<Item = E>) -> Self {
        let mut delta = Self::new();
        let mut next = self.context.next(replica);
        for element in elements {
            next.counter += u64::from(self.add_to(&mut delta, next, element));
        }
        delta
    }

    /// Puts the addition of `element` under `dot` into `delta`, unless it is there; `true` if it was not.
    fn add_to(&self, delta: &mut Self, dot: Dot, element: E) -> bool {
        let hash = fingerprint::hash(&element);
        if delta.entries.find(&element, hash).is_some() {
            return false;
        }
        if let Some(at) = self.entries.find(&element, hash) {
            delta.context.extend(self.entries.as_slice()[at].dots.iter().copied());
        }
        delta.context.insert(dot);
        delta.entries.insert(element, hash, [dot], |_, _| ());
        true
    }

    /// The delta that removes `element`: the dots that it has here, covered. Bottom if it is absent.
    pub fn remove(&self, element: &E) -> Self {
        self.remove_all([element])
    }

    /// The delta that removes every one of `elements`.
    pub fn remove_all<'a>(&self, elements: impl IntoIterator<Item = &'a E>) -> Self
    where
        E: 'a,
    {
        let context = elements.into_iter().flat_map(|element| self.dots(element).iter().copied()).collect();
        Self { entries: Entries::default(), context }
    }

    /// Merges `other` in, and tells `on` which dots came to life (first) and which died. `true` if `self` grew, which
    /// may happen without either: a removal of something that was never here widens the context.
    /// Cost: the size of `other`.
    pub fn merge_with(&mut self, other: Self, mut on: impl FnMut(SetChange<&E>)) -> bool {
        let dying = self.dying(&other);
        let mut grew = !dying.is_empty();
        for &(at, dot) in &dying {
            self.entries.take_dot(at, dot);
        }
        // An element that lost its last dot keeps its place until the end: it may get a new dot.
        for Entry { element, hash, dots } in other.entries.into_iter() {
            let fresh = dots.into_iter().filter(|&dot| !self.context.contains(dot));
            grew |= self.entries.insert(element, hash, fresh, |element, dot| on(SetChange::Live(element, dot)));
        }
        for &(at, dot) in &dying {
            on(SetChange::Dead(&self.entries.as_slice()[at].element, dot));
        }
        self.entries.remove_hollow(dying.into_iter().map(|(at, _)| at));
        self.context.merge(other.context) || grew
    }

    /// The dots here, ascending, that `other` has heard of and does not hold for the same element, each behind the
    /// position of its entry. Cost: the common dots of both contexts or the dots here, whichever are fewer.
    fn dying(&self, other: &Self) -> SmallVec<[(usize, Dot); 2]> {
        let common = other.context.intersection(&self.context);
        let stays = |entry: &Entry<E>, dot| other.entries.holds(entry, dot);
        if common.len() <= self.entries.dot_count() as u64 {
            let here = common.dots().filter_map(|dot| Some((self.entries.find_dot(dot)?, dot)));
            return here.filter(|&(at, dot)| !stays(&self.entries.as_slice()[at], dot)).collect();
        }
        let mut dying = SmallVec::new();
        for (at, entry) in self.entries.as_slice().iter().enumerate() {
            let lost = entry.dots.iter().filter(|&&dot| common.contains(dot) && !stays(entry, dot));
            dying.extend(lost.map(|&dot| (at, dot)));
        }
        dying.sort_unstable_by_key(|&(_, dot)| dot);
        dying
    }

    /// The part of `self` outside `context`, and on top the removal of `dead` dots.
    fn beyond(&self, context: &DotSet, dead: &DotSet) -> Self {
        let mut part = Self { entries: Entries::default(), context: self.context.difference(context) };
        let mut keep = |entry: &Entry<E>, dot| {
            part.entries.insert(entry.element.clone(), entry.hash, [dot], |_, _| ());
        };
        if part.context.len() <= self.entries.dot_count() as u64 {
            for (dot, at) in part.context.dots().filter_map(|dot| Some((dot, self.entries.find_dot(dot)?))) {
                keep(&self.entries.as_slice()[at], dot);
            }
        } else {
            for entry in self.entries.as_slice() {
                for &dot in entry.dots.iter().filter(|&&dot| part.context.contains(dot)) {
                    keep(entry, dot);
                }
            }
        }
        part.context.union_with(dead);
        part
    }
}

impl<E> Default for AwSet<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Clone + Ord + Hash> PartialEq for AwSet<E> {
    fn eq(&self, other: &Self) -> bool {
        let same = |entry: &Entry<E>| other.entries.get(&entry.element).is_some_and(|theirs| entry.dots == theirs.dots);
        self.fingerprint() == other.fingerprint()
            && self.context == other.context
            && self.len() == other.len()
            && self.entries.as_slice().iter().all(same)
    }
}

impl<E: Clone + Ord + Hash> Eq for AwSet<E> {}

/// Elements with their dots, ascending, then the context.
impl<E: Clone + Ord + Hash + fmt::Debug> fmt::Debug for AwSet<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Entries<'a, E>(&'a AwSet<E>);
        impl<E: Clone + Ord + Hash + fmt::Debug> fmt::Debug for Entries<'_, E> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_map().entries(self.0.entries()).finish()
            }
        }
        f.debug_struct("AwSet").field("entries", &Entries(self)).field("context", &self.context).finish()
    }
}

impl<E: Clone + Ord + Hash> Lattice for AwSet<E> {
    fn merge(&mut self, other: Self) -> bool {
        if self.is_bottom() {
            let grew = !other.is_bottom();
            *self = other;
            return grew;
        }
        self.merge_with(other, |_| ())
    }

    /// Cost: the ranges of both contexts, and the dots of the smaller set.
    fn leq(&self, other: &Self) -> bool {
        self.context.is_subset(&other.context) && other.dying(self).is_empty()
    }

    fn is_bottom(&self) -> bool {
        self.context.is_empty()
    }
}

impl<E: Clone + Ord + Hash> Decompose for AwSet<E> {
    /// One part per dot: with its element if it lives, without if it is dead. Cost: the number of dots ever seen; the
    /// iterator is lazy.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        self.context.dots().map(|dot| {
            let mut part = Self { entries: Entries::default(), context: DotSet::single(dot) };
            if let Some(at) = self.entries.find_dot(dot) {
                let entry = &self.entries.as_slice()[at];
                part.entries.insert(entry.element.clone(), entry.hash, [dot], |_, _| ());
            }
            part
        })
    }
}

impl<E: Clone + Ord + Hash> Delta for AwSet<E> {
    /// The context and the live dots, without elements.
    type Digest = Causal;

    fn digest(&self) -> Causal {
        Causal::from_parts(self.context.clone(), self.live())
    }

    fn delta(&self, since: &Causal) -> Self {
        let mut dead = since.live().intersection(&self.context);
        dead.subtract(&self.live());
        self.beyond(since.seen(), &dead)
    }

    fn difference(&self, known: &Self) -> Self {
        self.beyond(&known.context, &known.dying(self).into_iter().map(|(_, dot)| dot).collect())
    }
}

impl<E> Fingerprint for AwSet<E> {
    fn fingerprint(&self) -> u64 {
        self.context.fingerprint().wrapping_add(self.entries.fingerprint())
    }
}
