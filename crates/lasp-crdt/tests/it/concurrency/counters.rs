//! The counters.

use super::{A, B, after, concurrently};
use lasp_crdt::{BoundedCounter, GCounter, Lattice, LexCounter, NotEnoughRights, PnCounter, codec};

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

#[test]
fn lexcounter_increments_and_decrements_all_count() {
    let counter = concurrently(&LexCounter::new(), |c| c.increment(A, 2), |c| c.decrement(B, 3));
    assert_eq!(counter.value(), -1);
    let counter = concurrently(&counter, |c| c.decrement(A, 7), |c| c.decrement(B, 1));
    assert_eq!((counter.value(), counter.count(A), counter.count(B)), (-9, -5, -4));
}

#[test]
fn lexcounter_changes_under_one_replica_id_do_not_add_up() {
    // Why a replica id has one writer: of two increments the greater counts, and a decrement beats any increment.
    let base = after(LexCounter::new(), |c| c.increment(A, 10));
    assert_eq!(concurrently(&base, |c| c.increment(A, 2), |c| c.increment(A, 3)).value(), 13);
    assert_eq!(concurrently(&base, |c| c.increment(A, 100), |c| c.decrement(A, 3)).value(), 7);
}

#[test]
fn lexcounter_stops_at_the_ends_of_its_range() {
    let high = after(LexCounter::new(), |c| c.increment(A, u64::MAX));
    assert_eq!(high.value(), i64::MAX);
    assert!(high.increment(A, 1).is_bottom(), "nothing is above");
    assert_eq!(after(high.clone(), |c| c.increment(B, 1)).value(), i64::MAX);
    assert_eq!(after(high, |c| c.decrement(A, 1)).value(), i64::MAX - 1, "what was lost does not come back");
    let low = after(LexCounter::new(), |c| c.decrement(A, u64::MAX));
    assert_eq!(low.value(), i64::MIN);
    assert!(low.decrement(A, 1).is_bottom(), "nothing is below");
    assert_eq!(after(low.clone(), |c| c.decrement(B, 1)).value(), i64::MIN);
    assert_eq!(after(low, |c| c.increment(A, 1)).value(), i64::MIN + 1);
}

#[test]
fn lexcounter_whose_versions_are_used_up_makes_no_decrement() {
    //                           1 replica; its id, plain or a varint; left 2^64 - 1; right 5
    let left = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    let prefix = codec::to_bytes(&LexCounter::new().increment(A, 5));
    let head = &prefix[..prefix.len() - 2];
    let worn: LexCounter = codec::from_bytes(&[head, &left, &[10]].concat()).expect("canonical");
    assert_eq!(worn.count(A), 5);
    assert!(worn.decrement(A, 1).is_bottom());
    assert_eq!(after(worn, |c| c.increment(A, 1)).value(), 6);
}

/// Ten rights at A, five of which it gave to B.
fn shared() -> BoundedCounter {
    let counter = after(BoundedCounter::new(), |c| c.increment(A, 10));
    after(counter, |c| c.transfer(A, B, 5).unwrap())
}

#[test]
fn boundedcounter_increments_and_decrements_all_count() {
    let counter = concurrently(&shared(), |c| c.increment(A, 2), |c| c.decrement(B, 3).unwrap());
    assert_eq!((counter.value(), counter.rights(A), counter.rights(B)), (9, 7, 2));
}

#[test]
fn boundedcounter_decrements_of_all_rights_leave_zero() {
    let all = |c: &BoundedCounter, replica| c.decrement(replica, c.rights(replica)).unwrap();
    let counter = concurrently(&shared(), |c| all(c, A), |c| all(c, B));
    assert_eq!((counter.value(), counter.rights(A), counter.rights(B)), (0, 0, 0));
}

#[test]
fn boundedcounter_decrement_of_more_than_the_rights_is_refused() {
    // Though the counter stands at 10: a replica that knew of all of it might not be the only one.
    let refused = NotEnoughRights { replica: B, asked: 6, owned: 5 };
    assert_eq!(shared().decrement(B, 6), Err(refused));
    assert_eq!(refused.to_string(), "replica 2 asked for 6 rights and may spend 5");
    assert_eq!(shared().decrement(B, u64::MAX), Err(NotEnoughRights { replica: B, asked: u64::MAX, owned: 5 }));
    assert_eq!(BoundedCounter::new().decrement(A, 1), Err(NotEnoughRights { replica: A, asked: 1, owned: 0 }));
}

#[test]
fn boundedcounter_transfer_and_use_of_the_same_rights_cannot_both_happen() {
    let counter = after(shared(), |c| c.transfer(A, B, 5).unwrap());
    assert!(counter.decrement(A, 1).is_err());
    assert_eq!((counter.value(), counter.rights(A), counter.rights(B)), (10, 0, 10));
}

#[test]
fn boundedcounter_transfers_to_and_fro_both_count() {
    let counter = concurrently(&shared(), |c| c.transfer(A, B, 4).unwrap(), |c| c.transfer(B, A, 1).unwrap());
    assert_eq!((counter.value(), counter.rights(A), counter.rights(B)), (10, 2, 8));
}

#[test]
fn boundedcounter_transfers_to_oneself_and_of_nothing_change_nothing() {
    let counter = shared();
    assert_eq!(counter.transfer(A, A, 5), Ok(BoundedCounter::new()));
    assert_eq!(counter.transfer(A, A, 6), Err(NotEnoughRights { replica: A, asked: 6, owned: 5 }));
    assert_eq!(counter.transfer(A, B, 0), Ok(BoundedCounter::new()));
    assert_eq!(counter.decrement(B, 0), Ok(BoundedCounter::new()));
    assert!(counter.increment(A, 0).is_bottom());
    assert_eq!(BoundedCounter::new().transfer(A, B, 0), Ok(BoundedCounter::new()), "nothing, of nothing");
}

#[test]
fn boundedcounter_use_heard_of_before_its_creation_shows_zero_until_it_is() {
    let counter = shared();
    let used = counter.decrement(B, 5).unwrap();
    let mut late = after(BoundedCounter::new(), |_| used.clone());
    assert_eq!((late.value(), late.rights(B)), (0, 0));
    assert_eq!(late.decrement(B, 1), Err(NotEnoughRights { replica: B, asked: 1, owned: 0 }));
    late.merge(counter);
    assert_eq!((late.value(), late.rights(A), late.rights(B)), (5, 5, 0));
}

#[test]
fn boundedcounter_numbers_stop_at_the_end_of_their_range() {
    let full = after(BoundedCounter::new(), |c| c.increment(A, u64::MAX));
    assert!(full.increment(A, 1).is_bottom(), "created no more: fewer rights, never more");
    let full = after(full, |c| c.increment(B, u64::MAX));
    assert_eq!((full.value(), full.rights(A)), (u64::MAX, u64::MAX));
    let given = after(full, |c| c.transfer(A, B, u64::MAX).unwrap());
    assert_eq!((given.rights(A), given.rights(B)), (0, u64::MAX), "twice that, as far as a number shows it");
    // What a number cannot record is refused, or the rights could be used twice.
    let used = after(given, |c| c.decrement(B, u64::MAX).unwrap());
    assert_eq!((used.value(), used.rights(B)), (u64::MAX, u64::MAX));
    assert_eq!(used.decrement(B, 1), Err(NotEnoughRights { replica: B, asked: 1, owned: 0 }));
    let back = after(used, |c| c.transfer(B, A, u64::MAX).unwrap());
    assert_eq!(back.transfer(A, B, 1), Err(NotEnoughRights { replica: A, asked: 1, owned: 0 }));
    assert_eq!(after(back, |c| c.decrement(A, u64::MAX).unwrap()).value(), 0);
}
