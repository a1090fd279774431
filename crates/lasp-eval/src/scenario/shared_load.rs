//! The load under which the original was measured: every node increments one shared counter at a steady rate, and now
//! and then adds an element to one shared set. What it costs on the wire is taken from the start of the load until all
//! nodes have seen its final values.

use crate::config::SharedLoad;
use crate::record::Probe;
use crate::scenario::{Member, completion, measure};
use lasp::{Collection as _, Error, GCounter, Set, Threshold};
use std::time::Duration;

const VIEWS: &str = "views";
const ADS: &str = "ads";

/// How long the cluster is left alone before and after the load, so that neither its formation nor its end is taken for it.
const SETTLE: Duration = Duration::from_secs(1);

/// Plays one of the nodes; the server is one like the others.
pub(crate) async fn play(member: &Member, options: &SharedLoad) -> Result<(), Error> {
    let Member { lasp, journal, config, .. } = member;
    let views = measure::follow_counter(member, VIEWS).await?;
    let ads: Set<i64> = lasp.set(ADS).await?;
    measure::follow_number(member, ADS, ads.count().await?.detach().id());
    member.roll_call().await?;
    lasp.sleep(SETTLE).await?;
    journal.load_from(lasp.inspect(Probe::of).await?.bytes);
    write(member, options, &views, &ads).await?;
    let nodes = config.nodes as u64;
    let adds = options.increments / options.increments_per_add;
    views.read(Threshold::AtLeast((nodes * options.increments) as i64)).await?;
    ads.read(Threshold::AtLeast((nodes * adds) as i64)).await?;
    lasp.sleep(SETTLE).await?;
    journal.load_to(lasp.inspect(Probe::of).await?.bytes);
    completion::finish(member, &[(VIEWS.to_owned(), views.id()), (ADS.to_owned(), ads.id())]).await
}

async fn write(member: &Member, options: &SharedLoad, views: &GCounter, ads: &Set<i64>) -> Result<(), Error> {
    // Nodes do not beat in step: each starts somewhere in the first interval.
    let interval = options.increment_interval.duration();
    member.lasp.sleep(member.rng().duration(Duration::ZERO, interval)).await?;
    let mine = member.index as i64 * 1_000_000;
    for done in 1..=options.increments {
        views.increment(1).await?;
        member.journal.counted(VIEWS, 1);
        if done % options.increments_per_add == 0 {
            ads.add(mine + done as i64).await?;
            member.journal.counted(ADS, 1);
        }
        member.lasp.sleep(interval).await?;
    }
    Ok(())
}
