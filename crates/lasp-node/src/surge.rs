//! How much is going on: whether a broadcast needs an id of its own, and whether a difference means anything.
//!
//! Ids let neighbours outside the tree notice that a payload is missing. They cost as much as a small payload, several
//! times over: in the payload, and in two announcements on every link outside the tree. While little happens, every
//! broadcast has one, and a loss is noticed within half a second. While much happens, some a second are enough to notice
//! that the tree is broken; the others go without, as news that each node passes on once, and what a broken tree
//! withheld is found by comparing.

use lasp_overlay::{Rng, Time};
use std::time::Duration;

/// Over how long the rate is measured. A guess: a few batches of announcements.
const SPAN: Duration = Duration::from_secs(5);

/// From how many updates a second on ids are spared. A guess: two in each batch of announcements.
const BUSY: f64 = 4.0;

/// How many broadcasts a second then have ids, all nodes together. A guess: a tear of the tree is noticed within two seconds.
const NAMED: f64 = 1.0;

/// How many entries a second are learnt by comparing, beyond twice as many as are heard, where they cannot all be under way. A guess:
/// more than a lossy tree leaves to comparing.
const FLOOD: f64 = 8.0;

/// How many a second, with those long ago counting less.
#[derive(Debug, Default)]
struct Rate {
    rate: f64,
    at: Time,
}

impl Rate {
    fn note(&mut self, now: Time, many: usize) {
        self.rate = self.at(now) + many as f64 / SPAN.as_secs_f64();
        self.at = now;
    }

    fn at(&self, now: Time) -> f64 {
        self.rate * (-(now - self.at).as_secs_f64() / SPAN.as_secs_f64()).exp()
    }
}

/// The rate of updates that are heard here, all nodes' together, and of what is learnt by comparing.
#[derive(Debug, Default)]
pub(crate) struct Surge {
    heard: Rate,
    learnt: Rate,
}

impl Surge {
    /// Updates were made here or arrived.
    pub(crate) fn note(&mut self, now: Time, updates: usize) {
        self.heard.note(now, updates);
    }

    /// So many entries were learnt by comparing.
    pub(crate) fn learn(&mut self, now: Time, entries: usize) {
        self.learnt.note(now, entries);
    }

    /// Whether more happens than can be told one by one.
    pub(crate) fn is_on(&self, now: Time) -> bool {
        self.heard.at(now) > BUSY
    }

    /// Whether so much happens that a difference is likely to be under way: unless far more is learnt by comparing than is heard, as where
    /// two parts of a cluster meet again that were apart.
    pub(crate) fn explains(&self, now: Time) -> bool {
        self.is_on(now) && self.learnt.at(now) <= 2.0 * self.heard.at(now) + FLOOD
    }

    /// Whether the next broadcast is to have an id.
    pub(crate) fn names(&self, now: Time, rng: &mut Rng) -> bool {
        !self.is_on(now) || rng.chance(NAMED / self.heard.at(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_millis(millis)
    }

    #[test]
    fn what_happens_seldom_is_named_and_of_much_a_constant_rate() {
        let (mut surge, mut rng) = (Surge::default(), Rng::new(1));
        let mut named = |every: u64, updates: u64| {
            let mut surge = std::mem::take(&mut surge);
            (0..updates)
                .filter(|n| {
                    let now = at(1_000_000 + n * every);
                    surge.note(now, 1);
                    surge.names(now, &mut rng)
                })
                .count()
        };
        assert_eq!(named(500, 100), 100, "two a second");
        let busy = named(10, 20_000);
        assert!((150..300).contains(&busy), "of a hundred a second for 200 s, one a second: {busy}");
    }

    #[test]
    fn what_is_learnt_beyond_all_that_is_heard_is_not_under_way() {
        let mut surge = Surge::default();
        surge.note(at(0), 100);
        assert!(surge.explains(at(0)), "twenty a second");
        surge.learn(at(0), 200);
        assert!(surge.explains(at(0)), "forty a second may be a leak");
        surge.learn(at(0), 100);
        assert!(surge.is_on(at(0)) && !surge.explains(at(0)));
        surge.note(at(1_000), 500);
        assert!(surge.explains(at(1_000)), "much more is heard");
        assert!(!Surge::default().explains(at(0)), "nothing happens");
    }

    #[test]
    fn a_surge_is_over_half_a_minute_later() {
        let mut surge = Surge::default();
        surge.note(at(0), 500);
        assert!(surge.is_on(at(1_000)) && !surge.is_on(at(25_000)));
    }
}
