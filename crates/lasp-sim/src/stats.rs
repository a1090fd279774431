//! What the network carried and what it swallowed.

/// Why a message did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lost {
    /// Sent to a peer without a link.
    Unlinked,
    /// The configured loss.
    Chance,
    /// A [`Rule`](crate::Rule) said so.
    Rule,
    /// A partition lies between.
    Partition,
    /// The link or the receiver was gone when it would have arrived.
    Gone,
}

/// Counters since the start of the simulation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Events processed, of every kind.
    pub events: u64,
    /// Messages that a protocol sent.
    pub sent: u64,
    /// Bytes of those messages.
    pub bytes_sent: u64,
    /// Messages that arrived, duplicates included.
    pub delivered: u64,
    /// Bytes of those messages.
    pub bytes_delivered: u64,
    /// Messages that did not arrive, by reason, in the order of [`Lost`].
    pub lost: [u64; 5],
    /// Messages that the network doubled.
    pub duplicated: u64,
    /// Messages that the network held back.
    pub reordered: u64,
    /// Timers that ran out.
    pub expired: u64,
    /// Links that came up.
    pub links: u64,
    /// Dials without success.
    pub dials_failed: u64,
}

impl Stats {
    /// How many messages did not arrive for one reason.
    pub const fn lost(&self, why: Lost) -> u64 {
        self.lost[why as usize]
    }

    /// How many messages did not arrive.
    pub fn lost_total(&self) -> u64 {
        self.lost.iter().sum()
    }

    /// The counters of several shards together.
    pub(crate) fn sum<'a>(shards: impl Iterator<Item = &'a Self>) -> Self {
        shards.fold(Self::default(), |mut sum, shard| {
            sum.events += shard.events;
            sum.sent += shard.sent;
            sum.bytes_sent += shard.bytes_sent;
            sum.delivered += shard.delivered;
            sum.bytes_delivered += shard.bytes_delivered;
            sum.duplicated += shard.duplicated;
            sum.reordered += shard.reordered;
            sum.expired += shard.expired;
            sum.links += shard.links;
            sum.dials_failed += shard.dials_failed;
            sum.lost.iter_mut().zip(shard.lost).for_each(|(sum, lost)| *sum += lost);
            sum
        })
    }
}
