//! What has become of an addition to a base set, as a derived set sees it: live, filtered out, or removed.
//!
//! The original's provenance set told these apart by a set of events that were filtered out, into which its operators
//! also put removed ones and from which they left out others. Here nothing is kept for it. Removed is what the base
//! says: seen there, and no longer living. Filtered out is the rest of what lives and supports nothing here: a predicate
//! left it out, a pair lacks its other half, or a function had no result for it. So an element that is filtered out today
//! may come back tomorrow (with its partner), while a removed one never does.

use super::{BaseId, Derived, Event, Support};
use crate::context::DotSet;
use crate::dot::Dot;
use std::hash::Hash;

/// What a derived set knows of one addition to one of its bases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventStatus {
    /// It was never heard of. (It may be under way.)
    Unseen,
    /// It is not known to be removed, and takes part in this many supports here. It may not have been seen itself: a
    /// support that arrives before what is known of its base counts.
    Live(usize),
    /// It was seen and lives in its base, and supports nothing here.
    Filtered,
    /// It was removed from its base, or superseded there; for ever.
    Removed,
}

impl<E> Derived<E> {
    /// What has become of the addition that minted `dot` in `base`. Cost: a search among the ranges of the dot's replica.
    ///
    /// ```
    /// use lasp_crdt::{AwSet, BaseId, Derived, Dot, EventStatus, Lattice, ReplicaId};
    ///
    /// let (base, writer) = (BaseId::of("numbers"), ReplicaId(1));
    /// let mut numbers = AwSet::new();
    /// numbers.merge(numbers.add_all(writer, [1, 2, 3]));
    /// numbers.merge(numbers.remove(&3));
    /// let odd = Derived::of(base, &numbers).filter(|n| n % 2 == 1);
    ///
    /// let status = |counter| odd.status(base, Dot::new(writer, counter));
    /// assert_eq!(status(1), EventStatus::Live(1));
    /// assert_eq!(status(2), EventStatus::Filtered);
    /// assert_eq!(status(3), EventStatus::Removed);
    /// assert_eq!(status(4), EventStatus::Unseen);
    /// ```
    pub fn status(&self, base: BaseId, dot: Dot) -> EventStatus {
        let known = self.bases.get(&base);
        match self.store.count_supported(Event::new(base, dot)) {
            _ if known.is_some_and(|known| known.is_dead(dot)) => EventStatus::Removed,
            0 if known.is_some_and(|known| known.live().contains(dot)) => EventStatus::Filtered,
            0 => EventStatus::Unseen,
            supports => EventStatus::Live(supports),
        }
    }

    /// The dots of `base` that live and support nothing here. Cost: the number of events that support something here,
    /// and the ranges of what lives in the base. (Those removed are `base(id).dead()`.)
    pub fn filtered(&self, base: BaseId) -> DotSet {
        let Some(known) = self.bases.get(&base) else { return DotSet::new() };
        let supporting = self.store.events().filter(|event| event.base == base).map(|event| event.dot);
        known.live().difference(&supporting.collect())
    }
}

impl<E: Clone + Ord + Hash> Derived<E> {
    /// What the addition that minted `dot` in `base` supports, in an order that depends on the set's history. Cost: as
    /// many steps as there are such supports.
    pub fn supported_by(&self, base: BaseId, dot: Dot) -> impl Iterator<Item = (&E, &Support)> {
        self.store.supported_by(Event::new(base, dot))
    }
}
