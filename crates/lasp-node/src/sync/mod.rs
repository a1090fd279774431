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
mod plan;
mod reconcile;
pub(crate) mod sketch;
mod tree;

pub(crate) use message::{Message, Scope};
pub(crate) use tree::Forest;

use crate::interest::Interests;
use crate::key::Key;
use crate::payload::Batch;
use crate::store::Store;
use crate::wire::{Control, Item};
use lasp_crdt::codec::to_bytes;
use lasp_crdt::fingerprint;
use lasp_dataflow::State;
use lasp_overlay::{PeerId, Rng, Time};
use std::collections::BTreeMap;
use std::time::Duration;
use tree::{BUCKETS, bucket_of};

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

/// How often neighbours compare.
#[derive(Clone, Debug, PartialEq)]
pub struct SyncConfig {
    /// Between comparisons when nothing is known to differ, jittered by a quarter. Default 10 s, as the original's
    /// synchronisation interval.
    pub interval: Duration,
    /// From a new neighbour to the first comparison. Default 50 ms (guess: the handshake is over by then).
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

#[derive(Debug)]
struct Peer {
    interests: Interests,
    generation: u32,
    due: Time,
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
    /// A neighbour wants to hear something else than before.
    pub(crate) changed_interests: Option<PeerId>,
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
    peers: BTreeMap<PeerId, Peer>,
    generation: u32,
    spread: Spread,
    patience: Patience,
    /// Whether this node begins comparisons; it answers them in any case.
    begins: bool,
}

impl AntiEntropy {
    /// No neighbours yet.
    pub(crate) fn new(config: SyncConfig, begins: bool) -> Self {
        Self {
            config,
            peers: BTreeMap::new(),
            generation: 0,
            spread: Spread::default(),
            patience: Patience::default(),
            begins,
        }
    }

    /// A neighbour is there: say what this node wants, compare soon.
    pub(crate) fn peer_up(&mut self, now: Time, peer: PeerId, store: &Store, rng: &mut Rng, out: &mut Outcome) {
        let state = Peer {
            interests: Interests::All,
            generation: 0,
            due: Time::from_micros(u64::MAX),
            compared: 0,
            differed: false,
            streak: 0,
            reach: reconcile::FIRST,
            rest: None,
        };
        self.peers.insert(peer, state);
        if *store.interests() != Interests::All {
            out.say(peer, Message::Interests(store.interests().clone()));
        }
        self.schedule(now, peer, rng.jitter(self.config.first, 0.5), out);
    }

    /// A neighbour is gone.
    pub(crate) fn peer_down(&mut self, peer: PeerId, store: &mut Store) {
        self.peers.remove(&peer);
        self.drop_unused_trees(store);
    }

    fn drop_unused_trees(&self, store: &mut Store) {
        store.forest_mut().retain_trees(|interests| self.peers.values().any(|peer| peer.interests == *interests));
    }

    /// Whether a neighbour wants to hear a variable.
    pub(crate) fn wants(&self, peer: PeerId, key: &Key) -> bool {
        self.peers.get(&peer).is_some_and(|peer| peer.interests.covers(key.name().as_str()))
    }

    /// This node's interests changed: tell everybody, and compare soon.
    pub(crate) fn interests_changed(&mut self, now: Time, store: &Store, rng: &mut Rng, out: &mut Outcome) {
        let peers: Vec<PeerId> = self.peers.keys().copied().collect();
        for &peer in &peers {
            out.say(peer, Message::Interests(store.interests().clone()));
            self.schedule(now, peer, rng.jitter(self.config.first, 0.5), out);
        }
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
        let wait = doubled(self.config.recheck, state.streak, self.config.interval);
        self.schedule(now, peer, rng.jitter(wait, 0.25), out);
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
        state.due = Time::from_micros(u64::MAX);
        if surge && state.compared >= DUE && self.patience.spares(neighbours) {
            self.schedule(now, appointment.peer, rng.jitter(self.config.interval, 0.25), out);
            return false;
        }
        state.compared += 1;
        let differed = std::mem::take(&mut state.differed);
        state.streak = if differed { state.streak + 1 } else { 0 };
        self.patience.streak = if differed { self.patience.streak + 1 } else { 0 };
        // The first comparison may have been lost with the handshake: one more soon after.
        let next = if state.compared < DUE { self.config.recheck } else { self.config.interval };
        let digest = Message::Digest {
            root: store.forest_mut().tree(&state.interests).root(),
            mine: hash_of(store.interests()),
            yours: hash_of(&state.interests),
        };
        out.say(appointment.peer, digest);
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
            Message::Interests(interests) => self.on_interests(now, from, interests, store, rng, out),
            Message::Digest { root, mine, yours } => self.on_digest(from, root, mine, yours, store, out),
            Message::Buckets(buckets) => self.on_buckets(from, &buckets, store, out),
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

    fn on_interests(
        &mut self,
        now: Time,
        from: PeerId,
        interests: Interests,
        store: &mut Store,
        rng: &mut Rng,
        out: &mut Outcome,
    ) {
        if let Some(peer) = self.peers.get_mut(&from) {
            out.changed_interests = (peer.interests != interests).then_some(from);
            peer.interests = interests;
        }
        self.drop_unused_trees(store);
        self.schedule(now, from, rng.jitter(self.config.first, 0.5), out);
    }

    /// Equal: silence. Unequal: the own sums, by variable for a small store, by bucket for a large one.
    fn on_digest(&mut self, from: PeerId, root: u64, mine: u64, yours: u64, store: &mut Store, out: &mut Outcome) {
        let Some(peer) = self.peers.get(&from) else { return };
        let agreed = mine == hash_of(&peer.interests) && yours == hash_of(store.interests());
        if !agreed {
            // One side has not heard what the other wants: say it, the answer's comparison follows.
            out.differs = true;
            return out.say(from, Message::Interests(store.interests().clone()));
        }
        let interests = peer.interests.clone();
        let tree = store.forest_mut().tree(&interests);
        if tree.root() == root {
            return;
        }
        out.differs = true;
        if tree.count() > SMALL {
            let buckets = Box::new(*tree.buckets());
            return out.say(from, Message::Buckets(buckets));
        }
        self.summarise(from, Scope::ALL, &interests, store, out);
    }

    fn on_buckets(&self, from: PeerId, theirs: &[u64; BUCKETS], store: &mut Store, out: &mut Outcome) {
        let Some(peer) = self.peers.get(&from) else { return };
        let ours = store.forest_mut().tree(&peer.interests).buckets();
        let mut scope = Scope::NONE;
        for bucket in (0..=u8::MAX).filter(|&b| ours[b as usize] != theirs[b as usize]) {
            scope.insert(bucket);
        }
        if scope != Scope::NONE {
            out.differs = true;
            self.summarise(from, scope, &peer.interests, store, out);
        }
    }

    fn summarise(&self, to: PeerId, scope: Scope, interests: &Interests, store: &Store, out: &mut Outcome) {
        let mut entries = Vec::new();
        for (_, fingerprint, var) in scope.iter().flat_map(|bucket| store.forest().bucket(bucket, interests)) {
            entries.extend(store.key(var).map(|key| (key.clone(), fingerprint)));
        }
        out.say(to, Message::Summary { scope, entries });
    }

    /// Gives what the sender lacks whole, asks for what this node lacks or what differs.
    fn on_summary(
        &mut self,
        from: PeerId,
        scope: Scope,
        entries: Vec<(Key, u64)>,
        store: &mut Store,
        out: &mut Outcome,
    ) {
        let Some(peer) = self.peers.get(&from) else { return };
        let theirs: BTreeMap<u64, u64> = entries.iter().map(|(key, fingerprint)| (key.hash(), *fingerprint)).collect();
        for (hash, _, var) in scope.iter().flat_map(|bucket| store.forest().bucket(bucket, &peer.interests)) {
            let (Some(key), Some(state)) = (store.key(var), store.graph().state(var)) else { continue };
            if !theirs.contains_key(&hash) {
                out.differs = true;
                out.give(from, key.clone(), state.clone());
            }
        }
        for (key, fingerprint) in entries {
            let ours = store.forest().fingerprint(key.hash());
            let wanted = scope.contains(bucket_of(key.hash())) && store.interests().covers(key.name().as_str());
            if ours == fingerprint || !wanted {
                continue;
            }
            out.differs = true;
            self.inquire(from, key, store, out);
        }
    }

    /// Gives the least delta that suffices; asks back if told to.
    fn on_ask(
        &self,
        from: PeerId,
        key: Key,
        since: Option<&lasp_dataflow::StateDigest>,
        back: bool,
        store: &Store,
        out: &mut Outcome,
    ) {
        let Some(state) = store.state(&key).filter(|_| self.wants(from, &key)) else { return };
        let delta = since.map_or_else(|| state.clone(), |since| state.delta(since));
        if back {
            out.say(from, Message::Ask { key: key.clone(), since: Some(state.digest()), back: false });
        }
        if !delta.is_bottom() {
            out.give(from, key, delta);
        }
    }
}

/// 0 for everything, so that the usual case is one byte on the wire.
fn hash_of(interests: &Interests) -> u64 {
    match interests {
        Interests::All => 0,
        narrower => fingerprint::hash(&to_bytes(narrower)) | 1,
    }
}
