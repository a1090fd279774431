//! The remove-wins set: elements can be removed and added again; of a concurrent add and removal, the removal wins.
//!
//! Source: Almeida et al., "Delta State Replicated Data Types" (JPDC'18), §7.4.4: for each element, the dots of its
//! additions and those of its removals; every operation covers what it has observed of both. So that a removal can win
//! against an addition it has not seen, it leaves a dot behind, also for an element that is absent. Those dots go with
//! the next addition, or when everybody has seen them ([`RwSet::forget_removed`]).

mod sides;

pub use sides::Sides;

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::context::DotSet;
use crate::dot::{Dot, ReplicaId};
use crate::dotted::{DecodeStore, DotChange, DotStore, Dotted, EncodeStore, View};
use crate::fingerprint::Fingerprint;
use crate::map::add_wins::{Key, Keys};
use std::fmt;

/// A remove-wins set. Queries are those of [`RwElements`].
///
/// Adds, removals and look-ups take O(1); merging takes time proportional to the delta.
///
/// ```
/// use lasp_crdt::{Lattice, ReplicaId, RwSet};
///
/// let (a, b) = (ReplicaId(1), ReplicaId(2));
/// let mut left = RwSet::new();
/// left.merge(left.add(a, "guest"));
/// let mut right = left.clone();
///
/// // One side removes the element while the other adds it again.
/// left.merge(left.remove(a, "guest"));
/// right.merge(right.add(b, "guest"));
/// left.merge(right);
/// assert!(!left.contains(&"guest"));
///
/// // Who adds it having seen that it was removed has it back.
/// left.merge(left.add(b, "guest"));
/// assert!(left.contains(&"guest"));
/// ```
pub type RwSet<E> = Dotted<RwElements<E>>;

/// The elements of a remove-wins set, and what is left of those that were removed: a [dot store](DotStore).
pub struct RwElements<E>(Keys<E, Dotted<Sides>>);

impl<E> RwElements<E> {
    /// How many elements. Cost: O(1).
    pub fn len(&self) -> usize {
        self.0.present()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many removed elements the set still knows of.
    pub fn removed_len(&self) -> usize {
        self.0.len() - self.0.present()
    }

    /// The elements of which an addition or a removal is remembered, in an order that depends on the set's history. Cost: n.
    pub fn known(&self) -> impl Iterator<Item = &E> {
        self.0.unordered().map(|(element, _)| element)
    }

    /// The elements, in an order that depends on the set's history. Cost: n, and the removed ones.
    pub fn unordered(&self) -> impl Iterator<Item = &E> {
        self.0.unordered().filter(|(_, sides)| sides.is_present()).map(|(element, _)| element)
    }
}

impl<E: Key> RwElements<E> {
    /// Whether `element` is in the set. Cost: O(1).
    pub fn contains(&self, element: &E) -> bool {
        self.0.get(element).is_some_and(Sides::is_present)
    }

    /// The elements, ascending. Cost: n·log n.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &E> {
        let mut all: Vec<&E> = self.unordered().collect();
        all.sort_unstable();
        all.into_iter()
    }
}

impl<E: Key> View<'_, RwElements<E>> {
    /// The delta that adds `element`: a new dot among its additions, which supersedes all that the element has here.
    pub fn add(self, replica: ReplicaId, element: E) -> RwSet<E> {
        self.add_all(replica, [element])
    }

    /// The delta that adds every one of `elements`, each once.
    pub fn add_all(self, replica: ReplicaId, elements: impl IntoIterator<Item = E>) -> RwSet<E> {
        self.mark_all(replica, elements, Sides::added)
    }

    /// The delta that removes `element`: a new dot among its removals, which supersedes all that the element has here.
    pub fn remove(self, replica: ReplicaId, element: E) -> RwSet<E> {
        self.remove_all(replica, [element])
    }

    /// The delta that removes every one of `elements`, present or not.
    pub fn remove_all(self, replica: ReplicaId, elements: impl IntoIterator<Item = E>) -> RwSet<E> {
        self.mark_all(replica, elements, Sides::removed)
    }

    fn mark_all(
        self,
        replica: ReplicaId,
        elements: impl IntoIterator<Item = E>,
        mark: impl Fn(Dot) -> Sides,
    ) -> RwSet<E> {
        let mut delta = RwSet::new();
        let Some(mut next) = self.mint(replica) else { return delta };
        let (store, context) = delta.parts_mut();
        for element in elements {
            if store.0.contains_key(&element) || next.counter > Dot::MAX_COUNTER {
                continue;
            }
            if let Some(sides) = self.store().0.get(&element) {
                context.union_with(&sides.live());
            }
            context.insert(next);
            store.0.put(element, mark(next));
            next.counter += 1;
        }
        delta
    }

    /// The delta that forgets what is left of removed elements, as far as all of it is `stable`: dots that every replica
    /// has seen, as the contexts say of states that were all merged *here*. The value stays as it is here, and elsewhere
    /// if deltas arrive in causal order; in any order, all end up as without it.
    ///
    /// An acknowledgement of the dots alone would not do: a replica may have added an element before it saw the removal
    /// that beats this addition. In its state that addition came along. The stable dots are the intersection of the
    /// latest contexts received with states, one for each replica that writes; of one that has crashed, no delta may be
    /// on its way any more. Cost: n, and the removed elements.
    pub fn forget_removed(self, stable: &DotSet) -> RwSet<E> {
        let removed = self.store().0.unordered().filter(|(_, sides)| !sides.is_present());
        let mut dots = DotSet::new();
        for (_, sides) in removed {
            let all = sides.live();
            if all.is_subset(stable) {
                dots.union_with(&all);
            }
        }
        Dotted::from_raw(RwElements::default(), dots)
    }
}

impl<E: Key> RwSet<E> {
    /// The delta that adds `element`: a new dot among its additions, which supersedes all that the element has here.
    pub fn add(&self, replica: ReplicaId, element: E) -> Self {
        self.view().add(replica, element)
    }

    /// The delta that adds every one of `elements`, each once.
    pub fn add_all(&self, replica: ReplicaId, elements: impl IntoIterator<Item = E>) -> Self {
        self.view().add_all(replica, elements)
    }

    /// The delta that removes `element`: a new dot among its removals, which supersedes all that the element has here.
    pub fn remove(&self, replica: ReplicaId, element: E) -> Self {
        self.view().remove(replica, element)
    }

    /// The delta that removes every one of `elements`, present or not.
    pub fn remove_all(&self, replica: ReplicaId, elements: impl IntoIterator<Item = E>) -> Self {
        self.view().remove_all(replica, elements)
    }

    /// The delta that forgets what is left of removed elements, as far as all of it is `stable`: dots that every replica
    /// has seen, as the contexts say of states that were all merged *here*. The value stays as it is here, and elsewhere
    /// if deltas arrive in causal order; in any order, all end up as without it.
    ///
    /// An acknowledgement of the dots alone would not do: a replica may have added an element before it saw the removal
    /// that beats this addition. In its state that addition came along. The stable dots are the intersection of the
    /// latest contexts received with states, one for each replica that writes; of one that has crashed, no delta may be
    /// on its way any more. Cost: n, and the removed elements.
    pub fn forget_removed(&self, stable: &DotSet) -> Self {
        self.view().forget_removed(stable)
    }
}

impl<E> Default for RwElements<E> {
    fn default() -> Self {
        Self(Keys::default())
    }
}

impl<E: Clone> Clone for RwElements<E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<E: Key> PartialEq for RwElements<E> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<E: Key> Eq for RwElements<E> {}

impl<E: Key + fmt::Debug> fmt::Debug for RwElements<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: Key> Fingerprint for RwElements<E> {
    fn fingerprint(&self) -> u64 {
        self.0.fingerprint()
    }
}

impl<E: Key> DotStore for RwElements<E> {
    fn dot_count(&self) -> usize {
        self.0.dot_count()
    }

    fn holds_dot(&self, dot: Dot) -> bool {
        self.0.holds_dot(dot)
    }

    fn each_dot(&self, on: &mut dyn FnMut(Dot)) {
        self.0.each_dot(on);
    }

    fn join(&mut self, mine: &DotSet, other: Self, theirs: &DotSet, on: &mut dyn FnMut(DotChange)) -> bool {
        self.0.join(mine, other.0, theirs, on)
    }

    fn dying(&self, other: &Self, common: &DotSet, on: &mut dyn FnMut(Dot)) {
        self.0.dying(&other.0, common, on);
    }

    fn kill(&mut self, dot: Dot) -> bool {
        self.0.kill(dot)
    }

    fn within(&self, dots: &DotSet) -> Self {
        Self(self.0.within(dots))
    }
}

impl<E: Encode + Key> EncodeStore for RwElements<E> {
    fn encode_store(&self, live: &DotSet, flag: bool, w: &mut Writer<'_>) {
        self.0.encode_store(live, flag, w);
    }
}

impl<E: Decode + Key> DecodeStore for RwElements<E> {
    fn decode_store(r: &mut Reader<'_>, live: &mut DotSet) -> Result<(Self, bool), DecodeError> {
        Keys::decode_store(r, live).map(|(keys, flag)| (Self(keys), flag))
    }
}
