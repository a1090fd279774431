//! A live dashboard: one node measures, another shows what follows, at every change.
//!
//! `cargo run -p lasp --example dashboard`

use lasp::{Aggregate, AtLeast, Collection as _, Lasp, Reaches, Set};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::time::Duration;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Reading {
    sensor: String,
    second: u64,
    celsius: f64,
}

fn reading(sensor: &str, second: u64, celsius: f64) -> Reading {
    Reading { sensor: sensor.to_owned(), second, celsius }
}

pub(crate) async fn run(out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    let station = Lasp::builder().cluster("weather").name("station").listen("127.0.0.1:0").start().await?;
    let contact = station.me().await?.addr;
    let desk =
        Lasp::builder().cluster("weather").name("desk").listen("127.0.0.1:0").join([contact.as_str()]).start().await?;
    desk.joined().await?;

    // The desk: a row for each sensor, and an alarm for everybody once something is hot.
    let readings: Set<Reading> = desk.set("readings").await?;
    let figures = Aggregate::count().and(Aggregate::avg(|reading: &Reading| reading.celsius));
    let board = readings.group_by(|reading| reading.sensor.clone()).aggregate(figures).await?;
    let hot = readings.filter(|reading| reading.celsius > 40.0).map(|reading| reading.sensor).await?;
    let _feed = hot.count().await?.reached(AtLeast(1)).derive_into(&desk.flag("alarm").await?).await?;
    let mut changes = board.watch().await?;

    // The station: readings come and go.
    let measured: Set<Reading> = station.set("readings").await?;
    measured.add(reading("roof", 1, 20.5)).await?;
    writeln!(out, "{:?}", changes.next().await?)?;
    measured.add_all([reading("roof", 2, 21.5), reading("cellar", 1, 12.0)]).await?; // seen both or neither
    writeln!(out, "{:?}", changes.next().await?)?;
    measured.remove(reading("roof", 1, 20.5)).await?;
    writeln!(out, "{:?}", changes.next().await?)?;
    measured.add(reading("cellar", 2, 44.0)).await?;
    writeln!(out, "{:?}", changes.next().await?)?;

    // What the desk derived into the flag is known at the station.
    let alarm = station.flag("alarm").await?.read(Reaches(true)).timeout(Duration::from_secs(30)).await?;
    writeln!(out, "alarm at the station: {alarm}, hot: {:?}", hot.value().await?)?;

    desk.shutdown().await;
    station.shutdown().await;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = Vec::new();
    run(&mut out).await?;
    Ok(std::io::stdout().write_all(&out)?)
}
