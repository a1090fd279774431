//! Addresses at which somebody is to be linked, always: dialled, and dialled again with growing pauses.

use super::backoff::backoff;
use crate::peer::{Addr, Contact, PeerId};
use crate::rng::Rng;
use crate::time::Time;
use std::collections::BTreeMap;
use std::time::Duration;

/// Most addresses kept. A guess.
pub(crate) const MAX_ADDRS: usize = 1024;

/// Most dials begun in one go; the others' turn comes with the next. A guess.
const DIALS: usize = 64;

/// When to dial again.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    /// First pause after a failure; doubled up to `max`. 1 s: guess.
    pub base: Duration,
    /// Longest pause. 30 s: guess.
    pub max: Duration,
    /// How long an attempt may take. 5 s: guess.
    pub timeout: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { base: seconds(1), max: seconds(30), timeout: seconds(5) }
    }
}

/// The addresses.
#[derive(Debug)]
pub(crate) struct Dialler {
    pace: Pace,
    addrs: BTreeMap<Addr, Dialled>,
}

#[derive(Debug)]
struct Dialled {
    /// When to dial, or to give up the dial under way.
    due: Time,
    dialing: bool,
    failures: u32,
    /// Who is linked there.
    peer: Option<PeerId>,
}

impl Dialler {
    pub(crate) const fn new(pace: Pace) -> Self {
        Self { pace, addrs: BTreeMap::new() }
    }

    /// Dials an address from now on; `false` if there are too many.
    pub(crate) fn add(&mut self, now: Time, addr: Addr) -> bool {
        if self.addrs.len() >= MAX_ADDRS && !self.addrs.contains_key(&addr) {
            return false;
        }
        self.addrs.entry(addr).or_insert(Dialled { due: now, dialing: false, failures: 0, peer: None });
        true
    }

    /// Stops that; who is linked there.
    pub(crate) fn remove(&mut self, addr: &Addr) -> Option<PeerId> {
        self.addrs.remove(addr)?.peer
    }

    /// Stops that unless somebody is linked there.
    pub(crate) fn remove_idle(&mut self, addr: &Addr) {
        if self.addrs.get(addr).is_some_and(|dialled| dialled.peer.is_none()) {
            self.addrs.remove(addr);
        }
    }

    pub(crate) fn addrs(&self) -> impl Iterator<Item = &Addr> {
        self.addrs.keys()
    }

    /// Dials all anew, without regard to what failed before.
    pub(crate) fn begin_anew(&mut self, now: Time) {
        for dialled in self.addrs.values_mut() {
            *dialled = Dialled { due: now, dialing: false, failures: 0, peer: None };
        }
    }

    /// How many dials are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.addrs.values().filter(|dialled| dialled.dialing).count()
    }

    /// What to dial now, the longest due first, at most so many, chosen at random among equals; dials without an answer are given up.
    pub(crate) fn due(&mut self, now: Time, most: usize, rng: &mut Rng) -> Vec<Addr> {
        let late = |dialled: &Dialled| dialled.peer.is_none() && dialled.due <= now;
        let mut due: Vec<(Time, Addr)> =
            self.addrs.iter().filter(|(_, dialled)| late(dialled)).map(|(addr, d)| (d.due, addr.clone())).collect();
        if due.len() > most {
            rng.shuffle(&mut due); // not everybody the same ones
            due.sort_by_key(|(at, _)| *at);
        } else {
            due.sort();
        }
        let mut dials = Vec::new();
        for (_, addr) in due {
            let Some(dialled) = self.addrs.get_mut(&addr) else { continue };
            if dialled.dialing {
                dialled.fail(now, &self.pace, rng);
            } else if dials.len() < most.min(DIALS) {
                dialled.dialing = true;
                dialled.due = now + self.pace.timeout;
                dials.push(addr);
            }
        }
        dials
    }

    /// A dial failed.
    pub(crate) fn failed(&mut self, now: Time, addr: &Addr, rng: &mut Rng) {
        if let Some(dialled) = self.addrs.get_mut(addr).filter(|dialled| dialled.dialing) {
            dialled.fail(now, &self.pace, rng);
        }
    }

    /// A peer is linked, reached at the address dialled or the one it gives.
    pub(crate) fn reached(&mut self, peer: &Contact, dialed: Option<&Addr>) {
        for addr in [Some(&peer.addr), dialed].into_iter().flatten() {
            if let Some(dialled) = self.addrs.get_mut(addr) {
                *dialled = Dialled { due: Time::ZERO, dialing: false, failures: 0, peer: Some(peer.id) };
            }
        }
    }

    /// The link to a peer is gone; `willingly` if it has said so, and will hardly answer soon.
    pub(crate) fn lost(&mut self, now: Time, peer: PeerId, willingly: bool, rng: &mut Rng) {
        for dialled in self.addrs.values_mut().filter(|dialled| dialled.peer == Some(peer)) {
            dialled.peer = None;
            dialled.failures = if willingly { u32::MAX - 1 } else { 0 };
            dialled.fail(now, &self.pace, rng);
        }
    }
}

impl Dialled {
    fn fail(&mut self, now: Time, pace: &Pace, rng: &mut Rng) {
        self.dialing = false;
        self.failures = self.failures.saturating_add(1);
        self.due = now + backoff(rng, pace.base, pace.max, self.failures);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(n: u64) -> Addr {
        Addr::new(&format!("p{n}")).expect("short")
    }

    fn contact(n: u64, at: u64) -> Contact {
        Contact { id: PeerId(n), incarnation: 1, addr: addr(at) }
    }

    #[test]
    fn an_address_is_dialled_until_somebody_is_there_and_again_when_it_is_gone() {
        let (mut dialler, mut rng) = (Dialler::new(Pace::default()), Rng::new(1));
        let mut now = Time::ZERO;
        assert!(dialler.add(now, addr(1)));
        for _ in 0..100 {
            assert_eq!(dialler.due(now, 9, &mut rng), [addr(1)]);
            assert_eq!(dialler.due(now, 9, &mut rng), [], "under way");
            dialler.failed(now, &addr(1), &mut rng);
            now = now + Duration::from_secs(38);
        }
        dialler.due(now, 9, &mut rng);
        dialler.reached(&contact(7, 70), Some(&addr(1)));
        now = now + Duration::from_secs(1000);
        assert_eq!(dialler.due(now, 9, &mut rng), []);
        dialler.lost(now, PeerId(7), false, &mut rng);
        assert_eq!(dialler.due(now, 9, &mut rng), [], "after a pause");
        assert_eq!(dialler.due(now + Duration::from_millis(1250), 9, &mut rng), [addr(1)]);
    }

    #[test]
    fn a_dial_without_an_answer_is_given_up_and_pauses_are_bounded() {
        let (mut dialler, mut rng) = (Dialler::new(Pace::default()), Rng::new(1));
        dialler.add(Time::ZERO, addr(1));
        dialler.due(Time::ZERO, 9, &mut rng);
        let mut now = Time::ZERO + Duration::from_secs(5);
        assert_eq!(dialler.due(now, 9, &mut rng), []);
        assert_eq!(dialler.under_way(), 0);
        now = now + Duration::from_secs(2);
        assert_eq!(dialler.due(now, 9, &mut rng), [addr(1)]);
        dialler.reached(&contact(1, 1), None);
        dialler.lost(now, PeerId(1), true, &mut rng);
        assert_eq!(dialler.due(now + Duration::from_secs(22), 9, &mut rng), [], "it has left");
        assert_eq!(dialler.due(now + Duration::from_secs(38), 9, &mut rng), [addr(1)]);
    }

    #[test]
    fn there_is_a_limit() {
        let mut dialler = Dialler::new(Pace::default());
        let added = (0..2000).filter(|n| dialler.add(Time::ZERO, addr(*n))).count();
        assert_eq!(added, MAX_ADDRS);
        assert_eq!(dialler.due(Time::ZERO, usize::MAX, &mut Rng::new(1)).len(), DIALS);
    }
}
