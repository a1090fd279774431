//! Anti-entropy between neighbours: what loss, partition or restart left open is closed here.
//!
//! Neighbours compare the root of a hash tree over what both want to hear; equal stores find out by one message
//! of a few bytes. Unequal ones narrow the difference down to variables, then exchange digests of these, then
//! the least deltas that suffice (Enes et al., ICDE'19 §V: digest-driven synchronisation). A node that learnt
//! something this way compares with its other neighbours soon, so that news crosses a healed partition hop by
//! hop at once and dies out where everybody knows it.

mod filter;
mod gauge;
mod message;
mod narrow;
mod plan;
mod reconcile;
pub(crate) mod sketch;
#[cfg(test)]
mod tests;
mod tour;
mod tree;

pub(crate) use message::Message;
pub(crate) use tree::Forest;

use crate::causal::group_of;
use crate::key::Key;
use crate::payload::Batch;
use crate::routes::Common;
use crate::store::Store;
use crate::wire::{Control, Item};
use lasp_dataflow::State;
use lasp_overlay::{PeerId, Rng, Time};
use std::collections::BTreeMap;
use std::time::Duration;
use tour::Tour;

/// Stores of up to this many variables are summarised at once, without a round of buckets. A guess: 64 entries take
/// fewer bytes than 256 sums.
const SMALL: usize = 64;

/// After how many comparisons in a row that found a difference, whoever with, a node takes it for granted that what differs
/// is under way, as long as much is. A guess.
const PATIENT: u32 = 3;

/// How many comparisons a new neighbour is due in any case: it may come from the other side of a partition, and the first
/// may be lost with the handshake.
const DUE: u32 = 2;

/// How many comparisons are then left out, for each neighbour: about as many as a node has compare once in several
/// minutes. A guess.
const SPARED: u32 = 16;

/// A time that does not come.
const NEVER: Time = Time::from_micros(u64::MAX);

/// How often neighbours compare.
#[derive(Clone, Debug, PartialEq)]
pub struct SyncConfig {
    /// Between comparisons when nothing is known to differ, jittered by a quarter. Default 10 s, as the original's
    /// synchronisation interval.
    pub interval: Duration,
    /// From a new neighbour to the first comparison, of a node that holds something: one that holds nothing compares at once.
    /// Default 50 ms (guess: who has just joined has been filled by then).
    pub first: Duration,
    /// From a difference found to the next comparison; twice as long each time in a row, up to `interval`: what keeps
    /// differing is being changed, and its news is under way. Default 1 s (guess).
    pub recheck: Duration,
    /// From news learnt by comparing to comparing with the other neighbours, jittered; twice as long for each time within
    /// an `interval`, up to that. Default 100 ms (guess).
    pub spread: Duration,
}

impl Default for SyncConfig {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(10),
            first: Duration::from_millis(50),
            recheck: Duration::from_secs(1),
            spread: Duration::from_millis(100),
        }
    }
}

/// Names one scheduled comparison; a later one makes it stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Appointment {
    peer: PeerId,
    generation: u32,
}

impl Appointment {
    /// With whom.
    pub(crate) const fn peer(&self) -> PeerId {
        self.peer
    }
}

#[derive(Debug)]
struct Peer {
    /// What both keep.
    common: Common,
    generation: u32,
    due: Time,
    /// When the last digest went to it, unless it has answered.
    asked: Option<Time>,
    /// The last comparison found more than one message could say: the next one follows at once.
    hurried: bool,
    /// What is still to be given to it.
    tour: Tour,
    /// How its link takes what there is for it.
    link: Capacity,
    /// Comparisons since the link came up.
    compared: u32,
    /// Something differed since the last comparison.
    differed: bool,
    /// Comparisons in a row after which something differed.
    streak: u32,
    /// How many symbols the next sketch for it has.
    reach: usize,
    /// How many the next one of one variable has, by the hash of its key: what filters left.
    rest: Option<(u64, usize)>,
}

/// How a link takes what there is for it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Capacity {
    /// It has not taken what there was: comparing would find what is under way.
    pub(crate) clogged: bool,
    /// Bytes that it takes in a moment.
    pub(crate) budget: usize,
}

impl Peer {
    /// Whether more is on its way to it than has arrived, so that what differs says nothing.
    fn is_behind(&self) -> bool {
        self.link.clogged || !self.tour.is_over()
    }
}

/// Who fills a node that held nothing.
#[derive(Debug)]
struct Filler {
    peer: PeerId,
    /// If nothing comes from it by then, others may.
    until: Time,
}

/// Whether comparisons are left out, since what differs is under way.
#[derive(Debug, Default)]
struct Patience {
    /// Comparisons in a row, with whichever neighbour, after which something differed.
    streak: u32,
    /// Comparisons left out since the last.
    spared: u32,
}

impl Patience {
    /// Whether to leave one more out, with so many neighbours.
    const fn spares(&mut self, neighbours: usize) -> bool {
        let spares = self.streak >= PATIENT && self.spared < SPARED * neighbours as u32;
        self.spared = if spares { self.spared + 1 } else { 0 };
        spares
    }
}

/// When the neighbours hear of what was learnt by comparing.
#[derive(Debug, Default)]
struct Spread {
    due: Time,
    /// How often within an interval.
    streak: u32,
}

impl Spread {
    /// How long to wait from now: with whatever waits already, else longer each time in a row.
    fn wait(&mut self, now: Time, config: &SyncConfig) -> Duration {
        if now < self.due {
            return self.due - now;
        }
        let quiet = now > self.due + config.interval;
        self.streak = if quiet { 0 } else { self.streak + 1 };
        let wait = doubled(config.spread, self.streak, config.interval);
        self.due = now + wait;
        wait
    }
}

/// `first`, doubled so many times, at most `most`.
fn doubled(first: Duration, times: u32, most: Duration) -> Duration {
    first.saturating_mul(1 << times.min(16)).min(most).max(first)
}

/// What follows from an input: messages by receiver, and appointments.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What to say.
    pub(crate) items: Vec<(PeerId, Item)>,
    /// What to be reminded of.
    pub(crate) timers: Vec<(Duration, Appointment)>,
    /// A comparison found a difference.
    pub(crate) differs: bool,
    /// A digest was compared with the own: whether they are equal.
    pub(crate) equal: Option<bool>,
    /// A neighbour and this node do not mean the same by what both keep.
    pub(crate) disagrees: Option<PeerId>,
}

impl Outcome {
    fn say(&mut self, to: PeerId, message: Message) {
        self.items.push((to, Item::Control(Control::Sync(message))));
    }

    fn give(&mut self, to: PeerId, key: Key, state: State) {
        self.items.push((to, Item::Data(Batch::single(key, state))));
    }
}

/// The comparisons of one node with its neighbours.
#[derive(Debug)]
pub(crate) struct AntiEntropy {
    config: SyncConfig,
    me: PeerId,
    peers: BTreeMap<PeerId, Peer>,
    /// A neighbour that fills this node, which held nothing, or was asked to.
    filler: Option<Filler>,
    generation: u32,
    spread: Spread,
    patience: Patience,
    /// Whether this node begins comparisons; it answers them in any case.
    begins: bool,
}

impl AntiEntropy {
    /// No neighbours yet.
    pub(crate) fn new(config: SyncConfig, me: PeerId, begins: bool) -> Self {
        Self {
            config,
            me,
            peers: BTreeMap::new(),
            filler: None,
            generation: 0,
            spread: Spread::default(),
            patience: Patience::default(),
            begins,
        }
    }

    /// A neighbour is there: compare soon.
    pub(crate) fn peer_up(&mut self, now: Time, peer: PeerId, store: &mut Store, rng: &mut Rng, out: &mut Outcome) {
        let state = Peer {
            common: Common::default(),
            generation: 0,
            due: NEVER,
            asked: None,
            hurried: false,
            tour: Tour::default(),
            link: Capacity::default(),
            compared: 0,
            differed: false,
            streak: 0,
            reach: reconcile::FIRST,
            rest: None,
        };
        self.peers.insert(peer, state);
        // Who holds nothing has nothing to wait for.
        let nothing = store.forest_mut().tree(&Common::default()).count() == 0;
        let first = if nothing { Duration::ZERO } else { rng.jitter(self.config.first, 0.5) };
        self.schedule(now, peer, first, out);
    }

    /// A neighbour is gone.
    pub(crate) fn peer_down(&mut self, peer: PeerId, store: &mut Store) {
        self.peers.remove(&peer);
        self.drop_unused_trees(store);
    }

    fn drop_unused_trees(&self, store: &mut Store) {
        store.forest_mut().retain_trees(|key| self.peers.values().any(|peer| peer.common.key() == key));
    }

    /// Whether a neighbour keeps a variable, as this node does.
    pub(crate) fn wants(&self, peer: PeerId, key: &Key) -> bool {
        self.hears(peer, key.name().as_str())
    }

    /// Whether a neighbour keeps variables of this name, of a causal group all, as this node does.
    pub(crate) fn hears(&self, peer: PeerId, name: &str) -> bool {
        self.peers.get(&peer).is_some_and(|peer| peer.common.covers(group_of(name).unwrap_or(name)))
    }

    /// A neighbour and this node have something else in common than before: compare soon, as new neighbours do.
    pub(crate) fn common_changed(
        &mut self,
        now: Time,
        peer: PeerId,
        common: Common,
        store: &mut Store,
        rng: &mut Rng,
        out: &mut Outcome,
    ) {
        let Some(state) = self.peers.get_mut(&peer) else { return };
        (state.common, state.compared) = (common, 0);
        self.drop_unused_trees(store);
        self.schedule(now, peer, rng.jitter(self.config.first, 0.5), out);
    }

    /// Something new came from `source` outside the broadcast tree: compare with the others soon.
    pub(crate) fn learnt_from(&mut self, now: Time, source: PeerId, rng: &mut Rng, out: &mut Outcome) {
        let wait = self.spread.wait(now, &self.config);
        let others: Vec<PeerId> = self.peers.keys().copied().filter(|&peer| peer != source).collect();
        for peer in others {
            self.schedule(now, peer, rng.jitter(wait, 0.5), out);
        }
    }

    /// The tree leaks: from now on neighbours compare as if nothing were under way.
    pub(crate) fn mistrust(&mut self) {
        self.patience = Patience::default();
        self.peers.values_mut().for_each(|state| state.streak = 0);
    }

    /// The tree was torn: compare with every neighbour soon.
    pub(crate) fn doubt(&mut self, now: Time, rng: &mut Rng, out: &mut Outcome) {
        self.mistrust();
        let peers: Vec<PeerId> = self.peers.keys().copied().collect();
        for peer in peers {
            self.schedule(now, peer, rng.jitter(self.config.recheck, 0.25), out);
        }
    }

    /// Compare with one neighbour soon: something is known to be missing.
    pub(crate) fn recheck(&mut self, now: Time, peer: PeerId, rng: &mut Rng, out: &mut Outcome) {
        let Some(state) = self.peers.get_mut(&peer) else { return };
        state.differed = true;
        let wait = match std::mem::take(&mut state.hurried) {
            true => self.config.first,
            false => doubled(self.config.recheck, state.streak, self.config.interval),
        };
        self.schedule(now, peer, rng.jitter(wait, 0.25), out);
    }

    /// What a neighbour that is given much is given next, of about so many bytes, as soon as its link has taken what it was given
    /// before.
    pub(crate) fn more(
        &mut self,
        now: Time,
        (peer, wanted): (PeerId, usize),
        store: &Store,
        rng: &mut Rng,
        out: &mut Outcome,
    ) -> Option<Batch> {
        let state = self.peers.get_mut(&peer).filter(|state| !state.tour.is_over())?;
        let batch = state.tour.step(store, &state.common, wanted);
        if state.tour.is_over() {
            // What changed meanwhile, and what else differs.
            self.schedule(now, peer, rng.jitter(self.config.first, 0.5), out);
        }
        Some(batch)
    }

    /// Says how a neighbour's link takes what there is for it.
    pub(crate) fn weigh(&mut self, peer: PeerId, link: Capacity) {
        self.peers.entry(peer).and_modify(|state| state.link = link);
    }

    /// Whether nobody is being given anything.
    pub(crate) fn is_idle(&self) -> bool {
        self.peers.values().all(|peer| peer.tour.is_over())
    }

    /// Sets the next comparison unless one is due earlier.
    fn schedule(&mut self, now: Time, peer: PeerId, after: Duration, out: &mut Outcome) {
        let Some(state) = self.peers.get_mut(&peer) else { return };
        let due = now + after;
        if !self.begins || state.due <= due {
            return;
        }
        self.generation = self.generation.wrapping_add(1);
        (state.generation, state.due) = (self.generation, due);
        out.timers.push((after, Appointment { peer, generation: self.generation }));
    }

    /// Time to compare, if the appointment still stands.
    pub(crate) fn expired(
        &mut self,
        now: Time,
        appointment: Appointment,
        store: &mut Store,
        surge: bool,
        rng: &mut Rng,
        out: &mut Outcome,
    ) -> bool {
        let neighbours = self.peers.len();
        let Some(state) = self.peers.get_mut(&appointment.peer) else { return false };
        if state.generation != appointment.generation {
            return false;
        }
        state.due = NEVER;
        if state.is_behind() {
            self.schedule(now, appointment.peer, rng.jitter(self.config.recheck, 0.25), out);
            return false;
        }
        if let Some(until) = self.filled_by_another_until(now, appointment.peer) {
            // Perhaps the other holds nothing either.
            self.schedule(now, appointment.peer, until.since(now) + rng.jitter(self.config.first, 0.5), out);
            return false;
        }
        let Some(state) = self.peers.get_mut(&appointment.peer) else { return false };
        if surge && state.compared >= DUE && self.patience.spares(neighbours) {
            self.schedule(now, appointment.peer, rng.jitter(self.config.interval, 0.25), out);
            return false;
        }
        state.compared += 1;
        state.asked = Some(now);
        let differed = std::mem::take(&mut state.differed);
        state.streak = if differed { state.streak + 1 } else { 0 };
        self.patience.streak = if differed { self.patience.streak + 1 } else { 0 };
        // The first comparison may have been lost with the handshake: one more soon after.
        let next = if state.compared < DUE { self.config.recheck } else { self.config.interval };
        let tree = store.forest_mut().tree(&state.common);
        // Of what a narrower node has in common with one neighbour, another need not have anything.
        let (root, nothing) = (tree.root(), tree.count() == 0 && state.common.is_all());
        let (mine, yours) = state.common.hashes();
        let digest = Message::Digest { root, mine, yours };
        out.say(appointment.peer, digest);
        if nothing {
            self.filler = Some(Filler { peer: appointment.peer, until: now + narrow::CROSSING });
        }
        self.schedule(now, appointment.peer, rng.jitter(next, 0.25), out);
        true
    }

    /// A neighbour says something.
    pub(crate) fn receive(
        &mut self,
        now: Time,
        from: PeerId,
        message: Message,
        store: &mut Store,
        rng: &mut Rng,
        out: &mut Outcome,
    ) {
        if !self.peers.contains_key(&from) {
            return;
        }
        match message {
            Message::Digest { root, mine, yours } => self.on_digest(now, from, [root, mine, yours], store, out),
            Message::Buckets(buckets) => self.on_buckets(now, from, &buckets, store, out),
            Message::Summary { scope, entries } => self.on_summary(from, scope, entries, store, out),
            Message::Ask { key, since, back } => self.on_ask(from, key, since.as_ref(), back, store, out),
            Message::Sketch { key, salt, symbols } => self.on_sketch(from, key, salt, &symbols, store, out),
            Message::More { key, gauged } => self.on_more(from, key, &gauged, store, out),
            Message::Filter { key, filtered, back } => self.on_filter(from, key, &filtered, back, store, out),
            Message::Want { key, salt, hashes } => self.on_want(from, key, salt, hashes, store, out),
        }
        if out.differs {
            self.recheck(now, from, rng, out);
        }
    }
}
