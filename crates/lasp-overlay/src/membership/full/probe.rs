//! SWIM's failure detector: every period one member is probed, directly, then through others, and suspected if neither
//! brings an answer.
//!
//! After Das, Gupta, Motivala, *SWIM: scalable weakly-consistent infection-style process group membership protocol*, DSN
//! 2002, with Lifeguard's refinements (see [`super::health`]): helpers say when they hear nothing (nack), and a suspect is
//! told with its probe. Members are taken in random order, each once per round. Whatever a member says counts as an
//! answer, so busy links are not probed. Links may be broken one way or in the middle; that is what probing finds.

use super::message::Message;
use super::{FullMesh, Out, Timer};
use crate::peer::PeerId;
use crate::time::Time;
use std::collections::BTreeMap;

/// The share of the time-out after which a helper says that it has heard nothing, in per cent: Lifeguard's.
const NACK_AFTER: u32 = 80;

/// The probes of this peer.
#[derive(Clone, Debug, Default)]
pub(super) struct Probing {
    /// The last name of a probe.
    seq: u64,
    current: Option<Probe>,
    /// Whose turn is next, last one first.
    turns: Vec<PeerId>,
    /// Probes on behalf of others, by their names here.
    relays: BTreeMap<u64, Relay>,
}

/// The probe of this period.
#[derive(Clone, Debug)]
struct Probe {
    seq: u64,
    target: PeerId,
    since: Time,
    answered: bool,
    /// Who was asked to probe.
    helpers: Vec<PeerId>,
    nacks: usize,
}

/// A probe on behalf of another.
#[derive(Clone, Debug)]
struct Relay {
    asker: PeerId,
    asked: u64,
    target: PeerId,
    until: Time,
}

impl Probing {
    const fn next(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    /// The name of the last probe.
    #[cfg(test)]
    pub(super) const fn last(&self) -> u64 {
        self.seq
    }

    /// Forgets everything under way.
    pub(super) fn stop(&mut self) {
        *self = Self { seq: self.seq, ..Self::default() };
    }

    /// A member should be probed soon.
    pub(super) fn hasten(&mut self, peer: PeerId) {
        self.turns.retain(|turn| *turn != peer);
        self.turns.push(peer);
    }
}

impl FullMesh {
    pub(super) fn set_period(&mut self, out: &mut Out) {
        let term = self.term;
        let interval = self.health.stretch(self.config.probe_interval);
        out.set_timer(self.rng.jitter(interval, 0.1), Timer::Period { term });
    }

    /// A protocol period ends and another begins.
    pub(super) fn on_period(&mut self, now: Time, out: &mut Out) {
        self.probing.relays.retain(|_, relay| relay.until > now);
        self.conclude(now, out);
        self.probe_next(now, out);
        self.set_period(out);
    }

    /// What became of the last probe.
    fn conclude(&mut self, now: Time, out: &mut Out) {
        let Some(probe) = self.probing.current.take() else { return };
        if probe.answered || self.heard_since(probe.target, probe.since) {
            return self.health.better();
        }
        let silent = probe.helpers.len().saturating_sub(probe.nacks);
        let signs = if probe.helpers.is_empty() { 1 } else { silent };
        self.health.worse(u32::try_from(signs).unwrap_or(u32::MAX), &self.config);
        self.suspect(now, probe.target, out);
    }

    fn heard_since(&self, peer: PeerId, since: Time) -> bool {
        self.active.get(&peer).is_some_and(|neighbor| neighbor.heard > since)
    }

    fn probe_next(&mut self, now: Time, out: &mut Out) {
        let Some(target) = self.next_turn() else { return };
        let (linked, heard) = match self.active.get(&target) {
            None => (false, false),
            Some(neighbor) => (true, now - neighbor.heard < self.config.probe_interval),
        };
        if heard {
            return;
        }
        let seq = self.probing.next();
        self.probing.current = Some(Probe { seq, target, since: now, answered: false, helpers: Vec::new(), nacks: 0 });
        if !linked {
            return self.probe_through_others(seq, out);
        }
        self.ping(target, seq, out);
        out.set_timer(self.health.stretch(self.config.probe_timeout), Timer::Direct { seq });
    }

    /// Whose turn it is: all members in random order, then again.
    fn next_turn(&mut self) -> Option<PeerId> {
        loop {
            if self.probing.turns.is_empty() {
                let me = self.me.contact.id;
                let others = self.members.present().map(|member| member.contact.id).filter(|id| *id != me);
                let mut turns: Vec<PeerId> = others.collect();
                self.rng.shuffle(&mut turns);
                self.probing.turns = turns;
            }
            let turn = self.probing.turns.pop()?;
            if self.members.get(turn).is_some_and(super::Member::is_in) {
                return Some(turn);
            }
        }
    }

    fn ping(&mut self, target: PeerId, seq: u64, out: &mut Out) {
        self.metrics.probes += 1;
        let suspect = self.members.get(target).filter(|member| member.is_suspect());
        out.send(target, Message::Ping { seq, suspected: suspect.map(super::Member::version) });
    }

    /// The direct probe has not been answered in time.
    pub(super) fn on_direct(&mut self, seq: u64, out: &mut Out) {
        let Some(probe) = self.probing.current.as_ref().filter(|probe| probe.seq == seq) else { return };
        if !probe.answered && !self.heard_since(probe.target, probe.since) {
            self.probe_through_others(seq, out);
        }
    }

    fn probe_through_others(&mut self, seq: u64, out: &mut Out) {
        let Some(probe) = &mut self.probing.current else { return };
        let target = probe.target;
        let (linked, count) = (&self.linked, self.config.indirect_probes);
        probe.helpers = super::gossip::sample(&mut self.rng, linked, Some(target), count);
        for helper in &probe.helpers {
            self.metrics.indirect_probes += 1;
            out.send(*helper, Message::Probe { seq, target });
        }
    }

    pub(super) fn on_ping(
        &mut self,
        now: Time,
        from: PeerId,
        seq: u64,
        suspected: Option<super::Version>,
        out: &mut Out,
    ) {
        out.send(from, Message::Pong { seq });
        if let Some(version) = suspected {
            self.refute(now, version, Some(from), out);
        }
    }

    /// Probes on behalf of another.
    pub(super) fn on_probe(&mut self, now: Time, asker: PeerId, asked: u64, target: PeerId, out: &mut Out) {
        if target == self.me.contact.id {
            return out.send(asker, Message::Pong { seq: asked });
        }
        let full = self.probing.relays.len() >= self.config.relays;
        if full {
            self.metrics.refused += 1;
        }
        if full || !self.active.contains_key(&target) {
            return out.send(asker, Message::Nack { seq: asked });
        }
        let seq = self.probing.next();
        let until = now + self.config.probe_interval;
        self.probing.relays.insert(seq, Relay { asker, asked, target, until });
        self.ping(target, seq, out);
        let patience = self.config.probe_timeout * NACK_AFTER / 100;
        out.set_timer(patience, Timer::Relay { seq });
    }

    /// A probe on behalf of another has had no answer so far; one may still come.
    pub(super) fn on_relay_timer(&self, seq: u64, out: &mut Out) {
        if let Some(relay) = self.probing.relays.get(&seq) {
            out.send(relay.asker, Message::Nack { seq: relay.asked });
        }
    }

    pub(super) fn on_pong(&mut self, from: PeerId, seq: u64, out: &mut Out) {
        if let Some(probe) = self.probing.current.as_mut().filter(|probe| probe.seq == seq) {
            // Only those asked can answer.
            probe.answered |= from == probe.target || probe.helpers.contains(&from);
        } else if self.probing.relays.get(&seq).is_some_and(|relay| relay.target == from)
            && let Some(relay) = self.probing.relays.remove(&seq)
        {
            out.send(relay.asker, Message::Pong { seq: relay.asked });
        }
    }

    pub(super) fn on_nack(&mut self, from: PeerId, seq: u64) {
        if let Some(probe) = self.probing.current.as_mut().filter(|probe| probe.seq == seq)
            && probe.helpers.contains(&from)
        {
            probe.nacks = (probe.nacks + 1).min(probe.helpers.len());
        }
    }
}
