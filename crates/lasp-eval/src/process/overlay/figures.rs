//! The plots of an overlay of processes.

use super::ledger::Ledger;
use super::watch::Moment;
use crate::figure::Varied;
use crate::plot::{Bar, Chart, Corner, Ink, Kind, Line};
use crate::stats;

/// Every figure that there are numbers for.
pub(super) fn charts(moments: &[Moment], killed_at: Option<f64>, degrees: &[usize], ledger: &Ledger) -> Vec<Chart> {
    let mut charts = vec![faults("formation", "Formation", FORMATION, &before(moments, killed_at))];
    if let Some(at) = killed_at {
        charts.push(faults("healing", "Healing", HEALING, &since(moments, at)));
    }
    charts.push(degree(degrees));
    if !ledger.bytes.is_empty() {
        let caption = "Bytes that a node writes to its sockets when nothing happens; a point for each node.";
        charts.push(distribution("rest-bytes", "Traffic at rest", caption, "bytes per second", &ledger.bytes));
    }
    if !ledger.cpu.is_empty() {
        let caption =
            "Processor time that a node takes when nothing happens: 1 ms per second is a thousandth of a core.";
        charts.push(distribution("rest-cpu", "Processor at rest", caption, "milliseconds per second", &ledger.cpu));
        charts.push(memory(ledger));
    }
    charts
}

const FORMATION: &str = "From the first look after the last node was started. A look asks every node for its view.";

const HEALING: &str = "After the kill. Links to the dead are in survivors' views until these notice; a look is not of one \
                       moment, so a link that changes while it goes on may seem to be known to one end alone.";

fn before(moments: &[Moment], killed_at: Option<f64>) -> Vec<Moment> {
    moments.iter().filter(|moment| killed_at.is_none_or(|at| moment.seconds < at)).cloned().collect()
}

fn since(moments: &[Moment], at: f64) -> Vec<Moment> {
    let later = moments.iter().filter(|moment| moment.seconds >= at);
    later.map(|moment| Moment { seconds: moment.seconds - at, ..moment.clone() }).collect()
}

fn faults(id: &'static str, title: &'static str, caption: &str, moments: &[Moment]) -> Chart {
    let curve = |label, ink, pick: fn(&Moment) -> usize| {
        Line::plain(label, ink, moments.iter().map(|moment| (moment.seconds, pick(moment) as f64)).collect())
    };
    let lines = vec![
        curve("links to peers that are gone", Ink::Fourth, |moment| moment.shape.dangling_links),
        curve("links known to one end", Ink::Third, |moment| moment.shape.asymmetric_links),
        curve("parts besides the first", Ink::Second, |moment| moment.shape.components.saturating_sub(1)),
        curve("isolated nodes", Ink::First, |moment| moment.shape.isolated_nodes),
    ];
    chart(id, title, caption, ["seconds", "count"], Corner::TopRight, Kind::Lines(lines))
}

fn degree(degrees: &[usize]) -> Chart {
    let most = degrees.iter().max().copied().unwrap_or(0);
    let share = |degree: usize| {
        100.0 * degrees.iter().filter(|other| **other == degree).count() as f64 / degrees.len().max(1) as f64
    };
    let bar = |degree: usize| Bar { label: degree.to_string(), value: share(degree), error: (0.0, 0.0) };
    let caption = "How many neighbours the survivors have at the end.";
    let kind = Kind::Bars((0..=most).map(bar).collect());
    chart("degree", "Node degree", caption, ["neighbours", "nodes (%)"], Corner::BottomRight, kind)
}

/// Which share of the nodes has at most how much.
fn distribution(id: &'static str, title: &'static str, caption: &str, unit: &str, values: &[f64]) -> Chart {
    let sorted = stats::sorted(values.to_vec());
    let share = |at: usize| 100.0 * (at + 1) as f64 / sorted.len() as f64;
    let points = sorted.iter().enumerate().map(|(at, value)| (*value, share(at))).collect();
    let line = Line { steps: true, ..Line::plain("nodes", Ink::First, points) };
    chart(id, title, caption, [unit, "nodes with at most that (%)"], Corner::BottomRight, Kind::Lines(vec![line]))
}

fn memory(ledger: &Ledger) -> Chart {
    let names = ["resident", "its share", "its own"];
    let bar = |(name, values): (&str, &Vec<f64>)| {
        let mib: Vec<f64> = values.iter().map(|bytes| bytes / f64::from(1 << 20)).collect();
        let Varied { mean, min, max, .. } = Varied::of(&mib);
        Bar { label: name.to_owned(), value: mean, error: (mean - min, max - mean) }
    };
    let caption = "A process's memory: resident, the program's file included; the same with what is shared divided by those \
                   who share it; and what it shares with nobody. Mean, least and greatest.";
    let kind = Kind::Bars(names.into_iter().zip(&ledger.memory).map(bar).collect());
    chart("memory", "Memory of a node", caption, ["", "MiB"], Corner::TopRight, kind)
}

fn chart(id: &'static str, title: &'static str, caption: &str, axes: [&str; 2], legend: Corner, kind: Kind) -> Chart {
    let [x_label, y_label] = axes.map(str::to_owned);
    Chart { id, title, caption: caption.to_owned(), x_label, y_label, legend, kind }
}
