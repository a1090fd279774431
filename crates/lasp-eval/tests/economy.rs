//! What agreeing took, in whole evaluations in virtual time: the figures of `summary.json`, over time and at the end.

use lasp_eval::aggregate::Overall;
use lasp_eval::config::{AdvertisementCounter, Config, Dissemination, Scenario, SharedLoad, Sync, Where};
use lasp_eval::economy::Economy;
use lasp_eval::flow;
use lasp_eval::progress::Stop;
use lasp_eval::record::Sample;
use lasp_eval::run::{Context, evaluate};
use lasp_eval::span::Span;
use std::fs;
use std::path::Path;

const NODES: usize = 24;

fn load() -> Config {
    let load = SharedLoad { increments: 60, increment_interval: Span::from_millis(500), increments_per_add: 10 };
    Config { nodes: NODES, place: Where::Sim, scenario: Scenario::SharedLoad(load), ..Config::default() }
}

/// Runs an evaluation; its archive is `out` in the folder.
fn run(config: &Config) -> (Overall, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("out");
    let context =
        Context { dir: &dir, exe: "none is started".as_ref(), date: "today", stop: Stop::default(), page: None };
    (evaluate(config, &context, &mut ()).unwrap(), home)
}

fn economy(overall: &Overall) -> &Economy {
    assert!(overall.summary.converged, "{:?}", overall.summary.problems);
    overall.summary.economy.as_ref().expect("nodes keep records")
}

fn samples(home: &Path) -> Vec<Sample> {
    let text = fs::read_to_string(home.join("out/metrics.csv")).unwrap();
    let rows: Vec<Sample> = text.lines().skip(1).map(|line| Sample::from_csv(line).expect(line)).collect();
    assert!(text.lines().next().unwrap().ends_with(&flow::NAMES.join(",")));
    rows
}

#[test]
fn a_tree_brings_what_is_needed_about_once_and_a_flood_once_over_every_link() {
    let (tree, home) = run(&load());
    let (flood, _flooded) = run(&Config { dissemination: Dissemination::Flood, ..load() });
    let (by_tree, by_flood) = (economy(&tree), economy(&flood));
    // The tree begins as a flood, and forms anew as nodes come.
    assert!((1.0..1.2).contains(&by_tree.redundancy.state), "{:?}", by_tree.redundancy);
    assert!((1.0..1.2).contains(&by_tree.redundancy.payloads), "{:?}", by_tree.redundancy);
    let links = flood.summary.degrees.iter().sum::<usize>() as f64;
    let least = links / 2.0 / (NODES - 1) as f64;
    assert!(by_flood.redundancy.payloads > 0.9 * least, "{:?}, {links} links", by_flood.redundancy);
    assert!(least > 1.5 && by_flood.redundancy.state > 1.5, "{:?}", by_flood.redundancy);
    // What all need is what all have: as much by one way as by the other, but for what merges on the way.
    assert!(by_tree.redundancy.state_received < by_flood.redundancy.state_received);

    assert_eq!((by_tree.tree.components, by_tree.tree.nodes), (1, NODES));
    assert!((0.99..1.2).contains(&by_tree.tree.links_ratio), "{:?}", by_tree.tree);
    assert_eq!(by_tree.tree.depths.iter().sum::<f64>(), NODES as f64);
    assert_eq!(by_tree.tree.children.iter().sum::<f64>(), NODES as f64);
    assert!(by_flood.tree.links_ratio > 1.5 && by_flood.tree.diameter <= by_tree.tree.diameter, "{:?}", by_flood.tree);

    let digests = by_tree.digests;
    assert!(digests.received > 0 && digests.equal <= digests.received, "{digests:?}");
    assert!((0.0..=1.0).contains(&digests.hit_rate) && digests.hit_rate > 0.0, "{digests:?}");

    for row in samples(home.path()) {
        let flow = row.flow;
        assert!(flow.state_needed <= flow.state_received && flow.payloads_needed <= flow.payloads_received);
        assert!(flow.waiting_entries <= flow.node_entries_peak && flow.link_entries_peak <= flow.node_entries_peak);
        assert!(flow.node_entries_peak <= by_tree.buffers.node_entries);
        assert!(flow.link_entries_peak <= by_tree.buffers.link_entries);
        assert!(flow.waiting_bytes <= by_tree.buffers.node_bytes);
        assert!(flow.link_bytes_peak <= by_tree.buffers.link_bytes);
        assert!(flow.kept_entries <= by_tree.buffers.kept_entries && flow.waiting_entries <= flow.kept_entries);
        assert!(flow.eager_links <= row.active_view);
    }
    let sent = tree.summary.bytes;
    assert_eq!(sent.protocol, sent.membership + sent.broadcast + sent.sync);
    assert!(sent.membership > 0 && sent.broadcast > 0 && sent.sync > 0);
}

#[test]
fn states_at_intervals_are_mostly_known() {
    let config = Config {
        dissemination: Dissemination::Gossip,
        sync: Sync::State,
        propagation_interval: Span::from_secs(1),
        ..load()
    };
    let (overall, _home) = run(&config);
    let redundancy = economy(&overall).redundancy;
    assert!(redundancy.state > 2.0, "{redundancy:?}");
}

#[test]
fn variables_that_change_are_those_that_nodes_disagree_on() {
    let impression_interval = Span::from_millis(200);
    let ads = AdvertisementCounter { ads: 3, impressions: 60, impression_interval, heavy_clients: false };
    let config = Config {
        nodes: 16,
        place: Where::Sim,
        sample_interval: Span::from_millis(50),
        scenario: Scenario::AdvertisementCounter(ads),
        ..Config::default()
    };
    let (overall, home) = run(&config);
    let listed = &economy(&overall).variables;
    assert!(listed.is_sorted_by(|a, b| a.seconds >= b.seconds) && listed.len() <= 10, "{listed:?}");
    let named = |name: &str| listed.iter().any(|of| of.name == name);
    assert!((0..3).all(|ad| named(&format!("impressions/ad-{ad}"))), "{listed:?}");
    for of in listed {
        assert!(of.seconds > 0.0 && of.seconds <= overall.summary.run_seconds);
        assert!(0.0 < of.mean_percent && of.mean_percent <= of.max_percent && of.max_percent < 100.0, "{of:?}");
    }
    let page = fs::read_to_string(home.path().join("out/report.html")).unwrap();
    let moments = fs::read_to_string(home.path().join("out/moments.csv")).unwrap();
    assert!(moments.lines().count() > 50 && moments.lines().count() < 1000, "{moments}");
    let differ = fs::read_to_string(home.path().join("out/variables.csv")).unwrap();
    assert!(differ.lines().any(|row| row.contains(",impressions/ad-0,16,")), "{differ}");
    for id in ["traffic", "redundancy", "digests", "buffers", "tree", "depths", "depth", "variables"] {
        assert!(page.contains(&format!("<figure id=\"{id}\">")), "{id}");
        assert!(home.path().join(format!("out/plots/{id}.png")).is_file());
    }
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(home.path().join("out/summary.json")).unwrap()).unwrap();
    for (field, within) in [
        ("redundancy", "state"),
        ("digests", "hit_rate"),
        ("buffers", "link_entries"),
        ("tree", "links_ratio"),
        ("bytes", "membership"),
    ] {
        assert!(json[field][within].is_number(), "{field}.{within}");
    }
    assert!(json["variables"][0]["seconds"].is_number());
}
