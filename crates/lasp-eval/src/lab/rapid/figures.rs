//! What the phases come to over all seeds: figures, verdict, charts.

use super::phases::{Crash, Outcome, Trouble};
use crate::figure::{Figure, Varied};
use crate::lab::metered::{HANDSHAKE, Kinds as _};
use crate::lab::traffic::Rates;
use crate::plot::{Bar, Chart, Corner, Ink, Kind, Line};
use crate::stats::mean;
use lasp_overlay::membership::full::{Config, FullMesh};
use std::collections::BTreeMap;

/// Collects figures under their names.
struct Results<'a> {
    outcomes: &'a [Outcome],
    figures: BTreeMap<String, Figure>,
}

impl Results<'_> {
    fn put(&mut self, name: &str, pick: impl Fn(&Outcome) -> f64) {
        self.put_some(name, |outcome| Some(pick(outcome)));
    }

    /// Over those seeds that have it; left out if none does.
    fn put_some(&mut self, name: &str, pick: impl Fn(&Outcome) -> Option<f64>) {
        let values: Vec<f64> = self.outcomes.iter().filter_map(pick).collect();
        if !values.is_empty() {
            self.figures.insert(name.to_owned(), Figure::Varied(Varied::of(&values)));
        }
    }

    fn rates(&mut self, phase: &str, pick: impl Fn(&Outcome) -> &Rates) {
        self.put(&format!("{phase}_messages_per_node_second"), |outcome| pick(outcome).messages);
        self.put(&format!("{phase}_bytes_per_node_second"), |outcome| pick(outcome).bytes);
        self.put(&format!("{phase}_bytes_in_a_second_p99"), |outcome| pick(outcome).seconds.p99);
        self.put(&format!("{phase}_bytes_in_a_second_max"), |outcome| pick(outcome).seconds.max);
    }

    fn crash(&mut self, phase: &str, pick: impl Fn(&Outcome) -> &Crash) {
        let period = Config::default().probe_interval.as_secs_f64();
        self.put(&format!("{phase}_detected_periods"), |outcome| mean(&pick(outcome).first) / period);
        self.put_some(&format!("{phase}_all_suspect_seconds"), |outcome| pick(outcome).all_suspect);
        self.put_some(&format!("{phase}_first_unreachable_seconds"), |outcome| pick(outcome).first_removed);
        self.put_some(&format!("{phase}_all_unreachable_seconds"), |outcome| pick(outcome).all_removed);
        self.put(&format!("{phase}_healthy_suspected"), |outcome| pick(outcome).healthy.0 as f64);
        self.put(&format!("{phase}_healthy_unreachable"), |outcome| pick(outcome).healthy.1 as f64);
        self.rates(phase, |outcome| &pick(outcome).rates);
    }

    fn trouble(&mut self, phase: &str, pick: impl Fn(&Outcome) -> &Trouble) {
        self.put(&format!("{phase}_healthy_suspected"), |outcome| pick(outcome).healthy.0 as f64);
        self.put(&format!("{phase}_healthy_unreachable"), |outcome| pick(outcome).healthy.1 as f64);
        self.put(&format!("{phase}_faulty_suspected"), |outcome| pick(outcome).faulty.0 as f64);
        self.put(&format!("{phase}_faulty_unreachable"), |outcome| pick(outcome).faulty.1 as f64);
        self.put_some(&format!("{phase}_recovered_seconds"), |outcome| pick(outcome).recovered);
        self.rates(phase, |outcome| &pick(outcome).rates);
    }
}

/// Everything as it stands in `summary.json`.
pub fn results(outcomes: &[Outcome]) -> BTreeMap<String, Figure> {
    let mut results = Results { outcomes, figures: BTreeMap::new() };
    results.put_some("bootstrap_agreed_seconds", |outcome| outcome.bootstrap.agreed);
    results.put_some("bootstrap_linked_seconds", |outcome| outcome.bootstrap.linked);
    results.put("bootstrap_distinct_sizes", |outcome| outcome.bootstrap.sizes.0 as f64);
    results.put("bootstrap_distinct_sizes_10_ms", |outcome| outcome.bootstrap.sizes.1 as f64);
    results.put("bootstrap_bytes_per_node", |outcome| outcome.bootstrap.bytes);
    results.put("bootstrap_messages_per_node", |outcome| outcome.bootstrap.messages);
    results.put("bootstrap_contact_bytes", |outcome| outcome.bootstrap.contact_bytes);
    results.rates("rest", |outcome| &outcome.rest);
    results.put("rest_suspicions", |outcome| outcome.rest_suspicions as f64);
    results.crash("crash_dark", |outcome| &outcome.dark);
    results.crash("crash_reset", |outcome| &outcome.reset);
    results.trouble("flip", |outcome| &outcome.flip);
    results.trouble("loss", |outcome| &outcome.loss);
    results.figures
}

/// What is not as it should be: healthy members that were taken for unreachable, nodes that did not agree, notice, recover.
pub fn problems(outcomes: &[Outcome]) -> Vec<String> {
    let mut problems = Vec::new();
    for (at, outcome) in outcomes.iter().enumerate() {
        let run = at + 1;
        if outcome.bootstrap.linked.is_none() {
            problems.push(format!("run {run}: not everybody knew, and was linked to, everybody in time"));
        }
        for (phase, crash) in [("dark hosts", &outcome.dark), ("reset connections", &outcome.reset)] {
            if crash.all_removed.is_none() {
                problems
                    .push(format!("run {run}, {phase}: not every survivor took every victim for unreachable in time"));
            }
            if crash.healthy.1 > 0 {
                problems.push(format!("run {run}, {phase}: {} survivors were taken for unreachable", crash.healthy.1));
            }
        }
        for (phase, trouble) in [("flip-flop", &outcome.flip), ("egress loss", &outcome.loss)] {
            if trouble.healthy.1 > 0 {
                problems.push(format!(
                    "run {run}, {phase}: {} healthy members were taken for unreachable",
                    trouble.healthy.1
                ));
            }
            if trouble.recovered.is_none() {
                problems.push(format!("run {run}, {phase}: somebody was still suspected long after its end"));
            }
        }
    }
    problems
}

/// Every figure.
pub fn charts(outcomes: &[Outcome]) -> Vec<Chart> {
    let Some(first) = outcomes.first() else { return Vec::new() };
    vec![
        sizes(outcomes),
        growth(outcomes),
        detection("dark", "Hosts go dark", &first.dark, DARK),
        detection("reset", "Processes die", &first.reset, RESET),
        reachable(outcomes),
        traffic(outcomes),
        kinds("traffic-rest", "Traffic at rest", outcomes, |outcome| &outcome.rest),
        kinds("traffic-loss", "Traffic under egress loss", outcomes, |outcome| &outcome.loss.rates),
    ]
}

const DARK: &str = "Nothing resets connections and nothing answers, so only probes find out. Of all verdicts of survivors on \
                    victims, how many are suspicion, and how many that it is unreachable; the first seed.";

const RESET: &str = "Their connections are reset, which hastens a probe. Of all verdicts of survivors on victims, how many are \
                     suspicion, and how many that it is unreachable; the first seed.";

fn chart(id: &'static str, title: &'static str, caption: &str, axes: [&str; 2], legend: Corner, kind: Kind) -> Chart {
    let [x_label, y_label] = axes.map(str::to_owned);
    Chart { id, title, caption: caption.to_owned(), x_label, y_label, legend, kind }
}

/// Point by point over the seeds: mean, least and greatest; as long as the longest, whose last values the others keep.
fn over_seeds(label: &'static str, ink: Ink, curves: &[Vec<(f64, f64)>]) -> Line {
    let longest = curves.iter().max_by_key(|curve| curve.len()).map_or(&[][..], Vec::as_slice);
    let at = |index: usize| -> Vec<f64> {
        curves.iter().filter_map(|curve| Some(curve.get(index).or_else(|| curve.last())?.1)).collect()
    };
    let varied: Vec<Varied> = (0..longest.len()).map(|index| Varied::of(&at(index))).collect();
    let points = longest.iter().zip(&varied).map(|((x, _), varied)| (*x, varied.mean)).collect();
    let band = (varied.iter().map(|v| v.min).collect(), varied.iter().map(|v| v.max).collect());
    Line { band: Some(band), ..Line::plain(label, ink, points) }
}

fn sizes(outcomes: &[Outcome]) -> Chart {
    let curve = |outcome: &Outcome| {
        let points = outcome.bootstrap.curve.iter().map(|(at, distinct, _)| (*at, *distinct as f64));
        [(0.0, 1.0)].into_iter().chain(points).collect()
    };
    let curves: Vec<Vec<(f64, f64)>> = outcomes.iter().map(curve).collect();
    let lines = vec![over_seeds("different sizes", Ink::First, &curves)];
    let caption = "All nodes join at once through one contact. How many different sizes of the cluster there are in the eyes of \
                   its nodes at one moment, every 10 ms.";
    let axes = ["seconds", "different sizes"];
    chart("sizes", "Different views of the cluster", caption, axes, Corner::TopRight, Kind::Lines(lines))
}

fn growth(outcomes: &[Outcome]) -> Chart {
    let curve = |outcome: &Outcome| {
        let points = outcome.bootstrap.curve.iter().map(|(at, _, mean)| (*at, *mean));
        [(0.0, 1.0)].into_iter().chain(points).collect()
    };
    let curves: Vec<Vec<(f64, f64)>> = outcomes.iter().map(curve).collect();
    let lines = vec![over_seeds("members known", Ink::First, &curves)];
    let caption = "How many members a node knows, mean over nodes.";
    chart("growth", "Bootstrap", caption, ["seconds", "members known"], Corner::BottomRight, Kind::Lines(lines))
}

fn detection(id: &'static str, title: &'static str, crash: &Crash, caption: &str) -> Chart {
    let line = |label, ink, pick: &dyn Fn(&(f64, f64, f64)) -> f64| {
        let points = crash.curve.iter().map(|point| (point.0, pick(point)));
        Line::plain(label, ink, [(0.0, 0.0)].into_iter().chain(points).collect())
    };
    let lines = vec![line("suspected", Ink::Second, &|p| p.1), line("unreachable", Ink::First, &|p| p.2)];
    chart(id, title, caption, ["seconds", "verdicts (%)"], Corner::BottomRight, Kind::Lines(lines))
}

fn reachable(outcomes: &[Outcome]) -> Chart {
    let curves = |pick: &dyn Fn(&Outcome) -> &Trouble| -> Vec<Vec<(f64, f64)>> {
        let least = |trouble: &Trouble| trouble.curve.iter().map(|(at, least, _)| (*at, *least as f64)).collect();
        outcomes.iter().map(|outcome| least(pick(outcome))).collect()
    };
    let lines = vec![
        over_seeds("flip-flop", Ink::First, &curves(&|outcome| &outcome.flip)),
        over_seeds("egress loss", Ink::Second, &curves(&|outcome| &outcome.loss)),
    ];
    let caption = "Members that count as reachable at that healthy node where they are fewest, itself included.";
    chart("reachable", "A percent is faulty", caption, ["seconds", "members"], Corner::BottomLeft, Kind::Lines(lines))
}

fn bar(label: &str, values: &[f64]) -> Bar {
    let Varied { mean, min, max, .. } = Varied::of(values);
    Bar { label: label.to_owned(), value: mean, error: (mean - min, max - mean) }
}

type Pick = fn(&Outcome) -> &Rates;

fn traffic(outcomes: &[Outcome]) -> Chart {
    let phases: [(&str, Pick); 5] = [
        ("rest", |o| &o.rest),
        ("hosts go dark", |o| &o.dark.rates),
        ("processes die", |o| &o.reset.rates),
        ("flip-flop", |o| &o.flip.rates),
        ("egress loss", |o| &o.loss.rates),
    ];
    let of =
        |(name, pick): (&str, Pick)| bar(name, &outcomes.iter().map(|outcome| pick(outcome).bytes).collect::<Vec<_>>());
    let bars = Kind::Bars(phases.into_iter().map(of).collect());
    chart("traffic", "Traffic", "What a node sends, by phase.", ["", BYTES], Corner::TopRight, bars)
}

const BYTES: &str = "bytes per node and second";

fn kinds(id: &'static str, title: &'static str, outcomes: &[Outcome], pick: Pick) -> Chart {
    let names = FullMesh::NAMES.iter().copied().enumerate().chain([(HANDSHAKE, "links")]);
    let of = |(kind, name): (usize, &str)| {
        bar(name, &outcomes.iter().map(|outcome| pick(outcome).kinds[kind]).collect::<Vec<_>>())
    };
    let bars = Kind::Bars(names.map(of).collect());
    chart(id, title, "What a node sends, by kind of message.", ["", BYTES], Corner::TopRight, bars)
}
