//! Experiments on overlays, small: figures have their shape, follow from the seed, and say what they should.

mod support;

use lasp_eval::config::{Config, Crash, Hyparview, Optimise, OverlayScale, Scenario};
use lasp_eval::figure::Figure;
use support::{curve, run};

#[test]
fn the_papers_experiment_in_small() {
    let options = Hyparview { cycles: 5, messages: 10, large_passive_view: 60, ..Hyparview::default() };
    let config = Config { nodes: 200, runs: 2, ..Config::of(Scenario::Hyparview(options)) };
    let (overall, home) = run(&config);
    let reliability = curve(&overall, "reliability");
    assert_eq!(reliability.keys().next_back().map(String::as_str), Some("95"));
    assert_eq!((reliability.len(), curve(&overall, "healing_cycles").len()), (10, 9));
    assert!(reliability["50"].mean > 99.0, "{reliability:?}");
    assert!(curve(&overall, "reliability_large_passive")["95"].mean >= reliability["95"].min);
    assert!(curve(&overall, "reliability_cyclon")["80"].mean < 50.0);
    assert!(!overall.summary.results.contains_key("reliability_scamp"), "it was not asked for");
    for variant in ["no_spares", "silent", "large_passive"] {
        let reliability = curve(&overall, &format!("reliability_{variant}"));
        assert!(reliability.len() == 3 && reliability["80"].mean > 95.0, "{variant}: {reliability:?}");
    }
    assert_eq!(overall.summary.results["reliability_before"], 100.0);
    assert!(!overall.summary.results.contains_key("link_round_trip_ms"), "nobody is anywhere");
    assert!(overall.summary.converged && overall.summary.asymmetric_links == 0);
    for name in ["report.html", "summary.json", "plots/reliability.png", "plots/healing.svg", "plots/paths.svg"] {
        assert!(home.path().join("out").join(name).is_file(), "{name}");
    }
    let page = std::fs::read_to_string(home.path().join("out/report.html")).unwrap();
    assert!(page.contains("HyParView, published") && page.contains("<td class=\"number\">90.8</td>"));
    let (again, _home) = run(&config);
    assert_eq!(again.summary.results, overall.summary.results);
    assert_eq!(again.summary.trace_hash, overall.summary.trace_hash);
}

#[test]
fn links_become_cheaper_and_what_failures_do_does_not() {
    let options = Hyparview {
        cycles: 30,
        messages: 10,
        failed: vec![50, 70],
        crash: Crash::Silent,
        optimise: Optimise::Rtt,
        variants: false,
        compare: false,
        ..Hyparview::default()
    };
    let config = Config { nodes: 150, runs: 1, ..Config::of(Scenario::Hyparview(options)) };
    let (overall, _home) = run(&config);
    let varied = |name: &str| match &overall.summary.results[name] {
        Figure::Varied(varied) => varied.mean,
        other => panic!("{name}: {other:?}"),
    };
    let (before, after) = (varied("link_round_trip_ms_before"), varied("link_round_trip_ms"));
    assert!((45.0..65.0).contains(&before) && after < 0.75 * before, "{before} ms, then {after} ms");
    let reliability = curve(&overall, "reliability");
    assert_eq!(reliability.keys().collect::<Vec<_>>(), ["50", "70"]);
    assert!(reliability.values().all(|share| share.mean > 95.0), "{reliability:?}");
    assert!(overall.summary.results.keys().all(|name| !name.contains("silent") && !name.contains("scamp")));
}

/// Through one contact every view held it, so that views had 62 entries of 200, clustered at 0.78.
#[test]
fn scamp_joined_through_random_members_has_views_of_its_size_and_the_published_curve() {
    let options = Hyparview {
        cycles: 5,
        messages: 200,
        failed: vec![10, 20, 30, 70],
        variants: false,
        compare: false,
        scamp: true,
        ..Hyparview::default()
    };
    let nodes = 400;
    let config = Config { nodes, runs: 2, ..Config::of(Scenario::Hyparview(options)) };
    let (overall, _home) = run(&config);
    let varied = |name: &str| match &overall.summary.results[name] {
        Figure::Varied(varied) => varied.mean,
        other => panic!("{name}: {other:?}"),
    };
    // c = 4: (c + 1) ln n, less what a view lacks where it is all of a small cluster.
    let expected = 4.0 + 5.0 * (nodes as f64 / 5.0).ln();
    assert!((0.85..1.15).contains(&(varied("degree_scamp") / expected)), "{} of {expected}", varied("degree_scamp"));
    // A random graph's is 2 d / n = 0.12, and the published one of 10,000 three times that graph's.
    assert!(varied("clustering_scamp") < 0.45, "{}", varied("clustering_scamp"));
    let reliability = curve(&overall, "reliability_scamp");
    for (percent, published) in [("10", 94.7), ("20", 92.2), ("30", 88.0), ("70", 4.2)] {
        assert!((reliability[percent].mean - published).abs() < 8.0, "{percent}: {reliability:?}");
    }
}

#[test]
fn half_of_an_overlay_fails_and_one_broadcast_reaches_the_rest() {
    let config = Config {
        nodes: 400,
        ..Config::of(Scenario::OverlayScale(OverlayScale { wave: 20, ..OverlayScale::default() }))
    };
    let (overall, _home) = run(&config);
    assert_eq!(overall.summary.problems, Vec::<String>::new());
    assert_eq!((overall.summary.results["reached"].clone(), overall.summary.isolated_nodes), (200.0.into(), 0));
}
