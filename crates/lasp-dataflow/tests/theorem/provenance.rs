//! What derivations into replicated variables mean, with everything kept: the supports ever heard of and the additions ever
//! known to be gone, as sets that only grow.
//!
//! The engine keeps contexts and drops what has died; here nothing is compact, so that it is plainly right. An element is in
//! such a variable while one of its supports has no dead addition.

use crate::functions::Fun;
use crate::oracle::Set;
use crate::program::Spec;
use lasp_dataflow::Value;
use std::collections::{BTreeMap, BTreeSet};

/// An addition to a variable: its number, which no other has anywhere.
pub(crate) type Event = u64;

/// Additions that must all live; none of what is only ever added.
pub(crate) type Support = BTreeSet<Event>;

/// Elements with their supports, and what is known to be gone.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Supported {
    elements: BTreeMap<Value, BTreeSet<Support>>,
    dead: BTreeSet<Event>,
}

impl Supported {
    pub(crate) fn add(&mut self, x: Value, support: Support) {
        self.elements.entry(x).or_default().insert(support);
    }

    /// Takes in what `other` knows; gives what of it is news.
    pub(crate) fn join(&mut self, other: &Self) -> Self {
        let mut news = Self { dead: other.dead.difference(&self.dead).copied().collect(), ..Self::default() };
        self.dead.extend(&news.dead);
        for (x, supports) in &other.elements {
            for support in supports.iter().filter(|support| support.is_disjoint(&self.dead)) {
                if self.elements.entry(x.clone()).or_default().insert(support.clone()) {
                    news.add(x.clone(), support.clone());
                }
            }
        }
        self.drop_dead();
        news
    }

    /// Says that all additions are gone that support `x` here.
    pub(crate) fn retract(&mut self, x: &Value, known: &Self) {
        self.dead.extend(known.elements.get(x).into_iter().flatten().flatten());
    }

    fn drop_dead(&mut self) {
        let dead = &self.dead;
        for supports in self.elements.values_mut() {
            supports.retain(|support| support.is_disjoint(dead));
        }
        self.elements.retain(|_, supports| !supports.is_empty());
    }

    pub(crate) fn contains(&self, x: &Value) -> bool {
        self.elements.contains_key(x)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.elements.is_empty() && self.dead.is_empty()
    }

    /// The additions that live.
    pub(crate) fn events(&self) -> impl Iterator<Item = Event> {
        self.elements.values().flatten().flatten().copied()
    }

    /// The additions that are known to be gone.
    pub(crate) fn gone(&self) -> &BTreeSet<Event> {
        &self.dead
    }

    /// The elements that are in the set.
    pub(crate) fn elements(&self) -> Set {
        self.elements.keys().cloned().collect()
    }

    /// What a derivation gives; `None` of those that cannot go into a replicated variable.
    pub(crate) fn derive(spec: &Spec, inputs: &[&Self]) -> Option<Self> {
        let mut out = Self::default();
        inputs.iter().for_each(|input| out.dead.extend(&input.dead));
        match spec {
            Spec::Map(fun) => inputs[0].each(|x, support| {
                fun.eval(std::slice::from_ref(x)).into_iter().for_each(|y| out.add(y, support.clone()));
            }),
            Spec::Filter(fun) => inputs[0].each(|x, support| {
                if fun.eval(std::slice::from_ref(x)) == Ok(Value::Bool(true)) {
                    out.add(x.clone(), support.clone());
                }
            }),
            Spec::FlatMap(fun) => inputs[0].each(|x, support| {
                if let Ok(Value::List(items)) = fun.eval(std::slice::from_ref(x)) {
                    items.iter().for_each(|y| out.add(y.clone(), support.clone()));
                }
            }),
            Spec::View(_) | Spec::Follow => inputs[0].each(|x, support| out.add(x.clone(), support.clone())),
            Spec::Union => inputs.iter().for_each(|input| input.each(|x, support| out.add(x.clone(), support.clone()))),
            Spec::Intersection => out.pair_up(inputs, |x, y| x == y, |x, _| x.clone()),
            Spec::Product => out.pair_up(inputs, |_, _| true, |x, y| Value::pair(x.clone(), y.clone())),
            Spec::Join(left, right) => {
                let key = |fun: &Fun, x: &Value| fun.eval(std::slice::from_ref(x)).ok();
                let equal = |x: &Value, y: &Value| key(left, x).is_some_and(|k| Some(k) == key(right, y));
                out.pair_up(inputs, equal, |x, y| Value::pair(x.clone(), y.clone()));
            }
            Spec::Difference | Spec::Fold(_) | Spec::Group(..) | Spec::Reached(_) => return None,
        }
        out.drop_dead();
        Some(out)
    }

    fn each(&self, mut f: impl FnMut(&Value, &Support)) {
        for (x, supports) in &self.elements {
            supports.iter().for_each(|support| f(x, support));
        }
    }

    fn pair_up(
        &mut self,
        inputs: &[&Self],
        keep: impl Fn(&Value, &Value) -> bool,
        make: impl Fn(&Value, &Value) -> Value,
    ) {
        inputs[0].each(|x, mine| {
            inputs[1].each(|y, theirs| {
                if keep(x, y) {
                    self.add(make(x, y), mine.union(theirs).copied().collect());
                }
            });
        });
    }
}
