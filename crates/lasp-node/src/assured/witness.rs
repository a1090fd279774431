//! What a node holds and passes on for others: it answers for itself, asks those behind it, and hands their answers back.

use super::message::{Message, Passing};
use super::{Around, AssuredConfig, Outcome};
use crate::payload::Batch;
use lasp_overlay::quota::Quota;
use lasp_overlay::{PeerId, Time};
use std::collections::{BTreeMap, BTreeSet};

/// An update of another node that is passed on.
#[derive(Debug)]
struct Wave {
    name: (PeerId, u64, u64),
    round: u32,
    wanted: usize,
    /// Who asked, and what it calls the update.
    parent: (PeerId, u64),
    /// Of whom it has been told in this round.
    told: BTreeSet<PeerId>,
}

/// What one node passes on.
#[derive(Debug)]
pub(crate) struct Witness {
    config: AssuredConfig,
    me: PeerId,
    /// By what this node calls them: the oldest has the least number.
    waves: BTreeMap<u64, Wave>,
    names: BTreeMap<(PeerId, u64, u64), u64>,
    quotas: BTreeMap<PeerId, Quota>,
    /// Questions that were not passed on, for a neighbour asked too much.
    refused: u64,
}

impl Witness {
    /// Nothing yet.
    pub(crate) fn new(config: AssuredConfig, me: PeerId) -> Self {
        let (waves, names, quotas) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { config, me, waves, names, quotas, refused: 0 }
    }

    /// Questions that were not passed on, for a neighbour asked too much.
    pub(crate) const fn refused(&self) -> u64 {
        self.refused
    }

    /// A neighbour is there.
    pub(crate) fn peer_up(&mut self, now: Time, peer: PeerId) {
        self.quotas.insert(peer, Quota::new(now, self.config.passing_per_second));
    }

    /// A neighbour is gone.
    pub(crate) fn peer_down(&mut self, peer: PeerId) {
        self.quotas.remove(&peer);
    }

    /// Whether a neighbour's question is this node's own, come round.
    pub(crate) fn is_own(&self, passing: Option<&Passing>) -> bool {
        passing.is_some_and(|passing| passing.origin == self.me)
    }

    /// A neighbour has entrusted deltas, which this node holds now or does not. `number` gives this node a number.
    pub(crate) fn entrusted(
        &mut self,
        now: Time,
        from: PeerId,
        (theirs, passing, batch): (u64, Option<Passing>, Batch),
        held: bool,
        number: impl FnOnce() -> u64,
        around: &Around<'_>,
    ) -> Outcome {
        let mut out = Outcome::default();
        let fresh = passing.is_none_or(|passing| self.is_fresh(&passing));
        if held && fresh {
            out.say.push((from, Message::Held { number: theirs, by: Vec::new() }));
        }
        let Some(passing) = passing.filter(|_| fresh) else { return out };
        let ours = self.note(from, theirs, &passing, number);
        if passing.hops == 0 {
            return out;
        }
        let allowed = self.quotas.get_mut(&from).is_some_and(|quota| quota.take(now, self.config.passing_per_second));
        if !allowed {
            self.refused += 1;
            return out;
        }
        let passing = Passing { hops: passing.hops - 1, ..passing };
        let others = around.neighbours.iter().copied().filter(|&peer| peer != from && peer != passing.origin);
        let entrust = |peer| (peer, Message::Entrust { number: ours, passing: Some(passing), batch: batch.clone() });
        out.say.extend(others.map(entrust));
        out
    }

    /// Whether this question was not heard in this round; one that came another way was.
    fn is_fresh(&self, passing: &Passing) -> bool {
        let known = self.names.get(&name(passing)).and_then(|number| self.waves.get(number));
        known.is_none_or(|wave| wave.round < passing.round)
    }

    /// Remembers whom to answer; what this node calls it.
    fn note(&mut self, from: PeerId, theirs: u64, passing: &Passing, number: impl FnOnce() -> u64) -> u64 {
        let name = name(passing);
        let ours = *self.names.entry(name).or_insert_with(number);
        let (round, wanted, parent, told) = (passing.round, passing.wanted, (from, theirs), BTreeSet::new());
        self.waves.insert(ours, Wave { name, round, wanted, parent, told });
        if self.waves.len() > self.config.passing
            && let Some((_, oldest)) = self.waves.pop_first()
        {
            self.names.remove(&oldest.name);
        }
        ours
    }

    /// What this node has passed on is held, by the neighbour that says so or by those that it names: whoever asked is told.
    pub(crate) fn held(&mut self, from: PeerId, ours: u64, by: &[PeerId]) -> Outcome {
        let mut out = Outcome::default();
        let Some(wave) = self.waves.get_mut(&ours) else { return out };
        let named = if by.is_empty() { std::slice::from_ref(&from) } else { by };
        let room = wave.wanted.saturating_sub(wave.told.len());
        let is_news = |peer: &&PeerId| **peer != self.me && **peer != wave.name.0 && !wave.told.contains(peer);
        let news: Vec<PeerId> = named.iter().filter(is_news).take(room).copied().collect();
        if !news.is_empty() {
            wave.told.extend(&news);
            let (to, number) = wave.parent;
            out.say.push((to, Message::Held { number, by: news }));
        }
        out
    }
}

const fn name(passing: &Passing) -> (PeerId, u64, u64) {
    (passing.origin, passing.life, passing.serial)
}
