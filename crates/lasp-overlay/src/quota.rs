//! How many floods a neighbour may have passed on: a token bucket, so that a peer that floods costs its neighbours a bounded
//! number of messages.

use crate::time::Time;

/// What is left for one neighbour.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// In millionths of a flood.
    left: u64,
    since: Time,
}

const ONE: u64 = 1_000_000;

impl Quota {
    /// A full bucket.
    pub fn new(now: Time, per_second: u32) -> Self {
        Self { left: Self::full(per_second), since: now }
    }

    fn full(per_second: u32) -> u64 {
        2 * u64::from(per_second) * ONE
    }

    /// Takes one out; `false` if there is none.
    pub fn take(&mut self, now: Time, per_second: u32) -> bool {
        let micros = u64::try_from(now.since(self.since).as_micros()).unwrap_or(u64::MAX);
        self.since = self.since.max(now);
        let gained = micros.saturating_mul(u64::from(per_second));
        self.left = self.left.saturating_add(gained).min(Self::full(per_second));
        let Some(left) = self.left.checked_sub(ONE) else { return false };
        self.left = left;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_two_seconds_and_then_so_many_a_second() {
        let mut quota = Quota::new(Time::ZERO, 3);
        let mut taken = |millis| (0..100).filter(|_| quota.take(Time::from_millis(millis), 3)).count();
        assert_eq!([taken(0), taken(0), taken(1_000), taken(1_300), taken(1_334), taken(9_000)], [6, 0, 3, 0, 1, 6]);
    }
}
