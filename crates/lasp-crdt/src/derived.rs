//! Sets computed from other sets, which can be merged: each element carries why it is there.
//!
//! Source: the provenance semiring set (`awset_ps`) of Meiklejohn and Van Roy's Lasp ("Lasp: A Language for
//! Distributed, Coordination-Free Programming", PPDP'15), after Green et al., "Provenance Semirings" (PODS'07).
//! Different here: the state remembers per base set which dots it has seen *and* which of them live, so that a
//! replica which saw only a removal still retracts what another derived. The operators are in `algebra`; who has others
//! says himself which elements have which support.

mod algebra;
mod status;
mod store;
mod support;
mod wire;

pub use algebra::Side;
pub use status::EventStatus;
pub use support::{BaseId, Event, Support};

use crate::causal::Causal;
use crate::context::DotSet;
use crate::dot::Dot;
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::Hash;
use store::Store;
pub use wire::DerivedDigest;

/// A derived set.
///
/// State: per base the dots seen and those that live, and pairs of an element and a [`Support`]. A support counts
/// while none of its events is known to be dead (seen, not live; an event that was never seen is not dead). Dead is
/// for ever, so the state drops such pairs at once. Merging merges the bases, unites the pairs and drops the dead
/// ones. A delta is such a set that says little.
///
/// ```
/// use lasp_crdt::{BaseId, Derived, Dot, Lattice, ReplicaId, Support};
///
/// let base = BaseId::of("numbers");
/// let dot = Dot::new(ReplicaId(1), 1);
/// // 21 was added to `numbers`; its image is 42.
/// let mut doubled = Derived::new();
/// doubled.see_live(base, dot);
/// doubled.add_support(42, Support::event(base, dot));
///
/// // Another replica has seen 21 go, and never knew what it was.
/// let mut elsewhere = Derived::new();
/// elsewhere.see(base, dot);
/// doubled.merge(elsewhere);
/// assert!(!doubled.contains(&42));
/// ```
#[derive(Clone)]
pub struct Derived<E> {
    /// None is bottom.
    bases: BTreeMap<BaseId, Causal>,
    bases_fingerprint: u64,
    /// No support in it has a dead event.
    store: Store<E>,
}

/// What a change did to a derived set. An element appears after its first support was gained, and vanishes after its
/// last one was lost; within a merge, gains come before losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DerivedChange<'a, E> {
    /// The element has one more support.
    Gained(&'a E, &'a Support),
    /// The element has one support less.
    Lost(&'a E, &'a Support),
    /// The element was not in the set, and is now.
    Appeared(&'a E),
    /// The element was in the set, and no longer is.
    Vanished(&'a E),
}

impl<E> Derived<E> {
    /// The empty set that knows of no base.
    pub fn new() -> Self {
        Self { bases: BTreeMap::new(), bases_fingerprint: 0, store: Store::default() }
    }

    /// How many elements.
    pub fn len(&self) -> usize {
        self.store.element_count()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is known of each base, ascending by id.
    pub fn bases(&self) -> impl Iterator<Item = (BaseId, &Causal)> {
        self.bases.iter().map(|(&id, base)| (id, base))
    }

    /// What is known of one base.
    pub fn base(&self, id: BaseId) -> Option<&Causal> {
        self.bases.get(&id)
    }

    /// How many pairs of an element and a support there are, and their fingerprint. O(1).
    pub fn support_count(&self) -> (usize, u64) {
        (self.store.support_count(), self.store.fingerprint())
    }

    fn is_dead(&self, event: Event) -> bool {
        self.bases.get(&event.base).is_some_and(|base| base.is_dead(event.dot))
    }

    fn counts(&self, support: &Support) -> bool {
        !support.events().iter().any(|&event| self.is_dead(event))
    }

    /// Changes what is known of a base, and keeps the fingerprint right.
    fn change_base(&mut self, id: BaseId, change: impl FnOnce(&mut Causal) -> bool) -> bool {
        let base = self.bases.entry(id).or_default();
        let before = base_part(id, base);
        let grew = change(base);
        self.bases_fingerprint = self.bases_fingerprint.wrapping_sub(before).wrapping_add(base_part(id, base));
        if base.is_bottom() {
            self.bases.remove(&id);
        }
        grew
    }
}

/// The share of one base in the fingerprint.
fn base_part(id: BaseId, base: &Causal) -> u64 {
    if base.is_bottom() { 0 } else { fingerprint::mix(id.0, base.fingerprint()) }
}

impl<E: Clone + Ord + Hash> Derived<E> {
    /// Whether `element` is in the set.
    pub fn contains(&self, element: &E) -> bool {
        self.store.contains(element)
    }

    /// The elements, ascending. Cost: n·log n.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &E> {
        let mut all: SmallVec<[&E; 4]> = self.store.elements().collect();
        all.sort_unstable();
        all.into_iter()
    }

    /// The supports of `element`, ascending. Cost: k·log k for k of them.
    pub fn supports(&self, element: &E) -> impl ExactSizeIterator<Item = &Support> {
        let mut all: SmallVec<[&Support; 4]> = self.store.supports_of(element).collect();
        all.sort_unstable();
        all.into_iter()
    }

    /// Every element with each of its supports, ascending. Cost: n·log n.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&E, &Support)> {
        let mut all: SmallVec<[(&E, &Support); 4]> = self.store.supports().map(|(e, s, _)| (e, s)).collect();
        all.sort_unstable();
        all.into_iter()
    }

    /// The elements, in an order that depends on the set's history. Cost: n.
    pub fn unordered(&self) -> impl Iterator<Item = &E> {
        self.store.elements()
    }

    /// Every element with each of its supports, in an order that depends on the set's history. Cost: n.
    pub fn unordered_entries(&self) -> impl Iterator<Item = (&E, &Support)> {
        self.store.supports().map(|(element, support, _)| (element, support))
    }

    /// The supports of `element`, in an order that depends on the set's history.
    pub fn unordered_supports(&self, element: &E) -> impl Iterator<Item = &Support> {
        self.store.supports_of(element)
    }

    /// Says that `element` is there while `support` holds; `true` if that is new. Without effect if an event of the
    /// support is known to be dead.
    pub fn add_support(&mut self, element: E, support: Support) -> bool {
        self.counts(&support) && self.store.insert(element, support, |_, _, _| ())
    }

    /// Says that `dot` of `base` was removed; `true` if that is new.
    pub fn see(&mut self, base: BaseId, dot: Dot) -> bool {
        let grew = self.change_base(base, |base| base.see(dot));
        self.drop_dead(Event::new(base, dot), &mut |_| ());
        grew
    }

    /// Says that `dot` was added to `base`; `true` if that is new. Without effect if it is known to be dead.
    pub fn see_live(&mut self, base: BaseId, dot: Dot) -> bool {
        self.change_base(base, |base| base.see_live(dot))
    }

    /// Says what is seen of `base` and which of it lives (a subset of `seen`); `true` if anything of it is new.
    pub fn see_all(&mut self, base: BaseId, seen: &DotSet, live: &DotSet) -> bool {
        let mut other = Self::new();
        other.change_base(base, |base| base.merge(Causal::from_parts(seen.clone(), live.clone())));
        self.merge(other)
    }

    /// Merges `other` in, and tells `on` what that did. `true` if `self` grew, which may happen without any report.
    /// Cost: the size of `other`, and of what it retracts.
    pub fn merge_with(&mut self, other: Self, mut on: impl FnMut(DerivedChange<'_, E>)) -> bool {
        let dying = self.dying(&other);
        let mut grew = false;
        for (id, base) in other.bases {
            grew |= self.change_base(id, |mine| mine.merge(base));
        }
        for (element, support) in other.store.into_supports() {
            grew |= self.counts(&support)
                && self.store.insert(element, support, |e, s, is_first| {
                    on(DerivedChange::Gained(e, s));
                    if is_first {
                        on(DerivedChange::Appeared(e));
                    }
                });
        }
        for event in dying {
            self.drop_dead(event, &mut on);
        }
        grew
    }

    fn drop_dead(&mut self, event: Event, on: &mut impl FnMut(DerivedChange<'_, E>)) {
        if !self.is_dead(event) {
            return;
        }
        while let Some(at) = self.store.next_supported(event) {
            self.store.remove(at, |e, s, was_last| {
                on(DerivedChange::Lost(e, s));
                if was_last {
                    on(DerivedChange::Vanished(e));
                }
            });
        }
    }

    /// The events that support something here and are dead in `other`, ascending. Cost: the ranges of `other`, and the
    /// dead dots in them that are news or the events here, whichever are fewer.
    fn dying(&self, other: &Self) -> SmallVec<[Event; 4]> {
        let dead = self.newly_dead(other);
        let count = dead.iter().fold(0u64, |sum, (_, dots)| sum.saturating_add(dots.len()));
        if count <= self.store.event_bound() as u64 {
            let events = dead.iter().flat_map(|(id, dots)| dots.dots().map(|dot| Event::new(*id, dot)));
            return events.filter(|&event| self.store.has_event(event)).collect();
        }
        let mut dying: SmallVec<[Event; 4]> = self.store.events().filter(|&event| other.is_dead(event)).collect();
        dying.sort_unstable();
        dying.dedup();
        dying
    }

    /// The dots that are dead in `other` and are not known to be dead here, where there are any. (Those that are support
    /// nothing.)
    fn newly_dead(&self, other: &Self) -> SmallVec<[(BaseId, DotSet); 2]> {
        let news = |(&id, base): (&BaseId, &Causal)| match self.bases.get(&id) {
            Some(known) => (id, base.delta(known).dead()),
            None => (id, base.dead()),
        };
        other.bases.iter().map(news).filter(|(_, dead)| !dead.is_empty()).collect()
    }

    /// What of `self` is news to one who knows `bases` and the supports for which `has` says so.
    fn beyond(&self, bases: &BTreeMap<BaseId, Causal>, has: impl Fn(&E, &Support, u64) -> bool) -> Self {
        let mut part = Self::new();
        let nothing = Causal::new();
        for (&id, base) in &self.bases {
            let news = base.delta(bases.get(&id).unwrap_or(&nothing));
            part.change_base(id, |base| base.merge(news));
        }
        let is_dead = |event: &Event| bases.get(&event.base).is_some_and(|base| base.is_dead(event.dot));
        for (element, support, identity) in self.store.supports() {
            if !has(element, support, identity) && !support.events().iter().any(is_dead) {
                part.store.insert(element.clone(), support.clone(), |_, _, _| ());
            }
        }
        part
    }
}

impl<E> Default for Derived<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Clone + Ord + Hash> PartialEq for Derived<E> {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint() == other.fingerprint()
            && self.bases == other.bases
            && self.store.support_count() == other.store.support_count()
            && self.store.supports().all(|(element, support, _)| other.store.holds(element, support))
    }
}

impl<E: Clone + Ord + Hash> Eq for Derived<E> {}

/// Elements with their supports, ascending, then the bases.
impl<E: Clone + Ord + Hash + fmt::Debug> fmt::Debug for Derived<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries: Vec<_> = self.entries().collect();
        f.debug_struct("Derived").field("entries", &entries).field("bases", &self.bases).finish()
    }
}

impl<E: Clone + Ord + Hash> Lattice for Derived<E> {
    fn merge(&mut self, other: Self) -> bool {
        if self.is_bottom() {
            let grew = !other.is_bottom();
            *self = other;
            return grew;
        }
        self.merge_with(other, |_| ())
    }

    fn leq(&self, other: &Self) -> bool {
        let bases = self.bases.iter().all(|(id, base)| other.bases.get(id).is_some_and(|theirs| base.leq(theirs)));
        bases && self.store.supports().all(|(e, s, _)| other.store.holds(e, s) || !other.counts(s))
    }

    fn is_bottom(&self) -> bool {
        self.bases.is_empty() && self.store.support_count() == 0
    }
}

impl<E: Clone + Ord + Hash> Decompose for Derived<E> {
    /// One part per dot seen of each base, and one per support. Cost: the number of dots ever seen; the iterator is
    /// lazy.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        let dots = self.bases.iter().flat_map(|(&id, base)| {
            base.decompose().map(move |dot| {
                let mut part = Self::new();
                part.change_base(id, |base| base.merge(dot));
                part
            })
        });
        dots.chain(self.store.supports().map(|(element, support, _)| {
            let mut part = Self::new();
            part.add_support(element.clone(), support.clone());
            part
        }))
    }
}

impl<E: Clone + Ord + Hash> Delta for Derived<E> {
    /// What is known of the bases, and a hash of each element with each of its supports.
    type Digest = DerivedDigest;

    fn digest(&self) -> DerivedDigest {
        let supports = self.store.supports().map(|(_, _, identity)| identity).collect();
        DerivedDigest { bases: self.bases.clone(), supports }
    }

    fn delta(&self, since: &DerivedDigest) -> Self {
        self.beyond(&since.bases, |_, _, identity| since.supports.contains(identity))
    }

    fn difference(&self, known: &Self) -> Self {
        self.beyond(&known.bases, |element, support, _| known.store.holds(element, support))
    }
}

impl<E> Fingerprint for Derived<E> {
    fn fingerprint(&self) -> u64 {
        self.bases_fingerprint.wrapping_add(self.store.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dot::ReplicaId;

    #[test]
    fn what_is_dead_on_both_sides_is_not_looked_at_again() {
        let (base, writer) = (BaseId(1), ReplicaId(1));
        let mut history = DotSet::new();
        history.insert_range(writer, 1, 1_000_000);
        let mut here = Derived::new();
        here.see_all(base, &history, &DotSet::new());
        let mut there = here.clone();
        for counter in [1_000_001, 1_000_002, 1_000_003] {
            here.see_live(base, Dot::new(writer, counter));
            here.add_support(counter, Support::event(base, Dot::new(writer, counter)));
        }
        assert!(here.newly_dead(&there).is_empty());
        // It has seen one of ours go, and one go that we never heard of.
        let gone: DotSet = [1_000_002, 1_000_005].map(|counter| Dot::new(writer, counter)).into_iter().collect();
        there.see_all(base, &gone, &DotSet::new());
        assert_eq!(here.newly_dead(&there)[..], [(base, gone)]);
        here.merge(there.clone());
        assert!(here.iter().eq(&[1_000_001, 1_000_003]));
        assert!(here.newly_dead(&there).is_empty());
    }
}
