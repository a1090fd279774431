//! The figures of a report: which there are, from which numbers, with which words under them.
//!
//! This file knows what to show and [`draw`] how; a [`Chart`] between them is plain data. Several runs lie over each
//! other as a mean with the range from the least to the greatest.

pub mod draw;
mod economy;

use crate::config::{Config, Scenario};
use crate::series::Series;
use crate::stats;
use crate::summary::Summary;
use crate::watch::Moment;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// One run, ready to be drawn.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its figures.
    pub summary: Summary,
    /// Its curves.
    pub series: Series,
    /// All nodes at once, now and then.
    pub moments: Vec<Moment>,
    /// Milliseconds from the last update until each node's data was final.
    pub convergence_ms: Vec<f64>,
    /// `latency`: milliseconds to each reader, round by round.
    pub visibility_ms: Vec<Vec<f64>>,
}

/// One figure as data.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Its file name, without an ending.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What is to be seen in it, in a sentence or two.
    pub caption: String,
    /// Horizontal axis, with its unit.
    pub x_label: String,
    /// Vertical axis, with its unit.
    pub y_label: String,
    /// Where its legend hides least.
    pub legend: Corner,
    /// What is drawn.
    pub kind: Kind,
}

/// Where a legend is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corner {
    /// Sums rise from the left.
    TopLeft,
    /// Room is made above the curves.
    TopRight,
    /// Curves that stay high, distributions.
    BottomRight,
    /// Curves that stay high and fall at the end.
    BottomLeft,
}

/// What a figure draws.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Curves.
    Lines(Vec<Line>),
    /// Areas on top of each other, the first at the bottom, over a common axis.
    Stack {
        /// Where.
        x: Vec<f64>,
        /// Name, ink and height of each.
        layers: Vec<(&'static str, Ink, Vec<f64>)>,
    },
    /// Bars with names, and optionally the range that they vary in.
    Bars(Vec<Bar>),
}

/// One curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its name in the legend.
    pub label: Cow<'static, str>,
    /// Its colour.
    pub ink: Ink,
    /// Where it goes.
    pub points: Vec<(f64, f64)>,
    /// The range around it: least and greatest at each point.
    pub band: Option<(Vec<f64>, Vec<f64>)>,
    /// Level between points, as a distribution is.
    pub steps: bool,
    /// Broken: taken from elsewhere.
    pub dashed: bool,
}

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Its name.
    pub label: String,
    /// Its height.
    pub value: f64,
    /// How far below and above it runs lie.
    pub error: (f64, f64),
}

/// A colour by its part in a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// The main thing.
    First,
    /// What it is compared with.
    Second,
    /// What else it is compared with.
    Third,
    /// And what else.
    Fourth,
}

impl Line {
    /// A curve without a range.
    pub(crate) fn plain(label: impl Into<Cow<'static, str>>, ink: Ink, points: Vec<(f64, f64)>) -> Self {
        Self { label: label.into(), ink, points, band: None, steps: false, dashed: false }
    }
}

/// The figures for some runs of one configuration; those without numbers are left out.
pub fn charts(config: &Config, runs: &[Run]) -> Vec<Chart> {
    let figures = [
        transmission(runs),
        economy::traffic(runs),
        divergence(config, runs),
        economy::variables(runs),
        convergence(runs),
        visibility(runs),
        economy::redundancy(runs),
        economy::digests(runs),
        economy::buffers(runs),
        memory(runs),
        overcounting(config, runs),
        degree(runs),
        economy::tree(runs),
        economy::depths(runs),
        economy::depth(runs),
    ];
    figures.into_iter().flatten().collect()
}

/// Of these, the figures of what agreeing took.
pub fn agreeing(runs: &[Run]) -> Vec<Chart> {
    let figures = [
        economy::traffic(runs),
        economy::variables(runs),
        economy::redundancy(runs),
        economy::digests(runs),
        economy::buffers(runs),
        economy::tree(runs),
        economy::depths(runs),
        economy::depth(runs),
    ];
    figures.into_iter().flatten().collect()
}

fn transmission(runs: &[Run]) -> Option<Chart> {
    let state = Curve::over(runs, |series| &series.state, Tail::Holds)?;
    let protocol = Curve::over(runs, |series| &series.protocol, Tail::Holds)?;
    let highest = stats::max(&state.mean) + stats::max(&protocol.mean);
    let (scale, unit) = byte_unit(highest);
    let scaled = |values: Vec<f64>| values.into_iter().map(|value| value / scale).collect();
    Some(Chart {
        id: "transmission",
        title: "State transmission",
        caption: "Bytes sent by all nodes since the start, frames included. State is what variables' deltas and \
                  repairs take; protocol is membership, the broadcast tree and digests."
            .to_owned(),
        x_label: "time (s)".to_owned(),
        y_label: format!("sent by all nodes ({unit})"),
        legend: Corner::TopLeft,
        kind: Kind::Stack {
            x: state.t,
            layers: vec![("state", Ink::First, scaled(state.mean)), ("protocol", Ink::Second, scaled(protocol.mean))],
        },
    })
}

fn divergence(config: &Config, runs: &[Run]) -> Option<Chart> {
    let mean = Curve::over(runs, |series| &series.divergence, Tail::Ends)?;
    let most = Curve::over(runs, |series| &series.divergence_max, Tail::Ends)?;
    let what = match config.scenario {
        Scenario::AdvertisementCounter(_) => "impressions",
        _ => "updates",
    };
    Some(Chart {
        id: "divergence",
        title: "Divergence",
        caption: format!(
            "The share of all {what} acknowledged so far anywhere that a node does not see yet: the mean over nodes, \
             and the node that is furthest behind. It returns to zero when the updates stop."
        ),
        x_label: "time (s)".to_owned(),
        y_label: "not yet seen (%)".to_owned(),
        legend: Corner::TopRight,
        kind: Kind::Lines(vec![
            most.line("furthest behind", Ink::Second, 1.0),
            mean.line("mean over nodes", Ink::First, 1.0),
        ]),
    })
}

fn convergence(runs: &[Run]) -> Option<Chart> {
    let all: Vec<f64> = runs.iter().flat_map(|run| run.convergence_ms.iter().copied()).collect();
    let points = distribution(all)?;
    Some(Chart {
        id: "convergence",
        title: "Convergence time",
        caption: "From the last update anywhere until a node's data was final: the share of nodes that needed at \
                  most so long."
            .to_owned(),
        x_label: "after the last update (ms)".to_owned(),
        y_label: "nodes (%)".to_owned(),
        legend: Corner::BottomRight,
        kind: Kind::Lines(vec![Line { steps: true, ..Line::plain("nodes", Ink::First, points) }]),
    })
}

fn visibility(runs: &[Run]) -> Option<Chart> {
    let rounds: Vec<&Vec<f64>> =
        runs.iter().flat_map(|run| &run.visibility_ms).filter(|round| !round.is_empty()).collect();
    let everyone = distribution(rounds.iter().map(|round| stats::max(round)).collect())?;
    let each = distribution(rounds.into_iter().flatten().copied().collect())?;
    Some(Chart {
        id: "visibility",
        title: "Time to visibility",
        caption: "From an update at one node until a threshold read at another returns: at each of the others, and \
                  at the last of them."
            .to_owned(),
        x_label: "after the update (ms)".to_owned(),
        y_label: "updates (%)".to_owned(),
        legend: Corner::BottomRight,
        kind: Kind::Lines(vec![
            Line { steps: true, ..Line::plain("visible everywhere", Ink::Second, everyone) },
            Line { steps: true, ..Line::plain("visible at one node", Ink::First, each) },
        ]),
    })
}

fn memory(runs: &[Run]) -> Option<Chart> {
    let mean = Curve::over(runs, |series| &series.rss_mean, Tail::Ends)?;
    let most = Curve::over(runs, |series| &series.rss_max, Tail::Ends)?;
    let (scale, unit) = byte_unit(stats::max(&most.mean));
    Some(Chart {
        id: "memory",
        title: "Memory",
        caption: "Resident memory of a node's process: the mean and the greatest.".to_owned(),
        x_label: "time (s)".to_owned(),
        y_label: format!("resident ({unit})"),
        legend: Corner::BottomRight,
        kind: Kind::Lines(vec![
            most.line("greatest", Ink::Second, scale),
            mean.line("mean over nodes", Ink::First, scale),
        ]),
    })
}

/// More ads than this are drawn as a distribution, since their names would not be legible.
const NAMED_ADS: usize = 24;

fn overcounting(config: &Config, runs: &[Run]) -> Option<Chart> {
    let Scenario::AdvertisementCounter(options) = &config.scenario else {
        return None;
    };
    let mut ads: BTreeMap<(usize, &str), Vec<f64>> = BTreeMap::new();
    for (name, percent) in runs.iter().flat_map(|run| &run.summary.overcounting) {
        ads.entry((name.len(), name)).or_default().push(*percent);
    }
    let caption = format!(
        "Impressions beyond the {} contracted, per ad: what clients counted before the news that the contract was \
         filled had reached them. Independent of loss: every one of them is in the final count.",
        options.impressions
    );
    let kind = if ads.len() > NAMED_ADS {
        let points = distribution(ads.values().map(|runs| stats::mean(runs)).collect())?;
        Kind::Lines(vec![Line { steps: true, ..Line::plain("ads", Ink::First, points) }])
    } else {
        let bar = |((_, name), values): (&(usize, &str), &Vec<f64>)| {
            let spread = stats::Spread::of(values);
            let error = (spread.mean - spread.min, spread.max - spread.mean);
            Bar { label: short(name).to_owned(), value: spread.mean, error }
        };
        Kind::Bars(ads.iter().map(bar).collect())
    };
    let distributed = matches!(kind, Kind::Lines(_));
    (!ads.is_empty()).then(|| Chart {
        id: "overcounting",
        title: "Overcounting",
        caption,
        x_label: if distributed { "beyond the contract (%)" } else { "ad" }.to_owned(),
        y_label: if distributed { "ads (%)" } else { "beyond the contract (%)" }.to_owned(),
        legend: Corner::BottomRight,
        kind,
    })
}

/// The last part of a variable's path.
fn short(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, last)| last)
}

fn degree(runs: &[Run]) -> Option<Chart> {
    let degrees: Vec<usize> = runs.iter().flat_map(|run| run.summary.degrees.iter().copied()).collect();
    let (least, most) = (degrees.iter().min()?, degrees.iter().max()?);
    let count = |degree: usize| degrees.iter().filter(|&&other| other == degree).count() as f64 / runs.len() as f64;
    // A full mesh of a thousand has one degree: one bar, with room beside it.
    let bars = (least.saturating_sub(1)..=most + 1).take(40).map(|degree| Bar {
        label: degree.to_string(),
        value: count(degree),
        error: (0.0, 0.0),
    });
    Some(Chart {
        id: "degree",
        title: "Node degree",
        caption: "How many nodes have how many neighbours in their active view, when all had pushed their logs."
            .to_owned(),
        x_label: "neighbours".to_owned(),
        y_label: "nodes".to_owned(),
        legend: Corner::BottomRight,
        kind: Kind::Bars(bars.collect()),
    })
}

/// What stands for a run after its end.
#[derive(Clone, Copy)]
enum Tail {
    /// Its last value: sums stay.
    Holds,
    /// Nothing: it is left out of the mean.
    Ends,
}

/// One quantity over time, over all runs.
struct Curve {
    t: Vec<f64>,
    mean: Vec<f64>,
    band: Option<(Vec<f64>, Vec<f64>)>,
}

impl Curve {
    fn over(runs: &[Run], pick: impl Fn(&Series) -> &Vec<f64>, tail: Tail) -> Option<Self> {
        let longest = runs.iter().map(|run| &run.series).max_by_key(|series| series.t.len())?;
        let columns: Vec<&Vec<f64>> = runs.iter().map(|run| pick(&run.series)).filter(|col| !col.is_empty()).collect();
        let rows = columns.iter().map(|column| column.len()).max()?;
        let value = |column: &Vec<f64>, row: usize| match tail {
            Tail::Holds => column.get(row).or_else(|| column.last()).copied(),
            Tail::Ends => column.get(row).copied(),
        };
        let spreads: Vec<stats::Spread> = (0..rows)
            .map(|row| stats::Spread::of(&columns.iter().filter_map(|col| value(col, row)).collect::<Vec<_>>()))
            .collect();
        // Curves that begin later than the run (memory, once processes report) end with it all the same.
        let t = longest.t[longest.t.len() - rows..].to_vec();
        let band = (columns.len() > 1)
            .then(|| (spreads.iter().map(|s| s.min).collect(), spreads.iter().map(|s| s.max).collect()));
        Some(Self { t, mean: spreads.iter().map(|spread| spread.mean).collect(), band })
    }

    fn line(self, label: &'static str, ink: Ink, scale: f64) -> Line {
        let scaled = |values: Vec<f64>| -> Vec<f64> { values.into_iter().map(|value| value / scale).collect() };
        let points = self.t.into_iter().zip(scaled(self.mean)).collect();
        let band = self.band.map(|(low, high)| (scaled(low), scaled(high)));
        Line { band, ..Line::plain(label, ink, points) }
    }
}

/// The cumulative distribution in percent, from 0.
fn distribution(values: Vec<f64>) -> Option<Vec<(f64, f64)>> {
    let values = stats::sorted(values);
    let first = *values.first()?;
    let mut points = vec![(first.min(0.0), 0.0), (first, 0.0)];
    let all = values.len() as f64;
    points.extend(values.iter().enumerate().map(|(at, &value)| (value, 100.0 * (at + 1) as f64 / all)));
    Some(points)
}

/// The unit in which `bytes` reads best, and how many bytes it is.
pub fn byte_unit(bytes: f64) -> (f64, &'static str) {
    match bytes {
        b if b >= 2e9 => (1e9, "GB"),
        b if b >= 2e6 => (1e6, "MB"),
        b if b >= 2e3 => (1e3, "kB"),
        _ => (1.0, "B"),
    }
}

#[cfg(test)]
pub(crate) mod tests;
