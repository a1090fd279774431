//! Churn: who comes and who goes when, written down before a simulation runs.
//!
//! A trace is plain data: made here from a seed, or read from elsewhere. [`Churn::due`] hands out what is due, so that any
//! driver can apply it: it alone knows what a peer of its protocol is made of.

use lasp_overlay::{Rng, Time};
use std::collections::VecDeque;
use std::time::Duration;

/// What happens to a node, named by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A new node joins.
    Joins(u64),
    /// A node crashes.
    Crashes(u64),
    /// A node that crashed comes back: same identity, higher incarnation.
    Returns(u64),
}

/// Changes in the order of their times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Churn {
    changes: VecDeque<(Time, Change)>,
}

impl Churn {
    /// A trace as given; it is put in order, changes of one time as they are given.
    pub fn new(changes: impl IntoIterator<Item = (Time, Change)>) -> Self {
        let mut changes: Vec<_> = changes.into_iter().collect();
        changes.sort_by_key(|(time, _)| *time);
        Self { changes: changes.into() }
    }

    /// A share of `nodes` (numbered from 0; node `spared` and lower ones stay) crashes per minute from `from` for `stretch`, at
    /// random times, each replaced by a new node at once.
    pub fn replacing(rng: &mut Rng, nodes: u64, spared: u64, per_minute: f64, from: Time, stretch: Duration) -> Self {
        let count = (nodes as f64 * per_minute * stretch.as_secs_f64() / 60.0) as usize;
        let mut times: Vec<Time> = (0..count).map(|_| from + rng.duration(Duration::ZERO, stretch)).collect();
        times.sort_unstable();
        let mut present: Vec<u64> = (spared..nodes).collect();
        let mut changes = Vec::new();
        for (serial, time) in times.into_iter().enumerate() {
            if present.is_empty() {
                break;
            }
            let (at, new) = (rng.index(present.len()), nodes + serial as u64);
            changes.push((time, Change::Crashes(std::mem::replace(&mut present[at], new))));
            changes.push((time, Change::Joins(new)));
        }
        Self::new(changes)
    }

    /// Nodes `spared..nodes` stay up for an exponentially distributed time of mean `up`, then away for one of mean `down`, again
    /// and again until `end`.
    pub fn sessions(rng: &mut Rng, nodes: u64, spared: u64, up: Duration, down: Duration, end: Time) -> Self {
        let mut changes = Vec::new();
        for node in spared..nodes {
            let (mut time, mut there) = (Time::ZERO, true);
            loop {
                // Never 0, so that time passes.
                time = time + exponential(rng, if there { up } else { down }) + Duration::from_micros(1);
                if time > end {
                    break;
                }
                changes.push((time, if there { Change::Crashes(node) } else { Change::Returns(node) }));
                there = !there;
            }
        }
        Self::new(changes)
    }

    /// When something is due next.
    pub fn next_time(&self) -> Option<Time> {
        self.changes.front().map(|(time, _)| *time)
    }

    /// Takes the next change that is due at `now`.
    pub fn due(&mut self, now: Time) -> Option<Change> {
        let due = self.next_time().is_some_and(|time| time <= now);
        if due { self.changes.pop_front().map(|(_, change)| change) } else { None }
    }

    /// How many changes are to come.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether none is to come.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// An exponentially distributed time, made of whole numbers and halvings so that it is the same on every platform: the number
/// of half-lives by coin flips, and within one uniform.
fn exponential(rng: &mut Rng, mean: Duration) -> Duration {
    let half_life = mean.mul_f64(std::f64::consts::LN_2);
    let flips = rng.next_u64().trailing_ones();
    half_life * flips + rng.duration(Duration::ZERO, half_life)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_replacing_trace_keeps_the_number_of_nodes_and_crashes_only_who_is_there() {
        let minute = Duration::from_secs(60);
        let mut churn = Churn::replacing(&mut Rng::new(1), 100, 1, 0.5, Time::ZERO, minute * 4);
        assert_eq!(churn.len(), 2 * 200);
        let mut there: BTreeSet<u64> = (0..100).collect();
        let mut last = Time::ZERO;
        while let Some(time) = churn.next_time() {
            assert!(time >= last && churn.due(last).is_none_or(|_| time == last) || time > last);
            last = time;
            while let Some(change) = churn.due(time) {
                match change {
                    Change::Crashes(node) => assert!(node != 0 && there.remove(&node)),
                    Change::Joins(node) => assert!(there.insert(node)),
                    Change::Returns(_) => unreachable!("nobody returns"),
                }
            }
            assert_eq!(there.len(), 100);
        }
    }

    #[test]
    fn sessions_last_as_long_as_asked_on_average() {
        let (up, down) = (Duration::from_secs(90), Duration::from_secs(10));
        let end = Time::from_millis(100_000_000);
        let mut churn = Churn::sessions(&mut Rng::new(1), 2, 1, up, down, end);
        let (mut last, mut away, mut crashes) = (Time::ZERO, Duration::ZERO, 0u32);
        while let Some(time) = churn.next_time() {
            match churn.due(time) {
                Some(Change::Crashes(1)) => crashes += 1,
                Some(Change::Returns(1)) => away += time - last,
                other => panic!("{other:?}"),
            }
            last = time;
        }
        let mean = away.as_secs_f64() / f64::from(crashes);
        assert!((900..1_100).contains(&crashes), "{crashes} crashes in 100,000 s");
        assert!((8.5..12.0).contains(&mean), "{mean} s away");
    }
}
