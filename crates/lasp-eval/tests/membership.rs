//! Experiments on membership strategies, small: nobody healthy is removed, nobody stays alone, idle nodes are quiet.

mod support;

use lasp_eval::config::{Churn, Config, Idle, Membership, Rapid, Scenario};
use lasp_eval::span::Span;
use support::{curve, run};

fn refusal(config: Config) -> String {
    config.check().unwrap_err().to_string()
}

/// Faults shorter than any suspicion: nobody is removed.
#[test]
fn the_rapid_experiment_in_small_removes_the_crashed_alone() {
    let options =
        Rapid { crashes: 5, faulty: 5, flip: Span::from_secs(5), trouble: Span::from_secs(40), ..Rapid::default() };
    let config = Config { nodes: 60, runs: 2, ..Config::of(Scenario::Rapid(options)) };
    let (overall, home) = run(&config);
    let results = &overall.summary.results;
    assert_eq!(overall.summary.problems, Vec::<String>::new());
    for phase in ["crash_dark", "crash_reset", "flip", "loss"] {
        assert_eq!(results[&format!("{phase}_healthy_unreachable")], 0.0, "{phase}");
    }
    let periods = results["crash_dark_detected_periods"].value().unwrap();
    assert!((1.0..3.5).contains(&periods), "{periods} periods; SWIM: 1.58");
    assert!(results["crash_reset_detected_periods"] < 1.58, "a reset hastens the probe");
    assert!(results["bootstrap_distinct_sizes"] <= 3.0, "{:?}", results["bootstrap_distinct_sizes"]);
    assert!(results["rest_bytes_per_node_second"] < 34.0, "foca: 34");
    assert!(results["flip_faulty_suspected"] > 0.0 && results["loss_faulty_suspected"] > 0.0);
    for name in ["sizes", "growth", "dark", "reset", "reachable", "traffic"] {
        assert!(home.path().join(format!("out/plots/{name}.png")).is_file(), "{name}");
    }
    let (again, _home) = run(&config);
    assert_eq!((&again.summary.results, again.summary.trace_hash), (results, overall.summary.trace_hash.clone()));
}

/// Faults longer than any suspicion, and a policy: exactly the faulty are removed.
#[test]
fn what_is_cut_off_for_long_is_removed_and_nobody_else() {
    let options = Rapid {
        crashes: 2,
        faulty: 5,
        flip: Span::from_secs(150),
        egress_loss: 100,
        trouble: Span::from_secs(300),
        evict_after: Some(Span::from_secs(30)),
    };
    let config = Config { nodes: 60, runs: 1, ..Config::of(Scenario::Rapid(options)) };
    let (overall, _home) = run(&config);
    let results = &overall.summary.results;
    assert_eq!(overall.summary.problems, Vec::<String>::new());
    for phase in ["flip", "loss"] {
        assert_eq!(results[&format!("{phase}_faulty_unreachable")], 3.0, "{phase}");
        assert_eq!(results[&format!("{phase}_healthy_unreachable")], 0.0, "{phase}");
    }
}

#[test]
fn nodes_come_and_go_and_nobody_stays_alone() {
    let options = Churn { rates: vec![10, 100], minutes: 2, ..Churn::default() };
    for (membership, nodes) in [(Membership::HyParView, 200), (Membership::Full, 60), (Membership::Scamp, 100)] {
        let scenario = Scenario::Churn(options.clone());
        let config = Config { nodes, runs: 2, membership, ..Config::of(scenario) };
        let (overall, home) = run(&config);
        if membership != Membership::Scamp {
            assert_eq!(overall.summary.problems, Vec::<String>::new(), "{membership}");
            let asymmetric = curve(&overall, "asymmetric_after_repair");
            assert_eq!(asymmetric["100"].max, 0.0, "{membership}: {asymmetric:?}");
            assert_eq!(curve(&overall, "dangling_after_repair")["10"].max, 0.0, "{membership}");
        }
        assert_eq!(curve(&overall, "isolated_cycle_after_churn")["10"].max, 0.0, "{membership}");
        assert_eq!(curve(&overall, "replaced")["100"].mean, 2.0 * nodes as f64);
        assert_eq!(curve(&overall, "replaced")["10"].mean, 0.2 * nodes as f64);
        assert!(home.path().join("out/plots/isolated.png").is_file());
    }
}

#[test]
fn nodes_at_rest_are_quiet_whatever_the_size_of_their_cluster() {
    let options = Idle { sizes: vec![20, 200], ..Idle::default() };
    let config = Config { runs: 1, ..Config::of(Scenario::Idle(options)) };
    let (overall, home) = run(&config);
    assert_eq!(overall.summary.problems, Vec::<String>::new());
    let [alone, node] = ["membership", "node"].map(|of| curve(&overall, &format!("{of}_bytes_per_node_second")));
    assert!(alone["200"].mean > 5.0 && alone["200"].mean < 50.0, "{alone:?}");
    assert!(node["200"].mean >= 0.9 * alone["200"].mean && node["200"].mean < 50.0, "{node:?}");
    assert!(home.path().join("out/plots/bytes.png").is_file());
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let rapid = |options| Config::of(Scenario::Rapid(options));
    let other = Config { membership: Membership::HyParView, ..rapid(Rapid::default()) };
    assert_eq!(refusal(other), "`rapid` is not about hyparview membership; it runs full");
    let lossy = Config { loss: 0.1, ..rapid(Rapid::default()) };
    assert_eq!(refusal(lossy), "--loss has no meaning for `rapid`, which makes its own faults");
    let short = rapid(Rapid { trouble: Span::from_secs(30), ..Rapid::default() });
    assert_eq!(refusal(short), "--trouble is 30000, but must be at least twice --flip");
    let most = Config { nodes: 60, ..rapid(Rapid { crashes: 30, ..Rapid::default() }) };
    assert_eq!(refusal(most), "--crashes is 30, but must be at least 1, and less than half of the nodes");
    let churn = |options| Config::of(Scenario::Churn(options));
    assert_eq!(refusal(churn(Churn { rates: vec![10, 10], ..Churn::default() })), "--rate has 10 twice");
    let mesh = Config { membership: Membership::Full, ..churn(Churn::default()) };
    assert!(refusal(mesh).contains("50 to 4000 with full membership"));
    let idle = Config { nodes: 7, ..Config::of(Scenario::Idle(Idle::default())) };
    assert_eq!(refusal(idle), "--nodes 7 contradicts --sizes, whose largest is 10000");
    let server = Config { membership: Membership::ClientServer, nodes: 100, ..churn(Churn::default()) };
    assert_eq!(refusal(server), "`churn` is not about client-server membership; it runs hyparview, full, scamp");
}
