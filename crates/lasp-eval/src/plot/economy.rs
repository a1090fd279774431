//! Figures of what agreeing took: traffic by class, redundancy, digests, buffers, the tree, variables.

use super::{Bar, Chart, Corner, Curve, Ink, Kind, Line, Run, Tail, byte_unit, short};
use crate::stats::{self, Spread};
use crate::tree::Tree;
use crate::variables;
use crate::watch::Moment;
use std::collections::BTreeMap;

const TIME: &str = "time (s)";

/// Bytes per second by class.
pub(super) fn traffic(runs: &[Run]) -> Option<Chart> {
    let state = Curve::over(runs, |series| &series.state_rate, Tail::Ends)?;
    let protocol = Curve::over(runs, |series| &series.protocol_rate, Tail::Ends)?;
    let membership = Curve::over(runs, |series| &series.membership_rate, Tail::Ends)?;
    let (scale, unit) = byte_unit(stats::max(&state.mean) + stats::max(&protocol.mean));
    let scaled = |values: Vec<f64>| values.into_iter().map(|value| value / scale).collect();
    Some(Chart {
        id: "traffic",
        title: "Traffic by class",
        caption:
            "Bytes that all nodes send in a second, frames included, over the last twentieth of the run. State is \
                  what variables' deltas and repairs take; protocol is the broadcast tree and digests; membership is \
                  joins, shuffles and probes."
                .to_owned(),
        x_label: TIME.to_owned(),
        y_label: format!("sent by all nodes ({unit}/s)"),
        legend: Corner::TopRight,
        kind: Kind::Stack {
            x: state.t,
            layers: vec![
                ("state", Ink::First, scaled(state.mean)),
                ("protocol", Ink::Second, scaled(protocol.mean)),
                ("membership", Ink::Third, scaled(membership.mean)),
            ],
        },
    })
}

/// What is received over what is needed.
pub(super) fn redundancy(runs: &[Run]) -> Option<Chart> {
    let state = Curve::over(runs, |series| &series.redundancy_state, Tail::Ends)?;
    let payloads = Curve::over(runs, |series| &series.redundancy_payloads, Tail::Ends)?;
    Some(Chart {
        id: "redundancy",
        title: "Redundancy",
        caption: "What all nodes received of deltas, over what of it was new to them: 1 is the floor. Over the last \
                  twentieth of the run in which anything was new."
            .to_owned(),
        x_label: TIME.to_owned(),
        y_label: "received ÷ needed".to_owned(),
        legend: Corner::TopRight,
        kind: Kind::Lines(vec![
            payloads.line("messages", Ink::Second, 1.0),
            state.line("bytes of state", Ink::First, 1.0),
        ]),
    })
}

/// How many digests are equal.
pub(super) fn digests(runs: &[Run]) -> Option<Chart> {
    let hits = Curve::over(runs, |series| &series.digest_hits, Tail::Ends)?;
    Some(Chart {
        id: "digests",
        title: "Digests that hit",
        caption:
            "The share of digests received, over the last twentieth of the run, that were equal to the receiver's \
                  own: such a comparison ends with one message of a few bytes."
                .to_owned(),
        x_label: TIME.to_owned(),
        y_label: "equal (%)".to_owned(),
        legend: Corner::BottomRight,
        kind: Kind::Lines(vec![hits.line("equal", Ink::First, 1.0)]),
    })
}

/// What is kept for neighbours.
pub(super) fn buffers(runs: &[Run]) -> Option<Chart> {
    let most = Curve::over(runs, |series| &series.kept_max, Tail::Ends)?;
    let mean = Curve::over(runs, |series| &series.kept, Tail::Ends)?;
    let waiting = Curve::over(runs, |series| &series.waiting_max, Tail::Ends)?;
    Some(Chart {
        id: "buffers",
        title: "Buffers",
        caption:
            "Entries of deltas that a node keeps beside its variables, for neighbours that are still to hear them: \
                  the mean, the node that keeps most, and those of them that wait for links, at the node with most. \
                  What comes and goes between two samples is in the peaks below."
                .to_owned(),
        x_label: TIME.to_owned(),
        y_label: "entries".to_owned(),
        legend: Corner::TopRight,
        kind: Kind::Lines(vec![
            most.line("kept, most", Ink::Second, 1.0),
            mean.line("kept, mean", Ink::First, 1.0),
            waiting.line("waiting, most", Ink::Third, 1.0),
        ]),
    })
}

/// One figure of the moments of all runs, over time.
fn over_moments(runs: &[Run], label: String, ink: Ink, pick: impl Fn(&Moment) -> Option<f64>) -> Option<Line> {
    let mut times: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for moment in runs.iter().flat_map(|run| &run.moments) {
        if let Some(value) = pick(moment) {
            times.entry(moment.t_us).or_default().push(value);
        }
    }
    let spreads: Vec<(f64, Spread)> = times.iter().map(|(t, values)| (*t as f64 / 1e6, Spread::of(values))).collect();
    let points = spreads.iter().map(|(t, spread)| (*t, spread.mean)).collect();
    let band = (spreads.iter().map(|(_, s)| s.min).collect(), spreads.iter().map(|(_, s)| s.max).collect());
    let band = (runs.len() > 1).then_some(band);
    (!spreads.is_empty()).then(|| Line { band, ..Line::plain(label, ink, points) })
}

/// One figure of the tree over time, while there is more than one node.
fn of_tree(runs: &[Run], label: &str, ink: Ink, pick: fn(&Tree) -> f64) -> Option<Line> {
    over_moments(runs, label.to_owned(), ink, |moment| (moment.tree.nodes > 1).then(|| pick(&moment.tree)))
}

/// The depth of the tree over time.
pub(super) fn depths(runs: &[Run]) -> Option<Chart> {
    let lines = vec![
        of_tree(runs, "farthest", Ink::Second, |tree| tree.depth() as f64)?,
        of_tree(runs, "mean over nodes", Ink::First, Tree::mean_depth)?,
    ];
    Some(Chart {
        id: "depths",
        title: "Depth of the tree over time",
        caption:
            "Links that payloads are pushed over from the middle of the tree to the nodes of its largest part: the \
                  mean, and the farthest node."
                .to_owned(),
        x_label: TIME.to_owned(),
        y_label: "links from the middle".to_owned(),
        legend: Corner::TopRight,
        kind: Kind::Lines(lines),
    })
}

/// The tree over time.
pub(super) fn tree(runs: &[Run]) -> Option<Chart> {
    let lines = vec![
        of_tree(runs, "parts", Ink::Second, |tree| tree.components as f64)?,
        of_tree(runs, "links ÷ (nodes − 1)", Ink::First, |tree| tree.links_ratio)?,
    ];
    Some(Chart {
        id: "tree",
        title: "The broadcast tree",
        caption:
            "Links over which payloads are pushed, over those that a tree has, and the parts that they leave: both \
                  are 1 where the links are a tree. More links are cycles, over which everything comes more than once."
                .to_owned(),
        x_label: TIME.to_owned(),
        y_label: "1 is a tree".to_owned(),
        legend: Corner::TopRight,
        kind: Kind::Lines(lines),
    })
}

/// The depth of the tree at the end.
pub(super) fn depth(runs: &[Run]) -> Option<Chart> {
    let trees: Vec<&Tree> = runs.iter().filter_map(|run| Some(&run.summary.economy.as_ref()?.tree)).collect();
    let tree = Tree::of_runs(&trees);
    let bars = tree.depths.iter().enumerate().take(40);
    let bars: Vec<Bar> =
        bars.map(|(depth, &nodes)| Bar { label: depth.to_string(), value: nodes, error: (0.0, 0.0) }).collect();
    (!bars.is_empty()).then(|| Chart {
        id: "depth",
        title: "Depth of the tree",
        caption: format!(
            "How many nodes are how many links from the middle of the tree in the end, before anybody left. It is {} \
             links across.",
            tree.diameter
        ),
        x_label: "links from the middle".to_owned(),
        y_label: "nodes".to_owned(),
        legend: Corner::BottomRight,
        kind: Kind::Bars(bars),
    })
}

/// The variables that nodes disagree on longest.
pub(super) fn variables(runs: &[Run]) -> Option<Chart> {
    let each: Vec<_> = runs.iter().map(|run| variables::longest(&run.moments)).collect();
    let longest = variables::of_runs(&each.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let inks = [Ink::First, Ink::Second, Ink::Third, Ink::Fourth];
    let line = |(ink, name): (Ink, &str)| {
        let pick = |moment: &Moment| moment.variables.get(name).map(variables::Disagreement::percent);
        over_moments(runs, short(name).to_owned(), ink, pick)
    };
    let names = longest.iter().map(|of| of.name.as_str());
    let mut lines: Vec<Line> = inks.into_iter().zip(names).filter_map(line).collect();
    // The first lies on top.
    lines.reverse();
    (!lines.is_empty()).then(|| Chart {
        id: "variables",
        title: "Divergence by variable",
        caption: "Of the variables that nodes disagree on longest: the share of those who hear one whose state is not \
                  that which most have, by fingerprints."
            .to_owned(),
        x_label: TIME.to_owned(),
        y_label: "nodes that differ (%)".to_owned(),
        legend: Corner::TopRight,
        kind: Kind::Lines(lines),
    })
}
