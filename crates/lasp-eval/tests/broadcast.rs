//! The experiment on broadcast trees, small: one tree, whoever sends, and the first message after a failure is heard.

mod support;

use lasp_eval::config::{Broadcast, BroadcastPreset, Config, Scenario};
use support::{curve, run};

fn small(options: Broadcast) -> Config {
    let options = Broadcast { cycles: 4, messages: 12, after: 3, ..options };
    Config { nodes: 300, runs: 2, ..Config::of(Scenario::Broadcast(options)) }
}

#[test]
fn trees_have_no_redundancy_and_failures_lose_nothing() {
    let config = small(Broadcast::default());
    let (overall, home) = run(&config);
    let results = &overall.summary.results;
    assert_eq!(overall.summary.problems, Vec::<String>::new());
    for way in ["single", "multi"] {
        for (view, links) in [("", 5.0), ("_wide", 10.0)] {
            let value = |name: &str| results[&format!("{name}_{way}{view}")].value().unwrap();
            assert!(value("rmr") <= 0.02, "{way}{view}: {}", value("rmr"));
            assert_eq!(value("reliability"), 100.0);
            let payloads = value("payload_messages");
            assert!((299.0..306.0).contains(&payloads), "{payloads}: one to each but the sender");
            // Nearly all links but the tree's, at one end, twice.
            assert!(value("announcement_messages") < (links - 1.8) * 299.0, "{}", value("announcement_messages"));
        }
        let first = &results[&format!("rmr_{way}_with_first")];
        assert!(first.value().unwrap() > 0.1, "the first message floods: {first:?}");
    }
    assert!(results["ldh_multi"].value() >= results["ldh_single"].value());
    assert!(results["ldh_multi_wide"].value() < results["ldh_multi"].value(), "a wider view makes a shallower tree");
    let first = curve(&overall, "first_reliability");
    assert!(first.keys().eq(["60", "70", "80"]) && first.values().all(|share| share.min >= 99.0), "{first:?}");
    for name in ["rmr", "ldh", "last-delivery", "first-message", "redundancy-after"] {
        assert!(home.path().join(format!("out/plots/{name}.png")).is_file(), "{name}");
    }
    let (again, _home) = run(&config);
    assert_eq!((&again.summary.results, again.summary.trace_hash), (results, overall.summary.trace_hash.clone()));
}

#[test]
fn links_of_the_preset_take_their_time() {
    let Scenario::Broadcast(options) = BroadcastPreset::Iroh.config().scenario else { panic!("another scenario") };
    let (overall, _home) = run(&small(Broadcast { wide_view: 0, failed: Vec::new(), ..options }));
    let results = &overall.summary.results;
    assert_eq!(overall.summary.problems, Vec::<String>::new());
    assert!(results["rmr_multi"].value().unwrap() <= 0.05, "{:?}", results["rmr_multi"]);
    let (hops, last) = (results["ldh_multi"].value().unwrap(), results["last_delivery_ms_multi"].value().unwrap());
    assert!(last > 10.0 * 5.0 && last < 50.0 * hops, "{last} ms, {hops} hops");
    assert!(!results.contains_key("first_reliability") && !results.contains_key("rmr_multi_wide"));
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let refusal = |options| Config::of(Scenario::Broadcast(options)).check().unwrap_err().to_string();
    let narrow = refusal(Broadcast { wide_view: 4, ..Broadcast::default() });
    assert_eq!(narrow, "--wide-view is 4, but must be 0, or more than --active-view, up to 32");
    let few = refusal(Broadcast { messages: 5, ..Broadcast::default() });
    assert_eq!(few, "--messages is 5, but must be more than --forming, up to 100000");
}
