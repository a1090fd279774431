//! The settings of HyParView. A default is from the paper (Leitão, Pereira, Rodrigues, DSN 2007) or says where else
//! it comes from.

use super::message::MAX_PEERS;
use super::tag::Tag;
use super::xbot;
use crate::membership::contradiction::{Contradiction, demand};
use std::collections::BTreeMap;
use std::time::Duration;

/// Least active view. Random graphs of degree 3 hang together almost surely as they grow, those of degree 2 almost surely do not.
pub(super) const LEAST_ACTIVE: usize = 3;

/// Settings of [`HyParView`](super::HyParView).
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How many neighbours a peer keeps at most, no less than 3. 5: the paper, for 10,000 peers (log10 n + 1).
    pub active_capacity: usize,
    /// With fewer neighbours than this a peer looks for more with urgency. 3: guess; the least degree that keeps a
    /// random graph connected.
    pub active_min: usize,
    /// How many peers it knows beside those. 30: the paper (6 times the active view).
    pub passive_capacity: usize,
    /// Steps of a random walk (ARWL). 6: the paper.
    pub active_walk: u8,
    /// Where on its walk a joining peer enters a passive view (PRWL). 3: the paper.
    pub passive_walk: u8,
    /// Neighbours offered in a shuffle (`k_a`). 3: the paper.
    pub shuffle_active: usize,
    /// Passive peers offered in a shuffle (`k_p`). 4: the paper.
    pub shuffle_passive: usize,
    /// How often passive views are exchanged. 10 s: Partisan; the paper counts in cycles.
    pub shuffle_interval: Duration,
    /// What the interval grows to while exchanges bring nothing new, as in a small cluster, or no neighbour is lost. 60 s: guess.
    pub shuffle_interval_max: Duration,
    /// How many peers a contact names to one that joins, so that a lost walk costs it little. 3: guess.
    pub welcome: usize,
    /// How long an answer to a neighbour request may take before it is asked again. 2 s: guess; several round trips
    /// and a TCP handshake.
    pub reply_timeout: Duration,
    /// How often a neighbour request is sent before the peer counts as failed. 3: guess.
    pub request_attempts: u32,
    /// How many candidates are asked at a time to become a neighbour. 2: guess; hides the time-out of one dead peer.
    pub parallel_requests: usize,
    /// How long to wait for a link to be dialled. 5 s: guess.
    pub dial_timeout: Duration,
    /// First pause between two rounds over the join contacts; doubled up to `join_backoff_max`. 500 ms: guess.
    pub join_backoff: Duration,
    /// Longest pause between two rounds over the join contacts. 15 s: guess.
    pub join_backoff_max: Duration,
    /// First pause between two rounds over the passive view while there are fewer neighbours than `active_min`;
    /// doubled up to `refill_backoff_max`. 1 s: guess.
    pub refill_urgent: Duration,
    /// The same while only the capacity is not reached. 10 s: guess; nothing depends on a full view.
    pub refill_relaxed: Duration,
    /// Longest pause between two rounds over the passive view; a quarter of it while urgent. 60 s: guess.
    pub refill_backoff_max: Duration,
    /// A neighbour from which nothing was heard for this long is probed. 5 s: guess.
    pub probe_interval: Duration,
    /// How long the answer to a probe may take before the next one. 1 s: guess.
    pub probe_timeout: Duration,
    /// How many probes in a row may remain unanswered. 5: measured; where 30 % of the messages are lost, a healthy peer
    /// loses 0.8 neighbours a minute, against 3 with 3 probes, for 2 s more to find a half-open link.
    pub probe_attempts: u32,
    /// How long a busy link may go without both sides confirming that they are neighbours. 15 s: guess.
    pub confirm_interval: Duration,
    /// How long a link of no use stays open at the side that dialled it; twice as long at the other. 5 s: guess;
    /// lets what is under way arrive.
    pub link_linger: Duration,
    /// How many links of no use stay open beyond that, those used last: *spare* links. Their peers are known to live and are
    /// asked first when a neighbour is lost; they cost a socket each and no bytes. 0, as in the paper; a dozen, those of
    /// the last minute's exchanges, lets more survive the loss of nearly all (`lasp eval hyparview`).
    pub spare_links: usize,
    /// First pause before a neighbour that failed is tried again; doubled up to `mend_backoff_max`. 2 s: guess.
    pub mend_backoff: Duration,
    /// Longest pause between two attempts. 30 s: guess.
    pub mend_backoff_max: Duration,
    /// After how many attempts a neighbour that failed is forgotten. 240: guess; about two hours.
    pub mend_attempts: u32,
    /// How often a peer considers whether a join contact that is no neighbour may be on another island. 15 s: guess.
    pub mend_interval: Duration,
    /// How long a full peer refuses to make room for a second stranger that asks to mend. 60 s: guess; bounds how fast
    /// a healthy overlay is rewired for nothing.
    pub mend_pause: Duration,
    /// What this peer is in the eyes of others. Default: nothing.
    pub tag: Option<Tag>,
    /// How many places of the active view are kept for neighbours with a tag. Default: none.
    pub reserved: BTreeMap<Tag, usize>,
    /// Steps of the walk on which an open place is advertised. 12: guess; twice the walk of a join, for it ends early
    /// where the tag is found.
    pub seek_walk: u8,
    /// Whether links are exchanged for such with a shorter round trip, by X-BOT. Default: no.
    pub optimise: Option<xbot::Config>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            active_capacity: 5,
            active_min: 3,
            passive_capacity: 30,
            active_walk: 6,
            passive_walk: 3,
            shuffle_active: 3,
            shuffle_passive: 4,
            shuffle_interval: Duration::from_secs(10),
            shuffle_interval_max: Duration::from_secs(60),
            welcome: 3,
            reply_timeout: Duration::from_secs(2),
            request_attempts: 3,
            parallel_requests: 2,
            dial_timeout: Duration::from_secs(5),
            join_backoff: Duration::from_millis(500),
            join_backoff_max: Duration::from_secs(15),
            refill_urgent: Duration::from_secs(1),
            refill_relaxed: Duration::from_secs(10),
            refill_backoff_max: Duration::from_secs(60),
            probe_interval: Duration::from_secs(5),
            probe_timeout: Duration::from_secs(1),
            probe_attempts: 5,
            confirm_interval: Duration::from_secs(15),
            link_linger: Duration::from_secs(5),
            spare_links: 0,
            mend_backoff: Duration::from_secs(2),
            mend_backoff_max: Duration::from_secs(30),
            mend_attempts: 240,
            mend_interval: Duration::from_secs(15),
            mend_pause: Duration::from_secs(60),
            tag: None,
            reserved: BTreeMap::new(),
            seek_walk: 12,
            optimise: None,
        }
    }
}

impl Config {
    /// Checks that the settings can be kept together.
    ///
    /// # Errors
    /// The first that contradicts another.
    pub fn validate(&self) -> Result<(), Contradiction> {
        self.validate_views()?;
        self.validate_samples()?;
        if let Some(optimise) = &self.optimise {
            optimise.validate(self.active_capacity, self.passive_capacity)?;
        }
        self.validate_times()
    }

    fn validate_views(&self) -> Result<(), Contradiction> {
        let capacity = self.active_capacity;
        let rings = "at least 3: with fewer the overlay is made of rings, which nothing holds together";
        demand(capacity >= LEAST_ACTIVE, "active_capacity", capacity, rings)?;
        let min = self.active_min;
        demand(min <= capacity, "active_min", min, format!("at most `active_capacity`, which is {capacity}"))?;
        let kept: usize = self.reserved.values().sum();
        let less = format!("less than `active_capacity` ({capacity}) in all, so that others can join");
        demand(kept < capacity, "reserved", kept, less)?;
        let (active, passive) = (self.active_walk, self.passive_walk);
        demand(passive <= active, "passive_walk", passive, format!("at most `active_walk`, which is {active}"))
    }

    fn validate_samples(&self) -> Result<(), Contradiction> {
        let offered = self.shuffle_active.saturating_add(self.shuffle_passive);
        let (known, room) = (self.passive_capacity, MAX_PEERS - 1);
        let all = format!("at least the {offered} peers that a shuffle offers (`shuffle_active` + `shuffle_passive`)");
        demand(known >= offered, "passive_capacity", known, all)?;
        demand(
            offered <= room,
            "shuffle_passive",
            self.shuffle_passive,
            format!("small enough for a message of {room}"),
        )?;
        demand(self.welcome <= room, "welcome", self.welcome, format!("at most {room}"))
    }

    fn validate_times(&self) -> Result<(), Contradiction> {
        let at_least_once = |setting, times| demand(times > 0, setting, times, "at least 1");
        at_least_once("request_attempts", self.request_attempts as usize)?;
        at_least_once("probe_attempts", self.probe_attempts as usize)?;
        at_least_once("parallel_requests", self.parallel_requests)?;
        let takes_time = |setting, time: Duration| demand(!time.is_zero(), setting, "zero", "a time that passes");
        takes_time("shuffle_interval", self.shuffle_interval)?;
        takes_time("reply_timeout", self.reply_timeout)?;
        takes_time("dial_timeout", self.dial_timeout)?;
        takes_time("probe_interval", self.probe_interval)
    }
}
