//! The advertisement counter: a server contracts ads for so many impressions, clients show them and count, and an ad is
//! gone everywhere once its contract is fulfilled.
//!
//! `cargo run -p lasp --example ad_counter`

use lasp::{AtLeast, Collection as _, Error, Feed, GCounter, Lasp, Set};
use serde::{Deserialize, Serialize};
use std::io::Write;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Ad {
    id: u64,
    text: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Contract {
    ad: u64,
    impressions: i64,
}

/// An ad that can be shown, and how often.
type Displayable = (Ad, i64);

/// The ads with a contract; derived at every node that does this, for those, too, that hear the result alone.
async fn displayable(lasp: &Lasp) -> Result<(Set<Displayable>, Feed), Error> {
    let ads: Set<Ad> = lasp.set("ads").await?;
    let contracts: Set<Contract> = lasp.set("contracts").await?;
    let shown: Set<Displayable> = lasp.set("displayable").await?;
    let matching = ads.join(&contracts, |ad| ad.id, |contract| contract.ad);
    let feed = matching.map(|(ad, contract)| (ad, contract.impressions)).derive_into(&shown).await?;
    Ok((shown, feed))
}

async fn views(lasp: &Lasp, ad: u64) -> Result<GCounter, Error> {
    lasp.gcounter(&format!("views/{ad}")).await
}

/// Publishes an ad, and withdraws it once it has been shown as often as was contracted.
async fn publish(lasp: &Lasp, ad: Ad, impressions: i64) -> Result<(), Error> {
    lasp.set::<Contract>("contracts").await?.add(Contract { ad: ad.id, impressions }).await?;
    let ads: Set<Ad> = lasp.set("ads").await?;
    ads.add(&ad).await?;
    let fulfilled =
        views(lasp, ad.id).await?.invariant(AtLeast(impressions), move || async move { ads.remove(ad).await });
    lasp.spawn(async move { _ = fulfilled.await });
    Ok(())
}

pub(crate) async fn run(out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    let server = Lasp::builder().cluster("ads").name("server").listen("127.0.0.1:0").start().await?;
    let contact = server.me().await?.addr;
    let phone =
        Lasp::builder().cluster("ads").name("phone").listen("127.0.0.1:0").join([contact.as_str()]).start().await?;
    phone.joined().await?;

    let (_, _serving) = displayable(&server).await?;
    publish(&server, Ad { id: 1, text: "shoes".to_owned() }, 3).await?;
    publish(&server, Ad { id: 2, text: "hats".to_owned() }, 2).await?;

    // The phone shows whatever can be shown, until nothing is left.
    let (shown, _showing) = displayable(&phone).await?;
    let mut changes = shown.watch().await?;
    let mut ads = shown.read(AtLeast(2)).await?;
    while let Some((ad, impressions)) = ads.first().cloned() {
        let seen = views(&phone, ad.id).await?;
        for _ in 0..impressions {
            seen.increment(1).await?;
        }
        writeln!(out, "{} shown {} times", ad.text, seen.value().await?)?;
        // The server withdraws the ad, and that comes here.
        while ads.iter().any(|(left, _)| left.id == ad.id) {
            ads = changes.next().await?.unwrap_or_default();
        }
    }
    writeln!(out, "nothing left to show")?;

    phone.shutdown().await;
    server.shutdown().await;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = Vec::new();
    run(&mut out).await?;
    Ok(std::io::stdout().write_all(&out)?)
}
