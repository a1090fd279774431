//! The add-wins map: keys with nested add-wins values, which can be removed and come back.
//!
//! Source: Almeida et al., "Delta State Replicated Data Types" (JPDC'18), §7.5: a map from keys to dot stores that share
//! one causal context; the "observed-remove map" of Riak. A removal covers the dots observed below a key, so it resets
//! what was observed; what others did below the key at the same time stays. A key whose value has no dots is not there.

mod keys;
mod store;

pub use keys::{Key, Keys};

use crate::dotted::{CausalType, DotStore, Dotted, View};
use crate::register::MvRegister;
use std::convert::Infallible;

/// An add-wins map. Values are the types that live in a causal context: [`AwSet`](crate::AwSet),
/// [`RwSet`](crate::RwSet), [`EwFlag`](crate::EwFlag), [`DwFlag`](crate::DwFlag), [`MvRegister`], [`AwMap`], to any depth.
/// Queries are those of [`Keys`].
///
/// Changes and look-ups take O(1) beside those of the value; merging takes time proportional to the delta.
///
/// ```
/// use lasp_crdt::{AwMap, AwSet, Lattice, ReplicaId};
///
/// let (a, b) = (ReplicaId(1), ReplicaId(2));
/// let mut left: AwMap<&str, AwSet<&str>> = AwMap::new();
/// left.merge(left.apply("fruit", |set| set.add(a, "apple")));
/// let mut right = left.clone();
///
/// // One side removes the key while the other adds to its value.
/// left.merge(left.remove(&"fruit"));
/// right.merge(right.apply("fruit", |set| set.add(b, "pear")));
/// left.merge(right);
/// let fruit = left.get(&"fruit").expect("the addition was not observed");
/// assert_eq!(fruit.iter().collect::<Vec<_>>(), [&"pear"]);
/// ```
pub type AwMap<K, V> = Dotted<Keys<K, V>>;

/// A map whose values are multi-value registers: a write replaces what it has seen, a removal removes what it has seen,
/// and what is concurrent is kept.
///
/// ```
/// use lasp_crdt::{Lattice, MvMap, ReplicaId};
///
/// let mut map = MvMap::new();
/// map.merge(map.write(ReplicaId(1), "colour", "red"));
/// assert_eq!(map.get(&"colour").and_then(|values| values.single()), Some(&"red"));
/// map.merge(map.remove(&"colour"));
/// assert!(map.get(&"colour").is_none());
/// ```
pub type MvMap<K, V> = AwMap<K, MvRegister<V>>;

impl<'a, K: Key, V: CausalType> View<'a, Keys<K, V>> {
    /// The delta that changes the value of `key` by the delta that `mutate` makes for it.
    pub fn apply(self, key: K, mutate: impl FnOnce(View<'_, V::Store>) -> V) -> AwMap<K, V> {
        self.try_apply(key, |value| Ok::<V, Infallible>(mutate(value))).unwrap_or_else(|never| match never {})
    }

    /// As [`apply`](Self::apply), where the value may refuse the change.
    ///
    /// # Errors
    /// That of `mutate`.
    pub fn try_apply<Refusal>(
        self,
        key: K,
        mutate: impl FnOnce(View<'_, V::Store>) -> Result<V, Refusal>,
    ) -> Result<AwMap<K, V>, Refusal> {
        let absent = V::Store::default();
        let value = self.store().get(&key).unwrap_or(&absent);
        let (value, context) = mutate(View::new(value, self.context()))?.into_parts();
        let mut keys = Keys::default();
        keys.put(key, value);
        Ok(Dotted::from_raw(keys, context))
    }

    /// The delta that removes `key`: what is observed below it is gone. Bottom if it is absent. Cost: what is below it.
    pub fn remove(self, key: &K) -> AwMap<K, V> {
        self.remove_all([key])
    }

    /// The delta that removes every one of `keys`.
    pub fn remove_all<'k>(self, keys: impl IntoIterator<Item = &'k K>) -> AwMap<K, V>
    where
        K: 'k,
    {
        let mut dots = Vec::new();
        for value in keys.into_iter().filter_map(|key| self.store().get(key)) {
            value.each_dot(&mut |dot| dots.push(dot));
        }
        Dotted::from_raw(Keys::default(), dots.into_iter().collect())
    }

    /// The value of `key` in the context of the map, to make deltas of; none if it is absent.
    pub fn value(self, key: &K) -> Option<View<'a, V::Store>> {
        self.store().get(key).map(|value| View::new(value, self.context()))
    }
}

impl<K: Key, V: CausalType> AwMap<K, V> {
    /// The delta that changes the value of `key` by the delta that `mutate` makes for it.
    pub fn apply(&self, key: K, mutate: impl FnOnce(View<'_, V::Store>) -> V) -> Self {
        self.view().apply(key, mutate)
    }

    /// The delta that removes `key`: what is observed below it is gone. Bottom if it is absent. Cost: what is below it.
    pub fn remove(&self, key: &K) -> Self {
        self.view().remove(key)
    }

    /// The delta that removes every one of `keys`.
    pub fn remove_all<'k>(&self, keys: impl IntoIterator<Item = &'k K>) -> Self
    where
        K: 'k,
    {
        self.view().remove_all(keys)
    }

    /// The value of `key` in the context of the map, to make deltas of; none if it is absent.
    pub fn value(&self, key: &K) -> Option<View<'_, V::Store>> {
        self.view().value(key)
    }
}

impl<K: Key, V: Clone + Ord + std::hash::Hash> MvMap<K, V> {
    /// The delta that writes `value` under `key` in place of all that is there.
    pub fn write(&self, replica: crate::ReplicaId, key: K, value: V) -> Self {
        self.apply(key, |register| register.write(replica, value))
    }
}
