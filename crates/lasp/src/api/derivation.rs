//! Derived variables, written as chains and made when awaited.

use super::aggregate::Aggregate;
use super::ask::{Ask, mismatch};
use super::element::Element;
use super::handle::Lasp;
use super::kind::{self, Elements, Kind};
use super::life::{Anchor, Derived, Feed, Life};
use super::variable::{Flag, Set, Summary, Var};
use crate::error::Error;
use crate::host::port::Answer;
use lasp_dataflow::{
    self as dataflow, Function, FunctionError, Name, Operator, Target, Value, VarId, from_value, function, to_value,
};
use lasp_node::{Composition, Reply, Request, RequestId, Source, Step};
use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;

/// A derived set to be.
pub type Derivation<T> = Deriving<kind::View<T>>;
/// A derived value to be.
pub type Fold<T> = Deriving<kind::Scalar<T>>;

/// What can be filtered, joined, counted: sets, maps as their entries, what is derived, and what is to be derived. The
/// functions given here must be pure: every node calls them when it likes.
///
/// Nothing happens before a chain is awaited. It is then made at once, as one derivation: what its steps give has no
/// variable and is not kept, unless a step needs it.
///
/// ```
/// use lasp::Collection as _;
///
/// # async fn example(ads: lasp::Set<String>, sold: lasp::Set<String>) -> Result<(), lasp::Error> {
/// let loud = ads.difference(&sold).map(|ad| ad.to_uppercase()).filter(|ad| ad.len() > 3).await?;
/// let pairs = ads.product(&sold).count().await?;
/// let by_length = ads.group_by(|ad| ad.len()).count().await?;
/// # Ok(()) }
/// ```
pub trait Collection {
    /// Its elements.
    type Item: Element;

    /// A chain that begins here.
    fn derivation(&self) -> Derivation<Self::Item>;

    /// The images of the elements.
    fn map<U: Element>(&self, f: impl Fn(Self::Item) -> U + Send + Sync + 'static) -> Derivation<U> {
        self.derivation().step(Operator::Map(unary(move |item| Ok(to_value(&f(item))?))))
    }

    /// The elements for which `f` is true.
    fn filter(&self, f: impl Fn(&Self::Item) -> bool + Send + Sync + 'static) -> Derivation<Self::Item> {
        self.derivation().step(Operator::Filter(unary(move |item: Self::Item| Ok(f(&item).into()))))
    }

    /// The elements of what `f` gives for each element; with an `Option`, filter and map in one.
    fn flat_map<U, I>(&self, f: impl Fn(Self::Item) -> I + Send + Sync + 'static) -> Derivation<U>
    where
        U: Element,
        I: IntoIterator<Item = U>,
    {
        let list = move |item| {
            let values: Result<Vec<Value>, _> = f(item).into_iter().map(|image| to_value(&image)).collect();
            Ok(Value::list(values?))
        };
        self.derivation().step(Operator::FlatMap(unary(list)))
    }

    /// The elements of either.
    fn union(&self, other: &impl Collection<Item = Self::Item>) -> Derivation<Self::Item> {
        self.derivation().with(Operator::Union, other.derivation())
    }

    /// The elements of both.
    fn intersection(&self, other: &impl Collection<Item = Self::Item>) -> Derivation<Self::Item> {
        self.derivation().with(Operator::Intersection, other.derivation())
    }

    /// The elements of this that are not in the other.
    fn difference(&self, other: &impl Collection<Item = Self::Item>) -> Derivation<Self::Item> {
        self.derivation().with(Operator::Difference, other.derivation())
    }

    /// All pairs.
    fn product<C: Collection>(&self, other: &C) -> Derivation<(Self::Item, C::Item)> {
        self.derivation().with(Operator::Product, other.derivation())
    }

    /// The pairs whose keys are equal; far cheaper than a filtered product.
    fn join<C: Collection, K: Element>(
        &self,
        other: &C,
        left: impl Fn(&Self::Item) -> K + Send + Sync + 'static,
        right: impl Fn(&C::Item) -> K + Send + Sync + 'static,
    ) -> Derivation<(Self::Item, C::Item)> {
        let left_key = unary(move |item: Self::Item| Ok(to_value(&left(&item))?));
        let right_key = unary(move |item: C::Item| Ok(to_value(&right(&item))?));
        self.derivation().with(Operator::Join { left_key, right_key }, other.derivation())
    }

    /// The elements by a key of theirs, to be summed up for each key.
    fn group_by<K: Element>(&self, key: impl Fn(&Self::Item) -> K + Send + Sync + 'static) -> Groups<Self::Item, K> {
        let key = unary(move |item: Self::Item| Ok(to_value(&key(&item))?));
        Groups { derivation: self.derivation(), key, keys: PhantomData }
    }

    /// How many elements there are.
    fn count(&self) -> Fold<i64> {
        self.derivation().step(Operator::Fold(dataflow::Aggregate::Count))
    }

    /// The sum of the elements.
    fn sum(&self) -> Fold<Self::Item> {
        self.derivation().step(Operator::Fold(dataflow::Aggregate::Sum))
    }

    /// The least element, in the order of values (numbers by number, texts by their bytes, pairs by their first).
    fn min(&self) -> Fold<Self::Item> {
        self.derivation().step(Operator::Fold(dataflow::Aggregate::Min))
    }

    /// The greatest element.
    fn max(&self) -> Fold<Self::Item> {
        self.derivation().step(Operator::Fold(dataflow::Aggregate::Max))
    }

    /// The mean of the elements.
    fn avg(&self) -> Fold<f64> {
        self.derivation().step(Operator::Fold(dataflow::Aggregate::Avg))
    }

    /// A fold with a function of your own, which must not depend on the order of the elements. For one that can be undone,
    /// see [`Aggregate::invertible`].
    fn fold<U: Element>(&self, init: U, step: impl Fn(Self::Item, U) -> U + Send + Sync + 'static) -> Fold<U> {
        self.aggregate(Aggregate::fold(init, step))
    }

    /// The elements summed up in some way, or in several at once.
    fn aggregate<R>(&self, aggregate: Aggregate<Self::Item, R>) -> Fold<R> {
        self.derivation().checked(aggregate.into_aggregate().map(Operator::Fold))
    }
}

impl<K: Elements> Collection for Var<K> {
    type Item = K::Item;

    fn derivation(&self) -> Derivation<K::Item> {
        Deriving::of(self)
    }
}

impl<K: Elements> Collection for Derived<K> {
    type Item = K::Item;

    fn derivation(&self) -> Derivation<K::Item> {
        Deriving::of(self)
    }
}

impl<K: Elements> Collection for Deriving<K> {
    type Item = K::Item;

    fn derivation(&self) -> Derivation<K::Item> {
        Deriving { anchor: self.anchor.clone(), plan: self.plan.clone(), kind: PhantomData }
    }
}

/// The elements of a collection by their keys: what follows is a map from each key to what its elements are summed up to.
#[must_use = "say what the groups are summed up to"]
pub struct Groups<T, K> {
    derivation: Derivation<T>,
    key: Function,
    keys: PhantomData<fn() -> K>,
}

impl<T: Element, K: Element> Groups<T, K> {
    /// How many elements each key has.
    pub fn count(self) -> Deriving<kind::Table<K, i64>> {
        self.aggregate(Aggregate::count())
    }

    /// The sum of a number of each element; equal numbers of two elements count twice.
    pub fn sum<U: Element>(self, f: impl Fn(&T) -> U + Send + Sync + 'static) -> Deriving<kind::Table<K, U>> {
        self.aggregate(Aggregate::sum(f))
    }

    /// The least of what the function gives for the elements.
    pub fn min<U: Element>(self, f: impl Fn(&T) -> U + Send + Sync + 'static) -> Deriving<kind::Table<K, U>> {
        self.aggregate(Aggregate::min(f))
    }

    /// The greatest of what the function gives for the elements.
    pub fn max<U: Element>(self, f: impl Fn(&T) -> U + Send + Sync + 'static) -> Deriving<kind::Table<K, U>> {
        self.aggregate(Aggregate::max(f))
    }

    /// The mean of a number of each element.
    pub fn avg<U: Element>(self, f: impl Fn(&T) -> U + Send + Sync + 'static) -> Deriving<kind::Table<K, f64>> {
        self.aggregate(Aggregate::avg(f))
    }

    /// A fold with a function of your own, which must not depend on the order of the elements.
    pub fn fold<U: Element>(
        self,
        init: U,
        step: impl Fn(T, U) -> U + Send + Sync + 'static,
    ) -> Deriving<kind::Table<K, U>> {
        self.aggregate(Aggregate::fold(init, step))
    }

    /// Summed up in some way, or in several at once.
    pub fn aggregate<R>(self, aggregate: Aggregate<T, R>) -> Deriving<kind::Table<K, R>> {
        let Self { derivation, key, .. } = self;
        derivation.checked(aggregate.into_aggregate().map(|aggregate| Operator::Group { key, aggregate }))
    }
}

impl<T, K> fmt::Debug for Groups<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Groups").field("of", &self.derivation).field("by", &self.key.describe()).finish()
    }
}

/// A derived variable to be: await it for one that is local to this node, [`Derived`]; [`named`](Self::named) gives it a
/// name and a life of its own; [`derive_into`](Self::derive_into) derives into a declared one.
#[must_use = "a derivation is made when it is awaited"]
pub struct Deriving<K> {
    anchor: Anchor,
    plan: Result<Plan, Error>,
    kind: PhantomData<fn() -> K>,
}

/// Steps, and what the whole is: a variable or a step.
#[derive(Clone, Debug)]
struct Plan {
    steps: Vec<Step>,
    whole: Source,
}

impl Plan {
    /// One more step, of this and of the other if there is one.
    fn step(mut self, operator: Operator, other: Option<Self>) -> Self {
        let mut inputs = vec![self.whole];
        if let Some(other) = other {
            let before = self.steps.len();
            let moved = |source: Source| match source {
                Source::Step(at) => Source::Step(before + at),
                Source::Var(var) => Source::Var(var),
            };
            let steps = other
                .steps
                .into_iter()
                .map(|step| Step { inputs: step.inputs.into_iter().map(moved).collect(), ..step });
            self.steps.extend(steps);
            inputs.push(moved(other.whole));
        }
        self.steps.push(Step { operator, inputs });
        self.whole = Source::Step(self.steps.len() - 1);
        self
    }

    /// As the node makes it; a plan without steps is the elements of its variable.
    fn into_composition(self) -> Composition {
        let plan = match self.whole {
            Source::Var(_) => self.step(Operator::View(lasp_dataflow::Facet::Elements), None),
            Source::Step(_) => self,
        };
        Composition { steps: plan.steps }
    }
}

impl<T: Element> Derivation<T> {
    fn of<K: Elements<Item = T>>(var: &Var<K>) -> Self {
        Self::begin(var.anchor(), var.id())
    }
}

impl<K> Deriving<K> {
    fn begin(anchor: &Anchor, var: VarId) -> Self {
        let plan = Ok(Plan { steps: Vec::new(), whole: Source::Var(var) });
        Self { anchor: anchor.clone(), plan, kind: PhantomData }
    }

    /// One operator on a variable.
    pub(super) fn on<J>(var: &Var<J>, operator: Result<Operator, Error>) -> Self {
        Deriving::<J>::begin(var.anchor(), var.id()).checked(operator)
    }

    fn step<J>(self, operator: Operator) -> Deriving<J> {
        self.checked(Ok::<_, Error>(operator))
    }

    fn checked<J>(self, operator: Result<Operator, impl Into<Error>>) -> Deriving<J> {
        let plan = self.plan.and_then(|plan| Ok(plan.step(operator.map_err(Into::into)?, None)));
        Deriving { anchor: self.anchor, plan, kind: PhantomData }
    }

    fn with<I, J>(self, operator: Operator, other: Deriving<I>) -> Deriving<J> {
        let plan = self.plan.and_then(|plan| Ok(plan.step(operator, Some(other.plan?))));
        Deriving { anchor: self.anchor.and(&other.anchor), plan, kind: PhantomData }
    }

    fn make<T>(self, into: Target, read: fn(&Anchor, RequestId, Answer) -> Result<T, Error>) -> Ask<T> {
        match self.plan {
            Ok(plan) => {
                let request = Request::Compose { composition: plan.into_composition(), into };
                Ask::anchored(self.anchor, request, read)
            }
            Err(error) => Ask::failed(self.anchor.lasp(), error),
        }
    }

    /// Derives into a variable of this name, local to this node, which lives until it is
    /// [undeclared](Var::undeclare): no handle keeps it.
    pub fn named(self, name: &str) -> Ask<Var<K>> {
        match Name::new(name) {
            Ok(name) => self.make(Target::Local(Some(name)), |anchor, _, answer| {
                let (var, _) = derived(&answer)?;
                Ok(Var::new(anchor.lasp(), var))
            }),
            Err(error) => Ask::failed(self.anchor.lasp(), error),
        }
    }

    fn feed(self, into: VarId) -> Ask<Feed> {
        self.make(Target::Into(into), |anchor, _, answer| {
            let (_, derivation) = derived(&answer)?;
            Ok(Feed::new(Anchor::new(anchor.lasp()).keeping(Life::of(anchor.lasp(), derivation))))
        })
    }
}

impl<T> Derivation<T> {
    /// Derives into a declared set, at every node that does the same; it may have elements of its own as well. It is
    /// replicated: nodes that hear the result alone have it, too.
    ///
    /// The answer fails with [`Error::Refused`] where the set would follow from itself, for instance.
    pub fn derive_into(self, set: &Set<T>) -> Ask<Feed> {
        self.feed(set.id())
    }
}

/// ```
/// use lasp::Collection as _;
///
/// # async fn example(shop: lasp::Lasp, screen: lasp::Lasp) -> Result<(), lasp::Error> {
/// // Any number of nodes that have the sales sum them up.
/// let sales = shop.set::<(String, i64)>("sales").await?;
/// let turnover = shop.summary::<i64>("turnover").await?;
/// sales.aggregate(lasp::Aggregate::sum(|(_, price): &(String, i64)| *price)).derive_into(&turnover).await?.detach();
/// // Others hear the result alone. It is several while two nodes have not heard of each other's sales.
/// let mut turnover = screen.summary::<i64>("turnover").await?.watch().await?;
/// while let Some(results) = turnover.next().await? {
///     println!("turnover: {results:?}");
/// }
/// # Ok(()) }
/// ```
impl<T> Fold<T> {
    /// Derives into a declared summary, at every node that does the same: a node that hears the result alone shows that of
    /// whoever has folded the most, and those of nodes that have not heard of each other's inputs side by side.
    ///
    /// The answer fails with [`Error::Refused`] where the elements come from anything but replicated sets that are add-wins
    /// or only grow: of others it cannot be told how far they have come. So it does where the last step is no fold.
    pub fn derive_into(self, summary: &Summary<T>) -> Ask<Feed> {
        self.feed(summary.id())
    }
}

impl Deriving<kind::Reached> {
    /// Raises a declared flag once the threshold is reached, at every node that does the same.
    pub fn derive_into(self, flag: &Flag) -> Ask<Feed> {
        self.feed(flag.id())
    }
}

impl<K: Kind> IntoFuture for Deriving<K> {
    type Output = Result<Derived<K>, Error>;
    type IntoFuture = Ask<Derived<K>>;

    fn into_future(self) -> Self::IntoFuture {
        self.make(Target::Local(None), |anchor, _, answer| {
            let (var, derivation) = derived(&answer)?;
            let lasp: &Lasp = anchor.lasp();
            Ok(Derived::new(Var::anchored(Anchor::new(lasp).keeping(Life::of(lasp, derivation)), var)))
        })
    }
}

fn derived(answer: &Answer) -> Result<(VarId, lasp_dataflow::DerivationId), Error> {
    match answer {
        Answer::Reply(Reply::Derived { var, derivation }) => Ok((*var, *derivation)),
        other => Err(mismatch(other)),
    }
}

impl<K> fmt::Debug for Deriving<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.fmt(f)
    }
}

/// A typed function as one of values.
pub(super) fn unary<T: Element>(f: impl Fn(T) -> Result<Value, FunctionError> + Send + Sync + 'static) -> Function {
    function(move |args| {
        let [arg] = args else { return Err(FunctionError::new("takes one argument")) };
        f(from_value(arg)?)
    })
}

/// A typed function of two arguments as one of values.
pub(super) fn binary<A: Element, B: Element>(
    f: impl Fn(A, B) -> Result<Value, FunctionError> + Send + Sync + 'static,
) -> Function {
    function(move |args| {
        let [one, two] = args else { return Err(FunctionError::new("takes two arguments")) };
        f(from_value(one)?, from_value(two)?)
    })
}
