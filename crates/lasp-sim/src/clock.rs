//! A peer's own clock, which may run fast or slow.

use lasp_overlay::Time;
use std::time::Duration;

/// Parts in a million.
const MILLION: i128 = 1_000_000;

/// A clock that shows true time until it is told to drift. It never runs backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    /// How much faster than true time it runs, in parts per million.
    ppm: i32,
    /// When that began, in true time and as it showed then.
    since: (Time, Time),
}

impl Clock {
    /// What it shows at a true time.
    pub(crate) fn shows(&self, now: Time) -> Time {
        let (begun, shown) = self.since;
        shown + scaled(now - begun, MILLION + i128::from(self.ppm), MILLION)
    }

    /// How long, in true time, until it has moved on by `after`.
    pub(crate) fn true_length(&self, after: Duration) -> Duration {
        if self.ppm == 0 { after } else { scaled(after, MILLION, MILLION + i128::from(self.ppm)) }
    }

    /// From now on it runs so much faster or slower.
    pub(crate) fn drift(&mut self, now: Time, ppm: i32) {
        self.since = (now, self.shows(now));
        self.ppm = ppm.clamp(-500_000, 500_000);
    }
}

fn scaled(stretch: Duration, times: i128, over: i128) -> Duration {
    let micros = stretch.as_micros() as i128 * times / over;
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_drifts_from_when_it_is_told_and_never_jumps() {
        let mut clock = Clock::default();
        let at = Time::from_millis;
        assert_eq!(clock.shows(at(5_000)), at(5_000));
        clock.drift(at(10_000), 100_000);
        assert_eq!((clock.shows(at(10_000)), clock.shows(at(20_000))), (at(10_000), at(21_000)));
        clock.drift(at(20_000), -100_000);
        assert_eq!((clock.shows(at(20_000)), clock.shows(at(30_000))), (at(21_000), at(30_000)));
        assert_eq!(clock.true_length(Duration::from_secs(9)), Duration::from_secs(10));
    }
}
