//! How the nodes of a run end it among themselves: a convergence structure (Meiklejohn et al., PPDP'17), in the very system
//! under test.
//!
//! A grow-only map takes each node's number to a pair of flags: it saw the end; it pushed its logs. A node pushes when all
//! first flags are up, and leaves when all second ones are. No process watches over this.

use crate::record::Probe;
use crate::scenario::Member;
use lasp::kind::{Flag, Pair};
use lasp::{Error, GMap, Op, Threshold, VarId};
use std::collections::BTreeMap;
use std::time::Duration;

/// The name of the structure.
pub const STATUS: &str = "status";

/// How often the second flags are counted, as the original polls; the first are a threshold on the number of keys.
const POLL: Duration = Duration::from_millis(250);

/// From the scenario's end at this node to its own; `common` are the variables that all nodes keep.
pub(crate) async fn finish(member: &Member, common: &[(String, VarId)]) -> Result<(), Error> {
    let Member { lasp, journal, config, .. } = member;
    journal.saw_end();
    let status: GMap<u64, Pair<Flag, Flag>> = lasp.gmap(STATUS).await?;
    let number = member.number();
    status.apply(number, Op::Fst(Box::new(Op::Enable))).await?;
    status.read(Threshold::AtLeast(config.nodes as i64)).await?;
    journal.push();
    status.apply(number, Op::Snd(Box::new(Op::Enable))).await?;
    while !all_pushed(&status, config.nodes).await? {
        lasp.sleep(POLL).await?;
    }
    journal.ended(lasp.inspect(Probe::of).await?);
    // Whoever has heard everything stays a little, so that the others hear it too.
    lasp.sleep(config.linger()).await?;
    journal.close(values(member, common).await?);
    Ok(())
}

async fn all_pushed(status: &GMap<u64, Pair<Flag, Flag>>, nodes: usize) -> Result<bool, Error> {
    let entries = status.value().await?;
    Ok(entries.iter().filter(|(_, (_, pushed))| *pushed).count() >= nodes)
}

async fn values(member: &Member, common: &[(String, VarId)]) -> Result<BTreeMap<String, String>, Error> {
    let mut values = BTreeMap::new();
    for (name, var) in common {
        let output = member.lasp.query(*var).await?;
        values.insert(name.clone(), abbreviate(output.to_string()));
    }
    Ok(values)
}

/// A long value as its hash, so that a record stays small.
fn abbreviate(text: String) -> String {
    if text.len() <= 64 {
        return text;
    }
    format!("{} bytes, hash {:016x}", text.len(), lasp_crdt::fingerprint::hash(text.as_str()))
}
