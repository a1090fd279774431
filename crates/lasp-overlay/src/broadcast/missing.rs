//! What was announced and did not come: when and from whom to ask for it.
//!
//! An announced payload usually is on its way along the tree. If it does not come in time, one of its announcers is
//! asked, then, sooner, the next, a bounded number of times. Ids that are due together go into one request to as few
//! announcers as possible, since each request makes a link eager.

use super::config::Config;
use super::message::Ids;
use crate::peer::PeerId;
use crate::time::Time;
use lasp_crdt::{Dot, DotSet};
use std::collections::BTreeMap;

/// A missing payload.
#[derive(Clone, Debug)]
struct Wanted {
    /// Who has it, in the order of their announcements.
    announcers: Vec<PeerId>,
    /// Who was asked last.
    asked: Option<PeerId>,
    attempts: u8,
    due: Time,
}

/// Every missing payload, by id.
#[derive(Clone, Debug, Default)]
pub(super) struct Missing {
    wanted: BTreeMap<Dot, Wanted>,
}

/// What to ask for now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Requests {
    pub(super) grafts: BTreeMap<PeerId, DotSet>,
    /// Ids that were asked for in vain, or that nobody is left to ask for.
    pub(super) given_up: u64,
}

impl Missing {
    /// `peer` has `unseen`. Beyond the limit, ids are ignored.
    pub(super) fn announced(&mut self, now: Time, peer: PeerId, unseen: &DotSet, config: &Config) {
        // However long the ranges are, no more than the limit is looked at.
        for dot in unseen.dots().take(config.missing_limit) {
            let full = self.wanted.len() >= config.missing_limit;
            match self.wanted.get_mut(&dot) {
                Some(wanted) if wanted.announcers.contains(&peer) => {}
                Some(wanted) => wanted.announcers.push(peer),
                None if full => return,
                None => {
                    let due = now + config.graft_after;
                    self.wanted.insert(dot, Wanted { announcers: vec![peer], asked: None, attempts: 0, due });
                }
            }
        }
    }

    /// These arrived; tells who had announced them.
    pub(super) fn arrived(&mut self, ids: &Ids, mut announcer: impl FnMut(Dot, PeerId)) {
        if self.wanted.is_empty() {
            return;
        }
        for (replica, range) in ids.ranges() {
            let span = Dot::new(replica, range.start)..=Dot::new(replica, range.end);
            let here: Vec<Dot> = self.wanted.range(span).map(|(dot, _)| *dot).collect();
            for dot in here {
                let announcers = self.wanted.remove(&dot).map(|wanted| wanted.announcers).unwrap_or_default();
                announcers.into_iter().for_each(|peer| announcer(dot, peer));
            }
        }
    }

    /// A neighbour is gone: what it was asked for is due now, and everything if payloads were expected from it anyway.
    pub(super) fn neighbor_gone(&mut self, now: Time, peer: PeerId, was_eager: bool) {
        for wanted in self.wanted.values_mut() {
            wanted.announcers.retain(|other| *other != peer);
            if was_eager || wanted.asked == Some(peer) {
                wanted.due = wanted.due.min(now);
            }
        }
    }

    /// What is due, by whom to ask; each is due again later.
    pub(super) fn take_due(&mut self, now: Time, config: &Config) -> Requests {
        let mut requests = Requests::default();
        self.wanted.retain(|&dot, wanted| {
            if wanted.due > now {
                return true;
            }
            let asked_enough = wanted.attempts >= config.graft_attempts;
            let Some(peer) = wanted.next_announcer(&requests).filter(|_| !asked_enough) else {
                requests.given_up += 1;
                return false;
            };
            wanted.asked = Some(peer);
            wanted.attempts += 1;
            wanted.due = now + config.graft_again;
            requests.grafts.entry(peer).or_default().insert(dot);
            true
        });
        requests
    }

    /// When something is due next.
    pub(super) fn next_due(&self) -> Option<Time> {
        self.wanted.values().map(|wanted| wanted.due).min()
    }

    pub(super) fn len(&self) -> usize {
        self.wanted.len()
    }
}

impl Wanted {
    /// Whom to ask: the announcer after the one asked last, preferably one that is asked for something else anyway.
    fn next_announcer(&self, requests: &Requests) -> Option<PeerId> {
        let last = self.announcers.iter().position(|peer| Some(*peer) == self.asked);
        let start = last.map_or(0, |at| at + 1);
        let in_turn = || self.announcers[start..].iter().chain(&self.announcers[..start]);
        let others = in_turn().filter(|peer| Some(**peer) != self.asked);
        let shared = others.clone().find(|peer| requests.grafts.contains_key(peer));
        shared.or_else(|| in_turn().next()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_crdt::ReplicaId;
    use std::time::Duration;

    const A: PeerId = PeerId(1);
    const B: PeerId = PeerId(2);

    fn ids(counters: impl IntoIterator<Item = u64>) -> DotSet {
        counters.into_iter().map(|n| Dot::new(ReplicaId(9), n)).collect()
    }

    fn at(millis: u64) -> Time {
        Time::from_millis(millis)
    }

    fn config() -> Config {
        let millis = Duration::from_millis;
        Config { graft_after: millis(200), graft_again: millis(100), graft_attempts: 3, ..Config::default() }
    }

    fn grafts(missing: &mut Missing, now: u64) -> Vec<(PeerId, DotSet)> {
        missing.take_due(at(now), &config()).grafts.into_iter().collect()
    }

    #[test]
    fn announcers_are_asked_in_turn_and_a_bounded_number_of_times() {
        let mut missing = Missing::default();
        missing.announced(at(0), A, &ids([1]), &config());
        missing.announced(at(50), B, &ids([1]), &config());
        assert_eq!(grafts(&mut missing, 199), []);
        for (now, peer) in [(200, A), (300, B), (400, A)] {
            assert_eq!(missing.next_due(), Some(at(now)));
            assert_eq!(grafts(&mut missing, now), [(peer, ids([1]))]);
        }
        assert_eq!(missing.take_due(at(500), &config()), Requests { given_up: 1, ..Requests::default() });
        assert_eq!((missing.len(), missing.next_due()), (0, None));
    }

    #[test]
    fn what_is_due_together_is_asked_of_as_few_as_possible() {
        let mut missing = Missing::default();
        missing.announced(at(0), A, &ids([1]), &config());
        missing.announced(at(0), B, &ids([2]), &config());
        missing.announced(at(0), A, &ids([2, 3]), &config());
        assert_eq!(grafts(&mut missing, 200), [(A, ids([1, 2, 3]))]);
    }

    #[test]
    fn what_arrived_is_not_asked_for() {
        let mut missing = Missing::default();
        missing.announced(at(0), A, &ids(1..=5), &config());
        missing.announced(at(0), B, &ids([4]), &config());
        let mut told = Vec::new();
        let arrived = Ids::from_set(ids([3, 4, 8])).expect("not empty");
        missing.arrived(&arrived, |dot, peer| told.push((dot.counter, peer)));
        assert_eq!(told, [(3, A), (4, A), (4, B)]);
        assert_eq!(grafts(&mut missing, 200), [(A, ids([1, 2, 5]))]);
    }

    #[test]
    fn a_neighbour_that_goes_makes_what_hung_on_it_due_at_once() {
        let mut missing = Missing::default();
        missing.announced(at(0), A, &ids([1]), &config());
        missing.announced(at(0), B, &ids([1, 2]), &config());
        assert_eq!(grafts(&mut missing, 200), [(A, ids([1])), (B, ids([2]))]);
        missing.neighbor_gone(at(210), A, false);
        assert_eq!(grafts(&mut missing, 210), [(B, ids([1]))]);
        missing.neighbor_gone(at(220), PeerId(3), true);
        assert_eq!(grafts(&mut missing, 220), [(B, ids([1, 2]))]);
        missing.neighbor_gone(at(230), B, false);
        assert_eq!(missing.take_due(at(230), &config()), Requests { given_up: 2, ..Requests::default() });
    }

    #[test]
    fn no_announcement_makes_it_track_more_than_the_limit() {
        let config = Config { missing_limit: 10, ..config() };
        let mut missing = Missing::default();
        let mut endless = DotSet::new();
        endless.insert_range(ReplicaId(1), 1, Dot::MAX_COUNTER - 1);
        missing.announced(at(0), A, &endless, &config);
        missing.announced(at(0), B, &ids(1..=20), &config);
        assert_eq!(missing.len(), 10);
    }
}
