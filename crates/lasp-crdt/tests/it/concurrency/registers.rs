//! The registers.

use super::{A, B, concurrently};
use lasp_crdt::{Boolean, IVar, LwwRegister, MaxRegister, Reading, Stamp};

#[test]
fn max_write_and_write_is_the_greater() {
    let register = concurrently(&MaxRegister::new(), |r| r.write(3u64), |r| r.write(5));
    assert_eq!(register.value(), &5);
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
fn lww_writes_at_different_times_leave_the_later() {
    let write = |time, replica| move |r: &LwwRegister<char>| r.write(Stamp { time, replica }, char::from(time as u8));
    let register = concurrently(&LwwRegister::new(), write(b'b'.into(), A), write(b'a'.into(), B));
    assert_eq!(register.value(), Some(&'b'));
}

#[test]
fn lww_writes_at_one_time_leave_that_of_the_greater_replica() {
    let write = |replica, value| move |r: &LwwRegister<char>| r.write(Stamp { time: 1, replica }, value);
    let register = concurrently(&LwwRegister::new(), write(A, 'z'), write(B, 'a'));
    assert_eq!(register.value(), Some(&'a'));
}

#[test]
fn lww_writes_under_one_stamp_leave_the_greater_value() {
    let write = |value| move |r: &LwwRegister<char>| r.write(Stamp { time: 1, replica: A }, value);
    let register = concurrently(&LwwRegister::new(), write('z'), write('a'));
    assert_eq!(register.value(), Some(&'z'));
}
