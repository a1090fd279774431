//! Exchanges at intervals: whole states, or what grew since the neighbour last acknowledged.
//!
//! These are the protocols that the literature and the original compare themselves with, and what one may choose where
//! nothing is to be pushed: state-based synchronisation, and delta-based with and without the two rules of Enes et al.
//! (ICDE'19). The third kind, by digests, is `sync`; every node answers digests whatever it sends itself, so nodes of
//! different modes understand each other.
//!
//! ```text
//! A -> B  Group{number, deltas}     in State mode: Data{states}, unacknowledged
//! B -> A  Acknowledged{number}
//! ```

mod mode;
mod outgoing;

pub(crate) use outgoing::pieces;

pub use mode::{DeltaRules, Dissemination, SyncMode};

use crate::key::Key;
use crate::payload::Batch;
use crate::store::Store;
use crate::wire::{Control, Item};
use lasp_dataflow::State;
use lasp_overlay::{PeerId, Rng, Time};
use outgoing::Outgoing;
use std::collections::BTreeMap;
use std::time::Duration;

/// How exchanges are paced.
#[derive(Clone, Debug, PartialEq)]
pub struct ExchangeConfig {
    /// Between two exchanges with a neighbour. Default 5 s: the original's propagation interval, as its published evaluation
    /// ran it.
    pub interval: Duration,
    /// By how much of itself an interval is lengthened or shortened at random. Default 0.1 (guess).
    pub jitter: f64,
    /// With how many neighbours, chosen at random, each time; all if `None`, the default, as the original.
    pub fanout: Option<usize>,
    /// After how many exchanges without an acknowledgement nothing more is remembered for a neighbour. Default 20: the
    /// original's.
    pub give_up: u32,
}

impl Default for ExchangeConfig {
    fn default() -> Self {
        Self { interval: Duration::from_secs(5), jitter: 0.1, fanout: None, give_up: 20 }
    }
}

impl ExchangeConfig {
    /// When what was sent should have been acknowledged.
    fn overdue(&self) -> Duration {
        self.interval.mul_f64(1.5)
    }
}

/// The exchanges of one node with its neighbours.
#[derive(Debug)]
pub(crate) struct Exchange {
    mode: SyncMode,
    config: ExchangeConfig,
    peers: BTreeMap<PeerId, Outgoing>,
    next: u64,
}

impl Exchange {
    /// No neighbours yet.
    pub(crate) fn new(mode: SyncMode, config: ExchangeConfig) -> Self {
        Self { mode, config, peers: BTreeMap::new(), next: 0 }
    }

    /// Time to the next exchange; `None` if there is never one.
    pub(crate) fn next(&self, rng: &mut Rng) -> Option<Duration> {
        (self.mode != SyncMode::Digest).then(|| rng.jitter(self.config.interval, self.config.jitter))
    }

    /// A neighbour is there.
    pub(crate) fn peer_up(&mut self, peer: PeerId) {
        if self.mode != SyncMode::Digest {
            self.peers.insert(peer, Outgoing::new());
        }
    }

    /// A neighbour is gone.
    pub(crate) fn peer_down(&mut self, peer: PeerId) {
        self.peers.remove(&peer);
    }

    /// A neighbour wants to hear something else than before.
    pub(crate) fn interests_changed(&mut self, peer: PeerId) {
        if let Some(outgoing) = self.peers.get_mut(&peer) {
            outgoing.starts_over();
        }
    }

    /// What of a delta that came is to be said to others: `None` if nothing is. `news` is what of it was not known here.
    pub(crate) fn part<'a>(&self, delta: &'a State, news: &'a State) -> Option<&'a State> {
        let SyncMode::Delta(rules) = self.mode else { return None };
        let part = if rules.remove_redundancy { news } else { delta };
        (!news.is_bottom()).then_some(part)
    }

    /// Has something said to the neighbours that want to hear it; it came `from` one of them, or was made here. Cost: that
    /// of the delta, for each.
    pub(crate) fn absorb(
        &mut self,
        from: Option<PeerId>,
        key: &Key,
        delta: &State,
        wants: impl Fn(PeerId, &Key) -> bool,
    ) {
        let SyncMode::Delta(rules) = self.mode else { return };
        for (&peer, outgoing) in &mut self.peers {
            let back = rules.avoid_back_propagation && from == Some(peer);
            if !back && wants(peer, key) {
                outgoing.absorb(key, delta);
            }
        }
    }

    /// A neighbour has a group.
    pub(crate) fn acknowledged(&mut self, from: PeerId, number: u64) {
        if let Some(outgoing) = self.peers.get_mut(&from) {
            outgoing.acknowledged(number);
        }
    }

    /// Whether every neighbour has acknowledged everything.
    pub(crate) fn is_idle(&self) -> bool {
        self.peers.values().all(Outgoing::is_idle)
    }

    /// How many entries of deltas are kept for neighbours. Cost: the number of deltas kept.
    pub(crate) fn entries(&self) -> usize {
        self.peers.values().map(Outgoing::entries).sum()
    }

    /// What to say now. `wants` tells whether a neighbour wants to hear a variable.
    pub(crate) fn due(
        &mut self,
        now: Time,
        store: &Store,
        wants: impl Fn(PeerId, &Key) -> bool,
        rng: &mut Rng,
    ) -> Vec<(PeerId, Item)> {
        let mut items = Vec::new();
        for peer in self.partners(rng) {
            let everything = || {
                store.replicated().filter(|(key, _)| wants(peer, key)).map(|(k, s)| (k.clone(), s.clone())).collect()
            };
            if self.mode == SyncMode::State {
                let states: Vec<(Key, State)> = everything();
                items.extend(states.into_iter().map(|(key, state)| (peer, Item::Data(Batch::single(key, state)))));
                continue;
            }
            let Some(outgoing) = self.peers.get_mut(&peer) else { continue };
            let groups = outgoing.take(now, &self.config, &mut self.next, everything);
            items.extend(groups.into_iter().map(|(number, batch)| (peer, Item::Group { number, batch })));
        }
        items
    }

    /// With whom to exchange this time.
    fn partners(&self, rng: &mut Rng) -> Vec<PeerId> {
        let mut peers: Vec<PeerId> = self.peers.keys().copied().collect();
        if let Some(fanout) = self.config.fanout.filter(|fanout| *fanout < peers.len()) {
            rng.shuffle(&mut peers);
            peers.truncate(fanout);
        }
        peers
    }
}

/// The answer to a group.
pub(crate) const fn acknowledgement(number: u64) -> Item {
    Item::Control(Control::Acknowledged(number))
}
