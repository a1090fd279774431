//! What the runs come to, rate by rate over all seeds: figures, verdict, charts.

use super::phases::{Outcome, Sample};
use crate::figure::{Figure, Varied};
use crate::plot::{Chart, Corner, Ink, Kind, Line};
use crate::stats::{max, mean};
use std::collections::BTreeMap;

/// Most isolated nodes at any sample, as a share of all, at [`GENTLE`] percent per minute or less.
const MOST_ISOLATED: f64 = 0.001;

/// Up to which rate that is asked.
const GENTLE: u32 = 10;

type Pick = fn(&Outcome) -> f64;

fn most(samples: &[Sample], pick: impl Fn(&Sample) -> usize) -> f64 {
    max(&samples.iter().map(|sample| pick(sample) as f64).collect::<Vec<_>>())
}

fn usual(samples: &[Sample], pick: impl Fn(&Sample) -> f64) -> f64 {
    mean(&samples.iter().map(pick).collect::<Vec<_>>())
}

/// Every figure by its name: each is a curve over the rates.
const FIGURES: [(&str, Pick); 20] = [
    ("isolated_max", |o| most(&o.churning, |s| s.isolated)),
    ("isolated_mean", |o| usual(&o.churning, |s| s.isolated as f64)),
    ("components_max", |o| most(&o.churning, |s| s.components)),
    ("asymmetric_max", |o| most(&o.churning, |s| s.asymmetric)),
    ("asymmetric_mean", |o| usual(&o.churning, |s| s.asymmetric as f64)),
    ("dangling_mean", |o| usual(&o.churning, |s| s.dangling as f64)),
    ("degree_mean", |o| usual(&o.churning, |s| s.degree)),
    ("isolated_when_joined", |o| o.joined[0].isolated as f64),
    ("isolated_cycle_after_joining", |o| o.joined[1].isolated as f64),
    ("isolated_cycle_after_churn", |o| o.after[0].isolated as f64),
    ("components_cycle_after_churn", |o| o.after[0].components as f64),
    ("asymmetric_cycle_after_churn", |o| o.after[0].asymmetric as f64),
    ("asymmetric_after_repair", |o| o.after[1].asymmetric as f64),
    ("dangling_after_repair", |o| o.after[1].dangling as f64),
    ("isolated_after_repair", |o| o.after[1].isolated as f64),
    ("whole_again_seconds", |o| o.whole.unwrap_or(f64::NAN)),
    ("false_disconnects", |o| o.false_disconnects[0] as f64),
    ("false_disconnects_with_joining", |o| o.false_disconnects[1] as f64),
    ("replaced", |o| o.departed.iter().sum::<u64>() as f64),
    ("bytes_per_node_second", |o| o.bytes),
];

fn by_rate(outcomes: &[Outcome]) -> BTreeMap<u32, Vec<&Outcome>> {
    let mut rates: BTreeMap<u32, Vec<&Outcome>> = BTreeMap::new();
    outcomes.iter().for_each(|outcome| rates.entry(outcome.rate).or_default().push(outcome));
    rates
}

/// Everything as it stands in `summary.json`; what no seed came to is left out.
pub fn results(outcomes: &[Outcome]) -> BTreeMap<String, Figure> {
    let rates = by_rate(outcomes);
    let figure = |(name, pick): (&str, Pick)| {
        let point = |(rate, runs): (&u32, &Vec<&Outcome>)| {
            let values: Vec<f64> = runs.iter().map(|run| pick(run)).filter(|value| value.is_finite()).collect();
            (!values.is_empty()).then(|| (rate.to_string(), Varied::of(&values)))
        };
        let points: BTreeMap<String, Varied> = rates.iter().filter_map(point).collect();
        (!points.is_empty()).then(|| (name.to_owned(), Figure::Curve(points)))
    };
    FIGURES.into_iter().filter_map(figure).collect()
}

/// What is not as it should be.
pub fn problems(outcomes: &[Outcome]) -> Vec<String> {
    let mut problems = Vec::new();
    for outcome in outcomes {
        let rate = outcome.rate;
        let mut demand = |holds: bool, what: String| {
            if !holds {
                problems.push(format!("{rate} % a minute: {what}"));
            }
        };
        let [cycle, repair] = &outcome.after;
        demand(cycle.isolated == 0, format!("{} isolated nodes one cycle after churn", cycle.isolated));
        demand(repair.asymmetric == 0, format!("{} asymmetric links one repair period after", repair.asymmetric));
        demand(repair.components == 1, format!("{} components one repair period after", repair.components));
        let worst = outcome.churning.iter().map(|s| s.isolated as f64 / s.nodes.max(1) as f64).fold(0.0, f64::max);
        if rate <= GENTLE {
            demand(worst <= MOST_ISOLATED, format!("up to {:.2} % of the nodes were isolated", 100.0 * worst));
        }
    }
    problems
}

const INKS: [Ink; 4] = [Ink::First, Ink::Second, Ink::Third, Ink::Fourth];

/// Names of curves live as long as figures: the usual rates have theirs, others are counted.
fn label(rate: u32, at: usize) -> &'static str {
    const OTHERS: [&str; 4] = ["first rate", "second rate", "third rate", "fourth rate"];
    match rate {
        1 => "1 % a minute",
        5 => "5 % a minute",
        10 => "10 % a minute",
        20 => "20 % a minute",
        50 => "50 % a minute",
        100 => "100 % a minute",
        _ => OTHERS[at.min(OTHERS.len() - 1)],
    }
}

/// Point by point the mean of the seeds, and their range.
fn over_seeds(label: &'static str, ink: Ink, runs: &[&Outcome], pick: impl Fn(&Sample) -> f64) -> Line {
    let length = runs.iter().map(|run| run.curve.len()).min().unwrap_or(0);
    let at = |index: usize| Varied::of(&runs.iter().map(|run| pick(&run.curve[index])).collect::<Vec<_>>());
    let varied: Vec<Varied> = (0..length).map(at).collect();
    let minutes = |index: usize| runs[0].curve[index].seconds / 60.0;
    let points = varied.iter().enumerate().map(|(index, varied)| (minutes(index), varied.mean)).collect();
    let band = (varied.iter().map(|v| v.min).collect(), varied.iter().map(|v| v.max).collect());
    Line { band: Some(band), ..Line::plain(label, ink, points) }
}

/// Every figure.
pub fn charts(outcomes: &[Outcome]) -> Vec<Chart> {
    if outcomes.is_empty() {
        return Vec::new();
    }
    let rates = by_rate(outcomes);
    let chart = |id, title, caption: &str, y_label: &str, pick: fn(&Sample) -> f64| {
        let line = |(at, (rate, runs)): (usize, (&u32, &Vec<&Outcome>))| {
            over_seeds(label(*rate, at), INKS[at % INKS.len()], runs, pick)
        };
        Chart {
            id,
            title,
            caption: caption.to_owned(),
            x_label: "minutes".to_owned(),
            y_label: y_label.to_owned(),
            legend: Corner::TopRight,
            kind: Kind::Lines(rates.iter().enumerate().map(line).collect()),
        }
    };
    vec![
        chart(
            "isolated",
            "Isolated nodes",
            "Nodes without a neighbour: all join in the first cycle, then nodes are replaced, then all is quiet.",
            "nodes",
            |s| s.isolated as f64,
        ),
        chart(
            "components",
            "Components",
            "Sets of nodes with no link between them; each isolated node is one.",
            "components",
            |s| s.components as f64,
        ),
        chart(
            "asymmetric",
            "Asymmetric links",
            "Links that one end alone knows, though the other is there: handshakes under way, and what they left.",
            "links",
            |s| s.asymmetric as f64,
        ),
        chart(
            "dangling",
            "Links to nodes that are gone",
            "Neighbours that went and have not been missed yet: most of them vanished without a sign.",
            "links",
            |s| s.dangling as f64,
        ),
        chart("degree", "Neighbours", "Neighbours of a node, mean.", "neighbours", |s| s.degree),
    ]
}
