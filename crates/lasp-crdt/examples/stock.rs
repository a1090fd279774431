//! Counters: page views, stock, an account's balance, seats that must not be sold twice.
//! `cargo run -p lasp-crdt --example stock`

use lasp_crdt::{BoundedCounter, GCounter, Lattice, LexCounter, NotEnoughRights, PnCounter, ReplicaId};
use std::error::Error;
use std::io::{self, Write};

const SHOP: ReplicaId = ReplicaId(1);
const DEPOT: ReplicaId = ReplicaId(2);

pub(crate) fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    views(out)?;
    stock(out)?;
    balance(out)?;
    seats(out)
}

/// Each replica counts under its own id; what it counts is never counted twice, however often it arrives.
fn views(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut views = GCounter::new();
    let delta = views.increment(SHOP, 3);
    for _ in 0..5 {
        views.merge(delta.clone());
    }
    views.merge(GCounter::new().increment(DEPOT, 4));
    assert_eq!(views.value(), 7);
    writeln!(out, "views: {}, of which the shop counted {}", views.value(), views.count(SHOP))?;
    Ok(())
}

/// Up and down. Below zero too: replicas that sell the last piece at the same time both count.
fn stock(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut shop = PnCounter::new();
    shop.merge(shop.increment(DEPOT, 1));
    let mut depot = shop.clone();
    shop.merge(shop.decrement(SHOP, 1));
    depot.merge(depot.decrement(DEPOT, 1));
    shop.merge(depot);
    assert_eq!(shop.value(), -1);
    writeln!(out, "stock: {}: the last piece was sold twice", shop.value())?;
    Ok(())
}

/// The same in one entry per replica.
fn balance(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut balance = LexCounter::new();
    balance.merge(balance.increment(SHOP, 100));
    balance.merge(balance.decrement(SHOP, 30));
    balance.merge(balance.decrement(DEPOT, 5));
    assert_eq!(balance.value(), 65);
    writeln!(out, "balance: {}", balance.value())?;
    Ok(())
}

/// Never below zero, and nobody is asked: who sells has the right to, and the rights can be passed on.
fn seats(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut depot = BoundedCounter::new();
    depot.merge(depot.increment(DEPOT, 10));
    depot.merge(depot.transfer(DEPOT, SHOP, 2)?);
    let mut shop = depot.clone();

    // Both are offline, and sell all that they may.
    shop.merge(shop.decrement(SHOP, 2)?);
    depot.merge(depot.decrement(DEPOT, 8)?);
    let refused = shop.decrement(SHOP, 1);
    assert_eq!(refused, Err(NotEnoughRights { replica: SHOP, asked: 1, owned: 0 }));
    writeln!(out, "the shop sees {} seats; one more: {}", shop.value(), refused.expect_err("refused"))?;

    shop.merge(depot);
    assert_eq!(shop.value(), 0);
    writeln!(out, "seats left when both are back: {}", shop.value())?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut io::stdout().lock())
}
