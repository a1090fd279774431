//! Registers, flags and clocks: a user's profile, edited on several devices, one of which has a clock that is years ahead.
//! `cargo run -p lasp-crdt --example profile`

use lasp_crdt::{
    Boolean, DwFlag, EwFlag, HybridClock, IVar, Lattice, LwwRegister, MaxRegister, MinRegister, MvRegister, Reading,
    ReplicaId, Timestamp,
};
use std::error::Error;
use std::io::{self, Write};

const PHONE: ReplicaId = ReplicaId(1);
const LAPTOP: ReplicaId = ReplicaId(2);
/// Milliseconds; whoever has a clock passes the time in.
const NOW: u64 = 1_800_000_000_000;
const YEAR: u64 = 365 * 24 * 3_600_000;

pub(crate) fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    name(out)?;
    wrong_clock(out)?;
    address(out)?;
    number(out)?;
    records(out)?;
    flags(out)
}

/// The last write counts.
fn name(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let (mut phone_clock, mut laptop_clock) = (HybridClock::new(), HybridClock::new());
    let mut phone = LwwRegister::new();
    phone.merge(phone.write_at(phone_clock.tick(NOW), PHONE, "Ann"));
    let mut laptop = phone.clone();
    laptop.merge(laptop.write_at(laptop_clock.tick(NOW + 5), LAPTOP, "Anna"));
    phone.merge(phone.write_at(phone_clock.tick(NOW + 9), PHONE, "Annie"));
    phone.merge(laptop);
    assert_eq!(phone.value(), Some(&"Annie"));
    writeln!(out, "name: {:?}", phone.value().ok_or("written")?)?;
    Ok(())
}

/// A clock that is years ahead locks nobody out: who receives refuses what is too far ahead, and who has let it in writes
/// above it.
fn wrong_clock(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut clock = HybridClock::new();
    let mut name = LwwRegister::new();
    name.merge(name.write_at(clock.tick(NOW), PHONE, "Annie"));
    let future = LwwRegister::new().write_at(Timestamp::from_millis(NOW + 5 * YEAR), LAPTOP, "Anne of the future");

    let refused = future.admit(NOW, clock.max_drift_ms()).expect_err("too far ahead");
    assert_eq!((refused.time.millis() - refused.now_ms) / YEAR, 5);
    writeln!(out, "refused: {refused}")?;

    // Had there been no bound.
    name.merge(future);
    name.merge(name.write_at(clock.tick(NOW + 1), PHONE, "Annie"));
    assert_eq!(name.value(), Some(&"Annie"));
    writeln!(out, "written over all the same: {:?}", name.value().ok_or("written")?)?;
    Ok(())
}

/// Writes that do not know of each other are both kept, until somebody decides.
fn address(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut phone = MvRegister::new();
    phone.merge(phone.write(PHONE, "1 Old Street"));
    let mut laptop = phone.clone();
    phone.merge(phone.write(PHONE, "2 New Street"));
    laptop.merge(laptop.write(LAPTOP, "3 Other Street"));
    phone.merge(laptop);
    assert_eq!((phone.values().len(), phone.single()), (2, None));
    writeln!(out, "address, one of: {:?}", phone.values())?;
    phone.merge(phone.write(PHONE, "2 New Street"));
    assert_eq!(phone.single(), Some(&"2 New Street"));
    writeln!(out, "address, decided: {:?}", phone.values())?;
    Ok(())
}

/// Set once. That two replicas set it differently is a value that all come to see.
fn number(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut phone = IVar::new();
    phone.merge(phone.set(17)?);
    assert!(phone.set(18).is_err() && phone.set(17).is_ok_and(|delta| delta.is_bottom()));
    phone.merge(IVar::new().set(18)?);
    assert_eq!(phone.get(), Reading::Conflict(&17, &18));
    writeln!(out, "customer number: {:?}", phone.get())?;
    Ok(())
}

/// The greatest and the least value ever written.
fn records(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let (mut level, mut best) = (MaxRegister::new(), MinRegister::new());
    for n in [3, 9, 4u64] {
        level.merge(level.write(n));
        best.merge(best.write(n));
    }
    assert_eq!((*level.value(), best.value()), (9, Some(&3)));
    writeln!(out, "highest level: {}, shortest time: {:?}", level.value(), best.value())?;
    Ok(())
}

/// A flag for good, and flags that go both ways: of what happens at once, one side wins.
fn flags(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut accepted = Boolean::new();
    accepted.merge(accepted.enable());

    // Visible to others is a wish that must not get lost; to be sent mail takes consent that nobody has withdrawn.
    let (mut visible, mut mail) = (EwFlag::new(), DwFlag::new());
    visible.merge(visible.enable(PHONE));
    let (mut visible_too, mut mail_too) = (visible.clone(), mail.clone());
    visible.merge(visible.disable());
    visible_too.merge(visible_too.enable(LAPTOP));
    mail.merge(mail.disable(PHONE));
    mail_too.merge(mail_too.enable());
    visible.merge(visible_too);
    mail.merge(mail_too);
    assert!(accepted.value() && visible.value() && !mail.value());
    writeln!(out, "accepted: {}, visible: {}, mail: {}", accepted.value(), visible.value(), mail.value())?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut io::stdout().lock())
}
