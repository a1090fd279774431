//! The kinds of typed variables: which replicated type each is, and which Rust type its value has.

use super::element::Element;
use lasp_dataflow::{NotThatKind, Output, Type};
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
    /// [`NotThatKind`] where the variable holds something else, which another program may have put there.
    fn read(output: &Output) -> Result<Self::Value, NotThatKind>;
}

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

kinds! {
    /// An add-wins set.
    Set<T>;
    /// A grow-only set.
    GSet<T>;
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
}

/// A grow-only counter.
#[derive(Debug)]
pub struct GCounter;

/// A counter that goes both ways.
#[derive(Debug)]
pub struct PnCounter;

/// A flag that can only be raised.
#[derive(Debug)]
pub struct Flag;

fn elements<T: Element>(output: &Output) -> Result<Vec<T>, NotThatKind> {
    match output {
        Output::Set(items) => items.iter().map(T::from_value).collect(),
        other => Err(NotThatKind::new("a set", &other.to_value())),
    }
}

fn single<T: Element>(output: &Output) -> Result<T, NotThatKind> {
    match output {
        Output::Value(value) => T::from_value(value),
        other => Err(NotThatKind::new("one value", &other.to_value())),
    }
}

fn optional<T: Element>(output: &Output) -> Result<Option<T>, NotThatKind> {
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

    fn read(output: &Output) -> Result<Vec<T>, NotThatKind> {
        elements(output)
    }
}

impl<T: Element> Kind for GSet<T> {
    type Value = Vec<T>;

    fn ty() -> Type {
        Type::GSet
    }

    fn read(output: &Output) -> Result<Vec<T>, NotThatKind> {
        elements(output)
    }
}

impl<T: Element> Kind for View<T> {
    type Value = Vec<T>;

    fn ty() -> Type {
        Type::AwSet
    }

    fn read(output: &Output) -> Result<Vec<T>, NotThatKind> {
        elements(output)
    }
}

impl Kind for GCounter {
    type Value = u64;

    fn ty() -> Type {
        Type::GCounter
    }

    fn read(output: &Output) -> Result<u64, NotThatKind> {
        single(output)
    }
}

impl Kind for PnCounter {
    type Value = i64;

    fn ty() -> Type {
        Type::PnCounter
    }

    fn read(output: &Output) -> Result<i64, NotThatKind> {
        single(output)
    }
}

impl Kind for Flag {
    type Value = bool;

    fn ty() -> Type {
        Type::Boolean
    }

    fn read(output: &Output) -> Result<bool, NotThatKind> {
        single(output)
    }
}

impl<T: Element> Kind for Max<T> {
    type Value = Option<T>;

    fn ty() -> Type {
        Type::Max
    }

    fn read(output: &Output) -> Result<Option<T>, NotThatKind> {
        optional(output)
    }
}

impl<T: Element> Kind for Min<T> {
    type Value = Option<T>;

    fn ty() -> Type {
        Type::Min
    }

    fn read(output: &Output) -> Result<Option<T>, NotThatKind> {
        optional(output)
    }
}

impl<T: Element> Kind for IVar<T> {
    type Value = Option<T>;

    fn ty() -> Type {
        Type::IVar
    }

    fn read(output: &Output) -> Result<Option<T>, NotThatKind> {
        optional(output)
    }
}

impl<T: Element> Kind for Register<T> {
    type Value = Option<T>;

    fn ty() -> Type {
        Type::LwwRegister
    }

    fn read(output: &Output) -> Result<Option<T>, NotThatKind> {
        optional(output)
    }
}

impl<T: Element> Kind for Scalar<T> {
    type Value = Option<T>;

    fn ty() -> Type {
        Type::LwwRegister
    }

    fn read(output: &Output) -> Result<Option<T>, NotThatKind> {
        optional(output)
    }
}

impl<K: Element, V: Kind> Kind for GMap<K, V> {
    type Value = Vec<(K, V::Value)>;

    fn ty() -> Type {
        Type::GMap(Box::new(V::ty()))
    }

    fn read(output: &Output) -> Result<Self::Value, NotThatKind> {
        match output {
            Output::Map(entries) => entries.iter().map(|(k, v)| Ok((K::from_value(k)?, V::read(v)?))).collect(),
            other => Err(NotThatKind::new("a map", &other.to_value())),
        }
    }
}

impl<A: Kind, B: Kind> Kind for Pair<A, B> {
    type Value = (A::Value, B::Value);

    fn ty() -> Type {
        Type::Pair(Box::new(A::ty()), Box::new(B::ty()))
    }

    fn read(output: &Output) -> Result<Self::Value, NotThatKind> {
        match output {
            Output::Pair(first, second) => Ok((A::read(first)?, B::read(second)?)),
            other => Err(NotThatKind::new("a pair", &other.to_value())),
        }
    }
}
