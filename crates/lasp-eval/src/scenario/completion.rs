//! How the nodes of a run end it among themselves: a convergence structure (Meiklejohn et al., PPDP'17), in the very system
//! under test.
//!
//! A grow-only map takes each node's number to a pair of flags: it saw the end; it pushed its logs. A node pushes when all
//! first flags are up, and leaves when all second ones are. No process watches over this.

use crate::record::Probe;
use crate::scenario::Member;
use lasp::kind::{Flag, Pair};
use lasp::{Error, GMap, Op, Threshold, VarId};
use lasp_dataflow::{Graph, Slot, State, Value};
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
    let (var, mut pushed) = (status.id(), 0);
    loop {
        pushed = lasp.inspect(move |node| pushed_from(node.graph(), var, pushed)).await?;
        if pushed >= config.nodes as u64 {
            break;
        }
        lasp.sleep(POLL).await?;
    }
    journal.ended(lasp.inspect(Probe::of).await?);
    // Whoever has heard everything stays a little, so that the others hear it too.
    lasp.sleep(config.linger()).await?;
    journal.close(values(member, common).await?);
    Ok(())
}

/// The first number from `first` on that has not pushed its logs. All counts together cost each number once.
fn pushed_from(graph: &Graph, status: VarId, first: u64) -> u64 {
    let Some(State::GMap(map)) = graph.state(status) else { return first };
    let has_pushed = |number: &u64| match map.get(&Value::from(*number)).and_then(Slot::get) {
        Some(State::Pair(flags)) => matches!(flags.1, State::Boolean(pushed) if pushed.value()),
        _ => false,
    };
    (first..).find(|number| !has_pushed(number)).unwrap_or(first)
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
