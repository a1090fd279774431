//! What a replica has heard of a variable, as a set of facts that only grows: the additions and removals of a set, how often
//! each author has counted, whether a flag was raised, the results of folds. Of other types nothing; their values are taken
//! from the engine.

use crate::provenance::{Event, Support, Supported};
use crate::results::Results;
use lasp_dataflow::{Output, Type, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Facts about one variable.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Known {
    /// What was added by hand.
    own: Supported,
    /// What derivations put in.
    derived: Supported,
    /// By author, what it has counted up, and down.
    counts: BTreeMap<(u64, bool), i64>,
    raised: bool,
    /// What folds came to.
    results: Results,
}

impl Known {
    /// What supports a set's elements.
    pub(crate) fn supports(&self) -> Supported {
        let mut all = self.own.clone();
        all.join(&self.derived);
        all
    }

    /// Something derived these.
    pub(crate) fn derived(supported: Supported) -> Self {
        Self { derived: supported, ..Self::default() }
    }

    /// Something raised the flag.
    pub(crate) fn raised() -> Self {
        Self { raised: true, ..Self::default() }
    }

    /// A fold came to these.
    pub(crate) fn results(results: Results) -> Self {
        Self { results, ..Self::default() }
    }

    /// Additions by hand that were seen, and those of them that are gone.
    pub(crate) fn events(&self) -> (BTreeSet<Event>, &BTreeSet<Event>) {
        let gone = self.own.gone();
        (self.own.events().chain(gone.iter().copied()).collect(), gone)
    }

    /// Elements added by hand.
    pub(crate) fn own(&self) -> impl Iterator<Item = Value> {
        self.own.elements().into_iter()
    }

    /// Takes in what `other` knows; gives what of it is news.
    pub(crate) fn join(&mut self, other: &Self) -> Self {
        let mut news = Self {
            own: self.own.join(&other.own),
            derived: self.derived.join(&other.derived),
            counts: BTreeMap::new(),
            raised: other.raised && !self.raised,
            results: self.results.join(&other.results),
        };
        self.raised |= other.raised;
        for (&who, &count) in &other.counts {
            let held = self.counts.entry(who).or_default();
            if count > *held {
                *held = count;
                news.counts.insert(who, count);
            }
        }
        news
    }

    pub(crate) fn is_empty(&self) -> bool {
        let nothing_in_sets = self.own.is_empty() && self.derived.is_empty();
        nothing_in_sets && self.counts.is_empty() && !self.raised && self.results.is_empty()
    }

    /// The value of a variable of type `ty` of which this is known; `None` where facts do not tell.
    pub(crate) fn value(&self, ty: &Type) -> Option<Output> {
        match ty {
            Type::GSet | Type::AwSet => Some(Output::Set(self.supports().elements().into_iter().collect())),
            Type::GCounter | Type::PnCounter => {
                let signed = self.counts.iter().map(|((_, down), count)| if *down { -count } else { *count });
                Some(Output::Value(Value::Int(signed.sum())))
            }
            Type::Boolean => Some(Output::Value(Value::Bool(self.raised))),
            Type::Summary => Some(self.results.shown()),
            _ => None,
        }
    }

    /// What an operation says, in the language's form. `mint` gives numbers to additions.
    pub(crate) fn act(&self, ty: &Type, form: &Value, author: u64, mint: impl FnMut() -> Event) -> Self {
        let (name, argument) = match form {
            Value::Tuple(items) => match &**items {
                [Value::Atom(name), argument] => (&**name, argument.clone()),
                _ => return Self::default(),
            },
            Value::Atom(name) => (&**name, Value::Int(1)),
            _ => return Self::default(),
        };
        let items = match &argument {
            Value::List(items) if name.ends_with("_all") => items.to_vec(),
            _ => vec![argument.clone()],
        };
        match (ty, name) {
            (Type::GSet | Type::AwSet, "add_element" | "add_all") => self.add(ty, items, mint),
            (Type::AwSet, "rmv" | "rmv_all") => {
                let mut own = Supported::default();
                items.iter().for_each(|x| own.retract(x, &self.own));
                Self { own, ..Self::default() }
            }
            (Type::GCounter | Type::PnCounter, _) => {
                let who = (author, name == "decrement");
                let so_far = self.counts.get(&who).copied().unwrap_or_default();
                let count = so_far + i64::try_from(&argument).unwrap_or_default();
                Self { counts: BTreeMap::from([(who, count)]), ..Self::default() }
            }
            (Type::Boolean, "enable") => Self::raised(),
            _ => Self::default(),
        }
    }

    /// What joining a value says.
    pub(crate) fn bind(&self, ty: &Type, value: &Value, mint: impl FnMut() -> Event) -> Self {
        match (ty, value) {
            (Type::GSet, Value::List(items)) => self.add(ty, items.to_vec(), mint),
            (Type::AwSet, Value::List(items)) => {
                let held = self.supports().elements();
                self.add(ty, items.iter().filter(|x| !held.contains(x)).cloned().collect(), mint)
            }
            (Type::Boolean, Value::Bool(true)) => Self::raised(),
            _ => Self::default(),
        }
    }

    /// A new addition of each, which takes the place of those known here.
    fn add(&self, ty: &Type, items: Vec<Value>, mut mint: impl FnMut() -> Event) -> Self {
        let mut own = Supported::default();
        for x in items {
            if own.contains(&x) {
                continue;
            }
            if *ty == Type::GSet {
                own.add(x, Support::new());
            } else {
                own.retract(&x, &self.own);
                own.add(x, Support::from([mint()]));
            }
        }
        Self { own, ..Self::default() }
    }
}
