//! What is received over what was needed, digests that hit, and the most that waited, in whole clusters.

use crate::rig::Rig;
use lasp_dataflow::{Op, Type, Value};
use lasp_node::{Config, Dissemination, ExchangeConfig, LinkConfig, Metrics, Request, SyncMode};
use lasp_overlay::PeerId;
use std::time::Duration;

const NODES: u64 = 20;

fn cluster(config: Config) -> Rig {
    Rig::new(lasp_sim::Config::seeded(3), vec![config; NODES as usize])
}

/// One node after the other adds to a set, every 50 ms.
fn add(rig: &mut Rig, elements: std::ops::Range<i64>) {
    let vars: Vec<_> = (1..=NODES).map(|id| rig.declare(id, "set", Type::AwSet)).collect();
    for element in elements {
        let id = 1 + element as u64 % NODES;
        let op = Op::Add(Value::Int(element));
        rig.ask(id, Request::Update { var: vars[id as usize - 1], op }).expect("adds");
        rig.sim.run_for(Duration::from_millis(50));
    }
    rig.run(3);
}

fn sum(rig: &Rig, of: impl Fn(&Metrics) -> u64) -> f64 {
    (1..=NODES).map(|id| of(rig.node(id).metrics())).sum::<u64>() as f64
}

/// One of the things that nodes count.
type Count = fn(&Metrics) -> u64;

/// Received over needed in a later part of the load: payloads, bytes of state, entries.
fn redundancy(config: Config) -> ([f64; 3], Rig) {
    let mut rig = cluster(config);
    add(&mut rig, 0..100);
    let counts: [(Count, Count); 3] = [
        (|m| m.payloads_received, |m| m.payloads_needed),
        (|m| m.state_received, |m| m.state_needed),
        (|m| m.entries_received, |m| m.entries_needed),
    ];
    let before = counts.map(|(received, needed)| (sum(&rig, received), sum(&rig, needed)));
    add(&mut rig, 100..300);
    let after = counts.map(|(received, needed)| (sum(&rig, received), sum(&rig, needed)));
    assert_eq!(after[2].1 - before[2].1, 200.0 * (NODES - 1) as f64, "every element was news to every other node");
    let ratio = |at: usize| (after[at].0 - before[at].0) / (after[at].1 - before[at].1);
    ([ratio(0), ratio(1), ratio(2)], rig)
}

#[test]
fn along_a_tree_everything_comes_once() {
    let (ratios, _) = redundancy(Config::default());
    assert!(ratios.iter().all(|ratio| (1.0..1.05).contains(ratio)), "{ratios:?}");
}

/// Nothing of it is under way along the tree, however much is said at the time.
#[test]
fn halves_that_meet_again_in_the_midst_of_much_give_each_other_everything_once() {
    let mut rig = cluster(Config::default());
    add(&mut rig, 0..100);
    let half = |ids: std::ops::RangeInclusive<u64>| ids.map(PeerId).collect::<Vec<_>>();
    rig.sim.partition(&[half(1..=NODES / 2), half(NODES / 2 + 1..=NODES)]);
    add(&mut rig, 100..1_500);
    let counts = |rig: &Rig| [sum(rig, |m| m.entries_received), sum(rig, |m| m.entries_needed)];
    let before = counts(&rig);
    rig.sim.heal();
    rig.run(20);
    assert!((1..=NODES).all(|id| rig.cardinality(id, "set") == 1_500));
    let [received, needed] = counts(&rig);
    assert_eq!(needed - before[1], 700.0 * NODES as f64, "what the other half had added, at every node");
    let ratio = (received - before[0]) / (needed - before[1]);
    assert!(ratio < 1.4, "{ratio}");
}

#[test]
fn a_flood_brings_everything_over_every_link() {
    let (ratios, rig) = redundancy(Config { dissemination: Dissemination::Flood, ..Config::default() });
    let links = (1..=NODES).map(|id| rig.node(id).active_view().len()).sum::<usize>() as f64;
    // To each neighbour but the one that it came from; a link may carry it both ways at once.
    let most = (links - (NODES - 1) as f64) / (NODES - 1) as f64;
    let least = links / 2.0 / (NODES - 1) as f64;
    assert!(ratios.iter().all(|ratio| (least..=1.02 * most).contains(ratio)), "{ratios:?}, {least} to {most}");
    assert!(least > 1.5, "{links} links");
}

#[test]
fn whole_states_are_told_again_and_again() {
    let exchange = ExchangeConfig { interval: Duration::from_secs(1), ..ExchangeConfig::default() };
    let states =
        Config { dissemination: Dissemination::Gossip, sync_mode: SyncMode::State, exchange, ..Config::default() };
    let ([payloads, bytes, entries], _) = redundancy(states);
    assert!(entries > 20.0 && bytes > 20.0, "{entries} entries, {bytes} bytes for one");
    assert!(payloads < entries, "{payloads} payloads for one: most states bring a little news");
}

#[test]
fn equal_stores_say_no_more_than_a_digest() {
    let mut rig = cluster(Config::default());
    add(&mut rig, 0..40);
    rig.run(20);
    let counts = |rig: &Rig| (sum(rig, |m| m.digests_received), sum(rig, |m| m.digests_equal));
    let before = counts(&rig);
    rig.run(60);
    let after = counts(&rig);
    assert!(after.0 - before.0 >= (5 * NODES) as f64, "{} comparisons", after.0 - before.0);
    assert_eq!(after.0 - before.0, after.1 - before.1);
    // Some of the first are lost with handshakes.
    assert!(sum(&rig, |m| m.syncs) >= after.0);
}

#[test]
fn stores_that_differ_do_not_hit() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(4), vec![Config::default(); 2]);
    rig.run(30);
    rig.crash(2);
    rig.run(5);
    rig.add_all(1, "set", 0..100);
    rig.restart(2, 2, 1);
    let equal = |rig: &Rig| (1..=2).map(|id| rig.node(id).metrics().digests_equal).sum::<u64>();
    let before = equal(&rig);
    rig.sim.run_for(Duration::from_millis(400));
    let compared = rig.node(1).metrics().digests_received + rig.node(2).metrics().digests_received;
    assert!(compared > 0 && equal(&rig) < before + compared);
    rig.run(30);
    assert_eq!(rig.cardinality(2, "set"), 100);
}

#[test]
fn peaks_are_at_least_what_is_ever_seen_to_wait() {
    let link = LinkConfig { pace: Duration::from_secs(1), ..LinkConfig::default() };
    let mut rig = cluster(Config { link, ..Config::default() });
    let vars: Vec<_> = (1..=NODES).map(|id| rig.declare(id, "set", Type::AwSet)).collect();
    let mut most = 0;
    for element in 0..400 {
        let id = 1 + element as u64 % NODES;
        rig.ask(id, Request::Update { var: vars[id as usize - 1], op: Op::Add(Value::Int(element)) }).expect("adds");
        rig.sim.run_for(Duration::from_millis(10));
        for id in 1..=NODES {
            let node = rig.node(id);
            let (waiting, metrics) = (node.waiting_entries() as u64, node.metrics());
            most = most.max(waiting);
            assert!(waiting <= metrics.node_entries_peak && metrics.link_entries_peak <= metrics.node_entries_peak);
            let links = node.active_view().into_iter().map(|peer| node.buffered_bytes(peer.id)).max();
            assert!(links.is_none_or(|bytes| bytes < 2 * metrics.link_bytes_peak as usize + 200), "{links:?}");
        }
    }
    assert!(most > 20, "{most}");
    rig.run(10);
    assert!((1..=NODES).all(|id| rig.node(id).waiting_entries() == 0));
    assert!(rig.node(1).link_load(PeerId(1)).is_none());
}
