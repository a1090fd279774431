//! The knobs of [`Unicast`](super::Unicast), each with its source.

use std::time::Duration;

/// How messages to single peers behave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How long a search or a message may stay unanswered before the next attempt; it doubles with every attempt. Default
    /// 1 s (guess: some ten times what forty hops take in a data centre, twice what they take around the world).
    pub patience: Duration,
    /// How many attempts a message gets; the first spreads its search along the broadcast tree, the others over every
    /// link. Default 3 (guess).
    pub attempts: u8,
    /// How many links a search or a message may cross. Default 64 (guess: a tree over 10⁶ peers of five links has a
    /// diameter of about 2·log₄ 10⁶ = 20, one that failures have bent some more).
    pub max_hops: u8,
    /// Largest payload in bytes. Default 16 KiB (guess: what a relay keeps of each link stays within a megabyte).
    pub max_payload: usize,
    /// How many own messages may wait to be acknowledged, and how many of one sender a receiver tells apart. Default 256
    /// (guess).
    pub outgoing_limit: usize,
    /// How much they may weigh together, in bytes. Default 1 MiB (guess).
    pub outgoing_weight: usize,
    /// How many routes are remembered; the least recently used is forgotten first. Default 1,024 (guess).
    pub routes: usize,
    /// How many searches are remembered, to pass each on once; the oldest is forgotten first. Default 4,096 (guess).
    pub searches: usize,
    /// Of how many senders it is remembered what arrived; the least recent is forgotten first. Default 1,024 (guess).
    pub senders: usize,
    /// How many searches of each neighbour are passed on a second, and twice as many at once. Default 256 (guess: 1,000
    /// peers that each look for another every four seconds).
    pub searches_per_second: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(1),
            attempts: 3,
            max_hops: 64,
            max_payload: 16 << 10,
            outgoing_limit: 256,
            outgoing_weight: 1 << 20,
            routes: 1_024,
            searches: 4_096,
            senders: 1_024,
            searches_per_second: 256,
        }
    }
}
