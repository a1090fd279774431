//! What a meeting comes to, by similarity, beside what other ways of reconciling would.

use super::Run;
use crate::figure::Figure;
use crate::plot::{Chart, Corner, Ink, Kind, Line};
use crate::replication::tables::{Curves, Table, at, cell, curve};
use crate::summary::Summary;
use std::collections::BTreeMap;

/// Bytes of each difference of a rateless table as published: 1.35 symbols of a hash and a check of 8 bytes each (Yang et al.,
/// SIGCOMM 2024, for many differences), counts left out; and 8 bytes to ask for it by its hash, which every second is.
const RATELESS: f64 = 1.35 * 16.0 + 4.0;

/// Most that a comparison of equal stores may take, in bytes.
const EQUAL: f64 = 64.0;

/// Every figure by its name: each is a curve over similarities.
pub fn results(runs: &[Run]) -> BTreeMap<String, Figure> {
    let mut curves = Curves::default();
    for (job, outcome) in runs {
        let similarity = job.similarity.to_string();
        let mut put = |what: &str, value: f64| curves.add(what.to_owned(), &similarity, value);
        put("bytes", outcome.sent.bytes as f64);
        put("state_bytes", outcome.sent.state as f64);
        put("sync_bytes", outcome.sent.sync as f64);
        put("least_bytes", outcome.least as f64);
        put("frames", outcome.sent.frames as f64);
        put("comparisons", outcome.sent.comparisons as f64);
        put("seconds", outcome.seconds);
        put("equal_bytes", outcome.equal_bytes);
        if outcome.least > 0 {
            put("ratio", outcome.sent.bytes as f64 / outcome.least as f64);
            put("rateless_ratio", 1.0 + RATELESS * outcome.differing as f64 / outcome.least as f64);
        }
    }
    curves.figures()
}

/// What is not as it should be.
pub fn problems(runs: &[Run]) -> Vec<String> {
    let mut problems = Vec::new();
    for (job, outcome) in runs {
        if !outcome.equal {
            problems.push(format!("{} %, seed {}: the replicas are not equal", job.similarity, job.seed));
        }
        if outcome.equal_bytes > EQUAL {
            let spent = outcome.equal_bytes;
            problems.push(format!("{} %, seed {}: the equal spend {spent:.0} bytes", job.similarity, job.seed));
        }
    }
    problems
}

/// The similarities that were run, ascending.
fn similarities(summary: &Summary) -> Vec<String> {
    let mut all: Vec<String> = curve(summary, "bytes").map_or_else(Vec::new, |points| points.keys().cloned().collect());
    all.sort_by(|a, b| a.parse().unwrap_or(0.0_f64).total_cmp(&b.parse().unwrap_or(0.0)));
    all
}

/// One table, of a row for each similarity.
pub fn tables(summary: &Summary) -> Vec<Table> {
    let ratio = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.3}"));
    let row = |similarity: String| {
        let of = |what: &str| at(summary, what, &similarity);
        let cells = vec![
            cell(of("bytes")),
            ratio(of("ratio")),
            ratio(of("rateless_ratio")),
            cell(of("sync_bytes")),
            cell(of("comparisons")),
            of("seconds").map_or_else(String::new, |seconds| format!("{seconds:.2}")),
            cell(of("equal_bytes").map(f64::round)),
        ];
        (format!("{similarity} %"), cells)
    };
    vec![Table {
        title: "Two replicas meet, by Jaccard similarity".to_owned(),
        header: vec!["bytes", "/ least", "rateless", "sync", "compared", "s", "B if equal"],
        rows: similarities(summary).into_iter().map(row).collect(),
    }]
}

/// Bytes over the least, by similarity.
pub fn charts(summary: &Summary) -> Vec<Chart> {
    let line = |what: &str, label: &'static str, ink: Ink| {
        let points: Vec<(f64, f64)> = similarities(summary)
            .iter()
            .filter_map(|similarity| Some((similarity.parse().ok()?, at(summary, what, similarity)?)))
            .collect();
        Line::plain(label, ink, points)
    };
    let lines = vec![
        line("ratio", "measured", Ink::First),
        line("rateless_ratio", "rateless table alone (computed)", Ink::Second),
    ];
    let caption = "All that both send until they are equal, over the strings that one of them lacks.".to_owned();
    vec![Chart {
        id: "ratio",
        title: "Bytes over the least",
        caption,
        x_label: "Jaccard similarity, percent".to_owned(),
        y_label: "bytes / least bytes".to_owned(),
        legend: Corner::TopLeft,
        kind: Kind::Lines(lines),
    }]
}
