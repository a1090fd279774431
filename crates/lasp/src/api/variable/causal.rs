//! Operations on the kinds that live in a causal context.

use super::{Var, values};
use crate::api::Ask;
use crate::api::element::{AsElement, Element};
use crate::api::kind::{self, Causal};
use lasp_dataflow::Op;

/// A remove-wins set.
pub type RwSet<T> = Var<kind::RwSet<T>>;
/// A flag, at first disabled, of which a concurrent enabling wins.
pub type EwFlag = Var<kind::EwFlag>;
/// A flag, at first enabled, of which a concurrent disabling wins.
pub type DwFlag = Var<kind::DwFlag>;
/// A register that keeps concurrent writes side by side.
pub type MvRegister<T> = Var<kind::MvRegister<T>>;
/// A map whose keys can be removed, to variables of a causal kind.
pub type AwMap<K, V> = Var<kind::AwMap<K, V>>;
/// A map whose keys can be removed, to all that was concurrently written under each.
pub type MvMap<K, T> = Var<kind::MvMap<K, T>>;

macro_rules! flags {
    ($($flag:ident)*) => {$(
        impl $flag {
            /// Enables it.
            pub fn enable(&self) -> Ask<()> {
                self.update(Op::Enable)
            }

            /// Disables it.
            pub fn disable(&self) -> Ask<()> {
                self.update(Op::Disable)
            }
        }
    )*};
}

flags!(EwFlag DwFlag);

impl<T: Element> MvRegister<T> {
    /// Removes the values that this node has seen.
    pub fn clear(&self) -> Ask<()> {
        self.update(Op::Clear)
    }
}

impl<K: Element, T: Element> MvMap<K, T> {
    /// Writes a value under a key in place of those that this node has seen there.
    pub fn set(&self, key: impl AsElement<K>, value: impl AsElement<T>) -> Ask<()> {
        let both = key.into_element().and_then(|key| Ok((key, value.into_element()?)));
        self.write(both, |(key, value)| Op::Apply(key, Box::new(Op::Set(value))))
    }
}

macro_rules! keys {
    ($($map:ident<$key:ident, $value:ident: $bound:ident>)*) => {$(
        impl<$key: Element, $value: $bound> $map<$key, $value> {
            /// Removes a key with what this node has seen below it; what others change there at the same time stays.
            pub fn remove(&self, key: impl AsElement<$key>) -> Ask<()> {
                self.remove_all([key])
            }

            /// Removes several keys at once.
            pub fn remove_all<A: AsElement<$key>>(&self, keys: impl IntoIterator<Item = A>) -> Ask<()> {
                self.write(values(keys), Op::RemoveKeys)
            }

            /// Removes every key that this node has seen.
            pub fn clear(&self) -> Ask<()> {
                self.update(Op::Clear)
            }
        }
    )*};
}

keys!(AwMap<K, V: Causal> MvMap<K, T: Element>);
