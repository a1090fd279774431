//! The kinds that live in a causal context, so that an add-wins map can hold them; and those maps.

use super::{Elements, Keyed, Kind, Single, elements, single};
use crate::api::element::Element;
use crate::api::kind::{AwGraph, Pair, Set};
use lasp_dataflow::{FromValueError, NotThatKind, Output, Type, from_value};
use std::fmt;
use std::marker::PhantomData;

/// A kind that the values of an [`AwMap`] can be of: they share the causal context of the map.
pub trait Causal: Kind {}

kinds! {
    /// A remove-wins set.
    RwSet<T>;
    /// A register that keeps concurrent writes side by side.
    MvRegister<T>;
    /// A map whose keys can be removed, to variables of a causal kind.
    AwMap<K, V>;
    /// A map whose keys can be removed, to all that was concurrently written under each.
    MvMap<K, T>;
}

/// A flag, at first disabled, of which a concurrent enabling wins.
#[derive(Debug)]
pub struct EwFlag;

/// A flag, at first enabled, of which a concurrent disabling wins.
#[derive(Debug)]
pub struct DwFlag;

/// Concurrent values, in the order of values.
fn several<T: Element>(output: &Output) -> Result<Vec<T>, FromValueError> {
    match output {
        Output::Many(values) => values.iter().map(from_value).collect(),
        other => Err(NotThatKind::new("concurrent values", &other.to_value()).into()),
    }
}

fn entries<K: Element, V>(
    output: &Output,
    read: impl Fn(&Output) -> Result<V, FromValueError>,
) -> Result<Vec<(K, V)>, FromValueError> {
    match output {
        Output::Map(entries) => entries.iter().map(|(key, value)| Ok((from_value(key)?, read(value)?))).collect(),
        other => Err(NotThatKind::new("a map", &other.to_value()).into()),
    }
}

impl<T: Element> Kind for RwSet<T> {
    type Value = Vec<T>;

    fn ty() -> Type {
        Type::RwSet
    }

    fn read(output: &Output) -> Result<Vec<T>, FromValueError> {
        elements(output)
    }
}

impl<T: Element> Kind for MvRegister<T> {
    type Value = Vec<T>;

    fn ty() -> Type {
        Type::MvRegister
    }

    fn read(output: &Output) -> Result<Vec<T>, FromValueError> {
        several(output)
    }
}

impl Kind for EwFlag {
    type Value = bool;

    fn ty() -> Type {
        Type::EwFlag
    }

    fn read(output: &Output) -> Result<bool, FromValueError> {
        single(output)
    }
}

impl Kind for DwFlag {
    type Value = bool;

    fn ty() -> Type {
        Type::DwFlag
    }

    fn read(output: &Output) -> Result<bool, FromValueError> {
        single(output)
    }
}

impl<K: Element, V: Causal> Kind for AwMap<K, V> {
    type Value = Vec<(K, V::Value)>;

    fn ty() -> Type {
        Type::AwMap(Box::new(V::ty()))
    }

    fn read(output: &Output) -> Result<Self::Value, FromValueError> {
        entries(output, V::read)
    }
}

impl<K: Element, T: Element> Kind for MvMap<K, T> {
    type Value = Vec<(K, Vec<T>)>;

    fn ty() -> Type {
        Type::MvMap
    }

    fn read(output: &Output) -> Result<Self::Value, FromValueError> {
        entries(output, several)
    }
}

impl<T: Element> Causal for Set<T> {}
impl<T: Element> Causal for RwSet<T> {}
impl Causal for EwFlag {}
impl Causal for DwFlag {}
impl<T: Element> Causal for MvRegister<T> {}
impl<K: Element, V: Causal> Causal for AwMap<K, V> {}
impl<K: Element, T: Element> Causal for MvMap<K, T> {}
impl<V: Element> Causal for AwGraph<V> {}
impl<A: Causal, B: Causal> Causal for Pair<A, B> {}

impl Single for EwFlag {}
impl Single for DwFlag {}

impl<T: Element> Elements for RwSet<T> {
    type Item = T;
}

/// The concurrent values.
impl<T: Element> Elements for MvRegister<T> {
    type Item = T;
}

impl<K: Element, V: Causal<Value: Element>> Elements for AwMap<K, V> {
    type Item = (K, V::Value);
}

impl<K: Element, T: Element> Elements for MvMap<K, T> {
    type Item = (K, Vec<T>);
}

impl<K: Element, V: Causal> Keyed for AwMap<K, V> {
    type Key = K;
}

impl<K: Element, T: Element> Keyed for MvMap<K, T> {
    type Key = K;
}
