//! Dot stores in their causal context: what all add-wins and remove-wins types have in common.
//!
//! Source: Almeida et al., "Delta State Replicated Data Types" (JPDC'18), §7: the lattice Causal⟨T⟩ of a dot store T and a
//! causal context. A dot in the context and not in the store is dead: seen, and gone for ever. So removals leave nothing
//! behind but their share of a range in the context. A store inside a map shares the context of the map
//! ([`View`] is a store seen in the context it lives in). It knows no elements.

mod wire;

pub(crate) use wire::add_live;
pub use wire::{DecodeStore, EncodeStore};

use crate::causal::Causal;
use crate::context::DotSet;
use crate::dot::{Dot, ReplicaId};
use crate::fingerprint::Fingerprint;
use crate::lattice::{Decompose, Delta, Lattice};
use smallvec::SmallVec;
use std::fmt;
use std::ops::Deref;
use thiserror::Error;

/// A container of live dots and of what they keep alive. No two places in a store hold the same dot.
pub trait DotStore: Clone + Default + PartialEq + Fingerprint {
    /// How many dots live here. Cost: O(1), or that of the ranges they make.
    fn dot_count(&self) -> usize;

    /// Whether `dot` lives here.
    fn holds_dot(&self, dot: Dot) -> bool;

    /// Tells `on` of every dot that lives here, in an order that depends on the store's history. Cost: n.
    fn each_dot(&self, on: &mut dyn FnMut(Dot));

    /// Whether what lives here counts as present to a reader; a store without dots does not.
    fn is_present(&self) -> bool {
        self.dot_count() > 0
    }

    /// The dots that live here. Cost: n·log n.
    fn live(&self) -> DotSet {
        let mut dots: SmallVec<[Dot; 4]> = SmallVec::new();
        self.each_dot(&mut |dot| dots.push(dot));
        dots.into_iter().collect()
    }

    /// Merges `other` in: dots live on if both hold them, or if one holds them and the other's context lacks them.
    /// `mine` and `theirs` are the contexts, before the merge; below a key of a map, `theirs` is no more of it than matters
    /// there. Tells `on` of every dot that comes to life or dies;
    /// `true` if there was any. Cost: the size of `other` and of `theirs`, at most that of all.
    fn join(&mut self, mine: &DotSet, other: Self, theirs: &DotSet, on: &mut dyn FnMut(DotChange)) -> bool;

    /// Tells `on` of every dot here that is in `common` and that `other` does not hold in the same place for the same
    /// thing. Cost: the dots of `common` or the dots here, whichever are fewer.
    fn dying(&self, other: &Self, common: &DotSet, on: &mut dyn FnMut(Dot));

    /// Removes a dot, and what it alone kept alive; `true` if it lived here.
    fn kill(&mut self, dot: Dot) -> bool;

    /// The part of the store that lives by `dots`. Cost: `dots` or the dots here, whichever are fewer.
    fn within(&self, dots: &DotSet) -> Self;
}

/// What a merge did to a dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DotChange {
    /// It was unknown, and now lives.
    Live(Dot),
    /// It lived, and no longer does.
    Dead(Dot),
}

/// A dot store in its causal context.
///
/// Merging takes time proportional to the delta. Two states whose fingerprints agree, that of the store and that of
/// the context, are taken to be equal and are not compared further.
#[derive(Clone, Default)]
pub struct Dotted<S> {
    store: S,
    /// Covers every dot in `store`.
    context: DotSet,
}

/// A dot store, seen in the causal context it lives in: on its own or inside a map.
#[derive(Debug)]
pub struct View<'a, S> {
    store: &'a S,
    context: &'a DotSet,
}

impl<S> Clone for View<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for View<'_, S> {}

impl<'a, S> View<'a, S> {
    pub(crate) const fn new(store: &'a S, context: &'a DotSet) -> Self {
        Self { store, context }
    }

    /// The store.
    pub const fn store(self) -> &'a S {
        self.store
    }

    /// Every dot that the whole has heard of, of present and of removed things.
    pub const fn context(self) -> &'a DotSet {
        self.context
    }

    /// Another store in the same context: a part of this one, or an empty one for what is not there yet.
    pub const fn of<'b, T>(self, store: &'b T) -> View<'b, T>
    where
        'a: 'b,
    {
        View { store, context: self.context }
    }

    /// A dot for a new event of `replica`; none if it was retired and can write no more.
    pub(crate) fn mint(self, replica: ReplicaId) -> Option<Dot> {
        let dot = self.context.next(replica);
        (!self.context.contains(dot)).then_some(dot)
    }
}

impl<S> Deref for View<'_, S> {
    type Target = S;

    fn deref(&self) -> &S {
        self.store
    }
}

impl<S> Deref for Dotted<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.store
    }
}

/// A replicated type that is a dot store in a causal context, so that it can be the value of an add-wins map.
pub trait CausalType: Sized {
    /// The store.
    type Store: DotStore;

    /// Takes the state apart.
    fn into_parts(self) -> (Self::Store, DotSet);
}

impl<S: DotStore> CausalType for Dotted<S> {
    type Store = S;

    fn into_parts(self) -> (S, DotSet) {
        (self.store, self.context)
    }
}

/// A replica cannot be retired while a dot of its lives; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("replica {replica} still keeps something alive by its event {dot}: remove or overwrite that first")]
pub struct StillLive {
    /// Who was to be retired.
    pub replica: ReplicaId,
    /// One of its live dots.
    pub dot: Dot,
}

impl<S: DotStore> Dotted<S> {
    /// The state that knows of no dot.
    pub fn new() -> Self {
        Self::default()
    }

    /// A store in a context, which comes to cover the dots in it. Dots of replicas retired there are dead.
    pub fn with_context(store: S, mut context: DotSet) -> Self {
        context.union_with(&store.live());
        let mut state = Self { store, context };
        if state.context.retired().next().is_some() {
            state.bury_retired();
        }
        state
    }

    /// Both parts; the context covers the dots of the store.
    pub fn into_parts(self) -> (S, DotSet) {
        (self.store, self.context)
    }

    /// Every dot that this has heard of, of present and of removed things.
    pub const fn context(&self) -> &DotSet {
        &self.context
    }

    /// The store.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The dots of what is present. Cost: n·log n.
    pub fn live(&self) -> DotSet {
        self.store.live()
    }

    /// The store in its context.
    pub const fn view(&self) -> View<'_, S> {
        View::new(&self.store, &self.context)
    }

    /// The delta that removes all that is observed here. Cost: n·log n.
    pub fn clear(&self) -> Self {
        Self { store: S::default(), context: self.store.live() }
    }

    /// The delta that folds away what the context says of a replica that will never write again: what of its events
    /// does not live here is dead. Only one who has seen all that the replica wrote may say so. Retired ids that follow
    /// one another cost one range together. Cost: the replica's events or the dots here, whichever are fewer.
    ///
    /// # Errors
    /// [`StillLive`] if a dot of the replica lives here.
    pub fn retire(&self, replica: ReplicaId) -> Result<Self, StillLive> {
        if let Some(dot) = self.live_dot_of(replica) {
            return Err(StillLive { replica, dot });
        }
        let mut delta = Self::default();
        delta.context.retire(replica);
        Ok(delta)
    }

    /// The first live dot of a replica.
    fn live_dot_of(&self, replica: ReplicaId) -> Option<Dot> {
        if self.context.is_retired(replica) {
            return None;
        }
        let ranges = || self.context.ranges_of(replica);
        let events = ranges().fold(0u64, |sum, r| sum.saturating_add(r.end - r.start + 1));
        if events <= self.store.dot_count() as u64 {
            let mut dots = ranges().flat_map(|r| r.start..=r.end).map(|n| Dot::new(replica, n));
            return dots.find(|&dot| self.store.holds_dot(dot));
        }
        let mut first: Option<Dot> = None;
        self.store.each_dot(&mut |dot| {
            if dot.replica == replica && first.is_none_or(|first| dot < first) {
                first = Some(dot);
            }
        });
        first
    }

    /// Merges `other` in, and tells `on` which dots came to life and which died. `true` if `self` grew, which may happen
    /// without either: a removal of something that was never here widens the context. Cost: the size of `other`.
    pub fn merge_reporting(&mut self, other: Self, on: &mut dyn FnMut(DotChange)) -> bool {
        let changed = self.store.join(&self.context, other.store, &other.context, on);
        let context = self.context.merge_folding(other.context);
        if context.folded {
            self.bury_retired().dots().for_each(|dot| on(DotChange::Dead(dot)));
        }
        context.grew || changed
    }

    /// Kills what lives of retired replicas: that one was retired may come in parts, none of which names what lives here.
    /// Cost: n·log n.
    fn bury_retired(&mut self) -> DotSet {
        let dead: DotSet = self.live().dots().filter(|dot| self.context.is_retired(dot.replica)).collect();
        dead.dots().for_each(|dot| _ = self.store.kill(dot));
        dead
    }

    /// What this says of those of `dots` that it has heard of: what lives by them, and that the others are dead. A delta of
    /// this state. Cost: that of `dots` or of the dots here, whichever are fewer.
    #[must_use]
    pub fn saying_of(&self, dots: &DotSet) -> Self {
        let context = dots.intersection(&self.context);
        Self { store: self.store.within(&context), context }
    }

    /// Which dots [`delta`](Delta::delta) speaks of. Cost: the ranges of both, and n·log n.
    pub fn dots_beyond(&self, since: &Causal) -> DotSet {
        let mut dots = since.live().intersection(&self.context);
        if !dots.is_empty() {
            dots.subtract(&self.store.live());
        }
        dots.union_with(&self.context.difference(since.seen()));
        dots
    }

    pub(crate) const fn parts_mut(&mut self) -> (&mut S, &mut DotSet) {
        (&mut self.store, &mut self.context)
    }

    pub(crate) const fn from_raw(store: S, context: DotSet) -> Self {
        Self { store, context }
    }

    fn fingerprints(&self) -> (u64, u64) {
        (self.store.fingerprint(), self.context.fingerprint())
    }

    /// The part of `self` that lives by dots outside `known`, and on top the death of `dead` dots.
    fn beyond(&self, known: &DotSet, dead: &DotSet) -> Self {
        let mut context = self.context.difference(known);
        let store = self.store.within(&context);
        context.union_with(dead);
        Self { store, context }
    }
}

impl<S: DotStore> PartialEq for Dotted<S> {
    fn eq(&self, other: &Self) -> bool {
        self.context == other.context
            && self.store.fingerprint() == other.store.fingerprint()
            && self.store == other.store
    }
}

impl<S: DotStore> Eq for Dotted<S> {}

impl<S: fmt::Debug> fmt::Debug for Dotted<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dotted").field("store", &self.store).field("context", &self.context).finish()
    }
}

impl<S: DotStore> Lattice for Dotted<S> {
    fn merge(&mut self, mut other: Self) -> bool {
        if self.is_bottom() {
            let grew = !other.is_bottom();
            *self = other;
            return grew;
        }
        let before = self.fingerprints();
        if before == other.fingerprints() {
            return false;
        }
        if self.store.dot_count() >= other.store.dot_count() {
            return self.merge_reporting(other, &mut |_| ());
        }
        std::mem::swap(self, &mut other);
        self.merge_reporting(other, &mut |_| ());
        self.fingerprints() != before
    }

    fn leq(&self, other: &Self) -> bool {
        let mut dies = false;
        self.context.is_subset(&other.context) && {
            other.store.dying(&self.store, &self.context, &mut |_| dies = true);
            !dies
        }
    }

    fn is_bottom(&self) -> bool {
        self.context.is_empty()
    }
}

impl<S: DotStore> Decompose for Dotted<S> {
    /// One part per dot: with what it keeps alive if it lives, without if it is dead; and one per retired replica. Cost:
    /// the number of dots ever seen; the iterator is lazy.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        self.context.atoms().map(|atom| {
            let store = match atom.dots().next() {
                Some(dot) if self.store.holds_dot(dot) => self.store.within(&atom),
                _ => S::default(),
            };
            Self { store, context: atom }
        })
    }
}

impl<S: DotStore> Delta for Dotted<S> {
    /// The context and the live dots, without what they keep alive.
    type Digest = Causal;

    fn digest(&self) -> Causal {
        Causal::from_parts(self.context.clone(), self.store.live())
    }

    fn delta(&self, since: &Causal) -> Self {
        let mut dead = since.live().intersection(&self.context);
        dead.subtract(&self.store.live());
        self.beyond(since.seen(), &dead)
    }

    fn difference(&self, known: &Self) -> Self {
        let mut dead = DotSet::new();
        let common = self.context.intersection(&known.context);
        known.store.dying(&self.store, &common, &mut |dot| _ = dead.insert(dot));
        self.beyond(&known.context, &dead)
    }
}

impl<S: DotStore> Fingerprint for Dotted<S> {
    fn fingerprint(&self) -> u64 {
        self.context.fingerprint().wrapping_add(self.store.fingerprint())
    }
}
