//! The state behind an add-wins set variable: what was added by hand, and what derivations put in.
//!
//! Both halves are lattices, so the pair is one. The value is the union; how many elements both halves hold is counted, so
//! that the cardinality stays O(1). To derivations the whole is one [`Derived`] set, in which an own element is supported
//! by the dots of its additions. Knows no variables: the base's id comes with each question.

use super::State;
use crate::value::Value;
use lasp_crdt::fingerprint::mix;
use lasp_crdt::{
    AwSet, BaseId, Causal, Decompose, Delta, Derived, DerivedChange, DerivedDigest, Fingerprint, Lattice, SetChange,
    Support,
};
use std::collections::BTreeMap;

/// An add-wins set together with what is derived into it.
#[derive(Clone, Debug, Default)]
pub struct SetState {
    own: AwSet<Value>,
    derived: Derived<Value>,
    /// How many elements are in both.
    shared: usize,
}

/// Which elements a merge touched, and whether each was in the set before.
pub(crate) type Touched = BTreeMap<Value, bool>;

impl SetState {
    /// A set of these halves. Cost: the smaller one's elements.
    pub fn new(own: AwSet<Value>, derived: Derived<Value>) -> Self {
        let shared = if own.len() <= derived.len() {
            own.unordered().filter(|element| derived.contains(element)).count()
        } else {
            derived.unordered().filter(|element| own.contains(element)).count()
        };
        Self { own, derived, shared }
    }

    /// What was added by hand, somewhere.
    pub fn own(&self) -> &AwSet<Value> {
        &self.own
    }

    /// What derivations put in, somewhere.
    pub fn derived(&self) -> &Derived<Value> {
        &self.derived
    }

    /// How many elements. O(1).
    pub fn len(&self) -> usize {
        self.own.len() + self.derived.len() - self.shared
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `element` is in the set. O(1).
    pub fn contains(&self, element: &Value) -> bool {
        self.own.contains(element) || self.derived.contains(element)
    }

    /// The elements, in no order that means anything.
    pub(crate) fn unordered(&self) -> impl Iterator<Item = &Value> {
        let only_derived = self.derived.unordered().filter(|element| !self.own.contains(element));
        self.own.unordered().chain(only_derived)
    }

    /// The elements, ascending. Cost: n·log n.
    pub fn elements(&self) -> Vec<Value> {
        let mut all: Vec<Value> = self.unordered().cloned().collect();
        all.sort_unstable();
        all
    }

    /// The whole as one derived set, where own additions are events of `base`. A lattice morphism, so it takes deltas as
    /// well as states. Cost: the size of the state.
    pub(crate) fn to_derived(&self, base: BaseId) -> Derived<Value> {
        let mut whole = Derived::of(base, &self.own);
        whole.merge(self.derived.clone());
        whole
    }

    /// Every support of `element`, where own additions are events of `base`.
    pub(crate) fn supports(&self, base: BaseId, element: &Value) -> impl Iterator<Item = Support> {
        let own = self.own.dots(element).map(move |dot| Support::event(base, dot));
        own.chain(self.derived.unordered_supports(element).cloned())
    }

    /// Calls `each` with every element and each of its supports, in no order that means anything.
    pub(crate) fn entries(&self, base: BaseId, mut each: impl FnMut(&Value, &Support)) {
        for (element, dots) in self.own.unordered_entries() {
            dots.for_each(|dot| each(element, &Support::event(base, dot)));
        }
        self.derived.unordered_entries().for_each(|(element, support)| each(element, support));
    }

    /// Merges `news`, of which nothing is known yet, and tells `on` which elements came (`true`) and went, each once. Cost:
    /// the size of `news` and of what it retracts.
    pub(crate) fn merge_moving(&mut self, news: Self, mut on: impl FnMut(Value, bool)) {
        if self.derived.is_bottom() && news.derived.is_bottom() {
            self.own.merge_members(news.own, |element, came| on(element.clone(), came));
            return;
        }
        let mut touched = Touched::new();
        self.merge_touching(news, &mut touched);
        for (element, was_in) in touched {
            let is_in = self.contains(&element);
            if is_in != was_in {
                on(element, is_in);
            }
        }
    }

    /// Merges `news`, of which nothing is known yet, and tells which elements that touched. Cost: the size of `news` and
    /// of what it retracts.
    pub(crate) fn merge_touching(&mut self, news: Self, touched: &mut Touched) {
        let mut dots: BTreeMap<Value, isize> = BTreeMap::new();
        self.own.merge_with(news.own, |change| {
            let (element, count) = match change {
                SetChange::Live(element, _) => (element, 1),
                SetChange::Dead(element, _) => (element, -1),
            };
            *dots.entry(element.clone()).or_default() += count;
        });
        let mut was_derived = Touched::new();
        self.derived.merge_with(news.derived, |change| match change {
            DerivedChange::Appeared(element) => _ = was_derived.entry(element.clone()).or_insert(false),
            DerivedChange::Vanished(element) => _ = was_derived.entry(element.clone()).or_insert(true),
            DerivedChange::Gained(..) | DerivedChange::Lost(..) => {}
        });
        for (element, count) in dots {
            let was_own = self.own.dots(&element).len() as isize > count;
            let was_in_other = was_derived.remove(&element).unwrap_or_else(|| self.derived.contains(&element));
            self.touch(element, was_own, was_in_other, touched);
        }
        for (element, was_in_other) in was_derived {
            let was_own = self.own.contains(&element);
            self.touch(element, was_own, was_in_other, touched);
        }
    }

    /// Accounts for an element whose membership in the halves was this before a merge.
    fn touch(&mut self, element: Value, was_own: bool, was_derived: bool, touched: &mut Touched) {
        let is_shared = self.own.contains(&element) && self.derived.contains(&element);
        match (was_own && was_derived, is_shared) {
            (false, true) => self.shared += 1,
            (true, false) => self.shared -= 1,
            _ => {}
        }
        touched.entry(element).or_insert(was_own || was_derived);
    }
}

/// What replicas have added and removed themselves, with nothing derived.
impl From<AwSet<Value>> for State {
    fn from(own: AwSet<Value>) -> Self {
        SetState::new(own, Derived::new()).into()
    }
}

/// What was derived, with nothing that replicas have added themselves.
impl From<Derived<Value>> for State {
    fn from(derived: Derived<Value>) -> Self {
        SetState::new(AwSet::new(), derived).into()
    }
}

impl From<SetState> for State {
    fn from(set: SetState) -> Self {
        Self::AwSet(Box::new(set))
    }
}

impl PartialEq for SetState {
    fn eq(&self, other: &Self) -> bool {
        self.own == other.own && self.derived == other.derived
    }
}

impl Eq for SetState {}

impl Lattice for SetState {
    fn merge(&mut self, other: Self) -> bool {
        if other.derived.is_bottom() && self.derived.is_bottom() {
            return self.own.merge(other.own);
        }
        let news = other.difference(self);
        let grew = !news.is_bottom();
        self.merge_touching(news, &mut Touched::new());
        grew
    }

    fn leq(&self, other: &Self) -> bool {
        self.own.leq(&other.own) && self.derived.leq(&other.derived)
    }

    fn is_bottom(&self) -> bool {
        self.own.is_bottom() && self.derived.is_bottom()
    }
}

impl Decompose for SetState {
    fn decompose(&self) -> impl Iterator<Item = Self> {
        let own = self.own.decompose().map(|part| Self::new(part, Derived::new()));
        own.chain(self.derived.decompose().map(|part| Self::new(AwSet::new(), part)))
    }
}

impl Delta for SetState {
    /// Both digests; boxed, because digests of other types are small.
    type Digest = Box<(Causal, DerivedDigest)>;

    fn digest(&self) -> Self::Digest {
        Box::new((self.own.digest(), self.derived.digest()))
    }

    fn delta(&self, since: &Self::Digest) -> Self {
        Self::new(self.own.delta(&since.0), self.derived.delta(&since.1))
    }

    fn difference(&self, known: &Self) -> Self {
        Self::new(self.own.difference(&known.own), self.derived.difference(&known.derived))
    }
}

impl Fingerprint for SetState {
    fn fingerprint(&self) -> u64 {
        match (self.own.fingerprint(), self.derived.fingerprint()) {
            (0, 0) => 0,
            (own, derived) => mix(own, derived),
        }
    }
}
