//! One node: declare, update, derive, wait.
//!
//! `cargo run -p lasp --example counter`

use lasp::{AtLeast, Collection as _, GCounter, Lasp, Set};
use std::io::Write;

pub(crate) async fn run(out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    let lasp = Lasp::builder().listen("127.0.0.1:0").start().await?;

    let numbers: Set<i64> = lasp.set("numbers").await?;
    numbers.add_all([1, 2, 3]).await?;
    let doubled = numbers.map(|n| n * 2).await?;
    writeln!(out, "doubled: {:?}", doubled.value().await?)?;

    let views: GCounter = lasp.gcounter("views").await?;
    let counter = views.clone();
    lasp.spawn(async move {
        for _ in 0..3 {
            let _ = counter.increment(1).await;
        }
    });
    writeln!(out, "views reached {}", views.read(AtLeast(3)).await?)?;

    numbers.remove(2).await?;
    writeln!(out, "doubled without 2: {:?}", doubled.value().await?)?;

    lasp.shutdown().await;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = Vec::new();
    run(&mut out).await?;
    Ok(std::io::stdout().write_all(&out)?)
}
