//! What loading came to, by shape and number of keys.

use super::options::Shape;
use super::{Job, Run};
use crate::figure::Figure;
use crate::plot::{Chart, Corner, Ink, Kind, Line};
use crate::replication::tables::{Curves, Table, at, cell, curve};
use crate::stats::Quantiles;
use crate::summary::Summary;
use std::collections::BTreeMap;

const MIB: f64 = 1024.0 * 1024.0;

/// How a job is named among the parts of a summary.
pub fn part(job: &Job) -> String {
    format!("{}_{}", job.shape, job.keys)
}

/// The part that is drawn: the most keys, of the first shape.
pub fn shown(runs: &[Run]) -> String {
    let first = runs.first().map(|(job, _)| job.shape);
    let jobs = runs.iter().map(|(job, _)| job).filter(|job| Some(job.shape) == first);
    jobs.max_by_key(|job| job.keys).map_or_else(String::new, part)
}

/// Every figure by its name: each is a curve over numbers of keys.
pub fn results(runs: &[Run]) -> BTreeMap<String, Figure> {
    let mut curves = Curves::default();
    for (job, outcome) in runs {
        let keys = job.keys.to_string();
        let mut put = |what: &str, value: f64| curves.add(format!("{}_{what}", job.shape), &keys, value);
        put("seconds", outcome.seconds);
        put("linked_seconds", outcome.linked_seconds);
        put("cpu_seconds", outcome.cpu_seconds);
        put("state_bytes", outcome.bytes[0] as f64);
        put("bytes", outcome.bytes[1] as f64);
        let [before, most, after] = outcome.resident.map(|bytes| bytes as f64 / MIB);
        put("resident_before_mib", before);
        put("resident_after_mib", after);
        put("resident_passing_mib", most - after);
        put("waiting_bytes_most", outcome.waiting as f64);
        for (who, took) in ["giver_before", "giver", "joiner"].into_iter().zip(&outcome.asked) {
            let Quantiles { p50, p99, max } = Quantiles::of(took.clone());
            put(&format!("{who}_asked_ms_p50"), p50);
            put(&format!("{who}_asked_ms_p99"), p99);
            put(&format!("{who}_asked_ms_max"), max);
        }
    }
    curves.figures()
}

/// What is not as it should be.
pub fn problems(runs: &[Run]) -> Vec<String> {
    let said = |(job, outcome): &Run| {
        let problem = outcome.problem.as_ref()?;
        Some(format!("{} keys as {}, seed {}: {problem}", job.keys, job.shape, job.seed))
    };
    runs.iter().filter_map(said).collect()
}

/// The numbers of keys that were run, ascending.
fn numbers(summary: &Summary, shape: Shape) -> Vec<String> {
    let points = curve(summary, &format!("{shape}_seconds"));
    let mut all: Vec<String> = points.map_or_else(Vec::new, |points| points.keys().cloned().collect());
    all.sort_by_key(|keys| keys.parse::<u64>().unwrap_or(0));
    all
}

/// One table for each shape.
pub fn tables(summary: &Summary) -> Vec<Table> {
    let digits = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.2}"));
    let table = |&shape: &Shape| {
        let row = |keys: String| {
            let of = |what: &str| at(summary, &format!("{shape}_{what}"), &keys);
            let cells = vec![
                digits(of("seconds")),
                digits(of("cpu_seconds")),
                cell(of("bytes")),
                cell(of("resident_passing_mib").map(f64::round)),
                cell(of("waiting_bytes_most")),
                digits(of("giver_asked_ms_p50")),
                digits(of("giver_asked_ms_max")),
                digits(of("joiner_asked_ms_p50")),
                digits(of("joiner_asked_ms_max")),
            ];
            (format!("{keys} keys"), cells)
        };
        let rows: Vec<_> = numbers(summary, shape).into_iter().map(row).collect();
        (!rows.is_empty()).then(|| Table {
            title: format!("A node loads: {shape}"),
            header: vec!["s", "CPU s", "bytes", "MiB in passing", "B waiting", "giver ms", "most", "joiner ms", "most"],
            rows,
        })
    };
    Shape::ALL.iter().filter_map(table).collect()
}

/// Seconds by number of keys.
pub fn charts(summary: &Summary) -> Vec<Chart> {
    let line = |(&shape, ink): (&Shape, Ink)| {
        let points: Vec<(f64, f64)> = numbers(summary, shape)
            .iter()
            .filter_map(|keys| Some((keys.parse().ok()?, at(summary, &format!("{shape}_seconds"), keys)?)))
            .collect();
        (!points.is_empty()).then(|| Line::plain(shape.name(), ink, points))
    };
    let inks = [Ink::First, Ink::Second, Ink::Third];
    vec![Chart {
        id: "seconds",
        title: "Time until a joiner has everything",
        caption: "From before it listens until it has every key, over TCP on this machine.".to_owned(),
        x_label: "keys".to_owned(),
        y_label: "seconds".to_owned(),
        legend: Corner::TopLeft,
        kind: Kind::Lines(Shape::ALL.iter().zip(inks).filter_map(line).collect()),
    }]
}
