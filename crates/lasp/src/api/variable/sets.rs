//! Operations on sets.

use super::{Var, values};
use crate::api::element::AsElement;
use crate::api::kind::{self, Growing, Members, Shrinking};
use crate::api::{Ask, Derived};
use lasp_dataflow::Op;

/// An add-wins set.
pub type Set<T> = Var<kind::Set<T>>;
/// A grow-only set.
pub type GSet<T> = Var<kind::GSet<T>>;
/// A set whose elements, once removed, never come back.
pub type TwoPSet<T> = Var<kind::TwoPSet<T>>;
/// A derived set.
pub type View<T> = Derived<kind::View<T>>;

/// What every set offers that is written to.
impl<K: Growing> Var<K> {
    /// Adds an element. A grow-only and an add-wins set hold it then; a set of two phases does unless it was ever removed, and a
    /// remove-wins set unless it is removed at the same time.
    pub fn add(&self, element: impl AsElement<K::Item>) -> Ask<()> {
        self.write(element.into_element(), Op::Add)
    }

    /// Adds several elements at once: no reader sees only some of them.
    pub fn add_all<A: AsElement<K::Item>>(&self, elements: impl IntoIterator<Item = A>) -> Ask<()> {
        self.write(values(elements), Op::AddAll)
    }
}

impl<K: Shrinking> Var<K> {
    /// Removes an element; nothing happens if it is absent, but in a set of two phases, to which it never comes back. An
    /// addition that this node has not seen survives in an add-wins set, and in no other.
    pub fn remove(&self, element: impl AsElement<K::Item>) -> Ask<()> {
        self.write(element.into_element(), Op::Remove)
    }

    /// Removes several elements at once.
    pub fn remove_all<A: AsElement<K::Item>>(&self, elements: impl IntoIterator<Item = A>) -> Ask<()> {
        self.write(values(elements), Op::RemoveAll)
    }
}

impl<K: Members> Var<K> {
    /// Whether the set holds an element.
    pub fn contains(&self, element: impl AsElement<K::Item>) -> Ask<bool> {
        self.holds(element.into_element())
    }
}
