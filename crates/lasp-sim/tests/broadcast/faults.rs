//! With faults: what the tree loses, announcements and grafts bring back.

use crate::forest::{Forest, assert_quiescent, assert_spanning_tree, broadcast, forest, random_graph};
use lasp_overlay::broadcast::Config;
use lasp_overlay::{PeerId, Rng};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// A network that loses, doubles and shuffles messages.
fn rough(seed: u64) -> lasp_sim::Config {
    let mut rng = Rng::new(seed ^ 0xabc);
    let (loss, duplicate, reorder) = (0.3 * rng.unit(), 0.2 * rng.unit(), 0.3 * rng.unit());
    lasp_sim::Config { loss, duplicate, reorder, ..lasp_sim::Config::seeded(seed) }
}

fn calm(sim: &mut Forest) {
    let config = sim.config_mut();
    (config.loss, config.duplicate, config.reorder) = (0.0, 0.0, 0.0);
}

fn random_senders(sim: &mut Forest, messages: usize) -> Vec<u64> {
    let alive: Vec<u64> = sim.peers().map(|(id, _)| id.0).collect();
    (0..messages).map(|_| alive[sim.rng().index(alive.len())]).collect()
}

#[test]
fn on_a_rough_network_all_arrives_once_and_afterwards_the_tree_is_a_tree() {
    let mut reliability = 0.0;
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let count = 5 + rng.below(36);
        let edges = random_graph(&mut rng, count, 6);
        let mut sim = forest(rough(seed), &Config::default(), count, &edges);
        let senders = random_senders(&mut sim, 60);
        let outcome = broadcast(&mut sim, &senders, Duration::from_millis(25), SECOND * 10);
        assert!(outcome.reliability > 0.98, "seed {seed}: {outcome:?}");
        reliability += outcome.reliability;
        assert_quiescent(&sim);

        calm(&mut sim);
        for _ in 0..6 {
            let senders = random_senders(&mut sim, 3);
            assert_eq!(broadcast(&mut sim, &senders, SECOND, SECOND * 2).reliability, 1.0, "seed {seed}");
        }
        assert_spanning_tree(&sim);
        let senders = random_senders(&mut sim, 10);
        assert_eq!(broadcast(&mut sim, &senders, SECOND, SECOND).rmr, 0.0, "seed {seed}");
    }
    // The rest is for anti-entropy: an announcement is repeated once, a graft a few times.
    assert!(reliability / 60.0 > 0.999, "{}", reliability / 60.0);
}

#[test]
fn after_a_mass_failure_the_rest_mends_the_tree() {
    for (seed, share) in [(1, 0.3), (3, 0.5)] {
        let edges = random_graph(&mut Rng::new(seed), 300, 10);
        let mut sim = forest(lasp_sim::Config::seeded(seed), &Config::default(), 300, &edges);
        let senders = random_senders(&mut sim, 20);
        broadcast(&mut sim, &senders, Duration::from_millis(20), SECOND * 2);
        for peer in 0..300 {
            if sim.rng().chance(share) {
                sim.crash(PeerId(peer));
            }
        }
        // Broadcast before anyone has noticed.
        let senders = random_senders(&mut sim, 20);
        let at_once = broadcast(&mut sim, &senders, Duration::from_millis(20), SECOND * 3);
        let senders = random_senders(&mut sim, 20);
        let later = broadcast(&mut sim, &senders, Duration::from_millis(200), SECOND * 3);
        let senders = random_senders(&mut sim, 20);
        let settled = broadcast(&mut sim, &senders, Duration::from_millis(20), SECOND * 3);
        let reliability = [at_once, later, settled].map(|outcome| outcome.reliability);
        assert_eq!((reliability, settled.rmr), ([1.0; 3], 0.0), "{share} crashed");
        assert_spanning_tree(&sim);
    }
}
