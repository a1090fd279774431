//! The hybrid logical clock: stamps that stay near physical time, and ascend at each writer and along what it has seen.
//!
//! Source: Kulkarni et al., "Logical Physical Clocks" (OPODIS'14), with its two numbers packed into one word: the high
//! 48 bits are milliseconds, the low 16 a logical count that carries into them. Physical time is an argument: nothing
//! here reads a clock. What lies further ahead than a drift bound is refused, so one wrong clock moves no other.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use thiserror::Error;

/// How far ahead of physical time a stamp may be unless a bound is given. From CockroachDB, whose hybrid logical clocks
/// allow 500 ms (`--max-offset`), for servers that keep time by NTP.
pub const MAX_DRIFT_MS: u64 = 500;

/// A time of a hybrid logical clock: milliseconds since an epoch that all replicas share `<< 16`, plus a logical count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The end of time: in the year 10889, if milliseconds count from 1970.
    pub const MAX: Self = Self(u64::MAX);

    /// The first stamp of a millisecond; of the last millisecond, if it is beyond the end of time.
    pub const fn from_millis(millis: u64) -> Self {
        let last = u64::MAX >> LOGICAL_BITS;
        Self(if millis < last { millis } else { last } << LOGICAL_BITS)
    }

    /// Its milliseconds.
    pub const fn millis(self) -> u64 {
        self.0 >> LOGICAL_BITS
    }

    /// Its place among the stamps of one millisecond.
    pub const fn logical(self) -> u16 {
        self.0 as u16
    }

    /// The next stamp: of the next millisecond, if this is the last of its own. [`MAX`](Self::MAX) has no other.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Whether it lies at most `bound_ms` ahead of physical time. It may lie behind by any length: news can be old.
    ///
    /// # Errors
    /// [`ClockDrift`] if it lies further ahead.
    pub const fn check(self, now_ms: u64, bound_ms: u64) -> Result<(), ClockDrift> {
        if self.millis() <= now_ms.saturating_add(bound_ms) {
            return Ok(());
        }
        Err(ClockDrift { time: self, now_ms, bound_ms })
    }
}

/// A stamp lies too far ahead of physical time; nothing was changed. The clock of one or the other is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("stamped {} ms ahead of the clock, where {bound_ms} ms are allowed", time.millis().saturating_sub(*now_ms))]
pub struct ClockDrift {
    /// The stamp refused.
    pub time: Timestamp,
    /// Physical time where it was refused, in milliseconds.
    pub now_ms: u64,
    /// How far ahead it might have been.
    pub bound_ms: u64,
}

/// The clock of one writer.
///
/// ```
/// use lasp_crdt::{HybridClock, Timestamp};
///
/// let mut clock = HybridClock::new();
/// let first = clock.tick(1000);
/// assert_eq!((first.millis(), first.logical()), (1000, 0));
/// // A neighbour's clock is a little ahead: what is written from now on is later than what it wrote.
/// clock.observe(Timestamp::from_millis(1200), 1000)?;
/// assert!(clock.tick(1000) > Timestamp::from_millis(1200));
/// // Another one is wrong.
/// assert!(clock.observe(Timestamp::from_millis(999_000), 1000).is_err());
/// assert_eq!(clock.tick(1000).millis(), 1200);
/// # Ok::<(), lasp_crdt::ClockDrift>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HybridClock {
    /// The greatest stamp given out or observed.
    last: Timestamp,
    max_drift_ms: u64,
}

impl HybridClock {
    /// A clock that has seen nothing, with a drift bound of [`MAX_DRIFT_MS`].
    pub const fn new() -> Self {
        Self::with_max_drift(MAX_DRIFT_MS)
    }

    /// A clock that has seen nothing, with another drift bound.
    pub const fn with_max_drift(max_drift_ms: u64) -> Self {
        Self { last: Timestamp(0), max_drift_ms }
    }

    /// How far ahead of physical time a stamp may be, in milliseconds.
    pub const fn max_drift_ms(&self) -> u64 {
        self.max_drift_ms
    }

    /// A stamp later than all before and all observed, and not before physical time. It ascends even while physical time
    /// stands still or goes back.
    pub fn tick(&mut self, physical_ms: u64) -> Timestamp {
        self.last = self.last.next().max(Timestamp::from_millis(physical_ms));
        self.last
    }

    /// A stamp was seen: those given out from now on are later.
    ///
    /// # Errors
    /// [`ClockDrift`] if it lies further ahead of physical time than the bound; the clock is unchanged.
    pub fn observe(&mut self, seen: Timestamp, physical_ms: u64) -> Result<(), ClockDrift> {
        seen.check(physical_ms, self.max_drift_ms)?;
        self.last = self.last.max(seen);
        Ok(())
    }
}

impl Default for HybridClock {
    fn default() -> Self {
        Self::new()
    }
}

/// A varint.
impl Encode for Timestamp {
    fn encode(&self, w: &mut Writer<'_>) {
        w.varint(self.0);
    }
}

impl Decode for Timestamp {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.varint("time").map(Self)
    }
}

const LOGICAL_BITS: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_ascend_within_a_millisecond_and_when_time_goes_back() {
        let mut clock = HybridClock::new();
        let times: Vec<Timestamp> = [1000, 1000, 1001, 990, 0, 1001].map(|now| clock.tick(now)).into();
        assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
        assert_eq!(times[2], Timestamp::from_millis(1001));
        assert_eq!((times[5].millis(), times[5].logical()), (1001, 3));
    }

    #[test]
    fn a_full_logical_count_carries_into_the_milliseconds() {
        let mut clock = HybridClock::new();
        clock.observe(Timestamp(1000 << 16 | 0xffff), 1000).unwrap();
        let next = clock.tick(1000);
        assert_eq!((next.millis(), next.logical()), (1001, 0));
        assert_eq!(clock.tick(1001), Timestamp(1001 << 16 | 1));
    }

    #[test]
    fn a_stamp_within_the_bound_moves_the_clock_and_one_beyond_does_not() {
        let mut clock = HybridClock::with_max_drift(50);
        let at_the_bound = Timestamp(1050 << 16 | 0xffff);
        assert_eq!(clock.observe(at_the_bound, 1000), Ok(()));
        let beyond = at_the_bound.next();
        let before = clock;
        assert_eq!(clock.observe(beyond, 1000), Err(ClockDrift { time: beyond, now_ms: 1000, bound_ms: 50 }));
        assert_eq!(clock, before, "unchanged");
        assert_eq!(clock.tick(1000), beyond, "the stamp right after what was observed");
    }

    #[test]
    fn what_was_observed_late_does_not_move_the_clock_back() {
        let mut clock = HybridClock::new();
        let first = clock.tick(1000);
        clock.observe(Timestamp::from_millis(3), 1000).unwrap();
        assert_eq!(clock.tick(1000), first.next());
    }

    #[test]
    fn the_end_of_time_stops_and_does_not_overflow() {
        assert_eq!(Timestamp::from_millis(u64::MAX).millis(), u64::MAX >> 16);
        assert_eq!(Timestamp::MAX.next(), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.check(u64::MAX, u64::MAX), Ok(()));
        let mut clock = HybridClock::with_max_drift(u64::MAX);
        clock.observe(Timestamp::MAX, 0).unwrap();
        assert_eq!(clock.tick(u64::MAX), Timestamp::MAX);
    }

    #[test]
    fn the_error_says_how_far_ahead() {
        let error = Timestamp::from_millis(1700).check(1000, 500).unwrap_err();
        assert_eq!(error.to_string(), "stamped 700 ms ahead of the clock, where 500 ms are allowed");
    }
}
