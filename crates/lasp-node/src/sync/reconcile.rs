//! Within a variable: asks for what a neighbour has beyond a state, by the digest or, of a large one, by a sketch.
//!
//! A digest costs as much as the state has replicas, dots or keys; a sketch as much as the two states differ in. Where a
//! sketch would grow beyond the digest, the digest is sent after all.

use super::message::Message;
use super::sketch::{self, MOST, Symbol};
use super::{AntiEntropy, Outcome};
use crate::key::Key;
use crate::store::Store;
use lasp_crdt::codec::to_bytes;
use lasp_crdt::fingerprint::mix;
use lasp_dataflow::State;
use lasp_overlay::PeerId;
use std::collections::BTreeSet;

/// Fewest entries of a state that is sketched. A guess: below, a digest takes no more bytes than the shortest sketch.
const LARGE: usize = 64;

/// Most: beyond, hashing every part takes too long. A guess: some tens of milliseconds.
const HUGE: usize = 1 << 18;

/// Symbols of the first sketch, where nothing is known of how much differs. A guess: enough for ten differences.
pub(super) const FIRST: usize = 16;

/// How many times as long the next sketch is when one was too short: what was sent before comes to a third of it. A guess.
const GROWTH: usize = 4;

/// Bytes of a symbol, about.
const SYMBOL: usize = 14;

/// Whether a state may be hashed part by part.
fn has_parts(key: &Key, state: &State) -> bool {
    key.ty().parts_follow_content() && state.entries() < HUGE
}

/// The salted hashes of a state's parts.
fn hashes(state: &State, salt: u64) -> Vec<u64> {
    state.part_fingerprints().into_iter().map(|part| mix(salt, part)).collect()
}

impl AntiEntropy {
    /// Asks for what differs in a variable.
    pub(super) fn inquire(&mut self, to: PeerId, key: Key, store: &Store, out: &mut Outcome) {
        let Some(state) = store.state(&key).filter(|state| !state.is_bottom()) else {
            return out.say(to, Message::Ask { key, since: None, back: false });
        };
        if !has_parts(&key, state) || state.entries() < LARGE {
            return out.say(to, Message::Ask { key, since: Some(state.digest()), back: true });
        }
        let len = self.peers.get_mut(&to).map_or(FIRST, |peer| {
            let len = peer.reach;
            peer.reach = (len - len / 4).max(FIRST);
            len
        });
        self.send_sketch(to, key, state, len, out);
    }

    fn send_sketch(&mut self, to: PeerId, key: Key, state: &State, len: usize, out: &mut Outcome) {
        self.generation = self.generation.wrapping_add(1);
        let salt = mix(state.fingerprint(), self.generation.into());
        let symbols = sketch::sketch(&hashes(state, salt), len);
        out.say(to, Message::Sketch { key, salt, symbols });
    }

    /// Gives what the sender lacks and wants what it has, or a longer sketch.
    pub(super) fn on_sketch(
        &self,
        from: PeerId,
        key: Key,
        salt: u64,
        symbols: &[Symbol],
        store: &Store,
        out: &mut Outcome,
    ) {
        if !self.wants(from, &key) || !store.interests().covers(key.name().as_str()) {
            return;
        }
        let Some(state) = store.state(&key).filter(|state| !state.is_bottom()) else {
            return out.say(from, Message::Ask { key, since: None, back: false });
        };
        if !has_parts(&key, state) {
            return out.say(from, Message::Ask { key, since: Some(state.digest()), back: true });
        }
        let ours = hashes(state, salt);
        let told = sketch::difference(symbols, &ours).filter(|_| !symbols.is_empty());
        let Some(told) = told else {
            return Self::too_short(from, key, state, ours.len(), symbols, out);
        };
        out.differs |= !told.left.is_empty() || !told.right.is_empty();
        if !told.right.is_empty() {
            Self::give_parts(from, key.clone(), state, salt, told.right, out);
        }
        if !told.left.is_empty() {
            out.say(from, Message::Want { key, salt, hashes: told.left });
        }
    }

    fn too_short(from: PeerId, key: Key, state: &State, ours: usize, symbols: &[Symbol], out: &mut Outcome) {
        out.differs = true;
        // They differ at least by as much as one has more.
        let least = sketch::size(symbols).abs_diff(ours);
        let len = (GROWTH * symbols.len()).max(least + least / 2).max(FIRST);
        let digest = state.digest();
        if len > MOST || len * SYMBOL > to_bytes(&digest).len() {
            return out.say(from, Message::Ask { key, since: Some(digest), back: true });
        }
        out.say(from, Message::More { key, len });
    }

    /// Sends a longer sketch, of the state as it is now.
    pub(super) fn on_more(&mut self, from: PeerId, key: Key, len: usize, store: &Store, out: &mut Outcome) {
        let Some(state) = store.state(&key).filter(|_| self.wants(from, &key)) else { return };
        if !has_parts(&key, state) {
            return out.say(from, Message::Ask { key, since: Some(state.digest()), back: true });
        }
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.reach = len.max(FIRST);
        }
        self.send_sketch(from, key, state, len, out);
    }

    /// Gives parts. One that is there no longer has grown since, and is on its way.
    pub(super) fn on_want(
        &self,
        from: PeerId,
        key: Key,
        salt: u64,
        hashes: Vec<u64>,
        store: &Store,
        out: &mut Outcome,
    ) {
        let Some(state) = store.state(&key).filter(|state| self.wants(from, &key) && has_parts(&key, state)) else {
            return;
        };
        Self::give_parts(from, key, state, salt, hashes, out);
    }

    fn give_parts(to: PeerId, key: Key, state: &State, salt: u64, wanted: Vec<u64>, out: &mut Outcome) {
        let wanted: BTreeSet<u64> = wanted.into_iter().collect();
        let parts = state.parts(|part| wanted.contains(&mix(salt, part)));
        if !parts.is_bottom() {
            out.give(to, key, parts);
        }
    }
}
