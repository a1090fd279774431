//! The knobs of [`Plumtree`](super::Plumtree), each with its source.

use std::time::Duration;

/// How the broadcast tree behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Whether every link stays eager, so that payloads go over all of them: for comparison. Default no.
    pub floods: bool,
    /// How long new ids wait before they are announced on lazy links, when it was quiet before. The paper leaves the
    /// batching policy open. Default 125 ms (guess).
    pub announce_after: Duration,
    /// The longest wait: it doubles with every batch in a row that has news, so that a busy cluster pays for few
    /// announcements. Default 1 s (guess).
    pub announce_after_most: Duration,
    /// How long an announced payload may be on its way before it is asked for (the paper's timeout 1). Default 200 ms
    /// (guess: announcements are late already, so the payload is rarely still coming).
    pub graft_after: Duration,
    /// How long an answer may take before the next announcer is asked (the paper's timeout 2, about a round trip).
    /// Default 100 ms (guess).
    pub graft_again: Duration,
    /// How often a missing payload is asked for before it is left to anti-entropy. Default 5 (guess).
    pub graft_attempts: u8,
    /// How long a link's mode is left alone after a prune, so that what was under way does not turn it back. Default
    /// 250 ms (guess: longer than most round trips).
    pub settle: Duration,
    /// For how long, at least, no other message shapes the tree after one did; up to twice as long. Default 1 s (guess:
    /// a hundred times rarer than the updates of a busy cluster, still seconds from chaos to tree).
    pub shape_every: Duration,
    /// How long a peer waits for other shaping messages before it prunes. Default 200 ms (guess: longer than a
    /// message takes to reach everyone).
    pub shape_wait: Duration,
    /// How long the root of the tree waits, at least, before it sends another wave. Default 10 s (guess: as often as HyParView's
    /// shuffles change the overlay).
    pub wave_every: Duration,
    /// How many payloads must have arrived meanwhile: a wave costs some bytes on every link. Default 16 (guess: a wave then costs
    /// a tenth of what announcements do).
    pub wave_arrivals: u32,
    /// How long a peer holds a wave before it passes it on. Default 50 ms (guess: longer than links of one overlay mostly differ
    /// in latency).
    pub wave_hold: Duration,
    /// How long after that it chooses its parent. Default 1 s (guess: a wave of twenty hops has been everywhere).
    pub wave_gather: Duration,
    /// A new neighbour is told the ids of what arrived in the last so many seconds. Default 10 s (guess: as long as a peer
    /// whose neighbours all failed takes to find others).
    pub remind_for: Duration,
    /// Of how many arrivals at most. Default 64 (guess: some 300 bytes; anti-entropy tells the rest).
    pub remind_limit: usize,
    /// How many payloads are remembered, with who delivered them and when asked for to be sent again. Default 1,024
    /// (guess: ten seconds at a hundred a second).
    pub cache_entries: usize,
    /// How many ranges of ids they cover together: where links merge payloads, one covers hundreds. Default 4,096 (guess: four
    /// seconds of updates of ten thousand peers, a quarter of a MB).
    pub cache_ranges: usize,
    /// How much the remembered payloads may weigh together, in bytes. Default 1 MiB (guess).
    pub cache_weight: usize,
    /// How many missing ids are tracked; what exceeds it is left to anti-entropy. Default 4,096 (guess).
    pub missing_limit: usize,
    /// How many origins are remembered well; between this and twice as many, the least recent are forgotten.
    /// Default 16,384 (guess).
    pub seen_origins: usize,
    /// How many separate ranges of ids are remembered per origin; beyond it the oldest gap counts as seen.
    /// Default 64 (guess).
    pub seen_ranges: usize,
}

impl Default for Config {
    fn default() -> Self {
        let millis = Duration::from_millis;
        Self {
            floods: false,
            announce_after: millis(125),
            announce_after_most: millis(1_000),
            graft_after: millis(200),
            graft_again: millis(100),
            graft_attempts: 5,
            settle: millis(250),
            shape_every: millis(1_000),
            shape_wait: millis(200),
            wave_every: millis(10_000),
            wave_arrivals: 16,
            wave_hold: millis(50),
            wave_gather: millis(1_000),
            remind_for: millis(10_000),
            remind_limit: 64,
            cache_entries: 1_024,
            cache_ranges: 4_096,
            cache_weight: 1 << 20,
            missing_limit: 4_096,
            seen_origins: 16_384,
            seen_ranges: 64,
        }
    }
}
