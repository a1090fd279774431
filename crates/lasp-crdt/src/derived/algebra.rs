//! The operators of set programs, as pure functions over derived sets, whole ones and deltas alike.
//!
//! Source: the combinators of Meiklejohn and Van Roy's Lasp (PPDP'15) over sets of conjunctions, the why-provenance of
//! Green et al., "Provenance Semirings" (PODS'07): elements with one image unite their supports (the semiring's sum), a
//! pair has the conjunctions of its halves' supports (its product). Every operator passes on all that is known of the
//! bases, for every dot, so that a removal retracts downstream and what a filter leaves out is not taken for removed.
//! That makes each a morphism of lattices, in each of its arguments: `f(a ⊔ δ) = f(a) ⊔ f(δ)`. So the operators below
//! also are their own incremental versions. They know no variables and keep no indexes.

use super::{BaseId, Derived, Support};
use crate::lattice::Lattice;
use crate::set::{AwSet, GSet};
use std::collections::BTreeMap;
use std::hash::Hash;

/// Which operand of an operator that takes two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The first.
    Left,
    /// The second.
    Right,
}

impl<E: Clone + Ord + Hash> Derived<E> {
    /// An add-wins set, or a delta of one, as a derived set: each dot supports its element as an event of `base`, and
    /// the context is what was seen. A morphism.
    ///
    /// ```
    /// use lasp_crdt::{AwSet, BaseId, Derived, Lattice, ReplicaId};
    ///
    /// let base = BaseId::of("numbers");
    /// let halved = |set: &AwSet<u64>| Derived::of(base, set).map(|n| n / 2);
    /// let mut numbers = AwSet::new();
    /// numbers.merge(numbers.add_all(ReplicaId(1), [4, 5]));
    /// let mut derived = halved(&numbers);
    /// assert!(derived.iter().eq(&[2]));
    ///
    /// // 2 is the half of 4 and of 5: it stays until both are gone.
    /// for n in [4, 5] {
    ///     assert!(derived.contains(&2));
    ///     let delta = numbers.remove(&n);
    ///     derived.merge(halved(&delta));
    ///     numbers.merge(delta);
    /// }
    /// assert!(derived.is_empty());
    /// assert_eq!(derived, halved(&numbers));
    /// ```
    pub fn of(base: BaseId, set: &AwSet<E>) -> Self {
        let mut derived = Self::new();
        derived.see_all(base, set.context(), &set.live());
        for (element, dots) in set.unordered_entries() {
            for dot in dots {
                derived.store.insert(element.clone(), Support::event(base, dot), |_, _, _| ());
            }
        }
        derived
    }

    /// A grow-only set, or a delta of one, as a derived set: nothing can take its elements away. A morphism.
    pub fn of_grow_only(set: &GSet<E>) -> Self {
        let mut derived = Self::new();
        for element in set.iter() {
            derived.store.insert(element.clone(), Support::always(), |_, _, _| ());
        }
        derived
    }

    /// The images of the elements. Where several have one image, it has the supports of all. One call for each element.
    pub fn map<F: Clone + Ord + Hash>(&self, mut image: impl FnMut(&E) -> F) -> Derived<F> {
        self.flat_map(|element| [image(element)])
    }

    /// The elements for which `keeps` holds. The events of the others stay known, as filtered out. One call for each
    /// element.
    pub fn filter(&self, mut keeps: impl FnMut(&E) -> bool) -> Self {
        self.flat_map(|element| keeps(element).then(|| element.clone()))
    }

    /// All images of the elements, each with the supports of what it is an image of. One call for each element.
    pub fn flat_map<F, I>(&self, mut images: impl FnMut(&E) -> I) -> Derived<F>
    where
        F: Clone + Ord + Hash,
        I: IntoIterator<Item = F>,
    {
        let mut out = self.bases_alone();
        for (element, supports) in self.store.grouped() {
            for image in images(element) {
                for support in supports.clone() {
                    out.store.insert(image.clone(), support.clone(), |_, _, _| ());
                }
            }
        }
        out
    }

    /// The elements of either, with the supports that they have there: the merge of the two.
    pub fn union(&self, other: &Self) -> Self {
        let mut all = self.clone();
        all.merge(other.clone());
        all
    }

    /// The elements of both. One is there while it has a support on each side, both of which hold. Cost: the elements
    /// of the smaller operand and their supports, and the bases of both.
    pub fn intersection(&self, other: &Self) -> Self {
        self.meet(other, self.bases_with(other))
    }

    /// The supports of [`intersection`](Self::intersection), with what the `changed` side alone says of the bases. If
    /// that side is a delta, this is what it adds to an intersection that knew the rest, without the cost of the other
    /// side's bases: `(a ⊔ δ).intersection(&b)` is `a.intersection(&b) ⊔ δ.intersection_delta(&b, Side::Left)`.
    pub fn intersection_delta(&self, other: &Self, changed: Side) -> Self {
        self.meet(other, self.bases_of(other, changed))
    }

    fn meet(&self, other: &Self, mut out: Self) -> Self {
        let (few, many) = if self.len() <= other.len() { (self, other) } else { (other, self) };
        for (element, mine) in few.counting_in(many) {
            for theirs in many.store.supports_of(element).filter(|theirs| few.counts(theirs)) {
                out.store.insert(element.clone(), mine.and(theirs), |_, _, _| ());
            }
        }
        out
    }

    /// All pairs of an element here and one of `other`. A pair is there while both halves are. Cost: the number of pairs
    /// of supports, and the bases of both.
    ///
    /// ```
    /// use lasp_crdt::{AwSet, BaseId, Derived, Lattice, ReplicaId};
    ///
    /// let (sizes, colours) = (BaseId::of("sizes"), BaseId::of("colours"));
    /// let small = AwSet::new().add(ReplicaId(1), "small");
    /// let red = AwSet::new().add(ReplicaId(2), "red");
    /// let mut shirts = Derived::of(sizes, &small).product(&Derived::of(colours, &red));
    /// assert!(shirts.contains(&("small", "red")));
    ///
    /// // Somebody who never saw the sizes tells that red is gone.
    /// shirts.merge(Derived::new().product(&Derived::of(colours, &red.remove(&"red"))));
    /// assert!(shirts.is_empty());
    /// ```
    pub fn product<F: Clone + Ord + Hash>(&self, other: &Derived<F>) -> Derived<(E, F)> {
        self.pair_up(other, self.bases_with(other))
    }

    /// The supports of [`product`](Self::product), with what the `changed` side alone says of the bases; as
    /// [`intersection_delta`](Self::intersection_delta).
    pub fn product_delta<F: Clone + Ord + Hash>(&self, other: &Derived<F>, changed: Side) -> Derived<(E, F)> {
        self.pair_up(other, self.bases_of(other, changed))
    }

    fn pair_up<F: Clone + Ord + Hash>(&self, other: &Derived<F>, mut out: Derived<(E, F)>) -> Derived<(E, F)> {
        let theirs: Vec<(&F, &Support)> = other.counting_in(self).collect();
        for (x, mine) in self.counting_in(other) {
            for &(y, theirs) in &theirs {
                out.store.insert((x.clone(), y.clone()), mine.and(theirs), |_, _, _| ());
            }
        }
        out
    }

    /// The pairs of an element here and one of `other` that have equal keys. Cost: one call of its key function for each
    /// element of both, the number of pairs of supports, and the bases of both.
    pub fn join<F, K>(
        &self,
        other: &Derived<F>,
        left_key: impl FnMut(&E) -> K,
        right_key: impl FnMut(&F) -> K,
    ) -> Derived<(E, F)>
    where
        F: Clone + Ord + Hash,
        K: Ord,
    {
        self.match_up(other, left_key, right_key, self.bases_with(other))
    }

    /// The supports of [`join`](Self::join), with what the `changed` side alone says of the bases; as
    /// [`intersection_delta`](Self::intersection_delta). It still looks at each element of the other side: who joins often
    /// keeps that side by key, and takes the [`product_delta`](Self::product_delta) with the elements under the key.
    pub fn join_delta<F, K>(
        &self,
        other: &Derived<F>,
        left_key: impl FnMut(&E) -> K,
        right_key: impl FnMut(&F) -> K,
        changed: Side,
    ) -> Derived<(E, F)>
    where
        F: Clone + Ord + Hash,
        K: Ord,
    {
        self.match_up(other, left_key, right_key, self.bases_of(other, changed))
    }

    fn match_up<F, K>(
        &self,
        other: &Derived<F>,
        mut left_key: impl FnMut(&E) -> K,
        mut right_key: impl FnMut(&F) -> K,
        mut out: Derived<(E, F)>,
    ) -> Derived<(E, F)>
    where
        F: Clone + Ord + Hash,
        K: Ord,
    {
        let mut by_key: BTreeMap<K, Vec<(&E, &Support)>> = BTreeMap::new();
        for (x, supports) in self.store.grouped() {
            let counting = supports.filter(|mine| other.counts(mine)).map(|mine| (x, mine));
            by_key.entry(left_key(x)).or_default().extend(counting);
        }
        for (y, supports) in other.store.grouped() {
            let Some(partners) = by_key.get(&right_key(y)) else { continue };
            for theirs in supports.filter(|theirs| self.counts(theirs)) {
                for &(x, mine) in partners {
                    out.store.insert((x.clone(), y.clone()), mine.and(theirs), |_, _, _| ());
                }
            }
        }
        out
    }

    /// The elements with each of their supports that `other` does not know to be dead.
    fn counting_in<'a, F>(&'a self, other: &'a Derived<F>) -> impl Iterator<Item = (&'a E, &'a Support)> {
        self.unordered_entries().filter(|(_, support)| other.counts(support))
    }
}

impl<E> Derived<E> {
    /// What is known of the bases, and no element: the part of its input that every operator passes on as it is.
    pub fn bases_alone<F>(&self) -> Derived<F> {
        Derived { bases: self.bases.clone(), bases_fingerprint: self.bases_fingerprint, ..Derived::new() }
    }

    fn bases_with<F, G: Clone + Ord + Hash>(&self, other: &Derived<F>) -> Derived<G> {
        let mut bases: Derived<G> = self.bases_alone();
        bases.merge(other.bases_alone());
        bases
    }

    fn bases_of<F, G>(&self, other: &Derived<F>, side: Side) -> Derived<G> {
        match side {
            Side::Left => self.bases_alone(),
            Side::Right => other.bases_alone(),
        }
    }
}
