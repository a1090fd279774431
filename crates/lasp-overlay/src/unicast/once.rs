//! What was seen already: searches, so that each is passed on once, and serials of messages, so that each is delivered once.

use super::message::Stamp;
use super::recency::Recency;
use crate::peer::PeerId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Searches seen; the oldest are forgotten.
#[derive(Debug)]
pub(super) struct Searches {
    seen: BTreeSet<(PeerId, Stamp)>,
    order: VecDeque<(PeerId, Stamp)>,
    limit: usize,
}

impl Searches {
    pub(super) const fn new(limit: usize) -> Self {
        Self { seen: BTreeSet::new(), order: VecDeque::new(), limit }
    }

    /// Whether a search is new.
    pub(super) fn first(&mut self, origin: PeerId, stamp: Stamp) -> bool {
        if !self.seen.insert((origin, stamp)) {
            return false;
        }
        self.order.push_back((origin, stamp));
        if self.order.len() > self.limit
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        true
    }
}

/// What arrived, by sender; the least recent senders are forgotten.
#[derive(Debug)]
pub(super) struct Arrivals {
    senders: BTreeMap<PeerId, Window>,
    recency: Recency<PeerId>,
    /// How many senders are remembered, and how much of each.
    limits: (usize, usize),
}

/// What arrived of one life of a sender, from the oldest message on that it still waits for.
#[derive(Debug, Default)]
struct Window {
    life: u64,
    oldest: u64,
    arrived: BTreeSet<u64>,
    used: u64,
}

/// What is to be done with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It is to be delivered.
    New,
    /// It was delivered before.
    Known,
    /// Its sender waits for it no more, or for more than is remembered: it is as if it had not come.
    Ignored,
}

impl Arrivals {
    pub(super) const fn new(senders: usize, of_each: usize) -> Self {
        Self { senders: BTreeMap::new(), recency: Recency::new(), limits: (senders, of_each) }
    }

    /// A message of a sender that waits for none below `oldest`.
    pub(super) fn take(&mut self, from: PeerId, stamp: Stamp, oldest: u64) -> Arrival {
        let window = self.senders.entry(from).or_insert_with(|| Window { life: stamp.life, ..Window::default() });
        window.used = self.recency.touch(from, window.used);
        let arrival = window.take(stamp, oldest, self.limits.1);
        if self.senders.len() > self.limits.0
            && let Some(oldest) = self.recency.pop()
        {
            self.senders.remove(&oldest);
        }
        arrival
    }
}

impl Window {
    fn take(&mut self, stamp: Stamp, oldest: u64, limit: usize) -> Arrival {
        let Stamp { life, serial } = stamp;
        if life > self.life {
            *self = Self { life, used: self.used, ..Self::default() };
        }
        if life < self.life {
            return Arrival::Ignored;
        }
        if oldest > self.oldest {
            self.oldest = oldest;
            self.arrived = self.arrived.split_off(&oldest);
        }
        if serial < self.oldest {
            return Arrival::Ignored;
        }
        if self.arrived.contains(&serial) {
            return Arrival::Known;
        }
        if self.arrived.len() >= limit {
            return Arrival::Ignored;
        }
        self.arrived.insert(serial);
        Arrival::New
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: PeerId = PeerId(1);
    const B: PeerId = PeerId(2);

    const fn at(life: u64, serial: u64) -> Stamp {
        Stamp { life, serial }
    }

    #[test]
    fn a_search_is_new_once_while_it_is_remembered() {
        let mut searches = Searches::new(2);
        assert!(searches.first(A, at(1, 1)) && searches.first(B, at(1, 1)) && !searches.first(A, at(1, 1)));
        assert!(searches.first(A, at(1, 2)), "the first of all is forgotten");
        assert!(searches.first(A, at(1, 1)));
        assert_eq!((searches.seen.len(), searches.order.len()), (2, 2));
    }

    #[test]
    fn what_the_sender_waits_for_arrives_once_in_any_order() {
        use Arrival::{Ignored, Known, New};
        let mut arrivals = Arrivals::new(9, 3);
        let mut take = |(serial, oldest)| arrivals.take(A, at(1, serial), oldest);
        assert_eq!([(3, 1), (1, 1), (3, 1), (2, 1), (1, 1)].map(&mut take), [New, New, Known, New, Known]);
        assert_eq!([(4, 1), (4, 3), (2, 3), (2, 1)].map(&mut take), [Ignored, New, Ignored, Ignored], "three at most");
    }

    #[test]
    fn a_new_life_begins_anew_and_the_old_one_is_over() {
        let mut arrivals = Arrivals::new(9, 9);
        assert_eq!(arrivals.take(A, at(1, 5), 5), Arrival::New);
        assert_eq!(arrivals.take(A, at(2, 1), 1), Arrival::New);
        assert_eq!(arrivals.take(A, at(1, 6), 6), Arrival::Ignored);
        assert_eq!(arrivals.take(A, at(2, 1), 1), Arrival::Known);
    }

    #[test]
    fn of_too_many_senders_the_least_recent_is_forgotten() {
        let mut arrivals = Arrivals::new(1, 9);
        arrivals.take(A, at(1, 1), 1);
        arrivals.take(B, at(1, 1), 1);
        assert_eq!((arrivals.senders.len(), arrivals.recency.len()), (1, 1));
        assert_eq!(arrivals.take(B, at(1, 1), 1), Arrival::Known);
        assert_eq!(arrivals.take(A, at(1, 1), 1), Arrival::New);
    }
}
