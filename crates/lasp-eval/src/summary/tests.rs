//! The figures of hand-made runs.

use super::*;
use crate::config::{AdvertisementCounter, Latency};
use crate::record::{Probe, Role};

fn config(nodes: usize) -> Config {
    let scenario =
        Scenario::AdvertisementCounter(AdvertisementCounter { ads: 1, impressions: 10, ..Default::default() });
    Config { nodes, scenario, ..Config::default() }
}

/// A node that did `own` of `seen` impressions of one ad and went all the way.
fn node(at: u64, own: u64, seen: u64) -> NodeRecord {
    let role = if at == 0 { Role::Server } else { Role::Client };
    let mut record = NodeRecord::new(&format!("node-{at}"), role, at);
    record.completed = true;
    record.counted_us = (0..own).map(|i| 1000 * (i + 1)).collect();
    record.updates = own;
    record.last_update_us = record.counted_us.last().copied();
    record.last_change_us = record.last_update_us;
    (record.saw_end_us, record.pushed_us, record.ended_us) = (Some(50_000), Some(60_000), Some(70_000));
    record.tallies.insert("ad-0".into(), Tally { acknowledged: own, seen });
    record.values.insert("ad-0".into(), seen.to_string());
    record.probe = Probe { peer: at + 1, incarnation: 1, ..Probe::default() };
    record
}

fn linked(mut records: Vec<NodeRecord>) -> Vec<NodeRecord> {
    let peers: Vec<u64> = records.iter().map(|record| record.probe.peer).collect();
    for record in &mut records {
        record.probe.active = peers.iter().copied().filter(|peer| *peer != record.probe.peer).collect();
    }
    records
}

fn sum_up(config: &Config, records: &[NodeRecord]) -> Summary {
    summarize(config, records, &[], Outside::default())
}

#[test]
fn a_clean_run_is_converged_with_nothing_lost() {
    let mut records = linked(vec![node(0, 0, 12), node(1, 6, 12), node(2, 6, 12)]);
    records[0].last_change_us = Some(10_000);
    records[1].probe.bytes = Bytes { state: 100, membership: 20, broadcast: 3, sync: 1 };
    records[2].probe.bytes = Bytes { state: 50, ..Bytes::default() };
    let summary = sum_up(&config(3), &records);
    assert!(summary.converged, "{:?}", summary.problems);
    assert_eq!((summary.updates, summary.lost_updates, summary.crashes), (12, 0, 0));
    assert_eq!(summary.overcounting_percent, 20.0);
    assert_eq!(summary.divergence_final, 0.0);
    // The last update was at 6 ms; node 0 had it at 10 ms.
    assert_eq!(summary.convergence_ms, Quantiles { p50: 0.0, p99: 4.0, max: 4.0 });
    assert_eq!((summary.bytes.total, summary.bytes.state, summary.bytes.protocol), (174, 150, 24));
    assert_eq!(summary.bytes.per_node_mean, 58.0);
    assert_eq!(summary.bytes.per_update, 14.5);
    assert_eq!((summary.isolated_nodes, summary.asymmetric_links, summary.components), (0, 0, 1));
    assert_eq!(summary.results["impressions"], 12.0);
    assert_eq!(summary.run_seconds, 0.07);
}

#[test]
fn an_acknowledged_update_that_one_node_lacks_is_lost_and_a_disagreement() {
    let records = linked(vec![node(0, 0, 12), node(1, 6, 12), node(2, 6, 11)]);
    let summary = sum_up(&config(3), &records);
    assert!(!summary.converged);
    assert_eq!(summary.lost_updates, 1);
    assert_eq!(
        summary.problems,
        ["nodes disagree on `ad-0`: 2 different final values", "1 acknowledged updates are missing"]
    );
    assert!((summary.divergence_final - 1.0 / 36.0).abs() < 1e-12);
}

#[test]
fn what_a_crashed_life_had_not_sent_is_told_apart_from_what_was_lost() {
    // node-1 acknowledged 5, crashed, came back and did 4 more; 3 of the first 5 had got out.
    let mut first = node(1, 5, 5);
    first.completed = false;
    let mut second = node(1, 4, 13);
    second.started_us = 9_000;
    second.probe.incarnation = 2;
    let records = [linked(vec![node(0, 0, 13), node(2, 6, 13), second]), vec![first]].concat();
    let summary = sum_up(&config(3), &records);
    assert!(summary.converged, "{:?}", summary.problems);
    assert_eq!((summary.lost_updates, summary.crashed_updates, summary.crashes), (0, 5, 1));
    assert_eq!(summary.divergence_final, 0.0);
    assert_eq!(summary.updates, 15);
}

#[test]
fn nodes_that_are_missing_or_unfinished_are_named() {
    let mut late = node(1, 6, 6);
    (late.completed, late.pushed_us) = (false, None);
    let summary = sum_up(&config(3), &[node(0, 0, 6), late]);
    assert!(!summary.converged);
    assert_eq!(
        summary.problems,
        ["1 of 3 nodes left no record", "node-1 did not complete (2 of 3 saw the end, 1 pushed their logs)"]
    );
}

#[test]
fn latency_is_measured_from_the_writer_to_the_slowest_reader() {
    let mut records = vec![node(0, 2, 2), node(1, 0, 2), node(2, 0, 2)];
    records[0].rounds_us = vec![1000, 5000];
    records[1].rounds_us = vec![1500, 5200];
    records[2].rounds_us = vec![3000, 5100];
    let config = Config { nodes: 3, scenario: Scenario::Latency(Latency::default()), ..Config::default() };
    let summary = sum_up(&config, &records);
    assert_eq!(summary.results["visible_at_all_ms_p50"], 0.2);
    assert_eq!(summary.results["visible_at_all_ms_max"], 2.0);
    assert_eq!(summary.results["visible_at_one_ms_p50"], 0.2);
}

#[test]
fn every_field_of_the_contract_is_in_the_file() {
    let json = serde_json::to_value(sum_up(&config(1), &[node(0, 12, 12)])).unwrap();
    for field in [
        "scenario",
        "seed",
        "nodes",
        "membership",
        "dissemination",
        "sync",
        "where",
        "converged",
        "convergence_ms",
        "divergence_final",
        "updates",
        "lost_updates",
        "bytes",
        "overcounting_percent",
        "isolated_nodes",
        "asymmetric_links",
        "components",
        "rss_bytes",
        "cpu_seconds",
        "wall_seconds",
        "queue_peak",
    ] {
        assert!(json.get(field).is_some(), "{field}");
    }
    for (group, fields) in [
        ("convergence_ms", &["p50", "p99", "max"][..]),
        ("bytes", &["total", "state", "protocol", "per_node_mean", "per_node_p99", "per_update"]),
        ("rss_bytes", &["mean", "max"]),
    ] {
        assert!(fields.iter().all(|field| json[group].get(field).is_some()), "{group}");
    }
}
