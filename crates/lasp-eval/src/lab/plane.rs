//! Nodes scattered over a square: what a link costs is how far apart its ends are.

use lasp_crdt::fingerprint::mix;
use lasp_overlay::{PeerId, Rng};
use lasp_sim::rule::{Route, Rule, Verdict};
use std::time::Duration;

/// The side of the square, in milliseconds of travel one way. 50: guess; mean distances are then 26 ms, as within a continent.
const SIDE: f64 = 50.0;

/// What every way takes besides, in milliseconds. 1: guess.
const LEAST: f64 = 1.0;

/// By how much two journeys over the same way differ at most, either way. 5 %: guess; no two round trips are the same.
const VARIES: f64 = 0.05;

/// A square with a place for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plane {
    /// Places follow from it.
    pub seed: u64,
}

impl Plane {
    fn place(self, peer: PeerId) -> (f64, f64) {
        let mut rng = Rng::new(mix(self.seed, peer.0));
        (SIDE * rng.unit(), SIDE * rng.unit())
    }

    /// One way between two peers, in milliseconds.
    pub fn distance(self, a: PeerId, b: PeerId) -> f64 {
        let ((ax, ay), (bx, by)) = (self.place(a), self.place(b));
        LEAST + (ax - bx).hypot(ay - by)
    }
}

impl Rule for Plane {
    fn on_send(&mut self, _: lasp_overlay::Time, route: Route, rng: &mut Rng) -> Verdict {
        let spread = 1.0 + VARIES * (2.0 * rng.unit() - 1.0);
        Verdict::Travel(Duration::from_secs_f64(self.distance(route.from, route.to) * spread / 1000.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_symmetric_bounded_and_follow_from_the_seed() {
        let (plane, other) = (Plane { seed: 1 }, Plane { seed: 2 });
        let mut sum = 0.0;
        for n in 0..1000 {
            let (a, b) = (PeerId(n), PeerId(n + 1000));
            let distance = plane.distance(a, b);
            assert_eq!(distance, plane.distance(b, a));
            assert!((LEAST..=LEAST + SIDE * std::f64::consts::SQRT_2).contains(&distance));
            sum += distance;
        }
        assert!((25.0..29.0).contains(&(sum / 1000.0)), "{}: 0.52 of the side, and the least", sum / 1000.0);
        assert_ne!(plane.distance(PeerId(0), PeerId(1)), other.distance(PeerId(0), PeerId(1)));
    }
}
