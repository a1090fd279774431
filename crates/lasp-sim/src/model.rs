//! Models of bad networks as rules: where peers are, bursts of loss, links that flap.
//!
//! Each is a [`Rule`], so they stack, come and go while a simulation runs, and draw from its randomness alone.

use crate::config::Latency;
use crate::rule::{Route, Rule, Verdict};
use lasp_overlay::{PeerId, Rng, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Latency by where peers are: one model for each pair of regions. The configured network decides everything else; dials
/// take the configured latency.
#[derive(Clone, Debug)]
pub struct Regions {
    home: BTreeMap<PeerId, usize>,
    latency: Vec<Vec<Latency>>,
}

impl Regions {
    /// `latency[a][b]` is how long messages travel from region `a` to region `b`.
    ///
    /// # Panics
    /// If the matrix is not square, or empty.
    pub fn new(latency: Vec<Vec<Latency>>) -> Self {
        let square = latency.iter().all(|row| row.len() == latency.len());
        assert!(square && !latency.is_empty(), "a latency for every pair of regions");
        Self { home: BTreeMap::new(), latency }
    }

    /// Puts a peer into a region; who was never put anywhere is in region 0.
    ///
    /// # Panics
    /// If there is no such region.
    #[must_use]
    pub fn with(mut self, peer: PeerId, region: usize) -> Self {
        assert!(region < self.latency.len(), "region {region} of {}", self.latency.len());
        self.home.insert(peer, region);
        self
    }

    fn home(&self, peer: PeerId) -> usize {
        self.home.get(&peer).copied().unwrap_or(0)
    }
}

impl Rule for Regions {
    fn on_send(&mut self, _: Time, route: Route, rng: &mut Rng) -> Verdict {
        let latency = self.latency[self.home(route.from)][self.home(route.to)];
        Verdict::Travel(latency.sample(rng))
    }
}

/// Loss in bursts: each direction of a link is in a good or a bad state, and may change it before each message (Gilbert,
/// "Capacity of a burst-noise channel", 1960; Elliott, "Estimates of error rates for codes on burst-noise channels", 1963).
#[derive(Clone, Debug)]
pub struct GilbertElliott {
    /// Probability that a good link turns bad, per message.
    pub worsens: f64,
    /// Probability that a bad link turns good, per message: its inverse is the mean length of a burst.
    pub recovers: f64,
    /// Probability of loss in the good state.
    pub loss_good: f64,
    /// Probability of loss in the bad state.
    pub loss_bad: f64,
    bad: BTreeSet<(PeerId, PeerId)>,
}

impl GilbertElliott {
    /// Bursts of `length` messages, mean, of which all are lost, so that `share` of all messages are; nothing is lost in between.
    ///
    /// # Panics
    /// If `share` is not within 0 and 0.99, or `length` below 1.
    pub fn bursts(share: f64, length: f64) -> Self {
        assert!((0.0..=0.99).contains(&share) && length >= 1.0, "a share of messages, in bursts of some");
        let recovers = 1.0 / length;
        let worsens = (recovers * share / (1.0 - share)).min(1.0);
        Self { worsens, recovers, loss_good: 0.0, loss_bad: 1.0, bad: BTreeSet::new() }
    }

    /// Moves a direction on by one message; whether it is bad now.
    fn step(&mut self, link: (PeerId, PeerId), rng: &mut Rng) -> bool {
        let was_bad = self.bad.contains(&link);
        let turns = rng.chance(if was_bad { self.recovers } else { self.worsens });
        match (was_bad, turns) {
            (false, true) => self.bad.insert(link),
            (true, true) => self.bad.remove(&link),
            _ => false,
        };
        was_bad != turns
    }
}

impl Rule for GilbertElliott {
    fn on_send(&mut self, _: Time, route: Route, rng: &mut Rng) -> Verdict {
        let bad = self.step((route.from, route.to), rng);
        let loss = if bad { self.loss_bad } else { self.loss_good };
        if rng.chance(loss) { Verdict::Drop } else { Verdict::Pass }
    }
}

/// A partition that comes and goes: messages between the group and everybody else vanish while it is down. Links stay, as
/// half-open ones do, and dials pass; for what notices, see [`Simulator::partition`](crate::Simulator::partition).
#[derive(Clone, Debug)]
pub struct Flapping {
    /// One side.
    pub group: BTreeSet<PeerId>,
    /// How long messages pass.
    pub up: Duration,
    /// How long they then vanish.
    pub down: Duration,
    /// Which directions vanish.
    pub direction: Direction,
}

/// Which way messages between a group and everybody else go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Either way.
    Both,
    /// Out of the group: an asymmetric partition.
    Out,
    /// Into the group.
    In,
}

impl Flapping {
    /// Whether it is down.
    pub fn is_down(&self, now: Time) -> bool {
        let (up, down) = (self.up.as_micros() as u64, self.down.as_micros() as u64);
        down > 0 && now.as_micros() % (up + down) >= up
    }
}

impl Rule for Flapping {
    fn on_send(&mut self, now: Time, route: Route, _: &mut Rng) -> Verdict {
        let crosses = match (self.group.contains(&route.from), self.group.contains(&route.to)) {
            (true, false) => self.direction != Direction::In,
            (false, true) => self.direction != Direction::Out,
            _ => false,
        };
        if crosses && self.is_down(now) { Verdict::Drop } else { Verdict::Pass }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: PeerId = PeerId(1);
    const B: PeerId = PeerId(2);

    fn route(from: PeerId, to: PeerId) -> Route {
        Route { from, to, bytes: 1 }
    }

    #[test]
    fn latency_follows_the_regions_of_both_ends() {
        let millis = |n| Latency::Constant(Duration::from_millis(n));
        let matrix = vec![vec![millis(1), millis(80)], vec![millis(90), millis(2)]];
        let mut regions = Regions::new(matrix).with(B, 1);
        let mut rng = Rng::new(1);
        for (from, to, latency) in [(A, A, 1), (A, B, 80), (B, A, 90), (B, B, 2)] {
            let verdict = regions.on_send(Time::ZERO, route(from, to), &mut rng);
            assert_eq!(verdict, Verdict::Travel(Duration::from_millis(latency)));
        }
    }

    #[test]
    fn bursts_have_the_share_and_the_length_asked_for() {
        let (mut rule, mut rng) = (GilbertElliott::bursts(0.1, 8.0), Rng::new(1));
        let lost: Vec<bool> =
            (0..200_000).map(|_| rule.on_send(Time::ZERO, route(A, B), &mut rng) == Verdict::Drop).collect();
        let share = lost.iter().filter(|lost| **lost).count() as f64 / lost.len() as f64;
        let bursts = lost.windows(2).filter(|pair| !pair[0] && pair[1]).count() as f64;
        let length = share * lost.len() as f64 / bursts;
        assert!((0.09..0.11).contains(&share), "{share}");
        assert!((7.0..9.0).contains(&length), "{length}");
    }

    #[test]
    fn the_two_directions_of_a_link_suffer_apart() {
        let (mut rule, mut rng) = (GilbertElliott::bursts(0.5, 50.0), Rng::new(3));
        let mut drops = |from, to| rule.on_send(Time::ZERO, route(from, to), &mut rng) == Verdict::Drop;
        let differ = (0..1_000).filter(|_| drops(A, B) != drops(B, A)).count();
        assert!((250..750).contains(&differ), "{differ}");
    }

    #[test]
    fn a_flapping_link_passes_and_fails_in_turn_and_only_across() {
        let (up, down) = (Duration::from_secs(3), Duration::from_secs(2));
        let mut rule = Flapping { group: BTreeSet::from([A]), up, down, direction: Direction::Out };
        let mut rng = Rng::new(1);
        let mut passes = |secs: u64, from, to| {
            rule.on_send(Time::from_millis(secs * 1000), route(from, to), &mut rng) == Verdict::Pass
        };
        assert_eq!([0, 2, 3, 4, 5, 8].map(|secs| passes(secs, A, B)), [true, true, false, false, true, false]);
        assert!(passes(3, B, A) && passes(3, A, A) && passes(3, B, B));
    }
}
