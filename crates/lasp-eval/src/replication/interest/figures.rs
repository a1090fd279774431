//! What the load costs where nodes hear what they want, beside full replication.

use super::world::Outcome;
use super::{Hearing, Run};
use crate::figure::{Figure, Varied};
use crate::plot::{Chart, Corner, Ink, Kind, Line};
use crate::replication::tables::{Curves, Table, at, cell};
use crate::stats;
use crate::summary::Summary;
use std::collections::BTreeMap;

/// The share of a sorted list below which a value lies.
fn quantile(sorted: &[u64], share: f64) -> f64 {
    let place = ((sorted.len() as f64 - 1.0) * share).round() as usize;
    sorted.get(place).copied().unwrap_or(0) as f64
}

fn mean(values: &[u64]) -> f64 {
    stats::mean(&values.iter().map(|&value| value as f64).collect::<Vec<_>>())
}

/// One figure of what a run came to.
type Pick = fn(&Outcome) -> f64;

/// Every figure by its name: curves over what nodes hear, and their ratios.
pub fn results(runs: &[Run]) -> BTreeMap<String, Figure> {
    let mut curves = Curves::default();
    for (job, outcome) in runs.iter().filter(|(_, outcome)| !outcome.received.is_empty()) {
        let nodes = outcome.received.len() as f64;
        let mut put = |what: &str, value: f64| curves.add(what.to_owned(), job.hearing.name(), value);
        put("payload_bytes_received", mean(&outcome.received));
        put("payload_bytes_received_p50", quantile(&outcome.received, 0.5));
        put("payload_bytes_received_p99", quantile(&outcome.received, 0.99));
        put("payload_bytes_received_max", quantile(&outcome.received, 1.0));
        put("coverage_percent", 100.0 * outcome.pairs.1 as f64 / outcome.pairs.0.max(1) as f64);
        put("settled_after_s", outcome.settled_after);
        put("variables_kept", outcome.kept);
        put("entries_kept", outcome.entries);
        put("between_percent", outcome.between);
        put("tree_depth_hops", outcome.deepest);
        put("updates", outcome.updates as f64);
        let each = |bytes: u64| bytes as f64 / nodes;
        put("bytes_per_node", each(outcome.load.bytes));
        put("control_bytes_per_node", each(outcome.load.bytes - outcome.load.state));
        put("control_bytes_per_node_second", each(outcome.load.bytes - outcome.load.state) / outcome.seconds);
        put("sync_bytes_per_node", each(outcome.load.sync));
        put("redundancy", outcome.load.redundancy());
        put("digest_hit_percent", outcome.load.digest_hit_percent());
        put("forming_bytes_per_node", each(outcome.before.bytes));
        put("forming_sync_bytes_per_node", each(outcome.before.sync));
        if let Some((seconds, bytes)) = outcome.changed {
            put("change_s", seconds);
            put("change_payload_bytes", bytes as f64);
        }
    }
    let mut figures = curves.figures();
    let share = |of: fn(&Outcome) -> f64| {
        let shares: Vec<f64> = pairs(runs).map(|(wanted, full)| 100.0 * of(wanted) / mean(&full.received)).collect();
        (!shares.is_empty()).then(|| Figure::Varied(Varied::of(&shares)))
    };
    let shares: [(&str, Pick); 4] = [
        ("payload_percent", |outcome| mean(&outcome.received)),
        ("payload_percent_p50", |outcome| quantile(&outcome.received, 0.5)),
        ("payload_percent_p99", |outcome| quantile(&outcome.received, 0.99)),
        ("payload_percent_max", |outcome| quantile(&outcome.received, 1.0)),
    ];
    figures.extend(shares.into_iter().filter_map(|(name, of)| Some((name.to_owned(), share(of)?))));
    figures
}

/// Runs of the same seed: of what is wanted, and of everything.
fn pairs(runs: &[Run]) -> impl Iterator<Item = (&Outcome, &Outcome)> {
    let of = |hearing: Hearing| runs.iter().filter(move |(job, _)| job.hearing == hearing);
    of(Hearing::Wanted).filter_map(move |(job, wanted)| {
        let (_, full) = of(Hearing::Everything).find(|(other, _)| other.seed == job.seed)?;
        (!full.received.is_empty() && !wanted.received.is_empty()).then_some((wanted, full))
    })
}

/// What is not as it should be.
pub fn problems(runs: &[Run]) -> Vec<String> {
    let lost = |(job, outcome): &Run| {
        let (pairs, complete) = outcome.pairs;
        (complete < pairs).then(|| {
            let (hearing, seed) = (job.hearing, job.seed);
            format!("{hearing}, seed {seed}: {} of {pairs} wanted variables are incomplete", pairs - complete)
        })
    };
    runs.iter().filter_map(lost).collect()
}

/// One table, of a row for each way of hearing.
pub fn tables(summary: &Summary) -> Vec<Table> {
    let row = |hearing: &Hearing| {
        let of = |what: &str| at(summary, what, hearing.name());
        of("payload_bytes_received")?;
        let cells = vec![
            cell(of("payload_bytes_received").map(f64::round)),
            cell(of("payload_bytes_received_max").map(f64::round)),
            cell(of("control_bytes_per_node").map(f64::round)),
            of("coverage_percent").map_or_else(String::new, |value| format!("{value:.2}")),
            of("settled_after_s").map_or_else(String::new, |value| format!("{value:.1}")),
            of("variables_kept").map_or_else(String::new, |value| format!("{value:.1}")),
        ];
        Some((hearing.name().to_owned(), cells))
    };
    let share = |name: &str| {
        let value = summary.results.get(name).and_then(Figure::value);
        value.map_or_else(String::new, |value| format!("{value:.2}"))
    };
    let title = format!(
        "A node hears what it wants, or everything: payload {} % of full replication, at most {} %",
        share("payload_percent"),
        share("payload_percent_max")
    );
    let header = vec!["payload B", "max", "control B", "coverage %", "settled s", "kept"];
    vec![Table { title, header, rows: Hearing::ALL.iter().filter_map(row).collect() }]
}

/// How much nodes receive, from the least to the most.
pub fn charts(runs: &[Run]) -> Vec<Chart> {
    let line = |hearing: Hearing, label: &'static str, ink: Ink| {
        let (_, outcome) = runs.iter().find(|(job, outcome)| job.hearing == hearing && !outcome.received.is_empty())?;
        let nodes = outcome.received.len().max(2) as f64 - 1.0;
        let points = outcome.received.iter().enumerate();
        let points = points.map(|(at, &bytes)| (100.0 * at as f64 / nodes, bytes as f64 / 1000.0)).collect();
        Some(Line::plain(label, ink, points))
    };
    let lines: Vec<Line> = [
        line(Hearing::Wanted, "what is wanted", Ink::First),
        line(Hearing::Everything, "full replication", Ink::Second),
    ]
    .into_iter()
    .flatten()
    .collect();
    if lines.is_empty() {
        return Vec::new();
    }
    vec![Chart {
        id: "received",
        title: "Payload received",
        caption: "Bytes of deltas and states that nodes received for the load, from the least to the most.".to_owned(),
        x_label: "percent of nodes".to_owned(),
        y_label: "kB".to_owned(),
        legend: Corner::TopLeft,
        kind: Kind::Lines(lines),
    }]
}
