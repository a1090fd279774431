//! The hybrid logical clock that stamps last-writer-wins registers.
//!
//! Kulkarni et al., "Logical Physical Clocks" (OPODIS'14): wall-clock milliseconds, with a logical counter in the
//! low 16 bits, so that stamps of one node strictly ascend. A stamp from elsewhere moves the clock forward only
//! within [`MAX_DRIFT_MS`]: one wrong clock cannot lock every register of the cluster.

use lasp_overlay::Time;

/// How far ahead of its own wall clock a node lets itself be moved. A guess: ten times a bad NTP offset.
pub(crate) const MAX_DRIFT_MS: u64 = 10_000;

/// The clock of one node.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    epoch_ms: u64,
    last: u64,
}

impl Clock {
    /// A clock whose time zero is `epoch_ms` after 1970.
    pub(crate) const fn new(epoch_ms: u64) -> Self {
        Self { epoch_ms, last: 0 }
    }

    const fn wall(&self, now: Time) -> u64 {
        (self.epoch_ms + now.as_millis()) << 16
    }

    /// A stamp later than every stamp before.
    pub(crate) fn tick(&mut self, now: Time) -> u64 {
        self.last = self.wall(now).max(self.last + 1);
        self.last
    }

    /// A stamp was seen: later ones are later than it, unless it is from too far ahead.
    pub(crate) fn observe(&mut self, now: Time, stamp: u64) {
        if stamp <= self.wall(now) + (MAX_DRIFT_MS << 16) {
            self.last = self.last.max(stamp);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_ascend_within_a_millisecond_and_after_what_was_seen() {
        let mut clock = Clock::new(1000);
        let first = clock.tick(Time::ZERO);
        assert_eq!(first, 1000 << 16);
        assert_eq!(clock.tick(Time::ZERO), first + 1);
        clock.observe(Time::ZERO, 1005 << 16);
        assert_eq!(clock.tick(Time::ZERO), (1005 << 16) + 1);
    }

    #[test]
    fn a_stamp_from_far_ahead_does_not_move_the_clock() {
        let mut clock = Clock::new(1000);
        clock.observe(Time::ZERO, (1000 + MAX_DRIFT_MS + 1) << 16);
        assert_eq!(clock.tick(Time::ZERO), 1000 << 16);
    }
}
