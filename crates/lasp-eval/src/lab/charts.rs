//! The figures of the HyParView experiment, the published ones beside ours.

use super::experiment::Outcome;
use super::measured::Measured;
use super::published::{self, Published};
use super::subject::Subject;
use crate::figure::Varied;
use crate::plot::{Bar, Chart, Corner, Ink, Kind, Line};
use std::collections::BTreeMap;

/// How many of the messages after a failure are drawn one by one.
const FIRST_MESSAGES: usize = 40;

/// Every figure.
pub fn charts(measured: &Measured) -> Vec<Chart> {
    let mut charts = vec![
        reliability(measured),
        unreached(measured),
        recovery(measured),
        healing(measured),
        degrees(measured),
        paths(measured),
        known_by(measured),
        clustering(measured),
    ];
    for chart in &mut charts {
        if let Kind::Lines(lines) = &mut chart.kind {
            lines.retain(|line| !line.points.is_empty());
        }
    }
    charts.retain(|chart| !matches!(&chart.kind, Kind::Lines(lines) if lines.is_empty()));
    charts
}

fn chart(id: &'static str, title: &'static str, caption: &str, axes: [&str; 2], legend: Corner, kind: Kind) -> Chart {
    let [x_label, y_label] = axes.map(str::to_owned);
    Chart { id, title, caption: caption.to_owned(), x_label, y_label, legend, kind }
}

/// A curve over shares of failures with the range of the seeds.
fn ranged(label: &'static str, ink: Ink, points: &BTreeMap<u32, Varied>) -> Line {
    let low = points.values().map(|varied| varied.min).collect();
    let high = points.values().map(|varied| varied.max).collect();
    let points = points.iter().map(|(failed, varied)| (f64::from(*failed), varied.mean)).collect();
    Line { band: Some((low, high)), ..Line::plain(label, ink, points) }
}

fn dashed(label: &'static str, ink: Ink, points: Vec<(f64, f64)>) -> Line {
    Line { dashed: true, ..Line::plain(label, ink, points) }
}

const FAILED_AXIS: &str = "failed at once (% of the nodes)";

fn reliability(measured: &Measured) -> Chart {
    let mut lines = Vec::new();
    let others = [
        (Subject::Cyclon, "Cyclon", Ink::Third, published::CYCLON),
        (Subject::CyclonAcked, "Cyclon acked", Ink::Fourth, published::CYCLON_ACKED),
        (Subject::Scamp, "SCAMP", Ink::Second, published::SCAMP),
    ];
    for (subject, name, ink, published) in others {
        if !measured.of(subject).is_empty() {
            lines.push(dashed(published.name, ink, published.reliability_curve()));
            lines.push(ranged(name, ink, &measured.reliability(subject)));
        }
    }
    lines.push(dashed(published::HYPARVIEW.name, Ink::First, published::HYPARVIEW.reliability_curve()));
    lines.push(ranged("HyParView", Ink::First, &measured.reliability(Subject::HyParView)));
    let caption = "The share of survivors that hear a message, mean over all messages after the failure, with no \
                   membership cycle in between; bands: least and greatest seed. Broken lines: as published.";
    let axes = [FAILED_AXIS, "survivors reached (%)"];
    chart("reliability", "Reliability after failures", caption, axes, Corner::BottomLeft, Kind::Lines(lines))
}

/// Who is missed, from where it can be seen on.
fn missed(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    points.filter(|(failed, _)| *failed >= 60.0).map(|(failed, reached)| (failed, 100.0 - reached)).collect()
}

fn unreached(measured: &Measured) -> Chart {
    let of = |points: &BTreeMap<u32, Varied>| missed(points.iter().map(|(failed, v)| (f64::from(*failed), v.mean)));
    let ceiling = measured.levels(Subject::HyParView, |level| Some(100.0 * level.ceiling));
    let lines = vec![
        dashed("out of everybody's reach", Ink::Second, of(&ceiling)),
        Line::plain("with the larger passive view", Ink::Third, of(&measured.reliability(Subject::Large))),
        Line::plain("without spare links", Ink::Fourth, of(&measured.reliability(Subject::NoSpares))),
        dashed("published", Ink::First, missed(published::HYPARVIEW.reliability_curve().into_iter())),
        Line::plain("HyParView", Ink::First, of(&measured.reliability(Subject::HyParView))),
    ];
    let caption = "The same from the other end: who is not reached. Survivors whom no survivor knows and who know none \
                   are out of reach whatever the protocol does, and so are messages from them.";
    let axes = [FAILED_AXIS, "survivors not reached (%)"];
    chart("unreached", "Who is not reached", caption, axes, Corner::TopLeft, Kind::Lines(lines))
}

/// Reliability message by message, mean over seeds.
fn by_message(outcomes: &[Outcome], failed: u32) -> Vec<(f64, f64)> {
    let runs: Vec<&Vec<f64>> = outcomes.iter().filter_map(|o| Some(&o.levels.get(&failed)?.messages)).collect();
    let count = runs.iter().map(|run| run.len()).min().unwrap_or(0).min(FIRST_MESSAGES);
    let mean = |at: usize| 100.0 * runs.iter().map(|run| run[at]).sum::<f64>() / runs.len() as f64;
    (0..count).map(|at| (at as f64 + 1.0, mean(at))).collect()
}

fn recovery(measured: &Measured) -> Chart {
    let outcomes = measured.of(Subject::HyParView);
    let line = |label, ink, failed| Line::plain(label, ink, by_message(outcomes, failed));
    let lines = vec![
        line("95 % failed", Ink::Fourth, 95),
        line("90 % failed", Ink::Third, 90),
        line("80 % failed", Ink::Second, 80),
        line("50 % failed", Ink::First, 50),
    ];
    let caption = "Message by message: the first is sent at the moment of the failure, before anybody has noticed it.";
    let axes = ["message after the failure", "survivors reached (%)"];
    chart("recovery", "The first messages", caption, axes, Corner::BottomRight, Kind::Lines(lines))
}

fn healing(measured: &Measured) -> Chart {
    let lines = vec![
        dashed("published", Ink::Second, published::HYPARVIEW.healing_curve()),
        ranged("HyParView", Ink::First, &measured.healing(Subject::HyParView)),
    ];
    let caption =
        "Cycles until ten broadcasts reach everybody that they can again. Cyclon needs 42 to 159 as published.";
    let axes = [FAILED_AXIS, "cycles"];
    chart("healing", "Healing", caption, axes, Corner::TopLeft, Kind::Lines(lines))
}

fn bars(values: &[f64]) -> Kind {
    let first = values.iter().position(|value| *value > 0.0).unwrap_or(0);
    let bar = |(at, value): (usize, &f64)| Bar { label: at.to_string(), value: *value, error: (0.0, 0.0) };
    Kind::Bars(values.iter().enumerate().skip(first.saturating_sub(1)).map(bar).collect())
}

fn counted(sorted: &[usize]) -> Vec<u64> {
    let mut counts = vec![0; sorted.last().map_or(0, |most| most + 1)];
    sorted.iter().for_each(|&value| counts[value] += 1);
    counts
}

fn degrees(measured: &Measured) -> Chart {
    let shares = measured.histogram(Subject::HyParView, |outcome| counted(&outcome.degrees));
    let caption = "How many neighbours nodes have before anything fails.";
    let axes = ["neighbours", "nodes (%)"];
    chart("degree", "Node degree", caption, axes, Corner::BottomRight, bars(&shares))
}

fn paths(measured: &Measured) -> Chart {
    let shares = measured.histogram(Subject::HyParView, |outcome| {
        let mut lengths = outcome.paths.lengths.clone();
        lengths.first_mut().into_iter().for_each(|own| *own = 0);
        lengths
    });
    let caption = "Shortest paths between all pairs of nodes before anything fails.";
    let axes = ["hops", "pairs (%)"];
    chart("paths", "Path lengths", caption, axes, Corner::BottomRight, bars(&shares))
}

fn known_by(measured: &Measured) -> Chart {
    let of = |subject| -> Vec<(f64, f64)> {
        let shares = measured.histogram(subject, |outcome| counted(&outcome.in_degrees));
        shares.into_iter().enumerate().map(|(known, share)| (known as f64, share)).collect()
    };
    let mut lines = Vec::new();
    if !measured.of(Subject::Cyclon).is_empty() {
        lines.push(Line::plain("Cyclon", Ink::Third, of(Subject::Cyclon)));
    }
    lines.push(Line::plain("HyParView", Ink::First, of(Subject::HyParView)));
    let caption = "By how many others a node is known, in whatever view, before anything fails.";
    let axes = ["known by", "nodes (%)"];
    chart("known-by", "In-degree", caption, axes, Corner::TopRight, Kind::Lines(lines))
}

fn clustering(measured: &Measured) -> Chart {
    let published = [published::HYPARVIEW, published::CYCLON, published::SCAMP];
    let fixed =
        |p: &Published| Bar { label: p.name.replace(", published", " '07"), value: p.clustering, error: (0.0, 0.0) };
    let ours = |label: &str, subject| {
        let varied = measured.varied(subject, |outcome| outcome.clustering);
        Bar { label: label.into(), value: varied.mean, error: (varied.mean - varied.min, varied.max - varied.mean) }
    };
    let mut all = vec![ours("HyParView", Subject::HyParView), fixed(&published[0])];
    if !measured.of(Subject::Cyclon).is_empty() {
        all.push(ours("Cyclon", Subject::Cyclon));
    }
    if !measured.of(Subject::Scamp).is_empty() {
        all.push(ours("SCAMP", Subject::Scamp));
    }
    all.extend(published[1..].iter().map(fixed));
    let caption = "The mean clustering coefficient before anything fails: the lower, the fewer messages are redundant \
                   and the less a cluster of nodes can be cut off.";
    chart("clustering", "Clustering", caption, ["", "coefficient"], Corner::TopRight, Kind::Bars(all))
}
