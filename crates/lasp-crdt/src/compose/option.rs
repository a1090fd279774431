//! `Option` as a lattice: a new bottom, `None`, below the old one.
//!
//! So "nobody has said anything" and "somebody has made an empty set" are different states. It is the linear sum of one
//! element and the lattice (Enes et al., ICDE'19, appendix: lifting). It encodes as any `Option`.

use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};

/// The delta that changes the state by the delta that `mutate` makes for it, and puts it there if it is not, even if
/// `mutate` says nothing.
///
/// ```
/// use lasp_crdt::{GSet, Lattice, compose::option};
///
/// let mut tags: Option<GSet<&str>> = None;
/// tags.merge(option::apply(&tags, |_| GSet::new()));
/// assert!(tags.as_ref().is_some_and(GSet::is_empty));
/// tags.merge(option::apply(&tags, |tags| tags.add("new")));
/// assert!(tags.is_some_and(|tags| tags.contains(&"new")));
/// ```
pub fn apply<L: Lattice>(state: &Option<L>, mutate: impl FnOnce(&L) -> L) -> Option<L> {
    match state {
        None => Some(mutate(&L::default())),
        Some(known) => news(mutate(known)),
    }
}

/// What is news to one who has some state; `None` if it says nothing.
fn news<L: Lattice>(news: L) -> Option<L> {
    (!news.is_bottom()).then_some(news)
}

impl<L: Lattice> Lattice for Option<L> {
    fn merge(&mut self, other: Self) -> bool {
        match (&mut *self, other) {
            (Some(mine), Some(theirs)) => mine.merge(theirs),
            (_, None) => false,
            (None, some) => {
                *self = some;
                true
            }
        }
    }

    fn leq(&self, other: &Self) -> bool {
        match (self, other) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(mine), Some(theirs)) => mine.leq(theirs),
        }
    }

    fn is_bottom(&self) -> bool {
        self.is_none()
    }
}

impl<L: Decompose> Decompose for Option<L> {
    /// The parts of the state; a state that is bottom is one part by itself.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        let bare = self.as_ref().filter(|state| state.is_bottom()).map(|_| Some(L::default()));
        self.iter().flat_map(|state| state.decompose().map(Some)).chain(bare)
    }
}

impl<L: Delta> Delta for Option<L> {
    /// The digest of the state, if there is one.
    type Digest = Option<L::Digest>;

    fn digest(&self) -> Self::Digest {
        self.as_ref().map(L::digest)
    }

    fn delta(&self, since: &Self::Digest) -> Self {
        match (self, since) {
            (Some(state), Some(since)) => news(state.delta(since)),
            _ => self.clone(),
        }
    }

    fn difference(&self, known: &Self) -> Self {
        match (self, known) {
            (Some(state), Some(known)) => news(state.difference(known)),
            _ => self.clone(),
        }
    }
}

impl<L: Fingerprint> Fingerprint for Option<L> {
    fn fingerprint(&self) -> u64 {
        self.as_ref().map_or(0, |state| fingerprint::mix(SOME, state.fingerprint()))
    }
}

/// Sets a bottom that is there apart from none.
const SOME: u64 = 0x536f_6d65;
