//! The kinds of typed variables: which replicated type each is, and which Rust type its value has.

use super::element::Element;
use lasp_dataflow::{FromValueError, NotThatKind, Output, Type, from_value};
use std::fmt;
use std::marker::PhantomData;

/// A kind of variable.
pub trait Kind {
    /// Its value in Rust.
    type Value;

    /// Its replicated type.
    fn ty() -> Type;

    /// Reads its value.
    ///
    /// # Errors
    /// [`FromValueError`] where the variable holds something else, which another program may have put there.
    fn read(output: &Output) -> Result<Self::Value, FromValueError>;
}

/// A kind whose variables are collections: what can be filtered, joined, counted.
pub trait Elements: Kind {
    /// What is in it: an element, or of a map an entry.
    type Item: Element;
}

/// A kind with keys.
pub trait Keyed: Kind {
    /// Its keys.
    type Key: Element;
}

/// A kind whose variables have one value, from which another can be derived.
pub trait Single: Kind<Value: Element> {}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident < $($param:ident),* > ;)*) => {$(
        $(#[$doc])*
        pub struct $name<$($param),*>(PhantomData<fn() -> ($($param,)*)>);

        impl<$($param),*> fmt::Debug for $name<$($param),*> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}

mod causal;
mod graphs;

pub use causal::{AwMap, Causal, DwFlag, EwFlag, MvMap, MvRegister, RwSet};
pub use graphs::{AwGraph, Digraph, GGraph, Graph, TwoPGraph};

kinds! {
    /// An add-wins set.
    Set<T>;
    /// A grow-only set.
    GSet<T>;
    /// A set whose elements, once removed, never come back.
    TwoPSet<T>;
    /// A derived set: read, never written.
    View<T>;
    /// A register that keeps the greatest value.
    Max<T>;
    /// A register that keeps the least value.
    Min<T>;
    /// A register that is set once.
    IVar<T>;
    /// A register that keeps the last write.
    Register<T>;
    /// A grow-only map.
    GMap<K, V>;
    /// Two variables side by side.
    Pair<A, B>;
    /// A derived value: read, never written.
    Scalar<T>;
    /// A derived map from keys to aggregates: read, never written.
    Table<K, V>;
}

/// A grow-only counter.
#[derive(Debug)]
pub struct GCounter;

/// A counter that goes both ways.
#[derive(Debug)]
pub struct PnCounter;

/// A counter that goes both ways, one number for each replica.
#[derive(Debug)]
pub struct LexCounter;

/// A counter that never goes below zero.
#[derive(Debug)]
pub struct BCounter;

/// A flag that can only be raised.
#[derive(Debug)]
pub struct Flag;

/// Whether a variable has reached a threshold: read, never written.
#[derive(Debug)]
pub struct Reached;

fn elements<T: Element>(output: &Output) -> Result<Vec<T>, FromValueError> {
    match output {
        Output::Set(items) => items.iter().map(from_value).collect(),
        other => Err(NotThatKind::new("a set", &other.to_value()).into()),
    }
}

fn single<T: Element>(output: &Output) -> Result<T, FromValueError> {
    match output {
        Output::Value(value) => from_value(value),
        other => Err(NotThatKind::new("one value", &other.to_value()).into()),
    }
}

fn optional<T: Element>(output: &Output) -> Result<Option<T>, FromValueError> {
    match output {
        Output::Unset => Ok(None),
        other => single(other).map(Some),
    }
}

impl<T: Element> Kind for Set<T> {
    type Value = Vec<T>;

    fn ty() -> Type {
        Type::AwSet
    }

    fn read(output: &Output) -> Result<Vec<T>, FromValueError> {
        elements(output)
    }
}

impl<T: Element> Kind for GSet<T> {
    type Value = Vec<T>;

    fn ty() -> Type {
        Type::GSet
    }

    fn read(output: &Output) -> Result<Vec<T>, FromValueError> {
        elements(output)
    }
}

impl<T: Element> Kind for TwoPSet<T> {
    type Value = Vec<T>;

    fn ty() -> Type {
        Type::TwoPSet
    }

    fn read(output: &Output) -> Result<Vec<T>, FromValueError> {
        elements(output)
    }
}

impl Kind for LexCounter {
    type Value = i64;

    fn ty() -> Type {
        Type::LexCounter
    }

    fn read(output: &Output) -> Result<i64, FromValueError> {
        single(output)
    }
}

impl Kind for BCounter {
    type Value = u64;

    fn ty() -> Type {
        Type::BCounter
    }

    fn read(output: &Output) -> Result<u64, FromValueError> {
        single(output)
    }
}

impl<T: Element> Kind for View<T> {
    type Value = Vec<T>;

    fn ty() -> Type {
        Type::AwSet
    }

    fn read(output: &Output) -> Result<Vec<T>, FromValueError> {
        elements(output)
    }
}

impl Kind for GCounter {
    type Value = u64;

    fn ty() -> Type {
        Type::GCounter
    }

    fn read(output: &Output) -> Result<u64, FromValueError> {
        single(output)
    }
}

impl Kind for PnCounter {
    type Value = i64;

    fn ty() -> Type {
        Type::PnCounter
    }

    fn read(output: &Output) -> Result<i64, FromValueError> {
        single(output)
    }
}

impl Kind for Flag {
    type Value = bool;

    fn ty() -> Type {
        Type::Boolean
    }

    fn read(output: &Output) -> Result<bool, FromValueError> {
        single(output)
    }
}

impl<T: Element> Kind for Max<T> {
    type Value = Option<T>;

    fn ty() -> Type {
        Type::Max
    }

    fn read(output: &Output) -> Result<Option<T>, FromValueError> {
        optional(output)
    }
}

impl<T: Element> Kind for Min<T> {
    type Value = Option<T>;

    fn ty() -> Type {
        Type::Min
    }

    fn read(output: &Output) -> Result<Option<T>, FromValueError> {
        optional(output)
    }
}

impl<T: Element> Kind for IVar<T> {
    type Value = Option<T>;

    fn ty() -> Type {
        Type::IVar
    }

    fn read(output: &Output) -> Result<Option<T>, FromValueError> {
        optional(output)
    }
}

impl<T: Element> Kind for Register<T> {
    type Value = Option<T>;

    fn ty() -> Type {
        Type::LwwRegister
    }

    fn read(output: &Output) -> Result<Option<T>, FromValueError> {
        optional(output)
    }
}

impl<T: Element> Kind for Scalar<T> {
    type Value = Option<T>;

    fn ty() -> Type {
        Type::LwwRegister
    }

    fn read(output: &Output) -> Result<Option<T>, FromValueError> {
        optional(output)
    }
}

impl<K: Element, V: Kind> Kind for GMap<K, V> {
    type Value = Vec<(K, V::Value)>;

    fn ty() -> Type {
        Type::GMap(Box::new(V::ty()))
    }

    fn read(output: &Output) -> Result<Self::Value, FromValueError> {
        match output {
            Output::Map(entries) => entries.iter().map(|(k, v)| Ok((from_value(k)?, V::read(v)?))).collect(),
            other => Err(NotThatKind::new("a map", &other.to_value()).into()),
        }
    }
}

impl<A: Kind, B: Kind> Kind for Pair<A, B> {
    type Value = (A::Value, B::Value);

    fn ty() -> Type {
        Type::Pair(Box::new(A::ty()), Box::new(B::ty()))
    }

    fn read(output: &Output) -> Result<Self::Value, FromValueError> {
        match output {
            Output::Pair(first, second) => Ok((A::read(first)?, B::read(second)?)),
            other => Err(NotThatKind::new("a pair", &other.to_value()).into()),
        }
    }
}

impl<K: Element, V: Element> Kind for Table<K, V> {
    type Value = Vec<(K, V)>;

    fn ty() -> Type {
        Type::GMap(Box::new(Type::LwwRegister))
    }

    fn read(output: &Output) -> Result<Self::Value, FromValueError> {
        match output {
            Output::Map(entries) => entries.iter().map(|(key, value)| Ok((from_value(key)?, single(value)?))).collect(),
            other => Err(NotThatKind::new("a map", &other.to_value()).into()),
        }
    }
}

impl Kind for Reached {
    type Value = bool;

    fn ty() -> Type {
        Type::Boolean
    }

    fn read(output: &Output) -> Result<bool, FromValueError> {
        single(output)
    }
}

impl<T: Element> Elements for Set<T> {
    type Item = T;
}

impl<T: Element> Elements for GSet<T> {
    type Item = T;
}

impl<T: Element> Elements for TwoPSet<T> {
    type Item = T;
}

impl<T: Element> Elements for View<T> {
    type Item = T;
}

impl<K: Element, V: Kind<Value: Element>> Elements for GMap<K, V> {
    type Item = (K, V::Value);
}

impl<K: Element, V: Element> Elements for Table<K, V> {
    type Item = (K, V);
}

impl<K: Element, V: Kind> Keyed for GMap<K, V> {
    type Key = K;
}

impl<K: Element, V: Element> Keyed for Table<K, V> {
    type Key = K;
}

impl Single for GCounter {}
impl Single for PnCounter {}
impl Single for LexCounter {}
impl Single for BCounter {}
impl Single for Flag {}
impl Single for Reached {}
impl<T: Element> Single for Max<T> {}
impl<T: Element> Single for Min<T> {}
impl<T: Element> Single for IVar<T> {}
impl<T: Element> Single for Register<T> {}
impl<T: Element> Single for Scalar<T> {}
impl<A: Kind<Value: Element>, B: Kind<Value: Element>> Single for Pair<A, B> {}
