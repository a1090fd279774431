//! Several runs as one: measures are means over the runs, faults are those of the worst.

use crate::economy::Economy;
use crate::figure::Figure;
use crate::stats::{self, Quantiles, Spread};
use crate::summary::{Memory, Summary, Traffic};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The top `summary.json`: one run's figures, or those of several with their spread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overall {
    /// The figures.
    #[serde(flatten)]
    pub summary: Summary,
    /// How the measures vary from run to run; empty for a single run.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub spread: BTreeMap<String, Spread>,
    /// Each run's figures; empty for a single run.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub runs: Vec<Summary>,
}

/// Sums runs up; `None` of none.
pub fn aggregate(runs: Vec<Summary>) -> Option<Overall> {
    let first = runs.first()?.clone();
    if runs.len() == 1 {
        return Some(Overall { summary: first, spread: BTreeMap::new(), runs: Vec::new() });
    }
    let summary = merge(first, &runs);
    let spread = spreads(&runs);
    Some(Overall { summary, spread, runs })
}

fn merge(first: Summary, runs: &[Summary]) -> Summary {
    let mean = |pick: Measure| stats::mean(&runs.iter().map(pick).collect::<Vec<_>>());
    let whole = |pick: Measure| mean(pick).round() as u64;
    let most = |pick: Measure| stats::max(&runs.iter().map(pick).collect::<Vec<_>>());
    let worst = |pick: fn(&Summary) -> usize| runs.iter().map(pick).max().unwrap_or(0);
    let worst_count = |pick: fn(&Summary) -> u64| runs.iter().map(pick).max().unwrap_or(0);
    let named = |(index, run): (usize, &Summary)| -> Vec<String> {
        run.problems.iter().map(|problem| format!("run {}: {problem}", index + 1)).collect()
    };
    Summary {
        converged: runs.iter().all(|run| run.converged),
        problems: runs.iter().enumerate().flat_map(named).collect(),
        convergence_ms: Quantiles {
            p50: mean(|run| run.convergence_ms.p50),
            p99: mean(|run| run.convergence_ms.p99),
            max: most(|run| run.convergence_ms.max),
        },
        divergence_final: most(|run| run.divergence_final),
        updates: whole(|run| run.updates as f64),
        lost_updates: worst_count(|run| run.lost_updates),
        crashed_updates: worst_count(|run| run.crashed_updates),
        crashes: worst(|run| run.crashes),
        bytes: Traffic::of_runs(&runs.iter().map(|run| &run.bytes).collect::<Vec<_>>()),
        overcounting_percent: mean(|run| run.overcounting_percent),
        overcounting: means(runs, |run| &run.overcounting),
        isolated_nodes: worst(|run| run.isolated_nodes),
        asymmetric_links: worst(|run| run.asymmetric_links),
        dangling_links: worst(|run| run.dangling_links),
        components: worst(|run| run.components),
        degrees: stats_of_degrees(runs),
        queue_peak: worst_count(|run| run.queue_peak),
        economy: economy_of(runs),
        results: mean_figures(runs),
        run_seconds: mean(|run| run.run_seconds),
        trace_hash: None,
        rss_bytes: Memory { mean: mean(|run| run.rss_bytes.mean), max: most(|run| run.rss_bytes.max) },
        cpu_seconds: mean(|run| run.cpu_seconds),
        wall_seconds: mean(|run| run.wall_seconds),
        ..first
    }
}

fn economy_of(runs: &[Summary]) -> Option<Economy> {
    let known: Vec<&Economy> = runs.iter().filter_map(|run| run.economy.as_ref()).collect();
    (!known.is_empty()).then(|| Economy::of_runs(&known))
}

fn stats_of_degrees(runs: &[Summary]) -> Vec<usize> {
    let mut degrees: Vec<usize> = runs.iter().flat_map(|run| run.degrees.iter().copied()).collect();
    degrees.sort_unstable();
    degrees
}

fn means(runs: &[Summary], pick: impl Fn(&Summary) -> &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (name, value) in runs.iter().flat_map(pick) {
        values.entry(name.clone()).or_default().push(*value);
    }
    values.into_iter().map(|(name, values)| (name, stats::mean(&values))).collect()
}

/// Numbers as their means; other figures speak of several seeds already, and are the first run's.
fn mean_figures(runs: &[Summary]) -> BTreeMap<String, Figure> {
    let mut figures: BTreeMap<String, Figure> = runs.first().map(|run| run.results.clone()).unwrap_or_default();
    let mut numbers: BTreeMap<&String, Vec<f64>> = BTreeMap::new();
    for (name, figure) in runs.iter().flat_map(|run| &run.results) {
        if let Figure::Number(number) = figure {
            numbers.entry(name).or_default().push(*number);
        }
    }
    figures.extend(numbers.into_iter().map(|(name, numbers)| (name.clone(), stats::mean(&numbers).into())));
    figures
}

/// Takes one measure from a run.
type Measure = fn(&Summary) -> f64;

fn spreads(runs: &[Summary]) -> BTreeMap<String, Spread> {
    let measures: [(&str, Measure); 10] = [
        ("convergence_ms.p50", |run| run.convergence_ms.p50),
        ("convergence_ms.p99", |run| run.convergence_ms.p99),
        ("convergence_ms.max", |run| run.convergence_ms.max),
        ("updates", |run| run.updates as f64),
        ("bytes.total", |run| run.bytes.total as f64),
        ("bytes.per_update", |run| run.bytes.per_update),
        ("overcounting_percent", |run| run.overcounting_percent),
        ("rss_bytes.mean", |run| run.rss_bytes.mean),
        ("cpu_seconds", |run| run.cpu_seconds),
        ("run_seconds", |run| run.run_seconds),
    ];
    let spread = |pick: Measure| Spread::of(&runs.iter().map(pick).collect::<Vec<_>>());
    measures.into_iter().map(|(name, pick)| (name.to_owned(), spread(pick))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::summary::{Outside, summarize};

    fn run(seed: u64, total: u64, lost: u64) -> Summary {
        let mut summary = summarize(&Config { seed, ..Config::default() }, &[], &[], Outside::default());
        summary.problems = if lost > 0 { vec![format!("{lost} missing")] } else { Vec::new() };
        (summary.converged, summary.lost_updates, summary.bytes.total) = (lost == 0, lost, total);
        summary
    }

    #[test]
    fn one_run_stands_for_itself() {
        let only = run(1, 10, 0);
        let overall = aggregate(vec![only.clone()]).unwrap();
        assert_eq!(overall.summary, only);
        let json = serde_json::to_value(&overall).unwrap();
        assert!(json.get("runs").is_none() && json["seed"] == 1);
    }

    #[test]
    fn one_bad_run_spoils_the_verdict_and_is_named() {
        let overall = aggregate(vec![run(1, 10, 0), run(2, 30, 4)]).unwrap();
        assert!(!overall.summary.converged);
        assert_eq!(overall.summary.problems, ["run 2: 4 missing"]);
        assert_eq!((overall.summary.lost_updates, overall.summary.bytes.total), (4, 20));
        assert_eq!(overall.spread["bytes.total"].max, 30.0);
        assert_eq!(overall.runs.len(), 2);
    }

    #[test]
    fn the_file_reads_back() {
        for runs in [vec![run(1, 10, 0)], vec![run(1, 10, 0), run(2, 20, 4), run(3, 30, 0)]] {
            let overall = aggregate(runs).unwrap();
            let json = serde_json::to_string(&overall).unwrap();
            assert_eq!(serde_json::from_str::<Overall>(&json).unwrap(), overall);
        }
    }
}
