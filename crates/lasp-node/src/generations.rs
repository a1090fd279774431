//! What is remembered by variable for as long as broadcasts are under way, in two generations: a window after the older one began
//! it goes as a whole, and the younger one takes its place. Boundedly: beyond the limit nothing is taken in.

use crate::key::Key;
use lasp_overlay::Time;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a delta is remembered, at least, where links hold nothing back; up to twice as long. A guess: above what a
/// broadcast takes through a large cluster.
const WINDOW: Duration = Duration::from_secs(1);

/// How many links that hold a broadcast back it may have to cross. A guess: the deepest tree of some thousand nodes.
const HOPS: u32 = 20;

/// Most entries that are remembered in one window. A guess: far more than a cluster has under way, still some megabytes.
pub(crate) const LIMIT: usize = 64 * 1024;

/// Something for each variable.
#[derive(Debug)]
pub(crate) struct Generations<T> {
    window: Duration,
    pub(crate) young: BTreeMap<Key, T>,
    pub(crate) old: BTreeMap<Key, T>,
    /// How many entries came in the younger one's time.
    entries: usize,
    since: Time,
}

/// What is forgotten.
#[derive(Debug)]
pub(crate) struct Gone<T> {
    /// The older generation, and the younger one if it is too old as well.
    pub(crate) deltas: Vec<(Key, T)>,
    /// There was more in the last window than could be remembered.
    pub(crate) overflown: bool,
}

impl<T> Generations<T> {
    /// Nothing yet; each link may hold a broadcast back for `pace`.
    pub(crate) fn new(pace: Duration) -> Self {
        let (young, old) = (BTreeMap::new(), BTreeMap::new());
        Self { window: WINDOW + pace * HOPS, young, old, entries: 0, since: Time::ZERO }
    }

    /// Forgets what is too old.
    pub(crate) fn turn(&mut self, now: Time) -> Option<Gone<T>> {
        if now < self.since + self.window {
            return None;
        }
        let stale = now >= self.since + self.window * 2;
        let young = std::mem::take(&mut self.young);
        let mut deltas: Vec<(Key, T)> = std::mem::take(&mut self.old).into_iter().collect();
        if stale {
            deltas.extend(young);
        } else {
            self.old = young;
        }
        let overflown = self.entries > LIMIT;
        (self.entries, self.since) = (0, now);
        Some(Gone { deltas, overflown })
    }

    /// Whether there is room for so many entries more.
    pub(crate) const fn takes(&mut self, entries: usize) -> bool {
        self.entries += entries;
        self.entries <= LIMIT
    }
}
