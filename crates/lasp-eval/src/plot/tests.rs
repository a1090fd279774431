//! Figures of a made-up run; `LASP_EVAL_TEST_PLOTS=DIR` keeps them for looking at.

use super::*;
use crate::config::AdvertisementCounter;
use crate::economy::Economy;
use crate::record::NodeRecord;
use crate::summary::{Outside, summarize};
use crate::tree::Tree;
use crate::variables::{Disagreement, longest};

/// A run that never was, with curves as real ones have them; `variant` bends them a little.
pub(crate) fn made_up(config: &Config, variant: u32) -> Run {
    let records: Vec<NodeRecord> = Vec::new();
    let mut summary = summarize(config, &records, &[], Outside::default());
    let bend = 1.0 + 0.1 * f64::from(variant);
    summary.problems.clear();
    summary.converged = true;
    summary.overcounting = (0..10).map(|ad| (format!("ad-{ad}"), bend * f64::from(ad % 4 + 3))).collect();
    summary.degrees = vec![2, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5];
    let t: Vec<f64> = (0..60).map(|i| f64::from(i) * 0.25).collect();
    let ramp = |from: f64, to: f64| -> Vec<f64> {
        t.iter().map(|t| bend * ((t - from) / (to - from)).clamp(0.0, 1.0)).collect()
    };
    let scale = |values: Vec<f64>, by: f64| -> Vec<f64> { values.into_iter().map(|value| value * by).collect() };
    let wave = |base: f64| -> Vec<f64> {
        t.iter().map(|t| if *t > 1.0 && *t < 12.0 { bend * (base + 0.4 * (t * 3.0).sin()) } else { 0.0 }).collect()
    };
    let series = Series {
        state: scale(ramp(1.0, 12.0), 850_000.0),
        protocol: scale(ramp(0.0, 14.0), 420_000.0),
        divergence: wave(0.7),
        divergence_max: wave(1.6),
        rss_mean: scale(ramp(-4.0, 1.0), 6.1e6),
        rss_max: scale(ramp(-4.0, 1.0), 7.4e6),
        state_rate: scale(wave(1.2), 60_000.0),
        protocol_rate: scale(wave(0.8), 20_000.0),
        membership_rate: vec![bend * 4_000.0; t.len()],
        redundancy_state: wave(1.1).into_iter().map(|over| 1.0 + over / 10.0).collect(),
        redundancy_payloads: wave(1.4).into_iter().map(|over| 1.0 + over / 5.0).collect(),
        digest_hits: wave(0.7).into_iter().map(|missed| 100.0 - 30.0 * missed).collect(),
        kept: scale(wave(0.7), 12.0),
        kept_max: scale(wave(1.2), 20.0),
        waiting_max: scale(wave(0.5), 3.0),
        t,
    };
    let moments: Vec<Moment> = series.t.iter().map(|t| moment(*t, u64::from(variant))).collect();
    let tree = Tree { depths: vec![1.0, 4.0, 9.0, 2.0], diameter: 6, ..moments[40].tree.clone() };
    summary.economy = Some(Economy { tree, variables: longest(&moments), ..Economy::default() });
    let convergence_ms = (0..16).map(|i| bend * f64::from(i * i) / 16.0).collect();
    Run { summary, series, moments, convergence_ms, visibility_ms: Vec::new() }
}

/// A tree that grows from a flood, and three variables of which one is calm.
fn moment(t: f64, variant: u64) -> Moment {
    let busy = t > 1.0 && t < 12.0;
    let differ =
        |most: u64| Disagreement { hear: 16, differ: if busy { (most + variant) * (1 + (t as u64) % 2) } else { 0 } };
    let variables = [("impressions/ad-1", differ(4)), ("impressions/ad-2", differ(2)), ("status", differ(0))];
    let cycles = (3.0 - t).max(0.0) + variant as f64 / 10.0;
    Moment {
        t_us: (t * 1e6) as u64,
        tree: Tree {
            nodes: 16,
            depths: vec![1.0, 5.0, 6.0 + cycles, 4.0],
            links_ratio: 1.0 + cycles,
            components: if t < 0.5 { 3 } else { 1 },
            ..Tree::default()
        },
        variables: variables.map(|(name, disagreement)| (name.to_owned(), disagreement)).into(),
    }
}

fn advertisement() -> Config {
    Config { scenario: Scenario::AdvertisementCounter(AdvertisementCounter::default()), ..Config::default() }
}

fn ids(charts: &[Chart]) -> Vec<&'static str> {
    charts.iter().map(|chart| chart.id).collect()
}

#[test]
fn a_run_has_the_figures_that_it_has_numbers_for() {
    let config = advertisement();
    let run = made_up(&config, 0);
    let all = [
        "transmission",
        "traffic",
        "divergence",
        "variables",
        "convergence",
        "redundancy",
        "digests",
        "buffers",
        "memory",
        "overcounting",
        "degree",
        "tree",
        "depths",
        "depth",
    ];
    assert_eq!(ids(&charts(&config, std::slice::from_ref(&run))), all);

    let simulated = Run { series: Series { rss_mean: vec![], rss_max: vec![], ..run.series.clone() }, ..run.clone() };
    assert!(!ids(&charts(&config, &[simulated])).contains(&"memory"));

    let latency = Config { scenario: Scenario::Latency(Default::default()), ..config };
    let timed = Run { visibility_ms: vec![vec![1.0, 2.0], vec![], vec![0.5, 0.6]], ..run };
    let ids = ids(&charts(&latency, &[timed]));
    assert!(ids.contains(&"visibility") && !ids.contains(&"overcounting"), "{ids:?}");
}

#[test]
fn several_runs_are_drawn_as_their_mean_and_range() {
    let config = advertisement();
    let runs = [made_up(&config, 0), made_up(&config, 2)];
    let charts = charts(&config, &runs);
    let of = |id: &str| &charts.iter().find(|chart| chart.id == id).expect("there is one").kind;
    let Kind::Lines(lines) = of("divergence") else { panic!("divergence is drawn as curves") };
    let (low, high) = lines[1].band.as_ref().expect("two runs have a range");
    let (mean, at) = (&lines[1].points, 10);
    assert!(low[at] < mean[at].1 && mean[at].1 < high[at]);
    let Kind::Bars(bars) = of("overcounting") else { panic!("ten ads are drawn as bars") };
    assert!(bars.iter().all(|bar| bar.error.0 > 0.0));
    let Kind::Lines(lines) = of("variables") else { panic!("variables are drawn as curves") };
    assert_eq!(lines.iter().map(|line| &line.label).collect::<Vec<_>>(), ["status", "ad-2", "ad-1"]);
    let (low, high) = lines[0].band.as_ref().expect("two runs have a range");
    assert!(low[at] < high[at]);
}

#[test]
fn figures_are_drawn_whole_in_every_form() {
    let config = advertisement();
    let keep = std::env::var("LASP_EVAL_TEST_PLOTS").ok();
    for (variant, runs) in [("one", 1), ("many", 3)] {
        let runs: Vec<Run> = (0..runs).map(|variant| made_up(&config, variant)).collect();
        for chart in charts(&config, &runs) {
            let (file, page) = (draw::svg(&chart), draw::inline_svg(&chart));
            assert!(file.contains(&chart.x_label) && file.contains("#2563c9"), "{}", chart.id);
            assert!(page.starts_with("<svg role") && page.contains("var(--first)") && !page.contains("#2563c9"));
            let png = draw::png(&chart).unwrap();
            assert!(png.starts_with(b"\x89PNG"));
            if let Some(dir) = &keep {
                std::fs::write(format!("{dir}/{variant}-{}.png", chart.id), png).unwrap();
                std::fs::write(format!("{dir}/{variant}-{}.svg", chart.id), file).unwrap();
            }
        }
    }
}

#[test]
fn a_distribution_starts_at_zero_and_ends_at_all() {
    let points = distribution(vec![4.0, 1.0]).unwrap();
    assert_eq!(points, [(0.0, 0.0), (1.0, 0.0), (1.0, 50.0), (4.0, 100.0)]);
    assert_eq!(distribution(vec![]), None);
}
