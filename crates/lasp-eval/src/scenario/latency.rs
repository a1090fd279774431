//! Time to visibility: the server increments a counter, everybody else waits for each increment in a threshold read.

use crate::config::Latency;
use crate::record::Role;
use crate::scenario::{Member, completion, measure};
use lasp::{Error, GCounter, Threshold};
use std::time::Duration;

const TICKS: &str = "ticks";

/// How long the cluster is left alone before the first update.
const SETTLE: Duration = Duration::from_secs(1);

/// Plays the writer or a reader.
pub(crate) async fn play(member: &Member, options: &Latency) -> Result<(), Error> {
    let ticks = measure::follow_counter(member, TICKS).await?;
    member.roll_call().await?;
    match member.role() {
        Role::Server => write(member, options, &ticks).await?,
        Role::Client => wait(member, options, &ticks).await?,
    }
    completion::finish(member, &[(TICKS.to_owned(), ticks.id())]).await
}

async fn write(member: &Member, options: &Latency, ticks: &GCounter) -> Result<(), Error> {
    let mut rng = member.rng();
    let interval = options.round_interval.duration();
    member.lasp.sleep(SETTLE).await?;
    for _ in 0..options.rounds {
        member.lasp.sleep(rng.duration(interval, 2 * interval)).await?;
        member.journal.round();
        ticks.increment(1).await?;
        member.journal.counted(TICKS, 1);
    }
    Ok(())
}

async fn wait(member: &Member, options: &Latency, ticks: &GCounter) -> Result<(), Error> {
    for round in 1..=options.rounds {
        ticks.read(Threshold::AtLeast(round as i64)).await?;
        member.journal.round();
    }
    Ok(())
}
