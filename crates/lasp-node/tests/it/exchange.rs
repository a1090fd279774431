//! Every way to disseminate with every mode of synchronisation: equal stores in the end, at the cost that the mode is for.

use crate::rig::{Rig, set};
use lasp_dataflow::Type;
use lasp_node::{Class, Config, DeltaRules, Dissemination, ExchangeConfig, SyncMode};
use lasp_overlay::PeerId;
use std::time::Duration;

fn config(dissemination: Dissemination, sync_mode: SyncMode) -> Config {
    let exchange = ExchangeConfig { interval: Duration::from_secs(1), ..ExchangeConfig::default() };
    Config { dissemination, sync_mode, exchange, ..Config::default() }
}

/// Each of the nodes adds numbers of its own, one a second.
fn write(rig: &mut Rig, nodes: u64, rounds: i64) {
    for round in 0..rounds {
        for node in 1..=nodes {
            rig.add_all(node, "numbers", [100 * node as i64 + round]);
        }
        rig.run(1);
    }
}

fn written(nodes: i64, rounds: i64) -> Vec<i64> {
    (1..=nodes).flat_map(|node| (0..rounds).map(move |round| 100 * node + round)).collect()
}

#[test]
fn every_mode_converges_under_loss_whatever_pushes() {
    for (seed, dissemination) in Dissemination::ALL.into_iter().enumerate() {
        for mode in SyncMode::ALL {
            let network = lasp_sim::Config { loss: 0.2, ..lasp_sim::Config::seeded(seed as u64) };
            let mut rig = Rig::new(network, vec![config(dissemination, mode); 6]);
            write(&mut rig, 6, 4);
            rig.run(60);
            for node in 1..=6 {
                assert_eq!(rig.value(node, "numbers"), set(written(6, 4)), "{dissemination} {mode}, node {node}");
            }
            let prints: Vec<u64> = (1..=6).map(|node| rig.node(node).fingerprint()).collect();
            assert!(prints.iter().all(|print| *print == prints[0]), "{dissemination} {mode}");
        }
    }
}

#[test]
fn nodes_of_different_modes_understand_each_other() {
    let configs = SyncMode::ALL.map(|mode| config(Dissemination::Gossip, mode)).to_vec();
    let mut rig = Rig::new(lasp_sim::Config::seeded(3), configs);
    write(&mut rig, 6, 3);
    rig.run(60);
    for node in 1..=6 {
        assert_eq!(rig.value(node, "numbers"), set(written(6, 3)), "node {node}");
    }
}

#[test]
fn a_node_that_forgot_everything_is_told_everything() {
    for mode in SyncMode::ALL {
        let mut rig = Rig::new(lasp_sim::Config::seeded(4), vec![config(Dissemination::Gossip, mode); 4]);
        write(&mut rig, 4, 2);
        rig.run(20);
        rig.crash(3);
        rig.run(10);
        rig.restart(3, 2, 1);
        rig.run(60);
        assert_eq!(rig.value(3, "numbers"), set(written(4, 2)), "{mode}");
    }
}

#[test]
fn a_healed_partition_leaves_nobody_behind() {
    for mode in SyncMode::ALL {
        let mut rig = Rig::new(lasp_sim::Config::seeded(5), vec![config(Dissemination::Gossip, mode); 6]);
        let side = |from: u64| (from..from + 3).map(PeerId).collect::<Vec<_>>();
        rig.sim.partition(&[side(1), side(4)]);
        write(&mut rig, 6, 3);
        rig.sim.heal();
        rig.run(120);
        for node in 1..=6 {
            assert_eq!(rig.value(node, "numbers"), set(written(6, 3)), "{mode}, node {node}");
        }
    }
}

#[test]
fn deltas_are_silent_once_everything_is_acknowledged() {
    for mode in SyncMode::ALL.into_iter().filter(|mode| matches!(mode, SyncMode::Delta(_))) {
        let mut rig = Rig::new(lasp_sim::Config::seeded(6), vec![config(Dissemination::Gossip, mode); 5]);
        write(&mut rig, 5, 3);
        rig.run(30);
        let sent = |rig: &Rig| {
            let of = |node| rig.node(node).metrics();
            (1..=5).map(|node| of(node).sent(Class::State) + of(node).sent(Class::Sync)).sum::<u64>()
        };
        let before = sent(&rig);
        rig.run(60);
        assert_eq!(sent(&rig), before, "{mode}");
        assert!((1..=5).all(|node| rig.node(node).is_quiescent()), "{mode}");
    }
}

/// On cycles: what came is news to nobody behind, and goes back where it came from, unless the rules forbid it.
#[test]
fn each_rule_saves_what_it_is_for() {
    let entries = |mode| {
        let mut rig = Rig::new(lasp_sim::Config::seeded(7), vec![config(Dissemination::Gossip, mode); 6]);
        rig.run(5);
        write(&mut rig, 6, 20);
        rig.run(30);
        assert_eq!(rig.cardinality(1, "numbers"), 120, "{mode}");
        (1..=6).map(|node| rig.node(node).metrics().entries_sent).sum::<u64>()
    };
    let rules = |avoid_back_propagation, remove_redundancy| {
        entries(SyncMode::Delta(DeltaRules { avoid_back_propagation, remove_redundancy }))
    };
    let (state, classic, rr, both) =
        (entries(SyncMode::State), rules(false, false), rules(false, true), rules(true, true));
    let least = 120 * 5;
    assert!(both >= least && both < rr && 2 * rr < classic && both * 4 < state, "{both} {rr} {classic} {state}");
    assert!(entries(SyncMode::Digest) < 4 * least);
}

#[test]
fn a_neighbour_hears_by_exchanges_only_what_it_wants() {
    let wants = lasp_node::Interests::prefixes(["wanted/"]);
    let light = |mode| Config { interests: wants.clone(), ..config(Dissemination::Gossip, mode) };
    for mode in SyncMode::ALL {
        let mut rig = Rig::new(lasp_sim::Config::seeded(8), vec![config(Dissemination::Gossip, mode), light(mode)]);
        rig.run(5);
        rig.add_all(1, "wanted/a", [1]);
        rig.add_all(1, "other", [2]);
        rig.run(10);
        assert_eq!((rig.value(2, "wanted/a"), rig.value(2, "other")), (set([1]), None), "{mode}");
        rig.declare(2, "other", Type::AwSet);
        rig.run(20);
        assert_eq!(rig.value(2, "other"), set([2]), "{mode}: what it wants later it is told whole");
    }
}
