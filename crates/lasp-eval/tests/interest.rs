//! Many variables of which each node wants few, small: everybody gets all of what it wants, and little of the rest.

#[path = "support/spent.rs"]
mod spent;
mod support;

use lasp_eval::config::{Config, Interest, Scenario};
use lasp_eval::replication::tables::tables;
use spent::{drawn, part};
use support::{curve, run};

fn small() -> Config {
    let options = Interest { variables: 60, wanted: 0.05, updates: 3, changes: 5, ..Interest::default() };
    Config { nodes: 60, ..Config::of(Scenario::Interest(options)) }
}

#[test]
fn nodes_that_want_little_get_all_of_it_and_little_else() {
    let (overall, home) = run(&small());
    assert_eq!(overall.summary.problems, Vec::<String>::new());
    let coverage = curve(&overall, "coverage_percent");
    assert_eq!(["wanted", "everything"].map(|hearing| coverage[hearing].mean), [100.0, 100.0]);
    let kept = curve(&overall, "variables_kept");
    assert!(kept["wanted"].mean < 0.5 * kept["everything"].mean, "{kept:?}");
    let share = overall.summary.results["payload_percent"].value().unwrap();
    assert!((5.0..50.0).contains(&share), "{share} % of full replication");
    assert!(curve(&overall, "change_s")["wanted"].mean < 10.0);
    assert_eq!(tables(&overall.summary)[0].rows.len(), 2);
    assert!(home.path().join("out/plots/received.png").is_file());
    for hearing in ["wanted", "everything"] {
        let spent = part(&overall, hearing);
        assert_eq!(spent.bytes.total as f64, 60.0 * curve(&overall, "bytes_per_node")[hearing].mean);
        assert_eq!(spent.economy.redundancy.state, curve(&overall, "redundancy")[hearing].mean);
        assert_eq!(spent.economy.tree.nodes, 60);
    }
    drawn(home.path(), &["traffic", "redundancy", "digests", "buffers", "tree", "depths"], Some("wanted"));
    let (again, _home) = run(&small());
    assert_eq!(again.summary.trace_hash, overall.summary.trace_hash);
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let refusal = |options| Config::of(Scenario::Interest(options)).check().unwrap_err().to_string();
    assert_eq!(refusal(Interest { wanted: 1.5, ..Interest::default() }), "--wanted is 1.5, but must be 0 to 1");
    assert!(refusal(Interest { changes: 2_000, ..Interest::default() }).starts_with("--changes is 2000"));
}
