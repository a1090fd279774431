//! How many bytes of a link may be under way: as many as it takes within a moment, so that what comes next waits no longer than
//! that, however slow the link is.
//!
//! The transport says when it has taken what it was given. A link begins small, grows while it takes what it is given sooner, and
//! shrinks where it was full and took longer.

use lasp_overlay::Time;
use std::time::Duration;

/// What is under way is to be taken within. A guess: above what a busy machine takes to notice that it was; at two megabits a
/// second that is the largest window.
const MOMENT: Duration = Duration::from_millis(250);

/// Where a link begins. A guess: it has grown to the largest window after six frames that were taken at once.
const FIRST: usize = 1024;

/// What every link may have under way. A guess: a handful of control messages; a link of 250 bytes a second takes two seconds
/// for it, which a neighbour that is probed has.
const LEAST: usize = 512;

/// What one link has under way, and how much that may be.
#[derive(Debug)]
pub(crate) struct Window {
    size: usize,
    in_flight: usize,
    /// Since when the transport has been busy with what is under way.
    since: Time,
}

impl Window {
    /// Of a link that has just come up.
    pub(crate) const fn new() -> Self {
        Self { size: FIRST, in_flight: 0, since: Time::ZERO }
    }

    /// How many bytes may be under way, at most `most`.
    pub(crate) fn size(&self, most: usize) -> usize {
        self.size.min(most)
    }

    /// How many are.
    pub(crate) const fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// The transport was given `bytes`.
    pub(crate) const fn sent(&mut self, now: Time, bytes: usize) {
        if self.in_flight == 0 {
            self.since = now;
        }
        self.in_flight += bytes;
    }

    /// The transport took `bytes`; the window is at most `most`.
    pub(crate) fn drained(&mut self, now: Time, bytes: usize, most: usize) {
        let was_full = self.in_flight >= self.size(most) / 2;
        let took = (now - self.since).as_secs_f64();
        // Saturates: what took no time fits any number of times.
        let fits = (bytes as f64 * MOMENT.as_secs_f64() / took) as usize;
        if fits > self.size {
            self.size = fits.min(self.size * 2).min(most.max(LEAST));
        } else if was_full {
            self.size = ((3 * self.size + fits) / 4).max(LEAST);
        }
        self.in_flight = self.in_flight.saturating_sub(bytes);
        self.since = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 64 * 1024;

    /// Keeps a link of so many bytes a second full for some seconds; the window then.
    fn after(bytes_per_second: u64, seconds: u64) -> usize {
        let (mut window, mut micros) = (Window::new(), 0);
        while micros < seconds * 1_000_000 {
            let bytes = window.size(MOST);
            window.sent(Time::from_micros(micros), bytes);
            micros += bytes as u64 * 1_000_000 / bytes_per_second;
            window.drained(Time::from_micros(micros), bytes, MOST);
        }
        window.size(MOST)
    }

    #[test]
    fn it_follows_the_link() {
        assert_eq!(after(100_000_000, 1), MOST);
        let megabit = after(125_000, 10);
        assert!((27_000..35_000).contains(&megabit), "{megabit}");
        assert_eq!(after(250, 120), LEAST);
    }

    #[test]
    fn what_is_taken_at_once_opens_it_and_little_on_an_idle_link_does_not_close_it() {
        let mut window = Window::new();
        let now = Time::from_millis(5);
        for _ in 0..6 {
            window.sent(now, 100);
            window.drained(now, 100, MOST);
        }
        assert_eq!(window.size(MOST), MOST);
        window.sent(now, 100);
        window.drained(Time::from_millis(300), 100, MOST);
        assert_eq!((window.size(MOST), window.in_flight()), (MOST, 0));
    }
}
