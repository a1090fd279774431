//! The knobs of [`Survey`](super::Survey), each with its source.

use std::time::Duration;

/// How surveys behave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How long parts wait for others to travel with. Default 20 ms (guess: little beside the eye's patience, even times the
    /// ten hops of a large overlay).
    pub gather: Duration,
    /// A survey is done when nothing new has come for this long, or for four times the longest pause so far. Default 250 ms
    /// (guess: a round trip around half the globe).
    pub quiet: Duration,
    /// It is done after this time at the latest. Default 3 s (guess).
    pub patience: Duration,
    /// How many own surveys may run at once. Default 4 (guess).
    pub own: usize,
    /// How many surveys of others the way back is remembered of; the oldest goes first. Default 64 (guess).
    pub remembered: usize,
    /// How many parts are collected, and passed on, of one survey. Default 16,384 (guess: more than can be looked at).
    pub parts: usize,
    /// How many surveys of each neighbour are passed on a second, and twice as many at once. Default 16 (guess: some viewers
    /// at some nodes).
    pub per_second: u32,
    /// How many links a question may cross. Default 64 (as searches do).
    pub max_hops: u8,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            gather: Duration::from_millis(20),
            quiet: Duration::from_millis(250),
            patience: Duration::from_secs(3),
            own: 4,
            remembered: 64,
            parts: 16_384,
            per_second: 16,
            max_hops: 64,
        }
    }
}
