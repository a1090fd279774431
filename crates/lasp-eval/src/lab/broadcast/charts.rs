//! The figures of the broadcast experiment, the published ones beside ours.

use super::options::Broadcast;
use super::phases::Outcome;
use super::published;
use super::world::Reached;
use crate::plot::{Chart, Corner, Ink, Kind, Line};
use crate::stats::mean;

type Messages = Vec<Reached>;

/// Every figure.
pub fn charts(options: &Broadcast, outcomes: &[Outcome]) -> Vec<Chart> {
    let of = |view: usize| outcomes.iter().filter(|outcome| outcome.view == view).collect::<Vec<_>>();
    let (plain, wide) = (of(options.active_view), of(options.wide_view));
    if plain.is_empty() {
        return Vec::new();
    }
    let single = |runs: &[&Outcome]| runs.iter().map(|run| run.single.clone()).collect::<Vec<_>>();
    let multi = |runs: &[&Outcome]| runs.iter().map(|run| run.multi.clone()).collect::<Vec<_>>();
    let ways = [
        ("one sender", Ink::First, single(&plain)),
        ("many senders", Ink::Second, multi(&plain)),
        ("many senders, wider view", Ink::Third, multi(&wide)),
    ];
    let lines = |pick: fn(&Reached) -> f64| lines(ways.iter().cloned(), pick);
    let mut depth = lines(|message| f64::from(message.hops));
    let end = options.messages as f64;
    let at_17 = vec![(1.0, published::LDH_MULTI), (end, published::LDH_MULTI)];
    depth.push(Line { dashed: true, ..Line::plain("many senders, published", Ink::Second, at_17) });
    let message = "message";
    let mut charts = vec![
        chart(
            "rmr",
            "Redundancy",
            "Payloads sent per receiver, less one, message by message. The first message floods.",
            [message, "RMR"],
            Corner::TopRight,
            lines(Reached::redundancy),
        ),
        chart(
            "ldh",
            "Depth",
            "Hops of the last delivery, message by message, mean over seeds. Broken line: as published, optimised.",
            [message, "last delivery hop"],
            Corner::TopRight,
            depth,
        ),
        chart(
            "last-delivery",
            "Last delivery",
            "When the last node has a message.",
            [message, "milliseconds"],
            Corner::TopRight,
            lines(|message| message.last_ms),
        ),
    ];
    if !options.failed.is_empty() {
        charts.push(first(options, &plain, &wide));
        charts.push(recovery(options, &plain));
    }
    charts
}

fn chart(
    id: &'static str,
    title: &'static str,
    caption: &str,
    axes: [&str; 2],
    legend: Corner,
    lines: Vec<Line>,
) -> Chart {
    let [x_label, y_label] = axes.map(str::to_owned);
    Chart { id, title, caption: caption.to_owned(), x_label, y_label, legend, kind: Kind::Lines(lines) }
}

/// Message by message, mean over seeds.
fn by_message(runs: &[Messages], pick: fn(&Reached) -> f64) -> Vec<(f64, f64)> {
    let count = runs.iter().map(Vec::len).min().unwrap_or(0);
    let at = |at: usize| mean(&runs.iter().map(|run| pick(&run[at])).collect::<Vec<_>>());
    (0..count).map(|place| (place as f64 + 1.0, at(place))).collect()
}

fn lines(ways: impl Iterator<Item = (&'static str, Ink, Vec<Messages>)>, pick: fn(&Reached) -> f64) -> Vec<Line> {
    let line = |(label, ink, runs): (_, _, Vec<Messages>)| Line::plain(label, ink, by_message(&runs, pick));
    ways.map(line).filter(|line| !line.points.is_empty()).collect()
}

fn first(options: &Broadcast, plain: &[&Outcome], wide: &[&Outcome]) -> Chart {
    let of = |runs: &[&Outcome], pick: fn(&Reached) -> f64| {
        let point = |percent: &u32| {
            let values: Vec<f64> = runs.iter().filter_map(|run| Some(pick(run.after.get(percent)?.first()?))).collect();
            (f64::from(*percent), mean(&values))
        };
        options.failed.iter().map(point).collect::<Vec<_>>()
    };
    let published = published::FIRST.iter().map(|(percent, value)| (f64::from(*percent), *value)).collect();
    let mut lines = vec![
        Line { dashed: true, ..Line::plain("published", Ink::Second, published) },
        Line::plain("within a second", Ink::Fourth, of(plain, |m| 100.0 * m.in_a_second as f64 / m.nodes as f64)),
        Line::plain("within a cycle", Ink::First, of(plain, Reached::reliability)),
    ];
    if !wide.is_empty() {
        lines.push(Line::plain("within a cycle, wider view", Ink::Third, of(wide, Reached::reliability)));
    }
    let caption = "The share of survivors that hear the first message, sent at the moment of the failure, before anybody has noticed.";
    let axes = ["failed at once (% of the nodes)", "survivors reached (%)"];
    chart("first-message", "The first message after a failure", caption, axes, Corner::BottomLeft, lines)
}

fn recovery(options: &Broadcast, plain: &[&Outcome]) -> Chart {
    let labels = [("least share", Ink::First), ("in between", Ink::Second), ("greatest share", Ink::Third)];
    let few = options.failed.iter().take(3).zip(labels);
    let ways = few.map(|(percent, (label, ink))| {
        let runs = plain.iter().filter_map(|run| run.after.get(percent).cloned()).collect();
        (label, ink, runs)
    });
    let lines = lines(ways, Reached::redundancy);
    let shares = options.failed.iter().take(3).map(u32::to_string).collect::<Vec<_>>().join(", ");
    let caption = format!("Payloads sent per receiver, less one, one message a cycle after {shares} % failed.");
    chart("redundancy-after", "Redundancy after a failure", &caption, ["cycle", "RMR"], Corner::TopRight, lines)
}
