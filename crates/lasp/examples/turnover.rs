//! Shops sum up what they sell; a screen hears the sum, and none of the sales.
//!
//! `cargo run -p lasp --example turnover`

use lasp::{Aggregate, Collection as _, Feed, Lasp, Reaches, Set, Summary};
use std::io::Write;

type Sale = (String, i64);

/// Every shop that has the sales derives the same.
async fn sum_up(shop: &Lasp) -> Result<(Set<Sale>, Feed), lasp::Error> {
    let sales = shop.set::<Sale>("sales").await?;
    let turnover: Summary<i64> = shop.summary("turnover").await?;
    let price = Aggregate::sum(|(_, price): &Sale| *price);
    let feed = sales.aggregate(price).derive_into(&turnover).await?;
    Ok((sales, feed))
}

pub(crate) async fn run(out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    let node = || Lasp::builder().cluster("shops").listen("127.0.0.1:0");
    let north = node().name("north").start().await?;
    let contact = north.me().await?.addr;
    let south = node().name("south").join([contact.as_str()]).start().await?;
    let screen = node().name("screen").interests(["turnover"]).join([contact.as_str()]).start().await?;
    south.joined().await?;
    screen.joined().await?;
    let ((at_north, _north_feed), (at_south, _south_feed)) = (sum_up(&north).await?, sum_up(&south).await?);

    // While the two have not heard of each other's sales, there may be two results.
    at_north.add(("shoes".to_owned(), 5)).await?;
    at_south.add(("hats".to_owned(), 7)).await?;
    let turnover: Summary<i64> = screen.summary("turnover").await?;
    writeln!(out, "turnover: {:?}", turnover.read(Reaches(12)).await?)?;

    // What is given back is taken off.
    at_south.read(Reaches([("shoes".to_owned(), 5)])).await?;
    at_south.remove(("shoes".to_owned(), 5)).await?;
    writeln!(out, "shoes come back: {:?}", turnover.read(Reaches(7)).await?)?;

    screen.shutdown().await;
    south.shutdown().await;
    north.shutdown().await;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = Vec::new();
    run(&mut out).await?;
    Ok(std::io::stdout().write_all(&out)?)
}
