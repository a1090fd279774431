//! Experiments on how state travels, small: the published rules save what they are to save, all ways lead to the same state,
//! and along a tree everything goes once.

#[path = "support/spent.rs"]
mod spent;
mod support;

use lasp_eval::aggregate::Overall;
use lasp_eval::config::{Config, Membership, Micro, Reconcile, Retwis, Scenario};
use lasp_eval::figure::Figure;
use lasp_eval::replication::micro::workload::Crdt;
use lasp_eval::replication::tables::tables;
use lasp_eval::replication::topology::Topology;
use lasp_eval::replication::way::Way;
use lasp_eval::span::Span;
use spent::{drawn, part};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use support::{curve, run};

/// Pictures of what agreeing took along the tree; what goes within milliseconds is seldom caught by a look each second.
const TREE: [&str; 7] = ["traffic", "redundancy", "digests", "buffers", "tree", "depths", "depth"];

fn small() -> Config {
    let options = Micro { percents: vec![30], events: 10, ..Micro::default() };
    Config { nodes: 9, ..Config::of(Scenario::Micro(options)) }
}

/// Each test looks at another side of it.
fn shared() -> &'static (Overall, tempfile::TempDir) {
    static RUN: OnceLock<(Overall, tempfile::TempDir)> = OnceLock::new();
    RUN.get_or_init(|| run(&small()))
}

/// What a way sent, over the least that must be sent.
fn redundancy(overall: &Overall, prefix: &str, way: Way) -> f64 {
    let floor = overall.summary.results[&format!("{prefix}_floor")].value().unwrap();
    curve(overall, &format!("{prefix}_entries"))[way.name()].mean / floor
}

const WORKLOADS: [&str; 3] = ["gset", "gcounter", "gmap_30"];

/// Whoever differs in the end is a problem, within a way or between two.
#[test]
fn every_way_leads_everywhere_to_the_same_state() {
    assert_eq!(shared().0.summary.problems, Vec::<String>::new());
}

#[test]
fn each_rule_saves_and_both_save_most() {
    let (overall, _) = shared();
    for prefix in WORKLOADS.iter().flat_map(|workload| ["tree", "mesh"].map(|over| format!("{workload}_{over}"))) {
        let sent = |way| redundancy(overall, &prefix, way);
        let [bp, rr, both] = [Way::DeltaBp, Way::DeltaRr, Way::DeltaBpRr].map(sent);
        assert!(both <= bp && both <= rr, "{prefix}: {both} with both, {bp}, {rr}");
        assert!(bp <= sent(Way::Delta) && rr <= sent(Way::Delta), "{prefix}");
        // On a mesh the classic algorithm sends what states would be, as the paper found.
        assert!(sent(Way::Delta) <= 1.05 * sent(Way::State), "{prefix}");
    }
}

#[test]
fn over_a_tree_what_does_not_go_back_goes_once() {
    for workload in WORKLOADS {
        let sent = |way| redundancy(&shared().0, &format!("{workload}_tree"), way);
        assert_eq!([sent(Way::DeltaBp), sent(Way::DeltaBpRr)], [1.0, 1.0], "{workload}");
    }
}

/// Of a mesh of n nodes with degree d, BP+RR uses each link but those by which something first came: d + (n - 1) (d - 1).
#[test]
fn over_a_mesh_the_published_algorithm_sends_what_it_must_by_arithmetic() {
    let sent = redundancy(&shared().0, "gset_mesh", Way::DeltaBpRr);
    assert!((sent - 28.0 / 8.0).abs() < 0.05, "{sent}");
}

#[test]
fn along_a_broadcast_tree_everything_goes_once_over_a_mesh_too() {
    let (overall, _) = shared();
    for prefix in WORKLOADS.map(|workload| format!("{workload}_mesh")) {
        let tree = redundancy(overall, &prefix, Way::Tree);
        assert!(tree <= 1.02, "{prefix}: {tree}");
    }
}

/// What links hold back for a second is missing at the neighbours for seconds, and is neither asked for nor taken for lost.
#[test]
fn what_links_hold_back_is_no_leak() {
    let options = Micro {
        crdts: vec![Crdt::GSet],
        topologies: vec![Topology::Mesh],
        modes: vec![Way::DeltaBpRr, Way::TreePaced],
        events: 60,
        ..Micro::default()
    };
    let (overall, _home) = run(&Config::of(Scenario::Micro(options)));
    assert_eq!(overall.summary.problems, Vec::<String>::new());
    let paced = redundancy(&overall, "gset_mesh", Way::TreePaced);
    assert!(paced <= 1.15, "{paced}");
    let bytes = curve(&overall, "gset_mesh_bytes");
    assert!(bytes["tree-paced"].mean < bytes["delta-bp-rr"].mean, "{bytes:?}");
}

#[test]
fn the_same_seed_gives_the_same_figures_and_there_is_a_table_and_a_picture() {
    let (first, home) = shared();
    let (again, _home) = run(&small());
    let exact = |overall: &Overall| -> BTreeMap<String, Figure> {
        let results = overall.summary.results.iter().filter(|(name, _)| !name.ends_with("cpu_ms"));
        results.map(|(name, figure)| (name.clone(), figure.clone())).collect()
    };
    assert_eq!((exact(&again), &again.summary.trace_hash), (exact(first), &first.summary.trace_hash));
    let tables = tables(&first.summary);
    assert_eq!(tables.len(), 6);
    assert!(tables.iter().all(|table| table.rows.len() == Way::ALL.len()));
    assert!(tables[0].text().lines().all(|line| line.len() <= 100), "{}", tables[0].text());
    for name in ["gset_mesh", "transmission"] {
        assert!(home.path().join(format!("out/plots/{name}.png")).is_file(), "{name}");
    }
    assert_eq!(again.summary.parts, first.summary.parts);
}

#[test]
fn what_each_way_took_is_told_by_class_and_drawn() {
    let (overall, home) = shared();
    assert_eq!(overall.summary.parts.len(), 3 * 2 * Way::ALL.len());
    for name in overall.summary.parts.keys() {
        let (spent, has_tree) = (part(overall, name), name.contains("_tree_tree") || name.contains("_mesh_tree"));
        assert_eq!(spent.economy.tree.nodes, if has_tree { 9 } else { 0 }, "{name}");
        assert!(has_tree || spent.economy.digests.received == 0, "{name}: who exchanges does not compare");
        assert!(has_tree || spent.economy.variables.len() == 1, "{name}: {:?}", spent.economy.variables);
    }
    for workload in WORKLOADS {
        let redundancy = |way: &str| part(overall, &format!("{workload}_mesh_{way}")).economy.redundancy.state;
        assert!(redundancy("tree") < 1.1, "{workload}: {}", redundancy("tree"));
        assert!(redundancy("tree") < redundancy("delta_bp_rr"), "{workload}");
        assert!(redundancy("delta_bp_rr") < redundancy("state"), "{workload}");
        let bytes = part(overall, &format!("{workload}_mesh_tree")).bytes.total;
        assert_eq!(bytes as f64, curve(overall, &format!("{workload}_mesh_bytes"))["tree"].mean);
    }
    drawn(home.path(), &TREE, Some("gset_mesh_tree"));
}

#[test]
fn a_social_network_costs_a_tree_a_third_of_what_it_costs_deltas_on_a_mesh() {
    let modes = vec![Way::State, Way::Delta, Way::DeltaBpRr, Way::Tree];
    let options = Retwis { zipf: vec![0.5, 1.25], users: 100, events: 15, modes, ..Retwis::default() };
    let (overall, home) = run(&Config { nodes: 10, ..Config::of(Scenario::Retwis(options)) });
    assert_eq!(overall.summary.problems, Vec::<String>::new());
    for zipf in ["0.5", "1.25"] {
        let bytes = |way: &str| curve(&overall, &format!("{way}_bytes"))[zipf].mean;
        assert!(bytes("delta_bp_rr") <= bytes("delta") && bytes("delta") < 1.2 * bytes("state"), "{zipf}");
        let share = bytes("tree") / bytes("delta_bp_rr");
        assert!(share < 0.5, "Zipf {zipf}: {share}");
    }
    assert!(home.path().join("out/plots/bytes.png").is_file());
    let [states, tree] = ["state_1.25", "tree_1.25"].map(|name| part(&overall, name));
    assert!(states.economy.redundancy.state > 2.0 * tree.economy.redundancy.state, "states are mostly known");
    assert_eq!((states.economy.tree.nodes, tree.economy.tree.nodes), (0, 10));
    assert!(states.economy.variables[0].name.contains('/'), "{:?}", states.economy.variables);
    drawn(home.path(), &TREE, Some("tree_1.25"));
}

#[test]
fn two_replicas_meet_at_little_more_than_what_they_lack() {
    let options = Reconcile { elements: 5_000, similarity: vec![0.0, 50.0, 90.0, 100.0] };
    let (overall, home) = run(&Config::of(Scenario::Reconcile(options)));
    assert_eq!(overall.summary.problems, Vec::<String>::new());
    let (ratio, rateless) = (curve(&overall, "ratio"), curve(&overall, "rateless_ratio"));
    for (similarity, most) in [("0", 1.12), ("50", 1.2), ("90", 1.5)] {
        let ratio = ratio[similarity].mean;
        assert!((1.0..most).contains(&ratio) && ratio < rateless[similarity].mean, "{similarity} %: {ratio}");
    }
    let equal = curve(&overall, "sync_bytes")["100"].mean;
    assert!(equal <= 64.0, "{equal} bytes between equal stores");
    assert_eq!(tables(&overall.summary)[0].rows.len(), 4);
    assert!(home.path().join("out/plots/ratio.png").is_file());
    for similarity in ["0", "50", "90"] {
        let spent = part(&overall, similarity);
        assert_eq!(spent.bytes.total as f64, curve(&overall, "bytes")[similarity].mean);
        assert!(spent.economy.redundancy.state < 1.1, "{similarity} %: {:?}", spent.economy.redundancy);
        assert_eq!(spent.economy.variables[0].name, "strings");
    }
    let equal = &overall.summary.parts["100"].economy;
    assert_eq!((equal.digests.hit_rate, equal.variables.len()), (1.0, 0));
    drawn(home.path(), &["traffic", "variables", "redundancy", "buffers"], Some("90"));
    let many = Config { nodes: 3, ..Config::of(Scenario::Reconcile(Reconcile::default())) };
    assert_eq!(many.check().unwrap_err().to_string(), "--nodes is 3, but must be 2 for this scenario");
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let refusal = |config: Config| config.check().unwrap_err().to_string();
    let micro = |options| Config::of(Scenario::Micro(options));
    let twice = Micro { modes: vec![Way::Tree, Way::Tree], ..Micro::default() };
    assert_eq!(refusal(micro(twice)), "--modes has tree twice");
    let much = Micro { percents: vec![101], ..Micro::default() };
    assert_eq!(refusal(micro(much)), "--percent is 101, but must be 1 to 100 each");
    let hurried = Micro { interval: Span::from_millis(1), ..Micro::default() };
    assert_eq!(refusal(micro(hurried)), "--interval is 1, but must be 100ms to 1m");
    let other = Config { membership: Membership::HyParView, ..micro(Micro::default()) };
    assert_eq!(refusal(other), "`micro` is not about hyparview membership; it runs static");
    let steep = Retwis { zipf: vec![f64::NAN], ..Retwis::default() };
    assert!(refusal(Config::of(Scenario::Retwis(steep))).starts_with("--zipf is NaN"));
}
