//! Derived sets and folds, written as chains and made when awaited.

use super::element::Element;
use super::handle::Lasp;
use super::variable::{GSet, Scalar, Set, Var, View};
use crate::error::Error;
use lasp_dataflow::{Aggregate, Function, FunctionError, Operator, Target, Value, VarId, function};
use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;

/// A future in a box, as the awaiting of a chain needs.
type Boxed<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// What sets can be derived from. The functions given here must be pure: every node calls them when it likes.
///
/// ```
/// use lasp::Collection as _;
///
/// # async fn example(ads: lasp::Set<String>, sold: lasp::Set<String>) -> Result<(), lasp::Error> {
/// let loud = ads.union(&sold).map(|ad| ad.to_uppercase()).filter(|ad| ad.len() > 3).await?;
/// let pairs = ads.product(&sold).count().await?;
/// # Ok(()) }
/// ```
pub trait Collection {
    /// Its elements.
    type Item: Element + 'static;

    /// A chain that begins here.
    fn derivation(&self) -> Derivation<Self::Item>;

    /// The images of the elements.
    fn map<U: Element + 'static>(&self, f: impl Fn(Self::Item) -> U + Send + Sync + 'static) -> Derivation<U> {
        self.derivation().step(Operator::Map(unary(move |item| Ok(f(item).into_value()))))
    }

    /// The elements for which `f` is true.
    fn filter(&self, f: impl Fn(&Self::Item) -> bool + Send + Sync + 'static) -> Derivation<Self::Item> {
        self.derivation().step(Operator::Filter(unary(move |item: Self::Item| Ok(f(&item).into_value()))))
    }

    /// The elements of what `f` gives for each element.
    fn flat_map<U, I>(&self, f: impl Fn(Self::Item) -> I + Send + Sync + 'static) -> Derivation<U>
    where
        U: Element + 'static,
        I: IntoIterator<Item = U>,
    {
        let list = move |item| Ok(Value::list(f(item).into_iter().map(U::into_value)));
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
        let left_key = unary(move |item: Self::Item| Ok(left(&item).into_value()));
        let right_key = unary(move |item: C::Item| Ok(right(&item).into_value()));
        self.derivation().with(Operator::Join { left_key, right_key }, other.derivation())
    }

    /// How many elements there are.
    fn count(&self) -> Fold<i64> {
        self.derivation().fold(Aggregate::Count)
    }

    /// The sum of the elements.
    fn sum(&self) -> Fold<Self::Item> {
        self.derivation().fold(Aggregate::Sum)
    }

    /// The least element.
    fn least(&self) -> Fold<Self::Item> {
        self.derivation().fold(Aggregate::Min)
    }

    /// The greatest element.
    fn greatest(&self) -> Fold<Self::Item> {
        self.derivation().fold(Aggregate::Max)
    }
}

impl<T: Element + 'static> Collection for Set<T> {
    type Item = T;

    fn derivation(&self) -> Derivation<T> {
        Derivation::of(self.lasp(), self.id())
    }
}

impl<T: Element + 'static> Collection for GSet<T> {
    type Item = T;

    fn derivation(&self) -> Derivation<T> {
        Derivation::of(self.lasp(), self.id())
    }
}

impl<T: Element + 'static> Collection for View<T> {
    type Item = T;

    fn derivation(&self) -> Derivation<T> {
        Derivation::of(self.lasp(), self.id())
    }
}

impl<T: Element + 'static> Collection for Derivation<T> {
    type Item = T;

    fn derivation(&self) -> Self {
        Self { lasp: self.lasp.clone(), plan: self.plan.clone(), item: PhantomData }
    }
}

/// A derived set to be: await it for a [`View`] local to this node, or [`derive_into`](Self::derive_into) a declared set.
#[must_use = "a derivation is made when it is awaited"]
pub struct Derivation<T> {
    lasp: Lasp,
    plan: Plan,
    item: PhantomData<fn() -> T>,
}

#[derive(Clone, Debug)]
enum Plan {
    Var(VarId),
    Step(Operator, Vec<Self>),
}

impl<T> Derivation<T> {
    fn of(lasp: &Lasp, var: VarId) -> Self {
        Self { lasp: lasp.clone(), plan: Plan::Var(var), item: PhantomData }
    }

    fn step<U>(self, operator: Operator) -> Derivation<U> {
        Derivation { lasp: self.lasp, plan: Plan::Step(operator, vec![self.plan]), item: PhantomData }
    }

    fn with<U, V>(self, operator: Operator, other: Derivation<U>) -> Derivation<V> {
        let plan = Plan::Step(operator, vec![self.plan, other.plan]);
        Derivation { lasp: self.lasp, plan, item: PhantomData }
    }

    fn fold<U>(self, aggregate: Aggregate) -> Fold<U> {
        Fold(self.step(Operator::Fold(aggregate)))
    }

    /// Derives into a declared set, at every node that does the same; it may have elements of its own as well.
    ///
    /// # Errors
    /// [`Error::Refused`], where the set would follow from itself for instance.
    pub async fn derive_into(self, set: &Set<T>) -> Result<(), Error> {
        match self.plan {
            Plan::Var(from) => self.lasp.bind_to(set.id(), from).await,
            step @ Plan::Step(..) => make(self.lasp, step, Target::Into(set.id())).await.map(|_| ()),
        }
    }
}

impl<T: 'static> IntoFuture for Derivation<T> {
    type Output = Result<View<T>, Error>;
    type IntoFuture = Boxed<View<T>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let id = make(self.lasp.clone(), self.plan, Target::Local(None)).await?;
            Ok(Var::new(&self.lasp, id))
        })
    }
}

impl<T> fmt::Debug for Derivation<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.fmt(f)
    }
}

/// A derived value to be: await it.
#[must_use = "a derivation is made when it is awaited"]
#[derive(Debug)]
pub struct Fold<T>(Derivation<T>);

impl<T: 'static> IntoFuture for Fold<T> {
    type Output = Result<Scalar<T>, Error>;
    type IntoFuture = Boxed<Scalar<T>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let id = make(self.0.lasp.clone(), self.0.plan, Target::Local(None)).await?;
            Ok(Var::new(&self.0.lasp, id))
        })
    }
}

/// Makes a plan's inputs, then its last step.
fn make(lasp: Lasp, plan: Plan, into: Target) -> Boxed<VarId> {
    Box::pin(async move {
        let (operator, inputs) = match plan {
            Plan::Var(var) => return Ok(var),
            Plan::Step(operator, inputs) => (operator, inputs),
        };
        let mut vars = Vec::with_capacity(inputs.len());
        for input in inputs {
            vars.push(make(lasp.clone(), input, Target::Local(None)).await?);
        }
        lasp.derive(operator, vars, into).await
    })
}

/// A typed function as one of values.
fn unary<T: Element>(f: impl Fn(T) -> Result<Value, FunctionError> + Send + Sync + 'static) -> Function {
    function(move |args| {
        let [arg] = args else { return Err(FunctionError::new("takes one argument")) };
        f(T::from_value(arg).map_err(|error| FunctionError::new(error.to_string()))?)
    })
}
