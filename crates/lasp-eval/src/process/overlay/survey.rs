//! Asks every node of an overlay how it is, over its own listener, some dozens at a time.

use crate::record::Bytes;
use lasp::control::client::{Client, Options};
use lasp::control::protocol::{Ask, Say, StatusReport};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Nodes asked at once. A guess: enough that nobody waits for a round trip, few enough for any limit of descriptors.
const AT_ONCE: usize = 64;

/// How long a node may be silent. A guess, for a machine with a thousand other processes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks everybody the same; the answers, in the order of the addresses.
pub(super) async fn ask_all(addrs: Vec<String>, ask: &Ask) -> Vec<Result<Say, String>> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut asked = JoinSet::new();
    let mut answers: Vec<Result<Say, String>> = vec![Err("it was not asked".to_owned()); addrs.len()];
    for (at, addr) in addrs.into_iter().enumerate() {
        let (places, ask) = (Arc::clone(&places), ask.clone());
        asked.spawn(async move {
            let _place = places.acquire().await;
            (at, ask_one(&addr, ask).await)
        });
    }
    while let Some(answered) = asked.join_next().await {
        if let Ok((at, answer)) = answered {
            answers[at] = answer;
        }
    }
    answers
}

/// Asks one node; its first answer, or why there is none.
pub(super) async fn ask_one(addr: &str, ask: Ask) -> Result<Say, String> {
    let options = Options { timeout: PATIENCE, ..Options::default() };
    let client = Client::connect(addr, options).await.map_err(|error| error.to_string())?;
    let mut answers = client.ask(ask).await.map_err(|error| error.to_string())?;
    answers.next().await.map_err(|error| error.to_string())
}

/// Everybody's neighbours, as [`examine`](crate::overlay::examine) takes them, and how many did not answer.
pub(super) fn views(answers: Vec<Result<Say, String>>) -> (Vec<(u64, Vec<u64>)>, usize) {
    let asked = answers.len();
    let number = |id: &str| u64::from_str_radix(id, 16).ok();
    let view = |answer| match answer {
        Ok(Say::Overlay { me, links, .. }) => {
            Some((number(&me.id)?, links.iter().filter_map(|link| number(&link.peer.id)).collect()))
        }
        _ => None,
    };
    let views: Vec<_> = answers.into_iter().filter_map(view).collect();
    let silent = asked - views.len();
    (views, silent)
}

/// What a node has counted, by the node's id.
pub(super) fn reports(answers: Vec<Result<Say, String>>) -> BTreeMap<u64, Box<StatusReport>> {
    let report = |answer| match answer {
        Ok(Say::Status(report)) => Some((u64::from_str_radix(&report.me.id, 16).ok()?, report)),
        _ => None,
    };
    answers.into_iter().filter_map(report).collect()
}

/// One of the things that a node counts; 0 of what it does not.
pub(super) fn counter(report: &StatusReport, name: &str) -> u64 {
    report.counters.iter().find(|(counter, _)| counter == name).map_or(0, |(_, count)| *count)
}

/// What it has sent, by kind.
pub(super) fn sent(report: &StatusReport) -> Bytes {
    Bytes {
        state: counter(report, "bytes_sent_state"),
        membership: counter(report, "bytes_sent_membership"),
        broadcast: counter(report, "bytes_sent_broadcast") + counter(report, "bytes_sent_unicast"),
        sync: counter(report, "bytes_sent_sync"),
    }
}
