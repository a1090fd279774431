//! Follows variables and writes down what a node sees of them, beside the scenario and apart from it.

use crate::scenario::Member;
use lasp::{Error, GCounter, Output, Value, VarId};

/// Writes down how a counter grows.
pub(crate) async fn follow_counter(member: &Member, name: &str) -> Result<GCounter, Error> {
    let counter = member.lasp.gcounter(name).await?;
    follow_number(member, name, counter.id());
    Ok(counter)
}

/// Writes down how a number grows: a counter's value, a count of elements.
pub(crate) fn follow_number(member: &Member, quantity: &str, var: VarId) {
    let (journal, quantity) = (member.journal.clone(), quantity.to_owned());
    follow(member, var, move |output| {
        if let Output::Value(Value::Int(number)) = output {
            journal.seen(&quantity, u64::try_from(*number).unwrap_or(0));
        }
    });
}

/// Writes down that a variable changes.
pub(crate) fn follow_changes(member: &Member, var: VarId) {
    let journal = member.journal.clone();
    let mut last = None;
    follow(member, var, move |output| {
        if last.as_ref().is_some_and(|last| last != output) {
            journal.changed();
        }
        last = Some(output.clone());
    });
}

/// Tells `write` the value now and after every change, until the node stops.
fn follow(member: &Member, var: VarId, mut write: impl FnMut(&Output) + Send + 'static) {
    let lasp = member.lasp.clone();
    member.lasp.spawn(async move {
        let Ok(mut watch) = lasp.watch(var).await else { return };
        let Ok(now) = lasp.query(var).await else { return };
        write(&now);
        while let Ok(Some(output)) = watch.next().await {
            write(&output);
        }
    });
}
