//! Whole evaluations in virtual time: they converge, and the same seed gives the same run.

use lasp_eval::aggregate::Overall;
use lasp_eval::config::{AdvertisementCounter, Config, Latency, Membership, Scenario, SharedLoad, Where};
use lasp_eval::progress::Stop;
use lasp_eval::run::{Context, EvalError, evaluate};
use lasp_eval::span::Span;
use serde_json::Value;
use std::path::Path;

fn small(scenario: Scenario) -> Config {
    Config { nodes: 16, place: Where::Sim, scenario, ..Config::default() }
}

fn ads(heavy_clients: bool) -> Scenario {
    let impression_interval = Span::from_millis(100);
    Scenario::AdvertisementCounter(AdvertisementCounter { ads: 4, impressions: 20, impression_interval, heavy_clients })
}

fn run_in(config: &Config, dir: &Path) -> Overall {
    let context = Context { dir, exe: Path::new("none is started"), date: "today", stop: Stop::default(), page: None };
    evaluate(config, &context, &mut ()).unwrap()
}

fn run(config: &Config) -> Overall {
    let home = tempfile::tempdir().unwrap();
    run_in(config, &home.path().join("out"))
}

/// `summary.json` without what the machine decides.
fn without_machine(dir: &Path) -> Value {
    let mut json: Value = serde_json::from_slice(&std::fs::read(dir.join("summary.json")).unwrap()).unwrap();
    let fields = json.as_object_mut().unwrap();
    for field in ["wall_seconds", "cpu_seconds", "rss_bytes"] {
        fields.remove(field).unwrap();
    }
    json
}

fn assert_clean(overall: &Overall) {
    let summary = &overall.summary;
    assert!(summary.converged, "{:?}", summary.problems);
    assert_eq!((summary.lost_updates, summary.isolated_nodes, summary.components), (0, 0, 1));
    assert_eq!((summary.asymmetric_links, summary.dangling_links), (0, 0));
    assert_eq!(summary.divergence_final, 0.0);
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_one_another() {
    for heavy in [false, true] {
        let home = tempfile::tempdir().unwrap();
        let config = small(ads(heavy));
        let dirs = [home.path().join("a"), home.path().join("b"), home.path().join("c")];
        run_in(&config, &dirs[0]);
        run_in(&config, &dirs[1]);
        run_in(&Config { seed: 2, ..config }, &dirs[2]);
        assert_eq!(without_machine(&dirs[0]), without_machine(&dirs[1]));
        let csv = |dir: &Path| std::fs::read_to_string(dir.join("metrics.csv")).unwrap();
        assert_eq!(csv(&dirs[0]), csv(&dirs[1]));
        assert_ne!(without_machine(&dirs[0])["trace_hash"], without_machine(&dirs[2])["trace_hash"]);
    }
}

#[test]
fn ads_run_out_and_every_impression_is_counted_with_light_and_heavy_clients_and_any_membership() {
    // The first is what the others are compared with; a daemon of this machine knows nothing of virtual time.
    let apart = [Membership::HyParView, Membership::Epmd];
    let others = Membership::AVAILABLE.iter().filter(|membership| !apart.contains(membership));
    let others = others.map(|membership| Config { membership: *membership, ..small(ads(false)) });
    for config in [small(ads(false)), small(ads(true))].into_iter().chain(others) {
        let overall = run(&config);
        assert_clean(&overall);
        let summary = overall.summary;
        assert!(summary.results["impressions"] >= 80.0);
        assert_eq!(summary.overcounting.len(), 4);
        // Four ads and four contracts are published in two updates, and four ads are removed, by the server at least.
        assert!(summary.updates >= summary.results["impressions"].value().unwrap() as u64 + 6);
    }
}

#[test]
fn light_clients_are_spared_what_they_did_not_ask_for() {
    let (light, heavy) = (run(&small(ads(false))), run(&small(ads(true))));
    assert_clean(&light);
    assert!(light.summary.overcounting_percent >= 0.0 && heavy.summary.overcounting_percent >= 0.0);
}

#[test]
fn a_shared_load_ends_at_the_exact_values() {
    let load = SharedLoad { increments: 20, ..SharedLoad::default() };
    let overall = run(&Config { nodes: 5, ..small(Scenario::SharedLoad(load)) });
    assert_clean(&overall);
    assert_eq!(overall.summary.updates, 5 * 22);
    assert!(overall.summary.results["load_bytes_per_update"] > 0.0);
}

#[test]
fn latency_is_that_of_the_simulated_network() {
    let latency = Latency { rounds: 20, ..Latency::default() };
    let overall = run(&Config { nodes: 5, ..small(Scenario::Latency(latency)) });
    assert_clean(&overall);
    let results = &overall.summary.results;
    // One hop takes 1 to 5 ms.
    assert!(results["visible_at_one_ms_p50"] >= 1.0, "{results:?}");
    assert!(results["visible_at_all_ms_max"] < 1000.0, "{results:?}");
}

#[test]
fn loss_partitions_and_crashes_delay_the_end_and_lose_nothing() {
    let config = Config {
        loss: 0.1,
        partition_probability: 0.1,
        churn: 4.0,
        duration: Span::from_secs(600),
        ..small(ads(false))
    };
    let overall = run(&config);
    let summary = overall.summary;
    assert!(summary.converged, "{:?}", summary.problems);
    assert_eq!(summary.lost_updates, 0);
    assert!(summary.crashes > 0, "four crashes per client and minute, and none in {} s", summary.run_seconds);
}

#[test]
fn a_run_that_cannot_end_in_time_says_who_is_late_and_is_archived_all_the_same() {
    let home = tempfile::tempdir().unwrap();
    let config = Config { duration: Span::from_millis(1500), ..small(ads(false)) };
    let overall = run_in(&config, home.path());
    assert!(!overall.summary.converged);
    assert_eq!(overall.summary.problems[0], "given up after 1500ms");
    assert!(overall.summary.problems[1].contains("did not complete"), "{:?}", overall.summary.problems);
    assert!(home.path().join("report.html").is_file());
}

#[test]
fn several_runs_are_archived_each_and_together() {
    let home = tempfile::tempdir().unwrap();
    let load = SharedLoad { increments: 5, ..SharedLoad::default() };
    let config = Config { nodes: 3, runs: 3, seed: 40, ..small(Scenario::SharedLoad(load)) };
    let overall = run_in(&config, home.path());
    assert_clean(&overall);
    assert_eq!(overall.runs.iter().map(|run| run.seed).collect::<Vec<_>>(), [40, 41, 42]);
    for name in ["report.html", "summary.json", "config.toml", "run-1/report.html", "run-3/metrics.csv"] {
        assert!(home.path().join(name).is_file(), "{name}");
    }
    let again = Config::read(&home.path().join("run-2/config.toml")).unwrap();
    assert_eq!(again, config.run(1));
}

#[test]
fn nothing_is_started_where_nothing_can_be_written() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("file"), "").unwrap();
    let dir = home.path().join("file/out");
    let context = Context { dir: &dir, exe: Path::new("none"), date: "today", stop: Stop::default(), page: None };
    let outcome = evaluate(&small(ads(false)), &context, &mut ());
    assert!(matches!(outcome, Err(EvalError::Archive(_))));
}
