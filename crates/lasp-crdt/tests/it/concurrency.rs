//! What concurrent operations come to: one test per row of the tables in `docs/lattices.md`, here or in a file per family.

mod causal;
mod compose;
mod graphs;
mod two_phase;

mod counters;
mod derived;
mod maps;
mod registers;
mod sets;

use lasp_crdt::{Lattice, ReplicaId};
use std::fmt::Debug;

pub(super) const A: ReplicaId = ReplicaId(1);
pub(super) const B: ReplicaId = ReplicaId(2);

/// Both deltas made from `base`, without knowledge of each other, and merged in both orders.
pub(super) fn concurrently<T: Lattice + Debug>(base: &T, left: impl Fn(&T) -> T, right: impl Fn(&T) -> T) -> T {
    let (mut here, mut there) = (base.clone(), base.clone());
    here.merge(left(base));
    there.merge(right(base));
    let (left, right) = (here.clone(), there.clone());
    here.merge(right);
    there.merge(left);
    assert_eq!(here, there, "both sides converge");
    here
}

/// The state after a change.
pub(super) fn after<T: Lattice>(mut state: T, change: impl Fn(&T) -> T) -> T {
    let delta = change(&state);
    state.merge(delta);
    state
}
