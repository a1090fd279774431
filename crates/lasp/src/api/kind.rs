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

/// A kind of set.
pub trait Members: Elements {}

/// A kind of set that elements are added to.
pub trait Growing: Members {}

/// A kind of set that elements are also removed from.
pub trait Shrinking: Growing {}

/// A kind with keys.
pub trait Keyed: Kind {
    /// Its keys.
    type Key: Element;
}

/// A kind with a variable below each key.
pub trait Nesting: Keyed {}

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

/// Which type a kind is, what its values are in Rust, and how they are read.
macro_rules! reads {
    ($($kind:ident $(<$($param:ident: $bound:ident),*>)?: $ty:expr, $value:ty, $read:expr;)*) => {$(
        impl $(<$($param: $bound),*>)? Kind for $kind $(<$($param),*>)? {
            type Value = $value;

            fn ty() -> Type {
                $ty
            }

            fn read(output: &Output) -> Result<Self::Value, FromValueError> {
                $read(output)
            }
        }
    )*};
}

/// The kinds of sets, and what else they are.
macro_rules! sets {
    ($($kind:ident: $($is:ident)*;)*) => {$(
        impl<T: Element> Elements for $kind<T> {
            type Item = T;
        }

        $(impl<T: Element> $is for $kind<T> {})*
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
    /// What a fold came to that travels: the result of who has folded the most. Its values are all results of nodes that have
    /// not heard of each other's inputs yet, in the order of values; mostly one. A result that is no value, as the least of
    /// nothing, is left out.
    Summary<T>;
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

fn not<T>(wanted: &'static str, output: &Output) -> Result<T, FromValueError> {
    Err(NotThatKind::new(wanted, &output.to_value()).into())
}

fn elements<T: Element>(output: &Output) -> Result<Vec<T>, FromValueError> {
    match output {
        Output::Set(items) => items.iter().map(from_value).collect(),
        other => not("a set", other),
    }
}

fn single<T: Element>(output: &Output) -> Result<T, FromValueError> {
    match output {
        Output::Value(value) => from_value(value),
        other => not("one value", other),
    }
}

fn optional<T: Element>(output: &Output) -> Result<Option<T>, FromValueError> {
    match output {
        Output::Unset => Ok(None),
        other => single(other).map(Some),
    }
}

/// Concurrent values, in the order of values.
fn several<T: Element>(output: &Output) -> Result<Vec<T>, FromValueError> {
    match output {
        Output::Many(values) => values.iter().map(from_value).collect(),
        other => not("concurrent values", other),
    }
}

/// Results of a fold: none, one, or several that are concurrent.
fn results<T: Element>(output: &Output) -> Result<Vec<T>, FromValueError> {
    match output {
        Output::Many(_) => Ok(several::<Option<T>>(output)?.into_iter().flatten().collect()),
        other => Ok(optional(other)?.into_iter().collect()),
    }
}

fn entries<K: Element, V>(
    output: &Output,
    read: impl Fn(&Output) -> Result<V, FromValueError>,
) -> Result<Vec<(K, V)>, FromValueError> {
    match output {
        Output::Map(entries) => entries.iter().map(|(key, value)| Ok((from_value(key)?, read(value)?))).collect(),
        other => not("a map", other),
    }
}

fn pair<A: Kind, B: Kind>(output: &Output) -> Result<(A::Value, B::Value), FromValueError> {
    match output {
        Output::Pair(first, second) => Ok((A::read(first)?, B::read(second)?)),
        other => not("a pair", other),
    }
}

reads! {
    Set<T: Element>: Type::AwSet, Vec<T>, elements;
    GSet<T: Element>: Type::GSet, Vec<T>, elements;
    TwoPSet<T: Element>: Type::TwoPSet, Vec<T>, elements;
    View<T: Element>: Type::AwSet, Vec<T>, elements;
    GCounter: Type::GCounter, u64, single;
    PnCounter: Type::PnCounter, i64, single;
    LexCounter: Type::LexCounter, i64, single;
    BCounter: Type::BCounter, u64, single;
    Flag: Type::Boolean, bool, single;
    Reached: Type::Boolean, bool, single;
    Max<T: Element>: Type::Max, Option<T>, optional;
    Min<T: Element>: Type::Min, Option<T>, optional;
    IVar<T: Element>: Type::IVar, Option<T>, optional;
    Register<T: Element>: Type::LwwRegister, Option<T>, optional;
    Scalar<T: Element>: Type::LwwRegister, Option<T>, optional;
    Summary<T: Element>: Type::Summary, Vec<T>, results;
    Pair<A: Kind, B: Kind>: Type::Pair(Box::new(A::ty()), Box::new(B::ty())), (A::Value, B::Value), pair::<A, B>;
    GMap<K: Element, V: Kind>: Type::GMap(Box::new(V::ty())), Vec<(K, V::Value)>, |output| entries(output, V::read);
    Table<K: Element, V: Element>: Type::GMap(Box::new(Type::LwwRegister)), Vec<(K, V)>, |output| entries(output, single);
}

sets! {
    Set: Members Growing Shrinking;
    GSet: Members Growing;
    TwoPSet: Members Growing Shrinking;
    View: Members;
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

impl<K: Element, V: Kind> Nesting for GMap<K, V> {}

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
