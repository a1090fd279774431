//! Sets: a shopping cart on two devices, a guest list, vouchers. Which one survives, an addition or a removal made at the
//! same time elsewhere, is what the types differ in. `cargo run -p lasp-crdt --example cart`

use lasp_crdt::{AwSet, GSet, Lattice, ReplicaId, RwSet, TwoPSet};
use std::error::Error;
use std::io::{self, Write};

const PHONE: ReplicaId = ReplicaId(1);
const LAPTOP: ReplicaId = ReplicaId(2);

pub(crate) fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    cart(out)?;
    guests(out)?;
    vouchers(out)?;
    visited(out)
}

/// Add-wins: what somebody puts in stays in, unless who takes it out has seen that.
fn cart(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut phone = AwSet::new();
    phone.merge(phone.add_all(PHONE, ["bread", "milk", "soap"]));
    let mut laptop = phone.clone();

    // Both are offline.
    phone.merge(phone.remove_all(&["milk", "soap"]));
    laptop.merge(laptop.add(LAPTOP, "milk"));
    laptop.merge(laptop.add(LAPTOP, "tea"));

    // Both are back. Merging either way comes to the same.
    let mut merged = laptop.clone();
    merged.merge(phone.clone());
    phone.merge(laptop);
    assert_eq!(phone, merged);
    assert!(phone.iter().eq(&["bread", "milk", "tea"]));
    writeln!(out, "cart: {:?}", phone.iter().collect::<Vec<_>>())?;

    // What is removed leaves nothing behind but its share of a range, however often that happens.
    for _ in 0..1_000 {
        phone.merge(phone.add(PHONE, "soap"));
        phone.merge(phone.remove(&"soap"));
    }
    let ranges = phone.context().range_count();
    assert!(ranges <= 2);
    writeln!(out, "after 1000 more additions and removals: {} elements, {ranges} ranges", phone.len())?;
    Ok(())
}

/// Remove-wins: who was crossed out stays out, whoever adds them at the same time.
fn guests(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut bride = RwSet::new();
    bride.merge(bride.add_all(PHONE, ["Ann", "Bob"]));
    let mut groom = bride.clone();
    bride.merge(bride.remove(PHONE, "Bob"));
    groom.merge(groom.add_all(LAPTOP, ["Bob", "Cid"]));
    groom.merge(bride.clone());
    assert!(groom.iter().eq(&["Ann", "Cid"]));
    writeln!(out, "guests: {:?}", groom.iter().collect::<Vec<_>>())?;

    // Having talked about it.
    groom.merge(groom.add(LAPTOP, "Bob"));
    assert!(groom.contains(&"Bob"));
    writeln!(out, "invited again: {:?}", groom.iter().collect::<Vec<_>>())?;
    Ok(())
}

/// Two-phase: what was removed is gone for good.
fn vouchers(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut valid = TwoPSet::new();
    valid.merge(valid.add_all(["A-17", "B-23"]));
    valid.merge(valid.remove(&"A-17"));
    valid.merge(valid.add("A-17"));
    assert!(valid.iter().eq(&["B-23"]) && valid.is_removed(&"A-17"));
    writeln!(out, "vouchers: {:?}, used up: {:?}", Vec::from_iter(valid.iter()), Vec::from_iter(valid.removed()))?;
    Ok(())
}

/// Grow-only: the least memory, where nothing is ever removed.
fn visited(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut pages = GSet::new();
    pages.merge(pages.add_all(["/", "/help"]));
    assert!(!pages.merge(pages.add("/")), "merging says whether anything is new");
    writeln!(out, "visited: {:?}", Vec::from_iter(pages.iter()))?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut io::stdout().lock())
}
