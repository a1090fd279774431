//! Why an element of a derived set is there: the base events that it was computed from.

use crate::dot::Dot;
use crate::fingerprint::{self, mix};
use smallvec::SmallVec;
use std::hash::Hash;

/// A base set, as every replica calls it: a stable hash of its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BaseId(pub u64);

impl BaseId {
    /// The id of the base with this name.
    pub fn of<N: Hash + ?Sized>(name: &N) -> Self {
        Self(fingerprint::hash(name))
    }
}

/// One addition to one base set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Event {
    /// The base set.
    pub base: BaseId,
    /// The dot that the addition minted there.
    pub dot: Dot,
}

impl Event {
    /// The addition that minted `dot` in `base`.
    pub const fn new(base: BaseId, dot: Dot) -> Self {
        Self { base, dot }
    }

    /// A stable hash.
    pub(crate) fn digest(self) -> u64 {
        mix(mix(self.base.0, self.dot.replica.0), self.dot.counter)
    }
}

/// A conjunction of events, sorted and without repetition: it holds while every one of them lives. The empty one
/// always holds.
///
/// ```
/// use lasp_crdt::{BaseId, Dot, ReplicaId, Support};
///
/// let milk = Support::event(BaseId::of("shopping"), Dot::new(ReplicaId(1), 4));
/// let price = Support::event(BaseId::of("prices"), Dot::new(ReplicaId(2), 9));
/// let pair = milk.and(&price);
/// assert_eq!(pair.events().len(), 2);
/// assert_eq!(pair.and(&milk), pair);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Support(SmallVec<[Event; 2]>);

impl Support {
    /// The support that always holds: the element comes from inputs that only grow.
    pub fn always() -> Self {
        Self::default()
    }

    /// The support of one event: an element of a base set, or its image.
    pub fn event(base: BaseId, dot: Dot) -> Self {
        Self([Event::new(base, dot)].into_iter().collect())
    }

    /// The events, ascending.
    pub fn events(&self) -> &[Event] {
        &self.0
    }

    /// What holds while both hold: the support of a pair.
    pub fn and(&self, other: &Self) -> Self {
        self.0.iter().chain(&other.0).copied().collect()
    }

    /// A stable hash.
    pub(crate) fn digest(&self) -> u64 {
        self.0.iter().fold(SEED, |sum, event| mix(sum, event.digest()))
    }
}

/// What the empty support hashes to. Arbitrary.
const SEED: u64 = 0x1a5b;

/// Sorts and drops repetitions.
impl FromIterator<Event> for Support {
    fn from_iter<I: IntoIterator<Item = Event>>(events: I) -> Self {
        let mut events: SmallVec<[Event; 2]> = events.into_iter().collect();
        events.sort_unstable();
        events.dedup();
        Self(events)
    }
}
