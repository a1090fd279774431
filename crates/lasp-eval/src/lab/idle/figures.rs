//! What nodes at rest send, by the size of their cluster: figures, verdict, charts.

use super::phases::{Outcome, Subject};
use crate::figure::{Figure, Varied};
use crate::plot::{Bar, Chart, Corner, Kind};
use std::collections::BTreeMap;

/// Most bytes per node and second that a partial view may cost at rest.
pub const MOST_BYTES: f64 = 50.0;

/// How a subject's figures are named.
const fn name(subject: Subject) -> &'static str {
    match subject {
        Subject::Alone => "membership",
        Subject::Node => "node",
    }
}

type Cells = BTreeMap<(Subject, usize), Vec<Outcome>>;

fn cells(outcomes: &[Outcome]) -> Cells {
    let mut cells = Cells::new();
    for outcome in outcomes {
        cells.entry((outcome.subject, outcome.nodes)).or_default().push(outcome.clone());
    }
    cells
}

fn varied(runs: &[Outcome], pick: impl Fn(&Outcome) -> f64) -> Varied {
    Varied::of(&runs.iter().map(pick).collect::<Vec<_>>())
}

/// Everything as it stands in `summary.json`: curves over sizes.
pub fn results(outcomes: &[Outcome]) -> BTreeMap<String, Figure> {
    let mut curves: BTreeMap<String, BTreeMap<String, Varied>> = BTreeMap::new();
    for ((subject, nodes), runs) in cells(outcomes) {
        let mut put = |what: &str, value: Varied| {
            let name = format!("{}_{}_per_node_second", name(subject), what.replace('-', "_"));
            curves.entry(name).or_default().insert(nodes.to_string(), value);
        };
        put("bytes", varied(&runs, |run| run.bytes));
        put("messages", varied(&runs, |run| run.messages));
        for (at, (kind, _)) in runs[0].kinds.iter().enumerate() {
            let bytes = varied(&runs, |run| run.kinds[at].1);
            if bytes.max > 0.0 {
                put(&format!("{kind}_bytes"), bytes);
            }
        }
    }
    curves.into_iter().map(|(name, points)| (name, Figure::Curve(points))).collect()
}

/// What is not as it should be. `bounded`: whether the strategy is to stay within [`MOST_BYTES`].
pub fn problems(outcomes: &[Outcome], bounded: bool) -> Vec<String> {
    let mut problems = Vec::new();
    for ((subject, nodes), runs) in cells(outcomes) {
        let bytes = varied(&runs, |run| run.bytes).mean;
        if bounded && bytes > MOST_BYTES {
            problems.push(format!("{} of {nodes}: {bytes:.1} bytes a second at rest", name(subject)));
        }
        let isolated = runs.iter().map(|run| run.isolated).max().unwrap_or(0);
        if isolated > 0 {
            problems.push(format!("{} of {nodes}: {isolated} nodes are isolated", name(subject)));
        }
    }
    problems
}

/// Every figure.
pub fn charts(outcomes: &[Outcome]) -> Vec<Chart> {
    let cells = cells(outcomes);
    if cells.is_empty() {
        return Vec::new();
    }
    let bar = |label: String, varied: Varied| {
        let Varied { mean, min, max, .. } = varied;
        Bar { label, value: mean, error: (mean - min, max - mean) }
    };
    let totals = cells
        .iter()
        .map(|((subject, nodes), runs)| bar(format!("{} of {nodes}", name(*subject)), varied(runs, |run| run.bytes)));
    let mut charts =
        vec![chart("bytes", "A node at rest", "What a node sends, by the size of its cluster.", totals.collect())];
    let largest = |wanted| cells.iter().rev().find(move |((subject, _), _)| *subject == wanted);
    let titles = [
        (Subject::Alone, "membership", "Membership alone, by kind", "What it is spent on in the largest cluster."),
        (Subject::Node, "node", "A whole node, by class", "What it is spent on in the largest cluster."),
    ];
    for (subject, id, title, caption) in titles {
        if let Some((_, runs)) = largest(subject) {
            let kinds = runs[0]
                .kinds
                .iter()
                .enumerate()
                .map(|(at, (kind, _))| bar((*kind).to_owned(), varied(runs, |run| run.kinds[at].1)));
            charts.push(chart(id, title, caption, kinds.filter(|bar| bar.value > 0.0).collect()));
        }
    }
    charts
}

fn chart(id: &'static str, title: &'static str, caption: &str, bars: Vec<Bar>) -> Chart {
    Chart {
        id,
        title,
        caption: caption.to_owned(),
        x_label: String::new(),
        y_label: "bytes per second".to_owned(),
        legend: Corner::TopRight,
        kind: Kind::Bars(bars),
    }
}
