//! The clock that stamps last-writer-wins registers: a hybrid logical one, fed with the node's time.
//!
//! Stamps from elsewhere are let in within [`MAX_DRIFT_MS`], into the clock and into the registers: one wrong clock cannot
//! lock a register of the cluster. A node whose own clock is further *behind* than that hears no writes of registers
//! until it is set right.

use lasp_crdt::{ClockDrift, HybridClock, Timestamp};
use lasp_overlay::Time;

/// How far ahead of its own wall clock a node lets stamps be. A guess: ten times a bad NTP offset. Wider than
/// [`lasp_crdt::MAX_DRIFT_MS`], which is for servers: phones and sensors keep time less well.
pub(crate) const MAX_DRIFT_MS: u64 = 10_000;

/// The clock of one node.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    epoch_ms: u64,
    hybrid: HybridClock,
}

impl Clock {
    /// A clock whose time zero is `epoch_ms` after 1970.
    pub(crate) const fn new(epoch_ms: u64) -> Self {
        Self { epoch_ms, hybrid: HybridClock::with_max_drift(MAX_DRIFT_MS) }
    }

    /// The wall clock's milliseconds.
    pub(crate) const fn wall_ms(&self, now: Time) -> u64 {
        self.epoch_ms.saturating_add(now.as_millis())
    }

    /// A stamp later than every stamp before.
    pub(crate) fn tick(&mut self, now: Time) -> Timestamp {
        self.hybrid.tick(self.wall_ms(now))
    }

    /// A stamp was seen: later ones are later than it.
    ///
    /// # Errors
    /// [`ClockDrift`] if it is from too far ahead; the clock is unchanged.
    pub(crate) fn observe(&mut self, now: Time, seen: Timestamp) -> Result<(), ClockDrift> {
        self.hybrid.observe(seen, self.wall_ms(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_follow_the_wall_clock_and_what_was_seen() {
        let mut clock = Clock::new(1000);
        assert_eq!(clock.tick(Time::from_millis(2)), Timestamp::from_millis(1002));
        assert_eq!(clock.observe(Time::ZERO, Timestamp::from_millis(1005)), Ok(()));
        assert_eq!(clock.tick(Time::ZERO), Timestamp::from_millis(1005).next());
    }

    #[test]
    fn a_stamp_from_far_ahead_does_not_move_the_clock() {
        let mut clock = Clock::new(1000);
        assert!(clock.observe(Time::ZERO, Timestamp::from_millis(1000 + MAX_DRIFT_MS + 1)).is_err());
        assert_eq!(clock.tick(Time::ZERO), Timestamp::from_millis(1000));
    }
}
