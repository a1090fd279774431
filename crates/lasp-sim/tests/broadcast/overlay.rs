//! Over HyParView: the tree on an overlay that builds and mends itself.

use crate::forest::{Forest, assert_quiescent, broadcast, overlay};
use lasp_overlay::PeerId;
use lasp_overlay::membership::{MembershipConfig, hyparview};
use std::collections::BTreeSet;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn grown(seed: u64, count: u64) -> Forest {
    let membership = MembershipConfig::HyParView(hyparview::Config::default());
    overlay(lasp_sim::Config::seeded(seed), &membership, count)
}

/// Insists on one component, on links that both ends have, and on no peer without neighbours.
fn assert_sound_overlay(sim: &Forest) {
    let active = |id: PeerId| sim.peer(id).map(|tree| tree.active()).unwrap_or_default();
    let mut reached = BTreeSet::new();
    let mut todo: Vec<PeerId> = sim.peers().map(|(id, _)| id).take(1).collect();
    while let Some(id) = todo.pop() {
        if reached.insert(id) {
            todo.extend(active(id));
        }
    }
    assert_eq!(reached.len(), sim.len(), "one component");
    for (id, tree) in sim.peers() {
        assert!(!tree.active().is_empty(), "{id} is isolated");
        for other in tree.active() {
            assert!(active(other).contains(&id), "{id} -> {other} is one-sided");
        }
    }
}

#[test]
fn the_tree_settles_at_no_redundancy_over_overlays_of_all_sizes() {
    for (seed, count, depth) in [(1, 10, 6), (2, 100, 11), (3, 1_000, 15)] {
        let mut sim = grown(seed, count);
        assert_sound_overlay(&sim);
        assert_eq!(broadcast(&mut sim, &[0], SECOND, SECOND).reliability, 1.0);
        let senders: Vec<u64> = (0..10).map(|n| n * count / 10).collect();
        // The first wave is among these.
        let forming = senders.repeat(4);
        assert_eq!(broadcast(&mut sim, &forming, SECOND / 10, SECOND * 3).reliability, 1.0, "{count} peers");
        // Batches of a busy cluster leave a second apart, and each id is in two.
        let steady = broadcast(&mut sim, &senders, SECOND / 10, SECOND * 3);
        assert_eq!(steady.reliability, 1.0, "{count} peers");
        // Not quite 0: links come and go.
        assert!(steady.rmr < 0.01 && steady.ldh <= depth, "{count} peers: {steady:?}");
        assert_quiescent(&sim);
    }
}

#[test]
fn after_a_mass_failure_overlay_and_tree_mend_themselves() {
    for (seed, share) in [(1, 0.3), (2, 0.5)] {
        let mut sim = grown(seed, 300);
        broadcast(&mut sim, &[1, 2, 3], SECOND, SECOND);
        for peer in 1..300 {
            if sim.rng().chance(share) {
                sim.crash(PeerId(peer));
            }
        }
        sim.run_for(SECOND);
        let alive: Vec<u64> = sim.peers().map(|(id, _)| id.0).collect();
        let soon = broadcast(&mut sim, &alive[..20], SECOND / 10, SECOND * 3);
        assert!(soon.reliability > 0.99, "{share} crashed, a second later: {soon:?}");
        sim.run_for(SECOND * 60);
        assert_sound_overlay(&sim);
        // The root may be dead: another one's wave is among these.
        let settling = broadcast(&mut sim, &alive[..60], SECOND, SECOND * 3);
        let settled = broadcast(&mut sim, &alive[..20], SECOND / 10, SECOND * 2);
        assert_eq!((settling.reliability, settled.reliability), (1.0, 1.0), "{share} crashed");
        assert!(settled.rmr < 0.01, "{share} crashed: {settled:?}");
    }
}
