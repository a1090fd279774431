//! What waited for the slow node, and how long what waits behind a large transfer waits.

use super::{MARGIN, Run};
use crate::figure::{Figure, Varied};
use crate::plot::{Chart, Corner, Ink, Kind, Line};
use crate::replication::tables::{Table, cell};
use crate::summary::Summary;
use std::collections::BTreeMap;

const KIB: f64 = 1024.0;

/// Every figure by its name.
pub fn results(runs: &[Run]) -> BTreeMap<String, Figure> {
    let mut results: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (_, outcome) in runs {
        let mut put = |what: &str, value: f64| results.entry(what.to_owned()).or_default().push(value);
        put("state_bytes", outcome.state as f64);
        put("waiting_bytes_most", outcome.waiting as f64);
        put("waiting_beyond_state_bytes", (outcome.waiting as f64 - outcome.state as f64).max(0.0));
        put("kept_entries_most", outcome.entries as f64);
        put("slow_links", outcome.links as f64);
        put("updates", outcome.updates as f64);
        put("others_converged_seconds", outcome.others_seconds);
        outcome.slow_seconds.into_iter().for_each(|seconds| put("slow_converged_seconds", seconds));
        let transfer = &outcome.transfer;
        put("transfer_seconds", transfer.seconds);
        put("transfer_small_updates", transfer.updates as f64);
        for (when, took) in [("during_transfer", transfer.during), ("quiet", transfer.quiet)] {
            put(&format!("small_ms_{when}_p50"), took.p50);
            put(&format!("small_ms_{when}_max"), took.max);
        }
    }
    results.into_iter().map(|(name, values)| (name, Figure::Varied(Varied::of(&values)))).collect()
}

/// What is not as it should be.
pub fn problems(runs: &[Run]) -> Vec<String> {
    let mut problems = Vec::new();
    for (seed, outcome) in runs {
        if outcome.slow_seconds.is_none() {
            problems.push(format!("seed {seed}: the slow node did not come to hold the newest state"));
        }
        let beyond = outcome.waiting as f64 - outcome.state as f64;
        if beyond > MARGIN {
            problems.push(format!("seed {seed}: {beyond:.0} bytes beyond the state waited for the slow node"));
        }
        if !outcome.transfer.complete {
            problems.push(format!("seed {seed}: the large transfer did not end"));
        }
    }
    problems
}

/// One table of what waited, one of the transfer.
pub fn tables(summary: &Summary) -> Vec<Table> {
    let of = |name: &str| summary.results.get(name).and_then(Figure::value);
    let kib = |name: &str| cell(of(name).map(|bytes| (bytes / KIB).round()));
    let digits = |name: &str| of(name).map_or_else(String::new, |value| format!("{value:.1}"));
    let slow = vec![
        kib("state_bytes"),
        kib("waiting_bytes_most"),
        kib("waiting_beyond_state_bytes"),
        cell(of("kept_entries_most")),
        digits("others_converged_seconds"),
        digits("slow_converged_seconds"),
    ];
    let small = |when: &str| vec![digits(&format!("small_ms_{when}_p50")), digits(&format!("small_ms_{when}_max"))];
    vec![
        Table {
            title: "What waits for the slow node at any one neighbour, at most".to_owned(),
            header: vec!["state KiB", "waits KiB", "beyond", "entries kept", "others s", "slow s"],
            rows: vec![("slow node".to_owned(), slow)],
        },
        Table {
            title: "A small update over a link of 10 Mbit/s, in milliseconds".to_owned(),
            header: vec!["median", "most"],
            rows: vec![
                ("during a large transfer".to_owned(), small("during_transfer")),
                ("alone".to_owned(), small("quiet")),
            ],
        },
    ]
}

/// What waits over time, of the first run.
pub fn charts(runs: &[Run]) -> Vec<Chart> {
    let Some((_, outcome)) = runs.first() else { return Vec::new() };
    let of = |which: fn(&(f64, usize, usize)) -> usize| {
        outcome.course.iter().map(|look| (look.0, which(look) as f64 / KIB)).collect::<Vec<_>>()
    };
    let lines = vec![
        Line::plain("waits for the slow node", Ink::First, of(|look| look.1)),
        Line::plain("all variables", Ink::Second, of(|look| look.2)),
    ];
    vec![Chart {
        id: "waiting",
        title: "What waits for the slow node",
        caption: "At that neighbour where most waits, with what is under way; all variables beside it.".to_owned(),
        x_label: "seconds since the load began".to_owned(),
        y_label: "KiB".to_owned(),
        legend: Corner::BottomRight,
        kind: Kind::Lines(lines),
    }]
}
