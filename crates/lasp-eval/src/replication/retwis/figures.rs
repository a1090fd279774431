//! What Retwis comes to, coefficient by coefficient, beside what the paper's runs did.

use super::options::Retwis;
use super::{Job, Run};
use crate::figure::{Figure, Varied};
use crate::plot::{Chart, Corner, Ink, Kind, Line};
use crate::replication::tables::{Curves, Table, at, cell, curve, times};
use crate::replication::way::Way;
use crate::summary::Summary;
use std::collections::BTreeMap;

/// Megabytes that 50 nodes sent for 100 events each, by coefficient: delta, BP+RR. Recomputed from the raw metrics of the
/// submission; bytes as Erlang's `term_size` has them.
const PUBLISHED: [(f64, f64, f64); 5] =
    [(0.5, 153.2, 149.7), (0.75, 238.9, 173.3), (1.0, 1_990.0, 252.7), (1.25, 11_750.0, 437.0), (1.5, 17_645.0, 476.3)];

/// Nodes, users and events that they are of.
const SIZE: (usize, usize, usize) = (50, 10_000, 100);

/// A way in the name of a figure.
fn part(way: Way) -> String {
    way.name().replace('-', "_")
}

/// How a job is named among the parts of a summary.
pub fn name(job: &Job) -> String {
    format!("{}_{}", part(job.way), job.zipf)
}

/// The part that is drawn: the most uneven, along the tree.
pub fn shown(runs: &[Run]) -> String {
    let most = runs.iter().map(|(job, _)| job).max_by(|a, b| a.zipf.total_cmp(&b.zipf));
    most.map_or_else(String::new, |job| name(&Job { way: Way::Tree, ..*job }))
}

/// Every figure by its name: each is a curve over coefficients.
pub fn results(nodes: usize, seconds: f64, options: &Retwis, runs: &[Run]) -> BTreeMap<String, Figure> {
    let mut curves = Curves::default();
    for (job, outcome) in runs {
        let (way, zipf) = (part(job.way), job.zipf.to_string());
        let mut put = |what: &str, value: f64| curves.add(format!("{way}_{what}"), &zipf, value);
        put("bytes", outcome.bytes as f64);
        put("protocol_bytes", outcome.protocol_bytes as f64);
        put("bytes_per_node_second", outcome.bytes as f64 / (nodes as f64 * outcome.seconds));
        put("later_bytes_per_node_second", outcome.later_rate(nodes, seconds));
        put("entries", outcome.entries as f64);
        put("updates", outcome.updates as f64);
        put("memory_entries", outcome.memory);
        put("cpu_ms", outcome.cpu_ms);
        let published = PUBLISHED.iter().find(|(coefficient, ..)| *coefficient == job.zipf);
        if let Some((_, delta, both)) = published.filter(|_| (nodes, options.users, options.events) == SIZE) {
            match job.way {
                Way::Delta => put("bytes_published", delta * 1e6),
                Way::DeltaBpRr => put("bytes_published", both * 1e6),
                _ => {}
            }
        }
    }
    curves.figures()
}

/// What is not as it should be.
pub fn problems(runs: &[Run]) -> Vec<String> {
    let lost = |(job, _): &Run| format!("Zipf {}, {}: not everything arrived everywhere", job.zipf, job.way);
    runs.iter().filter(|(_, outcome)| !outcome.converged).map(lost).collect()
}

/// The coefficients that were run, in the order of their names.
fn coefficients(summary: &Summary) -> Vec<String> {
    let of = |way: &Way| curve(summary, &format!("{}_bytes", part(*way)));
    let mut all: Vec<String> = Way::ALL.iter().filter_map(of).flat_map(BTreeMap::keys).cloned().collect();
    all.sort_by(|a, b| a.parse().unwrap_or(0.0_f64).total_cmp(&b.parse().unwrap_or(0.0)));
    all.dedup();
    all
}

/// A table for each coefficient.
pub fn tables(summary: &Summary) -> Vec<Table> {
    coefficients(summary).iter().map(|zipf| table(summary, zipf)).collect()
}

fn table(summary: &Summary, zipf: &str) -> Table {
    let of = |way: &Way, what: &str| at(summary, &format!("{}_{what}", part(*way)), zipf);
    let best = |what: &str| of(&Way::DeltaBpRr, what);
    let row = |way: &Way| {
        let bytes = of(way, "bytes")?;
        let cells = vec![
            cell(Some(bytes)),
            times(Some(bytes), best("bytes")),
            cell(of(way, "bytes_published")),
            cell(of(way, "later_bytes_per_node_second")),
            cell(of(way, "protocol_bytes")),
            cell(of(way, "updates")),
            cell(of(way, "cpu_ms").map(f64::round)),
            times(of(way, "cpu_ms"), best("cpu_ms")),
        ];
        Some((way.name().to_owned(), cells))
    };
    Table {
        title: format!("Zipf {zipf}"),
        header: vec!["bytes", "/ BP+RR", "published", "later B/s", "no state", "updates", "CPU ms", "/ BP+RR"],
        rows: Way::ALL.iter().filter_map(row).collect(),
    }
}

/// Bytes and processor time over coefficients.
pub fn charts(summary: &Summary) -> Vec<Chart> {
    let shown = [
        (Way::Delta, "delta", Ink::Fourth),
        (Way::DeltaBpRr, "delta-bp-rr", Ink::Second),
        (Way::Tree, "tree", Ink::First),
        (Way::TreePaced, "tree-paced", Ink::Third),
    ];
    let line = |what: &str, scale: f64, ways: &[(Way, &'static str, Ink)]| -> Vec<Line> {
        let of = |&(way, label, ink): &(Way, &'static str, Ink)| {
            let points: &BTreeMap<String, Varied> = curve(summary, &format!("{}_{what}", part(way)))?;
            let mut points: Vec<(f64, f64)> = points
                .iter()
                .filter_map(|(zipf, varied)| Some((zipf.parse::<f64>().ok()?, varied.mean / scale)))
                .collect();
            points.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            Some(Line::plain(label, ink, points))
        };
        ways.iter().filter_map(of).collect()
    };
    let chart = |id, title, caption: &str, y_label: &str, lines: Vec<Line>| Chart {
        id,
        title,
        caption: caption.to_owned(),
        x_label: "Zipf coefficient".to_owned(),
        y_label: y_label.to_owned(),
        legend: Corner::TopLeft,
        kind: Kind::Lines(lines),
    };
    let charts = [
        chart(
            "bytes",
            "Bytes sent",
            "By a node in a second of the load's second half, frames included; the classic deltas left out.",
            "kB per node and second",
            line("later_bytes_per_node_second", 1000.0, &shown[1..]),
        ),
        chart(
            "classic",
            "Bytes sent, with the classic deltas",
            "The same with the algorithm that the paper sets out from.",
            "kB per node and second",
            line("later_bytes_per_node_second", 1000.0, &shown),
        ),
        chart(
            "cpu",
            "Processor time",
            "Of all nodes for the whole load, the simulator's own work included.",
            "seconds",
            line("cpu_ms", 1000.0, &shown[1..]),
        ),
    ];
    charts.into_iter().filter(|chart| matches!(&chart.kind, Kind::Lines(lines) if !lines.is_empty())).collect()
}
