//! What a link costs: round-trip times by probes of its own.
//!
//! A neighbour's cost is a moving average over one probe per interval. Another peer's is the mean of two probes, after
//! one that only opens the link. A probe has a random number, so that no peer can answer before it was asked.

use super::super::message::Message;
use crate::peer::PeerId;
use crate::rng::Rng;
use crate::time::Time;
use std::collections::BTreeMap;

/// The weight of a new measurement is one in this many. 8: RFC 6298, for the same quantity.
const SMOOTHING: i64 = 8;

/// How many answers a stranger is measured by. 2: guess.
const SAMPLES: u8 = 2;

/// Measured costs, in microseconds, and probes under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Oracle {
    costs: BTreeMap<PeerId, u32>,
    probes: BTreeMap<PeerId, Probe>,
}

#[derive(Clone, Debug)]
struct Probe {
    nonce: u32,
    sent: Time,
    /// Whether the answer only says that the link is open.
    opens: bool,
    /// Answers still to come that count.
    wanted: u8,
    /// The sum of those that came.
    sum: u64,
    /// How many came.
    count: u8,
}

/// What an answer amounts to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Echoed {
    /// Nothing was asked like that.
    Stale,
    /// The next probe of the same measurement.
    Again(Message),
    /// The mean round trip, in microseconds.
    Done(u32),
}

impl Oracle {
    /// What a link costs, if that is known.
    pub(super) fn cost(&self, peer: PeerId) -> Option<u32> {
        self.costs.get(&peer).copied()
    }

    /// Says what the link to a peer that is about to become a neighbour costs.
    pub(super) fn set(&mut self, peer: PeerId, cost: u32) {
        self.costs.insert(peer, cost);
    }

    /// A neighbour has been measured once more.
    pub(super) fn observe(&mut self, peer: PeerId, rtt: u32) {
        let cost = self.costs.entry(peer).or_insert(rtt);
        let change = (i64::from(rtt) - i64::from(*cost)) / SMOOTHING;
        *cost = u32::try_from(i64::from(*cost) + change).unwrap_or(rtt);
    }

    /// Forgets everybody else.
    pub(super) fn retain(&mut self, which: impl Fn(PeerId) -> bool) {
        self.costs.retain(|peer, _| which(*peer));
        self.probes.retain(|peer, _| which(*peer));
    }

    /// Begins to measure a neighbour, by one answer, or another peer: its first probe.
    pub(super) fn begin(&mut self, now: Time, peer: PeerId, neighbor: bool, rng: &mut Rng) -> Message {
        let wanted = if neighbor { 1 } else { SAMPLES };
        let nonce = rng.next_u64() as u32;
        self.probes.insert(peer, Probe { nonce, sent: now, opens: !neighbor, wanted, sum: 0, count: 0 });
        Message::Probe { nonce }
    }

    /// A probe has been answered.
    pub(super) fn echoed(&mut self, now: Time, peer: PeerId, nonce: u32, rng: &mut Rng) -> Echoed {
        let Some(probe) = self.probes.get_mut(&peer).filter(|probe| probe.nonce == nonce) else {
            return Echoed::Stale;
        };
        if !probe.opens {
            let rtt = u64::try_from((now - probe.sent).as_micros()).unwrap_or(u64::MAX);
            probe.sum = probe.sum.saturating_add(rtt);
            probe.count += 1;
        }
        probe.opens = false;
        if probe.count < probe.wanted {
            probe.nonce = rng.next_u64() as u32;
            probe.sent = now;
            return Echoed::Again(Message::Probe { nonce: probe.nonce });
        }
        let mean = probe.sum / u64::from(probe.count);
        self.probes.remove(&peer);
        Echoed::Done(u32::try_from(mean).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: PeerId = PeerId(1);

    fn nonce(message: &Message) -> u32 {
        let Message::Probe { nonce } = message else {
            panic!("a probe: {message:?}");
        };
        *nonce
    }

    #[test]
    fn a_stranger_is_measured_by_the_mean_of_what_follows_the_opening_of_the_link() {
        let (mut oracle, mut rng) = (Oracle::default(), Rng::new(1));
        let mut probe = oracle.begin(Time::ZERO, PEER, false, &mut rng);
        let mut at = 0;
        for millis in [500, 10] {
            at += millis;
            let Echoed::Again(next) = oracle.echoed(Time::from_millis(at), PEER, nonce(&probe), &mut rng) else {
                panic!("more are wanted");
            };
            probe = next;
        }
        let last = oracle.echoed(Time::from_millis(at + 20), PEER, nonce(&probe), &mut rng);
        assert_eq!(last, Echoed::Done(15_000));
    }

    #[test]
    fn answers_that_were_not_asked_for_count_for_nothing() {
        let (mut oracle, mut rng) = (Oracle::default(), Rng::new(1));
        let probe = nonce(&oracle.begin(Time::ZERO, PEER, true, &mut rng));
        let later = Time::from_millis(7);
        assert_eq!(oracle.echoed(later, PEER, probe ^ 1, &mut rng), Echoed::Stale);
        assert_eq!(oracle.echoed(later, PeerId(2), probe, &mut rng), Echoed::Stale);
        assert_eq!(oracle.echoed(later, PEER, probe, &mut rng), Echoed::Done(7_000));
        assert_eq!(oracle.echoed(later, PEER, probe, &mut rng), Echoed::Stale, "twice");
    }

    #[test]
    fn costs_follow_an_eighth_of_each_change() {
        let mut oracle = Oracle::default();
        for (rtt, cost) in [(8_000, 8_000), (16_000, 9_000), (1_000, 8_000), (8_000, 8_000)] {
            oracle.observe(PEER, rtt);
            assert_eq!(oracle.cost(PEER), Some(cost));
        }
    }
}
