//! One node: declare, update, derive, wait.
//!
//! `cargo run -p lasp --example counter` prints:
//!
//! ```text
//! doubled: [2, 4, 6]
//! views reached 3
//! doubled without 2: [2, 6]
//! ```

use lasp::{AtLeast, Collection as _, GCounter, Lasp, Set};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let lasp = Lasp::builder().listen("127.0.0.1:0").start().await?;

    let numbers: Set<i64> = lasp.set("numbers").await?;
    numbers.add_all([1, 2, 3]).await?;
    let doubled = numbers.map(|n| n * 2).await?;
    println!("doubled: {:?}", doubled.value().await?);

    let views: GCounter = lasp.gcounter("views").await?;
    let counter = views.clone();
    lasp.spawn(async move {
        for _ in 0..3 {
            let _ = counter.increment(1).await;
        }
    });
    println!("views reached {}", views.read(AtLeast(3)).await?);

    numbers.remove(2).await?;
    println!("doubled without 2: {:?}", doubled.value().await?);

    lasp.shutdown().await;
    Ok(())
}
