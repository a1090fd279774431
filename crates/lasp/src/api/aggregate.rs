//! What collections are summed up by.

use super::derivation::{binary, unary};
use super::element::Element;
use lasp_dataflow::{self as dataflow, FunctionError, ToValueError, Value, to_value};
use std::fmt;
use std::marker::PhantomData;

/// A way to sum up elements of type `T` as an `R`: over a whole [collection](super::Collection::aggregate), or for
/// [each key](super::Groups::aggregate).
///
/// ```
/// use lasp::{Aggregate, Collection as _};
///
/// # async fn example(sales: lasp::Set<(String, i64)>) -> Result<(), lasp::Error> {
/// let price = |(_, price): &(String, i64)| *price;
/// let per_ad = sales.group_by(|(ad, _)| ad.clone());
/// let totals = per_ad.aggregate(Aggregate::count().and(Aggregate::sum(price)).and(Aggregate::max(price))).await?;
/// let rows: Vec<(String, ((i64, i64), i64))> = totals.value().await?;
/// # Ok(()) }
/// ```
pub struct Aggregate<T, R> {
    aggregate: Result<dataflow::Aggregate, ToValueError>,
    types: PhantomData<fn(T) -> R>,
}

impl<T: Element, R> Aggregate<T, R> {
    fn new(aggregate: dataflow::Aggregate) -> Self {
        Self { aggregate: Ok(aggregate), types: PhantomData }
    }

    fn of<U: Element>(f: impl Fn(&T) -> U + Send + Sync + 'static, aggregate: dataflow::Aggregate) -> Self {
        Self::new(dataflow::Aggregate::Of(unary(move |item: T| Ok(to_value(&f(&item))?)), Box::new(aggregate)))
    }

    /// This and another, side by side.
    pub fn and<S>(self, other: Aggregate<T, S>) -> Aggregate<T, (R, S)> {
        let both = |one, two| dataflow::Aggregate::All(vec![one, two]);
        let aggregate = self.aggregate.and_then(|one| other.aggregate.map(|two| both(one, two)));
        Aggregate { aggregate, types: PhantomData }
    }

    pub(super) fn into_aggregate(self) -> Result<dataflow::Aggregate, ToValueError> {
        self.aggregate
    }
}

impl<T: Element> Aggregate<T, i64> {
    /// How many there are.
    pub fn count() -> Self {
        Self::new(dataflow::Aggregate::Count)
    }
}

impl<T: Element> Aggregate<T, f64> {
    /// The mean of a number of each; of no elements there is none.
    pub fn avg<U: Element>(f: impl Fn(&T) -> U + Send + Sync + 'static) -> Self {
        Self::of(f, dataflow::Aggregate::Avg)
    }
}

impl<T: Element, U: Element> Aggregate<T, U> {
    /// The sum of a number of each; equal numbers of two elements count twice.
    pub fn sum(f: impl Fn(&T) -> U + Send + Sync + 'static) -> Self {
        Self::of(f, dataflow::Aggregate::Sum)
    }

    /// The least of what the function gives, in the order of [values](lasp_dataflow::Value); of no elements there is none.
    pub fn min(f: impl Fn(&T) -> U + Send + Sync + 'static) -> Self {
        Self::of(f, dataflow::Aggregate::Min)
    }

    /// The greatest of what the function gives.
    pub fn max(f: impl Fn(&T) -> U + Send + Sync + 'static) -> Self {
        Self::of(f, dataflow::Aggregate::Max)
    }

    /// A fold with a function of your own, which must not depend on the order of the elements. A removal costs a call for
    /// each element that is left; [`invertible`](Self::invertible) makes it one call.
    pub fn fold(init: U, step: impl Fn(T, U) -> U + Send + Sync + 'static) -> Self {
        Self::custom(init, step, None::<fn(T, U) -> U>)
    }

    /// The same with a function that undoes a step: `undo(x, step(x, acc))` is `acc`.
    pub fn invertible(
        init: U,
        step: impl Fn(T, U) -> U + Send + Sync + 'static,
        undo: impl Fn(T, U) -> U + Send + Sync + 'static,
    ) -> Self {
        Self::custom(init, step, Some(undo))
    }

    fn custom(
        init: U,
        step: impl Fn(T, U) -> U + Send + Sync + 'static,
        undo: Option<impl Fn(T, U) -> U + Send + Sync + 'static>,
    ) -> Self {
        let aggregate = to_value(&init).map(|init| dataflow::Aggregate::Custom {
            step: stepping(step),
            init,
            inverse: undo.map(|undo| stepping(undo)),
        });
        Self { aggregate, types: PhantomData }
    }
}

fn stepping<T: Element, U: Element>(f: impl Fn(T, U) -> U + Send + Sync + 'static) -> lasp_dataflow::Function {
    binary(move |item: T, accumulated: U| -> Result<Value, FunctionError> { Ok(to_value(&f(item, accumulated))?) })
}

impl<T, R> fmt::Debug for Aggregate<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.aggregate.fmt(f)
    }
}
