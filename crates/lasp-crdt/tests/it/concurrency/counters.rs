//! The counters.

use super::{A, B, after, concurrently};
use lasp_crdt::{GCounter, Lattice, PnCounter};

#[test]
fn gcounter_increments_all_count() {
    let counter = concurrently(&GCounter::new(), |c| c.increment(A, 2), |c| c.increment(B, 3));
    assert_eq!(counter.value(), 5);
}

#[test]
fn gcounter_increments_under_one_replica_id_do_not_add_up() {
    // Why a replica id has one writer: two of them count as the greater.
    let counter = concurrently(&GCounter::new(), |c| c.increment(A, 2), |c| c.increment(A, 3));
    assert_eq!(counter.value(), 3);
}

#[test]
fn pncounter_increments_and_decrements_all_count() {
    let counter = concurrently(&PnCounter::new(), |c| c.increment(A, 2), |c| c.decrement(B, 3));
    assert_eq!(counter.value(), -1);
}

#[test]
fn counters_stop_at_the_ends_of_their_range() {
    let full = after(GCounter::new(), |c| c.increment(A, u64::MAX));
    assert!(full.increment(A, 1).is_bottom());
    assert_eq!(after(full, |c| c.increment(B, 1)).value(), u64::MAX);
    let low = after(PnCounter::new(), |c| c.decrement(A, u64::MAX));
    assert_eq!(low.value(), i64::MIN);
}
