//! What joining and updating came to, by size of the cluster.

use super::{Outcome, Run};
use crate::figure::Figure;
use crate::plot::{Chart, Corner, Ink, Kind, Line};
use crate::replication::tables::{Curves, Table, at, curve};
use crate::stats::{Quantiles, sorted};
use crate::summary::Summary;
use std::collections::BTreeMap;

/// What is measured: its name among the results, and in tables.
const MEASURED: [(&str, &str); 4] = [
    ("linked", "linked"),
    ("first_sync", "has everything"),
    ("visible_at_one", "an update, at one"),
    ("visible_at_all", "an update, at all"),
];

fn values(outcome: &Outcome) -> [&Vec<f64>; 4] {
    [&outcome.linked, &outcome.synced, &outcome.visible, &outcome.visible_at_all]
}

/// Every figure by its name: each is a curve over sizes.
pub fn results(runs: &[Run]) -> BTreeMap<String, Figure> {
    let mut curves = Curves::default();
    for (job, outcome) in runs.iter().filter(|(_, outcome)| outcome.problem.is_none()) {
        for ((name, _), took) in MEASURED.iter().zip(values(outcome)) {
            let Quantiles { p50, p99, max } = Quantiles::of(took.clone());
            for (which, value) in [("p50", p50), ("p99", p99), ("max", max)] {
                curves.add(format!("{name}_ms_{which}"), &job.size.to_string(), value);
            }
        }
    }
    curves.figures()
}

/// What is not as it should be.
pub fn problems(runs: &[Run]) -> Vec<String> {
    let said = |(job, outcome): &Run| {
        let problem = outcome.problem.as_ref()?;
        Some(format!("{} nodes, seed {}: {problem}", job.size, job.seed))
    };
    runs.iter().filter_map(said).collect()
}

/// One table for each size.
pub fn tables(summary: &Summary) -> Vec<Table> {
    let sizes = curve(summary, "first_sync_ms_p50");
    let mut sizes: Vec<String> = sizes.map_or_else(Vec::new, |points| points.keys().cloned().collect());
    sizes.sort_by_key(|size| size.parse::<usize>().unwrap_or(0));
    let table = |size: String| {
        let row = |(name, title): &(&str, &str)| {
            let of = |which: &str| at(summary, &format!("{name}_ms_{which}"), &size);
            let cells = ["p50", "p99", "max"].map(|which| of(which).map_or_else(String::new, |ms| format!("{ms:.2}")));
            ((*title).to_owned(), cells.to_vec())
        };
        Table {
            title: format!("{size} nodes, in milliseconds"),
            header: vec!["median", "p99", "most"],
            rows: MEASURED.iter().map(row).collect(),
        }
    };
    sizes.into_iter().map(table).collect()
}

/// How many joiners had everything, and how many updates had been seen everywhere, after so long: of the largest cluster.
pub fn charts(runs: &[Run]) -> Vec<Chart> {
    let largest = runs.iter().map(|(job, _)| job.size).max().unwrap_or(0);
    let of = |which: fn(&Outcome) -> &Vec<f64>| {
        let all = runs.iter().filter(|(job, _)| job.size == largest).flat_map(|(_, outcome)| which(outcome).clone());
        let all = sorted(all.collect());
        let share = |at: usize| 100.0 * (at + 1) as f64 / all.len() as f64;
        all.iter().enumerate().map(|(at, &ms)| (ms, share(at))).collect::<Vec<_>>()
    };
    let lines = [
        Line::plain("joiners that have everything", Ink::First, of(|outcome| &outcome.synced)),
        Line::plain("updates seen at all nodes", Ink::Second, of(|outcome| &outcome.visible_at_all)),
    ];
    vec![Chart {
        id: "first-sync",
        title: "First synchronisation and visibility",
        caption: format!("{largest} nodes over TCP on this machine."),
        x_label: "milliseconds".to_owned(),
        y_label: "percent".to_owned(),
        legend: Corner::BottomRight,
        kind: Kind::Lines(lines.into_iter().filter(|line| !line.points.is_empty()).collect()),
    }]
}
