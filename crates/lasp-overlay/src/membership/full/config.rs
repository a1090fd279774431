//! The settings of the full mesh. None comes from a paper: each is a guess with a reason.

use std::time::Duration;

/// Settings of [`FullMesh`](super::FullMesh).
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// To how many random peers a change of the member map, or a digest of it, goes. 3: a rumour told to 3 reaches
    /// 94 % of the peers (Demers et al., PODC 1987, infect and die); digests bring the rest.
    pub fanout: usize,
    /// How often a digest of the member map goes out. 10 s: Partisan's interval for the whole set.
    pub gossip_interval: Duration,
    /// First pause before a member that cannot be reached is dialled again; doubled up to `dial_backoff_max`. 1 s.
    pub dial_backoff: Duration,
    /// Longest pause between two attempts. 30 s.
    pub dial_backoff_max: Duration,
    /// How long the member with the greater id leaves the dialling to the other. 1 s: one of them suffices, as a
    /// rule.
    pub dial_deference: Duration,
    /// How long an attempt may take. 5 s.
    pub dial_timeout: Duration,
    /// A member from which nothing was heard for this long is probed. 15 s: longer than in a partial view, as there
    /// are more links.
    pub probe_interval: Duration,
    /// How long the answer to a probe may take before the next one. 2 s.
    pub probe_timeout: Duration,
    /// How many probes in a row may remain unanswered. 3.
    pub probe_attempts: u32,
    /// How many members that left are remembered; beyond it the one that left first is forgotten, so that only
    /// gossip older than so many departures could bring it back. 4096.
    pub left_capacity: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            fanout: 3,
            gossip_interval: Duration::from_secs(10),
            dial_backoff: Duration::from_secs(1),
            dial_backoff_max: Duration::from_secs(30),
            dial_deference: Duration::from_secs(1),
            dial_timeout: Duration::from_secs(5),
            probe_interval: Duration::from_secs(15),
            probe_timeout: Duration::from_secs(2),
            probe_attempts: 3,
            left_capacity: 4096,
        }
    }
}
