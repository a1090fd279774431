//! Experiments on nodes under a load, or that load, small: what they say is there, and is as it should be.

#[path = "support/spent.rs"]
mod spent;
mod support;

use lasp_eval::config::{Config, FirstSync, Heal, Joiner, Scenario, SlowPeer, Where};
use lasp_eval::loopback::joiner::options::Shape;
use lasp_eval::replication::tables::tables;
use lasp_eval::span::Span;
use spent::{drawn, part};
use support::{curve, run};

/// Pictures of what agreeing took.
const PICTURES: [&str; 8] = ["traffic", "variables", "redundancy", "digests", "buffers", "tree", "depths", "depth"];

#[test]
fn halves_that_were_cut_meet_within_rounds_and_pay_for_what_differs() {
    let options = Heal { writes: vec![10, 200], variables: 50, elements: 1000, apart: Span::from_secs(60) };
    let (overall, home) = run(&Config { nodes: 40, runs: 1, ..Config::of(Scenario::Heal(options)) });
    assert_eq!(overall.summary.problems, Vec::<String>::new());
    let (state, rounds) = (curve(&overall, "state_bytes"), curve(&overall, "rounds"));
    assert!(rounds["10"].mean <= 3.0 && rounds["200"].mean <= 3.0);
    let more = state["200"].mean / state["10"].mean;
    assert!((5.0..40.0).contains(&more), "twenty times the updates take {more} times the bytes");
    assert_eq!(overall.summary.lost_updates, 0);
    assert_eq!(tables(&overall.summary)[0].rows.len(), 2);
    assert!(home.path().join("out/plots/course.png").is_file());
    for writes in ["10", "200"] {
        let spent = part(&overall, writes);
        assert_eq!(spent.bytes.total as f64, curve(&overall, "bytes")[writes].mean);
        assert_eq!(spent.economy.redundancy.state, curve(&overall, "redundancy")[writes].mean);
        assert_eq!(100.0 * spent.economy.digests.hit_rate, curve(&overall, "digest_hit_percent")[writes].mean);
        let longest = &spent.economy.variables[0];
        // One half differs from the other at first, and then some hold what both wrote.
        assert!(longest.name.starts_with("set/") && longest.max_percent >= 50.0, "{longest:?}");
        assert_eq!(spent.economy.tree.nodes, 40);
    }
    drawn(home.path(), &PICTURES, Some("200"));
}

#[test]
fn what_waits_for_a_slow_node_is_bounded_by_the_state_and_small_things_overtake() {
    let options =
        SlowPeer { rate: 500, load: Span::from_secs(10), variables: 20, transfer: 2_000_000, ..SlowPeer::default() };
    let (overall, home) = run(&Config { nodes: 8, runs: 1, ..Config::of(Scenario::SlowPeer(options)) });
    assert_eq!(overall.summary.problems, Vec::<String>::new());
    let of = |name: &str| overall.summary.results[name].value().unwrap();
    assert_eq!(of("updates"), 5_000.0);
    assert!(of("waiting_bytes_most") > 0.0 && of("slow_converged_seconds") > 1.0, "it was slow");
    assert!(of("waiting_beyond_state_bytes") < 1_048_576.0);
    assert!(of("transfer_small_updates") > 3.0);
    assert!(home.path().join("out/plots/waiting.png").is_file());
    let summary = &overall.summary;
    let economy = summary.economy.as_ref().expect("there is one configuration");
    assert!(summary.parts.is_empty() && summary.bytes.state > 0 && summary.bytes.membership > 0);
    assert_eq!(summary.bytes.per_update, summary.bytes.total as f64 / 5_000.0);
    assert!(economy.buffers.node_bytes as f64 >= of("waiting_bytes_most"), "{:?}", economy.buffers);
    assert!(economy.buffers.kept_entries as f64 >= of("kept_entries_most"), "{:?}", economy.buffers);
    // The slow one does not have the newest state as long as it reads.
    let longest = &economy.variables[0];
    assert!(longest.name.starts_with("count/") && longest.seconds > of("slow_converged_seconds"), "{longest:?}");
    drawn(home.path(), &PICTURES, None);
}

#[test]
fn a_joiner_loads_while_both_ends_serve() {
    let options = Joiner { keys: vec![2_000], shapes: vec![Shape::Variables, Shape::Map] };
    let (overall, home) = run(&Config { runs: 1, ..Config::of(Scenario::Joiner(options)) });
    assert_eq!(overall.summary.problems, Vec::<String>::new());
    for shape in ["variables", "map"] {
        let of = |name: &str| curve(&overall, &format!("{shape}_{name}"))["2000"].mean;
        assert!(of("seconds") > of("linked_seconds") && of("state_bytes") > 20_000.0, "{shape}");
        assert!(of("joiner_asked_ms_max") > 0.0 && of("giver_asked_ms_max") > 0.0, "{shape}: both were asked");
        let spent = part(&overall, &format!("{shape}_2000"));
        assert!(spent.bytes.state as f64 >= of("state_bytes"), "the joiner's client writes, too: {:?}", spent.bytes);
        assert!(spent.economy.redundancy.state < 1.5, "{:?}", spent.economy.redundancy);
        assert!(spent.economy.buffers.link_bytes > 0 && spent.economy.tree.nodes == 0, "{:?}", spent.economy);
    }
    assert_eq!(tables(&overall.summary).len(), 2);
    assert!(home.path().join("out/plots/seconds.png").is_file());
    drawn(home.path(), &["traffic", "redundancy", "buffers"], Some("variables_2000"));
}

#[test]
fn a_first_synchronisation_and_updates_are_timed() {
    let options = FirstSync { sizes: vec![3], variables: 10, joins: 3, updates: 5 };
    let (overall, home) = run(&Config { nodes: 3, ..Config::of(Scenario::FirstSync(options)) });
    assert_eq!(overall.summary.problems, Vec::<String>::new());
    let of = |name: &str| curve(&overall, &format!("{name}_ms_p50"))["3"].mean;
    assert!(of("first_sync") > of("linked") && of("visible_at_all") >= of("visible_at_one"));
    assert!(home.path().join("out/plots/first-sync.png").is_file());
    let spent = part(&overall, "3");
    // Ten counters for each of three joiners, and five updates for two: what joiners need is most of it.
    assert!(spent.economy.redundancy.payloads_needed >= 13, "{:?}", spent.economy.redundancy);
    assert_eq!((spent.economy.tree.nodes, spent.economy.tree.components), (3, 1));
    drawn(home.path(), &["traffic", "redundancy", "digests", "buffers", "tree"], Some("3"));
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let refusal = |config: Config| config.check().unwrap_err().to_string();
    let joiner = Config::of(Scenario::Joiner(Joiner::default()));
    assert_eq!(
        refusal(Config { place: Where::Sim, ..joiner.clone() }),
        "joiner is about real sockets: leave out `--where sim`"
    );
    assert_eq!(refusal(Config { nodes: 3, ..joiner }), "--nodes is 3, but must be 2 for this scenario");
    let heal = Config::of(Scenario::Heal(Heal { writes: vec![5, 5], ..Heal::default() }));
    assert_eq!(refusal(heal), "--writes has 5 twice");
    let slow = Config::of(Scenario::SlowPeer(SlowPeer { reads: 0, ..SlowPeer::default() }));
    assert_eq!(refusal(Config { place: Where::Process, ..slow.clone() }), refusal(slow));
}
