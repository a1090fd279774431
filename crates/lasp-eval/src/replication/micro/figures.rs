//! What the micro-benchmarks come to, beside what the paper's did.

use super::{Job, Run, published};
use crate::figure::{Figure, Varied};
use crate::plot::{Bar, Chart, Corner, Ink, Kind, Line};
use crate::replication::tables::{Curves, Table, at, cell, times};
use crate::replication::topology::Topology;
use crate::replication::way::Way;
use crate::summary::Summary;
use std::collections::BTreeMap;

/// How figures of a job are named: what, over which links.
fn prefix(job: &Job) -> String {
    format!("{}_{}", job.workload.name(), job.topology)
}

/// How a job is named among the parts of a summary.
pub fn part(job: &Job) -> String {
    format!("{}_{}", prefix(job), job.way.name().replace('-', "_"))
}

/// The job that is drawn: the first workload, over the mesh if that was run.
fn first(runs: &[Run]) -> Option<&Job> {
    runs.iter().find(|(job, _)| job.topology == Topology::Mesh).or_else(|| runs.first()).map(|(job, _)| job)
}

/// The part that is drawn: of `first`, along the tree.
pub fn shown(runs: &[Run]) -> String {
    first(runs).map_or_else(String::new, |job| part(&Job { way: Way::Tree, ..job.clone() }))
}

/// Every figure by its name: each is a curve over the ways.
pub fn results(nodes: usize, events: usize, runs: &[Run]) -> BTreeMap<String, Figure> {
    let mut curves = Curves::default();
    let mut floors = BTreeMap::new();
    for (job, outcome) in runs {
        let prefix = prefix(job);
        let mut put = |what: &str, value: f64| curves.add(format!("{prefix}_{what}"), job.way.name(), value);
        put("entries", outcome.entries as f64);
        put("bytes", outcome.bytes as f64);
        put("protocol_bytes", outcome.protocol_bytes as f64);
        put("frames", outcome.frames as f64);
        put("memory_entries", outcome.memory);
        put("seconds", outcome.seconds);
        put("cpu_ms", outcome.cpu_ms);
        if job.way.has_tree() {
            put("warm_up_entries", outcome.before.0 as f64);
            put("warm_up_bytes", outcome.before.1 as f64);
        }
        if let Some(entries) = published::entries(job.workload, job.topology, job.way)
            && (nodes, events) == published::SIZE
        {
            put("entries_published", entries);
        }
        floors.insert(format!("{prefix}_floor"), (job.workload.floor(nodes, events) as f64).into());
    }
    let mut results = curves.figures();
    results.append(&mut floors);
    results
}

/// What is not as it should be: somebody lacks something, or two ways led to different values.
pub fn problems(runs: &[Run]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut values = BTreeMap::new();
    for (job, outcome) in runs {
        let name = |job: &Job| format!("{} over the {}, {}", job.workload.title(), job.topology, job.way);
        if !outcome.converged {
            problems.push(format!("{}: not everything arrived everywhere", name(job)));
        }
        let (first, value) =
            *values.entry((job.workload, job.topology, job.seed)).or_insert_with(|| (job.way, outcome.value));
        if value != outcome.value {
            problems.push(format!("{}: the values are not those of {first}", name(job)));
        }
    }
    problems
}

/// A table for each workload and topology.
pub fn tables(summary: &Summary) -> Vec<Table> {
    let prefixes = summary.results.keys().filter_map(|name| name.strip_suffix("_floor"));
    prefixes.map(|prefix| table(summary, prefix)).collect()
}

fn table(summary: &Summary, prefix: &str) -> Table {
    let of = |what: &str, way: &str| at(summary, &format!("{prefix}_{what}"), way);
    let floor = summary.results.get(&format!("{prefix}_floor")).and_then(Figure::value);
    let row = |way: &Way| {
        let name = way.name();
        let (entries, published) = (of("entries", name)?, of("entries_published", name));
        let cells = vec![
            cell(Some(entries)),
            cell(published.map(f64::round)),
            times(Some(entries), published),
            times(Some(entries), floor),
            cell(of("bytes", name)),
            cell(of("protocol_bytes", name)),
            cell(of("memory_entries", name).map(f64::round)),
            cell(of("cpu_ms", name).map(f64::round)),
        ];
        Some((name.to_owned(), cells))
    };
    Table {
        title: format!("{}, floor {}", prefix.replace('_', " "), cell(floor)),
        header: vec!["entries", "published", "ratio", "/ floor", "bytes", "no state", "memory", "CPU ms"],
        rows: Way::ALL.iter().filter_map(row).collect(),
    }
}

/// File names of charts live as long as charts: these have one.
const CHARTS: [(&str, &str); 12] = [
    ("gset_tree", "GSet over the tree"),
    ("gset_mesh", "GSet over the mesh"),
    ("gcounter_tree", "GCounter over the tree"),
    ("gcounter_mesh", "GCounter over the mesh"),
    ("gmap_10_tree", "GMap 10 % over the tree"),
    ("gmap_10_mesh", "GMap 10 % over the mesh"),
    ("gmap_30_tree", "GMap 30 % over the tree"),
    ("gmap_30_mesh", "GMap 30 % over the mesh"),
    ("gmap_60_tree", "GMap 60 % over the tree"),
    ("gmap_60_mesh", "GMap 60 % over the mesh"),
    ("gmap_100_tree", "GMap 100 % over the tree"),
    ("gmap_100_mesh", "GMap 100 % over the mesh"),
];

/// Beyond how many times the least a bar would hide the others. A guess.
const TALL: f64 = 10.0;

/// Entries of each way, as a multiple of the least, for each workload; and bytes over time of the first.
pub fn charts(nodes: usize, events: usize, runs: &[Run]) -> Vec<Chart> {
    let results = results(nodes, events, runs);
    let mut charts: Vec<Chart> = transmission(runs).into_iter().collect();
    for (id, title) in CHARTS {
        let floor = results.get(&format!("{id}_floor")).and_then(Figure::value);
        if let (Some(floor), Some(Figure::Curve(points))) = (floor, results.get(&format!("{id}_entries"))) {
            charts.push(multiples(id, title, floor, points));
        }
    }
    charts
}

fn multiples(id: &'static str, title: &'static str, floor: f64, points: &BTreeMap<String, Varied>) -> Chart {
    let bar = |way: &Way| {
        let Varied { mean, min, max, .. } = points.get(way.name())?;
        let error = ((mean - min) / floor, (max - mean) / floor);
        Some(Bar { label: way.name().to_owned(), value: mean / floor, error })
    };
    let (bars, tall): (Vec<Bar>, Vec<Bar>) = Way::ALL.iter().filter_map(bar).partition(|bar: &Bar| bar.value <= TALL);
    let mut caption =
        String::from("Entries sent by all nodes, as a multiple of the least: each entry once to each other node.");
    if !tall.is_empty() {
        let named = tall.iter().map(|Bar { label, value, .. }| format!("{label} {value:.0}"));
        caption += &format!(" Too tall to be shown: {}.", named.collect::<Vec<_>>().join(", "));
    }
    Chart {
        id,
        title,
        caption,
        x_label: String::new(),
        y_label: "times the least".to_owned(),
        legend: Corner::TopRight,
        kind: Kind::Bars(bars),
    }
}

/// Bytes over time of the [`first`] job.
fn transmission(runs: &[Run]) -> Option<Chart> {
    let first = first(runs)?;
    let shown = [
        (Way::DeltaRr, "delta-rr", Ink::Fourth),
        (Way::DeltaBpRr, "delta-bp-rr", Ink::Second),
        (Way::Tree, "tree", Ink::First),
        (Way::TreePaced, "tree-paced", Ink::Third),
    ];
    let line = |(way, label, ink): (Way, &'static str, Ink)| {
        let same = |job: &Job| (job.workload, job.topology, job.seed) == (first.workload, first.topology, first.seed);
        let (_, outcome) = runs.iter().find(|(job, _)| job.way == way && same(job))?;
        let sums = outcome.series.iter().scan(0.0, |sum, bytes| {
            *sum += bytes / 1000.0;
            Some(*sum)
        });
        Some(Line::plain(label, ink, sums.enumerate().map(|(second, sum)| ((second + 1) as f64, sum)).collect()))
    };
    Some(Chart {
        id: "transmission",
        title: "Bytes sent",
        caption: format!(
            "By all nodes since the load began, frames included: {} over the {}.",
            first.workload.title(),
            first.topology
        ),
        x_label: "intervals".to_owned(),
        y_label: "sent by all nodes (kB)".to_owned(),
        legend: Corner::TopLeft,
        kind: Kind::Lines(shown.into_iter().filter_map(line).collect()),
    })
}
