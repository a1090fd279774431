//! The settings of SCAMP. A default is from the papers (see the module) or says where else it comes from.

use crate::membership::contradiction::{Contradiction, demand};
use std::time::Duration;

/// Which of the two protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Ganesh, Kermarrec, Massoulié 2001: whoever is asked spreads a subscription; a peer that leaves is removed.
    V1,
    /// Ganesh, Kermarrec, Massoulié 2003: a subscription is spread by a peer to which a random walk leads; what leads to
    /// a peer that leaves is led on to its neighbours.
    V2,
}

/// Settings of [`Scamp`](super::Scamp).
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Which protocol. 2: the later paper.
    pub version: Version,
    /// How many copies of a subscription are made beyond one for each peer in the view (c): views have (c + 1) ln n
    /// entries in the mean, and the overlay stays connected while up to c / (c + 1) of the peers fail. 1: guess; HyParView's
    /// authors compare with 4.
    pub copies: usize,
    /// Most peers in the partial view. 128: guess; thrice the mean of a million peers with one copy.
    pub out_capacity: usize,
    /// Most peers in whose partial view this peer may be. 256: guess; they vary more, as nobody chooses them.
    pub in_capacity: usize,
    /// After how many steps a subscription that nobody wants is kept where there is room. 255: guess; the mean is the
    /// size of a view.
    pub hops: u8,
    /// Steps of the walk to the peer that spreads a subscription (version 2). 20: guess; some of them are not taken.
    pub steps: u8,
    /// How long a peer stays in the view without answering, and how often subscriptions are renewed. 30 min: guess; renewing
    /// costs about 10 kB.
    pub lease: Duration,
    /// How often a peer tells those in its view that they are. 10 s: guess.
    pub beat_interval: Duration,
    /// How long an answer to that may take before it is said again. 2 s: guess; several round trips.
    pub reply_timeout: Duration,
    /// How often it is said without an answer until the link counts as broken, or the newcomer as dead. 5: as HyParView's
    /// probes.
    pub attempts: u32,
    /// How long a peer may be in nobody's view, as far as it hears, until it subscribes anew. 30 s: three beats.
    pub isolation_timeout: Duration,
    /// The least time between two subscriptions of one peer that another spreads. 2 s: guess.
    pub subscribe_pause: Duration,
    /// How long to wait for a link to a contact, and then for its subscription to arrive. 5 s: guess.
    pub join_timeout: Duration,
    /// First pause between two rounds over the join contacts; doubled up to `join_backoff_max`. 500 ms: guess.
    pub join_backoff: Duration,
    /// Longest pause between two rounds over the join contacts. 15 s: guess.
    pub join_backoff_max: Duration,
    /// First pause before a peer in the view to which the link broke is dialled again; doubled up to `dial_backoff_max`.
    /// 2 s: guess.
    pub dial_backoff: Duration,
    /// Longest pause between two attempts. 30 s: guess.
    pub dial_backoff_max: Duration,
    /// How often a join contact that is no neighbour may be asked, after a neighbour was lost, in case it is on another island. 15 s: as HyParView; with many
    /// neighbours it is asked more rarely.
    pub mend_interval: Duration,
    /// How long a link of no use stays open at the side that dialled it; twice as long at the other. 5 s: guess.
    pub link_linger: Duration,
}

impl Default for Config {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            version: Version::V2,
            copies: 1,
            out_capacity: 128,
            in_capacity: 256,
            hops: 255,
            steps: 20,
            lease: seconds(1800),
            beat_interval: seconds(10),
            reply_timeout: seconds(2),
            attempts: 5,
            isolation_timeout: seconds(30),
            subscribe_pause: seconds(2),
            join_timeout: seconds(5),
            join_backoff: Duration::from_millis(500),
            join_backoff_max: seconds(15),
            dial_backoff: seconds(2),
            dial_backoff_max: seconds(30),
            mend_interval: seconds(15),
            link_linger: seconds(5),
        }
    }
}

impl Config {
    /// Checks that the settings can be kept together.
    ///
    /// # Errors
    /// The first that contradicts another.
    pub fn validate(&self) -> Result<(), Contradiction> {
        let (copies, out) = (self.copies, self.out_capacity);
        demand(out > copies, "out_capacity", out, format!("more than the {copies} extra `copies` of a subscription"))?;
        let balance = format!("at least `out_capacity`, which is {out}: every arc has two ends");
        demand(self.in_capacity >= out, "in_capacity", self.in_capacity, balance)?;
        demand(self.hops > 0, "hops", self.hops, "at least 1")?;
        demand(self.attempts > 0, "attempts", self.attempts, "at least 1")?;
        let takes_time = |setting, time: Duration| demand(!time.is_zero(), setting, "zero", "a time that passes");
        takes_time("beat_interval", self.beat_interval)?;
        takes_time("reply_timeout", self.reply_timeout)?;
        takes_time("join_timeout", self.join_timeout)?;
        takes_time("mend_interval", self.mend_interval)?;
        let (beats, lease) = (self.beat_interval * 2, self.lease);
        let beaten = format!("at least two beats, which is {beats:?}");
        demand(lease >= beats, "lease", format!("{lease:?}"), &beaten)?;
        demand(self.isolation_timeout >= beats, "isolation_timeout", format!("{:?}", self.isolation_timeout), beaten)
    }
}
