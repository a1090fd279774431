//! The kinds that live in a causal context, so that an add-wins map can hold them; and those maps.

use super::{Elements, Growing, Keyed, Kind, Members, Nesting, Shrinking, Single, elements, entries, several, single};
use crate::api::element::Element;
use crate::api::kind::{AwGraph, Pair, Set};
use lasp_dataflow::{FromValueError, Output, Type};
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

reads! {
    RwSet<T: Element>: Type::RwSet, Vec<T>, elements;
    MvRegister<T: Element>: Type::MvRegister, Vec<T>, several;
    EwFlag: Type::EwFlag, bool, single;
    DwFlag: Type::DwFlag, bool, single;
    AwMap<K: Element, V: Causal>: Type::AwMap(Box::new(V::ty())), Vec<(K, V::Value)>, |output| entries(output, V::read);
    MvMap<K: Element, T: Element>: Type::MvMap, Vec<(K, Vec<T>)>, |output| entries(output, several);
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

sets! {
    RwSet: Members Growing Shrinking;
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

impl<K: Element, V: Causal> Nesting for AwMap<K, V> {}

impl<K: Element, T: Element> Keyed for MvMap<K, T> {
    type Key = K;
}
