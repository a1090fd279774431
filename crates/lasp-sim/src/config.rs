//! What the simulated network is like.

use lasp_overlay::Rng;
use std::time::Duration;

/// How long a message travels one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latency {
    /// Always the same.
    Constant(Duration),
    /// Uniform between two bounds, both included.
    Uniform(Duration, Duration),
    /// Uniform between `low` and `high`, then doubled with probability 1/8 again and again, up to `most`: a
    /// power-law tail in whole numbers, so that it is the same on every platform.
    LongTail {
        /// Lower bound.
        low: Duration,
        /// Upper bound of seven messages in eight.
        high: Duration,
        /// Upper bound of all.
        most: Duration,
    },
}

impl Latency {
    /// The shortest that is ever drawn.
    pub const fn least(&self) -> Duration {
        match *self {
            Self::Constant(latency) => latency,
            Self::Uniform(low, _) | Self::LongTail { low, .. } => low,
        }
    }

    /// Draws one latency.
    pub fn sample(&self, rng: &mut Rng) -> Duration {
        match *self {
            Self::Constant(latency) => latency,
            Self::Uniform(low, high) => rng.duration(low, high),
            Self::LongTail { low, high, most } => {
                let mut latency = rng.duration(low, high);
                while latency < most && rng.below(8) == 0 {
                    latency *= 2;
                }
                latency.min(most)
            }
        }
    }
}

/// What the network does when nothing else is said. The defaults are those of one data centre without faults.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Everything random follows from it.
    pub seed: u64,
    /// One-way delay of every message. Default: uniform 1-5 ms (guess).
    pub latency: Latency,
    /// Probability that a message is lost. Default 0: links are like TCP. Connecting and closing are never lost.
    pub loss: f64,
    /// Probability that a message arrives twice. Default 0.
    pub duplicate: f64,
    /// Probability that a message is held back by up to [`reorder_delay`](Self::reorder_delay) and may be overtaken by
    /// later ones. Default 0.
    pub reorder: f64,
    /// Longest time that a reordered message is held back. Default 20 ms (guess).
    pub reorder_delay: Duration,
    /// When a dial into a partition is given up. Default 1 s (guess).
    pub dial_timeout: Duration,
    /// When the peers of a crashed one notice, uniform between two bounds. Default 1-10 ms: its kernel resets the
    /// connections.
    pub crash_detection: (Duration, Duration),
    /// When the two ends of a link that a partition cuts notice, each uniform between two bounds; `None`: never.
    /// Default 1-3 s (guess: a keep-alive of one second, missed twice).
    pub partition_detection: Option<(Duration, Duration)>,
    /// Bytes per second and direction of a link. Default `None`: unlimited.
    pub bandwidth: Option<u64>,
    /// Into how many shards peers are divided, rounded up to a power of two, at most 256; fixed when a simulator is made. Shards can run
    /// at the same time ([`Simulator::run_until_on`](crate::Simulator::run_until_on)). A run follows from the seed and this number, never
    /// from who runs the shards. Default 1: every event in the order of time, the least overhead.
    pub shards: usize,
}

impl Config {
    /// The defaults, with a seed.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }
}

impl Default for Config {
    fn default() -> Self {
        let millis = Duration::from_millis;
        Self {
            seed: 0,
            latency: Latency::Uniform(millis(1), millis(5)),
            loss: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            reorder_delay: millis(20),
            dial_timeout: millis(1000),
            crash_detection: (millis(1), millis(10)),
            partition_detection: Some((millis(1000), millis(3000))),
            bandwidth: None,
            shards: 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_tail_stays_in_bounds_and_has_a_tail() {
        let (low, high, most) = (Duration::from_millis(1), Duration::from_millis(2), Duration::from_millis(100));
        let latency = Latency::LongTail { low, high, most };
        let mut rng = Rng::new(1);
        let drawn: Vec<_> = (0..10_000).map(|_| latency.sample(&mut rng)).collect();
        assert!(drawn.iter().all(|d| (low..=most).contains(d)));
        let slow = drawn.iter().filter(|d| **d > high * 2).count();
        assert!((50..500).contains(&slow), "{slow} of 10,000 are far out");
    }
}
