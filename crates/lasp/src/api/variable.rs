//! Typed variables.

mod causal;
mod counters;
mod graphs;
mod sets;

pub use causal::{AwMap, DwFlag, EwFlag, MvMap, MvRegister, RwSet};
pub use counters::{BCounter, GCounter, LexCounter, PnCounter};
pub use graphs::{AwGraph, GGraph, TwoPGraph};
pub use sets::{GSet, Set, TwoPSet, View};

use super::ask::{Ask, Watch, done, mismatch};
use super::condition::{Condition, ThresholdOf};
use super::derivation::{Deriving, unary};
use super::element::{AsElement, Element};
use super::handle::Lasp;
use super::kind::{self, Keyed, Kind, Nesting, Single};
use super::life::{Anchor, Derived};
use crate::error::Error;
use crate::host::port::Answer;
use lasp_dataflow::{Facet, Op, Operator, Output, ToValueError, Value, VarId, to_value};
use lasp_node::{Reply, Request, RequestId};
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

/// A variable of one kind at one node. Cheap to clone.
pub struct Var<K> {
    anchor: Anchor,
    id: VarId,
    /// How many other nodes are to hold what is written through this handle, and how long that may take.
    assurance: Option<(usize, Duration)>,
    kind: PhantomData<fn() -> K>,
}

/// A flag that can only be raised.
pub type Flag = Var<kind::Flag>;
/// A register that keeps the greatest value.
pub type Max<T> = Var<kind::Max<T>>;
/// A register that keeps the least value.
pub type Min<T> = Var<kind::Min<T>>;
/// A register that is set once.
pub type IVar<T> = Var<kind::IVar<T>>;
/// A register that keeps the last write.
pub type Register<T> = Var<kind::Register<T>>;
/// What a fold came to that travels: see [`derive_into`](Deriving::derive_into).
pub type Summary<T> = Var<kind::Summary<T>>;
/// A grow-only map.
pub type GMap<K, V> = Var<kind::GMap<K, V>>;
/// Two variables side by side.
pub type Pair<A, B> = Var<kind::Pair<A, B>>;
/// A derived value.
pub type Scalar<T> = Derived<kind::Scalar<T>>;
/// A derived map from keys to aggregates.
pub type Table<K, V> = Derived<kind::Table<K, V>>;
/// Whether a variable has reached a threshold.
pub type Reached = Derived<kind::Reached>;

impl<K> Var<K> {
    pub(super) fn new(lasp: &Lasp, id: VarId) -> Self {
        Self::anchored(Anchor::new(lasp), id)
    }

    pub(super) fn anchored(anchor: Anchor, id: VarId) -> Self {
        Self { anchor, id, assurance: None, kind: PhantomData }
    }

    pub(super) const fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    pub(super) const fn anchor_mut(&mut self) -> &mut Anchor {
        &mut self.anchor
    }

    /// The untyped handle.
    pub const fn id(&self) -> VarId {
        self.id
    }

    /// The node that holds it.
    pub fn lasp(&self) -> &Lasp {
        self.anchor.lasp()
    }

    /// Forgets the variable at this node and returns its memory; refused while something here follows from it, derives
    /// into it or waits for it. Of a replicated variable, only this node's copy is forgotten, and only if the node is not
    /// [interested](Lasp::interested) in it any more; the node can then not write it again before it restarts.
    pub fn undeclare(&self) -> Ask<()> {
        self.lasp().undeclare(self.id)
    }

    /// The same variable, for updates that are done once so many other nodes hold them in memory; nodes that are interested
    /// in it, wherever they are. What is applied stays applied and goes on spreading, also where that takes longer
    /// ([`Error::Unacknowledged`] tells who holds it) and where the future is dropped.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// # async fn example(orders: lasp::Set<String>) -> Result<(), lasp::Error> {
    /// let safely = orders.acknowledged_by(2, Duration::from_secs(1));
    /// safely.add("4711").await?; // survives the loss of any two nodes
    /// orders.add("4712").await?; // done at once
    /// # Ok(()) }
    /// ```
    #[must_use = "it is for updates through the handle that this gives"]
    pub fn acknowledged_by(&self, nodes: usize, within: Duration) -> Self {
        Self { assurance: Some((nodes, within)), ..self.clone() }
    }

    /// Applies an operation: done once it is applied here, on its way to the others by then; and, through a handle that
    /// wants that, held by others.
    fn update(&self, op: Op) -> Ask<()> {
        match self.assurance {
            None => self.lasp().update(self.id, op),
            Some((nodes, within)) => self.lasp().assured(self.id, op, nodes, within),
        }
    }

    /// Applies an operation with what there may be no value for.
    fn write<V>(&self, value: Result<V, ToValueError>, op: impl FnOnce(V) -> Op) -> Ask<()> {
        match value {
            Ok(value) => self.update(op(value)),
            Err(error) => Ask::failed(self.lasp(), error),
        }
    }

    /// Whether a collection holds an element, or a map has a key.
    fn holds(&self, value: Result<Value, ToValueError>) -> Ask<bool> {
        match value {
            Ok(value) => self.lasp().contains(self.id, value),
            Err(error) => Ask::failed(self.lasp(), error),
        }
    }
}

impl<K: Kind> Var<K> {
    /// The current value.
    pub fn value(&self) -> Ask<K::Value> {
        Ask::anchored(self.anchor.clone(), Request::Query(self.id), value::<K>)
    }

    /// Waits until the threshold is reached; the value then. Dropped, it waits no longer;
    /// [`timeout`](Ask::timeout) limits it.
    ///
    /// ```
    /// use lasp::{AtLeast, Exceeds, Reaches};
    ///
    /// # async fn example(views: lasp::GCounter, ads: lasp::Set<String>) -> Result<(), lasp::Error> {
    /// views.read(AtLeast(50_000)).await?; // a number
    /// views.read(Exceeds(50_000)).await?; // more than that
    /// ads.read(AtLeast(3)).await?; // so many elements
    /// ads.read(Reaches(["shoes", "hats"])).await?; // these elements
    /// # Ok(()) }
    /// ```
    pub fn read(&self, threshold: impl ThresholdOf<K>) -> Ask<K::Value> {
        match threshold.threshold() {
            Ok(threshold) => {
                let request = Request::Read { var: self.id, threshold };
                Ask::anchored(self.anchor.clone(), request, value::<K>)
            }
            Err(error) => Ask::failed(self.lasp(), error),
        }
    }

    /// The variable and a threshold, to [wait for any of several](Lasp::read_any).
    pub fn at(&self, threshold: impl ThresholdOf<K>) -> Condition {
        Condition::new(self, threshold)
    }

    /// An untyped value of this variable as a Rust value.
    ///
    /// # Errors
    /// [`Error::Value`].
    pub fn read_output(&self, output: &Output) -> Result<K::Value, Error> {
        Ok(K::read(output)?)
    }

    /// Waits until somebody reads this variable, or waits for it to come at least so far: for what is computed only when it
    /// is wanted.
    pub fn wait_needed(&self, threshold: impl ThresholdOf<K>) -> Ask<()> {
        match threshold.threshold() {
            Ok(threshold) => {
                let request = Request::WaitNeeded { var: self.id, threshold };
                Ask::anchored(self.anchor.clone(), request, done)
            }
            Err(error) => Ask::failed(self.lasp(), error),
        }
    }

    /// Follows the variable: its values from now on, as they change. A reader that is slow skips values, never the last
    /// one.
    ///
    /// ```
    /// # async fn example(ads: lasp::Set<String>) -> Result<(), lasp::Error> {
    /// let mut changes = ads.watch().await?;
    /// while let Some(ads) = changes.next().await? {
    ///     println!("{} ads", ads.len());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn watch(&self) -> Ask<Watch<K::Value>> {
        Ask::anchored(self.anchor.clone(), Request::Watch(self.id), |anchor, id, answer| {
            Watch::started(anchor, id, answer, K::read)
        })
    }

    /// Whether it has reached a threshold, as a variable of its own: derived, or into a declared flag.
    pub fn reached(&self, threshold: impl ThresholdOf<K>) -> Deriving<kind::Reached> {
        Deriving::on(self, threshold.threshold().map(|threshold| Operator::Reached(Box::new(threshold))))
    }

    /// Merges all of `from`, now and later, into this variable.
    pub fn bind_to(&self, from: &Self) -> Ask<()> {
        self.lasp().bind_to(self.id, from.id)
    }

    /// Runs `action` once the threshold is reached. The future does both; give it to [`Lasp::spawn`] to have it run
    /// beside the program.
    ///
    /// # Errors
    /// Why the threshold could not be waited for; `action` has not run then.
    pub fn invariant<A, F, N>(
        &self,
        threshold: N,
        action: A,
    ) -> impl Future<Output = Result<F::Output, Error>> + use<K, A, F, N>
    where
        N: ThresholdOf<K>,
        A: FnOnce() -> F,
        F: Future,
    {
        let reached = self.read(threshold);
        async move {
            reached.await?;
            Ok(action().await)
        }
    }
}

fn value<K: Kind>(_: &Anchor, _: RequestId, answer: Answer) -> Result<K::Value, Error> {
    match answer {
        Answer::Reply(Reply::Output(output)) => Ok(K::read(&output)?),
        other => Err(mismatch(&other)),
    }
}

impl<K: Single> Var<K> {
    /// A value that follows from this one.
    ///
    /// ```
    /// # async fn example(views: lasp::GCounter) -> Result<(), lasp::Error> {
    /// let left = views.map(|views| 50_000_i64 - views as i64).await?;
    /// # Ok(()) }
    /// ```
    pub fn map<U: Element>(&self, f: impl Fn(K::Value) -> U + Send + Sync + 'static) -> Deriving<kind::Scalar<U>> {
        Deriving::on(self, Ok(Operator::Map(unary(move |value| Ok(to_value(&f(value))?)))))
    }
}

impl<K: Keyed> Var<K> {
    /// The keys.
    pub fn keys(&self) -> Deriving<kind::View<K::Key>> {
        Deriving::on(self, Ok(Operator::View(Facet::Keys)))
    }

    /// Whether there is such a key.
    pub fn contains_key(&self, key: impl AsElement<K::Key>) -> Ask<bool> {
        self.holds(key.into_element())
    }
}

impl<K: Keyed + kind::Elements> Var<K> {
    /// The entries.
    pub fn entries(&self) -> Deriving<kind::View<K::Item>> {
        Deriving::on(self, Ok(Operator::View(Facet::Elements)))
    }
}

fn values<T, A: AsElement<T>>(elements: impl IntoIterator<Item = A>) -> Result<Vec<Value>, ToValueError> {
    elements.into_iter().map(A::into_element).collect()
}

impl Flag {
    /// Raises it.
    pub fn raise(&self) -> Ask<()> {
        self.update(Op::Enable)
    }
}

macro_rules! writes {
    ($($kind:ident $doc:literal;)*) => {$(
        impl<T: Element> $kind<T> {
            #[doc = $doc]
            pub fn set(&self, value: impl AsElement<T>) -> Ask<()> {
                self.write(value.into_element(), Op::Set)
            }
        }
    )*};
}

writes! {
    Max "Writes a value, which counts if it is greater than every other.";
    Min "Writes a value, which counts if it is less than every other.";
    IVar "Sets it; another value than the one it has is refused.";
    Register "Writes a value, which replaces those written before.";
    MvRegister "Writes a value in place of those that this node has seen.";
}

/// ```
/// use lasp::{Op, kind};
///
/// # async fn example(lasp: lasp::Lasp) -> Result<(), lasp::Error> {
/// let carts = lasp.awmap::<String, kind::Set<String>>("carts").await?;
/// carts.apply("ann", Op::Add("tea".into())).await?;
/// assert_eq!(carts.value().await?, [("ann".to_owned(), vec!["tea".to_owned()])]);
/// carts.remove("ann").await?;
/// assert!(!carts.contains_key("ann").await?);
/// # Ok(()) }
/// ```
impl<K: Nesting> Var<K> {
    /// Applies an operation of the inner kind under a key.
    pub fn apply(&self, key: impl AsElement<K::Key>, op: Op) -> Ask<()> {
        self.write(key.into_element(), |key| Op::Apply(key, Box::new(op)))
    }
}

impl<A: Kind, B: Kind> Pair<A, B> {
    /// Applies an operation to the first.
    pub fn first(&self, op: Op) -> Ask<()> {
        self.update(Op::Fst(Box::new(op)))
    }

    /// Applies an operation to the second.
    pub fn second(&self, op: Op) -> Ask<()> {
        self.update(Op::Snd(Box::new(op)))
    }
}

impl<K> Clone for Var<K> {
    fn clone(&self) -> Self {
        Self { assurance: self.assurance, ..Self::anchored(self.anchor.clone(), self.id) }
    }
}

impl<K> fmt::Debug for Var<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Var").field("id", &self.id).finish()
    }
}
