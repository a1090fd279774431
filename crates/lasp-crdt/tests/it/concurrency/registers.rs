//! The registers.

use super::{A, B, after, concurrently};
use lasp_crdt::{
    AlreadySet, Boolean, ClockDrift, Delta, HybridClock, IVar, Lattice, LwwRegister, MAX_DRIFT_MS, MaxRegister,
    MinRegister, Reading, ReplicaId, Stamp, Timestamp,
};

const fn stamp(time: u64, replica: ReplicaId) -> Stamp {
    Stamp { time: Timestamp(time), replica }
}

fn write(time: u64, replica: ReplicaId, value: char) -> impl Fn(&LwwRegister<char>) -> LwwRegister<char> {
    move |register| register.write(stamp(time, replica), value)
}

#[test]
fn max_write_and_write_is_the_greater() {
    let register = concurrently(&MaxRegister::new(), |r| r.write(3u64), |r| r.write(5));
    assert_eq!(register.value(), &5);
}

#[test]
fn max_write_below_the_default_says_nothing() {
    assert!(MaxRegister::new().write(-3i64).is_bottom());
}

#[test]
fn min_write_and_write_is_the_lesser() {
    let register = concurrently(&MinRegister::new(), |r| r.write(3u64), |r| r.write(5));
    assert_eq!(register.value(), Some(&3));
}

#[test]
fn min_is_unwritten_before_the_first_write_whatever_the_default_of_its_type() {
    let register = MinRegister::new();
    assert_eq!(register.value(), None);
    assert_eq!(after(register, |r| r.write(u64::MAX)).value(), Some(&u64::MAX));
}

#[test]
fn boolean_enable_and_enable_is_enabled() {
    assert!(concurrently(&Boolean::new(), |b| b.enable(), |b| b.enable()).value());
}

#[test]
fn ivar_set_and_set_to_one_value_is_that_value() {
    let var = concurrently(&IVar::new(), |v| v.set('x').unwrap(), |v| v.set('x').unwrap());
    assert_eq!(var.get(), Reading::Set(&'x'));
}

#[test]
fn ivar_set_and_set_to_different_values_is_a_conflict_for_good() {
    let var = concurrently(&IVar::new(), |v| v.set('y').unwrap(), |v| v.set('x').unwrap());
    assert_eq!(var.get(), Reading::Conflict(&'x', &'y'));
    assert!(var.set('x').is_err());
    let wider = concurrently(&var, |v| v.clone(), |_| IVar::new().set('z').unwrap());
    assert_eq!(wider.get(), Reading::Conflict(&'x', &'z'));
}

#[test]
fn ivar_second_set_is_an_error_value_and_changes_nothing() {
    // The original throws, at the second set and at the merge of two.
    let mut var = IVar::new();
    var.merge(var.set('x').unwrap());
    assert_eq!(var.set('y'), Err(AlreadySet));
    assert_eq!(var.set('x'), Ok(IVar::new()), "its own value again says nothing");
    assert_eq!(var.get(), Reading::Set(&'x'));
    var.merge(IVar::new().set('y').unwrap());
    assert_eq!(var.set('x'), Err(AlreadySet), "a conflict has no value to repeat");
    assert_eq!(var.get(), Reading::Conflict(&'x', &'y'));
}

#[test]
fn lww_writes_at_different_times_leave_the_later() {
    let register = concurrently(&LwwRegister::new(), write(2, A, 'a'), write(1, B, 'b'));
    assert_eq!(register.value(), Some(&'a'));
}

#[test]
fn lww_writes_at_one_time_leave_the_greater_value() {
    // Whoever wrote it: here the lesser replica.
    let register = concurrently(&LwwRegister::new(), write(1, A, 'z'), write(1, B, 'a'));
    assert_eq!((register.value(), register.stamp()), (Some(&'z'), Some(stamp(1, A))));
}

#[test]
fn lww_writes_of_one_value_at_one_time_leave_that_of_the_greater_replica() {
    let register = concurrently(&LwwRegister::new(), write(1, A, 'x'), write(1, B, 'x'));
    assert_eq!((register.value(), register.stamp()), (Some(&'x'), Some(stamp(1, B))));
}

#[test]
fn lww_writes_under_one_stamp_leave_the_greater_value() {
    let register = concurrently(&LwwRegister::new(), write(1, A, 'z'), write(1, A, 'a'));
    assert_eq!(register.value(), Some(&'z'));
}

#[test]
fn lww_writes_now_after_a_later_one_counts() {
    // The clock of B is behind. It has seen the write of A, so its own comes after it.
    let seen = after(LwwRegister::new(), write(9, A, 'z'));
    let register = after(seen, |r| r.write_at(Timestamp(3), B, 'a'));
    assert_eq!((register.value(), register.stamp()), (Some(&'a'), Some(stamp(10, B))));
    assert!(register.write(stamp(3, B), 'b').is_bottom(), "at a time of its own choice it would not");
}

#[test]
fn lww_digest_settles_a_tie_of_small_values_and_errs_towards_large_ones() {
    let large = |letter: char| std::iter::repeat_n(letter, 100).collect::<String>();
    let written = |time, replica, value: String| LwwRegister::new().write(stamp(time, replica), value);
    for (lesser, greater) in [("a".to_owned(), "b".to_owned()), ("a".to_owned(), large('b')), (large('a'), large('b'))]
    {
        let (low, high) = (written(1, B, lesser.clone()), written(1, A, greater));
        assert_eq!(high.delta(&low.digest()), high);
        let from_low = low.delta(&high.digest());
        let is_settled = high.value().is_some_and(|value| value.len() < 32);
        assert_eq!(from_low, if is_settled { LwwRegister::new() } else { low.clone() }, "superfluous, but harmless");
        assert!(low.difference(&high).is_bottom());
        // Whatever the values, the time decides; and of one value, the replica.
        assert!(low.delta(&written(2, A, lesser.clone()).digest()).is_bottom());
        assert!(written(1, A, lesser.clone()).delta(&low.digest()).is_bottom());
        assert_eq!(low.delta(&written(1, A, lesser).digest()), low);
    }
}

/// One writer that obeys the rules: its clock, and the register as it holds it.
struct Writer {
    id: ReplicaId,
    clock: HybridClock,
    register: LwwRegister<&'static str>,
}

impl Writer {
    fn new(id: ReplicaId) -> Self {
        Self { id, clock: HybridClock::new(), register: LwwRegister::new() }
    }

    fn write(&mut self, physical_ms: u64, value: &'static str) -> LwwRegister<&'static str> {
        let delta = self.register.write_at(self.clock.tick(physical_ms), self.id, value);
        self.register.merge(delta.clone());
        delta
    }

    fn receive(&mut self, physical_ms: u64, delta: &LwwRegister<&'static str>) -> Result<(), ClockDrift> {
        delta.admit(physical_ms, self.clock.max_drift_ms())?;
        self.register.merge(delta.clone());
        Ok(())
    }
}

const NOON: u64 = 1_700_000_000_000;
const TEN_YEARS: u64 = 10 * 365 * 86_400_000;

#[test]
fn lww_one_clock_ten_years_ahead_does_not_lock_the_register() {
    let (mut a, mut b, mut wrong) = (Writer::new(A), Writer::new(B), Writer::new(ReplicaId(3)));
    let poison = wrong.write(NOON + TEN_YEARS, "from the future");
    for writer in [&mut a, &mut b] {
        let before = writer.register.clone();
        let error = writer.receive(NOON, &poison).unwrap_err();
        assert_eq!((error.now_ms, error.bound_ms), (NOON, MAX_DRIFT_MS));
        assert_eq!(writer.register, before, "a refusal changes nothing");
    }
    // The two go on, and see each other's writes, however often the poison is offered.
    let one = a.write(NOON + 1, "one");
    b.receive(NOON + 1, &one).unwrap();
    let two = b.write(NOON + 2, "two");
    assert!(a.receive(NOON + 2, &poison).is_err());
    a.receive(NOON + 2, &two).unwrap();
    assert_eq!((a.register.value(), b.register.value()), (Some(&"two"), Some(&"two")));
    // When its time has come, it is a write of then.
    assert_eq!(a.receive(NOON + TEN_YEARS, &poison), Ok(()));
    assert_eq!(a.register.value(), Some(&"from the future"));
    a.write(NOON + TEN_YEARS, "later");
    assert_eq!(a.register.value(), Some(&"later"));
}

#[test]
fn lww_a_clock_ahead_within_the_bound_is_followed_and_then_overtaken() {
    let (mut a, mut b) = (Writer::new(A), Writer::new(B));
    let early = b.write(NOON + MAX_DRIFT_MS, "ahead");
    a.receive(NOON, &early).unwrap();
    // Physical time at A is behind what it holds; its writes count all the same, and so do those after.
    for value in ["first", "second"] {
        let delta = a.write(NOON + 1, value);
        b.receive(NOON + MAX_DRIFT_MS + 1, &delta).unwrap();
        assert_eq!((a.register.value(), b.register.value()), (Some(&value), Some(&value)));
    }
}

#[test]
fn lww_writes_stay_admissible_while_they_overtake_each_other() {
    // Both write on what the other wrote at one physical instant: logical time runs ahead, but a millisecond holds 2^16.
    let (mut a, mut b) = (Writer::new(A), Writer::new(B));
    for _ in 0..1000 {
        let delta = a.write(NOON, "a");
        b.receive(NOON, &delta).unwrap();
        let delta = b.write(NOON, "b");
        a.receive(NOON, &delta).unwrap();
    }
    assert_eq!(a.register.stamp().map(|stamp| stamp.time.millis()), Some(NOON));
}
