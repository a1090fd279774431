//! Typed variables.

use super::ask::{Ask, Watch, mismatch};
use super::element::{AsElement, Element};
use super::handle::Lasp;
use super::kind::{self, Kind};
use crate::error::Error;
use crate::host::port::Answer;
use lasp_dataflow::{Op, Threshold, Value, VarId};
use lasp_node::{Reply, Request, RequestId};
use std::fmt;
use std::marker::PhantomData;

/// A variable of one kind at one node. Cheap to clone.
pub struct Var<K> {
    lasp: Lasp,
    id: VarId,
    kind: PhantomData<fn() -> K>,
}

/// An add-wins set.
pub type Set<T> = Var<kind::Set<T>>;
/// A grow-only set.
pub type GSet<T> = Var<kind::GSet<T>>;
/// A derived set.
pub type View<T> = Var<kind::View<T>>;
/// A grow-only counter.
pub type GCounter = Var<kind::GCounter>;
/// A counter that goes both ways.
pub type PnCounter = Var<kind::PnCounter>;
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
/// A grow-only map.
pub type GMap<K, V> = Var<kind::GMap<K, V>>;
/// Two variables side by side.
pub type Pair<A, B> = Var<kind::Pair<A, B>>;
/// A derived value.
pub type Scalar<T> = Var<kind::Scalar<T>>;

impl<K> Var<K> {
    pub(super) fn new(lasp: &Lasp, id: VarId) -> Self {
        Self { lasp: lasp.clone(), id, kind: PhantomData }
    }

    /// The untyped handle.
    pub const fn id(&self) -> VarId {
        self.id
    }

    /// The node that holds it.
    pub const fn lasp(&self) -> &Lasp {
        &self.lasp
    }

    /// Applies an operation: done once it is applied here, on its way to the others by then.
    fn update(&self, op: Op) -> Ask<()> {
        self.lasp.update(self.id, op)
    }
}

impl<K: Kind> Var<K> {
    /// The current value.
    pub fn value(&self) -> Ask<K::Value> {
        Ask::request(&self.lasp, Request::Query(self.id), value::<K>)
    }

    /// Waits until the threshold is reached; the value then.
    pub fn read(&self, threshold: Threshold) -> Ask<K::Value> {
        Ask::request(&self.lasp, Request::Read { var: self.id, threshold }, value::<K>)
    }

    /// Follows the variable; [`Kind::read`] turns what comes into Rust values.
    pub fn watch(&self) -> Ask<Watch> {
        self.lasp.watch(self.id)
    }

    /// Merges all of `from`, now and later, into this variable.
    pub fn bind_to(&self, from: &Self) -> Ask<()> {
        self.lasp.bind_to(self.id, from.id)
    }

    /// Runs `action` once the threshold is reached. The future does both; give it to [`Lasp::spawn`] to have it run
    /// beside the program.
    ///
    /// # Errors
    /// Why the threshold could not be waited for; `action` has not run then.
    pub fn invariant<A, F>(
        &self,
        threshold: Threshold,
        action: A,
    ) -> impl Future<Output = Result<F::Output, Error>> + use<K, A, F>
    where
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

fn value<K: Kind>(_: &Lasp, _: RequestId, answer: Answer) -> Result<K::Value, Error> {
    match answer {
        Answer::Reply(Reply::Output(output)) => Ok(K::read(&output)?),
        other => Err(mismatch(&other)),
    }
}

fn values<T, A: AsElement<T>>(elements: impl IntoIterator<Item = A>) -> Vec<Value> {
    elements.into_iter().map(A::into_element).collect()
}

impl<T: Element> Set<T> {
    /// Adds an element.
    pub fn add(&self, element: impl AsElement<T>) -> Ask<()> {
        self.update(Op::Add(element.into_element()))
    }

    /// Adds several elements at once: no reader sees only some of them.
    pub fn add_all<A: AsElement<T>>(&self, elements: impl IntoIterator<Item = A>) -> Ask<()> {
        self.update(Op::AddAll(values(elements)))
    }

    /// Removes an element; nothing happens if it is absent. An addition that this node has not seen survives.
    pub fn remove(&self, element: impl AsElement<T>) -> Ask<()> {
        self.update(Op::Remove(element.into_element()))
    }

    /// Removes several elements at once.
    pub fn remove_all<A: AsElement<T>>(&self, elements: impl IntoIterator<Item = A>) -> Ask<()> {
        self.update(Op::RemoveAll(values(elements)))
    }

    /// Whether the set holds an element.
    pub fn contains(&self, element: impl AsElement<T>) -> Ask<bool> {
        self.lasp.contains(self.id, element.into_element())
    }
}

impl<T: Element> GSet<T> {
    /// Adds an element.
    pub fn add(&self, element: impl AsElement<T>) -> Ask<()> {
        self.update(Op::Add(element.into_element()))
    }

    /// Adds several elements at once.
    pub fn add_all<A: AsElement<T>>(&self, elements: impl IntoIterator<Item = A>) -> Ask<()> {
        self.update(Op::AddAll(values(elements)))
    }

    /// Whether the set holds an element.
    pub fn contains(&self, element: impl AsElement<T>) -> Ask<bool> {
        self.lasp.contains(self.id, element.into_element())
    }
}

impl<T: Element> View<T> {
    /// Whether the set holds an element.
    pub fn contains(&self, element: impl AsElement<T>) -> Ask<bool> {
        self.lasp.contains(self.id, element.into_element())
    }
}

impl GCounter {
    /// Adds to it.
    pub fn increment(&self, by: u64) -> Ask<()> {
        self.update(Op::Increment(by))
    }
}

impl PnCounter {
    /// Adds to it.
    pub fn increment(&self, by: u64) -> Ask<()> {
        self.update(Op::Increment(by))
    }

    /// Takes off it.
    pub fn decrement(&self, by: u64) -> Ask<()> {
        self.update(Op::Decrement(by))
    }
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
                self.update(Op::Set(value.into_element()))
            }
        }
    )*};
}

writes! {
    Max "Writes a value, which counts if it is greater than every other.";
    Min "Writes a value, which counts if it is less than every other.";
    IVar "Sets it; another value than the one it has is refused.";
    Register "Writes a value, which replaces those written before.";
}

impl<K: Element, V: Kind> GMap<K, V> {
    /// Applies an operation of the inner kind under a key.
    pub fn apply(&self, key: impl AsElement<K>, op: Op) -> Ask<()> {
        self.update(Op::Apply(key.into_element(), Box::new(op)))
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
        Self::new(&self.lasp, self.id)
    }
}

impl<K> fmt::Debug for Var<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Var").field("id", &self.id).finish()
    }
}
