//! One face for the replicated sets and counters of all libraries, so that each is measured by the same code.
//!
//! Every adapter uses its library as its documentation shows it. A library without a set type holds elements as the
//! keys of its map.

pub(crate) mod automerge;
pub(crate) mod crdts;
pub(crate) mod lasp;
pub(crate) mod lattices;
pub(crate) mod yrs;

use harness::inputs::Element;

/// A replica of a set that can at least grow.
pub(crate) trait Grow: Sized {
    type Element: Element;

    /// The empty set, at the replica of this number.
    fn new(replica: u64) -> Self;

    /// Adds an element by an update of its own.
    fn add(&mut self, element: Self::Element);

    /// Adds elements in the library's cheapest way; where it has transactions, in one.
    fn fill(&mut self, elements: Vec<Self::Element>) {
        elements.into_iter().for_each(|element| self.add(element));
    }

    /// Takes over all that `other` knows.
    fn merge(&mut self, other: Self);

    /// The same state at another replica.
    fn fork(&mut self, replica: u64) -> Self;

    fn len(&self) -> usize;
}

/// A replica of a set whose elements can be removed and added again.
pub(crate) trait AddWins: Grow {
    /// An update as it is told to other replicas.
    type Update;

    /// Adds an element; the update to tell others.
    fn tell(&mut self, element: Self::Element) -> Self::Update;

    /// Takes over an update.
    fn apply(&mut self, update: Self::Update);

    /// The size of an update on the wire.
    fn update_bytes(update: &Self::Update) -> usize;

    /// Removes an element by an update of its own.
    fn remove(&mut self, element: &Self::Element);

    /// The state on the wire.
    fn encode(&mut self) -> Vec<u8>;

    /// The state that [`encode`](Self::encode) wrote, at the replica of this number.
    fn decode(replica: u64, bytes: &[u8]) -> Self;
}

/// A counter that many replicas increment.
pub(crate) trait Count: Clone + Default {
    /// Adds `n` on behalf of `replica`.
    fn increment(&mut self, replica: u64, n: u64);

    /// Subtracts `n` on behalf of `replica`; nothing if the counter only grows.
    fn decrement(&mut self, _replica: u64, _n: u64) {}

    fn merge(&mut self, other: Self);

    fn value(&self) -> i64;
}

/// A counter with an encoding.
pub(crate) trait WireCount: Count {
    /// The size of the state on the wire.
    fn state_bytes(&self) -> usize;

    /// The size of the update that adds 1 on behalf of `replica`.
    fn increment_bytes(&self, replica: u64) -> usize;
}
