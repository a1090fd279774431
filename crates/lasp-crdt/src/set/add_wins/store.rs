//! The elements of an add-wins set as a dot store: what merging does to them.

use super::{Elements, SetChange};
use crate::context::DotSet;
use crate::dot::Dot;
use crate::dotted::{DotChange, DotStore};
use crate::fingerprint::{self, Fingerprint};
use smallvec::SmallVec;
use std::fmt;
use std::hash::Hash;

/// What a merge does.
pub(crate) enum Report<E> {
    /// To a dot.
    Dot(SetChange<E>),
    /// An element was not in the set, and now is.
    Came(E),
    /// An element was in the set, and no longer is.
    Went(E),
}

impl<E: Clone + Ord + Hash> Elements<E> {
    /// Merges `other` in, and tells `on` which dots came to life (first) and which died, and with that which elements came
    /// and went; `true` if there was any. `mine` and `theirs` are the contexts before the merge.
    pub(crate) fn join_reporting(
        &mut self,
        mine: &DotSet,
        other: Self,
        theirs: &DotSet,
        mut on: impl FnMut(Report<&E>),
    ) -> bool {
        if theirs.is_disjoint(mine) {
            // As nearly every addition: all of it is news, and nothing dies.
            let changed = !other.is_empty();
            self.admit(other, |_| true, &mut on);
            return changed;
        }
        let common = theirs.intersection(mine);
        let dying = self.dying_at(&other, &common);
        for &(at, dot) in &dying {
            self.take_dot(at, dot);
        }
        // An element that lost its last dot keeps its place until the end: it may get a new dot.
        let came = self.admit(other, |dot| !common.contains(dot), &mut on);
        if dying.is_empty() {
            return came;
        }
        for &(at, dot) in &dying {
            on(Report::Dot(SetChange::Dead(self.element_at(at), dot)));
        }
        self.remove_hollow(dying.into_iter().map(|(at, _)| at), |element| on(Report::Went(element)));
        true
    }

    /// The same, and tells of dots alone.
    pub(crate) fn join_with(
        &mut self,
        mine: &DotSet,
        other: Self,
        theirs: &DotSet,
        mut on: impl FnMut(SetChange<&E>),
    ) -> bool {
        self.join_reporting(mine, other, theirs, |report| {
            if let Report::Dot(change) = report {
                on(change);
            }
        })
    }

    /// Adds the dots of `other` that are news; `true` if there are any.
    fn admit(&mut self, other: Self, is_news: impl Fn(Dot) -> bool, on: &mut impl FnMut(Report<&E>)) -> bool {
        if other.len() > RESERVED_FROM {
            let news = other.positions().filter(|&(dot, _)| is_news(dot)).count();
            self.reserve(news.min(other.len()));
        }
        let mut came = false;
        other.consume(|element, dot| {
            if is_news(dot) {
                let hash = fingerprint::hash(&element);
                let before = self.len();
                let at = self.insert(element, hash, dot);
                on(Report::Dot(SetChange::Live(self.element_at(at), dot)));
                if self.len() > before {
                    on(Report::Came(self.element_at(at)));
                }
                came = true;
            }
        });
        came
    }

    /// The dots here, ascending, that are in `common` and that `other` does not hold for the same element, each behind
    /// the position of its entry.
    fn dying_at(&self, other: &Self, common: &DotSet) -> SmallVec<[(usize, Dot); 2]> {
        let mut dying = SmallVec::new();
        self.among(common, |at, dot| {
            if !other.holds(self.element_at(at), dot) {
                dying.push((at, dot));
            }
        });
        dying
    }

    /// Calls `each` with the position and the dot of all dots here that are in `dots`, ascending by dot. Cost: `dots` or
    /// the dots here, whichever are fewer.
    fn among(&self, dots: &DotSet, mut each: impl FnMut(usize, Dot)) {
        // What retired has nothing here.
        if dots.countable() <= self.dot_count() as u64 {
            for (dot, at) in dots.dots().filter_map(|dot| Some((dot, self.find_dot(dot)?))) {
                each(at, dot);
            }
            return;
        }
        let mut here: Vec<(Dot, usize)> = self.positions().filter(|&(dot, _)| dots.contains(dot)).collect();
        here.sort_unstable();
        here.into_iter().for_each(|(dot, at)| each(at, dot));
    }
}

/// From how many elements on a merge makes room at once. A guess.
const RESERVED_FROM: usize = 16;

impl<E: Clone + Ord + Hash> Fingerprint for Elements<E> {
    fn fingerprint(&self) -> u64 {
        self.additive_fingerprint()
    }
}

impl<E: Clone + Ord + Hash> DotStore for Elements<E> {
    fn dot_count(&self) -> usize {
        self.total_dots()
    }

    fn holds_dot(&self, dot: Dot) -> bool {
        self.find_dot(dot).is_some()
    }

    fn each_dot(&self, on: &mut dyn FnMut(Dot)) {
        self.positions().for_each(|(dot, _)| on(dot));
    }

    fn join(&mut self, mine: &DotSet, other: Self, theirs: &DotSet, on: &mut dyn FnMut(DotChange)) -> bool {
        self.join_with(mine, other, theirs, |change| {
            on(match change {
                SetChange::Live(_, dot) => DotChange::Live(dot),
                SetChange::Dead(_, dot) => DotChange::Dead(dot),
            });
        })
    }

    fn dying(&self, other: &Self, common: &DotSet, on: &mut dyn FnMut(Dot)) {
        self.dying_at(other, common).into_iter().for_each(|(_, dot)| on(dot));
    }

    fn kill(&mut self, dot: Dot) -> bool {
        let Some(at) = self.find_dot(dot) else { return false };
        self.take_dot(at, dot);
        self.remove_hollow(std::iter::once(at), |_| ());
        true
    }

    fn within(&self, dots: &DotSet) -> Self {
        let mut part = Self::default();
        self.among(dots, |at, dot| {
            let element = self.element_at(at).clone();
            let hash = fingerprint::hash(&element);
            part.insert(element, hash, dot);
        });
        part
    }
}

impl<E: Clone + Ord + Hash> PartialEq for Elements<E> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.dot_count() == other.dot_count()
            && self.positions().all(|(dot, at)| other.holds(self.element_at(at), dot))
    }
}

impl<E: Clone + Ord + Hash> Eq for Elements<E> {}

/// Elements with their dots, ascending.
impl<E: Clone + Ord + Hash + fmt::Debug> fmt::Debug for Elements<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.entries().map(|(element, dots)| (element, dots.collect::<Vec<_>>()))).finish()
    }
}
