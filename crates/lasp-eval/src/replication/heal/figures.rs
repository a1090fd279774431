//! What mending came to, by how many updates there were.

use super::{REST, Run};
use crate::figure::Figure;
use crate::plot::{Chart, Corner, Ink, Kind, Line};
use crate::replication::tables::{Curves, Table, at, cell, curve};
use crate::summary::Summary;
use std::collections::BTreeMap;

/// Rounds of comparisons after which all are to hold everything.
const ROUNDS: f64 = 3.0;

/// Every figure by its name: each is a curve over numbers of updates.
pub fn results(runs: &[Run]) -> BTreeMap<String, Figure> {
    let mut curves = Curves::default();
    for (job, outcome) in runs {
        let writes = job.writes.to_string();
        let mut put = |what: &str, value: f64| curves.add(what.to_owned(), &writes, value);
        outcome.met.into_iter().for_each(|seconds| put("met_seconds", seconds));
        outcome.converged.into_iter().for_each(|seconds| put("converged_seconds", seconds));
        outcome.rounds().into_iter().for_each(|rounds| put("rounds", rounds));
        put("lost_updates", outcome.lost as f64);
        let (sent, least) = (outcome.sent, outcome.least as f64);
        put("least_bytes", least);
        put("bytes", sent.bytes as f64);
        put("state_bytes", sent.state as f64);
        put("sync_bytes", sent.sync as f64);
        put("other_bytes", (sent.bytes - sent.state - sent.sync) as f64);
        put("state_ratio", sent.state as f64 / least);
        put("redundancy", sent.redundancy());
        put("digest_hit_percent", sent.digest_hit_percent());
        // What all would have sent in the same time anyway.
        let idle = outcome.rest.bytes as f64 / REST.as_secs_f64() * outcome.converged.unwrap_or(0.0);
        put("idle_bytes", idle);
        put("ratio", (sent.bytes as f64 - idle).max(0.0) / least);
    }
    curves.figures()
}

/// What is not as it should be.
pub fn problems(runs: &[Run]) -> Vec<String> {
    let mut problems = Vec::new();
    for (job, outcome) in runs {
        let mut say = |what: String| problems.push(format!("{} updates, seed {}: {what}", job.writes, job.seed));
        match (outcome.met, outcome.converged) {
            (None, _) => say("the halves did not meet again".to_owned()),
            (_, None) => say("not all came to hold everything".to_owned()),
            _ => {}
        }
        if outcome.lost > 0 {
            say(format!("{} elements were lost", outcome.lost));
        }
        if let Some(rounds) = outcome.rounds().filter(|rounds| *rounds > ROUNDS) {
            say(format!("it took {rounds:.2} rounds of comparisons"));
        }
    }
    problems
}

/// The numbers of updates that were run, ascending.
fn numbers(summary: &Summary) -> Vec<String> {
    let mut all: Vec<String> = curve(summary, "bytes").map_or_else(Vec::new, |points| points.keys().cloned().collect());
    all.sort_by_key(|writes| writes.parse::<u64>().unwrap_or(0));
    all
}

/// One table, of a row for each number of updates.
pub fn tables(summary: &Summary) -> Vec<Table> {
    let row = |writes: String| {
        let of = |what: &str| at(summary, what, &writes);
        let digits = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.2}"));
        let cells = vec![
            digits(of("met_seconds")),
            digits(of("converged_seconds")),
            digits(of("rounds")),
            cell(of("least_bytes")),
            cell(of("state_bytes")),
            digits(of("state_ratio")),
            cell(of("sync_bytes")),
            cell(of("other_bytes")),
            cell(of("lost_updates")),
        ];
        (format!("{writes} updates"), cells)
    };
    vec![Table {
        title: "After the network was mended".to_owned(),
        header: vec!["met s", "equal s", "rounds", "least B", "state B", "/ least", "sync B", "other B", "lost"],
        rows: numbers(summary).into_iter().map(row).collect(),
    }]
}

/// Bytes by how much differed, and nodes over time.
pub fn charts(summary: &Summary, runs: &[Run]) -> Vec<Chart> {
    let points = |what: &str| -> Vec<(f64, f64)> {
        numbers(summary)
            .iter()
            .filter_map(|writes| Some((writes.parse().ok()?, at(summary, what, writes)? / 1e6)))
            .collect()
    };
    let bytes = Chart {
        id: "bytes",
        title: "Bytes by what differed",
        caption: "Sent by all nodes from the mending until all held everything.".to_owned(),
        x_label: "updates while apart".to_owned(),
        y_label: "MB".to_owned(),
        legend: Corner::TopLeft,
        kind: Kind::Lines(vec![
            Line::plain("state", Ink::First, points("state_bytes")),
            Line::plain("the least", Ink::Second, points("least_bytes")),
            Line::plain("digests and requests", Ink::Third, points("sync_bytes")),
        ]),
    };
    let most = runs.iter().max_by_key(|(job, _)| job.writes);
    let course = most.map(|(job, outcome)| Chart {
        id: "course",
        title: "Nodes that hold what the first one holds",
        caption: format!("After {} updates.", job.writes),
        x_label: "seconds since the network was mended".to_owned(),
        y_label: "nodes".to_owned(),
        legend: Corner::BottomRight,
        kind: Kind::Lines(vec![Line::plain(
            "nodes",
            Ink::First,
            outcome.course.iter().map(|&(at, nodes)| (at, nodes as f64)).collect(),
        )]),
    });
    [bytes].into_iter().chain(course).collect()
}
