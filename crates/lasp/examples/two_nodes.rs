//! Two nodes of one cluster, here in one process: what one writes, the other derives from and waits for.
//!
//! `cargo run -p lasp --example two_nodes`

use lasp::{AtLeast, Collection as _, Lasp, Set};
use std::io::Write;

pub(crate) async fn run(out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    let a = Lasp::builder().cluster("shop").name("a").listen("127.0.0.1:0").start().await?;
    let contact = a.me().await?.addr;
    let b = Lasp::builder().cluster("shop").name("b").listen("127.0.0.1:0").join([contact.as_str()]).start().await?;
    b.joined().await?;

    // Node a writes: what there is, and what is contracted.
    let ads: Set<String> = a.set("ads").await?;
    let contracts: Set<(String, i64)> = a.set("contracts").await?;
    ads.add_all(["shoes", "hats"]).await?;
    contracts.add(("shoes".to_owned(), 3)).await?;

    // Node b derives: ads with a contract.
    let ads_at_b: Set<String> = b.set("ads").await?;
    let contracts_at_b: Set<(String, i64)> = b.set("contracts").await?;
    let on_sale = ads_at_b.join(&contracts_at_b, |ad| ad.clone(), |(ad, _)| ad.clone()).map(|(_, sale)| sale).await?;
    writeln!(out, "on sale at b: {:?}", on_sale.read(AtLeast(1)).await?)?;

    // A removal at a retracts what b derived.
    let mut changes = on_sale.watch().await?;
    ads.remove("shoes").await?;
    changes.next().await?;
    writeln!(out, "sold out at b: {:?}", on_sale.value().await?)?;

    b.shutdown().await;
    a.shutdown().await;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = Vec::new();
    run(&mut out).await?;
    Ok(std::io::stdout().write_all(&out)?)
}
