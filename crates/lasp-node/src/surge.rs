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

/// The rate of updates that are heard here, all nodes' together.
#[derive(Debug, Default)]
pub(crate) struct Surge {
    /// Updates a second, with those long ago counting less.
    rate: f64,
    at: Time,
}

impl Surge {
    /// Updates were made here or arrived.
    pub(crate) fn note(&mut self, now: Time, updates: usize) {
        self.rate = self.rate_at(now) + updates as f64 / SPAN.as_secs_f64();
        self.at = now;
    }

    fn rate_at(&self, now: Time) -> f64 {
        self.rate * (-(now - self.at).as_secs_f64() / SPAN.as_secs_f64()).exp()
    }

    /// Whether more happens than can be told one by one.
    pub(crate) fn is_on(&self, now: Time) -> bool {
        self.rate_at(now) > BUSY
    }

    /// Whether the next broadcast is to have an id.
    pub(crate) fn names(&self, now: Time, rng: &mut Rng) -> bool {
        !self.is_on(now) || rng.chance(NAMED / self.rate_at(now))
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
    fn a_surge_is_over_half_a_minute_later() {
        let mut surge = Surge::default();
        surge.note(at(0), 500);
        assert!(surge.is_on(at(1_000)) && !surge.is_on(at(25_000)));
    }
}
